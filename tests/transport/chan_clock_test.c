/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_clock_test.c - a machine that slept, a process that stood still, a clock that was set: time
 * in which an end did not run is not silence of its peer (docs/spec/4-transport.md 4.4).
 */
#include "support/chan_pair.h"

#define SECOND 1000000u
#define HOUR ((uint64_t)3600 * SECOND)

static struct pair p;

static struct wf_chan_stats stats(int who)
{
    struct wf_chan_stats s;

    wf_chan_stats(p.end[who].chan, &s);
    return s;
}

static void begin(uint64_t idle_ms)
{
    struct pair_options o = {.seed = test_seed(), .link = {.mtu = {1500, 1500}}};

    for (int i = 0; i < 2; i++) {
        o.config[i].params = pair_params();
        o.config[i].params.idle_ms = idle_ms;
    }
    pair_new(&p, &o);
    p.unchecked = true;
    pair_start(&p, false);
    (void)pair_run(&p, p.now + SECOND);
}

/* SPEC 4.4-11 */
TEST(a_clock_that_jumps_by_hours_ends_no_session)
{
    static const uint64_t jumps[] = {2 * SECOND, 31 * SECOND, HOUR, 1000 * HOUR};

    for (size_t i = 0; i < WF_ARRAY_LEN(jumps); i++) {
        for (int sender = 0; sender < 2; sender++) {
            for (int jumper = 0; jumper < 2; jumper++) {
                struct pair_source s = {.who = sender, .length = 2u << 20};
                test_note("jump %zu sender %d jumper %d", i, sender, jumper);
                begin(30000);
                pair_open(&p, &s, WF_PRIORITY_NORMAL);
                (void)pair_push(&p, &s);
                (void)pair_run(&p, p.now + 15000); /* much is under way */
                p.ahead[jumper] += jumps[i];
                for (int k = 0;
                     k < 1000 && pair_message(&p, sender, false, s.number)->delivered == 0; k++) {
                    (void)pair_push(&p, &s);
                    (void)pair_run(&p, p.now + 10000);
                }
                CHECK_EQ(pair_message(&p, sender, false, s.number)->delivered, 1);
                CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
                CHECK_LE(stats(0).srtt_us, 200000); /* no round trip was measured across it */
                CHECK_LE(stats(1).srtt_us, 200000);
                pair_free(&p);
            }
        }
    }
}

/* SPEC 4.4-11 */
TEST(who_slept_asks_before_it_gives_the_peer_up)
{
    struct pair_source s = {.who = 0, .length = 1000, .open_ended = true};

    begin(30000);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    (void)pair_run(&p, p.now + SECOND);
    uint64_t before = p.end[0].datagrams_out;
    p.ahead[0] += HOUR;
    p.link.is_dead[1] = true; /* nobody is there any more */
    (void)pair_run(&p, p.now + 15 * SECOND);
    CHECK_EQ(p.end[0].closed, 0);
    CHECK(p.end[0].datagrams_out > before);
    (void)pair_run(&p, p.now + 20 * SECOND);
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_EQ(p.end[0].last_closed.err, WEFT_ERR_TIMEOUT);
    pair_free(&p);
}

/* Both machines were paused together, with what was under way still in the sockets. */
TEST(both_ends_may_sleep)
{
    struct pair_source s = {.who = 0, .length = 2u << 20};

    begin(30000);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    (void)pair_push(&p, &s);
    (void)pair_run(&p, p.now + 15000);
    p.now += HOUR;
    for (int k = 0; k < 1000 && pair_message(&p, 0, false, s.number)->delivered == 0; k++) {
        (void)pair_push(&p, &s);
        (void)pair_run(&p, p.now + 10000);
    }
    CHECK_EQ(pair_message(&p, 0, false, s.number)->delivered, 1);
    CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
    pair_free(&p);
}

/* What is under way began long after the peer was last heard. */
TEST(who_fell_asleep_right_after_it_began_something_goes_on_with_it)
{
    for (int who = 0; who < 2; who++) {
        struct pair_source s = {.who = who, .length = 2u << 20};

        begin(30000);
        (void)pair_run(&p, p.now + 100 * SECOND);
        pair_open(&p, &s, WF_PRIORITY_NORMAL);
        (void)pair_push(&p, &s);
        pair_flush(&p, who);
        p.ahead[who] += HOUR;
        for (int k = 0; k < 1000 && pair_message(&p, who, false, s.number)->delivered == 0; k++) {
            (void)pair_push(&p, &s);
            (void)pair_run(&p, p.now + 10000);
        }
        CHECK_EQ(pair_message(&p, who, false, s.number)->delivered, 1);
        CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
        pair_free(&p);
    }
}

/* A peer that is silent while we do run is not excused. */
TEST(silence_that_was_listened_to_still_ends_a_session)
{
    struct pair_source s = {.who = 0, .length = 1000, .open_ended = true};

    begin(30000);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    (void)pair_run(&p, p.now + SECOND);
    p.link.is_dead[0] = true;
    p.link.is_dead[1] = true;
    (void)pair_run(&p, p.now + 31 * SECOND);
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_EQ(p.end[1].closed, 1);
    pair_free(&p);
}
