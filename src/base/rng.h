/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng.h - the generator a core is handed. In a node it is the operating system's; in the simulator
 * it is seeded.
 */
#ifndef WF_BASE_RNG_H
#define WF_BASE_RNG_H

#include "base/compiler.h"

struct wf_rng {
    void (*fill)(void *ctx, uint8_t *out, size_t len); /* never fails: no entropy is an abort */
    void *ctx;
};

void wf_random(const struct wf_rng *rng, uint8_t *out, size_t len);
/* A secret: nothing may branch on it (base/ct.h). */
void wf_random_secret(const struct wf_rng *rng, uint8_t *out, size_t len);
uint64_t wf_random_u64(const struct wf_rng *rng);

/* Uniform in 0..bound-1; bound > 0. */
uint64_t wf_random_below(const struct wf_rng *rng, uint64_t bound);

#endif
