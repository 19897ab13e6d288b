/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folders.c - folders held open, and files that come in part.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/files_priv.h"
#include "net/os_error.h"

/* ---- folders ---- */

weft_err wf_folder_open(struct wf_folder *f, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return wf_file_error(errno);
    f->fd = fd;
    return WEFT_OK;
}

/* Makes each missing component in turn. */
static weft_err make_components(char *path, mode_t mode)
{
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        int failed = mkdir(path, mode);
        *p = '/';
        if (failed != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return wf_file_error(errno);
        /* What is there already may lie where we could not have made it; opening it in the end
         * tells. */
    }
    return WEFT_OK;
}

weft_err wf_folder_make(struct wf_folder *f, const char *path, mode_t mode)
{
    char whole[PATH_MAX + 1];
    size_t len = strnlen(path, PATH_MAX);

    if (len == 0 || len >= PATH_MAX)
        return WEFT_ERR_USAGE;
    memcpy(whole, path, len);
    memcpy(whole + len, "/", 2);
    weft_err err = make_components(whole, mode & FILES_MODE_MAX);
    return err == WEFT_OK ? wf_folder_open(f, path) : err;
}

void wf_folder_close(struct wf_folder *f)
{
    if (f->fd >= 0) {
        (void)close(f->fd);
        f->fd = -1;
    }
}

static void copy_name(char out[WF_FILE_NAME_MAX + 1], weft_span name)
{
    memcpy(out, name.data, name.len);
    out[name.len] = '\0';
}

static weft_err regular_len(int fd, uint64_t *len)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return wf_file_error(errno);
    if (!S_ISREG(st.st_mode))
        return WEFT_ERR_DENIED;
    *len = (uint64_t)st.st_size;
    return WEFT_OK;
}

weft_err wf_folder_open_file(const struct wf_folder *f, weft_span name, int *fd, uint64_t *len)
{
    char text[WF_FILE_NAME_MAX + 1];
    uint64_t size = 0;

    if (!wf_file_name_ok(name))
        return WEFT_ERR_DENIED;
    copy_name(text, name);
    int opened = wf_open_beneath(f->fd, text, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (opened < 0)
        return wf_file_error(errno);
    weft_err err = regular_len(opened, &size);
    if (err != WEFT_OK) {
        (void)close(opened);
        return err;
    }
    *fd = opened;
    *len = size;
    return WEFT_OK;
}

weft_err wf_folder_remove(const struct wf_folder *f, weft_span name)
{
    char text[WF_FILE_NAME_MAX + 1];

    if (!wf_file_name_own_ok(name))
        return WEFT_ERR_DENIED;
    copy_name(text, name);
    return unlinkat(f->fd, text, 0) == 0 ? WEFT_OK : wf_file_error(errno);
}

/* ---- partial files ---- */

static bool is_own_name(weft_span name)
{
    return wf_file_name_own_ok(name) && !wf_file_name_ok(name);
}

/* Two writers would mix, so the part is locked. By the time the lock is ours the file may have been
 * finished or discarded by who had it; and one with a second name could be somebody else's file
 * that a link was made to. */
static weft_err claim(struct wf_part *p)
{
    struct stat open_file;
    struct stat named;

    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? WEFT_ERR_STATE : wf_file_error(errno);
    if (fstat(p->fd, &open_file) != 0)
        return wf_file_error(errno);
    if (fstatat(p->folder.fd, p->name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
        named.st_ino != open_file.st_ino)
        return WEFT_ERR_STATE;
    if (!S_ISREG(open_file.st_mode) || open_file.st_nlink != 1)
        return WEFT_ERR_DENIED;
    p->len = (uint64_t)open_file.st_size;
    return WEFT_OK;
}

weft_err wf_part_open(struct wf_part *part, const struct wf_folder *folder, weft_span name)
{
    struct wf_part p = {.folder = *folder};

    if (!is_own_name(name))
        return WEFT_ERR_USAGE;
    copy_name(p.name, name);
    p.fd = wf_open_beneath(folder->fd, p.name, O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY, 0600);
    if (p.fd < 0)
        return wf_file_error(errno);
    weft_err err = claim(&p);
    if (err != WEFT_OK) {
        (void)close(p.fd);
        return err;
    }
    *part = p;
    return WEFT_OK;
}

weft_err wf_part_write(struct wf_part *part, uint64_t at, weft_span data)
{
    size_t done = 0;
    weft_err err = wf_write_all(part->fd, at, data, &done);

    if (done > 0 && at + done > part->len) {
        part->len = at + done;
    }
    return err;
}

weft_err wf_part_read(const struct wf_part *part, uint64_t at, uint8_t *buf, size_t cap,
                      size_t *got)
{
    if (at > (uint64_t)INT64_MAX)
        return WEFT_ERR_USAGE;
    for (;;) {
        ssize_t n = pread(part->fd, buf, cap, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wf_file_error(errno);
        *got = (size_t)n;
        return WEFT_OK;
    }
}

weft_err wf_part_truncate(struct wf_part *part, uint64_t len)
{
    if (len > (uint64_t)INT64_MAX)
        return WEFT_ERR_USAGE;
    if (ftruncate(part->fd, (off_t)len) != 0)
        return wf_file_error(errno);
    part->len = len;
    return WEFT_OK;
}

weft_err wf_part_sync(const struct wf_part *part)
{
    return fdatasync(part->fd) == 0 ? WEFT_OK : wf_file_error(errno);
}

weft_err wf_part_finish(struct wf_part *part, weft_span name, bool replace)
{
    char final[WF_FILE_NAME_MAX + 1];

    if (!wf_file_name_ok(name))
        return WEFT_ERR_DENIED;
    copy_name(final, name);
    if (fsync(part->fd) != 0)
        return wf_file_error(errno);
    weft_err err = wf_rename_in(part->folder.fd, part->name, final, replace);
    if (err != WEFT_OK)
        return err;
    wf_part_close(part);
    return fsync(part->folder.fd) == 0 ? WEFT_OK : wf_file_error(errno);
}

void wf_part_close(struct wf_part *part)
{
    if (part->fd >= 0) {
        (void)close(part->fd);
        part->fd = -1;
    }
}

void wf_part_discard(struct wf_part *part)
{
    if (part->fd < 0)
        return;
    (void)unlinkat(part->folder.fd, part->name, 0);
    wf_part_close(part);
}
