/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mtu.h - the datagram size that a path carries (RFC 8899, SPEC 4.4-1). Starts at 1200, tries the
 * largest once, then common sizes upwards, then halves what is left. Probes are packets of their
 * own, padded; their loss tells nothing of congestion. A size that stops working falls back to 1200
 * and is searched anew.
 */
#ifndef WF_TRANSPORT_MTU_H
#define WF_TRANSPORT_MTU_H

#include "base/compiler.h"

#define WF_MTU_BASE 1200u
#define WF_MTU_MAX 65507u
#define WF_MTU_PROBES_MAX 3u         /* losses of probes of one size */
#define WF_MTU_STEP 16u              /* the search ends when it is this exact */
#define WF_MTU_RAISE_US 600000000ull /* a finished search is repeated */
#define WF_MTU_PTO_MAX 3u            /* consecutive timeouts: a black hole */
#define WF_MTU_BIG_LOST_MAX 3u       /* losses above the base, none acked between: a black hole */

struct wf_mtu {
    uint64_t max;     /* what both ends take */
    uint64_t size;    /* in use; known to work */
    uint64_t failed;  /* least size known not to work; max + 1 at first */
    uint64_t probing; /* size of the next or present probe; 0: search finished */
    uint32_t lost;    /* probes of that size lost */
    bool in_flight;
    bool tried_max;  /* the jump to the largest was made */
    bool is_stalled; /* nothing gets through: no probes */
    bool is_fixed;
    uint32_t big_lost;
    weft_time again_at; /* when a finished search is repeated */
};

/* max: smaller of both ends' datagram_max; cut to WF_MTU_BASE..WF_MTU_MAX. */
void wf_mtu_init(struct wf_mtu *m, uint64_t max);

/* A path that takes this size, and is not searched, nor ever found to carry less. */
void wf_mtu_fix(struct wf_mtu *m, uint64_t size);

/* Starts anew for another path. */
void wf_mtu_reset(struct wf_mtu *m);

/* After wf_mtu_init: a size that was in use, with what was known of larger ones. */
void wf_mtu_restore(struct wf_mtu *m, weft_time now, uint64_t size, uint64_t failed,
                    bool tried_max);

/* Datagrams may be this long. */
uint64_t wf_mtu_size(const struct wf_mtu *m);

/* Size of a probe to be sent now; 0: none. One is in flight at a time. */
uint64_t wf_mtu_probe(struct wf_mtu *m, weft_time now);
void wf_mtu_on_probe_sent(struct wf_mtu *m, uint64_t size);

/* The true ones say that wf_mtu_size changed. */
bool wf_mtu_on_probe_acked(struct wf_mtu *m, weft_time now, uint64_t size);
void wf_mtu_on_probe_lost(struct wf_mtu *m, weft_time now, uint64_t size);
/* The kernel refused this size. */
bool wf_mtu_on_too_big(struct wf_mtu *m, weft_time now, uint64_t size);
/* count consecutive timeouts without an ack. */
bool wf_mtu_on_pto(struct wf_mtu *m, uint32_t count);
/* wf_fates.largest of one batch, 0: none. */
void wf_mtu_on_acked(struct wf_mtu *m, uint64_t largest);
bool wf_mtu_on_lost(struct wf_mtu *m, uint64_t largest);

/* When a finished search starts again; WEFT_TIME_NEVER while searching or at the maximum. */
weft_time wf_mtu_deadline(const struct wf_mtu *m);

#endif
