/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pto.c - see pto.h. Whatever round trips a peer pretends, the timeout stays within its bounds.
 */
#include "transport/pto.h"

#define PERSISTENT_FACTOR 3u

void wf_pto_init(struct wf_pto *p)
{
    *p = (struct wf_pto){0};
}

static uint64_t within_bounds(uint64_t us)
{
    if (us < WF_PTO_MIN_US)
        return WF_PTO_MIN_US;
    return us > WF_PTO_MAX_US ? WF_PTO_MAX_US : us;
}

uint64_t wf_pto_base_us(const struct wf_rtt *rtt)
{
    return within_bounds(wf_rtt_pto(rtt));
}

uint64_t wf_pto_us(const struct wf_pto *p, const struct wf_rtt *rtt)
{
    const uint64_t base = wf_pto_base_us(rtt);
    const uint64_t us = within_bounds(base << p->doublings);
    const uint64_t most = base > WF_PTO_ASK_US ? base : WF_PTO_ASK_US;

    return p->is_asking && us > most ? most : us; /* SPEC 4.4-9 */
}

weft_time wf_pto_deadline(const struct wf_pto *p, const struct wf_rtt *rtt, weft_time last_at)
{
    const uint64_t us = wf_pto_us(p, rtt);

    return last_at < WEFT_TIME_NEVER - us ? last_at + us : WEFT_TIME_NEVER;
}

weft_err wf_pto_on_timeout(struct wf_pto *p, weft_time now)
{
    if (p->count == 0) {
        p->since = now;
    }
    p->count += p->count < UINT32_MAX;
    p->doublings += p->doublings < WF_PTO_DEAD;
    if (p->count < WF_PTO_DEAD || now < p->since || now - p->since < WF_PTO_DEAD_US)
        return WEFT_OK;
    return WEFT_ERR_TIMEOUT; /* SPEC 4.5-2 */
}

bool wf_pto_carries_data(const struct wf_pto *p)
{
    return p->count <= WF_PTO_DEAD;
}

void wf_pto_on_heard(struct wf_pto *p)
{
    p->doublings = 0;
}

void wf_pto_on_ack(struct wf_pto *p)
{
    p->count = 0;
    p->doublings = 0;
}

bool wf_pto_is_persistent(const struct wf_rtt *rtt, uint64_t run_us)
{
    return rtt->has_sample && run_us >= wf_rtt_pto(rtt) * PERSISTENT_FACTOR;
}
