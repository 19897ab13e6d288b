/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_presence.c - where those at rest are kept (docs/spec/4-transport.md 4.6): slots of the vault
 * in the order of folding, found by connection id and by peer. What a record says, and how a
 * session becomes one and again a session, is in core_fold.c.
 */
#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "endpoint/core_fold.h"

#define DROPS_AT_ONCE 64u
#define NAMED_MAX 16u /* presences of one peer that are found by its name: the newest */

struct presence *presence_at(const struct wf_core *c, uint32_t slot)
{
    return wf_vault_clear(c->rest.vault, slot);
}

/* --- the parts, made with the first session that folds --- */

static weft_err make_vault(struct wf_core *c)
{
    const struct wf_vault_config config = {.mem = c->mem,
                                           .rng = c->rng,
                                           .aead = c->aead,
                                           .record_len = PRESENCE_LEN,
                                           .clear_len = sizeof(struct presence),
                                           .slots_max = c->config.presences_max};

    return c->rest.vault != NULL ? WEFT_OK : wf_vault_new(&c->rest.vault, &config);
}

static weft_err make_scratch(struct wf_core *c)
{
    struct presences *r = &c->rest;
    weft_err err = WEFT_OK;

    if (r->scratch != NULL)
        return WEFT_OK;
    if (r->arena == NULL)
        err = wf_secret_arena_new(&r->arena, c->mem, sizeof *r->scratch, 1);
    if (err != WEFT_OK)
        return err;
    if (r->packet == NULL)
        r->packet = wf_alloc(c->mem, PRESENCE_PACKET_MAX);
    if (r->packet == NULL)
        return WEFT_ERR_NOMEM;
    r->scratch = wf_secret_get(r->arena);
    return r->scratch == NULL ? WEFT_ERR_NOMEM : WEFT_OK;
}

weft_err presence_make_parts(struct wf_core *c)
{
    weft_err err = make_scratch(c);

    return err == WEFT_OK ? make_vault(c) : err;
}

void presences_init(struct wf_core *c)
{
    /* A slot's numbers are dense: the index never sees one above these. */
    wf_index_init(&c->rest.index, c->mem, PRESENCE_IDS * (c->config.presences_max + 64));
    wf_random(c->rng, c->rest.key, sizeof c->rest.key);
    c->rest.oldest = WF_VAULT_NONE;
    c->rest.newest = WF_VAULT_NONE;
}

void presences_deinit(struct wf_core *c)
{
    struct presences *r = &c->rest;

    dormant_clear(c);
    wf_index_deinit(&r->index);
    wf_vault_free(r->vault);
    wf_free(c->mem, r->packet, PRESENCE_PACKET_MAX);
    if (r->arena != NULL)
        wf_secret_put(r->arena, r->scratch);
    wf_secret_arena_free(r->arena);
}

/* --- slots --- */

static void link_newest(struct presences *r, struct presence *p, uint32_t slot)
{
    p->older = r->newest;
    p->newer = WF_VAULT_NONE;
    if (r->newest == WF_VAULT_NONE)
        r->oldest = slot;
    r->newest = slot;
}

static void unlink_slot(struct wf_core *c, const struct presence *p)
{
    struct presences *r = &c->rest;

    if (p->older == WF_VAULT_NONE)
        r->oldest = p->newer;
    else
        presence_at(c, p->older)->newer = p->newer;
    if (p->newer == WF_VAULT_NONE)
        r->newest = p->older;
    else
        presence_at(c, p->newer)->older = p->older;
}

uint64_t presence_hash(const struct wf_core *c, const void *data, size_t len)
{
    return wf_siphash64(c->rest.key, wf_span(data, len));
}

/* What an entry of either index is about. */
static struct presence *owner_of(const struct wf_core *c, const struct wf_index *x, uint32_t id)
{
    const uint32_t slot = id / PRESENCE_IDS;

    return x == &c->rest.index ? presence_at(c, slot) : dormant_at(c, slot);
}

/* Takes the first count connection ids of a slot out. */
static void leave_ids(struct wf_index *x, uint32_t slot, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wf_index_remove(x, slot * PRESENCE_IDS + (uint32_t)i);
}

/* Who makes session after session would else make a chain that takes long to walk: older ones of
 * his are found by connection id alone. SPEC 4.6-11 */
static void shorten_names(struct wf_core *c, struct wf_index *x, uint64_t hash)
{
    uint32_t oldest = WF_INDEX_NONE;
    size_t count = 0;

    for (uint32_t id = wf_index_first(x, hash); id != WF_INDEX_NONE; id = wf_index_next(x, id)) {
        if (id % PRESENCE_IDS != PRESENCE_NAME_AT)
            continue;
        oldest = id;
        count++;
    }
    if (count <= NAMED_MAX)
        return;
    wf_index_remove(x, oldest);
    owner_of(c, x, oldest)->has_name = false;
}

void presence_leave_index(struct wf_index *x, uint32_t slot, const struct presence *p)
{
    leave_ids(x, slot, p->cid_count);
    if (p->has_name)
        wf_index_remove(x, slot * PRESENCE_IDS + PRESENCE_NAME_AT);
}

weft_err presence_enter_index(struct wf_core *c, struct wf_index *x, uint32_t slot,
                              const struct presence *p)
{
    weft_err err = WEFT_OK;
    uint32_t i = 0;

    for (; i < p->cid_count && err == WEFT_OK; i++)
        err = wf_index_put(x, slot * PRESENCE_IDS + i, presence_hash(c, p->cids[i], WF_CID_LEN));
    if (err != WEFT_OK) {
        leave_ids(x, slot, i - 1);
        return err;
    }
    if (!p->has_name)
        return WEFT_OK;
    err = wf_index_put(x, slot * PRESENCE_IDS + PRESENCE_NAME_AT, p->name);
    if (err == WEFT_OK)
        shorten_names(c, x, p->name);
    else
        leave_ids(x, slot, i);
    return err;
}

void presence_drop(struct wf_core *c, uint32_t slot)
{
    const struct presence *p = presence_at(c, slot);

    presence_leave_index(&c->rest.index, slot, p);
    unlink_slot(c, p);
    wf_vault_drop(c->rest.vault, slot);
}

size_t presences_count(const struct wf_core *c)
{
    return c->rest.vault == NULL ? 0 : wf_vault_count(c->rest.vault);
}

/* Without a word: to the file, where there is one. SPEC 4.6-8, 4.7-1 */
static void let_go(struct wf_core *c, weft_time now, uint32_t slot)
{
    if (!dormant_put(c, now, slot))
        c->stats.presences_dropped++;
    presence_drop(c, slot);
}

bool presence_drop_oldest(struct wf_core *c, weft_time now)
{
    if (presences_count(c) == 0)
        return false;
    let_go(c, now, c->rest.oldest);
    return true;
}

weft_err presence_keep(struct wf_core *c, const struct presence *like)
{
    uint32_t slot = WF_VAULT_NONE;
    weft_err err = wf_vault_put(c->rest.vault, c->rest.scratch->record, &slot);

    if (err != WEFT_OK)
        return err;

    struct presence *p = presence_at(c, slot);

    *p = *like;
    err = presence_enter_index(c, &c->rest.index, slot, p);
    if (err != WEFT_OK) {
        wf_vault_drop(c->rest.vault, slot);
        return err;
    }
    link_newest(&c->rest, p, slot);
    if (p->older != WF_VAULT_NONE)
        presence_at(c, p->older)->newer = slot;
    return WEFT_OK;
}

void presence_make_place(struct wf_core *c, weft_time now)
{
    if (presences_count(c) >= c->config.presences_max)
        (void)presence_drop_oldest(c, now);
}

/* --- time and room --- */

weft_time presence_after(weft_time from, uint64_t us)
{
    return us > WEFT_TIME_NEVER - from ? WEFT_TIME_NEVER : from + us;
}

uint64_t presence_rest_us(const struct wf_core *c)
{
    return c->config.rest_ms * 1000;
}

/* A place in memory is for so long; afterwards there is the file, or nothing. */
static uint64_t here_us(const struct wf_core *c)
{
    const uint64_t file_us = dormant_after_us(c);

    return file_us < presence_rest_us(c) ? file_us : presence_rest_us(c);
}

weft_time presences_deadline(const struct wf_core *c)
{
    const weft_time at_file = dormant_deadline(c);
    const weft_time here =
        presences_count(c) == 0
            ? WEFT_TIME_NEVER
            : presence_after(presence_at(c, c->rest.oldest)->folded_at, here_us(c));

    return here < at_file ? here : at_file;
}

/* SPEC 4.6-8 */
void presences_tick(struct wf_core *c, weft_time now)
{
    for (unsigned i = 0;
         i < DROPS_AT_ONCE && presences_count(c) > 0 &&
         now >= presence_after(presence_at(c, c->rest.oldest)->folded_at, here_us(c));
         i++)
        (void)presence_drop_oldest(c, now);
    dormant_tick(c, now);
}

/* The oldest, and those whose memory comes back with its: the oldest lie anywhere, and to free one
 * slab of theirs alone nearly all would have to go. */
void presences_shed(struct wf_core *c, weft_time now)
{
    if (presences_count(c) == 0)
        return;
    const uint32_t first = c->rest.oldest / WF_VAULT_SLAB * WF_VAULT_SLAB;

    for (uint32_t slot = first; slot < first + WF_VAULT_SLAB; slot++) {
        if (wf_vault_has(c->rest.vault, slot))
            let_go(c, now, slot);
    }
}

void presences_clear(struct wf_core *c)
{
    while (presences_count(c) > 0)
        presence_drop(c, c->rest.oldest);
    dormant_clear(c);
}

size_t presences_bytes(const struct wf_core *c)
{
    return presences_count(c) == 0 ? 0 : presences_count(c) * wf_vault_slot_size(c->rest.vault);
}

const char *presences_check(const struct wf_core *c)
{
    size_t entries = 0;
    size_t count = 0;
    uint32_t slot = presences_count(c) == 0 ? WF_VAULT_NONE : c->rest.oldest;

    for (; slot != WF_VAULT_NONE; slot = presence_at(c, slot)->newer) {
        const struct presence *p = presence_at(c, slot);

        if (++count > presences_count(c))
            return "the list of presences has no end";
        entries += p->cid_count + (p->has_name ? 1u : 0u);
        for (size_t i = 0; i < p->cid_count; i++) {
            if (wf_table_get(&c->sessions, wf_span(p->cids[i], WF_CID_LEN)) != NULL)
                return "a connection id is of a session and of a presence";
        }
    }
    if (count != presences_count(c))
        return "presences are miscounted";
    return entries == wf_index_count(&c->rest.index) ? NULL : "the index of presences is wrong";
}
