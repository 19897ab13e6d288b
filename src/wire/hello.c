/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello.c - HELLO, the client's first packet. It must never be answered unless every byte of it is
 * as the spec says: what a server answers without a cookie has to be worth no more than what it
 * got.
 *
 *   offset  size   field
 *        0     1   type 0x01
 *        1     1   version, 1
 *        2     1   suite, 1
 *        3     1   reserved, 0
 *        4     4   key prefix
 *        8    16   n_c
 *       24     1   length n of the protocol lists, 0..59
 *       25     n   protocol lists
 *     25+n 231-n   zeros
 */
#include "wire/handshake_part.h"

weft_err wf_hello_get(weft_span in, struct wf_hello *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_hello h = {0};

    if (in.len != WF_HELLO_LEN) /* SPEC 1.1-1 */
        return WEFT_ERR_MALFORMED;
    wf_part_get_type(&r, WF_TYPE_HELLO);
    h.version = wf_read_u8(&r);
    h.suite = wf_read_u8(&r);
    if (h.version != WF_VERSION || h.suite != WF_SUITE) {
        wf_reader_fail(&r);
    }
    (void)wf_read_u8_max(&r, 0);
    wf_read_bytes(&r, h.prefix, sizeof h.prefix);
    wf_read_bytes(&r, h.n_c, sizeof h.n_c);
    h.lists = wf_part_get_lists(&r);
    wf_part_get_zeros(&r);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    *out = h;
    return WEFT_OK;
}

size_t wf_hello_put(const struct wf_hello *h, uint8_t *buf, size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    wf_write_u8(&w, WF_TYPE_HELLO);
    wf_write_u8(&w, h->version);
    wf_write_u8(&w, h->suite);
    wf_write_u8(&w, 0);
    wf_write_bytes(&w, h->prefix, sizeof h->prefix);
    wf_write_bytes(&w, h->n_c, sizeof h->n_c);
    wf_part_put_lists(&w, h->lists);
    if (wf_writer_ok(&w)) {
        wf_write_zeros(&w, WF_HELLO_LEN - w.len);
    }
    return wf_part_put_len(&w);
}
