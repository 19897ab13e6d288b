/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirm.c - CONFIRM, the server's second packet, and HINT.
 *
 *   offset  size  field of CONFIRM
 *        0     1  type 0x04
 *        1     8  the client's connection id
 *        9    32  e2
 *       41    16  fresh random bytes
 *       57     m  box3, at least 25: an id, a count of no parameters and a tag
 *
 *   offset  size  field of HINT
 *        0     1  type 0x05
 *        1    16  tag of the packet that no session was found for
 */
#include "wire/handshake_part.h"
#include "wire/packet.h"

/* Its SOLVE limits a CONFIRM, and no SOLVE is longer than WF_SOLVE_MAX. */
weft_err wf_confirm_get(weft_span in, struct wf_confirm *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_confirm c = {0};

    if (in.len < WF_CONFIRM_MIN || in.len > WF_SOLVE_MAX)
        return WEFT_ERR_MALFORMED;
    wf_part_get_type(&r, WF_TYPE_CONFIRM);
    wf_read_bytes(&r, c.cid, sizeof c.cid);
    wf_read_bytes(&r, c.e2, sizeof c.e2);
    wf_read_bytes(&r, c.random, sizeof c.random);
    c.clear = (weft_span){in.data, WF_CONFIRM_FIXED};
    c.box3 = wf_read_rest(&r);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    *out = c;
    return WEFT_OK;
}

size_t wf_confirm_put_clear(const struct wf_confirm *c, uint8_t *buf, size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    wf_write_u8(&w, WF_TYPE_CONFIRM);
    wf_write_bytes(&w, c->cid, sizeof c->cid);
    wf_write_bytes(&w, c->e2, sizeof c->e2);
    wf_write_bytes(&w, c->random, sizeof c->random);
    return wf_part_put_len(&w);
}

weft_err wf_hint_get(weft_span in, uint8_t tag[16])
{
    if (in.len != WF_HINT_LEN || in.data[0] != WF_TYPE_HINT)
        return WEFT_ERR_MALFORMED;

    struct wf_reader r = wf_reader_of(in);

    (void)wf_read_u8(&r);
    wf_read_bytes(&r, tag, WF_PACKET_TAG);
    return WEFT_OK;
}

size_t wf_hint_put(const uint8_t tag[16], uint8_t *buf, size_t cap)
{
    struct wf_writer w = wf_writer_of(buf, cap);

    wf_write_u8(&w, WF_TYPE_HINT);
    wf_write_bytes(&w, tag, WF_PACKET_TAG);
    return wf_part_put_len(&w);
}
