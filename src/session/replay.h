/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.h - which packet numbers were seen: a sliding bitmap (RFC 6479's idea), constant work for
 * any jump.
 *
 * It begins small, inside itself, and doubles when numbers that were marked, which only packets
 * that opened are, lie so far from the highest one that others may fall out of it. What had fallen
 * out before counts as seen for good.
 */
#ifndef WF_SESSION_REPLAY_H
#define WF_SESSION_REPLAY_H

#include "base/mem.h"

#define WF_REPLAY_FIRST 1024u    /* numbers */
#define WF_REPLAY_MAX (1u << 17) /* more than a second of full datagrams at 1 Gb/s */
#define WF_REPLAY_HEADROOM 4u    /* times what was seen of distance, it covers */

/* The struct must not move after init: it points into itself. */
struct wf_replay {
    uint64_t highest; /* highest authenticated number, 0: none yet */
    uint64_t *words;  /* number n is bit n % bits */
    uint64_t bits;    /* a power of two */
    struct wf_mem *mem;
    uint64_t first[WF_REPLAY_FIRST / 64];
};

/* mem NULL: it never grows. */
void wf_replay_init(struct wf_replay *w, struct wf_mem *mem);
void wf_replay_deinit(struct wf_replay *w);

/* True when n is neither below the window nor seen. */
bool wf_replay_fresh(const struct wf_replay *w, uint64_t n);

/* Marks n as seen; false when it already was (two copies in one batch). Without memory to grow the
 * window stays as it is. */
bool wf_replay_mark(struct wf_replay *w, uint64_t n);

/* Of the last 64 numbers those that were not seen: bit i is highest - i (numbers from 1 on). */
uint64_t wf_replay_missing(const struct wf_replay *w);

/* After wf_replay_init: a window of 64 numbers; what lies below it counts as seen, for good. */
void wf_replay_restore(struct wf_replay *w, uint64_t highest, uint64_t missing);

#endif
