/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_test.c - the hash table against an array, its limits, its walk and its failures.
 */
#include "base/table.h"

#include "base/bytes.h"
#include "support/aborts.h"
#include "test.h"

static const uint8_t sip_key[WF_TABLE_SIP_KEY_LEN] = {7};

/* A value to point to: any address will do. */
static char values[5000];

TEST(an_empty_table_has_nothing)
{
    struct wf_table t;
    uint64_t cursor = 0;

    wf_table_init(&t, test_mem(), sip_key, 1);
    CHECK_EQ(wf_table_count(&t), 0);
    CHECK(wf_table_get_u64(&t, 0) == NULL);
    CHECK(wf_table_remove_u64(&t, 0) == NULL);
    CHECK(wf_table_get(&t, (weft_span){NULL, 0}) == NULL);
    CHECK(wf_table_next(&t, &cursor) == NULL);
    wf_table_deinit(&t);
}

TEST(a_value_is_found_under_its_key_and_no_other)
{
    struct wf_table t;

    wf_table_init(&t, test_mem(), sip_key, 10);
    CHECK_OK(wf_table_put(&t, wf_span_of("one"), &values[1]));
    CHECK_OK(wf_table_put(&t, wf_span_of("onetwo"), &values[2]));
    CHECK_OK(wf_table_put(&t, wf_span_of(""), &values[3]));
    CHECK(wf_table_get(&t, wf_span_of("one")) == &values[1]);
    CHECK(wf_table_get(&t, wf_span_of("onetwo")) == &values[2]);
    CHECK(wf_table_get(&t, wf_span_of("")) == &values[3]);
    CHECK(wf_table_get(&t, wf_span_of("on")) == NULL);
    CHECK(wf_table_get(&t, wf_span("one", 4)) == NULL);
    CHECK_EQ(wf_table_put(&t, wf_span_of("one"), &values[9]), WEFT_ERR_EXISTS);
    CHECK(wf_table_get(&t, wf_span_of("one")) == &values[1]);
    CHECK(wf_table_remove(&t, wf_span_of("one")) == &values[1]);
    CHECK(wf_table_get(&t, wf_span_of("one")) == NULL);
    CHECK(wf_table_remove(&t, wf_span_of("one")) == NULL);
    CHECK_EQ(wf_table_count(&t), 2);
    wf_table_deinit(&t);
}

TEST(numbers_are_keys_of_eight_bytes)
{
    static const uint8_t bytes[] = {0, 0, 0, 0, 0, 0, 1, 2};
    struct wf_table t;

    wf_table_init(&t, test_mem(), sip_key, 10);
    CHECK_OK(wf_table_put_u64(&t, 0x0102, &values[1]));
    CHECK(wf_table_get(&t, wf_span(bytes, 8)) == &values[1]);
    CHECK(wf_table_get_u64(&t, 0x0102) == &values[1]);
    CHECK(wf_table_get_u64(&t, 0x0201) == NULL);
    CHECK(wf_table_remove_u64(&t, 0x0102) == &values[1]);
    wf_table_deinit(&t);
}

TEST(keys_of_every_length_up_to_the_longest_are_kept_apart)
{
    uint8_t key[WF_TABLE_KEY_MAX + 1] = {0};
    struct wf_table t;

    wf_table_init(&t, test_mem(), sip_key, 100);
    for (size_t len = 0; len <= WF_TABLE_KEY_MAX; len++) {
        uint8_t *exact = test_copy(key, len);

        CHECK_OK(wf_table_put(&t, wf_span(exact, len), &values[len]));
        free(exact);
    }
    for (size_t len = 0; len <= WF_TABLE_KEY_MAX; len++) {
        CHECK(wf_table_get(&t, wf_span(key, len)) == &values[len]);
    }
    CHECK(wf_table_get(&t, wf_span(key, WF_TABLE_KEY_MAX + 1)) == NULL);
    CHECK(wf_table_remove(&t, wf_span(key, WF_TABLE_KEY_MAX + 1)) == NULL);
    wf_table_deinit(&t);
}

TEST(the_cap_can_be_reached_and_not_passed)
{
    for (size_t cap = 1; cap <= 70; cap++) {
        struct wf_table t;

        wf_table_init(&t, test_mem(), sip_key, cap);
        for (size_t i = 0; i < cap; i++) {
            CHECK_OK(wf_table_put_u64(&t, i, &values[i]));
        }
        CHECK_EQ(wf_table_put_u64(&t, cap, &values[cap]), WEFT_ERR_LIMIT);
        CHECK_EQ(wf_table_put_u64(&t, 0, &values[cap]), WEFT_ERR_EXISTS);
        CHECK_EQ(wf_table_count(&t), cap);
        CHECK(wf_table_remove_u64(&t, cap / 2) == &values[cap / 2]);
        CHECK_OK(wf_table_put_u64(&t, cap, &values[cap]));
        wf_table_deinit(&t);
    }
}

TEST(an_emptied_table_holds_next_to_nothing)
{
    struct wf_mem *mem = test_mem();
    struct wf_table t;

    wf_table_init(&t, mem, sip_key, sizeof values);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof values; i++) {
            CHECK_OK(wf_table_put_u64(&t, i, &values[i]));
        }
        CHECK(t.buckets >= sizeof values);
        for (size_t i = 0; i < sizeof values; i++) {
            CHECK(wf_table_get_u64(&t, i) == &values[i]);
            CHECK(wf_table_remove_u64(&t, i) == &values[i]);
        }
        CHECK_EQ(t.buckets, 8);
        CHECK_EQ(mem->held, 8 * sizeof(void *));
    }
    wf_table_deinit(&t);
    CHECK_EQ(mem->held, 0);
}

TEST(a_walk_goes_by_the_order_of_insertion_whatever_the_hash_key)
{
    for (unsigned k = 0; k < 20; k++) {
        const uint8_t key[WF_TABLE_SIP_KEY_LEN] = {(uint8_t)k};
        struct wf_table t;
        uint64_t cursor = 0;

        wf_table_init(&t, test_mem(), key, 100);
        for (size_t i = 0; i < 100; i++) {
            CHECK_OK(wf_table_put_u64(&t, i * 0x123456789u, &values[i]));
        }
        for (size_t i = 0; i < 100; i++) {
            CHECK(wf_table_next(&t, &cursor) == &values[i]);
        }
        CHECK(wf_table_next(&t, &cursor) == NULL);
        CHECK(wf_table_next(&t, &cursor) == NULL);
        wf_table_deinit(&t);
    }
}

TEST(a_walk_survives_every_removal_and_sees_what_is_added)
{
    /* At each place of the walk, each entry is removed in turn. */
    for (size_t at = 0; at <= 6; at++) {
        for (size_t gone = 0; gone < 6; gone++) {
            struct wf_table t;
            uint64_t cursor = 0;
            size_t next = 0;

            wf_table_init(&t, test_mem(), sip_key, 10);
            for (size_t i = 0; i < 6; i++) {
                CHECK_OK(wf_table_put_u64(&t, i, &values[i]));
            }
            for (; next < at; next++) {
                CHECK(wf_table_next(&t, &cursor) == &values[next]);
            }
            CHECK(wf_table_remove_u64(&t, gone) == &values[gone]);
            CHECK_OK(wf_table_put_u64(&t, 6, &values[6]));
            for (; next <= 6; next++) {
                if (next != gone) {
                    CHECK(wf_table_next(&t, &cursor) == &values[next]);
                }
            }
            CHECK(wf_table_next(&t, &cursor) == NULL);
            wf_table_deinit(&t);
        }
    }
}

TEST(two_walks_at_once_both_see_everything)
{
    struct wf_table t;
    uint64_t slow = 0;
    uint64_t fast = 0;

    wf_table_init(&t, test_mem(), sip_key, 40);
    for (size_t i = 0; i < 40; i++) {
        CHECK_OK(wf_table_put_u64(&t, i, &values[i]));
    }
    for (size_t i = 0; i < 40; i += 2) {
        CHECK(wf_table_next(&t, &slow) == &values[i / 2]);
        CHECK(wf_table_next(&t, &fast) == &values[i]);
        CHECK(wf_table_next(&t, &fast) == &values[i + 1]);
    }
    CHECK(wf_table_next(&t, &fast) == NULL);
    CHECK(wf_table_next(&t, &slow) == &values[20]);
    wf_table_deinit(&t);
}

TEST(a_walk_that_removes_all_it_meets_empties_the_table)
{
    struct wf_table t;
    uint64_t cursor = 0;
    size_t met = 0;

    wf_table_init(&t, test_mem(), sip_key, 1000);
    for (size_t i = 0; i < 1000; i++) {
        CHECK_OK(wf_table_put_u64(&t, i, &values[i]));
    }
    for (const char *v = NULL; (v = (const char *)wf_table_next(&t, &cursor)) != NULL; met++) {
        CHECK(wf_table_remove_u64(&t, (uint64_t)(v - values)) == v);
    }
    CHECK_EQ(met, 1000);
    CHECK_EQ(wf_table_count(&t), 0);
    wf_table_deinit(&t);
}

#define UNIVERSE 300

/* Key number n: 0 to 64 bytes, all different. */
static weft_span key_of(uint8_t buf[WF_TABLE_KEY_MAX], size_t n)
{
    memset(buf, (int)(n / 65), WF_TABLE_KEY_MAX);
    return wf_span(buf, n % 65);
}

static void check_same(struct wf_table *t, const bool *model, size_t count)
{
    uint8_t buf[WF_TABLE_KEY_MAX];
    uint64_t cursor = 0;
    size_t walked = 0;

    CHECK_EQ(wf_table_count(t), count);
    for (size_t n = 1; n < UNIVERSE; n++) {
        if (n % 65 != 0) {
            CHECK(wf_table_get(t, key_of(buf, n)) == (model[n] ? &values[n] : NULL));
        }
    }
    while (wf_table_next(t, &cursor) != NULL) {
        walked++;
    }
    CHECK_EQ(walked, count);
}

TEST(random_operations_do_what_they_do_to_an_array)
{
    uint64_t state = test_seed();
    bool model[UNIVERSE] = {false};
    struct wf_table t;
    size_t count = 0;

    wf_table_init(&t, test_mem(), sip_key, UNIVERSE);
    for (int step = 0; step < 20000; step++) {
        /* Phases that mostly add and phases that mostly remove, so that it grows and shrinks. */
        const bool add = test_next(&state) % 8 < (step / 1000 % 2 == 0 ? 6u : 2u);
        const size_t n = test_next(&state) % UNIVERSE;
        uint8_t buf[WF_TABLE_KEY_MAX];

        if (n % 65 == 0)
            continue; /* the empty key, which every n of these would share */
        if (add) {
            CHECK_EQ(wf_table_put(&t, key_of(buf, n), &values[n]),
                     model[n] ? WEFT_ERR_EXISTS : WEFT_OK);
            count += !model[n];
            model[n] = true;
        } else {
            CHECK(wf_table_remove(&t, key_of(buf, n)) == (model[n] ? &values[n] : NULL));
            count -= model[n];
            model[n] = false;
        }
        if (step % 50 == 0) {
            check_same(&t, model, count);
        }
    }
    wf_table_deinit(&t);
}

TEST(every_allocation_that_fails_leaves_the_table_as_it_was)
{
    uint64_t tried = 0;
    bool all_done = false;

    for (uint64_t n = 1; !all_done; n++) {
        struct wf_mem *mem = test_mem();
        struct wf_table t;
        int failures = 0;

        mem->fail_at = n;
        wf_table_init(&t, mem, sip_key, 100);
        for (size_t i = 0; i < 40; i++) {
            weft_err err = wf_table_put_u64(&t, i, &values[i]);

            if (err == WEFT_ERR_NOMEM) {
                failures++;
                CHECK_EQ(wf_table_count(&t), i);
                CHECK(wf_table_get_u64(&t, i) == NULL);
                err = wf_table_put_u64(&t, i, &values[i]);
            }
            CHECK_OK(err);
        }
        for (size_t i = 0; i < 40; i++) {
            CHECK(wf_table_get_u64(&t, i) == &values[i]);
        }
        all_done = failures == 0;
        CHECK(failures <= 1);
        wf_table_deinit(&t);
        tried = n;
    }
    CHECK_EQ(tried, 40 + 4 + 1); /* entries, segments, and once without a failure */
}

static void put_a_long_key(void *ctx)
{
    static const uint8_t key[WF_TABLE_KEY_MAX + 1];

    (void)!wf_table_put((struct wf_table *)ctx, wf_span(key, sizeof key), values);
}

static void put_no_value(void *ctx)
{
    (void)!wf_table_put_u64((struct wf_table *)ctx, 1, NULL);
}

TEST(broken_contracts_abort)
{
    struct wf_table t;

    wf_table_init(&t, test_mem(), sip_key, 1);
    CHECK(test_aborts(put_a_long_key, &t));
    CHECK(test_aborts(put_no_value, &t));
    wf_table_deinit(&t);
}
