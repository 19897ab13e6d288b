/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_bbr.h - the state of a controller that has a model of the path, after BBR version 3
 * (draft-ietf-ccwg-bbr): the most bandwidth and the least round trip that were seen lately, and how
 * much in flight the path has borne. In integers: gains are in 1/1024, fractions in 1/1000.
 *
 *   cc_bbr.c        an ACK, a loss, a packet: pacing rate and window
 *   cc_bbr_model.c  what is known of the path
 *   cc_bbr_phase.c  the phases: startup, drain, the cycle of probing, the round trip's probe
 *
 * Where it leaves the draft, and why, is in docs/decisions/0016.
 */
#ifndef WF_TRANSPORT_CC_BBR_H
#define WF_TRANSPORT_CC_BBR_H

#include "base/compiler.h"

#define WF_BBR_GAIN 1024u /* a gain of one */
#define WF_BBR_MIN_DATAGRAMS 4u
#define WF_BBR_BW_MAX (1ull << 37) /* bytes a second; times the longest round trip fits 64 bits */
#define WF_BBR_INFINITE UINT64_MAX
/* Of 1000: more lost than this is congestion, where a queue shows and where none does. */
#define WF_BBR_LOSS_THRESH 20u
#define WF_BBR_LOSS_QUIET 100u
#define WF_BBR_FULL_ROUNDS 3u
#define WF_BBR_FULL_LOSSES 6u
#define WF_BBR_MIN_RTT_US ((uint64_t)10000000)  /* how long a least round trip is believed */
#define WF_BBR_PROBE_RTT_US ((uint64_t)5000000) /* how long until it is looked for */
#define WF_BBR_PROBE_RTT_STAY_US ((uint64_t)200000)

enum wf_bbr_phase {
    WF_BBR_STARTUP,
    WF_BBR_DRAIN,
    WF_BBR_DOWN,
    WF_BBR_CRUISE,
    WF_BBR_REFILL,
    WF_BBR_UP,
    WF_BBR_PROBE_RTT,
};
#define WF_BBR_PHASES 7u

/* What the ACKs that come now tell of. */
enum wf_bbr_acks {
    WF_BBR_ACKS_INIT,
    WF_BBR_ACKS_REFILLING,
    WF_BBR_ACKS_STARTING, /* not yet of packets that probed */
    WF_BBR_ACKS_FEEDBACK, /* of packets that probed */
    WF_BBR_ACKS_STOPPING, /* still of them, after probing ended */
};

/* What a loss would have to give back, were it none. */
struct wf_bbr_undo {
    uint64_t packets; /* taken for lost since then; 0: nothing to give back */
    uint64_t bw_lo, inflight_lo, inflight_hi;
    uint8_t phase;
};

struct wf_bbr {
    uint8_t phase; /* enum wf_bbr_phase; written by bbr_enter alone */
    uint8_t acks;  /* enum wf_bbr_acks */
    bool is_round_start, is_loss_round_start;
    bool is_full, is_full_now; /* the pipe was filled once; in this probing */
    bool is_probing;           /* losses tell how much in flight is too much */
    bool is_congested;         /* losses or marks of this round ask for an answer */
    bool is_idle_restart, has_rtt_round;
    bool is_rtt_doubted; /* the least round trip is looked for as soon as can be */
    uint8_t full_count;
    uint8_t up_rounds;
    uint8_t extra_rounds;
    uint32_t rounds_since_probe;
    uint64_t total;         /* bytes delivered, of the last ACK */
    uint64_t round_end;     /* the round ends when a packet sent after that many were delivered is
                               acknowledged */
    uint64_t limited_until; /* samples of packets sent below this tell nothing of the path */

    /* Bytes a second. */
    uint64_t bw_max[2];            /* of the last cycle and of this one */
    uint64_t bw_lo;                /* short-term bound after congestion; WF_BBR_INFINITE: none */
    uint64_t bw_latest, bw_before; /* the most of this loss round so far, and of the last one */
    uint64_t full_bw;
    uint64_t less_bw;     /* the most of the rounds that less_rounds counts */
    uint64_t pacing_rate; /* 0: not known yet */

    /* Bytes. */
    uint64_t inflight_hi, inflight_lo; /* long-term and short-term bounds; WF_BBR_INFINITE: none */
    uint64_t inflight_latest;
    uint64_t window_before;      /* before the probe of the round trip */
    uint64_t probe_bw;           /* bytes a second delivered before it */
    uint64_t up_bytes, up_acked; /* inflight_hi rises by a datagram for each up_bytes acked */

    uint64_t loss_round_end, loss_round_from; /* bytes delivered */
    uint64_t round_lost, round_queued;        /* bytes lost, of them beside a queue */
    uint32_t loss_events;
    uint32_t less_rounds;  /* on end, that had a queue and a third of the bandwidth at most */
    uint64_t round_rtt_us; /* the least of this loss round; 0: no sample */

    uint64_t min_rtt_us, low_rtt_us; /* of 10 s; since the last probe; 0: no sample */
    uint64_t rtt_us[2];              /* the least of the last span and of this one; 0: none */
    weft_time rtt_at;                /* when this span began */
    weft_time min_rtt_at, low_rtt_at;
    weft_time rtt_until; /* the probe of the round trip ends; 0: it waits for the flight to fall */
    weft_time phase_at, cycle_at;
    uint64_t cycle_us; /* from cycle_at until bandwidth is probed again */

    uint64_t extra[2]; /* bytes acknowledged beyond what the bandwidth explains, in two spans */
    weft_time extra_at;
    uint64_t extra_delivered;

    struct wf_bbr_undo undo;
};

struct wf_cc;
struct wf_cc_ack;
struct wf_cc_lost;

/* Between the functions of cc_bbr*.c. */
uint64_t bbr_bw(const struct wf_bbr *b);
uint64_t bbr_bw_max(const struct wf_bbr *b);
uint64_t bbr_bw_seen(const struct wf_bbr *b); /* what was delivered in the last two rounds */
/* Bytes in flight at that gain: what fills the path, never less than what keeps it moving. */
uint64_t bbr_inflight(const struct wf_cc *cc, uint64_t bw, uint64_t gain);
uint64_t bbr_extra(const struct wf_bbr *b);
uint64_t bbr_headroom(const struct wf_cc *cc);
bool bbr_is_probing_bw(const struct wf_bbr *b); /* fast enough to see more bandwidth */
bool bbr_is_in_cycle(const struct wf_bbr *b);
bool bbr_has_queue(const struct wf_bbr *b);
void bbr_begin_round(struct wf_bbr *b);
void bbr_model_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a);
void bbr_model_after_ack(struct wf_bbr *b, const struct wf_cc_ack *a);
void bbr_next_cycle(struct wf_bbr *b); /* the bandwidth filter moves on */
void bbr_bounds_reset(struct wf_bbr *b);
bool bbr_is_too_high(const struct wf_cc *cc, uint64_t lost, uint64_t in_flight);
void bbr_too_high(struct wf_cc *cc, weft_time now, uint64_t in_flight, bool is_app_limited);
void bbr_full_reset(struct wf_bbr *b, uint64_t bw);
bool bbr_is_limited(const struct wf_bbr *b, const struct wf_cc_ack *a);
void bbr_model_on_lost(struct wf_cc *cc, const struct wf_cc_lost *l);

void bbr_enter(struct wf_bbr *b, enum wf_bbr_phase next, weft_time now);
void bbr_go_down(struct wf_bbr *b, weft_time now);
void bbr_go_up(struct wf_cc *cc, weft_time now);
void bbr_phase_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a);
void bbr_phase_on_idle(struct wf_cc *cc, weft_time now);

#endif
