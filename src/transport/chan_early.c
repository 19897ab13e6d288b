/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_early.c - frames that ride in SOLVE and CONFIRM. They count as packet 0 (SPEC 4.1-5):
 * acknowledged by CONFIRM and by the client's first packet, and never lost, since the handshake
 * repeats the same bytes.
 */
#include "base/assert.h"
#include "transport/chan_priv.h"

size_t wf_chan_early_write(struct wf_chan *c, weft_time now, uint8_t *buf, size_t cap)
{
    struct wf_addr nowhere = {0};
    struct chan_pack p = {.c = c, .now = now, .to = &nowhere, .may_data = true};

    if (c->state != CHAN_NEW || c->early_done)
        return 0;
    c->early_done = true;
    p.w = wf_writer_of(buf, cap);
    chan_pack_messages(&p);
    c->early = p.frames;
    return p.w.len;
}

void wf_chan_set_peer(struct wf_chan *c, weft_time now, const struct wf_chan_peer *peer)
{
    uint64_t used = c->tx.node.used;
    uint64_t ours = c->config.params.datagram_max;

    if (c->has_peer || c->state != CHAN_NEW)
        return;
    c->has_peer = true;
    c->peer = peer->params;
    c->theirs[0] = (struct chan_cid){.is_set = true};
    for (size_t i = 0; i < WF_CID_LEN; i++)
        c->theirs[0].cid[i] = peer->cid[i];
    c->theirs_seen = 1;
    /* What the handshake carried may be more than we would have been allowed; it is not sent again.
     */
    c->tx.node.limit = c->peer.node_credit > used ? c->peer.node_credit : used;
    c->tx.count_limit = c->peer.message_count;
    chan_out_learn(c);
    wf_rtt_init(&c->rtt, c->peer.ack_delay_us);
    wf_mtu_init(&c->mtu, ours < c->peer.datagram_max ? ours : c->peer.datagram_max);
    wf_paths_init(&c->paths, &peer->remote, &peer->local);
    chan_path_fix_size(c);
    (void)now;
}

void wf_chan_early_recv(struct wf_chan *c, weft_time now, weft_span frames)
{
    struct chan_incoming in = {.now = now, .is_early = true};

    if (c->state >= CHAN_CLOSING)
        return;
    enum chan_verdict v = chan_frames_check(c, &in, frames);
    if (v == CHAN_OK)
        v = chan_frames_apply(c, &in, frames);
    if (v == CHAN_LOST) {
        /* The handshake does not repeat what was taken, so there is no later copy to wait for. */
        chan_fail(c, now, WEFT_ERR_NOMEM, WF_CODE_NOMEM);
    }
    chan_act_on(c, now, v);
}
