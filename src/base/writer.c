/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c - see writer.h. It must never write past the buffer, nor half of a value.
 */
#include "base/writer.h"

#include <string.h>

struct wf_writer wf_writer_of(uint8_t *buf, size_t cap)
{
    return (struct wf_writer){.start = buf, .cap = cap};
}

/* Room for the next len bytes, len > 0, or NULL and a failed writer. */
static uint8_t *claim(struct wf_writer *w, size_t len)
{
    if (w->failed || len > w->cap - w->len) {
        w->failed = true;
        return NULL;
    }

    uint8_t *p = w->start + w->len;

    w->len += len;
    return p;
}

static void put_number(struct wf_writer *w, uint64_t v, size_t len)
{
    uint8_t *p = claim(w, len);

    if (p == NULL)
        return;
    for (size_t i = len; i > 0; i--) {
        p[i - 1] = (uint8_t)v;
        v >>= 8;
    }
}

void wf_write_u8(struct wf_writer *w, uint8_t v)
{
    put_number(w, v, 1);
}

void wf_write_u16(struct wf_writer *w, uint16_t v)
{
    put_number(w, v, 2);
}

void wf_write_u32(struct wf_writer *w, uint32_t v)
{
    put_number(w, v, 4);
}

void wf_write_u64(struct wf_writer *w, uint64_t v)
{
    put_number(w, v, 8);
}

size_t wf_varint_len(uint64_t v)
{
    size_t len = 1;

    while (v > 0x7f) {
        v >>= 7;
        len++;
    }
    return len;
}

void wf_write_varint(struct wf_writer *w, uint64_t v)
{
    const size_t len = wf_varint_len(v);
    uint8_t *p = claim(w, len);

    if (p == NULL)
        return;
    p[len - 1] = (uint8_t)(v & 0x7f);
    for (size_t i = len - 1; i > 0; i--) {
        v >>= 7;
        p[i - 1] = (uint8_t)(0x80 | (v & 0x7f));
    }
}

void wf_write_bytes(struct wf_writer *w, const uint8_t *data, size_t len)
{
    if (len == 0)
        return;

    uint8_t *p = claim(w, len);

    if (p != NULL) {
        memcpy(p, data, len);
    }
}

void wf_write_span(struct wf_writer *w, weft_span s)
{
    wf_write_bytes(w, s.data, s.len);
}

void wf_write_zeros(struct wf_writer *w, size_t len)
{
    if (len == 0)
        return;

    uint8_t *p = claim(w, len);

    if (p != NULL) {
        memset(p, 0, len);
    }
}

size_t wf_writer_left(const struct wf_writer *w)
{
    return w->failed ? 0 : w->cap - w->len;
}

bool wf_writer_ok(const struct wf_writer *w)
{
    return !w->failed;
}
