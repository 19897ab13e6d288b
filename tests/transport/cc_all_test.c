/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_all_test.c - what holds for every controller after any sequence of calls: the window stays
 * within its bounds, the pacing rate is never nothing, and no sum wraps (the sanitizer looks on).
 */
#include "test.h"
#include "transport/cc.h"

static const enum wf_cc_kind kinds[] = {WF_CC_CUBIC, WF_CC_LEDBAT, WF_CC_BBR};

struct dice {
    uint64_t state;
    weft_time now;
    uint64_t next, acked;
};

static uint64_t roll(struct dice *d)
{
    return test_next(&d->state);
}

/* Small ones as often as large ones. */
static uint64_t any_size(struct dice *d)
{
    const uint64_t bits = roll(d) % 64;

    return roll(d) >> bits;
}

static struct wf_rate_sample any_rate(struct dice *d)
{
    return (struct wf_rate_sample){.bw = any_size(d) >> 24, /* 8 Tbit/s */
                                   .delivered = any_size(d) >> 30,
                                   .lost = any_size(d) >> 32,
                                   .in_flight = any_size(d) >> 32,
                                   .total = any_size(d) >> 8,
                                   .is_app_limited = roll(d) % 3 == 0};
}

static void any_ack(struct wf_cc *cc, struct dice *d)
{
    struct wf_cc_ack a = {.now = d->now,
                          .newest_at = d->now - roll(d) % 1000000,
                          .newest = d->acked,
                          .next = d->next,
                          .bytes = any_size(d) >> 30,
                          .rtt_us = roll(d) % 4 == 0 ? 0 : any_size(d) % 60000001,
                          .srtt_us = 1 + any_size(d) % 60000000,
                          .in_flight = any_size(d) >> 32,
                          .lost = roll(d) % 8 == 0 ? any_size(d) >> 34 : 0,
                          .rate = any_rate(d)};

    d->acked += d->next > d->acked ? roll(d) % (d->next - d->acked + 1) : 0;
    wf_cc_on_ack(cc, &a);
}

static void any_loss(struct wf_cc *cc, struct dice *d)
{
    const uint64_t packets = 1 + roll(d) % 100;

    wf_cc_on_lost(cc, &(struct wf_cc_lost){.now = d->now,
                                           .newest_at = d->now - roll(d) % 1000000,
                                           .packets = packets,
                                           .bytes = roll(d) % 4 == 0 ? 0 : packets * 1200,
                                           .marks = roll(d) % 5,
                                           .in_flight = any_size(d) >> 32,
                                           .sent_in_flight = any_size(d) >> 32,
                                           .lost_since = any_size(d) >> 32,
                                           .is_app_limited = roll(d) % 3 == 0,
                                           .is_ce = roll(d) % 4 == 0,
                                           .is_persistent = roll(d) % 16 == 0});
}

static void any_call(struct wf_cc *cc, struct dice *d)
{
    switch (roll(d) % 16) {
    case 0:
        any_loss(cc, d);
        return;
    case 1:
        wf_cc_on_spurious(cc, roll(d) % 120, d->now - roll(d) % 1000000);
        return;
    case 2:
        if (roll(d) % 8 == 0)
            wf_cc_set_datagram(cc, 1200 + any_size(d) % 64336);
        return;
    case 3:
        d->now += any_size(d) >> 20; /* half a year */
        return;
    default:
        d->now += any_size(d) % 100000;
        d->next += roll(d) % 4;
        wf_cc_on_sent(cc, &(struct wf_cc_sent){.now = d->now,
                                               .bytes = any_size(d) % 65536,
                                               .in_flight = roll(d) % 3 == 0 ? wf_cc_window(cc)
                                                                             : any_size(d) >> 32,
                                               .is_app_limited = roll(d) % 3 == 0});
        any_ack(cc, d);
    }
}

TEST(whatever_is_called_windows_and_rates_stay_within_their_bounds)
{
    struct dice d = {.state = test_seed()};

    for (int run = 0; run < 300; run++) {
        const enum wf_cc_kind kind = kinds[run % 3];
        struct wf_cc cc;
        struct wf_rtt rtt;

        d.now = 1ull << 40;
        d.next = 1;
        d.acked = 0;
        wf_cc_init(&cc, kind, 1200 + any_size(&d) % 64336);
        wf_rtt_init(&rtt, 25000);
        for (int k = 0; k < 500; k++) {
            any_call(&cc, &d);
            test_note("%s, run %d, call %d", wf_cc_name(&cc), run, k);
            CHECK_LE(wf_cc_min_window(&cc), wf_cc_window(&cc));
            CHECK_LE(wf_cc_window(&cc), WF_CC_WINDOW_MAX);
            CHECK_LE(wf_cc_room(&cc, any_size(&d)), wf_cc_window(&cc));
            wf_rtt_sample(&rtt, d.now, any_size(&d), 0);
            CHECK_LE(1, wf_cc_pacing_rate(&cc, &rtt));
        }
    }
}

/* RFC 9002 section 7.3.1: whoever answers to losses does so once a round trip, to marks too. */
TEST(marks_and_losses_of_one_round_trip_lower_the_window_once)
{
    for (size_t k = 0; k < 2; k++) {
        struct wf_cc cc;

        wf_cc_init(&cc, kinds[k], 1200);
        wf_cc_set_window(&cc, 100 * 1200);
        cc.ssthresh = cc.window;
        for (weft_time at = 1000000; at < 1020000; at += 500) {
            wf_cc_on_lost(&cc, &(struct wf_cc_lost){.now = at,
                                                    .newest_at = at - 20000,
                                                    .packets = at % 1000 == 0 ? 0 : 1,
                                                    .bytes = at % 1000 == 0 ? 0 : 1200,
                                                    .is_ce = at % 1000 == 0});
        }
        CHECK_EQ(cc.reductions, 1);
        CHECK_EQ(wf_cc_window(&cc), kinds[k] == WF_CC_CUBIC ? 84000 : 60000);
    }
}
