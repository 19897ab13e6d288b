/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growset.h - a range set (base/ranges.h) that begins with two ranges inside itself and moves to an
 * array that doubles, up to a cap, so that the usual message, which arrives or is acknowledged in
 * order, allocates nothing for it.
 */
#ifndef WF_TRANSPORT_GROWSET_H
#define WF_TRANSPORT_GROWSET_H

#include "base/mem.h"
#include "base/ranges.h"

#define WF_GROWSET_INSIDE 2u

struct wf_growset {
    struct wf_ranges r; /* read by everybody */
    struct wf_range inside[WF_GROWSET_INSIDE];
};

/* The set must not move after this. */
void wf_growset_init(struct wf_growset *g);
void wf_growset_deinit(struct wf_growset *g, struct wf_mem *mem);

/* Adds a range. WEFT_ERR_LIMIT: more than cap ranges; WEFT_ERR_NOMEM. On error nothing has changed.
 */
WEFT_NODISCARD weft_err wf_growset_add(struct wf_growset *g, struct wf_mem *mem, size_t cap,
                                       struct wf_range range);

/* The same, but where it cannot be one range more the gap to a neighbour is added too: never fails,
 * and covers at least what was asked. */
void wf_growset_add_loosely(struct wf_growset *g, struct wf_mem *mem, size_t cap,
                            struct wf_range range);

/* The same, but where it cannot be one range more the lowest is forgotten, which may be the new
 * one: for acknowledgements, where the newest matter. Never fails. */
void wf_growset_add_newest(struct wf_growset *g, struct wf_mem *mem, size_t cap,
                           struct wf_range range);

/* Makes sure that there is room for count ranges. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_growset_reserve(struct wf_growset *g, struct wf_mem *mem, size_t count);

/* Index of the first range that ends at number or above it; count when there is none. */
size_t wf_growset_at(const struct wf_growset *g, uint64_t number);

/* True when adding first..last would make one range more. */
bool wf_growset_is_apart(const struct wf_growset *g, uint64_t first, uint64_t last);

#endif
