/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price.h - the effort asked of everybody, from what waits in the queue
 * (docs/spec/1-handshake.md, 1.7). Zero while the server keeps up.
 *
 * The owner serves the queue as fast as it can, says so here for each request, and calls
 * wf_price_tick when wf_price_deadline is due. What the server can do in a tick is measured: what
 * it served while the queue never ran empty.
 *
 * Threads  One thread at a time.
 */
#ifndef WF_SESSION_PRICE_H
#define WF_SESSION_PRICE_H

#include "session/queue.h"

#define WF_PRICE_TICK_US ((weft_time)250000)

struct wf_price_config {
    uint32_t floor;   /* the least price that is not zero, and the first; at least 1 */
    uint32_t ceiling; /* at least floor */
};

/* Written by these functions only. */
struct wf_price {
    struct wf_price_config config;
    uint32_t price;
    uint32_t served;   /* since the last tick */
    uint32_t least;    /* paid, divided by the multiplier, by one of them; UINT32_MAX: none */
    uint32_t capacity; /* requests a tick */
    uint32_t busy;     /* part of the capacity that was used lately, 0..65536 */
    weft_time last;    /* tick */
};

void wf_price_init(struct wf_price *p, const struct wf_price_config *c, weft_time now);

/* The effort to ask in CHALLENGE of an address with this multiplier; 0 when idle, never above the
 * ceiling. */
uint32_t wf_price_asked(const struct wf_price *p, uint32_t multiplier);

/* Whether a request that proved this effort may join the queue: under overload, whoever pays less
 * than half of what would be asked now may not. */
bool wf_price_takes(const struct wf_price *p, uint32_t paid, uint32_t multiplier);

/* One request's curves are done; it had paid this. */
void wf_price_served(struct wf_price *p, uint32_t paid, uint32_t multiplier);

/* Recomputes the price when a tick is over; early calls change nothing. */
void wf_price_tick(struct wf_price *p, weft_time now, struct wf_queue *q);

/* When wf_price_tick is due: WEFT_TIME_NEVER when there is neither a price nor a queue. */
weft_time wf_price_deadline(const struct wf_price *p, const struct wf_queue *q);

#endif
