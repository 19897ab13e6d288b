/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_fate.c - what becomes of what was sent: an ACK or a loss yields the frames of packets, and a
 * table says what each type does then. A new frame type is one row.
 */
#include "transport/chan_priv.h"

#define DARK_PROBES 3u

static void fate_nothing(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    (void)c;
    (void)f;
    (void)is_acked;
}

static void fate_ack(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    struct wf_acks_told told = {f->number, f->value, f->len};

    if (is_acked)
        wf_acks_on_told(&c->acks, &told);
}

static uint8_t once_after(uint8_t now, bool is_acked)
{
    if (now != WF_ONCE_FLYING)
        return now;
    return is_acked ? WF_ONCE_ACKED : WF_ONCE_WANTED;
}

static void fate_credit(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    if (f->flags == WF_CREDIT_MESSAGE) {
        chan_in_fate(c, f, is_acked);
    } else if (f->flags == WF_CREDIT_NODE) {
        if (f->value == c->rx.node.limit)
            c->rx.node_once = once_after(c->rx.node_once, is_acked);
    } else if (f->value == c->rx.count_limit) {
        c->rx.count_once = once_after(c->rx.count_once, is_acked);
    }
}

static void fate_note(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    chan_note_fate(c, f->number, is_acked);
}

static void fate_rekey(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    if (f->number == c->rekey.generation)
        c->rekey.once = once_after(c->rekey.once, is_acked);
}

/* Row of PING: flags 1 is the one that the owner asked for, value when it was sent. */
static void fate_ping(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    if (f->flags == 0)
        return;
    c->pong_once = once_after(c->pong_once, is_acked);
    if (!is_acked || c->pong_once != WF_ONCE_ACKED)
        return;
    c->pong_rtt_us = c->ack_at - f->value;
    c->events |= CHAN_EVENT_PONG;
    c->pong_once = c->pong_again ? WF_ONCE_WANTED : WF_ONCE_IDLE;
    c->pong_again = false;
}

typedef void fate_fn(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked);

/* clang-format off */
static fate_fn *const rows[] = {
    [WF_FRAME_PING] = fate_ping,
    [WF_FRAME_ACK] = fate_ack,
    [WF_FRAME_MESSAGE_OPEN] = chan_out_fate,
    [WF_FRAME_MESSAGE_DATA] = chan_out_fate,
    [WF_FRAME_CREDIT] = fate_credit,
    [WF_FRAME_CANCEL] = chan_out_fate,
    [WF_FRAME_STOP] = chan_in_fate,
    [WF_FRAME_DATAGRAM] = fate_nothing,
    [WF_FRAME_PATH_CHALLENGE] = fate_nothing,
    [WF_FRAME_PATH_RESPONSE] = fate_nothing,
    [WF_FRAME_NEW_ID] = fate_note,
    [WF_FRAME_RETIRE_ID] = fate_note,
    [WF_FRAME_REKEY] = fate_rekey,
    [WF_FRAME_ERROR] = fate_note,
};
/* clang-format on */

void chan_fates_acked(struct wf_chan *c, weft_time now, const struct wf_sent_list *frames)
{
    c->ack_at = now;
    for (const struct wf_sent_frame *f = frames->first; f != NULL; f = f->next)
        rows[f->type](c, f, true);
}

/* What has to arrive goes again in a new packet: its owner is told that it is wanted. SPEC 4.1-3 */
void chan_fates_lost(struct wf_chan *c, const struct wf_sent_list *frames)
{
    for (const struct wf_sent_frame *f = frames->first; f != NULL; f = f->next) {
        rows[f->type](c, f, false);
        c->stats.frames_resent += f->type != WF_FRAME_ACK;
    }
}

/* Congestion, datagram size and the frames of packets that were lost. */
void chan_on_lost(struct wf_chan *c, weft_time now, struct wf_fates *lost)
{
    if (lost->packets == 0)
        return;
    wf_ecn_on_lost(&c->ecn, lost);
    chan_pipe_lost(c, now, lost);
    if (wf_pto_is_persistent(&c->rtt, lost->run_us))
        wf_rtt_forget_min(&c->rtt);
    if (lost->mtu_probe > 0)
        wf_mtu_on_probe_lost(&c->mtu, now, lost->mtu_probe);
    if (wf_mtu_on_lost(&c->mtu, lost->largest))
        chan_mtu_changed(c, now);
    c->stats.packets_lost += lost->packets;
    wf_trace(c->config.trace, now, WF_TRACE_PACKET_LOST, lost->newest, lost->bytes);
    chan_fates_lost(c, &lost->frames);
    wf_sent_frames_free(&c->sent, &lost->frames);
    chan_pipe_update(c, now);
}

static void sample_rtt(struct wf_chan *c, weft_time now, const struct wf_frame_ack *ack,
                       const struct wf_fates *acked)
{
    if (!acked->is_sample)
        return;
    wf_rtt_sample(&c->rtt, now, now - acked->sample_at, ack->delay_us);
    wf_acks_set_rtt(&c->acks, wf_rtt_smoothed(&c->rtt));
    wf_pipe_on_rtt(&c->pipe, now, &c->rtt);
}

/* In a queue that is full a lone probe finds a place now and then: so many in a row do not all die
 * of congestion. */
static bool was_dark(const struct wf_chan *c)
{
    return c->was_dark || c->pto.count >= DARK_PROBES;
}

/* SPEC 4.4-9: nothing of what was sent into the dark tells of congestion, nor does it hold up what
 * follows. The window is opened again as at the beginning, up to where it was. */
static void return_from_dark(struct wf_chan *c, weft_time now)
{
    c->was_dark = false;
    wf_sent_new_path(&c->sent);
    chan_pipe_restart(c, now);
}

enum chan_verdict chan_on_ack(struct wf_chan *c, weft_time now, const struct wf_frame_ack *ack)
{
    struct wf_fates acked, lost;

    if (wf_sent_on_ack(&c->sent, ack, &acked) != WEFT_OK)
        return CHAN_PROTOCOL; /* SPEC 3.1-2, 4.1-4 */
    sample_rtt(c, now, ack, &acked);
    wf_loss_on_acked(&c->loss, &acked);
    if (acked.spurious > 0)
        chan_pipe_spurious(c, &acked);
    if (acked.needed_ack && was_dark(c))
        return_from_dark(c, now);
    wf_loss_detect(&c->loss, &c->sent, &c->rtt, now, &lost);
    chan_on_lost(c, now, &lost);
    chan_pipe_acked(c, now, &acked, &lost, wf_ecn_on_ack(&c->ecn, ack, &acked));
    if (acked.needed_ack)
        wf_pto_on_ack(&c->pto);
    bool is_larger = acked.mtu_probe > 0 && wf_mtu_on_probe_acked(&c->mtu, now, acked.mtu_probe);
    wf_mtu_on_acked(&c->mtu, acked.largest);
    if (is_larger)
        chan_mtu_changed(c, now);
    chan_fates_acked(c, now, &acked.frames);
    wf_sent_frames_free(&c->sent, &acked.frames);
    chan_pipe_release(c, now);
    chan_pipe_update(c, now);
    return CHAN_OK;
}
