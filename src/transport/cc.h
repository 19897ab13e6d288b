/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc.h - the congestion window (docs/spec/4-transport.md 4.2). What controllers that answer to
 * losses share is here: recovery periods (one reduction a round trip), windows that were not used
 * do not grow, persistent congestion, the way back from a loss that was none. How the window grows
 * and by how much it falls is one row of functions. A controller with a model of the path takes
 * each ACK and each loss as it comes instead, and says how fast to send.
 */
#ifndef WF_TRANSPORT_CC_H
#define WF_TRANSPORT_CC_H

#include "transport/cc_bbr.h"
#include "transport/hystart.h"
#include "transport/ledbat.h"
#include "transport/rate.h"
#include "transport/rtt.h"

#define WF_CC_INITIAL_DATAGRAMS 10u
#define WF_CC_MIN_DATAGRAMS 2u
#define WF_CC_WINDOW_MAX (1ull << 30)

enum wf_cc_kind { WF_CC_CUBIC, WF_CC_LEDBAT, WF_CC_BBR };

/* A packet that counts was sent. */
struct wf_cc_sent {
    weft_time now;
    uint64_t bytes;
    uint64_t in_flight; /* it included */
    bool is_app_limited;
};

struct wf_cc_ack {
    weft_time now;
    weft_time newest_at; /* when the newest of the newly acknowledged packets was sent */
    uint64_t newest;     /* its number */
    uint64_t next;       /* the number that will be sent next */
    uint64_t bytes;      /* newly acknowledged (wf_fates.bytes) */
    uint64_t rtt_us;     /* the sample of this ACK; 0: none */
    uint64_t srtt_us;
    uint64_t in_flight; /* bytes, after this ACK and the losses that it showed */
    uint64_t lost;      /* bytes, those losses */
    struct wf_rate_sample rate;
};

struct wf_cc_lost {
    weft_time now;
    weft_time newest_at; /* when the newest of the lost packets was sent */
    uint64_t packets;    /* lost; 0 for a CE mark */
    uint64_t bytes;      /* 0, unless is_ce: nothing that tells of congestion */
    uint64_t marks;      /* packets that came with CE */
    uint64_t in_flight;  /* bytes, those lost left out */
    /* Of the newest of them: what was in flight when it was sent (it included), and bytes lost
     * since then. */
    uint64_t sent_in_flight, lost_since;
    bool is_app_limited; /* it was */
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
};

struct wf_cc;

/* One controller. With `model` set it is one that has a model of the path, and the rows from
 * on_ack to restore are not looked at; any row but name and init may be NULL when it has nothing
 * to do. */
struct wf_cc_ops {
    const char *name;
    void (*init)(struct wf_cc *cc);
    const struct wf_cc_model *model;
    void (*on_ack)(struct wf_cc *cc, const struct wf_cc_ack *a);     /* the window may grow */
    void (*slow_start)(struct wf_cc *cc, const struct wf_cc_ack *a); /* NULL: HyStart++ */
    void (*reduce)(struct wf_cc *cc, weft_time now);                 /* sets window and ssthresh */
    void (*restore)(struct wf_cc *cc);  /* what the last reduce did was wrong; the window is set */
    void (*collapse)(struct wf_cc *cc); /* persistent congestion; the window is set already */
    void (*on_unused)(struct wf_cc *cc,
                      const struct wf_cc_ack *a);                /* while the window was not full */
    void (*on_rtt)(struct wf_cc *cc, const struct wf_cc_ack *a); /* each sample, before the rest */
    uint64_t (*pacing_rate)(const struct wf_cc *cc,
                            const struct wf_rtt *rtt); /* NULL: from the window */
};

/* Every ACK with newly acknowledged packets, every loss and mark, every packet: in recovery or not,
 * whether the window was used or not. It sets the window, and its rate is the one that paces. */
struct wf_cc_model {
    void (*on_sent)(struct wf_cc *cc, const struct wf_cc_sent *s);
    void (*on_ack)(struct wf_cc *cc, const struct wf_cc_ack *a);
    void (*on_lost)(struct wf_cc *cc, const struct wf_cc_lost *l);
    void (*on_spurious)(struct wf_cc *cc, uint64_t packets);
    uint64_t (*bandwidth)(const struct wf_cc *cc); /* bytes a second, for statistics */
};

extern const struct wf_cc_ops wf_cc_cubic, wf_cc_ledbat, wf_cc_bbr;

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
    uint64_t reductions; /* for statistics */
    union {
        struct {
            struct wf_cubic cubic, cubic_before; /* before the last reduction */
        };
        struct wf_ledbat ledbat;
        struct wf_bbr bbr;
    };
};

void wf_cc_init(struct wf_cc *cc, enum wf_cc_kind kind, uint64_t datagram_len);

/* After MTU discovery moved. */
void wf_cc_set_datagram(struct wf_cc *cc, uint64_t datagram_len);

/* After each packet that counts. */
void wf_cc_on_sent(struct wf_cc *cc, const struct wf_cc_sent *s);

void wf_cc_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a);
void wf_cc_on_lost(struct wf_cc *cc, const struct wf_cc_lost *l);

/* Nothing came through for a while, and now it does: slow start up to the window that was in use.
 */
void wf_cc_restart(struct wf_cc *cc);

/* Packets that had been taken for lost were acknowledged (wf_fates.spurious, spurious_at). */
void wf_cc_on_spurious(struct wf_cc *cc, uint64_t packets, weft_time newest_at);

uint64_t wf_cc_window(const struct wf_cc *cc);
/* Bytes that may still be sent (SPEC 4.2-2). */
uint64_t wf_cc_room(const struct wf_cc *cc, uint64_t in_flight);
bool wf_cc_in_slow_start(const struct wf_cc *cc);
const char *wf_cc_name(const struct wf_cc *cc);
/* What the path carries, as far as the controller has a model of it; else 0. Bytes a second. */
uint64_t wf_cc_bandwidth(const struct wf_cc *cc);

/* Bytes a second for the pacer; 0 (do not pace) before the first RTT sample. Unless the controller
 * says otherwise 5/4 of window per round trip, twice of it in slow start. */
uint64_t wf_cc_pacing_rate(const struct wf_cc *cc, const struct wf_rtt *rtt);

/* Between the functions of cc*.c. */
uint64_t wf_cc_min_window(const struct wf_cc *cc);
void wf_cc_set_window(struct wf_cc *cc, uint64_t bytes);
/* floor of the cube root. */
uint64_t wf_cc_cube_root(uint64_t v);

#endif
