/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prng_test.c - the published numbers of xoshiro256** and splitmix64, and what is made of them.
 */
#include "base/prng.h"

#include "base/bytes.h"
#include "support/aborts.h"
#include "test.h"

TEST(the_state_1_2_3_4_gives_the_published_numbers)
{
    static const uint64_t expected[] = {11520u,
                                        0u,
                                        1509978240u,
                                        1215971899390074240u,
                                        1216172134540287360u,
                                        607988272756665600u,
                                        16172922978634559625u,
                                        8476171486693032832u,
                                        10595114339597558777u,
                                        2904607092377533576u};
    struct wf_prng p = {{1, 2, 3, 4}};

    for (size_t i = 0; i < WF_ARRAY_LEN(expected); i++) {
        CHECK_EQ(wf_prng_next(&p), expected[i]);
    }
}

TEST(a_seed_is_spread_by_splitmix64)
{
    struct wf_prng p;

    wf_prng_seed(&p, 1234567);
    CHECK_EQ(p.s[0], 6457827717110365317u);
    CHECK_EQ(p.s[1], 3203168211198807973u);
    CHECK_EQ(p.s[2], 9817491932198370423u);
    CHECK_EQ(p.s[3], 4593380528125082431u);
}

TEST(bytes_are_the_numbers_most_significant_byte_first)
{
    struct wf_prng a;
    struct wf_prng b;

    wf_prng_seed(&a, 5);
    for (size_t len = 0; len < 40; len++) {
        uint8_t *out = test_copy_padded(NULL, 0, len);
        struct wf_rng rng = wf_prng_rng(&b);

        wf_prng_seed(&a, len);
        wf_prng_seed(&b, len);
        wf_random(&rng, out, len);
        for (size_t i = 0; i < len; i += 8) {
            uint8_t bytes[8];

            wf_store_u64(bytes, wf_prng_next(&a));
            CHECK_MEM_EQ(out + i, bytes, len - i < 8 ? len - i : 8);
        }
        CHECK_EQ(wf_prng_next(&a), wf_prng_next(&b));
        free(out);
    }
}

TEST(numbers_stay_between_their_bounds_and_reach_them)
{
    struct wf_prng p;
    bool low = false;
    bool high = false;

    wf_prng_seed(&p, test_seed());
    for (int i = 0; i < 1000; i++) {
        const uint64_t v = wf_prng_between(&p, 10, 13);

        CHECK(v >= 10 && v <= 13);
        low |= v == 10;
        high |= v == 13;
        CHECK(wf_prng_below(&p, 3) < 3);
    }
    CHECK(low && high);
    CHECK_EQ(wf_prng_between(&p, UINT64_MAX, UINT64_MAX), UINT64_MAX);

    struct wf_prng same = p;
    CHECK_EQ(wf_prng_between(&p, 0, UINT64_MAX), wf_prng_next(&same));
}

TEST(chances_are_about_right_and_exact_at_the_ends)
{
    struct wf_prng p;
    int hits = 0;

    wf_prng_seed(&p, test_seed());
    for (int i = 0; i < 4000; i++) {
        hits += wf_prng_chance(&p, 1, 4);
        CHECK(!wf_prng_chance(&p, 0, 4));
        CHECK(wf_prng_chance(&p, 4, 4));
        CHECK(wf_prng_chance(&p, 5, 4));
    }
    CHECK(hits > 850 && hits < 1150);
}

TEST(a_fork_does_not_follow_its_origin_nor_disturb_it)
{
    struct wf_prng a;
    struct wf_prng b;

    wf_prng_seed(&a, 9);
    b = a;
    struct wf_prng fork = wf_prng_fork(&a);
    struct wf_prng again = wf_prng_fork(&b);
    CHECK_EQ(wf_prng_next(&fork), wf_prng_next(&again));
    for (int i = 0; i < 10; i++) {
        CHECK_NE(wf_prng_next(&fork), wf_prng_next(&a));
        (void)wf_prng_next(&b);
    }
    CHECK_EQ(wf_prng_next(&a), wf_prng_next(&b));
}

static void ask_upside_down(void *ctx)
{
    (void)wf_prng_between((struct wf_prng *)ctx, 2, 1);
}

TEST(bounds_upside_down_are_a_broken_contract)
{
    struct wf_prng p = {{1}};

    CHECK(test_aborts(ask_upside_down, &p));
}
