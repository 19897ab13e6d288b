/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_ledbat_test.c - LEDBAT++ by itself: it fills an idle path, leaves no queue, makes way, shares
 * with its like, and stands noise.
 */
#include "support/bottle.h"
#include "test.h"
#include "transport/cc.h"

#define MBIT 1000000ull
#define SECOND 1000000ull
#define BEGIN SECOND /* the time of a new bottle */
#define DEEP 200000u /* a buffer of 200 ms */

static struct bottle *one_alone(uint64_t bits_per_s, uint64_t rtt_us)
{
    struct bottle *b = bottle_new(bits_per_s, DEEP);

    (void)bottle_add(b, WF_CC_LEDBAT, rtt_us, 0);
    return b;
}

static void measure(struct bottle *b, uint64_t from_s, uint64_t to_s)
{
    bottle_run(b, BEGIN + from_s * SECOND);
    bottle_measure(b);
    bottle_run(b, BEGIN + to_s * SECOND);
}

static void check_use(struct bottle *b, uint64_t percent, uint64_t queue_p99_us)
{
    test_note("used %u %%, queue p99 %u us", (unsigned)bottle_used(b),
              (unsigned)bottle_queue_us(b, 990));
    CHECK_LE(percent, bottle_used(b));
    CHECK_LE(bottle_queue_us(b, 990), queue_p99_us);
    bottle_free(b);
}

/* SPEC 4.2-10, 4.2-11 */
TEST(an_idle_path_is_used_and_the_queue_stays_short)
{
    static const struct {
        uint64_t mbit, rtt_us, seconds, percent, queue_us;
    } rows[] = {
        {10, 200, 30, 90, 10000},  {10, 20000, 30, 89, 6500},   {10, 50000, 30, 90, 9000},
        {100, 2000, 20, 90, 2000}, {100, 20000, 20, 90, 2000},  {100, 50000, 20, 90, 7000},
        {1000, 200, 6, 90, 2000},  {1000, 20000, 15, 90, 2000}, {1000, 50000, 15, 90, 7000},
    };

    for (size_t k = 0; k < WF_ARRAY_LEN(rows); k++) {
        struct bottle *b = one_alone(rows[k].mbit * MBIT, rows[k].rtt_us);

        measure(b, 2, rows[k].seconds);
        check_use(b, rows[k].percent, rows[k].queue_us);
    }
}

/* Timers, delayed ACKs, a radio that sends in slots. */
TEST(noise_of_milliseconds_is_not_taken_for_a_queue)
{
    static const struct {
        uint64_t mbit, jitter_us, slot_us;
    } rows[] = {{10, 500, 0}, {100, 500, 0}, {1000, 500, 0}, {10, 0, 3000}, {100, 0, 3000}};

    for (size_t k = 0; k < WF_ARRAY_LEN(rows); k++) {
        struct bottle *b = one_alone(rows[k].mbit * MBIT, 20000);

        b->jitter_us = rows[k].jitter_us;
        b->slot_us = rows[k].slot_us;
        measure(b, 2, rows[k].mbit == 1000 ? 10 : 30);
        check_use(b, 85, 5000);
    }
}

/* SPEC 4.2-11 */
TEST(beside_cubic_it_gets_little_and_makes_way_within_a_second)
{
    for (uint64_t rtt = 20000; rtt <= 50000; rtt += 30000) {
        for (uint64_t half_bdp = 1; half_bdp <= 8; half_bdp *= 2) {
            struct bottle *b = bottle_new(10 * MBIT, rtt * half_bdp / 2);

            (void)bottle_add(b, WF_CC_LEDBAT, rtt, 0);
            (void)bottle_add(b, WF_CC_CUBIC, rtt, 10 * SECOND);
            measure(b, 11, 13);
            test_note("rtt %u, half bdps %u: share %u", (unsigned)rtt, (unsigned)half_bdp,
                      (unsigned)bottle_share(b, 0));
            CHECK_LE(bottle_share(b, 0), 25);
            measure(b, 13, 60);
            CHECK_LE(bottle_share(b, 0), 15);
            CHECK_LE(97, bottle_used(b));
            bottle_free(b);
        }
    }
}

TEST(who_comes_later_than_cubic_gets_little_too)
{
    struct bottle *b = bottle_new(10 * MBIT, 40000);

    (void)bottle_add(b, WF_CC_CUBIC, 20000, 0);
    (void)bottle_add(b, WF_CC_LEDBAT, 20000, 10 * SECOND);
    measure(b, 12, 60);
    CHECK_LE(bottle_share(b, 1), 15);
    bottle_free(b);
}

TEST(when_cubic_is_gone_the_path_is_used_again)
{
    struct bottle *b = bottle_new(10 * MBIT, 40000);

    (void)bottle_add(b, WF_CC_LEDBAT, 20000, 0);
    bottle_add(b, WF_CC_CUBIC, 20000, 5 * SECOND)->end_at = BEGIN + 20 * SECOND;
    measure(b, 23, 40);
    CHECK_LE(85, bottle_used(b));
    bottle_free(b);
}

/* SPEC 4.2-12: the last one sees a base with the queue of those before it, until they slow down. */
TEST(four_share_alike_even_when_they_begin_one_after_the_other)
{
    for (uint64_t gap = 100000; gap <= 5000000; gap += 4900000) {
        struct bottle *b = bottle_new(10 * MBIT, DEEP);

        for (uint64_t k = 0; k < 4; k++)
            (void)bottle_add(b, WF_CC_LEDBAT, 20000, k * gap);
        measure(b, 20, 80);
        test_note("gap %u: jain %u", (unsigned)gap, (unsigned)bottle_jain(b));
        CHECK_LE(950, bottle_jain(b));
        CHECK_LE(85, bottle_used(b));
        bottle_free(b);
    }
}

/* --- step by step --- */

static struct wf_cc cc;
static weft_time now;
static uint64_t next;

static void begin(void)
{
    wf_cc_init(&cc, WF_CC_LEDBAT, 1200);
    now = SECOND;
    next = 1;
}

/* A round of full windows whose samples are all the same. */
static void one_round(uint64_t rtt_us)
{
    const uint64_t packets = wf_cc_window(&cc) / 1200;
    const uint64_t end = next + packets;

    for (uint64_t k = 0; k < packets; k++) {
        struct wf_cc_ack a = {.now = now + rtt_us * (k + 1) / packets,
                              .newest_at = now,
                              .newest = next,
                              .next = end,
                              .bytes = 1200,
                              .rtt_us = rtt_us,
                              .srtt_us = rtt_us};

        wf_cc_on_sent(&cc, &(struct wf_cc_sent){.in_flight = wf_cc_window(&cc)});
        wf_cc_on_ack(&cc, &a);
        next++;
    }
    now += rtt_us;
}

/* SPEC 4.2-12 */
TEST(the_first_slow_start_is_followed_by_a_slowdown_that_comes_back)
{
    begin();
    for (int k = 0; k < 4; k++)
        one_round(20000);
    CHECK_EQ(wf_cc_window(&cc), 160 * 1200);
    one_round(22000);
    one_round(22000);
    CHECK(!wf_cc_in_slow_start(&cc));
    const uint64_t window = wf_cc_window(&cc);

    CHECK_LE(100 * 1200, window);
    for (int k = 0; k < 6 && wf_cc_window(&cc) > 2400; k++)
        one_round(20000);
    CHECK_EQ(wf_cc_window(&cc), 2400);
    const weft_time began = now;

    for (int k = 0; k < 20 && cc.ledbat.phase != WF_LEDBAT_STEADY; k++)
        one_round(20000);
    CHECK_EQ(cc.ledbat.phase, WF_LEDBAT_STEADY);
    CHECK_EQ(wf_cc_window(&cc), window);
    const uint64_t took = now - began;

    CHECK_LE(9 * took, cc.ledbat.slow_at - now + 9 * 20000);
    CHECK_LE(cc.ledbat.slow_at - now, 9 * (took + 40000));
}

static void begin_steady(uint64_t packets)
{
    begin();
    one_round(20000);
    wf_cc_set_window(&cc, packets * 1200);
    cc.ssthresh = cc.window;
    cc.ledbat.phase = WF_LEDBAT_STEADY;
    cc.ledbat.slow_at = WEFT_TIME_NEVER;
    one_round(20000);
}

/* SPEC 4.2-11: base 20 ms, target 1.25 ms. */
TEST(the_queue_decides_once_a_round)
{
    begin_steady(1000);
    uint64_t window = wf_cc_window(&cc);

    one_round(21250);
    one_round(21250);
    CHECK_LE(window + 1200, wf_cc_window(&cc)); /* at the target it still grows */
    CHECK_LE(wf_cc_window(&cc), window + 8 * 1200);
    window = wf_cc_window(&cc);
    one_round(22400); /* the first ACK of a round ends the one before it */
    one_round(22400);
    CHECK_LE(wf_cc_window(&cc), window * 93 / 100);
    CHECK_LE(window * 88 / 100, wf_cc_window(&cc));
    one_round(22400);
    one_round(22500);
    window = wf_cc_window(&cc);
    one_round(22500);
    one_round(22500);
    CHECK_EQ(wf_cc_window(&cc), window / 2); /* once: the round after it saw the old window */
}

/* SPEC 4.2-13 */
TEST(a_loss_halves_the_window_and_leaves_a_slowdown_alone)
{
    begin_steady(100);
    const uint64_t window = wf_cc_window(&cc);

    wf_cc_on_lost(
        &cc, &(struct wf_cc_lost){.now = now, .newest_at = now - 1, .packets = 1, .bytes = 1200});
    CHECK_EQ(wf_cc_window(&cc), window / 2);
    CHECK(!wf_cc_in_slow_start(&cc));
    now += 40000;
    wf_cc_on_lost(&cc, &(struct wf_cc_lost){.now = now, .newest_at = now - 1, .is_ce = true});
    CHECK_EQ(wf_cc_window(&cc), window / 4);
    cc.ledbat.phase = WF_LEDBAT_HOLD;
    cc.ssthresh = 100 * 1200;
    wf_cc_set_window(&cc, 0);
    now += 40000;
    wf_cc_on_lost(
        &cc, &(struct wf_cc_lost){.now = now, .newest_at = now - 1, .packets = 1, .bytes = 1200});
    CHECK_EQ(wf_cc_window(&cc), 2400);
    CHECK_EQ(cc.ssthresh, 50 * 1200);
    wf_cc_on_spurious(&cc, 1, now - 1);
    CHECK_EQ(wf_cc_window(&cc), 2400);
}

TEST(a_loss_that_was_none_gives_the_window_back_but_not_slow_start)
{
    begin();
    one_round(20000);
    const uint64_t window = wf_cc_window(&cc);

    wf_cc_on_lost(
        &cc, &(struct wf_cc_lost){.now = now, .newest_at = now - 1, .packets = 1, .bytes = 1200});
    wf_cc_on_spurious(&cc, 1, now - 1);
    CHECK_EQ(wf_cc_window(&cc), window);
    CHECK(!wf_cc_in_slow_start(&cc));
}

TEST(persistent_congestion_is_a_slowdown)
{
    begin_steady(100);
    wf_cc_on_lost(&cc, &(struct wf_cc_lost){.now = now,
                                            .newest_at = now - 1,
                                            .packets = 90,
                                            .bytes = 90 * 1200,
                                            .is_persistent = true});
    CHECK_EQ(wf_cc_window(&cc), 2400);
    now += 20000;
    for (int k = 0; k < 12; k++)
        one_round(20000);
    CHECK_LE(50 * 1200, wf_cc_window(&cc));
}

TEST(a_window_that_is_not_used_neither_grows_nor_slows_down)
{
    uint64_t window = 0;

    begin_steady(100);
    for (int k = 0; k < 50; k++) {
        window = k < 5 ? wf_cc_window(&cc) : window;
        cc.ledbat.slow_at = k < 5 ? WEFT_TIME_NEVER : now;
        struct wf_cc_ack a = {.now = now,
                              .newest_at = now - 20000,
                              .newest = next,
                              .next = next + 1,
                              .bytes = 1200,
                              .rtt_us = 20000,
                              .srtt_us = 20000};

        wf_cc_on_sent(&cc, &(struct wf_cc_sent){.in_flight = 1200});
        wf_cc_on_ack(&cc, &a);
        next++;
        now += 20000;
    }
    CHECK_EQ(wf_cc_window(&cc), window);
}

/* A path that became longer is believed after ten minutes, not before. */
TEST(the_base_is_the_least_of_ten_minutes)
{
    begin_steady(10);
    for (int k = 0; k < 60; k++) {
        now += 9 * SECOND;
        one_round(40000);
    }
    CHECK_EQ(wf_cc_window(&cc), 2400); /* nine minutes: it still yields to a queue of 20 ms */
    for (int k = 0; k < 30; k++) {
        now += 9 * SECOND;
        one_round(40000);
    }
    CHECK_LE(10 * 1200, wf_cc_window(&cc));
}

TEST(extremes_stay_within_bounds)
{
    uint64_t state = test_seed();

    for (int run = 0; run < 200; run++) {
        wf_cc_init(&cc, WF_CC_LEDBAT, run % 2 ? 65507 : 1200);
        now = 1u << 20;
        next = 1;
        for (int k = 0; k < 400; k++) {
            const uint64_t dice = test_next(&state);
            struct wf_cc_ack a = {.now = now,
                                  .newest_at = now - 1,
                                  .newest = next,
                                  .next = next + dice % 40,
                                  .bytes = test_next(&state) >> dice % 64,
                                  .rtt_us = test_next(&state) >> dice / 64 % 64,
                                  .srtt_us = 1 + dice % 60000000,
                                  .rate = {.bw = test_next(&state) >> dice / 4096 % 64}};

            now += dice % (1ull << dice % 50);
            next++;
            if (dice >> 60 == 0) {
                wf_cc_on_lost(&cc, &(struct wf_cc_lost){.now = now,
                                                        .newest_at = now - 1,
                                                        .packets = 1,
                                                        .bytes = 1200,
                                                        .is_persistent = dice >> 59 == 1});
            }
            if (dice >> 60 == 1)
                wf_cc_on_spurious(&cc, dice % 3, now - 1);
            wf_cc_on_sent(&cc, &(struct wf_cc_sent){.in_flight = wf_cc_window(&cc)});
            wf_cc_on_ack(&cc, &a);
            CHECK_LE(wf_cc_min_window(&cc), wf_cc_window(&cc));
            CHECK_LE(wf_cc_window(&cc), WF_CC_WINDOW_MAX);
        }
    }
}
