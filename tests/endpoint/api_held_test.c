/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_held_test.c - what a node says it holds, for whom and what for, while a reader stands still;
 * and that the reader is cut off when the time for it was made short.
 */
#include <jansson.h>

#include "api_pair.h"

#define BODY_LEN ((size_t)6 << 20) /* more than the credit of a message */
#define HELD_MIN ((uint64_t)4 << 20)

struct reader {
    unsigned begun, ended;
    weft_err err;
};

static weft_err on_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    struct reader *r = user;

    (void)x;
    (void)m;
    r->begun++;
    *state = r;
    return WEFT_OK;
}

static size_t takes_nothing(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    (void)x;
    (void)data;
    (void)len;
    (void)state;
    return 0;
}

static void on_end(weft_exchange *x, weft_err err, void *state)
{
    struct reader *r = state;

    (void)x;
    r->ended++;
    r->err = err;
}

static const weft_stream_handler dead = {
    .size = sizeof dead, .on_open = on_open, .on_data = takes_nothing, .on_end = on_end};

struct still {
    struct pair p;
    struct reader reader;
    struct fate fate;
    uint8_t *body;
};

/* A message that nobody reads, sent by a node and by then as far as it gets. */
static void stand_still(struct still *s, const weft_node_params *server)
{
    weft_send_params send;
    weft_stats stats = {.size = sizeof stats};

    *s = (struct still){.body = api_bytes(BODY_LEN)};
    pair_open_with(&s->p, server, NULL);
    CHECK_OK(weft_node_allow(s->p.server, NULL, "*"));
    CHECK_OK(weft_node_serve_stream(s->p.server, "s", &dead, &s->reader));
    send = fate_params(&s->p, &s->fate, "s");
    send.expect_reply = false;
    send.body = weft_body_span(s->body, BODY_LEN);
    CHECK_OK(weft_node_send(s->p.client, &send, NULL));
    for (unsigned i = 0; i < API_ROUNDS_MAX && stats.messages_held_back == 0; i++) {
        pair_turn(&s->p);
        weft_node_stats(s->p.client, &stats);
    }
    CHECK_EQ(stats.messages_held_back, 1);
}

static void end(struct still *s)
{
    pair_close(&s->p);
    free(s->body);
}

static json_t *json_of(const weft_node *n)
{
    static char text[65536];
    size_t len = 0;
    json_t *o = NULL;

    CHECK_OK(weft_node_stats_json(n, text, sizeof text, &len));
    o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(o != NULL);
    return o;
}

static uint64_t number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    test_note("member %s", name);
    CHECK(json_is_integer(v));
    return (uint64_t)json_integer_value(v);
}

/* Both ways of asking agree, and the kinds of bytes are all that is held. */
static void check_kinds(const weft_node *n, const weft_stats *s)
{
    json_t *o = json_of(n);
    const json_t *row = json_array_get(json_object_get(o, "peers"), 0);
    static const char *const kinds[] = {"bytes_unread", "bytes_waiting", "bytes_unacknowledged",
                                        "bytes_control", "bytes_overhead"};
    uint64_t sum = 0;

    CHECK_EQ(number(o, "bytes_unread"), s->bytes_unread);
    CHECK_EQ(number(o, "bytes_waiting"), s->bytes_waiting);
    CHECK_EQ(number(o, "bytes_unacknowledged"), s->bytes_unacknowledged);
    CHECK_EQ(number(o, "bytes_control"), s->bytes_control);
    CHECK_EQ(number(o, "bytes_application"), s->bytes_application);
    CHECK_EQ(number(o, "messages_open_in"), s->messages_open_in);
    CHECK_EQ(number(o, "messages_open_out"), s->messages_open_out);
    CHECK_EQ(number(o, "messages_held_back"), s->messages_held_back);
    CHECK_EQ(number(o, "messages_cut_off"), s->messages_cut_off);
    CHECK_EQ(number(o, "pushed_back"), s->pushed_back);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        sum += number(row, kinds[i]);
    CHECK_EQ(sum, number(row, "bytes_held"));
    CHECK_LE(number(row, "bytes_held"), number(row, "bytes_cap"));
    CHECK_EQ(number(row, "bytes_unread"), s->bytes_unread);
    CHECK_EQ(number(row, "messages_open_in"), s->messages_open_in);
    CHECK_EQ(number(row, "messages_open_out"), s->messages_open_out);
    CHECK_EQ(number(row, "messages_held_back"), s->messages_held_back);
    CHECK_EQ(number(row, "pushed_back"), s->pushed_back);
    CHECK_EQ(number(row, "messages_cut_off"), s->messages_cut_off);
    CHECK_EQ(number(row, "bytes_application"), 0);
    CHECK_LE(number(row, "credit_left"), (uint64_t)16 << 20);
    json_decref(o);
}

TEST(both_nodes_say_what_they_hold_for_a_reader_that_stands_still)
{
    struct still s;
    weft_stats in = {.size = sizeof in};
    weft_stats out = {.size = sizeof out};

    stand_still(&s, NULL);
    for (unsigned i = 0; i < API_ROUNDS_MAX && in.bytes_unread < HELD_MIN; i++) {
        pair_turn(&s.p);
        weft_node_stats(s.p.server, &in);
    }
    weft_node_stats(s.p.client, &out);
    CHECK_EQ(in.bytes_unread, HELD_MIN);
    CHECK_EQ(in.messages_open_in, 1);
    CHECK_EQ(in.messages_open_out, 0);
    CHECK_EQ(out.messages_open_out, 1);
    CHECK_EQ(out.pushed_back, 1);
    CHECK_LE(1, out.bytes_unacknowledged);
    check_kinds(s.p.server, &in);
    check_kinds(s.p.client, &out);
    CHECK_EQ(s.fate.outcomes, 0);
    end(&s);
}

TEST(a_reader_that_stands_still_for_the_time_given_is_cut_off_and_both_ends_know_why)
{
    struct still s;
    weft_node_params server = WEFT_NODE_PARAMS;
    weft_stats in = {.size = sizeof in};

    server.unread_s = 1;
    stand_still(&s, &server);
    pair_until(&s.p, &s.fate.outcomes, 1);
    CHECK_EQ(s.fate.kind, WEFT_FAILED);
    CHECK_EQ(s.fate.err, WEFT_ERR_UNREAD);
    CHECK_EQ(s.reader.ended, 1);
    CHECK_EQ(s.reader.err, WEFT_ERR_UNREAD);
    weft_node_stats(s.p.server, &in);
    CHECK_EQ(in.messages_cut_off, 1);
    CHECK_EQ(in.bytes_unread, 0);
    end(&s);
}

TEST(who_knows_a_shorter_struct_gets_no_more_than_it_has_room_for)
{
    struct pair p;
    weft_stats s;

    pair_open(&p);
    for (size_t size = sizeof s.size; size <= sizeof s; size += sizeof(uint64_t)) {
        weft_stats *out = malloc(size);

        CHECK(out != NULL);
        memcpy(out, &size, sizeof size);
        weft_node_stats(p.server, out);
        CHECK_MEM_EQ(out, &size, sizeof size);
        free(out);
    }
    pair_close(&p);
}
