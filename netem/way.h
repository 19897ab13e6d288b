/* SPDX-License-Identifier: Apache-2.0 */
/*
 * way.h - one direction of the emulated link: takes packets in, lets the link model decide on each,
 * and hands them out when they are due. No clock and no socket: time is an argument, in
 * microseconds since the start.
 *
 * Memory   Packets are copied in and are the taker's when they come out (free). At most held_max
 *          bytes are held, what they cost beyond their own bytes included; what is above is lost
 *          and counted.
 */
#ifndef NETEM_WAY_H
#define NETEM_WAY_H

#include "netem/plan.h"
#include "sim/queue.h"

struct netem_packet {
    uint64_t flow; /* as the caller said; means nothing here */
    weft_time arrived, due;
    uint8_t ecn; /* to leave with */
    bool marked; /* ecn is not what it came with */
    bool corrupt;
    uint64_t bit; /* decides which one flips */
    size_t overhead;
    size_t len;
    uint8_t data[];
};

/* What a packet costs beyond its bytes. */
#define NETEM_PACKET_COST (sizeof(struct netem_packet) + sizeof(struct sim_event))

struct netem_counts {
    uint64_t packets_in, bytes_in;
    uint64_t packets_out, bytes_out;
    uint64_t no_room;   /* lost because held_max was reached */
    uint64_t delay_sum; /* of those that came out, in microseconds, lateness included */
    uint64_t delay_min, delay_max;
    uint64_t late_sum, late_max; /* taken out after they were due: the emulator's own fault */
    uint64_t queue_max;          /* most bytes that waited for the rate */
    uint64_t held_max;           /* most bytes of memory */
};

struct netem_way {
    struct sim_link link;
    struct sim_queue queue;
    const struct netem_plan *plan;
    enum netem_direction direction;
    size_t stage;
    size_t held, held_cap;
    struct netem_counts counts;
};

/* What is known of a packet beside its bytes. */
struct netem_meta {
    uint64_t flow;
    uint64_t number; /* among those of its flow, from 1; 0: among all */
    uint8_t ecn;
    size_t overhead; /* bytes on the wire beyond those given */
};

/* The plan is borrowed. */
void netem_way_init(struct netem_way *way, const struct netem_plan *plan,
                    enum netem_direction direction, uint64_t seed, size_t held_cap);
void netem_way_deinit(struct netem_way *way);

/* Takes a packet in. SIM_PASSED also when there is no room for it. Times never step back. */
enum sim_fate netem_way_put(struct netem_way *way, weft_time now, const struct netem_meta *meta,
                            weft_span packet);

/* The next packet that is due, now the caller's; NULL when there is none. */
struct netem_packet *netem_way_take(struct netem_way *way, weft_time now);

/* When the next one is due, or WEFT_TIME_NEVER. */
weft_time netem_way_deadline(const struct netem_way *way);

#endif
