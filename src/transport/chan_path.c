/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_path.c - what a channel does when its peer is somewhere else, and when the datagram size
 * changes.
 */
#include <string.h>

#include "transport/chan_priv.h"

/* SPEC 4.4-12 */
void chan_path_fix_size(struct wf_chan *c)
{
    uint32_t len = wf_carrier_of(&wf_paths_active(&c->paths)->remote)->datagram_len;

    if (len > 0)
        wf_mtu_fix(&c->mtu, len);
}

/* SPEC 4.4-2: another host means another path: nothing that was learned holds, but for the round
 * trip of the challenge. */
static void start_anew(struct wf_chan *c, weft_time now)
{
    uint64_t rtt_us = wf_path_round_trip(wf_paths_active(&c->paths), now);

    wf_rtt_init(&c->rtt, c->peer.ack_delay_us);
    if (rtt_us > 0) {
        wf_rtt_sample(&c->rtt, now, rtt_us, 0);
        wf_acks_set_rtt(&c->acks, wf_rtt_smoothed(&c->rtt));
    }
    wf_mtu_reset(&c->mtu);
    chan_path_fix_size(c);
    wf_ecn_new_path(&c->ecn);
}

void chan_path_event(struct wf_chan *c, weft_time now, enum wf_path_event e)
{
    if (e != WF_PATH_MOVED && e != WF_PATH_REBOUND)
        return;
    /* SPEC 4.4-7: what went to where nobody is any more does not hold up what follows, and its loss
     * tells nothing of this path. */
    wf_sent_new_path(&c->sent);
    wf_pto_init(&c->pto);
    if (e == WF_PATH_MOVED)
        start_anew(c, now);
    chan_pipe_move(c, now, e == WF_PATH_REBOUND);
    if (c->sent.need_ack > 0)
        chan_probe(c); /* its ack will tell at once what of it never arrived */
    chan_cid_change(c);
    c->stats.path_changes++;
    c->events |= CHAN_EVENT_PATH;
    wf_trace(c->config.trace, now, WF_TRACE_PATH_CHANGED, c->stats.path_changes, e);
}

/* A client that moved itself sends on from where it is reached now. A server is where its clients
 * look for it: a copy of a packet that is led to another address of it moves nothing. */
void chan_path_here(struct wf_chan *c, weft_time now, const struct wf_path_packet *k)
{
    struct wf_path *path = wf_paths_active(&c->paths);

    if (c->config.role != WF_ROLE_CLIENT || !wf_addr_equal(&k->from, &path->remote) ||
        !wf_addr_is_set(&k->to) || wf_addr_equal(&k->to, &path->local))
        return;
    path->local = k->to;
    chan_pipe_move(c, now, true);
    chan_cid_change(c);
}

/* The peer sees us at another address, which we may not know of: from now on our packets carry
 * another id as well, or the id would tell who came from where. SPEC 4.4-10 */
void chan_path_challenged(struct wf_chan *c, const struct chan_incoming *in,
                          const uint8_t token[WF_PATH_TOKEN_LEN])
{
    bool is_active = wf_addr_equal(&in->from, &wf_paths_active(&c->paths)->remote);

    if (!is_active || memcmp(c->challenge_seen, token, WF_PATH_TOKEN_LEN) == 0)
        return;
    memcpy(c->challenge_seen, token, WF_PATH_TOKEN_LEN);
    chan_cid_change(c);
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
