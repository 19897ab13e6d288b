/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_priv.h - what the files of load.h share among themselves.
 */
#ifndef SIM_LOAD_PRIV_H
#define SIM_LOAD_PRIV_H

#include "base/addr.h"
#include "base/prng.h"
#include "session/prefixes.h"
#include "session/price.h"
#include "sim/load.h"
#include "sim/memory.h"
#include "sim/queue.h"

#define LOAD_SECOND 1000000.0
#define LOAD_ONE_WAY ((weft_time)50000)

enum load_kind {
    LOAD_TICK,
    LOAD_SERVE,
    LOAD_CLIENT_NEW,
    LOAD_CLIENT_ASK,       /* its HELLO is at the server */
    LOAD_CLIENT_CHALLENGE, /* CHALLENGE is there */
    LOAD_CLIENT_SOLVED,
    LOAD_CLIENT_SOLVE, /* SOLVE is at the server */
    LOAD_CLIENT_RETRY,
    LOAD_CLIENT_CONFIRM,
    LOAD_ATTACK_BEGIN,
    LOAD_ATTACK_SOLVED,
    LOAD_ATTACK_SOLVE,
    LOAD_ATTACK_DUMP,
};

/* A request on its way. */
struct load_solve {
    bool honest;
    uint32_t who;
    uint32_t paid;
    weft_time made; /* its CHALLENGE */
};

enum load_state { LOAD_ASKING, LOAD_WORKING, LOAD_WAITING, LOAD_DONE, LOAD_FAILED };

struct load_client {
    enum load_state state;
    uint32_t turn; /* events of earlier turns are void */
    unsigned attempts;
    double speed;
    weft_time began, done, working_since, made, asked_at;
    double worked; /* s */
    uint32_t asked, bid;
    struct wf_addr addr;
};

struct load_event {
    enum load_kind kind;
    uint32_t who, turn, value;
};

struct load_world {
    const struct load_config *config;
    struct sim_queue events;
    struct wf_prng prng;
    struct wf_mem mem;

    struct wf_price price;
    struct wf_queue queue;
    struct wf_prefixes prefixes;
    uint64_t cookies;
    bool serving;

    struct load_client *clients;
    size_t client_count, client_room;

    struct load_solve *hoard;
    size_t hoard_count, hoard_made; /* hoard is a ring */
    double attack_work;             /* core-seconds */
    uint64_t attack_served;         /* during the attack */

    struct load_tick *ticks;
    size_t tick_count, tick_room;
    size_t tick_honest, tick_attack;
};

/* load.c */
void load_push(struct load_world *w, double delay, struct load_event e);
double load_now(const struct load_world *w);
double load_exponential(struct load_world *w, double mean);
uint32_t load_asked(struct load_world *w, const struct wf_addr *addr);
void load_arrive(struct load_world *w, const struct load_solve *s, const struct wf_addr *addr);

/* load_client.c */
void load_client_event(struct load_world *w, const struct load_event *e);
void load_client_served(struct load_world *w, uint32_t who);

/* load_attack.c */
void load_attack_begin(struct load_world *w);
void load_attack_event(struct load_world *w, const struct load_event *e);

/* load_result.c */
void load_summary(struct load_world *w, struct load_result *r);

#endif
