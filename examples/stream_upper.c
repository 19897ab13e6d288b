/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_upper.c - a service for messages of any length: what comes in goes back in capitals, while
 * it comes in. At most 64 KiB of a message are held, whoever is slow: when the reply is not read,
 * no more of the request is taken, and its sender waits.
 *
 * usage: stream_upper [ADDRESS:PORT]      then: weft cat PEER, which speaks to the service "cat"
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft/weft.h"

#define HELD_MAX 65536

/* One message being answered. Its two ends, the request and the reply, end in any order. */
struct talk {
    weft_node *node;
    weft_exchange *exchange; /* NULL once the request is over */
    weft_err err;            /* of the request */
    int users;               /* request and reply */
    size_t len;
    uint8_t held[HELD_MAX];
};

static void leave(void *user)
{
    struct talk *t = user;

    if (--t->users == 0)
        free(t);
}

/* --- the reply: a body that is read as it can be sent --- */

static weft_err read_held(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct talk *t = user;
    size_t n = t->len < cap ? t->len : cap;

    if (t->err != WEFT_OK)
        return t->err;
    memcpy(buf, t->held, n);
    memmove(t->held, t->held + n, t->len - n);
    t->len -= n;
    *len = n; /* 0 and not the end: nothing now, weft_node_resume says when */
    *end = t->exchange == NULL && t->len == 0;
    if (n > 0 && t->exchange != NULL)
        weft_exchange_resume(t->exchange); /* there is room again */
    return WEFT_OK;
}

/* --- the request: pieces as they arrive --- */

static weft_err on_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    struct talk *t = calloc(1, sizeof *t);
    weft_body reply;
    weft_err err = WEFT_OK;

    (void)m;
    if (t == NULL)
        return WEFT_ERR_NOMEM;
    t->node = user;
    t->exchange = x;
    t->users = 2;
    reply = weft_body_reader(read_held, t, UINT64_MAX); /* open-ended */
    reply.done = leave;
    err = weft_reply_body(x, &reply);
    if (err != WEFT_OK)
        leave(t);
    else
        *state = t;
    return err;
}

static size_t on_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct talk *t = state;
    size_t room = HELD_MAX - t->len;
    size_t n = len < room ? len : room;

    (void)x;
    for (size_t i = 0; i < n; i++)
        t->held[t->len++] = (uint8_t)toupper(data[i]);
    weft_node_resume(t->node); /* the reply has something to read */
    return n;                  /* less than len: no more until weft_exchange_resume */
}

static void on_end(weft_exchange *x, weft_err err, void *state)
{
    struct talk *t = state;

    (void)x;
    t->exchange = NULL;
    t->err = err;
    weft_node_resume(t->node);
    leave(t);
}

static weft_err print_peer(const weft_node *node)
{
    weft_key key = weft_node_key(node);
    char text[WEFT_KEY_TEXT_MAX];
    char address[64];
    weft_err err = weft_node_address(node, address, sizeof address);

    if (err != WEFT_OK)
        return err;
    weft_key_text(text, &key);
    printf("%s@%s\n", text, address);
    return fflush(stdout) == 0 ? WEFT_OK : WEFT_ERR_IO;
}

int main(int argc, char **argv)
{
    static const weft_stream_handler handler = {
        .size = sizeof handler, .on_open = on_open, .on_data = on_data, .on_end = on_end};
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_node *node = NULL;
    weft_err err = WEFT_OK;

    params.listen = argc > 1 ? argv[1] : "127.0.0.1:4870";
    err = weft_node_open(&node, &params);
    if (err == WEFT_OK)
        err = weft_node_allow(node, NULL, "cat");
    if (err == WEFT_OK)
        err = weft_node_serve_stream(node, "cat", &handler, node);
    if (err == WEFT_OK)
        err = print_peer(node);
    if (err == WEFT_OK)
        err = weft_node_run(node);
    weft_node_close(node);
    return weft_exit(err);
}
