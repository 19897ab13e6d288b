/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growset_test.c - a range set that grows: up to its cap, not without memory, and loosely where it
 * must not fail.
 */
#include "transport/growset.h"

#include "test.h"

TEST(two_ranges_cost_no_allocation_and_more_double_the_array_up_to_the_cap)
{
    struct wf_mem *mem = test_mem();
    struct wf_growset g;

    wf_growset_init(&g);
    for (uint64_t i = 0; i < 8; i++) {
        CHECK_OK(wf_growset_add(&g, mem, 8, (struct wf_range){10 * i, 10 * i}));
        CHECK_EQ(mem->allocations, i < 2 ? 0 : i < 4 ? 1 : 2);
    }
    CHECK_EQ(wf_growset_add(&g, mem, 8, (struct wf_range){99, 99}), WEFT_ERR_LIMIT);
    CHECK_OK(wf_growset_add(&g, mem, 8, (struct wf_range){1, 9})); /* joins two */
    CHECK_EQ(g.r.count, 7);
    CHECK_OK(wf_growset_add(&g, mem, 8, (struct wf_range){99, 99}));
    wf_growset_deinit(&g, mem);
    CHECK_EQ(mem->held, 0);
}

TEST(without_memory_nothing_changes)
{
    struct wf_mem *mem = test_mem();
    struct wf_growset g;

    wf_growset_init(&g);
    CHECK_OK(wf_growset_add(&g, mem, 8, (struct wf_range){1, 1}));
    CHECK_OK(wf_growset_add(&g, mem, 8, (struct wf_range){3, 3}));
    mem->fail_at = mem->attempts + 1;
    CHECK_EQ(wf_growset_add(&g, mem, 8, (struct wf_range){5, 5}), WEFT_ERR_NOMEM);
    CHECK_EQ(g.r.count, 2);
    CHECK(!wf_ranges_contains(&g.r, 5));
    wf_growset_deinit(&g, mem);
}

TEST(adding_loosely_always_covers_what_was_asked)
{
    for (uint64_t seed = test_seed(); seed < test_seed() + 50; seed++) {
        struct wf_mem *mem = test_mem();
        struct wf_growset g;
        uint64_t state = seed;

        test_note("seed %llu", (unsigned long long)seed);
        wf_growset_init(&g);
        for (int i = 0; i < 200; i++) {
            uint64_t first = test_next(&state) % 5000;
            struct wf_range range = {first, first + test_next(&state) % 10};
            mem->fail_at = test_next(&state) % 2 == 0 ? mem->attempts + 1 : 0;
            wf_growset_add_loosely(&g, mem, 16, range);
            CHECK(wf_ranges_covers(&g.r, range.first, range.last));
            CHECK_LE(g.r.count, 16);
        }
        mem->fail_at = 0;
        wf_growset_deinit(&g, mem);
    }
}

TEST(apart_means_neither_overlapping_nor_touching)
{
    struct wf_mem *mem = test_mem();
    struct wf_growset g;

    wf_growset_init(&g);
    CHECK(wf_growset_is_apart(&g, 0, UINT64_MAX));
    CHECK_OK(wf_growset_add(&g, mem, 8, (struct wf_range){10, 20}));
    CHECK(wf_growset_is_apart(&g, 0, 8));
    CHECK(!wf_growset_is_apart(&g, 0, 9));
    CHECK(!wf_growset_is_apart(&g, 15, 15));
    CHECK(!wf_growset_is_apart(&g, 21, 30));
    CHECK(wf_growset_is_apart(&g, 22, 30));
    CHECK(!wf_growset_is_apart(&g, 0, UINT64_MAX));
    CHECK_EQ(wf_growset_at(&g, 20), 0);
    CHECK_EQ(wf_growset_at(&g, 21), 1);
    wf_growset_deinit(&g, mem);
}
