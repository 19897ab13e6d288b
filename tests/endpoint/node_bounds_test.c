/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_bounds_test.c - what one peer can make a node hold: whole messages that nobody has answered
 * yet, and replies that he asks for and does not read.
 */
#include "base/bytes.h"
#include "node_pair.h"

#define BODY_LEN 1000000u
#define MANY 90u

static struct nodes pair;
static struct sent sent[MANY];
static uint8_t body[BODY_LEN];

static unsigned told(void)
{
    unsigned count = 0;

    for (size_t i = 0; i < MANY; i++)
        count += sent[i].done;
    return count;
}

static unsigned refused(void)
{
    unsigned count = 0;

    for (size_t i = 0; i < MANY; i++) {
        CHECK(!sent[i].done || sent[i].err == WEFT_ERR_LIMIT || sent[i].err == WEFT_ERR_NOMEM);
        count += sent[i].done;
    }
    return count;
}

TEST(messages_that_wait_for_an_answer_are_held_for_a_peer_up_to_a_bound)
{
    memset(sent, 0, sizeof sent);
    nodes_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "list", NULL, NULL));
    size_t own = pair.server->mem.held; /* the tables of admission */
    for (size_t i = 0; i < MANY; i++) {
        weft_send_params p = sent_params(&pair, &sent[i], "list");

        p.body = weft_body_span(body, sizeof body);
        CHECK_OK(weft_node_send(pair.client, &p, NULL));
        for (unsigned k = 0; pair.server->event_count + told() < i + 1; k++) {
            CHECK(k < NODES_ROUNDS_MAX);
            nodes_turn(&pair);
        }
    }
    CHECK(refused() >= 20);
    CHECK(pair.server->event_count >= 50);
    CHECK_LE(pair.server->mem.held, own + (80u << 20));
    nodes_close(&pair);
    for (size_t i = 0; i < MANY; i++)
        CHECK_EQ(sent[i].outcomes, 1);
}

static size_t reads_nothing(const uint8_t *data, size_t len, void *user)
{
    (void)data;
    (void)len;
    (void)user;
    return 0;
}

static unsigned asked;

static void on_big(weft_exchange *x, const weft_message *m, void *user)
{
    (void)m;
    (void)user;
    asked++;
    (void)weft_reply(x, body, sizeof body);
}

TEST(replies_that_are_asked_for_and_not_read_are_held_up_to_a_bound)
{
    memset(sent, 0, sizeof sent);
    asked = 0;
    nodes_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "big", on_big, NULL));
    for (size_t i = 0; i < MANY; i++) {
        weft_send_params p = sent_params(&pair, &sent[i], "big");

        p.on_reply_data = reads_nothing;
        CHECK_OK(weft_node_send(pair.client, &p, NULL));
    }
    for (unsigned k = 0; asked + refused() < MANY; k++) {
        CHECK(k < NODES_ROUNDS_MAX);
        nodes_turn(&pair);
    }
    CHECK(asked >= 20);
    CHECK(refused() >= 20); /* and they know it */
    CHECK_LE(pair.server->mem.held, 80u << 20);
    nodes_close(&pair);
    for (size_t i = 0; i < MANY; i++)
        CHECK_EQ(sent[i].outcomes, 1);
}

/* One alone may be of any size that its service takes. */
TEST(a_message_larger_than_what_many_may_hold_is_taken)
{
    enum { LARGE = 80 << 20 };
    weft_send_params p;
    uint8_t *large = calloc(1, LARGE);

    CHECK(large != NULL);
    memset(sent, 0, sizeof sent);
    nodes_open(&pair);
    pair.server->message_max = LARGE;
    CHECK_OK(weft_node_serve(pair.server, "list", NULL, NULL));
    p = sent_params(&pair, &sent[0], "list");
    p.body = weft_body_span(large, LARGE);
    CHECK_OK(weft_node_send(pair.client, &p, NULL));
    free(large);
    for (unsigned k = 0; pair.server->event_count == 0; k++) {
        CHECK(k < NODES_ROUNDS_MAX && !sent[0].done);
        nodes_turn(&pair);
    }
    nodes_close(&pair);
}
