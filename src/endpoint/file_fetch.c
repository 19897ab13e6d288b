/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_fetch.c - a file from a peer: "file.list" tells size and time, "file.get" brings what is not
 * here yet.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/file_priv.h"
#include "net/clock.h"

#define REPLY_HEAD 25u

struct fetch {
    weft_node *node;
    weft_file_params params;
    struct file_id id;
    struct wf_folder folder;
    bool has_folder;
    struct file_part part;
    char from[WEFT_KEY_TEXT_MAX + WEFT_HOST_MAX + 16];
    uint8_t head[REPLY_HEAD];
    size_t head_len;
    bool has_head;
    weft_err err;
    uint64_t request; /* of "file.get", to cancel it */
    weft_time started;
    weft_file_result result;
};

static void fetch_free(struct fetch *f)
{
    file_part_close(&f->part);
    if (f->has_folder)
        wf_folder_close(&f->folder);
    wf_free(&f->node->mem, f, sizeof *f);
}

static void finish(struct fetch *f, weft_err err)
{
    f->result.err = err;
    f->result.name = err == WEFT_OK ? f->part.stored : f->id.name;
    f->result.size = f->id.size;
    f->result.moved = file_part_moved(&f->part);
    f->result.resumed_at = f->part.start;
    f->result.peer = f->id.peer;
    f->result.took_us = wf_clock_now() - f->started;
    memcpy(f->result.digest, f->part.digest, sizeof f->result.digest);
    if (f->params.on_done != NULL)
        f->params.on_done(&f->result, f->params.user);
    fetch_free(f);
}

/* A status that is not 0 stands alone; else size, time and offset must be those that were asked
 * for. */
static weft_err read_head(struct fetch *f)
{
    struct wf_reader r = wf_reader_of((weft_span){f->head, f->head_len});
    uint64_t offset = 0;

    (void)wf_read_u8(&r);
    if (wf_read_u64(&r) != f->id.size || wf_read_u64(&r) != f->id.modified_ns)
        return WEFT_ERR_STATE; /* it changed between the two requests */
    offset = wf_read_u64(&r);
    return file_part_begin(&f->part, offset);
}

static size_t take_head(struct fetch *f, weft_span data)
{
    size_t want = f->head_len == 0 ? 1 : REPLY_HEAD;
    size_t len = data.len < want - f->head_len ? data.len : want - f->head_len;

    memcpy(f->head + f->head_len, data.data, len);
    f->head_len += len;
    if (f->head[0] != 0)
        f->err = (weft_err)f->head[0];
    f->has_head = f->head_len == REPLY_HEAD || f->head[0] != 0;
    if (f->has_head && f->err == WEFT_OK)
        f->err = read_head(f);
    return len;
}

static size_t on_data(const uint8_t *data, size_t len, void *user)
{
    struct fetch *f = user;
    size_t at = 0;
    bool failed = f->err != WEFT_OK;

    while (at < len && !f->has_head)
        at += take_head(f, (weft_span){data + at, len - at});
    if (f->err == WEFT_OK && at < len && file_part_catch_up(&f->part, &f->err)) {
        weft_node_resume(f->node);
        return at;
    }
    if (f->err == WEFT_OK && at < len)
        f->err = file_part_add(&f->part, (weft_span){data + at, len - at});
    if (f->err == WEFT_OK && f->params.on_progress != NULL)
        f->params.on_progress(f->id.name, f->part.at, f->id.size, f->params.user);
    if (f->err != WEFT_OK && !failed)
        weft_node_cancel(f->node, f->request);
    return len;
}

static void on_get_outcome(const weft_outcome *o, void *user)
{
    struct fetch *f = user;
    weft_err err = f->err != WEFT_OK ? f->err : file_outcome_err(o);

    f->result.resent = o->resent;
    if (err == WEFT_OK)
        err = file_part_end(&f->part);
    finish(f, err);
}

static weft_err get(struct fetch *f)
{
    uint8_t body[FILE_HEAD_MAX];
    struct wf_writer w = wf_writer_of(body, sizeof body);
    weft_send_params p = WEFT_SEND_PARAMS;
    weft_err err = file_part_open(&f->part, &f->folder, &f->id);

    if (err != WEFT_OK)
        return err;
    file_write_id(&w, &f->id);
    wf_write_u64(&w, file_part_have(&f->part));
    p.to = f->from;
    p.service = "file.get";
    p.body = weft_body_span(body, w.len);
    p.expect_reply = true;
    p.on_reply_data = on_data;
    p.on_outcome = on_get_outcome;
    p.user = f;
    return weft_node_send(f->node, &p, &f->request);
}

static void on_stat_outcome(const weft_outcome *o, void *user)
{
    struct fetch *f = user;
    weft_err err = file_outcome_err(o);

    f->result.first_reply_us = o->took_us;
    f->result.first_packets = o->packets;
    f->result.handshake_us = o->handshake_us;
    if (err == WEFT_OK) {
        struct wf_reader r = wf_reader_of((weft_span){o->message->body, o->message->len});
        struct file_id id = {.peer = f->id.peer};

        if (o->message->len == 0)
            err = WEFT_ERR_NOT_FOUND;
        else if (!file_read_id(&r, &id) || strcmp(id.name, f->id.name) != 0)
            err = WEFT_ERR_MALFORMED;
        else
            f->id = id;
    }
    if (err == WEFT_OK)
        err = get(f);
    if (err != WEFT_OK)
        finish(f, err);
}

/* Asks for the list, or for the row of one name. */
static weft_err ask_list(weft_node *n, const char *from, const char *name,
                         const weft_send_params *more)
{
    uint8_t body[1 + WF_FILE_NAME_MAX];
    struct wf_writer w = wf_writer_of(body, sizeof body);
    weft_send_params p = *more;

    if (name != NULL) {
        weft_span s = wf_span_of(name);

        wf_write_u8(&w, (uint8_t)s.len);
        wf_write_span(&w, s);
    }
    p.to = from;
    p.service = "file.list";
    p.body = weft_body_span(body, w.len);
    p.expect_reply = true;
    return weft_node_send(n, &p, NULL);
}

static weft_err fill(struct fetch *f, const char *from, const char *name, const char *folder)
{
    const struct node_pin *pin = NULL;
    weft_peer peer;
    weft_err err = node_peer_parse(f->node, from, &peer, &pin);

    if (err != WEFT_OK)
        return err;
    if (!wf_file_name_ok(wf_span_of(name)) || strlen(from) >= sizeof f->from)
        return WEFT_ERR_USAGE;
    err = wf_folder_open(&f->folder, folder);
    f->has_folder = err == WEFT_OK;
    memcpy(f->from, from, strlen(from) + 1);
    memcpy(f->id.name, name, strlen(name) + 1);
    f->id.peer = peer.key;
    return err;
}

weft_err weft_file_fetch(weft_node *n, const char *from, const char *name, const char *folder,
                         const weft_file_params *params)
{
    weft_send_params p = WEFT_SEND_PARAMS;
    struct fetch *f = NULL;
    weft_err err = WEFT_OK;

    if (params == NULL || params->size < sizeof *params)
        return WEFT_ERR_USAGE;
    f = wf_alloc(&n->mem, sizeof *f);
    if (f == NULL)
        return WEFT_ERR_NOMEM;
    f->node = n;
    f->params = *params;
    f->started = wf_clock_now();
    p.on_outcome = on_stat_outcome;
    p.user = f;
    p.reach_within_ms = params->reach_within_ms;
    err = fill(f, from, name, folder);
    if (err == WEFT_OK)
        err = ask_list(n, from, name, &p);
    if (err != WEFT_OK)
        fetch_free(f);
    return err;
}

/* --- the list --- */

struct listing {
    weft_node *node;
    weft_file_list_fn fn;
    void *user;
};

static void on_list_outcome(const weft_outcome *o, void *user)
{
    struct listing *l = user;
    weft_err err = file_outcome_err(o);

    if (err == WEFT_OK) {
        struct wf_reader r = wf_reader_of((weft_span){o->message->body, o->message->len});
        struct file_id id;

        while (err == WEFT_OK && r.left > 0) {
            err = file_read_id(&r, &id) ? WEFT_OK : WEFT_ERR_MALFORMED;
            if (err == WEFT_OK)
                l->fn(WEFT_OK, id.name, id.size, l->user);
        }
    }
    l->fn(err, NULL, 0, l->user);
    wf_free(&l->node->mem, l, sizeof *l);
}

weft_err weft_file_list(weft_node *n, const char *from, weft_file_list_fn fn, void *user)
{
    weft_send_params p = WEFT_SEND_PARAMS;
    struct listing *l = wf_alloc(&n->mem, sizeof *l);
    weft_err err = WEFT_OK;

    if (l == NULL)
        return WEFT_ERR_NOMEM;
    *l = (struct listing){.node = n, .fn = fn, .user = user};
    p.on_outcome = on_list_outcome;
    p.user = l;
    err = ask_list(n, from, NULL, &p);
    if (err != WEFT_OK)
        wf_free(&n->mem, l, sizeof *l);
    return err;
}
