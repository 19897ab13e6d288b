/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - reads the system's clocks; a clock that cannot be read is a broken machine.
 */
#include "net/clock.h"

#include <time.h>

#include "base/assert.h"

/* CLOCK_MONOTONIC stands while the machine sleeps: an answer that comes after that would look
 * faster than the path is, and controllers that remember the least round trip would believe it for
 * minutes. */
weft_time wf_clock_now(void)
{
    struct timespec ts = {0};

    WEFT_ASSERT(clock_gettime(CLOCK_BOOTTIME, &ts) == 0);
    return (weft_time)ts.tv_sec * 1000000u + (weft_time)ts.tv_nsec / 1000u;
}

uint64_t wf_clock_wall_ms(void)
{
    struct timespec ts = {0};

    WEFT_ASSERT(clock_gettime(CLOCK_REALTIME, &ts) == 0);
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}
