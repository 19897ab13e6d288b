/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges.h - a sorted set of numbers kept as ranges [first, last], in an array of fixed size:
 * packet numbers to acknowledge, parts of a message that have arrived.
 *
 * Ranges never overlap or touch; both ends belong to them; every 64-bit number can be inside.
 *
 * Memory   The array is the caller's and must outlive the set.
 */
#ifndef WF_BASE_RANGES_H
#define WF_BASE_RANGES_H

#include "base/compiler.h"

struct wf_range {
    uint64_t first;
    uint64_t last;
};

/* items is sorted, lowest first. Written by these functions only. */
struct wf_ranges {
    struct wf_range *items;
    size_t count;
    size_t room;
};

/* room > 0: how many ranges items can take. */
void wf_ranges_init(struct wf_ranges *r, struct wf_range *items, size_t room);

/* Adds first..last. WEFT_ERR_LIMIT: it would be one more range than there is room for.
 * WEFT_ERR_USAGE: first > last. On error nothing has changed. */
WEFT_NODISCARD weft_err wf_ranges_add(struct wf_ranges *r, uint64_t first, uint64_t last);

/* The same, but when there is no room the lowest range is forgotten, which may be the new one: for
 * acknowledgements, where the newest matter. Only WEFT_ERR_USAGE. */
WEFT_NODISCARD weft_err wf_ranges_add_newest(struct wf_ranges *r, uint64_t first, uint64_t last);

/* Takes out every number below floor. */
void wf_ranges_remove_below(struct wf_ranges *r, uint64_t floor);

void wf_ranges_clear(struct wf_ranges *r);

bool wf_ranges_contains(const struct wf_ranges *r, uint64_t number);

/* True when every number of first..last is inside; first <= last. */
bool wf_ranges_covers(const struct wf_ranges *r, uint64_t first, uint64_t last);

/* How many ranges there are, and whether there are none. */
size_t wf_ranges_count(const struct wf_ranges *r);
bool wf_ranges_empty(const struct wf_ranges *r);

/* The index-th range counted from the highest; NULL beyond the lowest. Valid until the next change.
 */
const struct wf_range *wf_ranges_newest(const struct wf_ranges *r, size_t index);

#endif
