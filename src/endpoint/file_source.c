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

#define SKIP_MAX (1u << 20) /* bytes digested in one go, before others get their turn */

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

static uint64_t modified_of(const struct stat *st)
{
    return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

weft_err file_source_open(struct file_source **out, weft_node *node, const char *path)
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
    f = wf_alloc(&node->mem, sizeof *f);
    if (f == NULL || wf_sha256_new(&f->sha) != WEFT_OK) {
        wf_free(&node->mem, f, sizeof *f);
        (void)close(fd);
        return WEFT_ERR_NOMEM;
    }
    f->node = node;
    f->fd = fd;
    f->size = (uint64_t)st.st_size;
    f->modified_ns = modified_of(&st);
    *out = f;
    return WEFT_OK;
}

void file_source_free(struct file_source *f)
{
    if (f == NULL)
        return;
    (void)close(f->fd);
    wf_sha256_free(f->sha);
    wf_free(&f->node->mem, f, sizeof *f);
}

/* Reads and digests up to cap bytes from f->at to `to`; an early end of the file is an error. */
static weft_err read_some(struct file_source *f, uint64_t to, uint8_t *buf, size_t cap, size_t *len)
{
    uint64_t left = to - f->at;
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
    if (offset > f->size)
        return WEFT_ERR_MALFORMED;
    f->offset = offset;
    return WEFT_OK;
}

/* Digests what the other end has already; the rest of it at the next turn. */
static weft_err skip(struct file_source *f, uint8_t *buf, size_t cap)
{
    uint64_t until = f->offset - f->at < SKIP_MAX ? f->offset : f->at + SKIP_MAX;
    weft_err err = WEFT_OK;

    while (err == WEFT_OK && f->at < until) {
        size_t len = 0;

        err = read_some(f, until, buf, cap, &len);
    }
    if (f->at < f->offset)
        weft_node_resume(f->node);
    return err;
}

/* What was sent is not one file if it changed on the way. */
static weft_err check_unchanged(const struct file_source *f)
{
    struct stat st;

    if (fstat(f->fd, &st) != 0)
        return WEFT_ERR_IO;
    return (uint64_t)st.st_size == f->size && modified_of(&st) == f->modified_ns ? WEFT_OK
                                                                                 : WEFT_ERR_STATE;
}

static weft_err make_digest(struct file_source *f)
{
    weft_err err = check_unchanged(f);

    if (err != WEFT_OK)
        return err;
    wf_sha256_end(f->sha, f->digest);
    f->has_digest = true;
    if (f->on_digest != NULL)
        f->on_digest(f->digest, f->on_digest_user);
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
    weft_err err = WEFT_OK;

    if (f->head_at < f->head_len) {
        *len = copy_out(buf, cap, f->head + f->head_at, f->head_len - f->head_at);
        f->head_at += *len;
        return WEFT_OK;
    }
    if (f->at < f->offset)
        err = skip(f, buf, cap);
    if (err != WEFT_OK || f->at < f->offset)
        return err;
    if (f->at < f->size)
        return read_some(f, f->size, buf, cap, len);
    if (!f->has_digest)
        err = make_digest(f);
    if (err != WEFT_OK)
        return err;
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
