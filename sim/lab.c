/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.c - the laboratory's run: turns in the order of time, packets on their way, what happens to
 * links and hosts. It must never look into a packet, but to flip one bit.
 */
#include "sim/lab.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/lab_priv.h"
#include "sim/nonces.h"

#define SEND_BUF 65536u
#define MTU_DEFAULT 1500u
#define QUEUE_LEAST (10u * MTU_DEFAULT)

void lab_push(struct lab_world *w, weft_time at, enum lab_turn turn, uint64_t arg)
{
    /* Our kinds are not those of the endpoints' simulator: they travel in `host`. */
    sim_queue_push(&w->queue,
                   (struct sim_event){.at = at, .kind = SIM_OP, .host = turn, .arg = arg});
}

static void push_ptr(struct lab_world *w, weft_time at, enum lab_turn turn, void *ptr)
{
    sim_queue_push(&w->queue,
                   (struct sim_event){.at = at, .kind = SIM_OP, .host = turn, .ptr = ptr});
}

struct sim_link_config lab_line(uint64_t rate, uint64_t rtt_us, unsigned queue_percent)
{
    const uint64_t queue = rate * rtt_us / 1000000u * queue_percent / 100u;

    return (struct sim_link_config){.rate = rate,
                                    .delay_us = rtt_us / 2,
                                    .keeps_order = true,
                                    .queue_max = queue < QUEUE_LEAST ? QUEUE_LEAST : queue,
                                    .mtu = MTU_DEFAULT,
                                    .mtu_silent = true};
}

/* --- packets --- */

struct lab_packet *lab_packet_new(const void *data, size_t len)
{
    struct lab_packet *p = (struct lab_packet *)sim_calloc(1, sizeof *p + len);

    p->len = len;
    p->size = len + LAB_OVERHEAD;
    if (len > 0) {
        memcpy(p->data, data, len);
    }
    return p;
}

/* Up: access, bottleneck. Down: bottleneck, access. */
static struct sim_link *link_of(struct lab_world *w, const struct lab_packet *p)
{
    if ((p->hop == 0) == p->is_down)
        return &w->bottleneck[p->is_down];
    return &w->pairs[p->pair].access[p->is_down];
}

static void measure_queue(struct lab_world *w, const struct lab_packet *p,
                          const struct sim_passage *passage, weft_time free_at)
{
    const weft_time now = w->queue.now;

    if ((p->hop == 0) != p->is_down || passage->fate != SIM_PASSED)
        return;
    lab_sample(&w->queue_us[p->is_down], free_at > now ? free_at - now : 0);
    w->passed_bytes[p->is_down] += p->size;
}

static void corrupt(struct lab_packet *p, uint64_t bit)
{
    bit %= 8 * (p->len > 0 ? p->len : 1);
    if (p->len > 0) {
        p->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* What was damaged is dropped by the checksum of UDP or TCP. */
static void send_copy(struct lab_world *w, struct lab_packet *p, const struct sim_copy *copy)
{
    if (copy->corrupt && (p->is_tcp || !w->plan.no_checksums)) {
        free(p);
        return;
    }
    if (copy->corrupt) {
        corrupt(p, copy->bit);
    }
    p->hop++;
    push_ptr(w, copy->at, LAB_TURN_HOP, p);
}

bool lab_carry(struct lab_world *w, struct lab_packet *p)
{
    struct sim_link *link = link_of(w, p);
    const weft_time free_at = link->free_at;
    struct sim_passage passage = {0};

    sim_link_pass(link, w->queue.now, p->size, p->ecn, &passage);
    measure_queue(w, p, &passage, free_at);
    p->ecn = passage.ecn;
    for (size_t i = 0; i < passage.count; i++) {
        struct lab_packet *one = p;

        if (i + 1 < passage.count) {
            one = lab_packet_new(p->data, p->len);
            memcpy(one, p, sizeof *p);
        }
        send_copy(w, one, &passage.copies[i]);
    }
    if (passage.count == 0) {
        free(p);
    }
    return passage.fate != SIM_TOO_BIG;
}

static void arrive(struct lab_world *w, struct lab_packet *p)
{
    struct lab_pair *pair = &w->pairs[p->pair];
    struct lab_host *h = &pair->hosts[!p->is_down];

    if (p->is_tcp) {
        lab_tcp_arrive(w, &w->flows[pair->flow], p);
        free(p);
    } else if (!wf_addr_equal(&p->to, &h->outside)) {
        free(p); /* the NAT has another mapping by now */
    } else {
        lab_host_arrive(w, h, p);
    }
}

static void hop(struct lab_world *w, struct lab_packet *p)
{
    if (p->hop == 2) {
        arrive(w, p);
    } else {
        (void)lab_carry(w, p);
    }
}

/* --- what happens --- */

/* Gives the link its new value and returns the old one. */
static uint64_t change(struct sim_link_config *c, enum lab_event_kind kind, uint64_t value)
{
    uint64_t old = 0;

    if (kind == LAB_CUT) {
        old = !c->cut; /* 0 cuts, 1 joins */
        c->cut = value == 0;
    } else if (kind == LAB_LOSS) {
        old = c->loss_ppm;
        c->loss_ppm = (uint32_t)value;
    } else if (kind == LAB_MTU) {
        old = c->mtu;
        c->mtu = (size_t)value;
    } else {
        uint64_t *field = kind == LAB_RATE ? &c->rate : &c->delay_us;

        old = *field;
        *field = value;
    }
    return old;
}

static void push_event(struct lab_world *w, weft_time at, const struct lab_event *e)
{
    struct lab_event *copy = (struct lab_event *)sim_calloc(1, sizeof *copy);

    *copy = *e;
    push_ptr(w, at, LAB_TURN_EVENT, copy);
}

static void on_link(struct lab_world *w, const struct lab_event *e)
{
    for (unsigned down = 0; down < 2; down++) {
        struct sim_link *link =
            e->flow == 0 ? &w->bottleneck[down] : &w->flows[e->flow - 1].pair->access[down];
        struct lab_event undo = {.kind = e->kind, .side = down ? LAB_DOWN : LAB_UP};

        if (e->side == (down ? LAB_UP : LAB_DOWN))
            continue;
        undo.flow = e->flow;
        undo.value = change(&link->config, e->kind, e->value);
        if (e->for_us > 0) {
            push_event(w, w->queue.now + e->for_us, &undo);
        }
    }
}

static void rebind(struct lab_pair *pair, const struct lab_event *e)
{
    struct lab_host *h = &pair->hosts[0];

    pair->moves += e->kind == LAB_REBIND_PORT ? 1 : 256;
    h->outside = lab_address_of(h->index / 2, false, pair->moves);
    if (e->kind == LAB_MOVE) {
        h->inside = h->outside;
    }
}

static void on_host(struct lab_world *w, const struct lab_event *e)
{
    struct lab_pair *pair = w->flows[e->flow - 1].pair;
    struct lab_host *h = &pair->hosts[0];

    if (e->kind == LAB_CLOCK) {
        h->clock_us += e->value;
    } else if (e->kind == LAB_SUSPEND && h->still) {
        lab_host_resume(w, h);
        return;
    } else if (e->kind == LAB_SUSPEND) {
        const struct lab_event end = {.kind = LAB_SUSPEND, .flow = e->flow};

        lab_host_suspend(w, h, e->value == 1);
        push_event(w, w->queue.now + e->for_us, &end);
    } else {
        rebind(pair, e);
    }
    if (lab_host_runs(h)) {
        lab_host_pump(w, h);
    }
}

static void happen(struct lab_world *w, const struct lab_event *e)
{
    if (e->every_us > 0) {
        push_event(w, w->queue.now + e->every_us, e);
    }
    if (e->kind <= LAB_MTU) {
        on_link(w, e);
    } else {
        on_host(w, e);
    }
}

/* --- the run --- */

static void init_pair(struct lab_world *w, struct lab_running *f)
{
    struct lab_pair *pair = &w->pairs[w->pair_count++];

    *pair = (struct lab_pair){.plan = f->plan, .flow = f->index};
    sim_link_init(&pair->access[0], &f->plan->access_up, w->plan.seed * 1000 + f->index);
    sim_link_init(&pair->access[1], &f->plan->access_down, w->plan.seed * 1000 + 500 + f->index);
    for (unsigned server = 0; server < 2; server++) {
        pair->hosts[server].index = (uint32_t)(2 * (w->pair_count - 1) + server);
        if (f->plan->kind != LAB_CUBIC) {
            lab_host_init(w, pair, server);
        }
    }
    f->pair = pair;
}

static void init_flow(struct lab_world *w, uint32_t index)
{
    struct lab_running *f = &w->flows[index];

    *f = (struct lab_running){
        .plan = &w->plan.flows[index], .index = index, .figures = &w->out->flows[index]};
    WEFT_ASSERT(f->plan->shares <= index);
    if (f->plan->shares > 0) {
        f->pair = w->flows[f->plan->shares - 1].pair;
    } else {
        init_pair(w, f);
    }
    lab_push(w, LAB_START_AT + f->plan->start_us, LAB_TURN_BEGIN, index);
    if (f->plan->stop_us > 0) {
        lab_push(w, LAB_START_AT + f->plan->stop_us, LAB_TURN_STOP, index);
    }
}

static void init(struct lab_world *w, const struct lab_scenario *s, struct lab_figures *out)
{
    w->plan = *s;
    w->plan.seed = s->seed == 0 ? 1 : s->seed;
    w->out = out;
    WEFT_ASSERT(s->flow_count <= LAB_FLOWS_MAX);
    WEFT_ASSERT(s->event_count <= LAB_EVENTS_MAX);
    sim_log_init(&w->log, w->plan.seed, NULL);
    sim_nonces_watch(NULL); /* weft-sim does that; here it would only take time */
    sim_queue_init(&w->queue, LAB_START_AT);
    sim_link_init(&w->bottleneck[0], &s->up, w->plan.seed * 2);
    sim_link_init(&w->bottleneck[1], &s->down, w->plan.seed * 2 + 1);
    w->buf = (uint8_t *)sim_calloc(1, SEND_BUF);
    w->pairs = (struct lab_pair *)sim_calloc(LAB_FLOWS_MAX, sizeof *w->pairs);
    w->end_at = LAB_START_AT + s->end_us;
    lab_figures_init(w);
    for (uint32_t i = 0; i < s->flow_count; i++) {
        init_flow(w, i);
    }
    for (size_t i = 0; i < s->event_count; i++) {
        push_event(w, LAB_START_AT + s->events[i].at_us, &s->events[i]);
    }
}

static void deinit(struct lab_world *w)
{
    struct sim_event ev;

    for (size_t i = 0; i < 2 * w->pair_count; i++) {
        lab_host_deinit(&w->pairs[i / 2].hosts[i % 2]);
    }
    while (sim_queue_pop(&w->queue, &ev)) {
        free(ev.ptr);
    }
    sim_queue_deinit(&w->queue);
    for (size_t i = 0; i < w->plan.flow_count; i++) {
        struct lab_running *f = &w->flows[i];

        for (size_t m = 0; m < f->message_count; m++) {
            free(f->messages[m]);
        }
        free(f->messages);
        free(f->latency.values);
        lab_tcp_free(f);
    }
    free(w->queue_us[0].values);
    free(w->queue_us[1].values);
    free(w->pairs);
    free(w->buf);
}

static void begin(struct lab_world *w, struct lab_running *f)
{
    f->began = true;
    f->figures->began_us = w->queue.now - LAB_START_AT;
    if (f->plan->kind == LAB_CUBIC) {
        lab_tcp_begin(w, f);
    } else {
        lab_app_begin(w, f);
    }
}

static void stop(struct lab_world *w, struct lab_running *f)
{
    f->stopped = true;
    if (f->plan->kind == LAB_CUBIC) {
        lab_tcp_stop(w, f);
    } else {
        lab_app_stop(w, f);
    }
}

static void dispatch(struct lab_world *w, const struct sim_event *ev)
{
    struct lab_host *h = &w->pairs[ev->arg / 2 % LAB_FLOWS_MAX].hosts[ev->arg % 2];
    struct lab_running *f = &w->flows[ev->arg % LAB_FLOWS_MAX];

    switch ((enum lab_turn)ev->host) {
    case LAB_TURN_HOP:
        hop(w, (struct lab_packet *)ev->ptr);
        return;
    case LAB_TURN_TIMER:
        lab_host_timer(w, h, ev->at);
        return;
    case LAB_TURN_WAKE:
        lab_host_wake(w, h);
        return;
    case LAB_TURN_BOOT:
        lab_host_boot(w, h);
        return;
    case LAB_TURN_BEGIN:
        begin(w, f);
        return;
    case LAB_TURN_NEXT:
        lab_app_next(w, f);
        return;
    case LAB_TURN_STOP:
        stop(w, f);
        return;
    case LAB_TURN_EVENT:
        happen(w, (const struct lab_event *)ev->ptr);
        free(ev->ptr);
        return;
    case LAB_TURN_TCP:
        lab_tcp_timer(w, f, ev->arg >= LAB_TCP_RECEIVER, ev->at);
        return;
    }
}

/* Flows without an end of their own do not keep a run going that has others. */
static bool is_over(const struct lab_world *w)
{
    bool any = false;

    for (size_t i = 0; i < w->plan.flow_count; i++) {
        const struct lab_running *f = &w->flows[i];
        const bool can_end = f->plan->bytes > 0 || f->plan->count_max > 0;

        any |= can_end;
        if (can_end && !f->over)
            return false;
    }
    return any;
}

void lab_run(const struct lab_scenario *s, struct lab_figures *out)
{
    struct lab_world *w = (struct lab_world *)sim_calloc(1, sizeof *w);
    struct sim_event ev;

    *out = (struct lab_figures){0};
    init(w, s, out);
    while (!is_over(w) && sim_queue_pop(&w->queue, &ev)) {
        if (ev.at > w->end_at) {
            free(ev.ptr);
            break;
        }
        dispatch(w, &ev);
        w->turns++;
    }
    if (w->queue.now > w->end_at) {
        w->queue.now = w->end_at;
    }
    lab_figures_finish(w);
    deinit(w);
    free(w);
}
