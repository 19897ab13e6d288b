/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng_test.c - numbers from a handed-in generator.
 */
#include "base/rng.h"

#include "support/aborts.h"
#include "test.h"

/* Hands out fixed bytes, and counts how often it was asked. */
struct script {
    const uint8_t *bytes;
    size_t at;
    size_t calls;
};

static void play(void *ctx, uint8_t *out, size_t len)
{
    struct script *s = (struct script *)ctx;

    memcpy(out, s->bytes + s->at, len);
    s->at += len;
    s->calls++;
}

static void give_ff(void *ctx, uint8_t *out, size_t len)
{
    size_t *calls = (size_t *)ctx;

    memset(out, 0xff, len);
    (*calls)++;
}

static void give_0(void *ctx, uint8_t *out, size_t len)
{
    size_t *calls = (size_t *)ctx;

    memset(out, 0, len);
    (*calls)++;
}

TEST(no_bytes_do_not_ask_the_generator)
{
    size_t calls = 0;
    const struct wf_rng rng = {give_0, &calls};

    wf_random(&rng, NULL, 0);
    CHECK_EQ(calls, 0);
}

TEST(a_number_is_eight_bytes_most_significant_first)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct script s = {bytes, 0, 0};
    const struct wf_rng rng = {play, &s};

    CHECK_EQ(wf_random_u64(&rng), 0x0102030405060708u);
}

TEST(draws_that_would_favour_low_results_are_thrown_away)
{
    /* 2^64 mod 3 is 1, so only 0 is unfair. */
    static const uint8_t bytes[24] = {[15] = 0, [23] = 5};
    struct script s = {bytes, 0, 0};
    const struct wf_rng rng = {play, &s};

    CHECK_EQ(wf_random_below(&rng, 3), 5 % 3);
    CHECK_EQ(s.calls, 3);
}

TEST(a_power_of_two_needs_one_draw)
{
    static const uint8_t bytes[8] = {0};
    struct script s = {bytes, 0, 0};
    const struct wf_rng rng = {play, &s};

    CHECK_EQ(wf_random_below(&rng, (uint64_t)1 << 63), 0);
    CHECK_EQ(s.calls, 1);
}

TEST(a_broken_generator_does_not_hang_the_caller)
{
    size_t calls = 0;
    const struct wf_rng rng = {give_0, &calls};

    CHECK_EQ(wf_random_below(&rng, 3), 0);
    CHECK_EQ(calls, 64);
}

TEST(results_stay_below_the_bound)
{
    size_t calls = 0;
    const struct wf_rng rng = {give_ff, &calls};
    struct wf_rng *fair = test_rng(test_seed());

    CHECK_EQ(wf_random_below(&rng, 1), 0);
    CHECK_EQ(wf_random_below(&rng, UINT64_MAX), 0);
    CHECK_EQ(wf_random_below(&rng, (uint64_t)1 << 63), UINT64_MAX >> 1);
    for (uint64_t bound = 1; bound < 200; bound++) {
        CHECK(wf_random_below(fair, bound) < bound);
    }
}

TEST(every_result_comes_about_as_often_as_the_others)
{
    struct wf_rng *rng = test_rng(test_seed());
    size_t seen[6] = {0};

    for (int i = 0; i < 6000; i++) {
        seen[wf_random_below(rng, 6)]++;
    }
    for (size_t i = 0; i < 6; i++) {
        CHECK(seen[i] > 800 && seen[i] < 1200);
    }
}

static void ask_below_0(void *ctx)
{
    (void)wf_random_below((const struct wf_rng *)ctx, 0);
}

TEST(a_bound_of_0_is_a_broken_contract)
{
    CHECK(test_aborts(ask_below_0, test_rng(1)));
}
