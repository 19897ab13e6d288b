/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe_estimate.h - what is known of a path: how long it is (the least round trip), how wide (the
 * rate at which it delivered) and how far that can be trusted. It outlives idle times and the
 * sessions that learned it, and loses trust with age (docs/spec/4-transport.md 4.2).
 */
#ifndef WF_TRANSPORT_PIPE_ESTIMATE_H
#define WF_TRANSPORT_PIPE_ESTIMATE_H

#include "transport/rate.h"
#include "transport/rtt.h"

#define WF_TRUST_FULL 1024u
#define WF_TRUST_HALF_US 60000000u /* half of the trust is gone after this time, and so on */

/* Zeroed: nothing is known. */
struct wf_pipe_estimate {
    uint64_t min_rtt_us, rate; /* bytes a second */
    uint32_t trust;            /* at the time `at`: 0..WF_TRUST_FULL */
    uint32_t steadiness;       /* of its round trips: 0..WF_RTT_STEADY */
    weft_time at;              /* of the last round */
    uint64_t best;             /* rate of the present round so far */
    weft_time round_end;       /* it ends when what was sent from then on is acknowledged */
};

/* What an ACK tells. sent_at: when the newest packet that it acknowledges was sent. */
struct wf_pipe_sample {
    weft_time now, sent_at;
    const struct wf_rtt *rtt;
    const struct wf_rate_sample *rate;
};
void wf_pipe_estimate_on_ack(struct wf_pipe_estimate *e, const struct wf_pipe_sample *s);

/* Length times width, in bytes. */
uint64_t wf_pipe_estimate_product(const struct wf_pipe_estimate *e);
/* The same of a length by which it varies: the least round trip of the last minute and twice the
 * swing. */
uint64_t wf_pipe_estimate_reach(const struct wf_pipe_estimate *e, const struct wf_rtt *r);
uint64_t wf_pipe_estimate_trust(const struct wf_pipe_estimate *e, weft_time now);
/* As much of the product as is trusted, and as it is steady. */
uint64_t wf_pipe_estimate_trusted(const struct wf_pipe_estimate *e, weft_time now);
#endif
