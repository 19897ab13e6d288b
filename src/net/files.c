/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - small files by path: read whole, replaced at a stroke.
 */
#include "net/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "net/files_priv.h"
#include "net/os_error.h"

/* Names tried for a temporary file; each has 64 random bits, so a second try is rare. */
#define TEMPORARY_TRIES 8
#define TEMPORARY_LEN (sizeof WF_FILE_OWN_PREFIX + 32)

/* ---- steps shared with folders.c ---- */

int wf_open_beneath(int dir, const char *name, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
        .mode = (flags & O_CREAT) != 0 ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall(SYS_openat2, dir, name, &how, sizeof how);

    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return (int)fd;
    /* Older kernels and sandboxes: names here have no '/', so O_NOFOLLOW keeps them inside as well.
     */
    return openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

weft_err wf_write_all(int fd, uint64_t at, weft_span data, size_t *done)
{
    *done = 0;
    if (at > (uint64_t)INT64_MAX - data.len)
        return WEFT_ERR_USAGE;
    while (*done < data.len) {
        ssize_t n = pwrite(fd, data.data + *done, data.len - *done, (off_t)(at + *done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wf_file_error(errno);
        *done += (size_t)n;
    }
    return WEFT_OK;
}

weft_err wf_rename_in(int dir, const char *from, const char *to, bool replace)
{
    if (replace)
        return renameat(dir, from, dir, to) == 0 ? WEFT_OK : wf_file_error(errno);
    if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
        return WEFT_OK;
    if (errno != EINVAL && errno != ENOSYS)
        return wf_file_error(errno);
    /* A file system without that flag: a second name, then the first one goes. */
    if (linkat(dir, from, dir, to, 0) != 0 || unlinkat(dir, from, 0) != 0)
        return wf_file_error(errno);
    return WEFT_OK;
}

/* ---- reading ---- */

static weft_err check_rules(int fd, const struct wf_file_rules *rules, size_t *len)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return wf_file_error(errno);
    if (!S_ISREG(st.st_mode))
        return WEFT_ERR_DENIED;
    /* Root reads everything anyway: a key of another user is as safe from us as can be. */
    bool others = st.st_uid != geteuid() && geteuid() != 0;
    /* SPEC 5.2-1 */
    if (rules->owner_only && (others || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0))
        return WEFT_ERR_KEY_EXPOSED;
    if ((uint64_t)st.st_size > rules->len_max)
        return WEFT_ERR_LIMIT;
    *len = (size_t)st.st_size;
    return WEFT_OK;
}

static weft_err read_exactly(int fd, uint8_t *buf, size_t len)
{
    uint8_t extra = 0;
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, buf + done, len - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wf_file_error(errno);
        if (n == 0)
            return WEFT_ERR_IO;
        done += (size_t)n;
    }
    return pread(fd, &extra, 1, (off_t)len) == 0 ? WEFT_OK : WEFT_ERR_IO;
}

static weft_err read_open(int fd, const struct wf_file_rules *rules, uint8_t **data, size_t *len)
{
    size_t size = 0;
    weft_err err = check_rules(fd, rules, &size);

    if (err != WEFT_OK)
        return err;
    uint8_t *buf = size == 0 ? NULL : wf_alloc(rules->mem, size);
    if (buf == NULL && size != 0)
        return WEFT_ERR_NOMEM;
    err = read_exactly(fd, buf, size);
    if (err != WEFT_OK) {
        wf_wipe(buf, size);
        wf_free(rules->mem, buf, size);
        return err;
    }
    *data = buf;
    *len = size;
    return WEFT_OK;
}

weft_err wf_file_read(const char *path, const struct wf_file_rules *rules, uint8_t **data,
                      size_t *len)
{
    /* Without O_NONBLOCK a pipe of that name would hang us before we could see that it is one. */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (rules->no_link ? O_NOFOLLOW : 0);
    int fd = open(path, flags);

    if (fd < 0)
        return wf_file_error(errno);
    weft_err err = read_open(fd, rules, data, len);
    (void)close(fd);
    return err;
}

/* ---- writing ---- */

/* A path cut into the folder, opened, and the last component. */
struct place {
    int dir;
    const char *name;
};

static weft_err open_place(struct place *p, const char *path)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    size_t len =
        slash == NULL ? 0 : (size_t)(slash - path) + 1; /* with the slash: "/" stays whole */

    p->name = path + len;
    if (len >= sizeof folder || *p->name == '\0' || strlen(p->name) > WF_FILE_NAME_MAX)
        return WEFT_ERR_USAGE;
    if (len > 0) {
        memcpy(folder, path, len);
        folder[len] = '\0';
    }
    p->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return p->dir >= 0 ? WEFT_OK : wf_file_error(errno);
}

static void temporary_name(char out[TEMPORARY_LEN])
{
    static const char prefix[] = WF_FILE_OWN_PREFIX "tmp-";
    uint8_t random[8] = {0};

    WEFT_ASSERT(getrandom(random, sizeof random, 0) == (ssize_t)sizeof random);
    memcpy(out, prefix, sizeof prefix);
    wf_hex(out + sizeof prefix - 1, random, sizeof random);
}

static int open_temporary(int dir, char name[TEMPORARY_LEN], mode_t mode)
{
    for (int i = 0; i < TEMPORARY_TRIES; i++) {
        temporary_name(name);
        int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        /* The mode asked for is the mode it gets, whatever the umask. */
        if (fd >= 0 && fchmod(fd, mode & FILES_MODE_MAX) != 0) {
            int code = errno;
            (void)close(fd);
            (void)unlinkat(dir, name, 0);
            errno = code;
            return -1;
        }
        return fd;
    }
    return -1;
}

static weft_err fill_temporary(int fd, weft_span data)
{
    size_t done = 0;
    weft_err err = wf_write_all(fd, 0, data, &done);

    if (err == WEFT_OK && fsync(fd) != 0) {
        err = wf_file_error(errno);
    }
    return err;
}

static weft_err write_in(const struct place *p, weft_span data, mode_t mode, bool replace)
{
    char name[TEMPORARY_LEN];
    int fd = open_temporary(p->dir, name, mode);

    if (fd < 0)
        return wf_file_error(errno);
    weft_err err = fill_temporary(fd, data);
    if (close(fd) != 0 && err == WEFT_OK) {
        err = wf_file_error(errno);
    }
    if (err == WEFT_OK) {
        err = wf_rename_in(p->dir, name, p->name, replace);
    }
    if (err != WEFT_OK) {
        int code = errno;
        (void)unlinkat(p->dir, name, 0);
        errno = code;
        return err;
    }
    return fsync(p->dir) == 0 ? WEFT_OK : wf_file_error(errno);
}

static weft_err write_at(const char *path, weft_span data, mode_t mode, bool replace)
{
    struct place p = {.dir = -1};
    weft_err err = open_place(&p, path);

    if (err != WEFT_OK)
        return err;
    err = write_in(&p, data, mode, replace);
    (void)close(p.dir);
    return err;
}

weft_err wf_file_write(const char *path, weft_span data, mode_t mode)
{
    return write_at(path, data, mode, true);
}

weft_err wf_file_create(const char *path, weft_span data, mode_t mode)
{
    return write_at(path, data, mode, false);
}
