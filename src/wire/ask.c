/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.c - ASK, by which a client that found another key than it expects asks what the owner of the
 * server's name says to it. It is longer than any answer, so that it can never amplify.
 *
 *   offset  size   field
 *        0     1   type 0x06
 *        1    27   version ... t_s id, as in CHALLENGE, see handshake_part.c
 *       28     4   key prefix
 *       32    16   n_c
 *       48    16   cookie
 *       64     4   bid
 *       68     8   work nonce
 *       76     1   length n of the protocol lists, 0..59
 *       77     n   protocol lists
 *     77+n 179-n   zeros
 */
#include "wire/handshake_part.h"

_Static_assert(WF_ASK_FIXED + WF_LISTS_MAX <= WF_ASK_LEN, "no room for the lists");

weft_err wf_ask_get(weft_span in, struct wf_ask *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_ask a = {0};

    if (in.len != WF_ASK_LEN) /* SPEC 1.12-1 */
        return WEFT_ERR_MALFORMED;
    wf_part_get_type(&r, WF_TYPE_ASK);
    wf_part_get_head(&r, &a.head);
    wf_read_bytes(&r, a.prefix, sizeof a.prefix);
    wf_read_bytes(&r, a.n_c, sizeof a.n_c);
    wf_read_bytes(&r, a.cookie, sizeof a.cookie);
    a.bid = wf_read_u32(&r);
    a.work_nonce = wf_read_u64(&r);
    a.lists = wf_part_get_lists(&r);
    wf_part_get_zeros(&r);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    *out = a;
    return WEFT_OK;
}

size_t wf_ask_put(const struct wf_ask *a, uint8_t *buf, size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    wf_write_u8(&w, WF_TYPE_ASK);
    wf_challenge_head_put(&w, &a->head);
    wf_write_bytes(&w, a->prefix, sizeof a->prefix);
    wf_write_bytes(&w, a->n_c, sizeof a->n_c);
    wf_write_bytes(&w, a->cookie, sizeof a->cookie);
    wf_write_u32(&w, a->bid);
    wf_write_u64(&w, a->work_nonce);
    wf_part_put_lists(&w, a->lists);
    if (wf_writer_ok(&w)) {
        wf_write_zeros(&w, WF_ASK_LEN - w.len);
    }
    return wf_part_put_len(&w);
}
