/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_held.c - what a channel holds, for what, and whether the messages behind it get on. Looks
 * and changes nothing.
 */
#include "transport/chan_priv.h"

static struct wf_chan_held held_in(const struct wf_chan *c, uint64_t number)
{
    struct wf_number *n = wf_numbers_get(&c->in, number);
    const struct wf_message_in *m = NULL;
    bool is_readable = false;

    if (n == NULL)
        return (struct wf_chan_held){0};
    m = WF_CONTAINER_OF(n, struct wf_message_in, link);
    if (m->is_stopped || m->is_cancelled)
        return (struct wf_chan_held){0};
    /* What can be read is the application's turn, whatever else comes. */
    is_readable = m->data.ready > m->data.consumed;
    return (struct wf_chan_held){.bytes = m->data.highest - m->data.consumed,
                                 .progress = is_readable ? m->data.consumed : m->data.ready};
}

/* A message that its own credit holds back gets on by that alone; one that waits for the others'
 * share gets on when the peer takes any. */
static struct wf_chan_held held_out(const struct wf_chan *c, uint64_t number)
{
    const struct wf_message_out *m = chan_out_get(c, number);
    uint64_t progress = 0;

    if (m == NULL || m->is_cancelled)
        return (struct wf_chan_held){0};
    progress = m->acked + (m->credit < WF_FLOW_MAX ? m->credit : WF_FLOW_MAX);
    if (m->sent < m->credit)
        progress += c->tx.node.limit + c->tx.count_limit;
    return (struct wf_chan_held){.bytes = m->written - m->acked, .progress = progress};
}

struct wf_chan_held wf_chan_held(const struct wf_chan *c, uint64_t number, bool incoming)
{
    return incoming ? held_in(c, number) : held_out(c, number);
}

static void add_in(const struct wf_message_in *m, struct wf_chan_account *a)
{
    const struct wf_ranges *islands = &m->data.islands.r;

    if (m->is_stopped || m->is_cancelled)
        return;
    a->unread += m->data.ready - m->data.consumed;
    for (size_t i = 0; i < islands->count; i++) {
        a->waiting += islands->items[i].last - islands->items[i].first + 1;
    }
}

void wf_chan_account(const struct wf_chan *c, struct wf_chan_account *out)
{
    *out = (struct wf_chan_account){.control = c->control_bytes + c->notice_bytes,
                                    .datagrams = c->datagram_bytes};
    for (size_t i = 0; i < c->in.room; i++) {
        for (struct wf_number *n = c->in.buckets[i]; n != NULL; n = n->next)
            add_in(WF_CONTAINER_OF(n, struct wf_message_in, link), out);
    }
    for (size_t i = 0; i < c->out.room; i++) {
        for (struct wf_number *n = c->out.buckets[i]; n != NULL; n = n->next) {
            const struct wf_message_out *m = WF_CONTAINER_OF(n, struct wf_message_out, link);

            out->unacknowledged += m->is_cancelled ? 0 : m->written - m->acked;
            out->messages_held_back += m->queue == WF_QUEUE_WAITING || m->is_pushed_back;
        }
    }
}
