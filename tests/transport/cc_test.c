/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_test.c - the congestion window: CUBIC against RFC 9438 in doubles, and the rules that hold for
 * any controller.
 */
#include "transport/cc.h"

#include "test.h"

#define MSS 1200u
#define RTT_US 100000u

/* A sender that keeps its window full on a path where nothing is lost unless the test says so. */
static struct wf_cc cc;
static weft_time now;
static uint64_t next;

static void begin(void)
{
    wf_cc_init(&cc, WF_CC_CUBIC, MSS);
    now = 1000000;
    next = 1;
}

static void fill_window(void)
{
    wf_cc_on_sent(&cc, &(struct wf_cc_sent){.in_flight = wf_cc_window(&cc)});
}

static void ack_bytes(uint64_t bytes, uint64_t rtt_us)
{
    const struct wf_cc_ack a = {
        .now = now,
        .newest_at = now - RTT_US,
        .newest = next,
        .next = next + wf_cc_window(&cc) / MSS,
        .bytes = bytes,
        .rtt_us = rtt_us,
        .srtt_us = RTT_US,
    };

    next++;
    wf_cc_on_ack(&cc, &a);
}

/* One round trip of full packets, their ACKs spread evenly over it. */
static void one_round(void)
{
    const uint64_t packets = wf_cc_window(&cc) / MSS;
    const weft_time start = now;

    for (uint64_t k = 0; k < packets; k++) {
        now = start + RTT_US * (k + 1) / packets;
        fill_window();
        ack_bytes(MSS, 0);
    }
}

static void lose(uint64_t packets)
{
    const struct wf_cc_lost l = {
        .now = now, .newest_at = now - 1, .packets = packets, .bytes = packets * MSS};

    wf_cc_on_lost(&cc, &l);
}

/* SPEC 4.2-1 */
TEST(the_initial_window_is_ten_datagrams_and_slow_start_doubles_it_each_round)
{
    begin();
    CHECK_EQ(wf_cc_window(&cc), 10 * MSS);
    CHECK(wf_cc_in_slow_start(&cc));
    for (uint64_t want = 20; want <= 320; want *= 2) {
        one_round();
        CHECK_EQ(wf_cc_window(&cc), want * MSS);
    }
}

/* SPEC 4.2-2 */
TEST(room_is_what_the_window_leaves)
{
    begin();
    CHECK_EQ(wf_cc_room(&cc, 0), 10 * MSS);
    CHECK_EQ(wf_cc_room(&cc, 10 * MSS - 1), 1);
    CHECK_EQ(wf_cc_room(&cc, 10 * MSS), 0);
    CHECK_EQ(wf_cc_room(&cc, 1ull << 40), 0);
}

/* SPEC 4.4-9 */
TEST(a_restart_begins_small_and_is_back_at_the_window_in_a_few_rounds)
{
    begin();
    for (int k = 0; k < 5; k++) {
        one_round();
    }
    lose(1);
    now += 2 * RTT_US;
    one_round();
    const uint64_t before = wf_cc_window(&cc);

    wf_cc_restart(&cc);
    CHECK_EQ(wf_cc_window(&cc), 10 * MSS);
    CHECK_EQ(cc.ssthresh, before);
    for (int k = 0; k < 5; k++) {
        one_round();
    }
    CHECK_LE(before, wf_cc_window(&cc));
    CHECK_LE(wf_cc_window(&cc), before * 2);
    begin();
    wf_cc_set_window(&cc, 4 * MSS); /* a small window is not made larger */
    wf_cc_restart(&cc);
    CHECK_EQ(wf_cc_window(&cc), 4 * MSS);
    CHECK_EQ(cc.ssthresh, UINT64_MAX); /* the first slow start has found no end yet */
}

/* RFC 9438 section 4.6 */
TEST(a_loss_takes_the_window_to_seven_tenths_once_a_round_trip)
{
    begin();
    one_round();
    one_round();
    const uint64_t before = wf_cc_window(&cc);

    lose(1);
    CHECK_EQ(wf_cc_window(&cc), before * 7 / 10);
    CHECK_EQ(cc.ssthresh, before * 7 / 10);
    const weft_time recovery = now;

    for (int k = 0; k < 50; k++) {
        const struct wf_cc_lost l = {
            .now = now + 1000, .newest_at = recovery, .packets = 3, .bytes = 3 * MSS};

        wf_cc_on_lost(&cc, &l);
    }
    CHECK_EQ(wf_cc_window(&cc), before * 7 / 10);
    CHECK_EQ(cc.reductions, 1);
    now += RTT_US;
    lose(1); /* sent after the first was answered */
    CHECK_EQ(cc.reductions, 2);
}

TEST(acks_of_packets_sent_before_the_loss_was_answered_do_not_grow_the_window)
{
    begin();
    one_round();
    lose(1);
    const uint64_t window = wf_cc_window(&cc);

    fill_window();
    now += 10;
    ack_bytes(MSS, 0); /* newest_at is a round trip ago */
    CHECK_EQ(wf_cc_window(&cc), window);
}

TEST(a_congestion_mark_counts_as_a_loss_and_a_lost_probe_of_the_size_as_nothing)
{
    begin();
    one_round();
    const uint64_t before = wf_cc_window(&cc);

    wf_cc_on_lost(&cc, &(struct wf_cc_lost){.now = now, .newest_at = now - 1, .packets = 1});
    CHECK_EQ(wf_cc_window(&cc), before);
    wf_cc_on_lost(&cc, &(struct wf_cc_lost){.now = now, .newest_at = now - 1, .is_ce = true});
    CHECK_EQ(wf_cc_window(&cc), before * 7 / 10);
    wf_cc_on_spurious(&cc, 100, now - 1);
    CHECK_EQ(wf_cc_window(&cc), before * 7 / 10); /* a mark is not taken back */
}

/* RFC 9002 section 7.6.2 */
TEST(persistent_congestion_leaves_two_datagrams_and_slow_start)
{
    begin();
    one_round();
    one_round();
    const struct wf_cc_lost l = {
        .now = now, .newest_at = now - 1, .packets = 40, .bytes = 40 * MSS, .is_persistent = true};

    wf_cc_on_lost(&cc, &l);
    CHECK_EQ(wf_cc_window(&cc), 2 * MSS);
    CHECK(wf_cc_in_slow_start(&cc));
    now += RTT_US;
    one_round();
    CHECK_EQ(wf_cc_window(&cc), 4 * MSS);
}

/* RFC 9438 section 4.8 */
TEST(after_persistent_congestion_the_cubic_turns_where_slow_start_ended)
{
    begin();
    while (wf_cc_window(&cc) < 1000 * MSS)
        one_round();
    const struct wf_cc_lost l = {
        .now = now, .newest_at = now - 1, .packets = 40, .bytes = 40 * MSS, .is_persistent = true};

    wf_cc_on_lost(&cc, &l);
    now += RTT_US;
    while (wf_cc_in_slow_start(&cc))
        one_round();
    const uint64_t window = wf_cc_window(&cc);

    one_round();
    CHECK_EQ(cc.cubic.k, 0);
    CHECK_LE(window - window / 100, cc.cubic.w_max);
    CHECK_LE(cc.cubic.w_max, window);
}

TEST(losses_never_bring_the_window_below_two_datagrams)
{
    begin();
    for (int k = 0; k < 30; k++) {
        now += 10 * RTT_US;
        lose(1);
        CHECK_LE(2 * MSS, wf_cc_window(&cc));
    }
    CHECK_EQ(wf_cc_window(&cc), 2 * MSS);
    wf_cc_set_datagram(&cc, 9000);
    CHECK_EQ(wf_cc_window(&cc), 18000);
}

/* RFC 9438 section 4.9.2 */
TEST(the_window_comes_back_when_all_of_the_losses_were_none)
{
    begin();
    one_round();
    one_round();
    const uint64_t before = wf_cc_window(&cc);
    const uint64_t ssthresh = cc.ssthresh;

    lose(3);
    lose(2);
    wf_cc_on_spurious(&cc, 4, now - 1);
    CHECK_EQ(wf_cc_window(&cc), before * 7 / 10);
    wf_cc_on_spurious(&cc, 1, now - 1);
    CHECK_EQ(wf_cc_window(&cc), before);
    CHECK_EQ(cc.ssthresh, ssthresh);
    wf_cc_on_spurious(&cc, 100, now - 1);
    CHECK_EQ(wf_cc_window(&cc), before);
}

/* RFC 9002 section 7.8 */
TEST(a_window_that_is_not_used_does_not_grow)
{
    begin();
    for (int k = 0; k < 200; k++) {
        wf_cc_on_sent(&cc, &(struct wf_cc_sent){.in_flight = 2 * MSS});
        now += RTT_US;
        ack_bytes(2 * MSS, 0);
    }
    CHECK_EQ(wf_cc_window(&cc), 10 * MSS);
    cc.ssthresh = cc.window;
    for (int k = 0; k < 200; k++) {
        wf_cc_on_sent(&cc, &(struct wf_cc_sent){.in_flight = 2 * MSS});
        now += RTT_US;
        ack_bytes(2 * MSS, 0);
    }
    CHECK_EQ(wf_cc_window(&cc), 10 * MSS);
}

static void grow_to(uint64_t packets)
{
    begin();
    while (wf_cc_window(&cc) < packets * MSS) {
        one_round();
    }
    wf_cc_set_window(&cc, packets * MSS);
}

TEST(time_in_which_the_window_was_not_used_does_not_move_the_cubic)
{
    grow_to(1000);
    lose(1);
    now += RTT_US + 1;
    for (int k = 0; k < 10; k++) {
        one_round();
    }
    const uint64_t window = wf_cc_window(&cc);

    for (int k = 0; k < 600; k++) { /* a minute of trickling */
        now += RTT_US;
        next += 1000; /* rounds pass */
        wf_cc_on_sent(&cc, &(struct wf_cc_sent){.in_flight = 3 * MSS});
        ack_bytes(MSS, 0);
    }
    CHECK_LE(wf_cc_window(&cc), window + 20 * MSS);
    const uint64_t after = wf_cc_window(&cc);

    one_round();
    one_round();
    CHECK_LE(wf_cc_window(&cc), after + after / 10);
}

/* --- the reference: RFC 9438 section 4.2 to 4.4 in doubles --- */

static double cube_root(double v)
{
    double low = 0;
    double high = v > 1 ? v : 1;

    for (int k = 0; k < 200; k++) {
        const double middle = (low + high) / 2;

        if (middle * middle * middle < v) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

struct reference {
    double window, w_max, w_est, w_prior, k, epoch; /* packets and seconds */
};

static struct reference reference_after_loss(double w_max)
{
    struct reference r = {.window = w_max * 0.7, .w_max = w_max, .w_prior = w_max};

    r.w_est = r.window;
    r.k = cube_root((r.w_max - r.window) / 0.4);
    return r;
}

static double reference_cubic(const struct reference *r, double t)
{
    const double d = t - r->k;

    return 0.4 * d * d * d + r->w_max;
}

static void reference_ack(struct reference *r, double t, double rtt)
{
    double target = reference_cubic(r, t + rtt);

    r->w_est += (r->w_est < r->w_prior ? 9.0 / 17 : 1.0) / r->window;
    if (reference_cubic(r, t) < r->w_est) {
        r->window = r->w_est > r->window ? r->w_est : r->window;
        return;
    }
    target = target > 1.5 * r->window ? 1.5 * r->window : target;
    r->window += target > r->window ? (target - r->window) / r->window : 0;
}

/* From a loss at a window, seconds of growth; both must agree within 2 % after each round trip. */
static void compare(uint64_t packets, unsigned rounds)
{
    grow_to(packets);
    lose(1);
    now += RTT_US + 1;
    fill_window();
    ack_bytes(1, 0); /* begins the epoch */

    struct reference r = reference_after_loss((double)packets);
    const weft_time epoch = now;

    for (unsigned k = 0; k < rounds; k++) {
        const uint64_t in_round = wf_cc_window(&cc) / MSS;
        const weft_time start = now;

        for (uint64_t i = 0; i < in_round; i++) {
            now = start + RTT_US * (i + 1) / in_round;
            fill_window();
            ack_bytes(MSS, 0);
            reference_ack(&r, (double)(now - epoch) / 1e6, RTT_US / 1e6);
        }
        const double ours = (double)wf_cc_window(&cc) / MSS;

        test_note("%u packets, round %u: ours %.2f, reference %.2f", (unsigned)packets, k, ours,
                  r.window);
        CHECK(ours > r.window * 0.98 - 1 && ours < r.window * 1.02 + 1);
    }
}

/* RFC 9438 section 4.2 and 4.3: small windows stay in Reno's region, large ones follow the cubic.
 */
TEST(growth_agrees_with_the_formulas_of_the_rfc_within_two_percent)
{
    compare(20, 100);
    compare(100, 150);
    compare(1000, 150);
    compare(8000, 120);
}

/* RFC 9438 section 4.2: K seconds after the loss the window is back at what it was. */
TEST(after_k_seconds_the_window_is_where_it_was_and_flat_there)
{
    const double k = cube_root(1000 * 0.3 / 0.4);

    grow_to(1000);
    lose(1);
    now += RTT_US + 1;
    const weft_time epoch = now;
    uint64_t before = 0;

    while ((double)(now - epoch) / 1e6 < k) {
        before = wf_cc_window(&cc);
        one_round();
    }
    CHECK_LE(980 * MSS, wf_cc_window(&cc));
    CHECK_LE(wf_cc_window(&cc), 1020 * MSS);
    CHECK_LE(wf_cc_window(&cc) - before, 3 * MSS);
}

/* RFC 9438 section 4.7 */
TEST(a_flow_that_falls_before_its_old_peak_leaves_room)
{
    grow_to(1000);
    lose(1);
    CHECK_EQ(cc.cubic.w_max, 1000 * MSS);
    now += 2 * RTT_US;
    lose(1);
    CHECK_EQ(cc.cubic.w_max, 700 * MSS * 17 / 20);
    CHECK_EQ(wf_cc_window(&cc), 490 * MSS);
}

TEST(hystart_ends_slow_start_without_a_loss)
{
    begin();
    for (uint64_t round = 0; round < 12 && wf_cc_in_slow_start(&cc); round++) {
        const uint64_t packets = wf_cc_window(&cc) / MSS;

        for (uint64_t k = 0; k < packets; k++) {
            fill_window();
            now += RTT_US / packets;
            ack_bytes(MSS, RTT_US + (round < 4 ? 0 : 20000));
        }
    }
    CHECK(!wf_cc_in_slow_start(&cc));
    CHECK_EQ(cc.reductions, 0);
    CHECK_LE(160 * MSS, wf_cc_window(&cc));
    CHECK_LE(wf_cc_window(&cc), 160 * MSS * 4);
    const uint64_t window = wf_cc_window(&cc);

    one_round();
    CHECK_LE(window, wf_cc_window(&cc));
    CHECK_LE(wf_cc_window(&cc), window + window / 8);
}

TEST(cube_roots_are_exact)
{
    for (uint64_t r = 0; r < 3000; r++) {
        CHECK_EQ(wf_cc_cube_root(r * r * r), r);
        if (r > 0) {
            CHECK_EQ(wf_cc_cube_root(r * r * r - 1), r - 1);
        }
    }
    CHECK_EQ(wf_cc_cube_root(UINT64_MAX), 2642245);
    CHECK_EQ(wf_cc_cube_root(2642245ull * 2642245 * 2642245), 2642245);
    CHECK_EQ(wf_cc_cube_root(2642245ull * 2642245 * 2642245 - 1), 2642244);
}

/* The largest datagrams, windows and times that can be: nothing may wrap (the sanitizer looks on).
 */
TEST(extremes_stay_within_bounds)
{
    uint64_t state = test_seed();

    for (int run = 0; run < 100; run++) {
        wf_cc_init(&cc, WF_CC_CUBIC, run % 2 ? 65507 : 1200);
        now = 1u << 20;
        wf_cc_set_window(&cc, test_next(&state) % (2 * WF_CC_WINDOW_MAX));
        for (int k = 0; k < 300; k++) {
            const uint64_t dice = test_next(&state);

            now += dice % (1ull << dice % 50);
            fill_window();
            if (dice >> 60 == 0) {
                lose(1 + dice % 8);
            } else {
                struct wf_cc_ack a = {.now = now,
                                      .newest_at = now - 1,
                                      .newest = next,
                                      .next = next + 6,
                                      .bytes = test_next(&state) % WF_CC_WINDOW_MAX,
                                      .srtt_us = 1 + dice % 60000000};

                next++;
                wf_cc_on_ack(&cc, &a);
            }
            CHECK_LE(wf_cc_min_window(&cc), wf_cc_window(&cc));
            CHECK_LE(wf_cc_window(&cc), WF_CC_WINDOW_MAX);
        }
    }
}

TEST(the_pacing_rate_is_a_window_and_a_quarter_per_round_trip_and_two_in_slow_start)
{
    struct wf_rtt rtt;

    begin();
    wf_rtt_init(&rtt, 0);
    CHECK_EQ(wf_cc_pacing_rate(&cc, &rtt), 0);
    wf_rtt_sample(&rtt, 1, 50000, 0);
    CHECK_EQ(wf_cc_pacing_rate(&cc, &rtt), 10 * MSS * 20 * 2);
    cc.ssthresh = cc.window;
    CHECK_EQ(wf_cc_pacing_rate(&cc, &rtt), 10 * MSS * 20 * 5 / 4);
    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, 1, 0, 0);
    wf_cc_set_window(&cc, WF_CC_WINDOW_MAX);
    CHECK_LE(1ull << 52, wf_cc_pacing_rate(&cc, &rtt));
}
