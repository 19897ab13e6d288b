/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.h - proof of work: algorithm 1, a hash (docs/spec/1-handshake.md, 1.3-2), and algorithm 2, a
 * random program (1.8).
 *
 * Memory   None but the stack: 18 KiB for algorithm 2.
 */
#ifndef WF_SESSION_WORK_H
#define WF_SESSION_WORK_H

#include "base/compiler.h"

struct wf_work {
    uint8_t alg; /* enum wf_work_alg; whatever is not PROGRAM is BLAKE2B */
    uint8_t cookie[16], n_c[16], e_c[32];
    uint32_t bid;
    uint8_t boxes_hash[32]; /* H(boxes) */
};

bool wf_work_check(const struct wf_work *w, uint64_t nonce);

/* What stands in a SOLVE's nonce where nothing is asked (SPEC 1.3-12): by it the server notices
 * that a copy was damaged, before that copy uses up one of the cookie's tries. */
uint64_t wf_work_unpaid(const struct wf_work *w);

/* Tries up to `tries` nonces from *nonce on. True: *nonce solves it. False: *nonce is where to go
 * on. Bounded, so that it can be cut into steps, moved to a thread and cancelled. */
bool wf_work_solve(const struct wf_work *w, uint64_t *nonce, uint64_t tries);

/* How many tries take about as long as so many of BLAKE2B; at least one unless tries is 0. */
uint64_t wf_work_slice(const struct wf_work *w, uint64_t tries);

#endif
