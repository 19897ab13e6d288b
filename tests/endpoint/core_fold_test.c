/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_fold_test.c - sessions at rest: they fold, cost little, wake with one packet and nothing
 * less, are found by whoever calls, and go when it is time or when there is no room.
 */
#include "core_one_pair.h"
#include "endpoint/core_priv.h"
#include "test.h"

#define SECOND ((uint64_t)1000000)
#define MINUTE (60 * SECOND)

static struct cp_message *say(int from, uint64_t len)
{
    struct wf_core_send_params p = cp_params(&pair, from, len);
    struct cp_message *m = cp_send(&pair, from, &p);

    CHECK(m != NULL);
    return m;
}

static void expect(const struct cp_message *m, enum wf_core_outcome outcome)
{
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, outcome);
}

/* A session stood, carried a message and is folded at both ends. */
static void fold_both(void)
{
    cp_open(&pair, test_mem(), test_mem());
    server()->replies = true;
    client()->replies = true;
    const struct cp_message *m = say(0, 10);
    cp_run(&pair, 15 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(stats_of(&pair.side[i]).presences, 1);
        CHECK_EQ(stats_of(&pair.side[i]).sessions, 0);
    }
}

static bool drop_all(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    (void)d;
    return false;
}

/* SPEC 4.6-1, 4.6-10 */
TEST(a_session_with_nothing_under_way_folds_after_ten_seconds_and_wakes_for_a_message)
{
    cp_open(&pair, test_mem(), test_mem());
    server()->replies = true;
    const struct cp_message *first = say(0, 10);
    cp_run(&pair, 9 * SECOND);
    expect(first, WF_OUTCOME_REPLIED);
    CHECK_EQ(stats_of(client()).presences, 0);
    CHECK_EQ(stats_of(server()).presences, 0);
    cp_run(&pair, 6 * SECOND);
    CHECK_EQ(stats_of(client()).presences, 1);
    CHECK_EQ(stats_of(server()).presences, 1);
    CHECK_EQ(stats_of(server()).sessions, 0);
    for (int i = 0; i < 5; i++) {
        uint64_t sent = stats_of(client()).datagrams_out;
        const struct cp_message *m = say(0, 500);
        cp_pump(&pair, 0);
        CHECK_EQ(stats_of(client()).datagrams_out, sent + 1); /* the message itself */
        cp_run(&pair, 15 * SECOND);
        expect(m, WF_OUTCOME_REPLIED);
        CHECK_EQ(stats_of(client()).presences, 1);
        CHECK_EQ(stats_of(server()).presences, 1);
    }
    CHECK_EQ(stats_of(server()).wakes, 5);
    CHECK_EQ(stats_of(server()).folds, 6);
    CHECK_EQ(stats_of(server()).sessions_total, 1);
    CHECK_EQ(server()->sessions + client()->sessions, 2);
    CHECK_EQ(server()->sessions_ended + client()->sessions_ended, 0);
    cp_close(&pair);
}

/* SPEC 4.6-10 */
TEST(either_end_wakes_the_session_and_pings_do_too)
{
    fold_both();
    struct wf_core_send_params p = cp_params(&pair, 1, 700);
    p.address = (struct wf_addr){0}; /* only through a session */
    const struct cp_message *m = cp_send(&pair, 1, &p);
    CHECK(m != NULL);
    cp_run(&pair, 15 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    p = cp_params(&pair, 0, 0);
    CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
    cp_run(&pair, 15 * SECOND);
    CHECK_EQ(client()->pongs, 1);
    CHECK_EQ(stats_of(client()).handshakes_started, 1);
    cp_close(&pair);
}

/* SPEC 4.6-9 */
TEST(after_a_long_rest_a_client_asks_and_then_says_it_in_the_same_session)
{
    fold_both();
    pair.now += 20 * 60 * MINUTE;
    const struct cp_message *m = say(0, 700);
    cp_run(&pair, 4 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    CHECK_EQ(stats_of(client()).handshakes_started, 1);
    cp_close(&pair);
}

static struct cp_datagram *taken;

static bool take_one(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    if (taken == NULL)
        taken = cp_copy(d);
    return false;
}

/* SPEC 4.6-5 */
TEST(what_does_not_open_wakes_nobody_and_takes_no_memory)
{
    fold_both();
    taken = NULL;
    pair.filter = take_one;
    (void)say(0, 100);
    cp_pump(&pair, 0);
    CHECK(taken != NULL);
    pair.filter = drop_all;
    uint64_t allocations = server()->mem->attempts;
    for (size_t bit = 0; bit < 8 * taken->len; bit++) {
        struct cp_datagram *d = cp_copy(taken);

        d->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cp_deliver(&pair, d);
    }
    CHECK_EQ(server()->mem->attempts, allocations);
    CHECK_EQ(stats_of(server()).wakes, 0);
    CHECK(stats_of(server()).packets_forged > 4 * taken->len);
    cp_deliver(&pair, cp_copy(taken));
    CHECK_EQ(stats_of(server()).wakes, 1);
    cp_run(&pair, 15 * SECOND);
    CHECK_EQ(stats_of(server()).presences, 0); /* its reply is under way */
    uint64_t got = server()->messages;
    cp_deliver(&pair, taken);
    CHECK_EQ(server()->messages, got);
    cp_close(&pair);
}

/* SPEC 4.6-4 */
TEST(what_came_before_the_rest_does_not_come_again)
{
    cp_open(&pair, test_mem(), test_mem());
    server()->replies = true;
    const struct cp_message *first = say(0, 10);
    cp_run(&pair, SECOND);
    expect(first, WF_OUTCOME_REPLIED);
    taken = NULL;
    pair.filter = take_one;
    (void)say(0, 100);
    cp_pump(&pair, 0);
    pair.filter = NULL;
    cp_deliver(&pair, cp_copy(taken));
    cp_run(&pair, 15 * SECOND);
    CHECK_EQ(stats_of(server()).presences, 1);
    CHECK_EQ(server()->messages, 2);
    cp_deliver(&pair, taken);
    CHECK_EQ(stats_of(server()).presences, 1);
    CHECK_EQ(stats_of(server()).packets_replayed, 1);
    CHECK_EQ(stats_of(server()).hints_sent, 0);
    cp_close(&pair);
}

/* SPEC 4.6-8, 4.6-9 */
TEST(who_rests_too_long_is_forgotten_and_found_again_by_a_handshake)
{
    cp_init(&pair, test_mem(), test_mem());
    server()->config.rest_ms = 60000;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    server()->replies = true;
    const struct cp_message *first = say(0, 10);
    cp_run(&pair, 60 * SECOND);
    expect(first, WF_OUTCOME_REPLIED);
    CHECK_EQ(stats_of(server()).presences, 1);
    cp_run(&pair, 20 * SECOND);
    CHECK_EQ(stats_of(server()).presences, 0);
    CHECK_EQ(stats_of(server()).presences_dropped, 1);
    CHECK_EQ(stats_of(client()).presences, 1);
    const struct cp_message *m = say(0, 10);
    cp_run(&pair, 2 * SECOND);
    expect(m, WF_OUTCOME_REPLIED); /* it had not been said to nobody */
    CHECK_EQ(stats_of(client()).hints_taken, 1);
    cp_close(&pair);
}

static bool drop_hints(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    return d->len > 0 && d->data[0] != WF_TYPE_HINT;
}

/* SPEC 4.6-9 */
TEST(no_answer_is_an_answer_too)
{
    fold_both();
    struct wf_core_send_params p = cp_params(&pair, 0, 10);
    pair.now += 5 * MINUTE;
    wf_core_free(server()->core);
    server()->core = NULL;
    const struct cp_message *m = cp_send(&pair, 0, &p);
    CHECK(m != NULL);
    cp_run(&pair, SECOND / 10);
    CHECK_OK(cp_boot(&pair, 1));
    pair.filter = drop_hints;
    cp_run(&pair, 10 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* SPEC 4.6-9 */
TEST(who_moved_is_called_where_the_application_says_that_it_is)
{
    fold_both();
    pair.now += 5 * MINUTE;
    wf_core_free(server()->core);
    server()->core = NULL;
    server()->addr.port++;
    CHECK_OK(cp_boot(&pair, 1));
    server()->replies = true;
    const struct cp_message *m = say(0, 10);
    cp_run(&pair, 2 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* SPEC 4.6-9 */
TEST(who_does_not_answer_is_called_as_soon_as_that_is_allowed)
{
    fold_both();
    pair.now += 5 * MINUTE;
    cp_kill(&pair, 1);
    CHECK_OK(cp_boot(&pair, 1));
    server()->replies = true;
    pair.filter = drop_hints;
    const struct cp_message *m = say(0, 10);
    const struct session *s = WF_CONTAINER_OF(client()->core->all.first, struct session, all_link);
    s->peer->hint_next = pair.now + 20 * SECOND; /* another session was lost not long ago */
    cp_run(&pair, 15 * SECOND);
    CHECK_EQ(stats_of(client()).handshakes_started, 1);
    CHECK_EQ(m->outcomes, 0);
    cp_run(&pair, 10 * SECOND);
    CHECK_EQ(stats_of(client()).handshakes_started, 2);
    expect(m, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

static bool drop_confirms(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    return d->len > 0 && d->data[0] != WF_TYPE_CONFIRM;
}

/* A handshake that the client gave up leaves a session at the server that nobody else has. */
TEST(one_at_rest_is_woken_rather_than_spoken_to_through_a_session_that_nobody_confirmed)
{
    fold_both();
    struct wf_core *first = client()->core;
    CHECK_OK(cp_boot(&pair, 0)); /* the same key, somewhere else */
    pair.filter = drop_confirms;
    (void)say(0, 10);
    cp_run(&pair, SECOND / 2);
    CHECK_EQ(stats_of(server()).sessions, 1);
    wf_core_free(client()->core);
    client()->core = first;
    pair.filter = NULL;
    struct wf_core_send_params p = cp_params(&pair, 1, 10);
    p.address = (struct wf_addr){0};
    const struct cp_message *m = cp_send(&pair, 1, &p);
    CHECK(m != NULL);
    cp_run(&pair, 2 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* SPEC 4.6-6 */
TEST(a_record_that_somebody_wrote_into_is_forgotten)
{
    fold_both();
    uint8_t *slot = wf_vault_clear(server()->core->rest.vault, 0);
    slot[100] ^= 1;
    const struct cp_message *m = say(0, 10);
    cp_run(&pair, 2 * MINUTE);
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(stats_of(server()).wakes, 0);
    m = say(0, 10);
    cp_run(&pair, 2 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

TEST(without_memory_a_session_goes_on_unfolded_and_a_presence_sleeps_on)
{
    for (uint64_t fail = 1; fail < 12; fail++) {
        cp_open(&pair, test_mem(), test_mem());
        server()->replies = true;
        (void)say(0, 10);
        cp_run(&pair, 9 * SECOND);
        server()->mem->fail_at = server()->mem->attempts + fail;
        cp_run(&pair, 60 * SECOND);
        server()->mem->fail_at = 0;
        cp_run(&pair, 60 * SECOND);
        CHECK_EQ(stats_of(server()).presences, 1);
        server()->mem->fail_at = server()->mem->attempts + fail;
        const struct cp_message *m = say(0, 10);
        cp_run(&pair, 4 * SECOND);
        server()->mem->fail_at = 0;
        cp_run(&pair, 4 * MINUTE);
        CHECK_EQ(m->outcomes, 1);
        cp_close(&pair);
    }
}

TEST(sessions_stay_when_folding_is_turned_off_until_the_rest_time_is_over)
{
    cp_init(&pair, test_mem(), test_mem());
    for (int i = 0; i < 2; i++) {
        pair.side[i].config.fold_us = UINT64_MAX;
        pair.side[i].config.rest_ms = 100000;
        CHECK_OK(cp_boot(&pair, i));
    }
    server()->replies = true;
    (void)say(0, 10);
    cp_run(&pair, 99 * SECOND);
    CHECK_EQ(stats_of(server()).sessions, 1);
    CHECK_EQ(stats_of(server()).folds, 0);
    cp_run(&pair, 3 * SECOND);
    CHECK_EQ(stats_of(server()).sessions, 0);
    CHECK_EQ(server()->sessions_ended, 1);
    cp_close(&pair);
}
