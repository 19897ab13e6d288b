/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_limits_test.c - every field of every frame at its limits and beyond them.
 */
#include "canon.h"

#include <stdio.h>

/* Varints next to each other: 2^62 - 1, 2^62, 2^62 + 1, 2^64 - 1. */
#define BELOW "bfffffffffffffff7f"
#define MOST "c08080808080808000"
#define ABOVE "c08080808080808001"
#define HUGE "81ffffffffffffffff7f"
#define EIGHT "0102030405060708"

/* The frames of a packet, written as hex in up to three parts. */
static bool taken3(const char *a, const char *b, const char *c)
{
    char hex[4096];

    CHECK((size_t)snprintf(hex, sizeof hex, "%s%s%s", a, b, c) < sizeof hex);
    test_note("%.100s", hex);
    weft_span in = help_unhex(hex);
    const bool is_taken = canon_check(help_frames_again, in.data, in.len);

    help_free(in);
    return is_taken;
}

static bool taken(const char *hex)
{
    return taken3(hex, "", "");
}

/* A field of 0..2^62 between what comes before and after it. */
static void is_amount(const char *before, const char *after)
{
    CHECK(taken3(before, "00", after));
    CHECK(taken3(before, BELOW, after));
    CHECK(taken3(before, MOST, after));
    CHECK(!taken3(before, ABOVE, after));
    CHECK(!taken3(before, HUGE, after));
    CHECK(!taken3(before, "8001", after));
}

/* A field of 1..2^62. */
static void is_number(const char *before, const char *after)
{
    CHECK(!taken3(before, "00", after));
    CHECK(taken3(before, "01", after));
    CHECK(taken3(before, BELOW, after));
    CHECK(taken3(before, MOST, after));
    CHECK(!taken3(before, ABOVE, after));
    CHECK(!taken3(before, HUGE, after));
    CHECK(!taken3(before, "8001", after));
}

/* len bytes 0x2a behind their length as a varint, after what comes before. */
static bool bytes_taken(const char *before, size_t len)
{
    char length[5];
    char *bytes = malloc(2 * len + 1);

    if (len > 127) {
        (void)snprintf(length, sizeof length, "%02zx%02zx", 0x80 | (len >> 7 & 0x7f), len & 0x7f);
    } else {
        (void)snprintf(length, sizeof length, "%02zx", len);
    }
    for (size_t i = 0; i < 2 * len; i++) {
        bytes[i] = i % 2 == 0 ? '2' : 'a';
    }
    bytes[2 * len] = '\0';
    const bool is_taken = taken3(before, length, bytes);

    free(bytes);
    return is_taken;
}

/* The same with a length of one byte. */
static bool bytes8_taken(const char *before, size_t len)
{
    uint8_t in[8 + 256];
    weft_span head = help_unhex(before);

    memcpy(in, head.data, head.len);
    in[head.len] = (uint8_t)len;
    memset(in + head.len + 1, 0x2a, len);
    const bool is_taken = canon_check(help_frames_again, in, head.len + 1 + len);

    help_free(head);
    return is_taken;
}

TEST(message_and_circuit_numbers_are_1_to_2_to_the_62)
{
    is_number("04", "00 00 00");
    is_number("04 01 04 00 00", ""); /* in-reply-to */
    is_number("04 01 08 00 00", ""); /* in-regards-to */
    is_number("05", "00 00");        /* to the end */
    is_number("06 01", "00");
    is_number("07", "00 00");
    is_number("08", "00");
    is_number("20", "00 00 01 2a");
    is_number("21", "00");
    is_number("22", "00");
    is_number("23", "00");
    is_number("24", "00");
}

TEST(lifetime_of_a_message_is_at_least_1_ms) /* SPEC 3.2-1 */
{
    is_number("04 01 10 00 00", "");
}

TEST(amounts_are_0_to_2_to_the_62)
{
    is_amount("04 01 00", "00"); /* length */
    is_amount("05 01 00", "");   /* offset */
    is_amount("06 00", "");
    is_amount("06 01 01", "");
    is_amount("06 02", "");
    is_amount("07 01", "00");
    is_amount("07 01 00", "");
    is_amount("08 01", "");
    is_amount("0c", "00" EIGHT);
    is_amount("0c 00", EIGHT);
    is_amount("0d", "");
    is_amount("0e", EIGHT EIGHT EIGHT EIGHT);
    is_amount("11", "00 00");
    is_amount("11 00", "00");
    is_amount("12", "00");
    is_amount("20 01 00", "01 2a");
    is_amount("21 01", "");
    is_amount("23 01", "");
    is_amount("24 01", "");
    is_amount("02 01", "00 00");           /* delay */
    is_amount("03 01 00 00 00", "00 00");  /* ECT0 */
    is_amount("03 01 00 00 00 00", "00");  /* ECT1 */
    is_amount("03 01 00 00 00 00 00", ""); /* CE */
    is_amount("02", "00 00 00");           /* newest */
}

TEST(handlers_are_any_number)
{
    CHECK(taken("04 01 00 00 00"));
    CHECK(taken("04 01 00 00" MOST));
    CHECK(taken("04 01 00 00" ABOVE));
    CHECK(taken("04 01 00 00" HUGE));
    CHECK(!taken("04 01 00 00 82ffffffffffffffff7f"));
}

TEST(message_open_refuses_bit_7_and_priority_3)
{
    for (unsigned flags = 0; flags < 256; flags++) {
        char hex[64];

        (void)snprintf(hex, sizeof hex, "0401%02x%s%s%s%s%s", flags, (flags & 1) != 0 ? "" : "05",
                       (flags & 2) != 0 ? "0161" : "09", (flags & 4) != 0 ? "02" : "",
                       (flags & 8) != 0 ? "03" : "", (flags & 16) != 0 ? "04" : "");
        CHECK_EQ(taken(hex), flags >> 5 <= 2);
    }
}

TEST(service_names_have_1_to_64_bytes)
{
    for (size_t len = 0; len < 256; len++) {
        test_note("service of %zu bytes", len);
        CHECK_EQ(bytes8_taken("04 01 03", len), len >= 1 && len <= 64);
    }
}

TEST(message_data_refuses_flags_that_are_not_defined)
{
    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t in[] = {0x05, 0x01, (uint8_t)flags, 0x00, 0x01, 0x2a};

        CHECK_EQ(canon_check(help_frames_again, in, sizeof in), flags < 4);
    }
}

TEST(message_data_ends_at_2_to_the_62_at_most)
{
    CHECK(taken("05 01 00" MOST));
    CHECK(!taken("05 01 00" MOST "2a"));
    CHECK(taken("05 01 00" BELOW "2a"));
    CHECK(!taken("05 01 00" BELOW "2a2a"));
    CHECK(taken("05 01 02" MOST "00"));
    CHECK(!taken("05 01 02" MOST "01 2a"));
    CHECK(taken("05 01 02" BELOW "01 2a"));
    CHECK(!taken("05 01 02" BELOW "02 2a2a"));
}

TEST(lengths_beyond_the_packet_are_refused)
{
    CHECK(!taken("05 01 02 00 02 2a"));
    CHECK(!taken("05 01 02 00" HUGE "2a"));
    CHECK(!taken("09 02 2a"));
    CHECK(!taken("09" HUGE "2a"));
    CHECK(!taken("09" MOST "2a"));
    CHECK(!taken("22 01 02 2a"));
    CHECK(!taken("22 01" HUGE "2a"));
    CHECK(!taken("0f 02 2a"));
    CHECK(!taken("11 00 00 02 2a"));
    CHECK(!taken("12 00 02 2a"));
    CHECK(!taken("20 01 00 00 02 2a"));
    CHECK(!taken("04 01 03 02 2a"));
}

TEST(credit_has_three_scopes)
{
    for (unsigned scope = 0; scope < 256; scope++) {
        uint8_t in[] = {0x06, (uint8_t)scope, 0x05, 0x07};
        const size_t len = scope == WF_CREDIT_MESSAGE ? 4 : 3;

        CHECK_EQ(canon_check(help_frames_again, in, len), scope <= 2);
    }
}

TEST(datagrams_and_circuit_data_have_any_length)
{
    CHECK(bytes_taken("09", 0));
    CHECK(bytes_taken("09", 127));
    CHECK(bytes_taken("09", 128));
    CHECK(bytes_taken("09", 1500));
    CHECK(bytes_taken("22 01", 0));
    CHECK(bytes_taken("22 01", 1500));
}

TEST(tickets_have_1_to_1024_bytes)
{
    CHECK(!bytes_taken("0f", 0));
    CHECK(bytes_taken("0f", 1));
    CHECK(bytes_taken("0f", 1023));
    CHECK(bytes_taken("0f", 1024));
    CHECK(!bytes_taken("0f", 1025));
}

TEST(texts_have_0_to_255_bytes_and_targets_at_least_1)
{
    for (size_t len = 0; len < 256; len++) {
        CHECK(bytes8_taken("11 00 00", len));
        CHECK(bytes8_taken("12 00", len));
        CHECK_EQ(bytes8_taken("20 01 00 00", len), len >= 1);
    }
}

TEST(circuit_open_refuses_any_flag)
{
    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t in[] = {0x20, 0x01, (uint8_t)flags, 0x00, 0x01, 0x2a};

        CHECK_EQ(canon_check(help_frames_again, in, sizeof in), flags == 0);
    }
}

TEST(time_is_any_8_bytes)
{
    CHECK(taken("10 ffffffffffffffff"));
    CHECK(taken("10 0000000000000000"));
    CHECK(!taken("10 ffffffffffffff"));
}

/* Room for a whole 1200-byte packet of each byte value: what is not a frame is refused, PAD and
 * PING go on. */
TEST(packets_of_one_repeated_byte_do_no_harm)
{
    uint8_t in[1200];

    for (unsigned v = 0; v < 256; v++) {
        memset(in, (int)v, sizeof in);
        const bool is_taken = canon_check(help_frames_again, in, sizeof in);

        if (v <= 1) {
            CHECK(is_taken);
        }
        if (v > 0x24) {
            CHECK(!is_taken);
        }
    }
}
