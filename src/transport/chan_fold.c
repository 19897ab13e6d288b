/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_fold.c - a channel with nothing under way as bytes, and back (docs/spec/4-transport.md 4.6).
 * What can be learned again (windows, rates, acknowledged ranges) is left out. It must never write
 * a state that would not go on exactly where it was.
 *
 *   size    field                                   size    field
 *   v       time when the peer was last heard, ms   1..11   may be sent: bytes used, limit - used
 *   keys    session/keys_fold.c                     v v     next message, highest one allowed
 *   v v     highest number received, those of the   v v     may come: bytes received, limit -
 * received 64 up to it that are missing            v v     messages finished, allowed beyond them
 *   v v     next number, next - newest acked        v v v v of the peer: message credit, ack delay,
 *           (0: none was)                                   idle time, largest datagram
 *   v v v   of the key's generation: next - first   v v     datagram size, least that fails with
 * the number, highest - first received, age           search's state in the lowest bit when last
 * heard, ms                     v v v   round trip, its variation, the least one v       next
 * sequence of our ids                1 v v v ECN: state, marked, counts of the peer v each  its
 * distance to each id of ours         v v v   ECN counts of what came v v v   sequences of the
 * peer's ids: highest,   7..24   remote address missing, highest - retired              7..24 local
 * address 1 (8 v) the peer's ids, the one in use first
 *
 * v: varint. Our ids themselves are kept beside the bytes, where packets find them.
 */
#include <string.h>

#include "base/assert.h"
#include "transport/chan_priv.h"

#define FAR ((uint64_t)1 << 62)

_Static_assert(CHAN_CIDS <= WF_CHAN_IDS_MAX, "room for all of our ids");

static bool is_wanted(uint8_t once)
{
    return once == WF_ONCE_WANTED || once == WF_ONCE_FLYING;
}

bool chan_is_under_way(const struct wf_chan *c)
{
    if (c->out.count > 0 || c->in.count > 0 || c->sent.need_ack > 0 || c->must_send)
        return true;
    if (c->datagrams.count > 0 || c->notes.count > 0 || c->notes_flying.count > 0 ||
        c->chores.count > 0 || c->early.first != NULL)
        return true;
    return c->pong_once != WF_ONCE_IDLE || is_wanted(c->rx.node_once) ||
           is_wanted(c->rx.count_once) || is_wanted(c->rekey.once);
}

static bool has_news(const struct wf_chan *c)
{
    return c->events != 0 || c->cid_news_count > 0 || c->news_in.count > 0 ||
           c->news_out.count > 0 || c->notices.count > 0;
}

/* Every message of the peer up to the highest is over. */
static bool is_finished_whole(const struct wf_chan *c)
{
    const struct wf_ranges *r = &c->finished.r;

    if (r->count == 0)
        return c->rx.messages_finished == 0;
    return r->count == 1 && r->items[0].first == 1 && r->items[0].last == c->rx.messages_finished;
}

/* SPEC 4.6-1, 4.6-2 */
bool wf_chan_can_fold(const struct wf_chan *c)
{
    if (c->state != CHAN_OPEN || !c->is_confirmed || chan_is_under_way(c) || has_news(c))
        return false;
    if (c->is_awaited || c->is_asking || wf_acks_is_waiting(&c->acks) || !wf_keys_can_fold(c->keys))
        return false;
    if (c->rekey.secret != NULL || c->rekey.forget_at != WEFT_TIME_NEVER)
        return false;
    /* A stream belongs to its session: its owner keeps more for it than a record would save. */
    if (c->paths.items[0].remote.carrier != WF_CARRIER_UDP)
        return false;
    if (!c->paths.items[0].is_proved || wf_paths_deadline(&c->paths) != WEFT_TIME_NEVER)
        return false;
    return is_finished_whole(c) && c->rx.node.received == c->rx.node.consumed;
}

/* --- addresses --- */

static void put_addr(struct wf_writer *w, const struct wf_addr *a)
{
    wf_write_u8(w, a->family);
    if (a->family == WF_ADDR_NONE)
        return;
    wf_write_bytes(w, a->ip, a->family == WF_ADDR_V4 ? 4 : 16);
    wf_write_u16(w, a->port);
    if (a->family == WF_ADDR_V6)
        wf_write_varint(w, a->scope);
}

static struct wf_addr get_addr(struct wf_reader *r)
{
    struct wf_addr a = {.family = wf_read_u8_max(r, WF_ADDR_V6)};

    if (a.family == WF_ADDR_NONE)
        return a;
    wf_read_bytes(r, a.ip, a.family == WF_ADDR_V4 ? 4 : 16);
    a.port = wf_read_u16(r);
    if (a.family == WF_ADDR_V6)
        a.scope = (uint32_t)wf_read_varint_max(r, UINT32_MAX);
    return a;
}

/* --- numbers and keys --- */

static void put_numbers(const struct wf_chan *c, struct wf_writer *w)
{
    const struct chan_rekey *k = &c->rekey;
    const uint64_t age = c->heard_at > k->since ? c->heard_at - k->since : 0;

    wf_write_varint(w, c->heard_at / 1000);
    wf_keys_fold(c->keys, w);
    wf_write_varint(w, c->replay.highest);
    wf_write_varint(w, wf_replay_missing(&c->replay));
    wf_write_varint(w, c->sent.next);
    wf_write_varint(w, c->sent.has_acked ? c->sent.next - c->sent.newest_acked : 0);
    wf_write_varint(w, c->sent.next - k->first);
    wf_write_varint(w, c->rx.highest - k->first_rx);
    wf_write_varint(w, age / 1000);
}

/* SPEC 4.6-3, 4.6-4 */
static void get_numbers(struct wf_chan *c, weft_time now, struct wf_reader *r)
{
    const uint64_t heard_ms = wf_read_varint_max(r, now / 1000);

    c->heard_at = heard_ms * 1000;
    if (wf_keys_unfold(c->keys, r) != WEFT_OK)
        wf_reader_fail(r);
    const uint64_t highest = wf_read_varint_max(r, WF_KEYS_PACKETS_MAX);
    const uint64_t missing = wf_read_varint(r);
    const uint64_t next = wf_read_varint_max(r, WF_KEYS_PACKETS_MAX);
    const uint64_t unacked = wf_read_varint_max(r, next);
    wf_replay_restore(&c->replay, highest, missing);
    c->rx.highest = highest;
    wf_sent_init(&c->sent, c->mem, next, 0);
    c->sent.has_acked = unacked > 0;
    c->sent.newest_acked = next - unacked;
    c->rekey.generation = c->keys->generation;
    c->rekey.first = next - wf_read_varint_max(r, next);
    c->rekey.first_rx = highest - wf_read_varint_max(r, highest);
    c->rekey.since = (heard_ms - wf_read_varint_max(r, heard_ms)) * 1000;
    if (next <= c->keys->sealed_last)
        wf_reader_fail(r);
}

/* --- connection ids --- */

static void put_their_id(const struct wf_chan *c, struct wf_writer *w, const struct chan_cid *id)
{
    wf_write_bytes(w, id->cid, WF_CID_LEN);
    wf_write_varint(w, c->theirs_high - id->sequence);
}

/* Sequences that came or never will, of the 64 up to the highest. */
static uint64_t their_missing(const struct wf_chan *c)
{
    const uint64_t all = c->theirs_high >= 63 ? UINT64_MAX : ((uint64_t)2 << c->theirs_high) - 1;

    return ~c->theirs_seen & all;
}

static void put_ids(const struct wf_chan *c, struct wf_writer *w, struct wf_chan_ids *ours)
{
    uint8_t count = 0;

    ours->count = 0;
    wf_write_varint(w, c->ours_next);
    for (size_t i = 0; i < CHAN_CIDS; i++) {
        if (!c->ours[i].is_set)
            continue;
        memcpy(ours->cids[ours->count++], c->ours[i].cid, WF_CID_LEN);
        wf_write_varint(w, c->ours_next - c->ours[i].sequence);
    }
    wf_write_varint(w, c->theirs_high);
    wf_write_varint(w, their_missing(c));
    wf_write_varint(w, c->theirs_high - c->theirs_retired_below);
    for (size_t i = 0; i < CHAN_CIDS; i++)
        count += c->theirs[i].is_set;
    wf_write_u8(w, count);
    put_their_id(c, w, &c->theirs[c->theirs_now]);
    for (size_t i = 0; i < CHAN_CIDS; i++) {
        if (c->theirs[i].is_set && i != c->theirs_now)
            put_their_id(c, w, &c->theirs[i]);
    }
}

static void get_ids(struct wf_chan *c, struct wf_reader *r, const struct wf_chan_ids *ours)
{
    c->ours_next = wf_read_varint_max(r, FAR);
    for (size_t i = 0; i < ours->count; i++) {
        c->ours[i].is_set = true;
        c->ours[i].sequence = c->ours_next - wf_read_varint_max(r, c->ours_next);
        memcpy(c->ours[i].cid, ours->cids[i], WF_CID_LEN);
    }
    c->theirs_high = wf_read_varint_max(r, FAR);
    c->theirs_seen = UINT64_MAX;
    if (c->theirs_high < 63)
        c->theirs_seen = ((uint64_t)2 << c->theirs_high) - 1;
    c->theirs_seen &= ~wf_read_varint(r);
    c->theirs_retired_below = c->theirs_high - wf_read_varint_max(r, c->theirs_high);
    const uint8_t count = wf_read_u8_max(r, CHAN_CIDS);
    for (size_t i = 0; i < count; i++) {
        c->theirs[i].is_set = true;
        wf_read_bytes(r, c->theirs[i].cid, WF_CID_LEN);
        c->theirs[i].sequence = c->theirs_high - wf_read_varint_max(r, c->theirs_high);
    }
    if (count == 0)
        wf_reader_fail(r);
}

/* --- messages and credit --- */

static void put_credit(const struct wf_chan *c, struct wf_writer *w)
{
    wf_write_varint(w, c->tx.node.used);
    wf_write_varint(w, c->tx.node.limit - c->tx.node.used);
    wf_write_varint(w, c->tx.next_message);
    wf_write_varint(w, c->tx.count_limit);
    wf_write_varint(w, c->rx.node.received);
    wf_write_varint(w, c->rx.node.limit - c->rx.node.received);
    wf_write_varint(w, c->rx.messages_finished);
    wf_write_varint(w, c->rx.count_limit - c->rx.messages_finished);
}

static void get_credit(struct wf_chan *c, struct wf_reader *r)
{
    const struct wf_range all = {1, 0};

    c->tx.node.used = wf_read_varint_max(r, WF_FLOW_MAX);
    c->tx.node.limit = c->tx.node.used + wf_read_varint_max(r, WF_FLOW_MAX);
    c->tx.next_message = wf_read_varint_max(r, FAR);
    c->tx.count_limit = wf_read_varint_max(r, WF_FLOW_MAX);
    c->rx.node.received = wf_read_varint_max(r, WF_FLOW_MAX);
    c->rx.node.consumed = c->rx.node.received;
    c->rx.node.limit = c->rx.node.received + wf_read_varint_max(r, WF_FLOW_MAX);
    c->rx.messages_finished = wf_read_varint_max(r, FAR);
    c->rx.count_limit = c->rx.messages_finished + wf_read_varint_max(r, WF_FLOW_MAX);
    c->rx.is_dirty = true;
    if (c->rx.messages_finished > 0) {
        weft_err err = wf_ranges_add(&c->finished.r, all.first, c->rx.messages_finished);
        WEFT_ASSERT(err == WEFT_OK); /* there is room for two */
    }
}

/* --- path --- */

static void put_path(const struct wf_chan *c, struct wf_writer *w)
{
    const bool has_rtt = c->rtt.has_sample;

    wf_write_varint(w, c->peer.message_credit);
    wf_write_varint(w, c->peer.ack_delay_us);
    wf_write_varint(w, c->peer.idle_ms);
    wf_write_varint(w, c->peer.datagram_max);
    wf_write_varint(w, c->mtu.size);
    wf_write_varint(w, c->mtu.failed * 2 + (c->mtu.tried_max ? 1 : 0));
    wf_write_varint(w, has_rtt ? wf_rtt_smoothed(&c->rtt) : 0);
    wf_write_varint(w, has_rtt ? wf_rtt_var(&c->rtt) : 0);
    wf_write_varint(w, wf_rtt_min(&c->rtt));
    wf_write_u8(w, (uint8_t)c->ecn.state);
    wf_write_varint(w, c->ecn.sent);
    wf_write_varint(w, c->ecn.ect0);
    wf_write_varint(w, c->ecn.ce);
    wf_write_varint(w, c->acks.ect0);
    wf_write_varint(w, c->acks.ect1);
    wf_write_varint(w, c->acks.ce);
    put_addr(w, &c->paths.items[0].remote);
    put_addr(w, &c->paths.items[0].local);
}

static void get_peer(struct wf_chan *c, weft_time now, struct wf_reader *r)
{
    const uint64_t ours = c->config.params.datagram_max;
    uint64_t size = 0;
    uint64_t failed = 0;

    c->has_peer = true;
    c->peer.message_credit = wf_read_varint_max(r, WF_FLOW_MAX);
    c->peer.ack_delay_us = wf_read_varint_max(r, FAR);
    c->peer.idle_ms = wf_read_varint_max(r, FAR);
    c->peer.datagram_max = wf_read_varint_max(r, UINT16_MAX);
    wf_mtu_init(&c->mtu, ours < c->peer.datagram_max ? ours : c->peer.datagram_max);
    size = wf_read_varint_max(r, UINT16_MAX);
    failed = wf_read_varint_max(r, 4 * (uint64_t)UINT16_MAX);
    wf_mtu_restore(&c->mtu, now, size, failed / 2, (failed & 1) != 0);
}

static void get_path(struct wf_chan *c, weft_time now, struct wf_reader *r)
{
    struct wf_addr remote = {0};
    struct wf_addr local = {0};

    get_peer(c, now, r);
    const uint64_t srtt = wf_read_varint_max(r, WF_RTT_MAX_US);
    const uint64_t var = wf_read_varint_max(r, WF_RTT_MAX_US);
    const uint64_t least = wf_read_varint_max(r, WF_RTT_MAX_US);
    wf_rtt_init(&c->rtt, c->peer.ack_delay_us);
    wf_rtt_restore(&c->rtt, now, srtt, var, least);
    if (c->rtt.has_sample)
        wf_acks_set_rtt(&c->acks, wf_rtt_smoothed(&c->rtt));
    c->ecn.state = (enum wf_ecn_state)wf_read_u8_max(r, WF_ECN_FAILED);
    c->ecn.sent = wf_read_varint(r);
    c->ecn.ect0 = wf_read_varint(r);
    c->ecn.ce = wf_read_varint(r);
    if (c->ecn.ce <= c->ecn.sent && c->ecn.ect0 <= c->ecn.sent - c->ecn.ce)
        c->ecn.lost = c->ecn.sent - c->ecn.ce - c->ecn.ect0; /* nothing is under way */
    c->ecn.has_plain = c->ecn.state == WF_ECN_CAPABLE;
    c->ecn.has_newest = c->sent.has_acked;
    c->ecn.newest = c->sent.newest_acked;
    c->acks.ect0 = wf_read_varint(r);
    c->acks.ect1 = wf_read_varint(r);
    c->acks.ce = wf_read_varint(r);
    remote = get_addr(r);
    local = get_addr(r);
    wf_paths_init(&c->paths, &remote, &local);
}

/* --- the whole --- */

bool wf_chan_fold(const struct wf_chan *c, struct wf_writer *w, struct wf_chan_ids *ours)
{
    WEFT_ASSERT(wf_chan_can_fold(c));
    put_numbers(c, w);
    put_ids(c, w, ours);
    put_credit(c, w);
    put_path(c, w);
    return wf_writer_ok(w);
}

static weft_err unfold(struct wf_chan *c, weft_time now, const struct wf_chan_folded *f)
{
    struct wf_reader r = wf_reader_of(f->bytes);

    c->keys = wf_secret_get(c->config.secrets);
    if (c->keys == NULL)
        return WEFT_ERR_NOMEM;
    get_numbers(c, now, &r);
    get_ids(c, &r, &f->ours);
    get_credit(c, &r);
    get_path(c, now, &r);
    if (!wf_reader_done(&r) || c->keys->role != c->config.role)
        return WEFT_ERR_MALFORMED;
    c->keys->forged += f->forged;
    c->is_confirmed = true;
    c->early_done = true;
    c->started_at = now;
    chan_enter(c, CHAN_OPEN);
    chan_mtu_changed(c, now);
    return WEFT_OK;
}

weft_err wf_chan_unfold(struct wf_chan **out, const struct wf_chan_config *config, weft_time now,
                        const struct wf_chan_folded *f)
{
    struct wf_chan *c = NULL;
    weft_err err = WEFT_OK;

    if (f->ours.count == 0 || f->ours.count > CHAN_CIDS)
        return WEFT_ERR_MALFORMED;
    err = wf_chan_new(&c, config, now);
    if (err == WEFT_OK)
        err = unfold(c, now, f);
    if (err != WEFT_OK) {
        wf_chan_free(c);
        return err;
    }
    *out = c;
    return WEFT_OK;
}

/* SPEC 4.6-5 */
bool wf_chan_would_open(const struct wf_chan_folded *f, const struct wf_chan_trial *t,
                        struct wf_open *packet)
{
    struct wf_reader r = wf_reader_of(f->bytes);
    struct wf_replay replay;

    (void)wf_read_varint(&r);
    if (wf_keys_unfold(t->keys, &r) != WEFT_OK)
        return false;
    const uint64_t highest = wf_read_varint_max(&r, WF_KEYS_PACKETS_MAX);
    wf_replay_init(&replay, NULL);
    wf_replay_restore(&replay, highest, wf_read_varint(&r));
    t->keys->forged += f->forged;
    return wf_keys_open(t->keys, &replay, t->aead, packet, 1) == 1;
}
