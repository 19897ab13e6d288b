/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc.h - the congestion window (docs/spec/4-transport.md 4.2). What all controllers share is here:
 * recovery periods (one reduction a round trip), windows that were not used do not grow, persistent
 * congestion, the way back from a loss that was none. How the window grows and by how much it falls
 * is one row of functions.
 */
#ifndef WF_TRANSPORT_CC_H
#define WF_TRANSPORT_CC_H

#include "transport/hystart.h"
#include "transport/rtt.h"

#define WF_CC_INITIAL_DATAGRAMS 10u
#define WF_CC_MIN_DATAGRAMS 2u
#define WF_CC_WINDOW_MAX (1ull << 30)

enum wf_cc_kind { WF_CC_CUBIC };

struct wf_cc_ack {
    weft_time now;
    weft_time newest_at; /* when the newest of the newly acknowledged packets was sent */
    uint64_t newest;     /* its number */
    uint64_t next;       /* the number that will be sent next */
    uint64_t bytes;      /* newly acknowledged (wf_fates.bytes) */
    uint64_t rtt_us;     /* the sample of this ACK; 0: none */
    uint64_t srtt_us;
};

struct wf_cc_lost {
    weft_time now;
    weft_time newest_at; /* when the newest of the lost packets was sent */
    uint64_t packets;    /* lost; 0 for a CE mark */
    uint64_t bytes;      /* 0, unless is_ce: nothing that tells of congestion */
    bool is_ce;
    bool is_persistent;
};

struct wf_cubic {
    weft_time epoch_at; /* the clock of the cubic; moved along while the window is not used */
    bool has_epoch;
    uint64_t w_max;                 /* bytes */
    uint64_t w_prior;               /* the window before the last reduction */
    uint64_t k;                     /* 1/1024 s */
    uint64_t w_est;                 /* bytes; what Reno would have */
    uint64_t w_est_part, grow_part; /* what division left over */
    weft_time last_ack_at;
};

/* What a reduction would have to give back. */
struct wf_cc_undo {
    bool is_set;
    uint64_t window, ssthresh,
        packets; /* packets: lost in this recovery period and not yet found to be spurious */
    struct wf_cubic cubic;
};

struct wf_cc;

/* One controller. */
struct wf_cc_ops {
    const char *name;
    void (*init)(struct wf_cc *cc);
    void (*on_ack)(struct wf_cc *cc, const struct wf_cc_ack *a); /* the window may grow */
    void (*reduce)(struct wf_cc *cc, weft_time now);             /* sets window and ssthresh */
    void (*collapse)(struct wf_cc *cc); /* persistent congestion; the window is set already */
    void (*on_unused)(struct wf_cc *cc, weft_time now); /* an ACK while the window was not full */
};

extern const struct wf_cc_ops wf_cc_cubic;

struct wf_cc {
    const struct wf_cc_ops *ops;
    uint64_t window, ssthresh; /* bytes; ssthresh UINT64_MAX at first */
    uint64_t datagram_len;
    weft_time
        recovery_at; /* packets sent up to then belong to a congestion event that was answered */
    bool has_recovery;
    uint64_t flight_max,
        flight_max_before; /* most bytes in flight in this round and the one before */
    uint64_t round_end;
    struct wf_cc_undo undo;
    struct wf_hystart hystart;
    struct wf_cubic cubic;
    uint64_t reductions; /* for statistics */
};

void wf_cc_init(struct wf_cc *cc, enum wf_cc_kind kind, uint64_t datagram_len);

/* After MTU discovery moved. */
void wf_cc_set_datagram(struct wf_cc *cc, uint64_t datagram_len);

/* After each packet that counts: bytes in flight, it included. */
void wf_cc_on_sent(struct wf_cc *cc, uint64_t in_flight);

void wf_cc_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a);
void wf_cc_on_lost(struct wf_cc *cc, const struct wf_cc_lost *l);

/* Packets that had been taken for lost were acknowledged (wf_fates.spurious, spurious_at). */
void wf_cc_on_spurious(struct wf_cc *cc, uint64_t packets, weft_time newest_at);

uint64_t wf_cc_window(const struct wf_cc *cc);
/* Bytes that may still be sent (SPEC 4.2-2). */
uint64_t wf_cc_room(const struct wf_cc *cc, uint64_t in_flight);
bool wf_cc_in_slow_start(const struct wf_cc *cc);

/* Bytes a second for the pacer: 5/4 of window per round trip, twice of it in slow start; 0 (do not
 * pace) before the first RTT sample. */
uint64_t wf_cc_pacing_rate(const struct wf_cc *cc, const struct wf_rtt *rtt);

/* Between the functions of cc*.c. */
uint64_t wf_cc_min_window(const struct wf_cc *cc);
void wf_cc_set_window(struct wf_cc *cc, uint64_t bytes);
/* floor of the cube root. */
uint64_t wf_cc_cube_root(uint64_t v);

#endif
