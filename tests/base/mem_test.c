/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem_test.c - accounts of memory: caps, counts, parents and planned failures.
 */
#include "base/mem.h"

#include "support/aborts.h"
#include "test.h"

TEST(a_block_is_zeroed_and_counted_until_it_is_given_back)
{
    struct wf_mem *mem = test_mem();
    uint8_t *p = (uint8_t *)wf_alloc(mem, 100);

    CHECK(p != NULL);
    for (size_t i = 0; i < 100; i++) {
        CHECK_EQ(p[i], 0);
    }
    CHECK_EQ(mem->held, 100);
    uint8_t *q = (uint8_t *)wf_alloc(mem, 1);
    CHECK_EQ(mem->held, 101);
    wf_free(mem, p, 100);
    CHECK_EQ(mem->held, 1);
    CHECK_EQ(mem->held_max, 101);
    wf_free(mem, q, 1);
    CHECK_EQ(mem->allocations, 2);
}

TEST(giving_back_nothing_is_harmless)
{
    struct wf_mem *mem = test_mem();

    wf_free(mem, NULL, 7);
    CHECK_EQ(mem->held, 0);
}

TEST(the_cap_can_be_reached_and_not_passed)
{
    struct wf_mem *mem = test_mem();

    mem->cap = 10;
    void *p = wf_alloc(mem, 7);
    CHECK(p != NULL);
    CHECK(wf_alloc(mem, 4) == NULL);
    CHECK(wf_alloc(mem, SIZE_MAX) == NULL);
    CHECK_EQ(mem->held, 7);
    void *q = wf_alloc(mem, 3);
    CHECK(q != NULL);
    CHECK(wf_alloc(mem, 1) == NULL);
    wf_free(mem, p, 7);
    wf_free(mem, q, 3);
    CHECK_EQ(mem->held_max, 10);
}

TEST(a_cap_lowered_below_what_is_held_only_refuses)
{
    struct wf_mem *mem = test_mem();
    void *p = wf_alloc(mem, 20);

    mem->cap = 10;
    CHECK(wf_alloc(mem, 1) == NULL);
    wf_free(mem, p, 20);
    p = wf_alloc(mem, 10);
    CHECK(p != NULL);
    wf_free(mem, p, 10);
}

TEST(an_array_whose_size_overflows_is_refused)
{
    struct wf_mem *mem = test_mem();

    CHECK(wf_alloc_array(mem, SIZE_MAX / 8 + 1, 8) == NULL);
    CHECK(wf_alloc_array(mem, 8, SIZE_MAX / 8 + 1) == NULL);
    CHECK_EQ(mem->held, 0);
    void *p = wf_alloc_array(mem, 3, 5);
    CHECK(p != NULL);
    CHECK_EQ(mem->held, 15);
    wf_free(mem, p, 15);
}

TEST(the_planned_attempt_fails_and_no_other)
{
    struct wf_mem *mem = test_mem();
    void *blocks[6] = {0};

    mem->fail_at = 4;
    for (size_t i = 0; i < 6; i++) {
        blocks[i] = wf_alloc(mem, 8);
        CHECK_EQ(blocks[i] == NULL, i == 3);
    }
    CHECK_EQ(mem->attempts, 6);
    CHECK_EQ(mem->allocations, 5);
    for (size_t i = 0; i < 6; i++) {
        wf_free(mem, blocks[i], 8);
    }
}

TEST(a_childs_bytes_are_also_its_parents)
{
    struct wf_mem *top = test_mem();
    struct wf_mem middle;
    struct wf_mem low;

    top->cap = 100;
    wf_mem_child(&middle, top, 50);
    wf_mem_child(&low, &middle, 0);
    void *p = wf_alloc(&low, 40);
    CHECK(p != NULL);
    CHECK_EQ(low.held, 40);
    CHECK_EQ(middle.held, 40);
    CHECK_EQ(top->held, 40);
    CHECK(wf_alloc(&low, 11) == NULL); /* the middle one's cap */
    void *q = wf_alloc(top, 55);
    CHECK(wf_alloc(&low, 6) == NULL); /* the top one's cap */
    CHECK_EQ(low.held, 40);
    CHECK_EQ(middle.held, 40);
    CHECK_EQ(top->held, 95);
    wf_free(&low, p, 40);
    wf_free(top, q, 55);
    CHECK_EQ(top->held, 0);
    CHECK_EQ(middle.held, 0);
    CHECK_EQ(low.held, 0);
}

TEST(a_failure_planned_at_the_parent_reaches_the_child)
{
    struct wf_mem *top = test_mem();
    struct wf_mem low;

    wf_mem_child(&low, top, 0);
    top->fail_at = 2;
    void *p = wf_alloc(&low, 1);
    CHECK(p != NULL);
    CHECK(wf_alloc(&low, 1) == NULL);
    CHECK_EQ(low.held, 1);
    CHECK_EQ(low.allocations, 1);
    wf_free(&low, p, 1);
}

static void *refuse(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return NULL;
}

TEST(a_back_end_without_memory_leaves_the_counts_alone)
{
    struct wf_mem mem = {.alloc = refuse};

    CHECK(wf_alloc(&mem, 1) == NULL);
    CHECK_EQ(mem.held, 0);
    CHECK_EQ(mem.allocations, 0);
    CHECK_EQ(mem.attempts, 1);
}

static void alloc_nothing(void *ctx)
{
    (void)wf_alloc((struct wf_mem *)ctx, 0);
}

static void free_too_much(void *ctx)
{
    static uint8_t block[2];

    wf_free((struct wf_mem *)ctx, block, 2);
}

TEST(broken_contracts_abort)
{
    struct wf_mem *mem = test_mem();

    CHECK(test_aborts(alloc_nothing, mem));
    CHECK(test_aborts(free_too_much, mem));
}
