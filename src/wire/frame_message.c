/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_message.c - frames about messages: MESSAGE_OPEN, MESSAGE_DATA, CREDIT, CANCEL, STOP.
 */
#include "base/assert.h"
#include "wire/frame_part.h"

/*
 * Flags of MESSAGE_OPEN. An optional field that would say "none" is refused: its flag says that.
 *
 *   bit  7    6-5       4         3                2            1        0
 *        0    priority  lifetime  in-regards-to    in-reply-to  service  open-ended
 */
#define OPEN_ENDED 0x01u
#define OPEN_SERVICE 0x02u
#define OPEN_REPLY 0x04u
#define OPEN_REGARDS 0x08u
#define OPEN_LIFETIME 0x10u
#define OPEN_PRIORITY_SHIFT 5
#define OPEN_FLAGS_MAX 0x7fu

/* Flags of MESSAGE_DATA. */
#define DATA_END 0x01u
#define DATA_LENGTH 0x02u
#define DATA_FLAGS_MAX 0x03u

static uint8_t open_flags(const struct wf_frame_open *o)
{
    unsigned flags = (unsigned)o->priority << OPEN_PRIORITY_SHIFT;

    flags |= o->open_ended ? OPEN_ENDED : 0;
    flags |= o->has_service ? OPEN_SERVICE : 0;
    flags |= o->reply_to != 0 ? OPEN_REPLY : 0;
    flags |= o->regards_to != 0 ? OPEN_REGARDS : 0;
    flags |= o->lifetime_ms != 0 ? OPEN_LIFETIME : 0;
    return (uint8_t)flags;
}

static unsigned get_open_flags(struct wf_reader *r, struct wf_frame_open *o)
{
    const unsigned flags = wf_read_u8_max(r, OPEN_FLAGS_MAX);

    o->open_ended = (flags & OPEN_ENDED) != 0;
    o->has_service = (flags & OPEN_SERVICE) != 0;
    o->priority = (uint8_t)(flags >> OPEN_PRIORITY_SHIFT);
    if (o->priority > WF_PRIORITY_BACKGROUND) {
        wf_reader_fail(r);
    }
    return flags;
}

void wf_part_get_open(struct wf_reader *r, struct wf_frame *f)
{
    struct wf_frame_open *o = &f->u.open;

    o->number = wf_part_get_number(r);
    const unsigned flags = get_open_flags(r, o);

    if (!o->open_ended) {
        o->length = wf_part_get_amount(r);
    }
    if (o->has_service) {
        o->service = wf_read_span(r, wf_read_len8(r, 1, WF_SERVICE_MAX));
    } else {
        o->handler = wf_read_varint(r);
    }
    if ((flags & OPEN_REPLY) != 0) {
        o->reply_to = wf_part_get_number(r);
    }
    if ((flags & OPEN_REGARDS) != 0) {
        o->regards_to = wf_part_get_number(r);
    }
    if ((flags & OPEN_LIFETIME) != 0) {
        o->lifetime_ms = wf_part_get_number(r); /* SPEC 3.2-1: at least 1 ms, and so never 0 */
    }
}

void wf_part_put_open(struct wf_writer *w, const struct wf_frame *f)
{
    const struct wf_frame_open *o = &f->u.open;

    WEFT_ASSERT(o->priority <= WF_PRIORITY_BACKGROUND);
    wf_write_varint(w, o->number);
    wf_write_u8(w, open_flags(o));
    if (!o->open_ended) {
        wf_write_varint(w, o->length);
    }
    if (o->has_service) {
        WEFT_ASSERT(o->service.len >= 1);
        WEFT_ASSERT(o->service.len <= WF_SERVICE_MAX);
        wf_write_u8(w, (uint8_t)o->service.len);
        wf_write_span(w, o->service);
    } else {
        wf_write_varint(w, o->handler);
    }
    if (o->reply_to != 0) {
        wf_write_varint(w, o->reply_to);
    }
    if (o->regards_to != 0) {
        wf_write_varint(w, o->regards_to);
    }
    if (o->lifetime_ms != 0) {
        wf_write_varint(w, o->lifetime_ms);
    }
}

void wf_part_get_data(struct wf_reader *r, struct wf_frame *f)
{
    struct wf_frame_data *d = &f->u.data;

    d->number = wf_part_get_number(r);
    const unsigned flags = wf_read_u8_max(r, DATA_FLAGS_MAX);

    d->end = (flags & DATA_END) != 0;
    d->to_packet_end = (flags & DATA_LENGTH) == 0;
    d->offset = wf_part_get_amount(r);
    d->data = d->to_packet_end ? wf_read_rest(r) : wf_read_span(r, wf_read_len(r, 0, SIZE_MAX));
    if (d->data.len > WF_FRAME_NUMBER_MAX - d->offset) {
        wf_reader_fail(r);
    }
}

void wf_part_put_data(struct wf_writer *w, const struct wf_frame *f)
{
    const struct wf_frame_data *d = &f->u.data;

    wf_write_varint(w, d->number);
    wf_write_u8(w, (uint8_t)((d->end ? DATA_END : 0) | (d->to_packet_end ? 0 : DATA_LENGTH)));
    wf_write_varint(w, d->offset);
    if (!d->to_packet_end) {
        wf_write_varint(w, d->data.len);
    }
}

void wf_part_get_credit(struct wf_reader *r, struct wf_frame *f)
{
    f->u.credit.scope = wf_read_u8_max(r, WF_CREDIT_COUNT);
    if (f->u.credit.scope == WF_CREDIT_MESSAGE) {
        f->u.credit.number = wf_part_get_number(r);
    }
    f->u.credit.limit = wf_part_get_amount(r);
}

void wf_part_put_credit(struct wf_writer *w, const struct wf_frame *f)
{
    WEFT_ASSERT(f->u.credit.scope <= WF_CREDIT_COUNT);
    wf_write_u8(w, f->u.credit.scope);
    if (f->u.credit.scope == WF_CREDIT_MESSAGE) {
        wf_write_varint(w, f->u.credit.number);
    }
    wf_write_varint(w, f->u.credit.limit);
}

void wf_part_get_cancel(struct wf_reader *r, struct wf_frame *f)
{
    f->u.cancel.number = wf_part_get_number(r);
    f->u.cancel.code = wf_part_get_amount(r);
    f->u.cancel.size = wf_part_get_amount(r);
}

void wf_part_put_cancel(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.cancel.number);
    wf_write_varint(w, f->u.cancel.code);
    wf_write_varint(w, f->u.cancel.size);
}

void wf_part_get_stop(struct wf_reader *r, struct wf_frame *f)
{
    f->u.cancel.number = wf_part_get_number(r);
    f->u.cancel.code = wf_part_get_amount(r);
}

void wf_part_put_stop(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.cancel.number);
    wf_write_varint(w, f->u.cancel.code);
}
