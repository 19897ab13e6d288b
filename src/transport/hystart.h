/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hystart.h - HyStart++ (RFC 9406): leaves slow start when the round trip grows, before packets are
 * lost.
 */
#ifndef WF_TRANSPORT_HYSTART_H
#define WF_TRANSPORT_HYSTART_H

#include "base/compiler.h"

#define WF_HYSTART_RTT_THRESH_MIN_US 4000u
#define WF_HYSTART_RTT_THRESH_MAX_US 16000u
#define WF_HYSTART_RTT_DIVISOR 8u
#define WF_HYSTART_SAMPLES 8u
#define WF_HYSTART_CSS_DIVISOR 4u
#define WF_HYSTART_CSS_ROUNDS 5u

struct wf_hystart {
    uint64_t round_end; /* the round ends when this number is acknowledged */
    bool has_round;
    uint64_t last_min_us,
        now_min_us; /* least round trip of the previous and the present round; UINT64_MAX: none */
    uint32_t samples;
    bool in_css; /* conservative slow start */
    uint64_t css_base_us;
    uint32_t css_rounds;
};

void wf_hystart_init(struct wf_hystart *h);

/* One ACK in slow start. next: the number that will be sent next. True: slow start is over. */
bool wf_hystart_on_ack(struct wf_hystart *h, uint64_t newest_acked, uint64_t next, uint64_t rtt_us);

/* What part of the acknowledged bytes the window may grow by. */
uint64_t wf_hystart_growth(const struct wf_hystart *h, uint64_t bytes);

#endif
