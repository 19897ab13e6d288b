/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits_test.c - the set of small numbers against a plain array.
 */
#include "transport/bits.h"

#include "test.h"

static const size_t rooms[] = {1, 2, 63, 64, 65, 4095, 4096, 4097, 70000};

TEST(an_empty_set_has_no_next_and_a_full_one_the_number_itself)
{
    struct wf_mem *mem = test_mem();
    for (size_t k = 0; k < WF_ARRAY_LEN(rooms); k++) {
        struct wf_bits b = {0};

        CHECK_OK(wf_bits_init(&b, mem, rooms[k]));
        for (size_t i = 0; i < rooms[k]; i++) {
            CHECK_EQ(wf_bits_next(&b, i), rooms[k]);
        }
        for (size_t i = 0; i < rooms[k]; i++) {
            wf_bits_set(&b, i);
        }
        for (size_t i = 0; i < rooms[k]; i++) {
            CHECK_EQ(wf_bits_next(&b, i), i);
        }
        CHECK_EQ(wf_bits_next(&b, rooms[k]), rooms[k]);
        wf_bits_deinit(&b, mem);
    }
}

TEST(one_member_is_found_from_anywhere_below_it)
{
    struct wf_mem *mem = test_mem();
    static const size_t members[] = {0, 63, 64, 4095, 4096, 262143, 262144, 299999};
    struct wf_bits b = {0};

    CHECK_OK(wf_bits_init(&b, mem, 300000));
    for (size_t k = 0; k < WF_ARRAY_LEN(members); k++) {
        wf_bits_set(&b, members[k]);
        for (size_t from = 0; from <= members[k]; from += 997) {
            CHECK_EQ(wf_bits_next(&b, from), members[k]);
        }
        CHECK_EQ(wf_bits_next(&b, members[k]), members[k]);
        CHECK_EQ(wf_bits_next(&b, members[k] + 1), 300000);
        wf_bits_clear(&b, members[k]);
        CHECK_EQ(wf_bits_next(&b, 0), 300000);
    }
    wf_bits_deinit(&b, mem);
}

TEST(random_sets_agree_with_an_array)
{
    struct wf_mem *mem = test_mem();
    enum { ROOM = 5000 };
    static bool model[ROOM];
    struct wf_bits b = {0};
    uint64_t state = test_seed();

    memset(model, 0, sizeof model);
    CHECK_OK(wf_bits_init(&b, mem, ROOM));
    for (int step = 0; step < 20000; step++) {
        const size_t i = test_next(&state) % ROOM;

        model[i] = test_next(&state) % 32 == 0;
        if (model[i]) {
            wf_bits_set(&b, i);
        } else {
            wf_bits_clear(&b, i);
        }
        CHECK_EQ(wf_bits_has(&b, i), model[i]);

        const size_t from = test_next(&state) % ROOM;
        size_t want = from;

        while (want < ROOM && !model[want]) {
            want++;
        }
        CHECK_EQ(wf_bits_next(&b, from), want);
    }
    wf_bits_deinit(&b, mem);
}

TEST(without_memory_nothing_is_held)
{
    struct wf_mem *mem = test_mem();
    struct wf_bits b = {0};

    mem->fail_at = mem->attempts + 1;
    CHECK_EQ(wf_bits_init(&b, mem, 100), WEFT_ERR_NOMEM);
    CHECK_EQ(b.room, 0);
    wf_bits_deinit(&b, mem);
}
