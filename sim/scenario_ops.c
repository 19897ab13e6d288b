/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario_ops.c - draws what the applications do and what goes wrong meanwhile.
 */
#include "base/assert.h"
#include "sim/scenario_priv.h"
#include "wire/frame.h"

#define SECOND 1000000u
#define BYTES_MAX (3u << 20) /* of all messages of a run */
#define MESSAGE_BIG (1u << 20)
#define LENGTH_BY_PIECES 20000u

static uint64_t draw_length(struct wf_prng *p)
{
    const uint64_t die = wf_prng_below(p, 100);

    if (die < 10)
        return 0;
    if (die < 60)
        return sim_scale(p, 1, 2000);
    if (die < 92)
        return sim_scale(p, 2000, 30000);
    return sim_scale(p, 30000, 150000);
}

/* How both ends treat one message. All draws are made whatever classes are on. */
static void draw_message(const struct sim_scenario *s, struct wf_prng *p,
                         struct sim_message_plan *m)
{
    const bool big = wf_prng_chance(p, 1, 4);
    const bool open_ended = wf_prng_chance(p, 1, 2);
    const bool slow_write = wf_prng_chance(p, 1, 2);
    const bool slow_read = wf_prng_chance(p, 1, 2);
    const uint64_t length_big = wf_prng_between(p, MESSAGE_BIG / 4, MESSAGE_BIG);
    const uint64_t steps = wf_prng_between(p, 2, 40);

    *m = (struct sim_message_plan){.length = draw_length(p),
                                   .write_chunk = SIM_ALL,
                                   .read_chunk = SIM_ALL,
                                   .stop_after = SIM_ALL};
    if (sim_has(s, SIM_CLASS_SMALL_CREDIT) || sim_has(s, SIM_CLASS_MANY)) {
        m->length %= LENGTH_BY_PIECES; /* or it would take a round trip for every few bytes */
    } else if (sim_has(s, SIM_CLASS_BIG) && big) {
        m->length = length_big;
    }
    m->open_ended = sim_has(s, SIM_CLASS_OPEN_ENDED) && open_ended;
    if (sim_has(s, SIM_CLASS_SLOW_APP) && slow_write) {
        m->write_chunk = m->length / steps + 1;
        m->write_every_us = sim_scale(p, 100, 300000);
    }
    if (sim_has(s, SIM_CLASS_SLOW_APP) && slow_read) {
        m->read_chunk = m->length / steps + 1;
        m->read_every_us = sim_scale(p, 100, 300000);
    }
}

static void draw_ends(const struct sim_scenario *s, struct wf_prng *p, struct sim_op *op)
{
    const bool cancels = wf_prng_chance(p, 1, 3);
    const uint64_t cancel_us = sim_scale(p, 1, 3 * SECOND);
    const bool stops = wf_prng_chance(p, 1, 3);
    const uint64_t stop_after = wf_prng_below(p, op->message.length + 1);
    const bool stops_reply = wf_prng_chance(p, 1, 6);
    const bool expires = wf_prng_chance(p, 1, 3);
    const uint64_t within = sim_scale(p, 1000, 20 * SECOND);
    const bool cancels_reply = wf_prng_chance(p, 1, 8);
    const uint64_t misled = wf_prng_below(p, 8);

    if (sim_has(s, SIM_CLASS_WRONG_KEY)) {
        op->wrong_key = misled == 0;
        op->no_host = misled == 1;
    }
    if (sim_has(s, SIM_CLASS_CANCEL) && cancels) {
        op->message.cancel_after_us = cancel_us;
    }
    if (sim_has(s, SIM_CLASS_CANCEL) && cancels_reply) {
        op->reply.cancel_after_us = cancel_us;
    }
    if (sim_has(s, SIM_CLASS_STOP) && stops) {
        op->message.stop_after = stop_after;
    }
    if (sim_has(s, SIM_CLASS_STOP) && stops_reply) {
        op->reply.stop_after = op->reply.length / 2;
    }
    if (sim_has(s, SIM_CLASS_EXPIRE) && expires) {
        op->within_us = within;
    }
}

/* He has more to say than others, by his own name. */
static void give_to_traitor(const struct sim_scenario *s, struct sim_op *op, bool is_his)
{
    const uint32_t host = s->traitor.host;

    if (is_his && host != SIM_TRAITOR_NONE && (s->peers || host != 0)) {
        op->host = host;
        op->to = op->to == host ? (host + 1) % s->host_count : op->to;
    }
    op->nobody = op->nobody && op->host != host;
}

/* With the key and without, so that sessions have a path in common. */
static void crowd(const struct sim_scenario *s, struct sim_op *op, bool nobody, bool background)
{
    if (!sim_has(s, SIM_CLASS_SHARED))
        return;
    op->host = 1;
    op->to = 0;
    op->nobody = !sim_has(s, SIM_CLASS_GROUP) && nobody;
    op->priority = background ? WF_PRIORITY_BACKGROUND : op->priority;
}

static void draw_op(const struct sim_scenario *s, struct wf_prng *p, struct sim_op *op)
{
    const bool nobody = wf_prng_chance(p, 1, 2);
    const bool reply = wf_prng_chance(p, 2, 3);
    const bool ping = wf_prng_chance(p, 1, 5);
    const bool at_once = wf_prng_chance(p, 1, 4);

    op->host = s->peers ? (uint32_t)wf_prng_below(p, s->host_count)
                        : (uint32_t)wf_prng_between(p, 1, s->host_count - 1);
    op->to = 0;
    if (s->peers) {
        op->to = (op->host + (uint32_t)wf_prng_between(p, 1, s->host_count - 1)) % s->host_count;
    }
    op->at = wf_prng_between(p, 0, s->heal_at * 8 / 10);
    if (at_once || sim_has(s, SIM_CLASS_MANY)) {
        op->at = s->hosts[op->host].boot_at;
    }
    op->priority = (uint8_t)wf_prng_below(p, 3);
    op->only_session = wf_prng_chance(p, 1, 20);
    draw_message(s, p, &op->message);
    draw_message(s, p, &op->reply);
    op->reply_early = wf_prng_chance(p, 1, 4);
    op->nobody = sim_has(s, SIM_CLASS_NOBODY) && !sim_has(s, SIM_CLASS_GROUP) && nobody;
    op->has_reply = sim_has(s, SIM_CLASS_REPLY) && reply;
    op->kind = sim_has(s, SIM_CLASS_PING) && ping ? SIM_OP_PING : SIM_OP_MESSAGE;
    draw_ends(s, p, op);
    const bool is_his = wf_prng_chance(p, 1, 2);
    const bool apart = wf_prng_chance(p, 1, 2);

    crowd(s, op, apart, wf_prng_chance(p, 2, 3));
    give_to_traitor(s, op, is_his);
}

void sim_draw_ops(struct sim_scenario *s)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_OPS);
    uint64_t bytes = 0;

    s->op_count = (size_t)wf_prng_between(&p, 2, 20);
    if (sim_has(s, SIM_CLASS_MANY)) {
        s->op_count = SIM_OPS_MAX - s->op_count;
    }
    for (size_t i = 0; i < s->op_count; i++) {
        struct wf_prng own = sim_stream(s->seed, SIM_PURPOSE_OPTIONS + i);
        struct sim_op *op = &s->ops[i];

        draw_op(s, &own, op);
        bytes += op->message.length + op->reply.length;
        if (bytes > BYTES_MAX) {
            op->message.length %= 2000;
            op->reply.length %= 2000;
        }
    }
}

static void add(struct sim_scenario *s, struct sim_fault f)
{
    if (s->fault_count < SIM_FAULTS_MAX) {
        s->faults[s->fault_count++] = f;
    }
}

static uint32_t any_host(const struct sim_scenario *s, struct wf_prng *p)
{
    return (uint32_t)wf_prng_below(p, s->host_count);
}

static uint32_t other_host(const struct sim_scenario *s, struct wf_prng *p, uint32_t host)
{
    WEFT_ASSERT(s->host_count > 1);
    return (host + (uint32_t)wf_prng_between(p, 1, s->host_count - 1)) % s->host_count;
}

static weft_time any_time(const struct sim_scenario *s, struct wf_prng *p)
{
    return wf_prng_between(p, 1, s->heal_at * 9 / 10);
}

static void draw_cuts(struct sim_scenario *s, struct wf_prng *p)
{
    const uint64_t count = wf_prng_between(p, 1, 3);

    for (uint64_t i = 0; i < count; i++) {
        const uint32_t a = any_host(s, p);
        const uint32_t b = other_host(s, p, a);
        const weft_time at = any_time(s, p);
        const uint64_t for_us = sim_scale(p, 100000, s->heal_at);

        if (sim_has(s, SIM_CLASS_CUT)) {
            add(s, (struct sim_fault){SIM_FAULT_CUT, at, a, b, for_us});
        }
        if (sim_has(s, SIM_CLASS_ONE_WAY_CUT)) {
            add(s, (struct sim_fault){SIM_FAULT_ONE_WAY, at / 2, a, b, for_us});
        }
    }
}

static void draw_moves(struct sim_scenario *s, struct wf_prng *p)
{
    const uint64_t count = wf_prng_between(p, 1, 4);
    const size_t mtu = (size_t)wf_prng_between(p, 1200, 1600);

    for (uint64_t i = 0; i < count && sim_has(s, SIM_CLASS_REBIND); i++) {
        uint32_t host = any_host(s, p);
        const weft_time at = any_time(s, p);

        if (s->hosts[host].serves && !s->peers) {
            host = 1;
        }
        add(s, (struct sim_fault){SIM_FAULT_REBIND, at, host, wf_prng_below(p, 2), 0});
    }
    if (sim_has(s, SIM_CLASS_MTU_DROP)) {
        add(s, (struct sim_fault){SIM_FAULT_MTU, any_time(s, p), any_host(s, p), mtu, 0});
    }
}

static void draw_stops(struct sim_scenario *s, struct wf_prng *p)
{
    const uint64_t count = wf_prng_between(p, 1, 3);

    for (uint64_t i = 0; i < count; i++) {
        const uint32_t a = any_host(s, p);
        const weft_time at = any_time(s, p);
        const bool orderly = wf_prng_chance(p, 1, 4);
        const uint64_t down_us = sim_scale(p, 1000, 3 * SECOND);
        const uint64_t still_us = sim_scale(p, 10000, s->heal_at);

        if (sim_has(s, SIM_CLASS_RESTART)) {
            add(s, (struct sim_fault){SIM_FAULT_CRASH, at, a, orderly, 0});
            add(s, (struct sim_fault){SIM_FAULT_BOOT, at + down_us, a, 0, 0});
        }
        if (sim_has(s, SIM_CLASS_PAUSE)) {
            add(s, (struct sim_fault){SIM_FAULT_PAUSE, at / 2, a, 0, still_us});
        }
        if (sim_has(s, SIM_CLASS_SUSPEND)) {
            add(s, (struct sim_fault){SIM_FAULT_PAUSE, at / 3, a, 1, still_us});
        }
    }
}

void sim_draw_faults(struct sim_scenario *s)
{
    struct wf_prng p = sim_stream(s->seed, SIM_PURPOSE_FAULTS);
    struct wf_prng cuts = wf_prng_fork(&p);
    struct wf_prng moves = wf_prng_fork(&p);
    struct wf_prng stops = wf_prng_fork(&p);

    for (uint32_t i = 0; i < s->host_count; i++) {
        add(s, (struct sim_fault){SIM_FAULT_BOOT, s->hosts[i].boot_at, i, 0, 0});
    }
    draw_cuts(s, &cuts);
    draw_moves(s, &moves);
    draw_stops(s, &stops);
}
