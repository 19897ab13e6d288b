/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numbers.h - finds a message by its number: a hash table whose links lie inside the messages, so
 * that a message costs no second allocation and a lookup no second cache line.
 *
 * The peer chooses numbers, so the hash is keyed: multiply-shift with two secret words, under which
 * two numbers meet in a bucket with probability 1 / buckets, whatever they are.
 */
#ifndef WF_TRANSPORT_NUMBERS_H
#define WF_TRANSPORT_NUMBERS_H

#include "base/mem.h"
#include "base/rng.h"

#define WF_NUMBERS_FIRST 8u

struct wf_number {
    uint64_t number;
    struct wf_number *next;
};

struct wf_numbers {
    struct wf_mem *mem;
    struct wf_number **buckets;
    struct wf_number *first[WF_NUMBERS_FIRST]; /* the buckets of a table that never grew */
    size_t room;                               /* a power of two */
    unsigned shift;                            /* 64 minus the bits of a bucket's index */
    size_t count;
    uint64_t multiply, add;
};

/* The table must not move after this. */
void wf_numbers_init(struct wf_numbers *t, struct wf_mem *mem, const struct wf_rng *rng);
void wf_numbers_deinit(struct wf_numbers *t);

/* Never fails: without memory to grow the chains become longer. The number must not be there (its
 * owner looked). */
void wf_numbers_put(struct wf_numbers *t, struct wf_number *n);
struct wf_number *wf_numbers_get(const struct wf_numbers *t, uint64_t number);
void wf_numbers_remove(struct wf_numbers *t, struct wf_number *n);

#endif
