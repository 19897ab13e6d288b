/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_out.c - see message_out.h. Must never forget a byte before it was acknowledged, and never
 * needs memory to learn that something was lost: without it, more than was lost goes again.
 */
#include "transport/message_out.h"

#include <string.h>

#include "base/assert.h"

void wf_message_out_init(struct wf_message_out *m, uint64_t number,
                         const struct wf_frame_open *open)
{
    *m = (struct wf_message_out){.open = *open};
    m->link.number = number;
    m->open.number = number;
    if (open->has_service) {
        WEFT_ASSERT(open->service.len <= sizeof m->service);
        memcpy(m->service, open->service.data, open->service.len);
        m->open.service = (weft_span){m->service, open->service.len};
    }
    wf_growset_init(&m->acks);
    wf_growset_init(&m->lost);
    m->open_once = WF_ONCE_WANTED;
    m->ended = !open->open_ended && open->length == 0;
    wf_blocks_init(&m->data, open->open_ended ? UINT64_MAX : open->length);
}

void wf_message_out_deinit(struct wf_message_out *m, struct wf_block_pool *pool)
{
    wf_growset_deinit(&m->acks, pool->mem);
    wf_growset_deinit(&m->lost, pool->mem);
    wf_blocks_deinit(&m->data, pool);
}

weft_err wf_message_out_write(struct wf_message_out *m, struct wf_block_pool *pool, weft_span data)
{
    weft_err err = wf_blocks_reserve(&m->data, pool, m->written, m->written + data.len);

    if (err != WEFT_OK)
        return err;
    wf_blocks_write(&m->data, m->written, data);
    m->written += data.len;
    if (!m->open.open_ended && m->written == m->open.length)
        wf_message_out_end(m);
    return WEFT_OK;
}

void wf_message_out_end(struct wf_message_out *m)
{
    m->ended = true;
    /* A declared length is its own end; only an open-ended message has to say it. */
    if (m->open.open_ended && m->end_once == WF_ONCE_IDLE)
        m->end_once = WF_ONCE_WANTED;
}

void wf_message_out_cancel(struct wf_message_out *m, struct wf_block_pool *pool, uint64_t code)
{
    wf_message_out_deinit(m, pool);
    m->is_cancelled = true;
    m->code = code;
    m->cancel_once = WF_ONCE_WANTED;
    m->wants_room = false;
}

/* Takes out of `lost` what was acknowledged in the meantime; false when nothing is left in it. */
static bool trim_lost(struct wf_message_out *m)
{
    wf_ranges_remove_below(&m->lost.r, m->acked);
    while (m->lost.r.count > 0 && m->acks.r.count > 0) {
        size_t i = wf_growset_at(&m->acks, m->lost.r.items[0].first);
        if (i == m->acks.r.count || m->acks.r.items[i].first > m->lost.r.items[0].first)
            break;
        wf_ranges_remove_below(&m->lost.r, m->acks.r.items[i].last + 1);
    }
    return m->lost.r.count > 0;
}

/* The end is to be said by a piece that reaches it. */
static bool end_is_due(const struct wf_message_out *m)
{
    return m->end_once == WF_ONCE_WANTED && m->sent == m->written;
}

bool wf_message_out_has_due(struct wf_message_out *m)
{
    if (m->is_cancelled)
        return m->cancel_once == WF_ONCE_WANTED;
    return m->open_once == WF_ONCE_WANTED || end_is_due(m) || (m->lost.r.count > 0 && trim_lost(m));
}

bool wf_message_out_has_fresh(const struct wf_message_out *m)
{
    return !m->is_cancelled && m->sent < m->written && m->sent < m->credit;
}

/* Cuts the piece at the message's end; `end` says so in an open-ended one. */
static void finish_piece(const struct wf_message_out *m, struct wf_out_piece *p)
{
    p->end = m->open.open_ended && m->ended && p->offset + p->len == m->written;
}

static bool lost_piece(struct wf_message_out *m, size_t len_max, struct wf_out_piece *out)
{
    if (m->lost.r.count == 0 || !trim_lost(m))
        return false;

    const struct wf_range *r = &m->lost.r.items[0];
    uint64_t len = r->last - r->first + 1;
    *out = (struct wf_out_piece){.offset = r->first};
    out->len = len < len_max ? (size_t)len : len_max;
    finish_piece(m, out);
    return true;
}

bool wf_message_out_piece(struct wf_message_out *m, size_t len_max, uint64_t node_left,
                          struct wf_out_piece *out)
{
    if (m->is_cancelled)
        return false;
    if (lost_piece(m, len_max, out))
        return len_max > 0;

    uint64_t limit = m->written < m->credit ? m->written : m->credit;
    uint64_t len = limit > m->sent ? limit - m->sent : 0;
    if (len > node_left)
        len = node_left;
    *out = (struct wf_out_piece){.offset = m->sent, .is_fresh = true};
    out->len = len < len_max ? (size_t)len : len_max;
    finish_piece(m, out);
    return out->len > 0 || end_is_due(m);
}

void wf_message_out_sent(struct wf_message_out *m, const struct wf_out_piece *p)
{
    if (p->is_fresh) {
        WEFT_ASSERT(p->offset == m->sent);
        m->sent += p->len;
    } else {
        wf_ranges_remove_below(&m->lost.r, p->offset + p->len);
    }
    if (p->end && m->end_once == WF_ONCE_WANTED)
        m->end_once = WF_ONCE_FLYING;
}

static void advance(struct wf_message_out *m, struct wf_block_pool *pool, uint64_t to)
{
    m->acked = to;
    while (m->acks.r.count > 0 && m->acks.r.items[0].first <= m->acked) {
        if (m->acks.r.items[0].last >= m->acked)
            m->acked = m->acks.r.items[0].last + 1;
        wf_ranges_remove_below(&m->acks.r, m->acked);
    }
    wf_blocks_drop(&m->data, pool, m->acked);
}

static void mark_lost(struct wf_message_out *m, struct wf_block_pool *pool, struct wf_range range)
{
    wf_growset_add_loosely(&m->lost, pool->mem, WF_OUT_RANGES_MAX, range);
}

void wf_message_out_acked(struct wf_message_out *m, struct wf_block_pool *pool,
                          const struct wf_out_piece *p)
{
    uint64_t to = p->offset + p->len;

    if (m->is_cancelled)
        return;
    if (p->end)
        m->end_once = WF_ONCE_ACKED;
    if (to <= m->acked || p->len == 0)
        return;
    if (p->offset <= m->acked) {
        advance(m, pool, to);
        return;
    }
    struct wf_range range = {p->offset, to - 1};
    if (wf_growset_add(&m->acks, pool->mem, WF_OUT_RANGES_MAX, range) != WEFT_OK)
        mark_lost(m, pool, range); /* it cannot be remembered, so it goes again */
}

void wf_message_out_lost(struct wf_message_out *m, struct wf_block_pool *pool,
                         const struct wf_out_piece *p)
{
    uint64_t to = p->offset + p->len;

    if (m->is_cancelled)
        return;
    if (p->end && m->end_once == WF_ONCE_FLYING)
        m->end_once = WF_ONCE_WANTED;
    if (to > m->acked && p->len > 0)
        mark_lost(m, pool, (struct wf_range){p->offset < m->acked ? m->acked : p->offset, to - 1});
}

bool wf_message_out_is_done(const struct wf_message_out *m)
{
    if (m->is_cancelled)
        return m->cancel_once == WF_ONCE_ACKED;
    return m->ended && m->open_once == WF_ONCE_ACKED && m->acked == m->written &&
           (m->end_once == WF_ONCE_IDLE || m->end_once == WF_ONCE_ACKED);
}
