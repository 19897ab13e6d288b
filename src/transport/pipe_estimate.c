/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe_estimate.c - see pipe_estimate.h. A peer can make a path look longer or narrower than it is;
 * wider it cannot, for no sample exceeds the rate at which we sent.
 */
#include "transport/pipe_estimate.h"

#define PRODUCT_MAX (1ull << 30)
#define GAIN 8u   /* trust gained in a steady round: one part in so many of what is missing */
#define LOSS 4u   /* lost in another one: one part in so many */
#define FORGET 8u /* a round at a lower rate counts for one part in so many */

static void end_round(struct wf_pipe_estimate *e, const struct wf_pipe_sample *s)
{
    const bool is_app_limited = s->rate->is_app_limited;

    e->trust = (uint32_t)wf_pipe_estimate_trust(e, s->now);
    if (wf_rtt_is_even(s->rtt)) {
        e->trust += (WF_TRUST_FULL - e->trust + GAIN - 1) / GAIN;
    } else if (wf_rtt_is_unsteady(s->rtt)) {
        e->trust -= e->trust / LOSS;
    }
    if (e->best > e->rate) {
        e->rate = e->best;
    } else if (!is_app_limited) {
        e->rate -= (e->rate - e->best) / FORGET;
    }
    e->steadiness = (uint32_t)wf_rtt_steadiness(s->rtt);
    e->min_rtt_us = wf_rtt_min(s->rtt);
    e->at = s->now;
    e->best = 0;
    e->round_end = s->now;
}

/* What was sent while the application had nothing more says how wide the path is at least. */
void wf_pipe_estimate_on_ack(struct wf_pipe_estimate *e, const struct wf_pipe_sample *s)
{
    if (s->rate->bw > e->best) {
        e->best = s->rate->bw;
    }
    if (s->rtt->has_sample && s->rate->bw > 0 && s->sent_at >= e->round_end) {
        end_round(e, s);
    }
}

static uint64_t product_of(uint64_t rate, uint64_t length_us)
{
    const uint64_t product = rate / 1000 * length_us / 1000;

    return product < PRODUCT_MAX ? product : PRODUCT_MAX;
}

uint64_t wf_pipe_estimate_product(const struct wf_pipe_estimate *e)
{
    return product_of(e->rate, e->min_rtt_us);
}

/* A window for the least round trip alone would leave a path empty that is longer most of the time.
 * A queue that stands still swings by nothing. */
uint64_t wf_pipe_estimate_reach(const struct wf_pipe_estimate *e, const struct wf_rtt *r)
{
    return product_of(e->rate, wf_rtt_low(r) + 2 * wf_rtt_swing(r));
}

uint64_t wf_pipe_estimate_trust(const struct wf_pipe_estimate *e, weft_time now)
{
    const uint64_t age = now > e->at ? now - e->at : 0;
    const uint64_t halvings = age / WF_TRUST_HALF_US;

    if (halvings >= 10)
        return 0;
    const uint64_t trust = (uint64_t)e->trust >> halvings;

    return trust - trust * (age % WF_TRUST_HALF_US) / (2 * (uint64_t)WF_TRUST_HALF_US);
}

uint64_t wf_pipe_estimate_trusted(const struct wf_pipe_estimate *e, weft_time now)
{
    const uint64_t trust = wf_pipe_estimate_trust(e, now) * e->steadiness / WF_RTT_STEADY;

    return wf_pipe_estimate_product(e) * trust / WF_TRUST_FULL;
}
