/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_test.c - rows, limits, transactions, and files that are damaged, foreign, shared, full or
 * of another version.
 */
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "test.h"

#define PATH_LEN 512

static struct wf_store_report report;

static const char *path_of(const char *name)
{
    static char paths[2][PATH_LEN];
    static unsigned turn;
    char *path = paths[turn++ % 2];

    (void)snprintf(path, PATH_LEN, "%s/%s", test_folder(), name);
    return path;
}

static struct wf_store *open_with(const struct wf_store_limits *limits)
{
    struct wf_store *s = NULL;
    CHECK_OK(wf_store_open_sqlite(&s, path_of("store"), limits, test_mem(), &report));
    CHECK_STR_EQ(report.text, "");
    return s;
}

static struct wf_store *open_store(void)
{
    return open_with(NULL);
}

static weft_err next(struct wf_store *s, struct wf_store_cursor *c, uint8_t *buf, size_t cap,
                     size_t *len)
{
    struct wf_store_value value = {buf, cap, *len};
    weft_err err = wf_store_next(s, c, &value);
    *len = value.len;
    return err;
}

static weft_err put(struct wf_store *s, uint8_t kind, const char *key, const char *value)
{
    return wf_store_put(s, kind, wf_span_of(key), wf_span_of(value));
}

static void check_value(struct wf_store *s, uint8_t kind, const char *key, const char *want)
{
    uint8_t buf[64];
    struct wf_store_value value = {.buf = buf, .cap = sizeof buf, .len = 99};
    weft_err err = wf_store_get(s, kind, wf_span_of(key), &value);

    test_note("key %s", key);
    CHECK_EQ(err, want == NULL ? WEFT_ERR_NOT_FOUND : WEFT_OK);
    CHECK_EQ(value.len, want == NULL ? 99 : strlen(want));
    if (want != NULL) {
        CHECK_MEM_EQ(buf, want, value.len);
    }
}

static uint64_t count(struct wf_store *s, uint8_t kind)
{
    uint64_t rows = 99;
    CHECK_OK(wf_store_count(s, kind, &rows));
    return rows;
}

TEST(what_was_put_comes_back_after_reopening)
{
    struct wf_store *s = open_store();

    check_value(s, 1, "a", NULL);
    CHECK_OK(put(s, 1, "a", "first"));
    CHECK_OK(put(s, 1, "a", "second"));
    CHECK_OK(put(s, 2, "a", "other kind"));
    CHECK_OK(put(s, 1, "empty", ""));
    wf_store_close(s);
    s = open_store();
    check_value(s, 1, "a", "second");
    check_value(s, 2, "a", "other kind");
    check_value(s, 1, "empty", "");
    CHECK_EQ(count(s, 1), 2);
    CHECK_EQ(count(s, 2), 1);
    CHECK_EQ(count(s, 3), 0);
    CHECK_OK(wf_store_delete(s, 1, wf_span_of("a")));
    CHECK_OK(wf_store_delete(s, 1, wf_span_of("a")));
    check_value(s, 1, "a", NULL);
    check_value(s, 2, "a", "other kind");
    CHECK_EQ(count(s, 1), 1);
    wf_store_close(s);
    wf_store_close(NULL);
}

TEST(keys_and_values_are_bytes_of_any_kind)
{
    struct wf_store *s = open_store();
    uint8_t key[3] = {0, 0xff, 0};
    uint8_t value[256];
    uint8_t back[256] = {0};
    struct wf_store_value v = {.buf = back, .cap = sizeof back};

    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)i;
    CHECK_OK(wf_store_put(s, 255, wf_span(key, 3), wf_span(value, sizeof value)));
    CHECK_OK(wf_store_put(s, 255, wf_span(key, 1), wf_span(value, 1)));
    CHECK_OK(wf_store_get(s, 255, wf_span(key, 3), &v));
    CHECK_EQ(v.len, 256);
    CHECK_MEM_EQ(back, value, 256);
    CHECK_EQ(wf_store_get(s, 255, wf_span(key, 2), &v), WEFT_ERR_NOT_FOUND);
    wf_store_close(s);
}

TEST(a_value_that_does_not_fit_the_buffer_is_an_error)
{
    struct wf_store *s = open_store();
    struct wf_store_value v = {.buf = malloc(5), .cap = 5, .len = 99};
    struct wf_store_value none = {.len = 99};

    CHECK(v.buf != NULL);
    CHECK_OK(put(s, 1, "k", "123456"));
    CHECK_EQ(wf_store_get(s, 1, wf_span_of("k"), &v), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_store_get(s, 1, wf_span_of("k"), &none), WEFT_ERR_LIMIT);
    CHECK_EQ(v.len, 99);
    CHECK_EQ(none.len, 99);
    CHECK_OK(put(s, 1, "k", "12345"));
    CHECK_OK(wf_store_get(s, 1, wf_span_of("k"), &v));
    CHECK_EQ(v.len, 5);
    free(v.buf);
    wf_store_close(s);
}

TEST(a_walk_gives_every_key_of_a_kind_in_order)
{
    static const char *const keys[] = {"b", "a", "ab", "c", "B"};
    static const char *const sorted[] = {"B", "a", "ab", "b", "c"};
    struct wf_store *s = open_store();
    struct wf_store_cursor c = {.kind = 7};
    uint8_t buf[8];
    size_t len = 0;

    for (size_t i = 0; i < 5; i++)
        CHECK_OK(put(s, 7, keys[i], keys[i]));
    CHECK_OK(put(s, 6, "x", "x"));
    CHECK_OK(put(s, 8, "x", "x"));
    for (size_t i = 0; i < 5; i++) {
        CHECK_OK(next(s, &c, buf, sizeof buf, &len));
        CHECK_EQ(c.key_len, strlen(sorted[i]));
        CHECK_MEM_EQ(c.key, sorted[i], c.key_len);
        CHECK_MEM_EQ(buf, sorted[i], len);
    }
    CHECK_EQ(next(s, &c, buf, sizeof buf, &len), WEFT_ERR_NOT_FOUND);
    CHECK_EQ(next(s, &c, buf, sizeof buf, &len), WEFT_ERR_NOT_FOUND);
    CHECK_OK(put(s, 7, "d", "d"));
    CHECK_OK(next(s, &c, buf, sizeof buf, &len));
    c.key_len = WF_STORE_KEY_MAX + 1;
    CHECK_EQ(next(s, &c, buf, sizeof buf, &len), WEFT_ERR_USAGE);
    wf_store_close(s);
}

TEST(rows_may_go_during_a_walk_and_a_long_value_does_not_end_it)
{
    struct wf_store *s = open_store();
    struct wf_store_cursor c = {.kind = 1};
    uint8_t buf[4];
    size_t len = 0;

    CHECK_OK(put(s, 1, "a", "1"));
    CHECK_OK(put(s, 1, "b", "too long"));
    CHECK_OK(put(s, 1, "c", "3"));
    CHECK_OK(next(s, &c, buf, sizeof buf, &len));
    CHECK_OK(wf_store_delete(s, 1, wf_span_of("a")));
    CHECK_EQ(next(s, &c, buf, sizeof buf, &len), WEFT_ERR_LIMIT);
    CHECK_EQ(c.key[0], 'b');
    CHECK_OK(next(s, &c, buf, sizeof buf, &len));
    CHECK_EQ(c.key[0], 'c');
    wf_store_close(s);
}

TEST(keys_and_values_have_limits)
{
    struct wf_store *s = open_with(&(struct wf_store_limits){.value_max = 10});
    uint8_t key[WF_STORE_KEY_MAX + 1] = {0};
    uint8_t value[11] = {0};
    struct wf_store_value v = {.buf = value, .cap = 1};

    CHECK_EQ(wf_store_put(s, 1, wf_span(key, 0), wf_span(value, 1)), WEFT_ERR_USAGE);
    CHECK_OK(wf_store_put(s, 1, wf_span(key, 1), wf_span(value, 10)));
    CHECK_OK(wf_store_put(s, 1, wf_span(key, WF_STORE_KEY_MAX), wf_span(value, 10)));
    CHECK_EQ(wf_store_put(s, 1, wf_span(key, sizeof key), wf_span(value, 1)), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_store_put(s, 1, wf_span(key, 1), wf_span(value, 11)), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_store_get(s, 1, wf_span(key, 0), &v), WEFT_ERR_USAGE);
    CHECK_EQ(wf_store_get(s, 1, wf_span(key, sizeof key), &v), WEFT_ERR_LIMIT);
    CHECK_EQ(wf_store_delete(s, 1, wf_span(key, 0)), WEFT_ERR_USAGE);
    CHECK_EQ(count(s, 1), 2);
    wf_store_close(s);
}

TEST(a_full_kind_takes_no_new_key_but_new_values)
{
    struct wf_store *s = open_with(&(struct wf_store_limits){.rows_max = 2});

    CHECK_OK(put(s, 1, "a", "1"));
    CHECK_OK(put(s, 1, "b", "2"));
    CHECK_EQ(put(s, 1, "c", "3"), WEFT_ERR_LIMIT);
    CHECK_OK(put(s, 1, "b", "4"));
    CHECK_OK(put(s, 2, "c", "another kind"));
    CHECK_OK(wf_store_delete(s, 1, wf_span_of("a")));
    CHECK_OK(put(s, 1, "c", "3"));
    CHECK_EQ(count(s, 1), 2);
    check_value(s, 1, "b", "4");
    wf_store_close(s);
}

TEST(a_transaction_happens_as_a_whole_or_not_at_all)
{
    struct wf_store *s = open_store();

    CHECK_OK(put(s, 1, "a", "old"));
    CHECK_OK(wf_store_begin(s));
    CHECK_OK(put(s, 1, "a", "new"));
    CHECK_OK(put(s, 1, "b", "new"));
    CHECK_OK(wf_store_delete(s, 1, wf_span_of("a")));
    check_value(s, 1, "a", NULL);
    CHECK_EQ(count(s, 1), 1);
    wf_store_rollback(s);
    check_value(s, 1, "a", "old");
    check_value(s, 1, "b", NULL);
    CHECK_EQ(count(s, 1), 1);

    CHECK_OK(wf_store_begin(s));
    CHECK_OK(put(s, 1, "a", "new"));
    CHECK_OK(put(s, 1, "b", "new"));
    CHECK_OK(wf_store_commit(s));
    wf_store_close(s);
    s = open_store();
    check_value(s, 1, "a", "new");
    check_value(s, 1, "b", "new");
    CHECK_EQ(count(s, 1), 2);
    wf_store_close(s);
}

TEST(closing_rolls_back_what_was_not_committed)
{
    struct wf_store *s = open_store();

    CHECK_OK(wf_store_begin(s));
    CHECK_OK(put(s, 1, "a", "1"));
    wf_store_close(s);
    s = open_store();
    check_value(s, 1, "a", NULL);
    wf_store_close(s);
}

TEST(transactions_are_not_nested_and_not_ended_twice)
{
    struct wf_store *s = open_store();

    CHECK_EQ(wf_store_commit(s), WEFT_ERR_STATE);
    wf_store_rollback(s);
    CHECK_OK(wf_store_begin(s));
    CHECK_EQ(wf_store_begin(s), WEFT_ERR_STATE);
    CHECK_OK(wf_store_commit(s));
    CHECK_EQ(wf_store_commit(s), WEFT_ERR_STATE);
    wf_store_close(s);
}

TEST(a_limit_reached_inside_a_transaction_does_not_end_it)
{
    struct wf_store *s = open_with(&(struct wf_store_limits){.rows_max = 1});

    CHECK_OK(wf_store_begin(s));
    CHECK_OK(put(s, 1, "a", "1"));
    CHECK_EQ(put(s, 1, "b", "2"), WEFT_ERR_LIMIT);
    CHECK_OK(wf_store_commit(s));
    check_value(s, 1, "a", "1");
    wf_store_close(s);
}

TEST(the_file_and_its_side_files_are_private)
{
    static const char *const names[] = {"store", "store-wal", "store-shm"};
    struct stat st;
    mode_t before = umask(0);
    struct wf_store *s = open_store();
    weft_err err = put(s, 1, "a", "1");

    (void)umask(before);
    CHECK_OK(err);
    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        test_note("%s", names[i]);
        CHECK_EQ(stat(path_of(names[i]), &st), 0);
        CHECK_EQ(st.st_mode & 07777, 0600);
    }
    wf_store_close(s);

    CHECK_EQ(chmod(path_of("store"), 0666), 0);
    s = open_store();
    CHECK_EQ(stat(path_of("store"), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);
    wf_store_close(s);
}

static weft_err try_open(const char *name)
{
    struct wf_store *s = NULL;
    weft_err err = wf_store_open_sqlite(&s, path_of(name), NULL, test_mem(), &report);

    CHECK_EQ(s == NULL, err != WEFT_OK);
    wf_store_close(s);
    CHECK_EQ(report.text[0] == '\0', err == WEFT_OK);
    return err;
}

TEST(what_is_no_file_of_ours_to_open_is_refused)
{
    CHECK_EQ(mkdir(path_of("dir"), 0700), 0);
    CHECK_EQ(mkfifo(path_of("pipe"), 0600), 0);
    CHECK_EQ(symlink("target", path_of("link")), 0);
    CHECK_EQ(try_open("dir"), WEFT_ERR_DENIED);
    CHECK_EQ(try_open("pipe"), WEFT_ERR_DENIED);
    CHECK_EQ(try_open("link"), WEFT_ERR_DENIED);
    CHECK_EQ(try_open("no/such"), WEFT_ERR_NOT_FOUND);
    CHECK(access(path_of("target"), F_OK) != 0);
}

static void run_sql(const char *name, const char *sql)
{
    sqlite3 *db = NULL;
    CHECK_EQ(sqlite3_open(path_of(name), &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
}

TEST(another_programs_database_is_left_alone)
{
    run_sql("foreign", "CREATE TABLE t(x)");
    CHECK_EQ(try_open("foreign"), WEFT_ERR_EXISTS);
    run_sql("foreign2", "PRAGMA application_id=7");
    CHECK_EQ(try_open("foreign2"), WEFT_ERR_EXISTS);
    CHECK(access(path_of("foreign.damaged-1"), F_OK) != 0);
    run_sql("foreign", "INSERT INTO t VALUES(1)");
}

TEST(a_file_of_a_newer_version_is_left_alone)
{
    wf_store_close(open_store());
    run_sql("store", "PRAGMA user_version=1000");
    CHECK_EQ(try_open("store"), WEFT_ERR_STATE);
    CHECK(strstr(report.text, "newer") != NULL);
    run_sql("store", "PRAGMA user_version=-1");
    CHECK_EQ(try_open("store"), WEFT_ERR_STATE);
    run_sql("store", "PRAGMA user_version=1");
    CHECK_OK(try_open("store"));
}

TEST(two_stores_may_share_a_file_in_turns)
{
    struct wf_store *a = open_store();
    struct wf_store *b = open_store();

    CHECK_OK(put(a, 1, "k", "from a"));
    check_value(b, 1, "k", "from a");
    CHECK_OK(put(b, 1, "k", "from b"));
    check_value(a, 1, "k", "from b");
    wf_store_close(b);
    CHECK_OK(put(a, 1, "k", "again"));
    wf_store_close(a);
}

/* ---- damage ---- */

/* Enough rows for several pages. Returns the length of the file. */
static size_t fill_and_close(struct wf_store *s)
{
    struct stat st;
    uint8_t value[1000];

    memset(value, 7, sizeof value);
    CHECK_OK(wf_store_begin(s));
    for (uint8_t i = 0; i < 50; i++)
        CHECK_OK(wf_store_put(s, 1, wf_span(&i, 1), wf_span(value, sizeof value)));
    CHECK_OK(wf_store_commit(s));
    wf_store_close(s);
    CHECK_EQ(stat(path_of("store"), &st), 0);
    return (size_t)st.st_size;
}

static size_t make_full_store(void)
{
    return fill_and_close(open_store());
}

static size_t read_all(uint8_t *buf, size_t cap)
{
    int fd = open(path_of("store"), O_RDONLY);
    CHECK(fd >= 0);
    ssize_t len = read(fd, buf, cap);
    CHECK(len >= 0 && (size_t)len < cap);
    (void)close(fd);
    return (size_t)len;
}

static void overwrite(size_t at, size_t len)
{
    int fd = open(path_of("store"), O_WRONLY);
    CHECK(fd >= 0);
    for (size_t i = 0; i < len; i++)
        CHECK_EQ(pwrite(fd, "\xa5", 1, (off_t)(at + i)), 1);
    (void)close(fd);
}

static void moved_aside_and_fresh(void)
{
    struct stat st;

    CHECK_EQ(try_open("store"), WEFT_ERR_MALFORMED);
    CHECK(strstr(report.text, ".damaged-1") != NULL);
    CHECK_EQ(stat(path_of("store.damaged-1"), &st), 0);
    CHECK(st.st_size > 0);
    CHECK(access(path_of("store"), F_OK) != 0);
    CHECK(access(path_of("store-wal"), F_OK) != 0);
    struct wf_store *s = open_store();
    CHECK_EQ(count(s, 1), 0);
    wf_store_close(s);
}

TEST(a_file_that_is_no_database_is_moved_aside_and_kept)
{
    (void)make_full_store();
    overwrite(0, 100);
    moved_aside_and_fresh();
}

TEST(a_file_cut_short_is_moved_aside_and_kept)
{
    size_t len = make_full_store();
    CHECK_EQ(truncate(path_of("store"), (off_t)len / 2), 0);
    moved_aside_and_fresh();
}

TEST(a_damaged_page_is_found_on_opening)
{
    size_t len = make_full_store();
    overwrite(len - 4096, 64); /* the head of the last page */
    moved_aside_and_fresh();
}

static struct wf_store *open_scratch(void)
{
    return open_with(&(struct wf_store_limits){.is_scratch = true});
}

TEST(scratch_begins_empty_and_works_like_any_store)
{
    struct wf_store *s = open_scratch();

    CHECK_OK(put(s, 1, "a", "first"));
    check_value(s, 1, "a", "first");
    CHECK_EQ(count(s, 1), 1);
    wf_store_close(s);
    s = open_scratch();
    CHECK_EQ(count(s, 1), 0);
    check_value(s, 1, "a", NULL);
    CHECK_OK(put(s, 1, "a", "second"));
    check_value(s, 1, "a", "second");
    wf_store_close(s);
}

TEST(damaged_scratch_is_made_anew)
{
    size_t len = fill_and_close(open_scratch());

    for (size_t at = 100; at < len; at += 512) /* all but the header that says whose it is */
        overwrite(at, 400);
    struct wf_store *s = open_scratch();
    CHECK_EQ(count(s, 1), 0);
    CHECK_OK(put(s, 1, "a", "first"));
    check_value(s, 1, "a", "first");
    wf_store_close(s);
    CHECK(access(path_of("store.damaged-1"), F_OK) != 0);
}

/* What is there, with a mode that a store of ours would not have, is as it was after the attempt.
 */
static void check_left_alone(void)
{
    const struct wf_store_limits scratch = {.is_scratch = true};
    static uint8_t before[1u << 18];
    static uint8_t after[1u << 18];
    struct wf_store *s = NULL;
    struct stat st;

    CHECK_EQ(chmod(path_of("store"), 0644), 0);
    size_t len = read_all(before, sizeof before);
    CHECK_EQ(wf_store_open_sqlite(&s, path_of("store"), &scratch, test_mem(), &report),
             WEFT_ERR_EXISTS);
    CHECK(strstr(report.text, "left alone") != NULL);
    CHECK(strstr(report.text, path_of("store")) != NULL);
    CHECK_EQ(read_all(after, sizeof after), len);
    CHECK_MEM_EQ(after, before, len);
    CHECK_EQ(stat(path_of("store"), &st), 0);
    CHECK_EQ(st.st_mode & 0777u, 0644);
    CHECK(access(path_of("store.damaged-1"), F_OK) != 0);
}

TEST(what_is_no_scratch_of_ours_is_left_alone)
{
    (void)make_full_store(); /* one that is kept */
    check_left_alone();
    overwrite(0, 100); /* no database at all */
    check_left_alone();
    CHECK_EQ(truncate(path_of("store"), 2), 0); /* SQLite takes one byte for none */
    check_left_alone();
    CHECK_EQ(unlink(path_of("store")), 0);
    run_sql("store", "CREATE TABLE t(a); INSERT INTO t VALUES(1)"); /* another program's */
    check_left_alone();
}

TEST(scratch_is_made_in_an_empty_file)
{
    int fd = open(path_of("store"), O_RDWR | O_CREAT, 0644);

    CHECK(fd >= 0);
    (void)close(fd);
    wf_store_close(open_scratch());
}

TEST(scratch_is_not_taken_for_a_store)
{
    wf_store_close(open_scratch());
    CHECK_EQ(try_open("store"), WEFT_ERR_EXISTS);
}

TEST(a_second_damaged_file_does_not_replace_the_first)
{
    (void)make_full_store();
    overwrite(0, 100);
    CHECK_EQ(try_open("store"), WEFT_ERR_MALFORMED);
    (void)make_full_store();
    overwrite(0, 100);
    CHECK_EQ(try_open("store"), WEFT_ERR_MALFORMED);
    CHECK(strstr(report.text, ".damaged-2") != NULL);
    CHECK_EQ(access(path_of("store.damaged-1"), F_OK), 0);
    CHECK_EQ(access(path_of("store.damaged-2"), F_OK), 0);
}

TEST(any_damaged_bytes_are_found_or_harmless)
{
    uint64_t state = test_seed();
    size_t len = make_full_store();
    size_t found = 0;

    for (int i = 0; i < 60; i++) {
        struct wf_store *s = NULL;
        uint8_t buf[2000];
        size_t got = 0;
        /* Anywhere, and in turn at the head of a page, where it hurts. */
        size_t at = test_next(&state) % (len - 16);
        at = i % 2 == 0 ? at : at / 4096 * 4096;
        test_note("16 bytes at %zu of %zu, round %d", at, len, i);
        overwrite(at, 16);
        weft_err err = wf_store_open_sqlite(&s, path_of("store"), NULL, test_mem(), &report);
        if (err == WEFT_OK) {
            struct wf_store_cursor c = {.kind = 1};
            for (int row = 0; row < 60 && err == WEFT_OK; row++)
                err = next(s, &c, buf, sizeof buf, &got);
            wf_store_close(s);
        } else {
            found++;
        }
        (void)unlink(path_of("store"));
        (void)unlink(path_of("store-wal"));
        (void)unlink(path_of("store-shm"));
        CHECK_EQ(make_full_store(), len);
    }
    CHECK(found > 0);
}

/* ---- a full disk ---- */

TEST(a_full_store_says_so_and_keeps_what_it_has)
{
    struct wf_store *s = open_with(&(struct wf_store_limits){.bytes_max = 200000});
    uint8_t value[5000];
    uint8_t n = 0;
    weft_err err = WEFT_OK;

    memset(value, 9, sizeof value);
    for (; n < 200 && err == WEFT_OK; n++)
        err = wf_store_put(s, 1, wf_span(&n, 1), wf_span(value, sizeof value));
    CHECK_EQ(err, WEFT_ERR_NO_SPACE);
    CHECK(n > 5);
    CHECK_EQ(count(s, 1), n - 1u);
    n = 0;
    CHECK_OK(wf_store_delete(s, 1, wf_span(&n, 1)));
    CHECK_OK(wf_store_put(s, 1, wf_span(&n, 1), wf_span(value, sizeof value)));
    wf_store_close(s);
}

TEST(a_transaction_that_met_a_full_store_cannot_be_committed)
{
    struct wf_store *s = open_with(&(struct wf_store_limits){.bytes_max = 200000});
    uint8_t value[60000] = {0};
    weft_err err = WEFT_OK;

    CHECK_OK(put(s, 2, "before", "x"));
    CHECK_OK(wf_store_begin(s));
    CHECK_OK(put(s, 2, "inside", "x"));
    for (uint8_t n = 0; n < 20 && err == WEFT_OK; n++)
        err = wf_store_put(s, 1, wf_span(&n, 1), wf_span(value, sizeof value));
    CHECK_EQ(err, WEFT_ERR_NO_SPACE);
    CHECK_EQ(put(s, 2, "after", "x"), WEFT_ERR_STATE);
    CHECK_EQ(wf_store_delete(s, 2, wf_span_of("before")), WEFT_ERR_STATE);
    CHECK_EQ(wf_store_commit(s), WEFT_ERR_STATE);
    check_value(s, 2, "before", "x");
    check_value(s, 2, "inside", NULL);
    check_value(s, 2, "after", NULL);
    CHECK_OK(put(s, 2, "later", "x"));
    CHECK_EQ(count(s, 1), 0);
    wf_store_close(s);
}

/* In a child whose files may not grow: fills the store, then sees that it still reads. 0 when all
 * went well. */
static int fill_disk(struct wf_store *s)
{
    struct rlimit limit = {300000, 300000};
    uint8_t value[5000] = {0};
    weft_err err = WEFT_OK;
    uint8_t n = 0;
    uint64_t rows = 0;

    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    for (; n < 250 && err == WEFT_OK; n++)
        err = wf_store_put(s, 1, wf_span(&n, 1), wf_span(value, sizeof value));
    if (err != WEFT_ERR_NO_SPACE)
        return 10 + (int)err;
    if (wf_store_count(s, 1, &rows) != WEFT_OK || rows != n - 1u)
        return 2;
    return 100 + (int)rows;
}

TEST(a_full_disk_says_so_and_loses_nothing_acknowledged)
{
    struct wf_store *s = NULL;
    int status = -1;

    wf_store_close(open_store()); /* before the child, which would have a folder of its own */
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        if (wf_store_open_sqlite(&s, path_of("store"), NULL, test_mem(), NULL) != WEFT_OK)
            _exit(1);
        _exit(fill_disk(s));
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) > 100);
    s = open_store();
    CHECK_EQ(count(s, 1), WEXITSTATUS(status) - 100);
    CHECK_OK(put(s, 1, "and on", "x"));
    wf_store_close(s);
}

TEST(every_failing_allocation_is_reported_and_leaks_nothing)
{
    for (uint64_t n = 1; n <= 2; n++) {
        struct wf_mem *mem = test_mem();
        struct wf_store *s = NULL;
        mem->fail_at = n;
        CHECK_EQ(wf_store_open_sqlite(&s, path_of("store"), NULL, mem, &report), WEFT_ERR_NOMEM);
        CHECK(s == NULL);
        CHECK_EQ(mem->held, 0);
    }
}
