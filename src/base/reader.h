/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - a cursor over borrowed bytes. It fails once and stays failed, yielding zeros, so that
 * a parser reads like the format and is tested once, at the end.
 *
 * Integers are big-endian. A varint is base-128, seven bits a byte, high bit "more follows", most
 * significant group first, shortest form only, at most 10 bytes.
 */
#ifndef WF_BASE_READER_H
#define WF_BASE_READER_H

#include "base/compiler.h"

struct wf_reader {
    const uint8_t *pos;
    size_t left;
    bool failed;
};

#define WF_VARINT_MAX 10

struct wf_reader wf_reader_of(weft_span in);
uint8_t wf_read_u8(struct wf_reader *r);
uint16_t wf_read_u16(struct wf_reader *r);
uint32_t wf_read_u32(struct wf_reader *r);
uint64_t wf_read_u64(struct wf_reader *r);
uint64_t wf_read_varint(struct wf_reader *r);

/* As above, but a value above max fails the reader. */
uint8_t wf_read_u8_max(struct wf_reader *r, uint8_t max);
uint64_t wf_read_varint_max(struct wf_reader *r, uint64_t max);

/* A one-byte (or varint) length within min..max. */
size_t wf_read_len8(struct wf_reader *r, size_t min, size_t max);
size_t wf_read_len(struct wf_reader *r, size_t min, size_t max);

/* Borrows the next len bytes; {NULL, 0} when there are fewer. */
weft_span wf_read_span(struct wf_reader *r, size_t len);

/* Everything that is left. */
weft_span wf_read_rest(struct wf_reader *r);

/* Copies the next len bytes to out; zeros when there are fewer. */
void wf_read_bytes(struct wf_reader *r, uint8_t *out, size_t len);

/* Fails the reader from outside, for a rule the format has. */
void wf_reader_fail(struct wf_reader *r);

/* True when nothing failed and nothing is left. */
bool wf_reader_done(const struct wf_reader *r);
bool wf_reader_ok(const struct wf_reader *r);

#endif
