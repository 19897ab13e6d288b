/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.c - one run from beginning to end: events in the order of time, faults, the healing, and
 * the question whether everything has come to its end. It must never let a run go on after the
 * first broken invariant.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aead.h"
#include "sim/scenario_priv.h"
#include "sim/world.h"

#define SECOND 1000000u
#define SEND_BUF 65536u
#define START_AT SECOND
#define POLL_US 250000u
/* Events at one instant, and in one run, before it counts as one that never ends. */
#define EVENTS_AT_ONCE_MAX 200000u
#define EVENTS_MAX 5000000u
#define SILENT_US (60u * SECOND)
/* Acks and last probes of a network without faults are over by then. */
#define SETTLE_SOFT_US (10u * SECOND)
/* Messages a host sends after the healing until one has to arrive. */
#define TRIES_MAX 5u

weft_time sim_now(const struct sim_world *w)
{
    return w->queue.now;
}

bool sim_tells(struct sim_world *w, enum sim_lie lie)
{
    if (w->options.lie != lie || w->lied)
        return false;
    w->lied = true;
    return true;
}

static void push_fault(struct sim_world *w, size_t index, weft_time at)
{
    sim_queue_push(&w->queue, (struct sim_event){.at = at, .kind = SIM_FAULT, .arg = index});
}

static void push_phase(struct sim_world *w, weft_time at)
{
    sim_queue_push(&w->queue, (struct sim_event){.at = at, .kind = SIM_PHASE});
}

/* --- beginning --- */

static void seal_twice(void)
{
    static const uint8_t zeros[32];
    struct wf_mem mem;
    struct sim_log log;
    struct wf_aead *aead = NULL;
    struct wf_aead_key key;
    uint8_t in[1] = {0};
    uint8_t out[1 + WF_AEAD_TAG_LEN];
    struct wf_aead_op op = {.number = 7, .in = in, .in_len = sizeof in, .out = out};

    sim_log_init(&log, 0, NULL);
    sim_mem_init(&mem, 0, &log);
    if (wf_aead_new(&aead, WF_AEAD_SODIUM, &mem) != WEFT_OK)
        return;
    wf_aead_key_init(&key, WF_AEAD_XCHACHA20_POLY1305, zeros, zeros);
    wf_aead_seal(aead, &key, &op, 1);
    wf_aead_seal(aead, &key, &op, 1);
    wf_aead_free(aead);
}

static void init_net(struct sim_world *w)
{
    sim_net_init(&w->net, &w->queue, &w->log);
    memcpy(w->net.ports, w->plan.ports, sizeof w->net.ports);
    for (uint32_t i = 0; i < SIM_PORTS; i++) {
        for (uint32_t j = 0; j < SIM_PORTS; j++) {
            struct wf_prng p =
                sim_stream(w->plan.seed, SIM_PURPOSE_LINK + (uint64_t)(SIM_PORTS * i + j));

            sim_link_init(&w->net.links[i][j], &w->plan.links[i][j], wf_prng_next(&p));
        }
    }
}

/* The plan counts from 0, the clock from START_AT. */
static void push_plan(struct sim_world *w)
{
    for (size_t i = 0; i < w->plan.fault_count; i++) {
        push_fault(w, i, START_AT + w->plan.faults[i].at);
    }
    for (size_t i = 0; i < w->plan.op_count; i++) {
        w->ops[i] = w->plan.ops[i];
        sim_queue_push(&w->queue, (struct sim_event){.at = START_AT + w->ops[i].at,
                                                     .kind = SIM_OP,
                                                     .host = w->ops[i].host,
                                                     .arg = i});
    }
    w->op_count = w->plan.op_count;
    w->phase_at = START_AT + w->plan.heal_at;
    w->deadline = w->phase_at + w->plan.patience_us;
    push_phase(w, w->phase_at);
}

static void init(struct sim_world *w, const struct sim_options *options)
{
    struct wf_prng p = sim_stream(options->seed, SIM_PURPOSE_WORLD);

    w->options = *options;
    sim_scenario_draw(&w->plan, options->seed, options->without);
    sim_log_init(&w->log, options->seed, options->text);
    sim_queue_init(&w->queue, START_AT);
    sim_nonces_init(&w->nonces, &w->log);
    sim_nonces_watch(&w->nonces);
    w->buf = (uint8_t *)sim_calloc(1, SEND_BUF);
    w->wants_silence = wf_prng_chance(&p, 1, 2);
    w->is_hasty = wf_prng_chance(&p, 1, 12);
    init_net(w);
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        sim_host_init(w, i);
    }
    sim_host_stranger(w);
    sim_app_init(w);
    sim_attack_init(w);
    sim_traitor_init(&w->traitor, &w->plan.traitor);
    push_plan(w);
    if (sim_tells(w, SIM_LIE_NONCE_TWICE)) {
        seal_twice();
    }
}

static void deinit(struct sim_world *w)
{
    struct sim_event ev;

    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        sim_host_deinit(w, &w->hosts[i]);
    }
    while (sim_queue_pop(&w->queue, &ev)) {
        free(ev.kind == SIM_ARRIVE ? ev.ptr : NULL);
    }
    sim_queue_deinit(&w->queue);
    sim_attack_deinit(w);
    sim_nonces_watch(NULL);
    sim_nonces_deinit(&w->nonces);
    free(w->buf);
}

/* --- faults --- */

static void end_later(struct sim_world *w, struct sim_fault f)
{
    if (w->late_fault_count < WF_ARRAY_LEN(w->late_faults)) {
        push_fault(w, SIM_FAULTS_MAX + w->late_fault_count, w->queue.now + f.for_us);
        w->late_faults[w->late_fault_count++] = f;
    }
}

static void cut(struct sim_world *w, uint32_t from, uint32_t to, uint64_t for_us)
{
    w->net.links[from][to].config.cut = true;
    end_later(w, (struct sim_fault){
                     .kind = SIM_FAULT_JOIN, .b = SIM_PORTS * from + to, .for_us = for_us});
}

static void lower_mtu(struct sim_world *w, uint32_t host, size_t mtu)
{
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        struct sim_link *there = &w->net.links[host][i];
        struct sim_link *back = &w->net.links[i][host];

        there->config.mtu = there->config.mtu < mtu ? there->config.mtu : mtu;
        back->config.mtu = back->config.mtu < mtu ? back->config.mtu : mtu;
    }
}

static void rebind(struct sim_world *w, uint32_t host, bool address_too)
{
    struct wf_addr outside;

    w->moves[host] += address_too ? 257 : 1;
    outside = sim_addr_outside(&w->plan, host, w->moves[host]);
    sim_net_rebind(&w->net, host, &outside);
}

static void apply(struct sim_world *w, const struct sim_fault *f)
{
    struct sim_host *h = &w->hosts[f->a];

    switch (f->kind) {
    case SIM_FAULT_BOOT:
        sim_host_boot(w, h);
        return;
    case SIM_FAULT_CRASH:
        if (f->b != 0) {
            sim_host_shut(w, h, true);
        } else {
            sim_host_crash(w, h);
        }
        return;
    case SIM_FAULT_PAUSE:
        sim_host_pause(w, h, f->b != 0);
        end_later(w, (struct sim_fault){.kind = SIM_FAULT_RESUME, .a = f->a, .for_us = f->for_us});
        return;
    case SIM_FAULT_CUT:
        cut(w, (uint32_t)f->b, f->a, f->for_us);
        cut(w, f->a, (uint32_t)f->b, f->for_us);
        return;
    case SIM_FAULT_ONE_WAY:
        cut(w, f->a, (uint32_t)f->b, f->for_us);
        return;
    case SIM_FAULT_REBIND:
        rebind(w, f->a, f->b != 0);
        return;
    case SIM_FAULT_MTU:
        lower_mtu(w, f->a, (size_t)f->b);
        return;
    case SIM_FAULT_JOIN:
        w->net.links[f->b / SIM_PORTS][f->b % SIM_PORTS].config.cut = false;
        return;
    case SIM_FAULT_RESUME:
        sim_host_resume(w, h);
        return;
    }
}

static void on_fault(struct sim_world *w, size_t index)
{
    const struct sim_fault *f =
        index < SIM_FAULTS_MAX ? &w->plan.faults[index] : &w->late_faults[index - SIM_FAULTS_MAX];

    if (w->healed)
        return;
    sim_log_say(&w->log, "fault %d: %u, %llu, for %llu us", (int)f->kind, (unsigned)f->a,
                (unsigned long long)f->b, (unsigned long long)f->for_us);
    apply(w, f);
}

/* --- the second phase --- */

static void heal_links(struct sim_world *w)
{
    for (uint32_t i = 0; i < SIM_PORTS; i++) {
        for (uint32_t j = 0; j < SIM_PORTS; j++) {
            struct sim_link_config *c = &w->net.links[i][j].config;

            c->loss_ppm = 0;
            c->burst_enter_ppm = 0;
            c->reorder_ppm = 0;
            c->duplicate_ppm = 0;
            c->corrupt_ppm = 0;
            c->cut = false;
        }
    }
}

static void probe(struct sim_world *w, uint32_t from)
{
    sim_app_probe(w, from, w->plan.peers ? (from + 1) % w->plan.host_count : 0);
}

static void heal(struct sim_world *w)
{
    sim_log_say(&w->log, "all faults are over");
    w->healed = true;
    heal_links(w);
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        struct sim_host *h = &w->hosts[i];

        h->mem.cap = 0;
        h->mem.fail_at = 0;
        if (sim_is_traitor(w, i)) {
            sim_host_crash(w, h);
        }
        sim_host_resume(w, h);
        if (w->plan.hosts[i].wall_is_wrong) {
            w->plan.hosts[i].wall_ms = SIM_WALL_MS;
            sim_host_shut(w, h, true);
        }
        sim_host_boot(w, h);
    }
    sim_app_hurry(w);
}

static bool message_is_open(struct sim_world *w, const struct sim_message *m, char *why,
                            size_t why_len)
{
    const struct sim_host *from = &w->hosts[m->from];
    const struct sim_host *to = &w->hosts[m->to];

    if (m->sent && m->outcome == 0 && from->core != NULL && from->boots == m->sender_boot) {
        (void)snprintf(why, why_len,
                       "message %u of host %u to host %u has no outcome (%" PRIu64 " of %" PRIu64
                       " bytes written, %" PRIu64 " read)",
                       (unsigned)m->index, (unsigned)m->from, (unsigned)m->to, m->written,
                       m->plan->length, m->read);
        return true;
    }
    if (sim_is_betrayed(w, m))
        return false;
    if (m->arrived && !m->released && to->core != NULL && to->boots == m->receiver_boot) {
        (void)snprintf(why, why_len,
                       "message %u at host %u neither ends nor breaks (%" PRIu64 " of %" PRIu64
                       " bytes read)",
                       (unsigned)m->index, (unsigned)m->to, m->read, m->plan->length);
        return true;
    }
    return false;
}

bool sim_everything_ended(struct sim_world *w, char *why, size_t why_len)
{
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        if (w->hosts[i].shut) {
            (void)snprintf(why, why_len, "host %u is still shutting down", (unsigned)i);
            return false;
        }
    }
    for (size_t i = 0; i < 2 * w->op_count; i++) {
        if (message_is_open(w, &w->messages[i], why, why_len))
            return false;
    }
    for (size_t i = 0; i < w->op_count; i++) {
        const struct sim_host *h = &w->hosts[w->ops[i].host];

        if (w->ping_waits[i] && h->core != NULL && h->boots == w->ping_boot[i]) {
            (void)snprintf(why, why_len, "ping %zu of host %u has no answer", i,
                           (unsigned)h->index);
            return false;
        }
    }
    return true;
}

/* A message that was sent after all faults were over has to arrive; the session it met first may
 * have been a dead one, so it gets a few tries. */
static bool probes_arrived(struct sim_world *w)
{
    const size_t first = w->plan.op_count;
    bool all = true;

    for (uint32_t i = w->plan.peers ? 0 : 1; i < w->plan.host_count; i++) {
        bool arrived = false;

        for (size_t op = first; op < w->op_count; op++) {
            arrived |= w->ops[op].host == i && w->messages[2 * op].outcome == WF_OUTCOME_DELIVERED;
        }
        if (!arrived) {
            probe(w, i);
            all = false;
        }
    }
    return all;
}

static uint64_t settle_us(const struct sim_world *w)
{
    uint64_t longest = 0;

    /* A call to nobody goes on for the time it was given. */
    if (w->plan.soft && !sim_has(&w->plan, SIM_CLASS_WRONG_KEY) &&
        !sim_has(&w->plan, SIM_CLASS_TRAITOR))
        return SETTLE_SOFT_US;
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        const struct sim_host_plan *h = &w->plan.hosts[i];
        const uint64_t us = h->idle_ms * 1000 + h->handshake_timeout_us;

        longest = us > longest ? us : longest;
    }
    return longest + 15 * SECOND;
}

static void shut(struct sim_world *w)
{
    w->phase = SIM_PHASE_SHUT;
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        struct sim_host *h = &w->hosts[i];

        if (h->plan->ends_without_a_word) {
            sim_host_crash(w, h);
        } else {
            sim_host_shut(w, h, false);
        }
    }
}

static void enter_silence(struct sim_world *w)
{
    w->phase = SIM_PHASE_SILENT;
    w->phase_at = w->queue.now + SILENT_US;
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        w->silent_out[i] = w->hosts[i].datagrams_out;
    }
}

static void check_silence(struct sim_world *w)
{
    if (sim_tells(w, SIM_LIE_CHATTERS)) {
        w->hosts[0].datagrams_out++;
    }
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        const uint64_t said = w->hosts[i].datagrams_out - w->silent_out[i];

        if (said != 0) {
            sim_fail(&w->log, "host %u: %llu datagrams while there is nothing to say", (unsigned)i,
                     (unsigned long long)said);
        }
    }
}

static void on_ended(struct sim_world *w)
{
    if (!probes_arrived(w))
        return;
    if (!w->wants_silence) {
        shut(w);
        return;
    }
    w->phase = SIM_PHASE_SETTLING;
    w->phase_at = w->queue.now + settle_us(w);
}

static void check_quiet(struct sim_world *w)
{
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        if (w->hosts[i].core != NULL)
            return;
    }
    w->phase = SIM_PHASE_DONE;
}

static void on_phase(struct sim_world *w)
{
    char why[256] = "";

    switch (w->phase) {
    case SIM_PHASE_FAULTS:
        w->phase = SIM_PHASE_HEALED;
        heal(w);
        if (w->is_hasty) {
            shut(w);
        }
        break;
    case SIM_PHASE_HEALED:
        if (sim_everything_ended(w, why, sizeof why)) {
            on_ended(w);
        } else if (w->queue.now > w->deadline) {
            sim_fail(&w->log, "%llu s after all faults were over, %s",
                     (unsigned long long)(w->plan.patience_us / SECOND), why);
        }
        break;
    case SIM_PHASE_SETTLING:
        if (w->queue.now >= w->phase_at) {
            enter_silence(w);
        }
        break;
    case SIM_PHASE_SILENT:
        if (w->queue.now >= w->phase_at) {
            check_silence(w);
            shut(w);
        }
        break;
    case SIM_PHASE_SHUT:
        check_quiet(w);
        break;
    case SIM_PHASE_DONE:
        return;
    }
    push_phase(w, w->queue.now + POLL_US);
}

/* --- the run --- */

static void dispatch(struct sim_world *w, struct sim_event *ev)
{
    struct sim_host *h = &w->hosts[ev->host];

    switch (ev->kind) {
    case SIM_ARRIVE:
        sim_host_arrive(w, h, (struct sim_packet *)ev->ptr);
        return;
    case SIM_WAKE:
        sim_host_wake(w, h);
        return;
    case SIM_TIMER:
        sim_host_timer(w, h, ev->at);
        return;
    case SIM_OP:
        sim_app_op(w, ev->arg);
        return;
    case SIM_READ:
        sim_app_read(w, &w->messages[ev->arg]);
        return;
    case SIM_WRITE:
        sim_app_write(w, &w->messages[ev->arg]);
        return;
    case SIM_CANCEL:
        sim_app_cancel(w, &w->messages[ev->arg]);
        return;
    case SIM_FAULT:
        on_fault(w, ev->arg);
        return;
    case SIM_ATTACK:
        sim_attack_turn(w);
        return;
    case SIM_END:
        sim_host_end(w, h);
        return;
    case SIM_PHASE:
        on_phase(w);
        return;
    case SIM_KINDS:
        return;
    }
}

static void count(struct sim_world *w)
{
    w->events++;
    w->events_at_now = w->now_last == w->queue.now ? w->events_at_now + 1 : 0;
    w->now_last = w->queue.now;
    if (w->events_at_now > EVENTS_AT_ONCE_MAX) {
        sim_fail(&w->log, "events without end at one instant");
    }
    if (w->events > EVENTS_MAX) {
        sim_fail(&w->log, "events without end");
    }
}

static void hash_step(struct sim_world *w, const struct sim_event *ev)
{
    FILE *text = w->log.text;

    w->log.now = w->queue.now;
    w->log.text = NULL; /* what follows from it says more */
    sim_log_add(&w->log,
                &(struct sim_log_line){
                    .what = sim_kind_name(ev->kind), .host = ev->host, .a = ev->arg, .b = ev->seq});
    w->log.text = text;
}

static void report(const struct sim_world *w, struct sim_report *out)
{
    *out = (struct sim_report){
        .failed = w->log.failed,
        .failed_at = w->log.failed_at,
        .ended_at = w->queue.now,
        .hash = w->log.hash,
        .events = w->events,
        .datagrams = w->net.sent,
        .messages = w->op_count,
        .attacks = w->attacks,
        .lies = w->traitor.lies,
        .seals = w->nonces.count,
        .delivered_bytes = w->delivered_bytes,
        .sessions = w->sessions,
        .session_ends = w->session_ends,
        .classes = w->plan.classes,
        .host_count = w->plan.host_count,
        .peers = w->plan.peers,
        .soft = w->plan.soft,
    };
    memcpy(out->outcomes, w->outcomes, sizeof out->outcomes);
    memcpy(out->failure, w->log.failure, sizeof out->failure);
}

/* The cores go before the report: what they leave behind counts. */
static void end_hosts(struct sim_world *w)
{
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        sim_host_deinit(w, &w->hosts[i]);
    }
}

void sim_run(const struct sim_options *options, struct sim_report *out)
{
    struct sim_world *w = (struct sim_world *)sim_calloc(1, sizeof *w);
    struct sim_event ev;

    init(w, options);
    while (w->phase != SIM_PHASE_DONE && !w->log.failed && sim_queue_pop(&w->queue, &ev)) {
        hash_step(w, &ev);
        dispatch(w, &ev);
        count(w);
    }
    end_hosts(w);
    report(w, out);
    deinit(w);
    free(w);
}
