/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hystart_test.c - HyStart++ (RFC 9406): when slow start turns careful, goes back, and ends.
 */
#include "transport/hystart.h"

#include "test.h"

static struct wf_hystart h;
static uint64_t newest;

static void begin(void)
{
    wf_hystart_init(&h);
    newest = 0;
}

/* One round of some ACKs with the same round trip; true when slow start ended in it. */
static bool round_of(uint64_t acks, uint64_t rtt_us)
{
    const uint64_t next = newest + acks + 1;
    bool is_over = false;

    for (uint64_t k = 0; k < acks; k++) {
        newest++;
        is_over = wf_hystart_on_ack(&h, newest, next, rtt_us) || is_over;
    }
    return is_over;
}

TEST(a_steady_round_trip_never_ends_slow_start)
{
    begin();
    for (int k = 0; k < 50; k++) {
        CHECK(!round_of(20, 40000));
        CHECK(!h.in_css);
    }
    CHECK_EQ(wf_hystart_growth(&h, 4000), 4000);
}

/* RFC 9406 section 4.2: the threshold is an eighth of the round trip within 4 and 16 ms. */
TEST(growth_by_an_eighth_within_four_and_sixteen_milliseconds_is_seen)
{
    static const struct {
        uint64_t rtt, threshold;
    } rows[] = {{50, 4000}, {32000, 4000}, {80000, 10000}, {128000, 16000}, {900000, 16000}};

    for (size_t k = 0; k < WF_ARRAY_LEN(rows); k++) {
        begin();
        round_of(8, rows[k].rtt);
        round_of(8, rows[k].rtt + rows[k].threshold - 1);
        CHECK(!h.in_css);
        begin();
        round_of(8, rows[k].rtt);
        round_of(8, rows[k].rtt + rows[k].threshold);
        CHECK(h.in_css);
        CHECK_EQ(wf_hystart_growth(&h, 4000), 1000);
    }
}

TEST(seven_samples_are_too_few_to_judge)
{
    begin();
    round_of(8, 40000);
    round_of(7, 90000);
    CHECK(!h.in_css);
}

/* RFC 9406 section 4.2: CSS_ROUNDS, the round in which it began included. */
TEST(slow_start_ends_after_five_careful_rounds)
{
    begin();
    round_of(10, 40000);
    round_of(10, 60000);
    CHECK(h.in_css);
    for (int k = 0; k < 4; k++) {
        CHECK(!round_of(10, 60000));
    }
    CHECK(round_of(1, 60000));
}

TEST(slow_start_goes_on_when_the_growth_was_jitter)
{
    begin();
    round_of(10, 40000);
    round_of(10, 60000);
    CHECK(h.in_css);
    round_of(10, 59999);
    CHECK(!h.in_css);
    CHECK_EQ(wf_hystart_growth(&h, 4000), 4000);
}

TEST(acks_without_a_sample_only_end_rounds)
{
    begin();
    round_of(10, 40000);
    CHECK(!round_of(10, 0));
    CHECK(!h.in_css);
    CHECK_EQ(h.samples, 0);
}
