/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtt.h - the round-trip estimate of RFC 9002 section 5, in integers: smoothed values are kept with
 * three more bits, so that a path of 50 µs is not eaten by rounding.
 */
#ifndef WF_TRANSPORT_RTT_H
#define WF_TRANSPORT_RTT_H

#include "base/compiler.h"

#define WF_RTT_INITIAL_US 333000u
#define WF_RTT_GRANULARITY_US 1000u
#define WF_RTT_MAX_US 60000000u /* longer samples are cut */
#define WF_RTT_STEADY 256u
#define WF_RTT_LOW_US 30000000u

struct wf_rtt {
    uint64_t srtt8, rttvar8;        /* µs * 8 */
    uint64_t wide8, swing8;         /* the same over two round trips, whatever number of samples */
    weft_time wide_at;              /* of the last sample that these took in */
    uint64_t low_us, low_before_us; /* the least since low_at, and in the WF_RTT_LOW_US before */
    weft_time low_at;
    uint64_t latest_us, min_us;
    uint64_t peer_delay_us; /* the ack delay that the peer announced: more is not believed */
    weft_time first_at;     /* time of the first sample */
    bool has_sample;
};

void wf_rtt_init(struct wf_rtt *r, uint64_t peer_delay_us);

/* After wf_rtt_init: an estimate from before, in µs; srtt_us 0: there was none. */
void wf_rtt_restore(struct wf_rtt *r, weft_time now, uint64_t srtt_us, uint64_t var_us,
                    uint64_t min_us);

/* now - sent_at of the newest packet of an ACK that is newly acknowledged, with the delay that the
 * ACK names. */
void wf_rtt_sample(struct wf_rtt *r, weft_time now, uint64_t rtt_us, uint64_t ack_delay_us);

/* After persistent congestion the minimum is taken anew from the next sample. */
void wf_rtt_forget_min(struct wf_rtt *r);

uint64_t wf_rtt_smoothed(
    const struct wf_rtt *r); /* at least 1; the initial value before the first sample */
uint64_t wf_rtt_var(const struct wf_rtt *r);
uint64_t wf_rtt_min(const struct wf_rtt *r); /* 0 before the first sample */

/* How far what was learned of the path can be trusted: WF_RTT_STEADY while round trips are all
 * alike, half of that when they vary by half of their length or have just become twice as long, 0
 * before the first sample. A peer moves it by its acks alone as far as it moves its round trips;
 * what trusts it must be safe at any value. */
uint64_t wf_rtt_steadiness(const struct wf_rtt *r);

/* By how much they vary, and the least of the last minute: a path that became longer is not held
 * to what it was. In us; 0 before the first sample. */
uint64_t wf_rtt_swing(const struct wf_rtt *r);
uint64_t wf_rtt_low(const struct wf_rtt *r);
/* They vary by less than a quarter of their mean. */
bool wf_rtt_is_even(const struct wf_rtt *r);
/* They vary by as much as the least of them, so that of two that alternate one is three times as
 * long as the other: a queue that stands still hides nothing of it.
 * Round trips that just grow, as behind a queue that fills, are no variation. */
bool wf_rtt_is_unsteady(const struct wf_rtt *r);

/* srtt + max(4 rttvar, granularity) + the peer's ack delay, without back-off. */
uint64_t wf_rtt_pto(const struct wf_rtt *r);

#endif
