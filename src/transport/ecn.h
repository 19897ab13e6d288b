/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecn.h - whether packets go out as ECT(0), and how many of them came back marked (RFC 9000
 * section 13.4.2). A path or a peer that counts wrongly turns it off for good on this path; a lie
 * costs no more than that.
 *
 *   what happens                              what it is taken for             marking
 *   ------------------------------------------------------------------------------------------
 *   no counts, counts that fall, that grow    bleaching, remarking, a peer     off for this path
 *   by less than what was acknowledged, that  that cannot or lies
 *   exceed what was sent, any ECT(1)
 *   the first ten packets all arrive with CE, a path that marks everything     off for this path
 *   or all of eight round trips
 *   the packets of the test are all lost      a path that drops what is        off for this path
 *                                             marked
 *   a timeout while testing                   perhaps the same                 off until one
 * arrives a timeout later                           perhaps the same                 off until an
 * ACK, then tested anew, twice at most
 */
#ifndef WF_TRANSPORT_ECN_H
#define WF_TRANSPORT_ECN_H

#include "base/datagram.h"
#include "transport/sent.h"

#define WF_ECN_TESTING_PACKETS 10u /* sent marked before any of them is acknowledged */
#define WF_ECN_RETESTS_MAX 2u      /* after timeouts, on one path */
#define WF_ECN_CE_ROUNDS_MAX 8u    /* round trips of nothing but CE */

enum wf_ecn_state {
    WF_ECN_TESTING,
    WF_ECN_WAITING, /* tested, or given up for the time being: unmarked until a marked one arrives
                     */
    WF_ECN_CAPABLE,
    WF_ECN_PAUSED, /* it was capable, then a timeout: unmarked until an ACK */
    WF_ECN_FAILED,
};

struct wf_ecn {
    enum wf_ecn_state state;
    bool is_wanted;
    bool has_plain; /* a marked packet of this path arrived as it was sent */
    bool has_newest;
    bool is_moved;   /* a new path: what the first ACK adds is partly of the old one */
    uint32_t tested; /* packets marked while testing */
    uint32_t tested_lost;
    uint32_t retests;
    uint64_t sent, lost;     /* packets marked, ever */
    uint64_t ect0, ect1, ce; /* the peer's last counts */
    uint64_t newest;         /* newest number of the ACK they came from */
    uint64_t ce_run;         /* packets with CE since one came without */
    uint32_t ce_rounds;      /* round trips of them */
    uint64_t ce_left;        /* packets whose fate ends the present one */
};

/* is_wanted false: never marks. */
void wf_ecn_init(struct wf_ecn *e, bool is_wanted);

/* A new path: counts go on, trust starts anew. */
void wf_ecn_new_path(struct wf_ecn *e);

/* WF_ECN_ECT0 or WF_ECN_NOT_ECT for the next packet. */
uint8_t wf_ecn_mark(const struct wf_ecn *e);
void wf_ecn_on_sent(struct wf_ecn *e, uint8_t mark);
/* Consecutive timeouts without an ack: a path that drops marked packets gets unmarked ones. */
void wf_ecn_on_pto(struct wf_ecn *e, uint32_t count);
void wf_ecn_on_lost(struct wf_ecn *e, const struct wf_fates *lost);

/* Returns by how much the CE count has grown: a congestion signal when above 0 (with
 * acked->newest_at as sent_at), for which the window falls as for a loss: the larger factor of RFC
 * 8511 would take more than its share beside senders that do not know it. */
uint64_t wf_ecn_on_ack(struct wf_ecn *e, const struct wf_frame_ack *ack,
                       const struct wf_fates *acked);

#endif
