/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.c - statements and pins for people: signed, judged, and written as text.
 *
 *   weft statement 1
 *   name NAME
 *   version N
 *   owner weft1...
 *   key weft1...
 *   not-before SECONDS
 *   not-after SECONDS
 *   signature HEX
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "endpoint/pin_priv.h"

static const char first_line[] = "weft statement 1\n";

#define STATEMENT_LINES 7u
#define LINE_BYTES 160u

bool statement_to_wire(struct wf_statement *out, const weft_statement *s)
{
    size_t len = strnlen(s->name, sizeof s->name);

    *out = (struct wf_statement){
        .version = s->version, .not_before_s = s->not_before_s, .not_after_s = s->not_after_s};
    if (s->size < sizeof *s || s->version == 0 || s->not_after_s < s->not_before_s ||
        !wf_name_valid(wf_span(s->name, len)))
        return false;
    memcpy(out->name, s->name, len);
    out->name_len = (uint8_t)len;
    memcpy(out->owner, s->owner.bytes, sizeof out->owner);
    memcpy(out->key, s->key.bytes, sizeof out->key);
    memcpy(out->signature, s->signature, sizeof out->signature);
    return true;
}

weft_err weft_statement_sign(weft_statement *s, const weft_identity *owner)
{
    struct wf_statement made;

    if (!statement_to_wire(&made, s))
        return WEFT_ERR_USAGE;
    wf_statement_sign(&made, identity_keys(owner));
    memcpy(s->owner.bytes, made.owner, sizeof made.owner);
    memcpy(s->signature, made.signature, sizeof made.signature);
    return WEFT_OK;
}

weft_err weft_statement_check(const weft_statement *s, uint64_t now_s)
{
    struct wf_statement w;
    weft_err err = wf_crypto_init();

    if (err != WEFT_OK)
        return err;
    if (!statement_to_wire(&w, s))
        return WEFT_ERR_MALFORMED;
    if (!wf_statement_is_signed(&w))
        return WEFT_ERR_CRYPTO;
    return now_s == 0 || wf_statement_is_timely(&w, now_s) ? WEFT_OK : WEFT_ERR_STATE;
}

weft_err weft_statement_text(char out[WEFT_STATEMENT_TEXT_MAX], const weft_statement *s)
{
    char owner[WEFT_KEY_TEXT_MAX];
    char key[WEFT_KEY_TEXT_MAX];
    char signature[2 * sizeof s->signature + 1];
    struct wf_statement w;

    if (!statement_to_wire(&w, s))
        return WEFT_ERR_MALFORMED;
    weft_key_text(owner, &s->owner);
    weft_key_text(key, &s->key);
    wf_hex(signature, s->signature, sizeof s->signature);
    (void)snprintf(out, WEFT_STATEMENT_TEXT_MAX,
                   "%sname %s\nversion %" PRIu64 "\nowner %s\nkey %s\nnot-before %" PRIu64
                   "\nnot-after %" PRIu64 "\nsignature %s\n",
                   first_line, s->name, s->version, owner, key, s->not_before_s, s->not_after_s,
                   signature);
    return WEFT_OK;
}

/* --- reading --- */

bool pin_read_number(const char *text, uint64_t *out)
{
    uint64_t n = 0;

    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');

        if (*c < '0' || *c > '9' || n > (UINT64_MAX - digit) / 10)
            return false;
        n = 10 * n + digit;
    }
    *out = n;
    return true;
}

bool pin_read_name(const char *text, char out[WEFT_NAME_MAX + 1])
{
    size_t len = strlen(text);

    if (!wf_name_valid(wf_span(text, len)))
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool read_key(const char *text, weft_key *out)
{
    return weft_key_parse(out, text) == WEFT_OK;
}

static bool read_value(weft_statement *s, size_t index, const char *v)
{
    switch (index) {
    case 0:
        return pin_read_name(v, s->name);
    case 1:
        return pin_read_number(v, &s->version);
    case 2:
        return read_key(v, &s->owner);
    case 3:
        return read_key(v, &s->key);
    case 4:
        return pin_read_number(v, &s->not_before_s);
    case 5:
        return pin_read_number(v, &s->not_after_s);
    default:
        return strlen(v) == 2 * sizeof s->signature &&
               wf_unhex(s->signature, sizeof s->signature, v);
    }
}

/* The value of the next line, which must begin with this name; moves *text behind it. */
static bool take_line(const char **text, const char *name, char value[LINE_BYTES])
{
    size_t name_len = strlen(name);
    const char *end = strchr(*text, '\n');
    size_t len = 0;

    if (end == NULL || strncmp(*text, name, name_len) != 0 || (*text)[name_len] != ' ')
        return false;
    len = (size_t)(end - *text) - name_len - 1;
    if (len >= LINE_BYTES)
        return false;
    memcpy(value, *text + name_len + 1, len);
    value[len] = '\0';
    *text = end + 1;
    return true;
}

weft_err weft_statement_parse(weft_statement *out, const char *text)
{
    static const char *const names[STATEMENT_LINES] = {"name",       "version",   "owner",    "key",
                                                       "not-before", "not-after", "signature"};
    weft_statement s = WEFT_STATEMENT;
    struct wf_statement w;
    char value[LINE_BYTES];

    if (strncmp(text, first_line, sizeof first_line - 1) != 0)
        return WEFT_ERR_MALFORMED;
    text += sizeof first_line - 1;
    for (size_t i = 0; i < STATEMENT_LINES; i++) {
        if (!take_line(&text, names[i], value) || !read_value(&s, i, value))
            return WEFT_ERR_MALFORMED;
    }
    if (*text != '\0' || !statement_to_wire(&w, &s))
        return WEFT_ERR_MALFORMED;
    *out = s;
    return WEFT_OK;
}
