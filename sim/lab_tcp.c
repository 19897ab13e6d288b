/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_tcp.c - a competitor that fills its queue: a model of the TCP in today's kernels. CUBIC by
 * the arithmetic of RFC 9438 with fast convergence, slow start with HyStart's delay test, windows
 * clocked by ACKs and not paced, delayed ACKs (2 segments or 40 ms), SACK with three blocks, loss
 * found by three later transmissions (so that lost retransmissions are found too, as RACK finds
 * them), timeout by RFC 6298 with at least 200 ms.
 *
 * Left out: the handshake (a connection stands when it begins), receive windows, ECN, tail loss
 * probes, proportional rate reduction (the window falls at once), undoing of needless reductions,
 * segmentation offload, HyStart's ACK train. It must never read what the transport under test does:
 * it shares no arithmetic with it.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab_priv.h"

#define MSS 1448u
#define DATA_SIZE 1500u
#define ACK_SIZE 52u
#define SACK_SIZE 76u
#define RING 131072u
#define ONE 1024u /* segment of a window */
#define WINDOW_FIRST 10u
#define DUP_THRESHOLD 3u
#define RTO_LEAST_US 200000u
#define RTO_FIRST_US 1000000u
#define DELAY_ACK_US 40000u
#define EPOCH_MAX_MS 100000
#define HYSTART_SAMPLES 8u
#define HYSTART_WINDOW 16u

struct sent_segment {
    uint64_t transmission; /* numbers count every sending */
    bool sacked, lost;
};

struct lab_tcp {
    /* the sender */
    struct sent_segment sent[RING];
    uint64_t una, next, total;
    uint64_t sacked_count, lost_count; /* lost and not sent again */
    uint64_t transmissions, newest;    /* the highest transmission that arrived */
    uint64_t window, ssthresh;         /* in ONE */
    bool recovers;
    uint64_t recovery_end;
    /* the cubic */
    bool has_epoch;
    weft_time epoch_at;
    uint64_t w_max, w_est, w_prior, k_ms;
    /* time */
    uint64_t srtt_us, rttvar_us, rtt_min_us;
    unsigned backoff;
    weft_time rto_at, timer_at;
    uint64_t round_end, round_rtt_us, round_samples;
    uint64_t packets, lost_total;
    /* the receiver */
    bool got[RING];
    uint64_t expected, highest;
    unsigned unacked;
    weft_time ack_at;
    uint64_t echo_at;
    struct lab_sack sacks[LAB_TCP_SACKS];
};

static void emit(struct lab_world *w, struct lab_running *f, const struct lab_segment *s)
{
    struct lab_packet *p = lab_packet_new(NULL, 0);

    p->is_tcp = true;
    p->pair = (uint32_t)(f->pair - w->pairs);
    p->is_down = f->plan->down != s->is_ack;
    p->segment = *s;
    p->size = DATA_SIZE;
    if (s->is_ack) {
        p->size = s->sacks[0].end > 0 ? SACK_SIZE : ACK_SIZE;
    }
    (void)lab_carry(w, p);
}

/* --- the cubic --- */

/* Floor of the cube root. */
static uint64_t cube_root(uint64_t v)
{
    uint64_t low = 0;
    uint64_t high = 1u << 21;

    while (low + 1 < high) {
        const uint64_t middle = (low + high) / 2;

        if (middle * middle * middle <= v) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint64_t cubic_at(const struct lab_tcp *t, uint64_t ms)
{
    int64_t dt = (int64_t)ms - (int64_t)t->k_ms;

    dt = dt > EPOCH_MAX_MS ? EPOCH_MAX_MS : dt;
    dt = dt < -EPOCH_MAX_MS ? -EPOCH_MAX_MS : dt;

    const int64_t grown = (int64_t)t->w_max + dt * dt * dt * 4 / 10 / 1000000 * ONE / 1000;

    return grown < 2 * (int64_t)ONE ? 2 * ONE : (uint64_t)grown;
}

static void begin_epoch(struct lab_tcp *t, weft_time now)
{
    t->has_epoch = true;
    t->epoch_at = now;
    t->w_est = t->window;
    if (t->window < t->w_max) {
        t->k_ms = cube_root((t->w_max - t->window) * 5 / 2 * 1000000 / ONE * 1000);
    } else {
        t->k_ms = 0;
        t->w_max = t->window;
    }
}

static void avoid_congestion(struct lab_tcp *t, weft_time now, uint64_t acked)
{
    if (!t->has_epoch) {
        begin_epoch(t, now);
    }

    const uint64_t ms = (now - t->epoch_at) / 1000;
    const uint64_t now_cubic = cubic_at(t, ms);
    uint64_t target = cubic_at(t, ms + t->srtt_us / 1000);

    /* As Reno would grow, once the window of the last loss is reached; before it 9/17 of that. */
    t->w_est += acked * ONE * ONE / t->window * (t->w_est < t->w_prior ? 9 : 17) / 17;
    if (now_cubic < t->w_est) {
        t->window = t->w_est > t->window ? t->w_est : t->window;
        return;
    }
    target = target < t->window ? t->window : target;
    target = target > t->window * 3 / 2 ? t->window * 3 / 2 : target;
    t->window += (target - t->window) * acked * ONE / t->window;
}

static void reduce(struct lab_tcp *t)
{
    t->w_prior = t->window;
    t->w_max = t->window < t->w_max ? t->window * 17 / 20 : t->window;
    t->ssthresh = t->window * 7 / 10;
    t->ssthresh = t->ssthresh < 2 * ONE ? 2 * ONE : t->ssthresh;
    t->has_epoch = false;
}

/* Leaves slow start where the round trip has grown by an eighth. */
static void hystart(struct lab_tcp *t, uint64_t rtt_us)
{
    uint64_t margin = t->rtt_min_us / 8;

    margin = margin < 4000 ? 4000 : margin > 16000 ? 16000 : margin;
    if (t->una >= t->round_end) {
        t->round_end = t->next;
        t->round_rtt_us = UINT64_MAX;
        t->round_samples = 0;
    }
    if (t->round_samples++ < HYSTART_SAMPLES && rtt_us < t->round_rtt_us) {
        t->round_rtt_us = rtt_us;
    }
    if (t->round_samples == HYSTART_SAMPLES && t->window >= HYSTART_WINDOW * ONE &&
        t->round_rtt_us >= t->rtt_min_us + margin) {
        t->ssthresh = t->window;
    }
}

static void grow(struct lab_tcp *t, weft_time now, uint64_t acked, uint64_t rtt_us)
{
    if (t->recovers)
        return;
    if (t->window < t->ssthresh) {
        if (rtt_us > 0) {
            hystart(t, rtt_us);
        }
        t->window += acked * ONE;
    } else {
        avoid_congestion(t, now, acked);
    }
}

/* --- the sender --- */

static uint64_t rto_us(const struct lab_tcp *t)
{
    uint64_t us = t->srtt_us == 0 ? RTO_FIRST_US : t->srtt_us + 4 * t->rttvar_us;

    us = us < RTO_LEAST_US ? RTO_LEAST_US : us;
    return us << (t->backoff > 6 ? 6 : t->backoff);
}

static void arm(struct lab_world *w, struct lab_running *f)
{
    struct lab_tcp *t = f->tcp;

    t->rto_at = t->una == t->next ? WEFT_TIME_NEVER : w->queue.now + rto_us(t);
    if (t->rto_at < t->timer_at) {
        t->timer_at = t->rto_at;
        lab_push(w, t->timer_at, LAB_TURN_TCP, f->index);
    }
}

static void transmit(struct lab_world *w, struct lab_running *f, uint64_t number)
{
    struct lab_tcp *t = f->tcp;
    struct sent_segment *s = &t->sent[number % RING];
    const struct lab_segment segment = {.number = number, .sent_at = w->queue.now};

    t->lost_count -= s->lost;
    s->lost = false;
    s->transmission = ++t->transmissions;
    t->packets++;
    emit(w, f, &segment);
}

/* The first lost one from `from` on, or next. */
static uint64_t find_lost(const struct lab_tcp *t, uint64_t from)
{
    while (from < t->next && !t->sent[from % RING].lost) {
        from++;
    }
    return from;
}

static void send_some(struct lab_world *w, struct lab_running *f)
{
    struct lab_tcp *t = f->tcp;
    uint64_t at = t->una;
    const bool was_empty = t->una == t->next;

    while ((t->next - t->una - t->sacked_count - t->lost_count) * ONE + ONE <= t->window) {
        if (t->lost_count > 0) {
            at = find_lost(t, at);
            transmit(w, f, at);
        } else if (t->next < t->total && t->next - t->una < RING - 1) {
            t->sent[t->next % RING] = (struct sent_segment){0};
            t->next++;
            transmit(w, f, t->next - 1);
        } else {
            break;
        }
    }
    if (was_empty) {
        arm(w, f);
    }
}

static void take_rtt(struct lab_tcp *t, uint64_t us)
{
    const uint64_t off = us > t->srtt_us ? us - t->srtt_us : t->srtt_us - us;

    if (t->srtt_us == 0) {
        t->srtt_us = us;
        t->rttvar_us = us / 2;
        t->rtt_min_us = us;
        return;
    }
    t->rttvar_us = (3 * t->rttvar_us + off) / 4;
    t->srtt_us = (7 * t->srtt_us + us) / 8;
    t->rtt_min_us = us < t->rtt_min_us ? us : t->rtt_min_us;
}

static uint64_t arrived(struct lab_tcp *t, uint64_t number)
{
    struct sent_segment *s = &t->sent[number % RING];

    if (s->sacked)
        return 0;
    t->lost_count -= s->lost;
    s->lost = false;
    t->newest = s->transmission > t->newest ? s->transmission : t->newest;
    return 1;
}

static void take_sacks(struct lab_tcp *t, const struct lab_segment *a)
{
    for (size_t i = 0; i < LAB_TCP_SACKS; i++) {
        uint64_t n = a->sacks[i].first < t->una ? t->una : a->sacks[i].first;

        for (; n < a->sacks[i].end && n < t->next; n++) {
            const uint64_t fresh = arrived(t, n);

            t->sacked_count += fresh;
            t->sent[n % RING].sacked = true;
        }
    }
}

static void find_losses(struct lab_tcp *t)
{
    bool any = false;

    for (uint64_t n = t->una; n < t->next && t->sacked_count > 0; n++) {
        struct sent_segment *s = &t->sent[n % RING];

        if (s->sacked || s->lost || s->transmission + DUP_THRESHOLD > t->newest)
            continue;
        s->lost = true;
        t->lost_count++;
        t->lost_total++;
        any = true;
    }
    if (any && !t->recovers) {
        t->recovers = true;
        t->recovery_end = t->next;
        reduce(t);
        t->window = t->ssthresh;
    }
}

static void on_ack(struct lab_world *w, struct lab_running *f, const struct lab_segment *a)
{
    struct lab_tcp *t = f->tcp;
    const uint64_t acked = a->number > t->una ? a->number - t->una : 0;
    const uint64_t rtt_us = a->sent_at == 0 ? 0 : w->queue.now - a->sent_at;

    for (uint64_t n = t->una; n < a->number; n++) {
        (void)arrived(t, n);
        t->sacked_count -= t->sent[n % RING].sacked;
    }
    t->una = a->number > t->una ? a->number : t->una;
    if (acked > 0) {
        t->backoff = 0;
        if (rtt_us > 0) {
            take_rtt(t, rtt_us);
        }
    }
    take_sacks(t, a);
    if (t->recovers && t->una >= t->recovery_end) {
        t->recovers = false;
    }
    find_losses(t);
    if (acked > 0) {
        grow(t, w->queue.now, acked, rtt_us);
        arm(w, f);
    }
    send_some(w, f);
}

static void on_timeout(struct lab_world *w, struct lab_running *f)
{
    struct lab_tcp *t = f->tcp;

    for (uint64_t n = t->una; n < t->next; n++) {
        struct sent_segment *s = &t->sent[n % RING];

        t->lost_count += !s->sacked && !s->lost;
        t->lost_total += !s->sacked && !s->lost;
        s->lost = !s->sacked;
    }
    if (t->backoff++ == 0) {
        reduce(t);
    }
    t->window = ONE;
    t->recovers = false;
    send_some(w, f);
    arm(w, f);
}

/* --- the receiver --- */

static void send_ack(struct lab_world *w, struct lab_running *f)
{
    struct lab_tcp *t = f->tcp;
    struct lab_segment a = {.is_ack = true, .number = t->expected, .sent_at = t->echo_at};
    size_t count = 0;

    for (size_t i = 0; i < LAB_TCP_SACKS; i++) {
        if (t->sacks[i].first >= t->expected && t->sacks[i].end > 0) {
            a.sacks[count++] = t->sacks[i];
        }
    }
    t->unacked = 0;
    t->echo_at = 0;
    t->ack_at = WEFT_TIME_NEVER;
    emit(w, f, &a);
}

/* The block around a segment that came out of order becomes the first. */
static void note_block(struct lab_tcp *t, uint64_t number)
{
    struct lab_sack b = {number, number + 1};
    struct lab_sack old[LAB_TCP_SACKS];
    size_t count = 1;

    while (b.first > t->expected && t->got[(b.first - 1) % RING]) {
        b.first--;
    }
    while (b.end <= t->highest && t->got[b.end % RING]) {
        b.end++;
    }
    memcpy(old, t->sacks, sizeof old);
    t->sacks[0] = b;
    for (size_t i = 0; i < LAB_TCP_SACKS && count < LAB_TCP_SACKS; i++) {
        if (old[i].end > 0 && (old[i].end <= b.first || old[i].first >= b.end)) {
            t->sacks[count++] = old[i];
        }
    }
    for (; count < LAB_TCP_SACKS; count++) {
        t->sacks[count] = (struct lab_sack){0};
    }
}

static void deliver(struct lab_world *w, struct lab_running *f)
{
    struct lab_tcp *t = f->tcp;
    const uint64_t before = t->expected;

    while (t->got[t->expected % RING]) {
        t->got[t->expected % RING] = false;
        t->expected++;
    }
    if (t->expected == before)
        return;

    uint64_t bytes = (t->expected - before) * MSS;
    const uint64_t left = f->plan->bytes - f->figures->bytes;

    if (f->plan->bytes > 0 && bytes > left) {
        bytes = left; /* the last segment is shorter, though not on the wire */
    }
    lab_received(w, f, bytes);
    if (t->expected >= t->total && !f->over) {
        f->figures->done = true;
        lab_ended(w, f);
    }
}

static void on_data(struct lab_world *w, struct lab_running *f, const struct lab_segment *s)
{
    struct lab_tcp *t = f->tcp;
    const bool had_hole = t->highest >= t->expected && t->sacks[0].end > t->expected;

    if (t->echo_at == 0) {
        t->echo_at = s->sent_at;
    }
    if (s->number < t->expected || t->got[s->number % RING]) {
        send_ack(w, f); /* came before */
        return;
    }
    t->got[s->number % RING] = true;
    t->highest = s->number > t->highest ? s->number : t->highest;
    if (s->number > t->expected) {
        note_block(t, s->number);
        send_ack(w, f);
        return;
    }
    deliver(w, f);
    if (++t->unacked >= 2 || had_hole || f->over) {
        send_ack(w, f);
    } else {
        t->ack_at = w->queue.now + DELAY_ACK_US;
        lab_push(w, t->ack_at, LAB_TURN_TCP, f->index + LAB_TCP_RECEIVER);
    }
}

/* --- from outside --- */

void lab_tcp_begin(struct lab_world *w, struct lab_running *f)
{
    struct lab_tcp *t = (struct lab_tcp *)sim_calloc(1, sizeof *t);

    f->tcp = t;
    t->total = f->plan->bytes == 0 ? UINT64_MAX : (f->plan->bytes + MSS - 1) / MSS;
    t->window = WINDOW_FIRST * ONE;
    t->ssthresh = UINT64_MAX;
    t->timer_at = WEFT_TIME_NEVER;
    t->rto_at = WEFT_TIME_NEVER;
    t->ack_at = WEFT_TIME_NEVER;
    send_some(w, f);
}

void lab_tcp_stop(struct lab_world *w, struct lab_running *f)
{
    f->tcp->total = f->tcp->next;
    if (f->tcp->expected >= f->tcp->total && !f->over) {
        f->figures->done = true;
        lab_ended(w, f);
    }
}

void lab_tcp_arrive(struct lab_world *w, struct lab_running *f, const struct lab_packet *p)
{
    if (p->segment.is_ack) {
        on_ack(w, f, &p->segment);
    } else {
        on_data(w, f, &p->segment);
    }
    f->figures->packets_sent = f->tcp->packets;
    f->figures->packets_lost = f->tcp->lost_total;
}

void lab_tcp_timer(struct lab_world *w, struct lab_running *f, bool receiver, weft_time at)
{
    struct lab_tcp *t = f->tcp;

    if (receiver) {
        if (at == t->ack_at) {
            send_ack(w, f);
        }
        return;
    }
    if (at != t->timer_at)
        return;
    t->timer_at = WEFT_TIME_NEVER;
    if (t->rto_at == WEFT_TIME_NEVER)
        return;
    if (t->rto_at > w->queue.now) {
        t->timer_at = t->rto_at;
        lab_push(w, t->timer_at, LAB_TURN_TCP, f->index);
        return;
    }
    on_timeout(w, f);
}

void lab_tcp_free(struct lab_running *f)
{
    free(f->tcp);
    f->tcp = NULL;
}
