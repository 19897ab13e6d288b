/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_stall_test.c - who does not read is pushed back, and then cut off: memory comes back at both
 * ends, the sender is told why, and nothing that gets on, or holds nothing, is ever touched.
 */
#include "core_one_pair.h"
#include "test.h"

#define SECOND ((uint64_t)1000000)
#define MINUTE (60 * SECOND)
#define SPARE_MAX (2u << 20) /* blocks that a session keeps for its next messages */
#define LONG_US (10 * MINUTE)

static uint64_t cut_off(const struct cp_side *s)
{
    struct wf_core_stats stats;

    wf_core_stats(s->core, &stats);
    return stats.messages_cut_off;
}

static struct cp_message *message(uint64_t len, bool open_ended)
{
    struct wf_core_send_params p = cp_params(&pair, 0, len);
    struct cp_message *m = NULL;

    p.expect_reply = false;
    p.open_ended = open_ended;
    m = cp_send(&pair, 0, &p);
    CHECK(m != NULL);
    return m;
}

static void boot(void)
{
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
}

/* The server reads nothing of a message that is longer than its credit. */
static struct cp_message *dead_reader(void)
{
    boot();
    server()->holds = true;
    struct cp_message *m = message(16u << 20, false);
    cp_run(&pair, 20 * SECOND);
    CHECK_EQ(m->outcomes, 0);
    return m;
}

static size_t held_by(const struct cp_side *s)
{
    struct wf_core_peer_stats row;

    return wf_core_peer_stats(s->core, 0, &row) ? row.bytes_held : 0;
}

/* Runs until a side has cut something off, and two round trips more. */
static void run_until_cut(const struct cp_side *s, weft_time latest)
{
    while (cut_off(s) == 0) {
        CHECK_LE(pair.now, latest);
        cp_run(&pair, 1000);
    }
    cp_run(&pair, (uint64_t)2 * 2 * CP_DELAY_US);
    CHECK_EQ(cut_off(server()) + cut_off(client()), 1);
}

static void check_cut(const struct cp_message *m, const struct cp_side *by)
{
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_FAILED);
    CHECK_EQ(m->err, WEFT_ERR_UNREAD);
    CHECK_EQ(m->code, WF_CODE_UNREAD);
    CHECK_EQ(server()->broken, 1);
    CHECK_LE(held_by(by), 65536);
    CHECK_LE(held_by(client()), SPARE_MAX + 65536);
    CHECK_LE(held_by(server()), SPARE_MAX + 65536);
    CHECK_EQ(client()->sessions_ended + server()->sessions_ended, 0);
    cp_close(&pair);
}

/* SPEC 4.3-3, 4.3-5 */
TEST(what_nobody_reads_for_ten_minutes_is_cut_off_and_its_sender_told_at_once)
{
    cp_init(&pair, test_mem(), test_mem());
    client()->config.unread_us = 1000 * MINUTE;
    struct cp_message *m = dead_reader();
    CHECK_LE(4u << 20, held_by(server()));
    cp_run(&pair, LONG_US - 30 * SECOND);
    CHECK_EQ(m->outcomes, 0);
    run_until_cut(server(), LONG_US + 2 * MINUTE);
    check_cut(m, server());
}

/* SPEC 4.3-4 */
TEST(who_holds_more_than_half_of_his_account_is_cut_off_within_a_minute)
{
    cp_init(&pair, test_mem(), test_mem());
    server()->config.peer_memory_max = 6u << 20;
    struct cp_message *m = dead_reader();
    cp_run(&pair, 10 * SECOND);
    CHECK_EQ(m->outcomes, 0);
    run_until_cut(server(), 62 * SECOND);
    check_cut(m, server());
}

/* SPEC 4.3-6 */
TEST(a_sender_gives_up_by_itself_when_the_peer_takes_no_more)
{
    cp_init(&pair, test_mem(), test_mem());
    server()->config.unread_us = 1000 * MINUTE;
    struct cp_message *m = dead_reader();
    CHECK_LE(1u << 20, held_by(client())); /* the send buffer */
    cp_run(&pair, LONG_US - 30 * SECOND);
    CHECK_EQ(m->outcomes, 0);
    run_until_cut(client(), LONG_US + 2 * MINUTE);
    check_cut(m, client());
}

/* SPEC 4.3-8 */
TEST(a_slow_reader_is_not_cut_off)
{
    cp_init(&pair, test_mem(), test_mem());
    server()->config.peer_memory_max = 6u << 20;
    struct cp_message *m = dead_reader();

    for (int i = 0; i < 60; i++) {
        wf_core_consume(server()->core, server()->ins[0].id, 100);
        cp_run(&pair, 25 * SECOND);
    }
    CHECK_EQ(m->outcomes, 0);
    CHECK_EQ(cut_off(server()) + cut_off(client()), 0);
    cp_close(&pair);
}

/* SPEC 4.3-4 */
TEST(what_arrived_whole_waits_for_its_reader_unless_memory_is_short)
{
    for (int is_short = 0; is_short < 2; is_short++) {
        cp_init(&pair, test_mem(), test_mem());
        server()->config.peer_memory_max = is_short ? 3u << 20 : 0;
        boot();
        server()->holds = true;
        struct cp_message *m = message(2u << 20, false);
        cp_run(&pair, 60 * MINUTE);
        CHECK_EQ(m->outcome, WF_OUTCOME_DELIVERED);
        CHECK_EQ(cut_off(server()), is_short);
        CHECK_EQ(server()->broken, is_short);
        cp_close(&pair);
    }
}

TEST(a_message_that_holds_nothing_may_be_silent_for_hours)
{
    cp_init(&pair, test_mem(), test_mem());
    boot();
    struct cp_message *m = message(0, true);
    CHECK_EQ(m->outcomes, 0);
    struct wf_core_send_params p = cp_params(&pair, 0, 0);
    struct cp_message *s = NULL;

    p.expect_reply = false;
    p.open_ended = true;
    s = cp_new_out(client());
    s->open_ended = true;
    s->is_starved = true;
    p.user = s;
    CHECK_OK(wf_core_message(client()->core, pair.now, &p, &s->id));
    size_t taken = 0;
    CHECK_OK(wf_core_write(client()->core, s->id, wf_span((const uint8_t *)"", 1), false, &taken));
    cp_run(&pair, 100 * MINUTE);
    CHECK_EQ(s->outcomes, 0);
    CHECK_EQ(cut_off(server()) + cut_off(client()), 0);
    cp_close(&pair);
}

/* --- lifetime --- */

static struct cp_message *short_lived(uint64_t within_us, bool ends)
{
    struct wf_core_send_params p = cp_params(&pair, 0, 0);
    struct cp_message *m = cp_new_out(client());
    size_t taken = 0;

    p.expect_reply = false;
    p.open_ended = true;
    p.outcome_within_us = within_us;
    p.user = m;
    m->is_starved = true;
    CHECK_OK(wf_core_message(client()->core, pair.now, &p, &m->id));
    CHECK_OK(wf_core_write(client()->core, m->id, wf_span((const uint8_t *)"", 1), ends, &taken));
    return m;
}

/* SPEC 4.3-7 */
TEST(a_receiver_drops_what_did_not_arrive_whole_in_its_lifetime)
{
    cp_init(&pair, test_mem(), test_mem());
    server()->config.idle_ms = 60000;
    client()->config.idle_ms = 60000;
    boot();
    server()->keeps = true;
    (void)short_lived(5 * SECOND, false);
    (void)short_lived(5 * SECOND, true);
    cp_run(&pair, SECOND);
    CHECK_EQ(server()->messages, 2);
    client()->cuts_all = true; /* its CANCEL never comes */
    cp_run(&pair, 3900000);
    CHECK_EQ(server()->broken, 0);
    cp_run(&pair, SECOND);
    CHECK_EQ(server()->broken, 1);
    CHECK_EQ(server()->sessions_ended, 0);
    cp_close(&pair);
}
