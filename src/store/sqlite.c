/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite.c - the store on SQLite: one prepared statement for each thing it does.
 */
#include <string.h>

#include "store/sqlite_priv.h"

static const char *const sql_of[STATEMENTS] = {
    [STATEMENT_GET] = "SELECT value FROM rows WHERE kind=?1 AND key=?2",
    [STATEMENT_PUT] = ("INSERT INTO rows VALUES(?1, ?2, ?3)"
                       " ON CONFLICT(kind, key) DO UPDATE SET value=excluded.value"),
    [STATEMENT_REMOVE] = "DELETE FROM rows WHERE kind=?1 AND key=?2",
    [STATEMENT_COUNT] = "SELECT count FROM kinds WHERE kind=?1",
    [STATEMENT_NEXT] = "SELECT value, key FROM rows WHERE kind=?1 AND key>?2 ORDER BY key LIMIT 1",
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
};

/* An empty blob must not become NULL, which compares with nothing. */
static int bind_blob(sqlite3_stmt *st, int index, weft_span bytes)
{
    if (bytes.len == 0)
        return sqlite3_bind_zeroblob(st, index, 0);
    return sqlite3_bind_blob64(st, index, bytes.data, bytes.len, SQLITE_STATIC);
}

static int bind_row(sqlite3_stmt *st, uint8_t kind, weft_span key)
{
    int code = sqlite3_bind_int(st, 1, kind);

    return code == SQLITE_OK ? bind_blob(st, 2, key) : code;
}

/* Reads the error before reset forgets it. */
static weft_err finish(struct sqlite_store *s, sqlite3_stmt *st, int code)
{
    weft_err err = wf_sqlite_error(s->db, code);

    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    return err;
}

static weft_err take_value(sqlite3_stmt *st, struct wf_store_value *value)
{
    size_t len = (size_t)sqlite3_column_bytes(st, 0);
    const void *data = sqlite3_column_blob(st, 0);

    if (len > value->cap)
        return WEFT_ERR_LIMIT;
    if (len > 0 && data == NULL)
        return WEFT_ERR_NOMEM;
    if (len > 0) {
        memcpy(value->buf, data, len);
    }
    value->len = len;
    return WEFT_OK;
}

static weft_err sqlite_get(void *self, uint8_t kind, weft_span key, struct wf_store_value *value)
{
    struct sqlite_store *s = self;
    sqlite3_stmt *st = s->statements[STATEMENT_GET];
    weft_err taken = WEFT_ERR_NOT_FOUND;
    int code = bind_row(st, kind, key);

    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    if (code == SQLITE_ROW) {
        taken = take_value(st, value);
    }
    weft_err err = finish(s, st, code);
    return err == WEFT_OK ? taken : err;
}

static weft_err sqlite_put(void *self, uint8_t kind, weft_span key, weft_span value)
{
    struct sqlite_store *s = self;
    sqlite3_stmt *st = s->statements[STATEMENT_PUT];
    int code = bind_row(st, kind, key);

    if (code == SQLITE_OK) {
        code = bind_blob(st, 3, value);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    return finish(s, st, code);
}

static weft_err sqlite_remove(void *self, uint8_t kind, weft_span key)
{
    struct sqlite_store *s = self;
    sqlite3_stmt *st = s->statements[STATEMENT_REMOVE];
    int code = bind_row(st, kind, key);

    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    return finish(s, st, code);
}

static weft_err sqlite_count(void *self, uint8_t kind, uint64_t *rows)
{
    struct sqlite_store *s = self;
    sqlite3_stmt *st = s->statements[STATEMENT_COUNT];
    int64_t count = 0;
    int code = sqlite3_bind_int(st, 1, kind);

    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    if (code == SQLITE_ROW) {
        count = sqlite3_column_int64(st, 0);
    }
    weft_err err = finish(s, st, code);
    if (err == WEFT_OK) {
        *rows = count > 0 ? (uint64_t)count : 0;
    }
    return err;
}

static weft_err take_key(sqlite3_stmt *st, struct wf_store_cursor *c)
{
    size_t len = (size_t)sqlite3_column_bytes(st, 1);
    const void *data = sqlite3_column_blob(st, 1);

    if (len == 0 || len > WF_STORE_KEY_MAX || data == NULL)
        return WEFT_ERR_MALFORMED;
    memcpy(c->key, data, len);
    c->key_len = len;
    return WEFT_OK;
}

static weft_err sqlite_next(void *self, struct wf_store_cursor *c, struct wf_store_value *value)
{
    struct sqlite_store *s = self;
    sqlite3_stmt *st = s->statements[STATEMENT_NEXT];
    weft_err taken = WEFT_ERR_NOT_FOUND;
    int code = bind_row(st, c->kind, (weft_span){c->key, c->key_len});

    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    if (code == SQLITE_ROW) {
        taken = take_key(st, c);
        taken = taken == WEFT_OK ? take_value(st, value) : taken;
    }
    weft_err err = finish(s, st, code);
    return err == WEFT_OK ? taken : err;
}

static weft_err run(struct sqlite_store *s, enum sqlite_statement which)
{
    sqlite3_stmt *st = s->statements[which];

    return finish(s, st, sqlite3_step(st));
}

static weft_err sqlite_begin(void *self)
{
    return run(self, STATEMENT_BEGIN);
}

static weft_err sqlite_commit(void *self)
{
    struct sqlite_store *s = self;

    /* After a full disk SQLite may have rolled back by itself: then nothing was committed. */
    if (sqlite3_get_autocommit(s->db) != 0)
        return WEFT_ERR_IO;
    return run(s, STATEMENT_COMMIT);
}

static void sqlite_rollback(void *self)
{
    struct sqlite_store *s = self;

    if (sqlite3_get_autocommit(s->db) == 0) {
        (void)run(s, STATEMENT_ROLLBACK);
    }
}

static void sqlite_close(void *self)
{
    struct sqlite_store *s = self;

    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(s->statements[i]);
    }
    (void)sqlite3_close(s->db);
    wf_free(s->mem, s, sizeof *s);
}

static const struct wf_store_ops sqlite_ops = {
    .close = sqlite_close,
    .get = sqlite_get,
    .put = sqlite_put,
    .remove = sqlite_remove,
    .count = sqlite_count,
    .next = sqlite_next,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
};

static weft_err prepare(struct sqlite_store *s)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        int code = sqlite3_prepare_v3(s->db, sql_of[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &s->statements[i], NULL);
        if (code != SQLITE_OK)
            return wf_sqlite_error(s->db, code);
    }
    return WEFT_OK;
}

weft_err wf_store_open_sqlite(struct wf_store **out, const char *path,
                              const struct wf_store_limits *limits, struct wf_mem *mem,
                              struct wf_store_report *report)
{
    struct wf_store_limits real = wf_store_limits_or_default(limits);
    struct sqlite_store *s = wf_alloc(mem, sizeof *s);

    if (s == NULL)
        return WEFT_ERR_NOMEM;
    s->mem = mem;
    weft_err err = wf_sqlite_open_file(s, path, &real, report);
    if (err == WEFT_OK) {
        err = prepare(s);
    }
    if (err == WEFT_OK) {
        err = wf_store_wrap(out, &sqlite_ops, s, &real, mem);
    }
    if (err != WEFT_OK) {
        sqlite_close(s);
    }
    return err;
}
