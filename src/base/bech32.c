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

weft_err wf_bech32_parse(struct wf_bech32 *out, weft_span text)
{
    char folded[WF_BECH32_TEXT_MAX];
    uint8_t values[WF_BECH32_TEXT_MAX];

    if (text.len > WF_BECH32_TEXT_MAX || !fold(folded, text))
        return WEFT_ERR_MALFORMED;

    const size_t prefix_len = prefix_len_of(folded, text.len);

    if (prefix_len == 0 || text.len - prefix_len - 1 < WF_BECH32_CHECKSUM_LEN)
        return WEFT_ERR_MALFORMED;

    const size_t count = text.len - prefix_len - 1;
    uint32_t sum = sum_prefix(folded, prefix_len);

    for (size_t i = 0; i < count; i++) {
        values[i] = value_of(folded[prefix_len + 1 + i]);
        if (values[i] > 31)
            return WEFT_ERR_MALFORMED;
        sum = step(sum, values[i]);
    }
    if (sum != BECH32M)
        return WEFT_ERR_MALFORMED;

    *out = (struct wf_bech32){.count = count - WF_BECH32_CHECKSUM_LEN};
    memcpy(out->prefix, folded, prefix_len);
    memcpy(out->values, values, out->count);
    return WEFT_OK;
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

weft_err wf_bech32_encode(char *out, size_t cap, const char *prefix, weft_span payload)
{
    const size_t prefix_len = strlen(prefix);

    if (!prefix_is_valid(prefix, prefix_len) || payload.len > WF_BECH32_TEXT_MAX)
        return WEFT_ERR_USAGE;

    const size_t count = (8 * payload.len + 4) / 5;
    const size_t len = prefix_len + 1 + count + WF_BECH32_CHECKSUM_LEN;
    uint32_t sum = sum_prefix(prefix, prefix_len);

    if (len > WF_BECH32_TEXT_MAX || len >= cap)
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

weft_err wf_bech32_decode(uint8_t *payload, size_t len, const char *prefix, weft_span text)
{
    struct wf_bech32 parsed;
    const weft_err err = wf_bech32_parse(&parsed, text);

    if (err != WEFT_OK)
        return err;
    if (!wf_span_equal(wf_span_of(parsed.prefix), wf_span_of(prefix)))
        return WEFT_ERR_MALFORMED;
    if (len > WF_BECH32_VALUES_MAX || parsed.count != (8 * len + 4) / 5)
        return WEFT_ERR_MALFORMED;
    /* Fewer than five bits are left over at the end, and they must be zero. */
    if (parsed.count > 0 &&
        (parsed.values[parsed.count - 1] & ((1u << (5 * parsed.count - 8 * len)) - 1)) != 0)
        return WEFT_ERR_MALFORMED;

    unsigned bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < parsed.count; i++) {
        held = (held << 5 | parsed.values[i]) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *payload++ = (uint8_t)(held >> bits);
        }
    }
    return WEFT_OK;
}
