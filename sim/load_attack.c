/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_attack.c - the attackers of load.h. They know the price at any moment, waste nothing while
 * they wait, and their line carries RATE_MAX requests a second.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/load_priv.h"

#define RATE_MAX 50000.0
#define HOARD_S 100.0
#define HOARD_BID 3     /* times the clearing price */
#define HOARD_RATE 1.25 /* times the capacity: more would be thrown away */
#define PERIOD_S 10.0
#define COOKIE_LIFE_S 90.0
#define HOARD_MAX ((size_t)1 << 20)
#define ADDRESSES 4096u
#define SNEAK_IN 2000
#define SNEAK_TIMES 50

static const char *const names[LOAD_ATTACKS] = {
    [LOAD_PAY] = "pay",     [LOAD_OVERBID] = "overbid",     [LOAD_SNEAK] = "sneak",
    [LOAD_HOARD] = "hoard", [LOAD_HOARD_LOW] = "hoard-low", [LOAD_OSCILLATE] = "oscillate",
    [LOAD_BURST] = "burst", [LOAD_PREFIX] = "one-prefix",
};

const char *load_attack_name(enum load_attack attack)
{
    return names[attack];
}

bool load_attack_of(const char *name, enum load_attack *out)
{
    for (enum load_attack i = LOAD_PAY; i < LOAD_ATTACKS; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* Of a request whose CHALLENGE is so old: a core takes another address each time. */
static struct wf_addr address_of(const struct load_world *w, uint32_t who, uint32_t made_ms)
{
    const uint32_t which = (who * 2654435761u + made_ms * 40503u) >> 7 & (ADDRESSES - 1);

    if (w->config->attack == LOAD_PREFIX)
        return wf_addr_v4(200, 1, 1, (uint8_t)which, 1000);
    return wf_addr_v4((uint8_t)(100 + which % 90), (uint8_t)(which * 7), (uint8_t)which,
                      (uint8_t)(which >> 4), 1000);
}

static bool hoards(const struct load_world *w)
{
    return w->config->attack == LOAD_HOARD || w->config->attack == LOAD_HOARD_LOW;
}

static double clearing(const struct load_config *c)
{
    return c->cores / (c->capacity - c->honest);
}

static uint32_t bid_for(struct load_world *w, uint32_t who, uint32_t made_ms)
{
    const struct wf_addr addr = address_of(w, who, made_ms);
    const double asked = load_asked(w, &addr);
    double bid = asked;

    if (w->config->attack == LOAD_OVERBID) {
        bid *= 2;
    } else if (w->config->attack == LOAD_SNEAK && wf_prng_below(&w->prng, SNEAK_IN) == 0) {
        bid *= SNEAK_TIMES;
    } else if (w->config->attack == LOAD_HOARD) {
        bid = fmax(bid, HOARD_BID * clearing(w->config) * LOAD_TRIES);
    }
    return (uint32_t)fmin(bid, LOAD_CEILING);
}

static double pause_before(const struct load_world *w)
{
    const double since = load_now(w) - w->config->from;

    if (w->config->attack == LOAD_OSCILLATE && fmod(since, 2 * PERIOD_S) >= PERIOD_S)
        return 2 * PERIOD_S - fmod(since, 2 * PERIOD_S);
    return 0;
}

/* One core begins its next request. What it solves and when its CHALLENGE was made travel in the
 * event. */
static void begin(struct load_world *w, uint32_t who)
{
    const double pause = pause_before(w);

    if (pause > 0) {
        load_push(w, pause + 0.001, (struct load_event){LOAD_ATTACK_SOLVED, who, 0, UINT32_MAX});
        return;
    }
    const uint32_t made_ms = (uint32_t)(w->events.now / 1000);
    const uint32_t bid = bid_for(w, who, made_ms);
    const double work = load_exponential(w, bid / LOAD_TRIES);
    const double slowest = w->config->cores / RATE_MAX;

    w->attack_work += work;
    load_push(w, fmax(work, slowest), (struct load_event){LOAD_ATTACK_SOLVED, who, made_ms, bid});
}

/* The oldest go when there are more than could ever be sent. */
static void keep(struct load_world *w, const struct load_solve *s)
{
    if (w->hoard == NULL) {
        w->hoard = (struct load_solve *)sim_calloc(HOARD_MAX, sizeof *w->hoard);
    }
    w->hoard[w->hoard_made++ % HOARD_MAX] = *s;
    w->hoard_count += w->hoard_count < HOARD_MAX;
}

/* Sends the youngest, and comes again. */
static void dump(struct load_world *w)
{
    if (w->hoard_count == 0 || load_now(w) >= w->config->until)
        return;
    const struct load_solve *s = &w->hoard[--w->hoard_made % HOARD_MAX];

    w->hoard_count--;
    if ((double)(w->events.now - s->made) < COOKIE_LIFE_S * LOAD_SECOND) {
        const struct wf_addr addr = address_of(w, s->who, (uint32_t)(s->made / 1000));
        load_arrive(w, s, &addr);
    }
    load_push(w, 1 / (HOARD_RATE * w->config->capacity),
              (struct load_event){.kind = LOAD_ATTACK_DUMP});
}

/* How long a request is on its way, or is held back. */
static double way(const struct load_world *w)
{
    const weft_time there = w->events.now + LOAD_ONE_WAY;
    const weft_time late = WF_PRICE_TICK_US - 1 - there % WF_PRICE_TICK_US;

    return (double)(LOAD_ONE_WAY + (w->config->attack == LOAD_BURST ? late : 0)) / LOAD_SECOND;
}

static void on_solved(struct load_world *w, const struct load_event *e)
{
    const struct load_solve s = {false, e->who, e->value, (weft_time)e->turn * 1000};

    if (load_now(w) >= w->config->until)
        return;
    if (hoards(w)) {
        if (load_now(w) < w->config->from + HOARD_S) {
            keep(w, &s);
            begin(w, e->who);
        }
        return;
    }
    if (e->value != UINT32_MAX) {
        load_push(w, way(w), (struct load_event){LOAD_ATTACK_SOLVE, e->who, e->turn, e->value});
    }
    begin(w, e->who);
}

void load_attack_begin(struct load_world *w)
{
    const uint32_t cores = (uint32_t)w->config->cores;

    for (uint32_t who = 0; who < cores; who++) {
        begin(w, who);
    }
    if (hoards(w)) {
        load_push(w, HOARD_S, (struct load_event){.kind = LOAD_ATTACK_DUMP});
    }
}

void load_attack_event(struct load_world *w, const struct load_event *e)
{
    if (e->kind == LOAD_ATTACK_SOLVED) {
        on_solved(w, e);
        return;
    }
    if (e->kind == LOAD_ATTACK_DUMP) {
        dump(w);
        return;
    }
    const struct load_solve s = {false, e->who, e->value, (weft_time)e->turn * 1000};
    const struct wf_addr addr = address_of(w, e->who, e->turn);
    load_arrive(w, &s, &addr);
}
