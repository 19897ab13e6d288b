/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assert_test.c - failed assertions: they abort, after the last words and after them once only.
 */
#include "base/assert.h"

#include <unistd.h>

#include "support/aborts.h"
#include "test.h"

static int to_parent;

static void tell(const char *file, int line, const char *what)
{
    const char *name = strrchr(file, '/');

    (void)line;
    (void)!write(to_parent, name != NULL ? name : file, strlen(name != NULL ? name : file));
    (void)!write(to_parent, what, strlen(what));
}

static void tell_and_fail_again(const char *file, int line, const char *what)
{
    tell(file, line, what);
    WEFT_UNREACHABLE();
}

static void fail_two_is_three(void *ctx)
{
    const int *two = (const int *)ctx;

    WEFT_ASSERT(*two == 3);
}

/* Runs the failing body with this hook in a child and checks what the hook wrote. */
static void check_words(wf_last_words_fn hook, const char *words)
{
    char got[100] = {0};
    int two = 2;
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    to_parent = ends[1];
    wf_set_last_words(hook);
    CHECK(test_aborts(fail_two_is_three, &two));
    wf_set_last_words(NULL);
    close(ends[1]);
    CHECK_EQ(read(ends[0], got, sizeof got - 1), strlen(words));
    close(ends[0]);
    CHECK_STR_EQ(got, words);
}

TEST(an_assertion_that_holds_does_nothing)
{
    int three = 3;

    CHECK(!test_aborts(fail_two_is_three, &three));
    WEFT_ASSERT(three == 3);
}

TEST(a_failed_assertion_aborts_without_a_hook)
{
    check_words(NULL, "");
}

TEST(the_hook_is_told_place_and_condition)
{
    check_words(tell, "/assert_test.c*two == 3");
}

TEST(an_assertion_that_fails_inside_the_hook_does_not_call_it_again)
{
    check_words(tell_and_fail_again, "/assert_test.c*two == 3");
}
