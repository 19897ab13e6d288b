/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confusion_test.c - attackers who break no key and want two ends to disagree: about who is there,
 * in which mode, in which role, about what was offered. Each plays against the real ends first, and
 * then against parties (party.h) that leave out what stops him, where he wins.
 */
#include "test.h"

#include <sodium.h>

#define PAIR_MUST(cond) CHECK(cond)
#include "party.h"
#include "wire/packet.h"

static const uint8_t own_e_c[32] = {11}, own_e2[32] = {12}, mallory_seed[32] = {66};

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    p->adm_config.table_max = 4096;
    pair_server(p);
}

static struct secrets client_secrets(const struct pair *p)
{
    return (struct secrets){.e_c = own_e_c, .c = p->client_id.client_secret};
}

static struct secrets server_secrets(const struct pair *p)
{
    return (struct secrets){
        .ts = p->adm->secrets->ts[p->adm->ts_now], .s = p->server_id.server_secret, .e2 = own_e2};
}

static void weak_server(struct party *t, const struct pair *p, const struct omit *omit)
{
    party_init(t, p, server_secrets(p));
    t->omit = *omit;
    memset(t->client_key, 0, 32); /* has to learn it */
}

/* Both hold the same roots at the end. */
static bool weak_agree(struct party *client, struct party *server)
{
    uint8_t confirm[WF_SOLVE_MAX];
    struct wf_session_secrets roots;
    size_t len = party_write_confirm(server, confirm);

    party_read_confirm(client, confirm, len);
    wf_schedule_split(&server->schedule, &roots);
    return (client->opened & BOX3) != 0 && party_agrees(client, &roots);
}

/* --- unknown key share --- */

/* Signs the points of a true CHALLENGE as if they were the signer's own. */
static void sign_again(struct pair *p, const struct wf_identity *signer)
{
    struct wf_challenge c;
    uint8_t copy[WF_CHALLENGE_MAX];
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];

    memcpy(copy, p->challenge, sizeof copy);
    CHECK_OK(wf_challenge_get(wf_span(copy, p->challenge_len), &c));
    size_t len = wf_challenge_message(message, signer->public_key, &c);
    wf_sign(c.signature, signer->sign_secret, wf_span(message, len));
    pair_lay_challenge(p, &c);
}

/* The client calls Mallory, who signs the points of the true server and passes everything on. */
TEST(a_server_does_not_take_for_its_own_who_called_another_that_signed_its_points)
{
    struct wf_identity mallory;
    struct pair p;

    CHECK_OK(wf_identity_init(&mallory, mallory_seed));
    for (int hides_prefix = 0; hides_prefix <= 1; hides_prefix++) {
        start(&p);
        memcpy(p.hs_config.server_key, mallory.public_key, 32);
        pair_client(&p, false);
        pair_say_hello(&p);
        if (hides_prefix)
            memcpy(p.hello + 4, p.server_id.prefix, 4);
        pair_get_challenge(&p);
        sign_again(&p, &mallory);
        pair_to_client(&p, p.challenge, p.challenge_len);
        pair_make_solve(&p);
        if (hides_prefix)
            memcpy(p.solve + 28, p.server_id.prefix, 4);
        stamp_solve(p.solve, p.solve_len);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_box, hides_prefix);
        CHECK_EQ(pair_stats(&p).solve_bad_prefix, !hides_prefix);
        pair_free(&p);
    }
}

TEST(without_the_server_in_transcript_and_box0_that_attacker_makes_them_disagree)
{
    const struct omit omit = {.server_key = true, .flights = true};
    struct wf_identity mallory;
    struct party client, server;
    struct pair p;
    uint8_t solve[WF_SOLVE_MAX];

    CHECK_OK(wf_identity_init(&mallory, mallory_seed));
    start(&p);
    pair_meet(&p);
    party_init(&client, &p, client_secrets(&p));
    client.omit = omit;
    memcpy(client.server_key, mallory.public_key, 32);
    weak_server(&server, &p, &omit);
    size_t len = party_write_solve(&client, solve);
    CHECK_EQ(party_read_solve(&server, solve, len), BOXES_OF_SOLVE);
    CHECK(weak_agree(&client, &server));
    CHECK_MEM_EQ(server.client_key, p.client_id.public_key, 32);
    CHECK_MEM_EQ(server.plain[0] + 1, mallory.public_key, 32); /* and box0 alone tells it */
    pair_free(&p);
}

/* Mallory puts her own name into the SOLVE of the client, whose ephemeral she keeps. */
static size_t usurp(struct party *t, const struct pair *p, const struct wf_identity *mallory,
                    const uint8_t e_c[32], uint8_t *out)
{
    const struct secrets has = {.c = mallory->client_secret};
    struct omit omit = t->omit;

    party_init(t, p, has);
    t->omit = omit;
    memcpy(t->e_c, e_c, 32);
    memcpy(t->client_key, mallory->public_key, 32);
    memcpy(t->client_dh, mallory->client_public, 32);
    return party_write_solve(t, out);
}

TEST(nobody_can_put_his_own_name_into_the_solve_of_another)
{
    struct wf_identity mallory;
    struct party t = {0};
    struct pair p;
    uint8_t solve[WF_SOLVE_MAX];

    CHECK_OK(wf_identity_init(&mallory, mallory_seed));
    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    size_t len = usurp(&t, &p, &mallory, p.solve + 64, solve);
    CHECK_EQ(pair_to_server(&p, solve, len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_MEM_EQ(p.result.peer, p.client_id.public_key, 32);
    pair_free(&p);
}

TEST(without_the_clients_results_and_name_in_the_chain_she_can)
{
    const struct omit omit = {.ee = true,
                              .es = true,
                              .se = true,
                              .ss = true,
                              .ce = true,
                              .flights = true,
                              .boxes = true,
                              .client_key = true};
    struct wf_identity mallory;
    struct party client, server, t = {.omit = omit};
    struct pair p;
    uint8_t solve[WF_SOLVE_MAX];

    CHECK_OK(wf_identity_init(&mallory, mallory_seed));
    start(&p);
    pair_meet(&p);
    party_init(&client, &p, client_secrets(&p));
    client.omit = omit;
    party_write_solve(&client, solve);
    weak_server(&server, &p, &omit);
    size_t len = usurp(&t, &p, &mallory, client.e_c, solve);
    CHECK_EQ(party_read_solve(&server, solve, len), BOXES_OF_SOLVE);
    CHECK_MEM_EQ(server.client_key, mallory.public_key, 32);
    CHECK(weak_agree(&client, &server));
    pair_free(&p);
}

/* --- modes --- */

/* Who has a stolen t_s can read box0 and seal another in its place. */
static void turn_mode(struct party *thief, uint8_t *solve, size_t len)
{
    struct wf_solve s;
    uint8_t plain[1 + 32];
    uint8_t *box0;

    CHECK_OK(wf_solve_get(wf_span(solve, len), &s));
    CHECK(party_read_solve(thief, solve, len) & BOX0);
    memcpy(plain, thief->plain[0], sizeof plain);
    plain[0] = plain[0] == WF_MODE_ONE_WAY ? WF_MODE_TWO_WAY : WF_MODE_ONE_WAY;
    box0 = solve + (s.box0.data - solve);
    party_start(thief, s.clear);
    party_seal(thief, 0, wf_span(plain, sizeof plain), box0);
    stamp_solve(solve, len);
}

TEST(with_a_stolen_ts_nobody_turns_one_mode_into_the_other)
{
    struct pair p;

    start(&p);
    for (int one_way = 0; one_way <= 1; one_way++) {
        struct party thief;
        struct secrets has = {0};
        pair_client(&p, one_way);
        pair_to_solve(&p);
        has.ts = p.adm->secrets->ts[p.adm->ts_now];
        party_init(&thief, &p, has);
        uint8_t turned[WF_SOLVE_MAX];
        memcpy(turned, p.solve, sizeof turned);
        turn_mode(&thief, turned, p.solve_len);
        CHECK_EQ(pair_to_server(&p, turned, p.solve_len), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_box, one_way + 1);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
        CHECK_EQ(p.result.one_way, one_way);
    }
    pair_free(&p);
}

/* What ties the mode to the rest, all of it: the transcript, and steps of its own for each mode. */
static const struct omit no_mode = {.boxes = true,
                                    .mode = true,
                                    .client_key = true,
                                    .se = true,
                                    .ss = true,
                                    .ce = true,
                                    .one_way = true};

/* A client that shows its key is taken for nobody; and a client that shows none, but whose box1
 * names somebody, for that somebody. */
TEST(without_the_mode_in_transcript_and_chain_a_stolen_ts_turns_it)
{
    struct pair p;

    start(&p);
    for (int one_way = 0; one_way <= 1; one_way++) {
        struct party client, server, thief;
        struct secrets has = {0};
        uint8_t solve[WF_SOLVE_MAX];
        pair_meet(&p);
        p.one_way = one_way;
        party_init(&client, &p, client_secrets(&p));
        client.omit = no_mode;
        size_t len = party_write_solve(&client, solve);
        has.ts = p.adm->secrets->ts[p.adm->ts_now];
        party_init(&thief, &p, has);
        thief.omit = no_mode;
        turn_mode(&thief, solve, len);
        weak_server(&server, &p, &no_mode);
        CHECK_EQ(party_read_solve(&server, solve, len), BOXES_OF_SOLVE);
        CHECK_EQ(server.mode, one_way ? WF_MODE_TWO_WAY : WF_MODE_ONE_WAY);
        CHECK(weak_agree(&client, &server));
        CHECK_EQ(memcmp(server.client_key, p.client_id.public_key, 32) == 0, one_way);
    }
    pair_free(&p);
}

/* The attacker of that test as a client: it names a victim in one mode and proves in the other. */
TEST(who_names_a_victim_and_proves_as_nobody_is_refused_in_both_modes)
{
    struct pair p;

    start(&p);
    for (int says_one_way = 0; says_one_way <= 1; says_one_way++) {
        struct party t;
        struct secrets has = {.e_c = own_e_c};
        uint8_t solve[WF_SOLVE_MAX];
        pair_meet(&p);
        p.one_way = true;
        party_init(&t, &p, has); /* box1 names the victim */
        size_t len = party_write_solve(&t, solve);
        if (!says_one_way) {
            struct party with_e_c = t;
            turn_mode(&with_e_c, solve, len);
        }
        enum wf_adm_kind kind = pair_to_server(&p, solve, len);
        CHECK_EQ(kind, says_one_way ? WF_ADM_ACCEPT : WF_ADM_DROP);
        CHECK(kind == WF_ADM_DROP || wf_is_zero_ct(p.result.peer, 32)); /* nobody, not the victim */
    }
    pair_free(&p);
}

/* --- reflection --- */

/* The last box of SOLVE, in the shape of a CONFIRM. */
static size_t reflect(const struct pair *p, const uint8_t *solve, size_t len, uint8_t *out)
{
    struct wf_confirm clear = {0};
    struct wf_solve s;

    CHECK_OK(wf_solve_get(wf_span(solve, len), &s));
    memcpy(clear.cid, pair_client_cid, sizeof clear.cid);
    memcpy(clear.e2, p->server_id.server_public, 32); /* any point */
    size_t at = wf_confirm_put_clear(&clear, out, WF_SOLVE_MAX);
    memcpy(out + at, s.box2.data, s.box2.len);
    return at + s.box2.len;
}

TEST(a_box_of_solve_does_not_come_back_as_a_confirm)
{
    const struct omit omit = {.flights = true, .boxes = true, .e2 = true, .ce = true};
    struct party client;
    struct pair p;
    uint8_t solve[WF_SOLVE_MAX], confirm[WF_SOLVE_MAX];

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    size_t len = reflect(&p, p.solve, p.solve_len, confirm);
    pair_to_client(&p, confirm, len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);

    /* With the same key and transcript for both directions it would. */
    party_init(&client, &p, client_secrets(&p));
    client.omit = omit;
    len = reflect(&p, solve, party_write_solve(&client, solve), confirm);
    party_read_confirm(&client, confirm, len);
    CHECK(client.opened & BOX3);
    pair_free(&p);
}

/* Whether `to` opens a packet that `from` sealed. */
static bool passes(struct pair *p, struct wf_keys *from, struct wf_keys *to)
{
    static const uint8_t cid[WF_CID_LEN] = {1};
    uint8_t buf[64] = {0};
    struct wf_replay rx;
    uint64_t n = from->sealed_last + 1;
    size_t header_len = wf_packet_put_header(buf, wf_keys_first_byte(from), cid, n, 1);
    struct wf_seal seal = {.buf = buf, .header_len = header_len, .frames_len = 20, .number = n};
    struct wf_open open = {.packet = buf, .len = header_len + 20 + WF_AEAD_TAG_LEN};

    wf_replay_init(&rx, NULL);
    wf_keys_seal(from, p->aead, &seal, 1);
    return wf_keys_open(to, &rx, p->aead, &open, 1) == 1;
}

TEST(a_packet_does_not_come_back_to_its_sender_since_each_direction_has_its_root)
{
    struct wf_keys client, server;
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    wf_keys_init(&client, WF_ROLE_CLIENT, WF_AEAD_XCHACHA20_POLY1305, &p.client.secrets);
    wf_keys_init(&server, WF_ROLE_SERVER, WF_AEAD_XCHACHA20_POLY1305, &p.server_secrets);
    CHECK(passes(&p, &client, &server));
    CHECK(passes(&p, &server, &client));
    CHECK(!passes(&p, &client, &client));
    CHECK(!passes(&p, &server, &server));

    memcpy(p.client.secrets.root_s2c, p.client.secrets.root_c2s, 32);
    wf_keys_init(&client, WF_ROLE_CLIENT, WF_AEAD_XCHACHA20_POLY1305, &p.client.secrets);
    CHECK(passes(&p, &client, &client)); /* with one root for both it would */
    pair_free(&p);
}

/* --- ourselves --- */

/* A node that serves under the key that it calls with. p->hs_config still names another. */
static void start_own_server(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    p->server_id = p->client_id;
    pair_server(p);
}

TEST(a_hello_that_is_led_back_to_its_own_node_ends_there)
{
    struct party client;
    struct pair p;
    uint8_t solve[WF_SOLVE_MAX];

    start_own_server(&p);
    pair_meet(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);

    /* Nor would it get further if it did not look at the signature: prefix and box0 name another.
     */
    memset(p.hello + 4, 0, 4);
    pair_get_challenge(&p);
    party_init(&client, &p, client_secrets(&p));
    memcpy(client.server_key, p.hs_config.server_key, 32);
    size_t len = party_write_solve(&client, solve);
    CHECK_EQ(pair_to_server(&p, solve, len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
    pair_free(&p);
}

TEST(without_names_in_the_transcript_a_node_would_take_itself_for_another)
{
    const struct omit omit = {.server_key = true, .flights = true};
    struct party client, server;
    struct pair p;
    uint8_t solve[WF_SOLVE_MAX];

    start_own_server(&p);
    pair_meet(&p);
    party_init(&client, &p, client_secrets(&p));
    client.omit = omit;
    memcpy(client.server_key, p.hs_config.server_key, 32);
    weak_server(&server, &p, &omit);
    size_t len = party_write_solve(&client, solve);
    CHECK_EQ(party_read_solve(&server, solve, len), BOXES_OF_SOLVE);
    CHECK(weak_agree(&client, &server));
    CHECK_MEM_EQ(server.client_key, p.server_id.public_key, 32);
    pair_free(&p);
}

TEST(a_session_with_ourselves_fits_together_and_is_refused_for_its_names_alone)
{
    const struct omit nothing = {0};
    struct party client, server;
    struct pair p;
    uint8_t solve[WF_SOLVE_MAX];

    start_own_server(&p);
    memcpy(p.hs_config.server_key, p.server_id.public_key, 32);
    struct wf_hs *hs = NULL;
    p.hs_config.identity = &p.client_id;
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_USAGE);

    pair_client(&p, true); /* a HELLO is all that is wanted of it */
    pair_say_hello(&p);
    pair_get_challenge(&p);
    p.one_way = false;
    party_init(&client, &p, client_secrets(&p));
    size_t len = party_write_solve(&client, solve);
    CHECK_EQ(pair_to_server(&p, solve, len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_key, 1);
    weak_server(&server, &p, &nothing); /* parties do not compare names */
    CHECK_EQ(party_read_solve(&server, solve, len), BOXES_OF_SOLVE);
    CHECK(weak_agree(&client, &server));
    pair_free(&p);
}

/* --- roles --- */

/* What becomes of a SOLVE in this name with this as the client's secret. */
static enum wf_adm_kind call_as(struct pair *p, const struct wf_identity *name, const uint8_t *c)
{
    const struct secrets has = {.e_c = own_e_c, .c = c};
    struct party t;
    uint8_t solve[WF_SOLVE_MAX];

    pair_meet(p);
    party_init(&t, p, has);
    memcpy(t.client_key, name->public_key, 32);
    memcpy(t.client_dh, name->client_public, 32);
    size_t len = party_write_solve(&t, solve);
    return pair_to_server(p, solve, len);
}

TEST(who_stole_the_key_of_a_servers_role_cannot_call_in_its_name)
{
    struct wf_identity victim;
    struct pair p;

    CHECK_OK(wf_identity_init(&victim, mallory_seed));
    start(&p);
    CHECK_EQ(call_as(&p, &victim, victim.server_secret), WF_ADM_DROP);
    CHECK_EQ(call_as(&p, &victim, victim.client_secret), WF_ADM_ACCEPT); /* as one key would */
    pair_free(&p);
}

/* The Ed25519 key whose map is S: sent as a client's, it has no se. */
TEST(nobody_calls_with_the_key_of_a_servers_role)
{
    struct wf_identity s_as_client = {0};
    struct pair p;
    uint8_t wide[64] = {0}, scalar[32];

    start(&p);
    memcpy(wide, p.server_id.server_secret, 32);
    wide[0] &= 0xf8;
    wide[31] = (uint8_t)((wide[31] & 0x7f) | 0x40);
    crypto_core_ed25519_scalar_reduce(scalar, wide);
    CHECK_EQ(crypto_scalarmult_ed25519_base_noclamp(s_as_client.public_key, scalar), 0);
    CHECK_OK(wf_dh_public_of_sign(s_as_client.client_public, s_as_client.public_key));
    CHECK_MEM_EQ(s_as_client.client_public, p.server_id.server_public, 32);
    CHECK_EQ(call_as(&p, &s_as_client, NULL), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
    CHECK_EQ(call_as(&p, &s_as_client, p.server_id.server_secret), WF_ADM_ACCEPT); /* its owner */
    pair_free(&p);
}

/* A server whose t_s or S is the client's own key: it cannot compute what it would have to. */
TEST(a_server_that_shows_the_clients_key_as_its_own_learns_nothing_by_it)
{
    struct pair p;

    for (int as_s = 0; as_s <= 1; as_s++) {
        static const uint8_t own[32] = {13};
        struct wf_challenge c;
        struct party server;
        uint8_t copy[WF_CHALLENGE_MAX];
        struct secrets has = {.e2 = own_e2};
        start(&p);
        pair_meet(&p);
        memcpy(copy, p.challenge, sizeof copy);
        CHECK_OK(wf_challenge_get(wf_span(copy, p.challenge_len), &c));
        wf_dh_public(as_s ? c.ts : c.server_dh, own);
        memcpy(as_s ? c.server_dh : c.ts, p.client_id.client_public, 32);
        *(as_s ? &has.ts : &has.s) = own;
        pair_lay_challenge(&p, &c);
        sign_again(&p, &p.server_id);
        pair_to_client(&p, p.challenge, p.challenge_len);
        pair_make_solve(&p);
        party_init(&server, &p, has);
        CHECK_EQ(party_read_solve(&server, p.solve, p.solve_len), as_s ? BOX0 : 0);
        size_t len = party_write_confirm(&server, p.confirm);
        pair_to_client(&p, p.confirm, len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
        pair_free(&p);
    }
}

/* --- protocol lists --- */

#define FORGED_LISTS 100000
#define FORGED_LEN (sizeof pair_lists)

/* Another list of the same length, so that everything around it stays where it is. */
static void forge_list(uint8_t *out, uint64_t *seed)
{
    do {
        for (size_t i = 0; i < FORGED_LEN; i++)
            out[i] = (uint8_t)(1 + test_next(seed) % (i % 2 == 1 ? 8 : 127));
        out[0] = test_next(seed) % 2 == 0 ? 2 : (uint8_t)(FORGED_LEN - 1);
        out[3] = (uint8_t)(out[0] == 2 ? FORGED_LEN - 4 : out[3]);
    } while (!wf_lists_valid(wf_span(out, FORGED_LEN)) || memcmp(out, pair_lists, FORGED_LEN) == 0);
}

/* The edit in SOLVE alone; in SOLVE with a cookie made for the edit; in CHALLENGE. */
static void forge_once(struct pair *p, const uint8_t *list, size_t n)
{
    uint8_t copy[WF_SOLVE_MAX];

    if (n % 16 == 1) {
        memcpy(copy, p->challenge, p->challenge_len);
        memcpy(copy + WF_CHALLENGE_FIXED, list, FORGED_LEN);
        stamp_challenge(copy, p->challenge_len, p->hello);
        pair_to_client(p, copy, p->challenge_len);
        CHECK_EQ(wf_hs_state(p->hs), WF_HS_HELLO);
        return;
    }
    memcpy(copy, p->solve, p->solve_len);
    memcpy(copy + WF_SOLVE_FIXED, list, FORGED_LEN);
    if (n % 16 == 0) {
        uint8_t hello[WF_HELLO_LEN];
        struct wf_challenge c;
        memcpy(hello, p->hello, sizeof hello);
        memcpy(hello + 25, list, FORGED_LEN);
        wf_store_u64(hello + 8, n); /* a nonce, and so a cookie, of its own */
        memcpy(copy + 32, hello + 8, WF_NONCE_LEN);
        CHECK_EQ(pair_to_server(p, hello, sizeof hello), WF_ADM_REPLY);
        CHECK_OK(wf_challenge_get(wf_span(p->result.reply, p->result.reply_len), &c));
        memcpy(copy + 48, c.cookie, sizeof c.cookie);
    }
    stamp_solve(copy, p->solve_len);
    CHECK_EQ(pair_to_server(p, copy, p->solve_len), WF_ADM_DROP);
}

TEST(a_hundred_thousand_forged_lists_downgrade_no_session)
{
    struct pair p;
    struct pair waiting; /* the same client before it had its CHALLENGE */
    uint64_t seed = test_seed();

    start(&p);
    p.adm_config.table_max = FORGED_LISTS / 8;
    pair_server(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    waiting = p;
    waiting.hs = NULL;
    pair_client(&waiting, false);
    memcpy(waiting.hs->n_c, p.hs->n_c, sizeof p.hs->n_c);
    for (size_t n = 0; n < FORGED_LISTS; n++) {
        uint8_t list[FORGED_LEN];
        test_note("list %zu", n);
        forge_list(list, &seed);
        forge_once(n % 16 == 1 ? &waiting : &p, list, n);
    }
    CHECK_EQ(pair_stats(&p).accepted, 0);
    CHECK(pair_stats(&p).solve_bad_box > 4000);
    CHECK(pair_stats(&p).solve_bad_cookie > FORGED_LISTS * 3 / 4);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT); /* it was good */
    CHECK_EQ(p.result.choices[0], 7);
    pair_to_client(&waiting, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(waiting.hs), WF_HS_NEED_DATA);
    wf_hs_free(waiting.hs);
    pair_free(&p);
}

/* Each end chooses from what it said and what it was told. */
TEST(without_the_flights_in_the_transcript_edited_lists_downgrade_both_ends)
{
    static const uint8_t edited[] = {2, 9, WF_PROTOCOL_V1, 1, 5};
    const struct omit omit = {.flights = true};
    struct party client, server;
    struct pair p;
    struct wf_solve_body body;
    uint8_t solve[WF_SOLVE_MAX], hello[WF_HELLO_LEN], challenge[WF_CHALLENGE_MAX];
    uint64_t choices[WF_GROUPS_MAX];

    start(&p);
    pair_meet(&p);
    memcpy(hello, p.hello, sizeof hello);
    memcpy(hello + 25, edited, sizeof edited);
    memcpy(challenge, p.challenge, sizeof challenge);
    memcpy(challenge + WF_CHALLENGE_FIXED, edited, sizeof edited);
    party_init(&client, &p, client_secrets(&p));
    client.omit = omit;
    client.challenge = wf_span(challenge, p.challenge_len);
    weak_server(&server, &p, &omit);
    size_t len = party_write_solve(&client, solve);
    CHECK_EQ(party_read_solve(&server, solve, len), BOXES_OF_SOLVE);
    CHECK(weak_agree(&client, &server));
    wf_lists_choose(wf_span(hello + 25, sizeof edited), wf_span(pair_lists, sizeof pair_lists),
                    choices);
    CHECK_OK(wf_solve_body_get(wf_span(server.plain[2], len - 206 - 5 - WF_AEAD_TAG_LEN), &body));
    CHECK_EQ(choices[0], WF_PROTOCOL_V1); /* not 7, which both prefer */
    CHECK_EQ(body.choices[0], choices[0]);
    pair_free(&p);
}
