/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h - small things about bytes: wiping, constant-time comparison, big-endian loads and
 * stores, hex.
 */
#ifndef WF_BASE_BYTES_H
#define WF_BASE_BYTES_H

#include "base/compiler.h"

/* Overwrites a secret in a way the compiler cannot drop. */
void wf_wipe(void *ptr, size_t len);

/* True when equal; the time taken depends on len alone. */
bool wf_equal_ct(const void *a, const void *b, size_t len);

/* True when all bytes are zero; the time taken depends on len alone. */
bool wf_is_zero_ct(const void *a, size_t len);

/* Numbers as they stand on the wire, most significant byte first. */
static inline uint32_t wf_load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t wf_load_u64(const uint8_t *p)
{
    return (uint64_t)wf_load_u32(p) << 32 | wf_load_u32(p + 4);
}

static inline void wf_store_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void wf_store_u64(uint8_t *p, uint64_t v)
{
    wf_store_u32(p, (uint32_t)(v >> 32));
    wf_store_u32(p + 4, (uint32_t)v);
}

/* Lower-case hex and a final NUL; out has 2 * len + 1 bytes. */
void wf_hex(char *out, const uint8_t *data, size_t len);

/* 0..15, or -1 when c is no hex digit. */
int wf_hex_digit(char c);

/* The other way; false when text is not exactly 2 * len hex digits. */
bool wf_unhex(uint8_t *out, size_t len, const char *text);

weft_span wf_span(const void *data, size_t len);
weft_span wf_span_of(const char *text);
bool wf_span_equal(weft_span a, weft_span b);

#endif
