/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_test.c - the heap of deadlines against a plain search, its limits and its failures.
 */
#include "base/heap.h"

#include "support/aborts.h"
#include "test.h"

#define NODES 100

/* The heap's order and places. */
static void check_sound(const struct wf_heap *h)
{
    for (size_t i = 0; i < h->count; i++) {
        CHECK_EQ(h->nodes[i]->index, i + 1);
        if (i > 0) {
            CHECK(h->nodes[(i - 1) / 2]->key <= h->nodes[i]->key);
        }
    }
}

TEST(an_empty_heap_has_no_deadline)
{
    struct wf_heap h;

    wf_heap_init(&h, test_mem(), 1);
    CHECK(wf_heap_first(&h) == NULL);
    CHECK(wf_heap_pop_due(&h, WEFT_TIME_NEVER) == NULL);
    CHECK_EQ(wf_heap_deadline(&h), WEFT_TIME_NEVER);
    wf_heap_deinit(&h);
}

TEST(nodes_come_out_earliest_first_and_not_before_their_time)
{
    static const weft_time keys[] = {50, 10, 40, 10, 30, 0, 20};
    struct wf_heap_node nodes[WF_ARRAY_LEN(keys)] = {0};
    struct wf_heap h;
    weft_time before = 0;

    wf_heap_init(&h, test_mem(), 100);
    for (size_t i = 0; i < WF_ARRAY_LEN(keys); i++) {
        CHECK_OK(wf_heap_set(&h, &nodes[i], keys[i]));
        CHECK(wf_heap_has(&nodes[i]));
    }
    CHECK_EQ(wf_heap_deadline(&h), 0);
    for (size_t i = 0; i < WF_ARRAY_LEN(keys); i++) {
        const weft_time due = wf_heap_deadline(&h);

        CHECK(due >= before);
        CHECK(due == 0 || wf_heap_pop_due(&h, due - 1) == NULL);
        struct wf_heap_node *n = wf_heap_pop_due(&h, due);
        CHECK(n != NULL);
        CHECK_EQ(n->key, due);
        CHECK(!wf_heap_has(n));
        before = due;
    }
    CHECK_EQ(wf_heap_deadline(&h), WEFT_TIME_NEVER);
    wf_heap_deinit(&h);
}

TEST(a_deadline_of_never_takes_a_node_out)
{
    struct wf_heap_node node = {0};
    struct wf_heap h;

    wf_heap_init(&h, test_mem(), 1);
    CHECK_OK(wf_heap_set(&h, &node, WEFT_TIME_NEVER));
    CHECK(!wf_heap_has(&node));
    CHECK_OK(wf_heap_set(&h, &node, WEFT_TIME_NEVER - 1));
    CHECK_EQ(wf_heap_deadline(&h), WEFT_TIME_NEVER - 1);
    CHECK_OK(wf_heap_set(&h, &node, WEFT_TIME_NEVER));
    CHECK(!wf_heap_has(&node));
    wf_heap_remove(&h, &node);
    CHECK_EQ(h.count, 0);
    wf_heap_deinit(&h);
}

TEST(the_cap_can_be_reached_and_not_passed)
{
    for (size_t cap = 1; cap <= 40; cap++) {
        struct wf_heap_node nodes[41] = {0};
        struct wf_heap h;

        wf_heap_init(&h, test_mem(), cap);
        for (size_t i = 0; i < cap; i++) {
            CHECK_OK(wf_heap_set(&h, &nodes[i], 100 - i));
        }
        CHECK_EQ(wf_heap_set(&h, &nodes[cap], 1), WEFT_ERR_LIMIT);
        CHECK(!wf_heap_has(&nodes[cap]));
        CHECK_OK(wf_heap_set(&h, &nodes[0], 7)); /* moving needs no room */
        wf_heap_remove(&h, &nodes[cap / 2]);
        CHECK_OK(wf_heap_set(&h, &nodes[cap], 1));
        CHECK(wf_heap_first(&h) == &nodes[cap]);
        check_sound(&h);
        wf_heap_deinit(&h);
    }
}

TEST(what_was_reserved_cannot_fail)
{
    struct wf_mem *mem = test_mem();
    struct wf_heap_node nodes[33] = {0};
    struct wf_heap h;

    wf_heap_init(&h, mem, 33);
    CHECK_EQ(wf_heap_reserve(&h, 34), WEFT_ERR_LIMIT);
    CHECK_OK(wf_heap_reserve(&h, 33));
    mem->fail_at = mem->attempts + 1;
    for (size_t i = 0; i < 33; i++) {
        CHECK_OK(wf_heap_set(&h, &nodes[i], i));
    }
    wf_heap_deinit(&h);
    CHECK(!wf_heap_has(&nodes[32]));
}

TEST(every_allocation_that_fails_leaves_the_heap_as_it_was)
{
    for (uint64_t n = 1; n <= 4; n++) {
        struct wf_mem *mem = test_mem();
        struct wf_heap_node nodes[NODES] = {0};
        struct wf_heap h;
        int failures = 0;

        mem->fail_at = n;
        wf_heap_init(&h, mem, NODES);
        for (size_t i = 0; i < NODES; i++) {
            const size_t count = h.count;
            weft_err err = wf_heap_set(&h, &nodes[i], NODES - i);

            if (err == WEFT_ERR_NOMEM) {
                failures++;
                CHECK_EQ(h.count, count);
                CHECK(!wf_heap_has(&nodes[i]));
                check_sound(&h);
                err = wf_heap_set(&h, &nodes[i], NODES - i);
            }
            CHECK_OK(err);
        }
        CHECK_EQ(failures, 1);
        check_sound(&h);
        CHECK_EQ(wf_heap_deadline(&h), 1);
        wf_heap_deinit(&h);
    }
}

TEST(random_operations_find_what_a_plain_search_finds)
{
    uint64_t state = test_seed();
    struct wf_heap_node nodes[NODES] = {0};
    struct wf_heap h;

    wf_heap_init(&h, test_mem(), NODES);
    for (int step = 0; step < 20000; step++) {
        struct wf_heap_node *node = &nodes[test_next(&state) % NODES];
        weft_time earliest = WEFT_TIME_NEVER;
        size_t count = 0;

        switch (test_next(&state) % 4) {
        case 0:
            wf_heap_remove(&h, node);
            break;
        case 1:
            (void)wf_heap_pop_due(&h, test_next(&state) % 50);
            break;
        default:
            CHECK_OK(wf_heap_set(&h, node, test_next(&state) % 50));
            break;
        }
        for (size_t i = 0; i < NODES; i++) {
            if (wf_heap_has(&nodes[i])) {
                count++;
                earliest = nodes[i].key < earliest ? nodes[i].key : earliest;
            }
        }
        CHECK_EQ(h.count, count);
        CHECK_EQ(wf_heap_deadline(&h), earliest);
        check_sound(&h);
    }
    wf_heap_deinit(&h);
}

static void remove_from_another(void *ctx)
{
    struct wf_heap other = {0};

    wf_heap_remove(&other, (struct wf_heap_node *)ctx);
}

TEST(a_node_of_another_heap_is_a_broken_contract)
{
    struct wf_heap_node node = {0};
    struct wf_heap h;

    wf_heap_init(&h, test_mem(), 1);
    CHECK_OK(wf_heap_set(&h, &node, 1));
    CHECK(test_aborts(remove_from_another, &node));
    wf_heap_deinit(&h);
}
