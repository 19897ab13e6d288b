/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - attackers with many times a server's CPU against honest clients, in virtual time. Price,
 * queue and prefixes are those of src/session; server, network, clients and attackers are models.
 * One seed decides everything.
 *
 * Effort is in tries; LOAD_TRIES of them are a core-second, the work of one of the server's cores
 * in a second. Speeds of clients are in such cores.
 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "base/compiler.h"

#define LOAD_TRIES 1000000.0
#define LOAD_FLOOR 1000u /* 1 ms of a core */
#define LOAD_CEILING ((uint32_t)1 << 30)

enum load_attack {
    LOAD_PAY,     /* pays exactly what is asked */
    LOAD_OVERBID, /* twice that */
    LOAD_SNEAK,   /* what is asked, and now and then fifty times that */
    LOAD_HOARD,   /* solves for 100 s at thrice the clearing price, then sends the youngest first */
    LOAD_HOARD_LOW, /* the same at whatever is asked meanwhile */
    LOAD_OSCILLATE, /* 10 s on, 10 s off */
    LOAD_BURST,     /* pays, and sends everything just before the price is recomputed */
    LOAD_PREFIX,    /* pays, from one /24 */
    LOAD_ATTACKS,
};

/* What an honest client does (docs/spec/1-handshake.md, 1.7-11, 1.7-12). Times in seconds. */
struct load_policy {
    double overbid;    /* times the effort asked */
    double work_least; /* what it works at least once it has to work at all */
    double growth;     /* of the bid with each attempt */
    double retry;      /* without CONFIRM it asks again after this */
    double budget;     /* work in all */
    double patience;   /* everything in all */
};

struct load_config {
    uint64_t seed;
    enum load_attack attack;
    double cores;                /* of the attacker */
    double capacity;             /* handshakes a second */
    double honest;               /* clients a second */
    double speed_min, speed_max; /* log-uniform between */
    double from, until, end;     /* of the attack; of the simulation */
    size_t queue_max;
    double age_max; /* under overload an older CHALLENGE is worth nothing */
    struct load_policy policy;
};

#define LOAD_CLASSES 4 /* slow, middling, fast third; all */
#define LOAD_ALL 3

struct load_class {
    double served; /* part of them */
    double p50, p95, p99;
    double work; /* mean core-time spent, s */
};

/* A line for each tick. */
struct load_tick {
    double at, price; /* core-seconds */
    size_t queue, attackers_served, honest_served;
};

struct load_result {
    double clearing;
    double price_mean, price_p95,
        price_max;                          /* from 20 s after the start to the end of the attack */
    struct load_class honest[LOAD_CLASSES]; /* who came during the attack */
    double quiet_p95;                       /* who came before it */
    double attackers_served;                /* a second, during the attack */
    double attackers_cost;                  /* core-seconds each */
    double zero_after;                      /* s after the end until the price stays 0 */
    struct load_tick *ticks;                /* load_result_free */
    size_t tick_count;
};

void load_defaults(struct load_config *c);
void load_run(const struct load_config *c, struct load_result *r);
void load_result_free(struct load_result *r);

const char *load_attack_name(enum load_attack attack);
bool load_attack_of(const char *name, enum load_attack *out);

#endif
