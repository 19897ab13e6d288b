/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - what one direction between two hosts does to datagrams. It decides the fate of each from
 * its own generator and integers alone; it never sees the bytes.
 *
 *   too big -> cut, blackout -> chosen numbers, loss -> queue and rate -> delay, jitter, reordering
 *   -> copies -> bit flips
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "base/prng.h"

#define SIM_PPM 1000000u
#define SIM_COPIES_MAX 2

struct sim_link_config {
    uint64_t delay_us;
    uint64_t jitter_us; /* 0..this is added, evenly */
    bool keeps_order;   /* jitter makes nothing overtake */
    uint32_t loss_ppm;
    /* Gilbert's model: a link goes into a bad state and comes out of it, packet by packet. */
    uint32_t burst_enter_ppm, burst_leave_ppm, burst_loss_ppm;
    uint32_t reorder_ppm; /* this many are held back by reorder_us and overtaken */
    uint64_t reorder_us;
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm;
    size_t mtu;       /* bytes of a datagram that pass; 0: all */
    bool mtu_silent;  /* a black hole; otherwise the sender is told at once */
    uint64_t rate;    /* bytes a second; 0: no limit */
    size_t queue_max; /* bytes that may wait for the rate; what is more is dropped */
    size_t ecn_mark;  /* waiting bytes from which on ECT becomes CE; 0: never */
    bool ecn_bleach;  /* the ECN bits are cleared */
    bool cut;         /* nothing passes */
    /* Nothing passes from that moment on for so long, and so again each blackout_every_us after it
     * (0: once). blackout_us 0: never. */
    weft_time blackout_at;
    uint64_t blackout_us, blackout_every_us;
    uint64_t drop_from, drop_to; /* datagrams of these numbers are lost; 0: none. The first is 1. */
    uint64_t fault_count; /* loss, reordering, copies and flips hit the first so many; 0: all */
};

enum sim_fate {
    SIM_PASSED,
    SIM_CUT,
    SIM_TOO_BIG, /* and the sender is told */
    SIM_BLACK_HOLE,
    SIM_LOST,
    SIM_QUEUE_FULL,
    SIM_FATES,
};

struct sim_link {
    struct sim_link_config config;
    struct wf_prng prng;
    bool in_burst;
    weft_time free_at;      /* when the last byte in the queue has left, */
    uint64_t free_rest;     /* and a part of a microsecond: this many of config.rate */
    weft_time arrival_last; /* for keeps_order */
    /* Of the last datagram. Whoever numbers them by flow writes it before each. */
    uint64_t number;
    uint64_t fates[SIM_FATES];
    uint64_t duplicated, corrupted, marked;
};

struct sim_copy {
    weft_time at;
    bool corrupt;
    uint64_t bit; /* a random number that chooses which one flips */
};

struct sim_passage {
    enum sim_fate fate;
    uint8_t ecn;
    size_t count; /* copies that arrive; 0 unless SIM_PASSED */
    struct sim_copy copies[SIM_COPIES_MAX];
};

void sim_link_init(struct sim_link *link, const struct sim_link_config *config, uint64_t seed);
void sim_link_pass(struct sim_link *link, weft_time now, size_t len, uint8_t ecn,
                   struct sim_passage *out);

/* Bytes that wait for the rate. */
uint64_t sim_link_waiting(const struct sim_link *link, weft_time now);

#endif
