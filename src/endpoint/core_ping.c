/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_ping.c - PINGs of the application: one answer each, a round trip or an error.
 *
 * A channel has one PING under way at a time; whoever asks meanwhile shares its answer.
 */
#include "endpoint/core_priv.h"

weft_err wf_core_ping(struct wf_core *c, weft_time now, const struct wf_core_send_params *params)
{
    struct session *s = NULL;
    struct ping *p = NULL;
    weft_err err = WEFT_OK;

    core_release_taken(c);
    now = core_time(c, now);
    if (c->ping_count >= CORE_PINGS_MAX)
        return WEFT_ERR_LIMIT;
    err = session_call(c, now, params, &s);
    if (err != WEFT_OK)
        return err;
    p = wf_alloc(c->mem, sizeof *p);
    if (p == NULL)
        return WEFT_ERR_NOMEM;
    p->session = s;
    p->user = params->user;
    if (params->outcome_within_us > 0)
        err = wf_heap_set(&c->ping_timers, &p->timer, now + params->outcome_within_us);
    if (err != WEFT_OK) {
        wf_free(c->mem, p, sizeof *p);
        return err;
    }
    c->ping_count++;
    wf_list_push_back(&s->pings, &p->link);
    if (s->state == SESSION_OPEN)
        wf_chan_ping(s->chan);
    session_touch(s);
    return WEFT_OK;
}

/* The session stands: a PING for those that waited for it. */
void session_start_pings(struct session *s)
{
    for (struct wf_link *l = s->pings.first; l != NULL; l = l->next)
        WF_CONTAINER_OF(l, struct ping, link)->handshake_us = s->handshake_us;
    if (s->pings.count > 0)
        wf_chan_ping(s->chan);
}

void ping_done(struct ping *p, weft_err err, uint64_t rtt_us)
{
    struct wf_core *c = p->session->core;

    wf_heap_remove(&c->ping_timers, &p->timer);
    wf_list_remove(&p->link);
    session_rank(p->session);
    p->err = err;
    p->rtt_us = rtt_us;
    note_put(c, &p->note, NOTE_PING);
}

void session_pong(struct session *s, uint64_t rtt_us)
{
    while (s->pings.first != NULL)
        ping_done(WF_CONTAINER_OF(s->pings.first, struct ping, link), WEFT_OK, rtt_us);
}

void ping_free(struct wf_core *c, struct ping *p)
{
    wf_heap_remove(&c->ping_timers, &p->timer);
    wf_list_remove(&p->link);
    wf_list_remove(&p->note.link);
    c->ping_count--;
    wf_free(c->mem, p, sizeof *p);
}
