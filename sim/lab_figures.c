/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_figures.c - what a run of the laboratory came to. Integers alone; nothing here may change
 * what happens.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab_priv.h"
#include "wire/handshake.h"

#define SAMPLES_FIRST 1024u

/* --- samples --- */

void lab_sample(struct lab_samples *s, uint64_t value)
{
    if (s->count == s->room) {
        const size_t room = s->room == 0 ? SAMPLES_FIRST : 2 * s->room;
        uint32_t *grown = (uint32_t *)sim_calloc(room, sizeof *grown);

        if (s->count > 0) {
            memcpy(grown, s->values, s->count * sizeof *grown);
        }
        free(s->values);
        s->values = grown;
        s->room = room;
    }
    s->values[s->count++] = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static struct lab_spread spread_of(struct lab_samples *s)
{
    struct lab_spread out = {.count = s->count};
    uint64_t sum = 0;

    if (s->count == 0)
        return out;
    qsort(s->values, s->count, sizeof *s->values, compare);
    for (size_t i = 0; i < s->count; i++) {
        sum += s->values[i];
    }
    out.mean = sum / s->count;
    out.p50 = s->values[(s->count - 1) * 50 / 100];
    out.p95 = s->values[(s->count - 1) * 95 / 100];
    out.p99 = s->values[(s->count - 1) * 99 / 100];
    out.max = s->values[s->count - 1];
    return out;
}

/* --- while it runs --- */

void lab_received(struct lab_world *w, struct lab_running *f, uint64_t len)
{
    struct lab_flow_figures *r = f->figures;
    const uint64_t at = w->queue.now - LAB_START_AT;
    const size_t bucket = (size_t)(at / LAB_BUCKET_US);

    if (len == 0)
        return;
    if (r->bytes == 0) {
        r->first_byte_us = at - r->began_us;
    }
    r->bytes += len;
    if (bucket < w->out->bucket_count) {
        r->buckets[bucket] += (uint32_t)len;
    }
}

void lab_ended(struct lab_world *w, struct lab_running *f)
{
    f->over = true;
    f->figures->ended_us = w->queue.now - LAB_START_AT - f->figures->began_us;
}

static struct lab_address *address(struct lab_pair *pair, const struct wf_addr *remote)
{
    for (size_t i = 0; i < pair->address_count; i++) {
        if (wf_addr_equal(&pair->addresses[i].remote, remote))
            return &pair->addresses[i];
    }
    if (pair->address_count == LAB_ADDRESSES_MAX)
        return NULL;
    pair->addresses[pair->address_count] = (struct lab_address){.remote = *remote};
    return &pair->addresses[pair->address_count++];
}

/* A CONFIRM answers a SOLVE that carried a cookie from that address. */
void lab_count_out(struct lab_world *w, struct lab_pair *pair, const struct lab_packet *p)
{
    struct lab_flow_figures *r = w->flows[pair->flow].figures;
    struct lab_address *a = address(pair, &p->to);
    uint64_t ratio = 0;

    if (a == NULL)
        return;
    a->answered = true;
    a->out += p->len;
    if (!a->proved) {
        r->unproved_out += p->len;
        ratio = a->in == 0 ? UINT64_MAX : a->out * SIM_PPM / a->in;
        r->unproved_worst_ppm = ratio > r->unproved_worst_ppm ? ratio : r->unproved_worst_ppm;
    }
    if (p->len > 0 && p->data[0] == WF_TYPE_CONFIRM) {
        a->proved = true;
    }
}

/* Who answers from an address has proved it: it saw what was sent there. */
void lab_count_in(struct lab_pair *pair, const struct lab_packet *p)
{
    struct lab_address *a = address(pair, &p->from);

    if (a == NULL)
        return;
    a->in += p->len;
    a->proved |= a->answered && p->len > 0 && p->data[0] >= 0x80;
}

/* --- at its end --- */

void lab_figures_init(struct lab_world *w)
{
    struct lab_figures *out = w->out;

    out->flow_count = w->plan.flow_count;
    out->bucket_count = (size_t)(w->plan.end_us / LAB_BUCKET_US) + 1;
    for (size_t i = 0; i < out->flow_count; i++) {
        out->flows[i].buckets = (uint32_t *)sim_calloc(out->bucket_count, sizeof(uint32_t));
    }
}

static void finish_pair(struct lab_world *w, struct lab_pair *pair)
{
    struct lab_flow_figures *r = w->flows[pair->flow].figures;

    for (size_t i = 0; i < 2; i++) {
        const struct lab_host *h = &pair->hosts[i];
        struct wf_core_stats stats;

        if (h->core == NULL)
            continue;
        wf_core_stats(h->core, &stats);
        r->packets_sent += stats.datagrams_out;
        r->packets_lost += stats.packets_lost;
        r->frames_resent += stats.frames_resent;
        r->broken = r->broken == NULL ? wf_core_check(h->core) : r->broken;
    }
}

static struct lab_link_figures finish_link(struct lab_world *w, unsigned down)
{
    const struct sim_link *link = &w->bottleneck[down];

    return (struct lab_link_figures){
        .queue_us = spread_of(&w->queue_us[down]),
        .bytes = w->passed_bytes[down],
        .passed = link->fates[SIM_PASSED],
        .lost = link->fates[SIM_LOST],
        .queue_full = link->fates[SIM_QUEUE_FULL],
        .marked = link->marked,
        .too_big = link->fates[SIM_TOO_BIG] + link->fates[SIM_BLACK_HOLE],
        .cut = link->fates[SIM_CUT],
    };
}

void lab_figures_finish(struct lab_world *w)
{
    struct lab_figures *out = w->out;

    out->ended_us = w->queue.now - LAB_START_AT;
    out->bucket_count = (size_t)(out->ended_us / LAB_BUCKET_US) + 1;
    out->events = w->turns;
    for (size_t i = 0; i < w->pair_count; i++) {
        finish_pair(w, &w->pairs[i]);
    }
    for (size_t i = 0; i < out->flow_count; i++) {
        out->flows[i].latency_us = spread_of(&w->flows[i].latency);
        out->bytes += out->flows[i].bytes;
        out->flows[i].broken = w->log.failed ? "a byte that nobody sent" : out->flows[i].broken;
    }
    for (size_t i = 0; i < out->flow_count; i++) {
        out->flows[i].share_ppm = out->bytes == 0 ? 0 : out->flows[i].bytes * SIM_PPM / out->bytes;
    }
    out->up = finish_link(w, 0);
    out->down = finish_link(w, 1);
    out->jain_ppm = lab_jain_ppm(out, 0, out->ended_us);
}

void lab_figures_free(struct lab_figures *f)
{
    for (size_t i = 0; i < f->flow_count; i++) {
        free(f->flows[i].buckets);
        f->flows[i].buckets = NULL;
    }
}

/* --- questions --- */

static uint64_t bytes_between(const struct lab_figures *f, size_t flow, uint64_t from_us,
                              uint64_t to_us)
{
    uint64_t sum = 0;

    for (size_t i = (size_t)(from_us / LAB_BUCKET_US);
         i < f->bucket_count && i * LAB_BUCKET_US < to_us; i++) {
        sum += f->flows[flow].buckets[i];
    }
    return sum;
}

uint64_t lab_goodput(const struct lab_figures *f, size_t flow, uint64_t from_us, uint64_t to_us)
{
    return to_us <= from_us
               ? 0
               : bytes_between(f, flow, from_us, to_us) * 8 * 1000000 / (to_us - from_us);
}

uint64_t lab_share_ppm(const struct lab_figures *f, size_t flow, uint64_t from_us, uint64_t to_us)
{
    uint64_t all = 0;

    for (size_t i = 0; i < f->flow_count; i++) {
        all += bytes_between(f, i, from_us, to_us);
    }
    return all == 0 ? 0 : bytes_between(f, flow, from_us, to_us) * SIM_PPM / all;
}

/* Sums of kilobytes, so that squares fit. */
uint64_t lab_jain_ppm(const struct lab_figures *f, uint64_t from_us, uint64_t to_us)
{
    uint64_t sum = 0;
    uint64_t squares = 0;

    for (size_t i = 0; i < f->flow_count; i++) {
        const uint64_t kb = bytes_between(f, i, from_us, to_us) / 1000;

        sum += kb;
        squares += kb * kb;
    }
    return squares == 0 ? 0 : sum * SIM_PPM / f->flow_count * sum / squares;
}
