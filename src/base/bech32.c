/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bech32.c - see bech32.h. One payload must never have two texts, but for upper case: padding bits
 * are zero.
 */
#include "base/bech32.h"

#include <string.h>

#include "base/bytes.h"

#define BECH32M 0x2bc830a3u
#define PREFIX_CHAR_MIN 33
#define PREFIX_CHAR_MAX 126

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* The checksum is a remainder of polynomials over GF(32); this is one step of the division. */
static uint32_t step(uint32_t sum, uint8_t value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
    const uint32_t top = sum >> 25;

    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < WF_ARRAY_LEN(generator); i++) {
        if ((top >> i & 1) != 0) {
            sum ^= generator[i];
        }
    }
    return sum;
}

static uint32_t sum_prefix(const char *prefix, size_t len)
{
    uint32_t sum = 1;

    for (size_t i = 0; i < len; i++) {
        sum = step(sum, (uint8_t)((uint8_t)prefix[i] >> 5));
    }
    sum = step(sum, 0);
    for (size_t i = 0; i < len; i++) {
        sum = step(sum, (uint8_t)((uint8_t)prefix[i] & 31));
    }
    return sum;
}

/* In lower case; false when the text mixes cases or has a character that none of it may be. */
static bool fold(char *out, weft_span text)
{
    bool has_upper = false;
    bool has_lower = false;

    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];

        if (c < PREFIX_CHAR_MIN || c > PREFIX_CHAR_MAX)
            return false;
        has_upper |= c >= 'A' && c <= 'Z';
        has_lower |= c >= 'a' && c <= 'z';
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return !(has_upper && has_lower);
}

/* 0..31, or 32 for a character that is none of them. */
static uint8_t value_of(char c)
{
    uint8_t value = 0;

    while (value < 32 && charset[value] != c) {
        value++;
    }
    return value;
}

/* Length of the prefix: what is before the last '1'; 0 when there is none. */
static size_t prefix_len_of(const char *text, size_t len)
{
    while (len > 0) {
        len--;
        if (text[len] == '1')
            return len;
    }
    return 0;
}

/* Folded text to values and their checksum. */
static weft_err read_values(struct wf_bech32 *out, const char *folded, size_t len)
{
    const size_t prefix_len = prefix_len_of(folded, len);

    if (prefix_len == 0 || prefix_len > WF_BECH32_PREFIX_MAX ||
        len - prefix_len - 1 < WF_BECH32_CHECKSUM_LEN)
        return WEFT_ERR_MALFORMED;

    const size_t count = len - prefix_len - 1 - WF_BECH32_CHECKSUM_LEN;
    uint32_t sum = sum_prefix(folded, prefix_len);

    for (size_t i = 0; i < count + WF_BECH32_CHECKSUM_LEN; i++) {
        const uint8_t value = value_of(folded[prefix_len + 1 + i]);

        if (value > 31)
            return WEFT_ERR_MALFORMED;
        sum = step(sum, value);
        if (i < count) {
            out->values[i] = value;
        }
    }
    if (sum != BECH32M)
        return WEFT_ERR_MALFORMED;
    out->count = count;
    memcpy(out->prefix, folded, prefix_len);
    return WEFT_OK;
}

static weft_err parse(struct wf_bech32 *out, weft_span text, size_t max)
{
    char folded[WF_BECH32_LONG_MAX];
    struct wf_bech32 found = {.count = 0};
    weft_err err = WEFT_ERR_MALFORMED;

    if (text.len <= max && fold(folded, text)) {
        err = read_values(&found, folded, text.len);
    }
    if (err == WEFT_OK) {
        *out = found;
    }
    wf_wipe(folded, sizeof folded);
    wf_wipe(&found, sizeof found);
    return err;
}

weft_err wf_bech32_parse(struct wf_bech32 *out, weft_span text)
{
    return parse(out, text, WF_BECH32_TEXT_MAX);
}

static bool prefix_is_valid(const char *prefix, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = (uint8_t)prefix[i];

        if (c < PREFIX_CHAR_MIN || c > PREFIX_CHAR_MAX || (c >= 'A' && c <= 'Z'))
            return false;
    }
    return len > 0 && len <= WF_BECH32_PREFIX_MAX;
}

/* The n-th group of five bits of payload, with zeros behind its end. */
static uint8_t group_at(weft_span payload, size_t n)
{
    const size_t byte = 5 * n / 8;
    const unsigned low = byte + 1 < payload.len ? payload.data[byte + 1] : 0u;
    const unsigned both = (unsigned)payload.data[byte] << 8 | low;

    return (uint8_t)(both >> (11 - 5 * n % 8) & 31);
}

static weft_err encode(char *out, size_t cap, const char *prefix, weft_span payload)
{
    const size_t prefix_len = strlen(prefix);

    if (!prefix_is_valid(prefix, prefix_len) || payload.len > cap)
        return WEFT_ERR_USAGE;

    const size_t count = (8 * payload.len + 4) / 5;
    const size_t len = prefix_len + 1 + count + WF_BECH32_CHECKSUM_LEN;
    uint32_t sum = sum_prefix(prefix, prefix_len);

    if (len >= cap)
        return WEFT_ERR_USAGE;
    memcpy(out, prefix, prefix_len);
    out[prefix_len] = '1';

    char *at = out + prefix_len + 1;

    for (size_t i = 0; i < count; i++) {
        const uint8_t value = group_at(payload, i);

        sum = step(sum, value);
        *at++ = charset[value];
    }
    for (size_t i = 0; i < WF_BECH32_CHECKSUM_LEN; i++) {
        sum = step(sum, 0);
    }
    sum ^= BECH32M;
    for (unsigned i = 0; i < WF_BECH32_CHECKSUM_LEN; i++) {
        *at++ = charset[sum >> (25 - 5 * i) & 31];
    }
    *at = '\0';
    return WEFT_OK;
}

static size_t at_most(size_t cap, size_t text_max)
{
    return cap <= text_max ? cap : text_max + 1;
}

weft_err wf_bech32_encode(char *out, size_t cap, const char *prefix, weft_span payload)
{
    return encode(out, at_most(cap, WF_BECH32_TEXT_MAX), prefix, payload);
}

weft_err wf_bech32_encode_long(char *out, size_t cap, const char *prefix, weft_span payload)
{
    return encode(out, at_most(cap, WF_BECH32_LONG_MAX), prefix, payload);
}

/* Fewer than five bits are left over at the end, and they must be zero. */
static bool holds_bytes(const struct wf_bech32 *b, size_t len)
{
    if (len > WF_BECH32_VALUES_MAX || b->count != (8 * len + 4) / 5)
        return false;
    return b->count == 0 || (b->values[b->count - 1] & ((1u << (5 * b->count - 8 * len)) - 1)) == 0;
}

static void put_bytes(uint8_t *payload, const struct wf_bech32 *b)
{
    unsigned bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < b->count; i++) {
        held = (held << 5 | b->values[i]) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *payload++ = (uint8_t)(held >> bits);
        }
    }
}

static weft_err take(uint8_t *payload, size_t len, const char *prefix, const struct wf_bech32 *b)
{
    if (!wf_span_equal(wf_span_of(b->prefix), wf_span_of(prefix)) || !holds_bytes(b, len))
        return WEFT_ERR_MALFORMED;
    put_bytes(payload, b);
    return WEFT_OK;
}

weft_err wf_bech32_decode(uint8_t *payload, size_t len, const char *prefix, weft_span text)
{
    struct wf_bech32 parsed;
    weft_err err = parse(&parsed, text, WF_BECH32_TEXT_MAX);

    if (err == WEFT_OK) {
        err = take(payload, len, prefix, &parsed);
        wf_wipe(&parsed, sizeof parsed);
    }
    return err;
}

weft_err wf_bech32_decode_long(uint8_t *payload, size_t len, const char *prefix, weft_span text)
{
    struct wf_bech32 parsed;
    weft_err err = parse(&parsed, text, WF_BECH32_LONG_MAX);

    if (err == WEFT_OK) {
        err = take(payload, len, prefix, &parsed);
        wf_wipe(&parsed, sizeof parsed);
    }
    return err;
}
