/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_test.c - the compact index against an array, its memory and its failures.
 */
#include "base/index.h"

#include "test.h"

#define IDS 3000u

static bool finds(const struct wf_index *x, uint32_t id, uint64_t hash)
{
    for (uint32_t i = wf_index_first(x, hash); i != WF_INDEX_NONE; i = wf_index_next(x, i)) {
        if (i == id)
            return true;
    }
    return false;
}

TEST(an_empty_index_has_nothing)
{
    struct wf_index x;

    wf_index_init(&x, test_mem(), 1);
    CHECK_EQ(wf_index_first(&x, 0), WF_INDEX_NONE);
    CHECK_EQ(wf_index_count(&x), 0);
    wf_index_deinit(&x);
    wf_index_deinit(&x);
}

TEST(of_one_hash_the_newest_comes_first_however_the_index_grows)
{
    struct wf_index x;
    uint32_t want = 9;

    wf_index_init(&x, test_mem(), IDS);
    for (uint32_t id = 0; id < 10; id++)
        CHECK_OK(wf_index_put(&x, id, 77));
    for (uint32_t id = 10; id < IDS; id++)
        CHECK_OK(wf_index_put(&x, id, id * 64));
    for (uint32_t i = wf_index_first(&x, 77); i != WF_INDEX_NONE; i = wf_index_next(&x, i))
        CHECK_EQ(i, want--);
    CHECK_EQ(want, UINT32_MAX);
    wf_index_deinit(&x);
}

TEST(a_million_steps_agree_with_an_array)
{
    static uint64_t hashes[IDS]; /* 0: not in it */
    struct wf_index x;
    uint64_t state = test_seed();
    size_t count = 0;

    wf_index_init(&x, test_mem(), IDS);
    memset(hashes, 0, sizeof hashes);
    for (int i = 0; i < 1000000; i++) {
        uint32_t id = (uint32_t)(test_next(&state) % IDS);
        bool fills = i / 100000 % 2 == 0; /* it fills and empties in turns */

        if (hashes[id] == 0 && (fills || test_next(&state) % 8 == 0)) {
            hashes[id] = 1 + test_next(&state) % 5000;
            CHECK_OK(wf_index_put(&x, id, hashes[id]));
            count++;
        } else if (hashes[id] != 0 && (!fills || test_next(&state) % 8 == 0)) {
            CHECK(finds(&x, id, hashes[id]));
            wf_index_remove(&x, id);
            CHECK(!finds(&x, id, hashes[id]));
            hashes[id] = 0;
            count--;
        }
        CHECK_EQ(wf_index_count(&x), count);
    }
    for (uint32_t id = 0; id < IDS; id++)
        CHECK_EQ(finds(&x, id, hashes[id]), hashes[id] != 0);
    wf_index_deinit(&x);
}

TEST(an_entry_costs_at_most_sixteen_bytes_and_an_emptied_index_next_to_nothing)
{
    struct wf_mem *mem = test_mem();
    struct wf_index x;
    const uint32_t count = 1u << 16;

    wf_index_init(&x, mem, count);
    for (uint32_t id = 0; id < count; id++)
        CHECK_OK(wf_index_put(&x, id, test_next(&(uint64_t){id})));
    CHECK_LE(mem->held, 16 * (size_t)count);
    for (uint32_t id = 0; id < count; id++)
        wf_index_remove(&x, id);
    CHECK_LE(mem->held, 8192); /* the list of pages */
    wf_index_deinit(&x);
}

TEST(without_memory_nothing_changes)
{
    for (uint64_t fail = 1; fail < 60; fail++) {
        struct wf_mem *mem = test_mem();
        struct wf_index x;

        wf_index_init(&x, mem, IDS);
        mem->fail_at = mem->attempts + fail;
        for (uint32_t id = 0; id < IDS; id++) {
            weft_err err = wf_index_put(&x, id, id * 7);

            if (err != WEFT_OK) {
                CHECK_EQ(err, WEFT_ERR_NOMEM);
                CHECK_EQ(wf_index_count(&x), id);
                CHECK(!finds(&x, id, id * 7));
                CHECK_OK(wf_index_put(&x, id, id * 7));
            }
        }
        for (uint32_t id = 0; id < IDS; id++)
            CHECK(finds(&x, id, id * 7));
        mem->fail_at = 0;
        wf_index_deinit(&x);
    }
}
