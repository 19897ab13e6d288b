/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_message_test.c - messages of a channel: many small ones in a packet, priorities, credit that
 * blocks and comes back, cancel and stop from both ends at every moment, and outcomes that are
 * exactly one.
 */
#include "support/chan_pair.h"

static struct pair_options options(uint64_t seed)
{
    return (struct pair_options){.seed = seed};
}

TEST(many_small_messages_share_packets)
{
    struct pair_options o = options(test_seed());
    struct pair p;

    pair_new(&p, &o);
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 100000);
    uint64_t before = p.end[0].datagrams_out;
    struct pair_source s[200];
    for (size_t i = 0; i < 200; i++) {
        s[i] = (struct pair_source){.length = 20};
        pair_open(&p, &s[i], WF_PRIORITY_NORMAL);
        CHECK(pair_push(&p, &s[i]));
    }
    (void)pair_run(&p, p.now + 100000);
    CHECK_LE(p.end[0].datagrams_out - before,
             14); /* 200 messages of about 35 bytes each, and acks */
    for (size_t i = 0; i < 200; i++) {
        CHECK_EQ(pair_message(&p, 0, false, s[i].number)->delivered, 1);
        CHECK(pair_message(&p, 1, true, s[i].number)->at_end);
        CHECK(pair_message(&p, 1, true, s[i].number)->is_right);
    }
    CHECK(wf_chan_is_idle(p.end[0].chan));
    CHECK(wf_chan_is_idle(p.end[1].chan));
    pair_free(&p);
}

TEST(more_messages_than_the_peer_allows_wait_for_their_turn) /* SPEC 3.4-1 */
{
    for (uint64_t count = 1; count <= 5; count += 4) {
        struct pair_options o = options(test_seed());
        struct pair p;
        o.config[1].params = pair_params();
        o.config[1].params.message_count = count;
        o.link.loss = 100;
        pair_new(&p, &o);
        pair_start(&p, false);
        struct pair_source s[60];
        for (size_t i = 0; i < 60; i++) {
            s[i] = (struct pair_source){.length = 30};
            pair_open(&p, &s[i], (uint8_t)(i % 3));
            CHECK(pair_push(&p, &s[i]));
        }
        (void)pair_run(&p, p.now + 60000000);
        for (size_t i = 0; i < 60; i++) {
            CHECK_EQ(pair_message(&p, 0, false, s[i].number)->delivered, 1);
            CHECK(pair_message(&p, 1, true, s[i].number)->at_end);
        }
        pair_free(&p);
    }
}

TEST(credit_of_any_size_blocks_and_lets_go_again) /* SPEC 4.3-1, 4.3-2 */
{
    static const uint64_t credits[][2] = {{1, 1},       {3, 100},     {100, 3},
                                          {1000, 5000}, {65536, 100}, {7, 7}};

    for (size_t i = 0; i < sizeof credits / sizeof credits[0]; i++) {
        struct pair_options o = options(test_seed() + i);
        struct pair p;
        struct pair_source s = {.length = 300, .open_ended = i % 2 == 0};
        test_note("node %llu message %llu", (unsigned long long)credits[i][0],
                  (unsigned long long)credits[i][1]);
        o.config[1].params = pair_params();
        o.config[1].params.node_credit = credits[i][0];
        o.config[1].params.message_credit = credits[i][1];
        o.link.loss = 50;
        pair_new(&p, &o);
        pair_start(&p, false);
        pair_transfer(&p, &s, 100000000);
        pair_free(&p);
    }
}

TEST(a_reader_that_stops_reading_pushes_back_and_one_that_goes_on_gets_everything)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct pair_source s = {.length = 1u << 20};

    o.config[1].params = pair_params();
    o.config[1].params.node_credit = 100000;
    o.config[1].params.message_credit = 50000;
    pair_new(&p, &o);
    pair_start(&p, false);
    p.end[1].reads = false;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    (void)pair_push(&p, &s);
    (void)pair_run(&p, p.now + 5000000);
    bool at_end = false;
    CHECK(wf_chan_peek(p.end[1].chan, s.number, &at_end).len > 0);
    struct wf_chan_stats stats;
    wf_chan_stats(p.end[0].chan, &stats);
    CHECK_EQ(stats.credit_left, 50000);
    p.end[1].reads = true;
    for (int i = 0; i < 5000 && pair_message(&p, 0, false, s.number)->delivered == 0; i++) {
        struct pair_message *m = pair_message(&p, 1, true, s.number);
        weft_span span = wf_chan_peek(p.end[1].chan, s.number, &at_end);
        for (size_t k = 0; k < span.len; k++)
            m->is_right = m->is_right && span.data[k] == pair_byte(s.number, m->received + k);
        m->received += span.len;
        wf_chan_consume(p.end[1].chan, s.number, span.len);
        (void)pair_push(&p, &s);
        (void)pair_run(&p, p.now + 30000);
    }
    CHECK_EQ(pair_message(&p, 0, false, s.number)->delivered, 1);
    CHECK(pair_message(&p, 1, true, s.number)->is_right);
    pair_free(&p);
}

TEST(writable_comes_once_for_each_write_that_was_cut_short)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct pair_source s = {.length = 100000};
    uint8_t bytes[3000] = {0};
    size_t taken = 0;

    o.config[0].send_buffer = 2000;
    pair_new(&p, &o);
    pair_start(&p, false);
    p.end[1].reads = false;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    CHECK_OK(wf_chan_write(p.end[0].chan, s.number, (weft_span){bytes, 3000}, false, &taken));
    CHECK_EQ(taken, 2000);
    CHECK_OK(wf_chan_write(p.end[0].chan, s.number, (weft_span){bytes, 1}, false, &taken));
    CHECK_EQ(taken, 0);
    (void)pair_run(&p, p.now + 1000000);
    CHECK_EQ(pair_message(&p, 0, false, s.number)->writable, 1);
    (void)pair_run(&p, p.now + 1000000);
    CHECK_EQ(pair_message(&p, 0, false, s.number)->writable, 1);
    CHECK_OK(wf_chan_write(p.end[0].chan, s.number, (weft_span){bytes, 2000}, false, &taken));
    CHECK_EQ(taken, 2000);
    (void)pair_run(&p, p.now + 1000000);
    CHECK_EQ(pair_message(&p, 0, false, s.number)->writable, 1); /* it was not cut short */
    pair_free(&p);
}

/* The most that was written and had not arrived, from the second second on. */
static uint64_t held_most(uint64_t queue, uint64_t delay_us)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct pair_source s = {.length = 200u << 20};
    uint64_t most = 0;

    o.link = (struct pair_link){.rate = {20000000, 20000000}, .queue = queue, .delay_us = delay_us};
    pair_new(&p, &o);
    pair_start(&p, false);
    p.unchecked = true;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    for (unsigned i = 0; i < 600; i++) {
        (void)pair_push(&p, &s);
        (void)pair_run(&p, p.now + 5000);
        const uint64_t held = s.written - pair_message(&p, 1, true, s.number)->received;

        if (i > 200 && held > most)
            most = held;
    }
    pair_free(&p);
    return most;
}

/* SPEC 4.3-11 */
TEST(a_long_path_makes_a_sender_hold_more_and_a_deep_queue_does_not)
{
    CHECK(held_most(2000000, 100000) > 6u << 20);
    CHECK_LE(held_most(8000000, 2000), 2u << 20);
}

TEST(writes_that_break_the_contract_are_refused_and_change_nothing)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct wf_message_params mp = {.length = 10};
    uint64_t number = 0;
    size_t taken = 99;
    uint8_t bytes[32] = {0};

    pair_new(&p, &o);
    pair_start(&p, false);
    struct wf_chan *c = p.end[0].chan;
    CHECK_OK(wf_chan_open(c, &mp, &number));
    CHECK_EQ(wf_chan_write(c, number, (weft_span){bytes, 11}, false, &taken), WEFT_ERR_USAGE);
    CHECK_EQ(wf_chan_write(c, number, (weft_span){bytes, 9}, true, &taken), WEFT_ERR_USAGE);
    CHECK_EQ(wf_chan_write(c, number + 1, (weft_span){bytes, 1}, false, &taken), WEFT_ERR_STATE);
    CHECK_EQ(taken, 99);
    CHECK_OK(wf_chan_write(c, number, (weft_span){bytes, 10}, true, &taken));
    CHECK_EQ(taken, 10);
    CHECK_EQ(wf_chan_write(c, number, (weft_span){bytes, 1}, false, &taken), WEFT_ERR_STATE);
    CHECK_OK(wf_chan_write(c, number, (weft_span){bytes, 0}, true, &taken));
    mp = (struct wf_message_params){.service = {bytes, 65}};
    CHECK_EQ(wf_chan_open(c, &mp, &number), WEFT_ERR_USAGE);
    mp = (struct wf_message_params){.priority = 3};
    CHECK_EQ(wf_chan_open(c, &mp, &number), WEFT_ERR_USAGE);
    mp = (struct wf_message_params){.length = UINT64_MAX};
    CHECK_EQ(wf_chan_open(c, &mp, &number), WEFT_ERR_USAGE);
    pair_free(&p);
}

TEST(the_number_of_outgoing_messages_is_capped)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct wf_message_params mp = {.open_ended = true};
    uint64_t number = 0;

    o.config[0].messages_out_max = 3;
    pair_new(&p, &o);
    pair_start(&p, false);
    for (int i = 0; i < 3; i++)
        CHECK_OK(wf_chan_open(p.end[0].chan, &mp, &number));
    CHECK_EQ(wf_chan_open(p.end[0].chan, &mp, &number), WEFT_ERR_LIMIT);
    wf_chan_cancel(p.end[0].chan, number, 3);
    CHECK_EQ(wf_chan_open(p.end[0].chan, &mp, &number), WEFT_ERR_LIMIT); /* until CANCEL arrived */
    (void)pair_run(&p, p.now + 1000000);
    CHECK_OK(wf_chan_open(p.end[0].chan, &mp, &number));
    pair_free(&p);
}

/* A message of 40,000 bytes is given up by one side after some time; whatever was under way,
 * nothing leaks. */
static void give_up_at(uint64_t at_us, bool by_sender, bool open_ended)
{
    struct pair_options o = options(test_seed() + at_us);
    struct pair p;
    struct pair_source s = {.length = 40000, .open_ended = open_ended};

    test_note("at %llu by %s", (unsigned long long)at_us, by_sender ? "sender" : "receiver");
    o.config[1].params = pair_params();
    o.config[1].params.node_credit = 30000;
    o.config[1].params.message_count = 2;
    o.link.loss = 150;
    pair_new(&p, &o);
    pair_start(&p, false);
    p.end[1].reads = at_us % 2 == 0;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    bool is_written = pair_push(&p, &s);
    (void)pair_run(&p, p.now + at_us);
    bool was_open = pair_message(&p, 1, true, s.number)->opened > 0;
    bool was_read = pair_message(&p, 1, true, s.number)->at_end;
    if (by_sender)
        wf_chan_cancel(p.end[0].chan, s.number, 3);
    else
        wf_chan_stop(p.end[1].chan, s.number, 300);
    (void)pair_run(&p, p.now + 20000000);
    const struct pair_message *out = pair_message(&p, 0, false, s.number);
    const struct pair_message *in = pair_message(&p, 1, true, s.number);
    if (by_sender) {
        CHECK_EQ(out->stopped, 0);
        CHECK(in->opened == 0 || in->cancelled + in->at_end == 1 || !p.end[1].reads);
    } else if (was_open && !was_read) {
        CHECK_EQ(out->delivered + out->stopped, is_written || out->stopped > 0 ? 1 : 0);
        if (out->stopped > 0)
            CHECK_EQ(out->code, 300);
        CHECK_EQ(in->cancelled, 0);
    }
    if (!p.end[1].reads)
        wf_chan_stop(p.end[1].chan, s.number, 3); /* what came whole is let go of */
    if (!by_sender && !was_open)
        wf_chan_cancel(p.end[0].chan, s.number, 3);
    (void)pair_run(&p, p.now + 20000000);
    struct pair_source after = {.length = 100000}; /* the credit is whole again */
    p.end[1].reads = true;
    pair_transfer(&p, &after, 100000000);
    (void)pair_run(&p, p.now + 1000000);
    CHECK(wf_chan_is_idle(p.end[0].chan));
    CHECK(wf_chan_is_idle(p.end[1].chan));
    pair_free(&p);
}

TEST(a_message_given_up_at_any_moment_leaks_neither_credit_nor_memory)
{
    for (uint64_t at = 0; at < 300000; at += 7001) {
        give_up_at(at, true, at % 3 == 0);
        give_up_at(at, false, at % 3 == 1);
    }
}

TEST(a_message_given_up_before_it_was_ever_sent_frees_its_number)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct wf_message_params mp = {.open_ended = true};
    uint64_t number = 0;

    o.config[1].params = pair_params();
    o.config[1].params.message_count = 2;
    pair_new(&p, &o);
    pair_start(&p, false);
    for (int i = 0; i < 50; i++) {
        CHECK_OK(wf_chan_open(p.end[0].chan, &mp, &number));
        wf_chan_cancel(p.end[0].chan, number, 3);
    }
    (void)pair_run(&p, p.now + 10000000);
    CHECK_EQ(p.end[1].message_count, 0); /* the application heard of none of them */
    struct pair_source s = {.length = 10};
    pair_transfer(&p, &s, 1000000);
    (void)pair_run(&p, p.now + 1000000);
    CHECK(wf_chan_is_idle(p.end[0].chan));
    CHECK(wf_chan_is_idle(p.end[1].chan));
    pair_free(&p);
}

/* Time from opening to delivery of a short message while a long one of another class is under way.
 */
static uint64_t latency(uint8_t bulk, uint8_t short_one)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct pair_source a = {.length = 8u << 20}, b = {.length = 60000};

    o.link.mtu[0] = 1500;
    o.link.mtu[1] = 1500;
    pair_new(&p, &o);
    p.unchecked = true;
    pair_start(&p, false);
    pair_open(&p, &a, bulk);
    (void)pair_push(&p, &a);
    (void)pair_run(&p, p.now + 100000);
    pair_open(&p, &b, short_one);
    (void)pair_push(&p, &b);
    weft_time from = p.now;
    while (pair_message(&p, 0, false, b.number)->delivered == 0) {
        (void)pair_push(&p, &a);
        (void)pair_run(&p, p.now + 1000);
        CHECK(p.now - from < 60000000);
    }
    pair_free(&p);
    return p.now - from;
}

TEST(urgent_messages_overtake_and_background_ones_give_way)
{
    uint64_t urgent = latency(WF_PRIORITY_NORMAL, WF_PRIORITY_URGENT);
    uint64_t equal = latency(WF_PRIORITY_NORMAL, WF_PRIORITY_NORMAL);
    uint64_t background = latency(WF_PRIORITY_NORMAL, WF_PRIORITY_BACKGROUND);

    CHECK(urgent <= equal);
    CHECK(equal < background);
}

TEST(lost_packets_of_one_message_do_not_hold_up_another)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct pair_source a = {.length = 1000}, b = {.length = 1000};

    pair_new(&p, &o);
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 100000);
    pair_open(&p, &a, WF_PRIORITY_NORMAL);
    (void)pair_push(&p, &a);
    p.link.is_dead[0] = true;
    pair_flush(&p, 0);
    p.link.is_dead[0] = false;
    weft_time from = p.now;
    pair_open(&p, &b, WF_PRIORITY_NORMAL);
    (void)pair_push(&p, &b);
    (void)pair_run(&p, from + p.link.delay_us);
    CHECK(pair_message(&p, 1, true, b.number)->at_end);
    CHECK(!pair_message(&p, 1, true, a.number)->at_end);
    (void)pair_run(&p, from + 5000000);
    CHECK(pair_message(&p, 1, true, a.number)->at_end);
    pair_free(&p);
}

TEST(what_open_says_arrives_as_it_was_said)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct pair_source first = {.who = 1, .length = 1};
    struct wf_message_params mp = {.service = {(const uint8_t *)"echo", 4},
                                   .reply_to = 1,
                                   .regards_to = 77,
                                   .lifetime_ms = 5,
                                   .priority = WF_PRIORITY_URGENT,
                                   .open_ended = true};
    uint64_t number = 0;

    pair_new(&p, &o);
    pair_start(&p, false);
    pair_transfer(&p, &first, 1000000);
    CHECK_OK(wf_chan_open(p.end[0].chan, &mp, &number));
    (void)pair_run(&p, p.now + 100000);
    const struct pair_message *m = pair_message(&p, 1, true, number);
    CHECK_EQ(m->opened, 1);
    CHECK_EQ(m->open.number, number);
    CHECK(m->open.has_service);
    CHECK(m->open.open_ended);
    CHECK_EQ(m->open.reply_to, 1);
    CHECK_EQ(m->open.regards_to, 77);
    CHECK_EQ(m->open.lifetime_ms, 5);
    CHECK_EQ(m->open.priority, WF_PRIORITY_URGENT);
    pair_free(&p);
}

TEST(errors_and_datagrams_and_pings_arrive)
{
    struct pair_options o = options(test_seed());
    struct pair p;
    struct pair_source s = {.who = 1, .length = 1};

    o.link.loss = 300;
    pair_new(&p, &o);
    pair_start(&p, false);
    pair_transfer(&p, &s, 100000000);
    wf_chan_error(p.end[0].chan, s.number, 4, (weft_span){(const uint8_t *)"no", 2});
    wf_chan_ping(p.end[0].chan);
    (void)pair_run(&p, p.now + 20000000);
    CHECK_EQ(p.end[1].errors, 1);
    CHECK_EQ(p.end[1].last_error.number, s.number);
    CHECK_EQ(p.end[1].last_error.code, 4);
    CHECK_EQ(p.end[0].pongs, 1);
    p.link.loss = 0;
    CHECK_OK(wf_chan_datagram(p.end[0].chan, (weft_span){(const uint8_t *)"hello", 5}));
    CHECK_EQ(wf_chan_datagram(p.end[0].chan, (weft_span){p.buf, 60000}), WEFT_ERR_LIMIT);
    (void)pair_run(&p, p.now + 1000000);
    CHECK_EQ(p.end[1].datagrams, 1);
    pair_free(&p);
}
