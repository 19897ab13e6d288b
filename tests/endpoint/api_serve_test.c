/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_serve_test.c - incoming messages: services, who may use them, whole messages and streams, and
 * every way to answer or not to answer.
 */
#include <unistd.h>

#include "api_pair.h"
#include "base/bytes.h"

static struct pair pair;

/* So that the session stands on both sides. */
static void warm_up(void)
{
    struct fate f = ask(&pair, "warm up");

    CHECK_EQ(f.err, WEFT_ERR_REFUSED);
}

static void check_refused(const struct fate *f, weft_err err)
{
    CHECK_EQ(f->kind, WEFT_FAILED);
    CHECK_EQ(f->err, err);
    CHECK(!f->has_reply);
}

/* --- services and rules --- */

TEST(a_service_has_a_name_of_1_to_64_bytes)
{
    char name[67];
    weft_node *n = api_node(NULL);

    memset(name, 's', sizeof name);
    name[65] = '\0';
    CHECK_EQ(weft_node_serve(n, name, on_echo, NULL), WEFT_ERR_USAGE);
    CHECK_EQ(weft_node_allow(n, NULL, name), WEFT_ERR_USAGE);
    name[64] = '\0';
    CHECK_OK(weft_node_serve(n, name, on_echo, NULL));
    CHECK_OK(weft_node_allow(n, NULL, name));
    name[1] = '\0';
    CHECK_OK(weft_node_serve(n, name, on_echo, NULL));
    CHECK_EQ(weft_node_serve(n, "", on_echo, NULL), WEFT_ERR_USAGE);
    CHECK_EQ(weft_node_serve(n, NULL, on_echo, NULL), WEFT_ERR_USAGE);
    CHECK_EQ(weft_node_allow(n, NULL, ""), WEFT_ERR_USAGE);
    CHECK_EQ(weft_node_allow(n, NULL, NULL), WEFT_ERR_USAGE);
    weft_node_close(n);
}

TEST(a_node_has_64_services_at_most_and_each_once)
{
    weft_node *n = api_node(NULL);
    char name[16];

    for (int i = 0; i < 64; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        CHECK_OK(weft_node_serve(n, name, on_echo, NULL));
        CHECK_EQ(weft_node_serve(n, name, on_echo, NULL), WEFT_ERR_EXISTS);
    }
    CHECK_EQ(weft_node_serve(n, "one more", on_echo, NULL), WEFT_ERR_LIMIT);
    CHECK_EQ(weft_node_serve(n, "s0", on_echo, NULL), WEFT_ERR_EXISTS);
    weft_node_close(n);
}

TEST(a_node_has_4096_rules_at_most)
{
    weft_node *n = api_node(NULL);
    weft_key key = weft_node_key(n);

    for (unsigned i = 0; i < 4096; i++)
        CHECK_OK(weft_node_allow(n, i % 2 == 0 ? &key : NULL, "some"));
    CHECK_EQ(weft_node_allow(n, NULL, "some"), WEFT_ERR_LIMIT);
    weft_node_close(n);
}

TEST(a_service_that_is_not_there_is_refused)
{
    struct fate f;

    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, NULL));
    f = ask(&pair, "ech");
    check_refused(&f, WEFT_ERR_REFUSED);
    f = ask(&pair, "echo2");
    check_refused(&f, WEFT_ERR_REFUSED);
    CHECK(strstr(f.text, weft_strerror(WEFT_ERR_REFUSED)) != NULL);
    pair_close(&pair);
}

TEST(without_any_rule_everybody_is_denied)
{
    struct echo e = {.calls = 0};
    struct fate f;

    pair_open_with(&pair, NULL, NULL);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    f = ask(&pair, "echo");
    check_refused(&f, WEFT_ERR_DENIED);
    CHECK_EQ(e.calls, 0);
    CHECK_OK(weft_node_allow(pair.server, NULL, "echo"));
    f = ask(&pair, "echo");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&pair);
}

TEST(a_rule_is_for_one_key_and_one_service)
{
    struct echo e = {.calls = 0};
    struct fate f;

    pair_open_with(&pair, NULL, NULL);
    CHECK_OK(weft_node_serve(pair.server, "a", on_echo, &e));
    CHECK_OK(weft_node_serve(pair.server, "b", on_echo, &e));
    CHECK_OK(weft_node_allow(pair.server, &pair.server_key, "*"));
    f = ask(&pair, "a");
    check_refused(&f, WEFT_ERR_DENIED);
    CHECK_OK(weft_node_allow(pair.server, &pair.client_key, "a"));
    f = ask(&pair, "a");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    f = ask(&pair, "b");
    check_refused(&f, WEFT_ERR_DENIED);
    CHECK_OK(weft_node_allow(pair.server, &pair.client_key, "*"));
    f = ask(&pair, "b");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(e.calls, 2);
    pair_close(&pair);
}

TEST(a_rule_for_the_key_of_nobody_lets_no_anonymous_in)
{
    weft_node_params client = WEFT_NODE_PARAMS;
    weft_key nobody = {{0}};
    struct echo e = {.calls = 0};
    struct fate f;

    client.anonymous = true;
    pair_open_with(&pair, NULL, &client);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    CHECK_OK(weft_node_allow(pair.server, &nobody, "*"));
    CHECK_OK(weft_node_allow(pair.server, &pair.client_key, "*"));
    f = ask(&pair, "echo");
    check_refused(&f, WEFT_ERR_DENIED);
    CHECK_EQ(e.calls, 0);
    pair_close(&pair);
}

/* --- who is told to have sent it --- */

TEST(the_first_message_is_early_and_later_ones_are_forward_secret)
{
    struct echo e = {.calls = 0};

    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    (void)ask(&pair, "echo");
    CHECK_EQ(e.grade, WEFT_GRADE_EARLY);
    CHECK_MEM_EQ(&e.from, &pair.client_key, sizeof e.from);
    CHECK_STR_EQ(e.service, "echo");
    (void)ask(&pair, "echo");
    CHECK_EQ(e.grade, WEFT_GRADE_FULL);
    CHECK_EQ(e.calls, 2);
    pair_close(&pair);
}

TEST(who_shows_no_key_is_nobody)
{
    weft_node_params client = WEFT_NODE_PARAMS;
    struct echo e = {.calls = 0};
    struct fate f;

    client.anonymous = true;
    pair_open_with(&pair, NULL, &client);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    CHECK_OK(weft_node_allow(pair.server, NULL, "*"));
    for (int i = 0; i < 2; i++) {
        f = ask(&pair, "echo");
        CHECK_EQ(f.kind, WEFT_REPLIED);
        CHECK_EQ(e.grade, WEFT_GRADE_NOBODY);
        CHECK(weft_key_is_nobody(&e.from));
        CHECK_MEM_EQ(&f.reply_from, &pair.server_key, sizeof f.reply_from);
    }
    pair_close(&pair);
}

/* --- whole messages --- */

/* Sends len bytes to a node that takes 1000 whole; announced, or open-ended through a reader. */
struct bytes_left {
    size_t left;
};

static weft_err read_bytes(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct bytes_left *b = user;
    size_t n = b->left < cap ? b->left : cap;

    memset(buf, 'w', n);
    b->left -= n;
    *len = n;
    *end = b->left == 0;
    return WEFT_OK;
}

static void send_len(struct fate *f, size_t len, bool open_ended)
{
    uint8_t *body = api_bytes(len);
    struct bytes_left left = {.left = len};
    weft_send_params s = fate_params(&pair, f, "echo");

    s.body =
        open_ended ? weft_body_reader(read_bytes, &left, UINT64_MAX) : weft_body_span(body, len);
    fate_of(&pair, f, &s);
    if (f->kind == WEFT_REPLIED && !open_ended) {
        CHECK_EQ(f->reply_len, len);
        CHECK_MEM_EQ(f->reply, body, len);
    }
    free(body);
}

TEST(a_body_is_taken_up_to_the_largest_and_not_one_byte_more)
{
    weft_node_params server = WEFT_NODE_PARAMS;
    struct echo e = {.calls = 0};
    struct fate f;

    server.message_max = 1000;
    pair_open_with(&pair, &server, NULL);
    CHECK_OK(weft_node_allow(pair.server, NULL, "*"));
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    for (int open_ended = 0; open_ended <= 1; open_ended++) {
        static const size_t lens[] = {0, 1, 999, 1000};

        for (size_t i = 0; i < WF_ARRAY_LEN(lens); i++) {
            send_len(&f, lens[i], open_ended == 1);
            CHECK_EQ(f.kind, WEFT_REPLIED);
            CHECK_EQ(e.len, lens[i]);
            CHECK_EQ(f.reply_len, lens[i]);
            CHECK_EQ(e.length, open_ended == 1 ? UINT64_MAX : lens[i]);
        }
        e.calls = 0;
        send_len(&f, 1001, open_ended == 1);
        check_refused(&f, WEFT_ERR_LIMIT);
        send_len(&f, 1000000, open_ended == 1);
        check_refused(&f, WEFT_ERR_LIMIT);
        CHECK_EQ(e.calls, 0);
    }
    pair_close(&pair);
}

TEST(the_largest_body_is_a_mebibyte_where_nothing_else_is_said)
{
    struct echo e = {.calls = 0};
    struct fate f;
    size_t max = (size_t)1 << 20;
    uint8_t *body = api_bytes(max + 1);
    weft_send_params s;

    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    s = fate_params(&pair, &f, "echo");
    s.body = weft_body_span(body, max);
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(f.reply_len, max);
    s = fate_params(&pair, &f, "echo");
    s.body = weft_body_span(body, max + 1);
    fate_of(&pair, &f, &s);
    check_refused(&f, WEFT_ERR_LIMIT);
    CHECK_EQ(e.calls, 1);
    free(body);
    pair_close(&pair);
}

/* --- answering --- */

enum answer {
    ANSWER_NOTHING,
    ANSWER_TWICE,
    ANSWER_THEN_REFUSE,
    ANSWER_REFUSE,
    ANSWER_REFUSE_THEN_REPLY,
    ANSWER_KEEP,
    ANSWER_BODY,
};

struct answerer {
    enum answer answer;
    weft_err reason;
    weft_exchange *kept;
    unsigned calls, done;
    weft_body body;
};

static void count_done(void *user)
{
    (*(unsigned *)user)++;
}

static void on_answer(weft_exchange *x, const weft_message *m, void *user)
{
    struct answerer *a = user;

    (void)m;
    a->calls++;
    switch (a->answer) {
    case ANSWER_NOTHING:
        return;
    case ANSWER_TWICE:
        CHECK_OK(weft_reply(x, "one", 3));
        CHECK_EQ(weft_reply(x, "two", 3), WEFT_ERR_STATE);
        return;
    case ANSWER_THEN_REFUSE:
        CHECK_OK(weft_reply(x, "one", 3));
        CHECK_EQ(weft_refuse(x, WEFT_ERR_DENIED), WEFT_ERR_STATE);
        return;
    case ANSWER_REFUSE:
        CHECK_OK(weft_refuse(x, a->reason));
        return;
    case ANSWER_REFUSE_THEN_REPLY:
        CHECK_OK(weft_refuse(x, a->reason));
        CHECK_EQ(weft_refuse(x, a->reason), WEFT_ERR_STATE);
        CHECK_EQ(weft_reply(x, "one", 3), WEFT_ERR_STATE);
        return;
    case ANSWER_KEEP:
        weft_exchange_keep(x);
        a->kept = x;
        return;
    case ANSWER_BODY:
        CHECK_OK(weft_reply_body(x, &a->body));
        CHECK_EQ(weft_reply_body(x, &a->body), WEFT_ERR_STATE);
        return;
    }
}

static void answer_open(struct answerer *a, enum answer answer)
{
    *a = (struct answerer){.answer = answer, .reason = WEFT_ERR_DENIED};
    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "answer", on_answer, a));
}

TEST(a_message_has_one_answer_at_most)
{
    struct answerer a;
    struct fate f;

    answer_open(&a, ANSWER_TWICE);
    f = ask(&pair, "answer");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(f.reply_len, 3);
    CHECK_MEM_EQ(f.reply, "one", 3);
    a.answer = ANSWER_THEN_REFUSE;
    f = ask(&pair, "answer");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    a.answer = ANSWER_REFUSE_THEN_REPLY;
    f = ask(&pair, "answer");
    check_refused(&f, WEFT_ERR_DENIED);
    pair_close(&pair);
}

TEST(a_reason_for_a_refusal_arrives)
{
    struct answerer a;
    struct fate f;

    answer_open(&a, ANSWER_REFUSE);
    for (int err = WEFT_ERR_NOMEM; err <= WEFT_ERR_UNREAD; err++) {
        a.reason = (weft_err)err;
        f = ask(&pair, "answer");
        test_note("reason %d", err);
        check_refused(&f, (weft_err)err);
        CHECK(strstr(f.text, weft_strerror((weft_err)err)) != NULL);
    }
    pair_close(&pair);
}

TEST(a_message_without_a_reply_is_delivered)
{
    struct answerer a;
    struct fate f;
    weft_send_params s;

    answer_open(&a, ANSWER_NOTHING);
    s = fate_params(&pair, &f, "answer");
    s.expect_reply = false;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_DELIVERED);
    CHECK_OK(f.err);
    CHECK(!f.has_reply);
    CHECK_EQ(a.calls, 1);
    CHECK(weft_node_is_idle(pair.server));
    pair_close(&pair);
}

/* The sender waits as long as it said. */
TEST(an_answer_that_nobody_gives_expires)
{
    struct answerer a;
    struct fate f;
    weft_send_params s;

    answer_open(&a, ANSWER_KEEP);
    s = fate_params(&pair, &f, "answer");
    s.reply_within_ms = 30;
    s.expect_reply = false; /* the limit says it */
    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    pair_until(&pair, &f.outcomes, 1);
    weft_exchange_drop(a.kept);
    pair_settle(&pair);
    CHECK_EQ(f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_EXPIRED);
    CHECK_EQ(f.err, WEFT_ERR_TIMEOUT);
    CHECK(f.took_us >= 30000);
    CHECK_EQ(a.calls, 1);
    pair_close(&pair);
}

static void keep_one(struct answerer *a, struct fate *f)
{
    weft_send_params s;

    answer_open(a, ANSWER_KEEP);
    warm_up();
    s = fate_params(&pair, f, "answer");
    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    pair_until(&pair, &a->calls, 1);
    CHECK(!weft_node_is_idle(pair.server));
    CHECK_EQ(f->outcomes, 0);
}

TEST(an_exchange_that_was_kept_can_be_answered_later)
{
    struct answerer a;
    struct fate f;

    keep_one(&a, &f);
    for (int i = 0; i < 20; i++)
        pair_turn(&pair);
    CHECK_EQ(f.outcomes, 0);
    CHECK_OK(weft_reply(a.kept, "late", 4));
    pair_until(&pair, &f.outcomes, 1);
    pair_settle(&pair);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_MEM_EQ(f.reply, "late", 4);
    pair_close(&pair);
}

TEST(an_exchange_that_was_kept_can_be_refused_later)
{
    struct answerer a;
    struct fate f;

    keep_one(&a, &f);
    CHECK_OK(weft_refuse(a.kept, WEFT_ERR_NOT_FOUND));
    pair_until(&pair, &f.outcomes, 1);
    pair_settle(&pair);
    check_refused(&f, WEFT_ERR_NOT_FOUND);
    pair_close(&pair);
}

TEST(an_exchange_that_was_dropped_leaves_nothing_under_way)
{
    struct answerer a;
    struct fate f;

    keep_one(&a, &f);
    weft_exchange_drop(a.kept);
    for (unsigned i = 0; i < API_ROUNDS_MAX && !weft_node_is_idle(pair.server); i++)
        pair_turn(&pair);
    CHECK(weft_node_is_idle(pair.server));
    pair_close(&pair);
    CHECK_EQ(f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_UNKNOWN);
}

TEST(a_reply_to_somebody_who_is_gone_is_refused_or_lost_but_harmless)
{
    struct answerer a;
    struct fate f;

    keep_one(&a, &f);
    weft_node_close(pair.client);
    pair.client = NULL;
    CHECK_EQ(f.outcomes, 1);
    for (int i = 0; i < 50; i++)
        pair_turn(&pair);
    a.body = weft_body_span("x", 1);
    a.body.done = count_done;
    a.body.user = &a.done;
    CHECK_EQ(weft_reply_body(a.kept, &a.body), WEFT_ERR_CLOSED);
    CHECK_EQ(a.done, 1);
    weft_exchange_drop(a.kept);
    weft_node_close(pair.server);
}

TEST(a_node_may_close_with_exchanges_kept)
{
    struct answerer a;
    struct fate f;

    keep_one(&a, &f);
    weft_node_close(pair.server);
    pair.server = NULL;
    pair_until(&pair, &f.outcomes, 1);
    CHECK_EQ(f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_UNKNOWN);
    pair_close(&pair);
    CHECK_EQ(f.outcomes, 1);
}

/* --- replies of every kind of body --- */

static void check_reply(struct answerer *a, size_t len, uint64_t length)
{
    struct fate f;

    a->done = 0;
    a->body.done = count_done;
    if (a->body.user == NULL)
        a->body.user = &a->done;
    f = ask(&pair, "answer");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(f.reply_len, len);
    CHECK_EQ(f.reply_length, length);
}

TEST(a_reply_may_be_a_span_or_a_file_and_is_done_once_for_each_call)
{
    struct answerer a;
    char path[512];
    FILE *file = NULL;

    (void)snprintf(path, sizeof path, "%s/reply", test_folder());
    file = fopen(path, "w");
    CHECK(file != NULL && fputs("0123456789", file) >= 0 && fclose(file) == 0);
    answer_open(&a, ANSWER_BODY);
    a.body = weft_body_span("span", 4);
    check_reply(&a, 4, 4);
    CHECK_EQ(a.done, 2); /* of the reply, and of the one that was refused */
    a.body = weft_body_file(path, 3);
    check_reply(&a, 7, 7);
    CHECK_EQ(a.done, 2);
    a.body = weft_body_file(path, 10);
    check_reply(&a, 0, 0);
    pair_close(&pair);
}

struct reader {
    size_t left;
    unsigned done;
    weft_err err;
};

static weft_err read_reply(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct reader *r = user;
    size_t n = r->left < cap ? r->left : cap;

    memset(buf, 'r', n);
    r->left -= n;
    *len = n;
    *end = r->left == 0;
    return r->left == 0 ? r->err : WEFT_OK;
}

static void reader_done(void *user)
{
    ((struct reader *)user)->done++;
}

static void on_read(weft_exchange *x, const weft_message *m, void *user)
{
    struct reader *r = user;
    weft_body body = weft_body_reader(read_reply, r, m->len == 0 ? UINT64_MAX : r->left);

    body.done = reader_done;
    CHECK_OK(weft_reply_body(x, &body));
}

static void ask_reader(struct fate *f, size_t body_len)
{
    weft_send_params s = fate_params(&pair, f, "read");

    s.body = weft_body_span("12345", body_len);
    fate_of(&pair, f, &s);
}

TEST(a_reply_may_be_read_from_a_function_of_known_or_unknown_length)
{
    struct reader r = {.left = 3000};
    struct fate f;

    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "read", on_read, &r));
    ask_reader(&f, 5);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(f.reply_len, 3000);
    CHECK_EQ(f.reply_length, 3000);
    CHECK_EQ(r.done, 1);
    r = (struct reader){.left = 4000};
    ask_reader(&f, 0);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(f.reply_len, 4000);
    CHECK_EQ(f.reply_length, UINT64_MAX);
    CHECK_EQ(r.done, 1);
    pair_close(&pair);
}

TEST(a_reply_whose_reader_fails_fails_the_message)
{
    struct reader r = {.left = 100000, .err = WEFT_ERR_IO};
    struct fate f;

    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "read", on_read, &r));
    ask_reader(&f, 0);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(r.done, 1);
    pair_close(&pair);
    CHECK_EQ(r.done, 1);
}

TEST(a_reply_larger_than_the_sender_keeps_fails_the_message)
{
    struct reader r = {.left = 101};
    struct fate f;
    weft_send_params s;

    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "read", on_read, &r));
    s = fate_params(&pair, &f, "read");
    s.reply_max = 101;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    r = (struct reader){.left = 101};
    s = fate_params(&pair, &f, "read");
    s.reply_max = 100;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_LIMIT);
    CHECK_EQ(r.done, 1);
    pair_close(&pair);
}

/* --- streams --- */

struct stream {
    weft_exchange *exchange;
    size_t take_max; /* bytes taken before a pause; 0: none, for ever */
    size_t got;
    unsigned opened, paused, ended;
    weft_err open_err, end_err;
    uint64_t length;
    bool takes_all, in_order;
};

static weft_err stream_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    struct stream *s = user;

    CHECK(m->body == NULL);
    CHECK_STR_EQ(m->service, "stream");
    CHECK_MEM_EQ(&m->from, &pair.client_key, sizeof m->from);
    s->exchange = x;
    s->opened++;
    s->length = m->length;
    s->in_order = true;
    *state = s;
    return s->open_err;
}

static size_t stream_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct stream *s = state;
    size_t n = s->takes_all || len < s->take_max ? len : s->take_max;

    CHECK(x == s->exchange);
    CHECK(len > 0);
    for (size_t i = 0; i < n; i++)
        s->in_order = s->in_order && data[i] == (uint8_t)((s->got + i) * 7 + (s->got + i) / 251);
    s->got += n;
    s->paused += n < len;
    return n;
}

static void stream_end(weft_exchange *x, weft_err err, void *state)
{
    struct stream *s = state;
    char text[32];

    s->ended++;
    s->end_err = err;
    (void)snprintf(text, sizeof text, "%zu", s->got);
    if (err == WEFT_OK)
        CHECK_OK(weft_reply(x, text, strlen(text)));
}

static const weft_stream_handler stream_handler = {.size = sizeof stream_handler,
                                                   .on_open = stream_open,
                                                   .on_data = stream_data,
                                                   .on_end = stream_end};

static void stream_start(struct stream *s)
{
    pair_open(&pair);
    CHECK_OK(weft_node_serve_stream(pair.server, "stream", &stream_handler, s));
}

TEST(a_stream_handler_is_whole)
{
    weft_node *n = api_node(NULL);
    weft_stream_handler h = stream_handler;

    CHECK_EQ(weft_node_serve_stream(n, "s", NULL, NULL), WEFT_ERR_USAGE);
    h.size--;
    CHECK_EQ(weft_node_serve_stream(n, "s", &h, NULL), WEFT_ERR_USAGE);
    h = stream_handler;
    h.on_open = NULL;
    CHECK_EQ(weft_node_serve_stream(n, "s", &h, NULL), WEFT_ERR_USAGE);
    h = stream_handler;
    h.on_data = NULL;
    CHECK_EQ(weft_node_serve_stream(n, "s", &h, NULL), WEFT_ERR_USAGE);
    h = stream_handler;
    h.on_end = NULL;
    CHECK_EQ(weft_node_serve_stream(n, "s", &h, NULL), WEFT_ERR_USAGE);
    CHECK_EQ(weft_node_serve_stream(n, "", &stream_handler, NULL), WEFT_ERR_USAGE);
    CHECK_OK(weft_node_serve_stream(n, "s", &stream_handler, NULL));
    CHECK_EQ(weft_node_serve_stream(n, "s", &stream_handler, NULL), WEFT_ERR_EXISTS);
    weft_node_close(n);
}

static void check_streamed(const struct stream *s, const struct fate *f, size_t len)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%zu", len);
    CHECK_EQ(f->kind, WEFT_REPLIED);
    CHECK_EQ(f->reply_len, strlen(text));
    CHECK_MEM_EQ(f->reply, text, strlen(text));
    CHECK_EQ(s->got, len);
    CHECK_EQ(s->opened, 1);
    CHECK_EQ(s->ended, 1);
    CHECK_OK(s->end_err);
    CHECK(s->in_order);
}

TEST(a_stream_gets_all_bytes_in_order)
{
    static const size_t lens[] = {0, 1, 1000, 3000000};

    for (size_t i = 0; i < WF_ARRAY_LEN(lens); i++) {
        struct stream s = {.takes_all = true};
        uint8_t *body = api_bytes(lens[i]);
        struct fate f;
        weft_send_params params;

        stream_start(&s);
        params = fate_params(&pair, &f, "stream");
        params.body = weft_body_span(body, lens[i]);
        fate_of(&pair, &f, &params);
        check_streamed(&s, &f, lens[i]);
        CHECK_EQ(s.length, lens[i]);
        free(body);
        pair_close(&pair);
    }
}

/* More than any credit: the sender must wait for the one who takes a little at a time. */
TEST(a_stream_that_pauses_goes_on_where_it_was)
{
    size_t len = 6000000;
    struct stream s = {.take_max = 5000};
    uint8_t *body = api_bytes(len);
    struct fate f;
    weft_send_params params;

    stream_start(&s);
    params = fate_params(&pair, &f, "stream");
    params.body = weft_body_span(body, len);
    CHECK_OK(weft_node_send(pair.client, &params, NULL));
    for (unsigned i = 0; f.outcomes == 0; i++) {
        unsigned before = s.paused;

        CHECK(i < API_ROUNDS_MAX);
        pair_turn(&pair);
        if (s.paused > before)
            weft_exchange_resume(s.exchange);
    }
    pair_settle(&pair);
    CHECK(s.paused > 10);
    check_streamed(&s, &f, len);
    free(body);
    pair_close(&pair);
}

TEST(a_stream_that_takes_nothing_holds_the_sender_back)
{
    struct stream s = {.take_max = 0};
    struct bytes_left left = {.left = 200000000};
    struct fate f;
    weft_send_params params;

    stream_start(&s);
    params = fate_params(&pair, &f, "stream");
    params.body = weft_body_reader(read_bytes, &left, UINT64_MAX);
    CHECK_OK(weft_node_send(pair.client, &params, &f.id));
    pair_until(&pair, &s.paused, 1);
    for (int i = 0; i < 200; i++)
        pair_turn(&pair);
    CHECK_EQ(s.got, 0);
    CHECK_EQ(f.outcomes, 0);
    CHECK(left.left > 150000000); /* the rest was never asked for */
    weft_node_cancel(pair.client, f.id);
    pair_until(&pair, &f.outcomes, 1);
    pair_until(&pair, &s.ended, 1);
    pair_settle(&pair);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_CANCELLED);
    CHECK_EQ(s.ended, 1);
    CHECK_NE(s.end_err, WEFT_OK);
    pair_close(&pair);
}

TEST(a_stream_that_is_refused_as_it_opens_never_begins)
{
    struct stream s = {.open_err = WEFT_ERR_NO_SPACE};
    struct fate f;

    stream_start(&s);
    f = ask(&pair, "stream");
    check_refused(&f, WEFT_ERR_NO_SPACE);
    CHECK_EQ(s.opened, 1);
    CHECK_EQ(s.ended, 0);
    CHECK_EQ(s.got, 0);
    pair_close(&pair);
}

/* Streams under way when one of the two nodes closes. */
static void close_one(bool is_server)
{
    struct stream s = {.take_max = 10};
    struct bytes_left left = {.left = 200000000};
    struct fate f;
    weft_send_params params;

    stream_start(&s);
    warm_up();
    params = fate_params(&pair, &f, "stream");
    params.body = weft_body_reader(read_bytes, &left, UINT64_MAX);
    CHECK_OK(weft_node_send(pair.client, &params, NULL));
    pair_until(&pair, &s.paused, 1);
    weft_node_close(is_server ? pair.server : pair.client);
    if (is_server)
        pair.server = NULL;
    else
        pair.client = NULL;
    pair_until(&pair, is_server ? &f.outcomes : &s.ended, 1);
    pair_close(&pair);
    CHECK_EQ(f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_UNKNOWN);
    CHECK_EQ(s.ended, 1);
    CHECK_EQ(s.end_err, WEFT_ERR_CLOSED);
}

TEST(a_stream_ends_once_when_its_sender_closes)
{
    close_one(false);
}

TEST(a_stream_ends_once_when_its_own_node_closes)
{
    close_one(true);
}

/* --- open-ended both ways --- */

struct talk {
    unsigned lines; /* told by the server */
    char in[256];   /* what the server got */
    size_t in_len, in_read;
    bool in_ended;
    weft_exchange *exchange;
};

static weft_err talk_read(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct talk *t = user;

    *len = t->in_len - t->in_read < cap ? t->in_len - t->in_read : cap;
    for (size_t i = 0; i < *len; i++)
        buf[i] = (uint8_t)(t->in[t->in_read + i] ^ 0x20); /* upper case */
    t->in_read += *len;
    *end = t->in_ended && t->in_read == t->in_len;
    return WEFT_OK;
}

static weft_err talk_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    struct talk *t = user;
    weft_body body = weft_body_reader(talk_read, t, UINT64_MAX);

    CHECK_EQ(m->length, UINT64_MAX);
    t->exchange = x;
    *state = t;
    CHECK_OK(weft_reply_body(x, &body)); /* begins before the message has ended */
    return WEFT_OK;
}

static size_t talk_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct talk *t = state;

    (void)x;
    CHECK(t->in_len + len <= sizeof t->in);
    memcpy(t->in + t->in_len, data, len);
    t->in_len += len;
    t->lines++;
    weft_node_resume(pair.server);
    return len;
}

static void talk_end(weft_exchange *x, weft_err err, void *state)
{
    struct talk *t = state;

    (void)x;
    CHECK_OK(err);
    t->in_ended = true;
    weft_node_resume(pair.server);
}

/* The client's side: one letter at a time, and the next when its answer is here. */
struct speaker {
    struct fate fate;
    unsigned said, may_say, heard, ends;
    char back[32];
};

static weft_err speak(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct speaker *s = user;

    CHECK(cap > 0);
    *end = s->may_say > 20;
    *len = s->said < s->may_say && !*end ? 1 : 0;
    if (*len == 1)
        buf[0] = (uint8_t)('a' + s->said++);
    return WEFT_OK;
}

static size_t hear(const uint8_t *data, size_t len, void *user)
{
    struct speaker *s = user;

    s->ends += len == 0;
    CHECK(s->heard + len < sizeof s->back);
    if (len > 0)
        memcpy(s->back + s->heard, data, len);
    s->heard += (unsigned)len;
    if (s->heard == s->said && len > 0) {
        s->may_say++;
        weft_node_resume(pair.client);
    }
    return len;
}

static void on_spoken(const weft_outcome *o, void *user)
{
    fate_outcome(o, &((struct speaker *)user)->fate);
}

TEST(two_may_talk_with_no_end_known_and_each_waits_for_the_other)
{
    static const weft_stream_handler handler = {
        .size = sizeof handler, .on_open = talk_open, .on_data = talk_data, .on_end = talk_end};
    struct talk t = {.lines = 0};
    struct speaker s = {.may_say = 1};
    weft_send_params params;

    pair_open(&pair);
    CHECK_OK(weft_node_serve_stream(pair.server, "talk", &handler, &t));
    params = fate_params(&pair, &s.fate, "talk");
    params.body = weft_body_reader(speak, &s, UINT64_MAX);
    params.on_reply_data = hear;
    params.on_outcome = on_spoken;
    params.user = &s;
    CHECK_OK(weft_node_send(pair.client, &params, NULL));
    pair_until(&pair, &s.fate.outcomes, 1);
    pair_settle(&pair);
    CHECK_EQ(s.fate.kind, WEFT_REPLIED);
    CHECK_EQ(s.said, 20);
    CHECK_EQ(t.lines, 20);
    CHECK_MEM_EQ(s.back, "ABCDEFGHIJKLMNOPQRST", 20);
    CHECK_EQ(s.heard, 20);
    CHECK_EQ(s.ends, 1);
    CHECK_EQ(s.fate.reply_length, UINT64_MAX);
    pair_close(&pair);
}
