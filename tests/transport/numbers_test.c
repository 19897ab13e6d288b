/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numbers_test.c - messages found by number: sequential, far apart and chosen to collide; without
 * memory to grow.
 */
#include "transport/numbers.h"

#include "test.h"

#define COUNT 3000u

static struct wf_number items[COUNT];

static void fill(struct wf_numbers *t, uint64_t step)
{
    for (size_t i = 0; i < COUNT; i++) {
        items[i].number = 1 + i * step;
        CHECK(wf_numbers_get(t, items[i].number) == NULL);
        wf_numbers_put(t, &items[i]);
    }
}

static void check_and_empty(struct wf_numbers *t)
{
    CHECK_EQ(t->count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        CHECK(wf_numbers_get(t, items[i].number) == &items[i]);
    for (size_t i = 0; i < COUNT; i++) {
        size_t at = i * 7 % COUNT; /* in another order; 7 and 3000 have no common factor */
        wf_numbers_remove(t, &items[at]);
        CHECK(wf_numbers_get(t, items[at].number) == NULL);
    }
    CHECK_EQ(t->count, 0);
    wf_numbers_deinit(t);
}

TEST(numbers_of_any_spacing_are_found_and_removed_in_short_chains)
{
    static const uint64_t steps[] = {1, 2, 8, 4096, 1ull << 32, 1ull << 50};

    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
        struct wf_numbers t;
        size_t longest = 0;
        wf_numbers_init(&t, test_mem(), test_rng(test_seed()));
        fill(&t, steps[k]);
        for (size_t i = 0; i < t.room; i++) {
            size_t len = 0;
            for (struct wf_number *n = t.buckets[i]; n != NULL; n = n->next)
                len++;
            longest = len > longest ? len : longest;
        }
        CHECK_LE(longest, 64);
        check_and_empty(&t);
    }
}

TEST(without_memory_the_table_works_on_with_longer_chains)
{
    struct wf_mem *mem = test_mem();
    struct wf_numbers t;

    wf_numbers_init(&t, mem, test_rng(test_seed()));
    mem->cap = 1; /* no allocation succeeds */
    fill(&t, 1);
    CHECK_EQ(t.room, WF_NUMBERS_FIRST);
    check_and_empty(&t);
    mem->cap = 0;
}
