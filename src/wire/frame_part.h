/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_part.h - the get and put functions of single frame types, which frame.c finds through its
 * table. For src/wire alone.
 *
 * A get reads the fields behind the type byte; what breaks a rule fails the reader. A put writes
 * them, all but the bytes that end the frame (data, text, target): those are the frame's tail,
 * which frame.c appends, so that the length of a frame can be told without copying them.
 */
#ifndef WF_WIRE_FRAME_PART_H
#define WF_WIRE_FRAME_PART_H

#include "wire/frame.h"

/* A number of a message or circuit: 1..2^62. */
uint64_t wf_part_get_number(struct wf_reader *r);
/* An offset, length, limit, code, count: 0..2^62. */
uint64_t wf_part_get_amount(struct wf_reader *r);

void wf_part_get_ack(struct wf_reader *r, struct wf_frame *f);

void wf_part_get_open(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_open(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_data(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_data(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_credit(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_credit(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_cancel(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_cancel(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_stop(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_stop(struct wf_writer *w, const struct wf_frame *f);

void wf_part_get_datagram(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_datagram(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_token(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_token(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_new_id(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_new_id(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_retire_id(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_retire_id(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_rekey(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_rekey(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_ticket(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_ticket(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_time(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_time(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_error(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_error(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_close(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_close(struct wf_writer *w, const struct wf_frame *f);

void wf_part_get_circuit_open(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_circuit_open(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_circuit_value(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_circuit_value(struct wf_writer *w, const struct wf_frame *f);
void wf_part_get_circuit_data(struct wf_reader *r, struct wf_frame *f);
void wf_part_put_circuit_data(struct wf_writer *w, const struct wf_frame *f);

#endif
