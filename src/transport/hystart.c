/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hystart.c - see hystart.h; names and constants are those of RFC 9406 section 4.2 and 4.3.
 */
#include "transport/hystart.h"

void wf_hystart_init(struct wf_hystart *h)
{
    *h = (struct wf_hystart){.last_min_us = UINT64_MAX, .now_min_us = UINT64_MAX};
}

static void begin_round(struct wf_hystart *h, uint64_t next)
{
    h->last_min_us = h->now_min_us;
    h->now_min_us = UINT64_MAX;
    h->samples = 0;
    h->round_end = next;
    h->has_round = true;
}

static uint64_t threshold(uint64_t min_us)
{
    const uint64_t part = min_us / WF_HYSTART_RTT_DIVISOR;

    if (part < WF_HYSTART_RTT_THRESH_MIN_US)
        return WF_HYSTART_RTT_THRESH_MIN_US;
    return part < WF_HYSTART_RTT_THRESH_MAX_US ? part : WF_HYSTART_RTT_THRESH_MAX_US;
}

static void look(struct wf_hystart *h)
{
    if (h->samples < WF_HYSTART_SAMPLES)
        return;
    if (h->in_css) {
        /* The round trip fell again: it was jitter. */
        h->in_css = h->now_min_us >= h->css_base_us;
        return;
    }
    if (h->last_min_us == UINT64_MAX)
        return;
    if (h->now_min_us >= h->last_min_us + threshold(h->last_min_us)) {
        h->in_css = true;
        h->css_base_us = h->now_min_us;
        h->css_rounds = 0;
    }
}

bool wf_hystart_on_ack(struct wf_hystart *h, uint64_t newest_acked, uint64_t next, uint64_t rtt_us)
{
    if (!h->has_round || newest_acked >= h->round_end) {
        if (h->in_css && ++h->css_rounds >= WF_HYSTART_CSS_ROUNDS)
            return true;
        begin_round(h, next);
    }
    if (rtt_us > 0) {
        h->now_min_us = rtt_us < h->now_min_us ? rtt_us : h->now_min_us;
        h->samples++;
        look(h);
    }
    return false;
}

uint64_t wf_hystart_growth(const struct wf_hystart *h, uint64_t bytes)
{
    return h->in_css ? bytes / WF_HYSTART_CSS_DIVISOR : bytes;
}
