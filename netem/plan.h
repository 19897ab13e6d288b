/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - what the emulated link does and when: for each direction one configuration of the link
 * model, and others that replace it at their times.
 */
#ifndef NETEM_PLAN_H
#define NETEM_PLAN_H

#include "sim/link.h"

#define NETEM_STAGES_MAX 64u

enum netem_direction {
    NETEM_UP, /* from a to b; from the client to the server */
    NETEM_DOWN,
    NETEM_DIRECTIONS,
};

/* Sizes may be given as a time, which the rate makes bytes. */
struct netem_leg {
    struct sim_link_config link;
    uint64_t queue_us, mark_us; /* 0: given in bytes, or not at all */
};

struct netem_stage {
    weft_time at; /* since the start; that of the first is 0 */
    struct netem_leg legs[NETEM_DIRECTIONS];
};

struct netem_plan {
    struct netem_stage stages[NETEM_STAGES_MAX]; /* by rising time */
    size_t count;                                /* 1 at least */
};

/* One stage with a link that does nothing. */
void netem_plan_init(struct netem_plan *plan);

/* A further stage, which begins as a copy of the last. False: not later than it, or too many. */
bool netem_plan_add(struct netem_plan *plan, weft_time at);

enum netem_set {
    NETEM_SET,
    NETEM_UNKNOWN,   /* no such property */
    NETEM_BAD_VALUE, /* *wanted says what would do */
};

/* Sets a property of the last stage: "delay", "up-delay", "down-delay". */
enum netem_set netem_plan_set(struct netem_plan *plan, const char *name, const char *value,
                              const char **wanted);

/* After the last netem_plan_set: makes bytes of times, and fills in what was left open. */
void netem_plan_finish(struct netem_plan *plan);

/* The stage that holds at that time; from is where it was last. */
size_t netem_plan_stage(const struct netem_plan *plan, size_t from, weft_time now);

#endif
