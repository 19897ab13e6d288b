/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - the server of load.h and the turn of time. It must never decide anything that
 * src/session decides.
 */
#include "sim/load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "sim/load_priv.h"

#define QUEUE_STALE_S 10.0
#define PREFIX_SETS 4096
#define PAYLOAD_LEN sizeof(struct load_waiting)

struct load_waiting {
    struct load_solve solve;
    struct wf_addr addr;
};

void load_defaults(struct load_config *c)
{
    *c = (struct load_config){
        .seed = 1,
        .attack = LOAD_PAY,
        .cores = 1000,
        .capacity = 4000,
        .honest = 500,
        .speed_min = 1.0 / 3,
        .speed_max = 10.0 / 3,
        .from = 30,
        .until = 180,
        .end = 250,
        .queue_max = 8192,
        .age_max = 30,
        .policy = {.overbid = 1.3,
                   .work_least = 0.1,
                   .growth = 1.5,
                   .retry = 0.8,
                   .budget = 10,
                   .patience = 30},
    };
}

/* --- time and chance --- */

double load_now(const struct load_world *w)
{
    return (double)w->events.now / LOAD_SECOND;
}

/* Our kinds are not those of the endpoints' simulator: they travel in `host`. */
void load_push(struct load_world *w, double delay, struct load_event e)
{
    sim_queue_push(&w->events, (struct sim_event){
                                   .at = w->events.now + (weft_time)(delay * LOAD_SECOND),
                                   .kind = SIM_OP,
                                   .host = (uint32_t)e.kind,
                                   .arg = (uint64_t)e.who << 32 | e.turn,
                                   .ptr = (void *)(uintptr_t)e.value,
                               });
}

static struct load_event event_of(const struct sim_event *ev)
{
    return (struct load_event){
        .kind = (enum load_kind)ev->host,
        .who = (uint32_t)(ev->arg >> 32),
        .turn = (uint32_t)ev->arg,
        .value = (uint32_t)(uintptr_t)ev->ptr,
    };
}

double load_exponential(struct load_world *w, double mean)
{
    const double u = ((double)(wf_prng_next(&w->prng) >> 11) + 1) / 9007199254740993.0;

    return -mean * log(u);
}

/* --- the server --- */

uint32_t load_asked(struct load_world *w, const struct wf_addr *addr)
{
    return wf_price_asked(&w->price, wf_prefixes_multiplier(&w->prefixes, w->events.now, addr));
}

static void serve_later(struct load_world *w)
{
    if (w->serving || wf_queue_count(&w->queue) == 0)
        return;
    w->serving = true;
    load_push(w, 1 / w->config->capacity, (struct load_event){.kind = LOAD_SERVE});
}

void load_arrive(struct load_world *w, const struct load_solve *s, const struct wf_addr *addr)
{
    const weft_time now = w->events.now;
    struct wf_queue_ticket t = {.paid = s->paid};
    void *payload = NULL;

    t.multiplier = wf_prefixes_multiplier(&w->prefixes, now, addr);
    if (wf_price_asked(&w->price, WF_MULTIPLIER_ONE) > 0 &&
        (double)(now - s->made) > w->config->age_max * LOAD_SECOND)
        return;
    if (!wf_price_takes(&w->price, s->paid, t.multiplier))
        return;
    wf_store_u64(t.cookie, ++w->cookies); /* each solves its own */
    if (wf_queue_put(&w->queue, now, &t, &payload) != WEFT_OK)
        return;
    const struct load_waiting waiting = {*s, *addr};
    memcpy(payload, &waiting, sizeof waiting);
    serve_later(w);
}

static void serve(struct load_world *w)
{
    const struct wf_queue_entry *e = wf_queue_first(&w->queue);
    struct load_waiting waiting;

    w->serving = false;
    if (e == NULL)
        return;
    memcpy(&waiting, e->payload, sizeof waiting);
    wf_price_served(&w->price, e->ticket.paid, e->ticket.multiplier);
    wf_queue_drop_first(&w->queue);
    wf_prefixes_charge(&w->prefixes, w->events.now, &waiting.addr,
                       (uint32_t)(LOAD_SECOND / w->config->capacity));
    if (waiting.solve.honest) {
        w->tick_honest++;
        load_client_served(w, waiting.solve.who);
    } else {
        w->tick_attack++;
        w->attack_served += load_now(w) < w->config->until;
    }
    serve_later(w);
}

static void tick(struct load_world *w)
{
    const weft_time now = w->events.now;
    const weft_time stale = (weft_time)(QUEUE_STALE_S * LOAD_SECOND);

    if (now > stale) {
        (void)wf_queue_expire(&w->queue, now - stale);
    }
    wf_price_tick(&w->price, now, &w->queue);
    WEFT_ASSERT(w->tick_count < w->tick_room);
    w->ticks[w->tick_count++] = (struct load_tick){
        .at = load_now(w),
        .price = wf_price_asked(&w->price, WF_MULTIPLIER_ONE) / LOAD_TRIES,
        .queue = wf_queue_count(&w->queue),
        .attackers_served = w->tick_attack,
        .honest_served = w->tick_honest,
    };
    w->tick_attack = w->tick_honest = 0;
    load_push(w, (double)WF_PRICE_TICK_US / LOAD_SECOND, (struct load_event){.kind = LOAD_TICK});
}

/* --- a run --- */

static void init(struct load_world *w)
{
    static const struct wf_price_config price = {LOAD_FLOOR, LOAD_CEILING};
    const struct load_config *c = w->config;
    uint8_t key[16];
    const struct wf_queue_config queue = {c->queue_max, PAYLOAD_LEN, key};
    weft_err err = WEFT_OK;

    wf_prng_seed(&w->prng, c->seed);
    wf_store_u64(key, wf_prng_next(&w->prng));
    wf_store_u64(key + 8, wf_prng_next(&w->prng));
    sim_queue_init(&w->events, 0);
    wf_price_init(&w->price, &price, 0);
    err = wf_queue_init(&w->queue, &w->mem, &queue);
    WEFT_ASSERT(err == WEFT_OK);
    err = wf_prefixes_init(&w->prefixes, &w->mem, PREFIX_SETS, key);
    WEFT_ASSERT(err == WEFT_OK);
    w->tick_room = (size_t)(c->end * LOAD_SECOND / (double)WF_PRICE_TICK_US) + 2;
    w->ticks = (struct load_tick *)sim_calloc(w->tick_room, sizeof *w->ticks);
}

static void deinit(struct load_world *w)
{
    wf_queue_deinit(&w->queue);
    wf_prefixes_deinit(&w->prefixes);
    sim_queue_deinit(&w->events);
    free(w->clients);
    free(w->hoard);
}

static void dispatch(struct load_world *w, const struct load_event *e)
{
    switch (e->kind) {
    case LOAD_TICK:
        tick(w);
        break;
    case LOAD_SERVE:
        serve(w);
        break;
    case LOAD_ATTACK_BEGIN:
        load_attack_begin(w);
        break;
    case LOAD_ATTACK_SOLVED:
    case LOAD_ATTACK_SOLVE:
    case LOAD_ATTACK_DUMP:
        load_attack_event(w, e);
        break;
    default:
        load_client_event(w, e);
        break;
    }
}

void load_run(const struct load_config *c, struct load_result *r)
{
    struct load_world w = {.config = c};
    struct sim_event ev;

    sim_mem_init(&w.mem, 0, NULL);
    init(&w);
    load_push(&w, (double)WF_PRICE_TICK_US / LOAD_SECOND, (struct load_event){.kind = LOAD_TICK});
    load_push(&w, 0, (struct load_event){.kind = LOAD_CLIENT_NEW});
    load_push(&w, c->from, (struct load_event){.kind = LOAD_ATTACK_BEGIN});
    while (sim_queue_pop(&w.events, &ev) && load_now(&w) < c->end) {
        const struct load_event e = event_of(&ev);
        dispatch(&w, &e);
    }
    load_summary(&w, r);
    deinit(&w);
}
