/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - files as a program that talks to strangers needs them: small ones read whole or
 * replaced at a stroke, large ones received in part, resumed, and given their name only when they
 * are complete.
 *
 * Errors are those of wf_file_error: WEFT_ERR_NOT_FOUND, WEFT_ERR_EXISTS, WEFT_ERR_DENIED (a
 * symbolic link where none may be, too), WEFT_ERR_NO_SPACE, WEFT_ERR_NOMEM, WEFT_ERR_LIMIT,
 * WEFT_ERR_IO. errno has the reason.
 *
 * Disk full reaches us as an error only if SIGXFSZ is ignored: wf_process_harden.
 *
 * Threads  Any; these calls wait for the disk, so a loop's thread makes short ones only.
 */
#ifndef WF_NET_FILES_H
#define WF_NET_FILES_H

#include <sys/types.h>

#include "base/mem.h"
#include "net/filename.h"

/* ---- small files, by path ---- */

struct wf_file_rules {
    size_t len_max;  /* a longer file is WEFT_ERR_LIMIT */
    bool no_link;    /* the last component may not be a symbolic link */
    bool owner_only; /* WEFT_ERR_KEY_EXPOSED when group or others may do anything, or it is somebody
                        else's */
    struct wf_mem *mem;
};

/* A whole file, in a block of exactly *len bytes (NULL for an empty file) that the caller wipes and
 * wf_frees. Only regular files; one that changes while it is read is WEFT_ERR_IO. */
WEFT_NODISCARD weft_err wf_file_read(const char *path, const struct wf_file_rules *rules,
                                     uint8_t **data, size_t *len);

/* Replaces the file, or makes it, at a stroke: after a crash there is the old content or the new,
 * on the disk. */
WEFT_NODISCARD weft_err wf_file_write(const char *path, weft_span data, mode_t mode);

/* The same, but WEFT_ERR_EXISTS when there already is such a name. */
WEFT_NODISCARD weft_err wf_file_create(const char *path, weft_span data, mode_t mode);

/* ---- folders ---- */

/* A folder held open: names below it are looked up in it alone, whatever happens to its path. */
struct wf_folder {
    int fd;
};

WEFT_NODISCARD weft_err wf_folder_open(struct wf_folder *f, const char *path);

/* Makes what is missing of the path, with this mode, and opens it. */
WEFT_NODISCARD weft_err wf_folder_make(struct wf_folder *f, const char *path, mode_t mode);
void wf_folder_close(struct wf_folder *f);

/* A regular file of that name for reading, with its length. The name may come from a peer:
 * WEFT_ERR_DENIED when it is no safe name, or anything but a regular file. */
WEFT_NODISCARD weft_err wf_folder_open_file(const struct wf_folder *f, weft_span name, int *fd,
                                            uint64_t *len);

/* WEFT_ERR_NOT_FOUND when there is none. */
WEFT_NODISCARD weft_err wf_folder_remove(const struct wf_folder *f, weft_span name);

/* ---- partial files ---- */

/* A file that is being received. It stays under its own name ".weft-…" until it is whole. */
struct wf_part {
    struct wf_folder folder; /* the caller's, open for as long as the part */
    int fd;
    uint64_t len;
    char name[WF_FILE_NAME_MAX + 1];
};

/* Opens the part of that name, or makes an empty one; *part has its length, to go on from. The name
 * begins with WF_FILE_OWN_PREFIX. WEFT_ERR_STATE: somebody else is writing it. */
WEFT_NODISCARD weft_err wf_part_open(struct wf_part *part, const struct wf_folder *folder,
                                     weft_span name);

/* Writes all of data at that place. On WEFT_ERR_NO_SPACE what fitted is there and len says where it
 * ends. */
WEFT_NODISCARD weft_err wf_part_write(struct wf_part *part, uint64_t at, weft_span data);

/* Reads back up to cap bytes, for a digest; *got is 0 at the end. */
WEFT_NODISCARD weft_err wf_part_read(const struct wf_part *part, uint64_t at, uint8_t *buf,
                                     size_t cap, size_t *got);
WEFT_NODISCARD weft_err wf_part_truncate(struct wf_part *part, uint64_t len);

/* Puts what was written so far on the disk. */
WEFT_NODISCARD weft_err wf_part_sync(const struct wf_part *part);

/* Whole: on the disk, then renamed and closed. Without replace an existing file is WEFT_ERR_EXISTS.
 * On an error the part stays open. */
WEFT_NODISCARD weft_err wf_part_finish(struct wf_part *part, weft_span name, bool replace);

/* Closes, and keeps it for later. Harmless when it is closed. */
void wf_part_close(struct wf_part *part);

/* Closes and removes. */
void wf_part_discard(struct wf_part *part);

#endif
