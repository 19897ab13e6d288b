/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_pair.h - two nodes of one process on the loopback, for tests of what applications do to a
 * node from inside its own functions. Both are polled in turn; nothing waits for a clock.
 */
#ifndef WEFT_TESTS_ENDPOINT_NODE_PAIR_H
#define WEFT_TESTS_ENDPOINT_NODE_PAIR_H

#include <stdio.h>

#include "endpoint/node_priv.h"
#include "test.h"

/* Rounds of polling before a test gives up; each waits a millisecond at most. */
#define NODES_ROUNDS_MAX 20000u

struct nodes {
    weft_node *server, *client;
    char to[WEFT_KEY_TEXT_MAX + 80]; /* the server, as a peer */
};

static inline weft_node *node_on_loopback(bool serve)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_identity *identity = NULL;
    weft_node *n = NULL;

    CHECK_OK(weft_identity_new(&identity));
    p.identity = identity;
    p.listen = "127.0.0.1:0";
    p.serve = serve;
    p.sessions_max = 64;
    CHECK_OK(weft_node_open(&n, &p));
    weft_identity_free(identity);
    return n;
}

static inline void nodes_open(struct nodes *n)
{
    char key[WEFT_KEY_TEXT_MAX];
    char address[64];
    weft_key k;

    *n = (struct nodes){.server = node_on_loopback(true), .client = node_on_loopback(false)};
    k = weft_node_key(n->server);
    weft_key_text(key, &k);
    CHECK_OK(weft_node_address(n->server, address, sizeof address));
    (void)snprintf(n->to, sizeof n->to, "%s@%s", key, address);
    CHECK_OK(weft_node_allow(n->server, NULL, "*"));
}

static inline void nodes_close(struct nodes *n)
{
    weft_node_close(n->client);
    weft_node_close(n->server);
    *n = (struct nodes){.server = NULL};
}

/* One turn of both. */
static inline void nodes_turn(const struct nodes *n)
{
    if (n->server != NULL)
        CHECK_OK(weft_node_poll(n->server, 0));
    if (n->client != NULL)
        CHECK_OK(weft_node_poll(n->client, n->server == NULL ? 1 : 0));
    if (n->server != NULL)
        CHECK_OK(weft_node_poll(n->server, 1));
}

/* Until *done; a test whose event never comes fails here. */
static inline void nodes_until(const struct nodes *n, const bool *done)
{
    for (unsigned i = 0; !*done; i++) {
        if (i == NODES_ROUNDS_MAX)
            FAIL("what was waited for did not happen");
        nodes_turn(n);
    }
}

/* Until neither has anything under way. */
static inline void nodes_settle(const struct nodes *n)
{
    for (unsigned i = 0; i < NODES_ROUNDS_MAX; i++) {
        if (weft_node_is_idle(n->client) && (n->server == NULL || weft_node_is_idle(n->server)))
            return;
        nodes_turn(n);
    }
    FAIL("the nodes are not idle: exchanges %zu, sendings %zu",
         n->server == NULL ? 0 : n->server->exchanges.count, n->client->sendings.count);
}

/* What became of one message. */
struct sent {
    weft_node *node;
    uint64_t id;
    unsigned outcomes; /* how often it was told; must become exactly 1 */
    bool done;
    weft_outcome_kind kind;
    weft_err err;
    uint8_t reply[4096];
    size_t reply_len;
};

static inline void sent_outcome(const weft_outcome *o, void *user)
{
    struct sent *s = user;

    s->outcomes++;
    s->done = true;
    s->kind = o->kind;
    s->err = o->err;
    if (o->message != NULL && o->message->body != NULL && o->message->len <= sizeof s->reply) {
        memcpy(s->reply, o->message->body, o->message->len);
        s->reply_len = o->message->len;
    }
}

static inline weft_send_params sent_params(const struct nodes *n, struct sent *s,
                                           const char *service)
{
    weft_send_params p = WEFT_SEND_PARAMS;

    *s = (struct sent){.node = n->client};
    p.to = n->to;
    p.service = service;
    p.body = weft_body_span("hello", 5);
    p.expect_reply = true;
    p.on_outcome = sent_outcome;
    p.user = s;
    return p;
}

#endif
