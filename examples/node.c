/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.c - what can become of messages: two nodes in one process talk over UDP on loopback and try
 * every way to ask, to answer and not to answer.
 *
 * usage: node
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft/weft.h"

/* --- the side that answers --- */

struct server {
    weft_node *node;
    weft_exchange *waiting; /* the first of two that want to meet */
    weft_exchange *paused;  /* a stream that we stopped reading */
    uint64_t counted;       /* its bytes */
    bool is_slow;           /* it is stopped once */
};

/* At once. */
static void on_greet(weft_exchange *x, const weft_message *m, void *user)
{
    char text[128];
    int len = snprintf(text, sizeof text, "hello, %.*s", (int)m->len, (const char *)m->body);

    (void)user;
    (void)weft_reply(x, text, (size_t)len);
}

/* Not at all, and the sender is told why. */
static void on_secret(weft_exchange *x, const weft_message *m, void *user)
{
    (void)m;
    (void)user;
    (void)weft_refuse(x, WEFT_ERR_DENIED);
}

/* Later: the exchange is kept until a second one comes, then both are answered. */
static void on_meet(weft_exchange *x, const weft_message *m, void *user)
{
    struct server *s = user;
    weft_body body = weft_body_span("you have met", 12);

    (void)m;
    if (s->waiting == NULL) {
        weft_exchange_keep(x);
        s->waiting = x;
        return;
    }
    (void)weft_reply_body(s->waiting, &body);
    (void)weft_reply_body(x, &body);
    s->waiting = NULL;
}

/* Nothing: kept and let go of. To the sender it was delivered, and that is all. */
static void on_note(weft_exchange *x, const weft_message *m, void *user)
{
    (void)m;
    (void)user;
    weft_exchange_keep(x);
    weft_exchange_drop(x);
}

/* In pieces, of any size: counts the bytes. */
static weft_err on_count_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    struct server *s = user; /* one at a time is enough here */

    (void)x;
    (void)m;
    s->counted = 0;
    s->is_slow = true;
    *state = s;
    return WEFT_OK;
}

static size_t on_count_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct server *s = state;

    (void)data;
    if (s->is_slow) {
        s->is_slow = false;
        s->paused = x; /* taken nothing: no more comes until weft_exchange_resume */
        return 0;
    }
    s->counted += len;
    return len;
}

static void on_count_end(weft_exchange *x, weft_err err, void *state)
{
    struct server *s = state;
    char text[64];
    int len = snprintf(text, sizeof text, "%llu bytes", (unsigned long long)s->counted);

    s->paused = NULL;
    if (err == WEFT_OK)
        (void)weft_reply(x, text, (size_t)len);
}

static weft_err serve(struct server *s)
{
    static const weft_stream_handler count = {.size = sizeof count,
                                              .on_open = on_count_open,
                                              .on_data = on_count_data,
                                              .on_end = on_count_end};
    weft_err err = weft_node_serve(s->node, "greet", on_greet, s);

    if (err == WEFT_OK)
        err = weft_node_serve(s->node, "secret", on_secret, s);
    if (err == WEFT_OK)
        err = weft_node_serve(s->node, "meet", on_meet, s);
    if (err == WEFT_OK)
        err = weft_node_serve(s->node, "note", on_note, s);
    if (err == WEFT_OK)
        err = weft_node_serve_stream(s->node, "count", &count, s);
    return err == WEFT_OK ? weft_node_allow(s->node, NULL, "*") : err;
}

/* --- the side that asks --- */

struct client {
    weft_node *node;
    char to[WEFT_KEY_TEXT_MAX + 64];
    size_t open; /* messages without an outcome */
    struct {
        uint64_t left, pauses; /* bytes to come; how often there was nothing yet */
    } source;
};

static void on_outcome(const weft_outcome *o, void *user)
{
    struct client *c = user;

    c->open--;
    if (o->kind == WEFT_REPLIED)
        printf("  %.*s (%s)\n", (int)o->message->len, (const char *)o->message->body,
               weft_grade_text(o->grade));
    else
        printf("  %s\n", weft_outcome_text(o));
}

static weft_err ask(struct client *c, const char *service, weft_body body, uint64_t *id)
{
    weft_send_params p = WEFT_SEND_PARAMS;
    weft_err err = WEFT_OK;

    p.to = c->to;
    p.service = service;
    p.body = body;
    p.expect_reply = strcmp(service, "note") != 0;
    p.on_outcome = on_outcome;
    p.user = c;
    err = weft_node_send(c->node, &p, id);
    if (err == WEFT_OK)
        c->open++;
    return err;
}

/* A body that is made while it is sent, and has nothing to give now and then. */
static weft_err read_source(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct client *c = user;
    size_t n = c->source.left < cap ? (size_t)c->source.left : cap;

    if (c->source.pauses > 0) {
        *len = 0; /* until weft_node_resume */
        return WEFT_OK;
    }
    memset(buf, 'w', n);
    c->source.left -= n;
    *len = n;
    *end = c->source.left == 0;
    return WEFT_OK;
}

static void on_pong(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user)
{
    struct client *c = user;

    c->open--;
    if (err == WEFT_OK)
        printf("  round trip %llu us, handshake %llu us\n", (unsigned long long)rtt_us,
               (unsigned long long)handshake_us);
    else
        printf("  %s\n", weft_strerror(err));
}

/* --- both in one loop --- */

static weft_err turn(struct server *s, struct client *c)
{
    struct pollfd fds[] = {{.fd = weft_node_fd(s->node), .events = POLLIN},
                           {.fd = weft_node_fd(c->node), .events = POLLIN}};
    weft_err err = WEFT_OK;

    if (poll(fds, 2, 1000) < 0)
        return WEFT_ERR_IO;
    err = weft_node_poll(s->node, 0);
    if (err == WEFT_OK)
        err = weft_node_poll(c->node, 0);
    if (s->paused != NULL) {
        weft_exchange *x = s->paused;

        s->paused = NULL;
        weft_exchange_resume(x);
    }
    if (c->source.pauses > 0 && --c->source.pauses == 0)
        weft_node_resume(c->node);
    return err;
}

static weft_err until_answered(struct server *s, struct client *c)
{
    weft_err err = WEFT_OK;

    while (err == WEFT_OK && c->open > 0)
        err = turn(s, c);
    return err;
}

static weft_err whole_messages(struct server *s, struct client *c)
{
    weft_err err = ask(c, "greet", weft_body_span("weft", 4), NULL);

    puts("answered, refused, not there, delivered:");
    if (err == WEFT_OK)
        err = ask(c, "secret", weft_body_span("?", 1), NULL);
    if (err == WEFT_OK)
        err = ask(c, "nonsense", weft_body_span("?", 1), NULL);
    if (err == WEFT_OK)
        err = ask(c, "note", weft_body_span("!", 1), NULL);
    return err == WEFT_OK ? until_answered(s, c) : err;
}

/* One gives up; two others meet. */
static weft_err late_answers(struct server *s, struct client *c)
{
    uint64_t id = 0;
    weft_err err = ask(c, "meet", weft_body_span("", 0), &id);

    puts("cancelled by us:");
    while (err == WEFT_OK && s->waiting == NULL)
        err = turn(s, c);
    weft_node_cancel(c->node, id);
    if (err == WEFT_OK)
        err = until_answered(s, c);
    puts("answered later, two at once:");
    if (s->waiting != NULL)
        weft_exchange_drop(s->waiting); /* nobody waits for its answer any more */
    s->waiting = NULL;
    for (int i = 0; i < 2 && err == WEFT_OK; i++)
        err = ask(c, "meet", weft_body_span("", 0), NULL);
    return err == WEFT_OK ? until_answered(s, c) : err;
}

static weft_err streams(struct server *s, struct client *c, const char *path)
{
    weft_err err = WEFT_OK;

    c->source.left = 1000000;
    c->source.pauses = 3;
    puts("of unknown length, and from a file:");
    err = ask(c, "count", weft_body_reader(read_source, c, UINT64_MAX), NULL);
    if (err == WEFT_OK)
        err = until_answered(s, c);
    if (err == WEFT_OK)
        err = ask(c, "count", weft_body_file(path, 0), NULL);
    return err == WEFT_OK ? until_answered(s, c) : err;
}

static weft_err ping(struct server *s, struct client *c)
{
    weft_err err = weft_node_ping(c->node, c->to, 2000, on_pong, c);

    puts("a ping:");
    if (err != WEFT_OK)
        return err;
    c->open++;
    return until_answered(s, c);
}

static weft_err show_stats(const weft_node *node)
{
    weft_stats stats = {.size = sizeof stats};
    size_t need = 0;
    char *text = NULL;
    weft_err err = weft_node_stats_json(node, NULL, 0, &need);

    weft_node_stats(node, &stats);
    printf("the server: %llu messages came, %llu bytes are held, %s\n",
           (unsigned long long)stats.messages_in, (unsigned long long)stats.memory_held,
           weft_node_is_idle(node) ? "nothing is going on" : "something is going on");
    printf("of these %llu bytes of messages were not read, %llu not acknowledged\n",
           (unsigned long long)stats.bytes_unread, (unsigned long long)stats.bytes_unacknowledged);
    if (err != WEFT_ERR_LIMIT)
        return err;
    text = malloc(need + 1);
    if (text == NULL)
        return WEFT_ERR_NOMEM;
    err = weft_node_stats_json(node, text, need + 1, &need);
    if (err == WEFT_OK)
        printf("%.100s...\n", text);
    free(text);
    return err;
}

/* --- beginning --- */

/* Each with a new key, which it copies. */
static weft_err open_node(weft_node **out, const char *listen)
{
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_identity *identity = NULL;
    weft_err err = weft_identity_new(&identity);

    params.identity = identity;
    params.listen = listen;
    if (err == WEFT_OK)
        err = weft_node_open(out, &params);
    weft_identity_free(identity);
    return err;
}

static weft_err name_server(const weft_node *server, char *to, size_t cap)
{
    weft_key key = weft_node_key(server);
    char text[WEFT_KEY_TEXT_MAX];
    char address[64];
    weft_err err = weft_node_address(server, address, sizeof address);

    weft_key_text(text, &key);
    if (err == WEFT_OK)
        (void)snprintf(to, cap, "%s@%s", text, address);
    return err;
}

/* What the rules of the server would have to name. */
static weft_err show_key(const struct server *s, const struct client *c)
{
    weft_key server = weft_node_key(s->node);
    weft_key shown;
    char text[WEFT_KEY_TEXT_MAX];
    weft_err err = weft_node_key_for(&shown, c->node, &server);

    if (err != WEFT_OK)
        return err;
    weft_key_text(text, &shown);
    printf("the server knows the client as %.20s...\n", text);
    return WEFT_OK;
}

int main(int argc, char **argv)
{
    struct server s = {.node = NULL};
    struct client c = {.node = NULL};
    weft_err err = open_node(&s.node, "127.0.0.1:0");

    (void)argc;
    if (err == WEFT_OK)
        err = serve(&s);
    if (err == WEFT_OK)
        err = name_server(s.node, c.to, sizeof c.to);
    if (err == WEFT_OK)
        err = open_node(&c.node, NULL);
    if (err == WEFT_OK)
        err = whole_messages(&s, &c);
    if (err == WEFT_OK)
        err = late_answers(&s, &c);
    if (err == WEFT_OK)
        err = streams(&s, &c, argv[0]);
    if (err == WEFT_OK)
        err = ping(&s, &c);
    if (err == WEFT_OK)
        err = show_key(&s, &c);
    if (err == WEFT_OK)
        err = show_stats(s.node);
    weft_node_close(c.node);
    weft_node_close(s.node);
    return weft_exit(err);
}
