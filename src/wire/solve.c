/* SPDX-License-Identifier: Apache-2.0 */
/*
 * solve.c - SOLVE, the client's second packet: what the cookie covers, the work, and three boxes.
 *
 *   offset  size  field
 *        0     1  type 0x03
 *        1    27  version ... t_s id, as in CHALLENGE, see handshake_part.c
 *       28     4  key prefix
 *       32    16  n_c
 *       48    16  cookie
 *       64    32  e_c
 *       96     4  bid
 *      100     8  work nonce
 *      108     1  length n of the protocol lists, 0..59
 *      109     n  protocol lists
 *    109+n    49  box0
 *    158+n    48  box1
 *    206+n     m  box2, at least 34: an id, a time, two counts of nothing and a tag
 */
#include "wire/handshake_part.h"

#define BOX2_LEN_MIN (WF_CID_LEN + 8 + 1 + 1 + 16)

_Static_assert(WF_SOLVE_FIXED + WF_BOX0_LEN + WF_BOX1_LEN + BOX2_LEN_MIN == WF_SOLVE_MIN,
               "the shortest SOLVE is not what the spec says");

static void get_clear(struct wf_reader *r, struct wf_solve *s)
{
    wf_part_get_type(r, WF_TYPE_SOLVE);
    wf_part_get_head(r, &s->head);
    wf_read_bytes(r, s->prefix, sizeof s->prefix);
    wf_read_bytes(r, s->n_c, sizeof s->n_c);
    wf_read_bytes(r, s->cookie, sizeof s->cookie);
    wf_read_bytes(r, s->e_c, sizeof s->e_c);
    s->bid = wf_read_u32(r);
    s->work_nonce = wf_read_u64(r);
    s->lists = wf_part_get_lists(r);
}

weft_err wf_solve_get(weft_span in, struct wf_solve *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_solve s = {0};

    if (in.len < WF_SOLVE_MIN || in.len > WF_SOLVE_MAX) /* SPEC 1.3-1 */
        return WEFT_ERR_MALFORMED;
    get_clear(&r, &s);
    s.clear = (weft_span){in.data, WF_SOLVE_FIXED + s.lists.len};
    s.box0 = wf_read_span(&r, WF_BOX0_LEN);
    s.box1 = wf_read_span(&r, WF_BOX1_LEN);
    s.box2 = wf_read_rest(&r);
    if (!wf_reader_done(&r) || s.box2.len < BOX2_LEN_MIN)
        return WEFT_ERR_MALFORMED;

    *out = s;
    return WEFT_OK;
}

size_t wf_solve_put_clear(const struct wf_solve *s, uint8_t *buf, size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    wf_write_u8(&w, WF_TYPE_SOLVE);
    wf_challenge_head_put(&w, &s->head);
    wf_write_bytes(&w, s->prefix, sizeof s->prefix);
    wf_write_bytes(&w, s->n_c, sizeof s->n_c);
    wf_write_bytes(&w, s->cookie, sizeof s->cookie);
    wf_write_bytes(&w, s->e_c, sizeof s->e_c);
    wf_write_u32(&w, s->bid);
    wf_write_u64(&w, s->work_nonce);
    wf_part_put_lists(&w, s->lists);
    return wf_part_put_len(&w);
}
