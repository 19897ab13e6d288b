/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_outcome_test.c - each message has exactly one outcome, whatever ends it: refusals by the
 * dozen, replies before the end of a request, lost sessions, expiry, a core that goes.
 */
#include "core_one_pair.h"
#include "test.h"

#define SECOND 1000000u

static void open_pair(void)
{
    cp_open(&pair, test_mem(), test_mem());
    server()->replies = true;
}

static struct cp_message *request(uint64_t len)
{
    struct wf_core_send_params p = cp_params(&pair, 0, len);
    struct cp_message *m = cp_send(&pair, 0, &p);

    CHECK(m != NULL);
    return m;
}

static struct cp_message *open_ended_request(void)
{
    struct wf_core_send_params p = cp_params(&pair, 0, 0);
    struct cp_message *m = NULL;

    p.open_ended = true;
    m = cp_new_out(client());
    m->open_ended = true;
    m->is_starved = true;
    p.user = m;
    CHECK_OK(wf_core_message(client()->core, pair.now, &p, &m->id));
    return m;
}

static void end(struct cp_message *m)
{
    m->is_starved = false;
    cp_feed(m);
}

TEST(messages_and_replies_of_any_length_are_answered)
{
    static const uint64_t lens[] = {0, 1, 900, 1200, 65536, 3000000};

    for (size_t i = 0; i < WF_ARRAY_LEN(lens); i++) {
        struct cp_message *m = NULL;

        open_pair();
        server()->reply_len = lens[WF_ARRAY_LEN(lens) - 1 - i];
        m = request(lens[i]);
        cp_run(&pair, 20 * SECOND);
        CHECK_EQ(m->outcomes, 1);
        CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
        CHECK_EQ(m->reply_got, server()->reply_len);
        CHECK_EQ(server()->outs[0].outcomes, 1);
        CHECK_EQ(server()->outs[0].outcome, WF_OUTCOME_DELIVERED);
        cp_close(&pair);
    }
}

TEST(each_of_many_refused_messages_is_told_so)
{
    struct cp_message *m[200];

    open_pair();
    (void)request(0);
    cp_run(&pair, SECOND);
    server()->refuse = WF_CODE_DENIED;
    for (size_t i = 0; i < WF_ARRAY_LEN(m); i++)
        m[i] = request(i % 3 == 0 ? 0 : i);
    cp_run(&pair, 20 * SECOND);
    for (size_t i = 0; i < WF_ARRAY_LEN(m); i++) {
        test_note("message %zu", i);
        CHECK_EQ(m[i]->outcomes, 1);
        CHECK_EQ(m[i]->outcome, WF_OUTCOME_FAILED);
        CHECK_EQ(m[i]->err, WEFT_ERR_DENIED);
    }
    cp_close(&pair);
}

TEST(a_refusal_of_many_is_told_when_the_session_ends_meanwhile)
{
    open_pair();
    (void)request(0);
    cp_run(&pair, SECOND);
    server()->refuse = WF_CODE_DENIED;
    for (size_t i = 0; i < 200; i++)
        (void)request(0);
    cp_run(&pair, 2 * CP_DELAY_US);
    wf_core_shut(server()->core, pair.now);
    cp_run(&pair, 20 * SECOND);
    cp_check_outcomes(client());
    CHECK_EQ(server()->sessions_ended, 1);
    cp_close(&pair);
}

TEST(a_reply_before_the_end_of_its_request_waits_for_it)
{
    struct cp_message *m = NULL;

    open_pair();
    server()->replies_early = true;
    server()->reply_len = 5000;
    m = open_ended_request();
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->reply_got, 5000);
    CHECK_EQ(m->outcomes, 0);
    end(m);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* With and without the reply released by then. */
TEST(a_session_lost_after_the_reply_and_before_the_end_of_its_request_is_told)
{
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        struct cp_message *m = NULL;

        open_pair();
        server()->replies_early = true;
        server()->reply_len = 5000;
        client()->keeps = keeps == 1;
        m = open_ended_request();
        cp_run(&pair, 5 * SECOND);
        CHECK_EQ(m->reply_got, 5000);
        cp_kill(&pair, 1);
        cp_run(&pair, 100 * SECOND);
        CHECK_EQ(m->outcomes, 1);
        cp_close(&pair);
    }
}

TEST(a_whole_reply_can_be_read_after_its_session_was_lost)
{
    struct cp_message *m = NULL;

    open_pair();
    server()->reply_len = 100000;
    client()->holds = true;
    m = request(100000);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->outcomes, 0);
    wf_core_shut(server()->core, pair.now);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(client()->sessions_ended, 1);
    CHECK_EQ(m->outcomes, 0);
    cp_read(&client()->ins[0]);
    cp_run(&pair, 0);
    CHECK_EQ(m->reply_got, 100000);
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

TEST(a_message_that_expires_while_its_reply_comes_ends_both)
{
    struct wf_core_send_params p;
    struct cp_message *m = NULL;

    open_pair();
    server()->reply_len = UINT64_MAX;
    p = cp_params(&pair, 0, 10);
    p.outcome_within_us = SECOND;
    m = cp_send(&pair, 0, &p);
    CHECK(m != NULL);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_EXPIRED);
    CHECK_EQ(server()->out_count, 1);
    CHECK_EQ(server()->outs[0].outcomes, 1); /* nobody reads it any more */
    CHECK_EQ(server()->outs[0].outcome, WF_OUTCOME_FAILED);
    cp_close(&pair);
}

/* The incoming message that the server keeps. */
static struct cp_message *kept(void)
{
    struct cp_message *m = &server()->ins[0];

    CHECK(m->is_used);
    CHECK(m->is_whole);
    return m;
}

TEST(a_second_reply_to_a_message_is_not_delivered_and_a_late_one_neither)
{
    for (int is_late = 0; is_late < 2; is_late++) {
        struct wf_core_send_params p;
        struct cp_message *m = NULL;

        open_pair();
        server()->replies = false;
        server()->keeps = true;
        p = cp_params(&pair, 0, 10);
        p.outcome_within_us = (uint64_t)SECOND;
        m = cp_send(&pair, 0, &p);
        CHECK(m != NULL);
        cp_run(&pair, is_late ? (uint64_t)2 * SECOND : SECOND / 2);
        cp_reply(kept(), 10);
        cp_reply(kept(), 10);
        cp_run(&pair, 5 * SECOND);
        CHECK_EQ(m->outcomes, 1);
        CHECK_EQ(m->outcome, is_late ? WF_OUTCOME_EXPIRED : WF_OUTCOME_REPLIED);
        CHECK_EQ(client()->messages, is_late ? 0 : 1);
        CHECK_EQ(m->reply_got, is_late ? 0 : 10);
        cp_check_outcomes(server());
        cp_close(&pair);
    }
}

TEST(a_server_that_restarts_leaves_no_message_without_an_outcome)
{
    open_pair();
    (void)request(100);
    cp_run(&pair, SECOND);
    cp_kill(&pair, 1);
    CHECK_OK(cp_boot(&pair, 1));
    for (size_t i = 0; i < 20; i++)
        (void)request(i * 100);
    cp_run(&pair, 100 * SECOND);
    cp_check_outcomes(client());
    CHECK_EQ(client()->outs[1].outcome, WF_OUTCOME_UNKNOWN);
    (void)request(5);
    cp_run(&pair, 10 * SECOND); /* and a new session is made */
    CHECK_EQ(client()->outs[21].outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

TEST(both_may_call_at_the_same_time)
{
    struct wf_core_send_params there;
    struct wf_core_send_params back;
    struct cp_message *a = NULL;
    struct cp_message *b = NULL;

    cp_init(&pair, test_mem(), test_mem());
    client()->config.serve = true;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    client()->replies = server()->replies = true;
    there = cp_params(&pair, 0, 5000);
    back = cp_params(&pair, 1, 5000);
    a = cp_send(&pair, 0, &there);
    b = cp_send(&pair, 1, &back);
    CHECK(a != NULL && b != NULL);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(a->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(b->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(client()->sessions, 2);
    for (int i = 0; i < 5; i++) { /* each goes on over the newest that stands */
        CHECK(cp_send(&pair, 0, &there) != NULL);
        CHECK(cp_send(&pair, 1, &back) != NULL);
    }
    cp_run(&pair, 5 * SECOND);
    wf_core_shut(client()->core, pair.now);
    cp_run(&pair, 5 * SECOND);
    cp_check_outcomes(client());
    cp_check_outcomes(server());
    CHECK(wf_core_is_quiet(client()->core));
    cp_close(&pair);
}

TEST(whoever_gives_up_a_message_at_any_time_has_one_outcome)
{
    for (uint64_t wait = 0; wait < 60000; wait += 2500) {
        struct cp_message *m = NULL;

        open_pair();
        server()->reply_len = 50000;
        m = request(50000);
        cp_run(&pair, wait);
        if (m->id != 0)
            wf_core_cancel(client()->core, m->id, WF_CODE_CANCELLED);
        cp_run(&pair, 5 * SECOND);
        cp_check_outcomes(client());
        cp_check_outcomes(server());
        CHECK_EQ(client()->ins[0].id, 0);
        cp_close(&pair);
    }
}

TEST(a_core_that_shuts_at_any_time_tells_all_outcomes)
{
    for (uint64_t wait = 0; wait < 60000; wait += 5000) {
        for (int who = 0; who < 2; who++) {
            open_pair();
            server()->reply_len = 50000;
            (void)request(50000);
            (void)request(0);
            cp_run(&pair, wait);
            wf_core_shut(pair.side[who].core, pair.now);
            cp_run(&pair, 100 * SECOND);
            cp_check_outcomes(client());
            cp_check_outcomes(server());
            CHECK(wf_core_is_quiet(pair.side[who].core));
            cp_close(&pair);
        }
    }
}

TEST(a_ping_is_answered_once_whatever_happens)
{
    struct wf_core_send_params p;

    open_pair();
    p = cp_params(&pair, 0, 0);
    for (int i = 0; i < 10; i++)
        CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
    cp_run(&pair, SECOND);
    CHECK_EQ(client()->pongs, 10);
    p.outcome_within_us = SECOND;
    cp_kill(&pair, 1);
    for (int i = 0; i < 10; i++)
        CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
    cp_run(&pair, 100 * SECOND);
    CHECK_EQ(client()->pings_failed, 10);
    CHECK_EQ(client()->pongs, 10);
    cp_close(&pair);
}

/* --- one session must not keep another from its deadlines --- */

/* Nothing of the second call arrives. */
static bool drop_second(struct core_pair *p, struct cp_datagram *d)
{
    (void)d;
    return p->side[0].out_count < 2;
}

TEST(proof_of_work_for_one_peer_delays_no_other)
{
    struct wf_core_send_params p;
    struct cp_message *working = NULL;
    struct cp_message *calling = NULL;

    cp_init(&pair, test_mem(), test_mem());
    client()->config.effort_max = UINT32_MAX;
    server()->config.effort = 1u << 30;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    pair.filter = drop_second;
    p = cp_params(&pair, 0, 10);
    working = cp_send(&pair, 0, &p);
    cp_pump(&pair, 0);
    cp_deliver(&pair, cp_land(&pair)); /* HELLO */
    cp_deliver(&pair, cp_land(&pair)); /* CHALLENGE: it works from now on */
    p.one_way = true;
    p.reach_within_us = SECOND;
    calling = cp_send(&pair, 0, &p);
    for (int i = 0; i < 10; i++) {
        pair.now += SECOND / 5;
        CHECK_LE(wf_core_deadline(client()->core), pair.now);
        wf_core_tick(client()->core, pair.now);
        cp_pump(&pair, 0);
    }
    CHECK(working != NULL && calling != NULL);
    CHECK_EQ(working->outcomes, 0);
    CHECK_EQ(calling->outcomes, 1); /* its time was up meanwhile */
    cp_close(&pair);
}
