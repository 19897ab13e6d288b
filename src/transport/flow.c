/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.c - see flow.h. All limits come from a peer; no sum here exceeds 2^62, so nothing wraps.
 */
#include "transport/flow.h"

#include "base/assert.h"

static uint64_t at_most(uint64_t v, uint64_t most)
{
    return v < most ? v : most;
}

void wf_flow_out_init(struct wf_flow_out *f, uint64_t limit)
{
    *f = (struct wf_flow_out){.limit = at_most(limit, WF_FLOW_MAX)};
}

bool wf_flow_out_raise(struct wf_flow_out *f, uint64_t limit)
{
    limit = at_most(limit, WF_FLOW_MAX);
    if (limit <= f->limit)
        return false;
    f->limit = limit;
    return true;
}

uint64_t wf_flow_out_room(const struct wf_flow_out *f)
{
    return f->limit - f->used;
}

void wf_flow_out_use(struct wf_flow_out *f, uint64_t count)
{
    WEFT_ASSERT(count <= f->limit - f->used);
    f->used += count;
}

void wf_flow_in_init(struct wf_flow_in *f, uint64_t window, uint64_t window_max)
{
    window = at_most(window, WF_FLOW_MAX);
    window_max = at_most(window_max, WF_FLOW_MAX);
    *f = (struct wf_flow_in){
        .limit = window,
        .window = window,
        .window_max = window_max > window ? window_max : window,
    };
}

weft_err wf_flow_in_receive(struct wf_flow_in *f, uint64_t count)
{
    if (count > f->limit - f->received)
        return WEFT_ERR_LIMIT; /* SPEC 3.4-1 */
    f->received += count;
    return WEFT_OK;
}

void wf_flow_in_consume(struct wf_flow_in *f, uint64_t count)
{
    f->consumed += at_most(count, f->received - f->consumed);
}

/* SPEC 4.3-11 */
uint64_t wf_flow_grown(uint64_t window, uint64_t window_max, uint64_t used, uint64_t us,
                       uint64_t srtt_us)
{
    const uint64_t most = at_most(window_max, at_most(window, WF_FLOW_MAX / 4) * 4);
    const uint64_t trips = 4 * srtt_us;

    if (us >= trips || window >= most)
        return window;
    /* No more than `most` is wanted where the product could overflow. */
    const uint64_t wanted =
        used >= most || trips > UINT64_MAX / most ? most : used * trips / (us > 0 ? us : 1);

    return wanted < window ? window : at_most(wanted, most);
}

/* SPEC 4.3-2 */
bool wf_flow_in_grant(struct wf_flow_in *f, weft_time now, uint64_t srtt_us)
{
    const uint64_t ahead = f->limit - f->consumed; /* above the window after a long handshake */
    const uint64_t quarter = f->window / 4 > 0 ? f->window / 4 : 1;

    if (f->limit == WF_FLOW_MAX || ahead >= f->window || f->window - ahead < quarter)
        return false;
    if (f->has_raised) {
        f->window =
            wf_flow_grown(f->window, f->window_max, f->window - ahead, now - f->raised_at, srtt_us);
    }
    f->has_raised = true;
    f->raised_at = now;
    f->limit = at_most(f->consumed + f->window, WF_FLOW_MAX);
    return true;
}

/* SPEC 4.3-8 */
bool wf_flow_in_grant_any(struct wf_flow_in *f)
{
    const uint64_t limit = at_most(f->consumed + f->window, WF_FLOW_MAX);

    if (limit <= f->limit)
        return false;
    f->limit = limit;
    return true;
}
