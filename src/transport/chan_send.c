/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_send.c - what goes next, and to where: the end of the session, a challenge to a new path, an
 * answer to an old one, a probe of the datagram size, or a train of equal datagrams on the path in
 * use, within window and pacing. A train is sealed in one batch.
 */
#include "base/assert.h"
#include "transport/chan_priv.h"

/* A challenge or an answer with everything around it, and the least packet: so each packet from a
 * new address pays for a challenge. SPEC 4.4-5 */
#define SMALL_LEN (WF_PACKET_HEADER_MAX + 1 + WF_PATH_TOKEN_LEN + WF_PACKET_TAG)
/* Numbers kept back, so that CLOSE can be sent when the hard stop is reached. */
#define NUMBERS_RESERVE 4096u

struct train {
    struct wf_chan *c;
    weft_time now;
    uint8_t *buf;
    size_t cap, len;
    uint8_t mark;                     /* ECN */
    const struct wf_carrier *carrier; /* of the path in use */
    bool is_aside;                    /* it goes to another path than the one in use */
    size_t count;
    uint64_t number; /* of the packet being built */
    size_t header_len;
    struct wf_seal seals[WF_DATAGRAM_SEGMENTS_MAX];
};

static uint64_t window_of(const struct wf_chan *c)
{
    uint64_t main = wf_pipe_window(&c->pipe, WF_CLASS_MAIN);
    uint64_t background = wf_pipe_window(&c->pipe, WF_CLASS_BACKGROUND);

    return main > background ? main : background;
}

/* Begins a packet of at most size bytes. */
static bool begin(struct train *t, struct chan_pack *p, size_t size, const struct wf_path *path)
{
    struct wf_chan *c = t->c;
    uint64_t window_packets = window_of(c) / wf_mtu_size(&c->mtu);
    weft_err err = wf_sent_reserve(&c->sent);

    if (err != WEFT_OK) {
        c->retry_at = err == WEFT_ERR_NOMEM ? t->now + CHAN_RETRY_US : c->retry_at;
        return false;
    }
    t->number = wf_sent_number(&c->sent, c->config.rng, window_packets);
    size_t width = wf_window_width(t->number, c->sent.has_acked ? c->sent.newest_acked : 0);
    uint8_t *at = t->buf + t->len;
    t->header_len =
        wf_packet_put_header(at, wf_keys_first_byte(c->keys), chan_cid_tx(c), t->number, width);
    *p = (struct chan_pack){.c = c, .now = t->now, .to = &path->remote};
    t->is_aside = path != wf_paths_active(&c->paths);
    p->w = wf_writer_of(at + t->header_len, size - t->header_len - WF_PACKET_TAG);
    return true;
}

/* Recorded, and told to those who count what is in flight. */
static void record_packet(struct train *t, const struct chan_pack *p, size_t len, uint8_t flags)
{
    struct wf_chan *c = t->c;
    struct wf_sent_packet record = {
        .at = t->now, .frames = p->frames, .bytes = (uint32_t)len, .flags = flags};

    if ((flags & WF_SENT_IN_FLIGHT) != 0)
        record.rate = wf_pipe_on_sent(&c->pipe, wf_sent_class(flags), t->now, len);
    wf_sent_put(&c->sent, &record);
}

/* Ends it: recorded, and ready to be sealed. pad: fill it up. False: there is nothing in it. */
static bool finish(struct train *t, struct chan_pack *p, bool pad, uint8_t flags)
{
    struct wf_chan *c = t->c;
    /* A probe that is larger than the window would hold everything up until it is known to be lost.
     * SPEC 4.2-2. What goes aside may go to somebody who copied a packet: its loss tells nothing,
     * and nothing waits for its ack. SPEC 4.4-6 */
    bool counts = (flags & WF_SENT_MTU_PROBE) == 0 && !t->is_aside;

    if (p->is_out_of_memory)
        c->retry_at = t->now + CHAN_RETRY_US;
    if (p->w.len == 0)
        return false;
    pad = pad && wf_writer_left(&p->w) > 0;
    if (pad)
        wf_write_zeros(&p->w, wf_writer_left(&p->w));
    if (t->header_len + p->w.len + WF_PACKET_TAG < SMALL_LEN)
        wf_write_zeros(&p->w, SMALL_LEN - WF_PACKET_TAG - t->header_len - p->w.len);
    size_t len = t->header_len + p->w.len + WF_PACKET_TAG;
    flags |= p->needs_ack && !t->is_aside ? WF_SENT_NEEDS_ACK : 0;
    flags |= counts && (p->needs_ack || pad) ? WF_SENT_IN_FLIGHT : 0;
    flags |= t->mark != WF_ECN_NOT_ECT ? WF_SENT_ECT : 0;

    record_packet(t, p, len, flags);
    wf_ecn_on_sent(&c->ecn, t->mark);
    t->seals[t->count++] = (struct wf_seal){t->buf + t->len, t->header_len, p->w.len, t->number};
    t->len += len;
    c->stats.packets_sent++;
    c->stats.bytes_sent += len;
    wf_trace(c->config.trace, t->now, WF_TRACE_PACKET_SENT, t->number, len);
    return true;
}

/* Seals what was built; false when that was nothing. */
static bool depart(struct train *t, struct wf_path *path, struct wf_send *out)
{
    if (t->count == 0)
        return false;
    size_t segment = t->count > 1 ? (size_t)(t->seals[1].buf - t->seals[0].buf) : 0;

    wf_keys_seal(t->c->keys, t->c->config.aead, t->seals, t->count);
    chan_tags_note(t->c, t->seals, t->count);
    *out = (struct wf_send){
        .to = path->remote, .from = path->local, .ecn = t->mark, .len = t->len, .segment = segment};
    wf_path_on_sent(path, t->len);
    return true;
}

static bool send_close(struct train *t, struct wf_send *out)
{
    struct wf_chan *c = t->c;
    struct wf_path *path = wf_paths_active(&c->paths);
    struct wf_frame f = {.type = WF_FRAME_CLOSE};
    struct chan_pack p;

    if (!c->close.is_due || !begin(t, &p, WF_MTU_BASE, path))
        return false;
    f.u.error.code = c->close.code;
    f.u.error.text = (weft_span){c->close.text, c->close.text_len};
    /* What arrived last is acknowledged with it, or the peer would never know that it did. */
    size_t room = wf_frame_len(&f);
    p.w.cap -= room;
    chan_pack_ack(&p);
    p.w.cap += room;
    (void)chan_pack_put(&p, &f, NULL);
    c->close.is_due = false;
    c->close.next_at = t->now + wf_pto_base_us(&c->rtt);
    return finish(t, &p, false, 0) && depart(t, path, out);
}

/* Bytes of a packet to a path that may not be proved. */
static size_t small_room(const struct wf_path *path)
{
    uint64_t room = wf_path_room(path);

    return room < WF_MTU_BASE ? (size_t)room : WF_MTU_BASE;
}

/* An ACK for a place that is not proved: the path in use gets another one. SPEC 4.4-6 */
static void copy_ack(struct chan_pack *p)
{
    struct wf_chan *c = p->c;

    chan_pack_ack(p);
    if (!p->has_ack)
        return;
    c->ack_is_copied = true;
    wf_acks_again(&c->acks);
}

/* SPEC 4.4-2 */
static bool send_challenge(struct train *t, struct wf_send *out)
{
    struct wf_chan *c = t->c;
    struct wf_path *path = wf_paths_challenge(&c->paths, t->now, SMALL_LEN);
    struct wf_frame f = {.type = WF_FRAME_PATH_CHALLENGE};
    struct chan_pack p;

    if (path == NULL || !begin(t, &p, small_room(path), path))
        return false;
    for (size_t i = 0; i < WF_PATH_TOKEN_LEN; i++)
        f.u.token[i] = path->token[i];
    (void)chan_pack_put(&p, &f, NULL);
    if (path == wf_paths_leader(&c->paths))
        copy_ack(&p);
    wf_paths_on_challenge(path, t->now, wf_pto_base_us(&c->rtt));
    return finish(t, &p, false, 0) && depart(t, path, out);
}

/* What is due to be acknowledged, to where the peer probably is now. SPEC 4.4-6 */
static bool send_copied_ack(struct train *t, struct wf_send *out)
{
    struct wf_chan *c = t->c;
    struct wf_path *path = wf_paths_leader(&c->paths);
    struct chan_pack p;

    if (path == NULL || c->ack_is_copied || !wf_acks_is_due(&c->acks, t->now))
        return false;
    if (small_room(path) < SMALL_LEN || !begin(t, &p, small_room(path), path))
        return false;
    copy_ack(&p);
    return finish(t, &p, false, 0) && depart(t, path, out);
}

/* An answer to a challenge, on the path on which that came. */
static bool send_answer(struct train *t, struct wf_send *out)
{
    struct wf_chan *c = t->c;
    const struct wf_addr *to = NULL;
    uint64_t id = 0;
    const struct wf_frame *f = chan_note_answer(c, &to, &id);
    struct wf_path *path = f == NULL ? NULL : wf_paths_find(&c->paths, to);
    struct chan_pack p;

    if (path == NULL || small_room(path) < SMALL_LEN || !begin(t, &p, SMALL_LEN, path))
        return false;
    if (!chan_pack_put(&p, f, NULL))
        return false;
    chan_note_sent(c, id);
    return finish(t, &p, false, 0) && depart(t, path, out);
}

static bool has_room(const struct wf_chan *c)
{
    for (enum wf_class k = WF_CLASS_MAIN; k < WF_CLASSES; k++) {
        const struct wf_pipe_lane *lane = wf_pipe_lane(&c->pipe, k);

        if (lane == NULL || (lane->is_used && wf_cc_room(&lane->cc, lane->in_flight) == 0))
            return false;
    }
    return true;
}

/* Only a sender that fills its packets gains by larger ones. */
static bool send_mtu_probe(struct train *t, struct wf_send *out)
{
    struct wf_chan *c = t->c;
    struct wf_path *path = wf_paths_active(&c->paths);
    struct wf_frame f = {.type = WF_FRAME_PING};
    struct chan_pack p;

    if (!c->was_full || !c->sent.has_acked || !has_room(c))
        return false;
    uint64_t size = wf_mtu_probe(&c->mtu, t->now);
    if (size == 0 || size > t->cap || !begin(t, &p, (size_t)size, path))
        return false;
    (void)chan_pack_put(&p, &f, NULL);
    wf_mtu_on_probe_sent(&c->mtu, size);
    c->mtu_probe_number = t->number;
    if (!finish(t, &p, true, WF_SENT_MTU_PROBE) || !depart(t, path, out))
        return false;
    out->probe = true;
    return true;
}

/* Full datagrams of each class that may go now. */
struct budget {
    uint64_t packets[WF_CLASSES];
};

/* A probe goes with what the session is about, and asks nobody. */
static struct budget budget_of_probe(struct wf_chan *c)
{
    bool is_main = c->asks_only || chan_pack_has_main(c) || !chan_pack_has_background(c);

    return (struct budget){{is_main ? 1 : 0, is_main ? 0 : 1}};
}

static struct budget budget_of(struct wf_chan *c, weft_time now)
{
    size_t size = wf_mtu_size(&c->mtu);
    struct budget b = {{0}};

    if (c->probes > 0)
        return budget_of_probe(c);
    if (c->is_muted && c->sent.need_ack > 0) /* else no probe would ever go */
        return b;
    bool has_main = chan_pack_has_main(c);
    bool has_background = chan_pack_has_background(c);
    if ((has_main || has_background || c->must_send) && !chan_pipe_join(c, now))
        return b;
    wf_pipe_want(&c->pipe, WF_CLASS_MAIN, has_main);
    wf_pipe_want(&c->pipe, WF_CLASS_BACKGROUND, has_background);
    if (has_background)
        b.packets[WF_CLASS_BACKGROUND] =
            wf_pipe_budget(&c->pipe, WF_CLASS_BACKGROUND, now, size, &c->wait_at);
    if (has_main || (c->must_send && b.packets[WF_CLASS_BACKGROUND] == 0))
        b.packets[WF_CLASS_MAIN] = wf_pipe_budget(&c->pipe, WF_CLASS_MAIN, now, size, &c->wait_at);
    return b;
}

/* Whose packet goes next. What background may send while others wait goes before these, or it would
 * never go; only what is urgent is not made to wait. */
static enum wf_class class_of_next(struct wf_chan *c, const struct budget *b)
{
    if (b->packets[WF_CLASS_BACKGROUND] == 0 || !chan_pack_has_background(c))
        return WF_CLASS_MAIN;
    if (b->packets[WF_CLASS_MAIN] > 0 && wf_schedule_has_urgent(&c->schedule))
        return WF_CLASS_MAIN;
    return WF_CLASS_BACKGROUND;
}

/* One more packet of a train. False: it was the last. */
static bool add_packet(struct train *t, const struct wf_path *path, struct budget *b)
{
    struct wf_chan *c = t->c;
    size_t size = wf_mtu_size(&c->mtu);
    size_t cap = t->cap < WF_DATAGRAM_BYTES_MAX ? t->cap : WF_DATAGRAM_BYTES_MAX;
    enum wf_class class = class_of_next(c, b);
    bool is_background = class == WF_CLASS_BACKGROUND;
    struct chan_pack p;

    if (!begin(t, &p, size, path))
        return false;
    p.messages = is_background ? CHAN_PACK_BACKGROUND : CHAN_PACK_MAIN;
    p.may_data = b->packets[class] > 0;
    chan_pack_fill(&p);
    b->packets[class] -= p.may_data ? 1 : 0;
    c->was_full = c->was_full || p.is_full;
    bool has_budget = b->packets[WF_CLASS_MAIN] > 0 || b->packets[WF_CLASS_BACKGROUND] > 0;
    bool more = p.is_full && has_budget && t->carrier->has_trains &&
                t->count + 1 < WF_DATAGRAM_SEGMENTS_MAX && cap - t->len >= 2 * size;
    return finish(t, &p, more, is_background && p.needs_ack ? WF_SENT_BACKGROUND : 0) && more;
}

static bool send_train(struct train *t, struct wf_send *out)
{
    struct wf_chan *c = t->c;
    struct wf_path *path = wf_paths_active(&c->paths);
    bool ack_is_due = wf_acks_is_due(&c->acks, t->now);

    if (ack_is_due || c->must_send || chan_pack_has_main(c) || chan_pack_has_background(c))
        chan_keys_maybe_change(c, t->now);
    struct budget b = budget_of(c, t->now);
    bool may_data = b.packets[WF_CLASS_MAIN] > 0 || b.packets[WF_CLASS_BACKGROUND] > 0;

    if (!may_data && !ack_is_due)
        return false;
    /* An ACK alone goes unmarked: a path that drops it would show that to nobody. */
    t->mark = may_data && t->carrier->has_ecn ? wf_ecn_mark(&c->ecn) : WF_ECN_NOT_ECT;
    c->ack_is_copied = false;
    c->was_full = false;
    while (add_packet(t, path, &b))
        continue;
    if (t->count > 0 && may_data) {
        c->probes = 0;
        c->asks_only = false;
    }
    return depart(t, path, out);
}

/* The round trip in which credit that is used up makes its window grow; 0: never, memory is short.
 * SPEC 4.3-11 */
uint64_t chan_credit_rtt(const struct wf_chan *c)
{
    return c->rtt.has_sample && wf_mem_is_easy(c->mem) ? wf_rtt_smoothed(&c->rtt) : 0;
}

/* What the application consumed may be worth a CREDIT. SPEC 4.3-2 */
static void grant(struct wf_chan *c, weft_time now)
{
    uint64_t window = c->config.params.message_count;
    uint64_t limit = window + c->rx.messages_finished;

    if (!c->rx.is_dirty)
        return;
    c->rx.is_dirty = false;
    if (wf_flow_in_grant(&c->rx.node, now, chan_credit_rtt(c)))
        c->rx.node_once = WF_ONCE_WANTED;
    if (limit > WF_FRAME_NUMBER_MAX)
        limit = WF_FRAME_NUMBER_MAX;
    if (limit > c->rx.count_limit && limit - c->rx.count_limit >= (window + 3) / 4) {
        c->rx.count_limit = limit;
        c->rx.count_once = WF_ONCE_WANTED;
    }
}

bool wf_chan_send(struct wf_chan *c, weft_time now, uint8_t *buf, size_t cap, struct wf_send *out)
{
    struct train t;

    chan_wake(c, now);
    c->wait_at = WEFT_TIME_NEVER;
    c->retry_at = WEFT_TIME_NEVER;
    if (c->keys == NULL || c->state == CHAN_CLOSED || c->state == CHAN_NEW)
        return false;
    WEFT_ASSERT(cap >= WF_DATAGRAM_BYTES_MAX);
    t.c = c;
    t.now = now;
    t.buf = buf;
    t.cap = cap;
    t.len = 0;
    t.mark = WF_ECN_NOT_ECT;
    t.is_aside = false;
    t.carrier = wf_carrier_of(&wf_paths_active(&c->paths)->remote);
    t.count = 0;
    c->tried_at = now;
    chan_look_busy(c, now);
    if (c->sent.next >= WF_KEYS_PACKETS_MAX - 2 * NUMBERS_RESERVE) /* SPEC 2.5-4 */
        chan_fail(c, now, WEFT_ERR_LIMIT, WF_CODE_LIMIT);
    if (c->state == CHAN_CLOSING)
        return c->sent.next < WF_KEYS_PACKETS_MAX - NUMBERS_RESERVE && send_close(&t, out);
    grant(c, now);
    chan_cids_issue(c);
    bool went = send_challenge(&t, out) || send_answer(&t, out) || send_copied_ack(&t, out) ||
                send_mtu_probe(&t, out) || send_train(&t, out);
    wf_pipe_end_turn(&c->pipe);
    if (!went)
        chan_rest(c, now);
    return went;
}
