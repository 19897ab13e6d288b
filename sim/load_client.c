/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_client.c - honest clients: each wants one session and follows the policy of
 * docs/spec/1-handshake.md, 1.7-11 and 1.7-12.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/load_priv.h"

#define ROOM_FIRST 1024

static void push(struct load_world *w, double delay, enum load_kind kind, uint32_t who)
{
    load_push(w, delay,
              (struct load_event){.kind = kind, .who = who, .turn = w->clients[who].turn});
}

static double seconds(weft_time t)
{
    return (double)t / LOAD_SECOND;
}

static uint32_t new_client(struct load_world *w)
{
    const struct load_config *c = w->config;

    if (w->client_count == w->client_room) {
        const size_t room = w->client_room == 0 ? ROOM_FIRST : w->client_room * 2;
        struct load_client *grown = (struct load_client *)sim_calloc(room, sizeof *grown);
        if (w->client_count > 0) {
            memcpy(grown, w->clients, w->client_count * sizeof *grown);
        }
        free(w->clients);
        w->clients = grown;
        w->client_room = room;
    }
    struct load_client *k = &w->clients[w->client_count];
    const double u = (double)wf_prng_below(&w->prng, 1u << 20) / (1u << 20);
    const uint64_t ip = wf_prng_next(&w->prng);
    k->speed = c->speed_min * pow(c->speed_max / c->speed_min, u);
    k->addr = wf_addr_v4((uint8_t)(1 + ip % 90), (uint8_t)(ip >> 8), (uint8_t)(ip >> 16),
                         (uint8_t)(ip >> 24), 1000);
    k->began = w->events.now;
    return (uint32_t)w->client_count++;
}

static void ask(struct load_world *w, uint32_t who)
{
    push(w, seconds(LOAD_ONE_WAY), LOAD_CLIENT_ASK, who);
}

/* What work there was since the last look goes on the account. */
static void stop_working(struct load_world *w, struct load_client *k)
{
    if (k->state == LOAD_WORKING) {
        k->worked += seconds(w->events.now - k->working_since);
        k->working_since = w->events.now;
    }
}

static void work(struct load_world *w, uint32_t who, uint32_t bid)
{
    const struct load_policy *p = &w->config->policy;
    struct load_client *k = &w->clients[who];
    const double takes = load_exponential(w, bid / (k->speed * LOAD_TRIES));

    stop_working(w, k);
    k->state = LOAD_WORKING;
    k->working_since = w->events.now;
    k->bid = bid;
    k->turn++;
    if (k->worked + takes > p->budget) {
        push(w, p->budget - k->worked, LOAD_CLIENT_RETRY, who);
    } else {
        push(w, takes, LOAD_CLIENT_SOLVED, who);
    }
}

static uint32_t bid_for(const struct load_world *w, const struct load_client *k, uint32_t asked)
{
    const struct load_policy *p = &w->config->policy;
    const double left = p->budget - k->worked;
    double bid = asked * p->overbid * pow(p->growth, k->attempts);

    if (asked == 0)
        return 0;
    bid = fmax(bid, p->work_least * k->speed * LOAD_TRIES);
    bid = fmin(bid, left / 2 * k->speed * LOAD_TRIES);
    bid = fmax(bid, asked);
    return (uint32_t)fmin(bid, LOAD_CEILING);
}

static void on_challenge(struct load_world *w, uint32_t who, uint32_t asked)
{
    struct load_client *k = &w->clients[who];

    k->made = k->asked_at;
    work(w, who, bid_for(w, k, asked));
}

static void on_solved(struct load_world *w, uint32_t who)
{
    struct load_client *k = &w->clients[who];

    stop_working(w, k);
    k->state = LOAD_WAITING;
    k->attempts++;
    k->turn++;
    push(w, seconds(LOAD_ONE_WAY), LOAD_CLIENT_SOLVE, who);
    push(w, w->config->policy.retry, LOAD_CLIENT_RETRY, who);
}

static void on_retry(struct load_world *w, uint32_t who)
{
    struct load_client *k = &w->clients[who];
    const struct load_policy *p = &w->config->policy;

    stop_working(w, k);
    if (k->worked >= p->budget - 1e-6 || seconds(w->events.now - k->began) >= p->patience) {
        k->state = LOAD_FAILED;
        k->turn++;
    } else {
        ask(w, who);
    }
}

void load_client_served(struct load_world *w, uint32_t who)
{
    push(w, seconds(LOAD_ONE_WAY), LOAD_CLIENT_CONFIRM, who);
}

static void on_confirm(struct load_world *w, struct load_client *k)
{
    if (k->state == LOAD_DONE || k->state == LOAD_FAILED)
        return;
    stop_working(w, k);
    k->state = LOAD_DONE;
    k->done = w->events.now;
    k->turn++;
}

static void begin(struct load_world *w)
{
    ask(w, new_client(w));
    load_push(w, load_exponential(w, 1 / w->config->honest),
              (struct load_event){.kind = LOAD_CLIENT_NEW});
}

void load_client_event(struct load_world *w, const struct load_event *e)
{
    if (e->kind == LOAD_CLIENT_NEW) {
        begin(w);
        return;
    }
    struct load_client *k = &w->clients[e->who];
    if (e->kind == LOAD_CLIENT_CONFIRM) {
        on_confirm(w, k);
        return;
    }
    if (e->kind == LOAD_CLIENT_SOLVE) { /* on its way, whatever its sender does now */
        const struct load_solve s = {true, e->who, k->bid, k->made};
        load_arrive(w, &s, &k->addr);
        return;
    }
    if (e->turn != k->turn || k->state == LOAD_DONE || k->state == LOAD_FAILED)
        return;
    if (e->kind == LOAD_CLIENT_ASK) {
        k->asked_at = w->events.now;
        load_push(
            w, seconds(LOAD_ONE_WAY),
            (struct load_event){LOAD_CLIENT_CHALLENGE, e->who, k->turn, load_asked(w, &k->addr)});
    } else if (e->kind == LOAD_CLIENT_CHALLENGE) {
        on_challenge(w, e->who, e->value);
    } else if (e->kind == LOAD_CLIENT_SOLVED) {
        on_solved(w, e->who);
    } else {
        on_retry(w, e->who);
    }
}
