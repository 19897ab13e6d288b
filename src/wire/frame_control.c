/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_control.c - frames about the session itself: DATAGRAM, paths, connection ids, keys,
 * tickets, time, ERROR and CLOSE.
 */
#include "base/assert.h"
#include "wire/frame_part.h"

#define TICKET_LEN_MAX 1024
#define TEXT_LEN_MAX 255

void wf_part_get_datagram(struct wf_reader *r, struct wf_frame *f)
{
    f->u.bytes.data = wf_read_span(r, wf_read_len(r, 0, SIZE_MAX));
}

void wf_part_put_datagram(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.bytes.data.len);
}

void wf_part_get_token(struct wf_reader *r, struct wf_frame *f)
{
    wf_read_bytes(r, f->u.token, sizeof f->u.token);
}

void wf_part_put_token(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_bytes(w, f->u.token, sizeof f->u.token);
}

void wf_part_get_new_id(struct wf_reader *r, struct wf_frame *f)
{
    f->u.new_id.sequence = wf_part_get_amount(r);
    f->u.new_id.retire_below = wf_part_get_amount(r);
    wf_read_bytes(r, f->u.new_id.cid, sizeof f->u.new_id.cid);
}

void wf_part_put_new_id(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.new_id.sequence);
    wf_write_varint(w, f->u.new_id.retire_below);
    wf_write_bytes(w, f->u.new_id.cid, sizeof f->u.new_id.cid);
}

void wf_part_get_retire_id(struct wf_reader *r, struct wf_frame *f)
{
    f->u.new_id.sequence = wf_part_get_amount(r);
}

void wf_part_put_retire_id(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.new_id.sequence);
}

void wf_part_get_rekey(struct wf_reader *r, struct wf_frame *f)
{
    f->u.rekey.generation = wf_part_get_amount(r);
    wf_read_bytes(r, f->u.rekey.key, sizeof f->u.rekey.key);
}

void wf_part_put_rekey(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.rekey.generation);
    wf_write_bytes(w, f->u.rekey.key, sizeof f->u.rekey.key);
}

void wf_part_get_ticket(struct wf_reader *r, struct wf_frame *f)
{
    f->u.bytes.data = wf_read_span(r, wf_read_len(r, 1, TICKET_LEN_MAX));
}

void wf_part_put_ticket(struct wf_writer *w, const struct wf_frame *f)
{
    WEFT_ASSERT(f->u.bytes.data.len >= 1);
    WEFT_ASSERT(f->u.bytes.data.len <= TICKET_LEN_MAX);
    wf_write_varint(w, f->u.bytes.data.len);
}

void wf_part_get_time(struct wf_reader *r, struct wf_frame *f)
{
    f->u.wall_ms = wf_read_u64(r);
}

void wf_part_put_time(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_u64(w, f->u.wall_ms);
}

void wf_part_get_close(struct wf_reader *r, struct wf_frame *f)
{
    f->u.error.code = wf_part_get_amount(r);
    f->u.error.text = wf_read_span(r, wf_read_len8(r, 0, TEXT_LEN_MAX));
}

void wf_part_put_close(struct wf_writer *w, const struct wf_frame *f)
{
    WEFT_ASSERT(f->u.error.text.len <= TEXT_LEN_MAX);
    wf_write_varint(w, f->u.error.code);
    wf_write_u8(w, (uint8_t)f->u.error.text.len);
}

void wf_part_get_error(struct wf_reader *r, struct wf_frame *f)
{
    f->u.error.regards = wf_part_get_amount(r);
    wf_part_get_close(r, f);
}

void wf_part_put_error(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.error.regards);
    wf_part_put_close(w, f);
}
