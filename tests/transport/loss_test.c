/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss_test.c - which packets are lost (RFC 9002 section 6.1 and 7.6), and what is learned when
 * they were not.
 */
#include "transport/loss.h"

#include "ack_help.h"
#include "test.h"
#include "transport/pto.h"

static struct wf_sent sent;
static struct wf_loss loss;
static struct wf_rtt rtt;
static struct wf_fates acked, lost;
static struct ack_help help;

/* A path of 40 ms. */
static void begin(void)
{
    wf_sent_init(&sent, test_mem(), 1, 0);
    wf_loss_init(&loss);
    wf_rtt_init(&rtt, 25000);
    wf_rtt_sample(&rtt, 1, 40000, 0);
}

static void end(void)
{
    CHECK(wf_sent_check(&sent) == NULL);
    wf_sent_deinit(&sent);
}

static void send_flags(weft_time at, unsigned flags)
{
    const struct wf_sent_packet p = {.at = at, .bytes = 1000, .flags = (uint8_t)flags};

    CHECK_OK(wf_sent_reserve(&sent));
    wf_sent_put(&sent, &p);
}

static void send(weft_time at)
{
    send_flags(at, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT);
}

static void ack(weft_time now, uint64_t first, uint64_t last)
{
    CHECK_OK(wf_sent_on_ack(&sent, ack_of(&help, first, last), &acked));
    wf_loss_on_acked(&loss, &acked);
    wf_loss_detect(&loss, &sent, &rtt, now, &lost);
}

/* RFC 9002 section 6.1.1 */
TEST(a_packet_is_lost_when_the_third_after_it_is_acknowledged)
{
    begin();
    for (uint64_t n = 1; n <= 5; n++) {
        send(1000);
    }
    ack(1001, 3, 3);
    CHECK_EQ(lost.packets, 0);
    ack(1002, 4, 4);
    CHECK_EQ(lost.packets, 1);
    CHECK_EQ(lost.newest, 1);
    CHECK_EQ(lost.bytes, 1000);
    ack(1003, 5, 5);
    CHECK_EQ(lost.packets, 1);
    CHECK_EQ(lost.newest, 2);
    end();
}

/* RFC 9002 section 6.1.2 */
TEST(a_packet_is_lost_nine_eighths_of_a_round_trip_after_it_was_sent)
{
    begin();
    send(1000);
    send(1001);
    send(1002);
    ack(41000, 2, 2);
    CHECK_EQ(lost.packets, 0);
    CHECK_EQ(loss.deadline, 1000 + 45000);
    wf_loss_detect(&loss, &sent, &rtt, 45999, &lost);
    CHECK_EQ(lost.packets, 0);
    wf_loss_detect(&loss, &sent, &rtt, 46000, &lost);
    CHECK_EQ(lost.packets, 1);
    CHECK_EQ(loss.deadline, WEFT_TIME_NEVER); /* 3 is newer than all that was acknowledged */
    end();
}

TEST(nothing_is_lost_before_something_newer_is_acknowledged)
{
    begin();
    send(1000);
    wf_loss_detect(&loss, &sent, &rtt, 1ull << 40, &lost);
    CHECK_EQ(lost.packets, 0);
    CHECK_EQ(loss.deadline, WEFT_TIME_NEVER);
    ack(1ull << 40, 1, 1);
    CHECK_EQ(lost.packets, 0);
    end();
}

TEST(the_time_threshold_is_a_millisecond_at_least)
{
    begin();
    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, 1, 50, 0);
    send(1000);
    send(1000);
    ack(1100, 2, 2);
    CHECK_EQ(loss.deadline, 2000);
    end();
}

TEST(reordering_widens_both_thresholds_within_bounds)
{
    begin();
    for (uint64_t n = 1; n <= 400; n++) {
        send(1000);
    }
    ack(1001, 11, 11); /* 1..8 are taken for lost */
    CHECK_EQ(lost.packets, 8);
    ack(1002, 1, 11); /* and were not */
    CHECK_EQ(acked.spurious, 8);
    CHECK_EQ(loss.packets, 11);
    CHECK_EQ(loss.eighths, WF_LOSS_EIGHTHS + 1);
    ack(1003, 22, 22); /* 12 is ten behind */
    CHECK_EQ(lost.packets, 0);
    ack(1004, 23, 23);
    CHECK_EQ(lost.packets, 1);
    CHECK_EQ(lost.newest, 12);
    end();
}

TEST(the_widest_thresholds_are_reached_and_kept)
{
    begin();
    for (uint64_t n = 1; n <= 2000; n++) {
        send(1000);
    }
    for (uint64_t top = 200; top <= 2000; top += 200) {
        ack(1001, top, top);
        ack(1002, top - 199, top);
        CHECK_LE(loss.packets, WF_LOSS_PACKETS_MAX);
        CHECK_LE(loss.eighths, WF_LOSS_EIGHTHS_MAX);
    }
    CHECK_EQ(loss.packets, WF_LOSS_PACKETS_MAX);
    end();
}

/* RFC 9002 section 7.6.3, its example in µs: smoothed 1 s, variance 0, ack delay 0 … */
TEST(the_example_of_persistent_congestion_is_found)
{
    const weft_time second = 1000000;

    begin();
    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, 1, second, 0);
    rtt.rttvar8 = 0;
    send(0 + 2); /* 1: acknowledged at 1.2 */
    for (weft_time t = 1; t <= 6; t++) {
        send(t * second); /* 2..7 */
    }
    send(8 * second);  /* 8: a probe */
    send(12 * second); /* 9: a probe, acknowledged */
    ack(1200000, 1, 1);
    CHECK_EQ(lost.packets, 0);
    ack(13200000, 9, 9);
    CHECK_EQ(lost.packets, 7);
    CHECK_EQ(lost.run_us, 7 * second); /* from 2 at 1 s to 8 at 8 s */
    CHECK(wf_pto_is_persistent(&rtt, lost.run_us));
    end();
}

TEST(an_acknowledged_packet_in_between_ends_the_run)
{
    begin();
    for (uint64_t n = 1; n <= 11; n++) {
        send(n * 100000);
    }
    ack(1200000, 5, 5);
    CHECK_EQ(lost.packets, 4);
    CHECK_EQ(lost.run_us, 300000);
    ack(2000000, 11, 11);
    CHECK_EQ(lost.packets, 5);
    CHECK_EQ(lost.run_us, 400000); /* 6..10, not 1..10 */
    end();
}

TEST(a_run_goes_on_over_two_rounds_of_detection_and_over_a_skipped_number)
{
    struct wf_rng *rng = test_rng(test_seed());
    uint64_t skipped = 0;

    begin();
    while (skipped == 0) {
        CHECK_OK(wf_sent_reserve(&sent));
        const uint64_t before = sent.next;

        skipped = wf_sent_number(&sent, rng, 16) != before ? before : 0;
        send(100000 * sent.next);
    }
    const uint64_t top = sent.next + 3;

    for (uint64_t n = sent.next; n <= top; n++) {
        send(100000 * n);
    }
    ack(100000 * (top + 1), top - 1, top - 1);
    CHECK_LE(1, lost.packets);
    CHECK_EQ(lost.run_us, 100000 * (lost.newest - 1));
    end();
}

TEST(packets_sent_before_the_first_round_trip_was_known_begin_no_run)
{
    begin();
    rtt.first_at = 500000;
    send(100000);
    send(200000);
    send(600000);
    send(700000);
    send(800000);
    ack(900000, 5, 5);
    CHECK_EQ(lost.packets, 4);
    CHECK_EQ(lost.run_us, 100000);
    end();
}

TEST(acks_and_probes_of_the_size_are_no_ends_of_a_run)
{
    begin();
    send_flags(100000, 0);
    send(200000);
    send(300000);
    send_flags(400000, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT | WF_SENT_MTU_PROBE);
    send(500000);
    ack(900000, 5, 5);
    CHECK_EQ(lost.packets, 4);
    CHECK_EQ(lost.run_us, 100000);
    CHECK_EQ(lost.bytes, 2000);
    end();
}
