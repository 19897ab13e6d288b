/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.c - proof of work, algorithm 1: one BLAKE2b block a try. The input names the cookie (and
 * with it the address), the keys and the contents, so work cannot be moved to anything else
 * afterwards.
 */
#include "session/work.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"

#define LABEL "weft work 1"
#define LABEL_LEN 11
#define INPUT_LEN (LABEL_LEN + 16 + 16 + 32 + 4 + 32 + 8)
#define NONCE_OFFSET (INPUT_LEN - 8)

static void lay_out(uint8_t input[INPUT_LEN], const struct wf_work *w)
{
    uint8_t *p = input;

    memcpy(p, LABEL, LABEL_LEN);
    p += LABEL_LEN;
    memcpy(p, w->cookie, sizeof w->cookie);
    p += sizeof w->cookie;
    memcpy(p, w->n_c, sizeof w->n_c);
    p += sizeof w->n_c;
    memcpy(p, w->e_c, sizeof w->e_c);
    p += sizeof w->e_c;
    wf_store_u32(p, w->bid);
    p += 4;
    memcpy(p, w->boxes_hash, sizeof w->boxes_hash);
}

/* SPEC 1.3-2 */
static bool solves(uint8_t input[INPUT_LEN], uint64_t nonce, uint64_t bound)
{
    uint8_t h[WF_HASH_LEN];
    weft_span all = wf_span(input, INPUT_LEN);

    wf_store_u64(input + NONCE_OFFSET, nonce);
    wf_hash(h, &all, 1);
    return wf_load_u64(h) <= bound;
}

/* A bid of 0 or 1 is met by every nonce. */
static uint64_t bound_of(uint32_t bid)
{
    return bid == 0 ? UINT64_MAX : UINT64_MAX / bid;
}

bool wf_work_check(const struct wf_work *w, uint64_t nonce)
{
    uint8_t input[INPUT_LEN];

    lay_out(input, w);
    return solves(input, nonce, bound_of(w->bid));
}

bool wf_work_solve(const struct wf_work *w, uint64_t *nonce, uint64_t tries)
{
    uint8_t input[INPUT_LEN];
    uint64_t bound = bound_of(w->bid);

    lay_out(input, w);
    for (uint64_t i = 0; i < tries; i++) {
        if (solves(input, *nonce, bound))
            return true;
        (*nonce)++;
    }
    return false;
}
