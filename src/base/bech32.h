/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bech32.h - bytes as text that notices typing errors (bech32m, BIP-350): a prefix, "1", the bytes
 * in 32 letters and digits, six of checksum. A key reads weft1....
 *
 * Up to four wrong characters are always noticed, and three in the longer texts of the functions
 * named _long. Text may be all in upper case, never mixed.
 *
 * The payload may be a secret: nothing of it stays in memory but what is handed out.
 */
#ifndef WF_BASE_BECH32_H
#define WF_BASE_BECH32_H

#include "base/compiler.h"

#define WF_BECH32_TEXT_MAX 90 /* characters, without the final NUL */
#define WF_BECH32_LONG_MAX 170
#define WF_BECH32_PREFIX_MAX 83
#define WF_BECH32_VALUES_MAX (WF_BECH32_LONG_MAX - 8)
#define WF_BECH32_CHECKSUM_LEN 6

/* A text whose checksum is right. values: five bits each, without the checksum. */
struct wf_bech32 {
    char prefix[WF_BECH32_PREFIX_MAX + 1]; /* in lower case, NUL-terminated */
    uint8_t values[WF_BECH32_VALUES_MAX];
    size_t count;
};

/* WEFT_ERR_MALFORMED: not bech32m; *out is untouched. */
WEFT_NODISCARD weft_err wf_bech32_parse(struct wf_bech32 *out, weft_span text);

/* Writes text and a final NUL to out, of cap bytes. WEFT_ERR_USAGE: the prefix is empty, has upper
 * case or anything outside 33..126, or the text would be longer than WF_BECH32_TEXT_MAX or than out
 * has room for; out is untouched. */
WEFT_NODISCARD weft_err wf_bech32_encode(char *out, size_t cap, const char *prefix,
                                         weft_span payload);

/* Reads text with this prefix and exactly len bytes. WEFT_ERR_MALFORMED: anything else; payload is
 * untouched. */
WEFT_NODISCARD weft_err wf_bech32_decode(uint8_t *payload, size_t len, const char *prefix,
                                         weft_span text);

/* The same for texts of up to WF_BECH32_LONG_MAX characters. */
WEFT_NODISCARD weft_err wf_bech32_encode_long(char *out, size_t cap, const char *prefix,
                                              weft_span payload);
WEFT_NODISCARD weft_err wf_bech32_decode_long(uint8_t *payload, size_t len, const char *prefix,
                                              weft_span text);

#endif
