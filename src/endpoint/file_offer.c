/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_offer.c - the services "file.get" and "file.list": files of ours to others.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/file_priv.h"

#define LIST_BYTES_MAX (1u << 19) /* of one reply; files beyond it are left out */

struct node_files *node_files_get(weft_node *n)
{
    if (n->files == NULL)
        n->files = wf_alloc(&n->mem, sizeof *n->files);
    return n->files;
}

void node_files_free(weft_node *n)
{
    struct node_files *f = n->files;

    if (f == NULL)
        return;
    for (size_t i = 0; i < f->offer_count; i++)
        wf_free(&n->mem, f->offers[i].path, f->offers[i].path_size);
    wf_free(&n->mem, f->offers, f->offer_cap * sizeof *f->offers);
    if (f->is_receiving)
        wf_folder_close(&f->folder);
    wf_free(&n->mem, f, sizeof *f);
    n->files = NULL;
}

static const struct file_offer *find(const struct node_files *f, const char *name)
{
    for (size_t i = 0; i < f->offer_count; i++) {
        if (strcmp(f->offers[i].name, name) == 0)
            return &f->offers[i];
    }
    return NULL;
}

static void refuse(weft_exchange *x, weft_err err)
{
    uint8_t status = (uint8_t)err;

    (void)weft_reply(x, &status, 1);
}

/* SPEC 5.3-5 */
static weft_err begin(struct file_source *f, const struct file_id *id, uint64_t offset)
{
    struct wf_writer w = wf_writer_of(f->head, sizeof f->head);
    bool same = id->size == f->size && id->modified_ns == f->modified_ns && offset <= f->size;
    weft_err err = file_source_begin(f, same ? offset : 0);

    wf_write_u8(&w, 0);
    wf_write_u64(&w, f->size);
    wf_write_u64(&w, f->modified_ns);
    wf_write_u64(&w, f->offset);
    f->head_len = w.len;
    return err;
}

static void answer_get(weft_exchange *x, const weft_message *m, void *user)
{
    weft_node *n = user;
    struct wf_reader r = wf_reader_of((weft_span){m->body, m->len});
    struct file_id id;
    struct file_source *source = NULL;
    const struct file_offer *offer = NULL;
    weft_body body;
    uint64_t offset = 0;
    weft_err err = WEFT_OK;

    if (!file_read_id(&r, &id)) {
        refuse(x, WEFT_ERR_MALFORMED);
        return;
    }
    offset = wf_read_u64(&r);
    offer = find(n->files, id.name);
    err = offer == NULL ? WEFT_ERR_NOT_FOUND : file_source_open(&source, n, offer->path);
    if (err == WEFT_OK)
        err = begin(source, &id, offset);
    if (err != WEFT_OK) {
        file_source_free(source);
        refuse(x, err);
        return;
    }
    body = file_source_body(source);
    (void)weft_reply_body(x, &body);
}

/* One row; left out when the file cannot be read now. */
static void write_row(weft_node *n, struct wf_writer *w, const struct file_offer *offer)
{
    struct file_source *source = NULL;
    struct file_id id;

    if (file_source_open(&source, n, offer->path) != WEFT_OK)
        return;
    memcpy(id.name, offer->name, sizeof id.name);
    id.size = source->size;
    id.modified_ns = source->modified_ns;
    file_source_free(source);
    if (wf_writer_left(w) >= FILE_HEAD_MAX)
        file_write_id(w, &id);
}

static void answer_list(weft_exchange *x, const weft_message *m, void *user)
{
    weft_node *n = user;
    struct wf_reader r = wf_reader_of((weft_span){m->body, m->len});
    char name[FILE_NAME_BYTES] = {0};
    uint8_t *buf = wf_alloc(&n->mem, LIST_BYTES_MAX);
    struct wf_writer w = wf_writer_of(buf, buf == NULL ? 0 : LIST_BYTES_MAX);

    if (m->len > 0) {
        size_t len = wf_read_len8(&r, 1, WF_FILE_NAME_MAX);

        wf_read_bytes(&r, (uint8_t *)name, len);
    }
    for (size_t i = 0; buf != NULL && i < n->files->offer_count; i++) {
        if (m->len == 0 || strcmp(n->files->offers[i].name, name) == 0)
            write_row(n, &w, &n->files->offers[i]);
    }
    (void)weft_reply(x, buf, w.len);
    wf_free(&n->mem, buf, LIST_BYTES_MAX);
}

static weft_err grow(weft_node *n)
{
    struct node_files *f = n->files;
    size_t cap = f->offer_cap == 0 ? 16 : f->offer_cap * 2;
    struct file_offer *grown = NULL;

    if (f->offer_count == FILE_OFFERS_MAX)
        return WEFT_ERR_LIMIT;
    if (f->offer_count < f->offer_cap)
        return WEFT_OK;
    grown = wf_alloc_array(&n->mem, cap, sizeof *grown);
    if (grown == NULL)
        return WEFT_ERR_NOMEM;
    if (f->offer_count > 0)
        memcpy(grown, f->offers, f->offer_count * sizeof *grown);
    wf_free(&n->mem, f->offers, f->offer_cap * sizeof *grown);
    f->offers = grown;
    f->offer_cap = cap;
    return WEFT_OK;
}

static weft_err add_offer(weft_node *n, const char *name, const char *path)
{
    struct file_offer *o = NULL;
    weft_err err = grow(n);

    if (err != WEFT_OK)
        return err;
    o = &n->files->offers[n->files->offer_count];
    *o = (struct file_offer){.path_size = strlen(path) + 1};
    o->path = wf_alloc(&n->mem, o->path_size);
    if (o->path == NULL)
        return WEFT_ERR_NOMEM;
    memcpy(o->path, path, o->path_size);
    memcpy(o->name, name, strlen(name) + 1);
    n->files->offer_count++;
    return WEFT_OK;
}

static weft_err start_serving(weft_node *n)
{
    weft_err err = WEFT_OK;

    if (n->files->is_offering)
        return WEFT_OK;
    n->files->is_offering = true;
    err = weft_node_serve(n, "file.get", answer_get, n);
    return err != WEFT_OK ? err : weft_node_serve(n, "file.list", answer_list, n);
}

weft_err weft_file_offer(weft_node *n, const char *path)
{
    struct node_files *files = node_files_get(n);
    const char *name = file_base_name(path);
    struct file_source *source = NULL;
    weft_err err = WEFT_OK;

    if (files == NULL)
        return WEFT_ERR_NOMEM;
    if (name == NULL)
        return WEFT_ERR_USAGE;
    if (find(files, name) != NULL)
        return WEFT_ERR_EXISTS;
    err = file_source_open(&source, n, path);
    file_source_free(source);
    if (err == WEFT_OK)
        err = add_offer(n, name, path);
    return err != WEFT_OK ? err : start_serving(n);
}
