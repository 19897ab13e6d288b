/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prng.c - xoshiro256** by Blackman and Vigna, as published. The numbers must stay what they are:
 * seeds that found a bug are kept.
 */
#include "base/prng.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

static uint64_t splitmix64(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;

    uint64_t z = *state;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void wf_prng_seed(struct wf_prng *p, uint64_t seed)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(p->s); i++) {
        p->s[i] = splitmix64(&seed);
    }
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

uint64_t wf_prng_next(struct wf_prng *p)
{
    const uint64_t result = rotate(p->s[1] * 5, 7) * 9;
    const uint64_t t = p->s[1] << 17;

    p->s[2] ^= p->s[0];
    p->s[3] ^= p->s[1];
    p->s[1] ^= p->s[2];
    p->s[0] ^= p->s[3];
    p->s[2] ^= t;
    p->s[3] = rotate(p->s[3], 45);
    return result;
}

uint64_t wf_prng_below(struct wf_prng *p, uint64_t bound)
{
    const struct wf_rng rng = wf_prng_rng(p);

    return wf_random_below(&rng, bound);
}

uint64_t wf_prng_between(struct wf_prng *p, uint64_t min, uint64_t max)
{
    WEFT_ASSERT(min <= max);
    if (max - min == UINT64_MAX)
        return wf_prng_next(p);
    return min + wf_prng_below(p, max - min + 1);
}

bool wf_prng_chance(struct wf_prng *p, uint64_t num, uint64_t den)
{
    return wf_prng_below(p, den) < num;
}

struct wf_prng wf_prng_fork(struct wf_prng *p)
{
    struct wf_prng fork;

    wf_prng_seed(&fork, wf_prng_next(p));
    return fork;
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
    struct wf_prng *p = (struct wf_prng *)ctx;
    uint8_t bytes[8];

    while (len >= sizeof bytes) {
        wf_store_u64(out, wf_prng_next(p));
        out += sizeof bytes;
        len -= sizeof bytes;
    }
    if (len > 0) {
        wf_store_u64(bytes, wf_prng_next(p));
        memcpy(out, bytes, len);
    }
}

struct wf_rng wf_prng_rng(struct wf_prng *p)
{
    return (struct wf_rng){.fill = fill, .ctx = p};
}
