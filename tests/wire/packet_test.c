/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_test.c - the header of session packets, and that windowed numbers name the right packet
 * wherever the spec says they do.
 */
#include "help.h"
#include "test.h"

#define FLIGHT_MAX (1ull << 60) /* beyond this not even 63 bits span four times of it */

/* 2^(7 width) as a mask; the wire carries only these bits. */
static uint64_t low_bits(uint64_t n, size_t width)
{
    return n & ((1ull << (7 * width)) - 1);
}

/* Spec 2.2-1, word by word. */
static size_t width_by_the_text(uint64_t n, uint64_t acked)
{
    for (size_t k = 7; k <= 63; k += 7) {
        if (1ull << (k - 1) >= 4 * (n + 1 - acked))
            return k / 7;
    }
    return 9;
}

/* Spec 2.2-2, as a search: the one number with these low bits among those from b on. */
static uint64_t decode_by_search(uint64_t w, size_t width, uint64_t highest)
{
    const uint64_t half = 1ull << (7 * width - 1);
    uint64_t n = highest > half ? highest - half : 0;

    while (low_bits(n, width) != w) {
        n++;
    }
    return n;
}

TEST(window_width_is_the_smallest_that_spans_four_times_the_flight) /* SPEC 2.2-1 */
{
    CHECK_EQ(wf_window_width(1, 0), 1);
    CHECK_EQ(wf_window_width(15, 0), 1); /* 4 x 16 = 2^6 */
    CHECK_EQ(wf_window_width(16, 0), 2);
    CHECK_EQ(wf_window_width(1000, 985), 1);
    CHECK_EQ(wf_window_width(1000, 984), 2);
    CHECK_EQ(wf_window_width(1000, 1000), 1);
    for (size_t width = 1; width < 9; width++) {
        const uint64_t most = (1ull << (7 * width - 1)) / 4 - 1; /* n - acked */

        CHECK_EQ(wf_window_width(most, 0), width);
        CHECK_EQ(wf_window_width(most + 1, 0), width + 1);
        CHECK_EQ(wf_window_width(most + 77777, 77777), width);
        CHECK_EQ(wf_window_width(most + 77778, 77777), width + 1);
    }
    CHECK_EQ(wf_window_width(FLIGHT_MAX - 1, 0), 9);
}

TEST(window_width_agrees_with_the_text_everywhere) /* SPEC 2.2-1 */
{
    uint64_t seed = test_seed();

    for (uint64_t n = 1; n < 600; n++) {
        for (uint64_t acked = 0; acked <= n; acked++) {
            CHECK_EQ(wf_window_width(n, acked), width_by_the_text(n, acked));
        }
    }
    for (int i = 0; i < 1000000; i++) {
        const uint64_t acked = test_next(&seed) >> (2 + test_next(&seed) % 62);
        const uint64_t n = acked + (test_next(&seed) >> (4 + test_next(&seed) % 60));

        if (wf_window_width(n, acked) != width_by_the_text(n, acked))
            FAIL("n %llu acked %llu", (unsigned long long)n, (unsigned long long)acked);
    }
}

TEST(window_numbers_stay_9_bytes_when_nothing_was_acknowledged_for_ever)
{
    CHECK_EQ(wf_window_width(FLIGHT_MAX, 0), 9);
    CHECK_EQ(wf_window_width(UINT64_MAX, 0), 9);
    CHECK_EQ(wf_window_width(UINT64_MAX, UINT64_MAX), 1);
}

/* The model with every case: one byte, so 128 numbers in the window and half of them below the
 * highest. */
TEST(one_byte_window_numbers_decode_as_the_search_does_for_every_highest) /* SPEC 2.2-2 */
{
    for (uint64_t highest = 0; highest < 1000; highest++) {
        for (uint64_t w = 0; w < 128; w++) {
            CHECK_EQ(wf_window_decode(w, 1, highest), decode_by_search(w, 1, highest));
        }
    }
}

TEST(two_byte_window_numbers_decode_as_the_search_does_around_every_edge) /* SPEC 2.2-2 */
{
    static const uint64_t highest[] = {0,     1,     8190,  8191,  8192,  8193,
                                       16383, 16384, 16385, 24575, 24576, 100000};

    for (size_t i = 0; i < WF_ARRAY_LEN(highest); i++) {
        for (uint64_t w = 0; w < 16384; w += 13) {
            CHECK_EQ(wf_window_decode(w, 2, highest[i]), decode_by_search(w, 2, highest[i]));
        }
        CHECK_EQ(wf_window_decode(16383, 2, highest[i]), decode_by_search(16383, 2, highest[i]));
    }
}

/* Of the numbers from b to b + 2^k - 1 each is decoded as itself; all others as something else. */
TEST(a_number_decodes_right_just_when_it_is_in_the_window) /* SPEC 2.2-2 */
{
    for (uint64_t highest = 0; highest < 400; highest++) {
        const uint64_t base = highest > 64 ? highest - 64 : 0;

        for (uint64_t n = 0; n < 800; n++) {
            const bool is_inside = n >= base && n < base + 128;

            CHECK_EQ(wf_window_decode(low_bits(n, 1), 1, highest) == n, is_inside);
        }
    }
}

/* All of a small session: largest acknowledged a, sent n > a, and a receiver who has authenticated
 * any H >= a. Whatever is in flight decodes right: H at most what is sent while n is on its way,
 * four times over. */
TEST(every_number_in_flight_decodes_right_in_the_small_model) /* SPEC 2.2-1, 2.2-2 */
{
    for (uint64_t acked = 0; acked < 200; acked++) {
        for (uint64_t n = acked + 1; n < acked + 80; n++) {
            const size_t width = wf_window_width(n, acked);
            const uint64_t half = 1ull << (7 * width - 1);

            for (uint64_t highest = acked; highest < n + half; highest += width == 1 ? 1 : 97) {
                CHECK_EQ(wf_window_decode(low_bits(n, width), width, highest), n);
            }
            CHECK_EQ(wf_window_decode(low_bits(n, width), width, n + half), n);
            CHECK(wf_window_decode(low_bits(n, width), width, n + half + 1) != n);
        }
    }
}

/* Numbers of all sizes, with the receiver anywhere between the acknowledged number and half a
 * window ahead. */
TEST(every_number_in_flight_decodes_right_for_a_million_random_sessions) /* SPEC 2.2-1, 2.2-2 */
{
    uint64_t seed = test_seed() + 1;

    for (int i = 0; i < 1000000; i++) {
        const uint64_t acked = test_next(&seed) >> (4 + test_next(&seed) % 60);
        const uint64_t n = acked + 1 + (test_next(&seed) >> (5 + test_next(&seed) % 59));
        const size_t width = wf_window_width(n, acked);
        const uint64_t half = 1ull << (7 * width - 1);
        const uint64_t highest = acked + test_next(&seed) % (n - acked + half + 1);
        const uint64_t w = low_bits(n, width);

        if (wf_window_decode(w, width, highest) != n)
            FAIL("n %llu acked %llu highest %llu", (unsigned long long)n, (unsigned long long)acked,
                 (unsigned long long)highest);
        if (width < 9 && wf_window_decode(w, width, n + half + 1) == n)
            FAIL("n %llu is decoded beyond its window", (unsigned long long)n);
        if (highest < n && wf_window_decode(low_bits(n + 1, width), width, highest) == n)
            FAIL("two numbers are decoded as %llu", (unsigned long long)n);
    }
}

TEST(a_decoded_number_always_has_the_bits_of_the_wire)
{
    uint64_t seed = test_seed() + 2;

    for (int i = 0; i < 1000000; i++) {
        const size_t width = 1 + test_next(&seed) % 9;
        const uint64_t w = low_bits(test_next(&seed), width);
        const uint64_t highest = test_next(&seed) >> (2 + test_next(&seed) % 62);
        const uint64_t n = wf_window_decode(w, width, highest);

        if (low_bits(n, width) != w)
            FAIL("w %llu highest %llu", (unsigned long long)w, (unsigned long long)highest);
    }
}

TEST(window_numbers_are_written_with_leading_zeros_kept)
{
    static const struct {
        uint64_t n;
        size_t width;
        const char *hex;
    } golden[] = {
        {0, 1, "00"},
        {1, 1, "01"},
        {127, 1, "7f"},
        {128, 1, "00"},
        {1, 2, "8001"},
        {300, 2, "822c"},
        {300, 3, "80822c"},
        {16384, 2, "8000"},
        {(1ull << 63) - 1, 9, "ffffffffffffffff7f"},
        {1, 9, "808080808080808001"},
        {1ull << 56, 9, "818080808080808000"},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(golden); i++) {
        weft_span want = help_unhex(golden[i].hex);
        uint8_t *out = malloc(golden[i].width);
        uint64_t w = 99;

        CHECK_EQ(want.len, golden[i].width);
        wf_window_put(out, golden[i].n, golden[i].width);
        CHECK_MEM_EQ(out, want.data, want.len);
        CHECK_EQ(wf_window_get(out, golden[i].width, &w), golden[i].width);
        CHECK_EQ(w, low_bits(golden[i].n, golden[i].width));
        free(out);
        help_free(want);
    }
}

TEST(window_numbers_cut_short_are_refused)
{
    for (size_t width = 1; width <= 9; width++) {
        for (size_t len = 0; len < width; len++) {
            uint8_t bytes[9];
            uint64_t w = 99;

            wf_window_put(bytes, 5, width);
            uint8_t *copy = test_copy(bytes, len);

            CHECK_EQ(wf_window_get(copy, len, &w), 0);
            CHECK_EQ(w, 99);
            free(copy);
        }
    }
}

TEST(window_numbers_of_more_than_9_bytes_are_refused) /* SPEC 2.2-3 */
{
    uint8_t bytes[20];
    uint64_t w = 99;

    memset(bytes, 0x80, sizeof bytes);
    for (size_t end = 0; end < sizeof bytes; end++) {
        bytes[end] = 0x01;
        CHECK_EQ(wf_window_get(bytes, sizeof bytes, &w), end < 9 ? end + 1 : 0);
        bytes[end] = 0x80;
    }
    CHECK_EQ(wf_window_get(bytes, sizeof bytes, &w), 0);
}

TEST(bytes_behind_a_window_number_are_not_looked_at)
{
    weft_span in = help_unhex("822c ff");
    uint64_t w = 0;

    CHECK_EQ(wf_window_get(in.data, in.len, &w), 2);
    CHECK_EQ(w, 300);
    help_free(in);
}

TEST(the_header_is_written_as_the_spec_says)
{
    static const uint8_t cid[8] = {0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8};
    weft_span want = help_unhex("90 c1c2c3c4c5c6c7c8 822c");
    uint8_t out[WF_PACKET_HEADER_MAX];

    CHECK_EQ(
        wf_packet_put_header(out, WF_PACKET_FIXED_BIT | WF_PACKET_PHASE_BIT, cid, 16384 + 300, 2),
        11);
    CHECK_MEM_EQ(out, want.data, want.len);
    CHECK_EQ(wf_packet_put_header(out, WF_PACKET_FIXED_BIT, cid, 1, 9), WF_PACKET_HEADER_MAX);
    help_free(want);
}

TEST(a_packet_is_at_least_26_bytes_long_and_has_bit_7) /* SPEC 2.1-4 */
{
    for (size_t len = 0; len < 40; len++) {
        for (unsigned first = 0; first < 256; first++) {
            uint8_t *packet = test_copy_padded(&(uint8_t){(uint8_t)first}, 1, len);
            const uint8_t *cid = NULL;
            const uint8_t *tag = NULL;
            const bool is_packet = len >= 26 && first >= 0x80;

            CHECK_EQ(wf_packet_peek((weft_span){packet, len}, &cid, &tag), is_packet);
            CHECK(cid == (is_packet ? packet + 1 : NULL));
            CHECK(tag == (is_packet ? packet + len - 16 : NULL));
            free(packet);
        }
    }
}
