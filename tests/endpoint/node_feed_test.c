/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_feed_test.c - a body that is handed to the core in goes, where the core has room for more
 * than one of them: on a fast, long path no event asks for the next.
 */
#include "endpoint/core_priv.h"
#include "node_pair.h"
#include "transport/chan_priv.h"

#define BODY_LEN ((uint64_t)20 << 20)
#define BUFFER ((size_t)64 << 20)

static struct nodes pair;

struct source {
    uint64_t left;
};

static weft_err read_source(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct source *s = user;

    *len = s->left < cap ? (size_t)s->left : cap;
    memset(buf, 'x', *len);
    s->left -= *len;
    *end = s->left == 0;
    return WEFT_OK;
}

/* As if the window were as large as 1 Gb/s and 100 ms make it. */
static void enlarge(const weft_node *n)
{
    for (struct wf_link *l = n->core->all.first; l != NULL; l = l->next) {
        struct wf_chan *c = WF_CONTAINER_OF(l, struct session, all_link)->chan;

        c->send_buffer = BUFFER;
        c->send_buffer_max = BUFFER;
    }
}

static void on_echo(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    CHECK_OK(weft_reply(x, m->body, m->len));
}

static weft_err on_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    (void)x, (void)m;
    *state = user;
    return WEFT_OK;
}

static size_t on_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    (void)x, (void)data;
    *(uint64_t *)state += len;
    return len;
}

static void on_end(weft_exchange *x, weft_err err, void *state)
{
    (void)state;
    if (err == WEFT_OK)
        CHECK_OK(weft_reply(x, "", 0));
}

static void on_want(weft_exchange *x, const weft_message *m, void *user)
{
    weft_body body = weft_body_reader(read_source, user, UINT64_MAX);

    (void)m;
    CHECK_OK(weft_reply_body(x, &body));
}

static void begin(uint64_t *got, struct source *of_reply)
{
    static const weft_stream_handler sink = {
        .size = sizeof sink, .on_open = on_open, .on_data = on_data, .on_end = on_end};
    struct sent first;
    weft_send_params p;

    nodes_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, NULL));
    CHECK_OK(weft_node_serve(pair.server, "want", on_want, of_reply));
    CHECK_OK(weft_node_serve_stream(pair.server, "sink", &sink, got));
    p = sent_params(&pair, &first, "echo");
    CHECK_OK(weft_node_send(pair.client, &p, NULL));
    nodes_until(&pair, &first.done);
    enlarge(pair.client);
    enlarge(pair.server);
}

TEST(a_message_of_many_goes_is_sent_to_its_end_when_the_core_takes_all_at_once)
{
    struct source s = {.left = BODY_LEN};
    struct sent sent;
    uint64_t got = 0;
    weft_send_params p;

    begin(&got, NULL);
    p = sent_params(&pair, &sent, "sink");
    p.body = weft_body_reader(read_source, &s, UINT64_MAX);
    CHECK_OK(weft_node_send(pair.client, &p, NULL));
    nodes_until(&pair, &sent.done);
    CHECK_EQ(sent.kind, WEFT_REPLIED);
    CHECK_EQ(got, BODY_LEN);
    nodes_close(&pair);
}

static size_t on_reply_data(const uint8_t *data, size_t len, void *user)
{
    (void)data;
    ((struct sent *)user)->reply_len += len;
    return len;
}

TEST(a_reply_of_many_goes_is_sent_to_its_end_when_the_core_takes_all_at_once)
{
    struct source s = {.left = BODY_LEN};
    struct sent sent;
    weft_send_params p;

    begin(NULL, &s);
    p = sent_params(&pair, &sent, "want");
    p.on_reply_data = on_reply_data;
    CHECK_OK(weft_node_send(pair.client, &p, NULL));
    nodes_until(&pair, &sent.done);
    CHECK_EQ(sent.kind, WEFT_REPLIED);
    CHECK_EQ(sent.reply_len, BODY_LEN);
    nodes_close(&pair);
}

TEST(a_message_with_goes_to_come_can_be_given_up_and_its_node_closed)
{
    struct source s[2] = {{.left = UINT64_MAX}, {.left = UINT64_MAX}};
    struct sent sent[2];
    uint64_t got = 0;

    begin(&got, NULL);
    for (size_t i = 0; i < 2; i++) {
        weft_send_params p = sent_params(&pair, &sent[i], "sink");

        p.body = weft_body_reader(read_source, &s[i], UINT64_MAX);
        CHECK_OK(weft_node_send(pair.client, &p, &sent[i].id));
    }
    CHECK_EQ(pair.client->unfed.count, 2);
    weft_node_cancel(pair.client, sent[0].id);
    nodes_until(&pair, &sent[0].done);
    CHECK_EQ(sent[0].err, WEFT_ERR_CANCELLED);
    nodes_close(&pair);
    CHECK_EQ(sent[1].outcomes, 1);
}
