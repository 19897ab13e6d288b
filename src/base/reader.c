/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c - see reader.h. It must never read past the span, and never yield anything but zeros
 * after a failure.
 */
#include "base/reader.h"

#include <string.h>

struct wf_reader wf_reader_of(weft_span in)
{
    return (struct wf_reader){.pos = in.data, .left = in.len};
}

void wf_reader_fail(struct wf_reader *r)
{
    r->failed = true;
    r->left = 0;
}

/* The next len bytes, len > 0, or NULL and a failed reader. */
static const uint8_t *take(struct wf_reader *r, size_t len)
{
    if (r->failed || len > r->left) {
        wf_reader_fail(r);
        return NULL;
    }

    const uint8_t *p = r->pos;

    r->pos += len;
    r->left -= len;
    return p;
}

static uint64_t take_number(struct wf_reader *r, size_t len)
{
    const uint8_t *p = take(r, len);
    uint64_t v = 0;

    if (p == NULL)
        return 0;
    for (size_t i = 0; i < len; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

uint8_t wf_read_u8(struct wf_reader *r)
{
    return (uint8_t)take_number(r, 1);
}

uint16_t wf_read_u16(struct wf_reader *r)
{
    return (uint16_t)take_number(r, 2);
}

uint32_t wf_read_u32(struct wf_reader *r)
{
    return (uint32_t)take_number(r, 4);
}

uint64_t wf_read_u64(struct wf_reader *r)
{
    return take_number(r, 8);
}

/*
 * A leading group of zero is a longer form of something shorter, so it is refused. From the second
 * byte on the value is therefore not zero, and the test for lost high bits also ends the loop after
 * 10 bytes at the latest.
 */
uint64_t wf_read_varint(struct wf_reader *r)
{
    uint8_t byte = wf_read_u8(r);
    uint64_t v = byte & 0x7f;

    if (byte == 0x80) {
        wf_reader_fail(r);
    }
    while (!r->failed && (byte & 0x80) != 0) {
        if (v > UINT64_MAX >> 7) {
            wf_reader_fail(r);
            break;
        }
        byte = wf_read_u8(r);
        v = v << 7 | (byte & 0x7f);
    }
    return r->failed ? 0 : v;
}

static uint64_t within(struct wf_reader *r, uint64_t v, uint64_t min, uint64_t max)
{
    if (v < min || v > max) {
        wf_reader_fail(r);
    }
    return r->failed ? 0 : v;
}

uint8_t wf_read_u8_max(struct wf_reader *r, uint8_t max)
{
    return (uint8_t)within(r, wf_read_u8(r), 0, max);
}

uint64_t wf_read_varint_max(struct wf_reader *r, uint64_t max)
{
    return within(r, wf_read_varint(r), 0, max);
}

size_t wf_read_len8(struct wf_reader *r, size_t min, size_t max)
{
    return (size_t)within(r, wf_read_u8(r), min, max);
}

size_t wf_read_len(struct wf_reader *r, size_t min, size_t max)
{
    return (size_t)within(r, wf_read_varint(r), min, max);
}

weft_span wf_read_span(struct wf_reader *r, size_t len)
{
    if (len == 0)
        return (weft_span){r->failed ? NULL : r->pos, 0};

    const uint8_t *p = take(r, len);

    return p != NULL ? (weft_span){p, len} : (weft_span){NULL, 0};
}

weft_span wf_read_rest(struct wf_reader *r)
{
    return wf_read_span(r, r->left);
}

void wf_read_bytes(struct wf_reader *r, uint8_t *out, size_t len)
{
    if (len == 0)
        return;

    const uint8_t *p = take(r, len);

    if (p != NULL) {
        memcpy(out, p, len);
    } else {
        memset(out, 0, len);
    }
}

bool wf_reader_done(const struct wf_reader *r)
{
    return !r->failed && r->left == 0;
}

bool wf_reader_ok(const struct wf_reader *r)
{
    return !r->failed;
}
