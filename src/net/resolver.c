/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver.c - look-ups in worker threads.
 *
 * A thread cannot be stopped while it is inside the system's resolver. So what threads touch lives
 * in a `shared` of its own, freed by whoever leaves last: the owner never waits for a thread, and a
 * thread never touches the loop once the owner has gone. It comes from malloc, since an account
 * (struct wf_mem) belongs to one thread.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "net/resolve.h"

/* A look-up on its way: waiting, then running, then done. */
struct job {
    struct job *next;
    uint64_t id;
    uint16_t port;
    weft_err err;
    wf_resolve_fn fn; /* NULL: cancelled */
    void *ctx;
    struct wf_resolved found;
    char host[WF_RESOLVE_HOST_MAX + 1];
};

struct queue {
    struct job *first;
    struct job *last;
};

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t work;
    size_t users; /* threads, and the owner */
    size_t idle;  /* threads that wait for work */
    size_t waiting_count;
    bool closed; /* the owner has gone */
    struct wf_waker *waker;
    wf_resolve_lookup_fn lookup;
    struct queue waiting;
    struct queue done;
    struct job *running[WF_RESOLVE_THREADS_MAX];
    size_t threads;
};

struct wf_resolver {
    struct shared *shared;
    struct wf_loop *loop;
    struct wf_waker waker;
    uint64_t last_id;
    size_t pending; /* jobs in any stage */
};

static void push(struct queue *q, struct job *j)
{
    j->next = NULL;
    if (q->last == NULL) {
        q->first = j;
    } else {
        q->last->next = j;
    }
    q->last = j;
}

static struct job *pop(struct queue *q)
{
    struct job *j = q->first;

    if (j != NULL) {
        q->first = j->next;
        q->last = j->next == NULL ? NULL : q->last;
    }
    return j;
}

static void drop_all(struct queue *q)
{
    for (struct job *j = pop(q); j != NULL; j = pop(q)) {
        free(j);
    }
}

/* Called with the lock held; lets go of it. */
static void leave(struct shared *s)
{
    bool last = --s->users == 0;

    (void)pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    drop_all(&s->waiting);
    drop_all(&s->done);
    (void)pthread_cond_destroy(&s->work);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- a worker ---- */

static size_t mark_running(struct shared *s, struct job *j)
{
    for (size_t i = 0; i < WF_RESOLVE_THREADS_MAX; i++) {
        if (s->running[i] == NULL) {
            s->running[i] = j;
            return i;
        }
    }
    WEFT_UNREACHABLE();
}

/* Called, and returns, with the lock held. */
static void run_job(struct shared *s, struct job *j)
{
    size_t slot = mark_running(s, j);

    (void)pthread_mutex_unlock(&s->lock);
    weft_err err = s->lookup(&j->found, j->host, j->port);
    (void)pthread_mutex_lock(&s->lock);
    s->running[slot] = NULL;
    j->err = err;
    push(&s->done, j);
    if (!s->closed) {
        wf_waker_wake(s->waker);
    }
}

static void *work(void *arg)
{
    struct shared *s = arg;

    (void)pthread_mutex_lock(&s->lock);
    while (!s->closed) {
        struct job *j = pop(&s->waiting);
        if (j != NULL) {
            s->waiting_count--;
            run_job(s, j);
            continue;
        }
        s->idle++;
        (void)pthread_cond_wait(&s->work, &s->lock);
        s->idle--;
    }
    leave(s);
    return NULL;
}

/* Signals are for the program's own threads, so a worker takes none. Called with the lock held. */
static bool start_thread(struct shared *s)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all;
    sigset_t before;

    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&thread, &attr, work, s) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    s->threads += ok;
    s->users += ok;
    return ok;
}

/* ---- the owner ---- */

static struct job *take_done(struct wf_resolver *r)
{
    (void)pthread_mutex_lock(&r->shared->lock);
    struct job *j = pop(&r->shared->done);
    (void)pthread_mutex_unlock(&r->shared->lock);
    r->pending -= j != NULL;
    return j;
}

static void tell(struct job *j)
{
    if (j->fn != NULL) {
        j->fn(j->ctx, j->err, j->err == WEFT_OK ? &j->found : NULL);
    }
    free(j);
}

/* One answer a call: the callback may free the resolver. The rest follow by another wake. */
static void on_done(void *ctx)
{
    struct wf_resolver *r = ctx;
    struct job *j = take_done(r);

    if (j == NULL)
        return;
    wf_waker_wake(&r->waker);
    tell(j);
}

static struct shared *shared_new(wf_resolve_lookup_fn lookup)
{
    struct shared *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return NULL;
    }
    if (pthread_cond_init(&s->work, NULL) != 0) {
        (void)pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
    }
    s->users = 1;
    s->lookup = lookup == NULL ? wf_resolve_blocking : lookup;
    return s;
}

weft_err wf_resolver_new(struct wf_resolver **out, struct wf_loop *loop,
                         wf_resolve_lookup_fn lookup)
{
    struct wf_resolver *r = calloc(1, sizeof *r);

    if (r == NULL)
        return WEFT_ERR_NOMEM;
    r->shared = shared_new(lookup);
    if (r->shared == NULL) {
        free(r);
        return WEFT_ERR_NOMEM;
    }
    r->loop = loop;
    r->waker.fn = on_done;
    r->waker.ctx = r;
    r->shared->waker = &r->waker;
    wf_loop_add_waker(loop, &r->waker);
    *out = r;
    return WEFT_OK;
}

void wf_resolver_free(struct wf_resolver *r)
{
    if (r == NULL)
        return;
    struct shared *s = r->shared;
    (void)pthread_mutex_lock(&s->lock);
    s->closed = true;
    (void)pthread_cond_broadcast(&s->work);
    leave(s);
    wf_loop_remove_waker(r->loop, &r->waker);
    free(r);
}

static struct job *job_new(const struct wf_resolve_want *want, uint64_t id)
{
    struct job *j = calloc(1, sizeof *j);

    if (j == NULL)
        return NULL;
    j->id = id;
    j->port = want->port;
    j->fn = want->fn;
    j->ctx = want->ctx;
    memcpy(j->host, want->host, strlen(want->host));
    return j;
}

/* True when there is a thread that will come to the job. */
static bool is_served(struct shared *s)
{
    if (s->waiting_count < s->idle || s->threads == WF_RESOLVE_THREADS_MAX)
        return true;
    return start_thread(s) || s->threads > 0;
}

static bool hand_over(struct shared *s, struct job *j)
{
    (void)pthread_mutex_lock(&s->lock);
    bool ok = is_served(s);
    if (ok) {
        push(&s->waiting, j);
        s->waiting_count++;
        (void)pthread_cond_signal(&s->work);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return ok;
}

weft_err wf_resolver_start(struct wf_resolver *r, const struct wf_resolve_want *want, uint64_t *id)
{
    if (!wf_resolve_host_ok(want->host))
        return WEFT_ERR_ADDRESS;
    if (r->pending == WF_RESOLVE_PENDING_MAX)
        return WEFT_ERR_LIMIT;
    struct job *j = job_new(want, r->last_id + 1);
    if (j == NULL)
        return WEFT_ERR_NOMEM;
    if (!hand_over(r->shared, j)) {
        free(j);
        return WEFT_ERR_NOMEM;
    }
    r->pending++;
    *id = ++r->last_id;
    return WEFT_OK;
}

static bool cancel_in(struct job *first, uint64_t id)
{
    for (struct job *j = first; j != NULL; j = j->next) {
        if (j->id == id) {
            j->fn = NULL;
            return true;
        }
    }
    return false;
}

/* The job goes its way and is dropped at its end: simpler than taking it out, and just as bounded.
 */
void wf_resolver_cancel(struct wf_resolver *r, uint64_t id)
{
    struct shared *s = r->shared;

    (void)pthread_mutex_lock(&s->lock);
    bool found = cancel_in(s->waiting.first, id) || cancel_in(s->done.first, id);
    for (size_t i = 0; i < WF_RESOLVE_THREADS_MAX && !found; i++) {
        if (s->running[i] != NULL && s->running[i]->id == id) {
            s->running[i]->fn = NULL;
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
}
