/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtt_test.c - the estimator of RFC 9002 section 5 against its formulas in doubles, and against a
 * peer that lies about its delay.
 */
#include "transport/rtt.h"

#include "test.h"

static struct wf_rtt rtt;

TEST(before_the_first_sample_the_initial_values_hold)
{
    wf_rtt_init(&rtt, 25000);
    CHECK_EQ(wf_rtt_smoothed(&rtt), 333000);
    CHECK_EQ(wf_rtt_min(&rtt), 0);
    CHECK_EQ(wf_rtt_pto(&rtt), 333000 + 4 * 166500 + 25000);
}

/* RFC 9002 section 5.3: the first sample is taken as it is, without the delay. */
TEST(the_first_sample_sets_everything)
{
    wf_rtt_init(&rtt, 25000);
    wf_rtt_sample(&rtt, 7, 80000, 20000);
    CHECK_EQ(wf_rtt_smoothed(&rtt), 80000);
    CHECK_EQ(wf_rtt_var(&rtt), 40000);
    CHECK_EQ(wf_rtt_min(&rtt), 80000);
    CHECK_EQ(rtt.first_at, 7);
    CHECK_EQ(wf_rtt_pto(&rtt), 80000 + 160000 + 25000);
}

TEST(a_second_sample_moves_by_an_eighth_and_the_variance_by_a_quarter)
{
    wf_rtt_init(&rtt, 25000);
    wf_rtt_sample(&rtt, 1, 80000, 0);
    wf_rtt_sample(&rtt, 2, 120000, 8000); /* 112 ms without the delay */
    CHECK_EQ(wf_rtt_smoothed(&rtt), 80000 * 7 / 8 + 112000 / 8);
    CHECK_EQ(wf_rtt_var(&rtt), 40000 * 3 / 4 + 32000 / 4);
    CHECK_EQ(rtt.latest_us, 120000);
    CHECK_EQ(wf_rtt_min(&rtt), 80000);
}

TEST(a_delay_beyond_what_was_announced_is_not_believed)
{
    struct wf_rtt honest;

    wf_rtt_init(&rtt, 25000);
    wf_rtt_init(&honest, 25000);
    wf_rtt_sample(&rtt, 1, 50000, 0);
    wf_rtt_sample(&honest, 1, 50000, 0);
    wf_rtt_sample(&rtt, 2, 500000, 1ull << 62);
    wf_rtt_sample(&honest, 2, 500000, 25000);
    CHECK_EQ(rtt.srtt8, honest.srtt8);
    CHECK_EQ(rtt.rttvar8, honest.rttvar8);
}

TEST(a_delay_never_brings_a_sample_below_the_least_round_trip)
{
    wf_rtt_init(&rtt, 1000000);
    for (uint64_t k = 0; k < 100; k++) {
        wf_rtt_sample(&rtt, k, 50000, k % 3 == 0 ? 1ull << 62 : 49999);
        CHECK_EQ(wf_rtt_min(&rtt), 50000);
        CHECK_EQ(wf_rtt_smoothed(&rtt), 50000);
    }
    /* Exactly at the border it is taken off. */
    wf_rtt_sample(&rtt, 200, 60000, 10000);
    CHECK_EQ(wf_rtt_smoothed(&rtt), 50000);
    wf_rtt_sample(&rtt, 201, 59999, 10000);
    CHECK_LE(50001, wf_rtt_smoothed(&rtt));
}

TEST(fifty_microseconds_are_not_eaten_by_rounding)
{
    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, 1, 50, 0);
    for (uint64_t k = 0; k < 200; k++) {
        wf_rtt_sample(&rtt, k, 57, 0);
    }
    CHECK_LE(56, wf_rtt_smoothed(&rtt));
    CHECK_LE(wf_rtt_smoothed(&rtt), 57);
    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, 1, 0, 0);
    CHECK_EQ(wf_rtt_smoothed(&rtt), 1);
    CHECK_EQ(wf_rtt_pto(&rtt), 1001);
}

TEST(absurd_samples_are_cut_to_a_minute)
{
    wf_rtt_init(&rtt, 1000000);
    wf_rtt_sample(&rtt, 1, UINT64_MAX, UINT64_MAX);
    wf_rtt_sample(&rtt, 2, UINT64_MAX, 0);
    CHECK_EQ(wf_rtt_smoothed(&rtt), WF_RTT_MAX_US);
    CHECK_EQ(rtt.latest_us, WF_RTT_MAX_US);
}

TEST(after_persistent_congestion_the_minimum_is_measured_anew)
{
    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, 1, 100, 0);
    wf_rtt_forget_min(&rtt);
    wf_rtt_sample(&rtt, 2, 5000, 0);
    CHECK_EQ(wf_rtt_min(&rtt), 5000);
}

TEST(random_samples_follow_the_formulas_in_doubles)
{
    uint64_t state = test_seed();
    double srtt = 0;
    double var = 0;
    double least = 1e18;

    wf_rtt_init(&rtt, 25000);
    for (int k = 0; k < 5000; k++) {
        const uint64_t sample = 20000 + test_next(&state) % 80000;
        const uint64_t delay = test_next(&state) % 50000;
        const double cut = delay < 25000 ? (double)delay : 25000;
        double adjusted = (double)sample;

        wf_rtt_sample(&rtt, 1, sample, delay);
        least = (double)sample < least ? (double)sample : least;
        if (k == 0) {
            srtt = adjusted;
            var = adjusted / 2;
        } else {
            adjusted -= (double)sample >= least + cut ? cut : 0;
            var = var * 0.75 + (srtt > adjusted ? srtt - adjusted : adjusted - srtt) / 4;
            srtt = srtt * 0.875 + adjusted / 8;
        }
        CHECK((double)wf_rtt_smoothed(&rtt) > srtt - 3 && (double)wf_rtt_smoothed(&rtt) < srtt + 3);
        CHECK((double)wf_rtt_var(&rtt) > var - 3 && (double)wf_rtt_var(&rtt) < var + 3);
        CHECK_EQ(wf_rtt_min(&rtt), least);
    }
}

TEST(steadiness_is_nothing_at_first_and_whole_when_round_trips_are_alike)
{
    wf_rtt_init(&rtt, 0);
    CHECK_EQ(wf_rtt_steadiness(&rtt), 0);
    wf_rtt_sample(&rtt, 1, 50000, 0);
    CHECK_EQ(wf_rtt_steadiness(&rtt), WF_RTT_STEADY / 2);
    for (uint64_t k = 0; k < 200; k++)
        wf_rtt_sample(&rtt, k * 50000, 50000, 0);
    CHECK_LE(WF_RTT_STEADY - 1, wf_rtt_steadiness(&rtt));
}

static uint64_t steadiness_after(uint64_t low_us, uint64_t high_us)
{
    wf_rtt_init(&rtt, 0);
    for (uint64_t k = 0; k < 400; k++)
        wf_rtt_sample(&rtt, k * high_us, k % 2 == 0 ? low_us : high_us, 0);
    return wf_rtt_steadiness(&rtt);
}

TEST(the_more_round_trips_vary_the_less_is_trusted_whatever_their_length)
{
    const uint64_t little = steadiness_after(50000, 55000);
    const uint64_t half = steadiness_after(50000, 100000);
    const uint64_t much = steadiness_after(50000, 500000);

    CHECK_LE(WF_RTT_STEADY * 8 / 10, little);
    CHECK_LE(half, WF_RTT_STEADY * 7 / 10);
    CHECK_LE(much, WF_RTT_STEADY * 4 / 10);
    CHECK(little > half && half > much);
    CHECK_LE(steadiness_after(100, 200), half + 3);
    CHECK_LE(half, steadiness_after(100, 200) + 3);
}

static weft_time at;

static void alike(unsigned count, uint64_t rtt_us)
{
    for (unsigned k = 0; k < count; k++, at += rtt_us)
        wf_rtt_sample(&rtt, at, rtt_us, 0);
}

TEST(round_trips_that_grow_are_trusted_less_until_they_stay)
{
    at = 0;
    wf_rtt_init(&rtt, 0);
    alike(200, 50000);
    const uint64_t before = wf_rtt_steadiness(&rtt);

    CHECK(wf_rtt_is_even(&rtt));
    alike(6, 100000);
    CHECK_LE(wf_rtt_steadiness(&rtt), before * 6 / 10);
    alike(300, 100000);
    CHECK_LE(before * 9 / 10, wf_rtt_steadiness(&rtt));
    alike(300, 50000); /* a path that became shorter is no worse for it */
    CHECK_LE(before * 9 / 10, wf_rtt_steadiness(&rtt));
}

/* Round trips of 20 and of 120 ms, 100 ms each, with so many acks that each is like the last. */
TEST(however_many_acks_there_are_what_varies_within_two_round_trips_is_seen)
{
    wf_rtt_init(&rtt, 0);
    for (at = 0; at < 2050000; at += 200)
        wf_rtt_sample(&rtt, at, at / 100000 % 2 == 0 ? 20000 : 120000, 0);
    CHECK_LE(wf_rtt_var(&rtt), 1000);
    CHECK(wf_rtt_is_unsteady(&rtt));
    CHECK(!wf_rtt_is_even(&rtt));
    CHECK_LE(wf_rtt_steadiness(&rtt), WF_RTT_STEADY / 2);
    for (; at < 4000000; at += 200)
        wf_rtt_sample(&rtt, at, 70000, 0);
    CHECK(!wf_rtt_is_unsteady(&rtt));
    CHECK(wf_rtt_is_even(&rtt));
}

TEST(the_least_of_the_last_minute_is_known_and_no_longer)
{
    at = 5;
    wf_rtt_init(&rtt, 0);
    CHECK_EQ(wf_rtt_low(&rtt), 0);
    alike(100, 50000);
    CHECK_EQ(wf_rtt_low(&rtt), 50000);
    wf_rtt_sample(&rtt, at, 40000, 0);
    alike(250, 100000);
    CHECK_EQ(wf_rtt_low(&rtt), 40000);
    alike(400, 100000);
    CHECK_EQ(wf_rtt_low(&rtt), 100000);
    CHECK_EQ(wf_rtt_min(&rtt), 40000);
}

TEST(what_is_restored_is_as_steady_as_it_was)
{
    wf_rtt_init(&rtt, 0);
    wf_rtt_restore(&rtt, 7, 50000, 0, 50000);
    CHECK_EQ(wf_rtt_steadiness(&rtt), WF_RTT_STEADY);
    wf_rtt_restore(&rtt, 7, 50000, 25000, 50000);
    CHECK_EQ(wf_rtt_steadiness(&rtt), WF_RTT_STEADY / 2);
}

/* The least round trip is what was measured, whatever a peer says of its delay; and nothing that it
 * says brings a figure out of its bounds. */
TEST(a_lying_peer_moves_figures_only_within_their_bounds)
{
    uint64_t state = test_seed();

    for (int run = 0; run < 300; run++) {
        const uint64_t path_us = 1 + test_next(&state) % 300000;

        wf_rtt_init(&rtt, test_next(&state) % 1000001);
        for (int k = 0; k < 200; k++) {
            const uint64_t dice = test_next(&state);
            const uint64_t held_us = dice % 4 == 0 ? dice >> 8 >> dice % 56 : dice % 3000;

            wf_rtt_sample(&rtt, (weft_time)k, path_us + held_us, test_next(&state) >> dice % 64);
            if (dice >> 58 == 0)
                wf_rtt_forget_min(&rtt);
            CHECK(wf_rtt_min(&rtt) >= path_us || wf_rtt_min(&rtt) == 0);
            CHECK_LE(path_us, wf_rtt_smoothed(&rtt));
            CHECK_LE(wf_rtt_smoothed(&rtt), WF_RTT_MAX_US);
            CHECK_LE(wf_rtt_var(&rtt), WF_RTT_MAX_US);
            CHECK_LE(wf_rtt_steadiness(&rtt), WF_RTT_STEADY);
        }
    }
}
