/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bech32_test.c - BIP-350's own examples, every typing error of one and two places, and the
 * lengths.
 */
#include "base/bech32.h"

#include <ctype.h>

#include "base/bytes.h"
#include "test.h"

static weft_err parse(struct wf_bech32 *out, const char *text, size_t len)
{
    uint8_t *copy = test_copy(text, len);
    const weft_err err = wf_bech32_parse(out, wf_span(copy, len));

    free(copy);
    return err;
}

TEST(the_valid_examples_of_bip_350_are_accepted)
{
    static const struct {
        const char *text;
        const char *prefix;
        size_t count;
    } cases[] = {
        {"A1LQFN3A", "a", 0},
        {"a1lqfn3a", "a", 0},
        {"an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg"
         "6",
         "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber1", 0},
        {"abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "abcdef", 32},
        {"11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr"
         "8",
         "1", 82},
        {"split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "split", 48},
        {"?1v759aa", "?", 0},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct wf_bech32 b;

        test_note("%s", cases[i].text);
        CHECK_OK(parse(&b, cases[i].text, strlen(cases[i].text)));
        CHECK_STR_EQ(b.prefix, cases[i].prefix);
        CHECK_EQ(b.count, cases[i].count);
    }
}

TEST(the_values_of_an_example_are_those_written_down)
{
    struct wf_bech32 b;

    CHECK_OK(parse(&b, "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", 45));
    for (size_t i = 0; i < 32; i++) {
        CHECK_EQ(b.values[i], 31 - i);
    }
}

TEST(the_invalid_examples_of_bip_350_are_refused)
{
    static const char *const cases[] = {
        "\x20"
        "1xj0phk",
        "\x7f"
        "1g6xzxy",
        "\x80"
        "1vctc34",
        "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts"
        "4",
        "qyrz8wqd2c9m",
        "1qyrz8wqd2c9m",
        "y1b0jsk6g",
        "lt1igcx5c0",
        "in1muywd",
        "mm1crxm3i",
        "au1s5cgom",
        "M1VUXWEZ",
        "16plkw9",
        "1p2gdwpf",
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct wf_bech32 b = {.count = 99};

        test_note("%s", cases[i]);
        CHECK_EQ(parse(&b, cases[i], strlen(cases[i])), WEFT_ERR_MALFORMED);
        CHECK_EQ(b.count, 99);
    }
}

TEST(the_older_checksum_is_refused)
{
    static const char *const cases[] = {"A12UEL5L", "a12uel5l",
                                        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"};

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        struct wf_bech32 b;

        CHECK_EQ(parse(&b, cases[i], strlen(cases[i])), WEFT_ERR_MALFORMED);
    }
}

static void sample_key(uint8_t key[32], char text[64])
{
    for (size_t i = 0; i < 32; i++) {
        key[i] = (uint8_t)(i * 37 + 11);
    }
    CHECK_OK(wf_bech32_encode(text, 64, "weft", wf_span(key, 32)));
}

TEST(a_key_is_63_characters_and_comes_back)
{
    uint8_t key[32];
    uint8_t back[32] = {0};
    char text[64];

    sample_key(key, text);
    CHECK_EQ(strlen(text), 63);
    CHECK_MEM_EQ(text, "weft1", 5);
    CHECK_OK(wf_bech32_decode(back, 32, "weft", wf_span(text, 63)));
    CHECK_MEM_EQ(back, key, 32);
    for (size_t i = 0; i < 63; i++) {
        text[i] = (char)toupper((unsigned char)text[i]);
    }
    memset(back, 0, sizeof back);
    CHECK_OK(wf_bech32_decode(back, 32, "weft", wf_span(text, 63)));
    CHECK_MEM_EQ(back, key, 32);
}

TEST(mixed_case_is_refused_wherever_it_is)
{
    uint8_t key[32];
    uint8_t back[32];
    char text[64];

    sample_key(key, text);
    for (size_t i = 0; i < 63; i++) {
        const char was = text[i];

        if (was < 'a')
            continue;
        text[i] = (char)(was - 'a' + 'A');
        CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span(text, 63)), WEFT_ERR_MALFORMED);
        text[i] = was;
    }
}

TEST(every_wrong_character_is_noticed_and_leaves_the_result_alone)
{
    uint8_t key[32];
    char text[64];

    sample_key(key, text);
    for (size_t i = 0; i < 63; i++) {
        const char was = text[i];

        for (int c = 0; c < 256; c++) {
            uint8_t back[32];

            if ((char)c == was)
                continue;
            memset(back, 0xee, sizeof back);
            text[i] = (char)c;
            CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span(text, 63)), WEFT_ERR_MALFORMED);
            CHECK_EQ(back[0], 0xee);
            CHECK_EQ(back[31], 0xee);
        }
        text[i] = was;
    }
}

TEST(two_characters_exchanged_lost_or_doubled_are_noticed)
{
    uint8_t key[32];
    uint8_t back[32];
    char text[64];

    sample_key(key, text);
    for (size_t i = 0; i < 63; i++) {
        char other[65] = {0};

        for (size_t j = i + 1; j < 63; j++) {
            memcpy(other, text, 64);
            other[i] = text[j];
            other[j] = text[i];
            if (other[i] != other[j]) {
                CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span(other, 63)),
                         WEFT_ERR_MALFORMED);
            }
        }
        memcpy(other, text, i);
        memcpy(other + i, text + i + 1, 63 - i);
        CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span(other, 62)), WEFT_ERR_MALFORMED);
        memcpy(other, text, i + 1);
        memcpy(other + i + 1, text + i, 64 - i);
        CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span(other, 64)), WEFT_ERR_MALFORMED);
    }
}

TEST(every_prefix_and_anything_behind_is_refused)
{
    uint8_t key[32];
    uint8_t back[32];
    char text[64];

    sample_key(key, text);
    for (size_t len = 0; len <= 64; len++) {
        uint8_t *in = test_copy_padded(text, 63, len);

        CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span(in, len)),
                 len == 63 ? WEFT_OK : WEFT_ERR_MALFORMED);
        free(in);
    }
}

TEST(another_prefix_or_length_is_refused)
{
    uint8_t key[33] = {0};
    uint8_t back[33];
    char text[80];

    CHECK_OK(wf_bech32_encode(text, sizeof text, "wefs", wf_span(key, 32)));
    CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span_of(text)), WEFT_ERR_MALFORMED);
    for (size_t len = 31; len <= 33; len++) {
        CHECK_OK(wf_bech32_encode(text, sizeof text, "weft", wf_span(key, len)));
        CHECK_EQ(wf_bech32_decode(back, 32, "weft", wf_span_of(text)),
                 len == 32 ? WEFT_OK : WEFT_ERR_MALFORMED);
    }
    CHECK_EQ(wf_bech32_decode(back, SIZE_MAX, "weft", wf_span_of(text)), WEFT_ERR_MALFORMED);
}

TEST(payloads_of_every_length_come_back)
{
    uint8_t payload[60];

    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] = (uint8_t)(255 - 7 * i);
    }
    for (size_t len = 0; len < sizeof payload; len++) {
        const size_t text_len = 2 + (8 * len + 4) / 5 + 6;
        uint8_t *exact = test_copy(payload, len);
        uint8_t *back = test_copy_padded(NULL, 0, len);
        char text[WF_BECH32_TEXT_MAX + 1];
        const weft_err err = wf_bech32_encode(text, sizeof text, "a", wf_span(exact, len));

        CHECK_EQ(err, text_len <= WF_BECH32_TEXT_MAX ? WEFT_OK : WEFT_ERR_USAGE);
        if (err == WEFT_OK) {
            CHECK_EQ(strlen(text), text_len);
            CHECK_OK(wf_bech32_decode(back, len, "a", wf_span_of(text)));
            CHECK_MEM_EQ(back, payload, len);
        }
        free(exact);
        free(back);
    }
}

TEST(longer_texts_come_back_where_they_are_asked_for)
{
    uint8_t payload[103] = {7};
    uint8_t back[103];
    char text[WF_BECH32_LONG_MAX + 8];

    for (size_t len = 50; len < sizeof payload; len++) {
        const size_t text_len = 2 + (8 * len + 4) / 5 + 6;
        const weft_err err = wf_bech32_encode_long(text, sizeof text, "a", wf_span(payload, len));

        CHECK_EQ(err, text_len <= WF_BECH32_LONG_MAX ? WEFT_OK : WEFT_ERR_USAGE);
        if (err != WEFT_OK)
            continue;
        CHECK_EQ(strlen(text), text_len);
        CHECK_OK(wf_bech32_decode_long(back, len, "a", wf_span_of(text)));
        CHECK_MEM_EQ(back, payload, len);
        CHECK_EQ(wf_bech32_decode(back, len, "a", wf_span_of(text)),
                 text_len <= WF_BECH32_TEXT_MAX ? WEFT_OK : WEFT_ERR_MALFORMED);
    }
}

TEST(padding_bits_that_are_not_zero_are_refused)
{
    /* The values 0 and k: ten bits, of which eight are the byte and two are padding. Made by
     * another program. */
    static const char *const texts[] = {
        "a1qq43hjaz", "a1qpg8r8qs", "a1qzx5k3w0", "a1qrmzzyna",
        "a1qy6m45jc", "a1q98dpp02", "a1qxf75hp4", "a1q85gqzu8",
    };

    for (size_t k = 0; k < WF_ARRAY_LEN(texts); k++) {
        struct wf_bech32 b;
        uint8_t byte = 0xee;

        CHECK_OK(wf_bech32_parse(&b, wf_span_of(texts[k])));
        CHECK_EQ(b.count, 2);
        CHECK_EQ(b.values[1], k);
        CHECK_EQ(wf_bech32_decode(&byte, 1, "a", wf_span_of(texts[k])),
                 k % 4 == 0 ? WEFT_OK : WEFT_ERR_MALFORMED);
        CHECK_EQ(byte, k % 4 == 0 ? k / 4 : 0xee);
    }
}

TEST(a_result_that_does_not_fit_is_not_begun)
{
    uint8_t key[32] = {0};

    for (size_t cap = 0; cap <= 64; cap++) {
        char *out = (char *)test_copy_padded("x", cap > 0 ? 1 : 0, cap);

        CHECK_EQ(wf_bech32_encode(out, cap, "weft", wf_span(key, 32)),
                 cap == 64 ? WEFT_OK : WEFT_ERR_USAGE);
        CHECK(cap == 0 || cap == 64 || out[0] == 'x');
        free(out);
    }
}

TEST(prefixes_that_the_format_does_not_have_are_refused)
{
    static const char *const bad[] = {"", "Weft", "we ft", "w\x7f", "w\x80"};
    char long_prefix[WF_BECH32_PREFIX_MAX + 2];
    char text[WF_BECH32_TEXT_MAX + 1];

    for (size_t i = 0; i < WF_ARRAY_LEN(bad); i++) {
        CHECK_EQ(wf_bech32_encode(text, sizeof text, bad[i], wf_span_of("")), WEFT_ERR_USAGE);
    }
    memset(long_prefix, 'a', sizeof long_prefix);
    long_prefix[WF_BECH32_PREFIX_MAX + 1] = '\0';
    CHECK_EQ(wf_bech32_encode(text, sizeof text, long_prefix, wf_span_of("")), WEFT_ERR_USAGE);
    CHECK_OK(wf_bech32_encode(text, sizeof text, long_prefix + 1, wf_span_of("")));
}
