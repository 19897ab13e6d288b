/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attacker_test.c - thieves and impostors. Each holds some of the secrets of a handshake and tries
 * to read it, to pose as the client or to pose as the server, against the real ends; then the same
 * attacker meets a protocol with one step left out, and wins. What each set of secrets gives is
 * written down once, as a table.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "party.h"

/* A whole handshake between real ends, and every secret that was in it. */
struct record {
    struct pair p;
    uint8_t e_c[32], ts[32], e2[32];
};

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    pair_server(p);
    wf_adm_tick(p->adm, p->now); /* an e2 is there ahead */
}

static void record_handshake(struct record *r, bool one_way)
{
    struct pair *p = &r->p;

    start(p);
    pair_client(p, one_way);
    pair_to_solve(p);
    memcpy(r->e_c, p->hs->e_c_secret, 32);
    memcpy(r->ts, p->adm->secrets->ts[p->adm->ts_now], 32);
    memcpy(r->e2, p->adm->pool[p->adm->pool_count - 1]->secret, 32);
    CHECK_EQ(pair_to_server(p, p->solve, p->solve_len), WF_ADM_ACCEPT);
    CHECK_OK(pair_make_confirm(p));
    pair_finish(p);
}

enum { E_C = 1, C = 2, TS = 4, S = 8, E2 = 16, SETS = 32 };

static struct secrets secrets_of(const struct record *r, unsigned set)
{
    return (struct secrets){
        .e_c = (set & E_C) != 0 ? r->e_c : NULL,
        .c = (set & C) != 0 ? r->p.client_id.client_secret : NULL,
        .ts = (set & TS) != 0 ? r->ts : NULL,
        .s = (set & S) != 0 ? r->p.server_id.server_secret : NULL,
        .e2 = (set & E2) != 0 ? r->e2 : NULL,
    };
}

static bool has_one_of(unsigned set, unsigned either)
{
    return (set & either) != 0;
}

/* What the thief of these secrets reads: each result of the chain takes one of its two secrets. */
static unsigned readable(unsigned set, bool one_way)
{
    bool box0 = has_one_of(set, E_C | TS);
    bool box1 = box0 && has_one_of(set, E_C | S);
    bool box2 = box1 && (one_way || (has_one_of(set, C | TS) && has_one_of(set, C | S)));
    bool box3 = box2 && has_one_of(set, E_C | E2) && (one_way || has_one_of(set, C | E2));

    return (box0 ? BOX0 : 0u) | (box1 ? BOX1 : 0u) | (box2 ? BOX2 : 0u) | (box3 ? BOX3 : 0u);
}

static void check_thieves(bool one_way)
{
    struct record r;
    struct party thief;

    record_handshake(&r, one_way);
    for (unsigned set = 0; set < SETS; set++) {
        test_note("secrets %02x, one-way %d", set, one_way);
        party_init(&thief, &r.p, secrets_of(&r, set));
        party_read_solve(&thief, r.p.solve, r.p.solve_len);
        party_read_confirm(&thief, r.p.confirm, r.p.confirm_len);
        CHECK_EQ(thief.opened, readable(set, one_way));
        CHECK_EQ(party_agrees(&thief, &r.p.server_secrets), (thief.opened & BOX3) != 0);
    }
    pair_free(&r.p);
}

TEST(each_set_of_stolen_secrets_opens_what_the_table_says_and_no_box_more)
{
    check_thieves(false);
    check_thieves(true);
}

/* --- the same thieves where one step is left out --- */

static const uint8_t own_e_c[32] = {11}, own_e2[32] = {12};

/* The flights of two parties that leave the same things out. */
struct weak {
    struct party client, server;
    uint8_t solve[WF_SOLVE_MAX], confirm[WF_SOLVE_MAX];
    size_t solve_len, confirm_len;
};

static void weak_init(struct weak *w, const struct pair *p, const struct omit *omit)
{
    const struct secrets client = {.e_c = own_e_c, .c = p->client_id.client_secret};
    const struct secrets server = {
        .ts = p->adm->secrets->ts[p->adm->ts_now], .s = p->server_id.server_secret, .e2 = own_e2};

    party_init(&w->client, p, client);
    party_init(&w->server, p, server);
    w->client.omit = *omit;
    w->server.omit = *omit;
}

static void weak_handshake(struct weak *w, const struct pair *p, const struct omit *omit)
{
    struct wf_session_secrets roots;

    weak_init(w, p, omit);
    w->solve_len = party_write_solve(&w->client, w->solve);
    CHECK_EQ(party_read_solve(&w->server, w->solve, w->solve_len), BOXES_OF_SOLVE);
    w->confirm_len = party_write_confirm(&w->server, w->confirm);
    party_read_confirm(&w->client, w->confirm, w->confirm_len);
    CHECK(w->client.opened & BOX3);
    wf_schedule_split(&w->server.schedule, &roots);
    CHECK(party_agrees(&w->client, &roots));
}

/* Leaving nothing out is our protocol: the parties of these tests speak it with the real ends. */
TEST(a_party_that_leaves_nothing_out_agrees_with_the_real_client_and_server)
{
    struct pair p;
    struct weak w;
    const struct omit nothing = {0};

    start(&p);
    pair_meet(&p);
    weak_init(&w, &p, &nothing);
    size_t len = party_write_solve(&w.client, w.solve);
    CHECK_EQ(pair_to_server(&p, w.solve, len), WF_ADM_ACCEPT);
    CHECK_MEM_EQ(p.result.peer, p.client_id.public_key, 32);
    CHECK_OK(pair_make_confirm(&p));
    party_read_confirm(&w.client, p.confirm, p.confirm_len);
    CHECK(party_agrees(&w.client, &p.server_secrets));

    pair_to_client(&p, p.challenge, p.challenge_len);
    pair_make_solve(&p);
    CHECK_EQ(party_read_solve(&w.server, p.solve, p.solve_len), BOXES_OF_SOLVE);
    p.confirm_len = party_write_confirm(&w.server, p.confirm);
    pair_finish(&p);
    CHECK(party_agrees(&w.server, &p.client.secrets));
    pair_free(&p);
}

TEST(each_result_of_the_chain_keeps_out_a_thief_who_reads_without_it)
{
    static const struct {
        struct omit omit;
        unsigned set, box;
    } cases[] = {
        {{.ee = true}, 0, BOX0},          {{.es = true}, TS, BOX1},
        {{.se = true}, E_C | S, BOX2},    {{.ss = true}, E_C | TS, BOX2},
        {{.e2 = true}, C | TS | S, BOX3}, {{.ce = true}, E_C | TS | S, BOX3},
    };
    struct record r;
    struct weak w;

    record_handshake(&r, false);
    memcpy(r.e_c, own_e_c, 32);
    memcpy(r.e2, own_e2, 32);
    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct party thief;
        test_note("case %zu", i);
        CHECK_EQ(readable(cases[i].set, false) & cases[i].box, 0);
        weak_handshake(&w, &r.p, &cases[i].omit);
        party_init(&thief, &r.p, secrets_of(&r, cases[i].set));
        thief.omit = cases[i].omit;
        party_read_solve(&thief, w.solve, w.solve_len);
        party_read_confirm(&thief, w.confirm, w.confirm_len);
        CHECK(thief.opened & cases[i].box);
    }
    pair_free(&r.p);
}

/* --- posing as a client --- */

/* Who has these secrets, and an ephemeral of its own, says to be the client. */
static void impostor_init(struct party *t, struct record *r, unsigned set)
{
    struct secrets has = secrets_of(r, set);

    has.e_c = own_e_c;
    party_init(t, &r->p, has);
}

/* A server's transient key and its durable secret together let in an impostor's SOLVE; even he does
 * not get the session, which takes the client's secret. */
TEST(only_the_clients_secret_or_both_of_the_servers_get_a_solve_accepted_in_its_name)
{
    struct record r;

    record_handshake(&r, false);
    for (unsigned set = 0; set <= (C | TS | S); set += C) {
        struct party impostor;
        uint8_t solve[WF_SOLVE_MAX];
        bool has_c = (set & C) != 0;
        bool has_both = (set & TS) != 0 && (set & S) != 0;

        test_note("secrets %02x", set);
        pair_meet(&r.p);
        impostor_init(&impostor, &r, set);
        size_t len = party_write_solve(&impostor, solve);
        enum wf_adm_kind kind = pair_to_server(&r.p, solve, len);
        CHECK_EQ(kind, has_c || has_both ? WF_ADM_ACCEPT : WF_ADM_DROP);
        if (kind != WF_ADM_ACCEPT)
            continue;
        CHECK_OK(pair_make_confirm(&r.p));
        party_read_confirm(&impostor, r.p.confirm, r.p.confirm_len);
        CHECK_EQ((impostor.opened & BOX3) != 0, has_c);
        CHECK_EQ(party_agrees(&impostor, &r.p.server_secrets), has_c);
    }
    pair_free(&r.p);
}

/* True when a server that leaves this out takes the impostor for the client. */
static bool weak_server_believes(struct record *r, unsigned set, const struct omit *omit)
{
    struct party impostor;
    struct weak w;

    weak_init(&w, &r->p, omit);
    impostor_init(&impostor, r, set);
    impostor.omit = *omit;
    memset(w.server.client_key, 0, 32);
    size_t len = party_write_solve(&impostor, w.solve);
    return party_read_solve(&w.server, w.solve, len) == BOXES_OF_SOLVE &&
           memcmp(w.server.client_key, r->p.client_id.public_key, 32) == 0;
}

TEST(without_se_a_stolen_server_key_and_without_ss_a_stolen_ts_pose_as_any_client)
{
    const struct omit nothing = {0}, se = {.se = true}, ss = {.ss = true};
    struct record r;

    record_handshake(&r, false);
    CHECK(weak_server_believes(&r, S, &se));
    CHECK(weak_server_believes(&r, TS, &ss));
    CHECK(!weak_server_believes(&r, S, &nothing));
    CHECK(!weak_server_believes(&r, TS, &nothing));
    pair_free(&r.p);
}

TEST(without_ce_who_stole_both_keys_of_a_server_gets_whole_sessions_as_any_client)
{
    const struct omit nothing = {0}, ce = {.ce = true};
    const struct omit *const cases[] = {&ce, &nothing};
    struct record r;

    record_handshake(&r, false);
    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct party impostor;
        struct weak w;
        weak_init(&w, &r.p, cases[i]);
        impostor_init(&impostor, &r, TS | S);
        impostor.omit = *cases[i];
        size_t len = party_write_solve(&impostor, w.solve);
        CHECK_EQ(party_read_solve(&w.server, w.solve, len), BOXES_OF_SOLVE);
        len = party_write_confirm(&w.server, w.confirm);
        party_read_confirm(&impostor, w.confirm, len);
        CHECK_EQ((impostor.opened & BOX3) != 0, cases[i] == &ce);
    }
    pair_free(&r.p);
}

/* --- posing as a server --- */

/* A CHALLENGE for points of the attacker's, if he can sign in the server's name. */
static void sign_points(struct pair *p, const uint8_t ts[32], const uint8_t s[32],
                        const struct wf_identity *signer)
{
    struct wf_challenge c;
    uint8_t copy[WF_CHALLENGE_MAX];
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];

    memcpy(copy, p->challenge, sizeof copy);
    CHECK_OK(wf_challenge_get(wf_span(copy, p->challenge_len), &c));
    wf_dh_public(c.ts, ts);
    wf_dh_public(c.server_dh, s);
    size_t len = wf_challenge_message(message, signer->public_key, &c);
    wf_sign(c.signature, signer->sign_secret, wf_span(message, len));
    pair_lay_challenge(p, &c);
}

/* True when the real client takes the CONFIRM of who has these secrets for its server's. */
static bool client_believes(struct record *r, struct secrets has)
{
    struct party impostor;
    struct pair *p = &r->p;

    has.e_c = NULL;
    has.e2 = own_e2;
    pair_to_client(p, p->challenge, p->challenge_len);
    pair_make_solve(p);
    party_init(&impostor, p, has);
    party_read_solve(&impostor, p->solve, p->solve_len);
    p->confirm_len = party_write_confirm(&impostor, p->confirm);
    pair_to_client(p, p->confirm, p->confirm_len);
    if (wf_hs_state(p->hs) != WF_HS_DONE)
        return false;
    CHECK_OK(wf_hs_result(p->hs, &p->client));
    CHECK(party_agrees(&impostor, &p->client.secrets));
    return true;
}

/* A client whose own secret is stolen can still be sure of its server. */
TEST(only_both_keys_of_a_server_or_its_signature_let_anybody_pose_as_it)
{
    static const uint8_t own_ts[32] = {13}, own_s[32] = {14};
    struct record r;

    record_handshake(&r, false);
    for (unsigned set = 0; set <= (C | TS | S); set += C) {
        test_note("secrets %02x", set);
        pair_meet(&r.p);
        CHECK_EQ(client_believes(&r, secrets_of(&r, set)), (set & TS) != 0 && (set & S) != 0);
    }
    struct secrets has = {.ts = own_ts, .s = own_s};
    pair_meet(&r.p);
    sign_points(&r.p, own_ts, own_s, &r.p.server_id);
    CHECK(client_believes(&r, has));
    pair_free(&r.p);
}

TEST(without_ee_and_es_a_stolen_client_key_would_let_its_thief_pose_as_any_server)
{
    const struct omit nothing = {0}, ee_es = {.ee = true, .es = true};
    const struct omit *const cases[] = {&ee_es, &nothing};
    struct record r;

    record_handshake(&r, false);
    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct party impostor;
        struct weak w;
        struct secrets has = secrets_of(&r, C);
        has.e2 = own_e2;
        weak_init(&w, &r.p, cases[i]);
        w.solve_len = party_write_solve(&w.client, w.solve);
        party_init(&impostor, &r.p, has);
        impostor.omit = *cases[i];
        party_read_solve(&impostor, w.solve, w.solve_len);
        size_t len = party_write_confirm(&impostor, w.confirm);
        party_read_confirm(&w.client, w.confirm, len);
        CHECK_EQ((w.client.opened & BOX3) != 0, cases[i] == &ee_es);
    }
    pair_free(&r.p);
}

/* --- who is the client? --- */

static bool contains(const uint8_t *data, size_t len, const uint8_t *needle, size_t needle_len)
{
    for (size_t i = 0; i + needle_len <= len; i++) {
        if (memcmp(data + i, needle, needle_len) == 0)
            return true;
    }
    return false;
}

/* Whether anything that can be computed tells this key from another, from outside or with `set`. */
static bool recognises(struct record *r, unsigned set, const struct wf_identity *candidate)
{
    struct party t;

    party_init(&t, &r->p, secrets_of(r, set));
    memcpy(t.client_key, candidate->public_key, 32);
    memcpy(t.client_dh, candidate->client_public, 32);
    party_read_solve(&t, r->p.solve, r->p.solve_len);
    party_read_confirm(&t, r->p.confirm, r->p.confirm_len);
    return (t.opened & ~(unsigned)BOX0) != 0;
}

TEST(a_watcher_and_an_impostor_with_one_key_of_the_server_do_not_learn_who_calls)
{
    static const unsigned sets[] = {0, TS, S, E2, TS | E2, S | E2};
    struct record r;

    record_handshake(&r, false);
    for (size_t i = 0; i < WF_ARRAY_LEN(sets); i++) {
        test_note("secrets %02x", sets[i]);
        CHECK(!recognises(&r, sets[i], &r.p.client_id));
        CHECK(!recognises(&r, sets[i], &r.p.server_id));
    }
    CHECK(recognises(&r, TS | S, &r.p.client_id)); /* the server itself, of course */
    const uint8_t *const keys[] = {r.p.client_id.public_key, r.p.client_id.client_public};
    for (size_t i = 0; i < WF_ARRAY_LEN(keys); i++) {
        CHECK(!contains(r.p.hello, sizeof r.p.hello, keys[i], 4));
        CHECK(!contains(r.p.solve, r.p.solve_len, keys[i], 4));
        CHECK(!contains(r.p.confirm, r.p.confirm_len, keys[i], 4));
    }
    pair_free(&r.p);
}

/* Whoever signs with another key gets no SOLVE, and so nothing to read. */
TEST(a_false_server_with_a_key_of_its_own_gets_no_solve)
{
    static const uint8_t own_ts[32] = {13}, own_s[32] = {14}, seed[32] = {15};
    struct pair p;
    struct wf_identity mallory;

    start(&p);
    CHECK_OK(wf_identity_init(&mallory, seed));
    pair_meet(&p);
    sign_points(&p, own_ts, own_s, &mallory);
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);
    pair_free(&p);
}

TEST(without_es_a_stolen_ts_and_without_ee_a_stolen_server_key_show_who_calls)
{
    static const struct {
        struct omit omit;
        unsigned set;
    } cases[] = {{{.es = true}, TS}, {{.ee = true}, S}, {{.ee = true, .es = true}, 0}};
    struct record r;

    record_handshake(&r, false);
    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct party thief;
        struct weak w;
        test_note("case %zu", i);
        weak_handshake(&w, &r.p, &cases[i].omit);
        party_init(&thief, &r.p, secrets_of(&r, cases[i].set));
        thief.omit = cases[i].omit;
        memset(thief.client_key, 0, 32);
        party_read_solve(&thief, w.solve, w.solve_len);
        CHECK(thief.opened & BOX1);
        CHECK_MEM_EQ(thief.client_key, r.p.client_id.public_key, 32);
    }
    pair_free(&r.p);
}

/* The server that a one-way client talks to reads nothing of it either, nor the same thing twice.
 */
TEST(a_one_way_client_shows_its_own_server_nothing_that_comes_again)
{
    struct record r;
    uint8_t seen[2][32];

    record_handshake(&r, true);
    for (size_t i = 0; i < 2; i++) {
        struct party server;
        pair_client(&r.p, true);
        pair_to_solve(&r.p);
        party_init(&server, &r.p, secrets_of(&r, TS | S));
        CHECK_EQ(party_read_solve(&server, r.p.solve, r.p.solve_len), BOXES_OF_SOLVE);
        memcpy(seen[i], server.plain[1], 32);
        CHECK(memcmp(seen[i], r.p.client_id.public_key, 32) != 0);
    }
    CHECK(memcmp(seen[0], seen[1], 32) != 0);
    pair_free(&r.p);
}

/* --- what was recorded, and everything stolen later --- */

/* Every 32 bytes of this memory as a transient secret. */
static bool memory_opens(struct record *r, const void *memory, size_t len)
{
    const uint8_t *at = memory;

    for (size_t i = 0; i + 32 <= len; i++) {
        struct party thief;
        struct secrets has = secrets_of(r, C | S);
        has.ts = at + i;
        party_init(&thief, &r->p, has);
        if ((party_read_solve(&thief, r->p.solve, r->p.solve_len) & BOX0) != 0) {
            CHECK_EQ(thief.opened, BOXES_OF_SOLVE);
            return true;
        }
    }
    return false;
}

static bool server_opens_recording(struct record *r)
{
    const struct wf_adm *a = r->p.adm;

    return memory_opens(r, a->secrets, sizeof *a->secrets) || memory_opens(r, a, sizeof *a);
}

TEST(once_ts_is_erased_nothing_a_server_holds_opens_a_recorded_solve)
{
    struct record r;
    weft_time end;

    record_handshake(&r, false);
    end = r.p.now + WF_ADM_TS_LIFE_US + WF_ADM_TS_GRACE_US;
    CHECK(server_opens_recording(&r)); /* the search finds what is there */
    for (; r.p.now <= end; r.p.now += 10 * PAIR_SECOND)
        wf_adm_tick(r.p.adm, r.p.now);
    CHECK(!server_opens_recording(&r));
    pair_free(&r.p);
}

/* From CONFIRM on at once: neither end keeps what the session's roots came from. */
TEST(all_durable_and_transient_secrets_together_do_not_open_what_follows_confirm)
{
    struct record r;
    struct party thief;

    record_handshake(&r, false);
    party_init(&thief, &r.p, secrets_of(&r, C | TS | S));
    CHECK_EQ(party_read_solve(&thief, r.p.solve, r.p.solve_len), BOXES_OF_SOLVE);
    CHECK_EQ(party_read_confirm(&thief, r.p.confirm, r.p.confirm_len), BOXES_OF_SOLVE);
    CHECK(!party_agrees(&thief, &r.p.server_secrets));
    CHECK(!contains((const uint8_t *)r.p.hs, sizeof *r.p.hs, r.e_c, 32));
    CHECK(!contains((const uint8_t *)r.p.adm->secrets, sizeof *r.p.adm->secrets, r.e2, 32));
    pair_free(&r.p);
}

/* --- one session, one set of keys --- */

/* A generator that goes back to where it was: a machine that was cloned. */
static void handshake_from(struct pair *p, struct wf_rng *client, struct wf_rng *server)
{
    p->hs_config.rng = client;
    p->adm_config.rng = server;
    pair_server(p);
    pair_client(p, false);
    pair_to_confirm(p);
    pair_finish(p);
    CHECK(pair_agrees(p));
}

TEST(one_end_with_random_bytes_of_its_own_is_enough_for_fresh_roots)
{
    struct wf_session_secrets first;
    struct pair p;

    for (unsigned cloned = 0; cloned < 2; cloned++) { /* the client, then the server */
        start(&p);
        for (uint64_t i = 0; i < 20; i++) {
            handshake_from(&p, test_rng(cloned == 0 ? 7 : 100 + i),
                           test_rng(cloned == 1 ? 7 : 200 + i));
            if (i == 0) {
                first = p.client.secrets;
            } else {
                CHECK(memcmp(first.root_c2s, p.client.secrets.root_c2s, 32) != 0);
                CHECK(memcmp(first.root_s2c, p.client.secrets.root_s2c, 32) != 0);
                CHECK(memcmp(first.transcript, p.client.secrets.transcript, 32) != 0);
            }
        }
        pair_free(&p);
    }
}

TEST(without_e2_and_the_random_bytes_of_confirm_a_repeated_solve_would_repeat_its_roots)
{
    const struct omit omit = {.e2 = true, .ce = true, .flights = true};
    struct record r;
    struct weak a, b;
    struct wf_session_secrets roots;

    record_handshake(&r, false);
    weak_handshake(&a, &r.p, &omit);
    weak_init(&b, &r.p, &omit);
    b.server.has.e2 = r.e2; /* another one */
    CHECK_EQ(party_read_solve(&b.server, a.solve, a.solve_len), BOXES_OF_SOLVE);
    party_write_confirm(&b.server, b.confirm);
    wf_schedule_split(&b.server.schedule, &roots);
    CHECK(party_agrees(&a.client, &roots));
    pair_free(&r.p);
}
