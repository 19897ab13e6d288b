/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer_test.c - the cursor of every encoder: what it writes, and that it stops at the end.
 */
#include "base/writer.h"

#include "base/bytes.h"
#include "test.h"

static const uint8_t expected[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                   0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x82,
                                   0x2c, 'a',  'b',  'c',  0x00, 0x00};

/* Offsets in expected where a call ends. */
static const size_t steps[] = {0, 1, 3, 7, 15, 17, 19, 20, 22};

static struct wf_writer write_all(uint8_t *out, size_t cap)
{
    struct wf_writer w = wf_writer_of(out, cap);

    wf_write_u8(&w, 0x01);
    wf_write_u16(&w, 0x0203);
    wf_write_u32(&w, 0x04050607);
    wf_write_u64(&w, 0x08090a0b0c0d0e0fu);
    wf_write_varint(&w, 300);
    wf_write_bytes(&w, (const uint8_t *)"ab", 2);
    wf_write_span(&w, wf_span_of("c"));
    wf_write_zeros(&w, 2);
    return w;
}

TEST(everything_is_written_as_the_format_says)
{
    uint8_t out[sizeof expected];

    memset(out, 0xee, sizeof out);
    struct wf_writer w = write_all(out, sizeof out);
    CHECK(wf_writer_ok(&w));
    CHECK_EQ(w.len, sizeof expected);
    CHECK_EQ(wf_writer_left(&w), 0);
    CHECK_MEM_EQ(out, expected, sizeof expected);
}

TEST(a_buffer_too_short_by_any_number_of_bytes_gets_whole_values_only)
{
    for (size_t cap = 0; cap < sizeof expected; cap++) {
        uint8_t *out = test_copy_padded(NULL, 0, cap);
        struct wf_writer w = write_all(out, cap);
        size_t whole = 0;

        for (size_t i = 0; i < WF_ARRAY_LEN(steps); i++) {
            whole = steps[i] <= cap ? steps[i] : whole;
        }
        test_note("cap %zu", cap);
        CHECK(!wf_writer_ok(&w));
        CHECK_EQ(wf_writer_left(&w), 0);
        CHECK_EQ(w.len, whole);
        CHECK_MEM_EQ(out, expected, whole);
        CHECK(wf_is_zero_ct(out + whole, cap - whole));
        free(out);
    }
}

TEST(a_smaller_value_does_not_slip_in_after_a_failure)
{
    uint8_t out[3] = {0};
    struct wf_writer w = wf_writer_of(out, sizeof out);

    wf_write_u32(&w, 1);
    wf_write_u8(&w, 7);
    wf_write_varint(&w, 7);
    wf_write_zeros(&w, 1);
    wf_write_bytes(&w, out, 1);
    CHECK(!wf_writer_ok(&w));
    CHECK_EQ(w.len, 0);
    CHECK_EQ(out[0], 0);
}

TEST(nothing_can_be_written_to_no_buffer)
{
    struct wf_writer w = wf_writer_of(NULL, 0);

    wf_write_bytes(&w, NULL, 0);
    wf_write_span(&w, (weft_span){NULL, 0});
    wf_write_zeros(&w, 0);
    CHECK(wf_writer_ok(&w));
    wf_write_zeros(&w, SIZE_MAX);
    CHECK(!wf_writer_ok(&w));
}

TEST(the_room_left_is_told)
{
    uint8_t out[10];
    struct wf_writer w = wf_writer_of(out, sizeof out);

    CHECK_EQ(wf_writer_left(&w), 10);
    wf_write_u32(&w, 0);
    CHECK_EQ(wf_writer_left(&w), 6);
    wf_write_u64(&w, 0);
    CHECK_EQ(wf_writer_left(&w), 0);
}

TEST(the_length_of_a_varint_changes_at_each_power_of_128)
{
    for (unsigned bits = 7; bits < 64; bits += 7) {
        const uint64_t edge = (uint64_t)1 << bits;

        CHECK_EQ(wf_varint_len(edge - 1), bits / 7);
        CHECK_EQ(wf_varint_len(edge), bits / 7 + 1);
    }
    CHECK_EQ(wf_varint_len(0), 1);
    CHECK_EQ(wf_varint_len(UINT64_MAX), 10);
}
