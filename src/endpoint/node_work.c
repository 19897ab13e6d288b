/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_work.c - the work that servers ask for, led from the core to the solver and back, and told
 * to whoever wants to show it.
 *
 * The core says what is to be done and whether it still matters; the solver's threads do it. Ten
 * times a second the core learns how fast that is, so that it refuses what would take too long.
 */
#include "endpoint/node_priv.h"
#include "endpoint/solver.h"
#include "net/clock.h"

#define TELL_EVERY_US 100000u

struct node_job {
    uint64_t id;
    struct wf_work work;
    weft_time began;
};

struct node_work {
    struct wf_solver *solver;
    struct wf_timer timer;
    struct node_job jobs[WF_SOLVER_JOBS_MAX]; /* oldest first */
    size_t count;
    bool is_shown; /* that work goes on was told, so its end will be */
};

static void tell(weft_node *n, weft_work *w)
{
    w->budget_us = n->work_time_us;
    if (n->on_work != NULL)
        n->on_work(w, n->on_work_user);
}

static uint64_t expected_us(weft_node *n, unsigned alg, uint64_t bid)
{
    uint64_t rate = n->work == NULL ? 0 : wf_solver_rate(n->work->solver, alg);

    return rate == 0 ? 0 : bid * 1000000 / rate;
}

static void tell_end(weft_node *n)
{
    weft_work w = {.state = WEFT_WORK_OVER};

    if (n->work == NULL || !n->work->is_shown || n->work->count > 0)
        return;
    n->work->is_shown = false;
    tell(n, &w);
}

/* The oldest job stands for all. */
static void tell_progress(weft_node *n)
{
    const struct node_job *j = &n->work->jobs[0];
    weft_work w = {.state = WEFT_WORK_GOES_ON, .expected = j->work.bid};

    w.tries = wf_solver_tries(n->work->solver, j->id);
    w.spent_us = wf_clock_now() - j->began;
    w.expected_us = expected_us(n, j->work.alg, j->work.bid);
    n->work->is_shown = true;
    tell(n, &w);
}

void node_work_refused(weft_node *n, const struct wf_core_event *e)
{
    weft_work w = {.state = WEFT_WORK_REFUSED, .expected = e->bid};

    tell_end(n);
    w.expected_us = expected_us(n, e->work_alg, e->bid);
    tell(n, &w);
}

static void remove_job(struct node_work *w, size_t at)
{
    w->count--;
    for (size_t i = at; i < w->count; i++)
        w->jobs[i] = w->jobs[i + 1];
}

static void set_timer(weft_node *n)
{
    struct node_work *w = n->work;
    weft_time at = WEFT_TIME_NEVER;

    if (w->count > 0)
        at = wf_solver_is_alone(w->solver) ? 0 : wf_clock_now() + TELL_EVERY_US;
    if (wf_timer_set(n->loop, &w->timer, at) != WEFT_OK)
        wf_loop_stop(n->loop);
}

static void on_timer(void *ctx)
{
    weft_node *n = ctx;
    struct node_work *w = n->work;

    if (wf_solver_is_alone(w->solver))
        wf_solver_turn(w->solver);
    for (unsigned alg = 0; alg < WF_WORK_ALGS; alg++) {
        uint64_t rate = wf_solver_rate(w->solver, alg);

        if (rate > 0)
            wf_core_work_rate(n->core, wf_clock_now(), alg, rate);
    }
    if (w->count > 0 && wf_core_work_is_wanted(n->core, w->jobs[0].id))
        tell_progress(n);
    set_timer(n);
    node_pump(n);
}

static void on_found(void *ctx)
{
    weft_node *n = ctx;
    uint64_t id = 0;
    uint64_t nonce = 0;

    while (wf_solver_next(n->work->solver, &id, &nonce))
        wf_core_work_done(n->core, wf_clock_now(), id, nonce);
    node_pump(n);
}

static bool make_work(weft_node *n)
{
    struct wf_solver_config config = {.mem = &n->mem,
                                      .loop = n->loop,
                                      .threads = wf_solver_threads_wanted(),
                                      .found = on_found,
                                      .ctx = n};
    struct node_work *w = n->work;

    if (w != NULL)
        return true;
    w = wf_alloc(&n->mem, sizeof *w);
    if (w == NULL)
        return false;
    if (wf_solver_new(&w->solver, &config) != WEFT_OK) {
        wf_free(&n->mem, w, sizeof *w);
        return false;
    }
    w->timer = (struct wf_timer){.fn = on_timer, .ctx = n};
    n->work = w;
    return true;
}

static void drop_unwanted(weft_node *n)
{
    struct node_work *w = n->work;

    for (size_t i = w->count; i > 0; i--) {
        if (wf_core_work_is_wanted(n->core, w->jobs[i - 1].id))
            continue;
        wf_solver_cancel(w->solver, w->jobs[i - 1].id);
        remove_job(w, i - 1);
    }
}

/* True when there was something new. */
static bool take_jobs(weft_node *n)
{
    struct node_work *w = n->work;
    struct wf_core_work job;
    size_t before = w->count;

    while (w->count < WF_SOLVER_JOBS_MAX && wf_core_next_work(n->core, &job)) {
        if (wf_solver_add(w->solver, job.id, &job.work) != WEFT_OK)
            return w->count > before; /* the core gives it up when its time is over */
        w->jobs[w->count++] =
            (struct node_job){.id = job.id, .work = job.work, .began = wf_clock_now()};
    }
    return w->count > before;
}

/* Part of every round of the node: jobs that came, and those that are wanted no more. */
void node_work_review(weft_node *n)
{
    bool was_idle = n->work == NULL || n->work->count == 0;

    if (n->work != NULL)
        drop_unwanted(n);
    if (wf_core_has_work(n->core) && make_work(n) && take_jobs(n) && was_idle)
        set_timer(n);
    tell_end(n);
}

void node_work_free(weft_node *n)
{
    if (n->work == NULL)
        return;
    wf_timer_clear(n->loop, &n->work->timer);
    wf_solver_free(n->work->solver);
    wf_free(&n->mem, n->work, sizeof *n->work);
    n->work = NULL;
}

void weft_node_on_work(weft_node *n, weft_work_fn fn, void *user)
{
    n->on_work = fn;
    n->on_work_user = user;
}
