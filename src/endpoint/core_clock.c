/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_clock.c - the owner's clock, made into one that never steps back: where it does, time goes
 * on from where it was. Deadlines go back by the owner's clock.
 */
#include "endpoint/core_priv.h"

/* Every `now` that the owner hands in goes through here once. SPEC 4.4-11 */
weft_time core_time(struct wf_core *c, weft_time now)
{
    now = now < WEFT_TIME_NEVER - c->clock_shift ? now + c->clock_shift : WEFT_TIME_NEVER - 1;
    if (now < c->clock_at) {
        c->clock_shift += c->clock_at - now;
        now = c->clock_at;
    }
    c->clock_at = now;
    return now;
}

weft_time core_time_outside(const struct wf_core *c, weft_time at)
{
    if (at == WEFT_TIME_NEVER)
        return at;
    return at > c->clock_shift ? at - c->clock_shift : 0;
}
