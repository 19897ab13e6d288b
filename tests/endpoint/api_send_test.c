/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_send_test.c - outgoing messages: their bodies, their one outcome each, and pings.
 */
#include <unistd.h>

#include "api_pair.h"
#include "base/bytes.h"

static struct pair pair;
static struct echo echo;

static void start(void)
{
    pair_open(&pair);
    echo = (struct echo){.calls = 0};
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &echo));
}

/* --- bodies whose end is counted --- */

struct source {
    size_t left, pause_at; /* pause_at: nothing more until it is 0 again */
    unsigned done, reads;
    weft_err err;
    size_t read_max; /* 0: as much as there is room for */
};

static weft_err source_read(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct source *s = user;
    size_t n = s->left < cap ? s->left : cap;

    s->reads++;
    CHECK_EQ(s->done, 0); /* never again once it is done */
    if (s->read_max != 0 && n > s->read_max)
        n = s->read_max;
    if (s->pause_at != 0 && s->left <= s->pause_at)
        return WEFT_OK;
    if (s->left == 0 && s->err != WEFT_OK)
        return s->err;
    memset(buf, 's', n);
    s->left -= n;
    *len = n;
    *end = s->left == 0 && s->err == WEFT_OK;
    return WEFT_OK;
}

static void source_done(void *user)
{
    ((struct source *)user)->done++;
}

static weft_body source_body(struct source *s, uint64_t length)
{
    weft_body body = weft_body_reader(source_read, s, length);

    body.done = source_done;
    return body;
}

/* --- what is refused at once --- */

static void check_not_sent(const weft_send_params *params, weft_err want)
{
    struct source source = {.left = 1};
    weft_send_params s = *params;
    uint64_t id = 77;
    struct fate *f = s.user;

    s.body = source_body(&source, 1);
    CHECK_EQ(weft_node_send(pair.client, &s, &id), want);
    CHECK_EQ(id, 77);
    CHECK_EQ(source.done, 1); /* whatever became of it */
    CHECK_EQ(source.reads, 0);
    CHECK(weft_node_is_idle(pair.client));
    pair_turn(&pair);
    CHECK_EQ(f->outcomes, 0);
}

TEST(a_message_that_cannot_be_sent_is_refused_at_once_and_its_body_is_done)
{
    struct fate f;
    weft_send_params good;
    weft_send_params s;
    char name[66];
    char key[WEFT_KEY_TEXT_MAX];
    char to[128];

    start();
    weft_key_text(key, &pair.server_key);
    good = fate_params(&pair, &f, "echo");
    s = good;
    s.to = NULL;
    check_not_sent(&s, WEFT_ERR_USAGE);
    s.to = "";
    check_not_sent(&s, WEFT_ERR_MALFORMED);
    s.to = "weft1nonsense@127.0.0.1:1";
    check_not_sent(&s, WEFT_ERR_MALFORMED);
    (void)snprintf(to, sizeof to, "%s@127.0.0.1:0", key);
    s.to = to;
    check_not_sent(&s, WEFT_ERR_ADDRESS);
    s.to = key; /* no session stands with it */
    check_not_sent(&s, WEFT_ERR_ADDRESS);
    s = good;
    s.service = NULL;
    check_not_sent(&s, WEFT_ERR_USAGE);
    s.service = "";
    check_not_sent(&s, WEFT_ERR_USAGE);
    memset(name, 'n', sizeof name);
    name[65] = '\0';
    s.service = name;
    check_not_sent(&s, WEFT_ERR_USAGE);
    s = good;
    s.priority = (weft_priority)3;
    check_not_sent(&s, WEFT_ERR_USAGE);
    pair_close(&pair);
}

TEST(a_message_wants_params_of_at_least_their_size)
{
    struct fate f;
    weft_send_params s;

    start();
    s = fate_params(&pair, &f, "echo");
    CHECK_EQ(weft_node_send(pair.client, NULL, NULL), WEFT_ERR_USAGE);
    s.size--;
    CHECK_EQ(weft_node_send(pair.client, &s, NULL), WEFT_ERR_USAGE);
    s.size += 9; /* of a later version */
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&pair);
}

TEST(a_node_does_not_call_itself)
{
    struct fate f;
    weft_send_params s;
    char to[API_TO_MAX];

    start();
    api_name(to, pair.client);
    s = fate_params(&pair, &f, "echo");
    s.to = to;
    check_not_sent(&s, WEFT_ERR_USAGE);
    pair_close(&pair);
}

/* --- outcomes, one of each kind --- */

TEST(a_reply_tells_everything_about_itself)
{
    struct fate f;
    struct fate second;

    start();
    f = ask(&pair, "echo");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_OK(f.err);
    CHECK_EQ(f.reply_len, 5);
    CHECK_MEM_EQ(f.reply, "hello", 5);
    CHECK_EQ(f.reply_length, 5);
    CHECK_MEM_EQ(&f.reply_from, &pair.server_key, sizeof f.reply_from);
    CHECK_EQ(f.grade, WEFT_GRADE_FULL);
    CHECK(f.node == pair.client);
    CHECK(f.user != NULL);
    CHECK_STR_EQ(f.text, "replied");
    CHECK(f.took_us > 0);
    CHECK(f.handshake_us > 0 && f.handshake_us <= f.took_us);
    CHECK(f.packets >= 4);
    second = ask(&pair, "echo");
    CHECK_EQ(second.handshake_us, 0); /* the session stood */
    CHECK_NE(second.id, f.id);
    pair_close(&pair);
}

TEST(a_message_that_wants_no_reply_is_delivered)
{
    struct fate f;
    weft_send_params s;

    start();
    s = fate_params(&pair, &f, "echo");
    s.expect_reply = false;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_DELIVERED);
    CHECK_OK(f.err);
    CHECK(!f.has_reply);
    CHECK_STR_EQ(f.text, "delivered");
    CHECK_EQ(echo.calls, 1);
    pair_close(&pair);
}

/* A port where nobody listens: one that was ours and is closed now. */
static void dead_address(char to[API_TO_MAX])
{
    weft_node *n = api_node(NULL);

    api_name(to, n);
    weft_node_close(n);
}

TEST(a_peer_that_nobody_reaches_fails_in_the_time_given)
{
    struct fate f;
    weft_send_params s;
    char to[API_TO_MAX];

    start();
    dead_address(to);
    s = fate_params(&pair, &f, "echo");
    s.to = to;
    s.reach_within_ms = 50;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_UNREACHABLE);
    CHECK(strstr(f.text, weft_strerror(WEFT_ERR_UNREACHABLE)) != NULL);
    pair_close(&pair);
}

TEST(a_peer_with_another_key_gets_nothing)
{
    struct fate f;
    weft_send_params s;
    char other[API_TO_MAX];
    char to[2 * API_TO_MAX];

    start();
    dead_address(other);
    (void)snprintf(to, sizeof to, "%.*s%s", (int)(strchr(other, '@') - other), other,
                   strchr(pair.to, '@'));
    s = fate_params(&pair, &f, "echo");
    s.to = to;
    s.reach_within_ms = 100;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK(f.err == WEFT_ERR_WRONG_KEY || f.err == WEFT_ERR_UNREACHABLE);
    CHECK_EQ(echo.calls, 0);
    pair_close(&pair);
}

TEST(a_host_that_is_none_fails_as_an_address)
{
    struct fate f;
    weft_send_params s;
    char key[WEFT_KEY_TEXT_MAX];
    char to[API_TO_MAX];

    start();
    weft_key_text(key, &pair.server_key);
    (void)snprintf(to, sizeof to, "%s@no..such..host:1", key);
    s = fate_params(&pair, &f, "echo");
    s.to = to;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_NE(f.err, WEFT_OK);
    pair_close(&pair);
}

TEST(a_host_is_looked_up_by_name)
{
    struct fate f;
    weft_send_params s;
    char key[WEFT_KEY_TEXT_MAX];
    char to[API_TO_MAX];
    weft_node_params any = WEFT_NODE_PARAMS;

    any.listen = "[::]:0"; /* whatever family the name has */
    pair_open_with(&pair, &any, &any);
    echo = (struct echo){.calls = 0};
    CHECK_OK(weft_node_allow(pair.server, NULL, "*"));
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &echo));
    weft_key_text(key, &pair.server_key);
    (void)snprintf(to, sizeof to, "%s@localhost%s", key, strrchr(pair.to, ':'));
    s = fate_params(&pair, &f, "echo");
    s.to = to;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&pair);
}

/* Kept by the server until it is dropped. */
struct keeper {
    weft_exchange *exchange;
    unsigned calls;
};

static void on_keep(weft_exchange *x, const weft_message *m, void *user)
{
    struct keeper *k = user;

    (void)m;
    weft_exchange_keep(x);
    k->exchange = x;
    k->calls++;
}

TEST(a_message_expires_once_and_its_late_reply_is_nobodys)
{
    struct keeper kept = {.calls = 0};
    struct fate f;
    weft_send_params s;

    start();
    CHECK_OK(weft_node_serve(pair.server, "keep", on_keep, &kept));
    s = fate_params(&pair, &f, "keep");
    s.reply_within_ms = 30;
    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    pair_until(&pair, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_EXPIRED);
    CHECK_EQ(f.err, WEFT_ERR_TIMEOUT);
    CHECK(strstr(f.text, "may have arrived") != NULL);
    CHECK_EQ(kept.calls, 1);
    (void)weft_reply(kept.exchange, "late", 4);
    pair_settle(&pair);
    (void)ask(&pair, "echo"); /* what followed is here too */
    CHECK_EQ(f.outcomes, 1);
    pair_close(&pair);
}

TEST(a_message_that_never_left_does_not_expire_but_fails)
{
    struct fate f;
    weft_send_params s;
    char to[API_TO_MAX];

    start();
    dead_address(to);
    s = fate_params(&pair, &f, "echo");
    s.to = to;
    s.reply_within_ms = 30;
    s.reach_within_ms = 10000;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_UNREACHABLE);
    pair_close(&pair);
}

TEST(a_peer_that_goes_leaves_the_outcome_unknown)
{
    struct keeper kept = {.calls = 0};
    struct fate f;
    weft_send_params s;

    start();
    CHECK_OK(weft_node_serve(pair.server, "keep", on_keep, &kept));
    (void)ask(&pair, "echo");
    s = fate_params(&pair, &f, "keep");
    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    pair_until(&pair, &kept.calls, 1);
    weft_node_close(pair.server);
    pair.server = NULL;
    pair_until(&pair, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_UNKNOWN);
    CHECK_NE(f.err, WEFT_OK);
    CHECK(strstr(f.text, "may have arrived") != NULL);
    pair_close(&pair);
    CHECK_EQ(f.outcomes, 1);
}

/* --- giving up --- */

TEST(a_message_can_be_cancelled_at_any_moment_and_has_one_outcome)
{
    for (unsigned turns = 0; turns < 12; turns++) {
        struct keeper kept = {.calls = 0};
        struct source source = {.left = 100000};
        struct fate f;
        weft_send_params s;

        start();
        CHECK_OK(weft_node_serve(pair.server, "keep", on_keep, &kept));
        s = fate_params(&pair, &f, "keep");
        s.body = source_body(&source, UINT64_MAX);
        CHECK_OK(weft_node_send(pair.client, &s, &f.id));
        for (unsigned i = 0; i < turns; i++)
            pair_turn(&pair);
        CHECK_EQ(f.outcomes, 0);
        weft_node_cancel(pair.client, f.id);
        weft_node_cancel(pair.client, f.id);
        pair_until(&pair, &f.outcomes, 1);
        CHECK_EQ(f.kind, WEFT_FAILED);
        CHECK_EQ(f.err, WEFT_ERR_CANCELLED);
        for (int i = 0; i < 5; i++)
            pair_turn(&pair);
        weft_node_cancel(pair.client, f.id);
        CHECK(weft_node_is_idle(pair.client));
        pair_close(&pair);
        CHECK_EQ(f.outcomes, 1);
        CHECK_EQ(source.done, 1);
    }
}

TEST(cancelling_what_is_not_there_does_nothing)
{
    struct fate f;

    start();
    weft_node_cancel(pair.client, 0);
    weft_node_cancel(pair.client, UINT64_MAX);
    f = ask(&pair, "echo");
    weft_node_cancel(pair.client, f.id);
    weft_node_cancel(pair.client, f.id + 1);
    pair_turn(&pair);
    f = ask(&pair, "echo");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&pair);
}

/* --- closing with messages under way --- */

#define MANY 40u

static void send_many(struct fate *f, struct source *sources)
{
    char dead[API_TO_MAX];

    dead_address(dead);
    for (size_t i = 0; i < MANY; i++) {
        static const char *const services[] = {"echo", "keep", "nothing", "echo"};
        weft_send_params s = fate_params(&pair, &f[i], services[i % 4]);

        sources[i] = (struct source){.left = i % 8 < 4 ? 10 : 300000};
        s.body = source_body(&sources[i], i % 2 == 0 ? UINT64_MAX : sources[i].left);
        s.expect_reply = i % 5 != 0;
        s.priority = (weft_priority)(i % 3);
        if (i % 10 == 9)
            s.to = dead;
        CHECK_OK(weft_node_send(pair.client, &s, &f[i].id));
    }
}

/* The client closes after some rounds, or the server does and then the client. */
static void close_after(unsigned turns, bool server_first)
{
    static struct fate fates[MANY];
    static struct source sources[MANY];
    struct keeper kept = {.calls = 0};

    start();
    CHECK_OK(weft_node_serve(pair.server, "keep", on_keep, &kept));
    send_many(fates, sources);
    for (unsigned i = 0; i < turns; i++)
        pair_turn(&pair);
    if (server_first) {
        weft_node_close(pair.server);
        pair.server = NULL;
        for (int i = 0; i < 5; i++)
            pair_turn(&pair);
    }
    weft_node_close(pair.client);
    pair.client = NULL;
    for (int i = 0; i < 5; i++)
        pair_turn(&pair);
    pair_close(&pair);
    for (size_t i = 0; i < MANY; i++) {
        test_note("message %zu, %u rounds", i, turns);
        CHECK_EQ(fates[i].outcomes, 1);
        CHECK_EQ(sources[i].done, 1);
        CHECK(fates[i].kind != WEFT_FAILED || fates[i].err != WEFT_OK);
    }
}

TEST(each_message_has_one_outcome_however_early_its_node_closes)
{
    for (unsigned turns = 0; turns < 16; turns = turns * 2 + 1)
        close_after(turns, false);
}

TEST(each_message_has_one_outcome_when_the_peer_closes_first)
{
    for (unsigned turns = 0; turns < 16; turns = turns * 2 + 1)
        close_after(turns, true);
}

/* --- bodies --- */

TEST(an_empty_body_arrives)
{
    struct fate f;
    weft_send_params s;

    start();
    s = fate_params(&pair, &f, "echo");
    s.body = weft_body_span(NULL, 0);
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(f.reply_len, 0);
    CHECK_EQ(echo.len, 0);
    CHECK_EQ(echo.length, 0);
    pair_close(&pair);
}

TEST(a_span_is_copied_by_the_call)
{
    uint8_t *body = test_copy("first", 5);
    struct fate f;
    weft_send_params s;

    start();
    s = fate_params(&pair, &f, "echo");
    s.body = weft_body_span(body, 5);
    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    memcpy(body, "later", 5);
    free(body);
    pair_until(&pair, &f.outcomes, 1);
    CHECK_MEM_EQ(f.reply, "first", 5);
    pair_close(&pair);
}

static void write_file(char path[512], const char *name, const uint8_t *data, size_t len)
{
    FILE *f = NULL;

    (void)snprintf(path, 512, "%s/%s", test_folder(), name);
    f = fopen(path, "wb");
    CHECK(f != NULL);
    CHECK_EQ(fwrite(data, 1, len, f), len);
    CHECK_EQ(fclose(f), 0);
}

TEST(a_file_is_sent_from_its_offset_to_its_end)
{
    static const uint64_t offsets[] = {0, 1, 2999, 3000};
    uint8_t *data = api_bytes(3000);
    char path[512];
    struct fate f;
    weft_send_params s;

    start();
    write_file(path, "body", data, 3000);
    for (size_t i = 0; i < WF_ARRAY_LEN(offsets); i++) {
        s = fate_params(&pair, &f, "echo");
        s.body = weft_body_file(path, offsets[i]);
        fate_of(&pair, &f, &s);
        CHECK_EQ(f.kind, WEFT_REPLIED);
        CHECK_EQ(f.reply_len, 3000 - offsets[i]);
        CHECK_MEM_EQ(f.reply, data + offsets[i], f.reply_len);
        CHECK_EQ(echo.length, 3000 - offsets[i]);
    }
    free(data);
    pair_close(&pair);
}

TEST(a_file_that_cannot_be_sent_is_refused_at_once)
{
    char path[512];
    char none[600];
    struct fate f;
    weft_send_params s;

    start();
    write_file(path, "body", (const uint8_t *)"123", 3);
    s = fate_params(&pair, &f, "echo");
    s.body = weft_body_file(path, 4);
    CHECK_EQ(weft_node_send(pair.client, &s, NULL), WEFT_ERR_USAGE);
    s.body = weft_body_file(test_folder(), 0);
    CHECK_EQ(weft_node_send(pair.client, &s, NULL), WEFT_ERR_USAGE);
    (void)snprintf(none, sizeof none, "%s.none", path);
    s.body = weft_body_file(none, 0);
    CHECK_EQ(weft_node_send(pair.client, &s, NULL), WEFT_ERR_NOT_FOUND);
    CHECK(weft_node_is_idle(pair.client));
    CHECK_EQ(f.outcomes, 0);
    pair_close(&pair);
}

/* More than is read before the peer has said anything. */
TEST(a_file_that_becomes_shorter_while_it_is_sent_fails)
{
    weft_node_params server = WEFT_NODE_PARAMS;
    size_t len = 6000000;
    uint8_t *data = api_bytes(len);
    char path[512];
    struct fate f;
    weft_send_params s;

    server.message_max = len;
    pair_open_with(&pair, &server, NULL);
    echo = (struct echo){.calls = 0};
    CHECK_OK(weft_node_allow(pair.server, NULL, "*"));
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &echo));
    write_file(path, "body", data, len);
    free(data);
    s = fate_params(&pair, &f, "echo");
    s.body = weft_body_file(path, 0);
    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    CHECK_EQ(truncate(path, 10), 0);
    pair_until(&pair, &f.outcomes, 1);
    pair_settle(&pair);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_IO);
    CHECK_EQ(echo.calls, 0);
    pair_close(&pair);
}

TEST(a_reader_is_asked_until_its_end_and_is_done_once)
{
    static const size_t lens[] = {0, 1, 65536, 65537, 1000000};

    start();
    for (size_t i = 0; i < 2 * WF_ARRAY_LEN(lens); i++) {
        size_t len = lens[i / 2];
        struct source source = {.left = len};
        struct fate f;
        weft_send_params s = fate_params(&pair, &f, "echo");

        s.body = source_body(&source, i % 2 == 0 ? UINT64_MAX : len);
        fate_of(&pair, &f, &s);
        CHECK_EQ(f.kind, WEFT_REPLIED);
        CHECK_EQ(f.reply_len, len);
        CHECK_EQ(source.done, 1);
        CHECK_EQ(source.left, 0);
    }
    pair_close(&pair);
}

TEST(a_reader_that_fails_gives_the_outcome_its_error)
{
    static const size_t lens[] = {0, 1, 200000};

    start();
    for (size_t i = 0; i < WF_ARRAY_LEN(lens); i++) {
        struct source source = {.left = lens[i], .err = WEFT_ERR_NO_SPACE};
        struct fate f;
        weft_send_params s = fate_params(&pair, &f, "echo");

        s.body = source_body(&source, UINT64_MAX);
        fate_of(&pair, &f, &s);
        CHECK_EQ(f.kind, WEFT_FAILED);
        CHECK_EQ(f.err, WEFT_ERR_NO_SPACE);
        CHECK_EQ(source.done, 1);
    }
    CHECK_EQ(echo.calls, 0);
    pair_close(&pair);
}

TEST(a_reader_with_nothing_to_give_is_asked_again_when_resumed)
{
    struct source source = {.left = 10000, .pause_at = 4000, .read_max = 1000};
    unsigned reads = 0;
    struct fate f;
    weft_send_params s;

    start();
    s = fate_params(&pair, &f, "echo");
    s.body = source_body(&source, UINT64_MAX);
    CHECK_OK(weft_node_send(pair.client, &s, NULL));
    for (unsigned i = 0; source.left > 4000; i++) {
        CHECK(i < API_ROUNDS_MAX);
        pair_turn(&pair);
    }
    pair_turn(&pair); /* and there it was asked in vain */
    CHECK_EQ(source.left, 4000);
    reads = source.reads;
    for (int i = 0; i < 30; i++)
        pair_turn(&pair);
    CHECK_EQ(source.reads, reads); /* not asked all the time */
    weft_node_resume(pair.client);
    for (int i = 0; i < 5; i++)
        pair_turn(&pair);
    CHECK_EQ(source.reads, reads + 1); /* once, and there was nothing */
    CHECK_EQ(f.outcomes, 0);
    source.pause_at = 0;
    weft_node_resume(pair.client);
    pair_until(&pair, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(f.reply_len, 10000);
    CHECK_EQ(source.done, 1);
    pair_close(&pair);
}

/* --- what is told meanwhile --- */

struct progress {
    struct fate fate;
    uint64_t sent, total;
    unsigned calls, ends;
    bool falls;
    size_t got, take_max;
};

static void on_progress(uint64_t sent, uint64_t total, void *user)
{
    struct progress *p = user;

    p->calls++;
    p->falls = p->falls || sent < p->sent;
    p->sent = sent;
    p->total = total;
}

static void on_progress_outcome(const weft_outcome *o, void *user)
{
    fate_outcome(o, &((struct progress *)user)->fate);
}

TEST(progress_rises_to_the_whole_length)
{
    static const uint64_t lengths[] = {1000000, UINT64_MAX};

    start();
    for (size_t i = 0; i < WF_ARRAY_LEN(lengths); i++) {
        struct source source = {.left = 1000000};
        struct progress p = {.calls = 0};
        weft_send_params s = fate_params(&pair, &p.fate, "echo");

        s.body = source_body(&source, lengths[i]);
        s.on_progress = on_progress;
        s.on_outcome = on_progress_outcome;
        s.user = &p;
        CHECK_OK(weft_node_send(pair.client, &s, NULL));
        pair_until(&pair, &p.fate.outcomes, 1);
        CHECK_EQ(p.sent, 1000000);
        CHECK_EQ(p.total, lengths[i]);
        CHECK(!p.falls);
        CHECK(p.calls >= 1);
    }
    pair_close(&pair);
}

static size_t on_piece(const uint8_t *data, size_t len, void *user)
{
    struct progress *p = user;
    size_t n = p->take_max == 0 || len < p->take_max ? len : p->take_max;

    CHECK_EQ(p->ends, 0); /* nothing after the end */
    if (len == 0) {
        p->ends++;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(data[i], 's');
    p->got += n;
    p->calls += n < len;
    return n;
}

TEST(a_reply_can_be_read_in_pieces_with_pauses)
{
    static const size_t take_max[] = {0, 10000};

    start();
    for (size_t i = 0; i < WF_ARRAY_LEN(take_max); i++) {
        struct source source = {.left = 500000};
        struct progress p = {.take_max = take_max[i]};
        weft_send_params s = fate_params(&pair, &p.fate, "echo");

        s.body = source_body(&source, 500000);
        s.expect_reply = false; /* the reader says it */
        s.on_reply_data = on_piece;
        s.on_outcome = on_progress_outcome;
        s.user = &p;
        CHECK_OK(weft_node_send(pair.client, &s, NULL));
        for (unsigned k = 0; p.fate.outcomes == 0; k++) {
            CHECK(k < API_ROUNDS_MAX);
            pair_turn(&pair);
            weft_node_resume(pair.client);
        }
        CHECK_EQ(p.fate.kind, WEFT_REPLIED);
        CHECK_EQ(p.got, 500000);
        CHECK_EQ(p.ends, 1);
        CHECK(p.fate.has_reply);
        CHECK(take_max[i] == 0 || p.calls > 10);
        pair_settle(&pair);
    }
    pair_close(&pair);
}

/* --- priorities --- */

static char order[8];
static unsigned order_len;

static void on_arrival(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    CHECK(order_len < sizeof order - 1);
    order[order_len++] = (char)m->body[0];
    CHECK_OK(weft_reply(x, NULL, 0));
}

TEST(the_urgent_overtakes_the_normal_and_that_what_is_in_the_background)
{
    static const weft_priority priorities[] = {
        ['b' - 'a'] = WEFT_BACKGROUND, ['n' - 'a'] = WEFT_NORMAL, ['u' - 'a'] = WEFT_URGENT};
    static const char sent[] = "bnubnu";
    struct fate fates[sizeof sent - 1];
    static uint8_t body[400000];

    start();
    CHECK_OK(weft_node_serve(pair.server, "order", on_arrival, NULL));
    (void)ask(&pair, "echo"); /* all wait for the same window */
    memset(order, 0, sizeof order);
    order_len = 0;
    for (size_t i = 0; i < WF_ARRAY_LEN(fates); i++) {
        weft_send_params s = fate_params(&pair, &fates[i], "order");

        body[0] = (uint8_t)sent[i];
        s.body = weft_body_span(body, sizeof body);
        s.priority = priorities[sent[i] - 'a'];
        CHECK_OK(weft_node_send(pair.client, &s, NULL));
    }
    pair_until(&pair, &order_len, 6);
    pair_settle(&pair);
    CHECK_STR_EQ(order, "uunnbb");
    for (size_t i = 0; i < WF_ARRAY_LEN(fates); i++)
        CHECK_EQ(fates[i].kind, WEFT_REPLIED);
    pair_close(&pair);
}

/* --- without an address --- */

TEST(where_a_session_stands_the_key_alone_is_enough)
{
    char key[WEFT_KEY_TEXT_MAX];
    struct fate f;
    weft_send_params s;

    start();
    (void)ask(&pair, "echo");
    weft_key_text(key, &pair.server_key);
    s = fate_params(&pair, &f, "echo");
    s.to = key;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&pair);
}

TEST(who_was_called_may_send_back_through_the_same_session)
{
    char key[WEFT_KEY_TEXT_MAX];
    struct echo back = {.calls = 0};
    struct fate f;
    weft_send_params s;

    start();
    CHECK_OK(weft_node_serve(pair.client, "back", on_echo, &back));
    CHECK_OK(weft_node_allow(pair.client, &pair.server_key, "back"));
    (void)ask(&pair, "echo");
    weft_key_text(key, &pair.client_key);
    s = fate_params(&pair, &f, "back");
    s.to = key;
    CHECK_OK(weft_node_send(pair.server, &s, NULL));
    pair_until(&pair, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(back.calls, 1);
    CHECK_EQ(back.grade, WEFT_GRADE_FULL);
    CHECK_MEM_EQ(&back.from, &pair.server_key, sizeof back.from);
    pair_close(&pair);
}

/* --- pings --- */

struct pong {
    unsigned calls;
    weft_err err;
    uint64_t rtt_us, handshake_us;
};

static void on_pong(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user)
{
    struct pong *p = user;

    p->calls++;
    p->err = err;
    p->rtt_us = rtt_us;
    p->handshake_us = handshake_us;
}

TEST(a_ping_measures_and_makes_a_session_where_there_is_none)
{
    struct pong p = {.calls = 0};

    start();
    CHECK_OK(weft_node_ping(pair.client, pair.to, 10000, on_pong, &p));
    CHECK(!weft_node_is_idle(pair.client));
    pair_until(&pair, &p.calls, 1);
    CHECK_OK(p.err);
    CHECK(p.rtt_us > 0);
    CHECK(p.handshake_us > 0);
    CHECK(weft_node_is_idle(pair.client));
    for (unsigned i = 2; i < 6; i++) {
        CHECK_OK(weft_node_ping(pair.client, pair.to, 10000, on_pong, &p));
        pair_until(&pair, &p.calls, i);
        CHECK_OK(p.err);
        CHECK(p.rtt_us > 0);
    }
    CHECK_EQ(echo.calls, 0);
    pair_close(&pair);
    CHECK_EQ(p.calls, 5);
}

TEST(a_ping_that_nobody_answers_fails_once)
{
    struct pong p = {.calls = 0, .rtt_us = 9};
    char to[API_TO_MAX];

    start();
    dead_address(to);
    CHECK_OK(weft_node_ping(pair.client, to, 50, on_pong, &p));
    pair_until(&pair, &p.calls, 1);
    CHECK(p.err == WEFT_ERR_UNREACHABLE || p.err == WEFT_ERR_TIMEOUT);
    CHECK_EQ(p.rtt_us, 0);
    CHECK(weft_node_is_idle(pair.client));
    pair_close(&pair);
    CHECK_EQ(p.calls, 1);
}

TEST(a_ping_to_nobody_is_refused_at_once)
{
    struct pong p = {.calls = 0};
    char key[WEFT_KEY_TEXT_MAX];

    start();
    weft_key_text(key, &pair.server_key);
    CHECK_EQ(weft_node_ping(pair.client, "weft1x", 50, on_pong, &p), WEFT_ERR_MALFORMED);
    CHECK_EQ(weft_node_ping(pair.client, key, 50, on_pong, &p), WEFT_ERR_ADDRESS);
    CHECK(weft_node_is_idle(pair.client));
    pair_close(&pair);
    CHECK_EQ(p.calls, 0);
}

TEST(a_ping_under_way_is_told_when_its_node_closes)
{
    struct pong p = {.calls = 0};
    char to[API_TO_MAX];

    start();
    dead_address(to);
    CHECK_OK(weft_node_ping(pair.client, to, 10000, on_pong, &p));
    CHECK_OK(weft_node_ping(pair.client, pair.to, 10000, NULL, NULL)); /* nobody wants to know */
    pair_close(&pair);
    CHECK_EQ(p.calls, 1);
    CHECK_EQ(p.err, WEFT_ERR_CLOSED);
}
