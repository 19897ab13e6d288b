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
