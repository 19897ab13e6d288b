/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake_test.c - HELLO, CHALLENGE, SOLVE, CONFIRM and HINT against golden bytes, and that
 * nothing else gets through.
 */
#include "canon.h"
#include "samples.h"

static const uint8_t two_groups[] = {2, 1, 2, 1, 7};

static void count_up(uint8_t *out, uint8_t first, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(first + i);
    }
}

static struct wf_hello sample_hello(void)
{
    struct wf_hello h = {.version = 1, .suite = 1, .lists = {two_groups, sizeof two_groups}};

    count_up(h.prefix, 0xa0, sizeof h.prefix);
    count_up(h.n_c, 0x10, sizeof h.n_c);
    return h;
}

static struct wf_challenge_head sample_head(void)
{
    return (struct wf_challenge_head){.version = 1,
                                      .suite = 1,
                                      .shard = 5,
                                      .instance = 0x1122334455667788,
                                      .epoch = 0x102,
                                      .offset_ms = 29999,
                                      .work_alg = 1,
                                      .ceiling_log2 = 32,
                                      .effort = 65536,
                                      .ts_id = 42};
}

static struct wf_challenge sample_challenge(void)
{
    struct wf_challenge c = {
        .head = sample_head(), .not_after_s = 1700000000, .lists = {two_groups, sizeof two_groups}};

    count_up(c.ts, 0x20, sizeof c.ts);
    count_up(c.server_dh, 0x40, sizeof c.server_dh);
    count_up(c.signature, 0x80, sizeof c.signature);
    count_up(c.cookie, 0xc0, sizeof c.cookie);
    count_up(c.echo, 0x10, sizeof c.echo);
    count_up(c.check, 0xf0, sizeof c.check);
    return c;
}

static struct wf_solve sample_solve(void)
{
    struct wf_solve s = {.head = sample_head(),
                         .bid = 131072,
                         .work_nonce = 0x0123456789abcdef,
                         .lists = {two_groups, sizeof two_groups}};

    count_up(s.prefix, 0xa0, sizeof s.prefix);
    count_up(s.n_c, 0x10, sizeof s.n_c);
    count_up(s.cookie, 0xc0, sizeof s.cookie);
    count_up(s.e_c, 0x60, sizeof s.e_c);
    return s;
}

static struct wf_confirm sample_confirm(void)
{
    struct wf_confirm c = {0};

    count_up(c.cid, 0xc1, sizeof c.cid);
    count_up(c.e2, 0x60, sizeof c.e2);
    count_up(c.random, 0xe0, sizeof c.random);
    return c;
}

static void check_head(const struct wf_challenge_head *h)
{
    const struct wf_challenge_head want = sample_head();

    CHECK_EQ(h->version, want.version);
    CHECK_EQ(h->suite, want.suite);
    CHECK_EQ(h->shard, want.shard);
    CHECK_EQ(h->instance, want.instance);
    CHECK_EQ(h->epoch, want.epoch);
    CHECK_EQ(h->offset_ms, want.offset_ms);
    CHECK_EQ(h->work_alg, want.work_alg);
    CHECK_EQ(h->ceiling_log2, want.ceiling_log2);
    CHECK_EQ(h->effort, want.effort);
    CHECK_EQ(h->ts_id, want.ts_id);
}

static void check_lists(weft_span lists)
{
    CHECK_EQ(lists.len, sizeof two_groups);
    CHECK_MEM_EQ(lists.data, two_groups, sizeof two_groups);
}

TEST(hello_is_written_as_the_spec_says)
{
    const struct wf_hello h = sample_hello();
    weft_span want = help_unhex(SAMPLE_HELLO);
    uint8_t buf[WF_HELLO_LEN];

    CHECK_EQ(wf_hello_put(&h, buf, sizeof buf), WF_HELLO_LEN);
    CHECK_MEM_EQ(buf, want.data, want.len);
    CANON_ROOM(wf_hello_put, &h, (size_t)WF_HELLO_LEN);
    help_free(want);
}

TEST(hello_is_read_field_by_field)
{
    const struct wf_hello want = sample_hello();
    weft_span in = help_unhex(SAMPLE_HELLO);
    struct wf_hello h;

    CHECK_OK(wf_hello_get(in, &h));
    CHECK_EQ(h.version, 1);
    CHECK_EQ(h.suite, 1);
    CHECK_MEM_EQ(h.prefix, want.prefix, sizeof h.prefix);
    CHECK_MEM_EQ(h.n_c, want.n_c, sizeof h.n_c);
    check_lists(h.lists);
    help_free(in);
}

TEST(hello_of_another_length_is_refused) /* SPEC 1.1-1 */
{
    weft_span in = help_unhex(SAMPLE_HELLO);

    canon_lengths(help_hello_again, in, WF_HELLO_LEN, WF_HELLO_LEN);
    help_free(in);
}

TEST(hello_with_any_bit_flipped_is_refused_or_read_as_it_stands) /* SPEC 1.1-1 */
{
    weft_span in = help_unhex(SAMPLE_HELLO);

    /* Type, version, suite, reserved byte, every bit of the zeros: nothing in them is free. */
    CHECK_LE(8 * (4 + 226), canon_flips(help_hello_again, in));
    canon_bytes(help_hello_again, in);
    help_free(in);
}

TEST(hello_of_another_type_version_or_suite_or_with_a_reserved_byte_is_refused) /* SPEC 1.1-1 */
{
    weft_span in = help_unhex(SAMPLE_HELLO);

    for (size_t at = 0; at < 4; at++) {
        for (unsigned v = 0; v < 256; v++) {
            CHECK_EQ(canon_taken_with(help_hello_again, in, at, (uint8_t)v), v == in.data[at]);
        }
    }
    help_free(in);
}

TEST(hello_with_padding_that_is_not_zero_is_refused) /* SPEC 1.1-1 */
{
    weft_span in = help_unhex(SAMPLE_HELLO);

    for (size_t at = 30; at < WF_HELLO_LEN; at++) {
        CHECK(!canon_taken_with(help_hello_again, in, at, 1));
        CHECK(!canon_taken_with(help_hello_again, in, at, 0x80));
    }
    help_free(in);
}

/* Good lists of just len bytes (one byte is none: a group has a count and a number). */
static weft_span lists_of(uint8_t out[WF_LISTS_MAX], size_t len)
{
    size_t at = 0;

    while (at < len) {
        const size_t left = len - at;
        const size_t take = left == 34 ? 32 : left < 33 ? left : 33;

        out[at] = (uint8_t)(take - 1);
        count_up(out + at + 1, 1, take - 1);
        at += take;
    }
    return (weft_span){out, len};
}

TEST(hello_takes_lists_of_0_to_59_bytes)
{
    uint8_t lists[WF_LISTS_MAX];
    uint8_t buf[WF_HELLO_LEN];

    for (size_t len = 0; len <= WF_LISTS_MAX; len++) {
        struct wf_hello h = sample_hello();

        if (len == 1)
            continue;
        h.lists = lists_of(lists, len);
        test_note("lists of %zu bytes", len);
        CHECK_EQ(wf_hello_put(&h, buf, sizeof buf), WF_HELLO_LEN);
        CHECK(canon_check(help_hello_again, buf, sizeof buf));
        CHECK_EQ(buf[24], len);
    }
    buf[24] = WF_LISTS_MAX + 1;
    CHECK(!canon_check(help_hello_again, buf, sizeof buf));
}

TEST(hello_with_lists_of_60_bytes_is_refused)
{
    weft_span in = help_unhex(SAMPLE_HELLO);
    uint8_t buf[WF_HELLO_LEN];

    memcpy(buf, in.data, in.len);
    buf[24] = WF_LISTS_MAX + 1;
    buf[25] = 32; /* well-formed but for its length */
    buf[25 + 33] = 26;
    count_up(buf + 26, 1, 32);
    count_up(buf + 26 + 33, 1, 26);
    CHECK(!canon_check(help_hello_again, buf, sizeof buf));
    buf[24] = WF_LISTS_MAX;
    buf[25 + 33] = 25;
    buf[25 + 59] = 0;
    CHECK(canon_check(help_hello_again, buf, sizeof buf));
    help_free(in);
}

TEST(hello_is_untouched_when_it_is_refused)
{
    weft_span in = help_unhex(SAMPLE_HELLO);
    struct wf_hello h = {.version = 99};

    CHECK_EQ(wf_hello_get((weft_span){in.data, in.len - 1}, &h), WEFT_ERR_MALFORMED);
    CHECK_EQ(h.version, 99);
    help_free(in);
}

TEST(challenge_is_written_as_the_spec_says)
{
    const struct wf_challenge c = sample_challenge();
    weft_span want = help_unhex(SAMPLE_CHALLENGE);
    uint8_t buf[WF_CHALLENGE_MAX];

    CHECK_EQ(wf_challenge_put(&c, buf, sizeof buf), want.len);
    CHECK_MEM_EQ(buf, want.data, want.len);
    CANON_ROOM(wf_challenge_put, &c, want.len);
    help_free(want);
}

TEST(challenge_is_read_field_by_field)
{
    const struct wf_challenge want = sample_challenge();
    weft_span in = help_unhex(SAMPLE_CHALLENGE);
    struct wf_challenge c;

    CHECK_OK(wf_challenge_get(in, &c));
    check_head(&c.head);
    CHECK_EQ(c.not_after_s, 1700000000);
    CHECK_MEM_EQ(c.ts, want.ts, sizeof c.ts);
    CHECK_MEM_EQ(c.server_dh, want.server_dh, sizeof c.server_dh);
    CHECK_MEM_EQ(c.signature, want.signature, sizeof c.signature);
    CHECK_MEM_EQ(c.cookie, want.cookie, sizeof c.cookie);
    CHECK_MEM_EQ(c.echo, want.echo, sizeof c.echo);
    CHECK_MEM_EQ(c.check, want.check, sizeof c.check);
    check_lists(c.lists);
    help_free(in);
}

TEST(challenge_is_never_longer_than_the_hello_it_answers) /* SPEC 1.2-1 */
{
    uint8_t lists[WF_LISTS_MAX];
    uint8_t buf[WF_CHALLENGE_MAX + 1] = {0};
    struct wf_challenge c = sample_challenge();

    c.lists = lists_of(lists, sizeof lists);
    CHECK_EQ(wf_challenge_put(&c, buf, sizeof buf), WF_HELLO_LEN);
    CHECK(canon_check(help_challenge_again, buf, WF_HELLO_LEN));
    CHECK(!canon_check(help_challenge_again, buf, WF_HELLO_LEN + 1));
}

TEST(challenge_cut_short_or_followed_by_anything_is_refused)
{
    weft_span in = help_unhex(SAMPLE_CHALLENGE);

    canon_lengths(help_challenge_again, in, in.len, in.len);
    help_free(in);
}

TEST(challenge_with_any_bit_flipped_is_refused_or_read_as_it_stands)
{
    weft_span in = help_unhex(SAMPLE_CHALLENGE);

    CHECK_LE(8 * 3, canon_flips(help_challenge_again, in));
    canon_bytes(help_challenge_again, in);
    help_free(in);
}

/* The fields of the head have the same places in CHALLENGE and SOLVE. */
static void check_head_ranges(help_again_fn again, weft_span in)
{
    for (unsigned v = 0; v < 256; v++) {
        CHECK_EQ(canon_taken_with(again, in, 0, (uint8_t)v), v == in.data[0]);
        CHECK_EQ(canon_taken_with(again, in, 1, (uint8_t)v), v == WF_VERSION);
        CHECK_EQ(canon_taken_with(again, in, 2, (uint8_t)v), v == WF_SUITE);
        CHECK(canon_taken_with(again, in, 3, (uint8_t)v));
        CHECK_EQ(canon_taken_with(again, in, 16, (uint8_t)v), v <= 0x75);
        CHECK_EQ(canon_taken_with(again, in, 17, (uint8_t)v), v <= 0x2f);
        CHECK_EQ(canon_taken_with(again, in, 18, (uint8_t)v), v <= WF_WORK_PROGRAM);
        CHECK_EQ(canon_taken_with(again, in, 19, (uint8_t)v), v <= WF_EFFORT_LOG2_MAX);
    }
}

TEST(challenge_fields_out_of_their_ranges_are_refused)
{
    weft_span in = help_unhex(SAMPLE_CHALLENGE);

    check_head_ranges(help_challenge_again, in);
    help_free(in);
}

TEST(challenge_is_untouched_when_it_is_refused)
{
    weft_span in = help_unhex(SAMPLE_CHALLENGE);
    struct wf_challenge c = {.not_after_s = 99};

    CHECK_EQ(wf_challenge_get((weft_span){in.data, in.len - 1}, &c), WEFT_ERR_MALFORMED);
    CHECK_EQ(c.not_after_s, 99);
    help_free(in);
}

TEST(solve_is_written_as_the_spec_says)
{
    const struct wf_solve s = sample_solve();
    weft_span want = help_unhex(SAMPLE_SOLVE);
    uint8_t buf[WF_SOLVE_MAX];
    const size_t clear = WF_SOLVE_FIXED + sizeof two_groups;

    CHECK_EQ(wf_solve_put_clear(&s, buf, sizeof buf), clear);
    CHECK_MEM_EQ(buf, want.data, clear);
    CANON_ROOM(wf_solve_put_clear, &s, clear);
    help_free(want);
}

TEST(solve_is_read_field_by_field)
{
    const struct wf_solve want = sample_solve();
    weft_span in = help_unhex(SAMPLE_SOLVE);
    struct wf_solve s;

    CHECK_OK(wf_solve_get(in, &s));
    check_head(&s.head);
    CHECK_MEM_EQ(s.prefix, want.prefix, sizeof s.prefix);
    CHECK_MEM_EQ(s.n_c, want.n_c, sizeof s.n_c);
    CHECK_MEM_EQ(s.cookie, want.cookie, sizeof s.cookie);
    CHECK_MEM_EQ(s.e_c, want.e_c, sizeof s.e_c);
    CHECK_EQ(s.bid, want.bid);
    CHECK_EQ(s.work_nonce, want.work_nonce);
    check_lists(s.lists);
    CHECK(s.clear.data == in.data);
    CHECK_EQ(s.clear.len, 114);
    CHECK(s.box0.data == in.data + 114);
    CHECK_EQ(s.box0.len, 49);
    CHECK(s.box1.data == s.box0.data + 49);
    CHECK_EQ(s.box1.len, 48);
    CHECK(s.box2.data == s.box1.data + 48);
    CHECK_EQ(s.box2.len, 36);
    help_free(in);
}

TEST(solve_has_bid_and_work_nonce_where_the_header_says)
{
    weft_span in = help_unhex(SAMPLE_SOLVE);

    CHECK_EQ(in.data[WF_SOLVE_BID_OFFSET + 1], 2);
    CHECK_EQ(in.data[WF_SOLVE_WORK_OFFSET], 0x01);
    CHECK_EQ(in.data[WF_SOLVE_WORK_OFFSET + 7], 0xef);
    help_free(in);
}

TEST(solve_repeats_the_head_of_challenge_byte_by_byte)
{
    weft_span c = help_unhex(SAMPLE_CHALLENGE);
    weft_span s = help_unhex(SAMPLE_SOLVE);

    CHECK_MEM_EQ(c.data + 1, s.data + 1, 27);
    help_free(c);
    help_free(s);
}

/* The sample's box2 has two bytes more than the least there can be; its lists make the least length
 * 245. */
TEST(solve_shorter_than_its_boxes_is_refused) /* SPEC 1.3-1 */
{
    weft_span in = help_unhex(SAMPLE_SOLVE);

    canon_lengths(help_solve_again, in, WF_SOLVE_MIN + sizeof two_groups, WF_SOLVE_MAX);
    help_free(in);
}

TEST(solve_of_240_to_1200_bytes_is_taken) /* SPEC 1.3-1 */
{
    struct wf_solve s = sample_solve();
    uint8_t buf[WF_SOLVE_MAX + 1] = {0};

    s.lists = (weft_span){NULL, 0};
    CHECK_EQ(wf_solve_put_clear(&s, buf, sizeof buf), WF_SOLVE_FIXED);
    for (size_t len = 0; len <= sizeof buf; len++) {
        test_note("length %zu", len);
        CHECK_EQ(canon_check(help_solve_again, buf, len), len >= 240 && len <= 1200);
    }
}

TEST(solve_with_any_bit_flipped_is_refused_or_read_as_it_stands)
{
    weft_span in = help_unhex(SAMPLE_SOLVE);

    CHECK_LE(8 * 3, canon_flips(help_solve_again, in));
    canon_bytes(help_solve_again, in);
    help_free(in);
}

TEST(solve_fields_out_of_their_ranges_are_refused)
{
    weft_span in = help_unhex(SAMPLE_SOLVE);

    check_head_ranges(help_solve_again, in);
    help_free(in);
}

TEST(solve_is_untouched_when_it_is_refused)
{
    weft_span in = help_unhex(SAMPLE_SOLVE);
    struct wf_solve s = {.bid = 99};

    CHECK_EQ(wf_solve_get((weft_span){in.data, WF_SOLVE_MIN - 1}, &s), WEFT_ERR_MALFORMED);
    CHECK_EQ(wf_solve_get((weft_span){in.data, WF_SOLVE_MIN}, &s), WEFT_ERR_MALFORMED);
    CHECK_EQ(s.bid, 99);
    help_free(in);
}

TEST(confirm_is_written_as_the_spec_says)
{
    const struct wf_confirm c = sample_confirm();
    weft_span want = help_unhex(SAMPLE_CONFIRM);
    uint8_t buf[WF_CONFIRM_FIXED];

    CHECK_EQ(wf_confirm_put_clear(&c, buf, sizeof buf), WF_CONFIRM_FIXED);
    CHECK_MEM_EQ(buf, want.data, WF_CONFIRM_FIXED);
    CANON_ROOM(wf_confirm_put_clear, &c, (size_t)WF_CONFIRM_FIXED);
    help_free(want);
}

TEST(confirm_is_read_field_by_field)
{
    const struct wf_confirm want = sample_confirm();
    weft_span in = help_unhex(SAMPLE_CONFIRM);
    struct wf_confirm c;

    CHECK_OK(wf_confirm_get(in, &c));
    CHECK_MEM_EQ(c.cid, want.cid, sizeof c.cid);
    CHECK_MEM_EQ(c.e2, want.e2, sizeof c.e2);
    CHECK_MEM_EQ(c.random, want.random, sizeof c.random);
    CHECK(c.clear.data == in.data);
    CHECK_EQ(c.clear.len, 57);
    CHECK(c.box3.data == in.data + 57);
    CHECK_EQ(c.box3.len, 30);
    help_free(in);
}

TEST(confirm_of_82_to_1200_bytes_is_taken)
{
    uint8_t buf[WF_SOLVE_MAX + 1] = {WF_TYPE_CONFIRM};

    for (size_t len = 0; len <= sizeof buf; len++) {
        test_note("length %zu", len);
        CHECK_EQ(canon_check(help_confirm_again, buf, len), len >= 82 && len <= 1200);
    }
}

TEST(confirm_with_any_bit_flipped_is_refused_or_read_as_it_stands)
{
    weft_span in = help_unhex(SAMPLE_CONFIRM);

    CHECK_EQ(canon_flips(help_confirm_again, in), 8); /* its type */
    help_free(in);
}

TEST(confirm_is_untouched_when_it_is_refused)
{
    weft_span in = help_unhex(SAMPLE_CONFIRM);
    struct wf_confirm c = {.cid = {99}};

    CHECK_EQ(wf_confirm_get((weft_span){in.data, 81}, &c), WEFT_ERR_MALFORMED);
    CHECK_EQ(c.cid[0], 99);
    help_free(in);
}

TEST(hint_is_17_bytes_with_the_tag)
{
    weft_span in = help_unhex(SAMPLE_HINT);
    uint8_t want[16];
    uint8_t tag[16];

    count_up(want, 0xd0, sizeof want);
    CHECK_OK(wf_hint_get(in, tag));
    CHECK_MEM_EQ(tag, want, sizeof tag);
    canon_lengths(help_hint_again, in, WF_HINT_LEN, WF_HINT_LEN);
    CHECK_EQ(canon_flips(help_hint_again, in), 8);
    CANON_ROOM(wf_hint_put, tag, (size_t)WF_HINT_LEN);
    help_free(in);
}

TEST(hint_leaves_the_tag_untouched_when_it_is_refused)
{
    weft_span in = help_unhex(SAMPLE_HINT);
    uint8_t tag[16] = {99};

    CHECK_EQ(wf_hint_get((weft_span){in.data, in.len - 1}, tag), WEFT_ERR_MALFORMED);
    CHECK_EQ(wf_hint_get((weft_span){NULL, 0}, tag), WEFT_ERR_MALFORMED);
    CHECK_EQ(tag[0], 99);
    help_free(in);
}

/* The sample's lists begin behind their length: a count of 2 and two numbers. */
static void check_lists_refused(help_again_fn again, const char *hex, size_t at)
{
    weft_span in = help_unhex(hex);

    CHECK_EQ(in.data[at], sizeof two_groups);
    CHECK(!canon_taken_with(again, in, at + 1, 0)); /* an empty group */
    CHECK(!canon_taken_with(again, in, at + 1, 5)); /* a group that is cut short */
    CHECK(!canon_taken_with(again, in, at + 2, 0)); /* the number that says none */
    CHECK(!canon_taken_with(again, in, at + 3, 1)); /* a number twice */
    CHECK(canon_taken_with(again, in, at + 3, 3));
    help_free(in);
}

TEST(packets_with_malformed_lists_are_refused) /* SPEC 1.1-1 */
{
    check_lists_refused(help_hello_again, SAMPLE_HELLO, 24);
    check_lists_refused(help_challenge_again, SAMPLE_CHALLENGE, WF_CHALLENGE_LISTS_OFFSET);
    check_lists_refused(help_solve_again, SAMPLE_SOLVE, 108);
}

TEST(no_packet_of_the_handshake_is_taken_for_another)
{
    static const help_again_fn codecs[] = {help_hello_again, help_challenge_again, help_solve_again,
                                           help_confirm_again, help_hint_again};
    static const char *const samples[] = {SAMPLE_HELLO, SAMPLE_CHALLENGE, SAMPLE_SOLVE,
                                          SAMPLE_CONFIRM, SAMPLE_HINT};

    for (size_t i = 0; i < WF_ARRAY_LEN(samples); i++) {
        weft_span in = help_unhex(samples[i]);

        for (size_t k = 0; k < WF_ARRAY_LEN(codecs); k++) {
            CHECK_EQ(canon_check(codecs[k], in.data, in.len), i == k);
        }
        help_free(in);
    }
}

/* Lists of random groups, as many as fit. */
static weft_span random_lists(uint64_t *seed, uint8_t out[WF_LISTS_MAX])
{
    struct wf_writer w = wf_writer_of(out, WF_LISTS_MAX);
    size_t len = 0;

    for (size_t groups = test_next(seed) % (WF_GROUPS_MAX + 1); groups > 0; groups--) {
        const size_t count = 1 + test_next(seed) % 32;
        const uint64_t step = 1 + test_next(seed) % 100;
        uint64_t number = 1 + (test_next(seed) >> (16 + test_next(seed) % 48));

        wf_write_varint(&w, count);
        for (size_t i = 0; i < count; i++, number += step) {
            wf_write_varint(&w, number);
        }
        len = wf_writer_ok(&w) ? w.len : len;
    }
    return (weft_span){out, len};
}

/* Random bytes, then what has a range put into it. */
static struct wf_challenge random_challenge(const struct wf_rng *rng)
{
    struct wf_challenge c;

    wf_random(rng, (uint8_t *)&c, sizeof c);
    c.head.version = WF_VERSION;
    c.head.suite = WF_SUITE;
    c.head.offset_ms %= WF_EPOCH_MS;
    c.head.work_alg %= 3;
    c.head.ceiling_log2 %= WF_EFFORT_LOG2_MAX + 1;
    return c;
}

TEST(random_packets_come_back_as_they_were)
{
    uint64_t seed = test_seed();
    const struct wf_rng *rng = test_rng(seed);
    uint8_t lists[WF_LISTS_MAX];
    uint8_t buf[WF_SOLVE_MAX];

    for (int i = 0; i < 2000; i++) {
        struct wf_challenge c = random_challenge(rng);
        struct wf_hello h;
        struct wf_solve s;

        test_note("seed %llu, round %d", (unsigned long long)test_seed(), i);
        wf_random(rng, (uint8_t *)&h, sizeof h);
        wf_random(rng, (uint8_t *)&s, sizeof s);
        c.lists = h.lists = s.lists = random_lists(&seed, lists);
        s.head = c.head;
        h.version = h.suite = 1;
        CHECK(canon_check(help_challenge_again, buf, wf_challenge_put(&c, buf, sizeof buf)));
        CHECK(canon_check(help_hello_again, buf, wf_hello_put(&h, buf, sizeof buf)));
        wf_random(rng, buf, sizeof buf);
        const size_t least =
            wf_solve_put_clear(&s, buf, sizeof buf) + WF_SOLVE_MIN - WF_SOLVE_FIXED;

        CHECK(canon_check(help_solve_again, buf,
                          least + test_next(&seed) % (WF_SOLVE_MAX - least + 1)));
    }
}
