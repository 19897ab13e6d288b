/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists_test.c - protocol lists: which are well-formed, and what two of them choose.
 */
#include "help.h"
#include "test.h"

static bool valid(const char *hex)
{
    weft_span lists = help_unhex(hex);
    const bool is_valid = wf_lists_valid(lists);

    help_free(lists);
    return is_valid;
}

static size_t choose(const char *client, const char *server, uint64_t choices[WF_GROUPS_MAX])
{
    weft_span a = help_unhex(client);
    weft_span b = help_unhex(server);

    CHECK(wf_lists_valid(a));
    CHECK(wf_lists_valid(b));
    const size_t count = wf_lists_choose(a, b, choices);

    help_free(a);
    help_free(b);
    return count;
}

TEST(lists_are_groups_of_a_count_and_numbers)
{
    CHECK(valid(""));
    CHECK(valid("0101"));
    CHECK(valid("020102"));
    CHECK(valid("0101 0101"));
    CHECK(valid("0181ffffffffffffffff7f"));
}

TEST(lists_with_an_empty_group_are_refused)
{
    CHECK(!valid("00"));
    CHECK(!valid("0101 00"));
    CHECK(!valid("00 0101"));
}

TEST(lists_that_end_inside_a_group_are_refused)
{
    CHECK(!valid("01"));
    CHECK(!valid("0201"));
    CHECK(!valid("0101 01"));
    CHECK(!valid("0187"));
    CHECK(!valid("81"));
}

TEST(lists_with_a_longer_form_of_a_number_are_refused)
{
    CHECK(!valid("018001"));
    CHECK(!valid("800101"));
    CHECK(!valid("0182ffffffffffffffff7f"));
    CHECK(!valid("0181ffffffffffffffffff7f"));
}

TEST(lists_with_the_number_0_are_refused_since_0_says_none)
{
    CHECK(!valid("0100"));
    CHECK(!valid("020100"));
}

TEST(lists_with_a_number_twice_in_a_group_are_refused_but_not_in_two_groups) /* SPEC 1.1-6 */
{
    CHECK(!valid("020101"));
    CHECK(!valid("03050605"));
    CHECK(!valid("0201020203 03"));
    CHECK(valid("020506 020506"));
}

TEST(lists_of_up_to_8_groups_are_taken)
{
    CHECK(valid("0101 0101 0101 0101 0101 0101 0101 0101"));
    CHECK(!valid("0101 0101 0101 0101 0101 0101 0101 0101 0101"));
}

/* A group of count numbers 1, 2, ... in front of what is left, so that nothing is missing. */
TEST(groups_of_1_to_32_numbers_are_taken)
{
    for (size_t count = 0; count <= 40; count++) {
        uint8_t *lists = malloc(count + 1);

        lists[0] = (uint8_t)count;
        for (size_t i = 1; i <= count; i++) {
            lists[i] = (uint8_t)i;
        }
        test_note("count %zu", count);
        CHECK_EQ(wf_lists_valid((weft_span){lists, count + 1}), count >= 1 && count <= 32);
        free(lists);
    }
}

TEST(lists_of_more_than_59_bytes_are_refused)
{
    uint8_t lists[60];

    for (size_t len = 57; len <= 60; len++) {
        uint8_t *copy;

        /* Groups of 32, 11 and as many numbers as are left. */
        for (size_t i = 0; i < len; i++) {
            lists[i] = (uint8_t)(i < 33 ? i : i < 45 ? i - 33 : i - 45);
        }
        lists[0] = 32;
        lists[33] = 11;
        lists[45] = (uint8_t)(len - 46);
        copy = test_copy(lists, len);
        CHECK_EQ(wf_lists_valid((weft_span){copy, len}), len <= WF_LISTS_MAX);
        free(copy);
    }
}

TEST(every_prefix_of_lists_is_well_formed_only_where_a_group_ends)
{
    weft_span lists = help_unhex("03010203 0281800701 018148");

    for (size_t len = 0; len <= lists.len; len++) {
        uint8_t *copy = test_copy(lists.data, len);

        test_note("length %zu", len);
        CHECK_EQ(wf_lists_valid((weft_span){copy, len}),
                 len == 0 || len == 4 || len == 9 || len == 12);
        free(copy);
    }
    help_free(lists);
}

TEST(the_choice_is_the_first_number_of_the_client_that_the_server_has)
{
    uint64_t choices[WF_GROUPS_MAX] = {0};

    CHECK_EQ(choose("03030201", "020102", choices), 1);
    CHECK_EQ(choices[0], 2);
    CHECK_EQ(choose("03010203", "020302", choices), 1);
    CHECK_EQ(choices[0], 2);
    CHECK_EQ(choose("0101", "0101", choices), 1);
    CHECK_EQ(choices[0], 1);
}

TEST(the_choice_is_0_where_there_is_no_common_number_in_the_same_group)
{
    uint64_t choices[WF_GROUPS_MAX] = {9, 9, 9, 9};

    CHECK_EQ(choose("0101 0102 0103 0104", "0102 0101 0103", choices), 4);
    CHECK_EQ(choices[0], 0);
    CHECK_EQ(choices[1], 0);
    CHECK_EQ(choices[2], 3);
    CHECK_EQ(choices[3], 0);
}

TEST(groups_that_only_the_server_has_are_not_chosen_from)
{
    uint64_t choices[WF_GROUPS_MAX] = {9, 9};

    CHECK_EQ(choose("0101", "0101 0102", choices), 1);
    CHECK_EQ(choices[1], 9);
    CHECK_EQ(choose("", "0101 0102", choices), 0);
    CHECK_EQ(choose("", "", choices), 0);
    CHECK_EQ(choose("0101 0105", "", choices), 2);
    CHECK_EQ(choices[0], 0);
}

TEST(eight_groups_of_large_numbers_are_chosen_from)
{
    uint64_t choices[WF_GROUPS_MAX] = {0};
    const char *client = "0101 0102 0103 0104 0105 0106 0107 0181ffffffffffffffff7f";

    CHECK_EQ(choose(client, client, choices), 8);
    for (size_t i = 0; i < 7; i++) {
        CHECK_EQ(choices[i], i + 1);
    }
    CHECK_EQ(choices[7], UINT64_MAX);
}

TEST(groups_of_32_numbers_with_nothing_in_common_choose_none)
{
    uint8_t client[33] = {32};
    uint8_t server[33] = {32};
    uint64_t choices[WF_GROUPS_MAX] = {9};

    for (size_t i = 1; i <= 32; i++) {
        client[i] = (uint8_t)i;
        server[i] = (uint8_t)(i + 32);
    }
    CHECK_EQ(wf_lists_choose((weft_span){client, 33}, (weft_span){server, 33}, choices), 1);
    CHECK_EQ(choices[0], 0);
    server[32] = 32;
    CHECK_EQ(wf_lists_choose((weft_span){client, 33}, (weft_span){server, 33}, choices), 1);
    CHECK_EQ(choices[0], 32);
}
