/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_bbr_phase.c - which phase the controller is in. Bandwidth is sought by sending faster for a
 * while (startup; then REFILL and UP every few seconds), what was sent too much is drained (DRAIN,
 * DOWN), and most of the time it CRUISEs at what is known. The least round trip is looked for by
 * letting the flight fall for a moment.
 */
#include "base/assert.h"
#include "transport/cc.h"
#include "transport/cc_bbr.h"

#define BIT(phase) (1u << (phase))
#define CYCLE_US 2000000u /* at least, between two probes of the bandwidth */
#define CYCLE_SPREAD_US 1000000u
#define RENO_ROUNDS_MAX 63u /* probes come at least as often as Reno's window would fill */
#define GROWN_NUM 5u        /* bandwidth that grew to 5/4 goes on growing */
#define GROWN_DEN 4u
#define UP_INFLIGHT_GAIN (WF_BBR_GAIN * 5 / 4)
#define UP_ROUNDS_MAX 30u
#define HALF (WF_BBR_GAIN / 2)

/* Which phase may follow which. A loss that was none leads back to what it ended. */
static const uint8_t legal[WF_BBR_PHASES] = {
    [WF_BBR_STARTUP] = BIT(WF_BBR_DRAIN) | BIT(WF_BBR_PROBE_RTT),
    [WF_BBR_DRAIN] = BIT(WF_BBR_DOWN) | BIT(WF_BBR_PROBE_RTT) | BIT(WF_BBR_STARTUP),
    [WF_BBR_DOWN] = BIT(WF_BBR_CRUISE) | BIT(WF_BBR_REFILL) | BIT(WF_BBR_UP) |
                    BIT(WF_BBR_PROBE_RTT) | BIT(WF_BBR_STARTUP),
    [WF_BBR_CRUISE] =
        BIT(WF_BBR_REFILL) | BIT(WF_BBR_UP) | BIT(WF_BBR_PROBE_RTT) | BIT(WF_BBR_STARTUP),
    [WF_BBR_REFILL] = BIT(WF_BBR_UP) | BIT(WF_BBR_PROBE_RTT) | BIT(WF_BBR_STARTUP),
    [WF_BBR_UP] = BIT(WF_BBR_DOWN) | BIT(WF_BBR_PROBE_RTT) | BIT(WF_BBR_STARTUP),
    [WF_BBR_PROBE_RTT] = BIT(WF_BBR_STARTUP) | BIT(WF_BBR_DOWN),
};

/* The only writer of b->phase. */
void bbr_enter(struct wf_bbr *b, enum wf_bbr_phase next, weft_time now)
{
    WEFT_ASSERT((legal[b->phase] & BIT(next)) != 0);
    b->phase = (uint8_t)next;
    b->phase_at = now;
}

/* Flows that began together shall not probe together; what was delivered and when is random enough
 * for that. */
static uint64_t spread(const struct wf_bbr *b, weft_time now)
{
    const uint64_t v = (now ^ b->total << 20) * 0x9e3779b97f4a7c15u;

    return (v >> 40) % CYCLE_SPREAD_US;
}

/* --- the cycle --- */

void bbr_go_down(struct wf_bbr *b, weft_time now)
{
    const uint64_t part = spread(b, now);

    b->is_congested = false;
    b->bw_latest = 0;
    b->inflight_latest = 0;
    b->up_bytes = WF_BBR_INFINITE;
    b->rounds_since_probe = part & 1;
    b->cycle_us = CYCLE_US + part;
    b->cycle_at = now;
    b->acks = WF_BBR_ACKS_STOPPING;
    b->is_probing = false;
    bbr_begin_round(b);
    bbr_enter(b, WF_BBR_DOWN, now);
}

static void refill(struct wf_bbr *b, weft_time now)
{
    bbr_bounds_reset(b);
    b->up_rounds = 0;
    b->up_acked = 0;
    b->acks = WF_BBR_ACKS_REFILLING;
    bbr_begin_round(b);
    bbr_enter(b, WF_BBR_REFILL, now);
}

/* inflight_hi rises by 1, 2, 4, … datagrams a round. */
static void steepen(struct wf_cc *cc)
{
    struct wf_bbr *b = &cc->bbr;
    const uint64_t datagrams = (uint64_t)1 << b->up_rounds;
    const uint64_t bytes = wf_cc_window(cc) / datagrams;

    if (b->up_rounds < UP_ROUNDS_MAX) {
        b->up_rounds++;
    }
    b->up_bytes = bytes > 0 ? bytes : 1;
}

void bbr_go_up(struct wf_cc *cc, weft_time now)
{
    struct wf_bbr *b = &cc->bbr;

    b->is_probing = true;
    b->acks = WF_BBR_ACKS_STARTING;
    bbr_begin_round(b);
    bbr_full_reset(b, b->bw_latest);
    bbr_enter(b, WF_BBR_UP, now);
    steepen(cc);
}

/* Did the window hold the sender back in this round trip or the one before? */
static bool is_held_back(const struct wf_cc *cc)
{
    const uint64_t flight =
        cc->flight_max > cc->flight_max_before ? cc->flight_max : cc->flight_max_before;

    return flight + 3 * cc->datagram_len >= cc->window;
}

static void raise_hi(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    if (!is_held_back(cc) || cc->window < b->inflight_hi)
        return;
    b->up_acked += a->bytes;
    if (b->up_acked >= b->up_bytes) {
        const uint64_t steps = b->up_acked / b->up_bytes;

        b->up_acked -= steps * b->up_bytes;
        b->inflight_hi += steps < WF_CC_WINDOW_MAX ? steps * cc->datagram_len : WF_CC_WINDOW_MAX;
        if (b->inflight_hi > WF_CC_WINDOW_MAX) {
            b->inflight_hi = WF_CC_WINDOW_MAX;
        }
    }
    if (b->is_round_start) {
        steepen(cc);
    }
}

/* What the ACKs say of the long-term bound. */
static void adapt_hi(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    if (b->is_round_start && b->acks == WF_BBR_ACKS_STARTING) {
        b->acks = WF_BBR_ACKS_FEEDBACK;
    } else if (b->is_round_start && b->acks == WF_BBR_ACKS_STOPPING) {
        b->acks = WF_BBR_ACKS_INIT;
        if (bbr_is_in_cycle(b) && !bbr_is_limited(b, a)) {
            bbr_next_cycle(b);
        }
    }
    if (b->inflight_hi == WF_BBR_INFINITE || bbr_is_too_high(cc, a->rate.lost, a->rate.in_flight))
        return;
    if (a->rate.in_flight > b->inflight_hi) {
        b->inflight_hi = a->rate.in_flight;
    }
    if (b->phase == WF_BBR_UP) {
        raise_hi(cc, a);
    }
}

/* Where the path is so short that Reno would have filled it by now, it is probed as often. */
static bool is_time_to_probe(const struct wf_cc *cc, weft_time now)
{
    const struct wf_bbr *b = &cc->bbr;
    uint64_t rounds = bbr_inflight(cc, bbr_bw(b), WF_BBR_GAIN) / cc->datagram_len;

    if (now - b->cycle_at > b->cycle_us)
        return true;
    if (rounds > RENO_ROUNDS_MAX) {
        rounds = RENO_ROUNDS_MAX;
    }
    return b->rounds_since_probe >= rounds;
}

static bool is_drained(const struct wf_cc *cc, const struct wf_cc_ack *a)
{
    return a->in_flight <= bbr_headroom(cc) &&
           a->in_flight <= bbr_inflight(cc, bbr_bw_max(&cc->bbr), WF_BBR_GAIN);
}

/* A queue shows by more in flight than what was sent faster explains. A quarter of a round trip
 * more than the first one is waited for: by then the first packets that probed are acknowledged,
 * and a path that carries them has raised the bandwidth. */
static bool is_time_to_go_down(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    if (is_held_back(cc) && cc->window >= b->inflight_hi) {
        bbr_full_reset(b, a->rate.bw); /* it is the bound, not the path, that stopped the growth */
        return false;
    }
    if (b->is_full_now)
        return true;
    return a->now - b->phase_at > b->min_rtt_us / 4 * 5 &&
           a->in_flight > bbr_inflight(cc, bbr_bw_max(b), UP_INFLIGHT_GAIN);
}

static void step_cycle(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    switch (b->phase) {
    case WF_BBR_DOWN:
        if (is_time_to_probe(cc, a->now)) {
            refill(b, a->now);
        } else if (is_drained(cc, a)) {
            bbr_enter(b, WF_BBR_CRUISE, a->now);
        }
        return;
    case WF_BBR_CRUISE:
        if (is_time_to_probe(cc, a->now)) {
            refill(b, a->now);
        }
        return;
    case WF_BBR_REFILL:
        if (b->is_round_start) {
            bbr_go_up(cc, a->now);
        }
        return;
    case WF_BBR_UP:
        if (is_time_to_go_down(cc, a)) {
            bbr_go_down(b, a->now);
        }
        return;
    default:
        return;
    }
}

/* --- startup --- */

static void look_whether_full(struct wf_bbr *b, const struct wf_cc_ack *a)
{
    if (b->is_full_now || !b->is_round_start || bbr_is_limited(b, a))
        return;
    if (a->rate.bw * GROWN_DEN >= b->full_bw * GROWN_NUM) {
        bbr_full_reset(b, a->rate.bw < WF_BBR_BW_MAX ? a->rate.bw : WF_BBR_BW_MAX);
        return;
    }
    b->full_count++;
    if (b->full_count >= WF_BBR_FULL_ROUNDS) {
        b->is_full_now = true;
        b->is_full = true;
    }
}

/* Many losses in one round of startup, or a mark: the path is full before bandwidth says so. */
static void look_for_loss(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;
    const bool is_lossy = b->is_loss_round_start && b->loss_events >= WF_BBR_FULL_LOSSES &&
                          bbr_is_too_high(cc, a->rate.lost, a->rate.in_flight);

    if (b->is_full || !(is_lossy || b->is_congested))
        return;
    const uint64_t bdp = bbr_inflight(cc, bbr_bw_max(b), WF_BBR_GAIN);

    b->is_full = true;
    b->inflight_hi = bdp > b->inflight_latest ? bdp : b->inflight_latest;
    cc->reductions++;
}

static void step_startup(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    if (b->phase == WF_BBR_STARTUP) {
        look_for_loss(cc, a);
        if (b->is_full) {
            bbr_enter(b, WF_BBR_DRAIN, a->now);
        }
    }
    if (b->phase == WF_BBR_DRAIN && a->in_flight <= bbr_inflight(cc, bbr_bw_max(b), WF_BBR_GAIN)) {
        bbr_go_down(b, a->now);
    }
}

/* --- the round trip --- */

/* True: the least round trip was not seen for so long that it is to be looked for. */
static bool note_rtt(struct wf_bbr *b, const struct wf_cc_ack *a)
{
    const bool is_old =
        b->low_rtt_us != 0 && (b->is_rtt_doubted || a->now - b->low_rtt_at > WF_BBR_PROBE_RTT_US);

    if (a->rtt_us > 0 && (b->low_rtt_us == 0 || a->rtt_us < b->low_rtt_us || is_old)) {
        b->low_rtt_us = a->rtt_us;
        b->low_rtt_at = a->now;
    }
    if (b->low_rtt_us != 0 && (b->min_rtt_us == 0 || b->low_rtt_us < b->min_rtt_us ||
                               a->now - b->min_rtt_at > WF_BBR_MIN_RTT_US)) {
        b->min_rtt_us = b->low_rtt_us;
        b->min_rtt_at = b->low_rtt_at;
    }
    return is_old;
}

static void leave_probe(struct wf_cc *cc, weft_time now)
{
    struct wf_bbr *b = &cc->bbr;

    b->low_rtt_at = now;
    wf_cc_set_window(cc, b->window_before > cc->window ? b->window_before : cc->window);
    bbr_bounds_reset(b);
    if (!b->is_full) {
        bbr_enter(b, WF_BBR_STARTUP, now);
        return;
    }
    bbr_go_down(b, now);
    bbr_enter(b, WF_BBR_CRUISE, now);
}

static void step_probe(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    /* What is sent now is held down by ourselves. */
    b->limited_until = a->rate.total + a->in_flight + 1;
    if (b->rtt_until == 0) {
        if (a->in_flight <= bbr_inflight(cc, b->probe_bw, HALF)) {
            b->rtt_until = a->now + WF_BBR_PROBE_RTT_STAY_US;
            b->has_rtt_round = false;
            bbr_begin_round(b);
        }
        return;
    }
    b->has_rtt_round = b->has_rtt_round || b->is_round_start;
    if (!b->has_rtt_round || a->now < b->rtt_until)
        return;
    if (a->in_flight > bbr_inflight(cc, b->probe_bw, HALF + HALF / 4)) {
        b->rtt_until = 0; /* the round trip was so much shorter that half of it was none */
        return;
    }
    leave_probe(cc, a->now);
}

static void begin_probe(struct wf_cc *cc, weft_time now)
{
    struct wf_bbr *b = &cc->bbr;

    b->window_before = cc->window;
    b->probe_bw = bbr_bw_seen(b);
    b->is_rtt_doubted = false;
    b->rtt_until = 0;
    b->acks = WF_BBR_ACKS_STOPPING;
    b->is_probing = false;
    bbr_begin_round(b);
    bbr_enter(b, WF_BBR_PROBE_RTT, now);
}

void bbr_phase_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    look_whether_full(b, a);
    step_startup(cc, a);
    if (b->is_full) {
        adapt_hi(cc, a);
        step_cycle(cc, a);
    }
    const bool is_old = note_rtt(b, a);

    if (is_old && b->phase != WF_BBR_PROBE_RTT && !b->is_idle_restart) {
        begin_probe(cc, a->now);
    }
    if (b->phase == WF_BBR_PROBE_RTT) {
        step_probe(cc, a);
    }
    b->is_idle_restart = b->is_idle_restart && a->bytes == 0;
}

/* The first packet after a pause. */
void bbr_phase_on_idle(struct wf_cc *cc, weft_time now)
{
    struct wf_bbr *b = &cc->bbr;

    b->is_idle_restart = true;
    b->extra_at = now;
    b->extra_delivered = 0;
    if (b->phase == WF_BBR_PROBE_RTT && b->rtt_until != 0 && now >= b->rtt_until) {
        leave_probe(cc, now);
    }
}
