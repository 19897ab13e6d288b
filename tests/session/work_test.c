/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work_test.c - proof of work: what is accepted, how much it costs, and that it stops when told.
 */
#include "test.h"

#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/work.h"

static struct wf_work some_work(uint32_t bid)
{
    struct wf_work w = {.bid = bid};

    memset(w.cookie, 1, sizeof w.cookie);
    memset(w.n_c, 2, sizeof w.n_c);
    memset(w.e_c, 3, sizeof w.e_c);
    memset(w.boxes_hash, 4, sizeof w.boxes_hash);
    return w;
}

/* The formula of the spec, once more. */
static uint64_t value_of(const struct wf_work *w, uint64_t nonce)
{
    uint8_t bid[4], n[8], h[32];

    wf_store_u32(bid, w->bid);
    wf_store_u64(n, nonce);
    const weft_span parts[] = {wf_span_of("weft work 1"),
                               wf_span(w->cookie, 16),
                               wf_span(w->n_c, 16),
                               wf_span(w->e_c, 32),
                               wf_span(bid, 4),
                               wf_span(w->boxes_hash, 32),
                               wf_span(n, 8)};
    wf_hash(h, parts, WF_ARRAY_LEN(parts));
    return wf_load_u64(h);
}

TEST(what_is_not_paid_for_has_a_nonce_that_follows_from_all_of_it) /* SPEC 1.3-12 */
{
    struct wf_work w = some_work(0x01020304);
    const uint8_t bid[4] = {1, 2, 3, 4};
    const weft_span parts[] = {wf_span_of("weft work 0"), wf_span(w.cookie, 16),
                               wf_span(w.n_c, 16),        wf_span(w.e_c, 32),
                               wf_span(bid, 4),           wf_span(w.boxes_hash, 32)};
    uint8_t h[32];

    wf_hash(h, parts, WF_ARRAY_LEN(parts));
    CHECK_EQ(wf_work_unpaid(&w), wf_load_u64(h));
    w.alg = 2; /* it is the same for each algorithm */
    CHECK_EQ(wf_work_unpaid(&w), wf_load_u64(h));
}

TEST(a_nonce_is_accepted_exactly_when_its_value_is_within_the_bound)
{
    static const uint32_t bids[] = {1, 2, 3, 10, 100, 1000, UINT32_MAX};

    for (size_t i = 0; i < WF_ARRAY_LEN(bids); i++) {
        struct wf_work w = some_work(bids[i]);
        for (uint64_t nonce = 0; nonce < 2000; nonce++) {
            bool want = value_of(&w, nonce) <= UINT64_MAX / bids[i]; /* SPEC 1.3-2 */
            CHECK_EQ(wf_work_check(&w, nonce), want);
        }
    }
}

TEST(bids_of_zero_and_one_are_met_by_every_nonce)
{
    for (uint32_t bid = 0; bid <= 1; bid++) {
        struct wf_work w = some_work(bid);
        uint64_t nonce = 77;
        CHECK(wf_work_check(&w, 0));
        CHECK(wf_work_check(&w, UINT64_MAX));
        CHECK(wf_work_solve(&w, &nonce, 1));
        CHECK_EQ(nonce, 77);
    }
}

TEST(solving_in_steps_finds_the_first_nonce_that_solves)
{
    struct wf_work w = some_work(300);
    uint64_t want = 0;
    uint64_t nonce = 0;
    uint64_t steps = 0;

    while (!wf_work_check(&w, want))
        want++;
    CHECK(want > 20);
    while (!wf_work_solve(&w, &nonce, 10)) {
        steps++;
        CHECK_EQ(nonce, 10 * steps); /* where to go on */
    }
    CHECK_EQ(nonce, want);
    CHECK_EQ(steps, want / 10);
}

TEST(no_tries_are_no_work)
{
    struct wf_work w = some_work(1);
    uint64_t nonce = 5;

    CHECK(!wf_work_solve(&w, &nonce, 0));
    CHECK_EQ(nonce, 5);
}

TEST(the_cost_is_about_the_bid)
{
    uint64_t tries = 0;

    for (uint8_t i = 0; i < 200; i++) {
        struct wf_work w = some_work(100);
        uint64_t nonce = 0;
        w.n_c[0] = i;
        CHECK(wf_work_solve(&w, &nonce, UINT64_MAX));
        tries += nonce + 1;
    }
    CHECK(tries > 200 * 100 * 7 / 10);
    CHECK(tries < 200 * 100 * 13 / 10);
}

TEST(each_field_changes_the_work)
{
    struct wf_work w = some_work(1000);
    struct wf_work other = w;
    uint64_t nonce = 0;

    CHECK(wf_work_solve(&w, &nonce, UINT64_MAX));
    uint8_t *const fields[] = {other.cookie, other.n_c, other.e_c, other.boxes_hash};
    for (size_t i = 0; i < WF_ARRAY_LEN(fields); i++) {
        fields[i][0] ^= 1;
        CHECK(!wf_work_check(&other, nonce)); /* 999 in 1000; the seed decides */
        fields[i][0] ^= 1;
    }
    other.bid++;
    CHECK(!wf_work_check(&other, nonce));
    other.bid--;
    CHECK(wf_work_check(&other, nonce));
}
