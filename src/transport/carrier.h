/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrier.h - what a path does with datagrams, by what carries them (docs/spec/4-transport.md 4.4).
 * A new carrier is one row.
 */
#ifndef WF_TRANSPORT_CARRIER_H
#define WF_TRANSPORT_CARRIER_H

#include "base/addr.h"

/* A record of TLS without the length that stands before each datagram. */
#define WF_CARRIER_STREAM_DATAGRAM 16382u

struct wf_carrier {
    uint32_t datagram_len; /* the size that it takes; 0: it is searched for */
    bool has_ecn;          /* marks of routers arrive */
    bool has_trains;       /* several datagrams may go at once */
    bool hides_loss;       /* what it took arrives, in order, while it lives: silence is delay, and
                              nothing       is sent twice on a suspicion */
};

/* Of the carrier of that address. SPEC 4.4-12 */
const struct wf_carrier *wf_carrier_of(const struct wf_addr *a);

#endif
