/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_rebind_test.c - a peer that gets another port or address while it is at work
 * (docs/spec/4-transport.md 4.4): what it costs, who is believed, and what is sent to whom
 * meanwhile.
 */
#include "support/chan_pair.h"

#define RATE 1250000u /* 10 Mb/s */
#define LENGTH ((uint64_t)10 << 20)

static struct pair p;

static struct wf_chan_stats stats(int who)
{
    struct wf_chan_stats s;

    wf_chan_stats(p.end[who].chan, &s);
    return s;
}

static void begin(const struct pair_options *o)
{
    pair_new(&p, o);
    p.unchecked = true;
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 1000000);
}

static struct pair_options lane(uint64_t delay_us)
{
    struct pair_options o = {.seed = test_seed(),
                             .link = {.delay_us = delay_us,
                                      .rate = {RATE, RATE},
                                      .queue = RATE / 10,
                                      .mtu = {1500, 1500},
                                      .nat = true,
                                      .forgets = true}};

    for (int i = 0; i < 2; i++) {
        o.config[i].params = pair_params();
        o.config[i].params.idle_ms = 30000;
    }
    return o;
}

static void move(bool to_other_host)
{
    p.end[0].addr.port++;
    p.end[0].addr.ip[3] = (uint8_t)(p.end[0].addr.ip[3] + to_other_host);
}

/* How often, and where to; period 0: never. */
struct moves {
    uint64_t first_us, period_us;
    bool to_other_host;
};

/* µs until a message is delivered. */
static uint64_t transfer(struct pair_source *s, const struct moves *m)
{
    weft_time from = p.now;
    weft_time next = m->period_us == 0 ? WEFT_TIME_NEVER : from + m->first_us;

    s->written = 0;
    pair_open(&p, s, WF_PRIORITY_NORMAL);
    while (pair_message(&p, s->who, false, s->number)->delivered == 0) {
        (void)pair_push(&p, s);
        (void)pair_run(&p, p.now + 10000);
        CHECK(p.now - from < 120000000);
        if (p.now >= next) {
            move(m->to_other_host);
            next += m->period_us;
        }
    }
    CHECK(pair_message(&p, !s->who, true, s->number)->is_right);
    return p.now - from;
}

static uint64_t fresh_transfer(const struct pair_options *o, int who, const struct moves *m)
{
    struct pair_source s = {.who = who, .length = LENGTH};

    begin(o);
    uint64_t us = transfer(&s, m);
    CHECK_EQ(p.end[1].closed + p.end[0].closed, 0);
    pair_free(&p);
    return us;
}

/* SPEC 4.4-7 */
TEST(a_new_port_or_address_every_five_seconds_leaves_four_fifths_of_the_rate)
{
    static const uint64_t delays[] = {5000, 15000, 50000};
    static const struct moves stays = {0};

    for (size_t d = 0; d < WF_ARRAY_LEN(delays); d++) {
        for (int who = 0; who < 2; who++) {
            struct pair_options o = lane(delays[d]);
            uint64_t still = fresh_transfer(&o, who, &stays);

            for (int host = 0; host < 2; host++) {
                struct moves m = {1000000, 5000000, host == 1};
                test_note("delay %llu who %d host %d", (unsigned long long)delays[d], who, host);
                CHECK_LE(fresh_transfer(&o, who, &m) * 4, still * 5);
            }
        }
    }
}

/* SPEC 4.4-6 */
TEST(who_sends_from_a_new_place_hears_acks_there_before_it_is_proved)
{
    for (int host = 0; host < 2; host++) {
        struct pair_options o = {.seed = test_seed(), .link = {.delay_us = 20000, .forgets = true}};
        struct pair_source s = {.who = 0, .length = 100};

        begin(&o);
        move(host == 1);
        pair_open(&p, &s, WF_PRIORITY_NORMAL);
        CHECK(pair_push(&p, &s));
        (void)pair_run(&p, p.now + 59999); /* the answer to the challenge arrives after it */
        CHECK_EQ(p.end[1].paths, 0);
        CHECK_EQ(pair_message(&p, 0, false, s.number)->delivered, 1);
        CHECK_EQ(stats(0).pto_count, 0);
        (void)pair_run(&p, p.now + 1);
        CHECK_EQ(p.end[1].paths, 1);
        pair_free(&p);
    }
}

/* SPEC 4.4-7 */
TEST(what_was_lost_on_the_way_to_the_old_port_does_not_make_the_window_smaller)
{
    struct pair_options o = lane(20000);
    struct pair_source s = {.who = 1, .length = LENGTH / 2};
    struct moves stays = {0};

    o.link.rate[1] = RATE * 8;
    o.link.queue = RATE;
    begin(&o);
    (void)transfer(&s, &stays);
    uint64_t before = stats(1).cwnd;
    uint64_t lost = stats(1).packets_lost;
    struct moves once = {50000, 1000000000, false};
    (void)transfer(&s, &once);
    CHECK_EQ(stats(1).path_changes, 1);
    CHECK(stats(1).packets_lost > lost + 10);
    CHECK_LE(before, stats(1).cwnd);
    pair_free(&p);
}

/* SPEC 4.4-5 */
TEST(one_acknowledgement_from_a_new_port_is_enough_to_be_found_again)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct pair_options o = lane(10000);
        begin(&o);
        wf_chan_ping(p.end[1].chan);
        pair_flush(&p, 1);
        move(seed % 2 == 1);
        p.link.forgets = false; /* the PING still gets in; only its ACK has the new address */
        p.end[0].addr.port = (uint16_t)(p.end[0].addr.port + seed);
        (void)pair_run(&p, p.now + 9999);
        (void)pair_run(&p, p.now + 100000);
        CHECK_EQ(p.end[1].paths, 1);
        CHECK_EQ(p.end[1].pongs, 1);
        pair_free(&p);
    }
}

/* SPEC 4.4-6 */
TEST(copies_that_come_first_from_elsewhere_take_nothing_over_and_stop_nothing)
{
    static const uint32_t racers[] = {1, 3, 1000000};
    static const struct moves stays = {0};

    for (size_t r = 0; r < WF_ARRAY_LEN(racers); r++) {
        for (int who = 0; who < 2; who++) {
            struct pair_options o = lane(20000);
            uint64_t still = fresh_transfer(&o, who, &stays);
            struct pair_source s = {.who = who, .length = LENGTH};

            o.link.races = 900;
            o.link.racers = racers[r];
            begin(&o);
            test_note("racers %u who %d", racers[r], who);
            CHECK_LE(transfer(&s, &stays) * 19, still * 20);
            CHECK_EQ(stats(1).path_changes, 0);
            CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
            CHECK(p.end[1].bytes_astray > 0);
            CHECK_LE(p.end[1].bytes_astray, p.end[1].bytes_copied);
            pair_free(&p);
        }
    }
}

/* SPEC 4.4-10 */
TEST(both_ends_use_other_ids_after_a_change_of_address)
{
    struct pair_options o = lane(10000);
    struct pair_source s = {.who = 0, .length = 10000};
    struct moves once = {0, 1000000000, true};
    uint8_t ids[2][8];

    begin(&o);
    memcpy(ids[0], p.end[0].cid_used, 8);
    memcpy(ids[1], p.end[1].cid_used, 8);
    (void)transfer(&s, &once);
    (void)pair_run(&p, p.now + 1000000);
    wf_chan_ping(p.end[0].chan);
    (void)pair_run(&p, p.now + 1000000);
    CHECK(memcmp(ids[0], p.end[0].cid_used, 8) != 0);
    CHECK(memcmp(ids[1], p.end[1].cid_used, 8) != 0);
    pair_free(&p);
}

/* A client whose own address changed, and which learns that from what reaches it. */
TEST(a_client_sends_on_from_the_address_at_which_it_is_reached)
{
    struct pair_options o = lane(10000);
    struct pair_source s = {.who = 0, .length = 10000};
    struct moves stays = {0};

    o.link.nat = false;
    begin(&o);
    move(true);
    (void)transfer(&s, &stays);
    CHECK(wf_addr_equal(&p.end[0].from_used, &p.end[0].addr));
    CHECK(wf_addr_equal(&p.end[1].from_used, &p.end[1].addr));
    pair_free(&p);
}
