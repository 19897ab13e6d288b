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
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void first_sample(struct wf_rtt *r, weft_time now)
{
    r->has_sample = true;
    r->first_at = now;
    r->min_us = r->latest_us;
    r->srtt8 = r->latest_us * 8;
    r->rttvar8 = r->latest_us * 4;
    r->trend8 = r->srtt8;
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
    r->trend8 = (r->trend8 * 31 + adjusted8) / 32;
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

/* Both factors are at most 1; srtt8 is below 2^29. */
uint64_t wf_rtt_steadiness(const struct wf_rtt *r)
{
    if (!r->has_sample)
        return 0;
    const uint64_t srtt8 = r->srtt8 > 0 ? r->srtt8 : 1;
    const uint64_t even = WF_RTT_STEADY * srtt8 / (srtt8 + 2 * r->rttvar8);

    return srtt8 > r->trend8 ? even * r->trend8 / srtt8 : even;
}

uint64_t wf_rtt_pto(const struct wf_rtt *r)
{
    const uint64_t var4 = wf_rtt_var(r) * 4;

    return wf_rtt_smoothed(r) + (var4 > WF_RTT_GRANULARITY_US ? var4 : WF_RTT_GRANULARITY_US) +
           r->peer_delay_us;
}
