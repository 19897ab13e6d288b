/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_open.c - from a path to a database that is ours, whole, private and safe against a crash.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite_priv.h"

/* "weft" and "wefs" in ASCII: say whose file it is, in its header. Scratch has its own, since what
 * is in it goes without a question: a store that somebody keeps must not be taken for it. */
#define APPLICATION_ID 0x77656674
#define SCRATCH_ID 0x77656673
#define BUSY_MS 5000
#define PAGE_BYTES 4096u

void wf_sqlite_say(struct wf_store_report *report, const char *fmt, ...)
{
    va_list args;

    if (report == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(report->text, sizeof report->text, fmt, args);
    va_end(args);
}

/* Why a file could not be read or written. By the time the call returns errno is about something
 * later; the files themselves remember. The log of changes is asked first, since it is what is
 * written. */
static int last_errno(sqlite3 *db)
{
    sqlite3_file *log = NULL;
    int reason = 0;

    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
        log != NULL && log->pMethods != NULL) {
        (void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &reason);
    }
    if (reason == 0) {
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &reason);
    }
    return reason != 0 ? reason : sqlite3_system_errno(db);
}

weft_err wf_sqlite_error(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return WEFT_OK;
    case SQLITE_NOMEM:
        return WEFT_ERR_NOMEM;
    case SQLITE_FULL:
        return WEFT_ERR_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return WEFT_ERR_TIMEOUT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return WEFT_ERR_MALFORMED;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return WEFT_ERR_DENIED;
    case SQLITE_TOOBIG:
        return WEFT_ERR_LIMIT;
    case SQLITE_IOERR:
        return wf_store_file_error(last_errno(db));
    case SQLITE_CANTOPEN:
        return wf_store_file_error(sqlite3_system_errno(db));
    default:
        return WEFT_ERR_IO;
    }
}

weft_err wf_sqlite_run(sqlite3 *db, const char *sql)
{
    return wf_sqlite_error(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

weft_err wf_sqlite_number(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    if (code == SQLITE_ROW) {
        *out = sqlite3_column_int64(st, 0);
    }
    weft_err err = code == SQLITE_DONE ? WEFT_ERR_MALFORMED : wf_sqlite_error(db, code);
    (void)sqlite3_finalize(st);
    return err;
}

/* ---- versions of the schema ---- */

/* Row n turns version n into n + 1. Rows are added at the end and never changed. */
static const char *const steps[] = {
    "CREATE TABLE rows(kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(kind, key)) WITHOUT ROWID;"
    "CREATE TABLE kinds(kind INTEGER PRIMARY KEY, count INTEGER NOT NULL);"
    /* The count of a kind is kept, so that a limit costs no walk over its rows. */
    "CREATE TRIGGER row_in AFTER INSERT ON rows BEGIN"
    " INSERT INTO kinds VALUES(new.kind, 1) ON CONFLICT(kind) DO UPDATE SET count = count + 1; END;"
    "CREATE TRIGGER row_out AFTER DELETE ON rows BEGIN"
    " UPDATE kinds SET count = count - 1 WHERE kind = old.kind; END;",
};

static weft_err run_steps(sqlite3 *db, int64_t version, int64_t id)
{
    char sql[96];

    for (; version < (int64_t)WF_ARRAY_LEN(steps); version++) {
        weft_err err = wf_sqlite_run(db, steps[version]);
        if (err != WEFT_OK)
            return err;
    }
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", (int)id,
                   (int)WF_ARRAY_LEN(steps));
    return wf_sqlite_run(db, sql);
}

/* Brings the tables to our version, and says in the header whose they are. */
static weft_err migrate(sqlite3 *db, int64_t id, struct wf_store_report *report)
{
    int64_t version = 0;
    /* The version is read inside, so that two programs that start together do not both migrate. */
    weft_err err = wf_sqlite_run(db, "BEGIN IMMEDIATE");

    if (err != WEFT_OK)
        return err;
    err = wf_sqlite_number(db, "PRAGMA user_version", &version);
    if (err == WEFT_OK && (version < 0 || version > (int64_t)WF_ARRAY_LEN(steps))) {
        wf_sqlite_say(report, "the store was written by a newer version of this program");
        err = WEFT_ERR_STATE;
    }
    if (err == WEFT_OK && version < (int64_t)WF_ARRAY_LEN(steps)) {
        err = run_steps(db, version, id);
    }
    if (err == WEFT_OK) {
        err = wf_sqlite_run(db, "COMMIT");
    }
    if (err != WEFT_OK) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return err;
}

/* ---- the database ---- */

static weft_err integrity(sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL);
    bool fine = false;

    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    if (code == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(st, 0);
        fine = text != NULL && strcmp((const char *)text, "ok") == 0;
    }
    weft_err err = wf_sqlite_error(db, code);
    (void)sqlite3_finalize(st);
    if (err != WEFT_OK)
        return err;
    return fine ? WEFT_OK : WEFT_ERR_MALFORMED;
}

static int64_t id_of(const struct wf_store_limits *limits)
{
    return limits->is_scratch ? SCRATCH_ID : APPLICATION_ID;
}

/* Ours, or nobody's yet. */
static weft_err check_owner(struct sqlite_store *s, const char *path,
                            const struct wf_store_limits *limits, struct wf_store_report *report)
{
    int64_t id = 0;
    int64_t tables = 0;
    weft_err err = wf_sqlite_number(s->db, "PRAGMA application_id", &id);

    s->is_ours = err == WEFT_OK && id == id_of(limits);
    if (err == WEFT_OK) {
        err = wf_sqlite_number(s->db, "SELECT count(*) FROM sqlite_master", &tables);
    }
    if (err != WEFT_OK || s->is_ours || (id == 0 && tables == 0))
        return err;
    wf_sqlite_say(report, "the file %s is another program's database", path);
    return WEFT_ERR_EXISTS;
}

/* Before the first read: nothing the file says is trusted more than its rows. */
static weft_err set_careful(sqlite3 *db)
{
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return wf_sqlite_run(db, "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY");
}

/* Full synchronisation: what was acknowledged survives a power cut, not only our own end. Scratch
 * does not outlive us. */
static weft_err set_durable(sqlite3 *db, const struct wf_store_limits *limits)
{
    static const char durable[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                  "PRAGMA secure_delete=ON; PRAGMA journal_size_limit=1048576";
    static const char scratch[] = "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;"
                                  "PRAGMA locking_mode=EXCLUSIVE";
    char sql[64];
    weft_err err = wf_sqlite_run(db, limits->is_scratch ? scratch : durable);

    if (err != WEFT_OK)
        return err;
    (void)snprintf(sql, sizeof sql, "PRAGMA max_page_count=%llu",
                   (unsigned long long)(limits->bytes_max / PAGE_BYTES + 1));
    return wf_sqlite_run(db, sql);
}

/* What another process left behind goes; migration makes the tables again. */
static weft_err empty(sqlite3 *db)
{
    return wf_sqlite_run(db,
                         "BEGIN IMMEDIATE; DROP TABLE IF EXISTS rows; DROP TABLE IF EXISTS kinds;"
                         "PRAGMA user_version=0; COMMIT");
}

static weft_err prepare_file(struct sqlite_store *s, const char *path,
                             const struct wf_store_limits *limits, struct wf_store_report *report)
{
    sqlite3 *db = s->db;
    weft_err err = set_careful(db);

    if (err == WEFT_OK) {
        err = check_owner(s, path, limits, report);
    }
    if (err == WEFT_OK && !limits->is_scratch) {
        err = integrity(db);
    }
    if (err == WEFT_OK) {
        err = set_durable(db, limits);
    }
    if (err == WEFT_OK && limits->is_scratch) {
        err = empty(db);
    }
    if (err == WEFT_OK) {
        err = migrate(db, id_of(limits), report);
    }
    return err;
}

/* A damaged file is closed as it is: no last change is written into what somebody may want to
 * repair. */
static void close_untouched(struct sqlite_store *s, weft_err err)
{
    if (err == WEFT_ERR_MALFORMED) {
        (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    (void)sqlite3_close(s->db);
    s->db = NULL;
}

/* Scratch is emptied or deleted without a question, so a wrong word in a configuration must not
 * cost anybody a file: whose it is is found out before a bit of it, or its mode, is changed. */
static weft_err check_scratch(struct sqlite_store *s, const char *path,
                              struct wf_store_report *report)
{
    static const struct wf_store_limits scratch = {.is_scratch = true};
    int code = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    weft_err err = wf_sqlite_error(s->db, code);

    if (err == WEFT_OK) {
        err = set_careful(s->db);
    }
    if (err == WEFT_OK) {
        err = check_owner(s, path, &scratch, NULL);
    }
    (void)sqlite3_close(s->db);
    s->db = NULL;
    if (err == WEFT_ERR_MALFORMED) {
        err = s->is_ours ? WEFT_OK : WEFT_ERR_EXISTS; /* ours is made anew, later */
    }
    if (err == WEFT_ERR_EXISTS) {
        wf_sqlite_say(report,
                      "the file %s holds something else, and was left alone; move it away, or name "
                      "a file that is not there yet",
                      path);
    }
    return err;
}

static weft_err open_once(struct sqlite_store *s, const char *path,
                          const struct wf_store_limits *limits, struct wf_store_report *report)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

    weft_err err = wf_sqlite_check_file(path, report);
    if (err != WEFT_OK)
        return err;
    int code = sqlite3_open_v2(path, &s->db, flags, NULL);
    err = wf_sqlite_error(s->db, code);
    if (err == WEFT_OK) {
        err = prepare_file(s, path, limits, report);
    }
    if (err == WEFT_OK)
        return WEFT_OK;
    if (report != NULL && report->text[0] == '\0') {
        wf_sqlite_say(report, "the store %s cannot be used: %s", path, sqlite3_errmsg(s->db));
    }
    close_untouched(s, err);
    return err;
}

weft_err wf_sqlite_open_file(struct sqlite_store *s, const char *path,
                             const struct wf_store_limits *limits, struct wf_store_report *report)
{
    weft_err err = WEFT_OK;

    wf_sqlite_say(report, "%s", "");
    if (limits->is_scratch && wf_sqlite_is_filled(path)) {
        err = check_scratch(s, path, report);
    }
    if (err == WEFT_OK) {
        err = open_once(s, path, limits, report);
    }
    if (err == WEFT_ERR_MALFORMED && !limits->is_scratch) {
        wf_sqlite_move_aside(path, report);
    }
    if (err != WEFT_ERR_MALFORMED || !limits->is_scratch || !s->is_ours)
        return err;
    wf_sqlite_remove_file(path);
    wf_sqlite_say(report, "%s", "");
    return open_once(s, path, limits, report);
}
