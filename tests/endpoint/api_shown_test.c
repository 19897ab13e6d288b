/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_shown_test.c - what servers see of a client: a key for each of them, which rules can name,
 * and the client's own only where it wants to be known by it.
 */
#include "test.h"

#include "api_pair.h"

static struct pair pair;

static weft_node *node_of(const weft_identity *id, bool show_own_key)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_node *n = NULL;

    p.identity = id;
    p.listen = "127.0.0.1:0";
    p.sessions_max = 64;
    p.show_own_key = show_own_key;
    CHECK_OK(weft_node_open(&n, &p));
    return n;
}

/* A fresh server that lets everybody in and notes who came. */
static void serve(struct echo *e)
{
    pair.server = api_node(NULL);
    pair.server_key = weft_node_key(pair.server);
    api_name(pair.to, pair.server);
    *e = (struct echo){.calls = 0};
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, e));
    CHECK_OK(weft_node_allow(pair.server, NULL, "*"));
}

static void check_echo(const struct echo *e, unsigned calls, const weft_key *from)
{
    struct fate f = ask(&pair, "echo");

    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(e->calls, calls);
    CHECK_MEM_EQ(&e->from, from, sizeof *from);
}

/* SPEC 1.11-1, 1.11-2 */
TEST(two_servers_see_different_keys_and_each_the_same_one_after_a_restart)
{
    weft_identity *id = NULL;
    weft_key shown[2], own;
    struct echo e;

    CHECK_OK(weft_identity_new(&id));
    own = weft_identity_key(id);
    for (int i = 0; i < 2; i++) {
        serve(&e);
        CHECK_OK(weft_identity_key_for(&shown[i], id, &pair.server_key));
        for (unsigned start = 0; start < 2; start++) {
            pair.client = node_of(id, false);
            check_echo(&e, start + 1, &shown[i]);
            weft_node_close(pair.client);
            pair.client = NULL;
        }
        CHECK(memcmp(&shown[i], &own, sizeof own) != 0);
        pair_close(&pair);
    }
    CHECK(memcmp(&shown[0], &shown[1], sizeof shown[0]) != 0);
    weft_identity_free(id);
}

TEST(who_wants_to_be_known_shows_the_own_key)
{
    weft_identity *id = NULL;
    weft_key own, told;
    struct echo e;

    CHECK_OK(weft_identity_new(&id));
    own = weft_identity_key(id);
    serve(&e);
    pair.client = node_of(id, true);
    CHECK_OK(weft_node_key_for(&told, pair.client, &pair.server_key));
    CHECK_MEM_EQ(&told, &own, sizeof own);
    check_echo(&e, 1, &own);
    pair_close(&pair);
    weft_identity_free(id);
}

TEST(who_shows_nothing_is_told_that_nobody_is_seen)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_key told;

    p.anonymous = true;
    p.show_own_key = true;
    pair_open_with(&pair, NULL, &p);
    CHECK_OK(weft_node_key_for(&told, pair.client, &pair.server_key));
    CHECK(weft_key_is_nobody(&told));
    pair_close(&pair);
}

TEST(a_rule_for_the_key_shown_lets_in_and_one_for_the_own_key_does_not)
{
    struct echo e = {.calls = 0};
    struct fate f;
    weft_key own;

    pair_open_with(&pair, NULL, NULL);
    own = weft_node_key(pair.client);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    CHECK_OK(weft_node_allow(pair.server, &own, "*"));
    f = ask(&pair, "echo");
    CHECK_EQ(f.kind, WEFT_FAILED);
    CHECK_EQ(f.err, WEFT_ERR_DENIED);
    CHECK_OK(weft_node_allow(pair.server, &pair.client_key, "echo"));
    check_echo(&e, 1, &pair.client_key);
    pair_close(&pair);
}

TEST(a_server_can_write_to_the_key_it_saw)
{
    struct echo e = {.calls = 0}, back = {.calls = 0};
    char to[WEFT_KEY_TEXT_MAX];
    weft_send_params s;
    struct fate f;

    pair_open(&pair);
    CHECK_OK(weft_node_serve(pair.server, "echo", on_echo, &e));
    CHECK_OK(weft_node_serve(pair.client, "echo", on_echo, &back));
    CHECK_OK(weft_node_allow(pair.client, &pair.server_key, "echo"));
    check_echo(&e, 1, &pair.client_key);
    weft_key_text(to, &e.from);
    s = fate_params(&pair, &f, "echo");
    s.to = to; /* no address: through the session that the client made */
    CHECK_OK(weft_node_send(pair.server, &s, &f.id));
    pair_until(&pair, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_MEM_EQ(&back.from, &pair.server_key, sizeof back.from);
    CHECK_EQ(back.calls, 1);
    pair_close(&pair);
}

/* SPEC 1.11-4 */
TEST(a_node_does_not_call_itself)
{
    struct fate f;
    weft_send_params s;

    pair_open(&pair);
    s = fate_params(&pair, &f, "echo");
    api_name(pair.to, pair.client);
    CHECK_EQ(weft_node_send(pair.client, &s, &f.id), WEFT_ERR_USAGE);
    CHECK_EQ(f.outcomes, 0);
    pair_close(&pair);
}
