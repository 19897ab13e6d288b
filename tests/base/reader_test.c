/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_test.c - the cursor of every parser: all prefixes, all limits, and the one form of a
 * varint.
 */
#include "base/reader.h"

#include "base/bytes.h"
#include "base/writer.h"
#include "test.h"

static const uint8_t sample[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};

TEST(integers_are_read_most_significant_byte_first)
{
    struct wf_reader r = wf_reader_of(wf_span(sample, sizeof sample));

    CHECK_EQ(wf_read_u8(&r), 0x01);
    CHECK_EQ(wf_read_u16(&r), 0x0203);
    CHECK_EQ(wf_read_u32(&r), 0x04050607);
    CHECK_EQ(wf_read_u64(&r), 0x08090a0b0c0d0e0fu);
    CHECK(wf_reader_done(&r));
}

TEST(every_prefix_fails_once_and_yields_zeros_from_then_on)
{
    for (size_t len = 0; len < sizeof sample; len++) {
        uint8_t *in = test_copy_padded(sample, sizeof sample, len);
        struct wf_reader r = wf_reader_of(wf_span(in, len));

        test_note("prefix of %zu bytes", len);
        CHECK_EQ(wf_read_u8(&r), len >= 1 ? 0x01 : 0);
        CHECK_EQ(wf_read_u16(&r), len >= 3 ? 0x0203 : 0);
        CHECK_EQ(wf_read_u32(&r), len >= 7 ? 0x04050607 : 0);
        CHECK_EQ(wf_read_u64(&r), 0);
        CHECK(!wf_reader_ok(&r));
        CHECK(!wf_reader_done(&r));
        CHECK_EQ(wf_read_u8(&r), 0); /* even where a byte is left */
        CHECK_EQ(wf_read_varint(&r), 0);
        CHECK(wf_read_span(&r, 0).data == NULL);
        CHECK_EQ(wf_read_rest(&r).len, 0);
        free(in);
    }
}

static uint64_t read_varint_of(const uint8_t *bytes, size_t len, bool *done)
{
    uint8_t *in = test_copy(bytes, len);
    struct wf_reader r = wf_reader_of(wf_span(in, len));
    const uint64_t v = wf_read_varint(&r);

    *done = wf_reader_done(&r);
    if (!wf_reader_ok(&r)) {
        CHECK_EQ(v, 0);
    }
    free(in);
    return v;
}

TEST(varints_have_the_form_that_is_written_down)
{
    static const struct {
        uint64_t v;
        size_t len;
        uint8_t bytes[WF_VARINT_MAX];
    } cases[] = {
        {0, 1, {0x00}},
        {1, 1, {0x01}},
        {127, 1, {0x7f}},
        {128, 2, {0x81, 0x00}},
        {300, 2, {0x82, 0x2c}},
        {16383, 2, {0xff, 0x7f}},
        {16384, 3, {0x81, 0x80, 0x00}},
        {(uint64_t)1 << 32, 5, {0x90, 0x80, 0x80, 0x80, 0x00}},
        {UINT64_MAX >> 1, 9, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
        {(uint64_t)1 << 63, 10, {0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}},
        {UINT64_MAX, 10, {0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        uint8_t out[WF_VARINT_MAX];
        struct wf_writer w = wf_writer_of(out, sizeof out);
        bool done = false;

        test_note("value %llu", (unsigned long long)cases[i].v);
        CHECK_EQ(read_varint_of(cases[i].bytes, cases[i].len, &done), cases[i].v);
        CHECK(done);
        wf_write_varint(&w, cases[i].v);
        CHECK_EQ(w.len, cases[i].len);
        CHECK_EQ(wf_varint_len(cases[i].v), cases[i].len);
        CHECK_MEM_EQ(out, cases[i].bytes, w.len);
        for (size_t len = 0; len < cases[i].len; len++) {
            CHECK_EQ(read_varint_of(cases[i].bytes, len, &done), 0);
            CHECK(!done);
        }
    }
}

TEST(a_varint_of_two_bytes_or_less_has_one_form_only)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            const uint8_t bytes[] = {(uint8_t)first, (uint8_t)second};
            const bool good = first > 0x80 && second < 0x80;
            bool done = false;
            const uint64_t v = read_varint_of(bytes, 2, &done);

            CHECK_EQ(done, good);
            if (good) {
                CHECK_EQ(v, (first & 0x7f) << 7 | second);
            }
        }
    }
}

TEST(a_varint_above_64_bits_or_10_bytes_is_refused)
{
    static const uint8_t over[][11] = {
        {0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00},
        {0x83, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(over); i++) {
        struct wf_reader r = wf_reader_of(wf_span(over[i], sizeof over[i]));

        CHECK_EQ(wf_read_varint(&r), 0);
        CHECK(!wf_reader_ok(&r));
    }
}

TEST(varints_of_all_sizes_come_back)
{
    uint64_t state = test_seed();

    for (int i = 0; i < 20000; i++) {
        const uint64_t v = test_next(&state) >> (test_next(&state) % 64);
        uint8_t out[WF_VARINT_MAX];
        struct wf_writer w = wf_writer_of(out, sizeof out);
        bool done = false;

        wf_write_varint(&w, v);
        CHECK(wf_writer_ok(&w));
        CHECK_EQ(read_varint_of(out, w.len, &done), v);
        CHECK(done);
    }
}

TEST(limits_are_met_and_not_passed)
{
    for (unsigned v = 0; v < 256; v++) {
        const uint8_t byte[] = {(uint8_t)v};
        struct wf_reader r = wf_reader_of(wf_span(byte, 1));
        struct wf_reader l = wf_reader_of(wf_span(byte, 1));

        CHECK_EQ(wf_read_u8_max(&r, 100), v <= 100 ? v : 0);
        CHECK_EQ(wf_reader_ok(&r), v <= 100);
        CHECK_EQ(wf_read_len8(&l, 3, 200), v >= 3 && v <= 200 ? v : 0);
        CHECK_EQ(wf_reader_ok(&l), v >= 3 && v <= 200);
    }
}

TEST(limits_of_varints_are_met_and_not_passed)
{
    for (uint64_t v = 295; v < 1005; v++) {
        uint8_t out[WF_VARINT_MAX];
        struct wf_writer w = wf_writer_of(out, sizeof out);

        wf_write_varint(&w, v);
        struct wf_reader r = wf_reader_of(wf_span(out, w.len));
        struct wf_reader l = wf_reader_of(wf_span(out, w.len));
        CHECK_EQ(wf_read_varint_max(&r, 1000), v <= 1000 ? v : 0);
        CHECK_EQ(wf_reader_ok(&r), v <= 1000);
        CHECK_EQ(wf_read_len(&l, 300, 1000), v >= 300 && v <= 1000 ? v : 0);
        CHECK_EQ(wf_reader_ok(&l), v >= 300 && v <= 1000);
    }
}

TEST(a_missing_length_is_no_length_of_zero)
{
    struct wf_reader r = wf_reader_of((weft_span){NULL, 0});

    CHECK_EQ(wf_read_len8(&r, 0, 9), 0);
    CHECK(!wf_reader_ok(&r));
    r = wf_reader_of((weft_span){NULL, 0});
    CHECK_EQ(wf_read_len(&r, 0, 9), 0);
    CHECK(!wf_reader_ok(&r));
}

TEST(spans_borrow_exactly_what_was_asked_for)
{
    uint8_t *in = test_copy(sample, sizeof sample);
    struct wf_reader r = wf_reader_of(wf_span(in, sizeof sample));
    weft_span s = wf_read_span(&r, 4);

    CHECK(s.data == in);
    CHECK_EQ(s.len, 4);
    CHECK_EQ(wf_read_span(&r, 0).len, 0);
    CHECK(wf_reader_ok(&r));
    s = wf_read_rest(&r);
    CHECK(s.data == in + 4);
    CHECK_EQ(s.len, sizeof sample - 4);
    CHECK(wf_reader_done(&r));
    CHECK_EQ(wf_read_rest(&r).len, 0);
    CHECK(wf_reader_done(&r));
    CHECK(wf_read_span(&r, 1).data == NULL);
    CHECK(!wf_reader_ok(&r));
    free(in);
}

TEST(a_span_longer_than_what_is_left_is_refused_at_every_length)
{
    for (size_t len = 0; len < 8; len++) {
        const size_t wanted[] = {len, len + 1, SIZE_MAX};

        for (size_t i = 0; i < WF_ARRAY_LEN(wanted); i++) {
            uint8_t *in = test_copy(sample, len);
            struct wf_reader r = wf_reader_of(wf_span(in, len));

            CHECK_EQ(wf_read_span(&r, wanted[i]).len, i == 0 ? len : 0);
            CHECK_EQ(wf_reader_ok(&r), i == 0);
            free(in);
        }
    }
}

TEST(bytes_are_copied_or_zeroed)
{
    uint8_t out[16];
    struct wf_reader r = wf_reader_of(wf_span(sample, sizeof sample));

    memset(out, 0xee, sizeof out);
    wf_read_bytes(&r, out, 10);
    CHECK_MEM_EQ(out, sample, 10);
    CHECK_EQ(out[10], 0xee);
    wf_read_bytes(&r, out, 6);
    CHECK(wf_is_zero_ct(out, 6));
    CHECK_EQ(out[6], sample[6]);
    CHECK(!wf_reader_ok(&r));
    wf_read_bytes(&r, NULL, 0);
}

TEST(a_reader_failed_from_outside_stays_failed)
{
    struct wf_reader r = wf_reader_of(wf_span(sample, sizeof sample));

    CHECK_EQ(wf_read_u8(&r), 1);
    wf_reader_fail(&r);
    CHECK_EQ(wf_read_u8(&r), 0);
    CHECK(!wf_reader_ok(&r));
    CHECK(!wf_reader_done(&r));
}

TEST(an_empty_span_is_done_at_once)
{
    struct wf_reader r = wf_reader_of((weft_span){NULL, 0});

    CHECK(wf_reader_done(&r));
    CHECK_EQ(wf_read_span(&r, 0).len, 0);
    CHECK(wf_reader_done(&r));
}
