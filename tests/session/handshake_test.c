/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake_test.c - the whole handshake in memory: what both ends know when it is over, and what
 * the client says when it fails.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    pair_server(p);
}

static void check_both_ends(struct pair *p)
{
    CHECK(pair_agrees(p));
    CHECK(!wf_is_zero_ct(p->client.secrets.root_c2s, 32));
    CHECK(memcmp(p->client.secrets.root_c2s, p->client.secrets.root_s2c, 32) != 0);
    CHECK_MEM_EQ(p->client.body.cid, pair_server_cid, WF_CID_LEN);
    CHECK_EQ(p->client.body.params.message_count, 9);
    CHECK_EQ(p->client.body.frames.len, strlen(pair_reply));
    CHECK_MEM_EQ(p->client.body.frames.data, pair_reply, strlen(pair_reply));
    CHECK_EQ(p->client.choice_count, 2);
    CHECK_EQ(p->client.choices[0], 7);
    CHECK_EQ(p->client.choices[1], 5);
}

TEST(both_ends_of_a_two_way_handshake_know_each_other_and_the_same_roots)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    CHECK(!p.result.one_way);
    CHECK_MEM_EQ(p.result.peer, p.client_id.public_key, 32);
    CHECK_MEM_EQ(p.result.body.cid, pair_client_cid, WF_CID_LEN);
    CHECK_EQ(p.result.body.wall_ms, PAIR_WALL_MS + 5);
    CHECK_EQ(p.result.body.params.node_credit, 1u << 20);
    CHECK_MEM_EQ(p.result.body.frames.data, pair_first, strlen(pair_first));
    CHECK(wf_is_zero_ct(p.result.body.frames.data + strlen(pair_first),
                        p.result.body.frames.len - strlen(pair_first)));
    pair_finish(&p);
    check_both_ends(&p);
    pair_free(&p);
}

TEST(a_one_way_client_is_reported_as_nobody_and_agrees_all_the_same)
{
    struct pair p;

    start(&p);
    pair_client(&p, true);
    pair_to_confirm(&p);
    CHECK(p.result.one_way);
    CHECK(wf_is_zero_ct(p.result.peer, 32));
    CHECK_MEM_EQ(p.result.body.frames.data, pair_first, strlen(pair_first));
    pair_finish(&p);
    check_both_ends(&p);
    pair_free(&p);
}

TEST(two_handshakes_of_the_same_pair_share_no_secret)
{
    struct pair p;
    struct wf_session_secrets first;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    first = p.client.secrets;
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    CHECK(memcmp(first.root_c2s, p.client.secrets.root_c2s, 32) != 0);
    CHECK(memcmp(first.root_s2c, p.client.secrets.root_s2c, 32) != 0);
    CHECK(memcmp(first.transcript, p.client.secrets.transcript, 32) != 0);
    pair_free(&p);
}

TEST(a_client_behind_ipv6_and_prefix_0_is_served)
{
    struct pair p;
    static const uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, 1};

    start(&p);
    p.from = wf_addr_v6(ip, 50000, 0);
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    CHECK(pair_agrees(&p));

    /* Prefix 0 by hand: our client always sends the one it expects. */
    pair_client(&p, false);
    pair_say_hello(&p);
    CHECK_MEM_EQ(p.hello + 4, p.server_id.prefix, 4); /* SPEC 1.1-4 */
    memset(p.hello + 4, 0, 4);
    CHECK_EQ(pair_to_server(&p, p.hello, sizeof p.hello), WF_ADM_REPLY);
    pair_free(&p);
}

TEST(no_flight_of_the_server_is_longer_than_what_it_answers)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    CHECK_LE(p.challenge_len, sizeof p.hello); /* SPEC 1.2-1 */
    CHECK_EQ(p.solve_len, WF_SOLVE_MAX);
    CHECK_LE(p.confirm_len, p.solve_len);
    pair_free(&p);
}

TEST(frames_up_to_the_room_fit_and_one_byte_more_does_not)
{
    struct pair p;
    uint8_t frames[WF_SOLVE_MAX];

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    struct wf_solve_body body = pair_body();
    size_t room = wf_hs_room(p.hs, &body.params);
    memset(frames, 0x5a, sizeof frames);
    body.frames = wf_span(frames, room + 1);
    CHECK_EQ(wf_hs_solve(p.hs, p.now, &body), WEFT_ERR_USAGE);
    body.frames.len = room;
    CHECK_OK(wf_hs_solve(p.hs, p.now, &body));
    CHECK_EQ(wf_hs_solve(p.hs, p.now, &body), WEFT_ERR_STATE);
    pair_send_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_EQ(p.result.body.frames.len, room);

    struct wf_adm_confirm c = {.params = wf_params_default};
    struct wf_adm_confirm_out out = {.datagram = p.confirm};
    c.frames = wf_span(frames, wf_adm_confirm_room(p.adm, p.result.ticket, &c.params) + 1);
    CHECK_EQ(wf_adm_confirm(p.adm, p.now, p.result.ticket, &c, &out), WEFT_ERR_USAGE);
    c.frames.len--;
    CHECK_OK(wf_adm_confirm(p.adm, p.now, p.result.ticket, &c, &out));
    CHECK_EQ(out.len, p.solve_len);
    CHECK_EQ(wf_adm_confirm(p.adm, p.now, p.result.ticket, &c, &out), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(wf_adm_confirm_room(p.adm, p.result.ticket, &c.params), 0);
    pair_to_client(&p, p.confirm, out.len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_DONE);
    CHECK_OK(wf_hs_result(p.hs, &p.client));
    CHECK_EQ(p.client.body.frames.len, c.frames.len);
    CHECK_MEM_EQ(p.client.body.frames.data, frames, c.frames.len);
    CHECK_EQ(wf_hs_result(p.hs, &p.client), WEFT_ERR_STATE);
    pair_free(&p);
}

TEST(round_trip_samples_stand_in_the_result)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    p.now += 10;
    pair_say_hello(&p);
    p.now += 100;
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    p.now += 1000;
    pair_make_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_OK(pair_make_confirm(&p));
    p.now += 10000;
    pair_finish(&p);
    CHECK_EQ(p.client.hello_sent, PAIR_START + 10);
    CHECK_EQ(p.client.challenge_at, PAIR_START + 110);
    CHECK_EQ(p.client.solve_sent, PAIR_START + 1110);
    CHECK_EQ(p.client.confirm_at, PAIR_START + 11110);
    CHECK(!p.client.solve_repeated);
    pair_free(&p);
}

/* --- repetition --- */

static size_t send_now(struct pair *p, uint8_t *buf)
{
    size_t len = 0;

    wf_hs_send(p->hs, p->now, buf, WF_SOLVE_MAX, &len);
    return len;
}

/* The intervals of hs_priv.h, as the deadline says them: eager for 16 times, then rarer. */
static void check_repeats(struct pair *p, size_t want_len)
{
    static const weft_time gaps[] = {300, 600, 800, 800, 800, 800, 800,  800,  800,  800, 800,
                                     800, 800, 800, 800, 800, 800, 1600, 3200, 5000, 5000};
    uint8_t first[WF_SOLVE_MAX], again[WF_SOLVE_MAX];

    CHECK_EQ(send_now(p, first), want_len);
    for (size_t i = 0; i < WF_ARRAY_LEN(gaps); i++) {
        CHECK_EQ(send_now(p, again), 0);
        CHECK_EQ(wf_hs_deadline(p->hs), p->now + gaps[i] * 1000);
        p->now += gaps[i] * 1000 - 1;
        CHECK_EQ(send_now(p, again), 0);
        p->now += 1;
        CHECK_EQ(send_now(p, again), want_len);
        CHECK_MEM_EQ(again, first, want_len);
    }
}

TEST(hello_and_solve_are_repeated_byte_for_byte_with_doubling_intervals)
{
    struct pair p;

    start(&p);
    p.hs_config.timeout_us = 60 * PAIR_SECOND;
    pair_client(&p, false);
    check_repeats(&p, WF_HELLO_LEN);
    memcpy(p.hello, p.hs->hello, sizeof p.hello);
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    struct wf_solve_body body = pair_body();
    CHECK_OK(wf_hs_solve(p.hs, p.now, &body));
    check_repeats(&p, WF_SOLVE_MAX);
    memcpy(p.solve, p.hs->solve, sizeof p.solve);
    p.solve_len = sizeof p.solve;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_OK(pair_make_confirm(&p));
    pair_finish(&p);
    CHECK(p.client.solve_repeated);
    pair_free(&p);
}

TEST(an_old_cookie_ends_the_handshake_since_its_data_may_have_arrived)
{
    struct pair p;

    start(&p);
    p.now += 7 * PAIR_SECOND; /* into the epoch */
    p.hs_config.timeout_us = 1000 * PAIR_SECOND;
    pair_client(&p, false);
    pair_to_solve(&p);
    weft_time until = p.now + (120 - 7 - 1) * PAIR_SECOND;
    while (wf_hs_deadline(p.hs) < until) {
        p.now = wf_hs_deadline(p.hs);
        wf_hs_tick(p.hs, p.now);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
        pair_send_solve(&p);
    }
    CHECK_EQ(wf_hs_deadline(p.hs), until);
    p.now = until;
    wf_hs_tick(p.hs, p.now);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_FAILED);
    CHECK_EQ(wf_hs_error(p.hs), WEFT_ERR_TIMEOUT);
    pair_free(&p);
}

/* --- failures that the client reports --- */

static void expect_end(struct pair *p, weft_err err)
{
    CHECK(wf_hs_state(p->hs) != WF_HS_FAILED);
    CHECK_EQ(wf_hs_error(p->hs), WEFT_OK);
    p->now = PAIR_START + p->hs_config.timeout_us - 1;
    wf_hs_tick(p->hs, p->now);
    CHECK(wf_hs_state(p->hs) != WF_HS_FAILED);
    p->now++;
    wf_hs_tick(p->hs, p->now);
    CHECK_EQ(wf_hs_state(p->hs), WF_HS_FAILED);
    CHECK_EQ(wf_hs_error(p->hs), err);
    CHECK_EQ(wf_hs_deadline(p->hs), WEFT_TIME_NEVER);
    wf_hs_tick(p->hs, p->now + 1);
    CHECK_EQ(wf_hs_error(p->hs), err);
}

TEST(silence_is_reported_as_unreachable)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_to_client(&p, "", 0);
    pair_to_client(&p, "\x02garbage", 8);
    pair_to_client(&p, p.hello, sizeof p.hello);
    expect_end(&p, WEFT_ERR_UNREACHABLE);
    pair_free(&p);
}

TEST(another_server_key_is_reported_as_wrong_key)
{
    struct pair p;
    uint8_t seed[32] = {9};

    start(&p);
    struct wf_identity other;
    CHECK_OK(wf_identity_init(&other, seed));
    p.adm_config.identity = &other;
    pair_server(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_get_challenge(&p); /* SPEC 1.1-3 */
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);
    expect_end(&p, WEFT_ERR_WRONG_KEY); /* SPEC 1.2-3 */
    pair_free(&p);
}

TEST(a_forged_challenge_before_the_true_one_does_no_harm)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_get_challenge(&p);
    p.challenge[100] ^= 1;
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);
    p.challenge[100] ^= 1;
    pair_to_client(&p, p.challenge, p.challenge_len);
    pair_make_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_OK(pair_make_confirm(&p));
    pair_finish(&p);
    CHECK(pair_agrees(&p));
    pair_free(&p);
}

TEST(a_challenge_that_answers_another_hello_is_dropped_unverified)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    for (size_t i = 0; i < 8; i++) {
        uint64_t curves = wf_curve_operations();
        p.hello[8 + i] ^= 1; /* somebody's HELLO, with our address on it */
        pair_get_challenge(&p);
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO); /* SPEC 1.2-8 */
        CHECK_EQ(wf_curve_operations(), curves);
        p.hello[8 + i] ^= 1;
    }
    pair_get_challenge(&p);
    CHECK_MEM_EQ(p.challenge + 180, p.hello + 8, 8);
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_NEED_DATA);
    pair_free(&p);
}

TEST(no_confirm_is_reported_as_timeout)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    expect_end(&p, WEFT_ERR_TIMEOUT);
    pair_free(&p);
}

TEST(a_not_after_in_the_past_is_refused_beyond_300_s)
{
    static const struct {
        int64_t late_s;
        bool ok;
    } cases[] = {{-1, true}, {0, true}, {300, true}, {301, false}, {100000, false}};

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct pair p;
        start(&p);
        uint64_t not_after_s = p.adm->ts[0].challenge.not_after_s;
        CHECK_EQ(not_after_s, PAIR_WALL_MS / 1000 + 241);
        p.hs_config.wall_ms = (uint64_t)((int64_t)not_after_s + cases[i].late_s) * 1000;
        pair_client(&p, false);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(wf_hs_state(p.hs), cases[i].ok ? WF_HS_NEED_DATA : WF_HS_HELLO); /* SPEC 1.2-5 */
        if (!cases[i].ok)
            expect_end(&p, WEFT_ERR_CRYPTO);
        pair_free(&p);
    }
}

TEST(without_a_clock_at_either_end_not_after_is_no_obstacle)
{
    struct pair p;

    start(&p);
    p.hs_config.wall_ms = 0;
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    p.adm_config.wall_ms = 0;
    pair_server(&p);
    CHECK_EQ(p.adm->ts[0].challenge.not_after_s, (uint64_t)1 << 63);
    p.hs_config.wall_ms = PAIR_WALL_MS;
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    CHECK(pair_agrees(&p));
    pair_free(&p);
}

TEST(a_client_whose_clock_says_1970_refuses_nothing_for_being_late)
{
    struct pair p;

    start(&p);
    p.hs_config.wall_ms = 1000;
    for (int i = 0; i < 2; i++) {
        pair_client(&p, false);
        pair_to_confirm(&p);
        pair_finish(&p);
        p.adm_config.wall_ms = 0;
        pair_server(&p);
    }
    pair_free(&p);
}

TEST(the_servers_clock_may_jump_by_years_without_changing_what_is_accepted)
{
    static const uint64_t walls[] = {1, PAIR_WALL_MS - 315360000000, PAIR_WALL_MS + 315360000000};

    for (size_t i = 0; i < WF_ARRAY_LEN(walls); i++) {
        struct pair p;
        start(&p);
        p.hs_config.wall_ms = 0;
        p.adm_config.wall_ms = walls[i];
        pair_server(&p);
        pair_client(&p, false);
        pair_to_confirm(&p);
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        pair_free(&p);
    }
}

/* --- ourselves --- */

TEST(calling_our_own_key_or_its_negative_is_a_usage_error)
{
    struct pair p;
    struct wf_hs *hs = NULL;

    start(&p);
    p.hs_config.identity = &p.server_id;
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_USAGE); /* SPEC 1.3-6 */
    p.hs_config.server_key[31] ^= 0x80;                            /* the other sign, the same u */
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_USAGE);
    p.hs_config.identity = NULL;
    p.hs_config.server_key[31] ^= 0x80;
    CHECK_OK(wf_hs_new(&hs, &p.hs_config, p.now)); /* one-way has no key to compare */
    wf_hs_free(hs);
    pair_free(&p);
}

TEST(what_is_no_point_is_no_server_key)
{
    struct pair p;
    struct wf_hs *hs = NULL;

    start(&p);
    memset(p.hs_config.server_key, 0, 32);
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_CRYPTO);
    p.hs_config.server_key[0] = 2;
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_CRYPTO);
    memset(p.hs_config.server_key, 0xff, 32);
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_CRYPTO);
    pair_free(&p);
}

TEST(a_client_drops_every_flight_that_is_reflected_to_it)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_to_client(&p, p.hello, sizeof p.hello);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    pair_make_solve(&p);
    pair_to_client(&p, p.solve, p.solve_len);
    p.solve[0] = WF_TYPE_CONFIRM;
    pair_to_client(&p, p.solve, p.solve_len);
    memcpy(p.solve + 1, pair_client_cid, WF_CID_LEN);
    pair_to_client(&p, p.solve, p.solve_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    pair_free(&p);
}

TEST(a_server_drops_every_flight_that_is_reflected_to_it)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    CHECK_EQ(pair_to_server(&p, p.challenge, p.challenge_len), WF_ADM_DROP);
    CHECK_EQ(pair_to_server(&p, p.confirm, p.confirm_len), WF_ADM_DROP);
    p.confirm[0] = WF_TYPE_SOLVE;
    p.challenge[0] = WF_TYPE_HELLO;
    CHECK_EQ(pair_to_server(&p, p.challenge, p.challenge_len), WF_ADM_DROP);
    CHECK_EQ(pair_to_server(&p, p.confirm, p.confirm_len), WF_ADM_DROP);
    CHECK_EQ(pair_to_server(&p, "", 0), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).accepted, 1);
    pair_free(&p);
}

TEST(nothing_is_answered_to_an_address_that_is_none)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    p.from = (struct wf_addr){0};
    CHECK_EQ(pair_to_server(&p, p.hello, sizeof p.hello), WF_ADM_DROP);
    pair_free(&p);
}

/* --- protocol lists --- */

TEST(without_a_common_protocol_version_the_client_says_so_at_once)
{
    struct pair p;
    static const uint8_t others[] = {1, 99, 1, 5};
    static const uint8_t none[1];

    for (int i = 0; i < 2; i++) {
        start(&p);
        p.hs_config.lists = i == 0 ? wf_span(others, sizeof others) : wf_span(none, 0);
        pair_client(&p, false);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_FAILED);
        CHECK_EQ(wf_hs_error(p.hs), WEFT_ERR_NO_PROTOCOL); /* SPEC 1.1-5 */
        pair_free(&p);
    }
}

TEST(editing_the_lists_of_either_end_fails_and_never_downgrades)
{
    struct pair p;
    struct wf_adm_stats s;

    /* The client offers 7 before 1; somebody takes the 7 out of HELLO. */
    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    CHECK_EQ(p.hello[26], 7);
    p.hello[26] = 9;
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO); /* SPEC 1.2-9 */
    stamp_challenge(p.challenge, p.challenge_len, p.hs->hello);
    pair_to_client(&p, p.challenge, p.challenge_len);
    pair_make_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    s = pair_stats(&p);
    CHECK_EQ(s.solve_bad_cookie, 1);

    /* The same in HELLO and SOLVE alike: the boxes were sealed over the true lists. */
    CHECK_EQ(p.solve[110], 7);
    p.solve[110] = 9;
    stamp_solve(p.solve, p.solve_len);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    s = pair_stats(&p);
    CHECK_EQ(s.solve_bad_box, 1);

    /* Out of CHALLENGE: the signature fails. */
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_get_challenge(&p);
    CHECK_EQ(p.challenge[WF_CHALLENGE_FIXED + 1], 7);
    p.challenge[WF_CHALLENGE_FIXED + 1] = 9;
    stamp_challenge(p.challenge, p.challenge_len, p.hello);
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);
    CHECK(p.hs->was_false);
    CHECK_EQ(pair_stats(&p).accepted, 0);
    pair_free(&p);
}

TEST(lists_that_are_malformed_are_a_usage_error_of_either_end)
{
    struct pair p;
    static const uint8_t twice[] = {2, 1, 1};

    start(&p);
    p.hs_config.lists = wf_span(twice, sizeof twice);
    p.adm_config.lists = wf_span(twice, sizeof twice);
    struct wf_hs *hs = NULL;
    struct wf_adm *adm = NULL;
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_USAGE);
    CHECK_EQ(wf_adm_new(&adm, &p.adm_config, p.now), WEFT_ERR_USAGE);
    pair_free(&p);
}

/* --- CONFIRM --- */

TEST(a_confirm_that_does_not_open_is_dropped_and_the_true_one_still_counts)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    p.confirm[p.confirm_len - 1] ^= 1;
    pair_to_client(&p, p.confirm, p.confirm_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE); /* SPEC 1.4-3 */
    p.confirm[p.confirm_len - 1] ^= 1;
    for (size_t len = 0; len < p.confirm_len; len++)
        pair_to_client(&p, p.confirm, len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    pair_finish(&p);
    CHECK(pair_agrees(&p));
    pair_to_client(&p, p.confirm, p.confirm_len);
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_DONE);
    pair_free(&p);
}

TEST(a_confirm_for_another_connection_id_costs_no_curve)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    uint64_t curves = wf_curve_operations();
    for (size_t i = 0; i < WF_CID_LEN; i++) {
        p.confirm[1 + i] ^= 1;
        pair_to_client(&p, p.confirm, p.confirm_len);
        p.confirm[1 + i] ^= 1;
    }
    CHECK_EQ(wf_curve_operations(), curves);
    pair_finish(&p);
    pair_free(&p);
}

TEST(the_secrets_are_wiped_where_they_were_moved_out_from)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    CHECK(wf_is_zero_ct(&p.hs->result, sizeof p.hs->result));
    CHECK(wf_is_zero_ct(p.hs->e_c_secret, 32));
    CHECK(wf_is_zero_ct(&p.hs->schedule, sizeof p.hs->schedule));
    pair_free(&p);
}
