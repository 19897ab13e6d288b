/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - the one way to allocate. Cores get a wf_mem from their owner and never call malloc.
 *
 * Every allocation is counted against a cap, so that "memory within caps" is a number and not a
 * hope; frees name the size, so no header is kept in front of a block. A test can make the n-th
 * allocation fail.
 *
 * Threads  One thread at a time per wf_mem.
 */
#ifndef WF_BASE_MEM_H
#define WF_BASE_MEM_H

#include "base/compiler.h"

struct wf_mem {
    void *(*alloc)(void *ctx,
                   size_t size); /* NULL: no memory. Aligned as malloc does, any content */
    void (*release)(void *ctx, void *ptr, size_t size);
    /* The same with zeros in it, where that is cheaper: large blocks stay untouched until they are
     * used. May be NULL. */
    void *(*alloc_zeroed)(void *ctx, size_t size);
    void *ctx;
    size_t held;          /* bytes held now */
    size_t held_max;      /* most bytes ever held */
    size_t cap;           /* 0: no cap */
    uint64_t allocations; /* successful allocations so far */
    uint64_t attempts;    /* allocations asked for so far */
    uint64_t fail_at;     /* the attempt with this number, counted from 1, fails; 0: none does */
    /* Bytes are also counted there, as in a peer's account inside the node's. May be NULL. */
    struct wf_mem *parent;
};

/* A zeroed block of size bytes, or NULL. size 0 is a broken contract. */
void *wf_alloc(struct wf_mem *mem, size_t size);

/* count * size with the overflow checked. */
void *wf_alloc_array(struct wf_mem *mem, size_t count, size_t size);

/* Gives back a block of exactly this size. ptr may be NULL. */
void wf_free(struct wf_mem *mem, void *ptr, size_t size);

/* A quarter of the cap is free, here and in every account above: there is room for what is wanted
 * and not needed. */
bool wf_mem_is_easy(const struct wf_mem *mem);

/* A child account: same back end as parent, own cap, bytes counted in both. */
void wf_mem_child(struct wf_mem *child, struct wf_mem *parent, size_t cap);

#endif
