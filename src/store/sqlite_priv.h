/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_priv.h - what opening a SQLite file and using it have in common.
 */
#ifndef WF_STORE_SQLITE_PRIV_H
#define WF_STORE_SQLITE_PRIV_H

#include <sqlite3.h>

#include "store/backend.h"

enum sqlite_statement {
    STATEMENT_GET,
    STATEMENT_PUT,
    STATEMENT_REMOVE,
    STATEMENT_COUNT,
    STATEMENT_NEXT,
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENTS,
};

struct sqlite_store {
    sqlite3 *db;
    bool is_ours; /* its header says so */
    sqlite3_stmt *statements[STATEMENTS];
    struct wf_mem *mem;
};

/* What a result of SQLite means; SQLITE_OK, _ROW and _DONE are WEFT_OK. */
weft_err wf_sqlite_error(sqlite3 *db, int code);

weft_err wf_store_file_error(int code); /* of an errno */

/* Makes sure that there is a file and that nobody else can read it; SQLite gives its side files the
 * same mode. */
weft_err wf_sqlite_check_file(const char *path, struct wf_store_report *report);

bool wf_sqlite_is_filled(const char *path); /* a regular file with something in it */

/* Renames a damaged file and what belongs to it, and says where it is now. */
void wf_sqlite_move_aside(const char *path, struct wf_store_report *report);

/* A scratch file that was cut off in the middle of a change is worth nothing. */
void wf_sqlite_remove_file(const char *path);

/* Opens, checks and prepares the file; on failure the file is closed again. */
weft_err wf_sqlite_open_file(struct sqlite_store *s, const char *path,
                             const struct wf_store_limits *limits, struct wf_store_report *report);

void wf_sqlite_say(struct wf_store_report *report, const char *fmt, ...) WEFT_PRINTF(2, 3);

/* Runs one statement without results. */
weft_err wf_sqlite_run(sqlite3 *db, const char *sql);

/* The first column of the first row, as a number. */
weft_err wf_sqlite_number(sqlite3 *db, const char *sql, int64_t *out);

#endif
