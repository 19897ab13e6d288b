/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges_test.c - the set of ranges against a bitmap, at its limits and at the ends of 64 bits.
 */
#include "base/ranges.h"

#include "support/aborts.h"
#include "test.h"

#define UNIVERSE 128
#define ROOM 8

/* Sorted, apart by at least one number. */
static void check_sound(const struct wf_ranges *r)
{
    CHECK(r->count <= r->room);
    for (size_t i = 0; i < r->count; i++) {
        CHECK(r->items[i].first <= r->items[i].last);
        CHECK(i == 0 || (r->items[i].first > r->items[i - 1].last &&
                         r->items[i].first - r->items[i - 1].last > 1));
    }
}

static void check_is(const struct wf_ranges *r, const struct wf_range *want, size_t count)
{
    check_sound(r);
    CHECK_EQ(wf_ranges_count(r), count);
    CHECK_EQ(wf_ranges_empty(r), count == 0);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ(r->items[i].first, want[i].first);
        CHECK_EQ(r->items[i].last, want[i].last);
        CHECK(wf_ranges_newest(r, i) == &r->items[count - 1 - i]);
    }
    CHECK(wf_ranges_newest(r, count) == NULL);
}

#define CHECK_IS(r, ...)                                  \
    check_is((r), (const struct wf_range[]){__VA_ARGS__}, \
             sizeof((const struct wf_range[]){__VA_ARGS__}) / sizeof(struct wf_range))

TEST(ranges_that_overlap_or_touch_become_one)
{
    struct wf_range items[ROOM];
    struct wf_ranges r;

    wf_ranges_init(&r, items, ROOM);
    check_is(&r, NULL, 0);
    CHECK_OK(wf_ranges_add(&r, 10, 12));
    CHECK_OK(wf_ranges_add(&r, 20, 20));
    CHECK_OK(wf_ranges_add(&r, 5, 8));
    CHECK_IS(&r, {5, 8}, {10, 12}, {20, 20});
    CHECK_OK(wf_ranges_add(&r, 9, 9));
    CHECK_IS(&r, {5, 12}, {20, 20});
    CHECK_OK(wf_ranges_add(&r, 14, 18));
    CHECK_IS(&r, {5, 12}, {14, 18}, {20, 20});
    CHECK_OK(wf_ranges_add(&r, 6, 11));
    CHECK_IS(&r, {5, 12}, {14, 18}, {20, 20});
    CHECK_OK(wf_ranges_add(&r, 0, 100));
    CHECK_IS(&r, {0, 100});
    wf_ranges_clear(&r);
    check_is(&r, NULL, 0);
}

TEST(the_ends_of_64_bits_are_numbers_like_others)
{
    struct wf_range items[ROOM];
    struct wf_ranges r;

    wf_ranges_init(&r, items, ROOM);
    CHECK_OK(wf_ranges_add(&r, UINT64_MAX, UINT64_MAX));
    CHECK_OK(wf_ranges_add(&r, 0, 0));
    CHECK_IS(&r, {0, 0}, {UINT64_MAX, UINT64_MAX});
    CHECK_OK(wf_ranges_add(&r, 1, 1));
    CHECK_OK(wf_ranges_add(&r, UINT64_MAX - 1, UINT64_MAX - 1));
    CHECK_IS(&r, {0, 1}, {UINT64_MAX - 1, UINT64_MAX});
    CHECK(wf_ranges_contains(&r, 0));
    CHECK(wf_ranges_contains(&r, UINT64_MAX));
    CHECK(!wf_ranges_contains(&r, 2));
    CHECK(!wf_ranges_contains(&r, UINT64_MAX - 2));
    CHECK_OK(wf_ranges_add(&r, 0, UINT64_MAX));
    CHECK_IS(&r, {0, UINT64_MAX});
    wf_ranges_remove_below(&r, UINT64_MAX);
    CHECK_IS(&r, {UINT64_MAX, UINT64_MAX});
}

TEST(a_range_upside_down_is_refused)
{
    struct wf_range items[ROOM];
    struct wf_ranges r;

    wf_ranges_init(&r, items, ROOM);
    CHECK_EQ(wf_ranges_add(&r, 2, 1), WEFT_ERR_USAGE);
    CHECK_EQ(wf_ranges_add_newest(&r, 2, 1), WEFT_ERR_USAGE);
    check_is(&r, NULL, 0);
}

TEST(one_range_too_many_is_refused_and_changes_nothing)
{
    for (size_t room = 1; room <= ROOM; room++) {
        struct wf_range *items =
            (struct wf_range *)(void *)test_copy_padded(NULL, 0, room * sizeof(struct wf_range));
        struct wf_range before[ROOM];
        struct wf_ranges r;

        wf_ranges_init(&r, items, room);
        for (size_t i = 0; i < room; i++) {
            CHECK_OK(wf_ranges_add(&r, 10 * i + 10, 10 * i + 15));
        }
        memcpy(before, items, room * sizeof *items);
        for (size_t i = 0; i <= room; i++) {
            CHECK_EQ(wf_ranges_add(&r, 10 * i + 7, 10 * i + 8), WEFT_ERR_LIMIT);
            check_is(&r, before, room);
        }
        CHECK_OK(wf_ranges_add(&r, 16, 16)); /* longer, but not one more */
        free(items);
    }
}

TEST(when_the_newest_matter_the_lowest_is_forgotten)
{
    struct wf_range items[2];
    struct wf_ranges r;

    wf_ranges_init(&r, items, 2);
    CHECK_OK(wf_ranges_add_newest(&r, 10, 10));
    CHECK_OK(wf_ranges_add_newest(&r, 20, 20));
    CHECK_OK(wf_ranges_add_newest(&r, 5, 5));
    CHECK_IS(&r, {10, 10}, {20, 20});
    CHECK_OK(wf_ranges_add_newest(&r, 15, 15));
    CHECK_IS(&r, {15, 15}, {20, 20});
    CHECK_OK(wf_ranges_add_newest(&r, 30, 31));
    CHECK_IS(&r, {20, 20}, {30, 31});
    CHECK_OK(wf_ranges_add_newest(&r, 18, 19));
    CHECK_IS(&r, {18, 20}, {30, 31});
}

TEST(everything_below_a_floor_can_be_removed)
{
    for (uint64_t floor = 0; floor < 30; floor++) {
        struct wf_range items[ROOM];
        struct wf_ranges r;

        wf_ranges_init(&r, items, ROOM);
        CHECK_OK(wf_ranges_add(&r, 5, 9));
        CHECK_OK(wf_ranges_add(&r, 15, 15));
        CHECK_OK(wf_ranges_add(&r, 20, 25));
        wf_ranges_remove_below(&r, floor);
        check_sound(&r);
        for (uint64_t n = 0; n < 30; n++) {
            const bool was = (n >= 5 && n <= 9) || n == 15 || (n >= 20 && n <= 25);

            CHECK_EQ(wf_ranges_contains(&r, n), was && n >= floor);
        }
    }
}

static void add_to_model(bool *model, uint64_t first, uint64_t last)
{
    for (uint64_t n = first; n <= last; n++) {
        model[n] = true;
    }
}

static size_t runs(const bool *model)
{
    size_t count = 0;

    for (size_t n = 0; n < UNIVERSE; n++) {
        count += model[n] && (n == 0 || !model[n - 1]);
    }
    return count;
}

static void check_same(const struct wf_ranges *r, const bool *model, uint64_t first, uint64_t last)
{
    bool covered = true;

    check_sound(r);
    CHECK_EQ(wf_ranges_count(r), runs(model));
    for (uint64_t n = 0; n < UNIVERSE; n++) {
        CHECK_EQ(wf_ranges_contains(r, n), model[n]);
        covered = covered && (n < first || n > last || model[n]);
    }
    CHECK_EQ(wf_ranges_covers(r, first, last), covered);
}

TEST(random_operations_do_what_they_do_to_a_bitmap)
{
    uint64_t state = test_seed();
    struct wf_range items[ROOM];
    bool model[UNIVERSE] = {false};
    struct wf_ranges r;
    size_t refused = 0;

    wf_ranges_init(&r, items, ROOM);
    for (int step = 0; step < 20000; step++) {
        const uint64_t first = test_next(&state) % UNIVERSE;
        const uint64_t len = test_next(&state) % 6;
        const uint64_t last = first + len < UNIVERSE ? first + len : UNIVERSE - 1;
        bool after[UNIVERSE];

        test_note("step %d: %llu..%llu", step, (unsigned long long)first, (unsigned long long)last);
        memcpy(after, model, sizeof after);
        add_to_model(after, first, last);
        if (runs(after) <= ROOM) {
            CHECK_OK(wf_ranges_add(&r, first, last));
            memcpy(model, after, sizeof model);
        } else {
            CHECK_EQ(wf_ranges_add(&r, first, last), WEFT_ERR_LIMIT);
            refused++;
        }
        if (test_next(&state) % 16 == 0) {
            wf_ranges_remove_below(&r, last);
            memset(model, 0, last * sizeof *model);
        }
        check_same(&r, model, first - first % 8, first);
    }
    CHECK(refused > 100); /* else the limit was not tried */
}

static void init_without_room(void *ctx)
{
    wf_ranges_init((struct wf_ranges *)ctx, NULL, 0);
}

TEST(no_room_at_all_is_a_broken_contract)
{
    struct wf_ranges r;

    CHECK(test_aborts(init_without_room, &r));
}
