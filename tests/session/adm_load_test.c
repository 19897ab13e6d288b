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
    stamp_solve(out, f.len);
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

/* --- the price --- */

/* Time in which the queue is not served. */
static void pass(struct pair *p, weft_time us)
{
    weft_time until = p->now + us;

    while (p->now < until) {
        p->now += 50000;
        wf_adm_tick(p->adm, p->now);
    }
}

/* Everything that waits is done. */
static void serve_all(struct pair *p)
{
    while (wf_adm_next(p->adm, p->now, &p->result)) {
        if (p->result.kind == WF_ADM_ACCEPT)
            wf_adm_refuse(p->adm, p->result.ticket);
    }
}

static struct wf_challenge_head asked_head(struct pair *p)
{
    struct wf_challenge c;

    CHECK_EQ(pair_to_server(p, p->hello, sizeof p->hello), WF_ADM_REPLY);
    CHECK_OK(wf_challenge_get(wf_span(p->result.reply, p->result.reply_len), &c));
    return c.head;
}

/* The effort that a HELLO from this address is asked for. */
static uint32_t asked_of(struct pair *p, struct wf_addr from)
{
    struct wf_addr was = p->from;

    p->from = from;
    struct wf_challenge_head h = asked_head(p);
    p->from = was;
    CHECK_EQ(h.work_alg, h.effort == 0 ? WF_WORK_NONE : WF_WORK_BLAKE2B);
    return h.effort;
}

/* A queue full of clients from all over, none of whom paid anything. */
static void flood(struct pair *p)
{
    for (unsigned i = 0; i < 64; i++) {
        p->from = wf_addr_v4((uint8_t)(20 + i), 0, 0, 1, 4242);
        arrive_new(p);
    }
    p->from = wf_addr_v4(192, 0, 2, 1, 40000);
}

static void start_flooded(struct pair *p)
{
    start(p);
    p->hs_config.timeout_us = 1000 * PAIR_SECOND;
    flood(p);
    CHECK_EQ(pair_stats(p).price, 0);
    CHECK_EQ(asked_of(p, p->from), 0);
    CHECK(wf_adm_deadline(p->adm) <= p->now + 250000);
    pass(p, 250000);
    CHECK(pair_stats(p).price > 0);
}

TEST(a_queue_that_is_not_served_raises_the_price_and_one_that_is_brings_it_to_zero)
{
    struct pair p;

    start_flooded(&p);
    uint32_t first = (uint32_t)pair_stats(&p).price;
    CHECK_EQ(asked_of(&p, p.from), first);
    serve_all(&p);
    pass(&p, 60 * PAIR_SECOND);
    CHECK_EQ(pair_stats(&p).price, 0);
    CHECK_EQ(asked_of(&p, p.from), 0);
    CHECK(wf_adm_deadline(p.adm) > p.now);
    pair_free(&p);
}

TEST(under_overload_what_pays_less_than_half_is_dropped_on_arrival)
{
    struct pair p;

    start(&p);
    pair_client(&p, true);
    pair_to_solve(&p); /* with a cookie from before, that asks for nothing */
    uint8_t hoarded[WF_SOLVE_MAX];
    memcpy(hoarded, p.solve, sizeof hoarded);
    flood(&p);
    arrive(&p, hoarded, sizeof hoarded); /* no overload yet: it may wait, but nobody goes for it */
    CHECK_EQ(pair_stats(&p).solve_queue_full, 1);
    pass(&p, 250000);
    uint64_t curves = wf_curve_operations();
    arrive(&p, hoarded, sizeof hoarded); /* SPEC 1.7-4 */
    CHECK_EQ(pair_stats(&p).solve_underpaid, 1);
    CHECK_EQ(wf_curve_operations(), curves);

    arrive_new(&p); /* pays what is asked now, and takes the place of one who has not */
    CHECK_EQ(pair_stats(&p).solve_underpaid, 1);
    CHECK_EQ(pair_stats(&p).solve_queue_full, 2);
    CHECK_EQ(pair_stats(&p).queued, 64);
    CHECK(wf_adm_next(p.adm, p.now, &p.result)); /* and is served first */
    CHECK_EQ(p.result.kind, WF_ADM_ACCEPT);
    CHECK(wf_addr_equal(&p.result.path.from, &p.from));
    pair_free(&p);
}

/* SPEC 1.7-13 */
TEST(under_overload_what_was_solved_and_kept_back_is_dropped_after_thirty_seconds)
{
    struct pair p;
    uint8_t kept[2][WF_SOLVE_MAX];
    size_t len = 0;

    start_flooded(&p);
    const weft_time made = p.now;
    for (size_t i = 0; i < 2; i++) {
        pair_client(&p, true);
        pair_to_solve(&p);
        memcpy(kept[i], p.solve, p.solve_len);
        len = p.solve_len;
    }
    serve_all(&p);
    pass(&p, 29 * PAIR_SECOND);
    CHECK_EQ(pair_stats(&p).price, 0);
    flood(&p);
    while (pair_stats(&p).price == 0)
        pass(&p, 50000);
    CHECK(p.now <= made + 30 * PAIR_SECOND);
    arrive(&p, kept[0], len);
    CHECK_EQ(pair_stats(&p).solve_underpaid, 0);
    CHECK_EQ(pair_stats(&p).solve_queue_full, 1); /* it took the place of one who paid nothing */
    while (p.now <= made + 30 * PAIR_SECOND || pair_stats(&p).price == 0)
        pass(&p, 50000);
    CHECK(p.now < made + 31 * PAIR_SECOND);
    arrive(&p, kept[1], len);
    CHECK_EQ(pair_stats(&p).solve_underpaid, 1);
    CHECK_EQ(pair_stats(&p).solve_queue_full, 1);
    pair_free(&p);
}

TEST(a_configured_effort_is_asked_of_everybody_and_the_ceiling_is_never_passed)
{
    struct pair p;

    start(&p);
    p.adm_config.effort = 100;
    p.adm_config.ceiling_log2 = 7;
    pair_server(&p);
    pair_client(&p, true);
    pair_say_hello(&p);
    CHECK_EQ(asked_of(&p, p.from), 100);
    p.adm_config.effort = 128;
    pair_server(&p);
    CHECK_EQ(asked_of(&p, p.from), 128);
    for (unsigned i = 0; i < 100; i++) /* it owes a multiple now */
        wf_adm_charge(p.adm, p.now, &p.from, 1000);
    CHECK_EQ(asked_of(&p, p.from), 128);
    pair_free(&p);
}

TEST(who_has_used_more_than_his_share_is_asked_for_more_and_a_hello_changes_nothing)
{
    struct pair p;
    struct wf_addr other = wf_addr_v4(198, 51, 100, 7, 1);

    start(&p);
    p.adm_config.effort = 10;
    p.adm_config.table_max = 1024;
    pair_server(&p);
    pair_meet(&p);
    for (unsigned i = 0; i < 200; i++) { /* spoofed or not: who only asks is charged nothing */
        p.hello[8] = (uint8_t)i;
        CHECK_EQ(asked_of(&p, p.from), 10);
    }
    for (unsigned i = 0; i < 64; i++) { /* somebody in every network has used a little */
        struct wf_addr a = wf_addr_v4((uint8_t)(60 + i), 1, 2, 3, 4);
        wf_adm_charge(p.adm, p.now, &a, 300);
    }
    for (unsigned i = 0; i < 100; i++)
        wf_adm_charge(p.adm, p.now, &p.from, 300);
    CHECK_EQ(asked_of(&p, p.from), 80);
    CHECK_EQ(asked_of(&p, other), 10);
    pair_free(&p);
}

/* SPEC 1.7-8 */
TEST(curves_are_charged_to_the_address_that_its_cookie_has_proved)
{
    struct pair p;

    start(&p);
    p.adm_config.effort = 4;
    p.adm_config.table_max = 1024;
    pair_server(&p);
    for (unsigned i = 0; i < 64; i++) {
        struct wf_addr a = wf_addr_v4((uint8_t)(60 + i), 1, 2, 3, 4);
        wf_adm_charge(p.adm, p.now, &a, 300);
    }
    for (unsigned i = 0; i < 40; i++) {
        pair_client(&p, false);
        pair_to_solve(&p);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
        wf_adm_refuse(p.adm, p.result.ticket);
    }
    CHECK(asked_of(&p, p.from) > 8);
    pair_free(&p);
}

TEST(who_waited_ten_seconds_is_dropped)
{
    struct pair p;

    start(&p);
    arrive_new(&p);
    pass(&p, 10 * PAIR_SECOND);
    CHECK_EQ(pair_stats(&p).queued, 1);
    pass(&p, PAIR_SECOND / 2);
    CHECK_EQ(pair_stats(&p).queued, 0);
    CHECK_EQ(pair_stats(&p).solve_expired, 1);
    pair_free(&p);
}

/* --- the table --- */

static struct wf_adm_entry *add_entry(struct pair *p, uint64_t n)
{
    uint8_t cookie[WF_COOKIE_LEN] = {1};

    wf_store_u64(cookie + 8, n);
    return wf_adm_table_add(p->adm, cookie, p->adm->epoch);
}

TEST(a_table_that_fills_with_sessions_asks_for_more_and_more)
{
    static const struct {
        uint64_t used;
        uint32_t asked;
    } rows[] = {{3071, 0},     {3072, 1024},  {3327, 1024},  {3328, 4096},
                {3584, 16384}, {3840, 65536}, {4095, 65536}, {4096, 262144}};
    struct pair p;
    uint64_t n = 0;

    start(&p);
    p.adm_config.table_max = 4096;
    pair_server(&p);
    pair_client(&p, true);
    pair_say_hello(&p);
    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        for (; n < rows[i].used; n++)
            add_entry(&p, n)->state = WF_ADM_ENTRY_DONE;
        test_note("%u used", (unsigned)n);
        CHECK_EQ(asked_of(&p, p.from), rows[i].asked); /* SPEC 1.7-10 */
    }
    p.now += 120 * PAIR_SECOND;
    CHECK_EQ(asked_of(&p, p.from), 0);
    pair_free(&p);
}

TEST(entries_that_opened_nothing_go_for_new_ones_and_others_stay)
{
    struct pair p;
    uint8_t cookie[WF_COOKIE_LEN] = {1};

    start(&p);
    for (uint64_t n = 0; n < 64; n++) {
        struct wf_adm_entry *e = add_entry(&p, n);
        if (n % 2 == 0)
            e->state = WF_ADM_ENTRY_DONE;
    }
    for (uint64_t n = 64; n < 96; n++)
        add_entry(&p, n)->state = WF_ADM_ENTRY_DONE; /* SPEC 1.7-10 */
    CHECK(add_entry(&p, 96) == NULL);
    CHECK_EQ(pair_stats(&p).table_entries, 64);
    for (uint64_t n = 0; n < 96; n++) {
        wf_store_u64(cookie + 8, n);
        CHECK_EQ(wf_adm_table_find(p.adm, cookie) != NULL, n % 2 == 0 || n >= 64);
    }
    p.now += 120 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    pair_free(&p);
}

/* It stands in the list of an older epoch, and must not die with it: its cookie is good for longer,
 * and would make a second session. */
TEST(an_entry_taken_over_lives_as_long_as_its_own_cookie)
{
    struct pair p;
    uint8_t cookie[WF_COOKIE_LEN] = {1};

    start(&p);
    for (uint64_t n = 0; n < 64; n++)
        (void)add_entry(&p, n);
    p.now += 90 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    add_entry(&p, 64)->state = WF_ADM_ENTRY_DONE;
    wf_store_u64(cookie + 8, 64);
    p.now += 119 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK(wf_adm_table_find(p.adm, cookie) != NULL);
    CHECK_EQ(pair_stats(&p).table_entries, 1);
    p.now += PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    pair_free(&p);
}

TEST(a_large_epoch_dies_a_piece_at_a_time_and_at_once)
{
    struct pair p;
    unsigned ticks = 0;

    start(&p);
    p.adm_config.table_max = 20000;
    pair_server(&p);
    for (uint64_t n = 0; n < 20000; n++)
        add_entry(&p, n)->state = WF_ADM_ENTRY_DONE;
    p.now += 120 * PAIR_SECOND;
    for (; wf_adm_deadline(p.adm) <= p.now; ticks++) {
        CHECK_LE(ticks, 8);
        wf_adm_tick(p.adm, p.now);
    }
    CHECK(ticks > 1);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    CHECK(add_entry(&p, 1) != NULL);
    pair_free(&p);
}

/* --- what does not count --- */

TEST(bytes_in_a_victims_name_without_its_cookie_change_nothing_for_it)
{
    struct pair p;
    uint8_t forged[WF_SOLVE_MAX];

    start(&p);
    p.adm_config.effort = 10;
    pair_server(&p);
    pair_client(&p, true);
    pair_to_solve(&p);
    for (unsigned i = 0; i < 2000; i++) {
        memcpy(forged, p.solve, sizeof forged);
        forged[48 + i % 16] ^= (uint8_t)(1u << i % 8); /* the cookie */
        arrive(&p, forged, sizeof forged);
    }
    CHECK_EQ(pair_stats(&p).solve_bad_cookie, 2000);
    CHECK_EQ(p.adm->prefixes.total, 0);
    CHECK_EQ(asked_of(&p, p.from), 10);
    pair_free(&p);
}

TEST(the_hosts_of_one_ipv6_network_share_one_account)
{
    struct pair p;
    uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2};

    start(&p);
    p.adm_config.effort = 10;
    pair_server(&p);
    pair_client(&p, true);
    pair_say_hello(&p);
    for (unsigned i = 0; i < 64; i++) {
        struct wf_addr a = wf_addr_v4((uint8_t)(60 + i), 1, 2, 3, 4);
        wf_adm_charge(p.adm, p.now, &a, 300);
    }
    for (unsigned i = 0; i < 65536; i += 64) { /* it hops through its /64 */
        ip[14] = (uint8_t)(i >> 8);
        ip[15] = (uint8_t)i;
        struct wf_addr a = wf_addr_v6(ip, 7, 0);
        wf_adm_charge(p.adm, p.now, &a, 50);
    }
    ip[15] = 1;
    CHECK_EQ(asked_of(&p, wf_addr_v6(ip, 9, 0)), 80);
    ip[1] = 2;
    CHECK_EQ(asked_of(&p, wf_addr_v6(ip, 9, 0)), 10);
    pair_free(&p);
}

TEST(a_wall_clock_ten_years_off_changes_nothing_but_the_date_in_the_challenge)
{
    static const int64_t years[] = {-10, 0, 10};

    for (size_t i = 0; i < WF_ARRAY_LEN(years); i++) {
        struct pair p;

        pair_init(&p, test_mem(), test_rng(1));
        p.adm_config.wall_ms = (uint64_t)((int64_t)PAIR_WALL_MS + years[i] * 365 * 86400 * 1000);
        p.hs_config.wall_ms = 0; /* a client without a clock of its own */
        pair_server(&p);
        pair_client(&p, false);
        pair_to_confirm(&p);
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        CHECK_EQ(pair_stats(&p).accepted, 1);
        p.now += 120 * PAIR_SECOND;
        wf_adm_tick(p.adm, p.now);
        CHECK_EQ(pair_stats(&p).table_entries, 0);
        pair_free(&p);
    }
}
