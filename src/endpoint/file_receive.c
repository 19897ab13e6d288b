/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_receive.c - the services "file.offer" and "file.put": files of others into a folder of ours.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/file_priv.h"
#include "net/clock.h"

/* One "file.put" on its way in. */
struct receipt {
    weft_node *node;
    weft_exchange *exchange;
    struct wf_link link; /* in node->files->receipts */
    uint8_t head[FILE_HEAD_MAX];
    size_t head_len;
    struct file_part part;
    bool has_head;
    weft_err err;
    weft_time started;
};

static bool is_same(const struct file_id *a, const struct file_id *b)
{
    return memcmp(a->peer.bytes, b->peer.bytes, WEFT_KEY_LEN) == 0 && a->size == b->size &&
           a->modified_ns == b->modified_ns && strcmp(a->name, b->name) == 0;
}

/* SPEC 5.3-6: whoever offers a file again has no use for what was under way; he may have died
 * without a goodbye, and then nobody would end it for as long as a session lives. */
static void end_older(weft_node *n, const struct file_id *id)
{
    struct wf_link *next = NULL;

    for (struct wf_link *l = n->files->receipts.first; l != NULL; l = next) {
        struct receipt *p = WF_CONTAINER_OF(l, struct receipt, link);

        next = l->next;
        if (!p->part.is_open || !is_same(&p->part.id, id))
            continue;
        p->err = WEFT_ERR_CLOSED;
        (void)weft_refuse(p->exchange, WEFT_ERR_CLOSED); /* calls on_end: p is gone */
    }
}

static void answer_offer(weft_exchange *x, const weft_message *m, void *user)
{
    weft_node *n = user;
    struct wf_reader r = wf_reader_of((weft_span){m->body, m->len});
    struct file_id id = {.peer = m->from};
    struct file_part part;
    uint8_t reply[9] = {0};
    weft_err err = WEFT_ERR_MALFORMED;

    if (file_read_id(&r, &id) && wf_reader_done(&r)) {
        end_older(n, &id);
        err = file_part_open(&part, &n->files->folder, &id);
    }
    if (err == WEFT_OK) {
        wf_store_u64(reply + 1, file_part_have(&part)); /* SPEC 5.3-1 */
        file_part_close(&part);
    }
    reply[0] = (uint8_t)err;
    (void)weft_reply(x, reply, err == WEFT_OK ? sizeof reply : 1);
}

static weft_err on_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    weft_node *n = user;
    struct receipt *p = wf_alloc(&n->mem, sizeof *p);

    if (p == NULL)
        return WEFT_ERR_NOMEM;
    p->node = n;
    p->exchange = x;
    wf_list_push_back(&n->files->receipts, &p->link);
    p->started = wf_clock_now();
    p->part.id.peer = m->from;
    *state = p;
    return WEFT_OK;
}

/* name, size, time and offset: the length follows from the first byte. */
static size_t take_head(struct receipt *p, weft_span data)
{
    size_t want = p->head_len == 0 ? 1 : 1u + p->head[0] + 24u;
    size_t len = data.len < want - p->head_len ? data.len : want - p->head_len;
    struct wf_reader r;
    struct file_id id = {.peer = p->part.id.peer};
    uint64_t offset = 0;

    memcpy(p->head + p->head_len, data.data, len);
    p->head_len += len;
    if (p->head_len != 1u + p->head[0] + 24u)
        return len;
    p->has_head = true;
    r = wf_reader_of((weft_span){p->head, p->head_len});
    p->err = file_read_id(&r, &id) ? WEFT_OK : WEFT_ERR_MALFORMED;
    offset = wf_read_u64(&r);
    if (p->err == WEFT_OK)
        p->err = file_part_open(&p->part, &p->node->files->folder, &id);
    if (p->err == WEFT_OK)
        p->err = file_part_begin(&p->part, offset);
    return len;
}

static void tell_progress(const struct receipt *p)
{
    const weft_file_params *params = &p->node->files->receive_params;

    if (params->on_progress != NULL && p->part.is_open)
        params->on_progress(p->part.id.name, p->part.at, p->part.id.size, params->user);
}

static size_t on_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct receipt *p = state;
    size_t at = 0;

    while (at < len && !p->has_head)
        at += take_head(p, (weft_span){data + at, len - at});
    if (p->err == WEFT_OK && at < len && file_part_catch_up(&p->part, &p->err)) {
        weft_exchange_resume(x);
        return at;
    }
    if (p->err == WEFT_OK && at < len)
        p->err = file_part_add(&p->part, (weft_span){data + at, len - at});
    if (p->err == WEFT_OK)
        tell_progress(p);
    else
        (void)weft_refuse(x, p->err); /* calls on_end: p is gone */
    return len;
}

static void tell(const struct receipt *p, weft_err err)
{
    const weft_file_params *params = &p->node->files->receive_params;
    weft_file_result r = {
        .err = err,
        .name = err == WEFT_OK ? p->part.stored : p->part.id.name,
        .size = p->part.id.size,
        .moved = file_part_moved(&p->part),
        .resumed_at = p->part.start,
        .peer = p->part.id.peer,
        .took_us = wf_clock_now() - p->started,
    };

    memcpy(r.digest, p->part.digest, sizeof r.digest);
    if (params->on_done != NULL)
        params->on_done(&r, params->user);
}

static void reply_end(weft_exchange *x, const struct receipt *p, weft_err err)
{
    uint8_t reply[2 + WF_FILE_NAME_MAX];
    struct wf_writer w = wf_writer_of(reply, sizeof reply);
    weft_span name = wf_span_of(p->part.stored);

    wf_write_u8(&w, (uint8_t)err);
    if (err == WEFT_OK) {
        wf_write_u8(&w, (uint8_t)name.len);
        wf_write_span(&w, name);
    }
    (void)weft_reply(x, reply, w.len);
}

static void on_end(weft_exchange *x, weft_err err, void *state)
{
    struct receipt *p = state;

    if (p->err != WEFT_OK)
        err = p->err;
    else if (err == WEFT_OK)
        err = p->has_head ? file_part_end(&p->part) : WEFT_ERR_MALFORMED;
    reply_end(x, p, err); /* refused where it was answered already, or nobody is there */
    tell(p, err);
    file_part_close(&p->part);
    wf_list_remove(&p->link);
    wf_free(&p->node->mem, p, sizeof *p);
}

weft_err weft_file_receive(weft_node *n, const char *folder, const weft_file_params *params)
{
    static const weft_stream_handler put = {
        .size = sizeof put, .on_open = on_open, .on_data = on_data, .on_end = on_end};
    struct node_files *files = node_files_get(n);
    weft_err err = WEFT_OK;

    if (params != NULL && params->size < sizeof *params)
        return WEFT_ERR_USAGE;
    if (files == NULL)
        return WEFT_ERR_NOMEM;
    if (files->is_receiving)
        return WEFT_ERR_EXISTS;
    err = wf_folder_make(&files->folder, folder, 0700);
    if (err != WEFT_OK)
        return err;
    files->is_receiving = true;
    if (params != NULL)
        files->receive_params = *params;
    err = weft_node_serve(n, "file.offer", answer_offer, n);
    return err != WEFT_OK ? err : weft_node_serve_stream(n, "file.put", &put, n);
}
