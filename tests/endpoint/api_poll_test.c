/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_poll_test.c - a node without functions: what happened is listed, and fetched when the program
 * likes.
 */
#include "api_pair.h"
#include "base/bytes.h"

#define EVENTS 16u

static struct pair pair;

static void start(void)
{
    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "list", NULL, NULL));
}

/* Without on_outcome: user comes back in the event. */
static uint64_t post(const char *service, const char *text, bool expect_reply, void *user)
{
    weft_send_params s = WEFT_SEND_PARAMS;
    uint64_t id = 0;

    s.to = pair.to;
    s.service = service;
    s.body = weft_body_span(text, strlen(text));
    s.expect_reply = expect_reply;
    s.user = user;
    CHECK_OK(weft_node_send(pair.client, &s, &id));
    return id;
}

/* The next event of a node, both being polled until there is one. */
static weft_event next_event(weft_node *n)
{
    weft_event e = {.kind = WEFT_EVENT_MESSAGE};

    for (unsigned i = 0; weft_node_events(n, &e, 1) == 0; i++) {
        if (i == API_ROUNDS_MAX)
            FAIL("no event came");
        pair_turn(&pair);
    }
    return e;
}

/* What was sent before has been listed when the answer to one more message is here. */
static void until_listed(void)
{
    struct fate f;
    weft_send_params s = fate_params(&pair, &f, "nothing");

    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    pair_until(&pair, &f.outcomes, 1);
    CHECK_EQ(f.err, WEFT_ERR_REFUSED);
}

static weft_event next_message(const char *text)
{
    weft_event e = next_event(pair.server);

    CHECK_EQ(e.kind, WEFT_EVENT_MESSAGE);
    CHECK(e.exchange != NULL && e.message != NULL);
    CHECK(e.outcome == NULL);
    CHECK_STR_EQ(e.message->service, "list");
    CHECK_EQ(e.message->len, strlen(text));
    CHECK_MEM_EQ(e.message->body, text, strlen(text));
    CHECK_MEM_EQ(&e.message->from, &pair.client_key, sizeof e.message->from);
    return e;
}

static weft_event next_outcome(weft_outcome_kind kind, const void *user)
{
    weft_event e = next_event(pair.client);

    CHECK_EQ(e.kind, WEFT_EVENT_OUTCOME);
    CHECK(e.outcome != NULL);
    CHECK(e.exchange == NULL && e.message == NULL);
    CHECK_EQ(e.outcome->kind, kind);
    CHECK(e.outcome->user == user);
    CHECK(e.outcome->node == pair.client);
    return e;
}

static void check_nothing_more(void)
{
    weft_event events[EVENTS];

    for (int i = 0; i < 10; i++)
        pair_turn(&pair);
    CHECK_EQ(weft_node_events(pair.server, events, EVENTS), 0);
    CHECK_EQ(weft_node_events(pair.client, events, EVENTS), 0);
    pair_turn(&pair);
    CHECK(weft_node_is_idle(pair.server));
    CHECK(weft_node_is_idle(pair.client));
}

TEST(a_message_without_a_function_is_listed_and_so_is_its_outcome)
{
    int mark = 0;
    weft_event e;

    start();
    (void)post("list", "question", true, &mark);
    e = next_message("question");
    CHECK_EQ(e.message->grade, WEFT_GRADE_EARLY);
    CHECK_EQ(e.message->length, 8);
    CHECK_OK(weft_reply(e.exchange, "answer", 6));
    e = next_outcome(WEFT_REPLIED, &mark);
    CHECK_EQ(e.outcome->message->len, 6);
    CHECK_MEM_EQ(e.outcome->message->body, "answer", 6);
    check_nothing_more();
    pair_close(&pair);
}

TEST(each_event_is_listed_once_in_its_order_and_no_more_than_asked_for)
{
    static const char *const texts[] = {"0", "1", "2", "3", "4"};
    weft_event events[EVENTS];
    size_t seen = 0;

    start();
    for (size_t i = 0; i < WF_ARRAY_LEN(texts); i++)
        (void)post("list", texts[i], false, NULL);
    until_listed();
    CHECK_EQ(weft_node_events(pair.server, events, 0), 0);
    for (unsigned i = 0; seen < WF_ARRAY_LEN(texts); i++) {
        size_t count = weft_node_events(pair.server, events, 2);

        CHECK(i < API_ROUNDS_MAX);
        CHECK_LE(count, 2);
        for (size_t k = 0; k < count; k++) {
            CHECK_EQ(events[k].message->body[0], '0' + seen);
            seen++;
            weft_exchange_drop(events[k].exchange);
        }
        pair_turn(&pair);
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(texts); i++)
        (void)next_outcome(WEFT_DELIVERED, NULL);
    check_nothing_more();
    pair_close(&pair);
}

TEST(an_event_can_be_refused_answered_later_or_dropped)
{
    weft_event e;
    weft_exchange *later = NULL;

    start();
    (void)post("list", "refuse", true, &pair);
    e = next_message("refuse");
    CHECK_OK(weft_refuse(e.exchange, WEFT_ERR_NOT_FOUND));
    e = next_outcome(WEFT_FAILED, &pair);
    CHECK_EQ(e.outcome->err, WEFT_ERR_NOT_FOUND);
    (void)post("list", "later", true, NULL);
    later = next_message("later").exchange;
    (void)post("list", "drop", false, NULL);
    e = next_message("drop");
    weft_exchange_drop(e.exchange);
    (void)next_outcome(WEFT_DELIVERED, NULL);
    CHECK_OK(weft_reply(later, "now", 3));
    e = next_outcome(WEFT_REPLIED, NULL);
    CHECK_EQ(e.outcome->message->len, 3);
    check_nothing_more();
    pair_close(&pair);
}

TEST(every_kind_of_failure_is_listed_too)
{
    weft_event e;
    uint64_t id = 0;

    start();
    (void)post("nothing", "x", true, NULL);
    e = next_outcome(WEFT_FAILED, NULL);
    CHECK_EQ(e.outcome->err, WEFT_ERR_REFUSED);
    id = post("list", "x", true, NULL);
    weft_node_cancel(pair.client, id);
    e = next_outcome(WEFT_FAILED, NULL);
    CHECK_EQ(e.outcome->err, WEFT_ERR_CANCELLED);
    pair_close(&pair);
}

TEST(an_event_that_waits_keeps_the_node_from_being_idle_and_poll_from_waiting)
{
    weft_event e;

    start();
    (void)post("nothing", "x", true, NULL);
    until_listed();
    CHECK(!weft_node_is_idle(pair.client));
    CHECK_OK(weft_node_poll(pair.client, -1)); /* or this would wait for ever */
    CHECK_EQ(weft_node_events(pair.client, &e, 1), 1);
    CHECK_EQ(e.outcome->kind, WEFT_FAILED);
    CHECK(weft_node_is_idle(pair.client));
    CHECK_STR_EQ(weft_outcome_text(e.outcome), weft_outcome_text(e.outcome));
    pair_close(&pair);
}

TEST(functions_and_events_do_not_mix)
{
    struct echo echo = {.calls = 0};
    struct fate f;
    weft_event events[EVENTS];

    start();
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &echo));
    f = ask(&pair, "echo");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(weft_node_events(pair.server, events, EVENTS), 0);
    CHECK_EQ(weft_node_events(pair.client, events, EVENTS), 0);
    (void)post("echo", "listed", true, NULL);
    (void)next_outcome(WEFT_REPLIED, NULL);
    CHECK_EQ(echo.calls, 2);
    pair_close(&pair);
}

/* Nothing is fetched, or fetched and not answered: closing leaks nothing (AddressSanitizer). */
TEST(a_node_may_close_with_events_listed_or_in_hand)
{
    for (int fetched = 0; fetched <= 1; fetched++) {
        weft_event events[EVENTS];

        start();
        for (int i = 0; i < 5; i++)
            (void)post("list", "x", true, NULL);
        (void)post("nothing", "x", true, NULL);
        until_listed();
        if (fetched == 1) {
            CHECK_EQ(weft_node_events(pair.server, events, EVENTS), 5);
            CHECK_EQ(weft_node_events(pair.client, events, EVENTS), 1);
        }
        pair_close(&pair);
    }
}
