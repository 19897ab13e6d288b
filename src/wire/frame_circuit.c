/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_circuit.c - frames about circuits, which a relay carries for others: CIRCUIT_OPEN, _ACCEPT,
 * _DATA, _CREDIT, _RESET. The middle field of each (credit, limit or code) is the struct's value.
 */
#include "base/assert.h"
#include "wire/frame_part.h"

#define TARGET_LEN_MAX 255

void wf_part_get_circuit_open(struct wf_reader *r, struct wf_frame *f)
{
    f->u.circuit.circuit = wf_part_get_number(r);
    (void)wf_read_u8_max(r, 0); /* flags, of which there are none yet */
    f->u.circuit.value = wf_part_get_amount(r);
    f->u.circuit.data = wf_read_span(r, wf_read_len8(r, 1, TARGET_LEN_MAX));
}

void wf_part_put_circuit_open(struct wf_writer *w, const struct wf_frame *f)
{
    WEFT_ASSERT(f->u.circuit.data.len >= 1);
    WEFT_ASSERT(f->u.circuit.data.len <= TARGET_LEN_MAX);
    wf_write_varint(w, f->u.circuit.circuit);
    wf_write_u8(w, 0);
    wf_write_varint(w, f->u.circuit.value);
    wf_write_u8(w, (uint8_t)f->u.circuit.data.len);
}

void wf_part_get_circuit_value(struct wf_reader *r, struct wf_frame *f)
{
    f->u.circuit.circuit = wf_part_get_number(r);
    f->u.circuit.value = wf_part_get_amount(r);
}

void wf_part_put_circuit_value(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.circuit.circuit);
    wf_write_varint(w, f->u.circuit.value);
}

void wf_part_get_circuit_data(struct wf_reader *r, struct wf_frame *f)
{
    f->u.circuit.circuit = wf_part_get_number(r);
    f->u.circuit.data = wf_read_span(r, wf_read_len(r, 0, SIZE_MAX));
}

void wf_part_put_circuit_data(struct wf_writer *w, const struct wf_frame *f)
{
    wf_write_varint(w, f->u.circuit.circuit);
    wf_write_varint(w, f->u.circuit.data.len);
}
