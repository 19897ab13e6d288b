/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.c - properties of a link by their names. It must never accept a value that the link model
 * cannot keep.
 */
#include "netem/plan.h"

#include <string.h>

#include "netem/value.h"

#define SECOND_US 1000000u
#define QUEUE_US 100000u     /* of a rate without a queue */
#define REORDER_US 10000u    /* of a share without a time */
#define TIME_MAX 3600000000u /* an hour */
#define QUEUE_BYTES_MAX (1u << 30)
#define PART_MAX 32u

enum kind { TIME, SHARE, BYTES, RATE, NUMBER, YES, BYTES_OR_TIME, BURST, WINDOW, RANGE };

/* What a value must look like, for who wrote another. */
static const char *const wanted_texts[] = {
    [TIME] = "a time of at most an hour such as 20ms",
    [SHARE] = "a share such as 2.5%",
    [BYTES] = "bytes such as 1400",
    [RATE] = "a rate from 1kbit to 1000gbit such as 10mbit",
    [NUMBER] = "a whole number",
    [YES] = "yes or no",
    [BYTES_OR_TIME] = "bytes such as 64k, or a time at the rate such as 50ms",
    [BURST] = "three shares such as 1%,20%,90% (into a burst, out of it, lost inside)",
    [WINDOW] = "a start, a length and perhaps a period such as 5s+2s or 5s+2s/20s",
    [RANGE] = "numbers of packets such as 2-7",
};

#define LINK(field) (offsetof(struct netem_leg, link) + offsetof(struct sim_link_config, field))

static const struct property {
    const char *name;
    enum kind kind;
    size_t size, at;
} properties[] = {
    {"delay", TIME, 8, LINK(delay_us)},
    {"jitter", TIME, 8, LINK(jitter_us)},
    {"keep-order", YES, sizeof(bool), LINK(keeps_order)},
    {"loss", SHARE, 4, LINK(loss_ppm)},
    {"burst", BURST, 0, 0},
    {"reorder", SHARE, 4, LINK(reorder_ppm)},
    {"reorder-by", TIME, 8, LINK(reorder_us)},
    {"duplicate", SHARE, 4, LINK(duplicate_ppm)},
    {"corrupt", SHARE, 4, LINK(corrupt_ppm)},
    {"mtu", BYTES, sizeof(size_t), LINK(mtu)},
    {"mtu-silent", YES, sizeof(bool), LINK(mtu_silent)},
    {"rate", RATE, 8, LINK(rate)},
    {"queue", BYTES_OR_TIME, LINK(queue_max), offsetof(struct netem_leg, queue_us)},
    {"ecn-mark", BYTES_OR_TIME, LINK(ecn_mark), offsetof(struct netem_leg, mark_us)},
    {"ecn-bleach", YES, sizeof(bool), LINK(ecn_bleach)},
    {"cut", YES, sizeof(bool), LINK(cut)},
    {"blackout", WINDOW, 0, 0},
    {"drop", RANGE, 0, 0},
    {"fault-packets", NUMBER, 8, LINK(fault_count)},
};

void netem_plan_init(struct netem_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->count = 1;
    for (size_t d = 0; d < NETEM_DIRECTIONS; d++) {
        plan->stages[0].legs[d].link.keeps_order = true;
    }
}

bool netem_plan_add(struct netem_plan *plan, weft_time at)
{
    const struct netem_stage *last = &plan->stages[plan->count - 1];

    if (plan->count == NETEM_STAGES_MAX || at <= last->at)
        return false;
    plan->stages[plan->count] = *last;
    plan->stages[plan->count++].at = at;
    return true;
}

/* --- values --- */

static void store(struct netem_leg *leg, size_t at, size_t size, uint64_t v)
{
    char *to = (char *)leg + at;
    const uint32_t v32 = (uint32_t)v;
    const bool yes = v != 0;

    if (size == sizeof v) {
        memcpy(to, &v, sizeof v);
    } else if (size == sizeof v32) {
        memcpy(to, &v32, sizeof v32);
    } else {
        memcpy(to, &yes, sizeof yes);
    }
}

static bool number_of(uint64_t *v, enum kind kind, const char *value)
{
    switch (kind) {
    case TIME:
        return netem_time(v, value) && *v <= TIME_MAX;
    case SHARE:
        return netem_share(v, value);
    case BYTES:
        return netem_bytes(v, value);
    case RATE:
        return netem_rate(v, value) && *v >= 125 && *v / 125000000 <= 1000;
    case NUMBER:
        return netem_number(v, value);
    default:
        return netem_yes(v, value);
    }
}

/* Bytes in one field or a time in the other. */
static bool set_size(struct netem_leg *leg, const struct property *p, const char *value)
{
    uint64_t bytes = 0;
    uint64_t us = 0;

    if (!netem_bytes(&bytes, value) && !(netem_time(&us, value) && us <= TIME_MAX))
        return false;
    if (bytes > QUEUE_BYTES_MAX)
        return false;
    store(leg, p->size, sizeof(size_t), bytes);
    store(leg, p->at, sizeof us, us);
    return true;
}

static bool set_burst(struct netem_leg *leg, const char *value)
{
    char part[PART_MAX];
    const char *rest = value;
    uint64_t enter = 0;
    uint64_t leave = 0;
    uint64_t loss = 0;

    if (!netem_split(part, sizeof part, &rest, rest, ',') || !netem_share(&enter, part) ||
        !netem_split(part, sizeof part, &rest, rest, ',') || !netem_share(&leave, part) ||
        !netem_share(&loss, rest))
        return false;
    leg->link.burst_enter_ppm = (uint32_t)enter;
    leg->link.burst_leave_ppm = (uint32_t)leave;
    leg->link.burst_loss_ppm = (uint32_t)loss;
    return true;
}

static bool set_window(struct netem_leg *leg, const char *value)
{
    char part[PART_MAX];
    const char *rest = value;
    uint64_t at = 0;
    uint64_t length = 0;
    uint64_t every = 0;

    if (!netem_split(part, sizeof part, &rest, rest, '+') || !netem_time(&at, part))
        return false;
    if (netem_split(part, sizeof part, &rest, rest, '/')) {
        if (!netem_time(&every, rest) || every == 0)
            return false;
        rest = part;
    }
    if (!netem_time(&length, rest))
        return false;
    leg->link.blackout_at = at;
    leg->link.blackout_us = length;
    leg->link.blackout_every_us = every;
    return true;
}

static bool set_range(struct netem_leg *leg, const char *value)
{
    char part[PART_MAX];
    const char *rest = value;
    uint64_t from = 0;
    uint64_t to = 0;

    if (netem_split(part, sizeof part, &rest, value, '-')) {
        if (!netem_number(&from, part) || !netem_number(&to, rest))
            return false;
    } else if (!netem_number(&from, value)) {
        return false;
    } else {
        to = from;
    }
    if (from == 0 || to < from)
        return false;
    leg->link.drop_from = from;
    leg->link.drop_to = to;
    return true;
}

static bool set_leg(struct netem_leg *leg, const struct property *p, const char *value)
{
    uint64_t v = 0;

    switch (p->kind) {
    case BYTES_OR_TIME:
        return set_size(leg, p, value);
    case BURST:
        return set_burst(leg, value);
    case WINDOW:
        return set_window(leg, value);
    case RANGE:
        return set_range(leg, value);
    default:
        if (!number_of(&v, p->kind, value))
            return false;
        store(leg, p->at, p->size, v);
        return true;
    }
}

/* The name without "up-" or "down-", and the directions that are meant: first..last. */
static const char *directions(const char *name, size_t *first, size_t *last)
{
    *first = NETEM_UP;
    *last = NETEM_DOWN;
    if (strncmp(name, "up-", 3) == 0) {
        *last = NETEM_UP;
        return name + 3;
    }
    if (strncmp(name, "down-", 5) == 0) {
        *first = NETEM_DOWN;
        return name + 5;
    }
    return name;
}

enum netem_set netem_plan_set(struct netem_plan *plan, const char *name, const char *value,
                              const char **wanted)
{
    struct netem_stage *stage = &plan->stages[plan->count - 1];
    size_t first = 0;
    size_t last = 0;
    const char *bare = directions(name, &first, &last);

    for (size_t i = 0; i < WF_ARRAY_LEN(properties); i++) {
        if (strcmp(properties[i].name, bare) != 0)
            continue;
        for (size_t d = first; d <= last; d++) {
            if (!set_leg(&stage->legs[d], &properties[i], value)) {
                *wanted = wanted_texts[properties[i].kind];
                return NETEM_BAD_VALUE;
            }
        }
        return NETEM_SET;
    }
    return NETEM_UNKNOWN;
}

/* --- the end --- */

static size_t bytes_at(uint64_t rate, uint64_t us)
{
    const uint64_t seconds = us / SECOND_US;
    const uint64_t rest = us % SECOND_US;
    /* A rate is at most 125e9: neither product overflows within an hour. */
    const uint64_t bytes = rate * seconds + rate * rest / SECOND_US;

    return bytes > QUEUE_BYTES_MAX ? QUEUE_BYTES_MAX : (size_t)bytes;
}

static void finish(struct netem_leg *leg)
{
    struct sim_link_config *c = &leg->link;

    if (leg->queue_us == 0 && c->queue_max == 0) {
        leg->queue_us = QUEUE_US;
    }
    if (leg->queue_us > 0) {
        c->queue_max = bytes_at(c->rate, leg->queue_us);
    }
    if (leg->mark_us > 0) {
        c->ecn_mark = bytes_at(c->rate, leg->mark_us);
    }
    if (c->reorder_ppm > 0 && c->reorder_us == 0) {
        c->reorder_us = REORDER_US;
    }
}

void netem_plan_finish(struct netem_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        for (size_t d = 0; d < NETEM_DIRECTIONS; d++) {
            finish(&plan->stages[i].legs[d]);
        }
    }
}

size_t netem_plan_stage(const struct netem_plan *plan, size_t from, weft_time now)
{
    while (from + 1 < plan->count && plan->stages[from + 1].at <= now) {
        from++;
    }
    return from;
}
