/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtt.c - see rtt.h. The peer chooses the delay in an ACK, so it is never believed beyond what it
 * announced, and never so far that a round trip falls below the least one measured.
 */
#include "transport/rtt.h"

void wf_rtt_init(struct wf_rtt *r, uint64_t peer_delay_us)
{
    *r = (struct wf_rtt){.peer_delay_us = peer_delay_us};
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void begin_wide(struct wf_rtt *r, weft_time now, uint64_t low_us)
{
    r->wide8 = r->srtt8;
    r->swing8 = r->rttvar8;
    r->wide_at = now;
    r->low_us = low_us;
    r->low_before_us = low_us;
    r->low_at = now;
}

void wf_rtt_restore(struct wf_rtt *r, weft_time now, uint64_t srtt_us, uint64_t var_us,
                    uint64_t min_us)
{
    if (srtt_us == 0)
        return;
    r->has_sample = true;
    r->first_at = now;
    r->srtt8 = srtt_us * 8;
    r->rttvar8 = var_us * 8;
    r->latest_us = srtt_us;
    r->min_us = min_us;
    begin_wide(r, now, min_us);
}

static void first_sample(struct wf_rtt *r, weft_time now)
{
    r->has_sample = true;
    r->first_at = now;
    r->min_us = r->latest_us;
    r->srtt8 = r->latest_us * 8;
    r->rttvar8 = r->latest_us * 4;
    begin_wide(r, now, r->latest_us);
}

static void look_low(struct wf_rtt *r, weft_time now)
{
    if (now >= r->low_at + WF_RTT_LOW_US) {
        r->low_before_us = r->low_us;
        r->low_us = r->latest_us;
        r->low_at = now;
    }
    r->low_us = least(r->low_us, r->latest_us);
}

/* Eight times a round trip however many acks there are: where they come by the hundred the smoothed
 * values follow each change so fast that nothing seems to vary. One round trip with an outage in it
 * counts for little. */
static void look_wide(struct wf_rtt *r, weft_time now, uint64_t sample8)
{
    if (now < r->wide_at + r->srtt8 / 64)
        return;
    const uint64_t adjusted8 = least(sample8, 4 * r->wide8 + 8);
    const uint64_t off8 = adjusted8 > r->wide8 ? adjusted8 - r->wide8 : r->wide8 - adjusted8;

    r->swing8 = (r->swing8 * 15 + off8) / 16;
    r->wide8 = (r->wide8 * 15 + adjusted8) / 16;
    r->wide_at = now;
}

void wf_rtt_sample(struct wf_rtt *r, weft_time now, uint64_t rtt_us, uint64_t ack_delay_us)
{
    r->latest_us = least(rtt_us, WF_RTT_MAX_US);
    if (!r->has_sample) {
        first_sample(r, now);
        return;
    }
    if (r->min_us == 0 || r->latest_us < r->min_us) {
        r->min_us = r->latest_us;
    }

    const uint64_t delay = least(ack_delay_us, r->peer_delay_us);
    uint64_t adjusted8 = r->latest_us * 8;

    if (r->latest_us >= r->min_us + delay) {
        adjusted8 -= delay * 8;
    }
    const uint64_t off8 = adjusted8 > r->srtt8 ? adjusted8 - r->srtt8 : r->srtt8 - adjusted8;

    r->rttvar8 = (r->rttvar8 * 3 + off8) / 4;
    r->srtt8 = (r->srtt8 * 7 + adjusted8) / 8;
    look_wide(r, now, adjusted8);
    look_low(r, now);
}

void wf_rtt_forget_min(struct wf_rtt *r)
{
    r->min_us = 0;
}

uint64_t wf_rtt_smoothed(const struct wf_rtt *r)
{
    if (!r->has_sample)
        return WF_RTT_INITIAL_US;
    return r->srtt8 >= 8 ? r->srtt8 / 8 : 1;
}

uint64_t wf_rtt_var(const struct wf_rtt *r)
{
    return r->has_sample ? r->rttvar8 / 8 : WF_RTT_INITIAL_US / 2;
}

uint64_t wf_rtt_min(const struct wf_rtt *r)
{
    return r->min_us;
}

static uint64_t part(uint64_t mean8, uint64_t off8)
{
    return mean8 > 0 ? WF_RTT_STEADY * mean8 / (mean8 + 2 * off8) : 0;
}

/* Values are below 2^29. */
static uint64_t evenness(const struct wf_rtt *r)
{
    return r->has_sample ? least(part(r->srtt8, r->rttvar8), part(r->wide8, r->swing8)) : 0;
}

uint64_t wf_rtt_steadiness(const struct wf_rtt *r)
{
    return r->srtt8 > r->wide8 ? evenness(r) * r->wide8 / r->srtt8 : evenness(r);
}

bool wf_rtt_is_even(const struct wf_rtt *r)
{
    return evenness(r) * 3 >= WF_RTT_STEADY * 2;
}

uint64_t wf_rtt_low(const struct wf_rtt *r)
{
    return least(r->low_us, r->low_before_us);
}

uint64_t wf_rtt_swing(const struct wf_rtt *r)
{
    return (r->rttvar8 > r->swing8 ? r->rttvar8 : r->swing8) / 8;
}

bool wf_rtt_is_unsteady(const struct wf_rtt *r)
{
    const bool swings = r->swing8 >= wf_rtt_low(r) * 8 && r->srtt8 * 8 <= r->wide8 * 11;

    return r->has_sample && (swings || r->rttvar8 * 2 >= r->srtt8) &&
           wf_rtt_swing(r) > WF_RTT_GRANULARITY_US;
}

uint64_t wf_rtt_pto(const struct wf_rtt *r)
{
    const uint64_t var4 = wf_rtt_var(r) * 4;

    return wf_rtt_smoothed(r) + (var4 > WF_RTT_GRANULARITY_US ? var4 : WF_RTT_GRANULARITY_US) +
           r->peer_delay_us;
}
