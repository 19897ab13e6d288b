/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks.c - see blocks.h. Never looks at what the bytes mean, and never allocates for an offset
 * nobody wrote to.
 */
#include "transport/blocks.h"

#include <string.h>

#include "base/assert.h"

/* Index of the first block of full size: its start is WF_BLOCK_MAX. */
#define FULL_INDEX 7u

struct extent {
    uint64_t index, start;
    size_t len;
};

static uint64_t index_of(uint64_t offset)
{
    if (offset < WF_BLOCK_FIRST)
        return 0;
    if (offset < WF_BLOCK_MAX)
        return WF_LOG2_U64(offset / WF_BLOCK_FIRST) + 1u;
    return FULL_INDEX - 1u + offset / WF_BLOCK_MAX;
}

/* Where the block lies, cut at the limit. */
static struct extent extent_of(const struct wf_blocks *b, uint64_t index)
{
    struct extent e = {index, 0, WF_BLOCK_FIRST};

    if (index >= FULL_INDEX) {
        e.start = (index - FULL_INDEX + 1) * WF_BLOCK_MAX;
        e.len = WF_BLOCK_MAX;
    } else if (index > 0) {
        e.start = (uint64_t)WF_BLOCK_FIRST << (index - 1);
        e.len = (size_t)e.start;
    }
    if (b->limit - e.start < e.len)
        e.len = (size_t)(b->limit - e.start);
    return e;
}

void wf_block_pool_init(struct wf_block_pool *pool, struct wf_mem *mem)
{
    *pool = (struct wf_block_pool){.mem = mem};
}

static void spare_push(struct wf_block_pool *pool, uint8_t *block)
{
    memcpy(block, &pool->spare, sizeof pool->spare);
    pool->spare = block;
    pool->count++;
}

static uint8_t *spare_pop(struct wf_block_pool *pool)
{
    uint8_t *block = pool->spare;

    memcpy(&pool->spare, block, sizeof pool->spare);
    pool->count--;
    return block;
}

void wf_block_pool_trim(struct wf_block_pool *pool)
{
    while (pool->count > 0)
        wf_free(pool->mem, spare_pop(pool), WF_BLOCK_MAX);
}

/* Spare blocks must not be what others go without: an account that is half used keeps none. */
static bool is_tight(const struct wf_mem *mem)
{
    for (; mem != NULL; mem = mem->parent) {
        if (mem->cap != 0 && mem->held > mem->cap / 2)
            return true;
    }
    return false;
}

static uint8_t *block_get(struct wf_block_pool *pool, size_t len)
{
    if (len == WF_BLOCK_MAX && pool->count > 0)
        return spare_pop(pool);

    uint8_t *block = wf_alloc(pool->mem, len);
    if (block != NULL || pool->count == 0)
        return block;
    wf_block_pool_trim(pool);
    return wf_alloc(pool->mem, len);
}

static void block_put(struct wf_block_pool *pool, uint8_t *block, size_t len)
{
    if (len == WF_BLOCK_MAX && pool->count < WF_BLOCK_POOL_MAX && !is_tight(pool->mem)) {
        spare_push(pool, block);
        return;
    }
    wf_free(pool->mem, block, len);
}

static uint8_t **ring_of(struct wf_blocks *b)
{
    return b->room == 1 ? &b->slot_one : b->slots;
}

/* The block of this index, or NULL. */
static uint8_t *block_at(const struct wf_blocks *b, uint64_t index)
{
    if (index < b->first || index - b->first >= b->room)
        return NULL;
    return b->room == 1 ? b->slot_one : b->slots[index & (b->room - 1)];
}

void wf_blocks_init(struct wf_blocks *b, uint64_t limit)
{
    *b = (struct wf_blocks){.limit = limit, .room = 1};
}

static void free_block(struct wf_blocks *b, struct wf_block_pool *pool, uint64_t index)
{
    uint8_t **slot = &ring_of(b)[index & (b->room - 1)];
    struct extent e = extent_of(b, index);

    if (*slot == NULL)
        return;
    block_put(pool, *slot, e.len);
    b->held -= e.len;
    *slot = NULL;
}

static void free_ring(struct wf_blocks *b, struct wf_block_pool *pool)
{
    if (b->room > 1)
        wf_free(pool->mem, b->slots, b->room * sizeof *b->slots);
    b->slots = NULL;
    b->room = 1;
}

void wf_blocks_deinit(struct wf_blocks *b, struct wf_block_pool *pool)
{
    for (size_t i = 0; i < b->room && b->held > 0; i++)
        free_block(b, pool, b->first + i);
    b->slot_one = NULL;
    free_ring(b, pool);
}

/* Makes the ring large enough for index. */
static weft_err grow_ring(struct wf_blocks *b, struct wf_block_pool *pool, uint64_t index)
{
    uint64_t room = b->room < 4 ? 4 : b->room;

    if (index - b->first >= WF_BLOCKS_AHEAD_MAX)
        return WEFT_ERR_NOMEM;
    while (room <= index - b->first)
        room *= 2;

    uint8_t **slots = wf_alloc_array(pool->mem, (size_t)room, sizeof *slots);
    if (slots == NULL)
        return WEFT_ERR_NOMEM;
    for (size_t i = 0; i < b->room; i++) {
        uint64_t at = b->first + i;
        slots[at & (room - 1)] = ring_of(b)[at & (b->room - 1)];
    }
    if (b->room > 1)
        wf_free(pool->mem, b->slots, b->room * sizeof *b->slots);
    b->slot_one = NULL;
    b->slots = slots;
    b->room = (size_t)room;
    return WEFT_OK;
}

static weft_err reserve_one(struct wf_blocks *b, struct wf_block_pool *pool, uint64_t index)
{
    if (block_at(b, index) != NULL)
        return WEFT_OK;
    if (index - b->first >= b->room && grow_ring(b, pool, index) != WEFT_OK)
        return WEFT_ERR_NOMEM;

    struct extent e = extent_of(b, index);
    uint8_t *block = block_get(pool, e.len);
    if (block == NULL)
        return WEFT_ERR_NOMEM;
    ring_of(b)[index & (b->room - 1)] = block;
    b->held += e.len;
    return WEFT_OK;
}

weft_err wf_blocks_reserve(struct wf_blocks *b, struct wf_block_pool *pool, uint64_t from,
                           uint64_t to)
{
    if (from >= to)
        return WEFT_OK;
    WEFT_ASSERT(to <= b->limit);
    WEFT_ASSERT(index_of(from) >= b->first);

    uint64_t last = index_of(to - 1);
    for (uint64_t i = index_of(from); i <= last; i++) {
        if (reserve_one(b, pool, i) != WEFT_OK)
            return WEFT_ERR_NOMEM;
    }
    return WEFT_OK;
}

void wf_blocks_write(struct wf_blocks *b, uint64_t offset, weft_span data)
{
    while (data.len > 0) {
        struct extent e = extent_of(b, index_of(offset));
        uint8_t *block = block_at(b, e.index);
        size_t at = (size_t)(offset - e.start);
        size_t n = e.len - at < data.len ? e.len - at : data.len;

        WEFT_ASSERT(block != NULL);
        memcpy(block + at, data.data, n);
        offset += n;
        data = (weft_span){data.data + n, data.len - n};
    }
}

weft_span wf_blocks_at(const struct wf_blocks *b, uint64_t offset, uint64_t to)
{
    if (offset >= to || offset >= b->limit)
        return (weft_span){NULL, 0};

    struct extent e = extent_of(b, index_of(offset));
    const uint8_t *block = block_at(b, e.index);
    size_t at = (size_t)(offset - e.start);
    size_t n = e.len - at;

    if (block == NULL)
        return (weft_span){NULL, 0};
    return (weft_span){block + at, to - offset < n ? (size_t)(to - offset) : n};
}

void wf_blocks_read(const struct wf_blocks *b, uint64_t offset, uint8_t *out, size_t len)
{
    while (len > 0) {
        weft_span s = wf_blocks_at(b, offset, offset + len);

        WEFT_ASSERT(s.len > 0);
        memcpy(out, s.data, s.len);
        offset += s.len;
        out += s.len;
        len -= s.len;
    }
}

void wf_blocks_drop(struct wf_blocks *b, struct wf_block_pool *pool, uint64_t offset)
{
    uint64_t first = index_of(offset);

    /* A block that the limit cuts has no byte at or above it: index_of(limit) would name it still.
     */
    if (offset >= b->limit)
        first = b->limit == 0 ? 0 : index_of(b->limit - 1) + 1;
    for (; b->first < first; b->first++) {
        if (b->held > 0)
            free_block(b, pool, b->first);
        else
            b->first = first - 1;
    }
}
