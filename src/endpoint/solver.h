/* SPDX-License-Identifier: Apache-2.0 */
/*
 * solver.h - proof of work in threads of its own, so that a node goes on while it is asked for
 * some.
 *
 * Jobs share the threads in turn, a few milliseconds each: one that lasts keeps no other from its
 * end. What was found is told in the loop's thread. A job holds no secret.
 *
 * Threads  All calls in the loop's thread. The workers take no signals and never touch the loop but
 *          to wake it.
 * Fork     The child has no workers: there the solver can be freed, and does nothing else.
 */
#ifndef WF_ENDPOINT_SOLVER_H
#define WF_ENDPOINT_SOLVER_H

#include "net/loop.h"
#include "session/work.h"

#define WF_SOLVER_THREADS_MAX 16u
#define WF_SOLVER_JOBS_MAX 64u

struct wf_solver;

struct wf_solver_config {
    struct wf_mem *mem;
    struct wf_loop *loop;
    unsigned threads;  /* at most WF_SOLVER_THREADS_MAX; started when first needed */
    wf_waker_fn found; /* wf_solver_next has something */
    void *ctx;
};

/* The number of processors that are online, within the bounds of `threads`. */
unsigned wf_solver_threads_wanted(void);

WEFT_NODISCARD weft_err wf_solver_new(struct wf_solver **out, const struct wf_solver_config *c);

/* Gives all jobs up and waits for the workers: milliseconds. NULL is allowed. */
void wf_solver_free(struct wf_solver *s);

/* WEFT_ERR_LIMIT: WF_SOLVER_JOBS_MAX are there. id must not be in use. */
WEFT_NODISCARD weft_err wf_solver_add(struct wf_solver *s, uint64_t id, const struct wf_work *work);

/* Nothing will be told of it; a worker may go on with it for some milliseconds. Harmless when it is
 * not there. */
void wf_solver_cancel(struct wf_solver *s, uint64_t id);

/* A job that was solved, which ends it; false: none. */
bool wf_solver_next(struct wf_solver *s, uint64_t *id, uint64_t *nonce);

/* Tries that went into it; 0 when it is not there. */
uint64_t wf_solver_tries(struct wf_solver *s, uint64_t id);

/* Tries of this algorithm a second that all workers do together, as measured lately; 0: not known
 * yet. */
uint64_t wf_solver_rate(struct wf_solver *s, unsigned alg);

/* True when no thread could be started: somebody must call wf_solver_turn again and again, which
 * does a few milliseconds of work. */
bool wf_solver_is_alone(struct wf_solver *s);
void wf_solver_turn(struct wf_solver *s);

#endif
