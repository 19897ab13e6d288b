/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h - what the benchmark programs share: a clock, samples with their percentiles, and the
 * line they print.
 */
#ifndef WEFT_BENCH_SAMPLE_H
#define WEFT_BENCH_SAMPLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RR_BYTES 64
#define RR_WARM 200 /* round trips before anything is counted */

static inline uint64_t bench_now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* One JSON object with percentiles in microseconds. Sorts the samples. */
static inline void bench_print_rr(uint64_t *ns, size_t count)
{
    qsort(ns, count, sizeof *ns, bench_compare);
    (void)printf("{\"count\":%zu,\"p50_us\":%.2f,\"p99_us\":%.2f,\"min_us\":%.2f}\n", count,
                 (double)ns[count / 2] / 1e3, (double)ns[count * 99 / 100] / 1e3,
                 (double)ns[0] / 1e3);
}

static inline void bench_print_bulk(uint64_t bytes, uint64_t ns)
{
    (void)printf("{\"bytes\":%llu,\"seconds\":%.4f,\"gb_per_s\":%.4f}\n", (unsigned long long)bytes,
                 (double)ns / 1e9, (double)bytes / (double)ns);
}

#endif
