/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_work.c - the work that calls are asked for, where somebody with threads does it; and calls
 * begun anew when the price has risen meanwhile (docs/spec/1-handshake.md, 1.9).
 *
 * A job lives as long as the handshake that wants it works: whoever does it asks whether it still
 * does, and what he finds too late changes nothing.
 */
#include "endpoint/core_priv.h"

weft_err call_new(struct session *s)
{
    s->call = wf_alloc(s->core->mem, sizeof *s->call);
    if (s->call == NULL)
        return WEFT_ERR_NOMEM;
    s->call->session = s;
    return WEFT_OK;
}

/* The handshake is over. */
void call_end(struct session *s)
{
    struct call *call = s->call;

    if (call == NULL)
        return;
    if (s->hs != NULL) {
        call->price = wf_hs_price(s->hs);
        if (s->end_err == WEFT_ERR_LIMIT && call->price.bid > 0)
            note_put(s->core, &call->refused, NOTE_WORK_REFUSED); /* before the outcomes */
    }
    wf_hs_free(s->hs);
    wf_hs_free(call->before);
    s->hs = call->before = NULL;
    wf_list_remove(&call->work_link);
}

void work_tell_refused(const struct call *call, struct wf_core_event *out)
{
    out->kind = WF_CORE_WORK_REFUSED;
    out->bid = call->price.bid;
    out->work_alg = call->price.alg;
    out->err = WEFT_ERR_LIMIT;
}

void call_free(struct session *s)
{
    call_end(s);
    if (s->call == NULL)
        return;
    wf_list_remove(&s->call->refused.link);
    wf_free(s->core->mem, s->call, sizeof *s->call);
    s->call = NULL;
}

/* What an unsigned CHALLENGE made us do for an ASK is little, and is always done here. */
bool work_is_ours(const struct session *s)
{
    return !s->core->config.work_outside || wf_hs_state(s->hs) == WF_HS_HELLO;
}

/* The only place where a call gets into the lists of jobs. */
void work_review(struct session *s)
{
    struct wf_core *c = s->core;
    bool is_job = c->config.work_outside && s->hs != NULL && wf_hs_state(s->hs) == WF_HS_WORKING;

    if (s->call == NULL)
        return;
    if (!is_job) {
        wf_list_remove(&s->call->work_link);
    } else if (s->call->work_link.list == NULL) {
        s->call->work_id = ++c->work_last_id;
        wf_list_push_back(&c->work_new, &s->call->work_link);
    }
}

/* Nobody waits for this call any more: work for it would be for nothing. */
void work_end_if_idle(struct session *s)
{
    if (s->hs != NULL && wf_hs_state(s->hs) == WF_HS_WORKING && s->messages.count == 0 &&
        s->pings.count == 0)
        session_end(s, WEFT_ERR_CANCELLED, 0);
}

/* SPEC 1.9-3. What the chan holds was not sent, so it goes with whichever attempt gets through. */
void call_again(struct session *s, weft_time now)
{
    struct wf_hs *next = NULL;
    weft_err err = wf_hs_again(&next, s->hs, &s->mem, now);

    if (err != WEFT_OK) {
        session_end(s, err, 0);
        return;
    }
    wf_hs_free(s->call->before);
    s->call->before = NULL;
    if (wf_hs_state(s->hs) == WF_HS_SOLVE)
        s->call->before = s->hs;
    else
        wf_hs_free(s->hs);
    s->hs = next;
    for (unsigned alg = 0; alg < WF_WORK_ALGS; alg++)
        wf_hs_rate(s->hs, now, alg, s->core->work_rate[alg]);
}

bool wf_core_has_work(const struct wf_core *c)
{
    return c->work_new.first != NULL;
}

bool wf_core_next_work(struct wf_core *c, struct wf_core_work *out)
{
    struct wf_link *link = wf_list_pop_front(&c->work_new);
    const struct call *call = NULL;

    if (link == NULL)
        return false;
    call = WF_CONTAINER_OF(link, struct call, work_link);
    wf_list_push_back(&c->work_taken, link);
    *out = (struct wf_core_work){.id = call->work_id, .work = *wf_hs_job(call->session->hs)};
    return true;
}

static struct session *find(const struct wf_core *c, uint64_t id)
{
    for (struct wf_link *l = c->work_taken.first; l != NULL; l = l->next) {
        const struct call *call = WF_CONTAINER_OF(l, struct call, work_link);

        if (call->work_id == id)
            return call->session;
    }
    return NULL;
}

bool wf_core_work_is_wanted(const struct wf_core *c, uint64_t id)
{
    return find(c, id) != NULL;
}

static void go_on(struct session *s, weft_time now)
{
    hs_progress(s, now);
    if (s->state != SESSION_ENDED)
        session_touch(s);
}

void wf_core_work_done(struct wf_core *c, weft_time now, uint64_t id, uint64_t nonce)
{
    struct session *s = find(c, id);

    core_release_taken(c);
    now = core_time(c, now);
    if (s == NULL)
        return;
    wf_hs_solved(s->hs, now, nonce);
    go_on(s, now);
}

static void tell_rate(struct wf_list *list, weft_time now, unsigned alg)
{
    struct wf_link *next = NULL;

    for (struct wf_link *l = list->first; l != NULL; l = next) {
        struct session *s = WF_CONTAINER_OF(l, struct call, work_link)->session;

        next = l->next;
        wf_hs_rate(s->hs, now, alg, s->core->work_rate[alg]);
        go_on(s, now);
    }
}

void wf_core_work_rate(struct wf_core *c, weft_time now, unsigned alg, uint64_t tries_per_s)
{
    WEFT_ASSERT(alg < WF_WORK_ALGS);
    core_release_taken(c);
    now = core_time(c, now);
    c->work_rate[alg] = tries_per_s;
    tell_rate(&c->work_taken, now, alg);
    tell_rate(&c->work_new, now, alg);
}
