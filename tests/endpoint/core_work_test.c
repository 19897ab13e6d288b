/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_work_test.c - a client that is asked for work: what it bids, when it asks again, what it
 * refuses, and that its data arrive once, whatever becomes of the attempts. In virtual time.
 */
#include "test.h"

#include "core_one_pair.h"
#include "wire/handshake.h"

#define SECOND 1000000u
#define EFFORT 8u
#define SEEN_MAX 64

/* What the client sent, and which of it is lost. */
static struct {
    unsigned hellos, solves;
    uint8_t nonces[SEEN_MAX][WF_NONCE_LEN]; /* n_c of each HELLO */
    uint32_t bids[SEEN_MAX];                /* of each SOLVE */
    weft_time at[SEEN_MAX];
    uint32_t least_bid;              /* SOLVEs that bid less are lost */
    bool cuts_confirms;              /* they are held instead, the first in `held` */
    unsigned messages_before_packet; /* that the server had when the client's first packet left */
    bool had_packet;
    struct cp_datagram *held;
} seen;

static bool on_hello(const struct cp_datagram *d)
{
    CHECK(seen.hellos < SEEN_MAX);
    memcpy(seen.nonces[seen.hellos++], d->data + 8, WF_NONCE_LEN);
    return true;
}

static bool on_solve(const struct cp_datagram *d)
{
    CHECK(seen.solves < SEEN_MAX);
    seen.at[seen.solves] = pair.now;
    seen.bids[seen.solves] = wf_load_u32(d->data + WF_SOLVE_BID_OFFSET);
    return seen.bids[seen.solves++] >= seen.least_bid;
}

static bool on_confirm(struct core_pair *p, const struct cp_datagram *d)
{
    (void)p;
    if (!seen.cuts_confirms)
        return true;
    if (seen.held == NULL)
        seen.held = cp_copy(d);
    return false;
}

static bool watch(struct core_pair *p, struct cp_datagram *d)
{
    switch (d->data[0]) {
    case WF_TYPE_HELLO:
        return on_hello(d);
    case WF_TYPE_SOLVE:
        return on_solve(d);
    case WF_TYPE_CONFIRM:
        return on_confirm(p, d);
    default:
        break;
    }
    if (!seen.had_packet && d->data[0] >= 0x80 && wf_addr_equal(&d->from, &p->side[0].addr)) {
        seen.had_packet = true;
        seen.messages_before_packet = p->side[1].messages;
    }
    return true;
}

static void start(uint32_t effort, bool outside)
{
    memset(&seen, 0, sizeof seen);
    cp_init(&pair, test_mem(), test_mem());
    server()->config.effort = effort;
    server()->replies = true;
    server()->reply_len = 3;
    client()->config.work_outside = outside;
    pair.filter = watch;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
}

static void stop(void)
{
    free(seen.held);
    cp_close(&pair);
}

static struct cp_message *send(uint64_t len)
{
    struct wf_core_send_params p = cp_params(&pair, 0, len);
    struct cp_message *m = cp_send(&pair, 0, &p);

    CHECK(m != NULL);
    return m;
}

/* --- data --- */

TEST(where_work_is_asked_solve_carries_no_message_and_the_packets_behind_confirm_do)
{
    for (uint32_t effort = 0; effort <= EFFORT; effort += EFFORT) {
        struct cp_message *m = NULL;

        start(effort, false);
        m = send(100);
        cp_run(&pair, SECOND);
        CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
        CHECK_EQ(server()->messages, 1);
        CHECK(seen.had_packet);
        CHECK_EQ(seen.messages_before_packet, effort == 0 ? 1 : 0); /* SPEC 1.9-2 */
        CHECK_EQ(seen.solves, 1);
        stop();
    }
}

TEST(a_large_message_goes_whole_though_nothing_of_it_went_with_solve)
{
    struct cp_message *m = NULL;

    start(EFFORT, false);
    m = send(100000);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(m->reply_got, 3);
    stop();
}

/* --- a price that rises --- */

TEST(a_client_that_pays_too_little_asks_again_and_bids_half_as_much_more_each_time)
{
    static const uint32_t bids[] = {11, 16, 24, 36};
    struct cp_message *m = NULL;
    unsigned attempt = 0;

    start(EFFORT, false);
    seen.least_bid = 30;
    m = send(100);
    cp_run(&pair, 8 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(seen.hellos, 4);
    for (unsigned i = 0; i < seen.solves; i++) { /* SPEC 1.7-11, 1.9-4 */
        attempt += i > 0 && seen.bids[i] != seen.bids[i - 1];
        CHECK(attempt < WF_ARRAY_LEN(bids));
        CHECK_EQ(seen.bids[i], bids[attempt]);
    }
    CHECK_EQ(attempt, 3);
    CHECK(memcmp(seen.nonces[0], seen.nonces[1], WF_NONCE_LEN) != 0); /* SPEC 1.9-3 */
    CHECK_EQ(server()->messages, 1);
    CHECK_EQ(server()->sessions, 1);
    stop();
}

TEST(it_waits_before_it_asks_again)
{
    start(EFFORT, false);
    seen.least_bid = UINT32_MAX;
    (void)send(100);
    cp_run(&pair, SECOND / 2);
    CHECK_EQ(seen.hellos, 1);
    cp_run(&pair, seen.at[0] + SECOND * 8 / 10 - pair.now - 1);
    CHECK_EQ(seen.hellos, 1);
    cp_run(&pair, 1);
    CHECK_EQ(seen.hellos, 2); /* SPEC 1.7-12, 1.9-3 */
    stop();
}

TEST(without_work_a_solve_is_never_made_anew)
{
    struct cp_message *m = NULL;

    start(0, false);
    seen.least_bid = 1;
    m = send(100);
    cp_run(&pair, 11 * SECOND);
    CHECK_EQ(seen.hellos, 1); /* SPEC 1.9-3 */
    CHECK_LE(5, seen.solves);
    CHECK_EQ(m->outcome, WF_OUTCOME_UNKNOWN);
    stop();
}

TEST(who_is_never_let_in_gives_up_in_time_and_knows_that_nothing_arrived)
{
    struct cp_message *m = NULL;

    start(EFFORT, false);
    seen.least_bid = UINT32_MAX;
    m = send(100);
    cp_run(&pair, 10 * SECOND - 1);
    CHECK_EQ(m->outcomes, 0);
    cp_run(&pair, SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_FAILED);
    CHECK_EQ(m->err, WEFT_ERR_TIMEOUT);
    CHECK_LE(seen.hellos, 13);
    CHECK(client()->sessions_ended == 1);
    stop();
}

/* --- two attempts and their CONFIRMs --- */

TEST(the_confirm_of_the_attempt_before_makes_the_session_too)
{
    struct cp_message *m = NULL;

    start(EFFORT, true);
    seen.cuts_confirms = true;
    m = send(100);
    struct wf_core_work job;
    uint64_t nonce = 0;
    cp_run(&pair, SECOND / 10);
    CHECK(wf_core_next_work(client()->core, &job));
    CHECK(wf_work_solve(&job.work, &nonce, UINT64_MAX));
    wf_core_work_done(client()->core, pair.now, job.id, nonce);
    cp_run(&pair, 2 * SECOND);
    CHECK_EQ(seen.hellos, 2);
    CHECK(seen.held != NULL);
    CHECK(wf_core_next_work(client()->core, &job)); /* it works for the second attempt */
    pair.filter = NULL;
    cp_deliver(&pair, cp_copy(seen.held));
    CHECK_EQ(client()->sessions, 1); /* SPEC 1.9-5 */
    CHECK(!wf_core_work_is_wanted(client()->core, job.id));
    cp_run(&pair, SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(server()->messages, 1);
    stop();
}

TEST(two_attempts_that_both_get_in_deliver_once)
{
    struct cp_message *m = NULL;

    start(EFFORT, false);
    seen.cuts_confirms = true;
    m = send(100);
    cp_run(&pair, 1500 * 1000);
    CHECK_EQ(seen.hellos, 2);
    pair.filter = NULL;
    cp_run(&pair, 3 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(client()->sessions, 1);
    CHECK_LE(2, server()->sessions);
    cp_deliver(&pair, cp_copy(seen.held)); /* too late now */
    cp_run(&pair, SECOND);
    CHECK_EQ(client()->sessions, 1);
    CHECK_EQ(server()->messages, 1); /* SPEC 1.9-5 */
    stop();
}

/* --- work that somebody else does --- */

TEST(a_job_is_handed_out_once_and_only_what_solves_it_counts)
{
    struct wf_core_work job, other;
    struct cp_message *m = NULL;
    uint64_t nonce = 0;

    start(1000, true);
    m = send(100);
    CHECK(!wf_core_next_work(client()->core, &job));
    cp_run(&pair, SECOND / 10);
    CHECK(wf_core_next_work(client()->core, &job));
    CHECK(!wf_core_next_work(client()->core, &other));
    CHECK(wf_core_work_is_wanted(client()->core, job.id));
    CHECK(!wf_core_work_is_wanted(client()->core, job.id + 1));
    CHECK_EQ(job.work.bid, 1300);
    CHECK_EQ(job.work.alg, WF_WORK_BLAKE2B);
    CHECK(!wf_work_check(&job.work, 1));
    wf_core_work_done(client()->core, pair.now, job.id, 1);
    cp_run(&pair, 1);
    CHECK_EQ(seen.solves, 0);
    CHECK(wf_core_work_is_wanted(client()->core, job.id));
    CHECK(wf_work_solve(&job.work, &nonce, UINT64_MAX));
    wf_core_work_done(client()->core, pair.now, job.id + 1, nonce);
    CHECK(wf_core_work_is_wanted(client()->core, job.id));
    wf_core_work_done(client()->core, pair.now, job.id, nonce);
    CHECK(!wf_core_work_is_wanted(client()->core, job.id));
    wf_core_work_done(client()->core, pair.now, job.id, nonce); /* once more: nothing */
    cp_run(&pair, SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    stop();
}

TEST(both_algorithms_are_done_here_and_elsewhere)
{
    for (uint8_t alg = WF_WORK_BLAKE2B; alg <= WF_WORK_PROGRAM; alg++) {
        for (int outside = 0; outside <= 1; outside++) {
            struct wf_core_work job;
            struct cp_message *m = NULL;
            uint64_t nonce = 0;

            memset(&seen, 0, sizeof seen);
            cp_init(&pair, test_mem(), test_mem());
            server()->config.effort = EFFORT;
            server()->config.work_alg = alg;
            client()->config.work_outside = outside != 0;
            CHECK_OK(cp_boot(&pair, 0));
            CHECK_OK(cp_boot(&pair, 1));
            m = send(10);
            cp_run(&pair, SECOND / 10);
            if (outside != 0) {
                CHECK(wf_core_next_work(client()->core, &job));
                CHECK_EQ(job.work.alg, alg);
                CHECK(wf_work_solve(&job.work, &nonce, UINT64_MAX));
                wf_core_work_done(client()->core, pair.now, job.id, nonce);
            }
            cp_run(&pair, SECOND / 10);
            CHECK_EQ(server()->messages, 1); /* SPEC 1.8-2 */
            wf_core_cancel(client()->core, m->id, 0);
            stop();
        }
    }
}

TEST(work_ends_with_its_call)
{
    struct wf_core_work job;

    start(1000, true);
    (void)send(100);
    cp_run(&pair, SECOND / 10);
    CHECK(wf_core_next_work(client()->core, &job));
    wf_core_shut(client()->core, pair.now);
    CHECK(!wf_core_work_is_wanted(client()->core, job.id));
    wf_core_work_done(client()->core, pair.now, job.id, 0);
    cp_run(&pair, SECOND);
    CHECK_EQ(seen.solves, 0);
    stop();
}

TEST(work_ends_when_the_last_who_waits_for_it_gives_up)
{
    struct wf_core_send_params p;
    struct wf_core_work job;
    struct cp_message *first = NULL;

    start(1000, true);
    first = send(100);
    p = cp_params(&pair, 0, 0);
    p.outcome_within_us = 2 * SECOND;
    CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
    cp_run(&pair, SECOND);
    CHECK(wf_core_next_work(client()->core, &job));
    wf_core_cancel(client()->core, first->id, WF_CODE_CANCELLED);
    CHECK(wf_core_work_is_wanted(client()->core, job.id));
    cp_run(&pair, SECOND + 1);
    CHECK_EQ(client()->pings_failed, 1);
    CHECK(!wf_core_work_is_wanted(client()->core, job.id));
    cp_run(&pair, SECOND);
    CHECK_EQ(client()->sessions_ended, 1);
    CHECK_EQ(seen.solves, 0);
    stop();
}

TEST(a_job_that_nobody_took_ends_with_its_call_too)
{
    struct wf_core_work job;

    start(1000, true);
    (void)send(100);
    cp_run(&pair, SECOND / 10);
    wf_core_shut(client()->core, pair.now);
    CHECK(!wf_core_next_work(client()->core, &job));
    stop();
}

/* --- time --- */

TEST(work_that_will_take_longer_than_its_time_is_refused_as_soon_as_that_is_known)
{
    struct wf_core_work job;
    struct cp_message *m = NULL;

    for (uint64_t rate = 1000; rate <= 1001; rate++) {
        start(10010, true);
        m = send(100);
        cp_run(&pair, SECOND / 10);
        CHECK(wf_core_next_work(client()->core, &job));
        wf_core_work_rate(client()->core, pair.now, WF_WORK_PROGRAM, 1); /* the other algorithm */
        CHECK(wf_core_work_is_wanted(client()->core, job.id));
        wf_core_work_rate(client()->core, pair.now, WF_WORK_BLAKE2B, rate);
        cp_pump(&pair, 0);
        CHECK_EQ(wf_core_work_is_wanted(client()->core, job.id), rate == 1001); /* SPEC 1.9-1 */
        CHECK_EQ(m->outcomes, rate == 1001 ? 0 : 1);
        CHECK(m->outcomes == 0 || (m->outcome == WF_OUTCOME_FAILED && m->err == WEFT_ERR_LIMIT));
        m = send(100); /* now it is known from the start */
        cp_run(&pair, SECOND / 10);
        CHECK_EQ(m->outcomes, rate == 1001 ? 0 : 1);
        stop();
    }
}

TEST(a_server_that_asks_for_everything_gets_the_time_set_aside_and_no_more)
{
    struct wf_core_work job;
    struct cp_message *m = NULL;

    start((uint32_t)1 << 31, true);
    m = send(100);
    cp_run(&pair, SECOND / 10);
    CHECK(wf_core_next_work(client()->core, &job));
    CHECK_EQ(job.work.bid, (uint32_t)1 << 31);
    cp_run(&pair, 10 * SECOND - SECOND / 10);
    CHECK(wf_core_work_is_wanted(client()->core, job.id));
    CHECK_EQ(m->outcomes, 0);
    cp_run(&pair, SECOND / 10);
    CHECK(!wf_core_work_is_wanted(client()->core, job.id)); /* SPEC 1.9-1 */
    CHECK_EQ(m->outcome, WF_OUTCOME_FAILED);
    CHECK_EQ(m->err, WEFT_ERR_LIMIT);
    CHECK_EQ(client()->refused, 1);
    stop();
}

/* Four seconds for each of its attempts, and no answer to any. */
TEST(attempts_share_one_budget_and_work_does_not_shorten_the_time_to_get_there)
{
    struct wf_core_work job;
    struct cp_message *m = NULL;
    weft_time worked = 0;

    start(300, true);
    seen.least_bid = UINT32_MAX;
    m = send(100);
    for (int i = 0; i < 400 && m->outcomes == 0; i++) {
        cp_run(&pair, SECOND / 10);
        if (!wf_core_next_work(client()->core, &job))
            continue;
        for (int t = 0; t < 40 && wf_core_work_is_wanted(client()->core, job.id); t++) {
            cp_run(&pair, SECOND / 10);
            worked += SECOND / 10;
        }
        uint64_t nonce = 0;
        CHECK(wf_work_solve(&job.work, &nonce, UINT64_MAX));
        wf_core_work_done(client()->core, pair.now, job.id, nonce);
    }
    CHECK_EQ(m->outcome, WF_OUTCOME_FAILED);
    CHECK_EQ(m->err, WEFT_ERR_LIMIT);
    CHECK_LE(10 * SECOND - 3 * SECOND / 10, worked); /* SPEC 1.9-1 */
    CHECK_LE(worked, 10 * SECOND + SECOND / 10);
    CHECK_EQ(seen.hellos, 3);
    stop();
}

TEST(a_client_bids_what_it_does_in_a_third_of_a_second_anyway)
{
    struct wf_core_work job;

    start(1000, true);
    wf_core_work_rate(client()->core, pair.now, WF_WORK_BLAKE2B, 100000);
    (void)send(100);
    cp_run(&pair, SECOND / 10);
    CHECK(wf_core_next_work(client()->core, &job));
    CHECK_EQ(job.work.bid, 30000); /* SPEC 1.7-11 */
    stop();
}

TEST(without_work_nothing_is_bid_by_the_fastest_client_either)
{
    start(0, false);
    wf_core_work_rate(client()->core, pair.now, WF_WORK_BLAKE2B, 100000000);
    (void)send(100);
    cp_run(&pair, SECOND / 10);
    CHECK_EQ(seen.solves, 1);
    CHECK_EQ(seen.bids[0], 0); /* SPEC 1.7-11 */
    stop();
}

TEST(a_bid_takes_half_of_the_time_that_is_left_unless_more_is_asked)
{
    static const struct {
        uint64_t rate;
        uint32_t bids[2]; /* of two attempts */
    } cases[] = {
        {140, {1000, 1000}}, {220, {1100, 1000}}, {10000, {3000, 3000}}, {120, {1000, 1000}}};

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        start(1000, true);
        seen.least_bid = UINT32_MAX;
        wf_core_work_rate(client()->core, pair.now, WF_WORK_BLAKE2B, cases[i].rate);
        (void)send(100);
        for (int attempt = 0; attempt < 2; attempt++) {
            struct wf_core_work job;
            uint64_t nonce = 0;

            cp_run(&pair, SECOND);
            CHECK(wf_core_next_work(client()->core, &job));
            CHECK_EQ(job.work.bid, cases[i].bids[attempt]); /* SPEC 1.7-11, 1.9-4 */
            CHECK(wf_work_solve(&job.work, &nonce, UINT64_MAX));
            wf_core_work_done(client()->core, pair.now, job.id, nonce);
            seen.solves = 0;
        }
        stop();
    }
}

TEST(a_cookie_that_grows_too_old_during_the_work_is_replaced)
{
    struct wf_core_work job, next;
    struct cp_message *m = NULL;
    uint64_t nonce = 0;

    memset(&seen, 0, sizeof seen);
    cp_init(&pair, test_mem(), test_mem());
    pair.filter = watch;
    server()->config.effort = 100;
    client()->config.work_outside = true;
    client()->config.work_time_us = 300 * (uint64_t)SECOND;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    m = send(10);
    cp_run(&pair, SECOND / 10);
    CHECK(wf_core_next_work(client()->core, &job));
    cp_run(&pair, 118 * (uint64_t)SECOND);
    CHECK(wf_core_work_is_wanted(client()->core, job.id));
    cp_run(&pair, 2 * SECOND);
    CHECK(!wf_core_work_is_wanted(client()->core, job.id)); /* SPEC 1.9-6 */
    CHECK_EQ(seen.hellos, 2);
    CHECK(wf_core_next_work(client()->core, &next));
    CHECK(memcmp(next.work.cookie, job.work.cookie, 16) != 0);
    CHECK(wf_work_solve(&next.work, &nonce, UINT64_MAX));
    wf_core_work_done(client()->core, pair.now, next.id, nonce);
    cp_run(&pair, SECOND / 10);
    CHECK_EQ(server()->messages, 1);
    wf_core_cancel(client()->core, m->id, 0);
    stop();
}
