/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake_part.c - see handshake_part.h.
 */
#include "wire/handshake_part.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

void wf_part_get_type(struct wf_reader *r, uint8_t type)
{
    if (wf_read_u8(r) != type) {
        wf_reader_fail(r);
    }
}

/*
 *   offset  size  field
 *        1     1  version
 *        2     1  suite
 *        3     1  shard
 *        4     8  instance
 *       12     4  epoch
 *       16     2  offset       0..29999 ms
 *       18     1  algorithm    0 or 1
 *       19     1  ceiling      0..32, as log2
 *       20     4  effort
 *       24     4  t_s id
 */
void wf_part_get_head(struct wf_reader *r, struct wf_challenge_head *out)
{
    const weft_span in = wf_read_span(r, WF_CHALLENGE_HEAD_LEN);
    const uint8_t *p = in.data;

    if (in.len == 0)
        return; /* too short: the reader has failed */
    *out = (struct wf_challenge_head){.version = p[0],
                                      .suite = p[1],
                                      .shard = p[2],
                                      .instance = wf_load_u64(p + 3),
                                      .epoch = wf_load_u32(p + 11),
                                      .offset_ms = (uint16_t)(p[15] << 8 | p[16]),
                                      .work_alg = p[17],
                                      .ceiling_log2 = p[18],
                                      .effort = wf_load_u32(p + 19),
                                      .ts_id = wf_load_u32(p + 23)};
    /* Versions and suites of which we know nothing may lay out the rest differently. */
    if (out->version != WF_VERSION || out->suite != WF_SUITE || out->offset_ms >= WF_EPOCH_MS ||
        out->work_alg > WF_WORK_PROGRAM || out->ceiling_log2 > WF_EFFORT_LOG2_MAX) {
        wf_reader_fail(r);
    }
}

void wf_challenge_head_store(uint8_t out[WF_CHALLENGE_HEAD_LEN], const struct wf_challenge_head *h)
{
    out[0] = h->version;
    out[1] = h->suite;
    out[2] = h->shard;
    wf_store_u64(out + 3, h->instance);
    wf_store_u32(out + 11, h->epoch);
    out[15] = (uint8_t)(h->offset_ms >> 8);
    out[16] = (uint8_t)h->offset_ms;
    out[17] = h->work_alg;
    out[18] = h->ceiling_log2;
    wf_store_u32(out + 19, h->effort);
    wf_store_u32(out + 23, h->ts_id);
}

void wf_challenge_head_put(struct wf_writer *w, const struct wf_challenge_head *h)
{
    uint8_t bytes[WF_CHALLENGE_HEAD_LEN];

    wf_challenge_head_store(bytes, h);
    wf_write_bytes(w, bytes, sizeof bytes);
}

weft_span wf_part_get_lists(struct wf_reader *r)
{
    weft_span lists = wf_read_span(r, wf_read_len8(r, 0, WF_LISTS_MAX));

    if (!wf_lists_valid(lists)) {
        wf_reader_fail(r);
    }
    return lists;
}

void wf_part_put_lists(struct wf_writer *w, weft_span lists)
{
    WEFT_ASSERT(lists.len <= WF_LISTS_MAX);
    wf_write_u8(w, (uint8_t)lists.len);
    wf_write_span(w, lists);
}

void wf_part_get_zeros(struct wf_reader *r)
{
    static const uint8_t zeros[WF_HELLO_LEN];
    weft_span rest = wf_read_rest(r);

    if (rest.len > sizeof zeros || (rest.len > 0 && memcmp(rest.data, zeros, rest.len) != 0)) {
        wf_reader_fail(r);
    }
}

size_t wf_part_put_len(const struct wf_writer *w)
{
    return wf_writer_ok(w) ? w->len : 0;
}
