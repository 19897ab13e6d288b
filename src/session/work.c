/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.c - proof of work: one try is one BLAKE2b block, or one run of a random program. The input
 * names the cookie (and with it the address), the keys and the contents, so work cannot be moved to
 * anything else afterwards.
 */
#include "session/work.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/work_program.h"
#include "wire/handshake.h"

#define LABEL_LEN 11
#define INPUT_LEN (LABEL_LEN + 16 + 16 + 32 + 4 + 32 + 8)
#define NONCE_OFFSET (INPUT_LEN - 8)

#define PROGRAM_COST 128u /* a try of algorithm 2 in tries of algorithm 1, about */

uint64_t wf_work_slice(const struct wf_work *w, uint64_t tries)
{
    if (w->alg != WF_WORK_PROGRAM || tries == 0)
        return tries;
    return tries / PROGRAM_COST > 0 ? tries / PROGRAM_COST : 1;
}

static void lay_out(uint8_t input[INPUT_LEN], const char *label, const struct wf_work *w)
{
    uint8_t *p = input;

    memcpy(p, label, LABEL_LEN);
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
static uint64_t hash_value(const uint8_t input[INPUT_LEN])
{
    uint8_t h[WF_HASH_LEN];
    weft_span all = wf_span(input, INPUT_LEN);

    wf_hash(h, &all, 1);
    return wf_load_u64(h);
}

/* SPEC 1.8-1 */
static uint64_t program_value(const uint8_t input[INPUT_LEN], struct wf_work_pad *pad)
{
    uint8_t seed[WF_WORK_SEED_LEN];
    uint8_t h[WF_HASH_LEN];
    weft_span all = wf_span(input, INPUT_LEN);

    wf_hash64(seed, &all, 1);
    wf_work_program(h, pad, seed);
    return wf_load_u64(h);
}

/* A bid of 0 or 1 is met by every nonce. */
static uint64_t bound_of(uint32_t bid)
{
    return bid == 0 ? UINT64_MAX : UINT64_MAX / bid;
}

static bool solve_hash(uint8_t input[INPUT_LEN], uint64_t bound, uint64_t *nonce, uint64_t tries)
{
    for (; tries > 0; tries--) {
        wf_store_u64(input + NONCE_OFFSET, *nonce);
        if (hash_value(input) <= bound)
            return true;
        (*nonce)++;
    }
    return false;
}

static bool solve_program(uint8_t input[INPUT_LEN], uint64_t bound, uint64_t *nonce, uint64_t tries)
{
    struct wf_work_pad pad;

    for (; tries > 0; tries--) {
        wf_store_u64(input + NONCE_OFFSET, *nonce);
        if (program_value(input, &pad) <= bound)
            return true;
        (*nonce)++;
    }
    return false;
}

bool wf_work_solve(const struct wf_work *w, uint64_t *nonce, uint64_t tries)
{
    uint8_t input[INPUT_LEN];
    uint64_t bound = bound_of(w->bid);

    lay_out(input, w->alg == WF_WORK_PROGRAM ? "weft work 2" : "weft work 1", w);
    return w->alg == WF_WORK_PROGRAM ? solve_program(input, bound, nonce, tries)
                                     : solve_hash(input, bound, nonce, tries);
}

bool wf_work_check(const struct wf_work *w, uint64_t nonce)
{
    return wf_work_solve(w, &nonce, 1);
}

/* SPEC 1.3-12 */
uint64_t wf_work_unpaid(const struct wf_work *w)
{
    uint8_t input[INPUT_LEN] = {0};
    uint8_t h[WF_HASH_LEN];
    weft_span all = wf_span(input, NONCE_OFFSET);

    lay_out(input, "weft work 0", w);
    wf_hash(h, &all, 1);
    return wf_load_u64(h);
}
