/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c - a machine with a core: its clock, its memory, its socket's buffer, its life. It drives
 * the core in the order endpoint/core.h asks for and must never touch what is inside.
 */
#include <stdlib.h>
#include <string.h>

#include "session/identity.h"
#include "sim/scenario_priv.h"
#include "sim/world.h"

#define SEND_CAP 65536u
#define BATCH_MAX 64u
/* Rounds of events and trains after one call; more is a core that never comes to rest. */
#define ROUNDS_MAX 20000u
/* How often a host looks whether its core has come to rest, and for how long. */
#define QUIET_US 50000u
#define SHUT_PATIENCE_US 120000000u
/* Timers that may fire at one instant of a host before it counts as stuck. */
#define BUSY_MAX 2000u

weft_time sim_host_now(const struct sim_world *w, const struct sim_host *h)
{
    return w->queue.now + h->plan->clock_us - h->stopped_us;
}

bool sim_host_runs(const struct sim_host *h)
{
    return h->core != NULL && !h->still;
}

/* The account of a host survives its cores; an allocation now and then fails when the plan says so.
 */
void sim_host_init(struct sim_world *w, uint32_t index)
{
    struct sim_host *h = &w->hosts[index];
    struct wf_prng keys = sim_stream(w->plan.seed, SIM_PURPOSE_HOST_KEYS + index);
    struct wf_rng source = wf_prng_rng(&keys);
    uint8_t secret[WF_SIGN_SECRET_LEN];

    *h = (struct sim_host){
        .index = index, .plan = &w->plan.hosts[index], .timer_at = WEFT_TIME_NEVER};
    wf_random(&source, h->seed, sizeof h->seed);
    wf_sign_keypair(h->key, secret, h->seed);
    wf_rng_seed(&h->rng, wf_prng_next(&keys));
    h->prng = sim_stream(w->plan.seed, SIM_PURPOSE_HOST_DECISIONS + index);
    sim_mem_init(&h->mem, 0, &w->log);
}

void sim_host_stranger(struct sim_world *w)
{
    struct wf_prng keys = sim_stream(w->plan.seed, SIM_PURPOSE_HOST_KEYS + SIM_HOSTS_MAX);
    const struct wf_rng source = wf_prng_rng(&keys);
    uint8_t seed[32];
    uint8_t secret[WF_SIGN_SECRET_LEN];

    wf_random(&source, seed, sizeof seed);
    wf_sign_keypair(w->stranger_key, secret, seed);
}

static void drop_received(struct sim_host *h)
{
    while (h->rx_first != NULL) {
        struct sim_packet *p = h->rx_first;

        h->rx_first = p->next;
        free(p);
    }
    h->rx_last = NULL;
    h->rx_bytes = 0;
}

/* Frees the core; what it held must be back then. */
static void end_core(struct sim_world *w, struct sim_host *h)
{
    h->mem.fail_at = 0;
    wf_core_free(h->core);
    h->core = NULL;
    h->shut = false;
    if (sim_tells(w, SIM_LIE_LEAKS)) {
        h->mem.held++;
    }
    if (h->mem.held != 0) {
        sim_fail(&w->log, "host %u: %zu bytes are still held after its core was freed",
                 (unsigned)h->index, h->mem.held);
        h->mem.held = 0;
    }
    h->timer_at = WEFT_TIME_NEVER;
    drop_received(h);
}

void sim_host_deinit(struct sim_world *w, struct sim_host *h)
{
    if (h->core != NULL) {
        end_core(w, h);
    }
    drop_received(h);
}

static void draw_next_failure(struct sim_world *w, struct sim_host *h)
{
    h->mem.fail_at = 0;
    if (h->plan->fail_every > 0 && !w->healed) {
        h->mem.fail_at = h->mem.attempts + wf_prng_between(&h->prng, 1, 2 * h->plan->fail_every);
    }
}

bool sim_host_first_data(uint32_t from, uint32_t to)
{
    return (from + to) % 2 == 0;
}

static weft_err join_host(struct sim_host *h, const struct sim_host *other)
{
    struct wf_invitation in = {.group_key = {'s', 'i', 'm'}};
    struct wf_identity id;
    weft_err err = wf_identity_init(&id, other->seed);

    if (err != WEFT_OK)
        return err;
    memcpy(in.server.key, id.public_key, sizeof in.server.key);
    memcpy(in.server.dh, id.server_public, sizeof in.server.dh);
    wf_identity_wipe(&id);
    return wf_core_join(h->core, &in, sim_host_first_data(h->index, other->index));
}

/* One group of all hosts. */
static weft_err join_group(struct sim_world *w, struct sim_host *h)
{
    static const uint8_t key[WF_GROUP_KEY_LEN] = {'s', 'i', 'm'};
    weft_err err = WEFT_OK;

    if (h->plan->serves) {
        err = wf_core_group(h->core, sim_host_now(w, h), key);
    }
    for (uint32_t i = 0; i < w->plan.host_count && err == WEFT_OK; i++) {
        if (&w->hosts[i] != h) {
            err = join_host(h, &w->hosts[i]);
        }
    }
    return err;
}

static weft_err try_new(struct sim_world *w, struct sim_host *h)
{
    const struct sim_host_plan *p = h->plan;
    struct wf_core_config config = {
        .mem = &h->mem,
        .rng = &h->rng.rng,
        .serve = p->serves,
        .effort = p->effort,
        .cookies_max = 4096,
        .solves_max = 256,
        .wall_ms = p->wall_ms == 0 ? 0 : p->wall_ms + w->queue.now / 1000,
        .sessions_max = 24,
        .messages_in_max = p->messages_in_max,
        .node_credit = p->node_credit,
        .message_credit = p->message_credit,
        .datagram_max = p->datagram_max,
        .idle_ms = p->idle_ms,
        .handshake_timeout_us = p->handshake_timeout_us,
        .peer_memory_max = p->peer_memory_max,
        .congestion = sim_has(&w->plan, SIM_CLASS_BBR) ? WF_CC_BBR : WF_CC_CUBIC,
        .fold_us = p->fold_us,
        .rest_ms = p->rest_ms,
        .presences_max = p->presences_max,
        .rest_memory_ms = p->rest_memory_ms,
    };

    if (p->rest_memory_ms > 0) {
        sim_rest_init(&h->rest, wf_prng_next(&h->prng));
        config.rest = sim_rest_ops(&h->rest);
    }

    memcpy(config.seed, h->seed, sizeof config.seed);
    weft_err err = wf_core_new(&h->core, &config, sim_host_now(w, h));
    if (err == WEFT_OK && sim_has(&w->plan, SIM_CLASS_GROUP)) {
        err = join_group(w, h);
        if (err != WEFT_OK) {
            wf_core_free(h->core);
            h->core = NULL;
        }
    }
    return err;
}

void sim_host_boot(struct sim_world *w, struct sim_host *h)
{
    weft_err err = WEFT_OK;

    if (h->core != NULL)
        return;
    h->mem.cap = w->healed ? 0 : h->plan->memory_cap;
    draw_next_failure(w, h);
    err = try_new(w, h);
    if (err == WEFT_ERR_NOMEM && (h->mem.cap != 0 || h->mem.fail_at != 0)) {
        if (h->mem.held != 0) {
            sim_fail(&w->log, "host %u: a core that could not be made holds %zu bytes",
                     (unsigned)h->index, h->mem.held);
        }
        h->mem.cap = 0;
        h->mem.fail_at = 0;
        err = try_new(w, h);
    }
    if (err != WEFT_OK) {
        sim_fail(&w->log, "host %u: no core could be made: %s", (unsigned)h->index,
                 weft_strerror(err));
        return;
    }
    if (h->mem.cap != 0) {
        h->mem.cap += h->mem.held; /* what the core takes for itself is not what peers share */
    }
    h->boots++;
    if (memcmp(wf_core_key(h->core), h->key, sizeof h->key) != 0) {
        sim_fail(&w->log, "host %u: the core has another key than its seed gives",
                 (unsigned)h->index);
    }
    sim_host_pump(w, h);
}

void sim_host_crash(struct sim_world *w, struct sim_host *h)
{
    if (h->core == NULL)
        return;
    sim_check_crashed(w, h);
    end_core(w, h);
}

static void look_again(struct sim_world *w, const struct sim_host *h)
{
    sim_queue_push(
        &w->queue,
        (struct sim_event){.at = w->queue.now + QUIET_US, .kind = SIM_END, .host = h->index});
}

void sim_host_shut(struct sim_world *w, struct sim_host *h, bool boots_again)
{
    h->boots_again = boots_again;
    if (!sim_host_runs(h) || h->shut)
        return;
    h->shut = true;
    h->shut_until = w->queue.now + SHUT_PATIENCE_US;
    wf_core_shut(h->core, sim_host_now(w, h));
    sim_host_pump(w, h);
    look_again(w, h);
}

void sim_host_end(struct sim_world *w, struct sim_host *h)
{
    if (!h->shut || h->core == NULL)
        return;
    if (h->still || !wf_core_is_quiet(h->core) || sim_app_reads_on(w, h)) {
        if (w->queue.now > h->shut_until && !h->still) {
            sim_fail(&w->log, "host %u: it does not come to rest after its end",
                     (unsigned)h->index);
        }
        look_again(w, h);
        return;
    }
    sim_app_rests(w, h);
    sim_host_crash(w, h);
    if (h->boots_again) {
        sim_host_boot(w, h);
    }
}

void sim_host_pause(struct sim_world *w, struct sim_host *h, bool clock_too)
{
    if (h->still)
        return;
    h->still = true;
    h->still_clock = clock_too;
    h->still_since = w->queue.now;
}

void sim_host_resume(struct sim_world *w, struct sim_host *h)
{
    if (!h->still)
        return;
    h->still = false;
    if (h->still_clock) {
        h->stopped_us += w->queue.now - h->still_since;
    }
    if (h->core == NULL)
        return;
    wf_core_tick(h->core, sim_host_now(w, h));
    sim_host_pump(w, h);
    sim_host_wake(w, h);
}

static void arm_wake(struct sim_world *w, struct sim_host *h, uint64_t in_us)
{
    if (h->wake_armed)
        return;
    h->wake_armed = true;
    sim_queue_push(&w->queue, (struct sim_event){
                                  .at = w->queue.now + in_us, .kind = SIM_WAKE, .host = h->index});
}

void sim_host_arrive(struct sim_world *w, struct sim_host *h, struct sim_packet *p)
{
    if (!sim_net_enter(&w->net, h->index, p))
        return;
    if (h->core == NULL || h->rx_bytes + p->len > h->plan->socket_buffer) {
        free(p);
        return;
    }
    p->next = NULL;
    if (h->rx_last == NULL) {
        h->rx_first = p;
    } else {
        h->rx_last->next = p;
    }
    h->rx_last = p;
    h->rx_bytes += p->len;
    arm_wake(w, h, wf_prng_between(&h->prng, 0, h->plan->wake_us));
}

static struct sim_packet *take(struct sim_host *h)
{
    struct sim_packet *p = h->rx_first;

    h->rx_first = p->next;
    if (h->rx_first == NULL) {
        h->rx_last = NULL;
    }
    h->rx_bytes -= p->len;
    p->next = NULL;
    return p;
}

/* What is handed to the core in one call. Each datagram lies in a block of its exact size. */
struct batch {
    struct wf_datagram datagrams[BATCH_MAX];
    size_t count;
    uint64_t strangers; /* of them made up by the attacker */
    uint64_t packets;
};

/* May the packet follow in the run that ends the batch? */
static bool continues(const struct batch *b, const struct sim_packet *p)
{
    const struct wf_datagram *d = &b->datagrams[b->count == 0 ? 0 : b->count - 1];

    if (b->count == 0 || p->len == 0 || d->len == 0)
        return false;

    const size_t segment = d->segment == 0 ? d->len : d->segment;

    return p->len <= segment && d->len % segment == 0 &&
           d->len / segment < WF_DATAGRAM_SEGMENTS_MAX &&
           d->len + p->len <= WF_DATAGRAM_BYTES_MAX && d->ecn == p->ecn &&
           wf_addr_equal(&d->from, &p->from);
}

static void batch_add(struct batch *b, const struct sim_host *h, const struct sim_packet *p)
{
    struct wf_datagram *d = &b->datagrams[b->count == 0 ? 0 : b->count - 1];

    b->packets++;
    b->strangers += p->made == SIM_MADE_UP;
    if (h->plan->coalesces && continues(b, p)) {
        uint8_t *longer = (uint8_t *)sim_calloc(1, d->len + p->len);

        memcpy(longer, d->data, d->len);
        memcpy(longer + d->len, p->data, p->len);
        free(d->data);
        if (d->segment == 0) {
            d->segment = d->len;
        }
        d->data = longer;
        d->len += p->len;
        return;
    }
    d = &b->datagrams[b->count++];
    *d = (struct wf_datagram){.from = p->from, .ecn = p->ecn, .len = p->len};
    if (h->plan->knows_own_address) {
        d->to = p->to;
    }
    d->data = (uint8_t *)sim_calloc(1, p->len > 0 ? p->len : 1);
    memcpy(d->data, p->data, p->len);
}

static void hand_over(struct sim_world *w, struct sim_host *h, struct batch *b)
{
    const uint64_t attempts = h->mem.attempts;

    wf_core_recv(h->core, sim_host_now(w, h), b->datagrams, b->count);
    if (b->strangers == b->packets && sim_tells(w, SIM_LIE_ALLOCATES)) {
        h->mem.attempts++;
    }
    if (b->strangers == b->packets && h->mem.attempts != attempts) {
        sim_fail(&w->log, "host %u: memory was asked for on a stranger's word", (unsigned)h->index);
    }
    for (size_t i = 0; i < b->count; i++) {
        free(b->datagrams[i].data);
    }
}

/* Early ticks and refusals of what was never sent do no harm. */
static void disturb(struct sim_world *w, struct sim_host *h)
{
    const struct wf_addr *to = &w->net.ports[wf_prng_below(&h->prng, SIM_HOSTS_MAX)].outside;

    if (!sim_has(&w->plan, SIM_CLASS_MISUSE))
        return;
    if (wf_prng_chance(&h->prng, 1, 8)) {
        wf_core_tick(h->core, sim_host_now(w, h));
    }
    if (wf_prng_chance(&h->prng, 1, 32)) {
        wf_core_too_big(h->core, sim_host_now(w, h), to,
                        (size_t)wf_prng_between(&h->prng, 0, 70000));
    }
}

void sim_host_wake(struct sim_world *w, struct sim_host *h)
{
    struct batch b = {.count = 0};

    h->wake_armed = false;
    if (!sim_host_runs(h) || h->rx_first == NULL)
        return;
    while (h->rx_first != NULL && b.packets < h->plan->batch_max && b.count < BATCH_MAX) {
        struct sim_packet *p = take(h);

        sim_log_add(&w->log, &(struct sim_log_line){.what = "recv",
                                                    .host = h->index,
                                                    .a = p->len,
                                                    .b = p->ecn,
                                                    .bytes = {p->data, p->len}});
        sim_check_received(w, h, p);
        batch_add(&b, h, p);
        free(p);
    }
    hand_over(w, h, &b);
    disturb(w, h);
    sim_host_pump(w, h);
    if (h->rx_first != NULL) {
        arm_wake(w, h, 1);
    }
}

static void push_timer(struct sim_world *w, struct sim_host *h, weft_time at)
{
    h->timer_at = at;
    sim_queue_push(&w->queue, (struct sim_event){.at = at, .kind = SIM_TIMER, .host = h->index});
}

static void arm_timer(struct sim_world *w, struct sim_host *h)
{
    const weft_time due = wf_core_deadline(h->core);
    const weft_time now = sim_host_now(w, h);
    weft_time at = w->queue.now;

    if (due == WEFT_TIME_NEVER)
        return;
    if (due > now) {
        at += due - now;
    }
    if (h->timer_at <= at)
        return; /* the earlier one looks again */
    push_timer(w, h, at);
}

static void count_busy(struct sim_world *w, struct sim_host *h)
{
    if (h->busy_at != w->queue.now) {
        h->busy_at = w->queue.now;
        h->busy_count = 0;
    }
    if (++h->busy_count > BUSY_MAX) {
        sim_fail(&w->log, "host %u: its deadline stays in the past however often it ticks",
                 (unsigned)h->index);
    }
}

void sim_host_timer(struct sim_world *w, struct sim_host *h, weft_time at)
{
    if (at != h->timer_at)
        return; /* another one was armed since */
    h->timer_at = WEFT_TIME_NEVER;
    if (!sim_host_runs(h))
        return;
    if (wf_core_deadline(h->core) > sim_host_now(w, h) && w->options.lie != SIM_LIE_TIMER_STUCK) {
        arm_timer(w, h);
        return;
    }
    count_busy(w, h);
    wf_core_tick(h->core, sim_host_now(w, h));
    sim_host_pump(w, h);
    if (w->options.lie == SIM_LIE_TIMER_STUCK) {
        push_timer(w, h, w->queue.now);
    }
}

/* A train must keep the promises of struct wf_send. */
static size_t check_train(struct sim_world *w, const struct sim_host *h, const struct wf_send *s)
{
    const size_t segment = s->segment == 0 || s->segment > s->len ? s->len : s->segment;
    const struct wf_addr *own = &w->net.ports[h->index].inside;

    if (s->len == 0 || s->len > WF_DATAGRAM_BYTES_MAX) {
        sim_fail(&w->log, "host %u: a train of %zu bytes", (unsigned)h->index, s->len);
    } else if ((s->len + segment - 1) / segment > WF_DATAGRAM_SEGMENTS_MAX) {
        sim_fail(&w->log, "host %u: a train of too many datagrams", (unsigned)h->index);
    } else if (!wf_addr_is_set(&s->to)) {
        sim_fail(&w->log, "host %u: a datagram to no address", (unsigned)h->index);
    } else if (wf_addr_is_set(&s->from) && !wf_addr_equal(&s->from, own) &&
               !sim_net_is_former(&w->net, h->index, &s->from)) {
        sim_fail(&w->log, "host %u: a datagram from an address that is not its own",
                 (unsigned)h->index);
    }
    return segment;
}

/* The datagrams of one train go out one by one; a local refusal stops the rest, as sendmsg does.
 * From an address that is no more, another one is taken, as net/udp_send.c does. */
static void put_out(struct sim_world *w, struct sim_host *h, const struct wf_send *s)
{
    const size_t segment = check_train(w, h, s);

    for (size_t at = 0; at < s->len && !w->log.failed; at += segment) {
        const size_t len = s->len - at < segment ? s->len - at : segment;
        struct sim_packet *p = sim_packet_new(w->buf + at, len);

        p->to = s->to;
        p->ecn = s->ecn;
        p->made = SIM_GENUINE;
        sim_net_leave(&w->net, h->index, p);
        sim_log_add(&w->log, &(struct sim_log_line){.what = "send",
                                                    .host = h->index,
                                                    .a = len,
                                                    .b = p->to.port,
                                                    .bytes = {p->data, len}});
        h->datagrams_out++;
        h->bytes_out += len;
        sim_check_sent(w, h, p);
        sim_attack_see(w, p);
        if (sim_net_carry(&w->net, p) == SIM_TOO_BIG) {
            wf_core_too_big(h->core, sim_host_now(w, h), &s->to, segment);
            return;
        }
    }
}

static bool pump_once(struct sim_world *w, struct sim_host *h)
{
    struct wf_core_event ev;
    struct wf_send send;
    bool any = false;

    while (!w->log.failed && wf_core_next_event(h->core, &ev)) {
        any = true;
        sim_app_event(w, h, &ev);
    }
    for (unsigned i = 0; i < ROUNDS_MAX && !w->log.failed; i++) {
        const bool lies = sim_is_traitor(w, h->index) && !w->healed;

        sim_traitor_speaks(lies ? &w->traitor : NULL);
        const bool sends = wf_core_send(h->core, sim_host_now(w, h), w->buf, SEND_CAP, &send);

        sim_traitor_speaks(NULL);
        if (!sends)
            return any;
        any = true;
        put_out(w, h, &send);
    }
    if (!w->log.failed) {
        sim_fail(&w->log, "host %u: it sends without end", (unsigned)h->index);
    }
    return false;
}

void sim_host_pump(struct sim_world *w, struct sim_host *h)
{
    unsigned rounds = 0;

    if (h->mem.fail_at != 0 && h->mem.attempts >= h->mem.fail_at) {
        draw_next_failure(w, h);
    }
    while (pump_once(w, h)) {
        if (++rounds > ROUNDS_MAX) {
            sim_fail(&w->log, "host %u: its events and datagrams never end", (unsigned)h->index);
        }
    }
    arm_timer(w, h);
    sim_check_host(w, h);
}
