/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error_test.c - the sentences behind weft_err, and the version.
 */
#include "test.h"

#include "weft/base.h"

#define LAST_ERROR WEFT_ERR_UNREAD

TEST(every_error_has_a_sentence_of_its_own_without_a_full_stop)
{
    for (int i = WEFT_OK; i <= (int)LAST_ERROR; i++) {
        const char *text = weft_strerror((weft_err)i);

        test_note("error %d: %s", i, text);
        CHECK(strlen(text) > 8);
        CHECK(text[strlen(text) - 1] != '.');
        for (int j = WEFT_OK; j < i; j++) {
            CHECK(strcmp(text, weft_strerror((weft_err)j)) != 0);
        }
    }
}

TEST(an_unknown_error_is_called_unknown)
{
    const char *unknown = weft_strerror((weft_err)((int)LAST_ERROR + 1));

    CHECK_STR_EQ(weft_strerror((weft_err)1000000), unknown);
    CHECK_STR_EQ(weft_strerror((weft_err)-1), unknown);
    CHECK(strstr(unknown, "not know") != NULL);
}

TEST(the_version_is_three_numbers)
{
    const char *at = weft_version();
    int dots = 0;

    for (; *at != '\0'; at++) {
        dots += *at == '.';
        CHECK((*at >= '0' && *at <= '9') || *at == '.');
    }
    CHECK_EQ(dots, 2);
}
