/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_result.c - what is read off a run of load.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/load_priv.h"

#define SETTLED_S 20.0

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* values are put in order. NAN when there are none. */
static double quantile(double *values, size_t count, double part)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)((double)(count - 1) * part)];
}

static void prices(struct load_world *w, struct load_result *r)
{
    const struct load_config *c = w->config;
    double *values = (double *)sim_calloc(w->tick_count + 1, sizeof *values);
    size_t count = 0;
    double sum = 0;

    r->zero_after = 0;
    for (size_t i = 0; i < w->tick_count; i++) {
        const struct load_tick *t = &w->ticks[i];

        if (t->at >= c->from + SETTLED_S && t->at < c->until) {
            values[count++] = t->price;
            sum += t->price;
        }
        if (t->at >= c->until && t->price > 0) {
            r->zero_after = t->at - c->until + (double)WF_PRICE_TICK_US / LOAD_SECOND;
        }
    }
    r->clearing = c->cores / (c->capacity - c->honest);
    r->price_mean = count > 0 ? sum / (double)count : NAN;
    r->price_p95 = quantile(values, count, 0.95);
    r->price_max = quantile(values, count, 1);
    free(values);
}

static unsigned class_of(const struct load_config *c, double speed)
{
    const double part = log(speed / c->speed_min) / log(c->speed_max / c->speed_min) * 3;

    return part < 1 ? 0 : part < 2 ? 1 : 2;
}

/* Of those who came between two times; class LOAD_ALL takes everybody. */
static struct load_class class_between(struct load_world *w, unsigned class, double from,
                                       double until)
{
    double *values = (double *)sim_calloc(w->client_count + 1, sizeof *values);
    struct load_class out = {0};
    size_t came = 0, count = 0;

    for (size_t i = 0; i < w->client_count; i++) {
        const struct load_client *k = &w->clients[i];
        const double began = (double)k->began / LOAD_SECOND;

        if (began < from || began >= until ||
            (class != LOAD_ALL && class_of(w->config, k->speed) != class))
            continue;
        came++;
        out.work += k->worked;
        if (k->state == LOAD_DONE) {
            values[count++] = (double)(k->done - k->began) / LOAD_SECOND;
        }
    }
    out.served = came > 0 ? (double)count / (double)came : NAN;
    out.work = came > 0 ? out.work / (double)came : NAN;
    out.p50 = quantile(values, count, 0.5);
    out.p95 = quantile(values, count, 0.95);
    out.p99 = quantile(values, count, 0.99);
    free(values);
    return out;
}

void load_summary(struct load_world *w, struct load_result *r)
{
    const struct load_config *c = w->config;

    *r = (struct load_result){0};
    prices(w, r);
    for (unsigned class = 0; class < LOAD_CLASSES; class ++) {
        r->honest[class] = class_between(w, class, c->from, c->until);
    }
    r->quiet_p95 = class_between(w, LOAD_ALL, 0, c->from - 1).p95;
    r->attackers_served = (double)w->attack_served / (c->until - c->from);
    r->attackers_cost = w->attack_served > 0 ? w->attack_work / (double)w->attack_served : NAN;
    r->ticks = w->ticks;
    r->tick_count = w->tick_count;
    w->ticks = NULL;
}

void load_result_free(struct load_result *r)
{
    free(r->ticks);
    r->ticks = NULL;
}
