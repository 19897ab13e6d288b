/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_pair.h - two nodes of one process on the loopback, spoken to through the public functions
 * alone. Both are polled in turn for a bounded number of rounds; nothing sleeps.
 */
#ifndef WEFT_TESTS_ENDPOINT_API_PAIR_H
#define WEFT_TESTS_ENDPOINT_API_PAIR_H

#include <stdio.h>

#include "test.h"
#include "weft/weft.h"

/* Each round waits a millisecond at most. */
#define API_ROUNDS_MAX 20000u
#define API_TO_MAX (WEFT_KEY_TEXT_MAX + 80)
#define API_REPLY_MAX 4096u

struct pair {
    weft_node *server, *client;
    weft_key server_key, client_key;
    char to[API_TO_MAX]; /* the server, as a peer */
};

/* A node of its own key. listen NULL in params: the loopback. */
static inline weft_node *api_node(const weft_node_params *params)
{
    weft_node_params p = params == NULL ? WEFT_NODE_PARAMS : *params;
    weft_identity *identity = NULL;
    weft_node *n = NULL;

    CHECK_OK(weft_identity_new(&identity));
    p.identity = identity;
    if (p.listen == NULL)
        p.listen = "127.0.0.1:0";
    if (p.sessions_max == 0)
        p.sessions_max = 64;
    CHECK_OK(weft_node_open(&n, &p));
    weft_identity_free(identity);
    return n;
}

/* The node as others call it. */
static inline void api_name(char out[API_TO_MAX], const weft_node *n)
{
    weft_key k = weft_node_key(n);
    char key[WEFT_KEY_TEXT_MAX];
    char address[64];

    weft_key_text(key, &k);
    CHECK_OK(weft_node_address(n, address, sizeof address));
    (void)snprintf(out, API_TO_MAX, "%s@%s", key, address);
}

static inline void pair_open_with(struct pair *p, const weft_node_params *server,
                                  const weft_node_params *client)
{
    *p = (struct pair){.server = api_node(server), .client = api_node(client)};
    p->server_key = weft_node_key(p->server);
    CHECK_OK(weft_node_key_for(&p->client_key, p->client, &p->server_key));
    api_name(p->to, p->server);
}

/* With everything allowed. */
static inline void pair_open(struct pair *p)
{
    pair_open_with(p, NULL, NULL);
    CHECK_OK(weft_node_allow(p->server, NULL, "*"));
}

static inline void pair_close(struct pair *p)
{
    weft_node_close(p->client);
    weft_node_close(p->server);
    *p = (struct pair){.server = NULL};
}

static inline void pair_turn(const struct pair *p)
{
    if (p->server != NULL)
        CHECK_OK(weft_node_poll(p->server, 0));
    if (p->client != NULL)
        CHECK_OK(weft_node_poll(p->client, p->server == NULL ? 1 : 0));
    if (p->server != NULL)
        CHECK_OK(weft_node_poll(p->server, 1));
}

/* Until *count is at least want. */
static inline void pair_until(const struct pair *p, const unsigned *count, unsigned want)
{
    for (unsigned i = 0; *count < want; i++) {
        if (i == API_ROUNDS_MAX)
            FAIL("what was waited for did not happen: %u of %u", *count, want);
        pair_turn(p);
    }
}

/* Until nothing is under way. */
static inline void pair_settle(const struct pair *p)
{
    for (unsigned i = 0; i < API_ROUNDS_MAX; i++) {
        if (weft_node_is_idle(p->client) && (p->server == NULL || weft_node_is_idle(p->server)))
            return;
        pair_turn(p);
    }
    FAIL("the nodes do not become idle");
}

/* What became of one message. */
struct fate {
    unsigned outcomes; /* how often it was told; must become exactly 1 */
    weft_outcome_kind kind;
    weft_err err;
    weft_grade grade;
    weft_node *node;
    void *user;
    char text[256];
    uint8_t reply[API_REPLY_MAX];
    size_t reply_len;
    bool has_reply;
    weft_key reply_from;
    uint64_t reply_length, took_us, handshake_us, packets;
    uint64_t id;
};

static inline void fate_outcome(const weft_outcome *o, void *user)
{
    struct fate *f = user;

    f->outcomes++;
    f->kind = o->kind;
    f->err = o->err;
    f->grade = o->grade;
    f->node = o->node;
    f->user = o->user;
    f->took_us = o->took_us;
    f->handshake_us = o->handshake_us;
    f->packets = o->packets;
    (void)snprintf(f->text, sizeof f->text, "%s", weft_outcome_text(o));
    f->has_reply = o->message != NULL;
    if (o->message == NULL)
        return;
    CHECK_STR_EQ(o->message->service, "");
    f->reply_from = o->message->from;
    f->reply_length = o->message->length;
    f->reply_len = o->message->len;
    if (o->message->len > 0 && o->message->body != NULL && o->message->len <= sizeof f->reply)
        memcpy(f->reply, o->message->body, o->message->len);
}

static inline weft_send_params fate_params(const struct pair *p, struct fate *f,
                                           const char *service)
{
    weft_send_params s = WEFT_SEND_PARAMS;

    *f = (struct fate){.outcomes = 0};
    s.to = p->to;
    s.service = service;
    s.body = weft_body_span("hello", 5);
    s.expect_reply = true;
    s.on_outcome = fate_outcome;
    s.user = f;
    return s;
}

/* Sends, waits for the outcome, and sees that it stays the only one. */
static inline void fate_of(const struct pair *p, struct fate *f, const weft_send_params *s)
{
    CHECK_OK(weft_node_send(p->client, s, &f->id));
    pair_until(p, &f->outcomes, 1);
    pair_settle(p);
    CHECK_EQ(f->outcomes, 1);
}

/* Sends `hello` to a service of the server. */
static inline struct fate ask(const struct pair *p, const char *service)
{
    struct fate f;
    weft_send_params s = fate_params(p, &f, service);

    fate_of(p, &f, &s);
    return f;
}

/* What a service of whole messages got last; it answers with the same bytes. */
struct echo {
    unsigned calls;
    size_t len;
    uint64_t length;
    weft_key from;
    weft_grade grade;
    char service[65];
};

static inline void on_echo(weft_exchange *x, const weft_message *m, void *user)
{
    struct echo *e = user;

    e->calls++;
    e->len = m->len;
    e->length = m->length;
    e->from = m->from;
    e->grade = m->grade;
    (void)snprintf(e->service, sizeof e->service, "%s", m->service);
    CHECK_OK(weft_reply(x, m->body, m->len));
}

/* Bytes that tell their place. */
static inline uint8_t *api_bytes(size_t len)
{
    uint8_t *b = malloc(len == 0 ? 1 : len);

    CHECK(b != NULL);
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)(i * 7 + i / 251);
    return b;
}

#endif
