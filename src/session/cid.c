/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cid.c - a Feistel network over the 64 bits of an id, its round function SipHash. An id is made
 * once in a session's life, and read only when no session here has it, so that it may cost some
 * hundred nanoseconds.
 */
#include "session/cid.h"

#include "base/bytes.h"
#include "crypto/hash.h"

#define ROUNDS 6u

_Static_assert(WF_CID_LEN == 8, "an id is two halves of 32 bits");

static uint32_t mix(const struct wf_cids *c, unsigned round, uint32_t half)
{
    uint8_t in[5] = {(uint8_t)round};

    wf_store_u32(in + 1, half);
    return (uint32_t)wf_siphash64(c->key, wf_span(in, sizeof in));
}

/* SPEC 1.13-5 */
void wf_cid_make(const struct wf_cids *c, const struct wf_rng *rng, uint8_t cid[WF_CID_LEN])
{
    wf_random(rng, cid, WF_CID_LEN);
    if (c->count <= 1)
        return;
    cid[0] = c->shard;
    uint32_t left = wf_load_u32(cid);
    uint32_t right = wf_load_u32(cid + 4);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t next = left ^ mix(c, i, right);

        left = right;
        right = next;
    }
    wf_store_u32(cid, left);
    wf_store_u32(cid + 4, right);
}

uint8_t wf_cid_shard(const struct wf_cids *c, const uint8_t cid[WF_CID_LEN])
{
    if (c->count <= 1)
        return c->shard;
    uint32_t left = wf_load_u32(cid);
    uint32_t right = wf_load_u32(cid + 4);
    for (unsigned i = ROUNDS; i > 0; i--) {
        uint32_t before = right ^ mix(c, i - 1, left);

        right = left;
        left = before;
    }
    uint8_t shard = (uint8_t)(left >> 24);
    return shard < c->count ? shard : c->shard;
}
