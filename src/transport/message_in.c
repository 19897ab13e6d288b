/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_in.c - see message_in.h. Must never hold bytes that nobody will read.
 */
#include "transport/message_in.h"

#include <string.h>

#include "base/assert.h"
#include "transport/flow.h"

void wf_message_in_init(struct wf_message_in *m, uint64_t number, uint64_t window)
{
    *m = (struct wf_message_in){.credit = window, .window = window};
    m->link.number = number;
    wf_reassembly_init(&m->data);
}

void wf_message_in_deinit(struct wf_message_in *m, struct wf_block_pool *pool)
{
    wf_reassembly_deinit(&m->data, pool);
}

weft_err wf_message_in_open(struct wf_message_in *m, const struct wf_frame_open *open)
{
    if (m->is_open)
        return WEFT_OK; /* SPEC 3.2-2: a copy */
    if (!open->open_ended) {
        weft_err err = wf_reassembly_set_length(&m->data, open->length);
        if (err != WEFT_OK)
            return err;
    }
    m->open = *open;
    if (open->has_service) {
        WEFT_ASSERT(open->service.len <= sizeof m->service);
        memcpy(m->service, open->service.data, open->service.len);
        m->open.service = (weft_span){m->service, open->service.len};
    }
    m->is_open = true;
    return WEFT_OK;
}

uint64_t wf_message_in_cost(const struct wf_message_in *m, uint64_t to)
{
    return to > m->data.highest ? to - m->data.highest : 0;
}

weft_err wf_message_in_put(struct wf_message_in *m, struct wf_block_pool *pool,
                           const struct wf_piece *p)
{
    uint64_t to = p->offset + p->data.len;

    if (!m->is_stopped && !m->is_cancelled)
        return wf_reassembly_put(&m->data, pool, p);
    if (to > m->data.highest)
        m->data.highest = to;
    if (p->end)
        m->data.final = to;
    return WEFT_OK;
}

void wf_message_in_drop(struct wf_message_in *m, struct wf_block_pool *pool)
{
    wf_reassembly_drop(&m->data, pool);
}

uint64_t wf_message_in_take_back(struct wf_message_in *m)
{
    bool is_dropped = m->is_stopped || m->is_cancelled;
    uint64_t done = is_dropped ? m->data.highest : m->data.consumed;
    uint64_t fresh = done - m->counted;

    m->counted = done;
    return fresh;
}

uint64_t wf_message_in_limit(const struct wf_message_in *m)
{
    uint64_t base = m->is_stopped ? m->data.highest : m->data.consumed;

    return base > WF_FRAME_NUMBER_MAX - m->window ? WF_FRAME_NUMBER_MAX : base + m->window;
}

bool wf_message_in_wants_credit(const struct wf_message_in *m)
{
    uint64_t limit = wf_message_in_limit(m);

    if (m->is_stopped || m->is_cancelled || limit <= m->credit)
        return false;
    /* A message whose end is within its credit needs no more of it. */
    if (m->data.final <= m->credit)
        return false;
    return limit - m->credit >= (m->window + 3) / 4; /* SPEC 4.3-2 */
}

void wf_message_in_grow(struct wf_message_in *m, weft_time now, uint64_t srtt_us,
                        uint64_t window_max)
{
    const uint64_t limit = wf_message_in_limit(m);
    const uint64_t used = limit > m->credit ? limit - m->credit : 0;

    if (m->has_raised && now >= m->raised_at) {
        m->window = wf_flow_grown(m->window, window_max, used, now - m->raised_at, srtt_us);
    }
    m->has_raised = true;
    m->raised_at = now;
}

bool wf_message_in_has_more(const struct wf_message_in *m)
{
    return m->data.ready > m->data.consumed || wf_reassembly_is_done(&m->data);
}

bool wf_message_in_is_over(const struct wf_message_in *m)
{
    if (m->is_cancelled)
        return true;
    if (m->is_stopped)
        return m->data.highest == m->data.final;
    return m->is_open && wf_reassembly_is_done(&m->data);
}
