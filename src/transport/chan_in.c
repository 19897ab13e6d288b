/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_in.c - incoming messages of a channel: found or made by number, filled, read, stopped,
 * cancelled and forgotten; and the credit that this gives back. What a peer sends can close the
 * channel or be dropped, never break it.
 *
 * A message counts against the number that may be open until the application has let go of it:
 * consumed to its end and released, its CANCELLED event taken, or stopped and accounted for.
 */
#include "base/assert.h"
#include "transport/chan_priv.h"

static struct wf_message_in *in_get(const struct wf_chan *c, uint64_t number)
{
    struct wf_number *n = wf_numbers_get(&c->in, number);

    return n == NULL ? NULL : WF_CONTAINER_OF(n, struct wf_message_in, link);
}

bool chan_in_is_finished(const struct wf_chan *c, uint64_t number)
{
    return wf_ranges_contains(&c->finished.r, number);
}

/* Room for the number among the finished ones is had before the message is, so that ending it never
 * fails. */
static struct wf_message_in *in_new(struct wf_chan *c, uint64_t number)
{
    if (wf_growset_reserve(&c->finished, c->mem, c->finished.r.count + c->in.count + 1) != WEFT_OK)
        return NULL;

    struct wf_message_in *m = wf_alloc(c->mem, sizeof *m);
    if (m == NULL)
        return NULL;
    wf_message_in_init(m, number, c->config.params.message_credit);
    wf_numbers_put(&c->in, &m->link);
    c->stats.messages_in++;
    return m;
}

void chan_in_free(struct wf_chan *c, struct wf_message_in *m)
{
    wf_list_remove(&m->news);
    wf_list_remove(&m->chores);
    wf_numbers_remove(&c->in, &m->link);
    wf_message_in_deinit(m, &c->blocks);
    wf_free(c->mem, m, sizeof *m);
}

/* Ends the message: its number never comes back. */
static void finish(struct wf_chan *c, struct wf_message_in *m)
{
    uint64_t number = m->link.number;

    wf_flow_in_consume(&c->rx.node, wf_message_in_take_back(m));
    chan_in_free(c, m);

    weft_err err = wf_ranges_add(&c->finished.r, number, number);
    WEFT_ASSERT(err == WEFT_OK); /* in_new made room */
    c->rx.messages_finished++;
    chan_credit_due(c);
}

/* Gives what was consumed back to the node pair and to the message. */
static void give_back(struct wf_chan *c, struct wf_message_in *m)
{
    wf_flow_in_consume(&c->rx.node, wf_message_in_take_back(m));
    if (wf_message_in_wants_credit(m)) {
        m->credit_once = WF_ONCE_WANTED;
        chan_in_chore(c, m);
    }
    chan_credit_due(c);
}

void chan_in_chore(struct wf_chan *c, struct wf_message_in *m)
{
    if (!wf_list_has(&c->chores, &m->chores))
        wf_list_push_back(&c->chores, &m->chores);
}

/* SPEC 4.3-8 */
void wf_chan_show_reading(struct wf_chan *c, uint64_t number)
{
    struct wf_message_in *m = in_get(c, number);

    if (c->state != CHAN_OPEN || m == NULL || m->is_stopped || m->is_cancelled)
        return;
    if (wf_flow_in_grant_any(&c->rx.node))
        c->rx.node_once = WF_ONCE_WANTED;
    if (wf_message_in_limit(m) <= m->credit || m->data.final <= m->credit)
        return;
    m->credit_once = WF_ONCE_WANTED;
    chan_in_chore(c, m);
}

/* Tells the application what there is to see, once until it has looked. */
static void maybe_readable(struct wf_chan *c, struct wf_message_in *m)
{
    if (!m->is_open || m->is_told || m->is_stopped || m->is_cancelled || !wf_message_in_has_more(m))
        return;
    m->is_told = true;
    chan_in_tell(c, m, CHAN_IN_READABLE);
}

/* --- what the peer sends --- */

/* *out is NULL for a finished message. */
static enum chan_verdict find(struct wf_chan *c, const struct chan_incoming *in, uint64_t number,
                              struct wf_message_in **out)
{
    *out = NULL;
    if (number > c->rx.count_limit) { /* SPEC 3.4-1 */
        if (!in->is_early)
            return CHAN_LIMIT;
        /* The sender does not know that it may: it holds back what lies below and was not begun. */
        c->rx.count_limit = number;
        c->rx.count_once = WF_ONCE_WANTED;
    }
    if (chan_in_is_finished(c, number))
        return CHAN_OK;
    *out = in_get(c, number);
    if (*out == NULL)
        *out = in_new(c, number);
    return *out == NULL ? CHAN_LOST : CHAN_OK;
}

enum chan_verdict chan_in_open(struct wf_chan *c, const struct chan_incoming *in,
                               const struct wf_frame_open *f)
{
    struct wf_message_in *m = NULL;
    enum chan_verdict v = CHAN_OK;

    if (f->reply_to >= c->tx.next_message) /* SPEC 3.2-1 */
        return CHAN_PROTOCOL;
    v = find(c, in, f->number, &m);
    if (m == NULL || m->is_open)
        return v;
    if (wf_message_in_open(m, f) != WEFT_OK)
        return CHAN_PROTOCOL;
    if (m->is_stopped)
        return CHAN_OK;
    chan_in_tell(c, m, CHAN_IN_OPENED);
    maybe_readable(c, m);
    return CHAN_OK;
}

/* Raises the sums of highest offsets, within both credits. SPEC 3.4-1, 4.3-1 */
static enum chan_verdict account(struct wf_chan *c, const struct chan_incoming *in,
                                 struct wf_message_in *m, uint64_t to)
{
    uint64_t cost = wf_message_in_cost(m, to);

    if (cost == 0)
        return CHAN_OK;
    /* What came with the handshake was sent before its sender knew our limits. SPEC 3.4-2 */
    if (in->is_early) {
        if (to > m->credit)
            m->credit = to;
        if (cost > c->rx.node.limit - c->rx.node.received)
            c->rx.node.limit = c->rx.node.received + cost;
    }
    if (to > m->credit || cost > c->rx.node.limit - c->rx.node.received)
        return CHAN_LIMIT;
    c->rx.node.received += cost;
    return CHAN_OK;
}

enum chan_verdict chan_in_data(struct wf_chan *c, const struct chan_incoming *in,
                               const struct wf_frame_data *f)
{
    struct wf_piece p = {f->offset, f->data, f->end};
    struct wf_message_in *m = NULL;
    enum chan_verdict v = find(c, in, f->number, &m);

    if (m == NULL || m->is_cancelled)
        return v;
    weft_err err = wf_reassembly_check(&m->data, &p, 0);
    if (err != WEFT_OK)
        return err == WEFT_ERR_PROTOCOL ? CHAN_PROTOCOL : CHAN_LOST;

    uint64_t received = c->rx.node.received;
    v = account(c, in, m, f->offset + f->data.len);
    if (v != CHAN_OK)
        return v;
    if (wf_message_in_put(m, &c->blocks, &p) != WEFT_OK) {
        c->rx.node.received = received;
        return CHAN_LOST;
    }
    if (m->is_stopped) {
        give_back(c, m);
        if (wf_message_in_is_over(m))
            finish(c, m);
        return CHAN_OK;
    }
    maybe_readable(c, m);
    return CHAN_OK;
}

/* Pieces beyond the cap make the packet as if it was lost, before anything changed. Counted are
 * those that touch nothing that is there: one that fills a gap is always welcome, whatever else
 * comes. */
enum chan_verdict chan_in_data_check(struct wf_chan *c, struct chan_incoming *in,
                                     const struct wf_frame_data *f)
{
    struct wf_piece p = {f->offset, f->data, f->end};
    const struct wf_message_in *m = in_get(c, f->number);
    weft_err err = WEFT_OK;

    if (in->apart_number != f->number)
        in->apart = 0;
    in->apart_number = f->number;
    if (m == NULL) {
        in->apart += f->offset > 0;
        return in->apart > WF_REASSEMBLY_RANGES_MAX ? CHAN_LOST : CHAN_OK;
    }
    if (m->is_stopped || m->is_cancelled)
        return CHAN_OK;
    err = wf_reassembly_check(&m->data, &p, in->apart);
    in->apart += wf_reassembly_is_apart(&m->data, &p);
    if (err == WEFT_ERR_PROTOCOL)
        return CHAN_PROTOCOL;
    return err == WEFT_OK ? CHAN_OK : CHAN_LOST;
}

enum chan_verdict chan_in_cancel(struct wf_chan *c, const struct chan_incoming *in,
                                 const struct wf_frame *f)
{
    struct wf_message_in *m = NULL;
    uint64_t size = f->u.cancel.size;
    enum chan_verdict v = find(c, in, f->u.cancel.number, &m);

    if (m == NULL || m->is_cancelled)
        return v;
    if (size < m->data.highest || size > m->data.final) /* SPEC 3.3-1 */
        return CHAN_PROTOCOL;
    if (wf_reassembly_is_whole(&m->data) && m->is_open && !m->is_stopped)
        return CHAN_OK; /* everything is here: it is delivered */
    v = account(c, in, m, size);
    if (v != CHAN_OK)
        return v;
    m->data.highest = size;
    m->is_cancelled = true;
    m->code = f->u.cancel.code;
    wf_message_in_drop(m, &c->blocks);
    give_back(c, m);
    if (!m->is_open || m->is_stopped) {
        finish(c, m); /* the application never saw it, or has let go of it */
        return CHAN_OK;
    }
    m->events &= (uint8_t)~CHAN_IN_READABLE;
    wf_list_remove(&m->chores);
    chan_in_tell(c, m, CHAN_IN_CANCELLED);
    return CHAN_OK;
}

/* --- what the application does --- */

weft_span wf_chan_peek(struct wf_chan *c, uint64_t number, bool *at_end)
{
    struct wf_message_in *m = in_get(c, number);

    *at_end = false;
    if (m == NULL || !m->is_open || m->is_stopped || m->is_cancelled)
        return (weft_span){NULL, 0};
    weft_span s = wf_reassembly_peek(&m->data, at_end);
    if (s.len == 0)
        m->is_told = *at_end; /* nothing follows the end */
    return s;
}

void wf_chan_consume(struct wf_chan *c, uint64_t number, size_t len)
{
    struct wf_message_in *m = in_get(c, number);

    if (m == NULL || !m->is_open || m->is_stopped || m->is_cancelled)
        return;
    if (wf_reassembly_consume(&m->data, &c->blocks, len) > 0)
        m->is_told = wf_reassembly_is_done(&m->data);
    give_back(c, m);
}

bool wf_chan_is_whole(const struct wf_chan *c, uint64_t number)
{
    const struct wf_message_in *m = in_get(c, number);

    return m != NULL && m->is_open && !m->is_stopped && !m->is_cancelled &&
           wf_reassembly_is_whole(&m->data);
}

void wf_chan_stop(struct wf_chan *c, uint64_t number, uint64_t code)
{
    struct wf_message_in *m = in_get(c, number);

    if (m == NULL || m->is_stopped || !m->is_open)
        return;
    if (m->is_cancelled || wf_reassembly_is_whole(&m->data)) {
        m->is_stopped = true; /* whatever was not consumed is given back */
        finish(c, m);
        return;
    }
    m->is_stopped = true;
    m->code = code > WF_FRAME_NUMBER_MAX ? WF_CODE_CANCELLED : code;
    m->events = 0;
    wf_list_remove(&m->news);
    wf_message_in_drop(m, &c->blocks);
    give_back(c, m);
    if (wf_message_in_is_over(m)) {
        finish(c, m);
        return;
    }
    m->stop_once = WF_ONCE_WANTED;
    chan_in_chore(c, m);
}

/* The CANCELLED event was taken. */
void chan_in_let_go(struct wf_chan *c, struct wf_message_in *m)
{
    finish(c, m);
}

void chan_in_fate(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked)
{
    struct wf_message_in *m = in_get(c, f->number);

    if (m == NULL)
        return;
    if (f->type == WF_FRAME_STOP) {
        if (is_acked) {
            m->stop_once = WF_ONCE_ACKED;
        } else if (m->stop_once == WF_ONCE_FLYING) {
            m->stop_once = WF_ONCE_WANTED;
            chan_in_chore(c, m);
        }
        return;
    }
    /* A CREDIT that was overtaken by a higher one needs no second copy. */
    if (is_acked || m->credit_once == WF_ONCE_WANTED || f->value != m->credit)
        return;
    if (m->is_stopped || m->is_cancelled || m->data.highest == m->data.final)
        return;
    m->credit_once = WF_ONCE_WANTED;
    chan_in_chore(c, m);
}
