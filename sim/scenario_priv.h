/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario_priv.h - what the files that draw a scenario share. Nobody else includes it but whoever
 * needs a purpose of its own.
 */
#ifndef SIM_SCENARIO_PRIV_H
#define SIM_SCENARIO_PRIV_H

#include "sim/scenario.h"

/* What a generator is for. A number is never used for something else: it is part of what a seed
 * means. Those with a host's index added are 16 apart. */
enum sim_purpose {
    SIM_PURPOSE_CLASSES = 1,
    SIM_PURPOSE_HOSTS = 2,
    SIM_PURPOSE_LINKS = 3,
    SIM_PURPOSE_PHASES = 4,
    SIM_PURPOSE_ATTACK_PLAN = 5,
    SIM_PURPOSE_OPS = 6,
    SIM_PURPOSE_FAULTS = 7,
    SIM_PURPOSE_ATTACK = 8,
    SIM_PURPOSE_WORLD = 9,
    SIM_PURPOSE_CLASSES_LATER = 10,
    SIM_PURPOSE_TRAITOR = 11,
    SIM_PURPOSE_WALL = 16,
    SIM_PURPOSE_HOST_FAULTS = 32,
    SIM_PURPOSE_HOST_KEYS = 48,
    SIM_PURPOSE_HOST_DECISIONS = 64,
    SIM_PURPOSE_FOLD = 80,
    SIM_PURPOSE_DORMANT = 96,
    SIM_PURPOSE_OPTIONS = 128, /* and the op's index */
    SIM_PURPOSE_LINK = 1024,   /* and its place */
};

/* What the applications do, and what happens to hosts and paths meanwhile. */
void sim_draw_ops(struct sim_scenario *s);
void sim_draw_faults(struct sim_scenario *s);

#endif
