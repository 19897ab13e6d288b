/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest.h - a host's file of peers that rest for long: rows in memory, of which now and then one is
 * not taken, or comes back damaged.
 */
#ifndef SIM_REST_H
#define SIM_REST_H

#include "base/prng.h"
#include "endpoint/core.h"

#define SIM_REST_ROWS 64u
#define SIM_REST_LEN 512u

struct sim_rest_row {
    size_t len; /* 0: none */
    uint8_t bytes[SIM_REST_LEN];
};

struct sim_rest {
    struct wf_prng prng;
    struct sim_rest_row rows[SIM_REST_ROWS];
};

/* Empty: a new core begins. */
void sim_rest_init(struct sim_rest *r, uint64_t seed);
struct wf_core_rest sim_rest_ops(struct sim_rest *r);

#endif
