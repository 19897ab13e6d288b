/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growset.c - see growset.h. Must never grow beyond the cap it is handed, whatever a peer sends.
 */
#include "transport/growset.h"

#include <string.h>

#include "base/assert.h"

void wf_growset_init(struct wf_growset *g)
{
    wf_ranges_init(&g->r, g->inside, WF_GROWSET_INSIDE);
}

static void free_items(struct wf_growset *g, struct wf_mem *mem)
{
    if (g->r.items != g->inside)
        wf_free(mem, g->r.items, g->r.room * sizeof *g->r.items);
}

void wf_growset_deinit(struct wf_growset *g, struct wf_mem *mem)
{
    free_items(g, mem);
    wf_growset_init(g);
}

weft_err wf_growset_reserve(struct wf_growset *g, struct wf_mem *mem, size_t count)
{
    size_t room = g->r.room;

    if (count <= room)
        return WEFT_OK;
    while (room < count)
        room *= 2;

    struct wf_range *items = wf_alloc_array(mem, room, sizeof *items);
    if (items == NULL)
        return WEFT_ERR_NOMEM;
    memcpy(items, g->r.items, g->r.count * sizeof *items);
    free_items(g, mem);
    g->r.items = items;
    g->r.room = room;
    return WEFT_OK;
}

weft_err wf_growset_add(struct wf_growset *g, struct wf_mem *mem, size_t cap, struct wf_range range)
{
    weft_err err = wf_ranges_add(&g->r, range.first, range.last);

    if (err != WEFT_ERR_LIMIT || g->r.count >= cap)
        return err;
    err = wf_growset_reserve(g, mem, g->r.count + 1);
    if (err != WEFT_OK)
        return err;
    return wf_ranges_add(&g->r, range.first, range.last);
}

void wf_growset_add_loosely(struct wf_growset *g, struct wf_mem *mem, size_t cap,
                            struct wf_range range)
{
    if (wf_growset_add(g, mem, cap, range) == WEFT_OK)
        return;

    size_t i = wf_growset_at(g, range.first);
    if (i < g->r.count) {
        range.last = g->r.items[i].first;
    } else {
        range.first = g->r.items[g->r.count - 1].last;
    }
    /* It touches a range now, so it needs no room. */
    weft_err err = wf_ranges_add(&g->r, range.first, range.last);
    WEFT_ASSERT(err == WEFT_OK);
}

void wf_growset_add_newest(struct wf_growset *g, struct wf_mem *mem, size_t cap,
                           struct wf_range range)
{
    if (wf_growset_add(g, mem, cap, range) == WEFT_OK)
        return;
    /* It has no room for it, so that the lowest range goes. */
    weft_err err = wf_ranges_add_newest(&g->r, range.first, range.last);
    WEFT_ASSERT(err == WEFT_OK);
}

size_t wf_growset_at(const struct wf_growset *g, uint64_t number)
{
    size_t low = 0;
    size_t high = g->r.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->r.items[middle].last < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool wf_growset_is_apart(const struct wf_growset *g, uint64_t first, uint64_t last)
{
    size_t i = wf_growset_at(g, first > 0 ? first - 1 : 0);
    uint64_t touching = last < UINT64_MAX ? last + 1 : last;

    return i == g->r.count || g->r.items[i].first > touching;
}
