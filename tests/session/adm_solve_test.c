/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_solve_test.c - what a SOLVE may say behind a good cookie: work, points, keys, modes, choices;
 * and what a client does about a server's work, points and choices.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"
#include "support/small_points.h"

static const uint8_t e_c_secret[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void start(struct pair *p, uint32_t effort)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    p->adm_config.effort = effort;
    pair_server(p);
}

static void from_hex(uint8_t out[32], const char *text)
{
    CHECK(wf_unhex(out, 32, text));
}

/* --- work --- */

TEST(a_client_pays_what_is_asked_and_is_accepted)
{
    static const uint32_t efforts[] = {1, 2, 1000};

    for (size_t i = 0; i < WF_ARRAY_LEN(efforts); i++) {
        struct pair p;
        start(&p, efforts[i]);
        pair_client(&p, false);
        pair_to_confirm(&p);
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        CHECK_EQ(wf_load_u32(p.solve + WF_SOLVE_BID_OFFSET),
                 (13 * efforts[i] + 9) / 10); /* SPEC 1.7-11 */
        pair_free(&p);
    }
}

TEST(work_goes_on_in_steps_and_sends_nothing_before_it_is_solved)
{
    struct pair p;
    size_t len = 1;

    start(&p, 5000);
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    struct wf_solve_body body = pair_body();
    wf_hs_work(p.hs, p.now, 100); /* too early: nothing to do */
    CHECK_OK(wf_hs_solve(p.hs, p.now, &body));
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_WORKING);
    wf_hs_work(p.hs, p.now, 0);
    unsigned steps = 0;
    while (wf_hs_state(p.hs) == WF_HS_WORKING) {
        CHECK_EQ(p.hs->work_nonce, steps * 7);
        wf_hs_send(p.hs, p.now, p.solve, sizeof p.solve, &len);
        CHECK_EQ(len, 0);
        CHECK_EQ(wf_hs_deadline(p.hs), PAIR_START + p.hs_config.timeout_us);
        wf_hs_work(p.hs, p.now, 7);
        steps++;
    }
    CHECK(steps > 1);
    pair_send_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(a_client_refuses_more_work_than_its_limit_without_doing_any)
{
    struct pair p;

    for (int over = 0; over <= 1; over++) {
        start(&p, (1u << 20) + (uint32_t)over);
        pair_client(&p, false);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        uint64_t curves = wf_curve_operations();
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(wf_curve_operations() - curves, 1); /* the signature */
        CHECK_EQ(wf_hs_state(p.hs), over == 0 ? WF_HS_NEED_DATA : WF_HS_FAILED);
        CHECK_EQ(wf_hs_error(p.hs), over == 0 ? WEFT_OK : WEFT_ERR_LIMIT); /* SPEC 1.2-4 */
        pair_free(&p);
    }
}

/* The head of CHALLENGE is not signed, so what a server would never say is somebody else's. */
TEST(a_head_that_no_server_would_send_is_dropped_and_the_true_challenge_counts)
{
    static const struct {
        size_t at;
        uint8_t value;
    } edits[] = {
        {1, 2},     /* version */
        {2, 2},     /* suite */
        {16, 0x75}, /* offset 0x75..: 30000 ms and more */
        {18, 0},    /* no work algorithm, and yet work */
        {18, 3},    /* work algorithm that is not there: SPEC 1.8-2 */
        {20, 0xff}, /* effort above the ceiling */
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(edits); i++) {
        struct pair p;
        start(&p, 4);
        pair_client(&p, false);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        uint8_t good = p.challenge[edits[i].at];
        p.challenge[edits[i].at] = edits[i].value;
        p.challenge[17] |= edits[i].at == 16 ? 0xff : 0;
        pair_to_client(&p, p.challenge, p.challenge_len);
        test_note("edit %zu", i);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);
        p.challenge[edits[i].at] = good;
        p.challenge[17] = 0;
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_NEED_DATA);
        pair_free(&p);
    }
}

TEST(work_by_the_second_algorithm_is_asked_done_and_checked)
{
    struct pair p;

    start(&p, 20);
    p.adm_config.work_alg = WF_WORK_PROGRAM;
    pair_server(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    CHECK_EQ(p.challenge[18], WF_WORK_PROGRAM); /* SPEC 1.8-2 */
    p.solve[WF_SOLVE_WORK_OFFSET] ^= 0x80;      /* 19 in 20; the seed decides */
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_work, 1);
    p.solve[WF_SOLVE_WORK_OFFSET] ^= 0x80;
    p.solve[18] = WF_WORK_BLAKE2B; /* the cookie covers it */
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_cookie, 1);
    p.solve[18] = WF_WORK_PROGRAM;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(a_bid_below_the_effort_asked_is_refused_and_one_above_must_be_paid)
{
    static const struct {
        uint32_t bid;
        bool ok;
    } cases[] = {{0, false}, {1, false}, {15, false}, {16, true}, {17, true}, {500, true}};

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct pair p;
        struct forge f;
        uint8_t out[WF_SOLVE_MAX];
        start(&p, 16);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        f.solve.bid = cases[i].bid;
        forge_solve(&f, p.aead, out);
        forge_work(&f, out);
        test_note("bid %u", cases[i].bid);
        CHECK_EQ(pair_to_server(&p, out, f.len), cases[i].ok ? WF_ADM_ACCEPT : WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_work, !cases[i].ok); /* SPEC 1.3-2 */
        pair_free(&p);
    }
}

TEST(without_effort_the_bid_is_free_and_the_nonce_is_a_check) /* SPEC 1.3-12 */
{
    struct pair p;
    struct forge f;
    uint8_t out[WF_SOLVE_MAX];

    start(&p, 0);
    pair_meet(&p);
    forge_init(&f, &p, e_c_secret);
    f.solve.bid = UINT32_MAX;
    forge_solve(&f, p.aead, out);
    out[WF_SOLVE_WORK_OFFSET + 7] ^= 1;
    CHECK_EQ(pair_to_server(&p, out, f.len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_work, 1);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    out[WF_SOLVE_WORK_OFFSET + 7] ^= 1;
    CHECK_EQ(pair_to_server(&p, out, f.len), WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(work_moved_to_another_cookie_nonce_key_bid_or_boxes_is_refused)
{
    struct pair p;
    struct forge f;
    uint8_t good[WF_SOLVE_MAX], out[WF_SOLVE_MAX];
    struct pair_edit {
        size_t at;
    } edits[] = {{64}, {95}, {99}, {107}, {WF_SOLVE_FIXED + sizeof pair_lists}, {399}};

    start(&p, 4096);
    pair_meet(&p);
    forge_init(&f, &p, e_c_secret);
    f.solve.bid = 4096;
    forge_solve(&f, p.aead, good);
    forge_work(&f, good);
    for (size_t i = 0; i < WF_ARRAY_LEN(edits); i++) {
        memcpy(out, good, f.len);
        out[edits[i].at] ^= 1;
        test_note("byte %zu", edits[i].at);
        CHECK_EQ(pair_to_server(&p, out, f.len), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_work, i + 1);
    }
    /* Another cookie of the same client, nonce and all: only the time has moved. */
    memcpy(out, good, f.len);
    p.now += 5000;
    pair_get_challenge(&p);
    memcpy(out + 1, p.challenge + 1, 23);
    memcpy(out + 48, p.challenge + 164, WF_COOKIE_LEN);
    CHECK_EQ(pair_to_server(&p, out, f.len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_work, WF_ARRAY_LEN(edits) + 1);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    CHECK_EQ(pair_to_server(&p, good, f.len), WF_ADM_ACCEPT);
    pair_free(&p);
}

/* --- points of small order, each in each position --- */

TEST(an_e_c_of_small_order_is_refused)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(small_points); i++) {
        struct pair p;
        struct forge f;
        static const uint8_t zeros[32];
        start(&p, 0);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        from_hex(f.solve.e_c, small_points[i]);
        f.ee_raw = zeros; /* what a careless server would compute */
        f.es_raw = zeros;
        test_note("point %zu", i);
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP); /* SPEC 1.3-7 */
        CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
        pair_free(&p);
    }
}

TEST(a_client_key_that_is_no_point_of_full_order_is_refused)
{
    static const uint8_t zeros[32];

    for (size_t i = 0; i < WF_ARRAY_LEN(small_keys) + 2; i++) {
        struct pair p;
        struct forge f;
        start(&p, 0);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        if (i < WF_ARRAY_LEN(small_keys))
            from_hex(f.client_key, small_keys[i]);
        else
            memset(f.client_key, i == WF_ARRAY_LEN(small_keys) ? 0xff : 0x02, 32);
        f.se_raw = zeros;
        f.ss_raw = zeros;
        test_note("key %zu", i);
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_key, 1);
        pair_free(&p);
    }
}

TEST(a_server_key_that_is_no_point_of_full_order_is_refused_before_any_flight)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(small_keys); i++) {
        struct pair p;
        struct wf_hs *hs = NULL;
        start(&p, 0);
        from_hex(p.hs_config.server_key, small_keys[i]);
        test_note("key %zu", i);
        for (int one_way = 0; one_way <= 1; one_way++) {
            p.hs_config.identity = one_way ? NULL : &p.client_id;
            CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_CRYPTO);
        }
        pair_free(&p);
    }
}

/* Signs a CHALLENGE with whatever keys, as a hostile owner of the server's identity could. */
static void sign_challenge(struct pair *p, struct wf_challenge *c)
{
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];
    size_t len = wf_challenge_message(message, p->server_id.public_key, c);

    wf_sign(c->signature, p->server_id.sign_secret, wf_span(message, len));
    pair_lay_challenge(p, c);
}

TEST(a_signed_ts_or_s_of_small_order_ends_the_clients_handshake)
{
    for (size_t i = 0; i < 2 * WF_ARRAY_LEN(small_points); i++) {
        struct pair p;
        struct wf_challenge c;
        uint8_t copy[WF_CHALLENGE_MAX];
        struct wf_solve_body body = pair_body();
        start(&p, 0);
        pair_client(&p, i % 3 == 0);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        memcpy(copy, p.challenge, sizeof copy);
        CHECK_OK(wf_challenge_get(wf_span(copy, p.challenge_len), &c));
        from_hex(i % 2 == 0 ? c.ts : c.server_dh, small_points[i / 2]);
        sign_challenge(&p, &c);
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_NEED_DATA);
        CHECK_OK(wf_hs_solve(p.hs, p.now, &body));
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_FAILED); /* SPEC 1.3-7 */
        CHECK_EQ(wf_hs_error(p.hs), WEFT_ERR_CRYPTO);
        CHECK(wf_is_zero_ct(p.hs->e_c_secret, 32));
        pair_free(&p);
    }
}

/* CONFIRM as a server would make it that takes e2 for what it says and zeros for the results. */
static size_t forge_confirm(struct pair *p, const uint8_t e2[32], uint8_t *out)
{
    static const uint8_t zeros[32];
    struct wf_schedule s = p->hs->schedule;
    struct wf_confirm clear = {0};
    struct wf_confirm_body body = {.params = wf_params_default};
    uint8_t plain[64];
    struct wf_writer w = wf_writer_of(plain, sizeof plain);

    memcpy(clear.cid, pair_client_cid, WF_CID_LEN);
    memcpy(clear.e2, e2, 32);
    size_t len = wf_confirm_put_clear(&clear, out, WF_SOLVE_MAX);
    wf_schedule_mix(&s, wf_span(out, len));
    wf_kdf_chain(s.ck, s.key, "e2", wf_span(zeros, 32));
    if (p->one_way)
        wf_kdf_chain(s.ck, s.key, "one-way reply", (weft_span){0});
    else
        wf_kdf_chain(s.ck, s.key, "ce", wf_span(zeros, 32));
    wf_confirm_body_put(&w, &body);
    wf_schedule_seal(&s, p->aead, wf_span(plain, w.len), out + len);
    return len + w.len + WF_AEAD_TAG_LEN;
}

TEST(an_e2_of_small_order_is_dropped_even_in_a_confirm_that_would_open)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(small_points); i++) {
        struct pair p;
        uint8_t e2[32];
        uint8_t out[WF_SOLVE_MAX];
        start(&p, 0);
        pair_client(&p, i % 2 == 0);
        pair_to_confirm(&p);
        from_hex(e2, small_points[i]);
        size_t len = forge_confirm(&p, e2, out);
        pair_to_client(&p, out, len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        pair_free(&p);
    }
}

/* --- who speaks with whom --- */

TEST(a_client_with_the_servers_key_or_its_negative_is_refused)
{
    for (int i = 0; i < 2; i++) {
        struct pair p;
        struct forge f;
        start(&p, 0);
        pair_meet(&p);
        p.client_id = p.server_id; /* it does know the seed */
        forge_init(&f, &p, e_c_secret);
        f.client_key[31] ^= i == 0 ? 0 : 0x80;
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_key, 1); /* SPEC 1.3-6 */
        pair_free(&p);
    }
}

TEST(a_box0_that_names_another_server_is_refused)
{
    struct pair p;
    struct forge f;

    start(&p, 0);
    pair_meet(&p);
    forge_init(&f, &p, e_c_secret);
    f.box0_key[31] ^= 0x80;
    CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP); /* SPEC 1.3-9 */
    CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
    pair_free(&p);
}

TEST(a_schedule_for_another_server_key_opens_nothing)
{
    struct pair p;
    struct forge f;

    start(&p, 0);
    pair_meet(&p);
    forge_init(&f, &p, e_c_secret);
    f.server_key[0] ^= 1;
    CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
    pair_free(&p);
}

TEST(modes_other_than_one_and_two_or_mixed_up_are_refused)
{
    static const struct {
        uint8_t mode;
        bool hide, ok;
    } cases[] = {{0, false, false}, {1, false, true},  {1, true, false}, {2, false, false},
                 {2, true, true},   {3, false, false}, {3, true, false}, {255, true, false}};

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct pair p;
        struct forge f;
        start(&p, 0);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        f.mode = cases[i].mode;
        f.hide_client = cases[i].hide;
        CHECK_EQ(forge_send(&p, &f), cases[i].ok ? WF_ADM_ACCEPT : WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_box, !cases[i].ok);
        pair_free(&p);
    }
}

TEST(somebody_who_knows_a_clients_public_key_alone_cannot_pose_as_it)
{
    struct pair p;
    struct forge f;
    struct wf_identity mallory;
    uint8_t seed[32] = {66};

    start(&p, 0);
    pair_meet(&p);
    CHECK_OK(wf_identity_init(&mallory, seed));
    forge_init(&f, &p, e_c_secret);
    f.se.secret = mallory.client_secret;
    f.ss.secret = mallory.client_secret;
    CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
    pair_free(&p);
}

TEST(a_leaked_ts_alone_lets_nobody_pose_as_a_client)
{
    struct pair p;
    struct forge f;

    start(&p, 0);
    pair_meet(&p);
    forge_init(&f, &p, e_c_secret);
    f.se = (struct wf_pair){p.adm->secrets->ts[0], p.client_id.client_public}; /* leaked */
    f.ss.secret = e_c_secret;                                                  /* not known */
    CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
    f.ss.secret = p.client_id.client_secret; /* with it too, it would have been enough */
    f.solve.work_nonce++;
    CHECK_EQ(forge_send(&p, &f), WF_ADM_ACCEPT);
    pair_free(&p);
}

/* Key compromise impersonation: the client's own secret lets nobody pose as a server to it. */
TEST(a_leaked_client_key_lets_nobody_confirm_as_the_server)
{
    struct pair p;

    start(&p, 0);
    pair_client(&p, false);
    pair_to_solve(&p);
    /* All of C's results are known: se, ss and ce. What is not are ee, es: a chain from zeros. */
    struct wf_schedule honest = p.hs->schedule;
    uint8_t out[WF_SOLVE_MAX];
    memset(p.hs->schedule.ck, 0, 32);
    size_t len = forge_confirm(&p, p.client_id.client_public, out);
    p.hs->schedule = honest;
    pair_to_client(&p, out, len);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    pair_free(&p);
}

/* --- contents of box2 --- */

TEST(choices_that_the_lists_do_not_give_are_refused)
{
    for (int i = 0; i < 5; i++) {
        struct pair p;
        struct forge f;
        start(&p, 0);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        CHECK_EQ(f.body.choice_count, 2);
        if (i == 1)
            f.body.choices[0] = WF_PROTOCOL_V1; /* common, but not the first: a downgrade */
        if (i == 2)
            f.body.choices[1] = 0;
        if (i == 3)
            f.body.choice_count = 1;
        if (i == 4)
            f.body.choice_count = 3;
        CHECK_EQ(forge_send(&p, &f), i == 0 ? WF_ADM_ACCEPT : WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_choice, i != 0); /* SPEC 1.3-10 */
        pair_free(&p);
    }
}

TEST(a_client_without_a_common_version_is_refused_whatever_it_chooses)
{
    static const uint8_t lists[] = {1, 99};

    for (uint64_t choice = 0; choice < 100; choice += 99) {
        struct pair p;
        struct forge f;
        start(&p, 0);
        p.hs_config.lists = wf_span(lists, sizeof lists);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        f.body.choices[0] = choice;
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_choice, 1); /* SPEC 1.1-5 */
        pair_free(&p);
    }
}

TEST(a_box2_that_opens_and_is_malformed_is_refused)
{
    static const uint8_t bodies[][24] = {
        {[16] = 9},                        /* nine choices */
        {[16] = 1, [17] = 0x80, [18] = 0}, /* a choice that is no shortest varint */
        {[16] = 1, [17] = 7, [18] = 33},   /* 33 parameters */
        {[16] = 1,
         [17] = 7,
         [18] = 2,
         [19] = 6,
         [20] = 0x89,
         [21] = 0x30,
         [22] = 5,
         [23] = 1}, /* ids that fall */
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(bodies); i++) {
        struct pair p;
        struct forge f;
        start(&p, 0);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        f.raw_body = wf_span(bodies[i], sizeof bodies[i]);
        test_note("body %zu", i);
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_box, 1);
        pair_free(&p);
    }
}

TEST(a_confirm_that_opens_and_is_malformed_is_a_protocol_error)
{
    struct pair p;
    uint8_t out[WF_SOLVE_MAX];

    start(&p, 0);
    pair_client(&p, true);
    pair_to_confirm(&p);
    struct wf_schedule s = p.hs->schedule;
    struct wf_adm_pair e2;
    struct wf_confirm clear = {0};
    static const uint8_t plain[9] = {0, 0, 0, 0, 0, 0, 0, 0, 33}; /* 33 parameters: too many */
    wf_adm_pool_take(p.adm, &e2);
    memcpy(clear.cid, pair_client_cid, WF_CID_LEN);
    memcpy(clear.e2, e2.public_key, 32);
    size_t len = wf_confirm_put_clear(&clear, out, sizeof out);
    uint8_t e_c[32];
    memcpy(e_c, p.solve + 64, 32);
    CHECK_OK(wf_schedule_reply(&s, wf_span(out, len), (struct wf_pair){e2.secret, e_c}, NULL));
    wf_schedule_seal(&s, p.aead, wf_span(plain, sizeof plain), out + len);
    pair_to_client(&p, out, len + sizeof plain + WF_AEAD_TAG_LEN);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_FAILED);
    CHECK_EQ(wf_hs_error(p.hs), WEFT_ERR_PROTOCOL);
    pair_free(&p);
}

TEST(the_shortest_solve_is_accepted_and_its_confirm_is_not_longer)
{
    struct pair p;
    struct forge f;
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};

    start(&p, 0);
    p.hs_config.lists = wf_span(lists, sizeof lists);
    pair_meet(&p);
    forge_init(&f, &p, e_c_secret);
    f.body.frames = (weft_span){0};
    f.body.params = wf_params_default;
    f.len = WF_SOLVE_MIN + sizeof lists + 1;
    CHECK_EQ(forge_send(&p, &f), WF_ADM_ACCEPT);
    CHECK_EQ(p.result.body.frames.len, 0);
    CHECK_EQ(p.result.solve_len, f.len);
    struct wf_adm_confirm c = {.params = wf_params_default};
    uint8_t frames[WF_SOLVE_MAX] = {0};
    struct wf_adm_confirm_out out = {.datagram = p.confirm};
    c.frames = wf_span(frames, wf_adm_confirm_room(p.adm, p.result.ticket, &c.params));
    CHECK_OK(wf_adm_confirm(p.adm, p.now, p.result.ticket, &c, &out));
    CHECK_EQ(out.len, f.len);
    pair_free(&p);
}
