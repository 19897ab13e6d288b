/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pacer.c - see pacer.h.
 */
#include "transport/pacer.h"

#include "base/assert.h"

#define UNIT 1000000u /* tokens of one byte */

static uint64_t burst_of(uint64_t rate, uint64_t datagram_len)
{
    uint64_t burst = rate / (UNIT / WF_PACER_BURST_US);

    if (burst < 2 * datagram_len) {
        burst = 2 * datagram_len;
    }
    if (burst > WF_PACER_BURST_MAX) {
        burst = WF_PACER_BURST_MAX;
    }
    return burst > datagram_len ? burst : datagram_len;
}

void wf_pacer_init(struct wf_pacer *p, weft_time now, uint64_t datagram_len)
{
    WEFT_ASSERT(datagram_len > 0);
    *p = (struct wf_pacer){
        .datagram_len = datagram_len,
        .burst = burst_of(0, datagram_len),
        .at = now,
        .due = WEFT_TIME_NEVER,
    };
    p->tokens = p->burst * UNIT;
}

/* How full the bucket may get: a burst, and the bytes of the time by which somebody was woken too
 * late. The microsecond to which the wait was rounded up counts as such: at 10 GB/s it is a seventh
 * of a burst. */
static uint64_t brim(struct wf_pacer *p, weft_time now)
{
    uint64_t full = p->burst * UNIT;

    if (now < p->due)
        return full;
    const uint64_t late = now - p->due + 1;

    p->due = WEFT_TIME_NEVER;
    return full + p->rate * (late < WF_PACER_LATE_US ? late : WF_PACER_LATE_US);
}

static void fill(struct wf_pacer *p, weft_time now)
{
    if (now <= p->at || p->rate == 0)
        return;
    const uint64_t full = brim(p, now);
    const uint64_t elapsed = now - p->at;

    p->at = now;
    if (p->tokens >= full)
        return;
    if (elapsed > (full - p->tokens) / p->rate) {
        p->tokens = full;
    } else {
        p->tokens += elapsed * p->rate;
    }
}

void wf_pacer_set(struct wf_pacer *p, weft_time now, uint64_t rate, uint64_t datagram_len)
{
    WEFT_ASSERT(datagram_len > 0);
    fill(p, now);
    rate = rate < WF_PACER_RATE_MAX ? rate : WF_PACER_RATE_MAX;
    const uint64_t burst = burst_of(rate, datagram_len);

    if (burst < p->burst && p->tokens > burst * UNIT) {
        p->tokens = burst * UNIT;
    }
    if (p->rate == 0) {
        p->at = now;
    }
    p->rate = rate;
    p->datagram_len = datagram_len;
    p->burst = burst;
}

uint64_t wf_pacer_room(struct wf_pacer *p, weft_time now)
{
    if (p->rate == 0)
        return UINT64_MAX;
    fill(p, now);
    const uint64_t bytes = p->tokens / UNIT;

    return bytes >= p->datagram_len ? bytes : 0;
}

void wf_pacer_on_sent(struct wf_pacer *p, weft_time now, uint64_t bytes)
{
    if (p->rate == 0)
        return;
    fill(p, now);
    p->tokens -= bytes < p->tokens / UNIT ? bytes * UNIT : p->tokens;
    if (p->due == WEFT_TIME_NEVER)
        p->due = now; /* it goes on, unless it says that it rests */
}

weft_time wf_pacer_wait(struct wf_pacer *p, weft_time now)
{
    if (p->rate == 0)
        return now;
    fill(p, now);
    const uint64_t bytes = p->burst / 2 > 2 * p->datagram_len ? p->burst / 2 : 2 * p->datagram_len;
    const uint64_t wanted = (bytes < p->burst ? bytes : p->burst) * UNIT;
    const uint64_t missing = wanted > p->tokens ? wanted - p->tokens : 0;

    p->due = now + (missing + p->rate - 1) / p->rate;
    return p->due;
}

void wf_pacer_rest(struct wf_pacer *p)
{
    p->due = WEFT_TIME_NEVER;
}
