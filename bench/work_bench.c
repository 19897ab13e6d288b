/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work_bench.c - proof of work on one core: tries a second of each algorithm, and what checking one
 * SOLVE costs a server. One line of JSON a row; each figure is the median of five runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"
#include "session/work.h"
#include "wire/handshake.h"

#define RUNS 5
#define RUN_TRIES 200000u /* of the first algorithm: some hundredths of a second */

/* Of this process: what others take is not counted. */
static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Seconds of one try. */
static double solve_one(uint8_t alg)
{
    struct wf_work w = {.alg = alg, .bid = UINT32_MAX};
    uint64_t tries = wf_work_slice(&w, RUN_TRIES);
    uint64_t nonce = 0;
    double began = seconds();

    if (wf_work_solve(&w, &nonce, tries))
        abort(); /* once in four thousand million tries */
    return (seconds() - began) / (double)tries;
}

/* Seconds of one check, each of another nonce. */
static double check_one(uint8_t alg)
{
    struct wf_work w = {.alg = alg, .bid = UINT32_MAX};
    uint64_t checks = wf_work_slice(&w, RUN_TRIES);
    double began = seconds();

    for (uint64_t nonce = 0; nonce < checks; nonce++) {
        if (wf_work_check(&w, nonce))
            abort();
    }
    return (seconds() - began) / (double)checks;
}

static double median(double (*measure)(uint8_t alg), uint8_t alg)
{
    double runs[RUNS];

    for (int i = 0; i < RUNS; i++)
        runs[i] = measure(alg);
    qsort(runs, RUNS, sizeof runs[0], ascending);
    return runs[RUNS / 2];
}

int main(void)
{
    if (wf_crypto_init() != WEFT_OK)
        return 1;
    for (uint8_t alg = WF_WORK_BLAKE2B; alg < WF_WORK_ALGS; alg++) {
        printf("{\"row\": \"work%u-tries-per-s\", \"unit\": \"1/s\", \"better\": \"higher\", "
               "\"ours\": %.0f, \"runs\": %d}\n",
               (unsigned)alg, 1 / median(solve_one, alg), RUNS);
        printf("{\"row\": \"work%u-check-us\", \"unit\": \"us\", \"better\": \"lower\", "
               "\"ours\": %.2f, \"runs\": %d}\n",
               (unsigned)alg, 1e6 * median(check_one, alg), RUNS);
    }
    return 0;
}
