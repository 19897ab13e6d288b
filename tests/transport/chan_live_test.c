/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_live_test.c - nothing waits for ever: with little credit, many messages and every third
 * datagram lost in both directions, each end goes on within a few of its own timers, again and
 * again; and who has nothing to say is silent two round trips later.
 */
#include "support/chan_pair.h"

#define SOURCES 12u
#define SEEDS 40u
#define DELAY_US 20000u
/* Timers in a row that may fire at the two ends and bring nothing once the link is good: a probe of
 * each, and what was backed off before it. */
#define TIMERS_MAX 6u

static struct pair p;
static struct pair_source sources[SOURCES];

static void begin(uint64_t seed)
{
    struct pair_options o = {.seed = seed, .link = {.delay_us = DELAY_US, .loss = 300}};
    uint64_t state = seed;

    for (int i = 0; i < 2; i++) {
        o.config[i].params = pair_params();
        o.config[i].params.node_credit = 2000 + test_next(&state) % 20000;
        o.config[i].params.message_credit = 500 + test_next(&state) % 5000;
        o.config[i].params.message_count = 1 + test_next(&state) % 4;
        o.config[i].params.idle_ms = 0;
    }
    pair_new(&p, &o);
    pair_start(&p, false);
    for (size_t i = 0; i < SOURCES; i++) {
        sources[i] = (struct pair_source){.who = (int)(i % 2),
                                          .length = test_next(&state) % 40000,
                                          .open_ended = test_next(&state) % 2 == 0};
        pair_open(&p, &sources[i], (uint8_t)(i % 3));
    }
}

static void push_all(void)
{
    for (size_t i = 0; i < SOURCES; i++)
        (void)pair_push(&p, &sources[i]);
}

/* Bytes read and messages delivered so far. */
static uint64_t progress(void)
{
    uint64_t sum = 0;

    for (int who = 0; who < 2; who++) {
        for (size_t i = 0; i < p.end[who].message_count; i++)
            sum += p.end[who].messages[i].received + p.end[who].messages[i].delivered;
    }
    return sum;
}

static bool is_done(void)
{
    for (size_t i = 0; i < SOURCES; i++) {
        if (pair_message(&p, sources[i].who, false, sources[i].number)->delivered == 0)
            return false;
    }
    return true;
}

static weft_time next_timer(void)
{
    weft_time a = wf_chan_deadline(p.end[0].chan);
    weft_time b = wf_chan_deadline(p.end[1].chan);

    return a < b ? a : b;
}

static void go_on_until(weft_time until)
{
    push_all();
    (void)pair_run(&p, until);
    pair_read_all(&p, 0);
    pair_read_all(&p, 1);
}

/* The good link: after so many timers without any progress it would stand still for ever. */
static void finish(uint64_t seed)
{
    unsigned timers = 0;

    p.link.loss = 0;
    for (unsigned i = 0; i < 10000 && !is_done(); i++) {
        uint64_t before = progress();
        weft_time at = next_timer();

        test_note("seed %llu: %u timers", (unsigned long long)seed, timers);
        CHECK(at != WEFT_TIME_NEVER || p.flying.first != NULL);
        go_on_until((at > p.now && at != WEFT_TIME_NEVER ? at : p.now) + 2 * DELAY_US);
        timers = progress() == before && !is_done() ? timers + 1 : 0;
        CHECK_LE(timers, TIMERS_MAX);
    }
    CHECK(is_done());
}

TEST(with_every_third_datagram_lost_and_little_credit_nothing_stands_still)
{
    for (uint64_t seed = test_seed(); seed < test_seed() + SEEDS; seed++) {
        begin(seed);
        for (int i = 0; i < 100 && !is_done(); i++)
            go_on_until(p.now + 50000);
        CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
        finish(seed);
        pair_free(&p);
    }
}

TEST(two_round_trips_after_the_last_byte_nothing_is_sent_any_more)
{
    for (uint64_t seed = test_seed(); seed < test_seed() + SEEDS; seed++) {
        begin(seed);
        p.link.loss = 0;
        for (int i = 0; i < 1000 && !is_done(); i++)
            go_on_until(p.now + 10000);
        CHECK(is_done());
        go_on_until(p.now + 4 * DELAY_US + 2 * pair_params().ack_delay_us);
        uint64_t sent = p.end[0].datagrams_out + p.end[1].datagrams_out;
        go_on_until(p.now + 600000000);
        CHECK_EQ(p.end[0].datagrams_out + p.end[1].datagrams_out, sent);
        pair_free(&p);
    }
}
