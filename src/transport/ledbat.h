/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledbat.h - what LEDBAT++ knows of its path (docs/spec/4-transport.md 4.2): the least round trip
 * of the last minutes, and where it is between two slowdowns. The controller
 * itself is cc_ledbat.c.
 */
#ifndef WF_TRANSPORT_LEDBAT_H
#define WF_TRANSPORT_LEDBAT_H

#include "base/compiler.h"

#define WF_LEDBAT_BUCKETS 10u
#define WF_LEDBAT_BUCKET_US 60000000u /* the base is the least of ten minutes */
#define WF_LEDBAT_RECENT 4u           /* samples at least, whose least ends a slow start */

/* The queue that is aimed at: a part of the base, within bounds. */
#define WF_LEDBAT_TARGET_DIVISOR 16u
#define WF_LEDBAT_TARGET_MIN_US 1000u
#define WF_LEDBAT_TARGET_MAX_US 25000u

#define WF_LEDBAT_GAIN_DIVISOR_MAX 16u
#define WF_LEDBAT_SLOWDOWN_FACTOR 9u   /* a slowdown of d is followed by 9 d without one */
#define WF_LEDBAT_SLOWDOWN_US 1000000u /* and at least so long */
#define WF_LEDBAT_TRY_DATAGRAMS 8u     /* to which each slowdown climbs at least */
#define WF_LEDBAT_SETTLE_ROUNDS 2u     /* from the first slow start to the first slowdown */

enum wf_ledbat_phase {
    WF_LEDBAT_START,  /* the first slow start */
    WF_LEDBAT_SETTLE, /* steady, with the first slowdown due in two rounds */
    WF_LEDBAT_HOLD,   /* a slowdown: two datagrams, so that the queue empties and shows the base */
    WF_LEDBAT_RAMP,   /* slow start back to the window before it */
    WF_LEDBAT_STEADY,
};

struct wf_ledbat {
    uint8_t phase; /* enum wf_ledbat_phase */
    bool was_used; /* the window was full in this round */
    bool is_stale; /* this round's samples come from packets sent before the last decrease */
    bool has_round;
    uint32_t base_us[WF_LEDBAT_BUCKETS]; /* UINT32_MAX: none */
    uint32_t bucket;                     /* the present one */
    weft_time bucket_at;
    uint32_t recent_us, before_us; /* the least of the latest samples, and of those before them */
    uint32_t recent_count;
    weft_time recent_at;
    uint64_t round_end;    /* the round ends when this number is acknowledged */
    uint64_t round_min_us; /* UINT64_MAX: no sample in it */
    uint32_t calm;         /* rounds since the window fell, or in WF_LEDBAT_SETTLE since it began */
    weft_time at;          /* of the latest sample */
    weft_time slow_at;     /* when the slowdown under way began; else when the next is due */
};

#endif
