/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_out.c - outgoing messages of a channel: opened, written, given up, acknowledged, stopped,
 * and in which queue of the schedule each belongs. Each message ends in exactly one of DELIVERED,
 * STOPPED, the owner's cancel or the channel's end.
 */
#include "base/assert.h"
#include "base/bytes.h"
#include "transport/chan_priv.h"

#define WAKE_BYTES ((uint64_t)1 << 20)
#define SEND_BUFFER_DEFAULT ((size_t)2 << 20)
#define MESSAGES_OUT_DEFAULT 4096u
#define COPY_BYTES 4096u

static struct wf_message_out *out_get(const struct wf_chan *c, uint64_t number)
{
    struct wf_number *n = wf_numbers_get(&c->out, number);

    return n == NULL ? NULL : WF_CONTAINER_OF(n, struct wf_message_out, link);
}

struct wf_message_out *chan_out_get(const struct wf_chan *c, uint64_t number)
{
    return out_get(c, number);
}

void chan_out_free(struct wf_chan *c, struct wf_message_out *m)
{
    wf_schedule_move(&c->schedule, m, WF_QUEUE_NONE);
    wf_list_remove(&m->news);
    wf_numbers_remove(&c->out, &m->link);
    wf_message_out_deinit(m, &c->blocks);
    wf_free(c->mem, m, sizeof *m);
}

/* Counts each time that bytes begin to wait for credit. */
static void note_push_back(struct wf_chan *c, struct wf_message_out *m,
                           enum wf_schedule_queue queue)
{
    bool waits = m->written > m->sent && queue != WF_QUEUE_READY && !m->is_cancelled;

    waits = waits && c->has_peer;
    c->stats.pushed_back += waits && !m->is_pushed_back;
    m->is_pushed_back = waits;
}

/* Puts the message where its work says. Called after everything that changes that. */
void chan_out_place(struct wf_chan *c, struct wf_message_out *m)
{
    enum wf_schedule_queue queue = WF_QUEUE_NONE;
    bool is_unknown = m->open_once == WF_ONCE_WANTED;

    if (wf_message_out_has_due(m)) {
        queue =
            is_unknown && m->link.number > c->tx.count_limit ? WF_QUEUE_WAITING : WF_QUEUE_READY;
    } else if (wf_message_out_has_fresh(m)) {
        queue = wf_flow_out_room(&c->tx.node) > 0 ? WF_QUEUE_READY : WF_QUEUE_PARKED;
    }
    note_push_back(c, m, queue);
    wf_schedule_move(&c->schedule, m, queue);
}

/* A message whose work is done stays until its event was taken; without one it goes at once. */
static void settle(struct wf_chan *c, struct wf_message_out *m)
{
    chan_out_place(c, m);
    if (!wf_message_out_is_done(m))
        return;
    if (!m->is_cancelled)
        chan_out_tell(c, m, CHAN_OUT_DELIVERED);
    if (m->events == 0)
        chan_out_free(c, m);
}

/* What a message may hold: what is sent in four round trips where that is more than the least (a
 * byte that is lost twice is acknowledged in the fourth, and all behind it stays until then). What
 * waits in a queue of our own making is no reason to hold more: round trips count as they were when
 * it was empty. SPEC 4.3-11 */
static uint64_t buffer_of(const struct wf_chan *c, const struct wf_message_out *m)
{
    const enum wf_class class =
        m->open.priority == WF_PRIORITY_BACKGROUND ? WF_CLASS_BACKGROUND : WF_CLASS_MAIN;
    const uint64_t window = wf_pipe_window(&c->pipe, class);
    /* A window is at most 2^30, a round trip below 2^26. */
    const uint64_t wanted = 4 * window * wf_rtt_low(&c->rtt) / wf_rtt_smoothed(&c->rtt);

    if (wanted <= c->send_buffer || !wf_mem_is_easy(c->mem))
        return c->send_buffer;
    return wanted < c->send_buffer_max ? wanted : c->send_buffer_max;
}

/* Room came back: at least a quarter of the buffer or a megabyte, so that a writer is not woken for
 * every packet. */
static void maybe_writable(struct wf_chan *c, struct wf_message_out *m)
{
    const uint64_t held = m->written - m->acked;

    if (!m->wants_room || m->ended || m->is_cancelled)
        return;
    const uint64_t buffer = buffer_of(c, m);
    const uint64_t room = buffer / 4 < WAKE_BYTES ? buffer / 4 : WAKE_BYTES;

    if (held > buffer - room)
        return;
    m->wants_room = false;
    chan_out_tell(c, m, CHAN_OUT_WRITABLE);
}

static void piece_fate(struct wf_chan *c, struct wf_message_out *m, const struct wf_sent_frame *f,
                       bool is_acked)
{
    struct wf_out_piece p = {
        .offset = f->value, .len = f->len, .end = (f->flags & CHAN_DATA_END) != 0};

    if (!is_acked) {
        wf_message_out_lost(m, &c->blocks, &p);
        return;
    }
    wf_message_out_acked(m, &c->blocks, &p);
    maybe_writable(c, m);
}

static bool params_are_valid(const struct wf_message_params *p)
{
    if (p->service.len > WF_SERVICE_MAX || p->priority > WF_PRIORITY_BACKGROUND)
        return false;
    if (p->reply_to > WF_FRAME_NUMBER_MAX || p->regards_to > WF_FRAME_NUMBER_MAX)
        return false;
    return p->lifetime_ms <= WF_FRAME_NUMBER_MAX &&
           (p->open_ended || p->length <= WF_FRAME_NUMBER_MAX);
}

static struct wf_frame_open open_of(const struct wf_message_params *p)
{
    return (struct wf_frame_open){
        .open_ended = p->open_ended,
        .has_service = p->service.len > 0,
        .priority = p->priority,
        .length = p->open_ended ? 0 : p->length,
        .service = p->service,
        .handler = p->service.len > 0 ? 0 : p->handler,
        .reply_to = p->reply_to,
        .regards_to = p->regards_to,
        .lifetime_ms = p->lifetime_ms,
    };
}

weft_err wf_chan_open(struct wf_chan *c, const struct wf_message_params *p, uint64_t *number)
{
    if (c->state >= CHAN_CLOSING)
        return WEFT_ERR_CLOSED;
    if (!params_are_valid(p))
        return WEFT_ERR_USAGE;
    if (c->out.count >= c->messages_out_max || c->tx.next_message > WF_FRAME_NUMBER_MAX)
        return WEFT_ERR_LIMIT;

    struct wf_message_out *m = wf_alloc(c->mem, sizeof *m);
    if (m == NULL)
        return WEFT_ERR_NOMEM;
    struct wf_frame_open open = open_of(p);
    wf_message_out_init(m, c->tx.next_message++, &open);
    m->credit = c->has_peer ? c->peer.message_credit : UINT64_MAX;
    wf_numbers_put(&c->out, &m->link);
    chan_out_place(c, m);
    c->stats.messages_out++;
    *number = m->link.number;
    return WEFT_OK;
}

static struct wf_message_params params_of(const struct wf_frame_open *open)
{
    return (struct wf_message_params){
        .service = open->service,
        .handler = open->handler,
        .reply_to = open->reply_to,
        .regards_to = open->regards_to,
        .lifetime_ms = open->lifetime_ms,
        .priority = open->priority,
        .open_ended = open->open_ended,
        .length = open->length,
    };
}

static weft_err copy_written(struct wf_chan *c, struct wf_message_out *to,
                             const struct wf_message_out *from)
{
    uint8_t buf[COPY_BYTES];

    while (to->written < from->written) {
        uint64_t left = from->written - to->written;
        size_t len = left < sizeof buf ? (size_t)left : sizeof buf;

        wf_blocks_read(&from->data, to->written, buf, len);
        weft_err err = wf_message_out_write(to, &c->blocks, wf_span(buf, len));
        if (err != WEFT_OK)
            return err;
    }
    if (from->ended && !to->ended)
        wf_message_out_end(to);
    return WEFT_OK;
}

bool wf_chan_was_sent(const struct wf_chan *c, uint64_t number)
{
    const struct wf_message_out *m = out_get(c, number);

    return m == NULL || m->was_sent || m->is_cancelled;
}

/* SPEC 1.6-8 */
weft_err wf_chan_adopt(struct wf_chan *c, const struct wf_chan *from, uint64_t number,
                       uint64_t *out)
{
    const struct wf_message_out *old = out_get(from, number);
    uint64_t fresh = 0;

    if (old == NULL || old->was_sent || old->is_cancelled)
        return WEFT_ERR_STATE;
    struct wf_message_params params = params_of(&old->open);
    weft_err err = wf_chan_open(c, &params, &fresh);
    if (err != WEFT_OK)
        return err;
    struct wf_message_out *m = out_get(c, fresh);
    err = copy_written(c, m, old);
    if (err != WEFT_OK) {
        chan_out_free(c, m);
        return err;
    }
    m->wants_room = old->wants_room;
    maybe_writable(c, m);
    chan_out_place(c, m);
    *out = fresh;
    return WEFT_OK;
}

/* What fits into the send buffer. */
static size_t room_of(const struct wf_chan *c, const struct wf_message_out *m)
{
    const uint64_t held = m->written - m->acked;
    const uint64_t buffer = buffer_of(c, m);

    return held >= buffer ? 0 : (size_t)(buffer - held);
}

static weft_err check_write(const struct wf_message_out *m, size_t len, bool end)
{
    if (m->ended && !m->is_cancelled && len == 0)
        return WEFT_OK; /* a declared length that was reached has ended by itself */
    if (m->ended || m->is_cancelled)
        return WEFT_ERR_STATE;
    if (m->open.open_ended)
        return len > WF_FRAME_NUMBER_MAX - m->written ? WEFT_ERR_USAGE : WEFT_OK;
    if (len > m->open.length - m->written || (end && len < m->open.length - m->written))
        return WEFT_ERR_USAGE;
    return WEFT_OK;
}

weft_err wf_chan_write(struct wf_chan *c, uint64_t number, weft_span data, bool end, size_t *taken)
{
    struct wf_message_out *m = out_get(c, number);

    if (c->state >= CHAN_CLOSING)
        return WEFT_ERR_CLOSED;
    if (m == NULL)
        return WEFT_ERR_STATE;
    weft_err err = check_write(m, data.len, end);
    if (err != WEFT_OK)
        return err;

    size_t room = room_of(c, m);
    weft_span now = {data.data, data.len < room ? data.len : room};
    if (now.len > 0 && wf_message_out_write(m, &c->blocks, now) != WEFT_OK) {
        if (m->written == m->acked)
            return WEFT_ERR_NOMEM; /* no acknowledgement will come that could free something */
        now.len = 0;
    }
    if (now.len < data.len) {
        m->wants_room = true;
    } else if (end && !m->ended) {
        wf_message_out_end(m);
    }
    chan_out_place(c, m);
    *taken = now.len;
    return WEFT_OK;
}

void wf_chan_cancel(struct wf_chan *c, uint64_t number, uint64_t code)
{
    struct wf_message_out *m = out_get(c, number);

    if (m == NULL)
        return;
    m->events = 0; /* who gives a message up hears no more of it */
    wf_list_remove(&m->news);
    if (wf_message_out_is_done(m)) {
        chan_out_free(c, m);
        return;
    }
    if (m->is_cancelled)
        return;
    wf_message_out_cancel(m, &c->blocks, code > WF_FRAME_NUMBER_MAX ? WF_CODE_CANCELLED : code);
    chan_out_place(c, m);
}

void chan_out_stop(struct wf_chan *c, struct wf_message_out *m, uint64_t code)
{
    if (m->is_cancelled || wf_message_out_is_done(m))
        return;
    wf_message_out_cancel(m, &c->blocks, code);
    m->events = 0;
    chan_out_tell(c, m, CHAN_OUT_STOPPED);
    chan_out_place(c, m);
}

void chan_out_credit(struct wf_chan *c, struct wf_message_out *m, uint64_t limit)
{
    if (limit <= m->credit)
        return;
    m->credit = limit;
    chan_out_place(c, m);
}

/* The peer's limits became known: what was opened before is held to them from now on. */
void chan_out_learn(struct wf_chan *c)
{
    for (size_t i = 0; i < c->out.room; i++) {
        for (struct wf_number *n = c->out.buckets[i]; n != NULL; n = n->next) {
            struct wf_message_out *m = WF_CONTAINER_OF(n, struct wf_message_out, link);
            m->credit = c->peer.message_credit;
            chan_out_place(c, m);
        }
    }
}

/* What became of a frame about a message: OPEN, DATA (which may carry both) or CANCEL. */
void chan_out_fate(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    struct wf_message_out *m = out_get(c, f->number);
    bool is_data = f->type == WF_FRAME_MESSAGE_DATA;
    bool is_open =
        f->type == WF_FRAME_MESSAGE_OPEN || (is_data && (f->flags & CHAN_DATA_OPEN) != 0);
    uint8_t next = is_acked ? WF_ONCE_ACKED : WF_ONCE_WANTED;

    if (m == NULL)
        return; /* it is over */
    if (f->type == WF_FRAME_CANCEL && m->cancel_once != WF_ONCE_ACKED)
        m->cancel_once = next;
    if (is_open && m->open_once != WF_ONCE_ACKED)
        m->open_once = next;
    if (is_data)
        piece_fate(c, m, f, is_acked);
    settle(c, m);
}
