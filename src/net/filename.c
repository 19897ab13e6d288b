/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filename.c - the rules for names that come from a peer. Pure.
 */
#include "net/filename.h"

#include <string.h>

#define NOT_UTF8 UINT32_MAX

/* Length of the sequence that begins with this byte, 0 when none does; its first bits go to *code.
 */
static size_t sequence_len(uint8_t lead, uint32_t *code)
{
    if (lead < 0x80) {
        *code = lead;
        return 1;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        *code = lead & 0x1fu;
        return 2;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        *code = lead & 0x0fu;
        return 3;
    }
    if (lead >= 0xf0 && lead < 0xf5) {
        *code = lead & 0x07u;
        return 4;
    }
    return 0;
}

/* The character at the front of *text, taken off it. */
static uint32_t take_character(weft_span *text)
{
    static const uint32_t shortest[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = 0;
    size_t len = sequence_len(text->data[0], &code);

    if (len == 0 || len > text->len)
        return NOT_UTF8;
    for (size_t i = 1; i < len; i++) {
        if ((text->data[i] & 0xc0) != 0x80)
            return NOT_UTF8;
        code = code << 6 | (text->data[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < shortest[len] || code > 0x10ffff || surrogate)
        return NOT_UTF8;
    text->data += len;
    text->len -= len;
    return code;
}

/* Line and paragraph separators and bidirectional controls make a name look like another one. */
static bool is_tricky(uint32_t code)
{
    bool separator = code == 0x2028 || code == 0x2029;
    bool direction = code == 0x061c || code == 0x200e || code == 0x200f ||
                     (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

    return separator || direction;
}

static bool character_ok(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);

    return code != NOT_UTF8 && code != '/' && !control && !is_tricky(code);
}

bool wf_file_name_own_ok(weft_span name)
{
    bool dots = name.len > 0 && name.len <= 2 && memcmp(name.data, "..", name.len) == 0;

    if (name.len == 0 || name.len > WF_FILE_NAME_MAX || dots)
        return false;
    while (name.len > 0) {
        if (!character_ok(take_character(&name)))
            return false;
    }
    return true;
}

bool wf_file_name_ok(weft_span name)
{
    static const char own[] = WF_FILE_OWN_PREFIX;
    size_t len = sizeof own - 1;

    if (name.len >= len && memcmp(name.data, own, len) == 0)
        return false;
    return wf_file_name_own_ok(name);
}
