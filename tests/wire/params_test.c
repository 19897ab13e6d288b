/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params_test.c - session parameters, and the plaintexts of box2 and box3 that hold them.
 */
#include "help.h"
#include "test.h"

#define CREDIT_MAX (1ull << 62)

static const struct wf_params all_set = {.node_credit = 1,
                                         .message_credit = 2,
                                         .message_count = 3,
                                         .ack_delay_us = 4,
                                         .idle_ms = 5,
                                         .datagram_max = 1206};

static bool get(const char *hex, struct wf_params *p)
{
    weft_span in = help_unhex(hex);
    struct wf_reader r = wf_reader_of(in);

    memset(p, 0xee, sizeof *p);
    wf_params_get(&r, p);
    const bool is_ok = wf_reader_done(&r);

    help_free(in);
    return is_ok;
}

static bool taken(const char *hex)
{
    struct wf_params p;

    return get(hex, &p);
}

static void check_equal(const struct wf_params *a, const struct wf_params *b)
{
    CHECK_EQ(a->node_credit, b->node_credit);
    CHECK_EQ(a->message_credit, b->message_credit);
    CHECK_EQ(a->message_count, b->message_count);
    CHECK_EQ(a->ack_delay_us, b->ack_delay_us);
    CHECK_EQ(a->idle_ms, b->idle_ms);
    CHECK_EQ(a->datagram_max, b->datagram_max);
}

/* One parameter with this value. */
static bool value_taken(uint64_t id, uint64_t value, struct wf_params *p)
{
    uint8_t buf[2 * WF_VARINT_MAX + 1];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    wf_write_varint(&w, 1);
    wf_write_varint(&w, id);
    wf_write_varint(&w, value);
    struct wf_reader r = wf_reader_of((weft_span){buf, w.len});

    wf_params_get(&r, p);
    return wf_reader_done(&r);
}

TEST(the_defaults_are_those_of_the_spec)
{
    CHECK_EQ(wf_params_default.node_credit, 0);
    CHECK_EQ(wf_params_default.message_credit, 0);
    CHECK_EQ(wf_params_default.message_count, 0);
    CHECK_EQ(wf_params_default.ack_delay_us, 25000);
    CHECK_EQ(wf_params_default.idle_ms, 0);
    CHECK_EQ(wf_params_default.datagram_max, 1200);
}

TEST(no_parameters_mean_the_defaults_and_the_other_way_round)
{
    uint8_t buf[1];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);
    struct wf_params p;

    CHECK(get("00", &p));
    check_equal(&p, &wf_params_default);
    wf_params_put(&w, &wf_params_default);
    CHECK(wf_writer_ok(&w));
    CHECK_EQ(w.len, 1);
    CHECK_EQ(buf[0], 0);
}

TEST(parameters_are_written_as_the_spec_says)
{
    weft_span want = help_unhex("06 0101 0202 0303 0404 0505 068936");
    uint8_t buf[32];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    wf_params_put(&w, &all_set);
    CHECK_EQ(w.len, want.len);
    CHECK_MEM_EQ(buf, want.data, want.len);
    help_free(want);
}

TEST(parameters_are_read_by_id)
{
    struct wf_params p;

    CHECK(get("06 0101 0202 0303 0404 0505 068936", &p));
    check_equal(&p, &all_set);
    CHECK(get("02 0264 0400", &p));
    CHECK_EQ(p.node_credit, 0);
    CHECK_EQ(p.message_credit, 100);
    CHECK_EQ(p.ack_delay_us, 0);
    CHECK_EQ(p.datagram_max, 1200);
}

TEST(parameters_with_unknown_ids_are_skipped)
{
    struct wf_params p;

    CHECK(get("03 0081ffffffffffffffff7f 0264 0700", &p));
    CHECK_EQ(p.message_credit, 100);
    CHECK(get("02 0264 81ffffffffffffffff7f00", &p));
    CHECK_EQ(p.message_credit, 100);
}

TEST(parameters_out_of_order_or_twice_are_refused)
{
    CHECK(taken("02 0164 0264"));
    CHECK(!taken("02 0264 0164"));
    CHECK(!taken("02 0164 0164"));
    CHECK(!taken("02 0064 0064"));
    CHECK(!taken("02 8764 8764"));
    CHECK(!taken("03 0164 0864 0764"));
}

/* Each limit of the table and its neighbours. */
TEST(parameters_out_of_their_ranges_are_refused)
{
    static const struct {
        uint64_t id, least, most;
    } ranges[] = {{1, 0, CREDIT_MAX}, {2, 0, CREDIT_MAX},  {3, 0, CREDIT_MAX},
                  {4, 0, 1000000},    {5, 0, 4294967296u}, {6, 1200, 65527}};
    struct wf_params p;

    for (size_t i = 0; i < WF_ARRAY_LEN(ranges); i++) {
        test_note("id %zu", i + 1);
        CHECK(value_taken(ranges[i].id, ranges[i].least, &p));
        CHECK(value_taken(ranges[i].id, ranges[i].most, &p));
        CHECK(!value_taken(ranges[i].id, ranges[i].most + 1, &p));
        CHECK(!value_taken(ranges[i].id, UINT64_MAX, &p));
        if (ranges[i].least > 0) {
            CHECK(!value_taken(ranges[i].id, ranges[i].least - 1, &p));
            CHECK(!value_taken(ranges[i].id, 0, &p));
        }
    }
}

TEST(up_to_32_parameters_are_taken)
{
    for (size_t count = 0; count <= 40; count++) {
        uint8_t *buf = malloc(1 + 2 * count);

        buf[0] = (uint8_t)count;
        for (size_t i = 0; i < count; i++) {
            buf[1 + 2 * i] = (uint8_t)(10 + i);
            buf[2 + 2 * i] = 1;
        }
        struct wf_reader r = wf_reader_of((weft_span){buf, 1 + 2 * count});
        struct wf_params p;

        wf_params_get(&r, &p);
        test_note("count %zu", count);
        CHECK_EQ(wf_reader_done(&r), count <= 32);
        free(buf);
    }
}

TEST(parameters_cut_short_or_in_a_longer_form_are_refused)
{
    CHECK(!taken(""));
    CHECK(!taken("8000"));
    CHECK(!taken("01 8001 01"));
    CHECK(!taken("01 01 8001"));
    for (size_t len = 0; len < 14; len++) {
        weft_span in = help_unhex("06 0101 0202 0303 0404 0505 068936");
        uint8_t *copy = test_copy(in.data, len);
        struct wf_reader r = wf_reader_of((weft_span){copy, len});
        struct wf_params p;

        wf_params_get(&r, &p);
        CHECK(!wf_reader_ok(&r));
        free(copy);
        help_free(in);
    }
}

TEST(random_parameters_come_back_as_they_were)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 20000; i++) {
        const struct wf_params p = {
            .node_credit = test_next(&seed) % (CREDIT_MAX + 1),
            .message_credit = test_next(&seed) >> (2 + test_next(&seed) % 60),
            .message_count = test_next(&seed) % 3,
            .ack_delay_us = test_next(&seed) % 3 == 0 ? 25000 : test_next(&seed) % 1000001,
            .idle_ms = test_next(&seed) % 4294967297u,
            .datagram_max = 1200 + test_next(&seed) % (65527 - 1200 + 1),
        };
        uint8_t buf[64];
        struct wf_writer w = wf_writer_of(buf, sizeof buf);
        struct wf_params back;

        wf_params_put(&w, &p);
        struct wf_reader r = wf_reader_of((weft_span){buf, w.len});

        wf_params_get(&r, &back);
        CHECK(wf_reader_done(&r));
        check_equal(&back, &p);
    }
}

static const char solve_body[] = "c1c2c3c4c5c6c7c8 0000018bcfe56800 02 01 8148 01 0264 0100";
static const char confirm_body[] = "d1d2d3d4d5d6d7d8 01 0264 0100";

TEST(the_body_of_solve_is_read_field_by_field)
{
    weft_span in = help_unhex(solve_body);
    struct wf_solve_body b;

    CHECK_OK(wf_solve_body_get(in, &b));
    CHECK_EQ(b.cid[0], 0xc1);
    CHECK_EQ(b.cid[7], 0xc8);
    CHECK_EQ(b.wall_ms, 1700000000000);
    CHECK_EQ(b.choice_count, 2);
    CHECK_EQ(b.choices[0], 1);
    CHECK_EQ(b.choices[1], 200);
    CHECK_EQ(b.choices[2], 0);
    CHECK_EQ(b.params.message_credit, 100);
    CHECK_EQ(b.params.ack_delay_us, 25000);
    CHECK(b.frames.data == in.data + in.len - 2);
    CHECK_EQ(b.frames.len, 2);
    help_free(in);
}

TEST(the_body_of_confirm_is_read_field_by_field)
{
    weft_span in = help_unhex(confirm_body);
    struct wf_confirm_body b;

    CHECK_OK(wf_confirm_body_get(in, &b));
    CHECK_EQ(b.cid[0], 0xd1);
    CHECK_EQ(b.cid[7], 0xd8);
    CHECK_EQ(b.params.message_credit, 100);
    CHECK(b.frames.data == in.data + in.len - 2);
    CHECK_EQ(b.frames.len, 2);
    help_free(in);
}

TEST(the_bodies_are_written_as_the_spec_says)
{
    weft_span solve = help_unhex(solve_body);
    weft_span confirm = help_unhex(confirm_body);
    uint8_t buf[64];
    struct wf_solve_body s;
    struct wf_confirm_body c;

    CHECK_OK(wf_solve_body_get(solve, &s));
    CHECK_OK(wf_confirm_body_get(confirm, &c));
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    wf_solve_body_put(&w, &s);
    CHECK_EQ(w.len, solve.len - 2);
    CHECK_MEM_EQ(buf, solve.data, w.len);
    w = wf_writer_of(buf, sizeof buf);
    wf_confirm_body_put(&w, &c);
    CHECK_EQ(w.len, confirm.len - 2);
    CHECK_MEM_EQ(buf, confirm.data, w.len);
    help_free(solve);
    help_free(confirm);
}

/* What comes behind the parameters is frames, so only a cut into the fields before is refused. */
TEST(the_bodies_cut_short_are_refused)
{
    weft_span solve = help_unhex(solve_body);
    weft_span confirm = help_unhex(confirm_body);

    for (size_t len = 0; len <= solve.len; len++) {
        uint8_t *copy = test_copy(solve.data, len);
        struct wf_solve_body b = {.wall_ms = 99};
        const bool is_whole = len + 2 >= solve.len;

        CHECK_EQ(wf_solve_body_get((weft_span){copy, len}, &b),
                 is_whole ? WEFT_OK : WEFT_ERR_MALFORMED);
        CHECK_EQ(b.wall_ms, is_whole ? 1700000000000 : 99);
        free(copy);
    }
    for (size_t len = 0; len <= confirm.len; len++) {
        uint8_t *copy = test_copy(confirm.data, len);
        struct wf_confirm_body b = {.cid = {99}};
        const bool is_whole = len + 2 >= confirm.len;

        CHECK_EQ(wf_confirm_body_get((weft_span){copy, len}, &b),
                 is_whole ? WEFT_OK : WEFT_ERR_MALFORMED);
        CHECK_EQ(b.cid[0], is_whole ? 0xd1 : 99);
        free(copy);
    }
    help_free(solve);
    help_free(confirm);
}

TEST(the_body_of_solve_has_at_most_8_choices)
{
    for (unsigned count = 0; count < 256; count++) {
        uint8_t body[16 + 1 + 256 + 1] = {0};
        struct wf_solve_body b;

        body[16] = (uint8_t)count;
        test_note("%u choices", count);
        CHECK_EQ(wf_solve_body_get((weft_span){body, 16 + 1 + count + 1}, &b) == WEFT_OK,
                 count <= 8);
    }
}

TEST(the_bodies_with_bad_parameters_are_refused)
{
    weft_span solve = help_unhex("c1c2c3c4c5c6c7c8 0000018bcfe56800 00 01 0600");
    weft_span confirm = help_unhex("c1c2c3c4c5c6c7c8 01 0600");
    struct wf_confirm_body c;
    struct wf_solve_body s;

    CHECK_EQ(wf_solve_body_get(solve, &s), WEFT_ERR_MALFORMED);
    CHECK_EQ(wf_confirm_body_get(confirm, &c), WEFT_ERR_MALFORMED);
    help_free(solve);
    help_free(confirm);
}

TEST(the_bodies_fail_the_writer_without_room)
{
    const struct wf_solve_body s = {.choice_count = 8, .params = all_set};
    const struct wf_confirm_body c = {.params = all_set};
    uint8_t buf[64];

    for (size_t cap = 0; cap <= sizeof buf; cap++) {
        struct wf_writer w = wf_writer_of(buf, cap);

        wf_solve_body_put(&w, &s);
        CHECK_EQ(wf_writer_ok(&w), cap >= 8 + 8 + 1 + 8 + 14);
        w = wf_writer_of(buf, cap);
        wf_confirm_body_put(&w, &c);
        CHECK_EQ(wf_writer_ok(&w), cap >= 8 + 14);
    }
}
