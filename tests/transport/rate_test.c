/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate_test.c - delivery-rate samples against what they must be.
 */
#include "transport/rate.h"

#include "test.h"

#define LEN 1200u

static struct wf_rate r;
static struct wf_rate_sample sample;

static void ack(weft_time now, weft_time sent_at, uint64_t bytes, struct wf_rate_stamp stamp)
{
    const struct wf_rate_acked a = {.now = now, .sent_at = sent_at, .bytes = bytes, .stamp = stamp};

    wf_rate_on_ack(&r, &a, &sample);
}

TEST(a_steady_sender_is_sampled_at_its_rate)
{
    struct wf_rate_stamp stamps[100];

    wf_rate_init(&r);
    /* A packet each millisecond, each acknowledged 20 ms later: 1.2 MB/s. */
    for (uint64_t t = 0; t < 100; t++) {
        if (t >= 20) {
            ack(1000 * t, 1000 * (t - 20), LEN, stamps[t - 20]);
        }
        if (t >= 40) {
            CHECK_EQ(sample.bw, 1200000);
            CHECK_EQ(sample.delivered, 20 * LEN);
            CHECK_EQ(sample.in_flight, 20 * LEN);
            CHECK_EQ(sample.total, (t - 19) * LEN);
            CHECK(!sample.is_app_limited);
        }
        stamps[t] = wf_rate_on_sent(&r, 1000 * t, (t < 20 ? t : 19) * LEN, LEN);
    }
}

/* SPEC 4.2-9 */
TEST(acks_that_come_together_do_not_raise_the_sample_above_the_rate_of_sending)
{
    struct wf_rate_stamp stamps[50];

    wf_rate_init(&r);
    for (uint64_t t = 0; t < 50; t++) {
        stamps[t] = wf_rate_on_sent(&r, 1000 * t, t * LEN, LEN);
    }
    /* A peer that says at once that it has all: 49 ms of sending, 50 packets. */
    ack(49000, 49000, 50 * (uint64_t)LEN, stamps[49]);
    CHECK_EQ(sample.bw, 50 * (uint64_t)LEN * 1000000 / 49000);
    /* Compressed on the way, a second later. */
    CHECK_EQ(sample.delivered, 50 * LEN);
}

TEST(a_slow_path_is_sampled_by_its_acks)
{
    struct wf_rate_stamp stamps[10];

    wf_rate_init(&r);
    for (uint64_t i = 0; i < 10; i++) {
        stamps[i] = wf_rate_on_sent(&r, 5000, i * LEN, LEN); /* a burst */
    }
    for (uint64_t i = 0; i < 10; i++) {
        ack(105000 + 10000 * i, 5000, LEN, stamps[i]);
    }
    CHECK_EQ(sample.delivered, 10 * LEN);
    CHECK_EQ(sample.bw, 10 * (uint64_t)LEN * 1000000 / 190000);
}

TEST(silence_is_not_part_of_a_sample)
{
    struct wf_rate_stamp s;

    wf_rate_init(&r);
    s = wf_rate_on_sent(&r, 1000, 0, LEN);
    ack(21000, 1000, LEN, s);
    CHECK_EQ(sample.bw, LEN * 50);
    s = wf_rate_on_sent(&r, 900000000, 0, LEN);
    CHECK_EQ(s.ack_back_us, 0);
    CHECK_EQ(s.send_back_us, 0);
    ack(900020000, 900000000, LEN, s);
    CHECK_EQ(sample.bw, LEN * 50);
}

TEST(what_the_application_held_back_is_marked_until_it_is_delivered)
{
    struct wf_rate_stamp a, b, c;

    wf_rate_init(&r);
    wf_rate_app_limited(&r, 0);
    a = wf_rate_on_sent(&r, 0, 0, LEN);
    CHECK(a.is_app_limited);
    wf_rate_app_limited(&r, LEN);
    b = wf_rate_on_sent(&r, 1000, LEN, LEN);
    CHECK(b.is_app_limited);
    ack(10000, 0, LEN, a);
    CHECK(sample.is_app_limited);
    /* The mark stood for what was in flight when there was nothing to send; b was sent after it. */
    c = wf_rate_on_sent(&r, 10000, LEN, LEN);
    CHECK(c.is_app_limited);
    ack(11000, 1000, LEN, b);
    CHECK(sample.is_app_limited);
    c = wf_rate_on_sent(&r, 12000, LEN, LEN);
    CHECK(!c.is_app_limited);
    ack(22000, 12000, 2 * (uint64_t)LEN, c);
    CHECK(!sample.is_app_limited);
}

TEST(losses_since_a_packet_was_sent_are_counted)
{
    struct wf_rate_stamp s;

    wf_rate_init(&r);
    wf_rate_on_lost(&r, 5000);
    s = wf_rate_on_sent(&r, 0, 10000, LEN);
    CHECK_EQ(wf_rate_lost_since(&r, &s), 0);
    wf_rate_on_lost(&r, 3 * LEN);
    CHECK_EQ(wf_rate_lost_since(&r, &s), 3 * LEN);
    ack(20000, 0, LEN, s);
    CHECK_EQ(sample.lost, 3 * LEN);
}

TEST(nothing_acknowledged_is_no_sample)
{
    wf_rate_init(&r);
    ack(1000, 0, 0, (struct wf_rate_stamp){0});
    CHECK_EQ(sample.bw, 0);
    CHECK_EQ(sample.delivered, 0);
    /* Acknowledged in the microsecond in which it was sent: nothing is divided by zero. */
    const struct wf_rate_stamp s = wf_rate_on_sent(&r, 1000, 0, LEN);

    ack(1000, 1000, LEN, s);
    CHECK_EQ(sample.bw, 0);
}

TEST(sums_beyond_32_bits_and_pauses_of_hours_are_taken_as_they_are)
{
    struct wf_rate_stamp s;

    wf_rate_init(&r);
    r.delivered = UINT32_MAX - 100;
    r.lost = UINT32_MAX - 5;
    s = wf_rate_on_sent(&r, 0, 0, LEN);
    wf_rate_on_lost(&r, 10);
    ack(1000, 0, LEN, s);
    CHECK_EQ(sample.delivered, LEN);
    CHECK_EQ(sample.lost, 10);
    CHECK_EQ(sample.total, (uint64_t)UINT32_MAX - 100 + LEN);
    CHECK_EQ(sample.bw, LEN * 1000);
    s = wf_rate_on_sent(&r, 10000000000000, LEN, LEN);
    CHECK_EQ(s.ack_back_us, UINT32_MAX);
    ack(10000000001000, 10000000000000, LEN, s);
    CHECK_LE(sample.bw, LEN);
}

TEST(no_input_makes_a_sample_exceed_the_cap)
{
    uint64_t state = test_seed();

    wf_rate_init(&r);
    for (int i = 0; i < 20000; i++) {
        const weft_time now = test_next(&state) >> (test_next(&state) % 64);
        struct wf_rate_stamp s = wf_rate_on_sent(
            &r, now, test_next(&state) >> (test_next(&state) % 64), test_next(&state) % 65536);

        ack(test_next(&state) >> (test_next(&state) % 64), now, test_next(&state) % (1u << 30), s);
        CHECK_LE(sample.bw, 1ull << 40);
    }
}
