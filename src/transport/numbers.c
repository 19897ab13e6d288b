/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numbers.c - see numbers.h. Owns no message: removing one frees nothing.
 */
#include "transport/numbers.h"

#include <string.h>

#include "base/assert.h"

/* The highest bits of the product depend on all bits of the number. */
#define FIRST_SHIFT 61u /* 8 buckets */

static size_t bucket_of(const struct wf_numbers *t, uint64_t number)
{
    uint64_t h = t->multiply * number + t->add;

    return (size_t)(h >> t->shift);
}

void wf_numbers_init(struct wf_numbers *t, struct wf_mem *mem, const struct wf_rng *rng)
{
    *t = (struct wf_numbers){.mem = mem, .room = WF_NUMBERS_FIRST, .shift = FIRST_SHIFT};
    t->buckets = t->first;
    t->multiply = wf_random_u64(rng) | 1u;
    t->add = wf_random_u64(rng);
}

static void free_buckets(struct wf_numbers *t)
{
    if (t->buckets != t->first)
        wf_free(t->mem, t->buckets, t->room * sizeof(struct wf_number *));
}

void wf_numbers_deinit(struct wf_numbers *t)
{
    free_buckets(t);
    t->buckets = t->first;
    t->room = WF_NUMBERS_FIRST;
    t->shift = FIRST_SHIFT;
    t->count = 0;
}

static void link_in(struct wf_numbers *t, struct wf_number *n)
{
    struct wf_number **bucket = &t->buckets[bucket_of(t, n->number)];

    n->next = *bucket;
    *bucket = n;
}

static void grow(struct wf_numbers *t)
{
    struct wf_numbers old = *t;
    struct wf_number **buckets = wf_alloc_array(t->mem, t->room * 2, sizeof(struct wf_number *));

    if (buckets == NULL)
        return;
    old.buckets = t->buckets;
    t->buckets = buckets;
    t->room = old.room * 2;
    t->shift--;
    for (size_t i = 0; i < old.room; i++) {
        for (struct wf_number *n = old.buckets[i], *next; n != NULL; n = next) {
            next = n->next;
            link_in(t, n);
        }
    }
    if (old.buckets != t->first)
        wf_free(t->mem, old.buckets, old.room * sizeof(struct wf_number *));
}

void wf_numbers_put(struct wf_numbers *t, struct wf_number *n)
{
    if (t->count >= t->room && t->room < ((size_t)1 << 30))
        grow(t);
    link_in(t, n);
    t->count++;
}

struct wf_number *wf_numbers_get(const struct wf_numbers *t, uint64_t number)
{
    struct wf_number *n = t->buckets[bucket_of(t, number)];

    while (n != NULL && n->number != number)
        n = n->next;
    return n;
}

void wf_numbers_remove(struct wf_numbers *t, struct wf_number *n)
{
    struct wf_number **at = &t->buckets[bucket_of(t, n->number)];

    while (*at != n) {
        WEFT_ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = n->next;
    n->next = NULL;
    t->count--;
}
