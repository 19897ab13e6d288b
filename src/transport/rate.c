/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.c - see rate.h.
 */
#include "transport/rate.h"

#define RATE_MAX (1ull << 40) /* bytes a second, that of the pacer */

void wf_rate_init(struct wf_rate *r)
{
    *r = (struct wf_rate){0};
}

static uint32_t distance(weft_time from, weft_time to)
{
    const uint64_t us = to > from ? to - from : 0;

    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

struct wf_rate_stamp wf_rate_on_sent(struct wf_rate *r, weft_time now, uint64_t in_flight,
                                     uint64_t bytes)
{
    const uint64_t flight = in_flight + bytes;

    if (in_flight == 0) {
        /* After a pause the sample begins with this packet: silence is nobody's rate. */
        r->first_sent_at = now;
        r->delivered_at = now;
    }
    return (struct wf_rate_stamp){
        .delivered = (uint32_t)r->delivered,
        .lost = (uint32_t)r->lost,
        .in_flight = flight < UINT32_MAX ? (uint32_t)flight : UINT32_MAX,
        .ack_back_us = distance(r->delivered_at, now),
        .send_back_us = distance(r->first_sent_at, now),
        .is_app_limited = r->limited_until != 0,
    };
}

void wf_rate_on_lost(struct wf_rate *r, uint64_t bytes)
{
    r->lost += bytes;
}

uint64_t wf_rate_lost_since(const struct wf_rate *r, const struct wf_rate_stamp *stamp)
{
    return (uint32_t)((uint32_t)r->lost - stamp->lost);
}

static uint64_t speed(uint64_t bytes, uint64_t us)
{
    const uint64_t bw = bytes * 1000000 / us; /* bytes are below 2^32 */

    return bw < RATE_MAX ? bw : RATE_MAX;
}

/* SPEC 4.2-9 */
void wf_rate_on_ack(struct wf_rate *r, const struct wf_rate_acked *a, struct wf_rate_sample *out)
{
    *out = (struct wf_rate_sample){.total = r->delivered};
    if (a->bytes == 0)
        return;
    r->delivered += a->bytes;
    r->delivered_at = a->now;
    if (r->limited_until != 0 && r->delivered > r->limited_until) {
        r->limited_until = 0;
    }
    const uint64_t send_us = a->stamp.send_back_us;
    const uint64_t ack_us = (uint64_t)distance(a->sent_at, a->now) + a->stamp.ack_back_us;
    const uint64_t us = send_us > ack_us ? send_us : ack_us;

    r->first_sent_at = a->sent_at;
    out->total = r->delivered;
    out->delivered = (uint32_t)((uint32_t)r->delivered - a->stamp.delivered);
    out->lost = wf_rate_lost_since(r, &a->stamp);
    out->in_flight = a->stamp.in_flight;
    out->is_app_limited = a->stamp.is_app_limited;
    out->bw = us > 0 ? speed(out->delivered, us) : 0;
}

void wf_rate_app_limited(struct wf_rate *r, uint64_t in_flight)
{
    const uint64_t until = r->delivered + in_flight;

    r->limited_until = until > 0 ? until : 1;
}
