/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_one_pair.h - the one pair that most tests have: side 0 calls, side 1 is called.
 */
#ifndef WEFT_TESTS_CORE_ONE_PAIR_H
#define WEFT_TESTS_CORE_ONE_PAIR_H

#include "core_pair.h"

static struct core_pair pair;

static inline struct cp_side *client(void)
{
    return &pair.side[0];
}

static inline struct cp_side *server(void)
{
    return &pair.side[1];
}

static inline struct wf_core_stats stats_of(const struct cp_side *s)
{
    struct wf_core_stats stats;

    wf_core_stats(s->core, &stats);
    return stats;
}

#endif
