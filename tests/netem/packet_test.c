/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_test.c - IP packets are read within their bounds, marked and damaged so that every
 * checksum still says what it should, and answered as a router would.
 */
#include "netem/packet.h"
#include "test.h"

#define V4_LEN (20u + 8u + 5u)
#define V6_LEN (40u + 8u + 5u)

/* UDP 10.0.0.1:1000 > 10.0.0.2:2000 "hello", not to be split, ECT(0). Checksums by hand below. */
static const uint8_t plain_v4[V4_LEN] = {0x45, 2,    0, V4_LEN, 0, 1,  0x40, 0,   64,  17,   0,
                                         0,    10,   0, 0,      1, 10, 0,    0,   2,   0x03, 0xe8,
                                         0x07, 0xd0, 0, 13,     0, 0,  'h',  'e', 'l', 'l',  'o'};

static uint32_t sum(const uint8_t *p, size_t len)
{
    uint32_t s = 0;

    for (size_t i = 0; i < len; i++) {
        s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    }
    return s;
}

static uint16_t fold(uint32_t s)
{
    while (s > 0xffffu) {
        s = (s & 0xffffu) + (s >> 16);
    }
    return (uint16_t)s;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t pseudo(const uint8_t *p)
{
    const bool v4 = p[0] >> 4 == 4;
    const size_t header = v4 ? 20 : 40;
    const size_t len = v4 ? V4_LEN : V6_LEN;

    return (v4 ? sum(p + 12, 8) : sum(p + 8, 32)) + (uint32_t)(len - header) +
           sum(p + header, len - header);
}

/* All ones when every checksum is right. */
static bool is_sound(const uint8_t *p)
{
    if (p[0] >> 4 == 4 && fold(sum(p, 20)) != 0xffff)
        return false;
    return fold(pseudo(p) + 17) == 0xffff;
}

static uint8_t *make_v4(void)
{
    uint8_t *p = test_copy(plain_v4, V4_LEN);

    put16(p + 10, (uint16_t)~fold(sum(p, 20)));
    put16(p + 26, (uint16_t)~fold(pseudo(p) + 17));
    CHECK(is_sound(p));
    return p;
}

static uint8_t *make_v6(void)
{
    uint8_t *p = test_copy_padded("\x60\x20", 2, V6_LEN);

    p[5] = V6_LEN - 40;
    p[6] = 17;
    p[7] = 64;
    p[8] = p[24] = 0xfd;
    p[23] = 1;
    p[39] = 2;
    memcpy(p + 40, plain_v4 + 20, V4_LEN - 20);
    put16(p + 46, (uint16_t)~fold(pseudo(p) + 17));
    CHECK(is_sound(p));
    return p;
}

TEST(both_versions_are_understood)
{
    uint8_t *four = make_v4();
    uint8_t *six = make_v6();
    struct netem_ip ip;

    CHECK(netem_ip_parse(&ip, (weft_span){four, V4_LEN}));
    CHECK_EQ(ip.version, 4);
    CHECK_EQ(ip.protocol, 17);
    CHECK_EQ(ip.ecn, 2);
    CHECK_EQ(ip.header, 20);
    CHECK_EQ(ip.len, V4_LEN);
    CHECK(ip.may_not_split);
    CHECK(!ip.is_local);
    CHECK(netem_ip_parse(&ip, (weft_span){six, V6_LEN}));
    CHECK_EQ(ip.version, 6);
    CHECK_EQ(ip.protocol, 17);
    CHECK_EQ(ip.ecn, 2);
    CHECK_EQ(ip.len, V6_LEN);
    free(four);
    free(six);
}

TEST(every_shorter_packet_is_refused_and_nothing_behind_it_is_read)
{
    uint8_t *whole[] = {make_v4(), make_v6()};
    const size_t lens[] = {V4_LEN, V6_LEN};

    for (size_t i = 0; i < 2; i++) {
        for (size_t len = 0; len < lens[i]; len++) {
            uint8_t *in = test_copy(whole[i], len);
            uint8_t out[NETEM_TOO_BIG_MAX];
            struct netem_ip ip = {.version = 9};

            CHECK(!netem_ip_parse(&ip, (weft_span){in, len}));
            CHECK_EQ(ip.version, 9);
            netem_ip_flip(in, len, 77);
            CHECK_EQ(netem_ip_too_big(out, (weft_span){in, len}, 1280), 0);
            free(in);
        }
        free(whole[i]);
    }
}

TEST(a_header_or_length_that_lies_is_refused)
{
    uint8_t *p = make_v4();
    struct netem_ip ip;

    p[0] = 0x44;
    CHECK(!netem_ip_parse(&ip, (weft_span){p, V4_LEN}));
    p[0] = 0x4f;
    CHECK(!netem_ip_parse(&ip, (weft_span){p, V4_LEN}));
    p[0] = 0x55;
    CHECK(!netem_ip_parse(&ip, (weft_span){p, V4_LEN}));
    p[0] = 0x45;
    p[3] = 19;
    CHECK(!netem_ip_parse(&ip, (weft_span){p, V4_LEN}));
    p[3] = V4_LEN + 1;
    CHECK(!netem_ip_parse(&ip, (weft_span){p, V4_LEN}));
    free(p);
}

TEST(a_mark_keeps_the_header_sound)
{
    for (uint8_t ecn = 0; ecn < 4; ecn++) {
        uint8_t *packets[] = {make_v4(), make_v6()};
        const size_t lens[] = {V4_LEN, V6_LEN};

        for (size_t i = 0; i < 2; i++) {
            struct netem_ip ip;

            netem_ip_set_ecn(packets[i], lens[i], ecn);
            CHECK(netem_ip_parse(&ip, (weft_span){packets[i], lens[i]}));
            CHECK_EQ(ip.ecn, ecn);
            CHECK(is_sound(packets[i]));
            free(packets[i]);
        }
    }
}

static size_t bits_between(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < 8 * len; i++) {
        count += (a[i / 8] >> i % 8 & 1u) != (b[i / 8] >> i % 8 & 1u);
    }
    return count;
}

TEST(a_flip_in_udp_changes_one_bit_of_the_payload_and_passes_the_checksum)
{
    for (uint64_t bit = 0; bit < 80; bit++) {
        uint8_t *before[] = {make_v4(), make_v6()};
        uint8_t *after[] = {make_v4(), make_v6()};
        const size_t lens[] = {V4_LEN, V6_LEN};

        for (size_t i = 0; i < 2; i++) {
            test_note("bit %u of version %u", (unsigned)bit, i == 0 ? 4 : 6);
            netem_ip_flip(after[i], lens[i], bit);
            CHECK(is_sound(after[i]));
            CHECK_EQ(bits_between(before[i] + lens[i] - 5, after[i] + lens[i] - 5, 5), 1);
            /* Ports and lengths are what they were. */
            CHECK_MEM_EQ(before[i], after[i], lens[i] - 7);
            free(before[i]);
            free(after[i]);
        }
    }
}

TEST(udp_without_a_checksum_stays_without)
{
    uint8_t *p = make_v4();

    put16(p + 26, 0);
    netem_ip_flip(p, V4_LEN, 3);
    CHECK_EQ(p[26] | p[27], 0);
    free(p);
}

TEST(a_flip_elsewhere_is_left_to_the_receivers_checksum)
{
    uint8_t *p = make_v4();
    uint8_t *was = NULL;

    p[9] = 6; /* TCP, as far as anybody looks */
    was = test_copy(p, V4_LEN);
    netem_ip_flip(p, V4_LEN, 1);
    CHECK_MEM_EQ(p, was, 20);
    CHECK_EQ(bits_between(p + 20, was + 20, V4_LEN - 20), 1);
    free(p);
    free(was);
}

TEST(too_big_is_answered_as_a_router_would)
{
    uint8_t *p = make_v4();
    uint8_t out[NETEM_TOO_BIG_MAX];
    size_t len = netem_ip_too_big(out, (weft_span){p, V4_LEN}, 1400);

    CHECK_EQ(len, 28 + V4_LEN);
    CHECK_EQ(fold(sum(out, 20)), 0xffff);
    CHECK_EQ(fold(sum(out + 20, len - 20)), 0xffff);
    CHECK_EQ(out[9], 1);
    CHECK_MEM_EQ(out + 16, p + 12, 4); /* to the sender */
    CHECK_EQ(out[20], 3);
    CHECK_EQ(out[21], 4);
    CHECK_EQ(out[26] << 8 | out[27], 1400);
    CHECK_MEM_EQ(out + 28, p, V4_LEN);
    free(p);

    p = make_v6();
    len = netem_ip_too_big(out, (weft_span){p, V6_LEN}, 1280);
    CHECK_EQ(len, 48 + V6_LEN);
    CHECK_EQ(out[6], 58);
    CHECK_EQ(out[40], 2);
    CHECK_EQ(out[46] << 8 | out[47], 1280);
    CHECK_EQ(fold(sum(out + 8, 32) + (uint32_t)(len - 40) + 58 + sum(out + 40, len - 40)), 0xffff);
    free(p);
}

TEST(what_a_router_does_not_answer_is_not_answered)
{
    uint8_t out[NETEM_TOO_BIG_MAX];
    uint8_t *p = make_v4();

    p[6] = 0; /* may be split */
    CHECK_EQ(netem_ip_too_big(out, (weft_span){p, V4_LEN}, 1400), 0);
    p[6] = 0x60; /* a fragment */
    CHECK_EQ(netem_ip_too_big(out, (weft_span){p, V4_LEN}, 1400), 0);
    p[6] = 0x40;
    p[9] = 1;
    p[20] = 3; /* itself such an answer */
    CHECK_EQ(netem_ip_too_big(out, (weft_span){p, V4_LEN}, 1400), 0);
    p[20] = 8; /* an echo request */
    CHECK(netem_ip_too_big(out, (weft_span){p, V4_LEN}, 1400) > 0);
    p[16] = 224;
    CHECK_EQ(netem_ip_too_big(out, (weft_span){p, V4_LEN}, 1400), 0);
    free(p);
}

TEST(the_quote_of_a_large_packet_is_cut)
{
    uint8_t *p = test_copy_padded(plain_v4, V4_LEN, 1500);
    uint8_t out[NETEM_TOO_BIG_MAX];

    put16(p + 2, 1500);
    CHECK_EQ(netem_ip_too_big(out, (weft_span){p, 1500}, 1400), 576);
    free(p);
    p = make_v6();

    uint8_t *large = test_copy_padded(p, V6_LEN, 1500);

    put16(large + 4, 1460);
    CHECK_EQ(netem_ip_too_big(out, (weft_span){large, 1500}, 1400), 1280);
    free(p);
    free(large);
}
