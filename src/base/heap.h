/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.h - a min-heap of deadlines whose nodes lie inside what has the deadline. The earliest is
 * found at once; setting, moving and removing take log(count) steps.
 *
 * Equal deadlines come out in an order that depends on the calls made and on nothing else.
 *
 * Memory   One array of pointers from the account given; a node must leave the heap before it goes.
 */
#ifndef WF_BASE_HEAP_H
#define WF_BASE_HEAP_H

#include "base/mem.h"

/* Zeroed: in no heap. Written by these functions only. */
struct wf_heap_node {
    weft_time key;
    size_t index; /* place in the array plus one; 0: in no heap */
};

struct wf_heap {
    struct wf_mem *mem;
    struct wf_heap_node **nodes;
    size_t count;
    size_t room;
    size_t cap;
};

/* cap > 0: the most nodes it may ever hold. Nothing is allocated yet. */
void wf_heap_init(struct wf_heap *h, struct wf_mem *mem, size_t cap);

/* Gives the array back. Nodes still inside are taken out. */
void wf_heap_deinit(struct wf_heap *h);

/* Makes room for count nodes in all, so that as many wf_heap_set cannot fail. WEFT_ERR_LIMIT: above
 * cap. WEFT_ERR_NOMEM. On failure nothing has changed. */
WEFT_NODISCARD weft_err wf_heap_reserve(struct wf_heap *h, size_t count);

/* Puts the node in, or moves it when it is in. WEFT_TIME_NEVER takes it out. A node that is in, or
 * has room reserved, never fails; else as wf_heap_reserve. */
WEFT_NODISCARD weft_err wf_heap_set(struct wf_heap *h, struct wf_heap_node *node, weft_time key);

/* Takes the node out; harmless when it is not in. */
void wf_heap_remove(struct wf_heap *h, struct wf_heap_node *node);

/* The node with the earliest key, still inside; NULL when empty. */
struct wf_heap_node *wf_heap_first(const struct wf_heap *h);

/* Takes out the earliest node whose key is at most now; NULL when none is due. */
struct wf_heap_node *wf_heap_pop_due(struct wf_heap *h, weft_time now);

/* The earliest key, or WEFT_TIME_NEVER. */
weft_time wf_heap_deadline(const struct wf_heap *h);

bool wf_heap_has(const struct wf_heap_node *node);

#endif
