/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_source.c - a file on its way out: a head, its bytes, and the digest of the whole at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "endpoint/file_priv.h"
#include "net/os_error.h"

#define SKIP_BYTES 65536u

void file_write_id(struct wf_writer *w, const struct file_id *id)
{
    weft_span name = wf_span_of(id->name);

    wf_write_u8(w, (uint8_t)name.len);
    wf_write_span(w, name);
    wf_write_u64(w, id->size);
    wf_write_u64(w, id->modified_ns);
}

/* SPEC 5.3-3 */
bool file_read_id(struct wf_reader *r, struct file_id *id)
{
    size_t len = wf_read_len8(r, 1, WF_FILE_NAME_MAX);
    weft_span name = wf_read_span(r, len);

    id->size = wf_read_u64(r);
    id->modified_ns = wf_read_u64(r);
    if (!wf_reader_ok(r) || !wf_file_name_ok(name) || id->size > INT64_MAX)
        return false;
    memcpy(id->name, name.data, name.len);
    id->name[name.len] = '\0';
    return true;
}

const char *file_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;

    return wf_file_name_ok(wf_span_of(name)) ? name : NULL;
}

weft_err file_outcome_err(const weft_outcome *o)
{
    if (o->kind == WEFT_REPLIED)
        return WEFT_OK;
    return o->err == WEFT_OK ? WEFT_ERR_CLOSED : o->err;
}

weft_err file_source_open(struct file_source **out, struct wf_mem *mem, const char *path)
{
    struct file_source *f = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return wf_file_error(errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return WEFT_ERR_USAGE;
    }
    f = wf_alloc(mem, sizeof *f);
    if (f == NULL || wf_sha256_new(&f->sha) != WEFT_OK) {
        wf_free(mem, f, sizeof *f);
        (void)close(fd);
        return WEFT_ERR_NOMEM;
    }
    f->mem = mem;
    f->fd = fd;
    f->size = (uint64_t)st.st_size;
    f->modified_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    *out = f;
    return WEFT_OK;
}

void file_source_free(struct file_source *f)
{
    if (f == NULL)
        return;
    (void)close(f->fd);
    wf_sha256_free(f->sha);
    wf_free(f->mem, f, sizeof *f);
}

/* Reads and digests up to cap bytes at f->at; an early end of the file is an error. */
static weft_err read_some(struct file_source *f, uint8_t *buf, size_t cap, size_t *len)
{
    uint64_t left = f->size - f->at;
    size_t want = left < cap ? (size_t)left : cap;
    ssize_t got = pread(f->fd, buf, want, (off_t)f->at);

    if (got < 0 || (got == 0 && want > 0))
        return WEFT_ERR_IO;
    wf_sha256_add(f->sha, (weft_span){buf, (size_t)got});
    f->at += (size_t)got;
    *len = (size_t)got;
    return WEFT_OK;
}

weft_err file_source_begin(struct file_source *f, uint64_t offset)
{
    uint8_t buf[SKIP_BYTES];

    if (offset > f->size)
        return WEFT_ERR_MALFORMED;
    while (f->at < offset) {
        size_t want = offset - f->at < sizeof buf ? (size_t)(offset - f->at) : sizeof buf;
        size_t len = 0;
        weft_err err = read_some(f, buf, want, &len);

        if (err != WEFT_OK)
            return err;
    }
    f->offset = offset;
    return WEFT_OK;
}

static size_t copy_out(uint8_t *buf, size_t cap, const uint8_t *from, size_t len)
{
    size_t n = len < cap ? len : cap;

    if (n > 0)
        memcpy(buf, from, n);
    return n;
}

static weft_err source_read(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct file_source *f = user;

    if (f->head_at < f->head_len) {
        *len = copy_out(buf, cap, f->head + f->head_at, f->head_len - f->head_at);
        f->head_at += *len;
        return WEFT_OK;
    }
    if (f->at < f->size)
        return read_some(f, buf, cap, len);
    if (!f->has_digest) {
        wf_sha256_end(f->sha, f->digest);
        f->has_digest = true;
        if (f->on_digest != NULL)
            f->on_digest(f->digest, f->on_digest_user);
    }
    *len = copy_out(buf, cap, f->digest + f->digest_at, sizeof f->digest - f->digest_at);
    f->digest_at += *len;
    *end = f->digest_at == sizeof f->digest;
    return WEFT_OK;
}

static void source_done(void *user)
{
    file_source_free(user);
}

weft_body file_source_body(struct file_source *f)
{
    weft_body body =
        weft_body_reader(source_read, f, f->head_len + (f->size - f->offset) + sizeof f->digest);

    body.done = source_done;
    return body;
}
