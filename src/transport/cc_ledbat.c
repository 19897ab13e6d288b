/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_ledbat.c - LEDBAT++ (RFC 6817, draft-irtf-iccrg-ledbat-plus-plus) for background messages: it
 * fills what others leave and makes way when a queue grows. In integers; a window is at most 2^30
 * and a round trip less than 2^26 µs, so their products fit.
 *
 * Three things differ from the draft, because its target of 60 ms would be felt by an urgent
 * message on a fast path (docs/decisions/0017-background-congestion.md):
 * - the target is a sixteenth of the base, 1 to 25 ms;
 * - a queue a little above the target takes the window to where it would leave a quarter of the
 *   target; the draft's formula would empty the pipe of a path much longer than the target. Twice
 *   the target is somebody else: the window is halved;
 * - the window grows faster the longer the queue stayed below the target, and is set once a round.
 */
#include "transport/cc.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* SPEC 4.2-10; 0: nothing measured yet. */
static uint64_t base_of(const struct wf_ledbat *l)
{
    uint32_t base = UINT32_MAX;

    for (size_t k = 0; k < WF_LEDBAT_BUCKETS; k++)
        base = l->base_us[k] < base ? l->base_us[k] : base;
    return base == UINT32_MAX ? 0 : base;
}

/* The queue that is aimed at. SPEC 4.2-11 */
static uint64_t target_of(uint64_t base)
{
    const uint64_t part = base / WF_LEDBAT_TARGET_DIVISOR;

    return most(least(part, WF_LEDBAT_TARGET_MAX_US), WF_LEDBAT_TARGET_MIN_US);
}

/* 1 / GAIN of the draft: a path that is short against the target is filled slowly. */
static uint64_t gain_divisor(uint64_t target, uint64_t base)
{
    return least((2 * target + base - 1) / most(base, 1), WF_LEDBAT_GAIN_DIVISOR_MAX);
}

/* --- what is measured --- */

static void turn_buckets(struct wf_ledbat *l, weft_time now)
{
    uint64_t turns = now > l->bucket_at ? (now - l->bucket_at) / WF_LEDBAT_BUCKET_US : 0;

    if (turns == 0)
        return;
    l->bucket_at += turns * WF_LEDBAT_BUCKET_US;
    for (turns = least(turns, WF_LEDBAT_BUCKETS); turns > 0; turns--) {
        l->bucket = (l->bucket + 1) % WF_LEDBAT_BUCKETS;
        l->base_us[l->bucket] = UINT32_MAX;
    }
}

static void note_sample(struct wf_ledbat *l, weft_time now, uint64_t rtt_us)
{
    const uint32_t us = (uint32_t)least(most(rtt_us, 1), WF_RTT_MAX_US);

    if (base_of(l) == 0) {
        l->bucket_at = now;
    }
    turn_buckets(l, now);
    l->base_us[l->bucket] = (uint32_t)least(l->base_us[l->bucket], us);
    l->round_min_us = least(l->round_min_us, us);
}

/* A quarter of a round trip, and a few samples: long enough for a radio that sends in slots. */
static void note_recent(struct wf_ledbat *l, const struct wf_cc_ack *a)
{
    if (l->recent_count >= WF_LEDBAT_RECENT && a->now - l->recent_at >= a->srtt_us / 4) {
        l->before_us = l->recent_us;
        l->recent_us = UINT32_MAX;
        l->recent_count = 0;
        l->recent_at = a->now;
    }
    l->recent_us = (uint32_t)least(l->recent_us, a->rtt_us);
    l->recent_count++;
}

static void forget_recent(struct wf_ledbat *l, weft_time now)
{
    l->recent_us = UINT32_MAX;
    l->before_us = UINT32_MAX;
    l->recent_count = 0;
    l->recent_at = now;
}

/* How much longer the least of the latest samples was than the base; 0 while there are too few. */
static uint64_t recent_queue(const struct wf_ledbat *l)
{
    const uint64_t us = least(l->recent_us, l->before_us);

    return l->before_us == UINT32_MAX ? 0 : us - least(base_of(l), us);
}

static void ledbat_init(struct wf_cc *cc)
{
    struct wf_ledbat *l = &cc->ledbat;

    *l = (struct wf_ledbat){.phase = WF_LEDBAT_START, .round_min_us = UINT64_MAX};
    forget_recent(l, 0);
    for (size_t k = 0; k < WF_LEDBAT_BUCKETS; k++)
        l->base_us[k] = UINT32_MAX;
}

/* --- the window --- */

static void begin_steady(struct wf_cc *cc, weft_time now)
{
    struct wf_ledbat *l = &cc->ledbat;
    const uint64_t spent = least(now - least(l->slow_at, now), WF_LEDBAT_BUCKET_US);

    cc->ssthresh = cc->window;
    l->calm = 0;
    l->is_stale = true;
    if (l->phase == WF_LEDBAT_START) {
        l->phase = WF_LEDBAT_SETTLE;
    } else {
        l->phase = WF_LEDBAT_STEADY;
        l->slow_at = now + most(spent * WF_LEDBAT_SLOWDOWN_FACTOR, WF_LEDBAT_SLOWDOWN_US);
    }
}

/* SPEC 4.2-12
 *
 * Who had made way tries anew how much there is: the others may have gone, or the queue was none.
 */
static void begin_slowdown(struct wf_cc *cc, weft_time now)
{
    struct wf_ledbat *l = &cc->ledbat;

    l->phase = WF_LEDBAT_HOLD;
    l->slow_at = now;
    cc->ssthresh = most(cc->window, WF_LEDBAT_TRY_DATAGRAMS * cc->datagram_len);
    wf_cc_set_window(cc, 0);
}

/* The window with which the queue would be a quarter of the target, and no less than half. */
static void fall(struct wf_cc *cc, uint64_t queue, uint64_t target, uint64_t base)
{
    struct wf_ledbat *l = &cc->ledbat;
    uint64_t window = cc->window / 2;

    if (queue < 2 * target) {
        window = most(window, cc->window * (base + target / 4) / (base + queue));
    }
    wf_cc_set_window(cc, window);
    cc->ssthresh = cc->window;
    l->calm = 0;
    l->is_stale = true;
}

/* A datagram a round by the gain, twice as much after each four calm rounds: an eighth of the
 * target at once, or, while there is hardly any queue, a sixteenth of the window. */
static void rise(struct wf_cc *cc, uint64_t queue, uint64_t target, uint64_t base)
{
    struct wf_ledbat *l = &cc->ledbat;
    const uint64_t one = cc->datagram_len / gain_divisor(target, base);
    const uint64_t cap =
        queue < target / 4 ? cc->window / 16 : cc->window / 8 * target / (base + target);

    l->calm += l->calm < 100;
    wf_cc_set_window(cc, cc->window + most(one, least(one << l->calm / 4, cap)));
    cc->ssthresh = cc->window;
}

static void steady_round(struct wf_cc *cc, uint64_t queue, uint64_t target, uint64_t base)
{
    struct wf_ledbat *l = &cc->ledbat;

    if (l->is_stale) {
        l->is_stale = false;
    } else if (queue > target) {
        fall(cc, queue, target, base);
    } else if (l->was_used) {
        rise(cc, queue, target, base);
    }
}

static void end_round(struct wf_cc *cc, weft_time now)
{
    struct wf_ledbat *l = &cc->ledbat;
    const uint64_t base = base_of(l);
    const uint64_t target = target_of(base);

    switch ((enum wf_ledbat_phase)l->phase) {
    case WF_LEDBAT_START:
    case WF_LEDBAT_RAMP:
        return; /* these grow with each ACK */
    case WF_LEDBAT_HOLD:
        l->phase = WF_LEDBAT_RAMP;
        forget_recent(l, now);
        return;
    case WF_LEDBAT_SETTLE:
        if (++l->calm > WF_LEDBAT_SETTLE_ROUNDS) {
            begin_slowdown(cc, now);
        }
        return;
    case WF_LEDBAT_STEADY:
        if (now >= l->slow_at && l->was_used) {
            begin_slowdown(cc, now);
        } else if (l->round_min_us != UINT64_MAX) {
            steady_round(cc, l->round_min_us - least(base, l->round_min_us), target, base);
        }
        return;
    }
}

static void begin_round(struct wf_ledbat *l, uint64_t next)
{
    l->has_round = true;
    l->round_end = next;
    l->round_min_us = UINT64_MAX;
    l->was_used = false;
}

/* Each ACK with a sample, also those in recovery and while the window is not used. */
static void ledbat_on_rtt(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_ledbat *l = &cc->ledbat;

    l->at = a->now;
    note_sample(l, a->now, a->rtt_us);
    note_recent(l, a);
    if (l->has_round && a->newest < l->round_end)
        return;
    if (l->has_round) {
        end_round(cc, a->now);
    }
    begin_round(l, a->next);
}

/* Slow start has seen the queue a round trip late: what is too much is given back at once. */
static void leave_slow_start(struct wf_cc *cc, const struct wf_cc_ack *a, uint64_t pipe_us)
{
    const uint64_t fits = least(a->rate.bw, WF_CC_WINDOW_MAX * 64) * pipe_us / 1000000;

    if (a->rate.bw > 0 && fits < cc->window) {
        wf_cc_set_window(cc, most(fits, cc->window / 2));
    }
    begin_steady(cc, a->now);
}

static void ledbat_slow_start(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_ledbat *l = &cc->ledbat;
    const uint64_t base = base_of(l);
    const uint64_t target = target_of(base);
    const uint64_t bytes = least(a->bytes, cc->window) / gain_divisor(target, base);

    l->was_used = true;
    if (l->phase == WF_LEDBAT_HOLD || base == 0)
        return;
    if (recent_queue(l) > (l->phase == WF_LEDBAT_START ? target * 3 / 4 : target)) {
        leave_slow_start(cc, a, base + target);
        return;
    }
    wf_cc_set_window(cc, least(cc->window + bytes, cc->ssthresh));
    if (!wf_cc_in_slow_start(cc)) {
        begin_steady(cc, a->now);
    }
}

/* Steady, the window moves once a round; an ACK only shows that it is used. */
static void ledbat_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    cc->ledbat.was_used = true;
    if (cc->ledbat.phase == WF_LEDBAT_RAMP) {
        begin_steady(cc, a->now); /* there was nothing to climb */
    }
}

/* SPEC 4.2-13 */
static void ledbat_reduce(struct wf_cc *cc, weft_time now)
{
    struct wf_ledbat *l = &cc->ledbat;

    if (l->phase == WF_LEDBAT_HOLD) {
        cc->ssthresh = most(cc->ssthresh / 2, wf_cc_min_window(cc));
        return;
    }
    wf_cc_set_window(cc, cc->window / 2);
    cc->ssthresh = cc->window;
    if (l->phase == WF_LEDBAT_START || l->phase == WF_LEDBAT_RAMP) {
        begin_steady(cc, now);
    } else if (l->phase == WF_LEDBAT_STEADY) {
        l->calm = 0;
        l->is_stale = true;
    }
}

/* The phase stays where the loss put it: a background message is in no hurry. */
static void ledbat_restore(struct wf_cc *cc)
{
    if (cc->ledbat.phase == WF_LEDBAT_HOLD) {
        wf_cc_set_window(cc, 0);
    } else {
        cc->ssthresh = cc->window;
    }
}

/* The way back is that of a slowdown. */
static void ledbat_collapse(struct wf_cc *cc)
{
    cc->ledbat.slow_at = cc->ledbat.at;
    cc->ledbat.phase = WF_LEDBAT_HOLD;
}

/* At twice the rate of the path, as in the slow start of others, a window that fits would already
 * look like a queue; once it is steady an eighth is enough. */
static uint64_t ledbat_pacing_rate(const struct wf_cc *cc, const struct wf_rtt *rtt)
{
    const uint64_t per_trip = cc->window * 1000000 / most(rtt->srtt8, 1); /* an eighth of it */

    return per_trip * (wf_cc_in_slow_start(cc) ? 10 : 9);
}

const struct wf_cc_ops wf_cc_ledbat = {
    .name = "ledbat",
    .init = ledbat_init,
    .on_ack = ledbat_on_ack,
    .slow_start = ledbat_slow_start,
    .reduce = ledbat_reduce,
    .restore = ledbat_restore,
    .collapse = ledbat_collapse,
    .on_rtt = ledbat_on_rtt,
    .pacing_rate = ledbat_pacing_rate,
};
