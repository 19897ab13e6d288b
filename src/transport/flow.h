/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h - credit (docs/spec/4-transport.md 4.3): one struct for what the peer granted us, one for
 * what we granted it. Both serve all three scopes: bytes of the node pair, bytes of a message,
 * count of messages.
 */
#ifndef WF_TRANSPORT_FLOW_H
#define WF_TRANSPORT_FLOW_H

#include "base/compiler.h"

#define WF_FLOW_MAX (1ull << 62)

/* What we may send. used <= limit. */
struct wf_flow_out {
    uint64_t limit, used;
};

void wf_flow_out_init(struct wf_flow_out *f, uint64_t limit);
/* CREDIT arrived; a lower limit is ignored. True when it was raised. */
bool wf_flow_out_raise(struct wf_flow_out *f, uint64_t limit);
uint64_t wf_flow_out_room(const struct wf_flow_out *f);
/* count <= room. */
void wf_flow_out_use(struct wf_flow_out *f, uint64_t count);

/* What the peer may send. consumed <= received <= limit. */
struct wf_flow_in {
    uint64_t limit; /* granted; never goes down */
    uint64_t received, consumed;
    uint64_t window, window_max; /* how far ahead of consumed the limit is kept */
    weft_time raised_at;         /* when the limit was last raised */
    bool has_raised;
};

/* window_max: up to which the window may grow by itself; equal to window: never. */
void wf_flow_in_init(struct wf_flow_in *f, uint64_t window, uint64_t window_max);

/* How large a window is to be of which so many bytes were used within us: it lasts four round trips
 * (the sender may be doubling its rate, and what it does now shows here a round trip later), grows
 * at most fourfold at once and up to window_max, and never shrinks. srtt_us 0 (unknown): as it is.
 * SPEC 4.3-11 */
uint64_t wf_flow_grown(uint64_t window, uint64_t window_max, uint64_t used, uint64_t us,
                       uint64_t srtt_us);

/* The peer used count more. WEFT_ERR_LIMIT: beyond what was granted (SPEC 3.4-1); nothing has
 * changed. */
WEFT_NODISCARD weft_err wf_flow_in_receive(struct wf_flow_in *f, uint64_t count);

/* Bytes left our buffers, or will never come. More than was received is cut to that. */
void wf_flow_in_consume(struct wf_flow_in *f, uint64_t count);

/* True when a CREDIT frame with f->limit should go: at least a quarter of the window can be given
 * (SPEC 4.3-2); raises the limit, and lets the window grow by wf_flow_grown. */
bool wf_flow_in_grant(struct wf_flow_in *f, weft_time now, uint64_t srtt_us);
/* The same for whatever can be given, so that a slow reader is seen to read (SPEC 4.3-8). */
bool wf_flow_in_grant_any(struct wf_flow_in *f);

#endif
