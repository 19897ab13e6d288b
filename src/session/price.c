/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price.c - see price.h.
 */
#include "session/price.h"

#include <string.h>

#include "base/assert.h"

/* A guess that the first busy tick corrects: 1,000 requests a second. */
#define CAPACITY_START 250u
#define CAPACITY_MIN 4u
#define BUSY_MOST 49152u /* three quarters */
#define ALL 65536u       /* parts of a whole */
#define FALL_SLOW 1966u  /* 3 % */
#define FALL_FAST 16384u /* 25 % */
#define TURN_OVER 20u    /* sixteenths of the price */
#define STEPS_MAX 240u   /* ticks made up for after a pause: by then any price is gone */

void wf_price_init(struct wf_price *p, const struct wf_price_config *c, weft_time now)
{
    WEFT_ASSERT(c->floor > 0);
    WEFT_ASSERT(c->ceiling >= c->floor);
    memset(p, 0, sizeof *p);
    p->config = *c;
    p->capacity = CAPACITY_START;
    p->least = UINT32_MAX;
    p->last = now;
}

uint32_t wf_price_asked(const struct wf_price *p, uint32_t multiplier)
{
    const uint64_t asked =
        ((uint64_t)p->price * multiplier + WF_MULTIPLIER_ONE - 1) / WF_MULTIPLIER_ONE;

    return asked < p->config.ceiling ? (uint32_t)asked : p->config.ceiling;
}

bool wf_price_takes(const struct wf_price *p, uint32_t paid, uint32_t multiplier)
{
    return paid >= wf_price_asked(p, multiplier) / 2; /* SPEC 1.7-4 */
}

void wf_price_served(struct wf_price *p, uint32_t paid, uint32_t multiplier)
{
    const uint64_t once = (uint64_t)paid * WF_MULTIPLIER_ONE / multiplier;

    if (once < p->least) {
        p->least = (uint32_t)once;
    }
    if (p->served < UINT32_MAX) {
        p->served++;
    }
}

/* SPEC 1.7-1: what was served while requests waited is what the server can do; more than that it
 * can anyway. */
static void measure(struct wf_price *p, uint32_t served, bool ran_empty)
{
    if (served > p->capacity) {
        p->capacity = served;
    } else if (!ran_empty) {
        p->capacity = (uint32_t)(((uint64_t)p->capacity * 3 + served) / 4);
    }
    if (p->capacity < CAPACITY_MIN) {
        p->capacity = CAPACITY_MIN;
    }
    const uint32_t busy = (uint32_t)((uint64_t)served * ALL / p->capacity);
    p->busy = (uint32_t)(((uint64_t)p->busy * 7 + busy) / 8);
}

/* The backlog above which the price rises: a tick and a half, or what the queue can show. */
static uint64_t backlog_goal(const struct wf_price *p, const struct wf_queue *q)
{
    const uint64_t goal = (uint64_t)p->capacity * 3 / 2;
    const uint64_t room = (uint64_t)q->max * 3 / 4;

    return goal < room ? goal : room;
}

/* SPEC 1.7-2: the least that was paid for a turn, when everybody had to wait for his: who asks for
 * less asks in vain. Whoever wants to drive the price by it must pay for every turn there is. */
static uint32_t price_of_a_turn(const struct wf_price *p, bool ran_empty)
{
    return ran_empty || p->least == UINT32_MAX ? 0 : p->least;
}

/* SPEC 1.7-2 */
static void rise(struct wf_price *p, uint64_t to)
{
    const uint64_t most = p->price > 0 ? (uint64_t)p->price * 2 : p->config.floor;
    const uint64_t least = p->price > 0 ? (uint64_t)p->price + 1 : p->config.floor;

    to = to < most ? to : most;
    to = to > least ? to : least;
    p->price = to < p->config.ceiling ? (uint32_t)to : p->config.ceiling;
}

/* SPEC 1.7-3 */
static void fall(struct wf_price *p, uint64_t by)
{
    if (p->price == 0)
        return;
    p->price = (uint32_t)((uint64_t)p->price * (ALL - by) / ALL);
    if (p->price < p->config.floor) { /* from the floor to nothing only when there is time */
        p->price = p->busy < BUSY_MOST ? 0 : p->config.floor;
    }
}

static void recompute(struct wf_price *p, const struct wf_queue *q, uint32_t turn)
{
    const uint64_t backlog = wf_queue_backlog(q, p->price);
    const uint64_t goal = backlog_goal(p, q);

    if (backlog > goal) {
        rise(p, p->price * backlog / goal);
    } else if (p->price > 0 && turn > (uint64_t)p->price * TURN_OVER / 16) {
        rise(p, turn);
    } else if (wf_queue_count(q) >= p->capacity) {
        fall(p, FALL_SLOW);
    } else {
        const uint64_t idle = p->busy < ALL ? ALL - p->busy : 0;
        fall(p, FALL_SLOW + (FALL_FAST - FALL_SLOW) * idle / ALL);
    }
}

void wf_price_tick(struct wf_price *p, weft_time now, struct wf_queue *q)
{
    if (now < p->last || now - p->last < WF_PRICE_TICK_US)
        return;
    const uint64_t steps = (now - p->last) / WF_PRICE_TICK_US;
    p->last += steps * WF_PRICE_TICK_US;
    const bool ran_empty = wf_queue_ran_empty(q);
    const uint32_t turn = price_of_a_turn(p, ran_empty);
    measure(p, (uint32_t)(p->served / steps), ran_empty);
    p->served = 0;
    p->least = UINT32_MAX;
    recompute(p, q, turn);
    for (uint64_t i = 1; i < steps && i < STEPS_MAX && p->price > 0; i++) {
        p->busy = (uint32_t)((uint64_t)p->busy * 7 / 8);
        fall(p, FALL_FAST);
    }
}

weft_time wf_price_deadline(const struct wf_price *p, const struct wf_queue *q)
{
    if (p->price == 0 && wf_queue_count(q) == 0)
        return WEFT_TIME_NEVER;
    return p->last + WF_PRICE_TICK_US;
}
