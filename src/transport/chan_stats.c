/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_stats.c - figures of a channel, and what must hold of it at any time.
 */
#include "transport/chan_priv.h"

/* What the controller does and says: that of the pipe, or, before anything was to be sent, of the
 * one that there will be. */
static void tell_controller(const struct wf_chan *c, struct wf_chan_stats *out)
{
    const struct wf_pipe_lane *lane = wf_pipe_lane(&c->pipe, WF_CLASS_MAIN);
    struct wf_cc first;

    if (lane != NULL) {
        out->cwnd = wf_pipe_window(&c->pipe, WF_CLASS_MAIN);
        out->pacing_rate = lane->pacer.rate;
        out->bandwidth = wf_cc_bandwidth(&lane->cc);
        out->congestion = wf_cc_name(&lane->cc);
        return;
    }
    wf_cc_init(&first, c->config.congestion, wf_mtu_size(&c->mtu));
    out->cwnd = c->state < CHAN_CLOSING ? wf_cc_window(&first) : 0;
    out->congestion = wf_cc_name(&first);
}

void wf_chan_stats(const struct wf_chan *c, struct wf_chan_stats *out)
{
    *out = c->stats;
    out->srtt_us = c->rtt.has_sample ? wf_rtt_smoothed(&c->rtt) : 0;
    out->min_rtt_us = wf_rtt_min(&c->rtt);
    out->rttvar_us = c->rtt.has_sample ? wf_rtt_var(&c->rtt) : 0;
    tell_controller(c, out);
    out->in_flight = c->sent.in_flight;
    out->datagram_len = wf_mtu_size(&c->mtu);
    out->messages_open_out = c->out.count;
    out->messages_open_in = c->in.count;
    out->credit_left = wf_flow_out_room(&c->tx.node);
    out->control_bytes = c->control_bytes;
}

struct sums {
    uint64_t held, highest, counted, pieces;
};

static const char *check_in(const struct wf_chan *c, struct sums *s)
{
    size_t count = 0;

    for (size_t i = 0; i < c->in.room; i++) {
        for (struct wf_number *n = c->in.buckets[i]; n != NULL; n = n->next) {
            const struct wf_message_in *m = WF_CONTAINER_OF(n, struct wf_message_in, link);
            count++;
            s->held += m->data.blocks.held;
            s->highest += m->data.highest;
            s->counted += m->counted;
            s->pieces += m->data.islands.r.room - WF_GROWSET_INSIDE;
            if (m->data.consumed > m->data.ready || m->data.ready > m->data.highest)
                return "an incoming message has consumed more than it has";
            if (m->data.highest > m->data.final)
                return "an incoming message has bytes beyond its end";
            if (m->data.highest > m->credit)
                return "an incoming message is beyond its credit";
            if (m->data.islands.r.count > WF_REASSEMBLY_RANGES_MAX)
                return "an incoming message waits with too many pieces";
            if (chan_in_is_finished(c, n->number))
                return "a finished message is still there";
        }
    }
    if (s->pieces != c->blocks.pieces || s->pieces > WF_REASSEMBLY_ROOM_MAX)
        return "pieces that wait are miscounted";
    return count == c->in.count ? NULL : "incoming messages are miscounted";
}

static const char *check_out_one(const struct wf_chan *c, const struct wf_message_out *m)
{
    if (m->acked > m->sent || m->sent > m->written)
        return "an outgoing message has acknowledged more than was sent";
    if (m->written - m->acked > c->send_buffer_max && !m->is_cancelled)
        return "an outgoing message holds more than the send buffer";
    if (m->acks.r.count > WF_OUT_RANGES_MAX || m->lost.r.count > WF_OUT_RANGES_MAX)
        return "an outgoing message has too many ranges";
    if (m->queue == WF_QUEUE_READY && m->turn.list == NULL)
        return "a message that is ready stands in no ring";
    return NULL;
}

static const char *check_out(const struct wf_chan *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->out.room; i++) {
        for (struct wf_number *n = c->out.buckets[i]; n != NULL; n = n->next) {
            const char *broken = check_out_one(c, WF_CONTAINER_OF(n, struct wf_message_out, link));
            count++;
            if (broken != NULL)
                return broken;
        }
    }
    if (count > c->messages_out_max)
        return "more outgoing messages than allowed";
    return count == c->out.count ? NULL : "outgoing messages are miscounted";
}

static const char *check_credit(const struct wf_chan *c, const struct sums *s)
{
    const struct wf_flow_in *in = &c->rx.node;

    if (in->consumed > in->received || in->received > in->limit)
        return "the peer is beyond the credit of the node pair";
    if (s->highest - s->counted != in->received - in->consumed)
        return "bytes of messages and of the node pair differ";
    if (c->tx.node.used > c->tx.node.limit)
        return "we are beyond the credit of the node pair";
    /* Blocks are at most twice the bytes below the highest offset, or one block more. */
    if (s->held > 2 * s->highest + c->in.count * (uint64_t)(WF_BLOCK_MAX + WF_BLOCK_FIRST))
        return "reassembly holds more than its credit";
    return NULL;
}

const char *wf_chan_check(const struct wf_chan *c)
{
    struct sums s = {0};
    const char *broken = check_in(c, &s);

    if (broken == NULL)
        broken = check_out(c);
    if (broken == NULL)
        broken = check_credit(c, &s);
    if (broken == NULL)
        broken = wf_sent_check(&c->sent);
    if (broken != NULL)
        return broken;
    for (size_t k = 0; k < WF_CLASSES; k++) {
        if (c->pipe.pipe != NULL && c->pipe.in_flight[k] != c->sent.class_in_flight[k])
            return "the pipe counts other bytes in flight than the session";
    }
    if (c->control_bytes > CHAN_CONTROL_MAX)
        return "control frames exceed their cap";
    if (c->paths.count > WF_PATHS_MAX)
        return "too many paths";
    if (c->state == CHAN_OPEN && wf_mtu_size(&c->mtu) < WF_MTU_BASE)
        return "the datagram size is below its least";
    /* Between two ranges there is a number that may still be opened, or is open. */
    if (c->finished.r.count > c->rx.count_limit - c->rx.messages_finished + 1)
        return "too many ranges of finished messages";
    return NULL;
}
