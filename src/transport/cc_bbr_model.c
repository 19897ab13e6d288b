/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_bbr_model.c - what is known of the path: bandwidth as the most of two cycles, how many bytes
 * come acknowledged at once, and the bounds that congestion sets. All of it comes from samples that
 * never exceed what was sent, so a peer that lies can only lower it.
 */
#include "transport/cc.h"
#include "transport/cc_bbr.h"

/* What a round with congestion leaves of the short-term bounds, and of the long-term one. */
#define BETA_PERMILLE 700u
#define HEADROOM_PERMILLE 150u
#define EXTRA_ROUNDS 5u /* in each of the two spans */
#define EXTRA_US 100000u
#define LESS_ROUNDS 4u
#define QUEUE_SPAN_US 10000u /* at least: a process that waits for its turn waits so long */

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* --- what is read --- */

uint64_t bbr_bw_max(const struct wf_bbr *b)
{
    return most(b->bw_max[0], b->bw_max[1]);
}

uint64_t bbr_bw(const struct wf_bbr *b)
{
    return least(bbr_bw_max(b), b->bw_lo);
}

uint64_t bbr_bw_seen(const struct wf_bbr *b)
{
    return least(bbr_bw(b), most(b->bw_latest, b->bw_before));
}

uint64_t bbr_extra(const struct wf_bbr *b)
{
    return most(b->extra[0], b->extra[1]);
}

/* Bytes of one send burst. SPEC 4.2-1 */
static uint64_t quantum(const struct wf_cc *cc)
{
    return most(least(cc->bbr.pacing_rate / 1000, 65536), 2 * cc->datagram_len);
}

uint64_t bbr_inflight(const struct wf_cc *cc, uint64_t bw, uint64_t gain)
{
    const struct wf_bbr *b = &cc->bbr;

    if (b->min_rtt_us == 0 || bw == 0)
        return WF_CC_INITIAL_DATAGRAMS * cc->datagram_len * gain / WF_BBR_GAIN;
    /* bw is below 2^37 and the round trip below 2^26; what exceeds every window is cut. */
    const uint64_t bdp =
        least(least(bw, WF_BBR_BW_MAX) * b->min_rtt_us / 1000000, 8 * WF_CC_WINDOW_MAX);
    uint64_t bytes = most(bdp * gain / WF_BBR_GAIN, 3 * quantum(cc));

    bytes = most(bytes, WF_BBR_MIN_DATAGRAMS * cc->datagram_len);
    return b->phase == WF_BBR_UP ? bytes + 2 * cc->datagram_len : bytes;
}

/* What is left of the long-term bound for others. */
uint64_t bbr_headroom(const struct wf_cc *cc)
{
    const uint64_t hi = cc->bbr.inflight_hi;
    const uint64_t low = WF_BBR_MIN_DATAGRAMS * cc->datagram_len;

    if (hi == WF_BBR_INFINITE)
        return hi;
    const uint64_t room = most(hi * HEADROOM_PERMILLE / 1000, cc->datagram_len);

    return hi > room ? most(hi - room, low) : low;
}

bool bbr_is_in_cycle(const struct wf_bbr *b)
{
    return b->phase >= WF_BBR_DOWN && b->phase <= WF_BBR_UP;
}

bool bbr_is_probing_bw(const struct wf_bbr *b)
{
    return b->phase == WF_BBR_STARTUP || b->phase == WF_BBR_REFILL || b->phase == WF_BBR_UP;
}

bool bbr_is_limited(const struct wf_bbr *b, const struct wf_cc_ack *a)
{
    return a->rate.is_app_limited || a->rate.total - a->rate.delivered < b->limited_until;
}

/* --- rounds --- */

void bbr_begin_round(struct wf_bbr *b)
{
    b->round_end = b->total;
}

static void count_round(struct wf_bbr *b, const struct wf_cc_ack *a)
{
    const uint64_t sent_at = a->rate.total - a->rate.delivered;

    b->total = a->rate.total;
    b->is_round_start = sent_at >= b->round_end;
    if (b->is_round_start) {
        bbr_begin_round(b);
        b->rounds_since_probe += b->rounds_since_probe < UINT32_MAX ? 1 : 0;
    }
    b->is_loss_round_start = sent_at >= b->loss_round_end;
    if (b->is_loss_round_start) {
        b->loss_round_end = b->total;
    }
}

void bbr_full_reset(struct wf_bbr *b, uint64_t bw)
{
    b->full_bw = bw;
    b->full_count = 0;
    b->is_full_now = false;
}

/* --- congestion --- */

void bbr_bounds_reset(struct wf_bbr *b)
{
    b->bw_lo = WF_BBR_INFINITE;
    b->inflight_lo = WF_BBR_INFINITE;
}

/* The round trip is so much longer than the least one that bytes must be waiting somewhere. */
static bool is_queued(const struct wf_bbr *b, uint64_t rtt_us)
{
    return b->min_rtt_us != 0 && rtt_us > b->min_rtt_us + b->min_rtt_us / 16 + 1000;
}

/* A busy machine makes single round trips longer; what waits in a queue makes all of a span so. */
static void note_latest(struct wf_bbr *b, const struct wf_cc_ack *a)
{
    const uint64_t span = most(b->min_rtt_us / 4, QUEUE_SPAN_US);

    if (a->rtt_us == 0)
        return;
    if (a->now - b->rtt_at > span) {
        b->rtt_us[0] = b->rtt_us[1];
        b->rtt_us[1] = 0;
        b->rtt_at = a->now;
    }
    b->rtt_us[1] = b->rtt_us[1] == 0 ? a->rtt_us : least(b->rtt_us[1], a->rtt_us);
    b->round_rtt_us = b->round_rtt_us == 0 ? a->rtt_us : least(b->round_rtt_us, a->rtt_us);
}

/* SPEC 4.2-8 */
bool bbr_has_queue(const struct wf_bbr *b)
{
    return is_queued(b, b->rtt_us[0] == 0 ? b->rtt_us[1] : least(b->rtt_us[0], b->rtt_us[1]));
}

static uint64_t permille(uint64_t bytes, uint64_t of_1000)
{
    return bytes / 1000 * of_1000 + bytes % 1000 * of_1000 / 1000;
}

/* Losses beside no queue are, up to a point, those of a path that loses by itself; where few
 * packets are in flight two more of them are chance. */
static bool is_heavy(const struct wf_cc *cc, uint64_t lost, uint64_t of)
{
    return lost > permille(of, WF_BBR_LOSS_QUIET) + 2 * cc->datagram_len;
}

/* SPEC 4.2-8 */
bool bbr_is_too_high(const struct wf_cc *cc, uint64_t lost, uint64_t in_flight)
{
    if (bbr_has_queue(&cc->bbr))
        return lost > permille(in_flight, WF_BBR_LOSS_THRESH);
    return is_heavy(cc, lost, in_flight);
}

void bbr_too_high(struct wf_cc *cc, weft_time now, uint64_t in_flight, bool is_app_limited)
{
    struct wf_bbr *b = &cc->bbr;

    b->is_probing = false;
    if (!is_app_limited) {
        const uint64_t target = least(bbr_inflight(cc, bbr_bw(b), WF_BBR_GAIN), wf_cc_window(cc));

        b->inflight_hi = most(in_flight, target * BETA_PERMILLE / 1000);
        cc->reductions++;
    }
    if (b->phase == WF_BBR_UP) {
        bbr_go_down(b, now);
    }
}

static void lower_bounds(struct wf_cc *cc)
{
    struct wf_bbr *b = &cc->bbr;

    if (b->bw_lo == WF_BBR_INFINITE) {
        b->bw_lo = bbr_bw_max(b);
    }
    if (b->inflight_lo == WF_BBR_INFINITE) {
        b->inflight_lo = wf_cc_window(cc);
    }
    b->bw_lo = most(b->bw_latest, b->bw_lo / 1000 * BETA_PERMILLE);
    b->inflight_lo = most(b->inflight_latest, b->inflight_lo / 10 * BETA_PERMILLE / 100);
    cc->reductions++;
}

/* Losses that are no more than what a path may lose by itself are no congestion: were the bound
 * lowered in each round that has any, a path that loses one packet of a hundred would be given up
 * bit by bit. */
static void answer_round(struct wf_cc *cc)
{
    struct wf_bbr *b = &cc->bbr;
    const uint64_t of = b->total - b->loss_round_from + b->round_lost;
    const bool is_lossy =
        b->round_queued > permille(of, WF_BBR_LOSS_THRESH) || is_heavy(cc, b->round_lost, of);

    if ((is_lossy || b->is_congested) && bbr_is_in_cycle(b) && !bbr_is_probing_bw(b)) {
        lower_bounds(cc);
    }
    if (b->phase != WF_BBR_STARTUP) {
        b->is_congested = false; /* there it ends the phase */
    }
}

/* --- aggregation --- */

static void note_extra(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;
    const uint64_t bw = bbr_bw(b);
    const uint64_t us = least(a->now - b->extra_at, WF_BBR_MIN_RTT_US);
    uint64_t expected = least(bw, WF_BBR_BW_MAX) * us / 1000000;

    if (b->is_round_start && ++b->extra_rounds >= EXTRA_ROUNDS) {
        b->extra_rounds = 0;
        b->extra[0] = b->extra[1];
        b->extra[1] = 0;
    }
    if (b->extra_delivered <= expected) {
        b->extra_delivered = 0;
        b->extra_at = a->now;
        expected = 0;
    }
    b->extra_delivered += a->bytes;
    uint64_t extra = b->extra_delivered - least(expected, b->extra_delivered);

    extra = least(least(extra, wf_cc_window(cc)), least(bw, WF_BBR_BW_MAX) * EXTRA_US / 1000000);
    b->extra[1] = most(b->extra[1], extra);
}

/* --- an ACK --- */

static void note_bandwidth(struct wf_bbr *b, const struct wf_cc_ack *a)
{
    const uint64_t bw = least(a->rate.bw, WF_BBR_BW_MAX);

    b->bw_latest = most(b->bw_latest, bw);
    b->inflight_latest = most(b->inflight_latest, a->rate.delivered);
    /* A sample that the application held down says nothing unless it is more than was known. */
    if (bw >= bbr_bw_max(b) || !bbr_is_limited(b, a)) {
        b->bw_max[1] = most(b->bw_max[1], bw);
    }
}

/* The path carries less than it did when for rounds on end all that came back had waited in a
 * queue, and was a third of the bandwidth at most (half of it a flow beside others sees by chance).
 * The cycles alone would take ten seconds to see it, with the whole queue full, and the least round
 * trip would be forgotten over that. The first of these rounds still holds samples of before; long
 * ones count twice. */
static void accept_less(struct wf_bbr *b, const struct wf_cc_ack *a)
{
    if (!is_queued(b, b->round_rtt_us) || b->bw_latest > bbr_bw_max(b) / 3) {
        b->less_rounds = 0;
        b->less_bw = 0;
        return;
    }
    if (bbr_is_limited(b, a))
        return;
    if (b->less_rounds > 0) {
        b->less_bw = most(b->less_bw, b->bw_latest);
    }
    b->less_rounds += b->round_rtt_us > 2 * b->min_rtt_us ? 2 : 1;
    if (b->less_rounds < LESS_ROUNDS || b->less_bw == 0)
        return;
    b->bw_max[0] = b->less_bw;
    b->bw_max[1] = b->less_bw;
    b->less_rounds = 0;
    b->less_bw = 0;
    b->is_rtt_doubted = true; /* that queue may have lasted longer than the memory of it */
}

void bbr_next_cycle(struct wf_bbr *b)
{
    if (b->bw_max[1] == 0)
        return;
    b->bw_max[0] = b->bw_max[1];
    b->bw_max[1] = 0;
}

void bbr_model_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_bbr *b = &cc->bbr;

    note_latest(b, a);
    count_round(b, a);
    note_bandwidth(b, a);
    if (b->is_loss_round_start) {
        accept_less(b, a);
        answer_round(cc);
    }
    note_extra(cc, a);
}

void bbr_model_after_ack(struct wf_bbr *b, const struct wf_cc_ack *a)
{
    if (!b->is_loss_round_start)
        return;
    b->bw_before = b->bw_latest;
    b->bw_latest = least(a->rate.bw, WF_BBR_BW_MAX);
    b->round_rtt_us = 0;
    b->inflight_latest = a->rate.delivered;
    b->round_lost = 0;
    b->round_queued = 0;
    b->loss_events = 0;
    b->loss_round_from = b->total;
}

/* --- a loss --- */

static void save(struct wf_bbr *b, uint64_t packets)
{
    struct wf_bbr_undo *u = &b->undo;

    if (u->packets == 0) {
        *u = (struct wf_bbr_undo){.bw_lo = b->bw_lo,
                                  .inflight_lo = b->inflight_lo,
                                  .inflight_hi = b->inflight_hi,
                                  .phase = b->phase};
    }
    u->packets += packets;
}

/* How much was in flight when the losses became too many, taking them to be spread evenly over what
 * was lost at once. */
static uint64_t flight_at_loss(const struct wf_bbr *b, const struct wf_cc_lost *l)
{
    const uint64_t flight = l->sent_in_flight - least(l->bytes, l->sent_in_flight);
    const uint64_t before = l->lost_since - least(l->bytes, l->lost_since);
    const uint64_t thresh = bbr_has_queue(b) ? WF_BBR_LOSS_THRESH : WF_BBR_LOSS_QUIET;
    const uint64_t allowed = flight * thresh / 1000; /* a flight is below 2^32 */
    const uint64_t more = allowed > before ? (allowed - before) * 1000 / (1000 - thresh) : 0;

    return flight + least(more, l->bytes);
}

void bbr_model_on_lost(struct wf_cc *cc, const struct wf_cc_lost *l)
{
    struct wf_bbr *b = &cc->bbr;

    /* What was sent while bandwidth was probed has its answer: it bounds what may be in flight. */
    const bool is_new = bbr_is_in_cycle(b) && !bbr_is_probing_bw(b) && l->newest_at >= b->cycle_at;

    if (l->is_ce) {
        b->is_congested = is_new || b->phase == WF_BBR_STARTUP;
        b->undo.packets = 0; /* a mark is a fact */
        if (b->is_probing) {
            bbr_too_high(cc, l->now, l->sent_in_flight, l->is_app_limited);
        }
        return;
    }
    save(b, l->packets);
    b->round_lost += is_new ? l->bytes : 0;
    b->round_queued += is_new && bbr_has_queue(b) ? l->bytes : 0;
    b->loss_events++;
    if (b->is_probing && bbr_is_too_high(cc, l->lost_since, l->sent_in_flight)) {
        bbr_too_high(cc, l->now, flight_at_loss(b, l), l->is_app_limited);
    }
}
