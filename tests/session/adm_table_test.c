/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_table_test.c - one SOLVE, one session: duplicates, the table of solved cookies, kept
 * CONFIRMs, tickets, and the keys made ahead; each at its limit.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    pair_server(p);
}

/* --- duplicates --- */

static void expect_same_confirm(struct pair *p)
{
    CHECK_EQ(pair_to_server(p, p->solve, p->solve_len), WF_ADM_REPLY);
    CHECK_EQ(p->result.reply_len, p->confirm_len);
    CHECK_MEM_EQ(p->result.reply, p->confirm, p->confirm_len);
}

TEST(a_duplicate_gets_the_identical_confirm_until_the_client_has_it)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    uint64_t ticket = p.result.ticket;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP); /* none is there yet */
    CHECK_OK(pair_make_confirm(&p));
    for (int i = 0; i < 5; i++)
        expect_same_confirm(&p); /* SPEC 1.3-4 */
    wf_adm_confirmed(p.adm, ticket);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).confirm_bytes, 0);
    wf_adm_confirmed(p.adm, ticket); /* twice is harmless */
    CHECK_EQ(pair_stats(&p).accepted, 1);
    CHECK_EQ(pair_stats(&p).confirm_resent, 5);
    pair_free(&p);
}

/* SPEC 1.3-11 */
TEST(who_moved_while_its_confirm_was_on_the_way_gets_it_at_its_new_address)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    const uint64_t ticket = p.result.ticket;
    CHECK_OK(pair_make_confirm(&p));
    const uint64_t curves = wf_curve_operations();
    const struct wf_addr own = p.from;
    p.from = wf_addr_v4(9, 9, 9, 9, 999);
    expect_same_confirm(&p);
    CHECK_LE(p.result.reply_len, p.solve_len);
    p.solve[p.solve_len - 1] ^= 1; /* other boxes */
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    p.solve[p.solve_len - 1] ^= 1;
    p.solve[48] ^= 1; /* a cookie that nobody solved */
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    p.solve[48] ^= 1;
    wf_adm_confirmed(p.adm, ticket);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    p.from = own;
    CHECK_EQ(pair_stats(&p).accepted, 1);
    CHECK_EQ(wf_curve_operations(), curves);
    pair_free(&p);
}

TEST(many_duplicates_get_a_few_confirms_and_then_one_in_ten_milliseconds)
{
    struct pair p;
    unsigned answers = 0;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    for (unsigned i = 0; i < 1000; i++)
        answers += pair_to_server(&p, p.solve, p.solve_len) == WF_ADM_REPLY; /* SPEC 1.3-4 */
    CHECK_EQ(answers, WF_ADM_RESEND_BURST);
    for (unsigned i = 0; i < 3; i++) {
        p.now += WF_ADM_RESEND_EVERY_US - 1;
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
        p.now += 1;
        expect_same_confirm(&p);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    }
    CHECK_EQ(pair_stats(&p).accepted, 1);
    CHECK_EQ(pair_stats(&p).confirm_resent, WF_ADM_RESEND_BURST + 3);
    pair_free(&p);
}

TEST(a_confirm_is_kept_for_ten_seconds_and_no_longer)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    weft_time made = p.now;
    p.now = made + 10 * PAIR_SECOND - 1;
    wf_adm_tick(p.adm, p.now);
    expect_same_confirm(&p);
    CHECK_LE(wf_adm_deadline(p.adm), made + 10 * PAIR_SECOND);
    p.now = made + 10 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).confirm_bytes, 0);
    pair_free(&p);
}

TEST(a_refused_session_leaves_duplicates_unanswered)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    wf_adm_refuse(p.adm, p.result.ticket);
    CHECK_EQ(wf_secret_held(p.adm->pending_arena), 0);
    CHECK_EQ(pair_make_confirm(&p), WEFT_ERR_NOT_FOUND);
    wf_adm_refuse(p.adm, p.result.ticket);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    CHECK_EQ(pair_stats(&p).accepted, 1);
    pair_free(&p);
}

TEST(ten_thousand_replays_make_one_session_and_cost_no_curve_and_no_memory)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    uint64_t curves = wf_curve_operations();
    uint64_t attempts = p.mem->attempts;
    uint64_t ticket = p.result.ticket;
    for (int i = 0; i < 10000; i++) {
        if (i == 5000)
            wf_adm_confirmed(p.adm, ticket);
        p.now += i < 500 ? WF_ADM_RESEND_EVERY_US : 0;
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len),
                 i < 500 + (int)WF_ADM_RESEND_BURST - 1 ? WF_ADM_REPLY : WF_ADM_DROP);
    }
    struct wf_adm_stats s = pair_stats(&p);
    CHECK_EQ(s.accepted, 1); /* SPEC 1.3-5 */
    CHECK_EQ(s.table_entries, 1);
    CHECK_EQ(s.solve_duplicate, 10000);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(p.mem->attempts, attempts);
    pair_free(&p);
}

TEST(a_shorter_datagram_with_a_solved_cookie_gets_no_longer_answer)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    struct wf_adm_kept *k = wf_adm_ticket_find(p.adm, p.result.ticket)->of.kept;
    size_t shortest = WF_SOLVE_MIN + sizeof pair_lists;
    size_t len = k->len;
    CHECK(len < shortest);
    CHECK_EQ(pair_to_server(&p, p.solve, shortest), WF_ADM_REPLY);
    k->len = shortest + 1; /* as if the reply had been long */
    CHECK_EQ(pair_to_server(&p, p.solve, shortest), WF_ADM_DROP);
    k->len = len;
    pair_free(&p);
}

/* --- different boxes under one cookie --- */

static void send_garbage(struct pair *p, uint8_t n)
{
    uint8_t garbage[WF_SOLVE_MAX];

    memcpy(garbage, p->solve, p->solve_len);
    garbage[500] ^= n; /* inside box2 */
    garbage[120] ^= 1; /* and in box0, so that it ends early */
    stamp_solve(garbage, p->solve_len);
    CHECK_EQ(pair_to_server(p, garbage, p->solve_len), WF_ADM_DROP);
}

TEST(the_true_boxes_may_come_after_three_false_ones_but_not_after_four)
{
    for (uint8_t before = 0; before < 6; before++) {
        struct pair p;
        start(&p);
        pair_client(&p, false);
        pair_to_solve(&p);
        for (uint8_t i = 0; i < before; i++)
            send_garbage(&p, (uint8_t)(i + 1));
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len),
                 before < 4 ? WF_ADM_ACCEPT : WF_ADM_DROP); /* SPEC 1.3-3 */
        CHECK_EQ(pair_stats(&p).solve_bad_box, before < 4 ? before : 4);
        CHECK_EQ(pair_stats(&p).table_entries, 1);
        pair_free(&p);
    }
}

TEST(the_same_false_boxes_again_count_once_and_cost_no_curve)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    send_garbage(&p, 1);
    uint64_t curves = wf_curve_operations();
    for (int i = 0; i < 100; i++)
        send_garbage(&p, 1);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(pair_stats(&p).solve_duplicate, 100);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}

/* --- the table's limit --- */

TEST(a_full_table_turns_newcomers_away_until_epochs_die)
{
    struct pair p;

    start(&p);
    p.adm_config.table_max = 3;
    pair_server(&p);
    p.hs_config.timeout_us = 1000 * PAIR_SECOND;
    for (int i = 0; i < 3; i++) {
        pair_client(&p, true);
        pair_to_confirm(&p);
    }
    expect_same_confirm(&p);
    pair_client(&p, true);
    pair_to_solve(&p);
    uint64_t curves = wf_curve_operations();
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(pair_stats(&p).solve_table_full, 1);
    CHECK_EQ(pair_stats(&p).table_entries, 3);
    p.now += 120 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    for (int i = 0; i < 3; i++) {
        pair_client(&p, true);
        pair_to_confirm(&p);
    }
    CHECK_EQ(pair_stats(&p).table_entries, 3);
    pair_free(&p);
}

/* A plain list of (cookie, epoch) that the table must agree with. */
struct model {
    uint8_t cookie[WF_COOKIE_LEN];
    uint32_t epoch;
    bool present;
};

TEST(the_table_agrees_with_a_plain_list_over_many_epochs)
{
    enum { ITEMS = 400, CAP = 50 };
    struct pair p;
    static struct model items[ITEMS];
    uint64_t state = test_seed();
    size_t present = 0;

    start(&p);
    p.adm_config.table_max = CAP;
    pair_server(&p);
    memset(items, 0, sizeof items);
    for (size_t n = 0; n < 20000; n++) {
        struct model *m = &items[test_next(&state) % ITEMS];
        if (test_next(&state) % 40 == 0) {
            p.now += 30 * PAIR_SECOND;
            wf_adm_rotate_epoch(p.adm, p.now);
            for (size_t i = 0; i < ITEMS; i++) {
                if (items[i].present && p.adm->epoch - items[i].epoch >= 4) {
                    items[i].present = false;
                    present--;
                }
            }
        }
        memset(m->cookie, 0, sizeof m->cookie);
        wf_store_u64(m->cookie, (uint64_t)(m - items));
        CHECK_EQ(wf_adm_table_find(p.adm, m->cookie) != NULL, m->present);
        if (!m->present) {
            uint32_t back = (uint32_t)(test_next(&state) % 4);
            m->epoch = p.adm->epoch >= back ? p.adm->epoch - back : 0;
            struct wf_adm_entry *e = wf_adm_table_add(p.adm, m->cookie, m->epoch);
            m->present = e != NULL;
            if (e != NULL)
                e->state = WF_ADM_ENTRY_DONE; /* one that was only tried may go for another */
            CHECK_EQ(m->present, present < CAP);
            present += m->present ? 1 : 0;
        }
        CHECK_EQ(pair_stats(&p).table_entries, present);
    }
    pair_free(&p);
}

/* --- accepted and not yet confirmed --- */

/* Sends n one-way SOLVEs, each of a new client; returns the latest ticket. */
static uint64_t accept_many(struct pair *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        pair_client(p, true);
        pair_to_solve(p);
        CHECK_EQ(pair_to_server(p, p->solve, p->solve_len), WF_ADM_ACCEPT);
    }
    return p->result.ticket;
}

TEST(accepted_solves_without_confirm_are_capped_and_expire_after_ten_seconds)
{
    struct pair p;

    start(&p);
    p.adm_config.table_max = 1000;
    pair_server(&p);
    uint64_t attempts = 0;
    uint64_t ticket = accept_many(&p, WF_ADM_PENDING_MAX);
    CHECK_EQ(wf_secret_held(p.adm->pending_arena), WF_ADM_PENDING_MAX);
    pair_client(&p, true);
    pair_to_solve(&p);
    attempts = p.mem->attempts;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
    CHECK_EQ(p.mem->attempts, attempts);
    CHECK_EQ(pair_stats(&p).queued, 1); /* it keeps its place */
    CHECK(!wf_adm_has_work(p.adm));
    CHECK_EQ(pair_stats(&p).table_entries, WF_ADM_PENDING_MAX);

    p.now += 10 * PAIR_SECOND - 1;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(wf_secret_held(p.adm->pending_arena), WF_ADM_PENDING_MAX);
    CHECK_LE(wf_adm_deadline(p.adm), p.now + 1);
    p.now += 1;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(wf_secret_held(p.adm->pending_arena), 0);
    p.result.ticket = ticket;
    CHECK_EQ(pair_make_confirm(&p), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(an_accept_in_the_last_moment_of_its_cookie_can_still_be_confirmed)
{
    struct pair p;

    start(&p);
    p.hs_config.timeout_us = 1000 * PAIR_SECOND;
    pair_client(&p, false);
    pair_to_solve(&p);
    p.now = PAIR_START + 120 * PAIR_SECOND - 1;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    p.now += 1;
    wf_adm_tick(p.adm, p.now); /* its epoch dies */
    CHECK_EQ(pair_stats(&p).table_entries, 1);
    CHECK_OK(pair_make_confirm(&p));
    pair_finish(&p);
    CHECK(pair_agrees(&p));
    (void)pair_to_server(&p, p.solve, p.solve_len);
    CHECK(pair_is_anew(&p));
    p.now += 120 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    pair_free(&p);
}

TEST(a_kept_confirm_goes_with_its_epoch)
{
    struct pair p;

    start(&p);
    p.hs_config.timeout_us = 1000 * PAIR_SECOND;
    pair_client(&p, false);
    pair_to_solve(&p);
    p.now = PAIR_START + 120 * PAIR_SECOND - 1;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_OK(pair_make_confirm(&p));
    CHECK(pair_stats(&p).confirm_bytes > 0);
    uint64_t ticket = p.result.ticket;
    p.now += 1;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(pair_stats(&p).confirm_bytes, 0);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    wf_adm_confirmed(p.adm, ticket); /* a ticket that is gone */
    pair_free(&p);
}

TEST(tickets_that_were_never_given_or_are_used_up_name_nothing)
{
    struct pair p;
    uint64_t state = test_seed();

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    uint64_t ticket = p.result.ticket;
    const uint64_t made_up[] = {0,
                                1,
                                ticket + 1,
                                ticket ^ (uint64_t)1 << 32,
                                UINT64_MAX,
                                (uint64_t)1 << 32 | 63,
                                (uint64_t)1 << 32 | 64};
    for (size_t i = 0; i < 1000; i++) {
        uint64_t t = i < WF_ARRAY_LEN(made_up) ? made_up[i] : test_next(&state);
        p.result.ticket = t;
        CHECK_EQ(pair_make_confirm(&p), WEFT_ERR_NOT_FOUND);
        wf_adm_refuse(p.adm, t);
        wf_adm_confirmed(p.adm, t);
    }
    expect_same_confirm(&p);
    pair_free(&p);
}

TEST(serial_numbers_of_tickets_skip_zero_when_they_wrap)
{
    struct pair p;

    start(&p);
    p.adm->serial = UINT32_MAX - 1;
    (void)accept_many(&p, 1);
    CHECK_EQ(p.result.ticket >> 32, UINT32_MAX);
    (void)accept_many(&p, 1);
    CHECK_EQ(p.result.ticket >> 32, 1);
    CHECK_OK(pair_make_confirm(&p));
    pair_free(&p);
}

/* --- the pool of kept CONFIRMs --- */

TEST(the_oldest_kept_confirms_make_room_and_the_cap_holds)
{
    struct pair p;
    uint8_t solves[4][WF_SOLVE_MAX];
    size_t each = 0;

    start(&p);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) {
            pair_client(&p, true);
            pair_to_confirm(&p);
            memcpy(solves[i], p.solve, p.solve_len);
            if (each == 0)
                each = (size_t)pair_stats(&p).confirm_bytes;
            CHECK_LE(pair_stats(&p).confirm_bytes, p.adm->kept_max);
        }
        for (int i = 0; i < 4; i++) {
            bool is_kept = round == 0 || i > 0;
            CHECK_EQ(pair_to_server(&p, solves[i], WF_SOLVE_MAX),
                     is_kept ? WF_ADM_REPLY : WF_ADM_DROP);
        }
        p.adm_config.confirm_pool = 4 * each - 1; /* three, in the second round */
        pair_server(&p);
    }
    pair_free(&p);
}

TEST(without_room_or_memory_for_it_a_confirm_is_sent_but_not_kept)
{
    for (int i = 0; i < 2; i++) {
        struct pair p;
        start(&p);
        p.adm_config.confirm_pool = i == 0 ? 10 : 0;
        pair_server(&p);
        pair_client(&p, false);
        pair_to_solve(&p);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
        if (i == 1)
            p.mem->fail_at = p.mem->attempts + 1;
        CHECK_OK(pair_make_confirm(&p));
        p.mem->fail_at = 0;
        CHECK_EQ(pair_stats(&p).confirm_bytes, 0);
        CHECK_EQ(wf_secret_held(p.adm->pending_arena), 0);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        pair_free(&p);
    }
}

/* --- keys made ahead --- */

TEST(the_pool_grows_by_one_a_tick_to_its_limit)
{
    struct pair p;

    start(&p);
    for (unsigned i = 0; i < 10; i++) {
        CHECK_EQ(pair_stats(&p).pool_keys, i < 4 ? i : 4);
        CHECK_EQ(wf_adm_deadline(p.adm) <= p.now + 1000, i < 4);
        wf_adm_tick(p.adm, p.now);
    }
    uint64_t attempts = p.mem->attempts;
    pair_client(&p, false);
    pair_to_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    attempts = p.mem->attempts;
    uint64_t curves = wf_curve_operations();
    CHECK_OK(pair_make_confirm(&p));
    CHECK_EQ(wf_curve_operations() - curves, 2); /* nothing but e2 and ce */
    CHECK_EQ(p.mem->attempts - attempts, 1);     /* the kept CONFIRM */
    CHECK_EQ(pair_stats(&p).pool_keys, 3);
    pair_free(&p);
}

TEST(every_confirm_has_its_own_e2_and_its_secret_is_gone_afterwards)
{
    enum { COUNT = 12 };
    struct pair p;
    uint8_t seen[COUNT][32];

    start(&p);
    for (int i = 0; i < 4; i++)
        wf_adm_tick(p.adm, p.now);
    for (size_t i = 0; i < COUNT; i++) {
        const uint8_t *slot =
            p.adm->pool_count > 0 ? p.adm->pool[p.adm->pool_count - 1]->secret : NULL;
        pair_client(&p, i % 2 == 0);
        pair_to_confirm(&p);
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        memcpy(seen[i], p.confirm + 9, 32); /* SPEC 1.4-1 */
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(seen[i], seen[j], 32) != 0);
        if (slot != NULL)
            CHECK(wf_is_zero_ct(slot, 32));
    }
    pair_free(&p);
}
