/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bottle.h - congestion controllers alone, in virtual time: flows that always have something to
 * send share one queue. No sessions, no packets: window, pacer and rate sampler of the transport,
 * and the times at which bytes would arrive. The rest of a connection is the simulator's business.
 */
#ifndef TEST_BOTTLE_H
#define TEST_BOTTLE_H

#include "transport/cc.h"
#include "transport/pacer.h"

#define BOTTLE_FLOWS 8u
#define BOTTLE_FLIGHT 65536u /* packets of one flow */
#define BOTTLE_DATAGRAM 1200u

struct bottle_packet {
    weft_time sent_at, due_at; /* due_at: when its ack, or the news of its loss, is back */
    bool is_lost, is_marked;
    struct wf_rate_stamp stamp;
};

struct bottle_flow {
    enum wf_cc_kind kind;
    uint64_t rtt_us; /* without queue */
    weft_time start_at, end_at;
    uint64_t delivered; /* bytes since bottle_measure */
    struct wf_cc cc;
    struct wf_rtt rtt;
    struct wf_rate rate;
    struct wf_pacer pacer;
    struct bottle_packet *ring;
    uint64_t next, low;                /* numbers */
    uint64_t in_flight, waiting, lost; /* bytes */
    weft_time send_at; /* when the pacer allows more; WEFT_TIME_NEVER: window is full */
    bool is_running;
};

struct bottle {
    uint64_t rate;       /* bytes a second */
    uint64_t buffer;     /* bytes */
    uint64_t mark_above; /* bytes in the queue above which packets are marked; 0: never */
    uint64_t jitter_us;  /* acks come up to this much later */
    uint64_t slot_us;    /* acks come at multiples of it, as from a radio */
    uint32_t loss_ppm;
    size_t count;
    struct bottle_flow flows[BOTTLE_FLOWS];
    weft_time now, probe_at, measured_from;
    uint64_t free_ns; /* when the queue is empty */
    uint64_t rng;
    uint64_t queue_hist[4096]; /* how long the queue was, 25 µs a step, looked at each 500 µs */
    uint64_t probes;
};

/* A bottle is large: new and free. buffer_us: bytes of that much time at the rate. */
struct bottle *bottle_new(uint64_t bits_per_s, uint64_t buffer_us);
void bottle_free(struct bottle *b);

/* Runs from start_us to end_us of virtual time. */
struct bottle_flow *bottle_add(struct bottle *b, enum wf_cc_kind kind, uint64_t rtt_us,
                               uint64_t start_us);

void bottle_run(struct bottle *b, weft_time until);

/* Delivered bytes and queues are counted from now on. */
void bottle_measure(struct bottle *b);
/* In hundredths. */
uint64_t bottle_used(const struct bottle *b);
uint64_t bottle_share(const struct bottle *b, size_t flow);
/* Jain's index of the delivered bytes, in thousandths. */
uint64_t bottle_jain(const struct bottle *b);
/* The queue that per_mille of the looks did not exceed, µs. */
uint64_t bottle_queue_us(const struct bottle *b, uint64_t per_mille);

#endif
