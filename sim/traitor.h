/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traitor.h - a host that holds valid keys and lies. Its core is honest code; what that packs is
 * rewritten before it is sealed: acknowledgements of what never came, frames in storms, bytes that
 * contradict each other. The library knows nothing of it.
 *
 * He lies until all faults are over; then his core goes away without a word, and an honest one
 * takes its place. What he says and hears is nobody's truth; that all others hold theirs is.
 */
#ifndef SIM_TRAITOR_H
#define SIM_TRAITOR_H

#include "base/prng.h"
#include "crypto/aead.h"

#define SIM_TRAITOR_NONE UINT32_MAX

/* What is drawn for him before a run begins. */
struct sim_traitor_plan {
    uint32_t host;    /* SIM_TRAITOR_NONE: there is none */
    uint32_t lie_ppm; /* of his packets */
    uint32_t kinds;   /* bit mask of enum lie_kind */
    bool is_subtle;   /* he breaks few rules that end a session at once */
    uint64_t seed;    /* of his lies */
};

struct sim_traitor {
    struct wf_prng prng;
    const struct sim_traitor_plan *plan;
    uint64_t lies;
};

/* Draws which lies he tells: a few kinds, so that one that ends a session does not hide others. */
void sim_traitor_draw(struct sim_traitor_plan *p, struct wf_prng *prng, uint32_t host);

void sim_traitor_init(struct sim_traitor *t, const struct sim_traitor_plan *p);

/* Whose packets are sealed from now on; NULL: those of honest hosts. */
void sim_traitor_speaks(struct sim_traitor *t);

/* Rewrites what is about to be sealed, if he speaks. */
void sim_traitor_rewrite(struct wf_aead_op *ops, size_t count);

#endif
