/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_dark_test.c - nothing comes through for a while, in one direction or both
 * (docs/spec/4-transport.md 4.4): how soon it goes on, at which rate, and what it costs meanwhile.
 */
#include "support/chan_pair.h"
#include "transport/pto.h"

#define RATE 1250000u /* 10 Mb/s */
#define SECOND 1000000u

static struct pair p;

static void begin(uint64_t delay_us, uint64_t idle_ms)
{
    struct pair_options o = {
        .seed = test_seed(),
        .link = {
            .delay_us = delay_us, .rate = {RATE, RATE}, .queue = RATE / 10, .mtu = {1500, 1500}}};

    for (int i = 0; i < 2; i++) {
        o.config[i].params = pair_params();
        o.config[i].params.idle_ms = idle_ms;
    }
    pair_new(&p, &o);
    p.unchecked = true;
    pair_start(&p, false);
    (void)pair_run(&p, p.now + SECOND);
}

static void push_for(struct pair_source *s, uint64_t us)
{
    for (weft_time until = p.now + us; p.now < until;) {
        (void)pair_push(&p, s);
        (void)pair_run(&p, p.now + 5000);
    }
}

static uint64_t received(const struct pair_source *s)
{
    return pair_message(&p, !s->who, true, s->number)->received;
}

static void darken(int which, bool is_dark)
{
    p.link.is_dead[0] = is_dark && (which & 1) != 0;
    p.link.is_dead[1] = is_dark && (which & 2) != 0;
}

static weft_time resumes_after(struct pair_source *s)
{
    uint64_t was = received(s);
    weft_time from = p.now;

    while (received(s) == was) {
        push_for(s, 5000);
        CHECK(p.now - from < 60 * SECOND);
    }
    return p.now - from;
}

/* directions: bit 0 to the server, bit 1 to the client. */
static void check_dark(uint64_t delay_us, uint64_t dark_us, int who, int directions)
{
    struct pair_source s = {.who = who, .length = 100u << 20};

    test_note("delay %llu dark %llu who %d directions %d", (unsigned long long)delay_us,
              (unsigned long long)dark_us, who, directions);
    begin(delay_us, 60000);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    push_for(&s, 3 * SECOND);
    darken(directions, true);
    push_for(&s, dark_us);
    darken(directions, false);
    /* At most a second until somebody asks, and one round trip with a queue. */
    weft_time late = resumes_after(&s);
    CHECK_LE(late, SECOND + 4 * delay_us);
    push_for(&s, 3 * SECOND - late);
    uint64_t before = received(&s);
    push_for(&s, SECOND);
    CHECK(received(&s) - before >= RATE / 5 * 4);
    CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
    CHECK(pair_message(&p, !who, true, s.number)->is_right);
    pair_free(&p);
}

/* SPEC 4.4-9 */
TEST(three_seconds_after_a_blackout_of_two_the_rate_is_back)
{
    static const uint64_t delays[] = {5000, 20000, 100000};

    for (size_t d = 0; d < WF_ARRAY_LEN(delays); d++) {
        for (int directions = 1; directions < 4; directions++) {
            check_dark(delays[d], 2 * SECOND, 0, directions);
            check_dark(delays[d], 2 * SECOND, 1, directions);
        }
    }
}

/* SPEC 4.4-9 */
TEST(after_half_a_minute_of_darkness_it_goes_on_within_a_second_too)
{
    for (int directions = 1; directions < 4; directions++) {
        check_dark(20000, 29 * SECOND, 0, directions);
        check_dark(20000, 29 * SECOND, 1, directions);
    }
}

/* SPEC 4.4-9 */
TEST(what_was_lost_in_the_dark_does_not_make_the_window_smaller)
{
    for (int directions = 1; directions < 4; directions++) {
        struct pair_source s = {.who = 0, .length = 400u << 20};
        struct wf_chan_stats before, after;

        begin(20000, 60000);
        p.link.rate[0] = 10 * RATE;
        p.link.queue = 10 * RATE;
        pair_open(&p, &s, WF_PRIORITY_NORMAL);
        push_for(&s, SECOND);
        wf_chan_stats(p.end[0].chan, &before);
        darken(directions, true);
        push_for(&s, 2 * SECOND);
        darken(directions, false);
        push_for(&s, 2 * SECOND);
        wf_chan_stats(p.end[0].chan, &after);
        test_note("directions %d", directions);
        CHECK(after.packets_lost > before.packets_lost + 10 || directions == 2);
        CHECK_LE(before.cwnd, after.cwnd);
        pair_free(&p);
    }
}

/* SPEC 4.4-9 */
TEST(who_answers_nothing_gets_twelve_probes_with_data_and_then_a_question_a_second)
{
    struct pair_source s = {.who = 0, .length = 10u << 20};

    begin(20000, 60000);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    push_for(&s, SECOND);
    darken(3, true);
    push_for(&s, 200000); /* the window is full */
    uint64_t bytes = p.end[0].bytes_out;
    uint64_t datagrams = p.end[0].datagrams_out;
    push_for(&s, 70 * SECOND);
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_LE(p.end[0].datagrams_out - datagrams, 64);
    CHECK_LE(p.end[0].bytes_out - bytes, WF_PTO_DEAD * 1500 + 64 * 60);
    pair_free(&p);
}

/* SPEC 4.5-2 */
TEST(silence_ends_a_session_when_the_idle_time_is_over_and_not_before)
{
    static const uint64_t idle[] = {3000, 30000};

    for (size_t i = 0; i < WF_ARRAY_LEN(idle); i++) {
        for (int who = 0; who < 2; who++) {
            struct pair_source s = {.who = who, .length = 10u << 20};
            begin(20000, idle[i]);
            pair_open(&p, &s, WF_PRIORITY_NORMAL);
            push_for(&s, SECOND);
            darken(3, true);
            weft_time from = p.now;
            push_for(&s, idle[i] * 1000 - 1);
            CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
            push_for(&s, 300000); /* what was under way at first, and a PTO */
            CHECK_EQ(p.end[0].closed + p.end[1].closed, 2);
            CHECK_EQ(p.end[0].last_closed.code, WF_CODE_IDLE);
            CHECK(p.now - from < idle[i] * 1000 + SECOND);
            pair_free(&p);
        }
    }
}

TEST(without_messages_nothing_is_sent_however_long_it_takes)
{
    begin(20000, 0);
    (void)pair_run(&p, p.now + 10 * SECOND);
    uint64_t before = p.end[0].datagrams_out + p.end[1].datagrams_out;
    CHECK(!pair_run(&p, p.now + 86400ull * SECOND)); /* nothing is left to happen at all */
    CHECK_EQ(p.end[0].datagrams_out + p.end[1].datagrams_out, before);
    pair_free(&p);
}

/* An asymmetric path: acknowledgements have a fiftieth of the rate. */
TEST(a_narrow_way_back_does_not_slow_the_way_there)
{
    struct pair_source s = {.who = 0, .length = 100u << 20};

    begin(20000, 60000);
    p.link.rate[1] = RATE / 50;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    push_for(&s, 3 * SECOND);
    uint64_t before = received(&s);
    push_for(&s, 3 * SECOND);
    CHECK(received(&s) - before >= RATE / 5 * 4 * 3);
    pair_free(&p);
}
