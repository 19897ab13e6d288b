/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - the simulator's own memory, and the accounts it hands to the endpoints. An account
 * remembers the size of every block, so a block given back with another size is found at once.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "base/mem.h"
#include "sim/log.h"

/* Zeroed; the program ends when there is none. free() gives it back. */
void *sim_calloc(size_t count, size_t size);

/* An account for a core; what is wrong with its blocks is reported to the log, which outlives it.
 */
void sim_mem_init(struct wf_mem *mem, size_t cap, struct sim_log *log);

#endif
