/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.c - see heap.h. Places are counted from 1 here: the children of i are 2 i and 2 i + 1.
 */
#include "base/heap.h"

#include <string.h>

#include "base/assert.h"

#define ROOM_MIN 16

void wf_heap_init(struct wf_heap *h, struct wf_mem *mem, size_t cap)
{
    WEFT_ASSERT(cap > 0);
    WEFT_ASSERT(cap <= SIZE_MAX / (4 * sizeof(struct wf_heap_node *)));
    *h = (struct wf_heap){.mem = mem, .cap = cap};
}

void wf_heap_deinit(struct wf_heap *h)
{
    for (size_t i = 0; i < h->count; i++) {
        h->nodes[i]->index = 0;
    }
    wf_free(h->mem, h->nodes, h->room * sizeof(struct wf_heap_node *));
    *h = (struct wf_heap){0};
}

weft_err wf_heap_reserve(struct wf_heap *h, size_t count)
{
    size_t room = h->room > ROOM_MIN ? h->room : ROOM_MIN;

    if (count > h->cap)
        return WEFT_ERR_LIMIT;
    if (count <= h->room)
        return WEFT_OK;
    while (room < count) {
        room *= 2;
    }
    if (room > h->cap) {
        room = h->cap;
    }

    struct wf_heap_node **nodes =
        (struct wf_heap_node **)wf_alloc_array(h->mem, room, sizeof(struct wf_heap_node *));

    if (nodes == NULL)
        return WEFT_ERR_NOMEM;
    if (h->count > 0) {
        memcpy(nodes, h->nodes, h->count * sizeof(struct wf_heap_node *));
    }
    wf_free(h->mem, h->nodes, h->room * sizeof(struct wf_heap_node *));
    h->nodes = nodes;
    h->room = room;
    return WEFT_OK;
}

static struct wf_heap_node *at(const struct wf_heap *h, size_t place)
{
    return h->nodes[place - 1];
}

static void put(struct wf_heap *h, size_t place, struct wf_heap_node *node)
{
    h->nodes[place - 1] = node;
    node->index = place;
}

/* Finds the place of a node whose key may be smaller than its parents' keys. */
static void rise(struct wf_heap *h, struct wf_heap_node *node)
{
    size_t place = node->index;

    while (place > 1 && node->key < at(h, place / 2)->key) {
        put(h, place, at(h, place / 2));
        place /= 2;
    }
    put(h, place, node);
}

/* Finds the place of a node whose key may be larger than its children's keys. */
static void sink(struct wf_heap *h, struct wf_heap_node *node)
{
    size_t place = node->index;

    while (place <= h->count / 2) {
        size_t child = 2 * place;

        if (child < h->count && at(h, child + 1)->key < at(h, child)->key) {
            child++;
        }
        if (at(h, child)->key >= node->key)
            break;
        put(h, place, at(h, child));
        place = child;
    }
    put(h, place, node);
}

static void settle(struct wf_heap *h, struct wf_heap_node *node)
{
    rise(h, node);
    sink(h, node);
}

static bool is_in(const struct wf_heap *h, const struct wf_heap_node *node)
{
    return node->index != 0 && node->index <= h->count && at(h, node->index) == node;
}

void wf_heap_remove(struct wf_heap *h, struct wf_heap_node *node)
{
    if (node->index == 0)
        return;
    WEFT_ASSERT(is_in(h, node));

    struct wf_heap_node *last = at(h, h->count);
    const size_t place = node->index;

    h->count--;
    node->index = 0;
    if (last != node) {
        put(h, place, last);
        settle(h, last);
    }
}

weft_err wf_heap_set(struct wf_heap *h, struct wf_heap_node *node, weft_time key)
{
    if (key == WEFT_TIME_NEVER) {
        wf_heap_remove(h, node);
        return WEFT_OK;
    }
    if (node->index == 0) {
        const weft_err err = wf_heap_reserve(h, h->count + 1);

        if (err != WEFT_OK)
            return err;
        h->count++;
        put(h, h->count, node);
    }
    WEFT_ASSERT(is_in(h, node));
    node->key = key;
    settle(h, node);
    return WEFT_OK;
}

struct wf_heap_node *wf_heap_first(const struct wf_heap *h)
{
    return h->count > 0 ? at(h, 1) : NULL;
}

struct wf_heap_node *wf_heap_pop_due(struct wf_heap *h, weft_time now)
{
    struct wf_heap_node *node = wf_heap_first(h);

    if (node == NULL || node->key > now)
        return NULL;
    wf_heap_remove(h, node);
    return node;
}

weft_time wf_heap_deadline(const struct wf_heap *h)
{
    return h->count > 0 ? at(h, 1)->key : WEFT_TIME_NEVER;
}

bool wf_heap_has(const struct wf_heap_node *node)
{
    return node->index != 0;
}
