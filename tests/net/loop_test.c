/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop_test.c - descriptors, timers, wake-ups from threads and signals.
 */
#include "net/loop.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "net/signals.h"
#include "test.h"

#define LOG_MAX 64

/* What was called, in order. */
static int seen[LOG_MAX];
static size_t seen_count;
static struct wf_loop *loop;

static void note(int what)
{
    CHECK(seen_count < LOG_MAX);
    seen[seen_count++] = what;
}

static void start(void)
{
    seen_count = 0;
    CHECK_OK(wf_loop_new(&loop, test_mem()));
}

static void stop(void)
{
    wf_loop_free(loop);
    loop = NULL;
}

static void round_now(void)
{
    CHECK_OK(wf_loop_run_once(loop, 0));
}

/* ---- descriptors ---- */

struct end {
    struct wf_watch watch;
    struct wf_watch *other; /* taken out by the callback */
    int fds[2];
    unsigned events;
    int name;
};

static void on_end(void *ctx, unsigned events)
{
    struct end *e = ctx;

    e->events = events;
    note(e->name);
    if (e->other != NULL) {
        wf_loop_unwatch(loop, e->other);
    }
}

static void open_end(struct end *e, int name)
{
    *e = (struct end){.name = name, .watch = {.fn = on_end, .ctx = e}};
    CHECK_EQ(pipe2(e->fds, O_CLOEXEC | O_NONBLOCK), 0);
}

static void close_end(struct end *e)
{
    wf_loop_unwatch(loop, &e->watch);
    (void)close(e->fds[0]);
    if (e->fds[1] >= 0) {
        (void)close(e->fds[1]);
    }
}

TEST(a_readable_descriptor_is_told_about_as_long_as_it_is)
{
    struct end e;
    char c = 0;

    start();
    open_end(&e, 1);
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[0], WF_READABLE));
    round_now();
    CHECK_EQ(seen_count, 0);
    CHECK_EQ(write(e.fds[1], "x", 1), 1);
    round_now();
    round_now();
    CHECK_EQ(seen_count, 2);
    CHECK_EQ(e.events, WF_READABLE);
    CHECK_EQ(read(e.fds[0], &c, 1), 1);
    round_now();
    CHECK_EQ(seen_count, 2);
    close_end(&e);
    stop();
}

TEST(interest_can_change_and_a_hang_up_is_always_told)
{
    struct end e;

    start();
    open_end(&e, 1);
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[0], 0));
    CHECK_EQ(write(e.fds[1], "x", 1), 1);
    round_now();
    CHECK_EQ(seen_count, 0);
    CHECK_OK(wf_loop_rewatch(loop, &e.watch, WF_READABLE));
    CHECK_OK(wf_loop_rewatch(loop, &e.watch, WF_READABLE));
    round_now();
    CHECK_EQ(seen_count, 1);
    CHECK_OK(wf_loop_rewatch(loop, &e.watch, 0));
    round_now();
    CHECK_EQ(seen_count, 1);
    (void)close(e.fds[1]);
    e.fds[1] = -1;
    round_now();
    CHECK_EQ(seen_count, 2);
    CHECK((e.events & WF_BROKEN) != 0);
    close_end(&e);
    stop();
}

TEST(a_writable_descriptor_is_told_about)
{
    struct end e;

    start();
    open_end(&e, 1);
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[1], WF_WRITABLE));
    round_now();
    CHECK_EQ(e.events, WF_WRITABLE);
    close_end(&e);
    stop();
}

TEST(a_watch_removed_by_a_callback_is_not_called_in_the_same_round)
{
    struct end a;
    struct end b;

    start();
    open_end(&a, 1);
    open_end(&b, 2);
    a.other = &b.watch;
    b.other = &a.watch;
    CHECK_OK(wf_loop_watch(loop, &a.watch, a.fds[0], WF_READABLE));
    CHECK_OK(wf_loop_watch(loop, &b.watch, b.fds[0], WF_READABLE));
    CHECK_EQ(write(a.fds[1], "x", 1), 1);
    CHECK_EQ(write(b.fds[1], "x", 1), 1);
    round_now();
    CHECK_EQ(seen_count, 1); /* whichever came first removed the other */
    close_end(&a);
    close_end(&b);
    stop();
}

TEST(a_watch_may_remove_itself)
{
    struct end e;

    start();
    open_end(&e, 1);
    e.other = &e.watch;
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[0], WF_READABLE));
    CHECK_EQ(write(e.fds[1], "x", 1), 1);
    round_now();
    round_now();
    CHECK_EQ(seen_count, 1);
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[0], WF_READABLE)); /* and come back */
    round_now();
    CHECK_EQ(seen_count, 2);
    close_end(&e);
    stop();
}

TEST(a_descriptor_that_cannot_be_watched_is_an_error)
{
    struct wf_watch w = {.fn = on_end};

    start();
    CHECK_EQ(wf_loop_watch(loop, &w, -1, WF_READABLE), WEFT_ERR_IO);
    CHECK(!w.is_in);
    stop();
}

/* ---- timers ---- */

struct alarm {
    struct wf_timer timer;
    int name;
    weft_time due;
    weft_time again; /* set once more to this by the callback, unless 0 */
};

static void on_alarm(void *ctx)
{
    struct alarm *a = ctx;

    CHECK(wf_loop_now(loop) >= a->due);
    note(a->name);
    if (a->again != 0) {
        a->due = a->again;
        CHECK_OK(wf_timer_set(loop, &a->timer, a->again));
    }
}

static void set(struct alarm *a, int name, weft_time due)
{
    a->name = name;
    a->due = due;
    a->timer.fn = on_alarm;
    a->timer.ctx = a;
    CHECK_OK(wf_timer_set(loop, &a->timer, due));
}

TEST(timers_run_in_the_order_in_which_they_are_due)
{
    static const int delays[] = {5, 1, 4, 2, 3};
    struct alarm alarms[5] = {0};

    start();
    weft_time now = wf_clock_now();
    for (size_t i = 0; i < 5; i++)
        set(&alarms[i], delays[i], now + 200u * (weft_time)delays[i]);
    while (seen_count < 5)
        CHECK_OK(wf_loop_run_once(loop, WEFT_TIME_NEVER));
    for (int i = 0; i < 5; i++)
        CHECK_EQ(seen[i], i + 1);
    stop();
}

TEST(timers_due_together_run_in_the_order_of_their_deadlines)
{
    struct alarm alarms[4] = {0};

    start();
    weft_time now = wf_clock_now();
    for (int i = 0; i < 4; i++)
        set(&alarms[i], i, now - 10u * (weft_time)(i + 1));
    round_now();
    CHECK_EQ(seen_count, 4);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(seen[i], 3 - i);
    stop();
}

TEST(a_timer_can_be_moved_and_cleared)
{
    struct alarm a = {0};
    struct alarm b = {0};

    start();
    weft_time now = wf_clock_now();
    set(&a, 1, now);
    wf_timer_clear(loop, &a.timer);
    wf_timer_clear(loop, &a.timer);
    round_now();
    CHECK_EQ(seen_count, 0);
    set(&a, 1, now + 3600u * 1000000u);
    set(&b, 2, now);
    set(&a, 1, now - 1);
    CHECK_OK(wf_timer_set(loop, &b.timer, WEFT_TIME_NEVER));
    round_now();
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(seen[0], 1);
    stop();
}

TEST(a_timer_set_again_to_the_past_waits_for_the_next_round)
{
    struct alarm a = {0};
    struct end e;

    start();
    open_end(&e, 7);
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[0], WF_READABLE));
    CHECK_EQ(write(e.fds[1], "x", 1), 1);
    a.again = 1;
    set(&a, 1, 1);
    for (int i = 0; i < 3; i++)
        round_now();
    CHECK_EQ(seen_count, 6);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(seen[i], i % 2 == 0 ? 7 : 1); /* the descriptor has its turn */
    wf_timer_clear(loop, &a.timer);
    close_end(&e);
    stop();
}

TEST(a_wait_ends_without_any_event)
{
    start();
    weft_time before = wf_clock_now();
    CHECK_OK(wf_loop_run_once(loop, 1500));
    CHECK(wf_clock_now() - before >= 1500);
    CHECK(wf_loop_now(loop) - before >= 1500);
    stop();
}

TEST(a_spinning_loop_sees_the_same_as_a_sleeping_one)
{
    struct alarm a = {0};
    struct end e;

    start();
    wf_loop_set_spin(loop, 300);
    open_end(&e, 2);
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[0], WF_READABLE));
    set(&a, 1, wf_clock_now() + 1000); /* past the end of the spin */
    while (seen_count < 1)
        CHECK_OK(wf_loop_run_once(loop, WEFT_TIME_NEVER));
    CHECK_EQ(write(e.fds[1], "x", 1), 1);
    CHECK_OK(wf_loop_run_once(loop, WEFT_TIME_NEVER));
    CHECK_EQ(seen[1], 2);
    close_end(&e);
    stop();
}

TEST(timers_have_a_limit)
{
    struct alarm *many = calloc(WF_LOOP_TIMERS_MAX, sizeof *many);
    struct alarm more = {.timer = {.fn = on_alarm}};

    CHECK(many != NULL);
    start();
    weft_time later = wf_clock_now() + 3600u * 1000000u;
    for (size_t i = 0; i < WF_LOOP_TIMERS_MAX; i++)
        set(&many[i], 1, later + i);
    CHECK_EQ(wf_timer_set(loop, &more.timer, later), WEFT_ERR_LIMIT);
    wf_timer_clear(loop, &many[9].timer);
    CHECK_OK(wf_timer_set(loop, &more.timer, later));
    stop();
    free(many);
}

/* ---- inside another loop ---- */

static bool is_ready(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, wait_ms) == 1;
}

TEST(a_loop_inside_another_is_readable_when_it_has_something_to_do)
{
    struct alarm a = {0};
    struct alarm b = {0};
    struct end e;

    start();
    int fd = wf_loop_fd(loop);
    CHECK(fd >= 0);
    CHECK_EQ(wf_loop_fd(loop), fd);
    CHECK(!is_ready(fd, 0));
    weft_time now = wf_clock_now();
    set(&a, 1, now + 60u * 1000000u);
    set(&b, 2, now + 1000); /* earlier than what is armed */
    CHECK(is_ready(fd, 60000));
    while (seen_count == 0)
        round_now();
    CHECK_EQ(seen[0], 2);
    CHECK(!is_ready(fd, 0));
    set(&b, 3, 0); /* the past, and the very beginning */
    CHECK(is_ready(fd, 60000));
    round_now();
    CHECK_EQ(seen[1], 3);
    open_end(&e, 4);
    CHECK_OK(wf_loop_watch(loop, &e.watch, e.fds[0], WF_READABLE));
    CHECK(!is_ready(fd, 0));
    CHECK_EQ(write(e.fds[1], "x", 1), 1);
    CHECK(is_ready(fd, 60000));
    close_end(&e);
    wf_timer_clear(loop, &a.timer);
    stop();
}

TEST(a_loop_with_a_timerfd_waits_by_itself_too)
{
    struct alarm a = {0};

    start();
    CHECK(wf_loop_fd(loop) >= 0);
    set(&a, 1, wf_clock_now() + 500);
    while (seen_count == 0)
        CHECK_OK(wf_loop_run_once(loop, WEFT_TIME_NEVER));
    weft_time before = wf_clock_now();
    CHECK_OK(wf_loop_run_once(loop, 1500));
    CHECK(wf_clock_now() - before >= 1500);
    stop();
}

/* ---- wake-ups ---- */

#define THREADS 4
#define WAKES 5000

struct counter {
    struct wf_waker waker;
    atomic_uint sent;
    unsigned taken;
};

static void on_wake(void *ctx)
{
    struct counter *c = ctx;

    c->taken = atomic_load(&c->sent);
}

static void *wake_often(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add(&c->sent, 1);
        wf_waker_wake(&c->waker);
    }
    return NULL;
}

TEST(no_wake_up_of_many_threads_is_lost)
{
    struct counter counters[2] = {{.waker = {.fn = on_wake}}, {.waker = {.fn = on_wake}}};
    pthread_t threads[THREADS];

    start();
    for (size_t i = 0; i < 2; i++) {
        counters[i].waker.ctx = &counters[i];
        wf_loop_add_waker(loop, &counters[i].waker);
    }
    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, wake_often, &counters[i % 2]), 0);
    /* A lost wake-up would leave this waiting for ever. */
    while (counters[0].taken + counters[1].taken < THREADS * WAKES)
        CHECK_OK(wf_loop_run_once(loop, WEFT_TIME_NEVER));
    for (size_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < 2; i++)
        wf_loop_remove_waker(loop, &counters[i].waker);
    wf_loop_remove_waker(loop, &counters[0].waker);
    stop();
}

struct self_waker {
    struct wf_waker waker;
    struct wf_waker *other;
    int name;
    int left;
};

static void on_self(void *ctx)
{
    struct self_waker *s = ctx;

    note(s->name);
    if (s->left-- > 0) {
        wf_waker_wake(&s->waker);
    }
    if (s->other != NULL) {
        wf_loop_remove_waker(loop, s->other);
    }
}

TEST(a_waker_that_wakes_itself_is_called_again_and_again)
{
    struct self_waker s = {.waker = {.fn = on_self}, .name = 1, .left = 3};

    start();
    s.waker.ctx = &s;
    wf_loop_add_waker(loop, &s.waker);
    wf_waker_wake(&s.waker);
    for (int i = 0; i < 8; i++)
        round_now();
    CHECK_EQ(seen_count, 4);
    wf_loop_remove_waker(loop, &s.waker);
    stop();
}

TEST(a_waker_removed_by_another_is_not_called)
{
    struct self_waker a = {.waker = {.fn = on_self}, .name = 1};
    struct self_waker b = {.waker = {.fn = on_self}, .name = 2};

    start();
    a.waker.ctx = &a;
    b.waker.ctx = &b;
    a.other = &b.waker;
    b.other = &a.waker;
    wf_loop_add_waker(loop, &a.waker);
    wf_loop_add_waker(loop, &b.waker);
    wf_waker_wake(&a.waker);
    wf_waker_wake(&b.waker);
    round_now();
    round_now();
    CHECK_EQ(seen_count, 1);
    wf_loop_remove_waker(loop, &a.waker);
    wf_loop_remove_waker(loop, &b.waker);
    stop();
}

TEST(a_stop_before_the_run_is_honoured_once)
{
    start();
    wf_loop_stop(loop);
    wf_loop_stop(loop);
    CHECK_OK(wf_loop_run(loop));
    CHECK_OK(wf_loop_run_once(loop, 0));
    CHECK(!is_ready(wf_loop_fd(loop), 0)); /* nothing is left ringing */
    stop();
}

static void *stop_it(void *arg)
{
    (void)arg;
    wf_loop_stop(loop);
    return NULL;
}

TEST(another_thread_can_stop_the_loop)
{
    pthread_t thread;

    start();
    CHECK_EQ(pthread_create(&thread, NULL, stop_it, NULL), 0);
    CHECK_OK(wf_loop_run(loop));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    stop();
}

static void stop_in_handler(int number)
{
    (void)number;
    wf_loop_stop(loop);
}

static void raise_it(void *ctx)
{
    (void)ctx;
    (void)raise(SIGUSR1);
}

TEST(a_signal_handler_can_stop_the_loop)
{
    struct wf_timer t = {.fn = raise_it};
    struct sigaction action = {.sa_handler = stop_in_handler};
    struct sigaction before;

    start();
    CHECK_EQ(sigaction(SIGUSR1, &action, &before), 0);
    CHECK_OK(wf_timer_set(loop, &t, 1));
    CHECK_OK(wf_loop_run(loop));
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
    stop();
}

/* ---- signals as events ---- */

static void on_signal(void *ctx, int number)
{
    note(number);
    if (ctx != NULL && number == SIGTERM) {
        wf_signals_close(ctx);
    }
}

TEST(signals_arrive_as_events_and_not_before_they_are_asked_for)
{
    static const int numbers[] = {SIGUSR1, SIGTERM, 0};
    struct wf_signals s = {.fn = on_signal};
    sigset_t before;
    sigset_t after;

    start();
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    s.ctx = &s;
    CHECK_OK(wf_signals_open(&s, loop, numbers));
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(kill(getpid(), SIGTERM), 0);
    CHECK_EQ(seen_count, 0);
    while (seen_count < 2)
        round_now();
    CHECK_EQ(seen[0] + seen[1], SIGUSR1 + SIGTERM);
    wf_signals_close(&s);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    CHECK_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
    CHECK_EQ(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
    stop();
}

TEST(a_pending_signal_is_dropped_by_closing)
{
    static const int numbers[] = {SIGTERM, 0};
    struct wf_signals s = {.fn = on_signal};

    start();
    CHECK_OK(wf_signals_open(&s, loop, numbers));
    CHECK_EQ(kill(getpid(), SIGTERM), 0);
    wf_signals_close(&s); /* the test would end here otherwise */
    round_now();
    CHECK_EQ(seen_count, 0);
    stop();
}

/* ---- the rest ---- */

TEST(every_failing_allocation_of_a_loop_is_reported)
{
    struct wf_mem *mem = test_mem();
    struct wf_timer t = {.fn = raise_it};

    loop = NULL;
    mem->fail_at = 1;
    CHECK_EQ(wf_loop_new(&loop, mem), WEFT_ERR_NOMEM);
    CHECK(loop == NULL);
    CHECK_OK(wf_loop_new(&loop, mem));
    mem->fail_at = mem->attempts + 1;
    CHECK_EQ(wf_timer_set(loop, &t, 1), WEFT_ERR_NOMEM);
    round_now();
    stop();
    wf_loop_free(NULL);
}

TEST(the_clock_never_steps_back_and_the_wall_clock_is_of_this_century)
{
    weft_time last = wf_clock_now();

    for (int i = 0; i < 1000; i++) {
        weft_time now = wf_clock_now();
        CHECK(now >= last);
        last = now;
    }
    CHECK(wf_clock_wall_ms() > 946684800000u);
}
