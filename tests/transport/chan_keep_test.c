/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_keep_test.c - silence: asked about while messages are open, ever less often; the end of a
 * session that nobody uses; the last acknowledgement, which goes with CLOSE.
 */
#include "base/bytes.h"
#include "support/chan_pair.h"

#define SECOND 1000000u
#define IDLE_S 30u

static struct pair p;

static void begin(void)
{
    struct pair_options o = {.seed = test_seed()};

    for (int who = 0; who < 2; who++) {
        o.config[who].params = pair_params();
        o.config[who].params.idle_ms = IDLE_S * 1000;
    }
    pair_new(&p, &o);
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 100000);
}

static uint64_t numbers[2];

/* Both directions open, and what was said is read and acknowledged. */
static void open_both(void)
{
    for (int who = 0; who < 2; who++) {
        struct wf_message_params mp = {.open_ended = true};
        size_t taken = 0;

        CHECK_OK(wf_chan_open(p.end[who].chan, &mp, &numbers[who]));
        CHECK_OK(wf_chan_write(p.end[who].chan, numbers[who], wf_span_of("x"), false, &taken));
        pair_flush(&p, who);
    }
    (void)pair_run(&p, p.now + SECOND / 2);
}

static uint64_t sent(void)
{
    return p.end[0].datagrams_out + p.end[1].datagrams_out;
}

TEST(while_messages_are_open_a_session_outlives_any_silence) /* SPEC 4.5-3 */
{
    begin();
    open_both();
    (void)pair_run(&p, p.now + 20ull * IDLE_S * SECOND);
    CHECK_EQ(p.end[0].closed, 0);
    CHECK_EQ(p.end[1].closed, 0);
    pair_free(&p);
}

TEST(silence_is_asked_about_within_a_second_and_then_ever_less_often)
{
    begin();
    open_both();
    uint64_t before = sent();
    (void)pair_run(&p, p.now + SECOND + SECOND / 2);
    CHECK(sent() > before);
    (void)pair_run(&p, p.now + 60ull * SECOND);
    before = sent();
    (void)pair_run(&p, p.now + 10ull * IDLE_S * SECOND);
    /* In ten seconds at most a question and an answer from each end; and one of either at least. */
    CHECK_LE(sent() - before, 4u * 10u * IDLE_S / 10u);
    CHECK_LE(2u * 10u * IDLE_S / 10u, sent() - before);
    pair_free(&p);
}

TEST(bytes_that_come_make_the_next_question_come_soon_again)
{
    begin();
    open_both();
    (void)pair_run(&p, p.now + 60ull * SECOND);
    for (int who = 0; who < 2; who++) {
        size_t taken = 0;

        CHECK_OK(wf_chan_write(p.end[who].chan, numbers[who], wf_span_of("y"), false, &taken));
        pair_flush(&p, who);
    }
    (void)pair_run(&p, p.now + SECOND / 2);
    uint64_t before = sent();
    (void)pair_run(&p, p.now + SECOND);
    CHECK(sent() > before);
    pair_free(&p);
}

/* SPEC 4.6-7 */
TEST(without_an_open_message_nothing_is_asked_and_the_session_rests)
{
    begin();
    (void)pair_run(&p, p.now + 5ull * SECOND);
    uint64_t before = sent();
    CHECK(!pair_run(&p, p.now + 100000ull * SECOND)); /* nothing is left to happen */
    CHECK_EQ(sent(), before);
    CHECK_EQ(p.end[0].closed, 0);
    CHECK_EQ(p.end[1].closed, 0);
    p.now += 100000ull * SECOND;
    open_both();
    CHECK_EQ(p.end[0].closed, 0);
    CHECK_EQ(p.end[1].closed, 0);
    CHECK_EQ(pair_message(&p, 0, true, numbers[1])->received, 1);
    CHECK_EQ(pair_message(&p, 1, true, numbers[0])->received, 1);
    pair_free(&p);
}

/* Opens a message after so much silence; has its first packet said any of it? */
static bool goes_at_once(int who, uint64_t silent_us)
{
    struct pair_source s = {.who = who, .length = 100};

    begin();
    (void)pair_run(&p, p.now + SECOND);
    p.now += silent_us;
    uint64_t bytes = p.end[who].bytes_out;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    CHECK(pair_push(&p, &s));
    pair_flush(&p, who);
    bytes = p.end[who].bytes_out - bytes;
    CHECK(bytes > 0);
    CHECK_EQ(wf_chan_is_asking(p.end[who].chan), bytes < 100);
    (void)pair_run(&p, p.now + 10ull * SECOND);
    CHECK(!wf_chan_is_asking(p.end[who].chan));
    CHECK_EQ(pair_message(&p, 1 - who, true, s.number)->received, 100);
    pair_free(&p);
    return bytes >= 100;
}

/* SPEC 4.6-9 */
TEST(a_client_that_heard_nothing_for_long_asks_before_it_says_anything)
{
    CHECK(goes_at_once(0, (IDLE_S - 3) * SECOND));
    CHECK(!goes_at_once(0, (IDLE_S + 1) * SECOND));
    CHECK(!goes_at_once(0, 100000ull * SECOND));
    CHECK(goes_at_once(1, 100000ull * SECOND)); /* a server could not begin anew */
}

TEST(a_peer_that_died_is_noticed_in_spite_of_open_messages)
{
    begin();
    open_both();
    p.link.is_dead[0] = true;
    p.link.is_dead[1] = true;
    CHECK(!pair_run(&p, p.now + (IDLE_S + 5ull) * SECOND));
    CHECK_EQ(p.end[0].closed, 1);
    CHECK_EQ(p.end[0].last_closed.err, WEFT_ERR_TIMEOUT);
    pair_free(&p);
}

TEST(what_arrived_last_is_acknowledged_with_the_close)
{
    struct pair_source s = {.who = 0, .length = 100};

    begin();
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    CHECK(pair_push(&p, &s));
    pair_flush(&p, 0);
    p.link.delay_us = 0;
    while (pair_message(&p, 1, true, s.number) == NULL ||
           !pair_message(&p, 1, true, s.number)->at_end)
        CHECK(pair_run(&p, p.now + 1000));
    CHECK_EQ(pair_message(&p, 0, false, s.number)->delivered, 0);
    wf_chan_close(p.end[1].chan, p.now, 0, (weft_span){NULL, 0});
    CHECK(!pair_run(&p, p.now + 10ull * SECOND));
    CHECK_EQ(pair_message(&p, 0, false, s.number)->delivered, 1);
    CHECK_EQ(p.end[0].last_closed.err, WEFT_ERR_CLOSED);
    pair_free(&p);
}
