/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.c - see challenge.h.
 */
#include "session/challenge.h"

#include "base/assert.h"
#include "base/bytes.h"

/* SPEC 1.2-2 */
size_t wf_challenge_message(uint8_t out[WF_CHALLENGE_MESSAGE_MAX], const uint8_t server_key[32],
                            const struct wf_challenge *c)
{
    struct wf_writer w = wf_writer_of(out, WF_CHALLENGE_MESSAGE_MAX);

    wf_write_span(&w, wf_span_of("weft challenge 1"));
    wf_write_bytes(&w, server_key, 32);
    wf_write_u8(&w, c->head.suite);
    wf_write_u64(&w, c->head.instance);
    wf_write_bytes(&w, c->server_dh, sizeof c->server_dh);
    wf_write_u32(&w, c->head.ts_id);
    wf_write_bytes(&w, c->ts, sizeof c->ts);
    wf_write_u64(&w, c->not_after_s);
    wf_write_u8(&w, c->head.ceiling_log2);
    wf_write_u8(&w, (uint8_t)c->lists.len);
    wf_write_span(&w, c->lists);
    WEFT_ASSERT(wf_writer_ok(&w));
    return w.len;
}
