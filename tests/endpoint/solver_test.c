/* SPDX-License-Identifier: Apache-2.0 */
/*
 * solver_test.c - work in threads: it is found, told in the loop's thread, shared among jobs,
 * given up at once, and nothing is left behind, in a forked child neither.
 */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "endpoint/solver.h"
#include "net/loop.h"
#include "wire/handshake.h"

#define ROUNDS_MAX 60000u

struct desk {
    struct wf_loop *loop;
    struct wf_solver *solver;
    uint64_t ids[WF_SOLVER_JOBS_MAX], nonces[WF_SOLVER_JOBS_MAX];
    size_t count;
};

static void on_found(void *ctx)
{
    struct desk *d = ctx;

    while (wf_solver_next(d->solver, &d->ids[d->count], &d->nonces[d->count]))
        d->count++;
}

static void open_desk(struct desk *d, unsigned threads)
{
    struct wf_solver_config config = {
        .mem = test_mem(), .threads = threads, .found = on_found, .ctx = d};

    *d = (struct desk){.count = 0};
    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_loop_new(&d->loop, test_mem()));
    config.loop = d->loop;
    CHECK_OK(wf_solver_new(&d->solver, &config));
}

static void close_desk(struct desk *d)
{
    wf_solver_free(d->solver);
    wf_loop_free(d->loop);
}

static struct wf_work work_of(uint64_t id, uint8_t alg, uint32_t bid)
{
    struct wf_work w = {.alg = alg, .bid = bid};

    memset(w.cookie, (int)id, sizeof w.cookie);
    return w;
}

static void add(struct desk *d, uint64_t id, uint8_t alg, uint32_t bid)
{
    struct wf_work w = work_of(id, alg, bid);

    CHECK_OK(wf_solver_add(d->solver, id, &w));
}

static void wait_for(struct desk *d, size_t count)
{
    for (unsigned i = 0; d->count < count; i++) {
        CHECK(i < ROUNDS_MAX);
        if (wf_solver_is_alone(d->solver))
            wf_solver_turn(d->solver);
        CHECK_OK(wf_loop_run_once(d->loop, wf_solver_is_alone(d->solver) ? 0 : 1000));
    }
}

TEST(what_is_found_solves_the_job_with_any_number_of_threads)
{
    for (unsigned threads = 0; threads <= 3; threads++) {
        for (uint8_t alg = WF_WORK_BLAKE2B; alg <= WF_WORK_PROGRAM; alg++) {
            struct desk d;
            uint32_t bid = alg == WF_WORK_BLAKE2B ? 20000 : 200;

            open_desk(&d, threads);
            add(&d, 7, alg, bid);
            CHECK_EQ(wf_solver_is_alone(d.solver), threads == 0);
            wait_for(&d, 1);
            struct wf_work w = work_of(7, alg, bid);
            CHECK_EQ(d.ids[0], 7);
            CHECK(wf_work_check(&w, d.nonces[0]));
            CHECK_EQ(wf_solver_tries(d.solver, 7), 0); /* it is not there any more */
            close_desk(&d);
        }
    }
}

TEST(a_job_that_lasts_keeps_no_other_from_its_end)
{
    struct desk d;

    open_desk(&d, 1);
    add(&d, 1, WF_WORK_BLAKE2B, UINT32_MAX);
    for (uint64_t id = 2; id <= 5; id++)
        add(&d, id, WF_WORK_BLAKE2B, 1000);
    wait_for(&d, 4);
    for (size_t i = 0; i < 4; i++)
        CHECK(d.ids[i] != 1);
    CHECK(wf_solver_tries(d.solver, 1) > 0);
    close_desk(&d);
}

TEST(jobs_have_a_limit_and_those_that_are_given_up_make_room)
{
    struct desk d;

    open_desk(&d, 2);
    for (uint64_t id = 1; id <= WF_SOLVER_JOBS_MAX; id++)
        add(&d, id, WF_WORK_PROGRAM, UINT32_MAX);
    struct wf_work w = work_of(99, WF_WORK_BLAKE2B, 1);
    CHECK_EQ(wf_solver_add(d.solver, 99, &w), WEFT_ERR_LIMIT);
    wf_solver_cancel(d.solver, 98); /* not there: harmless */
    CHECK_EQ(wf_solver_add(d.solver, 99, &w), WEFT_ERR_LIMIT);
    wf_solver_cancel(d.solver, 5);
    CHECK_OK(wf_solver_add(d.solver, 99, &w));
    wait_for(&d, 1);
    CHECK_EQ(d.ids[0], 99);
    close_desk(&d); /* in the midst of the others */
}

TEST(what_was_given_up_is_not_told_though_a_worker_finds_it)
{
    struct desk d;
    uint64_t id = 0;
    uint64_t nonce = 0;

    open_desk(&d, 2);
    for (uint64_t i = 1; i <= 200; i++) {
        add(&d, i, WF_WORK_BLAKE2B, 1);
        wf_solver_cancel(d.solver, i);
        CHECK(!wf_solver_next(d.solver, &id, &nonce));
    }
    add(&d, 1000, WF_WORK_BLAKE2B, 1000);
    wait_for(&d, 1);
    CHECK_EQ(d.ids[0], 1000);
    close_desk(&d);
}

TEST(how_fast_it_is_turns_out_for_each_algorithm_alone)
{
    struct desk d;

    open_desk(&d, 2);
    for (unsigned alg = 0; alg < WF_WORK_ALGS; alg++)
        CHECK_EQ(wf_solver_rate(d.solver, alg), 0);
    add(&d, 1, WF_WORK_PROGRAM, UINT32_MAX);
    for (unsigned i = 0; wf_solver_rate(d.solver, WF_WORK_PROGRAM) == 0; i++) {
        CHECK(i < ROUNDS_MAX);
        CHECK_OK(wf_loop_run_once(d.loop, 1000));
    }
    CHECK_EQ(wf_solver_rate(d.solver, WF_WORK_BLAKE2B), 0);
    CHECK(wf_solver_rate(d.solver, WF_WORK_PROGRAM) < 100000000);
    close_desk(&d);
}

TEST(a_solver_without_a_job_has_no_thread_and_its_number_is_bounded)
{
    struct desk d;
    unsigned wanted = wf_solver_threads_wanted();

    CHECK(wanted >= 1 && wanted <= WF_SOLVER_THREADS_MAX);
    open_desk(&d, 1000);
    CHECK(wf_solver_is_alone(d.solver));
    add(&d, 1, WF_WORK_BLAKE2B, 1);
    wait_for(&d, 1);
    CHECK(!wf_solver_is_alone(d.solver));
    close_desk(&d);
}

/* A signal that is pending for the process goes to a thread that takes it: not to a worker. */
static volatile sig_atomic_t taken_by_main;
static pthread_t main_thread;

static void on_signal(int number)
{
    (void)number;
    taken_by_main = pthread_equal(pthread_self(), main_thread) != 0;
}

TEST(workers_take_no_signals)
{
    struct desk d;
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;

    main_thread = pthread_self();
    taken_by_main = 0;
    CHECK_EQ(sigaction(SIGUSR1, &action, &before), 0);
    open_desk(&d, 2);
    add(&d, 1, WF_WORK_BLAKE2B, UINT32_MAX);
    for (int i = 0; i < 20; i++) {
        taken_by_main = 0;
        CHECK_EQ(kill(getpid(), SIGUSR1), 0);
        CHECK_EQ(taken_by_main, 1);
    }
    close_desk(&d);
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
}

TEST(a_forked_child_can_free_it_and_nothing_else)
{
    struct desk d;
    int status = 0;

    open_desk(&d, 2);
    add(&d, 1, WF_WORK_BLAKE2B, UINT32_MAX);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct wf_work w = work_of(2, WF_WORK_BLAKE2B, 1);
        uint64_t id = 0;
        uint64_t nonce = 0;
        bool ok = wf_solver_add(d.solver, 2, &w) == WEFT_ERR_STATE &&
                  !wf_solver_next(d.solver, &id, &nonce) && wf_solver_tries(d.solver, 1) == 0 &&
                  wf_solver_rate(d.solver, WF_WORK_BLAKE2B) == 0;

        wf_solver_cancel(d.solver, 1);
        wf_solver_turn(d.solver);
        wf_solver_free(d.solver);
        _exit(ok ? 0 : 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close_desk(&d);
}
