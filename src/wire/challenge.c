/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.c - CHALLENGE, the server's answer to a HELLO. The longest one is as long as a HELLO,
 * so that it can never amplify (spec 1.2-1).
 *
 *   offset  size  field
 *        0     1  type 0x02
 *        1    27  version ... t_s id, see handshake_part.c
 *       28    32  t_s
 *       60     8  not-after of t_s, seconds
 *       68    32  S
 *      100    64  signature
 *      164    16  cookie
 *      180     8  echo, the first bytes of HELLO's n_c
 *      188     8  check
 *      196     1  length n of the protocol lists, 0..59
 *      197     n  protocol lists
 */
#include "wire/handshake_part.h"

/* SPEC 1.2-1: with the longest lists it is just as long as a HELLO. */
_Static_assert(WF_CHALLENGE_FIXED + WF_LISTS_MAX == WF_CHALLENGE_MAX, "no room for the lists");
_Static_assert(WF_CHALLENGE_MAX <= WF_HELLO_LEN, "a CHALLENGE would be longer than its HELLO");

weft_err wf_challenge_get(weft_span in, struct wf_challenge *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_challenge c = {0};

    wf_part_get_type(&r, WF_TYPE_CHALLENGE);
    wf_part_get_head(&r, &c.head);
    wf_read_bytes(&r, c.ts, sizeof c.ts);
    c.not_after_s = wf_read_u64(&r);
    wf_read_bytes(&r, c.server_dh, sizeof c.server_dh);
    wf_read_bytes(&r, c.signature, sizeof c.signature);
    wf_read_bytes(&r, c.cookie, sizeof c.cookie);
    wf_read_bytes(&r, c.echo, sizeof c.echo);
    wf_read_bytes(&r, c.check, sizeof c.check);
    c.lists = wf_part_get_lists(&r);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    *out = c;
    return WEFT_OK;
}

size_t wf_challenge_put(const struct wf_challenge *c, uint8_t *buf, size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    wf_write_u8(&w, WF_TYPE_CHALLENGE);
    wf_challenge_head_put(&w, &c->head);
    wf_write_bytes(&w, c->ts, sizeof c->ts);
    wf_write_u64(&w, c->not_after_s);
    wf_write_bytes(&w, c->server_dh, sizeof c->server_dh);
    wf_write_bytes(&w, c->signature, sizeof c->signature);
    wf_write_bytes(&w, c->cookie, sizeof c->cookie);
    wf_write_bytes(&w, c->echo, sizeof c->echo);
    wf_write_bytes(&w, c->check, sizeof c->check);
    wf_part_put_lists(&w, c->lists);
    return wf_part_put_len(&w);
}
