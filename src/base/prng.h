/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prng.h - a fast generator whose numbers follow from its seed, for simulators and tests
 * (xoshiro256**, seeded by splitmix64). It must never make a key outside of a simulation.
 */
#ifndef WF_BASE_PRNG_H
#define WF_BASE_PRNG_H

#include "base/rng.h"

struct wf_prng {
    uint64_t s[4];
};

void wf_prng_seed(struct wf_prng *p, uint64_t seed);

uint64_t wf_prng_next(struct wf_prng *p);

/* Uniform in 0..bound-1; bound > 0. */
uint64_t wf_prng_below(struct wf_prng *p, uint64_t bound);

/* Uniform in min..max, both included; min <= max. */
uint64_t wf_prng_between(struct wf_prng *p, uint64_t min, uint64_t max);

/* True with probability num / den; num may be 0 or above den. */
bool wf_prng_chance(struct wf_prng *p, uint64_t num, uint64_t den);

/* A generator of its own that follows from this one's state: draws from it do not change what this
 * one yields, so that a new part of a simulation leaves the others as they were. */
struct wf_prng wf_prng_fork(struct wf_prng *p);

/* The same numbers as a wf_rng, each as 8 bytes, most significant first; p must outlive it. */
struct wf_rng wf_prng_rng(struct wf_prng *p);

#endif
