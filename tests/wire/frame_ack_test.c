/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_ack_test.c - ACK against golden bytes, against a plain bitmap of what was received, and
 * against every rule by which a list of runs can be malformed.
 */
#include "canon.h"
#include "frames.h"

#define MODEL_NUMBERS 1200

/* What was received, number by number, and the same as ranges, newest first. */
struct model {
    bool has[MODEL_NUMBERS];
    struct wf_ack_run ranges[MODEL_NUMBERS];
    size_t count;
};

static void to_ranges(struct model *m)
{
    m->count = 0;
    for (size_t n = MODEL_NUMBERS; n-- > 0;) {
        if (!m->has[n])
            continue;
        if (m->count > 0 && m->ranges[m->count - 1].first == n + 1) {
            m->ranges[m->count - 1].first = n;
        } else {
            m->ranges[m->count++] = (struct wf_ack_run){n, n};
        }
    }
}

static struct wf_frame get_ack(weft_span in)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_frame f;

    CHECK_OK(wf_frame_get(&r, &f));
    CHECK(wf_reader_done(&r));
    return f;
}

/* Everything from floor to newest is as in the model, and newest is the model's newest. */
static void check_against(const struct model *m, const struct wf_frame_ack *a)
{
    bool missing[MODEL_NUMBERS] = {false};
    struct wf_ack_iter it = wf_ack_runs_of(a);
    struct wf_ack_run run;
    size_t runs = 0;

    CHECK_EQ(a->newest, m->ranges[0].last);
    CHECK_LE(a->floor, a->newest);
    CHECK(m->has[a->floor]);
    while (wf_ack_next_run(&it, &run)) {
        CHECK_LE(run.first, run.last);
        CHECK_LE(a->floor + 1, run.first);
        CHECK_LE(run.last + 1, a->newest);
        for (uint64_t n = run.first; n <= run.last; n++) {
            CHECK(!missing[n]);
            missing[n] = true;
        }
        runs++;
    }
    CHECK_EQ(runs, a->run_count);
    for (uint64_t n = a->floor; n <= a->newest; n++) {
        CHECK_EQ(missing[n], !m->has[n]);
    }
}

/* Puts it into so much room, checks what came, and says how many ranges the ACK speaks of (0: none
 * fit). */
static size_t put_and_check(const struct model *m, struct wf_ack_put put, size_t room, size_t *used)
{
    uint8_t *buf = malloc(room);
    struct wf_writer w = wf_writer_of(buf, room);
    size_t ranges = 0;

    put.received = m->ranges;
    put.received_count = m->count;
    *used = 0;
    if (wf_ack_put(&w, &put)) {
        const struct wf_frame f = get_ack((weft_span){buf, w.len});

        CHECK(wf_writer_ok(&w));
        CHECK_EQ(f.type, put.has_ecn ? WF_FRAME_ACK_ECN : WF_FRAME_ACK);
        CHECK_EQ(f.u.ack.delay_us, put.delay_us);
        CHECK_EQ(f.u.ack.ect0, put.ect0);
        CHECK_EQ(f.u.ack.ect1, put.ect1);
        CHECK_EQ(f.u.ack.ce, put.ce);
        check_against(m, &f.u.ack);
        CHECK(canon_check(help_frames_again, buf, w.len));
        ranges = f.u.ack.run_count + 1;
        CHECK_EQ(f.u.ack.floor, m->ranges[ranges - 1].first);
        *used = w.len;
    } else {
        CHECK_EQ(w.len, 0);
        CHECK(wf_writer_ok(&w)); /* nothing was tried, so the packet can go on without an ACK */
    }
    free(buf);
    return ranges;
}

TEST(an_ack_is_read_as_the_spec_says)
{
    weft_span in = help_unhex(GOLDEN_ACK);
    const struct wf_frame f = get_ack(in);
    struct wf_ack_iter it = wf_ack_runs_of(&f.u.ack);
    struct wf_ack_run run = {0, 0};

    CHECK_EQ(f.u.ack.newest, 1000);
    CHECK_EQ(f.u.ack.delay_us, 25);
    CHECK_EQ(f.u.ack.floor, 990);
    CHECK_EQ(f.u.ack.run_count, 2);
    CHECK(f.u.ack.runs.data == in.data + 6);
    CHECK_EQ(f.u.ack.runs.len, 4);
    CHECK(!f.u.ack.has_ecn);
    CHECK(wf_ack_next_run(&it, &run));
    CHECK_EQ(run.first, 997);
    CHECK_EQ(run.last, 998);
    CHECK(wf_ack_next_run(&it, &run));
    CHECK_EQ(run.first, 993);
    CHECK_EQ(run.last, 995);
    CHECK(!wf_ack_next_run(&it, &run));
    CHECK(!wf_ack_next_run(&it, &run));
    help_free(in);
}

TEST(an_ack_is_written_as_the_spec_says)
{
    static const struct wf_ack_run received[] = {{999, 1000}, {996, 996}, {990, 992}};
    const struct wf_ack_put put = {.delay_us = 25, .received = received, .received_count = 3};
    weft_span want = help_unhex(GOLDEN_ACK);
    uint8_t buf[64];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    CHECK(wf_ack_put(&w, &put));
    CHECK_EQ(w.len, want.len);
    CHECK_MEM_EQ(buf, want.data, want.len);
    help_free(want);
}

TEST(an_ack_with_ecn_counts_is_read_and_written_as_the_spec_says)
{
    static const struct wf_ack_run received[] = {{5, 5}};
    const struct wf_ack_put put = {
        .has_ecn = true, .ect0 = 7, .ce = 128, .received = received, .received_count = 1};
    weft_span want = help_unhex(GOLDEN_ACK_ECN);
    const struct wf_frame f = get_ack(want);
    uint8_t buf[64];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    CHECK_EQ(f.u.ack.newest, 5);
    CHECK_EQ(f.u.ack.floor, 5);
    CHECK(f.u.ack.has_ecn);
    CHECK_EQ(f.u.ack.ect0, 7);
    CHECK_EQ(f.u.ack.ect1, 0);
    CHECK_EQ(f.u.ack.ce, 128);
    CHECK(wf_ack_put(&w, &put));
    CHECK_EQ(w.len, want.len);
    CHECK_MEM_EQ(buf, want.data, want.len);
    help_free(want);
}

TEST(an_ack_cut_short_is_refused_and_one_followed_by_anything_does_not_read_it)
{
    static const char *const samples[] = {GOLDEN_ACK, GOLDEN_ACK_ECN};

    for (size_t i = 0; i < WF_ARRAY_LEN(samples); i++) {
        weft_span whole = help_unhex(samples[i]);

        for (size_t len = 0; len <= whole.len + 1; len++) {
            uint8_t *copy = test_copy_padded(whole.data, whole.len, len);
            struct wf_reader r = wf_reader_of((weft_span){copy, len});
            struct wf_frame f;
            const bool is_whole = len >= whole.len;

            CHECK_EQ(wf_frame_get(&r, &f), is_whole ? WEFT_OK : WEFT_ERR_MALFORMED);
            CHECK_EQ(r.left, is_whole ? len - whole.len : 0);
            free(copy);
        }
        help_free(whole);
    }
}

TEST(an_ack_with_any_byte_changed_is_refused_or_read_as_it_stands)
{
    weft_span ack = help_unhex(GOLDEN_ACK);
    weft_span ecn = help_unhex(GOLDEN_ACK_ECN);

    CHECK_LE(8, canon_flips(help_frames_again, ack));
    canon_bytes(help_frames_again, ack);
    CHECK_LE(8, canon_flips(help_frames_again, ecn));
    canon_bytes(help_frames_again, ecn);
    help_free(ack);
    help_free(ecn);
}

static bool taken(const char *hex)
{
    weft_span in = help_unhex(hex);
    test_note("%s", hex);
    const bool is_taken = canon_check(help_frames_again, in.data, in.len);

    help_free(in);
    return is_taken;
}

TEST(a_floor_above_newest_or_below_0_is_refused)
{
    CHECK(taken("02 05 00 05 00"));
    CHECK(!taken("02 05 00 06 00"));
    CHECK(taken("02 00 00 00 00"));
    CHECK(!taken("02 00 00 01 00"));
    CHECK(!taken("02 05 00 81ffffffffffffffff7f 00"));
}

/* newest 10, floor 5: between them 9, 8, 7, 6. */
TEST(a_run_that_reaches_the_floor_is_refused) /* SPEC 3.1-1 */
{
    CHECK(taken("02 0a 00 05 01 0004"));
    CHECK(!taken("02 0a 00 05 01 0005"));
    CHECK(!taken("02 0a 00 05 01 0006"));
    CHECK(taken("02 0a 00 05 01 0301"));
    CHECK(!taken("02 0a 00 05 01 0302"));
    CHECK(!taken("02 0a 00 05 01 0401"));
    CHECK(!taken("02 0a 00 05 01 0501"));
    CHECK(!taken("02 0a 00 00 01 0001"));
    CHECK(!taken("02 0a 00 01 01 0001"));
    CHECK(taken("02 0a 00 02 01 0001"));
}

TEST(a_run_of_nothing_is_refused) /* SPEC 3.1-1 */
{
    CHECK(!taken("02 0a 00 05 01 0000"));
    CHECK(!taken("02 0a 00 05 02 0001 0000"));
}

/* After a run at least one number was received, which the next skip does not count. */
TEST(a_run_that_touches_the_one_before_cannot_be_said) /* SPEC 3.1-1 */
{
    CHECK(taken("02 0a 00 05 02 0001 0002"));  /* 9; 8 received; 7, 6 */
    CHECK(!taken("02 0a 00 05 02 0001 0003")); /* 9; 8 received; 7, 6, 5 */
    CHECK(taken("02 0a 00 05 02 0001 0101"));  /* 9; 8, 7 received; 6 */
    CHECK(!taken("02 0a 00 05 02 0003 0001")); /* 9, 8, 7; 6 received; the floor */
    CHECK(taken("02 0a 00 05 02 0002 0001"));  /* 9, 8; 7 received; 6 */
    CHECK(!taken("02 0a 00 05 02 0004 0001"));
    CHECK(!taken("02 0a 00 05 03 0001 0001 0001"));
}

TEST(runs_that_would_overflow_are_refused) /* SPEC 3.1-1 */
{
    CHECK(!taken("02 0a 00 05 01 81ffffffffffffffff7f 01"));
    CHECK(!taken("02 0a 00 05 01 00 81ffffffffffffffff7f"));
    CHECK(!taken("02 0a 00 05 01 81ffffffffffffffff7f 81ffffffffffffffff7f"));
    CHECK(!taken("02 0a 00 05 01 81ffffffffffffffff7e 03"));
}

/* As many runs of one number with one received between them as count says. */
static bool runs_taken(uint64_t count)
{
    uint8_t buf[2 * 600 + 64];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    wf_write_u8(&w, WF_FRAME_ACK);
    wf_write_varint(&w, 100000);
    wf_write_varint(&w, 0);
    wf_write_varint(&w, 50000);
    wf_write_varint(&w, count);
    for (uint64_t i = 0; i < count && i < 600; i++) {
        wf_write_varint(&w, 0);
        wf_write_varint(&w, 1);
    }
    return canon_check(help_frames_again, buf, w.len);
}

TEST(an_ack_has_at_most_256_runs)
{
    CHECK(runs_taken(0));
    CHECK(runs_taken(1));
    CHECK(runs_taken(255));
    CHECK(runs_taken(256));
    CHECK(!runs_taken(257));
    CHECK(!runs_taken(600));
    CHECK(!runs_taken(UINT64_MAX));
}

TEST(an_ack_goes_up_to_2_to_the_62)
{
    static const struct wf_ack_run all[] = {{0, 1ull << 62}};
    static const struct wf_ack_run ends[] = {{1ull << 62, 1ull << 62}, {0, 0}};
    struct wf_ack_put put = {.delay_us = 1ull << 62, .received = all, .received_count = 1};
    uint8_t buf[64];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    CHECK(wf_ack_put(&w, &put));
    CHECK(canon_check(help_frames_again, buf, w.len));
    put.received = ends;
    put.received_count = 2;
    w = wf_writer_of(buf, sizeof buf);
    CHECK(wf_ack_put(&w, &put));
    CHECK(canon_check(help_frames_again, buf, w.len));
    const struct wf_frame f = get_ack((weft_span){buf, w.len});
    struct wf_ack_iter it = wf_ack_runs_of(&f.u.ack);
    struct wf_ack_run run = {0, 0};

    CHECK(wf_ack_next_run(&it, &run));
    CHECK_EQ(run.first, 1);
    CHECK_EQ(run.last, (1ull << 62) - 1);
    CHECK(!wf_ack_next_run(&it, &run));
}

/* Every set of received numbers below 12, with every room that could matter. */
TEST(every_small_set_of_numbers_is_acknowledged_as_it_is)
{
    static struct model m;

    for (unsigned set = 1; set < 1u << 12; set++) {
        size_t used = 0;

        memset(&m, 0, sizeof m);
        for (size_t n = 0; n < 12; n++) {
            m.has[n] = (set >> n & 1) != 0;
        }
        to_ranges(&m);
        test_note("set 0x%03x", set);
        CHECK_EQ(put_and_check(&m, (struct wf_ack_put){0}, 64, &used), m.count);
        CHECK_EQ(used, 5 + 2 * (m.count - 1));
        for (size_t room = 0; room < used; room++) {
            size_t less = 0;
            const size_t ranges = put_and_check(&m, (struct wf_ack_put){0}, room, &less);

            CHECK_EQ(ranges, room < 5 ? 0 : 1 + (room - 5) / 2);
            CHECK_LE(less, room);
        }
    }
}

/* What the first ranges + 1 take in full is more than the room there was. */
static void check_one_more_is_too_many(struct model *m, struct wf_ack_put put, size_t ranges,
                                       size_t room)
{
    const size_t count = m->count;
    size_t used = 0;

    m->count = ranges + 1;
    CHECK_EQ(put_and_check(m, put, 4096, &used), ranges + 1);
    CHECK_LE(room + 1, used);
    m->count = count;
}

/* In room for less the ACK uses as many ranges as one more would not fit, and raises its floor. */
TEST(random_sets_are_acknowledged_as_far_as_the_room_goes)
{
    static struct model m;
    uint64_t seed = test_seed();

    for (int i = 0; i < 400; i++) {
        const uint64_t density = 1 + test_next(&seed) % 20;
        struct wf_ack_put put = {.delay_us = test_next(&seed) >> (2 + test_next(&seed) % 62)};
        size_t whole = 0;

        put.has_ecn = test_next(&seed) % 2 != 0;
        if (put.has_ecn) {
            put.ect0 = test_next(&seed) >> (2 + test_next(&seed) % 62);
            put.ect1 = test_next(&seed) % 300;
            put.ce = test_next(&seed) % 300;
        }
        for (size_t n = 0; n < MODEL_NUMBERS; n++) {
            m.has[n] = test_next(&seed) % 21 < density;
        }
        m.has[test_next(&seed) % MODEL_NUMBERS] = true;
        to_ranges(&m);
        test_note("seed %llu round %d", (unsigned long long)test_seed(), i);
        const size_t most = put_and_check(&m, put, 4096, &whole);

        CHECK_EQ(most, m.count < 257 ? m.count : 257);
        for (size_t room = 0; room <= whole; room += 1 + test_next(&seed) % 40) {
            size_t used = 0;
            const size_t ranges = put_and_check(&m, put, room, &used);

            CHECK_LE(ranges, most);
            CHECK_LE(used, room);
            if (ranges < most) {
                check_one_more_is_too_many(&m, put, ranges, room);
            }
        }
    }
}

TEST(more_than_257_ranges_are_cut_and_raise_the_floor)
{
    static struct model m;
    size_t used = 0;

    memset(&m, 0, sizeof m);
    for (size_t n = 0; n < MODEL_NUMBERS; n += 2) {
        m.has[n] = true;
    }
    to_ranges(&m);
    CHECK_EQ(m.count, 600);
    CHECK_EQ(put_and_check(&m, (struct wf_ack_put){0}, 4096, &used), 257);
}

TEST(an_ack_of_nothing_is_not_written)
{
    const struct wf_ack_put put = {.received_count = 0};
    uint8_t buf[64];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    CHECK(!wf_ack_put(&w, &put));
    CHECK_EQ(w.len, 0);
}

TEST(an_ack_is_written_behind_what_the_packet_holds_already)
{
    static const struct wf_ack_run received[] = {{4, 9}};
    const struct wf_ack_put put = {.received = received, .received_count = 1};
    uint8_t buf[7];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    wf_write_u8(&w, WF_FRAME_PING);
    CHECK(wf_ack_put(&w, &put));
    CHECK_EQ(w.len, 6);
    CHECK(!wf_ack_put(&w, &put));
    CHECK_EQ(w.len, 6);
    CHECK(canon_check(help_frames_again, buf, w.len));
}

TEST(a_failed_writer_takes_no_ack)
{
    static const struct wf_ack_run received[] = {{4, 9}};
    const struct wf_ack_put put = {.received = received, .received_count = 1};
    uint8_t buf[16];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    w.failed = true;
    CHECK(!wf_ack_put(&w, &put));
}
