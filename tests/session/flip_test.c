/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_test.c - somebody in between flips every bit of every flight, one at a time. Either the
 * handshake fails cleanly, or both ends hold the same transcript; never a session whose ends
 * disagree.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    p->hs_config.effort_max = 256; /* a flipped effort must not keep us busy */
    p->adm_config.table_max = 4096;
    pair_server(p);
}

/* The table would fill up with so many handshakes; a new epoch now and then empties it. */
static void pass_time(struct pair *p, size_t n)
{
    if (n % 1000 == 999) {
        p->now += 120 * PAIR_SECOND;
        wf_adm_tick(p->adm, p->now);
    }
}

static void flip(uint8_t *data, size_t bit)
{
    data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* The server has accepted what the client did not send so: CONFIRM must not open. */
static void expect_no_agreement(struct pair *p)
{
    CHECK_OK(pair_make_confirm(p));
    pair_to_client(p, p->confirm, p->confirm_len);
    CHECK_EQ(wf_hs_state(p->hs), WF_HS_SOLVE);
}

/* Goes on from a CHALLENGE that the client has; true when both ends agree in the end. */
static bool go_on(struct pair *p)
{
    struct wf_solve_body body = pair_body();

    if (wf_hs_state(p->hs) != WF_HS_NEED_DATA)
        return false;
    CHECK_OK(wf_hs_solve(p->hs, p->now, &body));
    wf_hs_work(p->hs, p->now, 1u << 16);
    if (wf_hs_state(p->hs) != WF_HS_SOLVE)
        return false;
    pair_send_solve(p);
    if (pair_to_server(p, p->solve, p->solve_len) != WF_ADM_ACCEPT)
        return false;
    CHECK_OK(pair_make_confirm(p));
    pair_finish(p);
    CHECK(pair_agrees(p)); /* one transcript or none */
    return true;
}

TEST(no_flipped_bit_of_hello_leads_to_a_session)
{
    struct pair p;

    start(&p);
    for (size_t bit = 0; bit < 8 * WF_HELLO_LEN; bit++) {
        pair_client(&p, bit % 2 == 0);
        pair_say_hello(&p);
        flip(p.hello, bit);
        test_note("bit %zu", bit);
        if (pair_to_server(&p, p.hello, sizeof p.hello) != WF_ADM_REPLY)
            continue;
        pair_to_client(&p, p.result.reply, p.result.reply_len);
        CHECK(!go_on(&p));
        pass_time(&p, bit);
    }
    CHECK_EQ(pair_stats(&p).accepted, 0);
    pair_free(&p);
}

/* Whoever has seen HELLO can make the check right again: he keeps the client from its session, and
 * no more. */
TEST(no_flipped_bit_of_challenge_leads_to_a_session_though_its_check_be_right)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    pair_get_challenge(&p);
    for (size_t bit = 0; bit < 8 * p.challenge_len; bit++) {
        if (bit / 8 >= WF_CHALLENGE_CHECK_OFFSET && bit / 8 < WF_CHALLENGE_LISTS_OFFSET)
            continue; /* the check itself */
        pair_client(&p, bit % 2 == 0);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        flip(p.challenge, bit);
        stamp_challenge(p.challenge, p.challenge_len, p.hello);
        test_note("bit %zu", bit);
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK(!go_on(&p));
        pass_time(&p, bit);
    }
    CHECK_EQ(pair_stats(&p).accepted, 0);
    pair_free(&p);
}

/* The client waits as if nothing had come: no curve, no ASK, no word of a wrong key. */
static void expect_unheard(struct pair *p)
{
    const uint64_t curves = wf_curve_operations();

    pair_to_client(p, p->challenge, p->challenge_len);
    CHECK_EQ(wf_hs_state(p->hs), WF_HS_HELLO);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK(!p->hs->was_false && !p->hs->was_stale);
}

TEST(a_challenge_damaged_in_any_bit_is_as_if_lost) /* SPEC 1.2-9 */
{
    struct pair p;

    start(&p);
    for (int one_way = 0; one_way <= 1; one_way++) {
        pair_client(&p, one_way != 0);
        pair_say_hello(&p);
        pair_get_challenge(&p);
        for (size_t bit = 0; bit < 8 * p.challenge_len; bit++) {
            test_note("bit %zu", bit);
            flip(p.challenge, bit);
            expect_unheard(&p);
            flip(p.challenge, bit);
        }
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK(go_on(&p));
    }
    pair_free(&p);
}

TEST(the_answer_to_a_hello_damaged_in_any_bit_is_as_if_lost) /* SPEC 1.2-9 */
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    for (size_t bit = 0; bit < 8 * WF_HELLO_LEN; bit++) {
        test_note("bit %zu", bit);
        flip(p.hello, bit);
        if (pair_to_server(&p, p.hello, sizeof p.hello) == WF_ADM_REPLY) {
            pair_get_challenge(&p);
            expect_unheard(&p);
        }
        flip(p.hello, bit);
    }
    pair_get_challenge(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK(go_on(&p));
    pair_free(&p);
}

/* Of another instance, as it comes after SOLVE: it is whole or it is nothing. */
TEST(a_damaged_challenge_after_solve_does_not_make_the_client_begin_anew) /* SPEC 1.2-9 */
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    pair_server(&p); /* it was started again */
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_REPLY);
    memcpy(p.challenge, p.result.reply, p.result.reply_len);
    p.challenge_len = p.result.reply_len;
    for (size_t bit = 0; bit < 8 * p.challenge_len; bit++) {
        test_note("bit %zu", bit);
        flip(p.challenge, bit);
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(p.hs->another_len, 0);
        flip(p.challenge, bit);
    }
    pair_to_client(&p, p.challenge, p.challenge_len);
    CHECK_EQ(p.hs->another_len, p.challenge_len);
    pair_free(&p);
}

TEST(a_solve_damaged_in_any_bit_costs_nothing_and_keeps_nobody_out) /* SPEC 1.3-12 */
{
    struct pair p;

    start(&p);
    for (int one_way = 0; one_way <= 1; one_way++) {
        pair_client(&p, one_way != 0);
        pair_to_solve(&p);
        const uint64_t curves = wf_curve_operations();
        for (size_t bit = 0; bit < 8 * WF_SOLVE_MAX; bit++) {
            test_note("bit %zu", bit);
            flip(p.solve, bit);
            CHECK(pair_to_server(&p, p.solve, p.solve_len) == WF_ADM_DROP || pair_is_anew(&p));
            flip(p.solve, bit);
        }
        CHECK_EQ(wf_curve_operations(), curves);
        CHECK_EQ(pair_stats(&p).table_entries, (size_t)one_way);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
        CHECK_OK(pair_make_confirm(&p));
        pair_finish(&p);
        CHECK(pair_agrees(&p));
    }
    pair_free(&p);
}

/* The bid is in the transcript, though it is free while nothing is asked; the nonce is not. */
TEST(no_flipped_bit_of_solve_leads_to_a_session_though_its_check_be_right)
{
    struct pair p;

    start(&p);
    for (size_t bit = 0; bit < 8 * WF_SOLVE_MAX; bit++) {
        if (bit / 8 >= WF_SOLVE_WORK_OFFSET && bit / 8 < WF_SOLVE_WORK_OFFSET + 8)
            continue;       /* the check itself */
        if (bit % 4 == 0) { /* four boxes a cookie */
            pair_client(&p, bit % 8 == 0);
            pair_to_solve(&p);
        }
        uint8_t copy[WF_SOLVE_MAX];
        test_note("bit %zu", bit);
        memcpy(copy, p.solve, sizeof copy);
        flip(copy, bit);
        stamp_solve(copy, sizeof copy);
        CHECK(pair_to_server(&p, copy, sizeof copy) == WF_ADM_DROP || pair_is_anew(&p));
        pass_time(&p, bit);
    }
    CHECK_EQ(pair_stats(&p).accepted, 0);
    CHECK(pair_stats(&p).solve_bad_box > 0);
    pair_free(&p);
}

TEST(with_work_no_flipped_bit_of_solve_gets_past_it_but_by_luck)
{
    struct pair p;

    start(&p);
    p.adm_config.effort = 256;
    pair_server(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    uint64_t curves = wf_curve_operations();
    for (size_t bit = 8 * 64; bit < 8 * WF_SOLVE_MAX; bit++) {
        if (bit / 8 >= WF_SOLVE_WORK_OFFSET && bit / 8 < WF_SOLVE_FIXED + sizeof pair_lists)
            continue; /* another nonce may be as good; the lists are the cookie's, tested there */
        flip(p.solve, bit);
        CHECK_NE(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_REPLY);
        flip(p.solve, bit);
    }
    /* One in 256 passes the work; at most four boxes of them are tried. */
    CHECK_LE(wf_curve_operations() - curves, 4 * 5);
    CHECK(pair_stats(&p).solve_bad_work > 8 * (WF_SOLVE_MAX - 64) * 9 / 10);
    pair_free(&p);
}

TEST(no_flipped_bit_of_confirm_is_believed_and_the_true_one_still_is)
{
    for (int one_way = 0; one_way <= 1; one_way++) {
        struct pair p;
        start(&p);
        pair_client(&p, one_way != 0);
        pair_to_confirm(&p);
        for (size_t bit = 0; bit < 8 * p.confirm_len; bit++) {
            flip(p.confirm, bit);
            test_note("bit %zu", bit);
            pair_to_client(&p, p.confirm, p.confirm_len);
            CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
            flip(p.confirm, bit);
        }
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        pair_free(&p);
    }
}

TEST(every_prefix_and_every_longer_form_of_each_flight_is_refused)
{
    struct pair p;
    uint8_t longer[WF_SOLVE_MAX + 1] = {0};

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    for (size_t len = 0; len < sizeof p.hello; len++)
        CHECK_EQ(pair_to_server(&p, p.hello, len), WF_ADM_DROP);
    memcpy(longer, p.hello, sizeof p.hello);
    CHECK_EQ(pair_to_server(&p, longer, sizeof p.hello + 1), WF_ADM_DROP);

    pair_get_challenge(&p);
    for (size_t len = 0; len < p.challenge_len; len++)
        pair_to_client(&p, p.challenge, len);
    memcpy(longer, p.challenge, p.challenge_len);
    pair_to_client(&p, longer, p.challenge_len + 1);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);

    pair_to_client(&p, p.challenge, p.challenge_len);
    pair_make_solve(&p);
    for (size_t len = 0; len < p.solve_len; len++) {
        /* Cut boxes are other boxes: four of them, and the cookie is burnt. A fresh server forgets.
         */
        CHECK_EQ(pair_to_server(&p, p.solve, len), WF_ADM_DROP);
    }
    memcpy(longer, p.solve, p.solve_len);
    CHECK_EQ(pair_to_server(&p, longer, p.solve_len + 1), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).accepted, 0);
    pair_free(&p);
}

TEST(flights_of_two_handshakes_do_not_mix)
{
    struct pair a;
    struct pair b;

    start(&a);
    pair_client(&a, false);
    b = a; /* the same server and the same identities, another client object */
    b.hs = NULL;
    pair_client(&b, false);
    pair_say_hello(&a);
    pair_say_hello(&b);
    pair_get_challenge(&a);
    pair_get_challenge(&b);
    pair_to_client(&a, b.challenge, b.challenge_len);
    CHECK_EQ(wf_hs_state(a.hs), WF_HS_HELLO); /* SPEC 1.2-8 */
    pair_to_client(&a, a.challenge, a.challenge_len);
    pair_make_solve(&a);

    pair_to_client(&b, b.challenge, b.challenge_len);
    pair_make_solve(&b);
    CHECK_EQ(pair_to_server(&b, b.solve, b.solve_len), WF_ADM_ACCEPT);
    expect_no_agreement(&(struct pair){.mem = a.mem,
                                       .rng = a.rng,
                                       .aead = a.aead,
                                       .adm = a.adm,
                                       .hs = a.hs,
                                       .now = a.now,
                                       .result = b.result});
    wf_hs_free(b.hs);
    pair_free(&a);
}
