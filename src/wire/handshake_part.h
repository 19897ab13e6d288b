/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake_part.h - pieces that several handshake packets share. For src/wire alone.
 */
#ifndef WF_WIRE_HANDSHAKE_PART_H
#define WF_WIRE_HANDSHAKE_PART_H

#include "wire/handshake.h"

/* Reads one byte and fails the reader when it is not the type of the packet expected. */
void wf_part_get_type(struct wf_reader *r, uint8_t type);

/* The other way: wf_challenge_head_put. */
void wf_part_get_head(struct wf_reader *r, struct wf_challenge_head *out);

/* A byte of length and well-formed protocol lists of that many bytes. */
weft_span wf_part_get_lists(struct wf_reader *r);
void wf_part_put_lists(struct wf_writer *w, weft_span lists);

/* The rest of the packet. Padding that could hold anything would be a channel past the cookie,
 * which does not cover it. */
void wf_part_get_zeros(struct wf_reader *r);

/* What a put function returns: the length, or 0 when there was no room. */
size_t wf_part_put_len(const struct wf_writer *w);

#endif
