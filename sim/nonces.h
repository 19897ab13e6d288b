/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nonces.h - sees every packet and box that is sealed in this process and notes (key, number): the
 * same pair twice is the end of confidentiality. The linker leads wf_aead_seal through here
 * (--wrap), so the library itself knows nothing of it.
 */
#ifndef SIM_NONCES_H
#define SIM_NONCES_H

#include "sim/log.h"

struct sim_nonces {
    struct sim_log *log;
    uint64_t *slots; /* open addressing; 0: empty */
    size_t room, count;
};

void sim_nonces_init(struct sim_nonces *n, struct sim_log *log);
void sim_nonces_deinit(struct sim_nonces *n);

/* Where what is sealed from now on is noted; NULL: nowhere. */
void sim_nonces_watch(struct sim_nonces *n);

#endif
