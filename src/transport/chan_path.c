/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_path.c - what a channel does when its peer is somewhere else, and when the datagram size
 * changes.
 */
#include "transport/chan_priv.h"

void chan_pacer_update(struct wf_chan *c, weft_time now)
{
    wf_pacer_set(&c->pacer, now, wf_cc_pacing_rate(&c->cc, &c->rtt), wf_mtu_size(&c->mtu));
}

void chan_mtu_changed(struct wf_chan *c, weft_time now)
{
    wf_cc_set_datagram(&c->cc, wf_mtu_size(&c->mtu));
    chan_pacer_update(c, now);
}

/* SPEC 4.4-2: another host means another path: nothing that was learned holds. */
static void start_anew(struct wf_chan *c, weft_time now)
{
    wf_sent_new_path(&c->sent);
    wf_rtt_init(&c->rtt, c->peer.ack_delay_us);
    wf_pto_init(&c->pto);
    wf_mtu_reset(&c->mtu);
    wf_cc_init(&c->cc, WF_CC_CUBIC, wf_mtu_size(&c->mtu));
    wf_rate_init(&c->rate);
    wf_ecn_new_path(&c->ecn);
    wf_pacer_init(&c->pacer, now, wf_mtu_size(&c->mtu));
}

void chan_path_event(struct wf_chan *c, weft_time now, enum wf_path_event e)
{
    if (e != WF_PATH_MOVED && e != WF_PATH_REBOUND)
        return;
    if (e == WF_PATH_MOVED)
        start_anew(c, now);
    chan_cid_change(c);
    c->stats.path_changes++;
    c->events |= CHAN_EVENT_PATH;
    wf_trace(c->config.trace, now, WF_TRACE_PATH_CHANGED, c->stats.path_changes, e);
}

/* A probe that never left is not waited for. */
static void forget_probe(struct wf_chan *c, size_t datagram_len)
{
    uint64_t number = c->mtu_probe_number;
    struct wf_fates lost = {0};

    if (number < c->sent.low || number >= c->sent.next)
        return;
    const struct wf_sent_packet *p = wf_sent_at(&c->sent, number);
    if (p->state != WF_SENT_OUT || p->bytes != datagram_len)
        return;
    wf_sent_lose(&c->sent, number, &lost);
    wf_sent_frames_free(&c->sent, &lost.frames);
    c->mtu_probe_number = 0;
}

void wf_chan_too_big(struct wf_chan *c, weft_time now, size_t datagram_len)
{
    if (c->state != CHAN_OPEN)
        return;
    forget_probe(c, datagram_len);
    if (wf_mtu_on_too_big(&c->mtu, now, datagram_len))
        chan_mtu_changed(c, now);
}
