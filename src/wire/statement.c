/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.c - a statement, and STATEMENT, the server's answer to an ASK.
 *
 *   offset  size  field of a statement         |  offset  size  field of STATEMENT
 *        0     1  length n of the name, 1..64  |       0     1  type 0x07
 *        1     n  name                         |       1     8  echo, the first bytes of ASK's n_c
 *      1+n     8  version, at least 1          |       9     m  statement
 *      9+n    32  owner
 *     41+n    32  key
 *     73+n     8  not-before, seconds
 *     81+n     8  not-after, at least not-before
 *     89+n    64  signature
 */
#include "wire/statement.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/handshake_part.h"

/* SPEC 1.12-3: the longest one is shorter than the only ASK there is. */
_Static_assert(WF_STATEMENT_PACKET_MAX <= WF_ASK_LEN, "a STATEMENT would be longer than its ASK");

/* What would be taken for a key, or could not be written before an address or into a line. */
bool wf_name_valid(weft_span name)
{
    if (name.len == 0 || name.len > WF_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];

        if (c <= ' ' || c > '~' || c == '#' || c == '@')
            return false;
    }
    return name.len < 5 || memcmp(name.data, "weft1", 5) != 0;
}

static void get_name(struct wf_reader *r, struct wf_statement *s)
{
    weft_span name = wf_read_span(r, wf_read_len8(r, 1, WF_NAME_MAX));

    if (!wf_name_valid(name)) {
        wf_reader_fail(r);
        return;
    }
    memcpy(s->name, name.data, name.len);
    s->name_len = (uint8_t)name.len;
}

static void get_fields(struct wf_reader *r, struct wf_statement *s)
{
    get_name(r, s);
    s->version = wf_read_u64(r);
    wf_read_bytes(r, s->owner, sizeof s->owner);
    wf_read_bytes(r, s->key, sizeof s->key);
    s->not_before_s = wf_read_u64(r);
    s->not_after_s = wf_read_u64(r);
    wf_read_bytes(r, s->signature, sizeof s->signature);
    if (s->version == 0 || s->not_after_s < s->not_before_s) {
        wf_reader_fail(r);
    }
}

weft_err wf_statement_get(weft_span in, struct wf_statement *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_statement s = {0};

    get_fields(&r, &s);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    *out = s;
    return WEFT_OK;
}

static void put_signed_part(struct wf_writer *w, const struct wf_statement *s)
{
    wf_write_u8(w, s->name_len);
    wf_write_bytes(w, s->name, s->name_len);
    wf_write_u64(w, s->version);
    wf_write_bytes(w, s->owner, sizeof s->owner);
    wf_write_bytes(w, s->key, sizeof s->key);
    wf_write_u64(w, s->not_before_s);
    wf_write_u64(w, s->not_after_s);
}

size_t wf_statement_put(const struct wf_statement *s, uint8_t *buf, size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    put_signed_part(&w, s);
    wf_write_bytes(&w, s->signature, sizeof s->signature);
    return wf_part_put_len(&w);
}

size_t wf_statement_message(const struct wf_statement *s, uint8_t out[WF_STATEMENT_MESSAGE_MAX])
{
    struct wf_writer w = wf_writer_of(out, WF_STATEMENT_MESSAGE_MAX);

    wf_write_span(&w, wf_span_of("weft statement 1"));
    put_signed_part(&w, s);
    return wf_part_put_len(&w);
}

weft_err wf_statement_packet_get(weft_span in, uint8_t echo[WF_ECHO_LEN], struct wf_statement *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_statement s = {0};
    uint8_t bytes[WF_ECHO_LEN];

    wf_part_get_type(&r, WF_TYPE_STATEMENT);
    wf_read_bytes(&r, bytes, sizeof bytes);
    get_fields(&r, &s);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    memcpy(echo, bytes, sizeof bytes);
    *out = s;
    return WEFT_OK;
}

size_t wf_statement_packet_put(const uint8_t echo[WF_ECHO_LEN], weft_span statement, uint8_t *buf,
                               size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    wf_write_u8(&w, WF_TYPE_STATEMENT);
    wf_write_bytes(&w, echo, WF_ECHO_LEN);
    wf_write_span(&w, statement);
    return wf_part_put_len(&w);
}
