/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - one thread's wait for sockets, timers and wake-ups from other threads (epoll).
 *
 * Watches, timers and wakers are structs of the caller, zeroed before first use; the loop keeps
 * pointers to them, so each leaves the loop before it goes. A callback may add and remove anything,
 * itself too, but must not run the loop.
 *
 * A program that has a loop of its own puts wf_loop_fd into it and calls wf_loop_run_once(loop, 0)
 * when that is readable.
 *
 * Threads  The loop's own thread, but for wf_waker_wake and wf_loop_stop, which any thread and any
 * signal handler may call between wf_loop_new and wf_loop_free.
 */
#ifndef WF_NET_LOOP_H
#define WF_NET_LOOP_H

#include <stdatomic.h>

#include "base/heap.h"
#include "base/mem.h"
#include "net/clock.h"

#define WF_LOOP_TIMERS_MAX 65536u

struct wf_loop;

WEFT_NODISCARD weft_err wf_loop_new(struct wf_loop **out, struct wf_mem *mem);

/* Nothing may be left in it but what will never be touched again. NULL is allowed. */
void wf_loop_free(struct wf_loop *loop);

/* Readable whenever wf_loop_run_once would find something to do, timers included. */
int wf_loop_fd(struct wf_loop *loop);

/* The clock as read after the last wait: cheap, and the same for all callbacks of one round. */
weft_time wf_loop_now(const struct wf_loop *loop);

/* After the last event, look again without sleeping for this long: waking a sleeping core costs
 * tens of microseconds. 0, the default: sleep at once. */
void wf_loop_set_spin(struct wf_loop *loop, uint64_t spin_us);

/* One round: waits until something is there, a timer is due or wait_max_us have passed
 * (WEFT_TIME_NEVER: no limit), then runs what is due. WEFT_ERR_IO: epoll itself failed. */
WEFT_NODISCARD weft_err wf_loop_run_once(struct wf_loop *loop, uint64_t wait_max_us);

/* Rounds until wf_loop_stop; a stop that came before is honoured, and used up. */
WEFT_NODISCARD weft_err wf_loop_run(struct wf_loop *loop);
void wf_loop_stop(struct wf_loop *loop);

/* ---- file descriptors ---- */

#define WF_READABLE 1u
#define WF_WRITABLE 2u
#define WF_BROKEN 4u /* error or hang-up: told whether asked for or not */

typedef void (*wf_watch_fn)(void *ctx, unsigned events);

struct wf_watch {
    wf_watch_fn fn;
    void *ctx;
    int fd; /* set by wf_loop_watch; stays the caller's to close, after wf_loop_unwatch */
    unsigned interest;
    bool is_in;
};

/* fn and ctx are set by the caller. The watch tells as long as the state lasts, not once.
 * WEFT_ERR_IO: the system cannot watch that descriptor. */
WEFT_NODISCARD weft_err wf_loop_watch(struct wf_loop *loop, struct wf_watch *w, int fd,
                                      unsigned interest);

/* Cheap when nothing changes. The watch is in. */
WEFT_NODISCARD weft_err wf_loop_rewatch(struct wf_loop *loop, struct wf_watch *w,
                                        unsigned interest);

/* No callback follows, not even for what was found in this round. Harmless when it is not in. */
void wf_loop_unwatch(struct wf_loop *loop, struct wf_watch *w);

/* ---- timers ---- */

typedef void (*wf_timer_fn)(void *ctx);

struct wf_timer {
    struct wf_heap_node node;
    wf_timer_fn fn;
    void *ctx;
};

/* Sets or moves it; WEFT_TIME_NEVER clears it. It is called once, at or after due, and is out of
 * the loop by then. Fails only when it was not set: WEFT_ERR_NOMEM, or WEFT_ERR_LIMIT for
 * WF_LOOP_TIMERS_MAX. */
WEFT_NODISCARD weft_err wf_timer_set(struct wf_loop *loop, struct wf_timer *t, weft_time due);
void wf_timer_clear(struct wf_loop *loop, struct wf_timer *t);

/* ---- wake-ups ---- */

typedef void (*wf_waker_fn)(void *ctx);

struct wf_waker {
    wf_waker_fn fn;
    void *ctx;
    struct wf_loop *loop;
    struct wf_waker *next;
    atomic_bool pending;
};

/* fn and ctx are set by the caller. */
void wf_loop_add_waker(struct wf_loop *loop, struct wf_waker *w);
void wf_loop_remove_waker(struct wf_loop *loop, struct wf_waker *w);

/* Has fn called in the loop's thread, soon; calls that come before it runs become one. The waker is
 * in a loop. */
void wf_waker_wake(struct wf_waker *w);

#endif
