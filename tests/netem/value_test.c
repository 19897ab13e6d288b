/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_test.c - numbers with units: what is understood, and that nothing else is.
 */
#include "netem/value.h"
#include "test.h"

TEST(times_are_microseconds_of_any_unit)
{
    static const struct {
        const char *text;
        uint64_t us;
    } good[] = {
        {"0s", 0},
        {"5us", 5},
        {"20ms", 20000},
        {"1.5s", 1500000},
        {"2min", 120000000},
        {"0.000001s", 1},
        {"1000000000us", 1000000000},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(good); i++) {
        uint64_t v = 99;

        test_note("%s", good[i].text);
        CHECK(netem_time(&v, good[i].text));
        CHECK_EQ(v, good[i].us);
    }
}

TEST(what_is_no_value_is_refused_and_changes_nothing)
{
    static const char *const bad[] = {
        "",     "s",     "5",          "5 s",
        "-5s",  "+5s",   "5.s",        ".5s",
        "1e3s", "5S",    "5sec",       "0x5s",
        "5s ",  " 5s",   "1.0000001s", "1000000001s",
        "5%",   "5mbit", "5,5s",       "99999999999999999999s",
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(bad); i++) {
        uint64_t v = 99;

        test_note("%s", bad[i]);
        CHECK(!netem_time(&v, bad[i]));
        CHECK_EQ(v, 99);
    }
}

TEST(shares_are_millionths_up_to_the_whole)
{
    uint64_t v = 99;

    CHECK(netem_share(&v, "2.5%"));
    CHECK_EQ(v, 25000);
    CHECK(netem_share(&v, "0.0001%"));
    CHECK_EQ(v, 1);
    CHECK(netem_share(&v, "100%"));
    CHECK_EQ(v, 1000000);
    CHECK(!netem_share(&v, "100.0001%"));
    CHECK(!netem_share(&v, "5"));
    CHECK_EQ(v, 1000000);
}

TEST(rates_are_bytes_a_second_and_sizes_count_in_thousands)
{
    uint64_t v = 0;

    CHECK(netem_rate(&v, "10mbit"));
    CHECK_EQ(v, 1250000);
    CHECK(netem_rate(&v, "56kbit"));
    CHECK_EQ(v, 7000);
    CHECK(netem_rate(&v, "2.5gbit"));
    CHECK_EQ(v, 312500000);
    CHECK(!netem_rate(&v, "10"));
    CHECK(netem_bytes(&v, "1500"));
    CHECK_EQ(v, 1500);
    CHECK(netem_bytes(&v, "64k"));
    CHECK_EQ(v, 64000);
    CHECK(!netem_bytes(&v, "64ki"));
}

TEST(numbers_are_whole_and_yes_and_no_are_the_only_words)
{
    uint64_t v = 99;

    CHECK(netem_number(&v, "7"));
    CHECK_EQ(v, 7);
    CHECK(!netem_number(&v, "7.0"));
    CHECK(!netem_number(&v, ""));
    CHECK(netem_yes(&v, "yes"));
    CHECK_EQ(v, 1);
    CHECK(netem_yes(&v, "no"));
    CHECK_EQ(v, 0);
    CHECK(!netem_yes(&v, "y"));
}

TEST(a_text_is_split_at_its_first_mark_when_the_head_fits)
{
    char head[4] = "old";
    const char *rest = NULL;

    CHECK(netem_split(head, sizeof head, &rest, "abc:d:e", ':'));
    CHECK_STR_EQ(head, "abc");
    CHECK_STR_EQ(rest, "d:e");
    CHECK(!netem_split(head, sizeof head, &rest, "abcd:e", ':'));
    CHECK(!netem_split(head, sizeof head, &rest, "abc", ':'));
    CHECK_STR_EQ(head, "abc");
    CHECK(netem_split(head, sizeof head, &rest, ":", ':'));
    CHECK_STR_EQ(head, "");
    CHECK_STR_EQ(rest, "");
}
