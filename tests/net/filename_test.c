/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filename_test.c - names that a peer chooses.
 */
#include "net/filename.h"

#include "base/bytes.h"
#include "test.h"

static bool name_ok(const char *name, size_t len)
{
    uint8_t *copy = test_copy(name, len);
    bool ok = wf_file_name_ok(wf_span(copy, len));
    free(copy);
    return ok;
}

TEST(ordinary_names_are_accepted)
{
    static const char *const names[] = {
        "a",
        "photo.jpg",
        "...",
        "..a",
        "a..",
        ".hidden",
        "with blank",
        "-rf",
        "~",
        "C:\\x",
        "caf\xc3\xa9",
        "\xe6\x97\xa5\xe6\x9c\xac",
        "\xf0\x9f\x98\x80",
        "\xc2\xa0",
        "\xef\xbf\xbf",
        "\xf4\x8f\xbf\xbf",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        ".weft",
        "weft-part",
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        test_note("\"%s\"", names[i]);
        CHECK(name_ok(names[i], strlen(names[i])));
    }
}

TEST(names_that_lead_elsewhere_or_deceive_are_refused)
{
    static const struct {
        const char *name;
        size_t len;
    } rows[] = {
        {"", 0},
        {".", 1},
        {"..", 2},
        {"/", 1},
        {"/etc/passwd", 11},
        {"a/b", 3},
        {"../x", 4},
        {"a\0b", 3},
        {"\0", 1},
        {"a\nb", 3},
        {"a\x1b[2J", 5},
        {"a\x7f", 2},
        {"\xc2\x80", 2}, /* C1 controls */
        {"\xc2\x9b", 2},
        {"\xe2\x80\xae"
         "x",
         4},                 /* right-to-left override */
        {"\xe2\x80\xa8", 3}, /* line separator */
        {"\xe2\x81\xa6", 3},
        {"\xe2\x80\x8f", 3},
        {"\xd8\x9c", 2},
        {".weft-", 6},
        {".weft-part-1", 12},
        {"\x80", 1}, /* not UTF-8 */
        {"\xff", 1},
        {"\xc0\xaf", 2}, /* '/' in a longer form */
        {"\xc1\xbf", 2},
        {"\xe0\x80\xaf", 3},
        {"\xf0\x80\x80\xaf", 4},
        {"\xed\xa0\x80", 3},     /* a surrogate */
        {"\xf4\x90\x80\x80", 4}, /* above the last code point */
        {"\xf5\x80\x80\x80", 4},
        {"\xc3", 1}, /* cut short */
        {"\xe6\x97", 2},
        {"\xf0\x9f\x98", 3},
        {"\xc3"
         "a",
         2},
        {"\xe6\x97"
         "a",
         3},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        test_note("row %zu", i);
        CHECK(!name_ok(rows[i].name, rows[i].len));
    }
}

TEST(a_name_has_at_most_255_bytes)
{
    char name[WF_FILE_NAME_MAX + 1];

    memset(name, 'x', sizeof name);
    CHECK(name_ok(name, WF_FILE_NAME_MAX));
    CHECK(!name_ok(name, WF_FILE_NAME_MAX + 1));
}

TEST(every_byte_alone_is_a_name_or_not_by_the_rule)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        bool want = byte >= 0x20 && byte < 0x7f && byte != '/' && byte != '.';
        test_note("byte %u", byte);
        CHECK_EQ(name_ok(&c, 1), want);
    }
}

TEST(our_own_names_are_for_us_alone)
{
    CHECK(wf_file_name_own_ok(wf_span_of(".weft-part-1")));
    CHECK(!wf_file_name_own_ok(wf_span_of("..")));
    CHECK(!wf_file_name_own_ok(wf_span_of(".weft-/x")));
    CHECK(!wf_file_name_own_ok(wf_span_of("")));
}
