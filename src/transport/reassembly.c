/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reassembly.c - see reassembly.h. Takes offsets from a peer: nothing here may overflow, loop over
 * a gap or hold more than follows from the bytes that came.
 */
#include "transport/reassembly.h"

#include "base/assert.h"

#define NO_END UINT64_MAX

void wf_reassembly_init(struct wf_reassembly *r)
{
    *r = (struct wf_reassembly){.final = NO_END};
    wf_growset_init(&r->islands);
    wf_blocks_init(&r->blocks, NO_END);
}

static size_t room_of(const struct wf_reassembly *r)
{
    return r->islands.r.room - WF_GROWSET_INSIDE;
}

static void forget_islands(struct wf_reassembly *r, struct wf_block_pool *pool)
{
    pool->pieces -= room_of(r);
    wf_growset_deinit(&r->islands, pool->mem);
}

void wf_reassembly_deinit(struct wf_reassembly *r, struct wf_block_pool *pool)
{
    forget_islands(r, pool);
    wf_blocks_deinit(&r->blocks, pool);
}

bool wf_reassembly_is_apart(const struct wf_reassembly *r, const struct wf_piece *p)
{
    return p->data.len > 0 && p->offset > r->ready &&
           wf_growset_is_apart(&r->islands, p->offset, p->offset + p->data.len - 1);
}

weft_err wf_reassembly_check(const struct wf_reassembly *r, const struct wf_piece *p,
                             size_t pending)
{
    uint64_t to = p->offset + p->data.len;

    /* SPEC 3.3-1 */
    if (to > r->final || (p->end && r->final != NO_END && to != r->final) ||
        (p->end && to < r->highest))
        return WEFT_ERR_PROTOCOL;
    if (wf_reassembly_is_apart(r, p) && pending >= WF_REASSEMBLY_RANGES_MAX - r->islands.r.count)
        return WEFT_ERR_LIMIT;
    return WEFT_OK;
}

/* Room for pieces doubles when one more has to wait. One that fills a gap needs none, so that a
 * session which has no room left still goes on. */
static bool has_room(const struct wf_reassembly *r, const struct wf_block_pool *pool,
                     const struct wf_piece *p)
{
    const struct wf_ranges *i = &r->islands.r;

    return !wf_reassembly_is_apart(r, p) || i->count < i->room ||
           pool->pieces + i->room <= WF_REASSEMBLY_ROOM_MAX;
}

static weft_err add_island(struct wf_reassembly *r, struct wf_block_pool *pool,
                           struct wf_range fresh)
{
    size_t before = room_of(r);
    weft_err err = wf_growset_add(&r->islands, pool->mem, WF_REASSEMBLY_RANGES_MAX, fresh);

    pool->pieces += room_of(r) - before;
    return err;
}

/* Copies those bytes of the piece that no island covers. */
static void write_missing(struct wf_reassembly *r, uint64_t from, const struct wf_piece *p)
{
    uint64_t to = p->offset + p->data.len;
    size_t i = wf_growset_at(&r->islands, from);

    while (from < to) {
        bool covered = i < r->islands.r.count && r->islands.r.items[i].first < to;
        uint64_t until = covered ? r->islands.r.items[i].first : to;

        if (until > from) {
            const uint8_t *at = p->data.data + (from - p->offset);
            wf_blocks_write(&r->blocks, from, (weft_span){at, (size_t)(until - from)});
        }
        from = covered ? r->islands.r.items[i].last + 1 : to;
        i++;
    }
}

/* The islands that the ready part has reached become part of it. */
static void join_islands(struct wf_reassembly *r, struct wf_block_pool *pool)
{
    while (r->islands.r.count > 0 && r->islands.r.items[0].first <= r->ready) {
        if (r->islands.r.items[0].last >= r->ready)
            r->ready = r->islands.r.items[0].last + 1;
        wf_ranges_remove_below(&r->islands.r, r->islands.r.items[0].last + 1);
    }
    if (r->islands.r.count == 0)
        forget_islands(r, pool);
}

/* Nothing is kept of a first piece that could not be: the length may still come, and with it blocks
 * of another size. */
static weft_err put_failed(struct wf_reassembly *r, struct wf_block_pool *pool, weft_err err)
{
    if (r->highest == 0)
        wf_blocks_deinit(&r->blocks, pool);
    return err;
}

weft_err wf_reassembly_put(struct wf_reassembly *r, struct wf_block_pool *pool,
                           const struct wf_piece *p)
{
    uint64_t to = p->offset + p->data.len;
    uint64_t from = p->offset < r->ready ? r->ready : p->offset;

    if (!has_room(r, pool, p))
        return WEFT_ERR_LIMIT;
    if (from < to) {
        weft_err err = wf_blocks_reserve(&r->blocks, pool, from, to);
        if (err != WEFT_OK)
            return put_failed(r, pool, err);
        if (from > r->ready) {
            struct wf_range fresh = {from, to - 1};
            write_missing(r, from, p);
            err = add_island(r, pool, fresh);
            if (err != WEFT_OK)
                return put_failed(r, pool, err); /* the bytes written belong to nothing yet */
        } else {
            write_missing(r, from, p);
            r->ready = to;
            join_islands(r, pool);
        }
    }
    if (to > r->highest)
        r->highest = to;
    if (p->end)
        r->final = to;
    return WEFT_OK;
}

weft_err wf_reassembly_set_length(struct wf_reassembly *r, uint64_t length)
{
    /* SPEC 3.3-1 */
    if (r->highest > length || (r->final != NO_END && r->final != length))
        return WEFT_ERR_PROTOCOL;
    r->final = length;
    if (r->highest == 0)
        wf_blocks_init(&r->blocks, length); /* no block yet: they can be cut at the length */
    return WEFT_OK;
}

void wf_reassembly_drop(struct wf_reassembly *r, struct wf_block_pool *pool)
{
    wf_reassembly_deinit(r, pool);
    r->ready = r->consumed;
}

weft_span wf_reassembly_peek(const struct wf_reassembly *r, bool *at_end)
{
    weft_span s = wf_blocks_at(&r->blocks, r->consumed, r->ready);

    *at_end = r->consumed + s.len == r->final;
    return s;
}

size_t wf_reassembly_consume(struct wf_reassembly *r, struct wf_block_pool *pool, size_t len)
{
    uint64_t left = r->ready - r->consumed;
    size_t n = len < left ? len : (size_t)left;

    r->consumed += n;
    wf_blocks_drop(&r->blocks, pool, r->consumed);
    return n;
}

bool wf_reassembly_is_whole(const struct wf_reassembly *r)
{
    return r->ready == r->final;
}

bool wf_reassembly_is_done(const struct wf_reassembly *r)
{
    return r->consumed == r->final;
}
