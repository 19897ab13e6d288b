/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - a cursor that fills the caller's buffer. It fails once and stays failed, writing
 * nothing more.
 */
#ifndef WF_BASE_WRITER_H
#define WF_BASE_WRITER_H

#include "base/compiler.h"

struct wf_writer {
    uint8_t *start;
    size_t len; /* written so far */
    size_t cap;
    bool failed;
};

struct wf_writer wf_writer_of(uint8_t *buf, size_t cap);
void wf_write_u8(struct wf_writer *w, uint8_t v);
void wf_write_u16(struct wf_writer *w, uint16_t v);
void wf_write_u32(struct wf_writer *w, uint32_t v);
void wf_write_u64(struct wf_writer *w, uint64_t v);
void wf_write_varint(struct wf_writer *w, uint64_t v);
void wf_write_bytes(struct wf_writer *w, const uint8_t *data, size_t len);
void wf_write_span(struct wf_writer *w, weft_span s);
void wf_write_zeros(struct wf_writer *w, size_t len);

/* Room left, 0 after a failure. */
size_t wf_writer_left(const struct wf_writer *w);
bool wf_writer_ok(const struct wf_writer *w);

/* Bytes of the shortest varint of v: 1..10. */
size_t wf_varint_len(uint64_t v);

#endif
