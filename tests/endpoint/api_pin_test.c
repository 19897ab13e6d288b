/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_pin_test.c - statements and pins as programs use them: text, signatures, and nodes that
 * follow a server to its new key because the owner of its name says so.
 */
#include "test.h"

#include <time.h>

#include "api_pair.h"

#define NAME "alice"

static struct pair pair;

static weft_identity *someone(weft_key *key)
{
    weft_identity *id = NULL;

    CHECK_OK(weft_identity_new(&id));
    *key = weft_identity_key(id);
    return id;
}

static uint64_t now_s(void)
{
    return (uint64_t)time(NULL);
}

/* Of the owner, about this key, for an hour around now. */
static weft_statement stated(const weft_identity *owner, const weft_key *key, uint64_t version)
{
    weft_statement s = WEFT_STATEMENT;

    (void)snprintf(s.name, sizeof s.name, NAME);
    s.version = version;
    s.key = *key;
    s.not_before_s = now_s() - 1800;
    s.not_after_s = now_s() + 1800;
    CHECK_OK(weft_statement_sign(&s, owner));
    return s;
}

/* --- text --- */

TEST(a_statement_is_signed_and_comes_back_from_its_text)
{
    weft_key owner_key, key;
    weft_identity *owner = someone(&owner_key);
    weft_identity *server = someone(&key);
    weft_statement s = stated(owner, &key, 3);
    weft_statement back;
    char text[WEFT_STATEMENT_TEXT_MAX];

    CHECK_MEM_EQ(&s.owner, &owner_key, sizeof owner_key);
    CHECK_OK(weft_statement_check(&s, 0));
    CHECK_OK(weft_statement_check(&s, now_s()));
    CHECK_EQ(weft_statement_check(&s, now_s() + 7200), WEFT_ERR_STATE);
    CHECK_EQ(weft_statement_check(&s, now_s() - 7200), WEFT_ERR_STATE);
    CHECK_OK(weft_statement_text(text, &s));
    CHECK_OK(weft_statement_parse(&back, text));
    CHECK_STR_EQ(back.name, s.name);
    CHECK_EQ(back.version, 3);
    CHECK_OK(weft_statement_check(&back, 0));
    back.version++;
    CHECK_EQ(weft_statement_check(&back, 0), WEFT_ERR_CRYPTO);
    weft_identity_free(owner);
    weft_identity_free(server);
}

TEST(a_statement_that_breaks_a_rule_is_not_signed_checked_or_written)
{
    weft_key key;
    weft_identity *owner = someone(&key);
    weft_statement good = stated(owner, &key, 1);
    weft_statement s = good;
    char text[WEFT_STATEMENT_TEXT_MAX];

    for (unsigned i = 0; i < 4; i++) {
        s = good;
        s.version = i == 0 ? 0 : s.version;
        s.name[0] = i == 1 ? '\0' : s.name[0];
        s.name[0] = i == 2 ? '@' : s.name[0];
        s.not_before_s = i == 3 ? s.not_after_s + 1 : s.not_before_s;
        CHECK_EQ(weft_statement_sign(&s, owner), WEFT_ERR_USAGE);
        CHECK_EQ(weft_statement_check(&s, 0), WEFT_ERR_MALFORMED);
        CHECK_EQ(weft_statement_text(text, &s), WEFT_ERR_MALFORMED);
    }
    weft_identity_free(owner);
}

TEST(the_text_of_a_statement_is_read_whole_or_not_at_all)
{
    weft_key key;
    weft_identity *owner = someone(&key);
    weft_statement s = stated(owner, &key, UINT64_MAX);
    weft_statement back = {.version = 99};
    char text[WEFT_STATEMENT_TEXT_MAX + 1];
    size_t len = 0;

    memset(s.name, 'n', WEFT_NAME_MAX);
    s.not_after_s = UINT64_MAX;
    s.not_before_s = UINT64_MAX;
    CHECK_OK(weft_statement_sign(&s, owner));
    CHECK_OK(weft_statement_text(text, &s));
    len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char *cut = (char *)test_copy_padded(text, i, i + 1);
        char *other = (char *)test_copy(text, len + 1);

        CHECK_EQ(weft_statement_parse(&back, cut), WEFT_ERR_MALFORMED);
        other[i] = '!';
        CHECK(weft_statement_parse(&back, other) != WEFT_OK ||
              weft_statement_check(&back, 0) == WEFT_ERR_CRYPTO);
        free(cut);
        free(other);
    }
    back.version = 99;
    text[len] = '\n';
    text[len + 1] = '\0';
    CHECK_EQ(weft_statement_parse(&back, text), WEFT_ERR_MALFORMED);
    CHECK_EQ(back.version, 99);
    weft_identity_free(owner);
}

static weft_pin pin_of(const weft_key *owner, const weft_key *key, uint64_t version)
{
    weft_pin p = WEFT_PIN;

    (void)snprintf(p.name, sizeof p.name, NAME);
    p.owner = *owner;
    if (key != NULL)
        p.key = *key;
    p.version = version;
    return p;
}

TEST(a_pin_comes_back_from_its_text)
{
    weft_key owner_key, key;
    weft_identity *owner = someone(&owner_key);
    weft_identity *server = someone(&key);
    weft_pin pins[2] = {pin_of(&owner_key, &key, UINT64_MAX), pin_of(&owner_key, NULL, 0)};
    weft_pin back;
    char text[WEFT_PIN_TEXT_MAX];

    memset(pins[0].name, 'n', WEFT_NAME_MAX);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_OK(weft_pin_text(text, &pins[i]));
        CHECK_OK(weft_pin_parse(&back, text));
        CHECK_MEM_EQ(&back, &pins[i], sizeof back);
        for (size_t len = 0; len < strlen(text); len++) {
            char *cut = (char *)test_copy_padded(text, len, len + 1);

            if (i != 0 || len + 20 < strlen(text)) /* shorter numbers are numbers too */
                CHECK_EQ(weft_pin_parse(&back, cut), WEFT_ERR_MALFORMED);
            free(cut);
        }
    }
    pins[0].name[0] = '#';
    CHECK_EQ(weft_pin_text(text, &pins[0]), WEFT_ERR_MALFORMED);
    weft_identity_free(owner);
    weft_identity_free(server);
}

TEST(what_is_no_line_of_a_pin_is_refused)
{
    char key[WEFT_KEY_TEXT_MAX], line[512], long_number[WEFT_PIN_TEXT_MAX];
    static const char *const wrong[] = {
        "",          "a %s",      "a %s -",        "a %s - 1 ",
        " a %s - 1", "a  %s - 1", "a %s - -1",     "a %s - 01",
        "a %s - x",  "a %s x 1",  "a@b %s - 1",    "a %s - 1 2",
        "a\t%s - 1", "a %s -  1", "weft1a %s - 1", "a %s - 18446744073709551616"};
    weft_key k;
    weft_pin p;

    weft_identity_free(someone(&k));
    weft_key_text(key, &k);
    (void)snprintf(line, sizeof line, "a %s - 18446744073709551615", key);
    CHECK_OK(weft_pin_parse(&p, line));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *at = strstr(wrong[i], "%s");

        test_note("%s", wrong[i]);
        (void)snprintf(line, sizeof line, "%.*s%s%s", at == NULL ? 0 : (int)(at - wrong[i]),
                       wrong[i], at == NULL ? "" : key, at == NULL ? "" : at + 2);
        CHECK_EQ(weft_pin_parse(&p, line), WEFT_ERR_MALFORMED);
    }
    memset(long_number, '1', sizeof long_number);
    long_number[sizeof long_number - 1] = '\0';
    CHECK_EQ(weft_pin_parse(&p, long_number), WEFT_ERR_MALFORMED);
}

/* --- nodes --- */

struct told {
    unsigned count;
    weft_pin pin;
    weft_key before;
};

static void on_pin(const weft_pin *pin, const weft_key *before, void *user)
{
    struct told *t = user;

    t->count++;
    t->pin = *pin;
    t->before = *before;
}

struct place {
    weft_identity *owner, *old, *new, *client;
    weft_key owner_key, old_key, new_key, client_key;
    struct echo e;
    struct told told;
};

static struct place here;

/* A server with that identity; pair.to is where `NAME` is then. */
static void serve(const weft_identity *id, const weft_statement *s)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    char address[64];

    p.identity = id;
    p.listen = "127.0.0.1:0";
    p.sessions_max = 64;
    p.statement = s;
    CHECK_OK(weft_node_open(&pair.server, &p));
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &here.e));
    CHECK_OK(weft_node_allow(pair.server, NULL, "*"));
    CHECK_OK(weft_node_address(pair.server, address, sizeof address));
    (void)snprintf(pair.to, sizeof pair.to, "%s@%s", NAME, address);
}

static void set_up(void)
{
    weft_node_params p = WEFT_NODE_PARAMS;

    here = (struct place){.owner = NULL};
    here.owner = someone(&here.owner_key);
    here.old = someone(&here.old_key);
    here.new = someone(&here.new_key);
    here.client = someone(&here.client_key);
    p.identity = here.client;
    p.listen = "127.0.0.1:0";
    p.sessions_max = 64;
    CHECK_OK(weft_node_open(&pair.client, &p));
}

static void pin(const weft_key *key, uint64_t version)
{
    weft_pin p = pin_of(&here.owner_key, key, version);

    CHECK_OK(weft_node_pin(pair.client, &p, on_pin, &here.told));
}

static void tear_down(void)
{
    pair_close(&pair);
    weft_identity_free(here.owner);
    weft_identity_free(here.old);
    weft_identity_free(here.new);
    weft_identity_free(here.client);
}

static void check_echo(void)
{
    struct fate f = ask(&pair, "echo");

    CHECK_EQ(f.kind, WEFT_REPLIED);
}

/* The server says goodbye, and the client hears it. */
static void close_server(void)
{
    weft_stats stats = {.size = sizeof stats};

    weft_node_close(pair.server);
    pair.server = NULL;
    for (unsigned i = 0; i == 0 || stats.sessions > 0; i++) {
        CHECK_LE(i, API_ROUNDS_MAX);
        pair_turn(&pair);
        weft_node_stats(pair.client, &stats);
    }
}

static void check_wrong_key(void)
{
    struct fate f;
    weft_send_params s = fate_params(&pair, &f, "echo");

    s.reach_within_ms = 400;
    fate_of(&pair, &f, &s);
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_WRONG_KEY);
}

/* SPEC 1.12-12, 1.11-2 */
TEST(a_pinned_name_leads_to_the_new_key_and_shows_it_what_the_old_one_saw)
{
    weft_statement s;
    weft_key seen, expected;

    set_up();
    s = stated(here.owner, &here.new_key, 2);
    pin(&here.old_key, 1);
    CHECK_OK(weft_identity_key_for(&expected, here.client, &here.owner_key));
    serve(here.old, NULL);
    check_echo();
    seen = here.e.from;
    CHECK_MEM_EQ(&seen, &expected, sizeof seen);
    CHECK_EQ(here.told.count, 0);
    close_server();
    serve(here.new, &s);
    check_echo();
    CHECK_EQ(here.e.calls, 2);
    CHECK_MEM_EQ(&here.e.from, &seen, sizeof seen);
    CHECK_EQ(here.told.count, 1);
    CHECK_MEM_EQ(&here.told.before, &here.old_key, sizeof here.old_key);
    CHECK_MEM_EQ(&here.told.pin.key, &here.new_key, sizeof here.new_key);
    CHECK_EQ(here.told.pin.version, 2);
    CHECK_STR_EQ(here.told.pin.name, NAME);
    check_echo();
    CHECK_EQ(here.told.count, 1);
    tear_down();
}

TEST(messages_to_a_name_without_a_key_share_one_session)
{
    weft_stats stats = {.size = sizeof stats};
    struct fate f[3];
    weft_statement s;

    set_up();
    s = stated(here.owner, &here.new_key, 1);
    pin(NULL, 0);
    serve(here.new, &s);
    for (unsigned i = 0; i < 3; i++) {
        weft_send_params p = fate_params(&pair, &f[i], "echo");

        CHECK_OK(weft_node_send(pair.client, &p, &f[i].id));
    }
    for (unsigned i = 0; i < 3; i++)
        pair_until(&pair, &f[i].outcomes, 1);
    check_echo();
    CHECK_EQ(here.e.calls, 4);
    CHECK_EQ(here.told.count, 1);
    CHECK(weft_key_is_nobody(&here.told.before));
    weft_node_stats(pair.server, &stats);
    CHECK_EQ(stats.sessions_total, 1);
    tear_down();
}

TEST(a_pin_follows_its_owner_alone_and_never_back)
{
    weft_statement s;

    set_up();
    s = stated(here.owner, &here.new_key, 2);
    serve(here.new, &s);
    pin(&here.old_key, 2);
    check_wrong_key();
    pin(&here.old_key, 3);
    check_wrong_key();
    here.owner_key = here.client_key;
    pin(&here.old_key, 1);
    check_wrong_key();
    CHECK_EQ(here.told.count, 0);
    tear_down();
}

/* SPEC 1.12-12 */
TEST(a_pin_does_not_change_before_the_new_key_was_seen_at_work)
{
    weft_statement s;

    set_up();
    s = stated(here.owner, &here.new_key, 2);
    serve(here.old, NULL);
    pin(&here.new_key, 1);
    check_wrong_key(); /* no statement is to be had there, whatever was signed elsewhere */
    CHECK_EQ(here.told.count, 0);
    close_server();
    serve(here.new, &s);
    check_echo(); /* the pin is as it was */
    CHECK_EQ(here.told.count, 0);
    tear_down();
}

TEST(two_names_without_keys_are_not_mixed_up)
{
    weft_pin other;
    weft_statement s;

    set_up();
    s = stated(here.owner, &here.new_key, 1);
    serve(here.new, &s);
    pin(NULL, 0);
    other = pin_of(&here.owner_key, NULL, 0);
    (void)snprintf(other.name, sizeof other.name, "bob");
    CHECK_OK(weft_node_pin(pair.client, &other, on_pin, &here.told));
    check_echo();
    CHECK_EQ(here.told.count, 1);
    memmove(pair.to + 3, strchr(pair.to, '@'), strlen(strchr(pair.to, '@')) + 1);
    memcpy(pair.to, "bob", 3);
    check_wrong_key(); /* the statement there is about alice */
    CHECK_EQ(here.told.count, 1);
    tear_down();
}

TEST(a_node_takes_no_statement_about_another_key)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_node *n = NULL;
    weft_statement s;

    set_up();
    p.identity = here.old;
    p.listen = "127.0.0.1:0";
    s = stated(here.owner, &here.new_key, 2);
    p.statement = &s;
    CHECK_EQ(weft_node_open(&n, &p), WEFT_ERR_USAGE);
    s.key = here.old_key;
    CHECK_EQ(weft_node_open(&n, &p), WEFT_ERR_USAGE); /* not signed so */
    s = stated(here.owner, &here.old_key, 2);
    CHECK_OK(weft_node_open(&n, &p));
    weft_node_close(n);
    tear_down();
}

TEST(a_name_that_is_not_pinned_is_no_peer)
{
    weft_send_params s;
    struct fate f;

    set_up();
    (void)snprintf(pair.to, sizeof pair.to, "%s@127.0.0.1:9", NAME);
    s = fate_params(&pair, &f, "echo");
    CHECK_EQ(weft_node_send(pair.client, &s, &f.id), WEFT_ERR_MALFORMED);
    pin(NULL, 0);
    s.to = NAME "@";
    CHECK_EQ(weft_node_send(pair.client, &s, &f.id), WEFT_ERR_ADDRESS);
    s.to = NAME "@127.0.0.1:0";
    CHECK_EQ(weft_node_send(pair.client, &s, &f.id), WEFT_ERR_ADDRESS);
    s.to = NAME "x@127.0.0.1:9";
    CHECK_EQ(weft_node_send(pair.client, &s, &f.id), WEFT_ERR_MALFORMED);
    tear_down();
}

TEST(a_node_has_at_most_4096_pins_and_none_with_a_bad_name)
{
    weft_pin p;

    set_up();
    p = pin_of(&here.owner_key, NULL, 0);
    for (unsigned i = 0; i < 4096; i++) {
        (void)snprintf(p.name, sizeof p.name, "n%u", i);
        CHECK_OK(weft_node_pin(pair.client, &p, NULL, NULL));
    }
    CHECK_OK(weft_node_pin(pair.client, &p, NULL, NULL)); /* in the place of itself */
    (void)snprintf(p.name, sizeof p.name, NAME);
    CHECK_EQ(weft_node_pin(pair.client, &p, NULL, NULL), WEFT_ERR_LIMIT);
    p.name[0] = '#';
    CHECK_EQ(weft_node_pin(pair.client, &p, NULL, NULL), WEFT_ERR_MALFORMED);
    p.size--;
    CHECK_EQ(weft_node_pin(pair.client, &p, NULL, NULL), WEFT_ERR_USAGE);
    tear_down();
}
