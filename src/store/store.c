/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c - limits and the order of calls, the same for every back end.
 */
#include "store/store.h"

#include "store/backend.h"

struct wf_store {
    const struct wf_store_ops *ops;
    void *self;
    struct wf_store_limits limits;
    bool in_transaction;
    bool
        is_broken; /* a change of this transaction failed in the back end: it cannot be committed */
    struct wf_mem *mem;
};

struct wf_store_limits wf_store_limits_or_default(const struct wf_store_limits *limits)
{
    struct wf_store_limits l = limits == NULL ? (struct wf_store_limits){0} : *limits;

    l.value_max = l.value_max == 0 ? WF_STORE_VALUE_MAX : l.value_max;
    l.rows_max = l.rows_max == 0 ? WF_STORE_ROWS_MAX : l.rows_max;
    l.bytes_max = l.bytes_max == 0 ? WF_STORE_BYTES_MAX : l.bytes_max;
    return l;
}

weft_err wf_store_wrap(struct wf_store **out, const struct wf_store_ops *ops, void *self,
                       const struct wf_store_limits *limits, struct wf_mem *mem)
{
    struct wf_store *s = wf_alloc(mem, sizeof *s);

    if (s == NULL)
        return WEFT_ERR_NOMEM;
    s->ops = ops;
    s->self = self;
    s->limits = wf_store_limits_or_default(limits);
    s->mem = mem;
    *out = s;
    return WEFT_OK;
}

void wf_store_close(struct wf_store *s)
{
    if (s == NULL)
        return;
    wf_store_rollback(s);
    s->ops->close(s->self);
    wf_free(s->mem, s, sizeof *s);
}

static weft_err check_key(weft_span key)
{
    if (key.len == 0)
        return WEFT_ERR_USAGE;
    return key.len <= WF_STORE_KEY_MAX ? WEFT_OK : WEFT_ERR_LIMIT;
}

weft_err wf_store_get(struct wf_store *s, uint8_t kind, weft_span key, struct wf_store_value *value)
{
    weft_err err = check_key(key);

    return err == WEFT_OK ? s->ops->get(s->self, kind, key, value) : err;
}

/* A single change without a transaction gets one of its own. */
static weft_err begin_change(struct wf_store *s, bool own)
{
    if (own)
        return wf_store_begin(s);
    return s->is_broken ? WEFT_ERR_STATE : WEFT_OK;
}

/* A back end may have given up the transaction by itself, after a full disk for one. What came next
 * would be outside. */
static weft_err end_change(struct wf_store *s, bool own, weft_err err)
{
    if (own && err == WEFT_OK)
        return wf_store_commit(s);
    if (own) {
        wf_store_rollback(s);
    } else if (err != WEFT_OK && err != WEFT_ERR_LIMIT) {
        s->is_broken = true;
    }
    return err;
}

/* A kind that is full takes new values for the keys it has, and no new ones. */
static weft_err check_rows(struct wf_store *s, uint8_t kind, weft_span key)
{
    struct wf_store_value nothing = {0};
    uint64_t rows = 0;
    weft_err err = s->ops->count(s->self, kind, &rows);

    if (err != WEFT_OK || rows < s->limits.rows_max)
        return err;
    err = s->ops->get(s->self, kind, key, &nothing);
    if (err == WEFT_ERR_NOT_FOUND)
        return WEFT_ERR_LIMIT;
    return err == WEFT_ERR_LIMIT ? WEFT_OK : err; /* it is there, and longer than nothing */
}

weft_err wf_store_put(struct wf_store *s, uint8_t kind, weft_span key, weft_span value)
{
    bool own = !s->in_transaction;
    weft_err err = check_key(key);

    if (err == WEFT_OK && value.len > s->limits.value_max) {
        err = WEFT_ERR_LIMIT;
    }
    if (err == WEFT_OK) {
        err = begin_change(s, own);
    }
    if (err != WEFT_OK)
        return err;
    err = check_rows(s, kind, key);
    if (err == WEFT_OK) {
        err = s->ops->put(s->self, kind, key, value);
    }
    return end_change(s, own, err);
}

weft_err wf_store_delete(struct wf_store *s, uint8_t kind, weft_span key)
{
    bool own = !s->in_transaction;
    weft_err err = check_key(key);

    if (err == WEFT_OK) {
        err = begin_change(s, own);
    }
    if (err != WEFT_OK)
        return err;
    return end_change(s, own, s->ops->remove(s->self, kind, key));
}

weft_err wf_store_count(struct wf_store *s, uint8_t kind, uint64_t *rows)
{
    return s->ops->count(s->self, kind, rows);
}

weft_err wf_store_next(struct wf_store *s, struct wf_store_cursor *c, struct wf_store_value *value)
{
    if (c->key_len > WF_STORE_KEY_MAX)
        return WEFT_ERR_USAGE;
    return s->ops->next(s->self, c, value);
}

weft_err wf_store_begin(struct wf_store *s)
{
    if (s->in_transaction)
        return WEFT_ERR_STATE;
    weft_err err = s->ops->begin(s->self);
    s->in_transaction = err == WEFT_OK;
    s->is_broken = false;
    return err;
}

weft_err wf_store_commit(struct wf_store *s)
{
    if (!s->in_transaction)
        return WEFT_ERR_STATE;
    weft_err err = s->is_broken ? WEFT_ERR_STATE : s->ops->commit(s->self);
    if (err != WEFT_OK) {
        s->ops->rollback(s->self);
    }
    s->in_transaction = false;
    return err;
}

void wf_store_rollback(struct wf_store *s)
{
    if (!s->in_transaction)
        return;
    s->ops->rollback(s->self);
    s->in_transaction = false;
}
