/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake_bench.c - handshakes a second on one core, in memory: the server's side alone, and both
 * ends in one thread; one-way and mutual. One line of JSON a row; each figure is the median of five
 * runs.
 *
 * The server's share is everything it does for one client: HELLO, SOLVE, CONFIRM with its kept
 * copy, and the ephemeral key that is made ahead.
 */
#include <stdio.h>
#include <time.h>

#include "../tests/session/pair.h"

#define RUNS 5
#define COUNT 400

static void *heap_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void heap_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

static struct wf_mem mem = {.alloc = heap_alloc, .release = heap_release};

struct flight {
    uint8_t hello[WF_HELLO_LEN];
    uint8_t solve[WF_SOLVE_MAX];
};

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void start(struct pair *p)
{
    static struct wf_rng system;

    system = wf_rng_system;
    pair_init(p, &mem, &system);
    p->adm_config.table_max = 4 * COUNT;
    p->adm_config.pool_max = 64;
    pair_server(p);
}

/* The server's part of one handshake. */
static void serve(struct pair *p, const struct flight *f)
{
    PAIR_MUST(pair_to_server(p, f->hello, sizeof f->hello) == WF_ADM_REPLY);
    PAIR_MUST(pair_to_server(p, f->solve, sizeof f->solve) == WF_ADM_ACCEPT);
    PAIR_MUST(pair_make_confirm(p) == WEFT_OK);
    wf_adm_tick(p->adm, p->now);
}

static double server_side(bool one_way)
{
    static struct flight flights[COUNT];
    struct pair p;

    start(&p);
    for (size_t i = 0; i < COUNT; i++) {
        pair_client(&p, one_way);
        pair_to_solve(&p);
        memcpy(flights[i].hello, p.hello, sizeof p.hello);
        memcpy(flights[i].solve, p.solve, sizeof p.solve);
    }
    double began = seconds();
    for (size_t i = 0; i < COUNT; i++)
        serve(&p, &flights[i]);
    double took = seconds() - began;
    pair_free(&p);
    return COUNT / took;
}

static double both_sides(bool one_way)
{
    struct pair p;

    start(&p);
    double began = seconds();
    for (size_t i = 0; i < COUNT; i++) {
        pair_client(&p, one_way);
        pair_to_confirm(&p);
        pair_finish(&p);
        PAIR_MUST(pair_agrees(&p));
        wf_adm_tick(p.adm, p.now);
    }
    double took = seconds() - began;
    pair_free(&p);
    return COUNT / took;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static void row(const char *name, double (*measure)(bool one_way), bool one_way)
{
    double runs[RUNS];

    for (int i = 0; i < RUNS; i++)
        runs[i] = measure(one_way);
    qsort(runs, RUNS, sizeof runs[0], ascending);
    printf("{\"row\": \"%s\", \"unit\": \"1/s\", \"better\": \"higher\", \"ours\": %.0f, "
           "\"least\": %.0f, \"most\": %.0f, \"runs\": %d}\n",
           name, runs[RUNS / 2], runs[0], runs[RUNS - 1], RUNS);
}

int main(void)
{
    row("handshakes-per-s", server_side, true);
    row("handshakes-mutual-per-s", server_side, false);
    row("handshakes-both-ends-per-s", both_sides, true);
    row("handshakes-mutual-both-ends-per-s", both_sides, false);
    return 0;
}
