/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask_test.c - ASK, statements and STATEMENT against golden bytes, and that nothing else gets
 * through.
 */
#include "base/bytes.h"

#include "canon.h"
#include "samples.h"

static const uint8_t two_groups[] = {2, 1, 2, 1, 7};

static void count_up(uint8_t *out, uint8_t first, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(first + i);
}

static struct wf_ask sample_ask(void)
{
    struct wf_ask a = {.head = {.version = 1,
                                .suite = 1,
                                .shard = 5,
                                .instance = 0x1122334455667788,
                                .epoch = 0x102,
                                .offset_ms = 29999,
                                .work_alg = 1,
                                .ceiling_log2 = 32,
                                .effort = 65536,
                                .ts_id = 42},
                       .bid = 131072,
                       .work_nonce = 0x0123456789abcdef,
                       .lists = {two_groups, sizeof two_groups}};

    count_up(a.prefix, 0xa0, sizeof a.prefix);
    count_up(a.n_c, 0x10, sizeof a.n_c);
    count_up(a.cookie, 0xc0, sizeof a.cookie);
    return a;
}

static struct wf_statement sample_statement(void)
{
    struct wf_statement s = {.name = "alice",
                             .name_len = 5,
                             .version = 0x102,
                             .not_before_s = 1700000000,
                             .not_after_s = 1700000001};

    count_up(s.owner, 0x20, sizeof s.owner);
    count_up(s.key, 0x40, sizeof s.key);
    count_up(s.signature, 0x80, sizeof s.signature);
    return s;
}

TEST(ask_is_written_as_the_spec_says_and_read_field_by_field)
{
    const struct wf_ask want = sample_ask();
    weft_span golden = help_unhex(SAMPLE_ASK);
    uint8_t buf[WF_ASK_LEN];
    struct wf_ask a;

    CHECK_EQ(wf_ask_put(&want, buf, sizeof buf), WF_ASK_LEN);
    CHECK_MEM_EQ(buf, golden.data, golden.len);
    CANON_ROOM(wf_ask_put, &want, (size_t)WF_ASK_LEN);
    CHECK_OK(wf_ask_get(golden, &a));
    CHECK_EQ(a.head.effort, 65536);
    CHECK_EQ(a.head.ts_id, 42);
    CHECK_MEM_EQ(a.prefix, want.prefix, sizeof a.prefix);
    CHECK_MEM_EQ(a.n_c, want.n_c, sizeof a.n_c);
    CHECK_MEM_EQ(a.cookie, want.cookie, sizeof a.cookie);
    CHECK_EQ(a.bid, 131072);
    CHECK_EQ(a.work_nonce, 0x0123456789abcdef);
    CHECK_EQ(wf_load_u64(golden.data + WF_ASK_WORK_OFFSET), a.work_nonce);
    CHECK_MEM_EQ(a.lists.data, two_groups, sizeof two_groups);
    help_free(golden);
}

TEST(ask_of_another_length_or_with_any_padding_is_refused) /* SPEC 1.12-1 */
{
    weft_span in = help_unhex(SAMPLE_ASK);

    canon_lengths(help_ask_again, in, WF_ASK_LEN, WF_ASK_LEN);
    for (size_t at = WF_ASK_FIXED + sizeof two_groups; at < WF_ASK_LEN; at++) {
        CHECK(!canon_taken_with(help_ask_again, in, at, 1));
        CHECK(!canon_taken_with(help_ask_again, in, at, 0x80));
    }
    CHECK_LE(8 * (3 + 174), canon_flips(help_ask_again, in));
    canon_bytes(help_ask_again, in);
    help_free(in);
}

TEST(ask_with_lists_of_59_bytes_fits_and_of_60_is_refused) /* SPEC 1.12-1 */
{
    uint8_t lists[WF_LISTS_MAX] = {32};
    uint8_t buf[WF_ASK_LEN];
    struct wf_ask a = sample_ask();

    count_up(lists + 1, 1, 32);
    lists[33] = 25;
    count_up(lists + 34, 1, 25);
    a.lists = wf_span(lists, sizeof lists);
    CHECK_EQ(wf_ask_put(&a, buf, sizeof buf), WF_ASK_LEN);
    CHECK(canon_check(help_ask_again, buf, sizeof buf));
    buf[WF_ASK_FIXED - 1] = WF_LISTS_MAX + 1;
    buf[WF_ASK_FIXED + 33] = 26; /* well-formed but for its length */
    buf[WF_ASK_FIXED + 33 + 26] = 26;
    CHECK(!canon_check(help_ask_again, buf, sizeof buf));
}

TEST(statement_is_written_as_the_spec_says_and_read_field_by_field)
{
    const struct wf_statement want = sample_statement();
    weft_span golden = help_unhex(SAMPLE_STATEMENT);
    uint8_t buf[WF_STATEMENT_MAX], packet[WF_STATEMENT_PACKET_MAX], echo[WF_ECHO_LEN];
    struct wf_statement s;
    size_t len = wf_statement_put(&want, buf, sizeof buf);

    CHECK_EQ(len, WF_STATEMENT_FIXED + 5);
    CHECK_MEM_EQ(buf, golden.data + 1 + WF_ECHO_LEN, len);
    CANON_ROOM(wf_statement_put, &want, len);
    CHECK_EQ(wf_statement_packet_put(golden.data + 1, wf_span(buf, len), packet, sizeof packet),
             golden.len);
    CHECK_MEM_EQ(packet, golden.data, golden.len);
    CHECK_OK(wf_statement_packet_get(golden, echo, &s));
    CHECK_MEM_EQ(&s, &want, sizeof s);
    CHECK_MEM_EQ(echo, golden.data + 1, sizeof echo);
    help_free(golden);
}

TEST(statement_cut_short_followed_by_anything_or_flipped_is_refused_or_read_as_it_stands)
{
    weft_span in = help_unhex(SAMPLE_STATEMENT);
    weft_span inner = wf_span(in.data + 1 + WF_ECHO_LEN, in.len - 1 - WF_ECHO_LEN);

    canon_lengths(help_statement_packet_again, in, in.len, in.len);
    canon_lengths(help_statement_again, inner, inner.len, inner.len);
    CHECK_LE(8 + 8, canon_flips(help_statement_packet_again, in));
    canon_bytes(help_statement_packet_again, in);
    canon_bytes(help_statement_again, inner);
    help_free(in);
}

TEST(statement_is_never_longer_than_an_ask) /* SPEC 1.12-3 */
{
    struct wf_statement s = sample_statement();
    uint8_t buf[WF_STATEMENT_MAX], packet[WF_ASK_LEN + 1];
    size_t len = 0;

    memset(s.name, 'x', sizeof s.name);
    s.name_len = WF_NAME_MAX;
    len = wf_statement_put(&s, buf, sizeof buf);
    CHECK_EQ(len, WF_STATEMENT_MAX);
    len = wf_statement_packet_put(buf, wf_span(buf, len), packet, sizeof packet);
    CHECK_EQ(len, WF_STATEMENT_PACKET_MAX);
    CHECK_LE(len, WF_ASK_LEN);
    CHECK(canon_check(help_statement_packet_again, packet, len));
}

TEST(version_0_and_a_validity_that_ends_before_it_begins_are_refused)
{
    struct wf_statement s = sample_statement();
    uint8_t buf[WF_STATEMENT_MAX];

    s.not_after_s = s.not_before_s;
    CHECK(canon_check(help_statement_again, buf, wf_statement_put(&s, buf, sizeof buf)));
    s.not_after_s = s.not_before_s - 1;
    CHECK(!canon_check(help_statement_again, buf, wf_statement_put(&s, buf, sizeof buf)));
    s = sample_statement();
    s.version = 0;
    CHECK(!canon_check(help_statement_again, buf, wf_statement_put(&s, buf, sizeof buf)));
    s.version = UINT64_MAX;
    CHECK(canon_check(help_statement_again, buf, wf_statement_put(&s, buf, sizeof buf)));
}

static bool name_is_good(const char *text)
{
    uint8_t *copy = test_copy(text, strlen(text));
    bool good = wf_name_valid(wf_span(copy, strlen(text)));

    free(copy);
    return good;
}

TEST(names_are_1_to_64_printed_characters_and_no_keys)
{
    char name[WF_NAME_MAX + 2];

    for (unsigned c = 1; c < 256; c++) {
        char one[2] = {(char)c, '\0'};

        CHECK_EQ(name_is_good(one), c > ' ' && c <= '~' && c != '#' && c != '@');
    }
    for (size_t len = 0; len <= WF_NAME_MAX + 1; len++) {
        memset(name, 'n', len);
        name[len] = '\0';
        CHECK_EQ(name_is_good(name), len >= 1 && len <= WF_NAME_MAX);
    }
    CHECK(!name_is_good("weft1"));
    CHECK(!name_is_good("weft1abc"));
    CHECK(name_is_good("weft"));
    CHECK(name_is_good("weft2"));
    CHECK(name_is_good("aweft1"));
}

TEST(what_is_signed_is_all_but_the_signature_under_a_label)
{
    struct wf_statement s = sample_statement();
    uint8_t message[WF_STATEMENT_MESSAGE_MAX], buf[WF_STATEMENT_MAX];
    size_t len = wf_statement_message(&s, message);

    CHECK_EQ(len, 16 + wf_statement_put(&s, buf, sizeof buf) - 64);
    CHECK_MEM_EQ(message, "weft statement 1", 16);
    CHECK_MEM_EQ(message + 16, buf, len - 16);
}
