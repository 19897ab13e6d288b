/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shard_test.c - SOLVEs for another shard or another instance at the server, and a CHALLENGE that
 * comes after SOLVE at the client.
 */
#include "crypto/dh.h"
#include "pair.h"
#include "test.h"

static struct wf_rng_seeded seeded;

static void start(struct pair *p)
{
    wf_rng_seed(&seeded, 4711);
    pair_init(p, test_mem(), &seeded.rng);
    pair_server(p);
}

/* --- the server --- */

/* SPEC 1.13-1 */
TEST(a_solve_of_another_shard_is_handed_over_and_that_one_takes_it)
{
    struct pair p;
    struct wf_adm *shards[3] = {NULL};

    start(&p);
    p.adm_config.instance = 77;
    p.adm_config.shard_count = 3;
    for (uint8_t i = 0; i < 3; i++) {
        p.adm_config.shard = i;
        CHECK_OK(wf_adm_new(&shards[i], &p.adm_config, p.now));
    }
    wf_adm_free(p.adm);
    for (uint8_t made = 0; made < 3; made++) {
        p.adm = shards[made];
        pair_client(&p, made == 1);
        pair_to_solve(&p);
        uint64_t curves = wf_curve_operations();
        for (uint8_t got = 0; got < 3; got++) {
            p.adm = shards[got];
            if (got == made)
                continue;
            CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_FORWARD);
            CHECK_EQ(p.result.shard, made);
            CHECK_EQ(p.result.reply_len, 0);
        }
        CHECK_EQ(wf_curve_operations(), curves);
        p.adm = shards[made];
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
        CHECK_OK(pair_make_confirm(&p));
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        CHECK_EQ(pair_stats(&p).solve_forwarded, made == 0 ? 0 : made);
    }
    wf_adm_free(shards[0]);
    wf_adm_free(shards[1]);
    p.adm = shards[2];
    pair_free(&p);
}

TEST(a_shard_that_the_instance_does_not_have_is_dropped)
{
    struct pair p;

    start(&p);
    p.adm_config.shard = 1;
    p.adm_config.shard_count = 3;
    pair_server(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    CHECK_EQ(p.solve[3], 1);
    for (unsigned shard = 0; shard < 256; shard++) {
        p.solve[3] = (uint8_t)shard;
        enum wf_adm_kind kind = pair_to_server(&p, p.solve, p.solve_len);
        CHECK_EQ(kind, shard == 1 ? WF_ADM_ACCEPT : shard < 3 ? WF_ADM_FORWARD : WF_ADM_DROP);
    }
    CHECK_EQ(pair_stats(&p).solve_bad_cookie, 253);
    pair_free(&p);
}

TEST(a_shard_beyond_the_count_makes_no_admission)
{
    struct pair p;
    struct wf_adm *a = NULL;

    start(&p);
    p.adm_config.shard = 1;
    CHECK_EQ(wf_adm_new(&a, &p.adm_config, p.now), WEFT_ERR_USAGE);
    p.adm_config.shard_count = 1;
    CHECK_EQ(wf_adm_new(&a, &p.adm_config, p.now), WEFT_ERR_USAGE);
    p.adm_config.shard_count = 2;
    CHECK_OK(wf_adm_new(&a, &p.adm_config, p.now));
    wf_adm_free(a);
    pair_free(&p);
}

/* SPEC 1.13-4 */
TEST(each_start_has_another_instance)
{
    struct pair p;
    uint8_t before[8];

    start(&p);
    for (int i = 0; i < 10; i++) {
        pair_client(&p, false);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        CHECK(i == 0 || memcmp(before, p.challenge + 4, sizeof before) != 0);
        memcpy(before, p.challenge + 4, sizeof before);
        pair_server(&p);
    }
    pair_free(&p);
}

/* SPEC 1.13-2 */
TEST(a_foreign_solve_is_challenged_like_a_hello_of_its_client)
{
    struct pair p;
    uint8_t shorter[WF_SOLVE_MAX];

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    pair_server(&p);
    uint64_t curves = wf_curve_operations();
    uint64_t attempts = p.mem->attempts;
    memcpy(shorter, p.solve, sizeof shorter);
    for (size_t len = 0; len <= p.solve_len; len++) {
        (void)pair_to_server(&p, shorter, len);
        CHECK_EQ(pair_is_anew(&p), len >= WF_HELLO_LEN);
        CHECK_LE(p.result.reply_len, len);
    }
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(p.mem->attempts, attempts);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    uint8_t answer[WF_CHALLENGE_MAX];
    size_t len = p.result.reply_len;
    memcpy(answer, p.result.reply, len);
    CHECK_EQ(pair_to_server(&p, p.hello, sizeof p.hello), WF_ADM_REPLY);
    CHECK_EQ(p.result.reply_len, len);
    CHECK_MEM_EQ(p.result.reply, answer, len);
    for (size_t at = 1; at <= 2; at++) { /* version, suite */
        p.solve[at] ^= 2;
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
        p.solve[at] ^= 2;
    }
    pair_free(&p);
}

/* --- the client --- */

static void solve_without_data(struct pair *p)
{
    struct wf_solve_body body = pair_body();

    body.frames = (weft_span){NULL, 0};
    pair_say_hello(p);
    pair_get_challenge(p);
    pair_to_client(p, p->challenge, p->challenge_len);
    CHECK_OK(wf_hs_solve(p->hs, p->now, &body));
    wf_hs_work(p->hs, p->now, UINT64_MAX);
    pair_send_solve(p);
}

/* The server is another one now; what it says to SOLVE goes to the client. */
static void meet_another(struct pair *p)
{
    pair_server(p);
    (void)pair_to_server(p, p->solve, p->solve_len);
    CHECK(pair_is_anew(p));
    pair_to_client(p, p->result.reply, p->result.reply_len);
}

static void pass(struct pair *p, weft_time us)
{
    p->now += us;
    wf_hs_tick(p->hs, p->now);
}

/* SPEC 1.13-8 */
TEST(a_solve_without_data_is_made_anew_for_the_restarted_server)
{
    struct pair p;
    uint8_t first[WF_SOLVE_MAX];

    start(&p);
    p.adm_config.effort = 16;
    pair_server(&p);
    pair_client(&p, false);
    solve_without_data(&p);
    memcpy(first, p.solve, sizeof first);
    meet_another(&p);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    pass(&p, 299999);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    CHECK_EQ(wf_hs_deadline(p.hs), p.now + 1);
    pass(&p, 1);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_WORKING);
    wf_hs_work(p.hs, p.now, UINT64_MAX);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    pair_send_solve(&p);
    CHECK(memcmp(first + 64, p.solve + 64, 32) != 0); /* another e_c */
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_OK(pair_make_confirm(&p));
    pair_finish(&p);
    CHECK(pair_agrees(&p));
    pair_free(&p);
}

TEST(three_times_is_enough)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    solve_without_data(&p);
    for (int i = 0; i < 3; i++) {
        meet_another(&p);
        pass(&p, PAIR_SECOND);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
        pair_send_solve(&p);
    }
    uint8_t last[WF_SOLVE_MAX];
    memcpy(last, p.solve, sizeof last);
    meet_another(&p);
    pass(&p, 5 * PAIR_SECOND);
    pair_send_solve(&p);
    CHECK_MEM_EQ(p.solve, last, sizeof last);
    pass(&p, 30 * PAIR_SECOND);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_FAILED);
    pair_free(&p);
}

/* SPEC 1.13-8 */
TEST(a_solve_with_data_is_never_made_anew)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    meet_another(&p);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    pass(&p, 300000);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_FAILED);
    CHECK_EQ(wf_hs_error(p.hs), WEFT_ERR_TIMEOUT);
    pair_free(&p);
}

/* SPEC 1.13-7 */
TEST(a_confirm_that_comes_all_the_same_is_taken)
{
    for (int with_data = 0; with_data < 2; with_data++) {
        struct pair p;
        struct wf_adm *other = NULL;

        start(&p);
        CHECK_OK(wf_adm_new(&other, &p.adm_config, p.now));
        pair_client(&p, false);
        if (with_data != 0)
            pair_to_solve(&p);
        else
            solve_without_data(&p);
        struct wf_adm *genuine = p.adm;
        p.adm = other; /* whoever saw HELLO has another instance answer it */
        pair_get_challenge(&p);
        pair_to_client(&p, p.challenge, p.challenge_len);
        p.adm = genuine;
        pass(&p, 299999);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
        CHECK_OK(pair_make_confirm(&p));
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        wf_adm_free(other);
        pair_free(&p);
    }
}

/* SPEC 1.13-6 */
TEST(what_is_not_signed_does_not_make_another_challenge)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    uint64_t curves = wf_curve_operations();
    for (size_t at = 0; at < p.challenge_len; at++) {
        bool is_named = at >= 4 && at < 12; /* the instance */
        bool is_ts = at >= 24 && at < 28;
        for (unsigned bit = 0; bit < 8; bit++) {
            if (is_named || is_ts)
                curves++; /* it may be true, so the signature is looked at */
            p.challenge[at] ^= (uint8_t)(1u << bit);
            pair_to_client(&p, p.challenge, p.challenge_len);
            p.challenge[at] ^= (uint8_t)(1u << bit);
        }
    }
    CHECK_LE(wf_curve_operations(), curves);
    pass(&p, 5 * PAIR_SECOND);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(the_challenge_of_another_shard_of_the_instance_changes_nothing)
{
    struct pair p;
    struct wf_adm *other = NULL;

    start(&p);
    p.adm_config.instance = 5;
    p.adm_config.shard_count = 2;
    pair_server(&p);
    p.adm_config.shard = 1;
    CHECK_OK(wf_adm_new(&other, &p.adm_config, p.now));
    for (int i = 0; i < 3; i++) { /* its t_s id is higher */
        p.now += 130 * PAIR_SECOND;
        wf_adm_tick(other, p.now);
    }
    wf_adm_tick(p.adm, p.now);
    pair_client(&p, false);
    pair_to_solve(&p);
    struct wf_adm *genuine = p.adm;
    p.adm = other;
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    p.adm = genuine;
    pass(&p, 5 * PAIR_SECOND);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    wf_adm_free(other);
    pair_free(&p);
}

TEST(a_newer_transient_key_of_the_same_shard_makes_another_challenge)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    solve_without_data(&p);
    p.hs->cookie_until = WEFT_TIME_NEVER; /* its clock stood still meanwhile */
    wf_adm_tick(p.adm, p.now + 150 * PAIR_SECOND);
    weft_time stood = p.now;
    p.now += 150 * PAIR_SECOND;
    (void)pair_to_server(&p, p.solve, p.solve_len); /* SPEC 1.13-3 */
    CHECK(pair_is_anew(&p));
    p.now = stood;
    pair_to_client(&p, p.result.reply, p.result.reply_len);
    pass(&p, 300000);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    pair_send_solve(&p);
    p.now += 150 * PAIR_SECOND;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}
