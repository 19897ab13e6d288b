/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acks.h - what we received and have to acknowledge: the ranges of received numbers, the ECN counts
 * and the moment when an ACK is due (docs/spec/4-transport.md 4.1). Never makes an ACK due because
 * of packets that need none.
 *
 * How often: at once out of order or with CE; else after a number of packets that follows the
 * peer's window as far as it can be seen from here (an eighth of what arrives in a round
 * trip, 2..64), or after the ack delay, which is cut to a quarter of the round trip, but not below
 * 1 ms.
 */
#ifndef WF_TRANSPORT_ACKS_H
#define WF_TRANSPORT_ACKS_H

#include "transport/growset.h"
#include "wire/frame.h"

#define WF_ACKS_RANGES_MAX 256u /* one frame tells as many */
#define WF_ACKS_EVERY_MIN 2u
#define WF_ACKS_EVERY_MAX 64u
#define WF_ACKS_DELAY_MIN_US 1000u

/* The struct must not move after init: the set points into it. */
struct wf_acks {
    struct wf_mem *mem;
    struct wf_growset received;
    uint64_t delay_us; /* what we announced */
    uint64_t srtt_us;  /* 0: unknown */
    uint64_t newest;   /* highest number received; meaningless while there is none */
    weft_time newest_at;
    bool has_any;
    bool is_urgent;     /* due at once */
    uint8_t quick_left; /* packets that are acknowledged at once because they come after a gap */
    uint32_t waiting;   /* packets that need an ack and came since the last ACK */
    weft_time due_at;   /* WEFT_TIME_NEVER when nothing waits */
    uint32_t every;     /* packets per ACK at present */
    weft_time round_at; /* when counting for the present round trip began */
    uint64_t round_count;
    uint64_t ect0, ect1, ce;
    uint32_t id;          /* of the next ACK */
    uint32_t unconfirmed; /* ACKs written since one was acknowledged */
    uint32_t late_id;     /* ACKs before this one know nothing of late_min and what lies above it */
    uint64_t late_min;    /* UINT64_MAX: no packet came late */
};

/* What an ACK that was written said; kept with the packet that carries it. */
struct wf_acks_told {
    uint64_t newest, floor;
    uint32_t id;
};

/* delay_us: our announced ack delay. */
void wf_acks_init(struct wf_acks *a, struct wf_mem *mem, uint64_t delay_us);
void wf_acks_deinit(struct wf_acks *a);
void wf_acks_set_rtt(struct wf_acks *a, uint64_t srtt_us);

/* A packet that opened and was not seen before (the replay window's business). Without memory for
 * one range more the lowest is forgotten. */
struct wf_acks_packet {
    uint64_t number;
    bool needs_ack;
    uint8_t ecn; /* of the datagram */
};
void wf_acks_on_packet(struct wf_acks *a, weft_time now, const struct wf_acks_packet *p);

/* What waits is due at once, if anything waits. */
void wf_acks_hurry(struct wf_acks *a);

/* Something waits to be acknowledged (an ACK is worth adding to a packet that goes anyway). */
bool wf_acks_is_waiting(const struct wf_acks *a);
bool wf_acks_is_due(const struct wf_acks *a, weft_time now);

/* When an ACK is due: 0 for at once, WEFT_TIME_NEVER for not at all. */
weft_time wf_acks_deadline(const struct wf_acks *a);

/* Writes ACK or ACK_ECN and what it said; after it nothing waits. False, and nothing written, when
 * nothing was ever received or not even one range fits. */
bool wf_acks_put(struct wf_acks *a, weft_time now, struct wf_writer *w, struct wf_acks_told *told);

/* The ACK that was just written goes to where the peer may not be: another one is due at once. */
void wf_acks_again(struct wf_acks *a);

/* An ACK of ours was acknowledged: what it told need not be told again. */
void wf_acks_on_told(struct wf_acks *a, const struct wf_acks_told *told);

/* True when many ACKs went out and the peer confirmed none, with gaps piling up: the next packet
 * that carries an ACK should carry a PING too. Never a reason to send a packet. */
bool wf_acks_wants_ping(const struct wf_acks *a);

#endif
