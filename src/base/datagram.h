/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datagram.h - the shape in which datagrams cross between the endpoint and whatever carries them:
 * the kernel (net) or the simulator. Plain data; both sides of it work in batches.
 */
#ifndef WF_BASE_DATAGRAM_H
#define WF_BASE_DATAGRAM_H

#include "base/addr.h"

/* The two ECN bits of an IP header. */
#define WF_ECN_NOT_ECT 0u
#define WF_ECN_ECT1 1u
#define WF_ECN_ECT0 2u
#define WF_ECN_CE 3u

/* One message carries at most this many bytes and datagrams, whoever carries it. */
#define WF_DATAGRAM_BYTES_MAX 65507u
#define WF_DATAGRAM_SEGMENTS_MAX 64u

/* What arrived: one datagram, or a run of them from one sender laid end to end. */
struct wf_datagram {
    struct wf_addr from;
    struct wf_addr to; /* our own address it was sent to; unset when unknown */
    uint8_t ecn;
    uint8_t *data;  /* borrowed until the next receive; may be changed in place */
    size_t len;     /* of all */
    size_t segment; /* each is this long but the last, which may be shorter; 0: one datagram */
};

/* What is to be sent: len bytes, cut into datagrams of segment bytes each (the last may be
 * shorter). */
struct wf_send {
    struct wf_addr to;
    struct wf_addr from; /* which of our addresses it leaves from; unset: the kernel chooses */
    uint8_t ecn;
    size_t len;
    size_t segment; /* 0 or >= len: one datagram */
    bool probe;     /* may be too big for the path: a local refusal is an answer, not a fault */
};

#endif
