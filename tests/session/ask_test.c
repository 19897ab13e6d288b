/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask_test.c - a client that finds another key than its pin says: what it asks, whom it believes,
 * and what it costs the server.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

#define WALL_S (PAIR_WALL_MS / 1000)

/* A server whose key was replaced, its owner, and a client that knows the key before. */
struct place {
    struct pair p;
    struct wf_identity owner, before;
    struct wf_pin pin;
    struct wf_statement statement;
    uint8_t bytes[WF_STATEMENT_MAX];
    uint8_t ask[WF_ASK_LEN];
};

static struct place here;

static struct wf_identity fresh(struct pair *p)
{
    struct wf_identity id;
    uint8_t seed[32];

    wf_random(p->rng, seed, sizeof seed);
    CHECK_OK(wf_identity_init(&id, seed));
    return id;
}

static void hold(struct place *h)
{
    size_t len = wf_statement_put(&h->statement, h->bytes, sizeof h->bytes);

    h->p.adm_config.statement = wf_span(h->bytes, len);
}

/* Version 7 of "alice"; the pin is from version 3. */
static void set_up(struct place *h)
{
    struct pair *p = &h->p;

    pair_init(p, test_mem(), test_rng(test_seed()));
    h->owner = fresh(p);
    h->before = fresh(p);
    h->pin = (struct wf_pin){.name = "alice", .name_len = 5, .version = 3};
    memcpy(h->pin.owner, h->owner.public_key, 32);
    h->statement = (struct wf_statement){.name = "alice",
                                         .name_len = 5,
                                         .version = 7,
                                         .not_before_s = WALL_S - 1000,
                                         .not_after_s = WALL_S + 1000};
    memcpy(h->statement.key, p->server_id.public_key, 32);
    wf_statement_sign(&h->statement, &h->owner);
    hold(h);
    p->hs_config.pin = &h->pin;
    p->hs_config.owner = h->pin.owner;
    memcpy(p->hs_config.server_key, h->before.public_key, 32);
}

static void meet(struct place *h)
{
    set_up(h);
    pair_server(&h->p);
    pair_client(&h->p, false);
}

/* What the client sends now, 0 for nothing. */
static size_t due(struct pair *p, uint8_t buf[WF_SOLVE_MAX])
{
    size_t len = 0;

    wf_hs_send(p->hs, p->now, buf, WF_SOLVE_MAX, &len);
    return len;
}

/* Up to the ASK, in h->ask; false: the client makes none. */
static bool get_ask(struct place *h)
{
    uint8_t buf[WF_SOLVE_MAX];

    pair_say_hello(&h->p);
    pair_get_challenge(&h->p);
    pair_to_client(&h->p, h->p.challenge, h->p.challenge_len);
    wf_hs_work(h->p.hs, h->p.now, UINT64_MAX);
    if (due(&h->p, buf) != WF_ASK_LEN || buf[0] != WF_TYPE_ASK)
        return false;
    memcpy(h->ask, buf, WF_ASK_LEN);
    return true;
}

static void give_statement(struct place *h, const struct wf_statement *s)
{
    uint8_t bytes[WF_STATEMENT_MAX], packet[WF_STATEMENT_PACKET_MAX];
    size_t len = wf_statement_put(s, bytes, sizeof bytes);

    len = wf_statement_packet_put(h->p.hs->n_c, wf_span(bytes, len), packet, sizeof packet);
    pair_to_client(&h->p, packet, len);
}

static bool began_anew(const struct place *h)
{
    return h->p.hs->ask.state == WF_HS_ASK_OVER;
}

/* Whether the client believes a statement that is as it should be but for this. */
static bool believes(void (*spoil)(struct place *h, struct wf_statement *s))
{
    struct wf_statement s;
    bool yes = false;

    meet(&here);
    CHECK(get_ask(&here));
    s = here.statement;
    spoil(&here, &s);
    give_statement(&here, &s);
    yes = began_anew(&here);
    pair_free(&here.p);
    return yes;
}

static void change_nothing(struct place *h, struct wf_statement *s)
{
    (void)h;
    (void)s;
}

/* From the ASK's answer to the end. */
static void finish(struct place *h)
{
    pair_to_confirm(&h->p);
    pair_finish(&h->p);
    CHECK(pair_agrees(&h->p));
}

TEST(a_replaced_key_is_learned_from_its_owner_and_the_handshake_goes_on_with_it)
{
    struct pair *p = &here.p;
    uint8_t shown[32];

    meet(&here);
    CHECK(get_ask(&here));
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_REPLY);
    CHECK_LE(p->result.reply_len, WF_ASK_LEN); /* SPEC 1.12-3 */
    pair_to_client(p, p->result.reply, p->result.reply_len);
    CHECK(began_anew(&here));
    finish(&here);
    CHECK(p->client.learned);
    CHECK_EQ(p->client.learned_version, 7);
    CHECK_MEM_EQ(p->client.server_key, p->server_id.public_key, 32);
    CHECK_OK(wf_identity_key_for(shown, &p->client_id, here.owner.public_key));
    CHECK_MEM_EQ(p->result.peer, shown, 32); /* the key shown outlives the server's */
    pair_free(p);
}

TEST(another_attempt_knows_still_what_was_learned)
{
    struct pair *p = &here.p;
    struct wf_hs *before = NULL;

    set_up(&here);
    p->adm_config.effort = 4;
    pair_server(p);
    pair_client(p, false);
    CHECK(get_ask(&here));
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_REPLY);
    pair_to_client(p, p->result.reply, p->result.reply_len);
    pair_to_solve(p);
    before = p->hs;
    CHECK_OK(wf_hs_again(&p->hs, before, p->mem, p->now));
    wf_hs_free(before);
    finish(&here);
    CHECK(p->client.learned);
    CHECK_EQ(p->client.learned_version, 7);
    pair_free(p);
}

TEST(a_client_that_expects_no_key_learns_it_under_prefix_0)
{
    static const uint8_t none[4];
    struct pair *p = &here.p;

    set_up(&here);
    memset(p->hs_config.server_key, 0, 32);
    here.pin.version = 0;
    pair_server(p);
    pair_client(p, false);
    CHECK(get_ask(&here));
    CHECK_MEM_EQ(p->hello + 4, none, 4);
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_REPLY);
    pair_to_client(p, p->result.reply, p->result.reply_len);
    finish(&here);
    CHECK(p->client.learned);
    pair_free(p);
}

TEST(the_key_that_is_expected_is_not_asked_about)
{
    struct pair *p = &here.p;

    set_up(&here);
    memcpy(p->hs_config.server_key, p->server_id.public_key, 32);
    pair_server(p);
    pair_client(p, false);
    finish(&here);
    CHECK(!p->client.learned);
    CHECK_MEM_EQ(p->client.server_key, p->server_id.public_key, 32);
    CHECK_EQ(pair_stats(p).ask, 0);
    pair_free(p);
}

TEST(without_a_pin_or_a_clock_nobody_is_asked) /* SPEC 1.12-6, 1.12-9 */
{
    set_up(&here);
    here.p.hs_config.pin = NULL;
    pair_server(&here.p);
    pair_client(&here.p, false);
    CHECK(!get_ask(&here));
    here.p.hs_config.pin = &here.pin;
    here.p.hs_config.wall_ms = 0;
    pair_client(&here.p, false);
    CHECK(!get_ask(&here));
    give_statement(&here, &here.statement);
    CHECK_EQ(here.p.hs->ask.state, WF_HS_ASK_NEVER);
    pair_free(&here.p);
}

TEST(one_ask_a_handshake_and_hello_beside_it_until_the_time_is_up) /* SPEC 1.12-6 */
{
    struct pair *p = &here.p;
    uint8_t buf[WF_SOLVE_MAX];
    unsigned hellos = 1;
    unsigned asks = 1;

    meet(&here);
    CHECK(get_ask(&here));
    while (wf_hs_state(p->hs) == WF_HS_HELLO) {
        size_t len = due(p, buf);

        if (len == 0) {
            p->now = wf_hs_deadline(p->hs);
            wf_hs_tick(p->hs, p->now);
            continue;
        }
        asks += buf[0] == WF_TYPE_ASK;
        hellos += buf[0] == WF_TYPE_HELLO;
        CHECK_MEM_EQ(buf, buf[0] == WF_TYPE_ASK ? here.ask : p->hello, len);
        if (buf[0] == WF_TYPE_HELLO) {
            CHECK_EQ(pair_to_server(p, buf, len), WF_ADM_REPLY);
            pair_to_client(p, p->result.reply, p->result.reply_len);
        }
    }
    CHECK_EQ(asks, hellos);
    CHECK_LE(16, asks);
    CHECK_LE(asks, 24);
    CHECK_EQ(wf_hs_error(p->hs), WEFT_ERR_WRONG_KEY);
    CHECK_EQ(p->now, PAIR_START + p->hs_config.timeout_us); /* SPEC 1.12-11: no time was added */
    pair_free(p);
}

TEST(after_one_statement_there_is_no_second) /* SPEC 1.12-6, 1.12-11 */
{
    struct wf_statement s;
    struct wf_identity nobody_there;

    meet(&here);
    nobody_there = fresh(&here.p);
    CHECK(get_ask(&here));
    s = here.statement;
    memcpy(s.key, nobody_there.public_key, 32);
    wf_statement_sign(&s, &here.owner);
    give_statement(&here, &s);
    CHECK(began_anew(&here));
    CHECK(!get_ask(&here)); /* the server's CHALLENGE is not of that key either */
    s = here.statement;
    s.version++;
    wf_statement_sign(&s, &here.owner);
    give_statement(&here, &s);
    CHECK_MEM_EQ(here.p.hs->server_key, nobody_there.public_key, 32);
    here.p.now = PAIR_START + here.p.hs_config.timeout_us;
    wf_hs_tick(here.p.hs, here.p.now);
    CHECK_EQ(wf_hs_error(here.p.hs), WEFT_ERR_WRONG_KEY);
    pair_free(&here.p);
}

TEST(a_challenge_that_verifies_ends_the_ask_whenever_it_comes) /* SPEC 1.12-6 */
{
    struct pair *p = &here.p;
    struct wf_challenge forged;
    uint8_t bytes[WF_CHALLENGE_MAX], buf[WF_SOLVE_MAX];

    set_up(&here);
    memcpy(p->hs_config.server_key, p->server_id.public_key, 32);
    pair_server(p);
    pair_client(p, false);
    pair_say_hello(p);
    pair_get_challenge(p);
    CHECK_OK(wf_challenge_get(wf_span(p->challenge, p->challenge_len), &forged));
    forged.signature[0] ^= 1;
    size_t len = wf_challenge_put(&forged, bytes, sizeof bytes);
    stamp_challenge(bytes, len, p->hello);
    pair_to_client(p, bytes, len);
    CHECK_EQ(due(p, buf), WF_ASK_LEN);
    pair_to_client(p, p->challenge, p->challenge_len);
    CHECK_EQ(wf_hs_state(p->hs), WF_HS_NEED_DATA);
    pair_make_solve(p);
    give_statement(&here, &here.statement);
    CHECK_EQ(wf_hs_state(p->hs), WF_HS_SOLVE);
    CHECK_EQ(pair_to_server(p, p->solve, p->solve_len), WF_ADM_ACCEPT);
    CHECK_OK(pair_make_confirm(p));
    pair_finish(p);
    CHECK(!p->client.learned);
    pair_free(p);
}

static void lay_demand(struct place *h, uint8_t alg, uint32_t effort)
{
    struct pair *p = &h->p;
    struct wf_challenge c;
    uint8_t bytes[WF_CHALLENGE_MAX];

    CHECK_OK(wf_challenge_get(wf_span(p->challenge, p->challenge_len), &c));
    c.head.work_alg = alg;
    c.head.effort = effort;
    c.head.ceiling_log2 = WF_EFFORT_LOG2_MAX;
    size_t len = wf_challenge_put(&c, bytes, sizeof bytes);
    stamp_challenge(bytes, len, p->hello);
    pair_to_client(p, bytes, len);
}

TEST(a_forged_demand_for_huge_work_is_dropped_and_ends_nothing) /* SPEC 1.12-7 */
{
    struct pair *p = &here.p;
    const struct {
        uint8_t alg;
        uint32_t most;
    } limits[] = {{WF_WORK_BLAKE2B, 1u << 20}, {WF_WORK_PROGRAM, 1u << 14}};

    for (size_t i = 0; i < WF_ARRAY_LEN(limits); i++) {
        meet(&here);
        p->hs->effort_max = UINT64_MAX;
        pair_say_hello(p);
        pair_get_challenge(p);
        lay_demand(&here, limits[i].alg, UINT32_MAX);
        lay_demand(&here, limits[i].alg, limits[i].most + 1);
        CHECK(!wf_hs_has_work(p->hs));
        CHECK_EQ(wf_hs_state(p->hs), WF_HS_HELLO);
        lay_demand(&here, limits[i].alg, limits[i].most);
        CHECK(wf_hs_has_work(p->hs));
        pair_free(p);
    }
    meet(&here);
    p->hs->effort_max = 10;
    pair_say_hello(p);
    pair_get_challenge(p);
    lay_demand(&here, WF_WORK_BLAKE2B, 11);
    CHECK(!wf_hs_has_work(p->hs));
    pair_to_client(p, p->challenge, p->challenge_len); /* the true one asks for none */
    CHECK_EQ(p->hs->ask.state, WF_HS_ASK_SENDING);
    pair_free(p);
}

/* --- whom it believes --- */

static void sign_again(struct place *h, struct wf_statement *s)
{
    wf_statement_sign(s, &h->owner);
}

static void lower_version(struct place *h, struct wf_statement *s)
{
    s->version = 2;
    sign_again(h, s);
}

static void equal_version(struct place *h, struct wf_statement *s)
{
    s->version = 3;
    sign_again(h, s);
}

static void next_version(struct place *h, struct wf_statement *s)
{
    s->version = 4;
    sign_again(h, s);
}

static void own_key_again(struct place *h, struct wf_statement *s)
{
    memcpy(s->key, h->before.public_key, 32);
    sign_again(h, s);
}

TEST(only_a_higher_version_about_another_key_is_news) /* SPEC 1.12-10 */
{
    CHECK(believes(change_nothing));
    CHECK(believes(next_version));
    CHECK(!believes(lower_version));
    CHECK(!believes(equal_version));
    CHECK(!believes(own_key_again));
}

TEST(who_has_no_key_takes_the_same_version_and_no_lower_one) /* SPEC 1.12-10 */
{
    struct wf_statement s;

    for (uint64_t version = 2; version <= 4; version++) {
        set_up(&here);
        memset(here.p.hs_config.server_key, 0, 32);
        pair_server(&here.p);
        pair_client(&here.p, false);
        CHECK(get_ask(&here));
        s = here.statement;
        s.version = version;
        wf_statement_sign(&s, &here.owner);
        give_statement(&here, &s);
        CHECK_EQ(began_anew(&here), version >= 3);
        pair_free(&here.p);
    }
}

static void other_name(struct place *h, struct wf_statement *s)
{
    s->name[4] = 'f';
    sign_again(h, s);
}

static void longer_name(struct place *h, struct wf_statement *s)
{
    s->name[s->name_len++] = 'x';
    sign_again(h, s);
}

static void shorter_name(struct place *h, struct wf_statement *s)
{
    s->name_len--;
    sign_again(h, s);
}

static void other_owner(struct place *h, struct wf_statement *s)
{
    struct wf_identity other = fresh(&h->p);

    wf_statement_sign(s, &other);
}

/* The right owner's name over somebody else's signature. */
static void owner_in_name_only(struct place *h, struct wf_statement *s)
{
    struct wf_identity other = fresh(&h->p);
    uint8_t message[WF_STATEMENT_MESSAGE_MAX];

    wf_sign(s->signature, other.sign_secret, wf_span(message, wf_statement_message(s, message)));
}

static void clients_own_key(struct place *h, struct wf_statement *s)
{
    memcpy(s->key, h->p.client_id.public_key, 32);
    sign_again(h, s);
}

static void negative_of_clients_own_key(struct place *h, struct wf_statement *s)
{
    memcpy(s->key, h->p.client_id.public_key, 32);
    s->key[31] ^= 0x80;
    sign_again(h, s);
}

static void no_point(struct place *h, struct wf_statement *s)
{
    memset(s->key, 0, 32);
    s->key[0] = 1;
    sign_again(h, s);
}

TEST(a_statement_for_another_name_or_of_another_owner_is_dropped) /* SPEC 1.12-8 */
{
    CHECK(!believes(other_name));
    CHECK(!believes(longer_name));
    CHECK(!believes(shorter_name));
    CHECK(!believes(other_owner));
    CHECK(!believes(owner_in_name_only));
}

TEST(a_statement_cannot_send_a_client_to_itself_or_to_no_point) /* SPEC 1.12-11, 1.11-4 */
{
    CHECK(!believes(clients_own_key));
    CHECK(!believes(negative_of_clients_own_key));
    CHECK(!believes(no_point));
}

static void early_within_slack(struct place *h, struct wf_statement *s)
{
    s->not_before_s = WALL_S + 300;
    sign_again(h, s);
}

static void early(struct place *h, struct wf_statement *s)
{
    s->not_before_s = WALL_S + 301;
    sign_again(h, s);
}

static void late_within_slack(struct place *h, struct wf_statement *s)
{
    s->not_after_s = WALL_S - 300;
    sign_again(h, s);
}

static void late(struct place *h, struct wf_statement *s)
{
    s->not_after_s = WALL_S - 301;
    sign_again(h, s);
}

static void at_all_times(struct place *h, struct wf_statement *s)
{
    s->not_before_s = 0;
    s->not_after_s = UINT64_MAX;
    sign_again(h, s);
}

static void never_yet(struct place *h, struct wf_statement *s)
{
    s->not_before_s = s->not_after_s = UINT64_MAX;
    sign_again(h, s);
}

TEST(a_statement_counts_between_its_times_and_five_minutes_around) /* SPEC 1.12-9 */
{
    CHECK(believes(early_within_slack));
    CHECK(!believes(early));
    CHECK(believes(late_within_slack));
    CHECK(!believes(late));
    CHECK(believes(at_all_times));
    CHECK(!believes(never_yet));
}

TEST(time_goes_on_while_the_client_waits) /* SPEC 1.12-9 */
{
    struct wf_statement s;

    meet(&here);
    CHECK(get_ask(&here));
    s = here.statement;
    s.not_after_s = WALL_S - 298;
    wf_statement_sign(&s, &here.owner);
    here.p.now += 3 * PAIR_SECOND;
    give_statement(&here, &s);
    CHECK(!began_anew(&here));
    pair_free(&here.p);
}

TEST(a_statement_with_any_bit_flipped_is_dropped) /* SPEC 1.12-8 */
{
    struct pair *p = &here.p;
    uint8_t packet[WF_STATEMENT_PACKET_MAX];

    meet(&here);
    CHECK(get_ask(&here));
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_REPLY);
    size_t len = p->result.reply_len;
    memcpy(packet, p->result.reply, len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        test_note("bit %zu", bit);
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        pair_to_client(p, packet, len);
        CHECK(!began_anew(&here));
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pair_to_client(p, packet, len);
    CHECK(began_anew(&here));
    pair_free(p);
}

TEST(a_statement_that_was_not_asked_for_is_dropped_without_a_curve)
{
    const uint8_t echo[WF_ECHO_LEN] = {0};
    uint8_t packet[WF_STATEMENT_PACKET_MAX];
    struct pair *p = &here.p;
    size_t len = 0;

    meet(&here);
    uint64_t curves = wf_curve_operations();
    give_statement(&here, &here.statement); /* no ASK was sent */
    CHECK_EQ(p->hs->ask.state, WF_HS_ASK_READY);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK(get_ask(&here));
    curves = wf_curve_operations();
    len = wf_statement_packet_put(echo, p->adm_config.statement, packet, sizeof packet);
    pair_to_client(p, packet, len); /* it answers another's ASK */
    CHECK(!began_anew(&here));
    CHECK_EQ(wf_curve_operations(), curves);
    pair_free(p);
}

TEST(an_owner_of_small_order_or_no_point_is_refused_before_anything_is_sent) /* SPEC 1.12-8 */
{
    struct wf_hs *hs = NULL;

    set_up(&here);
    here.p.hs_config.identity = &here.p.client_id;
    memset(here.pin.owner, 0, 32);
    CHECK_EQ(wf_hs_new(&hs, &here.p.hs_config, here.p.now), WEFT_ERR_CRYPTO);
    here.pin.owner[0] = 1;
    CHECK_EQ(wf_hs_new(&hs, &here.p.hs_config, here.p.now), WEFT_ERR_CRYPTO);
    memset(here.pin.owner, 0xff, 32);
    CHECK_EQ(wf_hs_new(&hs, &here.p.hs_config, here.p.now), WEFT_ERR_CRYPTO);
    memcpy(here.pin.owner, here.owner.public_key, 32);
    here.pin.name_len = 0;
    CHECK_EQ(wf_hs_new(&hs, &here.p.hs_config, here.p.now), WEFT_ERR_USAGE);
    pair_free(&here.p);
}

/* --- the server --- */

TEST(a_server_holds_only_what_its_owner_signed_about_its_own_key) /* SPEC 1.12-5 */
{
    struct wf_adm *adm = NULL;

    set_up(&here);
    here.bytes[here.p.adm_config.statement.len - 1] ^= 1;
    CHECK_EQ(wf_adm_new(&adm, &here.p.adm_config, here.p.now), WEFT_ERR_USAGE);
    memcpy(here.statement.key, here.before.public_key, 32);
    wf_statement_sign(&here.statement, &here.owner);
    hold(&here);
    CHECK_EQ(wf_adm_new(&adm, &here.p.adm_config, here.p.now), WEFT_ERR_USAGE);
    here.p.adm_config.statement.len--;
    CHECK_EQ(wf_adm_new(&adm, &here.p.adm_config, here.p.now), WEFT_ERR_USAGE);
    pair_free(&here.p);
}

TEST(without_a_statement_no_ask_is_answered) /* SPEC 1.12-1 */
{
    meet(&here);
    CHECK(get_ask(&here));
    CHECK_EQ(pair_to_server(&here.p, here.ask, WF_ASK_LEN), WF_ADM_REPLY);
    CHECK_OK(wf_adm_only_groups(here.p.adm));
    CHECK_EQ(pair_to_server(&here.p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
    here.p.adm_config.statement = (weft_span){0};
    pair_server(&here.p);
    pair_client(&here.p, false);
    CHECK(get_ask(&here));
    CHECK_EQ(pair_to_server(&here.p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&here.p).ask_bad, 1);
    pair_free(&here.p);
}

TEST(a_million_asks_cost_no_memory_no_curve_and_no_entry_and_get_the_same_bytes) /* SPEC 1.12-2 */
{
    struct pair *p = &here.p;
    uint8_t first[WF_STATEMENT_PACKET_MAX];

    set_up(&here);
    p->adm_config.effort = 16;
    pair_server(p);
    pair_client(p, false);
    CHECK(get_ask(&here));
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_REPLY);
    size_t len = p->result.reply_len;
    memcpy(first, p->result.reply, len);
    uint64_t curves = wf_curve_operations();
    uint64_t attempts = p->mem->attempts;
    const struct wf_adm_path path = {.from = p->from};
    for (unsigned i = 0; i < 1000000; i++) {
        wf_adm_recv(p->adm, p->now, &path, wf_span(here.ask, WF_ASK_LEN), &p->result);
        if (p->result.kind != WF_ADM_REPLY || p->result.reply_len != len)
            FAIL("answer %u differs", i);
    }
    CHECK_MEM_EQ(p->result.reply, first, len);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(p->mem->attempts, attempts);
    CHECK_EQ(pair_stats(p).table_entries, 0);
    CHECK_EQ(pair_stats(p).queued, 0);
    CHECK_EQ(pair_stats(p).ask_bad, 0);
    pair_free(p);
}

TEST(an_ask_with_any_bit_flipped_or_from_elsewhere_is_dropped) /* SPEC 1.12-2 */
{
    struct pair *p = &here.p;

    set_up(&here);
    p->adm_config.effort = 1u << 12;
    pair_server(p);
    pair_client(p, false);
    CHECK(get_ask(&here));
    for (size_t bit = 0; bit < 8 * WF_ASK_LEN; bit++) {
        test_note("bit %zu", bit);
        here.ask[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
        here.ask[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < WF_ASK_LEN; len++) {
        CHECK_EQ(pair_to_server(p, here.ask, len), WF_ADM_DROP);
    }
    p->from.port ^= 1;
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
    p->from.port ^= 1;
    p->from.ip[3] ^= 1;
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
    p->from.ip[3] ^= 1;
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_REPLY);
    p->now += 120 * PAIR_SECOND;
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
    pair_server(p); /* a restart */
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
    pair_free(p);
}

TEST(work_of_a_solve_is_none_of_an_ask_nor_the_other_way_round) /* SPEC 1.12-4 */
{
    struct pair *p = &here.p;
    struct wf_work work = {.alg = WF_WORK_BLAKE2B, .bid = 1u << 12};
    struct wf_ask a;

    set_up(&here);
    p->adm_config.effort = 1u << 12;
    pair_server(p);
    pair_client(p, false);
    CHECK(get_ask(&here));
    CHECK_OK(wf_ask_get(wf_span(here.ask, WF_ASK_LEN), &a));
    CHECK_EQ(a.bid, 1u << 12);
    memcpy(work.cookie, a.cookie, sizeof work.cookie);
    memcpy(work.n_c, a.n_c, sizeof work.n_c);
    CHECK(wf_work_check(&work, a.work_nonce)); /* zeros for e_c and boxes */
    work.e_c[0] = 1;
    CHECK(!wf_work_check(&work, a.work_nonce));
    work.e_c[0] = 0;
    work.boxes_hash[31] = 1;
    CHECK(!wf_work_check(&work, a.work_nonce));
    uint64_t nonce = 0;
    CHECK(wf_work_solve(&work, &nonce, UINT64_MAX));
    wf_store_u64(here.ask + WF_ASK_WORK_OFFSET, nonce);
    CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), WF_ADM_DROP);
    pair_free(p);
}

TEST(too_low_a_bid_is_no_work) /* SPEC 1.12-4 */
{
    struct pair *p = &here.p;
    struct wf_work work = {.alg = WF_WORK_BLAKE2B};
    struct wf_ask a;
    uint64_t nonce = 0;

    set_up(&here);
    p->adm_config.effort = 64;
    pair_server(p);
    pair_client(p, false);
    CHECK(get_ask(&here));
    CHECK_OK(wf_ask_get(wf_span(here.ask, WF_ASK_LEN), &a));
    memcpy(work.cookie, a.cookie, sizeof work.cookie);
    memcpy(work.n_c, a.n_c, sizeof work.n_c);
    for (uint32_t bid = 63; bid <= 65; bid++) {
        a.bid = work.bid = bid;
        nonce = 0;
        CHECK(wf_work_solve(&work, &nonce, UINT64_MAX));
        a.work_nonce = nonce;
        CHECK_EQ(wf_ask_put(&a, here.ask, WF_ASK_LEN), WF_ASK_LEN);
        CHECK_EQ(pair_to_server(p, here.ask, WF_ASK_LEN), bid < 64 ? WF_ADM_DROP : WF_ADM_REPLY);
    }
    pair_free(p);
}
