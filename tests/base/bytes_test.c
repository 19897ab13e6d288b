/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes_test.c - wiping, comparing, loads and stores, hex, spans.
 */
#include "base/bytes.h"

#include "test.h"

TEST(wiping_zeroes_exactly_the_bytes_named)
{
    uint8_t b[5] = {1, 2, 3, 4, 5};

    wf_wipe(b + 1, 3);
    CHECK_EQ(b[0], 1);
    CHECK_EQ(b[1] | b[2] | b[3], 0);
    CHECK_EQ(b[4], 5);
    wf_wipe(NULL, 0);
}

TEST(a_difference_of_one_bit_anywhere_is_noticed)
{
    uint8_t a[33] = {0};

    for (size_t i = 0; i < sizeof a; i++) {
        a[i] = (uint8_t)(3 * i);
    }
    for (size_t len = 0; len <= sizeof a; len++) {
        uint8_t *b = test_copy(a, len);

        CHECK(wf_equal_ct(a, b, len));
        for (size_t bit = 0; bit < 8 * len; bit++) {
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(!wf_equal_ct(a, b, len));
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(b);
    }
}

TEST(one_bit_anywhere_is_not_zero)
{
    for (size_t len = 0; len <= 33; len++) {
        uint8_t *b = test_copy_padded(NULL, 0, len);

        CHECK(wf_is_zero_ct(b, len));
        for (size_t bit = 0; bit < 8 * len; bit++) {
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(!wf_is_zero_ct(b, len));
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(b);
    }
}

TEST(loads_and_stores_are_big_endian)
{
    uint8_t b[8];

    wf_store_u64(b, 0xf1f2f3f4f5f6f7f8u);
    for (size_t i = 0; i < 8; i++) {
        CHECK_EQ(b[i], 0xf1 + i);
    }
    CHECK_EQ(wf_load_u64(b), 0xf1f2f3f4f5f6f7f8u);
    CHECK_EQ(wf_load_u32(b), 0xf1f2f3f4u);
    wf_store_u32(b + 4, 0x80000001u);
    CHECK_EQ(wf_load_u32(b + 4), 0x80000001u);
    CHECK_EQ(wf_load_u64(b), 0xf1f2f3f480000001u);
}

TEST(hex_comes_back_in_both_cases)
{
    uint8_t all[256];
    uint8_t back[256];
    char text[513];

    for (size_t i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
    }
    wf_hex(text, all, 256);
    CHECK_EQ(strlen(text), 512);
    CHECK_MEM_EQ(text + 2 * 0xa7, "a7", 2);
    CHECK(wf_unhex(back, 256, text));
    CHECK_MEM_EQ(back, all, 256);
    for (size_t i = 0; i < 512; i++) {
        text[i] = (char)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]);
    }
    memset(back, 0, sizeof back);
    CHECK(wf_unhex(back, 256, text));
    CHECK_MEM_EQ(back, all, 256);
    wf_hex(text, NULL, 0);
    CHECK_STR_EQ(text, "");
}

TEST(what_is_no_hex_of_that_length_is_refused_and_changes_nothing)
{
    static const char *const bad[] = {"",       "a",    "ab",   "abc",       "abcde",
                                      "abcdef", "abcg", "ab:d", "a/cd",      "@bcd",
                                      "`bcd",   " abc", "0x12", "ab\xff\xff"};

    for (size_t i = 0; i < WF_ARRAY_LEN(bad); i++) {
        uint8_t out[2] = {7, 7};
        char *text = (char *)test_copy(bad[i], strlen(bad[i]) + 1);

        test_note("text '%s'", bad[i]);
        CHECK(!wf_unhex(out, 2, text));
        CHECK_EQ(out[0], 7);
        CHECK_EQ(out[1], 7);
        free(text);
    }
    CHECK(wf_unhex(NULL, 0, ""));
    CHECK(!wf_unhex(NULL, 0, "0"));
}

TEST(a_hex_digit_has_its_value_and_nothing_else_has_one)
{
    static const char lower[] = "0123456789abcdef";
    static const char upper[] = "0123456789ABCDEF";
    int digits = 0;

    for (int i = 0; i < 16; i++) {
        CHECK_EQ(wf_hex_digit(lower[i]), i);
        CHECK_EQ(wf_hex_digit(upper[i]), i);
    }
    for (int c = -128; c < 128; c++)
        digits += wf_hex_digit((char)c) >= 0;
    CHECK_EQ(digits, 22);
}

TEST(spans_are_equal_by_content)
{
    const uint8_t copy[] = {'a', 'b', 'c'};

    CHECK_EQ(wf_span_of("").len, 0);
    CHECK(wf_span_equal(wf_span_of("abc"), wf_span(copy, 3)));
    CHECK(!wf_span_equal(wf_span_of("abc"), wf_span(copy, 2)));
    CHECK(!wf_span_equal(wf_span_of("abd"), wf_span(copy, 3)));
    CHECK(wf_span_equal((weft_span){NULL, 0}, wf_span(copy, 0)));
}
