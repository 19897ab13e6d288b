/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reassembly_test.c - bytes of a message put in order: any order, overlaps, contradictions, floods
 * of pieces, no memory.
 */
#include "transport/reassembly.h"

#include "test.h"

#define LEN 5000u

static struct wf_block_pool pool;
static struct wf_reassembly r;
static uint8_t source[LEN];

static void begin(void)
{
    wf_block_pool_init(&pool, test_mem());
    wf_reassembly_init(&r);
    for (size_t i = 0; i < LEN; i++)
        source[i] = (uint8_t)(i * 7 + i / 256);
}

static void finish(void)
{
    wf_reassembly_deinit(&r, &pool);
    wf_block_pool_trim(&pool);
    CHECK_EQ(pool.mem->held, 0);
}

static weft_err put(size_t from, size_t to, bool end)
{
    uint8_t *copy = test_copy(source + from, to - from);
    struct wf_piece p = {from, {copy, to - from}, end};
    weft_err err = wf_reassembly_check(&r, &p, 0);

    if (err == WEFT_OK)
        err = wf_reassembly_put(&r, &pool, &p);
    free(copy);
    return err;
}

/* Everything readable equals the source from what was consumed before. */
static void read_all(void)
{
    bool at_end = false;
    weft_span s = wf_reassembly_peek(&r, &at_end);

    while (s.len > 0) {
        CHECK_MEM_EQ(s.data, source + r.consumed, s.len);
        CHECK_EQ(wf_reassembly_consume(&r, &pool, s.len), s.len);
        s = wf_reassembly_peek(&r, &at_end);
    }
    CHECK_EQ(at_end, wf_reassembly_is_done(&r));
}

TEST(pieces_in_any_order_with_overlaps_give_the_message)
{
    for (uint64_t seed = test_seed(); seed < test_seed() + 200; seed++) {
        uint64_t state = seed;

        test_note("seed %llu", (unsigned long long)seed);
        begin();
        while (!wf_reassembly_is_done(&r)) {
            size_t from = test_next(&state) % LEN;
            size_t to = from + test_next(&state) % 900;
            if (to > LEN)
                to = LEN;
            CHECK_OK(put(from, to, to == LEN));
            if (test_next(&state) % 3 == 0)
                read_all();
        }
        CHECK_EQ(r.consumed, LEN);
        CHECK_LE(r.blocks.held, LEN); /* the block in which the end lies */
        finish();
    }
}

TEST(first_bytes_win_where_pieces_overlap)
{
    uint8_t other[LEN];
    bool at_end = false;

    begin();
    memset(other, 0xee, sizeof other);
    CHECK_OK(put(100, 200, false));
    CHECK_OK(put(300, 400, false));
    struct wf_piece liar = {50, {other, 400}, false};
    CHECK_OK(wf_reassembly_check(&r, &liar, 0));
    CHECK_OK(wf_reassembly_put(&r, &pool, &liar));
    CHECK_OK(put(0, 60, false));
    weft_span s = wf_reassembly_peek(&r, &at_end);
    CHECK_EQ(s.len, 450);
    CHECK_MEM_EQ(s.data, source, 50);
    CHECK_MEM_EQ(s.data + 50, other, 50);
    CHECK_MEM_EQ(s.data + 100, source + 100, 100);
    CHECK_MEM_EQ(s.data + 200, other, 100);
    CHECK_MEM_EQ(s.data + 300, source + 300, 100);
    CHECK_MEM_EQ(s.data + 400, other, 50);
    finish();
}

TEST(contradictory_ends_are_refused) /* SPEC 3.3-1 */
{
    begin();
    CHECK_OK(put(0, 10, false));
    CHECK_OK(put(90, 100, true));
    CHECK_EQ(put(100, 101, false), WEFT_ERR_PROTOCOL);
    CHECK_EQ(put(0, 99, true), WEFT_ERR_PROTOCOL);
    CHECK_EQ(put(0, 101, true), WEFT_ERR_PROTOCOL);
    CHECK_OK(put(95, 100, true));
    CHECK_OK(put(100, 100, true));
    CHECK_EQ(put(50, 50, true), WEFT_ERR_PROTOCOL);
    CHECK_EQ(wf_reassembly_set_length(&r, 99), WEFT_ERR_PROTOCOL);
    CHECK_EQ(wf_reassembly_set_length(&r, 101), WEFT_ERR_PROTOCOL);
    CHECK_OK(wf_reassembly_set_length(&r, 100));
    finish();
    begin();
    CHECK_OK(put(50, 60, false));
    CHECK_EQ(put(40, 55, true), WEFT_ERR_PROTOCOL); /* ends below what came */
    CHECK_EQ(wf_reassembly_set_length(&r, 59), WEFT_ERR_PROTOCOL);
    CHECK_OK(wf_reassembly_set_length(&r, 60));
    finish();
}

TEST(an_empty_message_ends_at_once)
{
    bool at_end = false;

    begin();
    CHECK(!wf_reassembly_is_done(&r));
    CHECK_OK(put(0, 0, true));
    CHECK(wf_reassembly_is_done(&r));
    CHECK_EQ(wf_reassembly_peek(&r, &at_end).len, 0);
    CHECK(at_end);
    finish();
}

TEST(pieces_that_wait_are_capped_and_the_next_one_changes_nothing)
{
    begin();
    for (size_t i = 0; i < WF_REASSEMBLY_RANGES_MAX; i++)
        CHECK_OK(put(2 * i + 1, 2 * i + 2, false));
    size_t held = pool.mem->held;
    CHECK_EQ(put(2 * WF_REASSEMBLY_RANGES_MAX + 1, 2 * WF_REASSEMBLY_RANGES_MAX + 2, false),
             WEFT_ERR_LIMIT);
    CHECK_EQ(pool.mem->held, held);
    CHECK_OK(put(2 * WF_REASSEMBLY_RANGES_MAX, 2 * WF_REASSEMBLY_RANGES_MAX + 1,
                 false));       /* touches one */
    CHECK_OK(put(0, 1, false)); /* fills a gap */
    CHECK_EQ(r.islands.r.count, WF_REASSEMBLY_RANGES_MAX - 1);
    CHECK_LE(pool.mem->held,
             3 * 2 * WF_REASSEMBLY_RANGES_MAX + WF_REASSEMBLY_RANGES_MAX * sizeof(struct wf_range));
    finish();
}

TEST(the_cap_counts_pieces_of_the_same_packet_but_not_those_that_fill_gaps)
{
    begin();
    for (size_t i = 0; i < 200; i++)
        CHECK_OK(put(2 * i + 1, 2 * i + 2, false));
    struct wf_piece p = {1001, {source, 1}, false};
    CHECK(wf_reassembly_is_apart(&r, &p));
    CHECK_OK(wf_reassembly_check(&r, &p, WF_REASSEMBLY_RANGES_MAX - 201));
    CHECK_EQ(wf_reassembly_check(&r, &p, WF_REASSEMBLY_RANGES_MAX - 200), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_reassembly_check(&r, &p, SIZE_MAX), WEFT_ERR_LIMIT);
    struct wf_piece filler = {100, {source, 1}, false};
    CHECK(!wf_reassembly_is_apart(&r, &filler));
    CHECK_OK(wf_reassembly_check(&r, &filler, SIZE_MAX));
    finish();
}

TEST(without_memory_a_piece_is_as_if_it_was_lost)
{
    struct wf_mem *mem = test_mem();

    for (uint64_t n = 1; n <= 8; n++) {
        begin();
        mem->fail_at = mem->attempts + n;
        for (size_t i = 0; i < 8; i++)
            (void)put(500 * i + 100, 500 * i + 300, false);
        mem->fail_at = 0;
        for (size_t i = 0; i < LEN; i += 250)
            CHECK_OK(put(i, i + 250, i + 250 == LEN));
        read_all();
        CHECK(wf_reassembly_is_done(&r));
        finish();
    }
}

TEST(a_length_after_a_first_piece_that_found_no_memory_loses_none)
{
    struct wf_mem *mem = NULL;

    for (uint64_t n = 1; n <= 6; n++) {
        begin();
        mem = pool.mem;
        mem->fail_at = mem->attempts + n;
        weft_err err = put(2000, 3000, false);
        mem->fail_at = 0;
        test_note("allocation %llu", (unsigned long long)n);
        CHECK_OK(wf_reassembly_set_length(&r, LEN));
        CHECK_OK(put(0, LEN, true));
        read_all();
        CHECK(wf_reassembly_is_done(&r));
        finish(); /* nothing is held any more */
        if (err == WEFT_OK)
            return;
    }
    FAIL("more allocations than expected");
}

TEST(offsets_near_2_62_neither_overflow_nor_loop)
{
    uint64_t far = (1ull << 62) - 10;
    struct wf_piece p = {far, {source, 10}, true};

    begin();
    CHECK_OK(wf_reassembly_check(&r, &p, 0));
    CHECK_EQ(wf_reassembly_put(&r, &pool, &p), WEFT_ERR_NOMEM);
    CHECK_EQ(r.highest, 0);
    CHECK_OK(wf_reassembly_set_length(&r, (1ull << 62) - 1));
    CHECK_EQ(wf_reassembly_check(&r, &p, 0), WEFT_ERR_PROTOCOL);
    finish();
}
