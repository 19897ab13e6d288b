/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_bbr_test.c - the controller with a model of the path, ACK by ACK: phases, gains, bounds, and
 * what no input may do to them. How it behaves on a path is in cc_path_test.c.
 */
#include "transport/cc.h"
#include "transport/cc_bbr.h"

#include "test.h"

#define LEN 1200u
#define RTT_US 100000u
#define BW 1200000u /* bytes a second: 100 packets a round trip */

static struct wf_cc cc;
static weft_time now;
static uint64_t total;

static void begin(void)
{
    wf_cc_init(&cc, WF_CC_BBR, LEN);
    now = 1000000;
    total = 0;
}

/* A round trip: one ACK of what a path of that bandwidth delivers in it. */
static void one_round(uint64_t bw, uint64_t rtt_us, uint64_t in_flight)
{
    const uint64_t bytes = bw * rtt_us / 1000000;

    now += rtt_us;
    struct wf_cc_ack a = {.now = now,
                          .newest_at = now - rtt_us,
                          .newest = now - rtt_us,
                          .next = now,
                          .bytes = bytes,
                          .rtt_us = rtt_us,
                          .srtt_us = rtt_us,
                          .in_flight = in_flight};

    total += bytes;
    a.rate = (struct wf_rate_sample){
        .bw = bw, .delivered = bytes, .in_flight = in_flight + bytes, .total = total};
    wf_cc_on_ack(&cc, &a);
}

static void fill_the_pipe(void)
{
    for (int i = 0; i < 8 && cc.bbr.phase == WF_BBR_STARTUP; i++) {
        one_round(BW, RTT_US, BW / 5);
    }
}

static uint64_t paced(void)
{
    struct wf_rtt rtt;

    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, now, RTT_US, 0);
    return wf_cc_pacing_rate(&cc, &rtt);
}

TEST(startup_ends_when_three_rounds_bring_no_more_bandwidth)
{
    begin();
    CHECK_EQ(cc.bbr.phase, WF_BBR_STARTUP);
    for (uint64_t bw = BW / 8; bw <= BW; bw *= 2) {
        one_round(bw, RTT_US, bw / 10);
        CHECK_EQ(cc.bbr.phase, WF_BBR_STARTUP);
        CHECK_EQ(paced(), bw * 2840 / 1024 / 100 * 99);
    }
    one_round(BW, RTT_US, BW / 5);
    one_round(BW, RTT_US, BW / 5);
    CHECK_EQ(cc.bbr.phase, WF_BBR_STARTUP);
    one_round(BW, RTT_US, BW / 5);
    CHECK_EQ(cc.bbr.phase, WF_BBR_DRAIN);
    CHECK_EQ(paced(), BW / 2 / 100 * 99);
}

/* One small packet was all that there was to send. What comes next is not paced by it: with
 * datagrams as long as those of the loopback it would wait for a minute. SPEC 4.2-7 */
TEST(a_sample_of_one_small_packet_does_not_slow_startup_below_the_initial_window)
{
    const uint64_t initial = WF_CC_INITIAL_DATAGRAMS * LEN * (1000000 / RTT_US);

    begin();
    total = 48;
    now += RTT_US;
    struct wf_cc_ack a = {.now = now, .bytes = 48, .rtt_us = RTT_US, .srtt_us = RTT_US};

    a.rate = (struct wf_rate_sample){
        .bw = 480, .delivered = 48, .in_flight = 48, .total = 48, .is_app_limited = true};
    wf_cc_on_ack(&cc, &a);
    CHECK_EQ(cc.bbr.phase, WF_BBR_STARTUP);
    CHECK(paced() >= initial);
}

TEST(a_drained_path_is_cruised_at_its_bandwidth_and_probed_again_within_three_seconds)
{
    begin();
    fill_the_pipe();
    CHECK_EQ(cc.bbr.phase, WF_BBR_DRAIN);
    one_round(BW, RTT_US, BW / 10);
    CHECK_EQ(cc.bbr.phase, WF_BBR_CRUISE);
    CHECK_EQ(paced(), BW / 100 * 99);
    CHECK_EQ(wf_cc_bandwidth(&cc), BW);
    const weft_time since = now;

    while (cc.bbr.phase == WF_BBR_CRUISE && now < since + 4000000) {
        one_round(BW, RTT_US, BW / 10);
    }
    CHECK_EQ(cc.bbr.phase, WF_BBR_REFILL);
    CHECK_LE(since + 1800000, now);
    CHECK_LE(now, since + 3200000);
    one_round(BW, RTT_US, BW / 10);
    CHECK_EQ(cc.bbr.phase, WF_BBR_UP);
    CHECK_EQ(paced(), BW * 5 / 4 / 100 * 99);
}

/* SPEC 4.2-8 */
TEST(losses_beside_a_queue_bound_what_is_in_flight_and_few_without_one_do_not)
{
    begin();
    fill_the_pipe();
    cc.bbr.is_probing = true;
    struct wf_cc_lost l = {.now = now,
                           .newest_at = now,
                           .packets = 5,
                           .bytes = 5 * LEN,
                           .sent_in_flight = 100 * LEN,
                           .lost_since = 5 * LEN};

    wf_cc_on_lost(&cc, &l);
    CHECK_EQ(cc.bbr.inflight_hi, WF_BBR_INFINITE);
    cc.bbr.rtt_us[1] = 2 * RTT_US; /* all of this span and of the one before */
    wf_cc_on_lost(&cc, &l);
    CHECK_EQ(cc.bbr.inflight_hi, WF_BBR_INFINITE);
    cc.bbr.rtt_us[0] = 2 * RTT_US;
    wf_cc_on_lost(&cc, &l);
    CHECK(cc.bbr.inflight_hi != WF_BBR_INFINITE);
    CHECK_LE(95 * LEN, cc.bbr.inflight_hi);
    CHECK_LE(cc.bbr.inflight_hi, 100 * LEN);
    wf_cc_on_spurious(&cc, 15, now);
    CHECK_EQ(cc.bbr.inflight_hi, WF_BBR_INFINITE);
}

TEST(a_peer_that_acknowledges_early_does_not_raise_the_estimate_above_what_was_sent)
{
    struct wf_rate r;
    struct wf_rate_stamp stamp = {0};
    struct wf_cc_ack a = {.rtt_us = 1, .srtt_us = 1};

    begin();
    wf_rate_init(&r);
    for (uint64_t i = 0; i < 2000; i++) { /* a packet each 10 ms, acknowledged after 1 us */
        stamp = wf_rate_on_sent(&r, now, i == 0 ? 0 : LEN, LEN);
        const struct wf_rate_acked k = {
            .now = now + 1, .sent_at = now, .bytes = LEN, .stamp = stamp};

        wf_rate_on_ack(&r, &k, &a.rate);
        a.now = now + 1;
        a.bytes = LEN;
        a.in_flight = LEN;
        wf_cc_on_ack(&cc, &a);
        now += 10000;
    }
    CHECK_LE(wf_cc_bandwidth(&cc), 2 * LEN * 100);
}

TEST(no_input_takes_the_window_out_of_its_bounds)
{
    uint64_t state = test_seed();

    for (int run = 0; run < 200; run++) {
        wf_cc_init(&cc, WF_CC_BBR, run % 2 ? 65507 : 1200);
        now = 0;
        for (int i = 0; i < 300; i++) {
            const uint64_t dice = test_next(&state);
            const uint64_t big = test_next(&state) >> (dice >> 8) % 64;

            now += big % 100000000;
            total += dice % (1u << 30);
            const struct wf_cc_ack a = {.now = now,
                                        .newest_at = now / 2,
                                        .newest = now / 2,
                                        .next = now,
                                        .bytes = dice % (1u << 30),
                                        .rtt_us = big % 60000000,
                                        .srtt_us = 1,
                                        .in_flight = big % (1u << 30),
                                        .rate = {.bw = big % (1ull << 40),
                                                 .delivered = dice % (1u << 30),
                                                 .lost = big % (1u << 30),
                                                 .in_flight = big % (1u << 30),
                                                 .total = total}};
            const struct wf_cc_lost l = {.now = now,
                                         .newest_at = now / 2,
                                         .packets = 1 + big % 100,
                                         .bytes = 1 + big % (1u << 30),
                                         .sent_in_flight = dice % (1u << 30),
                                         .lost_since = big % (1u << 30),
                                         .is_ce = dice % 3 == 0,
                                         .is_persistent = dice % 11 == 0};

            if (dice % 4 == 0) {
                wf_cc_on_lost(&cc, &l);
            } else if (dice % 17 == 0) {
                wf_cc_on_spurious(&cc, big % 200, now);
            } else {
                wf_cc_on_ack(&cc, &a);
            }
            CHECK_LE(wf_cc_min_window(&cc), wf_cc_window(&cc));
            CHECK_LE(wf_cc_window(&cc), WF_CC_WINDOW_MAX);
            CHECK_LE(wf_cc_bandwidth(&cc), WF_BBR_BW_MAX);
            CHECK_LE(paced(), 1ull << 53);
        }
    }
}
