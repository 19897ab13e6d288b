/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_path_test.c - controllers at work on a modelled path, in virtual time: one bottleneck with a
 * queue of so many bytes, a delay, and losses that come of themselves. Controller, pacer and
 * sampler of the delivery rate are real, senders always have something to send.
 */
#include <stdio.h>

#include "transport/cc.h"
#include "transport/pacer.h"

#include "test.h"

#define LEN 1200u
#define FLIGHT 65536u /* packets */
#define FLOWS 4u
#define SECOND 1000000u
#define WITHIN 3u /* packets acknowledged behind a missing one, until it is lost */

struct path {
    uint64_t rate; /* bytes a second */
    uint64_t rtt_us;
    uint64_t queue;      /* bytes */
    uint64_t loss_ppm;   /* behind the queue */
    uint64_t mark_above; /* bytes of queue; 0: never */
    uint64_t ack_every;  /* packets that one ACK tells of */
};

struct packet {
    weft_time sent_at, back_at; /* back_at WEFT_TIME_NEVER: lost */
    struct wf_rate_stamp stamp;
    bool is_marked;
};

struct flow {
    struct wf_cc cc;
    struct wf_rate rate;
    struct wf_pacer pacer;
    struct wf_rtt rtt;
    uint64_t low, next; /* packets in flight, or lost and not known to be */
    uint64_t taken;     /* below it are no acknowledgements to come */
    uint64_t in_flight;
    uint64_t acked, lost; /* bytes of the whole run */
    weft_time send_at;
    struct packet *ring;
};

static struct path path;
static struct flow flows[FLOWS];
static size_t count;
static weft_time now;
static uint64_t free_ns; /* the queue is empty by then */
static uint64_t seed, queue_max, queue_sum, queue_samples;

static void begin_flow(size_t i, enum wf_cc_kind kind)
{
    struct flow *f = &flows[i];

    *f = (struct flow){.next = 1, .low = 1, .send_at = now};
    wf_cc_init(&f->cc, kind, LEN);
    wf_rate_init(&f->rate);
    wf_pacer_init(&f->pacer, now, LEN);
    wf_rtt_init(&f->rtt, 0);
    f->ring = malloc(FLIGHT * sizeof *f->ring);
}

static void begin(const struct path *p, const enum wf_cc_kind *kinds, size_t n)
{
    path = *p;
    count = n;
    now = SECOND;
    free_ns = 0;
    seed = test_seed();
    for (size_t i = 0; i < n; i++) {
        begin_flow(i, kinds[i]);
    }
}

static void end(void)
{
    for (size_t i = 0; i < count; i++) {
        free(flows[i].ring);
    }
}

static uint64_t queued(void)
{
    return free_ns > now * 1000 ? (free_ns - now * 1000) / 1000 * path.rate / SECOND : 0;
}

/* Through the bottleneck and back. */
static void carry(struct packet *p)
{
    const uint64_t q = queued();

    p->back_at = WEFT_TIME_NEVER;
    p->is_marked = path.mark_above != 0 && q > path.mark_above;
    if (q + LEN > path.queue)
        return;
    free_ns = (free_ns > now * 1000 ? free_ns : now * 1000) + LEN * 1000ull * SECOND / path.rate;
    if (test_next(&seed) % 1000000 >= path.loss_ppm) {
        p->back_at = free_ns / 1000 + path.rtt_us;
    }
    queue_max = q > queue_max ? q : queue_max;
    queue_sum += q;
    queue_samples++;
}

static void send_one(struct flow *f)
{
    struct packet *p = &f->ring[f->next % FLIGHT];

    p->sent_at = now;
    p->stamp = wf_rate_on_sent(&f->rate, now, f->in_flight, LEN);
    f->in_flight += LEN;
    f->next++;
    carry(p);
    wf_cc_on_sent(&f->cc,
                  &(struct wf_cc_sent){.now = now, .bytes = LEN, .in_flight = f->in_flight});
    wf_pacer_on_sent(&f->pacer, now, LEN);
}

static void send_all(struct flow *f)
{
    f->send_at = WEFT_TIME_NEVER;
    while (f->next - f->low < FLIGHT && wf_cc_room(&f->cc, f->in_flight) >= LEN) {
        if (wf_pacer_room(&f->pacer, now) < LEN) {
            f->send_at = wf_pacer_wait(&f->pacer, now);
            return;
        }
        send_one(f);
    }
    wf_pacer_rest(&f->pacer);
}

/* Those before `number` that did not come are lost. */
static uint64_t find_lost(struct flow *f, uint64_t until)
{
    struct wf_cc_lost l = {.now = now};
    const struct packet *newest = NULL;

    for (; f->low < until; f->low++) {
        const struct packet *p = &f->ring[f->low % FLIGHT];

        if (p->back_at != WEFT_TIME_NEVER)
            continue;
        l.packets++;
        l.bytes += LEN;
        newest = p;
    }
    if (newest == NULL)
        return 0;
    wf_rate_on_lost(&f->rate, l.bytes);
    f->lost += l.bytes;
    f->in_flight -= l.bytes;
    l.newest_at = newest->sent_at;
    l.in_flight = f->in_flight;
    l.sent_in_flight = newest->stamp.in_flight;
    l.lost_since = wf_rate_lost_since(&f->rate, &newest->stamp);
    wf_cc_on_lost(&f->cc, &l);
    return l.bytes;
}

static uint64_t first_back(const struct flow *f, uint64_t from)
{
    while (from < f->next && f->ring[from % FLIGHT].back_at == WEFT_TIME_NEVER) {
        from++;
    }
    return from;
}

struct flow_ack {
    uint64_t bytes, newest, marks;
};

static void tell(struct flow *f, const struct flow_ack *k, uint64_t lost)
{
    const struct packet *p = &f->ring[k->newest % FLIGHT];
    const struct wf_rate_acked r = {
        .now = now, .sent_at = p->sent_at, .bytes = k->bytes, .stamp = p->stamp};
    struct wf_cc_ack a = {.now = now,
                          .newest_at = p->sent_at,
                          .newest = k->newest,
                          .next = f->next,
                          .bytes = k->bytes,
                          .rtt_us = now - p->sent_at,
                          .srtt_us = wf_rtt_smoothed(&f->rtt),
                          .in_flight = f->in_flight,
                          .lost = lost};
    const struct wf_cc_lost ce = {.now = now,
                                  .newest_at = p->sent_at,
                                  .marks = k->marks,
                                  .in_flight = f->in_flight,
                                  .sent_in_flight = p->stamp.in_flight,
                                  .is_ce = true};

    wf_rate_on_ack(&f->rate, &r, &a.rate);
    if (k->marks > 0) {
        wf_cc_on_lost(&f->cc, &ce);
    }
    wf_cc_on_ack(&f->cc, &a);
    wf_pacer_set(&f->pacer, now, wf_cc_pacing_rate(&f->cc, &f->rtt), LEN);
}

static void receive(struct flow *f)
{
    struct flow_ack k = {0};

    f->taken = f->taken > f->low ? f->taken : f->low;
    for (uint64_t n = first_back(f, f->taken); n < f->next; n = first_back(f, n + 1)) {
        const struct packet *p = &f->ring[n % FLIGHT];

        if (p->back_at > now)
            break;
        k.bytes += LEN;
        k.marks += p->is_marked;
        k.newest = n;
        f->taken = n + 1;
    }
    if (k.bytes == 0)
        return;
    f->in_flight -= k.bytes;
    f->acked += k.bytes;
    wf_rtt_sample(&f->rtt, now, now - f->ring[k.newest % FLIGHT].sent_at, 0);
    const uint64_t lost = find_lost(f, k.newest > WITHIN ? k.newest - WITHIN + 1 : 0);

    tell(f, &k, lost);
}

static weft_time next_ack(const struct flow *f)
{
    const uint64_t from = f->taken > f->low ? f->taken : f->low;
    uint64_t n = first_back(f, from);

    if (n >= f->next)
        return f->in_flight > 0 ? f->ring[(f->next - 1) % FLIGHT].sent_at + 2 * path.rtt_us
                                : WEFT_TIME_NEVER;
    weft_time at = f->ring[n % FLIGHT].back_at;

    for (uint64_t more = 1; more < path.ack_every; more++) {
        n = first_back(f, n + 1);
        if (n >= f->next)
            break;
        at = f->ring[n % FLIGHT].back_at;
    }
    return at;
}

static void step_flow(struct flow *f)
{
    receive(f);
    if (f->in_flight > 0 && first_back(f, f->taken > f->low ? f->taken : f->low) >= f->next &&
        now >= f->ring[(f->next - 1) % FLIGHT].sent_at + 2 * path.rtt_us) {
        (void)find_lost(f, f->next);
    }
    send_all(f);
}

static void run(uint64_t us)
{
    const weft_time until = now + us;

    for (;;) {
        weft_time at = until;

        for (size_t i = 0; i < count; i++) {
            const weft_time ack = next_ack(&flows[i]);

            at = ack < at ? ack : at;
            at = flows[i].send_at < at ? flows[i].send_at : at;
        }
        now = at > now ? at : now;
        if (now >= until)
            return;
        for (size_t i = 0; i < count; i++) {
            if (flows[i].send_at <= now || next_ack(&flows[i]) <= now) {
                step_flow(&flows[i]);
            }
        }
    }
}

/* Bytes that arrived in so many seconds, of what the path carries, in thousandths. */
static uint64_t used_in(uint64_t seconds)
{
    uint64_t before = 0;
    uint64_t after = 0;

    for (size_t i = 0; i < count; i++) {
        before += flows[i].acked;
    }
    run(seconds * SECOND);
    for (size_t i = 0; i < count; i++) {
        after += flows[i].acked;
    }
    return (after - before) * 1000 / (path.rate * seconds);
}

static void begin_one(const struct path *p, enum wf_cc_kind kind)
{
    begin(p, &kind, 1);
}

/* SPEC 4.2-7 */
TEST(a_long_fat_path_that_loses_one_of_a_hundred_is_filled_from_the_third_second_on)
{
    static const uint64_t queues[] = {12500000, 6250000, 2500000};

    for (size_t i = 0; i < WF_ARRAY_LEN(queues); i++) {
        const struct path p = {.rate = 125000000,
                               .rtt_us = 100000,
                               .queue = queues[i],
                               .loss_ppm = 10000,
                               .ack_every = 8};

        begin_one(&p, WF_CC_BBR);
        (void)used_in(2);
        CHECK_LE(900, used_in(1));
        CHECK_LE(900, used_in(7));
        CHECK_LE(900, used_in(20));
        end();
    }
}

/* SPEC 4.2-8 */
TEST(random_losses_up_to_five_of_a_hundred_leave_most_of_a_path_in_use)
{
    static const struct {
        uint64_t rate, rtt_us, loss_ppm, least;
    } rows[] = {
        {125000000, 100000, 50000, 800}, {12500000, 30000, 30000, 800},
        {1250000, 40000, 50000, 750},    {1250000, 40000, 10000, 900},
        {125000, 200000, 10000, 850},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        const struct path p = {.rate = rows[i].rate,
                               .rtt_us = rows[i].rtt_us,
                               .queue = rows[i].rate * rows[i].rtt_us / SECOND * 2,
                               .loss_ppm = rows[i].loss_ppm,
                               .ack_every = 4};

        test_note("row %zu", i);
        begin_one(&p, WF_CC_BBR);
        (void)used_in(5);
        CHECK_LE(rows[i].least, used_in(40));
        end();
    }
}

TEST(a_queue_stays_short_while_the_path_is_full)
{
    const struct path p = {.rate = 1250000, .rtt_us = 40000, .queue = 500000, .ack_every = 2};

    begin_one(&p, WF_CC_BBR);
    (void)used_in(3);
    queue_max = 0;
    CHECK_LE(950, used_in(30));
    CHECK_LE(queue_max, 50000); /* one round trip; CUBIC fills all of it */
    CHECK_EQ(flows[0].lost, 0);
    end();
}

TEST(marks_keep_the_queue_at_the_height_where_they_begin)
{
    const struct path p = {
        .rate = 1250000, .rtt_us = 40000, .queue = 500000, .mark_above = 12000, .ack_every = 2};

    begin_one(&p, WF_CC_BBR);
    (void)used_in(3);
    queue_max = 0;
    CHECK_LE(900, used_in(30));
    CHECK_LE(queue_max, 30000);
    CHECK_LE(1, flows[0].cc.reductions);
    end();
}

static uint64_t jain(void)
{
    uint64_t sum = 0;
    uint64_t squares = 0;

    for (size_t i = 0; i < count; i++) {
        const uint64_t kb = flows[i].acked / 1000;

        sum += kb;
        squares += kb * kb;
    }
    return sum * sum * 1000 / (count * squares);
}

TEST(four_flows_share_a_path_evenly)
{
    static const enum wf_cc_kind kinds[] = {WF_CC_BBR, WF_CC_BBR, WF_CC_BBR, WF_CC_BBR};
    static const struct path paths[] = {
        {.rate = 1250000, .rtt_us = 40000, .queue = 100000, .ack_every = 2},
        {.rate = 12500000, .rtt_us = 20000, .queue = 500000, .ack_every = 2},
        {.rate = 12500000, .rtt_us = 20000, .queue = 50000, .ack_every = 2},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(paths); i++) {
        begin(&paths[i], kinds, 4);
        CHECK_LE(930, used_in(60));
        CHECK_LE(950, jain());
        end();
    }
}

/* Round trips that differ a little tell chance from a rule. */
TEST(beside_cubic_neither_starves)
{
    static const enum wf_cc_kind kinds[] = {WF_CC_BBR, WF_CC_CUBIC};
    static const uint64_t queues[] = {25000, 50000, 100000, 200000};

    for (size_t i = 0; i < WF_ARRAY_LEN(queues); i++) {
        uint64_t share = 0;

        for (uint64_t k = 0; k < 5; k++) {
            const struct path p = {
                .rate = 1250000, .rtt_us = 40000 - 500 * k, .queue = queues[i], .ack_every = 2};

            begin(&p, kinds, 2);
            CHECK_LE(950, used_in(60));
            share += flows[0].acked * 1000 / (flows[0].acked + flows[1].acked);
            end();
        }
        CHECK_LE(300, share / 5);
        CHECK_LE(share / 5, 700);
    }
}

/* The rate changes somewhere in the cycle of probing, which takes some five seconds. SPEC 4.2-7 */
TEST(more_bandwidth_is_found_and_less_is_accepted_within_seconds)
{
    static const uint64_t queues[] = {50000, 200000, 400000};

    for (size_t i = 0; i < 8 * WF_ARRAY_LEN(queues); i++) {
        const struct path p = {
            .rate = 1250000, .rtt_us = 40000, .queue = queues[i / 8], .ack_every = 2};

        test_note("start %zu", i);
        begin_one(&p, WF_CC_BBR);
        (void)used_in(5);
        run(i % 8 * 670000);
        path.rate = 12500000;
        (void)used_in(8);
        CHECK_LE(900, used_in(10));
        run(i % 8 * 670000);
        path.rate = 625000;
        (void)used_in(8);
        queue_max = 0;
        CHECK_LE(900, used_in(10));
        CHECK_LE(queue_max, 30000); /* a round trip is 25000 */
        end();
    }
}
