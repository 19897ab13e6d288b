/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_load_test.c - admission under load: the work queue between what a SOLVE shows and what it
 * costs, and what floods can and cannot use up.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static const uint8_t e_c_secret[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    pair_server(p);
}

/* Hands a SOLVE in and leaves it waiting. */
static void arrive(struct pair *p, const uint8_t *solve, size_t len)
{
    const struct wf_adm_path path = {.from = p->from, .to = wf_addr_v4(10, 0, 0, 1, 4870)};
    uint8_t *copy = test_copy(solve, len);

    wf_adm_recv(p->adm, p->now, &path, wf_span(copy, len), &p->result);
    free(copy);
}

/* The SOLVE of a client of its own, by whom p->hs is left. */
static void arrive_new(struct pair *p)
{
    pair_client(p, true);
    pair_to_solve(p);
    arrive(p, p->solve, p->solve_len);
}

/* SOLVEs with one cookie and different boxes, none of which opens. */
static void arrive_garbage(struct pair *p, uint8_t which)
{
    static const uint8_t garbage[32] = {0x77};
    uint8_t out[WF_SOLVE_MAX];
    struct forge f;

    forge_init(&f, p, e_c_secret);
    f.ee_raw = garbage;
    forge_solve(&f, p->aead, out);
    out[f.len - 1] ^= which;
    arrive(p, out, f.len);
}

/* --- the work queue --- */

TEST(a_solve_costs_curves_and_an_entry_only_when_it_leaves_the_queue)
{
    struct pair p;

    start(&p);
    CHECK(!wf_adm_has_work(p.adm));
    CHECK(!wf_adm_next(p.adm, p.now, &p.result));
    pair_client(&p, false);
    pair_to_solve(&p);
    uint64_t curves = wf_curve_operations();
    uint64_t attempts = p.mem->attempts;
    arrive(&p, p.solve, p.solve_len);
    CHECK_EQ(p.result.kind, WF_ADM_DROP);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    CHECK_EQ(pair_stats(&p).queued, 1);
    CHECK(wf_adm_has_work(p.adm));
    memset(&p.result, 0, sizeof p.result);
    CHECK(wf_adm_next(p.adm, p.now, &p.result));
    CHECK_EQ(p.result.kind, WF_ADM_ACCEPT);
    CHECK(wf_addr_equal(&p.result.path.from, &p.from));
    CHECK_EQ(p.result.path.to.port, 4870);
    CHECK_EQ(wf_curve_operations() - curves, 5);
    CHECK_EQ(p.mem->attempts, attempts);
    CHECK_EQ(pair_stats(&p).table_entries, 1);
    CHECK_EQ(pair_stats(&p).queued, 0);
    CHECK(!wf_adm_next(p.adm, p.now, &p.result));
    CHECK_OK(pair_make_confirm(&p));
    pair_finish(&p);
    pair_free(&p);
}

TEST(the_queue_takes_its_cap_and_not_one_more)
{
    struct pair p;

    start(&p);
    p.adm_config.queue_max = 3;
    pair_server(&p);
    for (unsigned i = 0; i < 5; i++) {
        arrive_new(&p);
        CHECK_EQ(pair_stats(&p).queued, i < 3 ? i + 1 : 3);
        CHECK_EQ(pair_stats(&p).solve_queue_full, i < 3 ? 0 : i - 2);
    }
    CHECK(wf_adm_next(p.adm, p.now, &p.result));
    arrive(&p, p.solve, p.solve_len); /* the last one comes again */
    CHECK_EQ(pair_stats(&p).queued, 3);
    while (wf_adm_next(p.adm, p.now, &p.result))
        CHECK_EQ(p.result.kind, WF_ADM_ACCEPT);
    CHECK_EQ(pair_stats(&p).accepted, 4);
    pair_free(&p);
}

TEST(an_absurd_queue_is_a_usage_error)
{
    struct pair p;
    struct wf_adm *adm = NULL;

    start(&p);
    p.adm_config.queue_max = WF_ADM_QUEUE_MAX + 1;
    CHECK_EQ(wf_adm_new(&adm, &p.adm_config, p.now), WEFT_ERR_USAGE);
    pair_free(&p);
}

TEST(while_a_solve_waits_its_repeats_are_dropped)
{
    struct pair p;

    start(&p);
    arrive_new(&p);
    for (int i = 0; i < 1000; i++)
        arrive(&p, p.solve, p.solve_len);
    CHECK_EQ(pair_stats(&p).queued, 1);
    CHECK_EQ(pair_stats(&p).solve_duplicate, 1000);
    CHECK(wf_adm_next(p.adm, p.now, &p.result));
    CHECK_EQ(p.result.kind, WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(of_one_cookie_four_boxes_wait_and_the_first_that_opens_ends_the_others)
{
    struct pair p;

    start(&p);
    pair_meet(&p);
    for (uint8_t i = 0; i < WF_ADM_TRIES - 1; i++)
        arrive_garbage(&p, i);
    pair_to_client(&p, p.challenge, p.challenge_len);
    pair_make_solve(&p);
    arrive(&p, p.solve, p.solve_len);
    CHECK_EQ(pair_stats(&p).queued, WF_ADM_TRIES);
    arrive_garbage(&p, 77); /* SPEC 1.3-3: one too many */
    CHECK_EQ(pair_stats(&p).queued, WF_ADM_TRIES);
    CHECK_EQ(pair_stats(&p).solve_duplicate, 1);
    for (unsigned i = 0; i < WF_ADM_TRIES; i++) {
        CHECK(wf_adm_next(p.adm, p.now, &p.result));
        CHECK_EQ(p.result.kind, i + 1 < WF_ADM_TRIES ? WF_ADM_DROP : WF_ADM_ACCEPT);
    }
    arrive_garbage(&p, 78);
    CHECK_EQ(pair_stats(&p).queued, 0);
    pair_free(&p);
}

TEST(a_twin_that_waited_behind_the_winner_gets_its_confirm_or_nothing)
{
    struct pair p;

    start(&p);
    pair_meet(&p);
    pair_to_client(&p, p.challenge, p.challenge_len);
    pair_make_solve(&p);
    arrive(&p, p.solve, p.solve_len);
    arrive_garbage(&p, 0);
    CHECK(wf_adm_next(p.adm, p.now, &p.result));
    CHECK_OK(pair_make_confirm(&p));
    uint64_t curves = wf_curve_operations();
    CHECK(wf_adm_next(p.adm, p.now, &p.result));
    CHECK_EQ(p.result.kind, WF_ADM_REPLY); /* SPEC 1.3-4 */
    CHECK_MEM_EQ(p.result.reply, p.confirm, p.confirm_len);
    CHECK_EQ(wf_curve_operations(), curves);
    pair_free(&p);
}

TEST(who_waits_until_his_epoch_or_t_s_is_dead_is_dropped)
{
    struct pair p;

    start(&p);
    arrive_new(&p);
    p.now += 120 * PAIR_SECOND;
    uint64_t curves = wf_curve_operations();
    CHECK(wf_adm_next(p.adm, p.now, &p.result));
    CHECK_EQ(p.result.kind, WF_ADM_DROP);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(pair_stats(&p).solve_bad_epoch, 1); /* SPEC 1.2-6 */
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    pair_free(&p);
}
