/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_end_test.c - every way a channel ends: closed by either side, with CLOSE lost or not; idle;
 * a peer that died; hard stop of numbers; and what is left to read after it.
 */
#include "support/chan_pair.h"

static struct pair p;

static void begin(const struct pair_options *o)
{
    pair_new(&p, o);
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 1000000);
}

TEST(close_ends_both_sides_with_code_and_text) /* SPEC 4.5-1 */
{
    for (int who = 0; who < 2; who++) {
        struct pair_options o = {.seed = test_seed()};
        begin(&o);
        wf_chan_close(p.end[who].chan, p.now, 300, (weft_span){(const uint8_t *)"bye", 3});
        CHECK(!pair_run(&p, p.now + 10000000));
        CHECK_EQ(p.end[who].closed, 1);
        CHECK_EQ(p.end[who].last_closed.err, WEFT_OK);
        CHECK_EQ(p.end[!who].closed, 1);
        CHECK_EQ(p.end[!who].last_closed.err, WEFT_ERR_CLOSED);
        CHECK_EQ(p.end[!who].last_closed.code, 300);
        CHECK_EQ(p.end[!who].last_closed.data.len, 3);
        pair_free(&p);
    }
}

TEST(close_from_both_sides_at_once_ends_both)
{
    struct pair_options o = {.seed = test_seed()};

    begin(&o);
    wf_chan_close(p.end[0].chan, p.now, 1, (weft_span){NULL, 0});
    wf_chan_close(p.end[1].chan, p.now, 2, (weft_span){NULL, 0});
    CHECK(!pair_run(&p, p.now + 10000000));
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_EQ(p.end[1].closed, 1);
    CHECK_EQ(p.end[0].last_closed.err, WEFT_OK);
    CHECK_EQ(p.end[1].last_closed.err, WEFT_OK);
    pair_free(&p);
}

TEST(a_lost_close_is_said_again_to_who_goes_on_sending_but_not_more_than_once_a_pto)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 1, .length = 500000};

    begin(&o);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    (void)pair_push(&p, &s);
    pair_flush(&p, 1);
    wf_chan_close(p.end[0].chan, p.now, 0, (weft_span){NULL, 0});
    uint64_t before = p.end[0].datagrams_out;
    p.link.is_dead[0] = true;
    pair_flush(&p, 0);
    p.link.is_dead[0] = false;
    CHECK(!pair_run(&p, p.now + 10000000));
    CHECK_EQ(p.end[1].closed, 1);
    CHECK_EQ(p.end[1].last_closed.err, WEFT_ERR_CLOSED);
    CHECK_LE(p.end[0].datagrams_out - before, 4);
    pair_free(&p);
}

TEST(nothing_can_be_opened_or_written_after_the_end)
{
    struct pair_options o = {.seed = test_seed()};
    struct wf_message_params mp = {.open_ended = true};
    uint64_t number = 0;
    size_t taken = 0;

    begin(&o);
    CHECK_OK(wf_chan_open(p.end[0].chan, &mp, &number));
    wf_chan_close(p.end[0].chan, p.now, 0, (weft_span){NULL, 0});
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(wf_chan_open(p.end[0].chan, &mp, &number), WEFT_ERR_CLOSED);
        CHECK_EQ(
            wf_chan_write(p.end[0].chan, 1, (weft_span){(const uint8_t *)"x", 1}, false, &taken),
            WEFT_ERR_CLOSED);
        CHECK_EQ(wf_chan_datagram(p.end[0].chan, (weft_span){(const uint8_t *)"x", 1}),
                 WEFT_ERR_CLOSED);
        wf_chan_cancel(p.end[0].chan, 1, 3);
        wf_chan_error(p.end[0].chan, 1, 3, (weft_span){NULL, 0});
        wf_chan_ping(p.end[0].chan);
        wf_chan_close(p.end[0].chan, p.now, 0, (weft_span){NULL, 0});
        (void)pair_run(&p, p.now + 10000000);
    }
    CHECK_EQ(p.end[0].closed, 1);
    pair_free(&p);
}

TEST(what_arrived_before_the_end_can_still_be_read)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 0, .length = 5000};
    bool at_end = false;

    begin(&o);
    p.end[1].reads = false;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    CHECK(pair_push(&p, &s));
    (void)pair_run(&p, p.now + 1000000);
    wf_chan_close(p.end[0].chan, p.now, 0, (weft_span){NULL, 0});
    (void)pair_run(&p, p.now + 10000000);
    CHECK_EQ(p.end[1].closed, 1);
    CHECK(wf_chan_is_whole(p.end[1].chan, s.number));
    uint64_t got = 0;
    while (!at_end) {
        weft_span span = wf_chan_peek(p.end[1].chan, s.number, &at_end);
        CHECK(span.len > 0);
        got += span.len;
        wf_chan_consume(p.end[1].chan, s.number, span.len);
    }
    CHECK_EQ(got, 5000);
    pair_free(&p);
}

/* SPEC 4.5-2, 4.6-7 */
TEST(the_smaller_idle_time_of_both_ends_without_a_packet_ends_one_that_waits_for_something)
{
    static const uint64_t idle[][3] = {
        {0, 0, 0}, {5000, 0, 5000}, {0, 7000, 7000}, {9000, 4000, 4000}};

    for (size_t i = 0; i < 4; i++) {
        struct pair_options o = {.seed = test_seed()};
        struct pair_source s = {.who = 1, .length = 10};
        for (int who = 0; who < 2; who++) {
            o.config[who].params = pair_params();
            o.config[who].params.idle_ms = idle[i][who];
        }
        begin(&o);
        p.link.is_dead[0] = true;
        p.link.is_dead[1] = true;
        pair_open(&p, &s, WF_PRIORITY_NORMAL);
        (void)pair_push(&p, &s);
        pair_flush(&p, 1);
        weft_time quiet = p.now;
        (void)pair_run(&p, quiet + (idle[i][2] == 0 ? 9000 : idle[i][2]) * 1000 - 1000);
        CHECK_EQ(p.end[1].closed, 0);
        (void)pair_run(&p, quiet + idle[i][2] * 1000 + 1000);
        CHECK_EQ(p.end[1].closed, idle[i][2] != 0);
        CHECK_EQ(p.end[0].closed, 0); /* it waits for nothing */
        if (idle[i][2] != 0)
            CHECK_EQ(p.end[1].last_closed.err, WEFT_ERR_TIMEOUT);
        pair_free(&p);
    }
}

TEST(an_open_message_keeps_a_silent_session_and_a_dead_peer_ends_it_all_the_same) /* SPEC 4.5-3 */
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 0, .length = 1000000, .open_ended = true};

    o.config[0].params = pair_params();
    o.config[0].params.idle_ms = 3000;
    begin(&o);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    uint64_t before = p.end[0].datagrams_out + p.end[1].datagrams_out;
    (void)pair_run(&p, p.now + 60000000);
    CHECK_EQ(p.end[0].closed, 0);
    CHECK_EQ(p.end[1].closed, 0);
    CHECK_LE(p.end[0].datagrams_out + p.end[1].datagrams_out - before, 4 * 60);
    p.link.is_dead[0] = true;
    p.link.is_dead[1] = true;
    (void)pair_run(&p, p.now + 4000000);
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_EQ(p.end[1].closed, 1);
    pair_free(&p);
}

TEST(a_dead_peer_costs_at_most_12_probes_and_a_minute_of_questions)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 0, .length = 1000000};

    begin(&o);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    (void)pair_push(&p, &s);
    p.link.is_dead[1] = true;
    pair_flush(&p, 0);
    uint64_t before = p.end[0].datagrams_out;
    uint64_t bytes = p.end[0].bytes_out;
    (void)pair_run(&p, p.now + 3600000000u);
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_EQ(p.end[0].last_closed.err, WEFT_ERR_TIMEOUT);
    CHECK_LE(p.end[0].datagrams_out - before,
             12 + 10 + 60); /* what the window still held, the probes, and a PING a second */
    CHECK_LE(p.end[0].bytes_out - bytes, (12 + 10) * 1200 + 60 * 60);
    pair_free(&p);
}

TEST(a_blackout_of_any_length_below_the_end_is_survived)
{
    static const uint64_t lengths[] = {100000, 2000000, 30000000};

    for (size_t i = 0; i < 3; i++) {
        struct pair_options o = {.seed = test_seed(), .link = {.mtu = {1500, 1500}}};
        struct pair_source s = {.who = 0, .length = 600000};
        test_note("blackout of %llu us", (unsigned long long)lengths[i]);
        begin(&o);
        pair_open(&p, &s, WF_PRIORITY_NORMAL);
        (void)pair_push(&p, &s);
        (void)pair_run(&p, p.now + 30000);
        p.link.is_dead[0] = true;
        p.link.is_dead[1] = i != 1; /* one way only */
        (void)pair_run(&p, p.now + lengths[i]);
        p.link.is_dead[0] = false;
        p.link.is_dead[1] = false;
        weft_time back = p.now;
        while (pair_message(&p, 0, false, s.number)->delivered == 0) {
            (void)pair_push(&p, &s);
            (void)pair_run(&p, p.now + 10000);
            CHECK(p.now - back < 2 * lengths[i] + 10000000);
        }
        CHECK(pair_message(&p, 1, true, s.number)->is_right);
        pair_free(&p);
    }
}

TEST(numbers_stop_before_the_hard_stop_with_a_close) /* SPEC 2.5-4 */
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 0, .length = 3u << 20};

    o.link.mtu[0] = 1500;
    o.config[0].first_number = WF_KEYS_PACKETS_MAX - 9000;
    begin(&o);
    p.unchecked = true;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    for (int i = 0; i < 1000 && p.end[0].closed == 0; i++) {
        (void)pair_push(&p, &s);
        (void)pair_run(&p, p.now + 30000);
    }
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_EQ(p.end[0].last_closed.err, WEFT_ERR_LIMIT);
    CHECK_EQ(p.end[1].last_closed.err, WEFT_ERR_CLOSED);
    pair_free(&p);
}

TEST(a_channel_that_never_started_closes_at_once)
{
    struct pair_options o = {.seed = test_seed()};
    struct wf_chan_event ev;
    uint8_t buf[10];

    pair_new(&p, &o);
    CHECK_EQ(wf_chan_early_write(p.end[0].chan, p.now, buf, sizeof buf), 0);
    wf_chan_close(p.end[0].chan, p.now, 0, (weft_span){NULL, 0});
    CHECK(wf_chan_next_event(p.end[0].chan, &ev));
    CHECK_EQ(ev.kind, WF_CHAN_CLOSED);
    CHECK(!wf_chan_next_event(p.end[0].chan, &ev));
    CHECK_EQ(wf_chan_deadline(p.end[0].chan), WEFT_TIME_NEVER);
    pair_free(&p);
}

TEST(a_client_that_is_never_heard_of_again_is_dropped)
{
    struct pair_options o = {.seed = test_seed()};

    pair_new(&p, &o);
    p.link.is_dead[0] = true;
    p.link.is_dead[1] = true;
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 100000000);
    CHECK_EQ(p.end[1].closed, 1);
    CHECK_EQ(p.end[1].confirmed, 0);
    CHECK_EQ(p.end[1].last_closed.err, WEFT_ERR_TIMEOUT);
    pair_free(&p);
}
