/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario.c - draws the world: classes, hosts, links, addresses. It must never draw from a clock
 * or in an order that a class which is off could change.
 */
#include "sim/scenario.h"

#include <string.h>

#include "sim/scenario_priv.h"
#include "wire/frame.h"

#define BACKGROUND_RATE 10000u /* bytes a second at least */
#define SECOND 1000000u
#define MINUTE (60u * SECOND)

const struct sim_class_text sim_class_texts[SIM_CLASSES] = {
#define SIM_CLASS(name, word, percent, text) {word, text, percent},
#include "sim/classes.def"
#undef SIM_CLASS
};

enum sim_class sim_class_find(const char *word)
{
    unsigned i = 0;

    while (i < SIM_CLASSES && strcmp(sim_class_texts[i].word, word) != 0) {
        i++;
    }
    return (enum sim_class)i;
}

bool sim_has(const struct sim_scenario *s, enum sim_class class)
{
    return (s->classes >> class & 1u) != 0;
}

struct wf_prng sim_stream(uint64_t seed, uint64_t purpose)
{
    struct wf_prng p;

    wf_prng_seed(&p, sim_mix(seed) ^ sim_mix(purpose + 1));
    return p;
}

uint64_t sim_scale(struct wf_prng *p, uint64_t min, uint64_t max)
{
    const unsigned bits = (unsigned)wf_prng_between(p, WF_LOG2_U64(min), WF_LOG2_U64(max));
    uint64_t low = (uint64_t)1 << bits;
    uint64_t high = low + (low - 1);

    if (low < min) {
        low = min;
    }
    if (high > max) {
        high = max;
    }
    return wf_prng_between(p, low, high);
}

/* Whatever can end a session, a handshake or the life of a host for reasons that are not the code's
 * fault. */
static const enum sim_class hard[] = {
    SIM_CLASS_BURST, SIM_CLASS_CORRUPT, SIM_CLASS_CUT,     SIM_CLASS_ONE_WAY_CUT,
    SIM_CLASS_FLIP,  SIM_CLASS_REBIND,  SIM_CLASS_RESTART, SIM_CLASS_PAUSE,
    SIM_CLASS_ALLOC, SIM_CLASS_SUSPEND, SIM_CLASS_MEMORY,
};

/* Those that were there first. Further ones draw from a generator of their own, so that whether a
 * seed is mild does not hang on how many there are. */
#define CLASSES_FIRST (SIM_CLASS_GROUP + 1)

/* A third of the seeds are mild by choice: in them everything has to succeed. */
static void draw_classes(struct sim_scenario *s, uint64_t without)
{
    uint64_t mask = 0;
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_CLASSES);
    struct wf_prng later = sim_stream(s->seed, SIM_PURPOSE_CLASSES_LATER);

    for (unsigned i = 0; i < SIM_CLASSES; i++) {
        if (wf_prng_chance(i < CLASSES_FIRST ? &p : &later, sim_class_texts[i].percent, 100)) {
            s->classes |= (uint64_t)1 << i;
        }
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(hard); i++) {
        mask |= (uint64_t)1 << hard[i];
    }
    if (wf_prng_chance(&p, 1, 3)) {
        without |= mask;
    }
    s->classes &= ~without;
    s->soft = (s->classes & mask) == 0;
}

static struct wf_addr addr_of(const struct sim_scenario *s, uint8_t net, unsigned low,
                              uint16_t port)
{
    const uint8_t ip[16] = {
        0x2a, 0x02, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(low >> 8), (uint8_t)low};

    if (sim_has(s, SIM_CLASS_IPV6))
        return wf_addr_v6(ip, port, 0);
    return wf_addr_v4(net, (uint8_t)(low >> 8), (uint8_t)low, 1, port);
}

struct wf_addr sim_addr_inside(const struct sim_scenario *s, uint32_t host)
{
    return addr_of(s, 10, host + 1, (uint16_t)(4870 + host));
}

struct wf_addr sim_addr_outside(const struct sim_scenario *s, uint32_t host, unsigned moves)
{
    return addr_of(s, 20, host + 1 + 256 * (moves >> 8),
                   (uint16_t)(4870 + host + 100 * (moves & 255)));
}

struct wf_addr sim_addr_void(const struct sim_scenario *s, unsigned i)
{
    return addr_of(s, 30, i + 1, (uint16_t)(2000 + i));
}

static void draw_host(struct sim_scenario *s, struct wf_prng *p, struct sim_host_plan *h)
{
    static const uint64_t idle_ms[] = {5000, 30000, 60000};

    h->boot_at = wf_prng_between(p, 0, SECOND / 2);
    h->clock_us = sim_scale(p, 1, (uint64_t)1 << 45);
    h->wall_ms = SIM_WALL_MS;
    h->wake_us = wf_prng_between(p, 0, 200);
    h->batch_max = (size_t)sim_scale(p, 1, 64);
    h->coalesces = wf_prng_chance(p, 1, 2);
    h->knows_own_address = wf_prng_chance(p, 3, 4);
    h->socket_buffer = (size_t)sim_scale(p, 200000, 4000000);
    h->idle_ms = idle_ms[wf_prng_below(p, WF_ARRAY_LEN(idle_ms))];
    h->handshake_timeout_us = 10 * SECOND;
    h->node_credit = 4u << 20;
    h->message_credit = 1u << 20;
    h->peer_memory_max = (size_t)8 << 20;
    h->datagram_max = 65507;
    if (wf_prng_chance(p, 1, 3)) {
        h->datagram_max = sim_scale(p, 1200, 65507);
    }
    h->messages_in_max = (size_t)sim_scale(p, 16, 256);
    if (sim_has(s, SIM_CLASS_LONG)) {
        h->handshake_timeout_us = wf_prng_chance(p, 1, 2) ? 5 * MINUTE : 30 * SECOND;
    }
}

static void draw_wall(struct sim_scenario *s, struct sim_host_plan *h)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_WALL + (uint64_t)(h - s->hosts));
    const uint64_t year_ms = 365u * 86400u * (uint64_t)1000;

    if (!sim_has(s, SIM_CLASS_WALL))
        return;
    switch (wf_prng_below(&p, s->soft ? 2 : 3)) {
    case 0:
        h->wall_ms = 0;
        return;
    case 1: /* within what the protocol allows for */
        h->wall_ms += wf_prng_between(&p, 0, 100000);
        return;
    default:
        h->wall_ms += wf_prng_between(&p, 1, 20) * year_ms - 10 * year_ms;
        h->wall_is_wrong = true;
    }
}

static void draw_host_faults(struct sim_scenario *s, struct sim_host_plan *h)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_HOST_FAULTS + (uint64_t)(h - s->hosts));
    const size_t cap = (size_t)sim_scale(&p, 2u << 20, 16u << 20);
    const uint64_t fail_every = sim_scale(&p, 8, 2000);
    const uint64_t wake_us = sim_scale(&p, 500, 30000);
    const uint32_t effort = (uint32_t)sim_scale(&p, 2, 8192);
    const uint64_t node_credit = sim_scale(&p, 2000, 200000);
    const uint64_t message_credit = sim_scale(&p, 500, 100000);
    const size_t messages = (size_t)sim_scale(&p, 1, 8);
    const size_t peer_memory = (size_t)sim_scale(&p, 256u << 10, 4u << 20);

    if (sim_has(s, SIM_CLASS_MEMORY) && wf_prng_chance(&p, 2, 3)) {
        h->memory_cap = cap;
        h->peer_memory_max = peer_memory;
    }
    if (sim_has(s, SIM_CLASS_ALLOC) && wf_prng_chance(&p, 2, 3)) {
        h->fail_every = fail_every;
    }
    if (sim_has(s, SIM_CLASS_SLOW_CPU)) {
        h->wake_us = wake_us;
    }
    if (sim_has(s, SIM_CLASS_WORK)) {
        h->effort = effort;
    }
    if (sim_has(s, SIM_CLASS_SMALL_CREDIT)) {
        h->node_credit = node_credit;
        h->message_credit = message_credit;
        h->messages_in_max = messages;
    }
    h->ends_without_a_word = wf_prng_chance(&p, 1, 2) && sim_has(s, SIM_CLASS_CRASH_END);
}

/* What is forgotten at rest before it is time to ask (SPEC 4.6-9) is missed by whoever calls again,
 * and may be replaced once a minute only (SPEC 1.6-2). */
static void draw_rest(const struct sim_scenario *s, struct sim_host_plan *h)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_FOLD + (uint64_t)(h - s->hosts));
    const uint64_t fold_us = sim_scale(&p, 500, 2 * SECOND);
    const uint64_t rest_ms = sim_scale(&p, 40000, 400000);
    const uint32_t presences_max = (uint32_t)wf_prng_between(&p, 5, 9);
    const bool rests_shortly = wf_prng_chance(&p, 1, 3);
    const bool has_few = wf_prng_chance(&p, 1, 3);

    if (!sim_has(s, SIM_CLASS_FOLD))
        return;
    h->fold_us = fold_us;
    if (rests_shortly && !s->soft) {
        h->rest_ms = rest_ms;
    }
    if (has_few && !s->soft) {
        h->presences_max = presences_max;
    }
}

/* What the file damages is forgotten, and missed as in draw_rest: mild seeds have none. */
static void draw_file(const struct sim_scenario *s, struct sim_host_plan *h)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_DORMANT + (uint64_t)(h - s->hosts));
    const uint64_t memory_ms = sim_scale(&p, 1, 4000);
    const uint64_t fold_us = sim_scale(&p, 500, 2 * SECOND);

    if (!sim_has(s, SIM_CLASS_DORMANT) || s->soft)
        return;
    h->rest_memory_ms = memory_ms;
    if (h->fold_us == 0) {
        h->fold_us = fold_us;
    }
}

static void draw_hosts(struct sim_scenario *s)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_HOSTS);

    s->peers = sim_has(s, SIM_CLASS_PEERS);
    s->host_count = (uint32_t)wf_prng_between(&p, 2, s->peers ? 3 : 5);
    for (uint32_t i = 0; i < s->host_count; i++) {
        struct sim_host_plan *h = &s->hosts[i];

        draw_host(s, &p, h);
        draw_wall(s, h);
        draw_host_faults(s, h);
        draw_rest(s, h);
        draw_file(s, h);
        h->serves = s->peers || i == 0;
        s->ports[i].outside = sim_addr_outside(s, i, 0);
        s->ports[i].inside = s->ports[i].outside;
        if (sim_has(s, SIM_CLASS_NAT) && !h->serves) {
            s->ports[i].inside = sim_addr_inside(s, i);
            s->ports[i].filters = wf_prng_chance(&p, 1, 2);
        }
    }
}

static void draw_losses(const struct sim_scenario *s, struct wf_prng *p, struct sim_link_config *l)
{
    const uint32_t loss = (uint32_t)sim_scale(p, 1000, s->soft ? 20000 : 200000);
    const uint32_t enter = (uint32_t)sim_scale(p, 1000, 50000);
    const uint32_t leave = (uint32_t)sim_scale(p, 20000, 500000);
    const uint32_t burst_loss = (uint32_t)wf_prng_between(p, 500000, SIM_PPM);
    const uint32_t duplicate = (uint32_t)sim_scale(p, 1000, 300000);
    const uint32_t corrupt = (uint32_t)sim_scale(p, 1000, 100000);

    if (sim_has(s, SIM_CLASS_LOSS)) {
        l->loss_ppm = loss;
    }
    if (sim_has(s, SIM_CLASS_BURST)) {
        l->burst_enter_ppm = enter;
        l->burst_leave_ppm = leave;
        l->burst_loss_ppm = burst_loss;
    }
    if (sim_has(s, SIM_CLASS_DUPLICATE)) {
        l->duplicate_ppm = duplicate;
    }
    if (sim_has(s, SIM_CLASS_CORRUPT)) {
        l->corrupt_ppm = corrupt;
    }
}

static void draw_order(const struct sim_scenario *s, struct wf_prng *p, struct sim_link_config *l)
{
    const uint64_t jitter = sim_scale(p, 50, 50000);
    const bool keeps = wf_prng_chance(p, 2, 3);
    const uint32_t reorder = (uint32_t)sim_scale(p, 2000, 200000);
    const uint64_t reorder_us = sim_scale(p, 50, 100000);

    l->keeps_order = true;
    if (sim_has(s, SIM_CLASS_JITTER)) {
        l->jitter_us = jitter;
        l->keeps_order = keeps;
    }
    if (sim_has(s, SIM_CLASS_REORDER)) {
        l->reorder_ppm = reorder;
        l->reorder_us = reorder_us;
    }
}

static void draw_capacity(const struct sim_scenario *s, struct wf_prng *p,
                          struct sim_link_config *l)
{
    static const size_t small[] = {1200, 1232, 1280, 1350, 1472, 1500};
    static const size_t large[] = {1452, 1472, 4000, 9000, 16000, 65507};
    const uint64_t rate = sim_scale(p, 30000, 10000000);
    const uint64_t queue_us = sim_scale(p, 5000, 500000);
    const bool bleach = wf_prng_chance(p, 1, 3);

    l->mtu = sim_has(s, SIM_CLASS_MTU) ? large[wf_prng_below(p, WF_ARRAY_LEN(large))]
                                       : small[wf_prng_below(p, WF_ARRAY_LEN(small))];
    l->mtu_silent = wf_prng_chance(p, 1, 2);
    if (!sim_has(s, SIM_CLASS_MTU_DROP)) {
        /* A path that loses nothing else may still be told at once by the local interface. */
        l->mtu_silent = l->mtu_silent && wf_prng_chance(p, 2, 3);
    }
    if (sim_has(s, SIM_CLASS_RATE)) {
        l->rate = rate;
        l->queue_max = (size_t)(rate * queue_us / SECOND) + 4 * l->mtu;
    }
    if (sim_has(s, SIM_CLASS_ECN)) {
        l->ecn_bleach = bleach;
        l->ecn_mark = l->queue_max / 4 + 1;
    }
}

static void draw_links(struct sim_scenario *s)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_LINKS);

    for (uint32_t i = 0; i < s->host_count; i++) {
        for (uint32_t j = 0; j < s->host_count; j++) {
            struct sim_link_config *l = &s->links[i][j];

            l->delay_us = sim_scale(&p, 50, 120000);
            if (j < i) { /* there and back alike, but for a little */
                l->delay_us = s->links[j][i].delay_us + wf_prng_below(&p, 1000);
            }
            draw_losses(s, &p, l);
            draw_order(s, &p, l);
            draw_capacity(s, &p, l);
        }
        s->links[SIM_ATTACKER][i].delay_us = sim_scale(&p, 1, 20000);
    }
}

static void draw_phases(struct sim_scenario *s)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_PHASES);

    s->heal_at = wf_prng_between(&p, 2 * SECOND, 12 * SECOND);
    if (sim_has(s, SIM_CLASS_LONG)) {
        s->heal_at = wf_prng_between(&p, 130 * SECOND, 400 * SECOND);
    }
}

static void draw_attack(struct sim_scenario *s)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_ATTACK_PLAN);
    const uint64_t every = sim_scale(&p, 2000, s->heal_at / 8);
    const uint32_t race = (uint32_t)sim_scale(&p, 5000, 300000);
    static const enum sim_class kinds[] = {SIM_CLASS_GARBAGE, SIM_CLASS_FLOOD, SIM_CLASS_REPLAY,
                                           SIM_CLASS_FLIP, SIM_CLASS_HINT};

    for (size_t i = 0; i < WF_ARRAY_LEN(kinds); i++) {
        if (sim_has(s, kinds[i])) {
            s->attack.every_us = every;
        }
    }
    s->attack.datagrams_max = (size_t)sim_scale(&p, 16, 400);
    if (sim_has(s, SIM_CLASS_RACE)) {
        s->attack.race_ppm = race;
    }
    if (sim_has(s, SIM_CLASS_LIAR)) {
        s->attack.lie_ppm = (uint32_t)sim_scale(&p, 50000, SIM_PPM);
    }
}

static void draw_traitor(struct sim_scenario *s)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_TRAITOR);
    const bool serves = wf_prng_chance(&p, 1, 4);
    const uint32_t any = (uint32_t)wf_prng_below(&p, s->host_count);
    const uint32_t client = (uint32_t)wf_prng_between(&p, 1, s->host_count - 1);

    s->traitor.host = SIM_TRAITOR_NONE;
    if (sim_has(s, SIM_CLASS_TRAITOR)) {
        sim_traitor_draw(&s->traitor, &p, s->peers ? any : serves ? 0 : client);
    }
}

/* A session whose packets wait for longer than its idle time ends, and rightly. */
static void outlast_queues(struct sim_scenario *s)
{
    uint64_t longest_us = 0;

    for (uint32_t i = 0; i < s->host_count; i++) {
        for (uint32_t j = 0; j < s->host_count; j++) {
            const struct sim_link_config *l = &s->links[i][j];
            const uint64_t us = l->rate == 0 ? 0 : l->queue_max * SECOND / l->rate;

            longest_us = us > longest_us ? us : longest_us;
        }
    }
    for (uint32_t i = 0; i < s->host_count; i++) {
        const uint64_t least_ms = 3 * longest_us / 1000;

        s->hosts[i].idle_ms = s->hosts[i].idle_ms > least_ms ? s->hosts[i].idle_ms : least_ms;
    }
}

/* How long the last message may take after the healing: dead sessions have to be given up first,
 * and then all bytes may have to pass the slowest link again. To what is background a path that
 * became longer looks taken for minutes: two datagrams a round trip are what it gets. */
static void set_patience(struct sim_scenario *s)
{
    uint64_t rate = UINT64_MAX;
    uint64_t bytes = 0;
    uint64_t background = 0;
    uint64_t give_up = 0;

    for (uint32_t i = 0; i < s->host_count; i++) {
        const struct sim_host_plan *h = &s->hosts[i];
        const uint64_t us = h->idle_ms * 1000 + h->handshake_timeout_us;

        give_up = us > give_up ? us : give_up;
        for (uint32_t j = 0; j < s->host_count; j++) {
            const uint64_t r = s->links[i][j].rate;

            rate = r != 0 && r < rate ? r : rate;
        }
    }
    for (size_t i = 0; i < s->op_count; i++) {
        const uint64_t both = s->ops[i].message.length + s->ops[i].reply.length;

        bytes += both;
        background += s->ops[i].priority == WF_PRIORITY_BACKGROUND ? both : 0;
    }
    const bool gives_up =
        !s->soft || sim_has(s, SIM_CLASS_WRONG_KEY) || sim_has(s, SIM_CLASS_TRAITOR);

    /* A file that fails loses one session after the other, and each is noticed anew. */
    const uint64_t times = sim_has(s, SIM_CLASS_DORMANT) ? 5 : 2;

    s->patience_us = 30 * SECOND + 4 * bytes * SECOND / rate +
                     background * SECOND / BACKGROUND_RATE + (gives_up ? times * give_up : 0);
}

void sim_scenario_draw(struct sim_scenario *s, uint64_t seed, uint64_t without)
{
    memset(s, 0, sizeof *s);
    s->seed = seed;
    draw_classes(s, without);
    draw_hosts(s);
    draw_links(s);
    outlast_queues(s);
    draw_phases(s);
    draw_attack(s);
    draw_traitor(s);
    sim_draw_ops(s);
    sim_draw_faults(s);
    set_patience(s);
}
