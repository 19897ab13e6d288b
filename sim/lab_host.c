/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_host.c - a host of the laboratory: its clock, its socket, its core, driven in the order
 * endpoint/core.h asks for. It must never touch what is inside a core.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab_priv.h"

#define SEND_CAP 65536u
#define SERVER_PORT 4433u
#define CLIENT_PORT 40000u
/* 2026, so that certificates of time are taken. */
#define WALL_MS 1780000000000u

weft_time lab_host_now(const struct lab_world *w, const struct lab_host *h)
{
    return (h->still_clock ? h->still_since : w->queue.now) + h->clock_us;
}

bool lab_host_runs(const struct lab_host *h)
{
    return h->core != NULL && !h->still;
}

/* moves: 1 for each other port, 256 for each other address. */
struct wf_addr lab_address_of(uint32_t pair, bool server, unsigned moves)
{
    if (server)
        return wf_addr_v4(21, 1, 0, (uint8_t)(pair + 1), SERVER_PORT);
    return wf_addr_v4(20, (uint8_t)(moves >> 16), (uint8_t)(moves >> 8), (uint8_t)(pair + 1),
                      (uint16_t)(CLIENT_PORT + moves % 256));
}

void lab_host_init(struct lab_world *w, struct lab_pair *pair, bool server)
{
    struct lab_host *h = &pair->hosts[server];
    const uint64_t late = server ? pair->plan->server_late_us : 0;

    wf_rng_seed(&h->rng, w->plan.seed * 1000 + h->index);
    wf_random(&h->rng.rng, h->seed, sizeof h->seed);
    sim_mem_init(&h->mem, 0, &w->log);
    h->timer_at = WEFT_TIME_NEVER;
    h->outside = lab_address_of(h->index / 2, server, 0);
    h->inside = h->outside;
    if (!server) {
        h->inside = wf_addr_v4(10, 0, 0, (uint8_t)(h->index / 2 + 1), CLIENT_PORT);
    }
    if (late > 0) {
        lab_push(w, w->queue.now + late, LAB_TURN_BOOT, h->index);
    } else {
        lab_host_boot(w, h);
    }
}

void lab_host_boot(struct lab_world *w, struct lab_host *h)
{
    struct wf_core_config config = {
        .mem = &h->mem,
        .rng = &h->rng.rng,
        .serve = h->index % 2 == 1,
        .cookies_max = 4096,
        .solves_max = 256,
        .wall_ms = WALL_MS,
        .sessions_max = 64,
        .idle_ms = w->pairs[h->index / 2].plan->idle_ms,
        .congestion = w->pairs[h->index / 2].plan->bbr ? WF_CC_BBR : WF_CC_CUBIC,
    };

    memcpy(config.seed, h->seed, sizeof config.seed);
    if (wf_core_new(&h->core, &config, lab_host_now(w, h)) != WEFT_OK) {
        h->core = NULL;
        return;
    }
    lab_host_pump(w, h);
}

void lab_host_deinit(struct lab_host *h)
{
    while (h->rx_first != NULL) {
        struct lab_packet *p = h->rx_first;

        h->rx_first = p->next;
        free(p);
    }
    if (h->core != NULL) {
        wf_core_free(h->core);
        h->core = NULL;
    }
}

/* --- in --- */

void lab_host_arrive(struct lab_world *w, struct lab_host *h, struct lab_packet *p)
{
    const uint64_t wake_us = w->pairs[p->pair].plan->wake_us;

    if (h->core == NULL || h->rx_bytes + p->size > LAB_SOCKET_BUFFER) {
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
    h->rx_bytes += p->size;
    if (wake_us == 0) {
        lab_host_wake(w, h);
    } else if (!h->wake_armed) {
        h->wake_armed = true;
        lab_push(w, w->queue.now + wake_us, LAB_TURN_WAKE, h->index);
    }
}

void lab_host_wake(struct lab_world *w, struct lab_host *h)
{
    h->wake_armed = false;
    if (!lab_host_runs(h) || h->rx_first == NULL)
        return;
    while (h->rx_first != NULL) {
        struct lab_packet *p = h->rx_first;
        struct wf_datagram d = {
            .from = p->from, .to = h->inside, .ecn = p->ecn, .data = p->data, .len = p->len};

        h->rx_first = p->next;
        h->rx_last = h->rx_first == NULL ? NULL : h->rx_last;
        h->rx_bytes -= p->size;
        if (h->index % 2 == 1) {
            lab_count_in(&w->pairs[p->pair], p);
        }
        wf_core_recv(h->core, lab_host_now(w, h), &d, 1);
        free(p);
    }
    lab_host_pump(w, h);
}

/* --- time --- */

static void arm_timer(struct lab_world *w, struct lab_host *h)
{
    const weft_time due = wf_core_deadline(h->core);
    const weft_time now = lab_host_now(w, h);
    weft_time at = w->queue.now;

    if (due == WEFT_TIME_NEVER)
        return;
    if (due > now) {
        at += due - now + w->pairs[h->index / 2].plan->late_us;
    }
    if (h->timer_at <= at)
        return; /* the earlier one looks again */
    h->timer_at = at;
    lab_push(w, at, LAB_TURN_TIMER, h->index);
}

void lab_host_timer(struct lab_world *w, struct lab_host *h, weft_time at)
{
    if (at != h->timer_at)
        return; /* another one was armed since */
    h->timer_at = WEFT_TIME_NEVER;
    if (!lab_host_runs(h))
        return;
    if (wf_core_deadline(h->core) > lab_host_now(w, h)) {
        arm_timer(w, h);
        return;
    }
    wf_core_tick(h->core, lab_host_now(w, h));
    lab_host_pump(w, h);
}

void lab_host_suspend(struct lab_world *w, struct lab_host *h, bool clock_too)
{
    h->still = true;
    h->still_clock = clock_too;
    h->still_since = w->queue.now;
}

void lab_host_resume(struct lab_world *w, struct lab_host *h)
{
    if (h->still_clock) {
        h->clock_us -= w->queue.now - h->still_since; /* may wrap: sums come out right */
    }
    h->still = false;
    h->still_clock = false;
    if (h->core == NULL)
        return;
    wf_core_tick(h->core, lab_host_now(w, h));
    lab_host_pump(w, h);
    lab_host_wake(w, h);
}

/* --- out --- */

static bool is_dropped(const struct lab_pair *pair, const struct lab_host *h)
{
    return h->index % 2 == 0 && h->datagrams_out >= pair->plan->drop_first &&
           h->datagrams_out <= pair->plan->drop_last;
}

/* Datagrams of one train go out one by one; a local refusal stops the rest, as sendmsg does. */
static void put_out(struct lab_world *w, struct lab_host *h, const struct wf_send *s)
{
    const size_t segment = s->segment == 0 || s->segment > s->len ? s->len : s->segment;
    struct lab_pair *pair = &w->pairs[h->index / 2];

    for (size_t at = 0; at < s->len; at += segment) {
        struct lab_packet *p =
            lab_packet_new(w->buf + at, s->len - at < segment ? s->len - at : segment);

        p->from = h->outside;
        p->to = s->to;
        p->ecn = s->ecn;
        p->pair = h->index / 2;
        p->is_down = h->index % 2 == 1;
        h->datagrams_out++;
        if (p->is_down) {
            lab_count_out(w, pair, p);
        }
        if (is_dropped(pair, h)) {
            free(p);
        } else if (!lab_carry(w, p)) {
            wf_core_too_big(h->core, lab_host_now(w, h), &s->to, segment);
            return;
        }
    }
}

static bool pump_once(struct lab_world *w, struct lab_host *h)
{
    struct wf_core_event ev;
    struct wf_send send;
    bool any = false;

    while (wf_core_next_event(h->core, &ev)) {
        any = true;
        lab_app_event(w, h, &ev);
    }
    while (wf_core_send(h->core, lab_host_now(w, h), w->buf, SEND_CAP, &send)) {
        any = true;
        put_out(w, h, &send);
    }
    return any;
}

void lab_host_pump(struct lab_world *w, struct lab_host *h)
{
    while (pump_once(w, h)) {
    }
    arm_timer(w, h);
}
