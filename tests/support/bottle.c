/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bottle.c - see bottle.h.
 */
#include "support/bottle.h"

#include "test.h"

#define PROBE_US 500u
#define STEP_US 25u

struct bottle *bottle_new(uint64_t bits_per_s, uint64_t buffer_us)
{
    struct bottle *b = calloc(1, sizeof *b);

    if (b == NULL)
        abort();
    b->rate = bits_per_s / 8;
    b->buffer = b->rate * buffer_us / 1000000;
    b->now = 1000000;
    b->probe_at = b->now;
    b->measured_from = b->now;
    b->rng = 1;
    return b;
}

void bottle_free(struct bottle *b)
{
    for (size_t k = 0; k < b->count; k++)
        free(b->flows[k].ring);
    free(b);
}

struct bottle_flow *bottle_add(struct bottle *b, enum wf_cc_kind kind, uint64_t rtt_us,
                               uint64_t start_us)
{
    CHECK(b->count < BOTTLE_FLOWS);
    struct bottle_flow *f = &b->flows[b->count++];

    f->kind = kind;
    f->rtt_us = rtt_us;
    f->start_at = b->measured_from + start_us;
    f->end_at = WEFT_TIME_NEVER;
    f->send_at = f->start_at;
    f->ring = calloc(BOTTLE_FLIGHT, sizeof *f->ring);
    if (f->ring == NULL)
        abort();
    wf_cc_init(&f->cc, kind, BOTTLE_DATAGRAM);
    wf_rtt_init(&f->rtt, 25000);
    wf_rate_init(&f->rate);
    wf_pacer_init(&f->pacer, b->now, BOTTLE_DATAGRAM);
    return f;
}

static uint64_t backlog(const struct bottle *b)
{
    const uint64_t now_ns = b->now * 1000;

    return b->free_ns > now_ns ? (b->free_ns - now_ns) / 1000 : 0;
}

static void send_one(struct bottle *b, struct bottle_flow *f)
{
    struct bottle_packet *p = &f->ring[f->next % BOTTLE_FLIGHT];
    const uint64_t queued = backlog(b) * b->rate / 1000000;
    const weft_time before =
        f->next > f->low ? f->ring[(f->next - 1) % BOTTLE_FLIGHT].due_at : b->now;

    CHECK(f->next - f->low < BOTTLE_FLIGHT);
    *p = (struct bottle_packet){.sent_at = b->now};
    p->stamp = wf_rate_on_sent(&f->rate, b->now, f->in_flight, BOTTLE_DATAGRAM);
    p->is_lost = queued + BOTTLE_DATAGRAM > b->buffer || test_next(&b->rng) % 1000000 < b->loss_ppm;
    p->is_marked = b->mark_above > 0 && queued > b->mark_above;
    if (!p->is_lost) {
        b->free_ns = (b->free_ns > b->now * 1000 ? b->free_ns : b->now * 1000) +
                     BOTTLE_DATAGRAM * 1000000000ull / b->rate;
    }
    p->due_at = b->now + backlog(b) + f->rtt_us;
    p->due_at += b->jitter_us > 0 ? test_next(&b->rng) % b->jitter_us : 0;
    p->due_at += b->slot_us > 0 ? b->slot_us - p->due_at % b->slot_us : 0;
    p->due_at = p->due_at > before ? p->due_at : before;
    f->next++;
    f->in_flight += BOTTLE_DATAGRAM;
    wf_cc_on_sent(&f->cc, &(struct wf_cc_sent){
                              .now = b->now, .bytes = BOTTLE_DATAGRAM, .in_flight = f->in_flight});
    wf_pacer_on_sent(&f->pacer, b->now, BOTTLE_DATAGRAM);
}

static void send_some(struct bottle *b, struct bottle_flow *f)
{
    wf_pacer_set(&f->pacer, b->now, wf_cc_pacing_rate(&f->cc, &f->rtt), BOTTLE_DATAGRAM);
    for (;;) {
        f->send_at = WEFT_TIME_NEVER;
        if (b->now >= f->end_at)
            return;
        if (wf_cc_room(&f->cc, f->in_flight) < BOTTLE_DATAGRAM) {
            wf_pacer_rest(&f->pacer);
            return;
        }
        if (wf_pacer_room(&f->pacer, b->now) < BOTTLE_DATAGRAM) {
            f->send_at = wf_pacer_wait(&f->pacer, b->now);
            return;
        }
        send_one(b, f);
    }
}

static void take_loss(struct bottle *b, struct bottle_flow *f, const struct bottle_packet *p)
{
    f->lost += BOTTLE_DATAGRAM;
    wf_rate_on_lost(&f->rate, BOTTLE_DATAGRAM);
    wf_cc_on_lost(&f->cc,
                  &(struct wf_cc_lost){.now = b->now,
                                       .newest_at = p->sent_at,
                                       .packets = 1,
                                       .bytes = BOTTLE_DATAGRAM,
                                       .in_flight = f->in_flight,
                                       .sent_in_flight = p->stamp.in_flight,
                                       .lost_since = wf_rate_lost_since(&f->rate, &p->stamp)});
}

static void take_ack(struct bottle *b, struct bottle_flow *f, const struct bottle_packet *p)
{
    struct wf_cc_ack a = {.now = b->now,
                          .newest_at = p->sent_at,
                          .newest = f->low,
                          .next = f->next,
                          .bytes = f->waiting,
                          .rtt_us = b->now - p->sent_at,
                          .in_flight = f->in_flight,
                          .lost = f->lost};
    const struct wf_rate_acked r = {
        .now = b->now, .sent_at = p->sent_at, .bytes = f->waiting, .stamp = p->stamp};

    wf_rtt_sample(&f->rtt, b->now, a.rtt_us, 0);
    a.srtt_us = wf_rtt_smoothed(&f->rtt);
    wf_rate_on_ack(&f->rate, &r, &a.rate);
    f->delivered += f->waiting;
    f->waiting = 0;
    f->lost = 0;
    wf_cc_on_ack(&f->cc, &a);
}

/* Every second packet is acknowledged. */
static void take_news(struct bottle *b, struct bottle_flow *f)
{
    const struct bottle_packet *p = &f->ring[f->low % BOTTLE_FLIGHT];

    f->in_flight -= BOTTLE_DATAGRAM;
    if (p->is_lost) {
        take_loss(b, f, p);
    } else {
        f->waiting += BOTTLE_DATAGRAM;
        if (p->is_marked)
            wf_cc_on_lost(&f->cc, &(struct wf_cc_lost){.now = b->now,
                                                       .newest_at = p->sent_at,
                                                       .marks = 1,
                                                       .in_flight = f->in_flight,
                                                       .is_ce = true});
        if (f->low % 2 == 1 || p->is_marked)
            take_ack(b, f, p);
    }
    f->low++;
    send_some(b, f);
}

static weft_time news_at(const struct bottle_flow *f)
{
    return f->low < f->next ? f->ring[f->low % BOTTLE_FLIGHT].due_at : WEFT_TIME_NEVER;
}

static void look(struct bottle *b)
{
    const uint64_t step = backlog(b) / STEP_US;

    b->queue_hist[step < WF_ARRAY_LEN(b->queue_hist) ? step : WF_ARRAY_LEN(b->queue_hist) - 1]++;
    b->probes++;
    b->probe_at += PROBE_US;
}

static weft_time event_of(const struct bottle_flow *f)
{
    const weft_time news = news_at(f);

    return news < f->send_at ? news : f->send_at;
}

void bottle_run(struct bottle *b, weft_time until)
{
    for (;;) {
        struct bottle_flow *first = NULL;
        weft_time at = b->probe_at;

        for (size_t k = 0; k < b->count; k++) {
            if (event_of(&b->flows[k]) < at) {
                first = &b->flows[k];
                at = event_of(first);
            }
        }
        if (at > until)
            return;
        b->now = at > b->now ? at : b->now;
        if (first == NULL) {
            look(b);
        } else if (news_at(first) <= at) {
            take_news(b, first);
        } else {
            send_some(b, first);
        }
    }
}

void bottle_measure(struct bottle *b)
{
    for (size_t k = 0; k < b->count; k++)
        b->flows[k].delivered = 0;
    for (size_t k = 0; k < WF_ARRAY_LEN(b->queue_hist); k++)
        b->queue_hist[k] = 0;
    b->probes = 0;
    b->measured_from = b->now;
}

static uint64_t total(const struct bottle *b)
{
    uint64_t sum = 0;

    for (size_t k = 0; k < b->count; k++)
        sum += b->flows[k].delivered;
    return sum;
}

uint64_t bottle_used(const struct bottle *b)
{
    return total(b) * 100 / (b->rate * ((b->now - b->measured_from) / 1000) / 1000);
}

uint64_t bottle_share(const struct bottle *b, size_t flow)
{
    const uint64_t sum = total(b);

    return sum > 0 ? b->flows[flow].delivered * 100 / sum : 0;
}

uint64_t bottle_jain(const struct bottle *b)
{
    double sum = 0;
    double squares = 0;

    for (size_t k = 0; k < b->count; k++) {
        sum += (double)b->flows[k].delivered;
        squares += (double)b->flows[k].delivered * (double)b->flows[k].delivered;
    }
    return squares > 0 ? (uint64_t)(sum * sum * 1000 / ((double)b->count * squares)) : 0;
}

uint64_t bottle_queue_us(const struct bottle *b, uint64_t per_mille)
{
    uint64_t seen = 0;

    for (size_t k = 0; k < WF_ARRAY_LEN(b->queue_hist); k++) {
        seen += b->queue_hist[k];
        if (seen * 1000 >= b->probes * per_mille)
            return (k + 1) * STEP_US;
    }
    return UINT64_MAX;
}
