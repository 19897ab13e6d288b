/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack.c - an attacker without keys: he spoofs any source address, sees every datagram that goes
 * over the network, and sends copies, changed copies and inventions. He cannot stop anything: loss
 * is the network's.
 */
#include <stdlib.h>
#include <string.h>

#include "session/identity.h"
#include "sim/scenario_priv.h"
#include "sim/world.h"
#include "wire/handshake.h"

#define VOIDS 16u
#define GARBAGE_MAX 1500u
#define BURST_MAX 8u
#define HINT_TAG_LEN 16u

void sim_attack_init(struct sim_world *w)
{
    w->attack_prng = sim_stream(w->plan.seed, SIM_PURPOSE_ATTACK);
    if (w->plan.attack.every_us > 0) {
        sim_queue_push(&w->queue, (struct sim_event){.at = w->queue.now, .kind = SIM_ATTACK});
    }
}

void sim_attack_deinit(struct sim_world *w)
{
    for (size_t i = 0; i < SIM_RING; i++) {
        free(w->ring[i]);
    }
}

static uint32_t any_host(struct sim_world *w)
{
    return (uint32_t)wf_prng_below(&w->attack_prng, w->plan.host_count);
}

/* An address nobody has, or that of an honest host. */
static struct wf_addr any_source(struct sim_world *w)
{
    if (wf_prng_chance(&w->attack_prng, 1, 2))
        return sim_addr_void(&w->plan, (unsigned)wf_prng_below(&w->attack_prng, VOIDS));
    return w->net.ports[any_host(w)].outside;
}

static void send(struct sim_world *w, struct sim_packet *p, enum sim_made made)
{
    p->origin = SIM_ATTACKER;
    p->made = made;
    p->flipped = false;
    w->attacks++;
    sim_log_add(&w->log, &(struct sim_log_line){.what = "attack",
                                                .host = SIM_ATTACKER,
                                                .a = p->len,
                                                .b = (uint64_t)made,
                                                .bytes = {p->data, p->len}});
    (void)sim_net_carry(&w->net, p);
}

static void random_bytes(struct sim_world *w, uint8_t *out, size_t len)
{
    const struct wf_rng rng = wf_prng_rng(&w->attack_prng);

    wf_random(&rng, out, len);
}

static void send_garbage(struct sim_world *w)
{
    uint8_t bytes[GARBAGE_MAX];
    const size_t len = (size_t)wf_prng_below(&w->attack_prng, sizeof bytes + 1);
    struct sim_packet *p = NULL;

    random_bytes(w, bytes, len);
    if (len > 0 && wf_prng_chance(&w->attack_prng, 1, 2)) {
        bytes[0] = (uint8_t)wf_prng_below(&w->attack_prng, 8);
    }
    p = sim_packet_new(bytes, len);
    p->from = any_source(w);
    p->to = w->net.ports[any_host(w)].outside;
    send(w, p, SIM_MADE_UP);
}

static void send_hello(struct sim_world *w)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_hello hello = {
        .version = WF_VERSION, .suite = WF_SUITE, .lists = {lists, sizeof lists}};
    const uint32_t to = any_host(w);
    uint8_t bytes[WF_HELLO_LEN];
    struct sim_packet *p = NULL;

    random_bytes(w, hello.n_c, sizeof hello.n_c);
    if (wf_prng_chance(&w->attack_prng, 1, 2)) {
        wf_key_prefix(hello.prefix, w->hosts[to].key);
    }
    if (wf_hello_put(&hello, bytes, sizeof bytes) != sizeof bytes)
        return;
    p = sim_packet_new(bytes, sizeof bytes);
    p->from = any_source(w);
    p->to = w->net.ports[to].outside;
    send(w, p, SIM_MADE_UP);
}

/* Moved to where it came from it is a copy. */
static void move(struct sim_world *w, struct sim_packet *p, const struct wf_addr *source)
{
    const bool is_same = wf_addr_equal(&p->from, source);

    p->from = *source;
    send(w, p, is_same ? SIM_COPIED : SIM_MOVED);
}

static struct sim_packet *any_captured(struct sim_world *w)
{
    const size_t count = w->captured < SIM_RING ? w->captured : SIM_RING;

    if (count == 0)
        return NULL;
    return sim_packet_copy(w->ring[wf_prng_below(&w->attack_prng, count)]);
}

/* Whoever sees a HELLO and can write its sender's address in another one, or hand its sender a
 * CHALLENGE meant for elsewhere, can keep a handshake from succeeding: there is no key yet. In mild
 * runs he only repeats what belongs to handshakes. */
static bool may_move(const struct sim_world *w, const struct sim_packet *p)
{
    return !w->plan.soft || (p->len > 0 && p->data[0] >= 0x80);
}

static void send_replay(struct sim_world *w)
{
    struct sim_packet *p = any_captured(w);
    const bool may = p != NULL && may_move(w, p);
    const bool moves = wf_prng_chance(&w->attack_prng, 1, 2) && may;
    const bool elsewhere = wf_prng_chance(&w->attack_prng, 1, 8) && may;
    const struct wf_addr source = any_source(w);
    const uint32_t to = any_host(w);

    if (p == NULL)
        return;
    if (elsewhere) {
        p->to = w->net.ports[to].outside;
    }
    if (moves)
        move(w, p, &source);
    else
        send(w, p, SIM_COPIED);
}

/* The same with zeros behind it. */
static struct sim_packet *lengthened(struct sim_packet *p, size_t by)
{
    struct sim_packet *longer = (struct sim_packet *)sim_calloc(1, sizeof *longer + p->len + by);

    memcpy(longer, p, sizeof *p + p->len);
    longer->len += by;
    free(p);
    return longer;
}

/* Bits flip, the end is cut off, or something is added. */
static void send_changed(struct sim_world *w)
{
    struct sim_packet *p = any_captured(w);
    const uint64_t die = wf_prng_below(&w->attack_prng, 10);
    const uint64_t where = wf_prng_next(&w->attack_prng);

    if (p == NULL)
        return;
    if (p->len == 0) {
        free(p);
        return;
    }
    if (die == 0) {
        p->len = (size_t)(where % p->len);
    } else if (die == 1) {
        p = lengthened(p, 1 + (size_t)(where % 20));
    } else {
        /* Half of the time in the header, where the parsers are. */
        const uint64_t bits = 8 * (die < 6 && p->len > 32 ? 32 : p->len);

        p->data[where % bits / 8] ^= (uint8_t)(1u << where % 8);
    }
    send(w, p, SIM_CHANGED);
}

/* "I do not know your session": to the sender of a packet, in its receiver's name. */
static void answer_with_hint(struct sim_world *w, const struct sim_packet *p)
{
    struct sim_packet *hint = NULL;
    uint8_t bytes[WF_HINT_LEN];

    if (p->len <= HINT_TAG_LEN || p->data[0] < 0x80)
        return;
    (void)wf_hint_put(p->data + p->len - HINT_TAG_LEN, bytes, sizeof bytes);
    hint = sim_packet_new(bytes, sizeof bytes);
    hint->from = p->to;
    hint->to = p->from;
    send(w, hint, SIM_CHANGED);
}

static void send_hint(struct sim_world *w)
{
    struct sim_packet *p = any_captured(w);

    if (p != NULL) {
        answer_with_hint(w, p);
    }
    free(p);
}

static void one(struct sim_world *w)
{
    static void (*const kinds[])(struct sim_world *) = {send_garbage, send_hello, send_replay,
                                                        send_changed, send_hint};
    static const enum sim_class classes[] = {SIM_CLASS_GARBAGE, SIM_CLASS_FLOOD, SIM_CLASS_REPLAY,
                                             SIM_CLASS_FLIP, SIM_CLASS_HINT};
    const size_t i = (size_t)wf_prng_below(&w->attack_prng, WF_ARRAY_LEN(kinds));

    if (sim_has(&w->plan, classes[i])) {
        kinds[i](w);
    }
}

void sim_attack_turn(struct sim_world *w)
{
    const uint64_t count = wf_prng_between(&w->attack_prng, 1, BURST_MAX);

    if (w->healed || w->attacks >= w->plan.attack.datagrams_max)
        return;
    for (uint64_t i = 0; i < count; i++) {
        one(w);
    }
    sim_queue_push(&w->queue, (struct sim_event){.at = w->queue.now +
                                                       wf_prng_between(&w->attack_prng, 1,
                                                                       2 * w->plan.attack.every_us),
                                                 .kind = SIM_ATTACK});
}

/* He keeps some of what passes, and now and then a copy of his overtakes the original. */
void sim_attack_see(struct sim_world *w, const struct sim_packet *p)
{
    size_t slot = w->captured;

    if (w->healed)
        return;
    if (w->plan.attack.lie_ppm > 0 && w->attacks < w->plan.attack.datagrams_max &&
        wf_prng_chance(&w->attack_prng, w->plan.attack.lie_ppm, SIM_PPM)) {
        answer_with_hint(w, p);
    }
    if (w->plan.attack.every_us == 0 && w->plan.attack.race_ppm == 0)
        return;
    if (w->captured >= SIM_RING) {
        slot = (size_t)wf_prng_below(&w->attack_prng, SIM_RING);
    }
    free(w->ring[slot]);
    w->ring[slot] = sim_packet_copy(p);
    w->captured++;
    if (wf_prng_chance(&w->attack_prng, w->plan.attack.race_ppm, SIM_PPM) &&
        w->attacks < w->plan.attack.datagrams_max && may_move(w, p)) {
        struct sim_packet *copy = sim_packet_copy(p);

        const struct wf_addr source = any_source(w);

        move(w, copy, &source);
    }
}
