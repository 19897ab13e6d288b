/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_bbr.c - see cc_bbr.h: what an ACK, a loss and a packet do to pacing rate and window.
 */
#include "transport/cc_bbr.h"
#include "transport/cc.h"

/* Paced a little below the estimate, and a little more while a queue shows: the most of many
 * samples is some percent too high where few packets are in flight. */
#define MARGIN_PERCENT 99u
#define MARGIN_QUEUE_PERCENT 96u

struct gains {
    uint16_t pacing, window;
};

/* SPEC 4.2-7 */
static const struct gains gains[WF_BBR_PHASES] = {
    [WF_BBR_STARTUP] = {2840, 2 * WF_BBR_GAIN}, /* 4 ln 2 */
    [WF_BBR_DRAIN] = {512, 2 * WF_BBR_GAIN},
    [WF_BBR_DOWN] = {922, 2 * WF_BBR_GAIN}, /* 0.9 */
    [WF_BBR_CRUISE] = {WF_BBR_GAIN, 2 * WF_BBR_GAIN},
    [WF_BBR_REFILL] = {WF_BBR_GAIN, 2 * WF_BBR_GAIN},
    [WF_BBR_UP] = {WF_BBR_GAIN * 5 / 4, WF_BBR_GAIN * 9 / 4},
    [WF_BBR_PROBE_RTT] = {WF_BBR_GAIN, WF_BBR_GAIN / 2},
};

static void bbr_init(struct wf_cc *cc)
{
    cc->bbr = (struct wf_bbr){
        .phase = WF_BBR_STARTUP,
        .bw_lo = WF_BBR_INFINITE,
        .inflight_hi = WF_BBR_INFINITE,
        .inflight_lo = WF_BBR_INFINITE,
        .up_bytes = WF_BBR_INFINITE,
    };
}

/* --- pacing --- */

static uint64_t paced_at(const struct wf_bbr *b, uint64_t gain)
{
    const bool is_slow = b->phase == WF_BBR_CRUISE && bbr_has_queue(b);

    return bbr_bw(b) * gain / WF_BBR_GAIN / 100 * /* below 2^40 */
           (is_slow ? MARGIN_QUEUE_PERCENT : MARGIN_PERCENT);
}

/* In startup a sample of a sender that had little to send shall not slow it down. */
static void set_pacing(struct wf_bbr *b)
{
    const uint64_t rate = paced_at(b, gains[b->phase].pacing);

    if (rate > 0 && (b->is_full || rate > b->pacing_rate)) {
        b->pacing_rate = rate;
    }
}

static uint64_t bbr_pacing_rate(const struct wf_cc *cc, const struct wf_rtt *rtt)
{
    const uint64_t srtt8 = rtt->srtt8 > 0 ? rtt->srtt8 : 1;
    const struct wf_bbr *b = &cc->bbr;
    const bool is_known = bbr_bw_max(b) > 0 && b->pacing_rate > 0;
    const uint64_t initial = WF_CC_INITIAL_DATAGRAMS * cc->datagram_len;

    if (is_known && b->is_full)
        return b->pacing_rate;
    /* Below 2^53 a second and 2^10: never 0, which would be no pacing at all. */
    const uint64_t window = is_known && initial < cc->window ? initial : cc->window;
    const uint64_t rate = window * 8 * 1000000 / srtt8 * gains[WF_BBR_STARTUP].pacing / WF_BBR_GAIN;

    /* The first sample may be of a single packet: what may be tried unasked is not given up for it.
     */
    return is_known && b->pacing_rate > rate ? b->pacing_rate : rate;
}

/* --- window --- */

static uint64_t most_inflight(const struct wf_cc *cc)
{
    const struct wf_bbr *b = &cc->bbr;
    const uint64_t bytes = bbr_inflight(cc, bbr_bw(b), gains[b->phase].window) + bbr_extra(b);

    return bytes < WF_CC_WINDOW_MAX ? bytes : WF_CC_WINDOW_MAX;
}

static uint64_t bound_of(const struct wf_cc *cc)
{
    const struct wf_bbr *b = &cc->bbr;
    const uint64_t low = WF_BBR_MIN_DATAGRAMS * cc->datagram_len;
    uint64_t cap = WF_BBR_INFINITE;

    if (b->phase == WF_BBR_CRUISE || b->phase == WF_BBR_PROBE_RTT) {
        cap = bbr_headroom(cc);
    } else if (bbr_is_in_cycle(b)) {
        cap = b->inflight_hi;
    }
    if (cap > b->inflight_lo) {
        cap = b->inflight_lo;
    }
    if (b->phase == WF_BBR_PROBE_RTT) {
        const uint64_t half = bbr_inflight(cc, b->probe_bw, gains[b->phase].window);

        cap = cap < half ? cap : half;
    }
    return cap > low ? cap : low;
}

static void set_window(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    const struct wf_bbr *b = &cc->bbr;
    const uint64_t low = WF_BBR_MIN_DATAGRAMS * cc->datagram_len;
    const uint64_t goal = most_inflight(cc);
    const uint64_t bound = bound_of(cc);
    const uint64_t grown = cc->window + (a->bytes < WF_CC_WINDOW_MAX ? a->bytes : WF_CC_WINDOW_MAX);
    uint64_t window = cc->window;

    if (b->is_full) {
        window = grown < goal ? grown : goal;
    } else if (window < goal || b->total < WF_CC_INITIAL_DATAGRAMS * cc->datagram_len) {
        window = grown;
    }
    window = window > low ? window : low;
    wf_cc_set_window(cc, window < bound ? window : bound);
}

/* --- what happens --- */

static void bbr_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    if (a->bytes == 0)
        return;
    bbr_model_on_ack(cc, a);
    bbr_phase_on_ack(cc, a);
    bbr_model_after_ack(&cc->bbr, a);
    set_pacing(&cc->bbr);
    set_window(cc, a);
}

/* When nothing came back for long, the window begins anew; what is known of the path stays, and the
 * window is back there in a few round trips if it still holds. */
static void bbr_on_lost(struct wf_cc *cc, const struct wf_cc_lost *l)
{
    bbr_model_on_lost(cc, l);
    if (l->is_persistent) {
        wf_cc_set_window(cc, 0);
        cc->bbr.undo.packets = 0;
    }
}

static void bbr_on_spurious(struct wf_cc *cc, uint64_t packets)
{
    struct wf_bbr *b = &cc->bbr;
    struct wf_bbr_undo *u = &b->undo;

    if (packets == 0 || u->packets == 0)
        return;
    if (packets < u->packets) {
        u->packets -= packets;
        return;
    }
    u->packets = 0;
    b->round_lost = 0;
    b->round_queued = 0;
    b->loss_events = 0;
    b->bw_lo = b->bw_lo > u->bw_lo ? b->bw_lo : u->bw_lo;
    b->inflight_lo = b->inflight_lo > u->inflight_lo ? b->inflight_lo : u->inflight_lo;
    b->inflight_hi = b->inflight_hi > u->inflight_hi ? b->inflight_hi : u->inflight_hi;
    bbr_full_reset(b, 0);
    if (u->phase == WF_BBR_STARTUP && b->phase != WF_BBR_STARTUP) {
        b->is_full = false;
        bbr_enter(b, WF_BBR_STARTUP, b->phase_at);
    }
}

static void bbr_on_sent(struct wf_cc *cc, const struct wf_cc_sent *s)
{
    struct wf_bbr *b = &cc->bbr;

    if (s->in_flight > s->bytes || !s->is_app_limited)
        return;
    bbr_phase_on_idle(cc, s->now);
    if (bbr_is_in_cycle(b) && bbr_bw(b) > 0) {
        b->pacing_rate = paced_at(b, WF_BBR_GAIN);
    }
}

static uint64_t bbr_bandwidth(const struct wf_cc *cc)
{
    return bbr_bw(&cc->bbr);
}

static const struct wf_cc_model model = {
    .on_sent = bbr_on_sent,
    .on_ack = bbr_on_ack,
    .on_lost = bbr_on_lost,
    .on_spurious = bbr_on_spurious,
    .bandwidth = bbr_bandwidth,
};

const struct wf_cc_ops wf_cc_bbr = {
    .name = "bbr",
    .init = bbr_init,
    .model = &model,
    .pacing_rate = bbr_pacing_rate,
};
