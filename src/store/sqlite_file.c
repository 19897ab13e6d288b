/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_file.c - the file under a database: private before it is opened, moved aside when it is
 * damaged. Deletes nothing but scratch.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite_priv.h"

/* Names tried for a damaged file. */
#define ASIDE_MAX 1000
#define ASIDE_PATH_MAX 4096
/* Of "-wal" and its NUL. */
#define SUFFIX_LEN 5

weft_err wf_store_file_error(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return WEFT_ERR_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
        return WEFT_ERR_DENIED;
    case ENOENT:
    case ENOTDIR:
        return WEFT_ERR_NOT_FOUND;
    default:
        return WEFT_ERR_IO;
    }
}

/* Only a new file is ever opened here: closing a descriptor of a database would drop the locks that
 * another connection of this process holds on it. */
static weft_err make_file(const char *path, struct stat *st)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        (void)close(fd);
    } else if (errno != EEXIST) {
        return wf_store_file_error(errno);
    }
    return lstat(path, st) == 0 ? WEFT_OK : wf_store_file_error(errno);
}

weft_err wf_sqlite_check_file(const char *path, struct wf_store_report *report)
{
    struct stat st;
    weft_err err = make_file(path, &st);

    if (err != WEFT_OK) {
        wf_sqlite_say(report, "the store %s cannot be opened: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        wf_sqlite_say(report, "the store %s is no regular file", path);
        err = WEFT_ERR_DENIED;
    } else if (st.st_uid != geteuid() && geteuid() != 0) {
        wf_sqlite_say(report, "the store %s belongs to another user", path);
        err = WEFT_ERR_KEY_EXPOSED;
    } else if ((st.st_mode & 0077u) != 0 && chmod(path, 0600) != 0) {
        err = wf_store_file_error(errno);
        wf_sqlite_say(report, "the store %s cannot be made private: %s", path, strerror(errno));
    }
    return err;
}

bool wf_sqlite_is_filled(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* Never over a file that is there; one that is not there need not be moved. */
static bool move_one(const char *path, const char *aside, const char *suffix)
{
    char from[ASIDE_PATH_MAX + SUFFIX_LEN];
    char to[ASIDE_PATH_MAX + SUFFIX_LEN];

    (void)snprintf(from, sizeof from, "%s%s", path, suffix);
    (void)snprintf(to, sizeof to, "%s%s", aside, suffix);
    return link(from, to) == 0 ? unlink(from) == 0 : errno == ENOENT;
}

/* The log of changes goes first: left beside a new file it would be taken for that one's. */
static bool move_all(const char *path, const char *aside)
{
    return move_one(path, aside, "-wal") && move_one(path, aside, "-shm") &&
           move_one(path, aside, "");
}

void wf_sqlite_move_aside(const char *path, struct wf_store_report *report)
{
    char aside[ASIDE_PATH_MAX];
    struct stat st;

    for (int i = 1; i <= ASIDE_MAX; i++) {
        int len = snprintf(aside, sizeof aside, "%s.damaged-%d", path, i);
        if (len < 0 || (size_t)len >= sizeof aside)
            break;
        if (lstat(aside, &st) == 0)
            continue;
        if (!move_all(path, aside))
            break;
        wf_sqlite_say(report, "the store %s is damaged; it was kept as %s", path, aside);
        return;
    }
    wf_sqlite_say(report, "the store %s is damaged and could not be moved aside", path);
}

void wf_sqlite_remove_file(const char *path)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ""};
    char name[ASIDE_PATH_MAX + sizeof "-journal"];

    for (size_t i = 0; i < WF_ARRAY_LEN(suffixes); i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}
