/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_test.c - the replay window: a table of edges, jumps, growing, and a plain bitmap it must
 * agree with.
 */
#include "test.h"

#include "session/replay.h"

#define LIMIT ((uint64_t)WF_REPLAY_FIRST) /* of a window that may not grow */

struct row {
    uint64_t n;
    bool ok;
};

static void run(struct wf_replay *w, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_note("row %zu", i);
        CHECK_EQ(wf_replay_fresh(w, rows[i].n), rows[i].ok);
        CHECK_EQ(wf_replay_mark(w, rows[i].n), rows[i].ok);
        CHECK(!wf_replay_fresh(w, rows[i].n));
        CHECK(!wf_replay_mark(w, rows[i].n)); /* each at most once */
    }
}

#define RUN(w, rows) run(w, rows, sizeof(rows) / sizeof((rows)[0]))

TEST(edges_of_the_window_are_where_they_should_be)
{
    struct wf_replay w;
    const struct row rows[] = {
        {0, false},
        {1, true},
        {9, true},
        {8, true},
        {7, true},
        {9, false},
        {LIMIT, true}, /* 1 is in the window still */
        {LIMIT - 1, true},
        {1, false},
        {2, true},
        {2, false},
        {LIMIT + 1, true}, /* 1 has left, 2 is its last */
        {3, true},
        {1, false},
        {LIMIT + 16, true},
        {16, false}, /* exactly one too old */
        {17, true},
        {LIMIT * 4, true},
        {LIMIT * 4 - (LIMIT - 1), true},
        {10, false},
        {LIMIT * 4 - LIMIT, false},
        {LIMIT * 4 - (LIMIT + 1), false},
        {LIMIT * 4 - (LIMIT - 2), true},
        {LIMIT * 4 + 1 - LIMIT, false}, /* seen */
        {0, false},
        {UINT64_MAX - 1, true},
        {UINT64_MAX, true},
        {UINT64_MAX - 1, false},
        {UINT64_MAX - 2, true},
        {UINT64_MAX - (LIMIT - 1), true},
        {UINT64_MAX - LIMIT, false},
        {2, false},
    };

    wf_replay_init(&w, NULL);
    RUN(&w, rows); /* SPEC 2.3-1 */
}

TEST(the_window_is_at_least_what_the_spec_asks)
{
    CHECK_LE(1024, WF_REPLAY_FIRST);
}

TEST(every_number_in_ascending_order_is_taken_once)
{
    struct wf_replay w;

    wf_replay_init(&w, NULL);
    for (uint64_t n = 1; n <= 3 * LIMIT; n++)
        CHECK(wf_replay_mark(&w, n));
    for (uint64_t n = 1; n <= 3 * LIMIT; n++)
        CHECK(!wf_replay_fresh(&w, n));
    CHECK_EQ(w.highest, 3 * LIMIT);
}

TEST(every_number_in_descending_order_is_taken_once_within_the_window)
{
    struct wf_replay w;
    uint64_t top = 5 * LIMIT + 17;

    wf_replay_init(&w, NULL);
    for (uint64_t back = 0; back < LIMIT; back++)
        CHECK(wf_replay_mark(&w, top - back));
    CHECK(!wf_replay_mark(&w, top - LIMIT));
    for (uint64_t back = 0; back < LIMIT; back++)
        CHECK(!wf_replay_mark(&w, top - back));
}

TEST(sliding_by_one_lets_the_oldest_go_and_nothing_else)
{
    for (uint64_t top = LIMIT; top < LIMIT + 200; top++) {
        struct wf_replay w;
        wf_replay_init(&w, NULL);
        CHECK(wf_replay_mark(&w, top));
        CHECK_EQ(wf_replay_fresh(&w, top - LIMIT + 1), true);
        CHECK_EQ(wf_replay_fresh(&w, top - LIMIT), false);
        CHECK(wf_replay_mark(&w, top + 1));
        CHECK_EQ(wf_replay_fresh(&w, top - LIMIT + 2), true);
        CHECK_EQ(wf_replay_fresh(&w, top - LIMIT + 1), false);
        CHECK(!wf_replay_fresh(&w, top));
    }
}

TEST(a_jump_of_any_length_forgets_exactly_what_left_the_window)
{
    for (uint64_t jump = 1; jump < (uint64_t)1 << 62; jump = jump * 3 + 1) {
        struct wf_replay w;
        wf_replay_init(&w, NULL);
        for (uint64_t n = 1; n <= LIMIT; n++)
            CHECK(wf_replay_mark(&w, n));
        CHECK(wf_replay_mark(&w, LIMIT + jump));
        for (uint64_t back = 0; back <= LIMIT; back += 61) {
            uint64_t n = LIMIT + jump - back;
            bool want = back > 0 && back < LIMIT && n > LIMIT;
            CHECK_EQ(wf_replay_fresh(&w, n), want);
        }
    }
}

TEST(a_jump_by_about_the_whole_bitmap_leaves_no_old_mark_behind)
{
    for (uint64_t words = WF_REPLAY_FIRST / 64 - 2; words <= WF_REPLAY_FIRST / 64 + 4; words++) {
        struct wf_replay w;
        wf_replay_init(&w, NULL);
        for (uint64_t n = 1; n <= LIMIT + 63; n++)
            CHECK(wf_replay_mark(&w, n));
        uint64_t top = LIMIT + 64 * words;
        CHECK(wf_replay_mark(&w, top));
        for (uint64_t n = top - 1; n > top - LIMIT && n > LIMIT + 63; n--)
            CHECK(wf_replay_mark(&w, n));
        for (uint64_t n = top + 63; n > top; n--)
            CHECK(wf_replay_mark(&w, n));
    }
}

/* --- growing --- */

/* A window whose highest number is 5000, with all up to it seen. */
static void begin_at_5000(struct wf_replay *w, struct wf_mem *mem)
{
    wf_replay_init(w, mem);
    for (uint64_t n = 1; n <= 5000; n++)
        CHECK(wf_replay_mark(w, n));
    CHECK_EQ(w->bits, WF_REPLAY_FIRST); /* numbers in order need no more */
}

/* SPEC 2.3-2 */
TEST(it_grows_when_what_opened_lies_more_than_a_quarter_of_it_from_the_highest)
{
    const struct {
        uint64_t jump, bits;
    } rows[] = {
        {1, 1024},
        {256, 1024},
        {257, 2048},
        {512, 2048},
        {513, 4096},
        {5000, 32768},
        {32767, WF_REPLAY_MAX},
        {32769, WF_REPLAY_MAX},
        {131071, WF_REPLAY_MAX},
        {131072, 1024},
        {1ull << 47, 1024},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wf_mem *mem = test_mem();
        struct wf_replay w;

        test_note("jump %llu", (unsigned long long)rows[i].jump);
        begin_at_5000(&w, mem);
        CHECK(wf_replay_fresh(&w, 5000 + rows[i].jump));
        CHECK_EQ(w.bits, WF_REPLAY_FIRST); /* looking changes nothing */
        CHECK(wf_replay_mark(&w, 5000 + rows[i].jump));
        CHECK_EQ(w.bits, rows[i].bits);
        CHECK_EQ(mem->held, rows[i].bits == WF_REPLAY_FIRST ? 0 : rows[i].bits / 8);
        wf_replay_deinit(&w);
        CHECK_EQ(mem->held, 0);
    }
}

TEST(it_grows_for_packets_that_come_late_but_not_for_copies)
{
    struct wf_replay w;

    begin_at_5000(&w, test_mem());
    CHECK(wf_replay_mark(&w, 5256)); /* nearly a quarter: 5001..5255 are out */
    CHECK(wf_replay_mark(&w, 5300));
    CHECK(wf_replay_mark(&w, 5044));
    CHECK_EQ(w.bits, 1024);
    CHECK(!wf_replay_mark(&w, 4900));
    CHECK_EQ(w.bits, 1024);
    CHECK(wf_replay_mark(&w, 5043)); /* 257 below */
    CHECK_EQ(w.bits, 2048);
    wf_replay_deinit(&w);
}

TEST(the_first_number_of_all_says_nothing_of_how_large_it_should_be)
{
    struct wf_replay w;

    wf_replay_init(&w, test_mem());
    CHECK(wf_replay_mark(&w, 1ull << 40));
    CHECK_EQ(w.bits, WF_REPLAY_FIRST);
    wf_replay_deinit(&w);
}

TEST(without_memory_it_stays_as_it_is)
{
    struct wf_replay w;
    struct wf_mem mem;

    wf_mem_child(&mem, test_mem(), 300);
    begin_at_5000(&w, &mem);
    CHECK(wf_replay_mark(&w, 5000 + 600)); /* asks for 512 bytes */
    CHECK_EQ(w.bits, 1024);
    CHECK(wf_replay_fresh(&w, 5600 - 599));
    CHECK(!wf_replay_fresh(&w, 5600 - 1023)); /* seen */
    CHECK(wf_replay_mark(&w, 5600 + 300));    /* 256 */
    CHECK_EQ(w.bits, 2048);
    CHECK_EQ(mem.held, 256);
    wf_replay_deinit(&w);
    CHECK_EQ(mem.held, 0);
}

/* --- a plain bitmap --- */

#define MODEL_BITS ((uint64_t)1 << 23)

/* Fresh is what lies above the floor and was not seen. */
struct model {
    uint64_t highest, floor;
    uint8_t *seen; /* one byte a number */
};

static bool model_fresh(const struct model *m, uint64_t n)
{
    return n > m->floor && m->seen[n] == 0;
}

static void model_mark(struct model *m, uint64_t n, uint64_t bits)
{
    m->seen[n] = 1;
    m->highest = n > m->highest ? n : m->highest;
    if (m->highest > bits && m->highest - bits > m->floor)
        m->floor = m->highest - bits;
}

/* Mostly near the top, sometimes far below, seldom a leap. */
static uint64_t next_number(uint64_t *state, const struct model *m, uint64_t bits)
{
    uint64_t r = test_next(state);

    switch (r % 16) {
    case 0:
        return m->highest + 1 + test_next(state) % (r % 1024 == 0 ? (3 * bits) | 1 : 100);
    case 1:
    case 2:
        return m->highest + 1;
    case 3:
        return m->highest >= bits + 2 ? m->highest - bits - 2 + test_next(state) % 5 : 1;
    case 4:
        return test_next(state) % (m->highest + 1);
    case 5:
        return m->floor + test_next(state) % 4;
    default:
        return m->highest - test_next(state) % (m->highest < bits ? m->highest + 1 : bits + 1);
    }
}

/* How many numbers were taken. */
static uint64_t judge(struct wf_mem *mem, int count)
{
    struct wf_replay w;
    static uint8_t seen[MODEL_BITS];
    struct model m = {0, 0, seen};
    uint64_t state = test_seed();
    uint64_t taken = 0;

    memset(seen, 0, sizeof seen);
    wf_replay_init(&w, mem);
    for (int i = 0; i < count; i++) {
        uint64_t n = next_number(&state, &m, w.bits);
        if (n >= MODEL_BITS || test_next(&state) % (1 << 20) == 0) { /* start again */
            memset(seen, 0, sizeof seen);
            m.highest = m.floor = 0;
            wf_replay_deinit(&w);
            continue;
        }
        bool ok = model_fresh(&m, n);
        if (wf_replay_fresh(&w, n) != ok || wf_replay_mark(&w, n) != ok)
            FAIL("number %llu with highest %llu of %llu", (unsigned long long)n,
                 (unsigned long long)m.highest, (unsigned long long)w.bits);
        if (ok)
            model_mark(&m, n, w.bits);
        CHECK_EQ(w.highest, m.highest);
        taken += ok ? 1 : 0;
    }
    wf_replay_deinit(&w);
    return taken;
}

/* SPEC 2.3-1 */
TEST(ten_million_random_numbers_are_judged_as_by_a_plain_bitmap)
{
    CHECK_LE(1000000, judge(NULL, 10000000));
}

/* SPEC 2.3-3: numbers that had left are never fresh again, whatever it grows to. */
TEST(growing_changes_nothing_of_what_was_seen_or_had_left)
{
    CHECK_LE(500000, judge(test_mem(), 5000000));
}

/* Each size at which it can grow, with its highest number at each place of a word. */
TEST(growing_keeps_every_number_of_the_window_wherever_its_ends_lie)
{
    for (uint64_t top = 4 * LIMIT; top < 4 * LIMIT + 66; top++) {
        struct wf_replay w;
        uint64_t state = test_seed() + top;
        bool seen[LIMIT] = {false}; /* by distance from the top */

        wf_replay_init(&w, test_mem());
        CHECK(wf_replay_mark(&w, top - LIMIT)); /* numbers below are no business of it */
        for (uint64_t back = LIMIT; back-- > 0;) {
            seen[back] = back == 0 || test_next(&state) % 2 == 0;
            if (seen[back])
                CHECK(wf_replay_mark(&w, top - back));
        }
        CHECK_EQ(w.bits, LIMIT);
        CHECK(wf_replay_mark(&w, top + 2000));
        CHECK_EQ(w.bits, 8192);
        for (uint64_t back = 1; back < LIMIT; back++)
            CHECK_EQ(wf_replay_fresh(&w, top - back), !seen[back]);
        for (uint64_t n = 1; n <= top - LIMIT; n++)
            CHECK(!wf_replay_fresh(&w, n));
        for (uint64_t n = top + 1; n < top + 2000; n++)
            CHECK(wf_replay_mark(&w, n));
        wf_replay_deinit(&w);
    }
}

/* SPEC 4.6-4 */
TEST(a_restored_window_knows_the_last_64_numbers_and_takes_all_older_ones_for_seen)
{
    uint64_t state = test_seed();

    for (int round = 0; round < 2000; round++) {
        uint64_t start = test_next(&state) % (round % 2 == 0 ? 300 : 1u << 20);
        struct wf_replay w, back;

        wf_replay_init(&w, NULL);
        for (uint64_t n = start + 1; n <= start + 200; n++) {
            if (test_next(&state) % 4 != 0)
                (void)wf_replay_mark(&w, n);
        }
        wf_replay_init(&back, NULL);
        wf_replay_restore(&back, w.highest, wf_replay_missing(&w));
        CHECK_EQ(back.highest, w.highest);
        for (uint64_t n = 0; n <= w.highest + 200; n++) {
            bool is_known = n + 64 > w.highest;
            if (wf_replay_fresh(&back, n) != (is_known && wf_replay_fresh(&w, n)))
                FAIL("number %llu with highest %llu", (unsigned long long)n,
                     (unsigned long long)w.highest);
        }
        CHECK_EQ(wf_replay_missing(&back), wf_replay_missing(&w));
        for (uint64_t n = w.highest + 2; n < w.highest + 2 * LIMIT;
             n += 2 + test_next(&state) % 90) {
            CHECK(wf_replay_mark(&back, n));
            CHECK(!wf_replay_mark(&back, n));
            CHECK(wf_replay_mark(&back, n - 1)); /* nothing was left behind above the highest */
        }
    }
}

TEST(a_window_that_saw_nothing_is_restored_as_one_that_saw_nothing)
{
    struct wf_replay w, back;

    wf_replay_init(&w, NULL);
    CHECK_EQ(wf_replay_missing(&w), 0);
    wf_replay_init(&back, NULL);
    wf_replay_restore(&back, 0, 0);
    CHECK(!wf_replay_fresh(&back, 0));
    for (uint64_t n = 1; n < 200; n++)
        CHECK(wf_replay_mark(&back, n));
}
