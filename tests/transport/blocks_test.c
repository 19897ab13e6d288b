/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks_test.c - the bytes of a message by offset: every edge of the blocks, memory that follows
 * what is there, and failing allocations.
 */
#include "transport/blocks.h"

#include "test.h"

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 9));
}

static void fill(struct wf_blocks *b, uint64_t from, size_t len)
{
    uint8_t *bytes = malloc(len);

    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(from + i);
    wf_blocks_write(b, from, (weft_span){bytes, len});
    free(bytes);
}

static void check_read(const struct wf_blocks *b, uint64_t from, size_t len)
{
    uint8_t *bytes = malloc(len);

    wf_blocks_read(b, from, bytes, len);
    for (size_t i = 0; i < len; i++)
        CHECK_EQ(bytes[i], byte_at(from + i));
    free(bytes);
}

TEST(bytes_written_across_every_block_edge_are_read_back)
{
    static const uint64_t edges[] = {1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 196608};
    struct wf_block_pool pool;

    wf_block_pool_init(&pool, test_mem());
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        struct wf_blocks b;
        uint64_t from = edges[i] - 3;

        wf_blocks_init(&b, UINT64_MAX);
        CHECK_OK(wf_blocks_reserve(&b, &pool, from, from + 6));
        fill(&b, from, 6);
        check_read(&b, from, 6);
        CHECK_EQ(wf_blocks_at(&b, from, from + 6).len, 3);
        CHECK_EQ(wf_blocks_at(&b, edges[i], from + 6).len, 3);
        wf_blocks_deinit(&b, &pool);
    }
    wf_block_pool_trim(&pool);
}

TEST(a_declared_length_is_held_exactly)
{
    static const size_t lengths[] = {1, 100, 1023, 1024, 1025, 65535, 65536, 65537, 131072};
    struct wf_block_pool pool;

    wf_block_pool_init(&pool, test_mem());
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct wf_blocks b;

        wf_blocks_init(&b, lengths[i]);
        CHECK_OK(wf_blocks_reserve(&b, &pool, 0, lengths[i]));
        CHECK_EQ(b.held, lengths[i]);
        fill(&b, 0, lengths[i]);
        check_read(&b, 0, lengths[i]);
        wf_blocks_drop(&b, &pool, lengths[i]);
        CHECK_EQ(b.held, 0);
        wf_blocks_deinit(&b, &pool);
    }
    wf_block_pool_trim(&pool);
}

TEST(what_is_held_follows_the_highest_byte_and_not_the_announced_length)
{
    struct wf_block_pool pool;
    struct wf_blocks b;

    wf_block_pool_init(&pool, test_mem());
    wf_blocks_init(&b, 1ull << 40);
    CHECK_OK(wf_blocks_reserve(&b, &pool, 0, 1));
    CHECK_EQ(b.held, WF_BLOCK_FIRST);
    CHECK_OK(wf_blocks_reserve(&b, &pool, 40000, 40001));
    CHECK_LE(b.held, 40000 * 2);
    wf_blocks_deinit(&b, &pool);
    CHECK_EQ(b.held, 0);
    wf_block_pool_trim(&pool);
}

TEST(a_window_that_moves_reuses_its_blocks)
{
    struct wf_mem *mem = test_mem();
    struct wf_block_pool pool;
    struct wf_blocks b;
    uint64_t before = 0;

    wf_block_pool_init(&pool, mem);
    wf_blocks_init(&b, UINT64_MAX);
    for (uint64_t at = 0; at < 8u << 20; at += 50000) {
        if (at == 2000000)
            before = mem->allocations;
        CHECK_OK(wf_blocks_reserve(&b, &pool, at, at + 50000));
        fill(&b, at, 50000);
        check_read(&b, at, 50000);
        wf_blocks_drop(&b, &pool, at + 50000);
        CHECK_LE(b.held, 2 * WF_BLOCK_MAX);
    }
    CHECK_EQ(mem->allocations, before); /* nothing is allocated in a steady state */
    wf_blocks_deinit(&b, &pool);
    wf_block_pool_trim(&pool);
    CHECK_EQ(mem->held, 0);
}

TEST(a_failed_reservation_leaves_everything_in_order)
{
    struct wf_mem *mem = test_mem();

    for (uint64_t n = 1; n <= 12; n++) {
        struct wf_block_pool pool;
        struct wf_blocks b;

        wf_block_pool_init(&pool, mem);
        wf_blocks_init(&b, UINT64_MAX);
        mem->fail_at = mem->attempts + n;
        weft_err err = wf_blocks_reserve(&b, &pool, 0, 200000);
        mem->fail_at = 0;
        CHECK(err == WEFT_OK || err == WEFT_ERR_NOMEM);
        CHECK_OK(wf_blocks_reserve(&b, &pool, 0, 200000));
        fill(&b, 0, 200000);
        check_read(&b, 0, 200000);
        wf_blocks_deinit(&b, &pool);
        wf_block_pool_trim(&pool);
        CHECK_EQ(mem->held, 0);
    }
}

TEST(a_far_offset_costs_one_block_and_its_place)
{
    struct wf_block_pool pool;
    struct wf_blocks b;

    wf_block_pool_init(&pool, test_mem());
    wf_blocks_init(&b, UINT64_MAX);
    CHECK_OK(wf_blocks_reserve(&b, &pool, 100u << 20, (100u << 20) + 1));
    CHECK_EQ(b.held, WF_BLOCK_MAX);
    CHECK_LE(b.room * sizeof(void *), 100u << 10);
    CHECK_EQ(wf_blocks_at(&b, 0, 100).len, 0);
    CHECK_EQ(wf_blocks_reserve(&b, &pool, UINT64_MAX - 2, UINT64_MAX - 1), WEFT_ERR_NOMEM);
    wf_blocks_deinit(&b, &pool);
    wf_block_pool_trim(&pool);
}

TEST(spare_blocks_are_given_up_before_an_allocation_fails)
{
    struct wf_mem *mem = test_mem();
    struct wf_block_pool pool;
    struct wf_blocks b;

    wf_block_pool_init(&pool, mem);
    wf_blocks_init(&b, UINT64_MAX);
    CHECK_OK(wf_blocks_reserve(&b, &pool, 0, 200000));
    wf_blocks_deinit(&b, &pool);
    CHECK(pool.count > 1);
    mem->cap = mem->held; /* no room but what the spares take */
    wf_blocks_init(&b, UINT64_MAX);
    CHECK_OK(wf_blocks_reserve(&b, &pool, 0, 1));
    CHECK_EQ(pool.count, 0);
    wf_blocks_deinit(&b, &pool);
}

TEST(an_account_that_is_half_used_keeps_no_spare_blocks)
{
    struct wf_mem *node = test_mem();
    struct wf_mem peer;
    struct wf_block_pool pool;
    struct wf_blocks b;

    node->cap = 300000; /* the peer's own account has no cap */
    wf_mem_child(&peer, node, 0);
    wf_block_pool_init(&pool, &peer);
    wf_blocks_init(&b, UINT64_MAX);
    CHECK_OK(wf_blocks_reserve(&b, &pool, 0, 200000));
    wf_blocks_deinit(&b, &pool);
    CHECK_LE(node->held, node->cap / 2);
    wf_block_pool_trim(&pool);
    CHECK_EQ(node->held, 0);
}
