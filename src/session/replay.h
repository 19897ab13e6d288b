/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.h - which packet numbers were seen: a sliding bitmap (RFC 6479's idea), constant work for
 * any jump.
 */
#ifndef WF_SESSION_REPLAY_H
#define WF_SESSION_REPLAY_H

#include "base/compiler.h"

#define WF_REPLAY_BITS 16384u /* at least twice what may be in flight; the spec asks for 2,048 */

struct wf_replay {
    uint64_t highest; /* highest authenticated number, 0: none yet */
    uint64_t words[WF_REPLAY_BITS / 64 + 1];
};

void wf_replay_init(struct wf_replay *w);

/* True when n is neither below the window nor seen. */
bool wf_replay_fresh(const struct wf_replay *w, uint64_t n);

/* Marks n as seen; false when it already was (two copies in one batch). */
bool wf_replay_mark(struct wf_replay *w, uint64_t n);

/* Of the last 64 numbers those that were not seen: bit i is highest - i (numbers from 1 on). */
uint64_t wf_replay_missing(const struct wf_replay *w);

/* A window of 64 numbers: what lies below it counts as seen, for good. */
void wf_replay_restore(struct wf_replay *w, uint64_t highest, uint64_t missing);

#endif
