/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.c - one table of all frame types, and the functions that work through it. A new frame type
 * is a row here, a get and a put.
 */
#include "base/assert.h"
#include "wire/frame_part.h"

/* The longest frame without its tail is a MESSAGE_OPEN: type, seven varints, flags, len8 and
 * service. */
#define HEAD_LEN_MAX (1 + 7 * WF_VARINT_MAX + 1 + 1 + WF_SERVICE_MAX)

struct row {
    void (*get)(struct wf_reader *r, struct wf_frame *f);
    void (*put)(struct wf_writer *w, const struct wf_frame *f);
    weft_span (*tail)(const struct wf_frame *f); /* NULL: the frame has none */
    bool is_known, needs_ack;
};

static void get_nothing(struct wf_reader *r, struct wf_frame *f)
{
    (void)r;
    (void)f;
}

static void put_nothing(struct wf_writer *w, const struct wf_frame *f)
{
    (void)w;
    (void)f;
}

static weft_span tail_data(const struct wf_frame *f)
{
    return f->u.data.data;
}

static weft_span tail_bytes(const struct wf_frame *f)
{
    return f->u.bytes.data;
}

static weft_span tail_text(const struct wf_frame *f)
{
    return f->u.error.text;
}

static weft_span tail_circuit(const struct wf_frame *f)
{
    return f->u.circuit.data;
}

/* An ACK is written by wf_ack_put, from ranges. */
/* clang-format off */
static const struct row rows[] = {
    [WF_FRAME_PAD] = {get_nothing, put_nothing, NULL, true, false},
    [WF_FRAME_PING] = {get_nothing, put_nothing, NULL, true, true},
    [WF_FRAME_ACK] = {wf_part_get_ack, NULL, NULL, true, false},
    [WF_FRAME_ACK_ECN] = {wf_part_get_ack, NULL, NULL, true, false},
    [WF_FRAME_MESSAGE_OPEN] = {wf_part_get_open, wf_part_put_open, NULL, true, true},
    [WF_FRAME_MESSAGE_DATA] = {wf_part_get_data, wf_part_put_data, tail_data, true, true},
    [WF_FRAME_CREDIT] = {wf_part_get_credit, wf_part_put_credit, NULL, true, true},
    [WF_FRAME_CANCEL] = {wf_part_get_cancel, wf_part_put_cancel, NULL, true, true},
    [WF_FRAME_STOP] = {wf_part_get_stop, wf_part_put_stop, NULL, true, true},
    [WF_FRAME_DATAGRAM] = {wf_part_get_datagram, wf_part_put_datagram, tail_bytes, true, true},
    [WF_FRAME_PATH_CHALLENGE] = {wf_part_get_token, wf_part_put_token, NULL, true, true},
    [WF_FRAME_PATH_RESPONSE] = {wf_part_get_token, wf_part_put_token, NULL, true, true},
    [WF_FRAME_NEW_ID] = {wf_part_get_new_id, wf_part_put_new_id, NULL, true, true},
    [WF_FRAME_RETIRE_ID] = {wf_part_get_retire_id, wf_part_put_retire_id, NULL, true, true},
    [WF_FRAME_REKEY] = {wf_part_get_rekey, wf_part_put_rekey, NULL, true, true},
    [WF_FRAME_TICKET] = {wf_part_get_ticket, wf_part_put_ticket, tail_bytes, true, true},
    [WF_FRAME_TIME] = {wf_part_get_time, wf_part_put_time, NULL, true, true},
    [WF_FRAME_ERROR] = {wf_part_get_error, wf_part_put_error, tail_text, true, true},
    [WF_FRAME_CLOSE] = {wf_part_get_close, wf_part_put_close, tail_text, true, false},
    [WF_FRAME_CIRCUIT_OPEN] =
        {wf_part_get_circuit_open, wf_part_put_circuit_open, tail_circuit, true, true},
    [WF_FRAME_CIRCUIT_ACCEPT] =
        {wf_part_get_circuit_value, wf_part_put_circuit_value, NULL, true, true},
    [WF_FRAME_CIRCUIT_DATA] =
        {wf_part_get_circuit_data, wf_part_put_circuit_data, tail_circuit, true, true},
    [WF_FRAME_CIRCUIT_CREDIT] =
        {wf_part_get_circuit_value, wf_part_put_circuit_value, NULL, true, true},
    [WF_FRAME_CIRCUIT_RESET] =
        {wf_part_get_circuit_value, wf_part_put_circuit_value, NULL, true, true},
};
/* clang-format on */

/* NULL for a type that the spec does not have. */
static const struct row *row_of(uint8_t type)
{
    if (type >= WF_ARRAY_LEN(rows) || !rows[type].is_known)
        return NULL;
    return &rows[type];
}

uint64_t wf_part_get_number(struct wf_reader *r)
{
    const uint64_t number = wf_read_varint_max(r, WF_FRAME_NUMBER_MAX);

    if (number == 0) {
        wf_reader_fail(r);
    }
    return number;
}

uint64_t wf_part_get_amount(struct wf_reader *r)
{
    return wf_read_varint_max(r, WF_FRAME_NUMBER_MAX);
}

weft_err wf_frame_get(struct wf_reader *r, struct wf_frame *out)
{
    struct wf_frame f = {.type = wf_read_u8(r)};
    const struct row *row = row_of(f.type);

    if (row == NULL) {
        wf_reader_fail(r);
    }
    if (!wf_reader_ok(r))
        return WEFT_ERR_MALFORMED;
    row->get(r, &f);
    if (!wf_reader_ok(r))
        return WEFT_ERR_MALFORMED;

    *out = f;
    return WEFT_OK;
}

/* Everything but the tail, which is returned. */
static weft_span put_head(struct wf_writer *w, const struct wf_frame *f)
{
    const struct row *row = row_of(f->type);

    WEFT_ASSERT(row != NULL);
    WEFT_ASSERT(row->put != NULL);
    wf_write_u8(w, f->type);
    row->put(w, f);
    return row->tail != NULL ? row->tail(f) : (weft_span){NULL, 0};
}

void wf_frame_put(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_span(w, put_head(w, f));
}

void wf_frame_put_head(struct wf_writer *w, const struct wf_frame *f)
{
    (void)put_head(w, f);
}

size_t wf_frame_len(const struct wf_frame *f)
{
    uint8_t head[HEAD_LEN_MAX];
    struct wf_writer w = wf_writer_of(head, sizeof head);
    const weft_span tail = put_head(&w, f);

    WEFT_ASSERT(wf_writer_ok(&w));
    return w.len + tail.len;
}

bool wf_frame_needs_ack(uint8_t type)
{
    const struct row *row = row_of(type);

    return row != NULL && row->needs_ack;
}
