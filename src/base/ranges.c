/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges.c - see ranges.h. A peer chooses the numbers, so nothing here may overflow at 0 or 2^64
 * - 1.
 */
#include "base/ranges.h"

#include <string.h>

#include "base/assert.h"

void wf_ranges_init(struct wf_ranges *r, struct wf_range *items, size_t room)
{
    WEFT_ASSERT(room > 0);
    *r = (struct wf_ranges){.items = items, .room = room};
}

void wf_ranges_clear(struct wf_ranges *r)
{
    r->count = 0;
}

/* Index of the lowest range that ends at number or above it; count when there is none. */
static size_t lowest_reaching(const struct wf_ranges *r, uint64_t number)
{
    size_t low = 0;
    size_t high = r->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (r->items[middle].last < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Takes count ranges out from index on. */
static void cut(struct wf_ranges *r, size_t index, size_t count)
{
    if (count == 0)
        return;
    memmove(r->items + index, r->items + index + count,
            (r->count - index - count) * sizeof *r->items);
    r->count -= count;
}

static void insert(struct wf_ranges *r, size_t index, struct wf_range range)
{
    memmove(r->items + index + 1, r->items + index, (r->count - index) * sizeof *r->items);
    r->items[index] = range;
    r->count++;
}

weft_err wf_ranges_add(struct wf_ranges *r, uint64_t first, uint64_t last)
{
    if (first > last)
        return WEFT_ERR_USAGE;

    /* The ranges from begin up to end overlap or touch the new one. */
    const size_t begin = lowest_reaching(r, first > 0 ? first - 1 : 0);
    const uint64_t touching = last < UINT64_MAX ? last + 1 : last;
    size_t end = begin;

    while (end < r->count && r->items[end].first <= touching) {
        end++;
    }
    if (begin == end) {
        if (r->count == r->room)
            return WEFT_ERR_LIMIT;
        insert(r, begin, (struct wf_range){first, last});
        return WEFT_OK;
    }

    struct wf_range *merged = &r->items[begin];

    if (first < merged->first) {
        merged->first = first;
    }
    merged->last = r->items[end - 1].last > last ? r->items[end - 1].last : last;
    cut(r, begin + 1, end - begin - 1);
    return WEFT_OK;
}

weft_err wf_ranges_add_newest(struct wf_ranges *r, uint64_t first, uint64_t last)
{
    const weft_err err = wf_ranges_add(r, first, last);

    if (err != WEFT_ERR_LIMIT)
        return err;
    if (last < r->items[0].first)
        return WEFT_OK; /* it is itself the lowest */
    cut(r, 0, 1);
    return wf_ranges_add(r, first, last);
}

void wf_ranges_remove_below(struct wf_ranges *r, uint64_t floor)
{
    cut(r, 0, lowest_reaching(r, floor));
    if (r->count > 0 && r->items[0].first < floor) {
        r->items[0].first = floor;
    }
}

bool wf_ranges_covers(const struct wf_ranges *r, uint64_t first, uint64_t last)
{
    const size_t index = lowest_reaching(r, first);

    return index < r->count && r->items[index].first <= first && r->items[index].last >= last;
}

bool wf_ranges_contains(const struct wf_ranges *r, uint64_t number)
{
    return wf_ranges_covers(r, number, number);
}

size_t wf_ranges_count(const struct wf_ranges *r)
{
    return r->count;
}

bool wf_ranges_empty(const struct wf_ranges *r)
{
    return r->count == 0;
}

const struct wf_range *wf_ranges_newest(const struct wf_ranges *r, size_t index)
{
    return index < r->count ? &r->items[r->count - 1 - index] : NULL;
}
