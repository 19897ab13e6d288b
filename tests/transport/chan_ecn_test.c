/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_ecn_test.c - whole channels over paths that do with ECN what paths do: nothing stalls, and
 * where marks tell nothing they end.
 */
#include "support/chan_pair.h"
#include "test.h"
#include "transport/chan_priv.h"

static struct pair p;

static void begin(enum pair_ecn fault)
{
    struct pair_options o = {.seed = test_seed()};

    o.link = (struct pair_link){.delay_us = 10000, .mtu = {65535, 65535}, .ecn = (uint8_t)fault};
    o.link.rate[0] = 1250000;
    o.link.rate[1] = 1250000;
    o.link.queue = 50000;
    pair_new(&p, &o);
    pair_start(&p, true);
}

static void send(uint64_t length, uint64_t limit_us)
{
    struct pair_source s = {.who = 0, .length = length};

    pair_open(&p, &s, 0);
    pair_transfer(&p, &s, limit_us);
}

static uint64_t ptos(int who)
{
    return p.end[who].chan->stats.pto_count;
}

TEST(a_path_that_carries_marks_is_marked_on)
{
    begin(PAIR_ECN_KEPT);
    send(500000, 3000000);
    CHECK_EQ(p.end[0].chan->ecn.state, WF_ECN_CAPABLE);
    CHECK_LE(200, p.end[0].marked_out);
    pair_free(&p);
}

/* SPEC 4.2-14 */
TEST(bleached_and_remarked_packets_end_marking_within_a_round_trip_and_hold_nothing_up)
{
    for (int fault = PAIR_ECN_CLEARED; fault <= PAIR_ECN_REMARKED; fault++) {
        begin((enum pair_ecn)fault);
        send(500000, 3000000);
        CHECK_EQ(p.end[0].chan->ecn.state, WF_ECN_FAILED);
        CHECK_LE(p.end[0].marked_out, 10);
        CHECK_EQ(ptos(0), 0);
        pair_free(&p);
    }
}

TEST(a_path_that_marks_everything_is_not_believed)
{
    begin(PAIR_ECN_ALL_CE);
    send(500000, 5000000);
    CHECK_EQ(p.end[0].chan->ecn.state, WF_ECN_FAILED);
    CHECK_LE(p.end[0].marked_out, 30);
    pair_free(&p);
}

TEST(a_path_that_drops_marked_packets_costs_two_timeouts)
{
    begin(PAIR_ECN_DROPPED);
    send(500000, 5000000);
    CHECK_LE(p.end[0].marked_out, 10);
    CHECK_LE(1, ptos(0));
    CHECK_LE(ptos(0), 2);
    pair_free(&p);
}

/* One for each direction, and the same again for the test that follows. */
TEST(a_path_that_begins_to_drop_marked_packets_costs_four_timeouts)
{
    begin(PAIR_ECN_KEPT);
    send(200000, 3000000);
    const uint64_t marked = p.end[0].marked_out;

    CHECK_EQ(p.end[0].chan->ecn.state, WF_ECN_CAPABLE);
    p.link.ecn = PAIR_ECN_DROPPED;
    send(500000, 10000000);
    CHECK_LE(ptos(0), 4);
    CHECK_EQ(p.end[0].chan->ecn.state, WF_ECN_FAILED);
    CHECK_LE(p.end[0].marked_out - marked, 200);
    pair_free(&p);
}

TEST(a_gap_in_the_path_does_not_end_marking)
{
    begin(PAIR_ECN_KEPT);
    send(200000, 3000000);
    p.link.loss = 1000;
    struct pair_source s = {.who = 0, .length = 300000};

    pair_open(&p, &s, 0);
    (void)pair_push(&p, &s);
    pair_flush(&p, 0);
    (void)pair_run(&p, p.now + 400000);
    p.link.loss = 0;
    CHECK_LE(1, ptos(0));
    CHECK_EQ(p.end[0].chan->ecn.state, WF_ECN_PAUSED);
    send(300000, 10000000);
    CHECK_EQ(p.end[0].chan->ecn.state, WF_ECN_CAPABLE);
    pair_free(&p);
}
