/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pacer.h - spaces packets out: a bucket of bytes that fills at the pacing rate, in integers (bytes
 * * 10^6, so that a rate times microseconds loses nothing).
 *
 * The bucket holds a burst: 1 ms of the rate, at least two datagrams, at most 64 KiB (SPEC 4.2-1),
 * always one datagram. A sender that has more to send and was held up gets the bytes of the delay
 * too, up to 10 ms of them: neither a coarse timer nor a busy machine, which gives a process its
 * turn some milliseconds late, lowers the rate.
 */
#ifndef WF_TRANSPORT_PACER_H
#define WF_TRANSPORT_PACER_H

#include "base/compiler.h"

#define WF_PACER_BURST_MAX 65536u
#define WF_PACER_BURST_US 1000u
#define WF_PACER_LATE_US 10000u
#define WF_PACER_RATE_MAX (1ull << 40) /* bytes a second */

struct wf_pacer {
    uint64_t rate; /* bytes a second; 0: unlimited */
    uint64_t datagram_len;
    uint64_t burst;  /* bytes */
    uint64_t tokens; /* bytes * 10^6; may exceed the burst by the bytes of a delay */
    weft_time at;    /* tokens are right for this time */
    weft_time due;   /* from then on a sender that has more is late; WEFT_TIME_NEVER: it rests */
};

void wf_pacer_init(struct wf_pacer *p, weft_time now, uint64_t datagram_len);

/* Whenever window, round trip or datagram length changed. rate 0: unlimited. */
void wf_pacer_set(struct wf_pacer *p, weft_time now, uint64_t rate, uint64_t datagram_len);

/* Bytes that may go now: 0, or at least one datagram. UINT64_MAX when unlimited. */
uint64_t wf_pacer_room(struct wf_pacer *p, weft_time now);

/* Bytes went (also those of probes, which do not ask). */
void wf_pacer_on_sent(struct wf_pacer *p, weft_time now, uint64_t bytes);

/* The sender has something to send and room was 0: when to ask again. Half a burst is waited for,
 * and at least two datagrams: single ones find room in a full queue where the pairs of a TCP, which
 * its delayed ACKs release, do not, and would take more than their share. */
weft_time wf_pacer_wait(struct wf_pacer *p, weft_time now);

/* The sender has nothing to send: an idle time earns a burst and no more. */
void wf_pacer_rest(struct wf_pacer *p);

#endif
