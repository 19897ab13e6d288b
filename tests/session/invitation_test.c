/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invitation_test.c - invitations as text: they come back, any three wrong characters are noticed,
 * and nothing else is taken for one.
 */
#include "base/bech32.h"
#include "base/bytes.h"
#include "session/limited.h"
#include "test.h"

static struct wf_invitation some_invitation(uint64_t seed)
{
    struct wf_invitation in;
    uint8_t *bytes = (uint8_t *)&in;

    for (size_t i = 0; i < sizeof in; i++) {
        bytes[i] = (uint8_t)test_next(&seed);
    }
    return in;
}

/* From a heap copy of exactly that length. */
static weft_err parse(struct wf_invitation *out, const char *text, size_t len)
{
    uint8_t *copy = test_copy(text, len);
    const weft_err err = wf_invitation_parse(out, wf_span(copy, len));

    free(copy);
    return err;
}

static void check_refused(const char *text, size_t len)
{
    const struct wf_invitation before = some_invitation(7);
    struct wf_invitation out = before;

    CHECK_EQ(parse(&out, text, len), WEFT_ERR_MALFORMED);
    CHECK_MEM_EQ(&out, &before, sizeof out);
}

TEST(an_invitation_comes_back_from_its_170_characters)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        const struct wf_invitation in = some_invitation(seed);
        struct wf_invitation back = some_invitation(seed + 1000);
        char text[WF_INVITATION_TEXT_LEN + 1];

        memset(text, '#', sizeof text);
        wf_invitation_text(text, &in);
        CHECK_EQ(strlen(text), 170);
        CHECK_MEM_EQ(text, "weftgrp1", 8);
        CHECK_OK(parse(&back, text, strlen(text)));
        CHECK_MEM_EQ(&back, &in, sizeof in);
    }
}

/* An independent encoder of BIP-350 made it. */
TEST(the_text_is_the_one_that_others_write)
{
    char text[WF_INVITATION_TEXT_LEN + 1];
    struct wf_invitation in;

    memset(in.group_key, 0x11, 32);
    memset(in.server.key, 0x22, 32);
    memset(in.server.dh, 0x33, 32);
    wf_invitation_text(text, &in);
    CHECK_STR_EQ(text, "weftgrp1qyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3"
                       "zg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zxvenxvenxvenxvenxv"
                       "enxvenxvenxvenxvenxvenxvenxvenxves73nv8u");
}

TEST(one_two_or_three_wrong_characters_are_noticed)
{
    static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const struct wf_invitation in = some_invitation(1);
    char good[WF_INVITATION_TEXT_LEN + 1];
    uint64_t seed = test_seed();

    wf_invitation_text(good, &in);
    for (size_t at = 8; at < WF_INVITATION_TEXT_LEN; at++) {
        for (size_t i = 0; i < 32; i++) {
            char text[WF_INVITATION_TEXT_LEN + 1];

            memcpy(text, good, sizeof text);
            if (text[at] == letters[i])
                continue;
            text[at] = letters[i];
            check_refused(text, WF_INVITATION_TEXT_LEN);
            for (int more = 0; more < 2; more++) {
                const size_t other = 8 + (size_t)(test_next(&seed) % (WF_INVITATION_TEXT_LEN - 8));

                if (other != at) {
                    text[other] = letters[test_next(&seed) % 32];
                }
                check_refused(text, WF_INVITATION_TEXT_LEN);
            }
        }
    }
}

TEST(every_other_length_is_refused)
{
    const struct wf_invitation in = some_invitation(2);
    char text[WF_INVITATION_TEXT_LEN + 2];

    wf_invitation_text(text, &in);
    text[WF_INVITATION_TEXT_LEN] = 'q';
    for (size_t len = 0; len < WF_INVITATION_TEXT_LEN; len++) {
        check_refused(text, len);
    }
    check_refused(text, WF_INVITATION_TEXT_LEN + 1);
}

TEST(another_version_prefix_or_length_of_what_it_holds_is_refused)
{
    uint8_t bytes[97] = {1};
    char text[WF_BECH32_LONG_MAX + 1];
    struct wf_invitation out;

    CHECK_OK(wf_bech32_encode_long(text, sizeof text, "weftgrp", wf_span(bytes, 97)));
    CHECK_OK(parse(&out, text, strlen(text)));
    CHECK_OK(wf_bech32_encode_long(text, sizeof text, "weftgrq", wf_span(bytes, 97)));
    check_refused(text, strlen(text));
    CHECK_OK(wf_bech32_encode_long(text, sizeof text, "weftgrp", wf_span(bytes, 96)));
    check_refused(text, strlen(text));
    for (unsigned version = 0; version < 256; version++) {
        bytes[0] = (uint8_t)version;
        CHECK_OK(wf_bech32_encode_long(text, sizeof text, "weftgrp", wf_span(bytes, 97)));
        CHECK_EQ(parse(&out, text, strlen(text)), version == 1 ? WEFT_OK : WEFT_ERR_MALFORMED);
    }
    CHECK_EQ(wf_bech32_encode_long(text, sizeof text, "weftgrp", wf_span(bytes, 98)),
             WEFT_ERR_USAGE);
}
