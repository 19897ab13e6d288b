/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem_system.h - the allocator of a real node: the C library's heap behind struct wf_mem.
 */
#ifndef WF_NET_MEM_SYSTEM_H
#define WF_NET_MEM_SYSTEM_H

#include "base/mem.h"

/* Fills *mem with a fresh account that holds at most cap bytes; 0: no cap. */
void wf_mem_system(struct wf_mem *mem, size_t cap);

#endif
