/* SPDX-License-Identifier: Apache-2.0 */
/*
 * solver.c - see solver.h. Each worker takes the next piece of the next job under the lock, tries
 * its nonces without it, and says under the lock what came of it. A piece is small enough that
 * nobody waits long for a worker, neither the end of the solver nor another job.
 */
#include "endpoint/solver.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/clock.h"
#include "wire/handshake.h"

#define PIECE_TRIES 4096u      /* of algorithm 1: a millisecond or two */
#define METER_LEAST_US 20000u  /* of one worker's time, before a rate is told */
#define METER_MOST_US 2000000u /* what is older counts half */

struct job {
    bool is_used, is_solved;
    uint64_t id;
    struct wf_work work;
    uint64_t next;  /* nonce that nobody has taken yet */
    uint64_t tries; /* that were made */
    uint64_t nonce; /* with is_solved */
};

struct meter {
    uint64_t tries, spent_us; /* of the workers, one after the other */
};

/* A piece of a job on its way through a worker. */
struct piece {
    size_t slot;
    uint64_t id, nonce, tries;
    struct wf_work work;
};

struct wf_solver {
    struct wf_mem *mem;
    struct wf_loop *loop;
    struct wf_waker waker;
    pid_t pid;
    unsigned threads_max, thread_count;
    pthread_t threads[WF_SOLVER_THREADS_MAX];
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t more;
    bool is_closing;
    size_t turn; /* the slot that is looked at first */
    struct job jobs[WF_SOLVER_JOBS_MAX];
    struct meter meters[WF_WORK_ALGS];
};

unsigned wf_solver_threads_wanted(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (online < 1)
        return 1;
    return online < (long)WF_SOLVER_THREADS_MAX ? (unsigned)online : WF_SOLVER_THREADS_MAX;
}

static bool is_own_process(const struct wf_solver *s)
{
    return s->pid == getpid();
}

/* --- pieces, with the lock held --- */

static bool take_piece(struct wf_solver *s, struct piece *p)
{
    for (size_t i = 0; i < WF_SOLVER_JOBS_MAX; i++) {
        size_t slot = (s->turn + i) % WF_SOLVER_JOBS_MAX;
        struct job *j = &s->jobs[slot];

        if (!j->is_used || j->is_solved)
            continue;
        s->turn = (slot + 1) % WF_SOLVER_JOBS_MAX;
        *p = (struct piece){.slot = slot, .id = j->id, .nonce = j->next, .work = j->work};
        p->tries = wf_work_slice(&j->work, PIECE_TRIES);
        j->next += p->tries;
        return true;
    }
    return false;
}

static void measure(struct wf_solver *s, const struct piece *p, uint64_t tries, uint64_t spent_us)
{
    struct meter *m = &s->meters[p->work.alg];

    m->tries += tries;
    m->spent_us += spent_us;
    if (m->spent_us > METER_MOST_US) {
        m->tries /= 2;
        m->spent_us /= 2;
    }
}

/* The job may have gone meanwhile, and another may be in its place. */
static void give_piece(struct wf_solver *s, const struct piece *p, uint64_t tries, bool is_solved)
{
    struct job *j = &s->jobs[p->slot];

    if (!j->is_used || j->id != p->id)
        return;
    j->tries += tries;
    if (!is_solved || j->is_solved)
        return;
    j->is_solved = true;
    j->nonce = p->nonce;
    wf_waker_wake(&s->waker);
}

/* Called, and returns, with the lock held; false: there is nothing to do. */
static bool do_piece(struct wf_solver *s)
{
    struct piece p;

    if (!take_piece(s, &p))
        return false;
    (void)pthread_mutex_unlock(&s->lock);
    uint64_t first = p.nonce;
    weft_time began = wf_clock_now();
    bool is_solved = wf_work_solve(&p.work, &p.nonce, p.tries);
    uint64_t spent_us = wf_clock_now() - began;
    uint64_t tries = p.nonce - first + is_solved;
    (void)pthread_mutex_lock(&s->lock);
    measure(s, &p, tries, spent_us);
    give_piece(s, &p, tries, is_solved);
    return true;
}

/* --- workers --- */

static void *work(void *arg)
{
    struct wf_solver *s = arg;

    (void)pthread_mutex_lock(&s->lock);
    while (!s->is_closing) {
        if (!do_piece(s))
            (void)pthread_cond_wait(&s->more, &s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Signals are for the program's own threads, so a worker takes none. */
static void start_threads(struct wf_solver *s)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (s->thread_count < s->threads_max &&
           pthread_create(&s->threads[s->thread_count], NULL, work, s) == 0)
        s->thread_count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* --- the owner --- */

weft_err wf_solver_new(struct wf_solver **out, const struct wf_solver_config *c)
{
    struct wf_solver *s = wf_alloc(c->mem, sizeof *s);

    if (s == NULL)
        return WEFT_ERR_NOMEM;
    s->mem = c->mem;
    s->loop = c->loop;
    s->pid = getpid();
    s->threads_max = c->threads < WF_SOLVER_THREADS_MAX ? c->threads : WF_SOLVER_THREADS_MAX;
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        wf_free(s->mem, s, sizeof *s);
        return WEFT_ERR_NOMEM;
    }
    if (pthread_cond_init(&s->more, NULL) != 0) {
        (void)pthread_mutex_destroy(&s->lock);
        wf_free(s->mem, s, sizeof *s);
        return WEFT_ERR_NOMEM;
    }
    s->waker = (struct wf_waker){.fn = c->found, .ctx = c->ctx};
    wf_loop_add_waker(s->loop, &s->waker);
    *out = s;
    return WEFT_OK;
}

static void end_threads(struct wf_solver *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->is_closing = true;
    (void)pthread_cond_broadcast(&s->more);
    (void)pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->thread_count; i++)
        (void)pthread_join(s->threads[i], NULL);
    (void)pthread_cond_destroy(&s->more);
    (void)pthread_mutex_destroy(&s->lock);
}

void wf_solver_free(struct wf_solver *s)
{
    if (s == NULL)
        return;
    if (is_own_process(s))
        end_threads(s);
    wf_loop_remove_waker(s->loop, &s->waker);
    wf_free(s->mem, s, sizeof *s);
}

static struct job *find(struct wf_solver *s, uint64_t id)
{
    for (size_t i = 0; i < WF_SOLVER_JOBS_MAX; i++) {
        if (s->jobs[i].is_used && s->jobs[i].id == id)
            return &s->jobs[i];
    }
    return NULL;
}

static struct job *free_slot(struct wf_solver *s)
{
    for (size_t i = 0; i < WF_SOLVER_JOBS_MAX; i++) {
        if (!s->jobs[i].is_used)
            return &s->jobs[i];
    }
    return NULL;
}

weft_err wf_solver_add(struct wf_solver *s, uint64_t id, const struct wf_work *work_wanted)
{
    struct job *j = NULL;

    if (!is_own_process(s))
        return WEFT_ERR_STATE;
    start_threads(s);
    (void)pthread_mutex_lock(&s->lock);
    WEFT_ASSERT(find(s, id) == NULL);
    j = free_slot(s);
    if (j != NULL) {
        *j = (struct job){.is_used = true, .id = id, .work = *work_wanted};
        (void)pthread_cond_broadcast(&s->more);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return j == NULL ? WEFT_ERR_LIMIT : WEFT_OK;
}

void wf_solver_cancel(struct wf_solver *s, uint64_t id)
{
    struct job *j = NULL;

    if (!is_own_process(s))
        return;
    (void)pthread_mutex_lock(&s->lock);
    j = find(s, id);
    if (j != NULL)
        *j = (struct job){.is_used = false};
    (void)pthread_mutex_unlock(&s->lock);
}

bool wf_solver_next(struct wf_solver *s, uint64_t *id, uint64_t *nonce)
{
    bool found = false;

    if (!is_own_process(s))
        return false;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < WF_SOLVER_JOBS_MAX && !found; i++) {
        struct job *j = &s->jobs[i];

        found = j->is_used && j->is_solved;
        if (found) {
            *id = j->id;
            *nonce = j->nonce;
            *j = (struct job){.is_used = false};
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return found;
}

uint64_t wf_solver_tries(struct wf_solver *s, uint64_t id)
{
    const struct job *j = NULL;
    uint64_t tries = 0;

    if (!is_own_process(s))
        return 0;
    (void)pthread_mutex_lock(&s->lock);
    j = find(s, id);
    tries = j == NULL ? 0 : j->tries;
    (void)pthread_mutex_unlock(&s->lock);
    return tries;
}

uint64_t wf_solver_rate(struct wf_solver *s, unsigned alg)
{
    struct meter m = {0};
    uint64_t workers = s->thread_count == 0 ? 1 : s->thread_count;

    WEFT_ASSERT(alg < WF_WORK_ALGS);
    if (!is_own_process(s))
        return 0;
    (void)pthread_mutex_lock(&s->lock);
    m = s->meters[alg];
    (void)pthread_mutex_unlock(&s->lock);
    if (m.spent_us < METER_LEAST_US || m.tries == 0)
        return 0;
    return m.tries * 1000000 / m.spent_us * workers + 1;
}

bool wf_solver_is_alone(struct wf_solver *s)
{
    return s->thread_count == 0;
}

void wf_solver_turn(struct wf_solver *s)
{
    if (!is_own_process(s))
        return;
    (void)pthread_mutex_lock(&s->lock);
    (void)do_piece(s);
    (void)pthread_mutex_unlock(&s->lock);
}
