/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_frame.c - what each frame does, as a table. The frames of a packet are first all checked,
 * without changing anything, and then applied: a packet that is malformed closes the session as a
 * whole, and one that cannot be kept is as if it had been lost as a whole.
 */
#include "transport/chan_priv.h"

#define HANDLER(name)                                                          \
    static enum chan_verdict name(struct wf_chan *c, struct chan_incoming *in, \
                                  const struct wf_frame *f)

HANDLER(check_data)
{
    return chan_in_data_check(c, in, &f->u.data);
}

HANDLER(on_nothing)
{
    (void)c;
    (void)in;
    (void)f;
    return CHAN_OK;
}

HANDLER(on_ping)
{
    (void)c;
    (void)f;
    in->is_urgent = true;
    return CHAN_OK;
}

HANDLER(on_unexpected)
{
    (void)c;
    (void)in;
    (void)f;
    return CHAN_PROTOCOL;
}

HANDLER(on_ack)
{
    return chan_on_ack(c, in->now, &f->u.ack);
}

HANDLER(on_open)
{
    return chan_in_open(c, in, &f->u.open);
}

HANDLER(on_data)
{
    c->keep_count = 0;
    return chan_in_data(c, in, &f->u.data);
}

/* A message of ours that exists, existed (NULL), or never did (a broken rule). */
static enum chan_verdict ours(struct wf_chan *c, uint64_t number, struct wf_message_out **out)
{
    *out = NULL;
    if (number >= c->tx.next_message)
        return CHAN_PROTOCOL;
    *out = chan_out_get(c, number);
    return CHAN_OK;
}

HANDLER(on_credit)
{
    struct wf_message_out *m = NULL;
    enum chan_verdict v = CHAN_OK;

    (void)in;
    c->keep_count = 0;
    if (f->u.credit.scope == WF_CREDIT_NODE) {
        if (wf_flow_out_raise(&c->tx.node, f->u.credit.limit))
            wf_schedule_unpark(&c->schedule);
    } else if (f->u.credit.scope == WF_CREDIT_COUNT) {
        if (f->u.credit.limit > c->tx.count_limit)
            c->tx.count_limit = f->u.credit.limit;
        wf_schedule_admit(&c->schedule, c->tx.count_limit);
    } else {
        v = ours(c, f->u.credit.number, &m);
        if (m != NULL)
            chan_out_credit(c, m, f->u.credit.limit);
    }
    return v;
}

HANDLER(on_cancel)
{
    return chan_in_cancel(c, in, f);
}

HANDLER(on_stop)
{
    struct wf_message_out *m = NULL;
    enum chan_verdict v = ours(c, f->u.cancel.number, &m);

    (void)in;
    if (m != NULL)
        chan_out_stop(c, m, f->u.cancel.code);
    return v;
}

HANDLER(on_datagram)
{
    struct wf_chan_event e = {.kind = WF_CHAN_DATAGRAM, .data = f->u.bytes.data};

    (void)in;
    if (!chan_notice(c, &e))
        c->stats.datagrams_dropped++; /* they are not reliable */
    return CHAN_OK;
}

HANDLER(on_challenge)
{
    struct wf_frame answer = *f;

    answer.type = WF_FRAME_PATH_RESPONSE;
    (void)chan_note_put(c, &answer, &in->from);
    chan_path_challenged(c, in, f->u.token);
    return CHAN_OK;
}

HANDLER(on_response)
{
    chan_path_event(c, in->now, wf_paths_on_response(&c->paths, &in->from, f->u.token));
    return CHAN_OK;
}

HANDLER(on_new_id)
{
    (void)in;
    return chan_cid_new(c, f);
}

HANDLER(on_retire_id)
{
    (void)in;
    return chan_cid_retire(c, f->u.new_id.sequence);
}

HANDLER(on_rekey)
{
    return chan_keys_on_rekey(c, in->now, f);
}

HANDLER(on_error)
{
    struct wf_message_out *m = NULL;
    struct wf_chan_event e = {.kind = WF_CHAN_ERROR,
                              .number = f->u.error.regards,
                              .code = f->u.error.code,
                              .data = f->u.error.text};

    (void)in;
    if (e.number != 0 && ours(c, e.number, &m) != CHAN_OK)
        return CHAN_PROTOCOL;
    return chan_notice(c, &e) ? CHAN_OK : CHAN_LOST;
}

HANDLER(on_close)
{
    (void)in;
    chan_end(c, WEFT_ERR_CLOSED, f->u.error.code, f->u.error.text);
    return CHAN_OK;
}

struct row {
    enum chan_verdict (*check)(struct wf_chan *c, struct chan_incoming *in,
                               const struct wf_frame *f);
    enum chan_verdict (*apply)(struct wf_chan *c, struct chan_incoming *in,
                               const struct wf_frame *f);
    bool may_be_early; /* in SOLVE or CONFIRM */
};

/* clang-format off */
static const struct row rows[] = {
    [WF_FRAME_PAD] = {NULL, on_nothing, true},
    [WF_FRAME_PING] = {NULL, on_ping, true},
    [WF_FRAME_ACK] = {NULL, on_ack, false},
    [WF_FRAME_ACK_ECN] = {NULL, on_ack, false},
    [WF_FRAME_MESSAGE_OPEN] = {NULL, on_open, true},
    [WF_FRAME_MESSAGE_DATA] = {check_data, on_data, true},
    [WF_FRAME_CREDIT] = {NULL, on_credit, true},
    [WF_FRAME_CANCEL] = {NULL, on_cancel, true},
    [WF_FRAME_STOP] = {NULL, on_stop, true},
    [WF_FRAME_DATAGRAM] = {NULL, on_datagram, true},
    [WF_FRAME_PATH_CHALLENGE] = {NULL, on_challenge, false},
    [WF_FRAME_PATH_RESPONSE] = {NULL, on_response, false},
    [WF_FRAME_NEW_ID] = {NULL, on_new_id, false},
    [WF_FRAME_RETIRE_ID] = {NULL, on_retire_id, false},
    [WF_FRAME_REKEY] = {NULL, on_rekey, false},
    [WF_FRAME_TICKET] = {NULL, on_nothing, true},
    [WF_FRAME_TIME] = {NULL, on_nothing, true},
    [WF_FRAME_ERROR] = {NULL, on_error, true},
    [WF_FRAME_CLOSE] = {NULL, on_close, true},
    [WF_FRAME_CIRCUIT_OPEN] = {NULL, on_unexpected, false},
    [WF_FRAME_CIRCUIT_ACCEPT] = {NULL, on_unexpected, false},
    [WF_FRAME_CIRCUIT_DATA] = {NULL, on_unexpected, false},
    [WF_FRAME_CIRCUIT_CREDIT] = {NULL, on_unexpected, false},
    [WF_FRAME_CIRCUIT_RESET] = {NULL, on_unexpected, false},
};
/* clang-format on */

enum chan_verdict chan_frames_check(struct wf_chan *c, struct chan_incoming *in, weft_span frames)
{
    struct wf_reader r = wf_reader_of(frames);
    struct wf_frame f;

    while (r.left > 0) {
        if (wf_frame_get(&r, &f) != WEFT_OK)
            return CHAN_PROTOCOL;
        const struct row *row = &rows[f.type];
        if (in->is_early && !row->may_be_early)
            return CHAN_PROTOCOL;
        in->needs_ack = in->needs_ack || wf_frame_needs_ack(f.type);
        enum chan_verdict v = row->check == NULL ? CHAN_OK : row->check(c, in, &f);
        if (v != CHAN_OK)
            return v;
    }
    return CHAN_OK;
}

enum chan_verdict chan_frames_apply(struct wf_chan *c, struct chan_incoming *in, weft_span frames)
{
    struct wf_reader r = wf_reader_of(frames);
    struct wf_frame f;

    while (r.left > 0 && c->state < CHAN_CLOSING) {
        if (wf_frame_get(&r, &f) != WEFT_OK)
            return CHAN_PROTOCOL;
        enum chan_verdict v = rows[f.type].apply(c, in, &f);
        if (v != CHAN_OK)
            return v;
    }
    return CHAN_OK;
}

/* Closes the channel where a frame broke a rule. */
void chan_act_on(struct wf_chan *c, weft_time now, enum chan_verdict v)
{
    if (v == CHAN_PROTOCOL)
        chan_fail(c, now, WEFT_ERR_PROTOCOL, WF_CODE_PROTOCOL);
    if (v == CHAN_LIMIT)
        chan_fail(c, now, WEFT_ERR_PROTOCOL, WF_CODE_LIMIT);
}
