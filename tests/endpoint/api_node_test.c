/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_node_test.c - opening, running, stopping and asking a node; what it tells about itself.
 */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_pair.h"
#include "base/bytes.h"

/* --- opening --- */

static weft_err open_with(const weft_node_params *params)
{
    weft_node_params p = *params;
    weft_identity *identity = NULL;
    weft_node *n = NULL;
    weft_err err = WEFT_OK;

    CHECK_OK(weft_identity_new(&identity));
    p.identity = identity;
    err = weft_node_open(&n, &p);
    weft_identity_free(identity);
    CHECK_EQ(n == NULL, err != WEFT_OK);
    weft_node_close(n);
    return err;
}

static weft_err open_at(const char *listen)
{
    weft_node_params p = WEFT_NODE_PARAMS;

    p.listen = listen;
    return open_with(&p);
}

TEST(a_node_wants_params_of_at_least_its_size)
{
    weft_node_params p = WEFT_NODE_PARAMS;

    CHECK_OK(open_with(&p));
    p.size = sizeof p + 8; /* of a later version */
    CHECK_OK(open_with(&p));
    p.size = sizeof p - 1;
    CHECK_EQ(open_with(&p), WEFT_ERR_USAGE);
    p.size = 0;
    CHECK_EQ(open_with(&p), WEFT_ERR_USAGE);
}

TEST(an_address_that_is_none_is_refused)
{
    static const char *const wrong[] = {
        "",       "nonsense",     "127.0.0.1",    "127.0.0.1:",   "127.0.0.1:65536", "127.0.0.1:x",
        ":4870",  "256.0.0.1:0",  "localhost:0",  "[::1]",        "[::1]:",          "::1:0",
        "[::1:0", "127.0.0.1:0 ", " 127.0.0.1:0", "127.0.0.1:-1",
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(wrong); i++) {
        test_note("listen \"%s\"", wrong[i]);
        CHECK_EQ(open_at(wrong[i]), WEFT_ERR_ADDRESS);
    }
    CHECK(open_at("192.0.2.1:0") != WEFT_OK); /* an address of nobody's */
}

TEST(a_port_in_use_is_told)
{
    weft_node *n = api_node(NULL);
    char address[64];

    CHECK_OK(weft_node_address(n, address, sizeof address));
    CHECK_EQ(open_at(address), WEFT_ERR_IN_USE);
    weft_node_close(n);
    CHECK_OK(open_at(address));
}

TEST(port_0_is_a_free_one_and_the_address_tells_it)
{
    weft_node *a = api_node(NULL);
    weft_node *b = api_node(NULL);
    char text_a[64];
    char text_b[64];

    CHECK_OK(weft_node_address(a, text_a, sizeof text_a));
    CHECK_OK(weft_node_address(b, text_b, sizeof text_b));
    CHECK(strncmp(text_a, "127.0.0.1:", 10) == 0);
    CHECK(strtoul(text_a + 10, NULL, 10) > 0);
    CHECK(strcmp(text_a, text_b) != 0);
    weft_node_close(a);
    weft_node_close(b);
}

TEST(an_address_needs_room_for_itself_and_its_end)
{
    weft_node *n = api_node(NULL);
    char text[64];
    char cut[64] = "before";
    size_t need = 0;

    CHECK_OK(weft_node_address(n, text, sizeof text));
    need = strlen(text) + 1;
    for (size_t cap = 0; cap < need; cap++)
        CHECK_EQ(weft_node_address(n, cut, cap), WEFT_ERR_LIMIT);
    CHECK_STR_EQ(cut, "before");
    CHECK_OK(weft_node_address(n, cut, need));
    CHECK_STR_EQ(cut, text);
    weft_node_close(n);
}

TEST(a_node_has_the_key_of_its_identity_which_it_copies)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_identity *identity = NULL;
    weft_node *n = NULL;
    weft_key want;
    weft_key key;

    CHECK_OK(weft_identity_new(&identity));
    want = weft_identity_key(identity);
    p.identity = identity;
    CHECK_OK(weft_node_open(&n, &p));
    weft_identity_free(identity);
    key = weft_node_key(n);
    CHECK_MEM_EQ(&key, &want, sizeof key);
    weft_node_close(n);
    weft_node_close(NULL);
}

/* With WEFT_HOME in the test's folder, for nobody's own key may be touched. */
static weft_err open_own(weft_key *key)
{
    const char *before = getenv("WEFT_HOME");
    char *kept = before == NULL ? NULL : strdup(before);
    weft_node *n = NULL;
    weft_err err = WEFT_OK;

    CHECK_EQ(setenv("WEFT_HOME", test_folder(), 1), 0);
    err = weft_node_open(&n, NULL);
    CHECK_EQ(kept == NULL ? unsetenv("WEFT_HOME") : setenv("WEFT_HOME", kept, 1), 0);
    free(kept);
    CHECK_EQ(n == NULL, err != WEFT_OK);
    if (n != NULL)
        *key = weft_node_key(n);
    weft_node_close(n);
    return err;
}

TEST(without_an_identity_the_key_of_this_user_is_made_once_and_used_again)
{
    weft_key first = {{0}};
    weft_key second = {{0}};
    char path[512];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/key", test_folder());
    CHECK_OK(open_own(&first));
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    CHECK_OK(open_own(&second));
    CHECK_MEM_EQ(&first, &second, sizeof first);
    CHECK_EQ(chmod(path, 0644), 0);
    CHECK_EQ(open_own(&first), WEFT_ERR_KEY_EXPOSED);
    CHECK_EQ(chmod(path, 0600), 0);
    CHECK_EQ(truncate(path, 20), 0);
    CHECK_EQ(open_own(&first), WEFT_ERR_KEY_FILE);
}

TEST(a_node_that_may_hold_nothing_is_not_opened)
{
    weft_node_params p = WEFT_NODE_PARAMS;

    p.listen = "127.0.0.1:0";
    p.sessions_max = 8;
    for (p.memory_max = 1; p.memory_max < 1u << 20; p.memory_max = p.memory_max * 3 / 2 + 1) {
        weft_err err = open_with(&p);

        CHECK(err == WEFT_OK || err == WEFT_ERR_NOMEM);
        CHECK(p.memory_max > 10000 || err == WEFT_ERR_NOMEM);
    }
}

TEST(secrets_are_appended_to_a_file_for_its_owner_alone)
{
    struct pair p;
    struct echo e = {.calls = 0};
    weft_node_params params = WEFT_NODE_PARAMS;
    struct fate f;
    char path[512];
    char line[256];
    struct stat st;
    FILE *log = NULL;
    unsigned lines = 0;

    (void)snprintf(path, sizeof path, "%s/nowhere/log", test_folder());
    params.keylog_path = path;
    CHECK(open_with(&params) != WEFT_OK);
    (void)snprintf(path, sizeof path, "%s/log", test_folder());
    pair_open_with(&p, NULL, &params);
    CHECK_OK(weft_node_allow(p.server, NULL, "*"));
    CHECK_OK(weft_node_serve(p.server, "echo", on_echo, &e));
    f = ask(&p, "echo");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&p);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    log = fopen(path, "r");
    CHECK(log != NULL);
    for (; fgets(line, sizeof line, log) != NULL; lines++)
        CHECK(strncmp(line, "WEFT_SECRET ", 12) == 0);
    CHECK(lines > 0);
    (void)fclose(log);
}

TEST(a_ceiling_of_work_beyond_reason_or_below_what_is_asked_is_a_usage_error)
{
    static const struct {
        uint32_t ceiling, effort;
        weft_err err;
    } rows[] = {{33, 0, WEFT_ERR_USAGE}, {7, 129, WEFT_ERR_USAGE}, {7, 128, WEFT_OK}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weft_node_params params = WEFT_NODE_PARAMS;
        weft_identity *id = NULL;
        weft_node *n = NULL;

        CHECK_OK(weft_identity_new(&id));
        params.identity = id;
        params.serve = true;
        params.work_ceiling = rows[i].ceiling;
        params.work_effort = rows[i].effort;
        params.cookies_max = 5000;
        CHECK_EQ(weft_node_open(&n, &params), rows[i].err);
        weft_node_close(n);
        weft_identity_free(id);
    }
}

TEST(strangers_can_be_asked_for_work_before_anything_else)
{
    weft_node_params params = WEFT_NODE_PARAMS;
    struct pair p;
    struct echo e = {.calls = 0};
    struct fate f;

    params.work_effort = 200;
    pair_open_with(&p, &params, NULL);
    CHECK_OK(weft_node_allow(p.server, NULL, "*"));
    CHECK_OK(weft_node_serve(p.server, "echo", on_echo, &e));
    f = ask(&p, "echo");
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&p);
}

/* --- running and stopping --- */

static void on_note(weft_exchange *x, const weft_message *m, void *user)
{
    unsigned *calls = user;

    (void)m;
    (void)x;
    (*calls)++;
}

struct stopper {
    weft_node *node;
    unsigned calls;
    bool by_signal;
};

static void on_end_run(weft_exchange *x, const weft_message *m, void *user)
{
    struct stopper *s = user;

    (void)m;
    s->calls++;
    CHECK_OK(weft_reply(x, NULL, 0));
    if (s->by_signal)
        CHECK_EQ(raise(SIGTERM), 0); /* kept back while the node runs, for the node to take */
    else
        weft_node_stop(s->node);
}

/* The server runs until its service ends it; the client's packets wait in its socket. */
static void run_to_service(struct pair *p, struct stopper *s)
{
    struct fate f;
    weft_send_params params = fate_params(p, &f, "stop");
    struct fate first = ask(p, "warm up"); /* so that one packet is enough */
    unsigned before = s->calls;

    CHECK_EQ(first.kind, WEFT_FAILED);
    CHECK_OK(weft_node_send(p->client, &params, NULL));
    for (int i = 0; i < 3; i++)
        CHECK_OK(weft_node_poll(p->client, 0));
    CHECK_OK(weft_node_run(p->server));
    CHECK_EQ(s->calls, before + 1);
    pair_until(p, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_REPLIED);
}

static void stopper_open(struct pair *p, struct stopper *s, bool by_signal)
{
    pair_open(p);
    *s = (struct stopper){.node = p->server, .by_signal = by_signal};
    CHECK_OK(weft_node_serve(p->server, "stop", on_end_run, s));
}

TEST(a_service_may_stop_its_node_again_and_again)
{
    struct pair p;
    struct stopper s;

    stopper_open(&p, &s, false);
    run_to_service(&p, &s);
    run_to_service(&p, &s);
    pair_close(&p);
}

TEST(a_signal_ends_the_run_and_not_the_program)
{
    struct pair p;
    struct stopper s;

    stopper_open(&p, &s, true);
    run_to_service(&p, &s);
    run_to_service(&p, &s);
    pair_close(&p);
}

TEST(a_stop_before_the_run_is_honoured_and_used_up)
{
    struct pair p;
    struct stopper s;

    stopper_open(&p, &s, false);
    weft_node_stop(p.server);
    weft_node_stop(p.server);
    CHECK_OK(weft_node_run(p.server));
    run_to_service(&p, &s);
    pair_close(&p);
}

TEST(a_stop_that_polling_saw_first_ends_one_run_only)
{
    struct pair p;
    struct stopper s;

    stopper_open(&p, &s, false);
    weft_node_stop(p.server);
    CHECK_OK(weft_node_poll(p.server, 0));
    CHECK_OK(weft_node_run(p.server));
    run_to_service(&p, &s);
    pair_close(&p);
}

static void *stop_it(void *arg)
{
    weft_node_stop(arg);
    return NULL;
}

TEST(another_thread_may_stop_a_node)
{
    struct pair p;
    pthread_t thread;

    pair_open(&p);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, stop_it, p.server), 0);
        CHECK_OK(weft_node_run(p.server)); /* before or after, it ends */
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
    pair_close(&p);
}

TEST(a_node_that_was_stopped_wakes_its_poll)
{
    struct pair p;
    pthread_t thread;

    pair_open(&p);
    CHECK_OK(weft_node_poll(p.server, 0));
    CHECK_EQ(pthread_create(&thread, NULL, stop_it, p.server), 0);
    CHECK_OK(weft_node_poll(p.server, -1)); /* as long as it takes */
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pair_close(&p);
}

TEST(polling_without_waiting_returns_when_there_is_nothing_to_do)
{
    weft_node *n = api_node(NULL);

    for (int i = 0; i < 100; i++)
        CHECK_OK(weft_node_poll(n, 0));
    CHECK_OK(weft_node_poll(n, 1));
    weft_node_close(n);
}

/* Each is polled only when its descriptor says so. */
TEST(the_descriptor_tells_when_there_is_something_to_do)
{
    struct pair p;
    struct echo e = {.calls = 0};
    struct fate f;
    weft_send_params s;

    pair_open(&p);
    CHECK_OK(weft_node_serve(p.server, "echo", on_echo, &e));
    s = fate_params(&p, &f, "echo");
    CHECK_OK(weft_node_send(p.client, &s, NULL));
    for (unsigned i = 0; f.outcomes == 0; i++) {
        struct pollfd fds[] = {{.fd = weft_node_fd(p.server), .events = POLLIN},
                               {.fd = weft_node_fd(p.client), .events = POLLIN}};

        CHECK(i < API_ROUNDS_MAX);
        CHECK(poll(fds, 2, 10000) > 0);
        if (fds[0].revents != 0)
            CHECK_OK(weft_node_poll(p.server, 0));
        if (fds[1].revents != 0)
            CHECK_OK(weft_node_poll(p.client, 0));
    }
    CHECK_EQ(f.kind, WEFT_REPLIED);
    pair_close(&p);
}

TEST(a_node_with_nothing_under_way_is_idle)
{
    struct pair p;
    unsigned calls = 0;
    struct fate f;
    weft_send_params s;

    pair_open(&p);
    CHECK_OK(weft_node_serve(p.server, "note", on_note, &calls));
    CHECK(weft_node_is_idle(p.client));
    CHECK(weft_node_is_idle(p.server));
    s = fate_params(&p, &f, "note");
    s.expect_reply = false;
    CHECK_OK(weft_node_send(p.client, &s, NULL));
    CHECK(!weft_node_is_idle(p.client));
    pair_until(&p, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_DELIVERED);
    CHECK(weft_node_is_idle(p.client));
    CHECK_EQ(calls, 1);
    pair_close(&p);
}

/* --- what it did --- */

TEST(a_node_counts_what_it_did)
{
    struct pair p;
    struct echo e = {.calls = 0};
    weft_stats s = {.size = sizeof s};
    weft_stats c = {.size = sizeof c};

    pair_open(&p);
    CHECK_OK(weft_node_serve(p.server, "echo", on_echo, &e));
    weft_node_stats(p.client, &c);
    CHECK_EQ(c.datagrams_out, 0);
    CHECK_EQ(c.sessions, 0);
    CHECK_EQ(c.messages_out, 0);
    (void)ask(&p, "echo");
    (void)ask(&p, "echo");
    weft_node_stats(p.server, &s);
    weft_node_stats(p.client, &c);
    CHECK_EQ(s.size, sizeof s);
    CHECK_EQ(c.messages_out, 2);
    CHECK_EQ(c.messages_in, 2);
    CHECK_EQ(s.messages_in, 2);
    CHECK_EQ(s.messages_out, 2);
    CHECK_EQ(c.sessions_total, 1);
    CHECK_EQ(s.sessions, 1);
    CHECK_EQ(s.presences + s.presence_bytes + s.folds + s.wakes + s.presences_dropped, 0);
    CHECK_EQ(c.handshakes_failed, 0);
    CHECK_LE(1, s.datagrams_in);
    CHECK_LE(s.datagrams_in, c.datagrams_out);
    CHECK_LE(s.bytes_in, c.bytes_out);
    CHECK_EQ(s.memory_cap, 1u << 30);
    CHECK_LE(1, s.memory_held);
    CHECK_LE(s.memory_held, s.memory_max);
    CHECK_LE(1, s.allocations);
    CHECK_LE(1, s.secret_held);
    CHECK_LE(1, s.rss);
    CHECK_LE(1, s.curve_operations);
    pair_close(&p);
}

static void check_number(const json_t *o, const char *name, uint64_t want)
{
    const json_t *v = json_object_get(o, name);

    test_note("member %s", name);
    CHECK(json_is_integer(v));
    CHECK_EQ(json_integer_value(v), want);
}

static void check_peer_row(const json_t *o, const struct pair *p)
{
    const json_t *peers = json_object_get(o, "peers");
    const json_t *row = json_array_get(peers, 0);
    char key[WEFT_KEY_TEXT_MAX];

    weft_key_text(key, &p->client_key);
    CHECK_EQ(json_array_size(peers), 1);
    CHECK_STR_EQ(json_string_value(json_object_get(row, "peer")), key);
    CHECK(json_is_true(json_object_get(row, "open")));
    CHECK(strncmp(json_string_value(json_object_get(row, "address")), "127.0.0.1:", 10) == 0);
    CHECK_LE(1, json_integer_value(json_object_get(row, "bytes_held")));
    check_number(row, "messages_in", 1);
}

/* Every length that is too short is told the one that is needed, and touches nothing. */
static char *stats_text(const weft_node *n, size_t *len)
{
    size_t need = 0;
    size_t again = 0;
    char *text = NULL;

    CHECK_EQ(weft_node_stats_json(n, NULL, 0, &need), WEFT_ERR_LIMIT);
    CHECK_LE(2, need);
    text = malloc(need + 1);
    CHECK(text != NULL);
    memset(text, '#', need + 1);
    CHECK_EQ(weft_node_stats_json(n, text, need, &again), WEFT_ERR_LIMIT);
    CHECK_EQ(again, need);
    for (size_t i = 0; i <= need; i++)
        CHECK_EQ(text[i], '#');
    CHECK_OK(weft_node_stats_json(n, text, need + 1, len));
    CHECK_EQ(*len, need);
    CHECK_EQ(strlen(text), need);
    return text;
}

TEST(the_stats_are_one_json_object_that_tells_the_length_it_needs)
{
    struct pair p;
    struct echo e = {.calls = 0};
    weft_stats s = {.size = sizeof s};
    size_t len = 0;
    char *text = NULL;
    json_t *o = NULL;

    pair_open(&p);
    CHECK_OK(weft_node_serve(p.server, "echo", on_echo, &e));
    (void)ask(&p, "echo");
    text = stats_text(p.server, &len);
    weft_node_stats(p.server, &s);
    o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_is_object(o));
    check_number(o, "datagrams_in", s.datagrams_in);
    check_number(o, "datagrams_out", s.datagrams_out);
    check_number(o, "messages_in", 1);
    check_number(o, "messages_out", 1);
    check_number(o, "sessions", 1);
    check_number(o, "memory_cap", s.memory_cap);
    check_number(json_object_get(o, "admission"), "accepted", 1);
    check_peer_row(o, &p);
    json_decref(o);
    free(text);
    pair_close(&p);
}

TEST(a_peer_without_a_key_is_nobody_in_the_stats)
{
    struct pair p;
    struct echo e = {.calls = 0};
    weft_node_params client = WEFT_NODE_PARAMS;
    size_t len = 0;
    char *text = NULL;
    json_t *o = NULL;
    const json_t *row = NULL;

    client.anonymous = true;
    pair_open_with(&p, NULL, &client);
    CHECK_OK(weft_node_allow(p.server, NULL, "*"));
    CHECK_OK(weft_node_serve(p.server, "echo", on_echo, &e));
    (void)ask(&p, "echo");
    text = stats_text(p.server, &len);
    o = json_loadb(text, len, 0, NULL);
    row = json_array_get(json_object_get(o, "peers"), 0);
    CHECK_STR_EQ(json_string_value(json_object_get(row, "peer")), "nobody");
    json_decref(o);
    free(text);
    pair_close(&p);
}

/* --- for people --- */

TEST(each_grade_has_its_own_text)
{
    for (int i = WEFT_GRADE_NONE; i <= WEFT_GRADE_GROUP_EARLY + 1; i++) {
        const char *text = weft_grade_text((weft_grade)i);

        CHECK(text != NULL && text[0] != '\0');
        for (int k = WEFT_GRADE_NONE; k < i && i <= WEFT_GRADE_GROUP_EARLY; k++)
            CHECK(strcmp(text, weft_grade_text((weft_grade)k)) != 0);
    }
    CHECK_STR_EQ(weft_grade_text(WEFT_GRADE_NONE), weft_grade_text((weft_grade)99));
}

TEST(each_outcome_has_its_own_text_and_says_why)
{
    static const weft_outcome_kind all[] = {WEFT_DELIVERED, WEFT_REPLIED, WEFT_FAILED,
                                            WEFT_EXPIRED,   WEFT_UNKNOWN, (weft_outcome_kind)99};
    char texts[WF_ARRAY_LEN(all)][256];

    for (size_t i = 0; i < WF_ARRAY_LEN(all); i++) {
        weft_outcome o = {.kind = all[i], .err = WEFT_ERR_REFUSED};

        (void)snprintf(texts[i], sizeof texts[i], "%s", weft_outcome_text(&o));
        CHECK(texts[i][0] != '\0');
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(texts[i], texts[k]) != 0);
    }
    CHECK(strstr(texts[2], weft_strerror(WEFT_ERR_REFUSED)) != NULL);
    CHECK(strstr(texts[4], weft_strerror(WEFT_ERR_REFUSED)) != NULL);
}

/* What weft_exit prints, with standard error led into a file. */
static int exit_text(weft_err err, char *text, size_t cap)
{
    char path[512];
    int before = dup(STDERR_FILENO);
    int fd = -1;
    int status = 0;
    ssize_t len = 0;

    (void)snprintf(path, sizeof path, "%s/stderr", test_folder());
    (void)fflush(stderr);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(before >= 0 && fd >= 0);
    CHECK(dup2(fd, STDERR_FILENO) >= 0);
    status = weft_exit(err);
    (void)fflush(stderr);
    CHECK(dup2(before, STDERR_FILENO) >= 0);
    len = pread(fd, text, cap - 1, 0);
    CHECK(len >= 0);
    text[len] = '\0';
    (void)close(fd);
    (void)close(before);
    return status;
}

TEST(a_program_ends_with_a_sentence_only_when_something_went_wrong)
{
    char text[256];

    CHECK_EQ(exit_text(WEFT_OK, text, sizeof text), 0);
    CHECK_STR_EQ(text, "");
    for (int err = WEFT_ERR_NOMEM; err <= WEFT_ERR_UNREAD + 1; err++) {
        CHECK(exit_text((weft_err)err, text, sizeof text) != 0);
        CHECK(strstr(text, weft_strerror((weft_err)err)) != NULL);
        CHECK_EQ(text[strlen(text) - 1], '\n');
    }
}
