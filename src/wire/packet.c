/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.c - see packet.h.
 *
 *   offset  size  field
 *        0     1  first byte
 *        1     8  connection id
 *        9  1..9  window number: seven bits a byte, high bit set in all but the last, leading zeros
 * kept 9+w     m  sealed frames end-16    16  tag
 */
#include "wire/packet.h"

#include <string.h>

#include "base/assert.h"

#define BITS_A_BYTE 7u
/* How many times what is in flight fits into half of the window. */
#define WINDOW_MARGIN 4u

/* Half of the window that so many bytes span: 2^(k-1). */
static uint64_t half_of(size_t width)
{
    return 1ull << (BITS_A_BYTE * width - 1);
}

/* SPEC 2.2-1: the smallest k = 7, 14, ..., 63 for which 2^(k-1) >= 4 x (n + 1 - acked). No session
 * reaches numbers for which 63 bits are too few (spec 2.5-4). */
size_t wf_window_width(uint64_t n, uint64_t acked)
{
    WEFT_ASSERT(acked <= n);
    const uint64_t flight = n - acked;
    size_t width = 1;

    while (width < WF_WINDOW_BYTES_MAX && flight >= half_of(width) / WINDOW_MARGIN) {
        width++;
    }
    return width;
}

void wf_window_put(uint8_t *out, uint64_t n, size_t width)
{
    WEFT_ASSERT(width >= 1);
    WEFT_ASSERT(width <= WF_WINDOW_BYTES_MAX);
    out[width - 1] = (uint8_t)(n & 0x7f);
    for (size_t i = width - 1; i > 0; i--) {
        n >>= BITS_A_BYTE;
        out[i - 1] = (uint8_t)(0x80 | (n & 0x7f));
    }
}

/* SPEC 2.2-3: a tenth byte is never looked at. */
size_t wf_window_get(const uint8_t *in, size_t len, uint64_t *w)
{
    uint64_t v = 0;

    for (size_t i = 0; i < len && i < WF_WINDOW_BYTES_MAX; i++) {
        v = v << BITS_A_BYTE | (in[i] & 0x7f);
        if ((in[i] & 0x80) == 0) {
            *w = v;
            return i + 1;
        }
    }
    return 0;
}

/* SPEC 2.2-2: the only number with these low bits in the window that begins half of it below
 * `highest`. */
uint64_t wf_window_decode(uint64_t w, size_t width, uint64_t highest)
{
    WEFT_ASSERT(width >= 1);
    WEFT_ASSERT(width <= WF_WINDOW_BYTES_MAX);
    const uint64_t half = half_of(width);
    const uint64_t base = highest > half ? highest - half : 0;

    return ((w - base) & (2 * half - 1)) + base;
}

size_t wf_packet_put_header(uint8_t *out, uint8_t first, const uint8_t cid[8], uint64_t n,
                            size_t width)
{
    out[0] = first;
    memcpy(out + 1, cid, 8);
    wf_window_put(out + 9, n, width);
    return 9 + width;
}

bool wf_packet_peek(weft_span packet, const uint8_t **cid, const uint8_t **tag)
{
    if (packet.len < WF_PACKET_MIN) /* SPEC 2.1-4 */
        return false;
    if ((packet.data[0] & WF_PACKET_FIXED_BIT) == 0)
        return false;
    *cid = packet.data + 1;
    *tag = packet.data + packet.len - WF_PACKET_TAG;
    return true;
}
