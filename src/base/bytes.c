/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.c - see bytes.h. The functions on secrets must never branch on or index by what they are
 * given.
 */
#include "base/bytes.h"

#include <string.h>

/* Read anew at each call, so the compiler cannot know that it is memset and that nobody reads what
 * it stores. */
static void *(*const volatile fill)(void *, int, size_t) = memset;

void wf_wipe(void *ptr, size_t len)
{
    if (len > 0) {
        fill(ptr, 0, len);
    }
}

bool wf_equal_ct(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *pa = (const volatile uint8_t *)a;
    const volatile uint8_t *pb = (const volatile uint8_t *)b;
    uint8_t differ = 0;

    for (size_t i = 0; i < len; i++) {
        differ = (uint8_t)(differ | (pa[i] ^ pb[i]));
    }
    return differ == 0;
}

bool wf_is_zero_ct(const void *a, size_t len)
{
    const volatile uint8_t *p = (const volatile uint8_t *)a;
    uint8_t any = 0;

    for (size_t i = 0; i < len; i++) {
        any = (uint8_t)(any | p[i]);
    }
    return any == 0;
}

void wf_hex(char *out, const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

int wf_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The whole text is looked at before out is written, so that a refusal leaves out as it was. */
bool wf_unhex(uint8_t *out, size_t len, const char *text)
{
    for (size_t i = 0; i < len; i++) {
        if (wf_hex_digit(text[2 * i]) < 0 || wf_hex_digit(text[2 * i + 1]) < 0)
            return false;
    }
    if (text[2 * len] != '\0')
        return false;
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(wf_hex_digit(text[2 * i]) * 16 + wf_hex_digit(text[2 * i + 1]));
    }
    return true;
}

weft_span wf_span(const void *data, size_t len)
{
    return (weft_span){(const uint8_t *)data, len};
}

weft_span wf_span_of(const char *text)
{
    return (weft_span){(const uint8_t *)text, strlen(text)};
}

bool wf_span_equal(weft_span a, weft_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
