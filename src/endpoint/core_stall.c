/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_stall.c - messages that nobody goes on with, though they hold memory: an application that
 * does not read, a peer that never sends the missing bytes or gives no credit. Flow control pushes
 * back at once; this cuts off what stays so (docs/spec/4-transport.md, 4.3).
 *
 * All messages stand in one list and are looked at in turn, each at the same distance: that costs
 * nothing per byte, and a message is cut off between one and two such distances after it last got
 * on. It must never touch a message that holds nothing, however long it is silent.
 */
#include "endpoint/core_priv.h"

/* SPEC 4.3-3 */
static uint64_t look_us(const struct wf_core *c)
{
    return c->config.unread_us < CORE_LOOK_US ? c->config.unread_us : CORE_LOOK_US;
}

void stall_watch(struct message *m)
{
    m->looked_at = m->session->core->now;
    wf_list_push_back(&m->session->core->watched, &m->watch_link);
}

weft_time stall_deadline(const struct wf_core *c)
{
    struct wf_link *l = c->watched.first;

    if (l == NULL)
        return WEFT_TIME_NEVER;
    return WF_CONTAINER_OF(l, struct message, watch_link)->looked_at + look_us(c);
}

/* SPEC 4.3-4: more than half of what there may be is held. */
static bool is_pressed(const struct session *s)
{
    const struct wf_mem *all = s->core->mem;

    return s->mem.held + s->charged > s->core->config.peer_memory_max / 2 ||
           (all->cap != 0 && all->held > all->cap / 2);
}

/* Whom we tell depends on who has to be told: the sender gets STOP and an ERROR, the receiver
 * CANCEL. */
static void cut_off(struct wf_core *c, struct message *m)
{
    struct session *s = m->session;

    c->stats.messages_cut_off++;
    s->cut_off++;
    if (m->incoming) {
        /* SPEC 4.3-5 */
        refusal_put(s, m,
                    &(struct refusal){.number = m->number, .code = WF_CODE_UNREAD, .stops = true});
        message_broken(c, m, WEFT_ERR_UNREAD, WF_CODE_UNREAD);
    } else {
        /* SPEC 4.3-6 */
        if (m->regards != 0)
            refusal_put(s, m, &(struct refusal){.number = m->regards, .code = WF_CODE_UNREAD});
        message_outcome(c, m, WF_OUTCOME_FAILED, WEFT_ERR_UNREAD, WF_CODE_UNREAD);
    }
    wf_chan_trim(s->chan);
    session_touch(s);
}

/* How many looks in a row may find it where it was; 0: any number. What arrived whole was
 * acknowledged as a whole: it goes only when there is need. */
static uint64_t patience_of(const struct message *m)
{
    const struct session *s = m->session;
    const struct wf_core *c = s->core;
    uint64_t looks = c->config.unread_us / look_us(c);

    if (is_pressed(s))
        return 1;
    return m->incoming && wf_chan_is_whole(s->chan, m->number) ? 0 : looks;
}

static void look(struct wf_core *c, struct message *m)
{
    struct wf_chan_held h = {0};
    uint64_t patience = 0;

    if (m->session->state != SESSION_OPEN || m->broken || m->has_outcome)
        return;
    h = wf_chan_held(m->session->chan, m->number, m->incoming);
    if (m->incoming && h.progress != m->progress) {
        wf_chan_show_reading(m->session->chan, m->number);
        session_touch(m->session);
    }
    m->stalled_looks = h.bytes > 0 && h.progress == m->progress ? m->stalled_looks + 1 : 0;
    m->progress = h.progress;
    patience = patience_of(m);
    if (m->stalled_looks > 0 && patience > 0 && m->stalled_looks >= patience)
        cut_off(c, m);
}

void stall_tick(struct wf_core *c, weft_time now)
{
    while (stall_deadline(c) <= now) {
        struct message *m = WF_CONTAINER_OF(c->watched.first, struct message, watch_link);

        wf_list_remove(&m->watch_link);
        m->looked_at = now;
        wf_list_push_back(&c->watched, &m->watch_link);
        look(c, m);
    }
}
