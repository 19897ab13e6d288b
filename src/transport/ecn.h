/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecn.h - whether packets go out as ECT(0), and how many of them came back marked (RFC 9000
 * section 13.4.2). A path or a peer that counts wrongly turns it off for good on this path; a lie
 * costs no more than that.
 */
#ifndef WF_TRANSPORT_ECN_H
#define WF_TRANSPORT_ECN_H

#include "base/datagram.h"
#include "transport/sent.h"

#define WF_ECN_TESTING_PACKETS 10u /* sent marked before any of them is acknowledged */

enum wf_ecn_state { WF_ECN_TESTING, WF_ECN_WAITING, WF_ECN_CAPABLE, WF_ECN_FAILED };

struct wf_ecn {
    enum wf_ecn_state state;
    bool is_wanted;
    uint32_t tested; /* packets marked while testing */
    uint32_t tested_lost;
    uint64_t sent;           /* packets marked, ever */
    uint64_t ect0, ect1, ce; /* the peer's last counts */
    uint64_t newest;         /* newest number of the ACK they came from */
    bool has_newest;
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
 * acked->newest_at as sent_at). */
uint64_t wf_ecn_on_ack(struct wf_ecn *e, const struct wf_frame_ack *ack,
                       const struct wf_fates *acked);

#endif
