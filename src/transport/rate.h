/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h - how fast a path delivers (draft-cheng-iccrg-delivery-rate-estimation): each packet that
 * counts carries a stamp of what had been delivered when it was sent; its ACK yields a sample.
 *
 * A sample spans the longer of the time in which its bytes were sent and the time in which they
 * were acknowledged, so that whatever a peer says of what it received, it never exceeds the rate at
 * which we sent. Times in a stamp are distances from the packet's own time, sums are taken modulo
 * 2^32: more is never in flight.
 */
#ifndef WF_TRANSPORT_RATE_H
#define WF_TRANSPORT_RATE_H

#include "base/compiler.h"

/* Part of the record of a sent packet. */
struct wf_rate_stamp {
    uint32_t delivered;                 /* bytes, of all that were acknowledged when it was sent */
    uint32_t lost;                      /* bytes, likewise */
    uint32_t in_flight;                 /* bytes, it included */
    uint32_t ack_back_us, send_back_us; /* since the last delivery; since its sample's first send */
    bool is_app_limited;
};

struct wf_rate {
    uint64_t delivered, lost; /* bytes */
    weft_time delivered_at;   /* the last ACK */
    weft_time first_sent_at;  /* where the send time of the next sample begins */
    uint64_t limited_until;   /* what is sent below this many delivered bytes waited for the
                                 application, not for the path; 0: nothing does */
};

struct wf_rate_sample {
    uint64_t bw;        /* bytes a second; 0: no sample */
    uint64_t delivered; /* bytes since the newest acknowledged packet was sent */
    uint64_t lost;      /* likewise */
    uint64_t in_flight; /* when that packet was sent, it included */
    uint64_t total;     /* delivered in all, this ACK included */
    bool is_app_limited;
};

/* The newest packet of an ACK that is newly acknowledged and counts. */
struct wf_rate_acked {
    weft_time now;
    weft_time sent_at;
    uint64_t bytes; /* newly acknowledged, all; 0: none, and the rest means nothing */
    struct wf_rate_stamp stamp;
};

void wf_rate_init(struct wf_rate *r);

/* The stamp of a packet of that many bytes; in_flight: without it. */
struct wf_rate_stamp wf_rate_on_sent(struct wf_rate *r, weft_time now, uint64_t in_flight,
                                     uint64_t bytes);

/* Before wf_rate_on_ack of the same ACK. */
void wf_rate_on_lost(struct wf_rate *r, uint64_t bytes);

void wf_rate_on_ack(struct wf_rate *r, const struct wf_rate_acked *a, struct wf_rate_sample *out);

/* There is room in the window, and nothing to send. */
void wf_rate_app_limited(struct wf_rate *r, uint64_t in_flight);

/* Bytes lost since the packet with this stamp was sent. */
uint64_t wf_rate_lost_since(const struct wf_rate *r, const struct wf_rate_stamp *stamp);

#endif
