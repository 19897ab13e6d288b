/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_send.c - a file to a peer: "file.offer" asks where to begin, "file.put" carries the rest.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/file_priv.h"
#include "net/clock.h"

struct file_send {
    weft_node *node;
    weft_file_params params;
    struct file_id id;
    struct file_source *source; /* until the body owns it */
    char to[WEFT_KEY_TEXT_MAX + WEFT_HOST_MAX + 16];
    weft_time started;
    weft_file_result result;
    char stored[FILE_NAME_BYTES];
    uint64_t offset;
};

static void finish(struct file_send *s, weft_err err)
{
    s->result.err = err;
    s->result.name = err == WEFT_OK ? s->stored : s->id.name;
    s->result.size = s->id.size;
    s->result.peer = s->id.peer;
    s->result.took_us = wf_clock_now() - s->started;
    if (s->params.on_done != NULL)
        s->params.on_done(&s->result, s->params.user);
    file_source_free(s->source);
    wf_free(&s->node->mem, s, sizeof *s);
}

/* What the other end says it is called there: told to people, so it must be a name. */
static weft_err read_stored(struct file_send *s, struct wf_reader *r)
{
    weft_span name = wf_read_span(r, wf_read_len8(r, 1, WF_FILE_NAME_MAX));

    if (!wf_reader_done(r) || !wf_file_name_ok(name))
        return WEFT_ERR_MALFORMED;
    memcpy(s->stored, name.data, name.len);
    s->stored[name.len] = '\0';
    return WEFT_OK;
}

static void on_put_outcome(const weft_outcome *o, void *user)
{
    struct file_send *s = user;
    weft_err err = file_outcome_err(o);

    s->result.resent = o->resent;
    if (err == WEFT_OK) {
        struct wf_reader r = wf_reader_of((weft_span){o->message->body, o->message->len});

        err = (weft_err)wf_read_u8(&r);
        if (err == WEFT_OK)
            err = read_stored(s, &r);
    }
    if (err == WEFT_OK)
        s->result.moved = s->id.size - s->offset;
    finish(s, err);
}

static void on_put_progress(uint64_t sent, uint64_t total, void *user)
{
    struct file_send *s = user;
    uint64_t done = s->offset + sent;

    (void)total;
    if (s->params.on_progress != NULL)
        s->params.on_progress(s->id.name, done < s->id.size ? done : s->id.size, s->id.size,
                              s->params.user);
}

/* The digest that goes out at the end is the one to be told. */
static void keep_digest(const uint8_t digest[WF_SHA256_LEN], void *user)
{
    struct file_send *s = user;

    memcpy(s->result.digest, digest, WF_SHA256_LEN);
}

static weft_err put(struct file_send *s)
{
    weft_send_params p = WEFT_SEND_PARAMS;
    struct wf_writer w = wf_writer_of(s->source->head, sizeof s->source->head);
    weft_err err = file_source_begin(s->source, s->offset);

    if (err != WEFT_OK)
        return err;
    file_write_id(&w, &s->id);
    wf_write_u64(&w, s->offset);
    s->source->head_len = w.len;
    s->source->on_digest = keep_digest;
    s->source->on_digest_user = s;
    s->result.resumed_at = s->offset;
    p.to = s->to;
    p.service = "file.put";
    p.priority = s->params.priority;
    p.body = file_source_body(s->source);
    p.expect_reply = true;
    p.on_outcome = on_put_outcome;
    p.on_progress = on_put_progress;
    p.user = s;
    s->source = NULL; /* the body's now, whatever comes of the call */
    return weft_node_send(s->node, &p, NULL);
}

static void on_offer_outcome(const weft_outcome *o, void *user)
{
    struct file_send *s = user;
    weft_err err = file_outcome_err(o);

    s->result.first_reply_us = o->took_us;
    s->result.first_packets = o->packets;
    s->result.handshake_us = o->handshake_us;
    if (err == WEFT_OK) {
        struct wf_reader r = wf_reader_of((weft_span){o->message->body, o->message->len});

        err = (weft_err)wf_read_u8(&r);
        if (err == WEFT_OK) {
            s->offset = wf_read_u64(&r);
            err = wf_reader_done(&r) ? WEFT_OK : WEFT_ERR_MALFORMED;
        }
    }
    if (err == WEFT_OK)
        err = put(s);
    if (err != WEFT_OK)
        finish(s, err);
}

static weft_err fill(struct file_send *s, const char *to, const char *path)
{
    const char *name = file_base_name(path);
    const struct node_pin *pin = NULL;
    weft_peer peer;
    weft_err err = node_peer_parse(s->node, to, &peer, &pin);

    if (err != WEFT_OK)
        return err;
    if (name == NULL || strlen(to) >= sizeof s->to)
        return WEFT_ERR_USAGE;
    err = file_source_open(&s->source, s->node, path);
    if (err != WEFT_OK)
        return err;
    memcpy(s->to, to, strlen(to) + 1);
    memcpy(s->id.name, name, strlen(name) + 1);
    s->id.peer = peer.key;
    s->id.size = s->source->size;
    s->id.modified_ns = s->source->modified_ns;
    return WEFT_OK;
}

static weft_err offer(struct file_send *s)
{
    uint8_t body[FILE_HEAD_MAX];
    struct wf_writer w = wf_writer_of(body, sizeof body);
    weft_send_params p = WEFT_SEND_PARAMS;

    file_write_id(&w, &s->id);
    p.to = s->to;
    p.service = "file.offer";
    p.body = weft_body_span(body, w.len);
    p.expect_reply = true;
    p.reach_within_ms = s->params.reach_within_ms;
    p.on_outcome = on_offer_outcome;
    p.user = s;
    return weft_node_send(s->node, &p, NULL);
}

weft_err weft_file_send(weft_node *n, const char *to, const char *path,
                        const weft_file_params *params)
{
    struct file_send *s = NULL;
    weft_err err = WEFT_OK;

    if (params == NULL || params->size < sizeof *params || params->priority > WEFT_BACKGROUND)
        return WEFT_ERR_USAGE;
    s = wf_alloc(&n->mem, sizeof *s);
    if (s == NULL)
        return WEFT_ERR_NOMEM;
    s->node = n;
    s->params = *params;
    s->started = wf_clock_now();
    err = fill(s, to, path);
    if (err == WEFT_OK)
        err = offer(s);
    if (err != WEFT_OK) {
        file_source_free(s->source);
        wf_free(&n->mem, s, sizeof *s);
    }
    return err;
}
