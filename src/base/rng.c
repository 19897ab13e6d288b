/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng.c - numbers drawn from the generator that was handed in. It must never have a generator of
 * its own.
 */
#include "base/rng.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"

/* A fair generator needs more than this many draws once in 2^64 times; a broken one must not hang
 * us. */
#define DRAWS_MAX 64

void wf_random(const struct wf_rng *rng, uint8_t *out, size_t len)
{
    if (len > 0) {
        rng->fill(rng->ctx, out, len);
    }
}

void wf_random_secret(const struct wf_rng *rng, uint8_t *out, size_t len)
{
    wf_random(rng, out, len);
    wf_ct_secret(out, len);
}

uint64_t wf_random_u64(const struct wf_rng *rng)
{
    uint8_t bytes[8];

    rng->fill(rng->ctx, bytes, sizeof bytes);
    return wf_load_u64(bytes);
}

uint64_t wf_random_below(const struct wf_rng *rng, uint64_t bound)
{
    WEFT_ASSERT(bound > 0);

    /* 2^64 mod bound: draws below it would make the low results a little more likely than the
     * others. */
    const uint64_t unfair = (UINT64_MAX - bound + 1) % bound;
    uint64_t r = wf_random_u64(rng);

    for (int draws = 1; r < unfair && draws < DRAWS_MAX; draws++) {
        r = wf_random_u64(rng);
    }
    return r % bound;
}
