/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what a run leaves behind: a hash over every event, a text for people when asked for, and
 * the first broken invariant. The hash depends on the seed and the code under test alone; it must
 * never see an address of memory, a wall clock or anything a compiler may choose.
 */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include <stdio.h>

#include "base/compiler.h"

#define SIM_FAILURE_MAX 512

struct sim_log {
    weft_time now; /* set by the owner before each event */
    uint64_t hash;
    uint64_t lines; /* that went into the hash */
    FILE *text;     /* NULL: nobody reads along */
    bool failed;
    weft_time failed_at;
    char failure[SIM_FAILURE_MAX];
};

void sim_log_init(struct sim_log *log, uint64_t seed, FILE *text);

/* Mixes an event into the hash: what, which host, two numbers, and bytes (may be empty). */
struct sim_log_line {
    const char *what; /* a few letters, also hashed */
    uint32_t host;
    uint64_t a, b;
    weft_span bytes;
};
void sim_log_add(struct sim_log *log, const struct sim_log_line *line);

/* A line for people alone: not hashed. */
void sim_log_say(struct sim_log *log, const char *fmt, ...) WEFT_PRINTF(2, 3);

/* An invariant is broken; the first one counts. */
void sim_fail(struct sim_log *log, const char *fmt, ...) WEFT_PRINTF(2, 3);

/* The mixing function behind the hash, also used for patterns: a good 64-bit finaliser. */
uint64_t sim_mix(uint64_t x);

/* All of the bytes with a start value; fast, not for hostile input. */
uint64_t sim_hash(uint64_t start, const void *data, size_t len);

#endif
