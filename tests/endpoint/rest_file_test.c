/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest_file_test.c - sealed records of peers in a file: they come back by number until dropped, and
 * nothing is left for the next process.
 */
#include "endpoint/rest_file.h"

#include <stdio.h>

#include "base/bytes.h"
#include "test.h"

#define LEN 40u

static struct wf_rest_file *open_file(void)
{
    static char path[512];
    struct wf_store_report report;
    struct wf_rest_file *f = NULL;

    (void)snprintf(path, sizeof path, "%s/rest", test_folder());
    CHECK_OK(wf_rest_file_open(&f, path, test_mem(), &report));
    return f;
}

static void put(struct wf_rest_file *f, uint32_t id, uint8_t what)
{
    const struct wf_core_rest ops = wf_rest_file_ops(f);
    uint8_t sealed[LEN];

    memset(sealed, what, sizeof sealed);
    CHECK_OK(ops.put(ops.user, id, wf_span(sealed, sizeof sealed)));
}

static weft_err get(struct wf_rest_file *f, uint32_t id, uint8_t what)
{
    const struct wf_core_rest ops = wf_rest_file_ops(f);
    uint8_t sealed[LEN] = {0}, want[LEN];
    weft_err err = ops.get(ops.user, id, sealed, sizeof sealed);

    memset(want, what, sizeof want);
    if (err == WEFT_OK)
        CHECK_MEM_EQ(sealed, want, LEN);
    return err;
}

TEST(a_record_comes_back_until_it_is_dropped)
{
    struct wf_rest_file *f = open_file();
    const struct wf_core_rest ops = wf_rest_file_ops(f);

    put(f, 0, 1);
    put(f, UINT32_MAX - 1, 2);
    CHECK_OK(get(f, 0, 1));
    CHECK_OK(get(f, UINT32_MAX - 1, 2));
    put(f, 0, 3);
    CHECK_OK(get(f, 0, 3));
    ops.drop(ops.user, 0);
    ops.drop(ops.user, 0);
    CHECK_EQ(get(f, 0, 3), WEFT_ERR_NOT_FOUND);
    CHECK_OK(get(f, UINT32_MAX - 1, 2));
    wf_rest_file_close(f);
    wf_rest_file_close(NULL);
}

TEST(a_record_of_another_length_is_none)
{
    struct wf_rest_file *f = open_file();
    const struct wf_core_rest ops = wf_rest_file_ops(f);
    uint8_t sealed[LEN + 1] = {0};

    CHECK_OK(ops.put(ops.user, 1, wf_span(sealed, LEN - 1)));
    CHECK_OK(ops.put(ops.user, 2, wf_span(sealed, LEN + 1)));
    CHECK_EQ(get(f, 1, 0), WEFT_ERR_MALFORMED);
    CHECK_EQ(get(f, 2, 0), WEFT_ERR_LIMIT);
    wf_rest_file_close(f);
}

TEST(nothing_is_left_for_the_next_process)
{
    struct wf_rest_file *f = open_file();

    put(f, 5, 5);
    wf_rest_file_close(f);
    f = open_file();
    CHECK_EQ(get(f, 5, 5), WEFT_ERR_NOT_FOUND);
    wf_rest_file_close(f);
}
