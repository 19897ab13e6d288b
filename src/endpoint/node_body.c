/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_body.c - bodies: read piece by piece as the core takes them, and gathered up to a limit as
 * they arrive.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint/node_priv.h"

#define FEED_MAX (4u << 20) /* bytes of one body in one go, before others get their turn */

weft_body weft_body_span(const void *data, size_t len)
{
    return (weft_body){.data = data, .len = len};
}

weft_body weft_body_file(const char *path, uint64_t offset)
{
    return (weft_body){.path = path, .offset = offset};
}

weft_body weft_body_reader(weft_read_fn read, void *user, uint64_t length)
{
    return (weft_body){.read = read, .user = user, .length = length};
}

static weft_err err_of_errno(void)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return WEFT_ERR_NOT_FOUND;
    return errno == EACCES || errno == EPERM ? WEFT_ERR_DENIED : WEFT_ERR_IO;
}

static weft_err open_file(struct outflow *f)
{
    struct stat st;

    f->fd = open(f->body.path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return err_of_errno();
    if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode) || f->body.offset > (uint64_t)st.st_size) {
        (void)close(f->fd);
        f->fd = -1;
        return WEFT_ERR_USAGE;
    }
    f->offset = f->body.offset;
    f->length = (uint64_t)st.st_size - f->body.offset;
    f->body.path = NULL; /* the caller's; not needed any more */
    return WEFT_OK;
}

void body_drop(const weft_body *body)
{
    if (body->done != NULL)
        body->done(body->user);
}

static bool is_span(const weft_body *body)
{
    return body->path == NULL && body->read == NULL;
}

size_t outflow_size(const weft_body *body)
{
    return is_span(body) ? body->len : NODE_CHUNK;
}

weft_err outflow_open(weft_node *n, struct outflow *f, const weft_body *body)
{
    weft_err err = WEFT_OK;

    *f = (struct outflow){.body = *body, .fd = -1};
    f->chunk_cap = outflow_size(body);
    if (f->chunk_cap > 0) {
        f->chunk = wf_alloc(&n->mem, f->chunk_cap);
        if (f->chunk == NULL) {
            outflow_close(n, f);
            return WEFT_ERR_NOMEM;
        }
    }
    if (is_span(body)) {
        if (body->len > 0)
            memcpy(f->chunk, body->data, body->len);
        f->chunk_len = body->len;
        f->length = body->len;
        f->at_end = true;
    } else if (body->path != NULL) {
        err = open_file(f);
    } else {
        f->length = body->length;
    }
    if (err != WEFT_OK)
        outflow_close(n, f);
    return err;
}

void outflow_close(weft_node *n, struct outflow *f)
{
    wf_list_remove(&f->unfed_link);
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    if (f->chunk != NULL)
        wf_free(&n->mem, f->chunk, f->chunk_cap);
    f->chunk = NULL;
    f->done = true;
    if (f->body.done != NULL) {
        void (*done)(void *user) = f->body.done;

        f->body.done = NULL;
        done(f->body.user);
    }
}

static weft_err read_file(struct outflow *f, size_t *len)
{
    uint64_t left = f->length - (f->offset - f->body.offset);
    size_t want = left < f->chunk_cap ? (size_t)left : f->chunk_cap;
    ssize_t got = pread(f->fd, f->chunk, want, (off_t)f->offset);

    if (got < 0 || (got == 0 && want > 0))
        return WEFT_ERR_IO; /* it became shorter while it was read */
    f->offset += (size_t)got;
    f->at_end = f->offset - f->body.offset == f->length;
    *len = (size_t)got;
    return WEFT_OK;
}

/* Fills the chunk; false when there is nothing to go on with now. */
static bool refill(struct outflow *f)
{
    size_t len = 0;
    bool end = false;
    weft_err err = WEFT_OK;

    if (f->fd >= 0) {
        err = read_file(f, &len);
    } else {
        err = f->body.read(f->body.user, f->chunk, f->chunk_cap, &len, &end);
        f->at_end = end;
        f->starved = len == 0 && !end;
    }
    f->err = err;
    f->chunk_at = 0;
    f->chunk_len = err == WEFT_OK ? len : 0;
    return err == WEFT_OK && !f->starved;
}

/* The core took no more. Other errors than these mean that the message is over already. */
static void give_up(weft_node *n, struct outflow *f, uint64_t id, weft_err err)
{
    if (err == WEFT_ERR_USAGE) /* more or less than was announced */
        wf_core_cancel(n->core, id, WF_CODE_INTERNAL);
    if (err == WEFT_ERR_NOMEM) {
        f->err = err;
        wf_core_cancel(n->core, id, WF_CODE_NOMEM);
    }
    outflow_close(n, f);
}

/* Hands the core as much as it takes, or one go of it: the next one comes after the others. */
void outflow_feed(weft_node *n, struct outflow *f, uint64_t id, struct owner *owner)
{
    uint64_t start = f->sent;

    f->owner = owner;
    wf_list_remove(&f->unfed_link);

    while (!f->done && !f->blocked && !f->starved && f->sent - start < FEED_MAX) {
        size_t taken = 0;
        size_t len = 0;
        weft_err err = WEFT_OK;

        if (f->chunk_at == f->chunk_len && !f->at_end && !refill(f)) {
            if (f->err != WEFT_OK) {
                wf_core_cancel(n->core, id, reason_code(f->err));
                outflow_close(n, f);
            }
            return;
        }
        len = f->chunk_len - f->chunk_at;
        err = wf_core_write(n->core, id, (weft_span){len == 0 ? NULL : f->chunk + f->chunk_at, len},
                            f->at_end, &taken);
        if (err != WEFT_OK) {
            give_up(n, f, id, err);
            return;
        }
        f->chunk_at += taken;
        f->sent += taken;
        f->blocked = taken < len;
        if (!f->blocked && f->at_end)
            outflow_close(n, f);
    }
    if (!f->done && !f->blocked && !f->starved)
        wf_list_push_back(&n->unfed, &f->unfed_link);
}

weft_err inflow_add(weft_node *n, struct inflow *f, weft_span data)
{
    size_t cap = f->cap == 0 ? 1024 : f->cap;
    uint8_t *grown = NULL;

    if (data.len > f->max - f->len)
        return WEFT_ERR_LIMIT;
    while (cap - f->len < data.len)
        cap *= 2;
    if (cap > f->cap) {
        if (f->charged_to != 0 && !wf_core_charge(n->core, f->charged_to, cap - f->cap))
            return WEFT_ERR_LIMIT;
        grown = wf_alloc(&n->mem, cap);
        if (grown == NULL)
            return WEFT_ERR_NOMEM;
        if (f->len > 0)
            memcpy(grown, f->data, f->len);
        wf_free(&n->mem, f->data, f->cap);
        f->data = grown;
        f->cap = cap;
    }
    if (data.len > 0)
        memcpy(f->data + f->len, data.data, data.len);
    f->len += data.len;
    return WEFT_OK;
}

void inflow_free(weft_node *n, struct inflow *f)
{
    wf_free(&n->mem, f->data, f->cap);
    f->data = NULL;
    f->len = 0;
    f->cap = 0;
}
