/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm.c - admission: life of the object, HELLO, and the order of things in time. See adm.h.
 */
#include "session/adm.h"

#include <string.h>

#include "base/bytes.h"
#include "session/adm_priv.h"

static bool config_is_sound(const struct wf_adm_config *c)
{
    return c->ceiling_log2 <= WF_EFFORT_LOG2_MAX && c->effort <= (uint64_t)1 << c->ceiling_log2 &&
           wf_lists_valid(c->lists) && c->work_alg <= WF_WORK_PROGRAM &&
           c->table_max <= WF_ADM_TABLE_MAX && c->pool_max <= WF_ADM_POOL_MAX &&
           c->queue_max <= WF_ADM_QUEUE_MAX &&
           (c->shard_count == 0 ? c->shard == 0 : c->shard < c->shard_count);
}

/* Takes every slot once, so that none has to be made on a stranger's word. */
static weft_err arena_new(struct wf_adm *a, struct wf_secret_arena **out, size_t slot_size,
                          size_t count)
{
    void **slots = (void **)wf_alloc_array(a->mem, count, sizeof *slots);
    size_t got = 0;

    if (slots == NULL)
        return WEFT_ERR_NOMEM;
    weft_err err = wf_secret_arena_new(out, a->mem, slot_size, count);
    if (err == WEFT_OK) {
        while (got < count && (slots[got] = wf_secret_get(*out)) != NULL)
            got++;
        err = got == count ? WEFT_OK : WEFT_ERR_NOMEM;
        while (got > 0)
            wf_secret_put(*out, slots[--got]);
    }
    wf_free(a->mem, slots, count * sizeof *slots);
    return err;
}

static weft_err allocate(struct wf_adm *a, const struct wf_adm_config *c)
{
    weft_err err = wf_secret_arena_new(&a->secret_arena, a->mem, sizeof *a->secrets, 1);

    if (err != WEFT_OK)
        return err;
    a->secrets = (struct wf_adm_secrets *)wf_secret_get(a->secret_arena);
    a->pool = (struct wf_adm_pair **)wf_alloc_array(a->mem, a->pool_max, sizeof(void *));
    if (a->secrets == NULL || a->pool == NULL)
        return WEFT_ERR_NOMEM;
    err = arena_new(a, &a->pool_arena, sizeof(struct wf_adm_pair), a->pool_max);
    if (err == WEFT_OK) {
        err = arena_new(a, &a->pending_arena, sizeof(struct wf_adm_pending), WF_ADM_PENDING_MAX);
    }
    if (err == WEFT_OK) {
        err = wf_adm_table_init(a, c->table_max != 0 ? c->table_max : WF_ADM_TABLE_DEFAULT);
    }
    return err;
}

static void configure(struct wf_adm *a, const struct wf_adm_config *c, weft_time now)
{
    a->mem = c->mem;
    a->rng = c->rng;
    a->aead = c->aead;
    a->identity = c->identity;
    a->shown = c->identity;
    if (c->lists.len > 0) {
        memcpy(a->lists_bytes, c->lists.data, c->lists.len);
    }
    a->lists = wf_span(a->lists_bytes, c->lists.len);
    a->effort = c->effort;
    a->work_alg = c->work_alg != WF_WORK_NONE ? c->work_alg : WF_WORK_BLAKE2B;
    a->ceiling_log2 = c->ceiling_log2;
    a->wall_ms = c->wall_ms;
    a->started = now;
    a->instance = c->instance;
    a->shard = c->shard;
    a->shard_count = c->shard_count != 0 ? c->shard_count : 1;
    a->kept_max = c->confirm_pool != 0 ? c->confirm_pool : WF_ADM_KEPT_DEFAULT;
    a->pool_max = c->pool_max != 0 ? c->pool_max : WF_ADM_POOL_DEFAULT;
    a->pool_next = now;
}

weft_err wf_adm_new(struct wf_adm **out, const struct wf_adm_config *c, weft_time now)
{
    if (!config_is_sound(c))
        return WEFT_ERR_USAGE;
    struct wf_adm *a = (struct wf_adm *)wf_alloc(c->mem, sizeof *a);
    if (a == NULL)
        return WEFT_ERR_NOMEM;
    configure(a, c, now);
    weft_err err = wf_adm_hold_statement(a, c->statement);
    if (err == WEFT_OK) {
        err = allocate(a, c);
    }
    if (err == WEFT_OK) {
        wf_adm_rotate_init(a, now);
        err = wf_adm_load_init(a, c->queue_max != 0 ? c->queue_max : WF_ADM_QUEUE_DEFAULT, now);
    }
    if (err != WEFT_OK) {
        wf_adm_free(a);
        return err;
    }
    *out = a;
    return WEFT_OK;
}

void wf_adm_free(struct wf_adm *a)
{
    if (a == NULL)
        return;
    wf_adm_keep_deinit(a);
    wf_adm_limited_deinit(a);
    wf_adm_table_deinit(a);
    wf_adm_load_deinit(a);
    wf_secret_arena_free(a->pending_arena);
    wf_secret_arena_free(a->pool_arena);
    wf_secret_arena_free(a->secret_arena);
    wf_free(a->mem, a->pool, a->pool_max * sizeof(void *));
    wf_free(a->mem, a, sizeof *a);
}

/* SPEC 1.1-2: nothing is allocated, stored or computed with curves here. */
static void on_hello(struct wf_adm *a, weft_time now, weft_span datagram, struct wf_adm_result *out)
{
    struct wf_hello h;

    a->stats.hello++;
    /* SPEC 1.1-1, 1.1-3: whatever the prefix is, our only key is the default that answers. The
     * cookie covers the prefix, and a SOLVE with another than ours is refused. */
    if (wf_hello_get(datagram, &h) != WEFT_OK) {
        a->stats.hello_bad++;
        return;
    }
    wf_adm_challenge(a, now, &h, out);
}

void wf_adm_recv(struct wf_adm *a, weft_time now, const struct wf_adm_path *path,
                 weft_span datagram, struct wf_adm_result *out)
{
    out->kind = WF_ADM_DROP;
    out->reply_len = 0;
    out->path = *path;
    if (datagram.len == 0 || !wf_addr_is_set(&path->from))
        return;
    wf_adm_rotate_epoch(a, now);
    if (datagram.data[0] == WF_TYPE_HELLO) {
        on_hello(a, now, datagram, out);
    } else if (datagram.data[0] == WF_TYPE_SOLVE) {
        wf_adm_solve(a, now, datagram, out);
    } else if (datagram.data[0] == WF_TYPE_ASK) {
        wf_adm_ask(a, datagram, out);
    }
}

void wf_adm_tick(struct wf_adm *a, weft_time now)
{
    wf_adm_rotate_epoch(a, now);
    wf_adm_rotate_ts(a, now);
    wf_adm_table_sweep(a);
    wf_adm_load_tick(a, now);
    wf_adm_keep_expire(a, now);
    wf_adm_pool_fill(a, now);
}

weft_time wf_adm_deadline(const struct wf_adm *a)
{
    weft_time rotate = wf_adm_rotate_deadline(a);
    weft_time keep = wf_adm_keep_deadline(a);
    weft_time load = wf_adm_load_deadline(a);
    weft_time at = rotate < keep ? rotate : keep;

    if (wf_adm_table_is_dying(a))
        return 0;
    return at < load ? at : load;
}

void wf_adm_stats(const struct wf_adm *a, struct wf_adm_stats *out)
{
    *out = a->stats;
    out->price = a->price.price;
    out->queued = wf_queue_count(&a->queue);
    out->table_entries = a->table.used;
    out->confirm_bytes = a->kept_bytes;
    out->pool_keys = a->pool_count;
}
