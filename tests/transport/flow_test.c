/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_test.c - credit in both directions, and a peer that goes beyond it or names absurd limits.
 */
#include "transport/flow.h"

#include "test.h"

static struct wf_flow_out out;
static struct wf_flow_in in;

TEST(a_sender_uses_what_it_was_granted_and_no_more)
{
    wf_flow_out_init(&out, 100);
    CHECK_EQ(wf_flow_out_room(&out), 100);
    wf_flow_out_use(&out, 60);
    CHECK_EQ(wf_flow_out_room(&out), 40);
    CHECK(wf_flow_out_raise(&out, 150));
    CHECK_EQ(wf_flow_out_room(&out), 90);
    wf_flow_out_use(&out, 90);
    CHECK_EQ(wf_flow_out_room(&out), 0);
}

TEST(a_lower_or_equal_limit_is_ignored)
{
    wf_flow_out_init(&out, 100);
    wf_flow_out_use(&out, 80);
    CHECK(!wf_flow_out_raise(&out, 100));
    CHECK(!wf_flow_out_raise(&out, 99));
    CHECK(!wf_flow_out_raise(&out, 0));
    CHECK_EQ(wf_flow_out_room(&out), 20);
    CHECK(wf_flow_out_raise(&out, 101));
}

TEST(limits_end_at_two_to_the_62)
{
    wf_flow_out_init(&out, UINT64_MAX);
    CHECK_EQ(out.limit, WF_FLOW_MAX);
    CHECK(!wf_flow_out_raise(&out, UINT64_MAX));
    wf_flow_in_init(&in, UINT64_MAX, UINT64_MAX);
    CHECK_EQ(in.limit, WF_FLOW_MAX);
    CHECK_OK(wf_flow_in_receive(&in, WF_FLOW_MAX));
    CHECK_EQ(wf_flow_in_receive(&in, 1), WEFT_ERR_LIMIT);
    wf_flow_in_consume(&in, UINT64_MAX);
    CHECK(!wf_flow_in_grant(&in, 1, 0));
    CHECK_EQ(in.limit, WF_FLOW_MAX);
}

/* SPEC 3.4-1 */
TEST(what_goes_beyond_the_credit_is_refused_and_changes_nothing)
{
    wf_flow_in_init(&in, 1000, 1000);
    CHECK_OK(wf_flow_in_receive(&in, 400));
    CHECK_EQ(wf_flow_in_receive(&in, 601), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_flow_in_receive(&in, UINT64_MAX), WEFT_ERR_LIMIT);
    CHECK_EQ(in.received, 400);
    CHECK_OK(wf_flow_in_receive(&in, 600));
    CHECK_OK(wf_flow_in_receive(&in, 0));
    CHECK_EQ(wf_flow_in_receive(&in, 1), WEFT_ERR_LIMIT);
}

/* SPEC 4.3-2 */
TEST(credit_is_given_from_a_quarter_of_the_window_on)
{
    wf_flow_in_init(&in, 1000, 1000);
    CHECK(!wf_flow_in_grant(&in, 1, 0));
    CHECK_OK(wf_flow_in_receive(&in, 1000));
    CHECK(!wf_flow_in_grant(&in, 1, 0)); /* arrived, but not consumed */
    wf_flow_in_consume(&in, 249);
    CHECK(!wf_flow_in_grant(&in, 1, 0));
    wf_flow_in_consume(&in, 1);
    CHECK(wf_flow_in_grant(&in, 1, 0));
    CHECK_EQ(in.limit, 1250);
    CHECK(!wf_flow_in_grant(&in, 1, 0));
}

TEST(a_window_of_one_to_three_gives_credit_for_each)
{
    for (uint64_t window = 1; window <= 3; window++) {
        wf_flow_in_init(&in, window, window);
        CHECK(!wf_flow_in_grant(&in, 1, 0));
        CHECK_OK(wf_flow_in_receive(&in, 1));
        wf_flow_in_consume(&in, 1);
        CHECK(wf_flow_in_grant(&in, 1, 0));
        CHECK_EQ(in.limit, window + 1);
    }
    wf_flow_in_init(&in, 0, 0);
    CHECK(!wf_flow_in_grant(&in, 1, 0));
    CHECK_EQ(wf_flow_in_receive(&in, 1), WEFT_ERR_LIMIT);
}

TEST(more_than_was_received_cannot_be_consumed)
{
    wf_flow_in_init(&in, 1000, 1000);
    CHECK_OK(wf_flow_in_receive(&in, 10));
    wf_flow_in_consume(&in, 1000);
    CHECK_EQ(in.consumed, 10);
}

/* Consumes a quarter of the window again and again, so many µs apart. */
static void consume_quarters(uint64_t apart_us, uint64_t srtt_us)
{
    for (weft_time now = apart_us; now <= 20 * apart_us; now += apart_us) {
        const uint64_t count = in.window / 4;

        CHECK_OK(wf_flow_in_receive(&in, count));
        wf_flow_in_consume(&in, count);
        CHECK(wf_flow_in_grant(&in, now, srtt_us));
    }
}

/* SPEC 4.3-11 */
TEST(the_window_grows_up_to_its_maximum_when_it_lasts_less_than_four_round_trips)
{
    wf_flow_in_init(&in, 64000, 1000000);
    consume_quarters(20000, 40000);
    CHECK_EQ(in.window, 1000000);
    CHECK_LE(in.limit - in.consumed, 1000000);
    wf_flow_in_init(&in, 64000, 1000000);
    consume_quarters(40000, 40000);
    CHECK_EQ(in.window, 64000);
    wf_flow_in_init(&in, 64000, 64000);
    consume_quarters(1, 40000);
    CHECK_EQ(in.window, 64000);
}

TEST(a_window_grows_to_what_four_round_trips_use_and_at_most_fourfold)
{
    CHECK_EQ(wf_flow_grown(1000, 100000, 500, 1000, 1000), 2000);
    CHECK_EQ(wf_flow_grown(1000, 100000, 500, 3999, 1000), 1000);
    CHECK_EQ(wf_flow_grown(1000, 100000, 100, 1000, 1000), 1000);
    CHECK_EQ(wf_flow_grown(1000, 100000, 500, 0, 1000), 4000);
    CHECK_EQ(wf_flow_grown(1000, 3000, 500, 1, 1000), 3000);
    CHECK_EQ(wf_flow_grown(1000, 500, 1000, 1, 1000), 1000);
    CHECK_EQ(wf_flow_grown(1000, 100000, 1000, 1, 0), 1000);
    CHECK_EQ(wf_flow_grown(WF_FLOW_MAX / 2, WF_FLOW_MAX, WF_FLOW_MAX / 2, 1, 60000000),
             WF_FLOW_MAX);
}

TEST(both_ends_agree_whatever_happens_and_limits_only_rise)
{
    uint64_t state = test_seed();

    wf_flow_in_init(&in, 5000, 80000);
    wf_flow_out_init(&out, 5000);
    for (weft_time now = 0; now < 100000; now++) {
        const uint64_t dice = test_next(&state);
        const uint64_t room = wf_flow_out_room(&out);
        const uint64_t limit = in.limit;

        if (dice % 3 == 0 && room > 0) {
            const uint64_t count = 1 + (dice >> 8) % room;

            wf_flow_out_use(&out, count);
            CHECK_OK(wf_flow_in_receive(&in, count));
        } else if (dice % 3 == 1) {
            wf_flow_in_consume(&in, (dice >> 8) % 3000);
        } else if (wf_flow_in_grant(&in, now, 30)) {
            CHECK_LE(limit + 1, in.limit);
            CHECK(wf_flow_out_raise(&out, in.limit));
        }
        CHECK_LE(in.consumed, in.received);
        CHECK_LE(in.received, in.limit);
        CHECK_LE(in.limit - in.consumed, 80000);
    }
    CHECK_LE(1000000, in.received);
}

TEST(a_limit_that_ran_ahead_of_the_window_is_never_lowered)
{
    struct wf_flow_in f;

    wf_flow_in_init(&f, 100, 100);
    f.limit = 900; /* what came with the handshake was taken although it was more than announced */
    CHECK_OK(wf_flow_in_receive(&f, 900));
    for (uint64_t consumed = 0; consumed < 900; consumed += 50) {
        CHECK_EQ(wf_flow_in_grant(&f, 0, 1), consumed > 825);
        CHECK_LE(900, f.limit);
        wf_flow_in_consume(&f, 50);
    }
    CHECK(wf_flow_in_grant(&f, 0, 1));
    CHECK_EQ(f.limit, 1000);
}
