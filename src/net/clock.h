/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the two clocks. Cores are handed a time; only net and what stands above it may read
 * one.
 *
 * Threads  Any.
 */
#ifndef WF_NET_CLOCK_H
#define WF_NET_CLOCK_H

#include "base/compiler.h"

/* Microseconds that never step back and go on while the machine sleeps (CLOCK_BOOTTIME); the origin
 * means nothing. */
weft_time wf_clock_now(void);

/* Milliseconds since 1970, as the machine's owner set them. May step in both directions. */
uint64_t wf_clock_wall_ms(void);

#endif
