/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_pack.c - frames into one packet: an ACK, control, credit, then datagrams and messages by the
 * schedule. Every frame leaves a record of itself, so that its fate finds it. Must never write a
 * frame that does not fit as a whole.
 */
#include "base/assert.h"
#include "transport/chan_priv.h"

/* Writes a frame and its record (NULL: it needs none). False: no room, or no memory for the record.
 */
bool chan_pack_put(struct chan_pack *p, const struct wf_frame *f, const struct wf_sent_frame *s)
{
    if (wf_frame_len(f) > wf_writer_left(&p->w)) {
        p->is_full = true;
        return false;
    }
    if (s != NULL && wf_sent_frame_add(&p->c->sent, &p->frames, s) != WEFT_OK) {
        p->is_out_of_memory = true;
        p->is_full = true;
        return false;
    }
    wf_frame_put(&p->w, f);
    p->needs_ack = p->needs_ack || wf_frame_needs_ack(f->type);
    return true;
}

void chan_pack_ack(struct chan_pack *p)
{
    struct wf_acks_told told;

    if (!wf_acks_is_waiting(&p->c->acks) || !wf_acks_put(&p->c->acks, p->now, &p->w, &told))
        return;
    struct wf_sent_frame s = {
        .type = WF_FRAME_ACK, .number = told.newest, .value = told.floor, .len = told.id};
    /* Without its record it is an ACK that nobody will confirm, which is harmless. */
    if (wf_sent_frame_add(&p->c->sent, &p->frames, &s) != WEFT_OK)
        p->is_out_of_memory = true;
    p->has_ack = true;
}

/* --- control --- */

static void pack_rekey(struct chan_pack *p)
{
    struct chan_rekey *k = &p->c->rekey;
    struct wf_frame f = {.type = WF_FRAME_REKEY};
    struct wf_sent_frame s = {.type = WF_FRAME_REKEY, .number = k->generation};

    if (k->once != WF_ONCE_WANTED)
        return;
    f.u.rekey.generation = k->generation;
    for (size_t i = 0; i < sizeof f.u.rekey.key; i++)
        f.u.rekey.key[i] = k->key[i];
    if (chan_pack_put(p, &f, &s))
        k->once = WF_ONCE_FLYING;
}

static void pack_ping(struct chan_pack *p)
{
    struct wf_frame f = {.type = WF_FRAME_PING};
    struct wf_sent_frame s = {.type = WF_FRAME_PING, .flags = 1, .value = p->now};

    if (p->c->pong_once == WF_ONCE_WANTED && chan_pack_put(p, &f, &s))
        p->c->pong_once = WF_ONCE_FLYING;
}

void chan_pack_notes(struct chan_pack *p)
{
    uint64_t id = 0;
    const struct wf_frame *f = chan_note_first(p->c, p->to, &id);

    while (f != NULL) {
        struct wf_sent_frame s = {.type = f->type, .number = id};
        if (!chan_pack_put(p, f, &s))
            return;
        chan_note_sent(p->c, id);
        f = chan_note_first(p->c, p->to, &id);
    }
}

static bool pack_credit(struct chan_pack *p, uint8_t scope, uint64_t number, uint64_t limit)
{
    struct wf_frame f = {.type = WF_FRAME_CREDIT};
    struct wf_sent_frame s = {
        .type = WF_FRAME_CREDIT, .flags = scope, .number = number, .value = limit};

    f.u.credit.scope = scope;
    f.u.credit.number = number;
    f.u.credit.limit = limit;
    return chan_pack_put(p, &f, &s);
}

static void pack_credits(struct chan_pack *p)
{
    struct chan_rx *rx = &p->c->rx;

    if (rx->node_once == WF_ONCE_WANTED && pack_credit(p, WF_CREDIT_NODE, 0, rx->node.limit))
        rx->node_once = WF_ONCE_FLYING;
    if (rx->count_once == WF_ONCE_WANTED && pack_credit(p, WF_CREDIT_COUNT, 0, rx->count_limit))
        rx->count_once = WF_ONCE_FLYING;
}

static bool pack_stop(struct chan_pack *p, struct wf_message_in *m)
{
    struct wf_frame f = {.type = WF_FRAME_STOP};
    struct wf_sent_frame s = {.type = WF_FRAME_STOP, .number = m->link.number, .value = m->code};

    f.u.cancel.number = m->link.number;
    f.u.cancel.code = m->code;
    return chan_pack_put(p, &f, &s);
}

/* STOP and CREDIT of incoming messages. */
static void pack_chores(struct chan_pack *p)
{
    while (p->c->chores.first != NULL) {
        struct wf_message_in *m = WF_CONTAINER_OF(p->c->chores.first, struct wf_message_in, chores);
        if (m->stop_once == WF_ONCE_WANTED) {
            if (!pack_stop(p, m))
                return;
            m->stop_once = WF_ONCE_FLYING;
        } else if (m->credit_once == WF_ONCE_WANTED && !m->is_stopped) {
            if (wf_message_in_limit(m) > m->credit)
                wf_message_in_grow(m, p->now, chan_credit_rtt(p->c), p->c->rx.node.window_max);
            uint64_t limit = wf_message_in_limit(m);
            limit = limit > m->credit ? limit : m->credit;
            if (!pack_credit(p, WF_CREDIT_MESSAGE, m->link.number, limit))
                return;
            m->credit = limit;
            m->credit_once = WF_ONCE_FLYING;
        }
        wf_list_remove(&m->chores);
    }
}

/* --- data --- */

static void pack_datagrams(struct chan_pack *p)
{
    struct wf_frame f = {.type = WF_FRAME_DATAGRAM};

    while (p->c->datagrams.first != NULL) {
        f.u.bytes.data = chan_datagram_first(p->c);
        /* The path may carry less than when it was queued. */
        bool can_fit = wf_frame_len(&f) <= p->w.cap;
        if (can_fit && !chan_pack_put(p, &f, NULL))
            return;
        chan_datagram_sent(p->c);
    }
}

static bool pack_cancel(struct chan_pack *p, struct wf_message_out *m)
{
    struct wf_frame f = {.type = WF_FRAME_CANCEL};
    struct wf_sent_frame s = {.type = WF_FRAME_CANCEL, .number = m->link.number, .value = m->code};

    f.u.cancel.number = m->link.number;
    f.u.cancel.code = m->code;
    f.u.cancel.size = m->sent;
    if (!chan_pack_put(p, &f, &s))
        return false;
    m->cancel_once = WF_ONCE_FLYING;
    return true;
}

/* Cuts the piece so that head and bytes fit; without a length on the wire when they fill the
 * packet. */
static bool fit_piece(const struct wf_message_out *m, size_t left, struct wf_out_piece *piece,
                      bool *to_end)
{
    size_t head = 2 + wf_varint_len(m->link.number) + wf_varint_len(piece->offset);
    size_t len = piece->len;

    *to_end = false;
    if (left < head + 1)
        return false;
    if (len >= left - head) {
        *to_end = true;
        len = left - head;
    } else if (len + wf_varint_len(len) > left - head) {
        len = left - head - wf_varint_len(len);
        if (len == 0)
            return false;
    }
    piece->end = piece->end && len == piece->len;
    piece->len = len;
    return true;
}

static void write_piece(struct chan_pack *p, const struct wf_message_out *m,
                        const struct wf_out_piece *piece, bool to_end)
{
    struct wf_frame f = {.type = WF_FRAME_MESSAGE_DATA};

    f.u.data = (struct wf_frame_data){.number = m->link.number,
                                      .offset = piece->offset,
                                      .end = piece->end,
                                      .to_packet_end = to_end,
                                      .data = {NULL, piece->len}};
    wf_frame_put_head(&p->w, &f);
    WEFT_ASSERT(wf_writer_left(&p->w) >= piece->len);
    wf_blocks_read(&m->data, piece->offset, p->w.start + p->w.len, piece->len);
    p->w.len += piece->len;
    p->needs_ack = true;
}

/* One DATA frame. False: nothing more to send, or no room. */
static bool pack_piece(struct chan_pack *p, struct wf_message_out *m, uint8_t open_flag)
{
    struct wf_flow_out *node = &p->c->tx.node;
    size_t left = wf_writer_left(&p->w);
    struct wf_out_piece piece;
    bool to_end = false;

    if (!wf_message_out_piece(m, left + 1, wf_flow_out_room(node), &piece))
        return false;
    if (!fit_piece(m, left, &piece, &to_end)) {
        p->is_full = true;
        return false;
    }
    struct wf_sent_frame s = {.type = WF_FRAME_MESSAGE_DATA,
                              .flags = (uint8_t)(open_flag | (piece.end ? CHAN_DATA_END : 0)),
                              .len = (uint32_t)piece.len,
                              .number = m->link.number,
                              .value = piece.offset};
    if (wf_sent_frame_add(&p->c->sent, &p->frames, &s) != WEFT_OK) {
        p->is_out_of_memory = true;
        p->is_full = true;
        return false;
    }
    write_piece(p, m, &piece, to_end);
    wf_message_out_sent(m, &piece);
    if (piece.is_fresh)
        wf_flow_out_use(node, piece.len);
    return true;
}

/* OPEN, and a record of its own unless the first piece behind it carries it. */
static void pack_open(struct chan_pack *p, struct wf_message_out *m)
{
    struct wf_frame f = {.type = WF_FRAME_MESSAGE_OPEN};
    struct wf_sent_frame s = {.type = WF_FRAME_MESSAGE_OPEN, .number = m->link.number};
    size_t before = p->w.len;

    f.u.open = m->open;
    if (!chan_pack_put(p, &f, NULL))
        return;
    if (!pack_piece(p, m, CHAN_DATA_OPEN) &&
        wf_sent_frame_add(&p->c->sent, &p->frames, &s) != WEFT_OK) {
        p->w.len = before;
        p->is_out_of_memory = true;
        p->is_full = true;
        return;
    }
    m->open_once = WF_ONCE_FLYING;
    m->was_sent = true;
}

static void pack_message(struct chan_pack *p, struct wf_message_out *m)
{
    if (m->is_cancelled) {
        if (m->cancel_once == WF_ONCE_WANTED)
            (void)pack_cancel(p, m);
        return;
    }
    if (m->open_once == WF_ONCE_WANTED)
        pack_open(p, m);
    while (!p->is_full && pack_piece(p, m, 0))
        continue;
}

static struct wf_message_out *next_message(struct chan_pack *p, size_t quantum)
{
    struct wf_turns *turns = &p->c->schedule;

    if (p->messages == CHAN_PACK_ALL)
        return wf_schedule_next(turns, quantum);
    return wf_schedule_next_of(turns, quantum, p->messages == CHAN_PACK_BACKGROUND);
}

void chan_pack_messages(struct chan_pack *p)
{
    struct wf_chan *c = p->c;
    size_t quantum = wf_mtu_size(&c->mtu);
    struct wf_message_out *m = next_message(p, quantum);

    while (m != NULL) {
        size_t before = p->w.len;
        pack_message(p, m);
        chan_out_place(c, m);
        wf_schedule_charge(&c->schedule, m, p->w.len - before, quantum);
        if (p->is_full)
            return;
        WEFT_ASSERT(p->w.len > before || m->queue != WF_QUEUE_READY);
        m = next_message(p, quantum);
    }
}

/* A packet that must be answered has something in it that is. */
static void pack_must(struct chan_pack *p)
{
    struct wf_frame f = {.type = WF_FRAME_PING};
    bool wants = p->c->must_send || (p->has_ack && wf_acks_wants_ping(&p->c->acks));

    if (wants && !p->needs_ack)
        (void)chan_pack_put(p, &f, NULL);
    if (p->needs_ack)
        p->c->must_send = false;
}

static void pack_control(struct chan_pack *p)
{
    pack_rekey(p);
    pack_ping(p);
    chan_pack_notes(p);
    pack_credits(p);
    pack_chores(p);
    if (!p->c->is_asking)
        pack_datagrams(p);
}

/* SPEC 4.2-3 */
void chan_pack_fill(struct chan_pack *p)
{
    chan_pack_ack(p);
    if (!p->may_data)
        return;
    if (p->c->asks_only) {
        pack_must(p);
        return;
    }
    if (p->messages != CHAN_PACK_BACKGROUND)
        pack_control(p);
    if (!p->c->is_asking)
        chan_pack_messages(p);
    pack_must(p);
}

bool chan_pack_has_background(const struct wf_chan *c)
{
    return !c->is_asking && wf_schedule_has_ready_of(&c->schedule, true);
}

/* Is there anything else to send, beside an ACK and a packet that must go whatever is in it? */
bool chan_pack_has_main(struct wf_chan *c)
{
    bool has_data = wf_schedule_has_ready_of(&c->schedule, false) || c->datagrams.first != NULL;
    uint64_t id = 0;

    if (c->chores.first != NULL || (has_data && !c->is_asking))
        return true;
    if (c->rx.node_once == WF_ONCE_WANTED || c->rx.count_once == WF_ONCE_WANTED)
        return true;
    if (c->rekey.once == WF_ONCE_WANTED || c->pong_once == WF_ONCE_WANTED)
        return true;
    return chan_note_first(c, &c->paths.items[0].remote, &id) != NULL;
}
