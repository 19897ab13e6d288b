/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pto.h - the probe timeout with its back-off (RFC 9002 section 6.2), the end of a peer that
 * answers nothing, and the test for persistent congestion (section 7.6).
 */
#ifndef WF_TRANSPORT_PTO_H
#define WF_TRANSPORT_PTO_H

#include "transport/rtt.h"

#define WF_PTO_MIN_US 1000u
#define WF_PTO_MAX_US 60000000u
#define WF_PTO_ASK_US 1000000u /* most between two probes while somebody waits for a message */
/* Consecutive timeouts without an ack, and the time they take at least (SPEC 4.5-2). As many carry
 * data, further ones only ask (SPEC 4.4-9). */
#define WF_PTO_DEAD 12u
#define WF_PTO_DEAD_US 60000000u

struct wf_pto {
    uint32_t count;     /* consecutive timeouts without an ack */
    uint32_t doublings; /* of the timeout */
    weft_time since;    /* the first of them */
    bool is_asking;     /* a message is open: who has to go on should know soon that he can */
};

void wf_pto_init(struct wf_pto *p);

/* The present timeout: with back-off, within WF_PTO_MIN_US..WF_PTO_MAX_US. */
uint64_t wf_pto_us(const struct wf_pto *p, const struct wf_rtt *rtt);

/* The same without back-off: the unit in which other things are timed ("three PTOs"). */
uint64_t wf_pto_base_us(const struct wf_rtt *rtt);

/* last_at: when the last packet that needs an ack was sent. Ask only while one is outstanding. */
weft_time wf_pto_deadline(const struct wf_pto *p, const struct wf_rtt *rtt, weft_time last_at);

/* The deadline passed: send one probe. WEFT_ERR_TIMEOUT: that was the last one, the session is
 * dead. */
WEFT_NODISCARD weft_err wf_pto_on_timeout(struct wf_pto *p, weft_time now);

/* Should the probe carry what waits for its ack? */
bool wf_pto_carries_data(const struct wf_pto *p);

/* The peer was heard, whatever it said: the way may be open again. */
void wf_pto_on_heard(struct wf_pto *p);

/* A packet that needed an ack was newly acknowledged. */
void wf_pto_on_ack(struct wf_pto *p);

/* run_us: time between two lost packets with nothing acknowledged in between. */
bool wf_pto_is_persistent(const struct wf_rtt *rtt, uint64_t run_us);

#endif
