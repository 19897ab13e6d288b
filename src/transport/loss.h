/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.h - which outstanding packets are lost (RFC 9002 section 6.1): three newer ones were
 * acknowledged, or one was and 9/8 of a round trip has passed. Where losses turn out to be
 * reordering both thresholds widen, within bounds.
 */
#ifndef WF_TRANSPORT_LOSS_H
#define WF_TRANSPORT_LOSS_H

#include "transport/rtt.h"
#include "transport/sent.h"

#define WF_LOSS_PACKETS 3u
#define WF_LOSS_PACKETS_MAX 128u
#define WF_LOSS_EIGHTHS 9u
#define WF_LOSS_EIGHTHS_MAX 16u

struct wf_loss {
    uint64_t packets;   /* reordering threshold */
    uint64_t eighths;   /* time threshold in eighths of the round trip */
    weft_time deadline; /* when wf_loss_detect is to be called again; WEFT_TIME_NEVER */
    weft_time
        run_at; /* persistent congestion: when the first packet of the run of losses was sent */
    uint64_t run_newest; /* the last one of the run */
    bool has_run;
};

void wf_loss_init(struct wf_loss *l);

/* Before wf_loss_detect: learns from packets that had been taken for lost. */
void wf_loss_on_acked(struct wf_loss *l, const struct wf_fates *acked);

/* After an ACK and at the deadline. *lost is overwritten; free its frames. lost->run_us is for
 * wf_pto_is_persistent. */
void wf_loss_detect(struct wf_loss *l, struct wf_sent *s, const struct wf_rtt *rtt, weft_time now,
                    struct wf_fates *lost);

#endif
