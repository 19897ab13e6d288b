/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_reentry_test.c - what an application may do to a node from inside the functions that the
 * node calls, and that each message still gets exactly one outcome.
 */
#include "node_pair.h"

static struct nodes pair;

/* --- streams that meddle while they are fed --- */

enum deed {
    DEED_NONE,
    DEED_REFUSE,
    DEED_RESUME,
    DEED_POLL,
    DEED_EVENTS,
    DEED_SEND,
    DEED_CANCEL,
    DEED_STOP,
};

struct stream {
    enum deed at_open, at_data, at_end;
    size_t take_max; /* bytes taken at a time; 0: all */
    size_t got;
    uint64_t sum; /* of bytes, weighed by place */
    unsigned opened, ended;
    weft_err end_err;
    bool is_over;
    weft_exchange *kept;
    struct sent *other; /* DEED_SEND makes it, DEED_CANCEL gives it up */
};

static weft_err do_deed(struct stream *s, weft_exchange *x, enum deed deed)
{
    weft_event events[4];
    weft_send_params p;

    switch (deed) {
    case DEED_REFUSE:
        return weft_refuse(x, WEFT_ERR_DENIED);
    case DEED_RESUME:
        weft_exchange_resume(x);
        return WEFT_OK;
    case DEED_POLL:
        CHECK_EQ(weft_node_poll(pair.server, 0), WEFT_ERR_USAGE);
        CHECK_EQ(weft_node_run(pair.server), WEFT_ERR_USAGE);
        return WEFT_OK;
    case DEED_EVENTS:
        (void)weft_node_events(pair.server, events, WF_ARRAY_LEN(events));
        return WEFT_OK;
    case DEED_SEND:
        p = sent_params(&pair, s->other, "echo");
        return weft_node_send(pair.client, &p, &s->other->id);
    case DEED_CANCEL:
        weft_node_cancel(pair.client, s->other->id);
        return WEFT_OK;
    case DEED_STOP:
        weft_node_stop(pair.server);
        return WEFT_OK;
    case DEED_NONE:
        break;
    }
    return WEFT_OK;
}

static weft_err stream_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    struct stream *s = user;

    (void)m;
    s->opened++;
    *state = s;
    CHECK_OK(do_deed(s, x, s->at_open));
    return WEFT_OK;
}

static size_t stream_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct stream *s = state;
    size_t n = s->take_max == 0 || len < s->take_max ? len : s->take_max;

    CHECK(len > 0);
    CHECK_OK(do_deed(s, x, s->at_data));
    for (size_t i = 0; i < n; i++) /* the bytes are still there, whatever was done */
        s->sum += (uint64_t)data[i] * (s->got + i + 1);
    s->got += n;
    return n;
}

static void stream_end(weft_exchange *x, weft_err err, void *state)
{
    struct stream *s = state;

    s->ended++;
    s->end_err = err;
    s->is_over = true;
    CHECK_OK(do_deed(s, x, s->at_end));
    if (err == WEFT_OK && s->at_end != DEED_REFUSE)
        CHECK_OK(weft_reply(x, "ok", 2));
}

static void on_echo(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    CHECK_OK(weft_reply(x, m->body, m->len));
}

static void start(struct stream *s)
{
    static const weft_stream_handler handler = {.size = sizeof handler,
                                                .on_open = stream_open,
                                                .on_data = stream_data,
                                                .on_end = stream_end};

    nodes_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, NULL));
    CHECK_OK(weft_node_serve_stream(pair.server, "stream", &handler, s));
}

#define BODY_LEN 300000u

static uint8_t *make_body(uint64_t *sum)
{
    uint8_t *body = malloc(BODY_LEN);

    CHECK(body != NULL);
    *sum = 0;
    for (size_t i = 0; i < BODY_LEN; i++) {
        body[i] = (uint8_t)(i * 7 + i / 251);
        *sum += (uint64_t)body[i] * (i + 1);
    }
    return body;
}

/* Sends a long body to the stream and gives the outcome. */
static struct sent send_body(struct stream *s, uint64_t *sum)
{
    struct sent sent;
    weft_send_params p;
    uint8_t *body = make_body(sum);

    start(s);
    p = sent_params(&pair, &sent, "stream");
    p.body = weft_body_span(body, BODY_LEN);
    CHECK_OK(weft_node_send(pair.client, &p, &sent.id));
    free(body);
    nodes_until(&pair, &sent.done);
    nodes_settle(&pair);
    CHECK_EQ(sent.outcomes, 1);
    return sent;
}

static void check_whole(const struct stream *s, uint64_t sum)
{
    CHECK_EQ(s->got, BODY_LEN);
    CHECK_EQ(s->sum, sum);
    CHECK_EQ(s->ended, 1);
    CHECK_OK(s->end_err);
}

TEST(a_stream_that_is_refused_as_it_opens_is_over)
{
    struct stream s = {.at_open = DEED_REFUSE};
    uint64_t sum = 0;
    struct sent sent = send_body(&s, &sum);

    CHECK_EQ(sent.kind, WEFT_FAILED);
    CHECK_EQ(sent.err, WEFT_ERR_DENIED);
    CHECK_EQ(s.got, 0);
    CHECK_EQ(s.ended, 1); /* it had begun, for on_open said so */
    CHECK_EQ(s.end_err, WEFT_ERR_DENIED);
    nodes_close(&pair);
}

TEST(bytes_handed_over_stay_when_the_stream_is_refused_meanwhile)
{
    struct stream s = {.at_data = DEED_REFUSE};
    uint64_t sum = 0;
    struct sent sent = send_body(&s, &sum);

    CHECK_EQ(sent.kind, WEFT_FAILED);
    CHECK_EQ(sent.err, WEFT_ERR_DENIED);
    CHECK_EQ(s.ended, 1);
    CHECK_EQ(s.end_err, WEFT_ERR_DENIED);
    nodes_close(&pair);
}

TEST(a_stream_that_resumes_itself_gets_no_byte_twice)
{
    struct stream s = {.at_data = DEED_RESUME, .take_max = 1000};
    uint64_t sum = 0;
    struct sent sent = send_body(&s, &sum);

    CHECK_EQ(sent.kind, WEFT_REPLIED);
    check_whole(&s, sum);
    nodes_close(&pair);
}

TEST(polling_from_inside_a_node_is_refused)
{
    struct stream s = {.at_open = DEED_POLL, .at_data = DEED_POLL, .at_end = DEED_POLL};
    uint64_t sum = 0;
    struct sent sent = send_body(&s, &sum);

    CHECK_EQ(sent.kind, WEFT_REPLIED);
    check_whole(&s, sum);
    nodes_close(&pair);
}

TEST(asking_for_events_from_inside_a_node_does_no_harm)
{
    struct stream s = {.at_open = DEED_EVENTS, .at_data = DEED_EVENTS, .at_end = DEED_EVENTS};
    uint64_t sum = 0;
    struct sent sent = send_body(&s, &sum);

    CHECK_EQ(sent.kind, WEFT_REPLIED);
    check_whole(&s, sum);
    nodes_close(&pair);
}

TEST(a_stream_may_send_while_it_is_fed)
{
    struct sent other = {.outcomes = 0};
    struct stream s = {.at_end = DEED_SEND, .other = &other};
    uint64_t sum = 0;
    struct sent sent = send_body(&s, &sum);

    nodes_until(&pair, &other.done);
    CHECK_EQ(sent.kind, WEFT_REPLIED);
    CHECK_EQ(other.kind, WEFT_REPLIED);
    CHECK_EQ(other.outcomes, 1);
    check_whole(&s, sum);
    nodes_close(&pair);
}

TEST(refusing_at_the_end_is_told)
{
    struct stream s = {.at_end = DEED_REFUSE};
    uint64_t sum = 0;
    struct sent sent = send_body(&s, &sum);

    CHECK_EQ(sent.kind, WEFT_FAILED);
    CHECK_EQ(sent.err, WEFT_ERR_DENIED);
    CHECK_EQ(s.ended, 1);
    nodes_close(&pair);
}

/* --- a stream that is kept, fed later and from outside --- */

static size_t pause_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct stream *s = state;

    s->kept = x;
    if (s->take_max == 0)
        return 0;
    return stream_data(x, data, len, state);
}

TEST(a_stream_that_was_paused_may_be_refused_when_it_goes_on)
{
    static const weft_stream_handler handler = {.size = sizeof handler,
                                                .on_open = stream_open,
                                                .on_data = pause_data,
                                                .on_end = stream_end};
    struct stream s = {.kept = NULL};
    struct sent sent;
    weft_event events[4];
    weft_send_params p;

    nodes_open(&pair);
    CHECK_OK(weft_node_serve_stream(pair.server, "stream", &handler, &s));
    p = sent_params(&pair, &sent, "stream");
    CHECK_OK(weft_node_send(pair.client, &p, NULL));
    while (s.kept == NULL)
        nodes_turn(&pair);
    s.take_max = 5;
    s.at_data = DEED_REFUSE;
    weft_exchange_resume(s.kept);
    (void)weft_node_events(pair.server, events, WF_ARRAY_LEN(events));
    nodes_until(&pair, &sent.done);
    nodes_settle(&pair);
    CHECK_EQ(sent.kind, WEFT_FAILED);
    CHECK_EQ(s.ended, 1);
    nodes_close(&pair);
}

/* --- outcomes that do something --- */

struct chain {
    struct sent sent;
    unsigned left, told;
    bool done;
};

static void on_chain(const weft_outcome *o, void *user)
{
    struct chain *c = user;
    weft_send_params p = WEFT_SEND_PARAMS;

    CHECK_EQ(o->kind, WEFT_REPLIED);
    c->told++;
    if (c->left-- == 0) {
        c->done = true;
        return;
    }
    p.to = pair.to;
    p.service = "echo";
    p.body = weft_body_span("more", 4);
    p.expect_reply = true;
    p.on_outcome = on_chain;
    p.user = c;
    CHECK_OK(weft_node_send(o->node, &p, NULL));
}

TEST(each_outcome_may_send_the_next_message)
{
    struct stream s = {.got = 0};
    struct chain c = {.left = 200};
    weft_send_params p;

    start(&s);
    p = sent_params(&pair, &c.sent, "echo");
    p.on_outcome = on_chain;
    p.user = &c;
    CHECK_OK(weft_node_send(pair.client, &p, NULL));
    nodes_until(&pair, &c.done);
    CHECK_EQ(c.told, 201);
    nodes_settle(&pair);
    nodes_close(&pair);
}

/* Whoever fails sends again, to a name that has to be looked up. */
static unsigned sent_again, sent_again_refused, told_again;

static void on_failed_again(const weft_outcome *o, void *user)
{
    weft_send_params p = WEFT_SEND_PARAMS;

    (void)user;
    told_again++;
    CHECK_EQ(o->kind, WEFT_FAILED);
    CHECK(told_again < 100);
    p.to = pair.to;
    p.service = "echo";
    p.on_outcome = on_failed_again;
    if (weft_node_send(o->node, &p, NULL) == WEFT_OK)
        sent_again++;
    else
        sent_again_refused++;
}

TEST(a_node_that_closes_takes_no_more_messages_and_ends)
{
    char key[WEFT_KEY_TEXT_MAX];
    weft_send_params p = WEFT_SEND_PARAMS;
    weft_key k;

    nodes_open(&pair);
    k = weft_node_key(pair.server);
    weft_key_text(key, &k);
    (void)snprintf(pair.to, sizeof pair.to, "%s@localhost:9", key);
    sent_again = sent_again_refused = told_again = 0;
    p.to = pair.to;
    p.service = "echo";
    p.on_outcome = on_failed_again;
    CHECK_OK(weft_node_send(pair.client, &p, NULL));
    nodes_close(&pair);
    CHECK_EQ(told_again, 1 + sent_again);
    CHECK_EQ(sent_again_refused, 1);
}

/* --- replies that are cancelled while they come --- */

struct reading {
    struct sent sent;
    size_t got;
    uint64_t sum;
    bool cancels, pauses;
};

static size_t on_reply_data(const uint8_t *data, size_t len, void *user)
{
    struct reading *r = user;

    if (r->cancels)
        weft_node_cancel(pair.client, r->sent.id);
    for (size_t i = 0; i < len; i++)
        r->sum += data[i];
    r->got += len;
    return r->pauses ? len / 2 : len;
}

static void on_reading_outcome(const weft_outcome *o, void *user)
{
    sent_outcome(o, &((struct reading *)user)->sent);
}

TEST(a_reply_that_is_cancelled_while_it_is_read_has_one_outcome)
{
    struct stream s = {.got = 0};
    struct reading r = {.cancels = true};
    weft_send_params p;
    uint64_t sum = 0;
    uint8_t *body = make_body(&sum);

    start(&s);
    p = sent_params(&pair, &r.sent, "echo");
    p.body = weft_body_span(body, BODY_LEN);
    p.on_reply_data = on_reply_data;
    p.on_outcome = on_reading_outcome;
    p.user = &r;
    CHECK_OK(weft_node_send(pair.client, &p, &r.sent.id));
    free(body);
    nodes_until(&pair, &r.sent.done);
    nodes_settle(&pair);
    CHECK_EQ(r.sent.outcomes, 1);
    CHECK_EQ(r.sent.kind, WEFT_FAILED);
    CHECK_EQ(r.sent.err, WEFT_ERR_CANCELLED);
    CHECK(r.got > 0);
    nodes_close(&pair);
}

/* --- bodies whose reader does something --- */

struct source {
    struct sent sent;
    size_t left;
    unsigned done;
    bool cancels, polls, resumes;
    weft_err err;
};

static weft_err source_read(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct source *s = user;
    size_t n = s->left < cap ? s->left : cap;

    if (s->polls)
        CHECK_EQ(weft_node_poll(pair.client, 0), WEFT_ERR_USAGE);
    if (s->cancels && s->sent.id != 0)
        weft_node_cancel(pair.client, s->sent.id);
    if (s->resumes)
        weft_node_resume(pair.client);
    memset(buf, 'x', n);
    s->left -= n;
    *len = n;
    *end = s->left == 0 && s->err == WEFT_OK;
    return s->left == 0 ? s->err : WEFT_OK;
}

static void source_done(void *user)
{
    ((struct source *)user)->done++;
}

static void on_source_outcome(const weft_outcome *o, void *user)
{
    sent_outcome(o, &((struct source *)user)->sent);
}

static void send_source(struct source *src, uint64_t length)
{
    static struct stream s;
    weft_send_params p;

    s = (struct stream){.got = 0};
    start(&s);
    p = sent_params(&pair, &src->sent, "stream");
    p.body = weft_body_reader(source_read, src, length);
    p.body.done = source_done;
    p.on_outcome = on_source_outcome;
    p.user = src;
    CHECK_OK(weft_node_send(pair.client, &p, &src->sent.id));
    nodes_until(&pair, &src->sent.done);
    nodes_settle(&pair);
    CHECK_EQ(src->sent.outcomes, 1);
    CHECK_EQ(src->done, 1);
    nodes_close(&pair);
    CHECK_EQ(src->done, 1);
}

TEST(a_reader_that_polls_its_node_is_refused_and_goes_on)
{
    struct source s = {.left = 5000000, .polls = true};

    send_source(&s, UINT64_MAX);
    CHECK_EQ(s.sent.kind, WEFT_REPLIED);
}

TEST(a_reader_may_give_up_its_own_message)
{
    struct source s = {.left = 50000000, .cancels = true};

    send_source(&s, UINT64_MAX);
    CHECK_EQ(s.sent.kind, WEFT_FAILED);
    CHECK_EQ(s.sent.err, WEFT_ERR_CANCELLED);
}

TEST(a_reader_that_resumes_all_the_time_is_read_to_its_end)
{
    struct source s = {.left = 5000000, .resumes = true};

    send_source(&s, 5000000);
    CHECK_EQ(s.sent.kind, WEFT_REPLIED);
}

TEST(a_body_that_fails_fails_its_message_with_that_error)
{
    struct source s = {.left = 100000, .err = WEFT_ERR_NO_SPACE};

    send_source(&s, UINT64_MAX);
    CHECK_EQ(s.sent.kind, WEFT_FAILED);
    CHECK_EQ(s.sent.err, WEFT_ERR_NO_SPACE);
}

TEST(a_body_shorter_than_it_was_announced_fails)
{
    struct source s = {.left = 1000};

    send_source(&s, 1001);
    CHECK_EQ(s.sent.kind, WEFT_FAILED);
}

TEST(a_body_longer_than_it_was_announced_fails)
{
    struct source s = {.left = 1001};

    send_source(&s, 1000);
    CHECK_EQ(s.sent.kind, WEFT_FAILED);
}

TEST(an_empty_body_of_a_reader_is_delivered)
{
    struct source s = {.left = 0};

    send_source(&s, UINT64_MAX);
    CHECK_EQ(s.sent.kind, WEFT_REPLIED);
    s = (struct source){.left = 0};
    send_source(&s, 0);
    CHECK_EQ(s.sent.kind, WEFT_REPLIED);
}
