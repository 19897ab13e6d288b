/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - small things that must survive a restart: (kind, key) -> value, with transactions. What
 * kinds there are and what their bytes mean is known above; here they are numbers and bytes.
 *
 * A call that returned WEFT_OK outside a transaction, and a commit that returned WEFT_OK, are on
 * the disk (unless the store is scratch).
 *
 * Threads  One thread at a time per store; calls wait for the disk.
 * Errors   WEFT_ERR_NO_SPACE: the disk, or the store's own limit, is full. WEFT_ERR_LIMIT: too
 * long, or too many of that kind. WEFT_ERR_MALFORMED: the file is damaged. WEFT_ERR_DENIED: the
 * file may not be written. WEFT_ERR_TIMEOUT: another process holds it. WEFT_ERR_STATE: no
 * transaction, or one already. WEFT_ERR_IO.
 */
#ifndef WF_STORE_STORE_H
#define WF_STORE_STORE_H

#include "base/mem.h"

#define WF_STORE_KINDS 256u
#define WF_STORE_KEY_MAX 256u
/* Used where a limit is 0. */
#define WF_STORE_VALUE_MAX 65536u
#define WF_STORE_ROWS_MAX 1000000u
#define WF_STORE_BYTES_MAX (1ull << 30)
#define WF_STORE_TEXT_MAX 512u

struct wf_store;

struct wf_store_limits {
    size_t value_max;   /* bytes of one value */
    uint64_t rows_max;  /* of one kind */
    uint64_t bytes_max; /* of the whole store on the disk */
    bool is_scratch;    /* what it holds means nothing to the next process: begins empty, and waits
                           for no disk */
};

/* Says to a person what was wrong with the file; empty when nothing was. */
struct wf_store_report {
    char text[WF_STORE_TEXT_MAX];
};

/* Opens the SQLite file at path, or makes it, readable by its owner alone.
 *
 * A damaged file is moved aside, never deleted: WEFT_ERR_MALFORMED, and report names the place. The
 * next open begins with an empty store (as does one of a file cut to nothing), so the caller must
 * not simply try again: what was allowed and pinned would be forgotten. WEFT_ERR_STATE: written by
 * a newer version; left alone. WEFT_ERR_EXISTS: another program's database; left alone.
 * WEFT_ERR_KEY_EXPOSED: the file belongs to somebody else. report may be NULL.
 *
 * Scratch is made anew where it is damaged; a file that is not empty and not such scratch is not
 * touched: WEFT_ERR_EXISTS. */
WEFT_NODISCARD weft_err wf_store_open_sqlite(struct wf_store **out, const char *path,
                                             const struct wf_store_limits *limits,
                                             struct wf_mem *mem, struct wf_store_report *report);

/* Rolls back what was not committed. NULL is allowed. */
void wf_store_close(struct wf_store *s);

/* Where a value is copied to. The caller gives room; len is written on success. */
struct wf_store_value {
    uint8_t *buf;
    size_t cap;
    size_t len;
};

/* Copies the value. WEFT_ERR_NOT_FOUND. WEFT_ERR_LIMIT: it has more than cap bytes. */
WEFT_NODISCARD weft_err wf_store_get(struct wf_store *s, uint8_t kind, weft_span key,
                                     struct wf_store_value *value);

/* Sets the value, whether there was one or not. The key has 1..WF_STORE_KEY_MAX bytes; the value
 * may be empty. */
WEFT_NODISCARD weft_err wf_store_put(struct wf_store *s, uint8_t kind, weft_span key,
                                     weft_span value);

/* WEFT_OK too when there was none. */
WEFT_NODISCARD weft_err wf_store_delete(struct wf_store *s, uint8_t kind, weft_span key);

/* Rows of a kind. */
WEFT_NODISCARD weft_err wf_store_count(struct wf_store *s, uint8_t kind, uint64_t *rows);

/* Where a walk over one kind stands: the key last seen. Zeroed but for the kind, it stands before
 * the first. */
struct wf_store_cursor {
    uint8_t kind;
    size_t key_len;
    uint8_t key[WF_STORE_KEY_MAX];
};

/* Goes on to the next key in the order of bytes, and copies its value. Rows may come and go during
 * a walk. WEFT_ERR_NOT_FOUND: there is none. WEFT_ERR_LIMIT: the value has more than cap bytes; the
 * cursor has moved, so the walk can go on. */
WEFT_NODISCARD weft_err wf_store_next(struct wf_store *s, struct wf_store_cursor *c,
                                      struct wf_store_value *value);

/* All between begin and commit happens or nothing does. After an error inside other than
 * WEFT_ERR_LIMIT nothing more is taken (WEFT_ERR_STATE) but a rollback. A commit that fails has
 * rolled back. */
WEFT_NODISCARD weft_err wf_store_begin(struct wf_store *s);
WEFT_NODISCARD weft_err wf_store_commit(struct wf_store *s);
void wf_store_rollback(struct wf_store *s);

#endif
