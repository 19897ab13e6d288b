/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.c - see challenge.h.
 */
#include "session/challenge.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/hash.h"

#define PREFIX_LEN 4
#define CHECKED_MAX \
    (WF_CHALLENGE_HEAD_LEN + WF_COOKIE_LEN + WF_CHECK_LEN + PREFIX_LEN + 1 + WF_LISTS_MAX)

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

void wf_challenge_digest(uint8_t digest[WF_CHECK_LEN], weft_span challenge)
{
    uint8_t h[WF_HASH_LEN];

    WEFT_ASSERT(challenge.len >= WF_CHALLENGE_FIXED);
    const weft_span parts[] = {wf_span(challenge.data + WF_CHALLENGE_TS_OFFSET,
                                       WF_CHALLENGE_COOKIE_OFFSET - WF_CHALLENGE_TS_OFFSET),
                               wf_span(challenge.data + WF_CHALLENGE_LISTS_OFFSET,
                                       challenge.len - WF_CHALLENGE_LISTS_OFFSET)};

    wf_hash(h, parts, WF_ARRAY_LEN(parts));
    memcpy(digest, h, WF_CHECK_LEN);
}

/* SPEC 1.2-9: what the cookie covers but for the address, which the client does not know. Made for
 * every HELLO that anybody sends. */
static uint64_t check_of(const uint8_t *challenge, const uint8_t digest[WF_CHECK_LEN],
                         const struct wf_hello *h)
{
    uint8_t buf[CHECKED_MAX];
    uint8_t *at = buf;

    WEFT_ASSERT(h->lists.len <= WF_LISTS_MAX);
    memcpy(at, challenge + WF_CHALLENGE_HEAD_OFFSET, WF_CHALLENGE_HEAD_LEN);
    at += WF_CHALLENGE_HEAD_LEN;
    memcpy(at, challenge + WF_CHALLENGE_COOKIE_OFFSET, WF_COOKIE_LEN);
    at += WF_COOKIE_LEN;
    memcpy(at, digest, WF_CHECK_LEN);
    at += WF_CHECK_LEN;
    memcpy(at, h->prefix, PREFIX_LEN);
    at += PREFIX_LEN;
    *at++ = (uint8_t)h->lists.len;
    if (h->lists.len > 0) {
        memcpy(at, h->lists.data, h->lists.len);
        at += h->lists.len;
    }
    return wf_siphash64(h->n_c, wf_span(buf, (size_t)(at - buf)));
}

void wf_challenge_stamp(uint8_t *challenge, const uint8_t digest[WF_CHECK_LEN],
                        const struct wf_hello *h)
{
    wf_store_u64(challenge + WF_CHALLENGE_CHECK_OFFSET, check_of(challenge, digest, h));
}

bool wf_challenge_is_whole(weft_span challenge, const struct wf_hello *h)
{
    uint8_t digest[WF_CHECK_LEN];

    wf_challenge_digest(digest, challenge);
    return wf_load_u64(challenge.data + WF_CHALLENGE_CHECK_OFFSET) ==
           check_of(challenge.data, digest, h);
}
