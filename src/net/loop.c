/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c - epoll, a heap of timers and an eventfd.
 *
 * Timers wait through epoll_pwait2, to the nanosecond and without a call to arm anything. Where the
 * kernel has no such call, or the loop lies inside somebody else's, a timerfd in the same epoll is
 * armed instead.
 */
#include "net/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/os_error.h"

/* Descriptors told about in one round. */
#define EVENTS_MAX 64

struct wf_loop {
    int epoll_fd;
    int wake_fd;
    int timer_fd;        /* -1 until it is needed */
    weft_time armed_for; /* what timer_fd is set to */
    weft_time now;
    weft_time active_at; /* when something last happened */
    uint64_t spin_us;
    struct wf_heap timers;
    struct wf_waker *wakers;
    struct epoll_event ready[EVENTS_MAX];
    size_t ready_count;
    bool is_running;
    atomic_bool woken; /* wake_fd is readable, or about to be */
    atomic_bool stop;
    struct wf_mem *mem;
};

/* ---- set-up ---- */

static bool add_own(struct wf_loop *loop, int fd, void *mark)
{
    struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = mark}};

    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static weft_err open_fds(struct wf_loop *loop)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return wf_socket_error(errno);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0 || !add_own(loop, loop->wake_fd, &loop->wake_fd))
        return wf_socket_error(errno);
    return WEFT_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

weft_err wf_loop_new(struct wf_loop **out, struct wf_mem *mem)
{
    struct wf_loop *loop = wf_alloc(mem, sizeof *loop);

    if (loop == NULL)
        return WEFT_ERR_NOMEM;
    loop->mem = mem;
    loop->epoll_fd = loop->wake_fd = loop->timer_fd = -1;
    loop->armed_for = WEFT_TIME_NEVER;
    loop->now = loop->active_at = wf_clock_now();
    wf_heap_init(&loop->timers, mem, WF_LOOP_TIMERS_MAX);
    weft_err err = open_fds(loop);
    if (err != WEFT_OK) {
        wf_loop_free(loop);
        return err;
    }
    *out = loop;
    return WEFT_OK;
}

void wf_loop_free(struct wf_loop *loop)
{
    if (loop == NULL)
        return;
    close_fd(loop->timer_fd);
    close_fd(loop->wake_fd);
    close_fd(loop->epoll_fd);
    wf_heap_deinit(&loop->timers);
    wf_free(loop->mem, loop, sizeof *loop);
}

weft_time wf_loop_now(const struct wf_loop *loop)
{
    return loop->now;
}

void wf_loop_set_spin(struct wf_loop *loop, uint64_t spin_us)
{
    loop->spin_us = spin_us;
}

/* ---- descriptors ---- */

static uint32_t epoll_bits(unsigned interest)
{
    return ((interest & WF_READABLE) != 0 ? (uint32_t)EPOLLIN : 0u) |
           ((interest & WF_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0u);
}

static unsigned events_of(uint32_t bits)
{
    return ((bits & EPOLLIN) != 0 ? WF_READABLE : 0u) |
           ((bits & EPOLLOUT) != 0 ? WF_WRITABLE : 0u) |
           ((bits & (EPOLLERR | EPOLLHUP)) != 0 ? WF_BROKEN : 0u);
}

weft_err wf_loop_watch(struct wf_loop *loop, struct wf_watch *w, int fd, unsigned interest)
{
    struct epoll_event ev = {.events = epoll_bits(interest), .data = {.ptr = w}};

    WEFT_ASSERT(!w->is_in);
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        return WEFT_ERR_IO;
    w->fd = fd;
    w->interest = interest;
    w->is_in = true;
    return WEFT_OK;
}

weft_err wf_loop_rewatch(struct wf_loop *loop, struct wf_watch *w, unsigned interest)
{
    struct epoll_event ev = {.events = epoll_bits(interest), .data = {.ptr = w}};

    WEFT_ASSERT(w->is_in);
    if (w->interest == interest)
        return WEFT_OK;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) != 0)
        return WEFT_ERR_IO;
    w->interest = interest;
    return WEFT_OK;
}

void wf_loop_unwatch(struct wf_loop *loop, struct wf_watch *w)
{
    if (!w->is_in)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->is_in = false;
    for (size_t i = 0; i < loop->ready_count; i++) {
        if (loop->ready[i].data.ptr == w) {
            loop->ready[i].data.ptr = NULL;
        }
    }
}

/* ---- timers ---- */

/* Arms the timerfd, if there is one, for the first timer. One that fires early does no harm, so it
 * is touched only when it would fire late. */
static void arm(struct wf_loop *loop)
{
    weft_time due = wf_heap_deadline(&loop->timers);

    if (loop->timer_fd < 0 || due >= loop->armed_for)
        return;
    /* All zeros would disarm it. */
    weft_time at = due == 0 ? 1 : due;
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(at / 1000000u), .tv_nsec = (long)(at % 1000000u) * 1000}};
    WEFT_ASSERT(timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0);
    loop->armed_for = due;
}

static void disarmed(struct wf_loop *loop)
{
    uint64_t count = 0;

    if (read(loop->timer_fd, &count, sizeof count) == (ssize_t)sizeof count) {
        loop->armed_for = WEFT_TIME_NEVER;
    }
}

static bool need_timer_fd(struct wf_loop *loop)
{
    if (loop->timer_fd >= 0)
        return true;
    loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (loop->timer_fd < 0)
        return false;
    if (!add_own(loop, loop->timer_fd, &loop->timer_fd)) {
        close_fd(loop->timer_fd);
        loop->timer_fd = -1;
        return false;
    }
    arm(loop);
    return true;
}

int wf_loop_fd(struct wf_loop *loop)
{
    return need_timer_fd(loop) ? loop->epoll_fd : -1;
}

weft_err wf_timer_set(struct wf_loop *loop, struct wf_timer *t, weft_time due)
{
    weft_err err = wf_heap_set(&loop->timers, &t->node, due);

    arm(loop);
    return err;
}

void wf_timer_clear(struct wf_loop *loop, struct wf_timer *t)
{
    wf_heap_remove(&loop->timers, &t->node);
}

/* A timer that is set again to the past waits for the next round, so that descriptors get their
 * turn. */
static void run_timers(struct wf_loop *loop)
{
    for (size_t left = loop->timers.count; left > 0; left--) {
        struct wf_heap_node *node = wf_heap_pop_due(&loop->timers, loop->now);
        if (node == NULL)
            break;
        struct wf_timer *t = WF_CONTAINER_OF(node, struct wf_timer, node);
        loop->active_at = loop->now;
        t->fn(t->ctx);
    }
    arm(loop);
}

/* ---- wake-ups ---- */

static void ring(struct wf_loop *loop)
{
    uint64_t one = 1;
    int code = errno; /* a signal handler may be calling */

    if (!atomic_exchange(&loop->woken, true)) {
        /* It can fail only when the counter is full, and then the descriptor is readable already.
         */
        ssize_t written = write(loop->wake_fd, &one, sizeof one);
        (void)written;
    }
    errno = code;
}

void wf_waker_wake(struct wf_waker *w)
{
    atomic_store(&w->pending, true);
    ring(w->loop);
}

void wf_loop_stop(struct wf_loop *loop)
{
    atomic_store(&loop->stop, true);
    ring(loop);
}

void wf_loop_add_waker(struct wf_loop *loop, struct wf_waker *w)
{
    w->loop = loop;
    w->next = loop->wakers;
    atomic_store(&w->pending, false);
    loop->wakers = w;
}

void wf_loop_remove_waker(struct wf_loop *loop, struct wf_waker *w)
{
    for (struct wf_waker **at = &loop->wakers; *at != NULL; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            return;
        }
    }
}

static struct wf_waker *next_pending(struct wf_loop *loop)
{
    for (struct wf_waker *w = loop->wakers; w != NULL; w = w->next) {
        if (atomic_exchange(&w->pending, false))
            return w;
    }
    return NULL;
}

/* `woken` is cleared before the wakers are looked at: a wake that comes later rings again. Starts
 * over after each callback, since it may have changed the list; a waker that wakes itself waits for
 * the next round. */
static void run_wakers(struct wf_loop *loop)
{
    uint64_t rung = 0;
    size_t count = 0;

    if (read(loop->wake_fd, &rung, sizeof rung) != (ssize_t)sizeof rung)
        return;
    atomic_store(&loop->woken, false);
    for (const struct wf_waker *w = loop->wakers; w != NULL; w = w->next) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        struct wf_waker *w = next_pending(loop);
        if (w == NULL)
            return;
        w->fn(w->ctx);
    }
    if (count > 0) {
        ring(loop); /* there may be more */
    }
}

/* ---- rounds ---- */

static int wait_ready(struct wf_loop *loop, uint64_t wait_us)
{
    struct timespec ts = {.tv_sec = (time_t)(wait_us / 1000000u),
                          .tv_nsec = (long)(wait_us % 1000000u) * 1000};

    if (wait_us == 0)
        return epoll_wait(loop->epoll_fd, loop->ready, EVENTS_MAX, 0);
    if (loop->timer_fd < 0) {
        int n = epoll_pwait2(loop->epoll_fd, loop->ready, EVENTS_MAX,
                             wait_us == WEFT_TIME_NEVER ? NULL : &ts, NULL);
        if (n >= 0 || errno != ENOSYS || !need_timer_fd(loop))
            return n;
    }
    /* The timerfd ends the wait for timers; the caller's own limit is rounded up to milliseconds.
     */
    uint64_t ms = wait_us / 1000 + (wait_us % 1000 != 0);
    return epoll_wait(loop->epoll_fd, loop->ready, EVENTS_MAX, ms > INT32_MAX ? -1 : (int)ms);
}

static uint64_t time_left(const struct wf_loop *loop, weft_time until)
{
    if (until == WEFT_TIME_NEVER)
        return WEFT_TIME_NEVER;
    return until > loop->now ? until - loop->now : 0;
}

/* Looks without sleeping until something is there or the spin is over. */
static int look(struct wf_loop *loop, weft_time until)
{
    int n = 0;

    while (n == 0 && loop->now < until && loop->now - loop->active_at < loop->spin_us) {
        n = wait_ready(loop, 0);
        loop->now = wf_clock_now();
    }
    return n;
}

static weft_err wait_until(struct wf_loop *loop, weft_time until)
{
    int n = look(loop, until);

    if (n == 0) {
        n = wait_ready(loop, time_left(loop, until));
    }
    if (n < 0 && errno != EINTR)
        return WEFT_ERR_IO;
    loop->now = wf_clock_now();
    loop->ready_count = n > 0 ? (size_t)n : 0;
    if (n > 0) {
        loop->active_at = loop->now;
    }
    return WEFT_OK;
}

static void run_ready(struct wf_loop *loop)
{
    for (size_t i = 0; i < loop->ready_count; i++) {
        void *mark = loop->ready[i].data.ptr;
        if (mark == NULL)
            continue; /* removed by a callback of this round */
        if (mark == &loop->wake_fd) {
            run_wakers(loop);
        } else if (mark == &loop->timer_fd) {
            disarmed(loop);
        } else {
            struct wf_watch *w = mark;
            w->fn(w->ctx, events_of(loop->ready[i].events));
        }
    }
    loop->ready_count = 0;
}

static weft_time earlier(weft_time a, weft_time b)
{
    return a < b ? a : b;
}

weft_err wf_loop_run_once(struct wf_loop *loop, uint64_t wait_max_us)
{
    weft_time until = WEFT_TIME_NEVER;

    WEFT_ASSERT(!loop->is_running);
    loop->now = wf_clock_now();
    if (wait_max_us < WEFT_TIME_NEVER - loop->now) {
        until = loop->now + wait_max_us;
    }
    weft_err err = wait_until(loop, earlier(until, wf_heap_deadline(&loop->timers)));
    if (err != WEFT_OK)
        return err;
    loop->is_running = true;
    run_ready(loop);
    run_timers(loop);
    loop->is_running = false;
    return WEFT_OK;
}

weft_err wf_loop_run(struct wf_loop *loop)
{
    weft_err err = WEFT_OK;

    while (err == WEFT_OK && !atomic_exchange(&loop->stop, false)) {
        err = wf_loop_run_once(loop, WEFT_TIME_NEVER);
    }
    return err;
}
