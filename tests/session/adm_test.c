/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_test.c - admission from the server's side: what a HELLO costs, which check stops a SOLVE and
 * in which order, and how long a cookie and t_s live.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    pair_server(p);
}

static const uint8_t e_c_secret[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

#define COUNTER(field) offsetof(struct wf_adm_stats, field)

static uint64_t *counter_at(struct wf_adm_stats *s, size_t counter)
{
    void *at = (uint8_t *)s + counter;

    return (uint64_t *)at;
}

/* Exactly this counter has gone up by one since `before`, and `solve` with it. */
static void expect_counter(const struct pair *p, struct wf_adm_stats before, size_t counter)
{
    struct wf_adm_stats now = pair_stats(p);

    before.solve++;
    (*counter_at(&before, counter))++;
    before.table_entries = now.table_entries;
    CHECK_EQ(*counter_at(&now, counter), *counter_at(&before, counter));
    CHECK_MEM_EQ(&now, &before, sizeof now);
}

/* --- HELLO --- */

TEST(a_flood_of_hellos_costs_no_curve_no_memory_and_no_entry)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    uint64_t curves = wf_curve_operations();
    uint64_t attempts = p.mem->attempts;
    for (uint32_t i = 0; i < 10000; i++) {
        p.from = wf_addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 4242);
        wf_store_u32(p.hello + 8, i);
        CHECK_EQ(pair_to_server(&p, p.hello, sizeof p.hello), WF_ADM_REPLY); /* SPEC 1.1-2 */
    }
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(p.mem->attempts, attempts);
    CHECK_EQ(pair_stats(&p).table_entries, 0);
    CHECK_EQ(pair_stats(&p).challenge, 10000);
    pair_free(&p);
}

TEST(no_datagram_of_any_length_and_type_is_answered_with_more_bytes_than_it_has)
{
    struct pair p;
    uint8_t buf[1500];

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    for (unsigned type = 0; type < 256; type++) {
        for (size_t len = 1; len <= sizeof buf; len += type <= 5 ? 1 : 97) {
            memset(buf, 0, sizeof buf);
            memcpy(buf, p.hello, sizeof p.hello);
            buf[0] = (uint8_t)type;
            (void)pair_to_server(&p, buf, len);
            CHECK_LE(p.result.reply_len, len);
            CHECK_EQ(p.result.reply_len != 0, type == WF_TYPE_HELLO && len == WF_HELLO_LEN);
        }
    }
    pair_free(&p);
}

TEST(a_hello_with_a_wrong_bit_outside_of_prefix_n_c_and_lists_is_dropped)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    for (size_t bit = 0; bit < 8 * sizeof p.hello; bit++) {
        size_t at = bit / 8;
        bool is_free = at >= 4 && at < 24; /* prefix and n_c */
        bool is_lists = at >= 24 && at < 25 + sizeof pair_lists;
        if (is_lists)
            continue;
        p.hello[at] ^= (uint8_t)(1u << bit % 8);
        test_note("bit %zu", bit);
        CHECK_EQ(pair_to_server(&p, p.hello, sizeof p.hello),
                 is_free ? WF_ADM_REPLY : WF_ADM_DROP); /* SPEC 1.1-1, 1.1-3 */
        p.hello[at] ^= (uint8_t)(1u << bit % 8);
    }
    pair_free(&p);
}

TEST(an_effort_above_the_ceiling_or_absurd_sizes_are_a_usage_error)
{
    struct pair p;
    struct wf_adm *adm = NULL;

    start(&p);
    p.adm_config.effort = (1u << 24) + 1;
    CHECK_EQ(wf_adm_new(&adm, &p.adm_config, p.now), WEFT_ERR_USAGE);
    p.adm_config.effort = 1u << 24;
    CHECK_OK(wf_adm_new(&adm, &p.adm_config, p.now));
    wf_adm_free(adm);
    p.adm_config.ceiling_log2 = 33;
    CHECK_EQ(wf_adm_new(&adm, &p.adm_config, p.now), WEFT_ERR_USAGE);
    p.adm_config.ceiling_log2 = 32;
    p.adm_config.table_max = WF_ADM_TABLE_MAX + 1;
    CHECK_EQ(wf_adm_new(&adm, &p.adm_config, p.now), WEFT_ERR_USAGE);
    p.adm_config.table_max = 1;
    p.adm_config.pool_max = WF_ADM_POOL_MAX + 1;
    CHECK_EQ(wf_adm_new(&adm, &p.adm_config, p.now), WEFT_ERR_USAGE);
    pair_free(&p);
}

/* --- the order of checks: each row is wrong in its own place and in all later ones --- */

enum wrong {
    WRONG_LENGTH,
    WRONG_EPOCH,
    WRONG_COOKIE,
    WRONG_PREFIX,
    WRONG_TS,
    WRONG_DUPLICATE,
    WRONG_WORK,
    WRONG_BOX0,
    WRONG_BOX1,
    WRONG_KEY,
    WRONG_BOX2,
    WRONG_CHOICE,
    WRONG_COUNT,
};

static const struct {
    size_t counter;
    uint64_t curves; /* what the server spends until then */
} wrongs[WRONG_COUNT] = {
    [WRONG_LENGTH] = {COUNTER(solve_bad_length), 0},
    [WRONG_EPOCH] = {COUNTER(solve_bad_epoch), 0},
    [WRONG_COOKIE] = {COUNTER(solve_bad_cookie), 0},
    [WRONG_PREFIX] = {COUNTER(solve_bad_prefix), 0},
    [WRONG_TS] = {COUNTER(solve_bad_ts), 0},
    [WRONG_DUPLICATE] = {COUNTER(solve_duplicate), 0},
    [WRONG_WORK] = {COUNTER(solve_bad_work), 0},
    [WRONG_BOX0] = {COUNTER(solve_bad_box), 1},
    [WRONG_BOX1] = {COUNTER(solve_bad_box), 2},
    [WRONG_KEY] = {COUNTER(solve_bad_key), 2},
    [WRONG_BOX2] = {COUNTER(solve_bad_box), 5},
    [WRONG_CHOICE] = {COUNTER(solve_bad_choice), 5},
};

/* Marks the cookie as one that has made its session. */
static void spend_cookie(struct pair *p, const struct forge *f)
{
    struct wf_adm_entry *e = wf_adm_table_add(p->adm, f->solve.cookie, f->solve.head.epoch);

    CHECK(e != NULL);
    e->state = WF_ADM_ENTRY_DONE;
}

/* A SOLVE in which everything from `first` on is wrong, and everything before it right. */
static size_t make_wrong_from(struct pair *p, enum wrong first, uint8_t *out)
{
    static const uint8_t garbage[32] = {0x77};
    struct forge f;

    forge_init(&f, p, e_c_secret);
    f.solve.head.effort = 16;
    f.solve.bid = first <= WRONG_WORK ? 15 : 16;
    f.body.choices[0] += 1;
    f.se_raw = first <= WRONG_BOX2 ? garbage : NULL;
    if (first <= WRONG_KEY)
        memcpy(f.client_key, p->server_id.public_key, 32);
    f.es_raw = first <= WRONG_BOX1 ? garbage : NULL;
    f.ee_raw = first <= WRONG_BOX0 ? garbage : NULL;
    f.solve.head.ts_id += first <= WRONG_TS ? 1 : 0;
    f.solve.prefix[0] ^= first <= WRONG_PREFIX ? 1 : 0;
    f.solve.head.epoch += first <= WRONG_EPOCH ? 1 : 0;
    forge_cookie(&f, p);
    if (first <= WRONG_DUPLICATE)
        spend_cookie(p, &f);
    f.solve.cookie[3] ^= first <= WRONG_COOKIE ? 1 : 0;
    forge_solve(&f, p->aead, out);
    if (first > WRONG_WORK)
        forge_work(&f, out);
    return first == WRONG_LENGTH ? WF_SOLVE_MIN - 1 : f.len;
}

TEST(a_solve_is_stopped_by_the_first_check_that_fails_and_costs_nothing_before_its_work)
{
    for (int first = 0; first < WRONG_COUNT; first++) {
        struct pair p;
        uint8_t out[WF_SOLVE_MAX];
        start(&p);
        pair_meet(&p);
        test_note("wrong from check %d on", first);
        size_t len = make_wrong_from(&p, (enum wrong)first, out);
        struct wf_adm_stats before = pair_stats(&p);
        uint64_t curves = wf_curve_operations();
        uint64_t attempts = p.mem->attempts;
        CHECK_EQ(pair_to_server(&p, out, len), WF_ADM_DROP); /* SPEC 1.3-1 */
        CHECK_EQ(p.result.reply_len, 0);
        CHECK_EQ(wf_curve_operations() - curves, wrongs[first].curves);
        CHECK_EQ(p.mem->attempts, attempts);
        CHECK_LE(pair_stats(&p).table_entries, before.table_entries + (first > WRONG_WORK));
        expect_counter(&p, before, wrongs[first].counter);
        pair_free(&p);
    }
}

TEST(an_accepted_solve_costs_five_curve_operations_and_no_memory)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    uint64_t curves = wf_curve_operations();
    uint64_t attempts = p.mem->attempts;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    CHECK_EQ(wf_curve_operations() - curves, 5);
    CHECK_EQ(p.mem->attempts, attempts);
    pair_free(&p);
}

/* --- the cookie --- */

TEST(every_bit_that_the_cookie_covers_is_checked_before_any_curve)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    uint64_t curves = wf_curve_operations();
    size_t covered_end = WF_SOLVE_FIXED + sizeof pair_lists;
    for (size_t bit = 8; bit < 8 * covered_end; bit++) {
        size_t at = bit / 8;
        if (at >= 64 && at < 108) /* e_c, bid, nonce */
            continue;
        test_note("bit %zu", bit);
        p.solve[at] ^= (uint8_t)(1u << bit % 8);
        enum wf_adm_kind kind = pair_to_server(&p, p.solve, p.solve_len);
        bool is_instance = at >= 4 && at < 12;
        CHECK_EQ(kind, is_instance ? WF_ADM_REPLY : WF_ADM_DROP);
        CHECK_EQ(pair_is_anew(&p), is_instance);
        p.solve[at] ^= (uint8_t)(1u << bit % 8);
    }
    struct wf_adm_stats s = pair_stats(&p);
    CHECK_EQ(s.solve_anew, 64);
    CHECK_EQ(s.solve_bad_length + s.solve_bad_epoch + s.solve_bad_cookie + s.solve_anew, s.solve);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(s.table_entries, 0);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(a_cookie_is_worth_nothing_from_another_address_or_port)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    const struct wf_addr own = p.from;
    uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    const struct wf_addr others[] = {
        wf_addr_v4(192, 0, 2, 2, 40000), wf_addr_v4(192, 0, 2, 1, 40001),
        wf_addr_v4(192, 0, 2, 1, 0),     wf_addr_v6(own.ip, 40000, 0),
        wf_addr_v6(mapped, 40000, 0),
    };
    for (size_t i = 0; i < WF_ARRAY_LEN(others); i++) {
        p.from = others[i];
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_cookie, i + 1);
    }
    p.from = own;
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
    pair_free(&p);
}

TEST(a_cookie_is_worth_nothing_with_another_nonce_prefix_or_lists)
{
    static const uint8_t other_lists[] = {2, WF_PROTOCOL_V1, 7, 1, 5};

    for (int i = 0; i < 3; i++) {
        struct pair p;
        struct forge f;
        start(&p);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        if (i == 0)
            f.solve.n_c[15] ^= 1;
        if (i == 1)
            memset(f.solve.prefix, 0, 4); /* a prefix that the server would take */
        if (i == 2)
            f.solve.lists = wf_span(other_lists, sizeof other_lists);
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_cookie, 1);
        pair_free(&p);
    }
}

TEST(a_restart_of_the_server_voids_what_was_outstanding)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    pair_server(&p); /* the same identity, the same moment */
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_REPLY); /* SPEC 1.2-7, 1.3-5 */
    CHECK(pair_is_anew(&p));
    CHECK_EQ(pair_stats(&p).solve_anew, 1);
    pair_free(&p);
}

TEST(a_solve_that_was_accepted_before_a_restart_is_refused_after_it)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_server(&p);
    for (int i = 0; i < 100; i++) {
        (void)pair_to_server(&p, p.solve, p.solve_len); /* SPEC 1.3-5 */
        CHECK(pair_is_anew(&p));
    }
    CHECK_EQ(pair_stats(&p).accepted, 0);
    pair_free(&p);
}

TEST(a_client_restarted_with_the_same_solve_gets_no_second_session)
{
    struct pair p;

    start(&p);
    pair_client(&p, false);
    pair_to_confirm(&p);
    pair_finish(&p);
    wf_adm_confirmed(p.adm, p.result.ticket);
    for (int minute = 0; minute < 4; minute++) {
        (void)pair_to_server(&p, p.solve, p.solve_len);
        CHECK_EQ(pair_is_anew(&p), minute >= 2);
        CHECK_EQ(p.result.kind, minute >= 2 ? WF_ADM_REPLY : WF_ADM_DROP);
        p.now += 60 * PAIR_SECOND;
        wf_adm_tick(p.adm, p.now);
    }
    CHECK_EQ(pair_stats(&p).accepted, 1);
    pair_free(&p);
}

/* --- time --- */

/* Accepted or not when made `made` and sent `sent` after the start. */
static bool is_accepted(struct pair *p, weft_time made, weft_time sent)
{
    p->now = PAIR_START;
    pair_server(p);
    p->now += made;
    wf_adm_tick(p->adm, p->now);
    p->hs_config.timeout_us = 10000 * PAIR_SECOND;
    pair_client(p, true);
    pair_to_solve(p);
    p->now = PAIR_START + sent;
    return pair_to_server(p, p->solve, p->solve_len) == WF_ADM_ACCEPT;
}

TEST(a_cookie_lives_in_its_epoch_and_three_more_to_the_microsecond)
{
    struct pair p;
    weft_time epoch = 30 * PAIR_SECOND;

    start(&p);
    for (weft_time n = 0; n < 6; n++) {
        weft_time first = n * epoch;
        weft_time last = first + epoch - 1;
        weft_time dead = first + 4 * epoch; /* SPEC 1.2-6 */
        CHECK(is_accepted(&p, first, dead - 1));
        CHECK(!is_accepted(&p, first, dead));
        CHECK_EQ(pair_stats(&p).solve_anew, 1);
        CHECK(is_accepted(&p, last, dead - 1));
        CHECK(!is_accepted(&p, last, dead));
        CHECK(!is_accepted(&p, last, dead + 1000 * epoch));
    }
    pair_free(&p);
}

TEST(an_epoch_that_has_not_come_yet_is_refused_as_such)
{
    static const uint32_t ahead[] = {1, 2, 4, 1000, UINT32_MAX - 2, UINT32_MAX};

    for (size_t i = 0; i < WF_ARRAY_LEN(ahead); i++) {
        struct pair p;
        struct forge f;
        start(&p);
        pair_meet(&p);
        forge_init(&f, &p, e_c_secret);
        f.solve.head.epoch = ahead[i];
        forge_cookie(&f, &p);
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
        CHECK_EQ(pair_stats(&p).solve_bad_epoch, 1);
        pair_free(&p);
    }
}

TEST(the_offset_counts_milliseconds_of_the_epoch)
{
    struct pair p;
    struct wf_challenge c;

    start(&p);
    p.now += 30 * PAIR_SECOND - 1;
    pair_meet(&p);
    CHECK_OK(wf_challenge_get(wf_span(p.challenge, p.challenge_len), &c));
    CHECK_EQ(c.head.offset_ms, 29999);
    CHECK_EQ(c.head.epoch, 0);
    p.now += 1;
    pair_meet(&p);
    CHECK_OK(wf_challenge_get(wf_span(p.challenge, p.challenge_len), &c));
    CHECK_EQ(c.head.offset_ms, 0);
    CHECK_EQ(c.head.epoch, 1);
    pair_free(&p);
}

/* Runs every tick that falls due until `until`. */
static void tick_until(struct pair *p, weft_time until)
{
    for (int i = 0; wf_adm_deadline(p->adm) <= until; i++) {
        CHECK(i < 10000);
        if (wf_adm_deadline(p->adm) > p->now)
            p->now = wf_adm_deadline(p->adm);
        wf_adm_tick(p->adm, p->now);
    }
    p->now = until;
}

TEST(no_honest_handshake_is_lost_to_rotation_in_ten_minutes)
{
    struct pair p;

    start(&p);
    p.adm_config.table_max = 512;
    pair_server(&p);
    p.hs_config.timeout_us = 10000 * PAIR_SECOND;
    for (weft_time s = 1; s < 600; s += 7) {
        tick_until(&p, PAIR_START + s * PAIR_SECOND);
        pair_client(&p, true);
        pair_to_solve(&p);
        if (s % 2 == 0) /* as slow as a cookie allows at least */
            tick_until(&p, p.now + 90 * PAIR_SECOND);
        test_note("second %u", (unsigned)s);
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_ACCEPT);
        CHECK_OK(pair_make_confirm(&p));
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        if (p.now > PAIR_START + s * PAIR_SECOND)
            s += 90;
    }
    pair_free(&p);
}

TEST(ts_is_replaced_after_120_s_and_erased_after_120_more)
{
    struct pair p;
    struct wf_adm *a = NULL;

    start(&p);
    a = p.adm;
    CHECK_EQ(a->ts[a->ts_now].challenge.head.ts_id, 1);
    tick_until(&p, PAIR_START + 120 * PAIR_SECOND - 1);
    CHECK_EQ(a->ts[a->ts_now].challenge.head.ts_id, 1);
    tick_until(&p, PAIR_START + 120 * PAIR_SECOND); /* SPEC 1.3-8 */
    CHECK_EQ(a->ts[a->ts_now].challenge.head.ts_id, 2);
    unsigned before = 1 - a->ts_now;
    CHECK_EQ(wf_adm_ts_find(a, 1, p.now), before);
    CHECK(!wf_is_zero_ct(a->secrets->ts[before], 32));
    CHECK_EQ(wf_adm_ts_find(a, 1, p.now + 120 * PAIR_SECOND - 1), before);
    CHECK_EQ(wf_adm_ts_find(a, 1, p.now + 120 * PAIR_SECOND), WF_ADM_TS_LIVES); /* even untold */
    tick_until(&p, PAIR_START + 240 * PAIR_SECOND - 1);
    CHECK(!wf_is_zero_ct(a->secrets->ts[before], 32));
    tick_until(&p, PAIR_START + 240 * PAIR_SECOND);
    CHECK_EQ(a->ts[a->ts_now].challenge.head.ts_id, 3);
    CHECK_EQ(wf_adm_ts_find(a, 1, p.now), WF_ADM_TS_LIVES);
    pair_free(&p);
}

TEST(a_late_tick_erases_the_old_ts_and_its_own_time_counts)
{
    struct pair p;

    start(&p);
    p.now += 130 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now); /* 10 s late */
    unsigned before = 1 - p.adm->ts_now;
    p.now += 119 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK(p.adm->ts[before].is_live);
    p.adm->ts[p.adm->ts_now].until += PAIR_SECOND * 1000; /* keep the present one */
    p.now += 1 * PAIR_SECOND;
    wf_adm_tick(p.adm, p.now);
    CHECK(!p.adm->ts[before].is_live);
    CHECK(wf_is_zero_ct(p.adm->secrets->ts[before], 32));
    pair_free(&p);
}

TEST(a_node_that_slept_for_hours_goes_on_with_fresh_secrets)
{
    struct pair p;
    uint8_t old[sizeof p.adm->secrets->cookie];

    start(&p);
    memcpy(old, p.adm->secrets->cookie, sizeof old);
    p.now += 36000 * PAIR_SECOND + 12345;
    pair_client(&p, false);
    pair_to_confirm(&p); /* even before the tick */
    pair_finish(&p);
    CHECK(pair_agrees(&p));
    CHECK_EQ(p.adm->epoch, 1200);
    for (size_t i = 0; i < sizeof old; i += 16)
        CHECK(memcmp(old + i, p.adm->secrets->cookie[i / 16], 16) != 0);
    pair_free(&p);
}

TEST(the_deadline_is_always_ahead_of_a_tick_and_never_beyond_the_epoch)
{
    struct pair p;

    start(&p);
    for (int i = 0; i < 200; i++) {
        weft_time at = wf_adm_deadline(p.adm);
        CHECK_LE(p.now, at);
        CHECK_LE(at, p.adm->epoch_began + 30 * PAIR_SECOND);
        p.now = at;
        wf_adm_tick(p.adm, p.now);
        CHECK(wf_adm_deadline(p.adm) > p.now);
    }
    pair_free(&p);
}
