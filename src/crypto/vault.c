/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault.c - see vault.h. It must never seal twice under one number, nor leave a clear copy of a
 * record behind.
 *
 *   slot:  clear part | number of the seal (8) | sealed record | tag (16)
 *
 * The number is the nonce: it counts what this vault has ever sealed. The slot is associated data,
 * so that records cannot change places. What is kept outside is the same without the clear part,
 * for an id instead of a slot.
 */
#include "crypto/vault.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#define SLABS_FIRST 16u
#define NO_SLAB UINT32_MAX
#define NUMBER_LEN 8u

struct slab {
    uint8_t *base;       /* NULL: there is none under this number */
    uint64_t used;       /* bit i: slot i */
    uint32_t prev, next; /* those with room; for missing ones next alone */
};

struct wf_vault {
    struct wf_mem *mem;
    struct wf_aead *aead;
    struct wf_secret_arena *arena;
    struct wf_aead_key *key; /* in the arena */
    struct slab *slabs;
    uint32_t slab_room, slab_end; /* numbers below the end were given out once */
    uint32_t with_room, missing;  /* first of each list */
    uint32_t empty;               /* slabs with no slot in use: one is kept */
    size_t record_len, clear_len, stride;
    uint32_t slots_max;
    size_t count;
    uint64_t sealed; /* so many, ever */
};

static weft_err make_key(struct wf_vault *v, const struct wf_rng *rng)
{
    static const uint8_t prefix[16];
    uint8_t key[WF_AEAD_KEY_LEN];
    weft_err err = wf_secret_arena_new(&v->arena, v->mem, sizeof *v->key, 1);

    if (err != WEFT_OK)
        return err;
    v->key = (struct wf_aead_key *)wf_secret_get(v->arena);
    if (v->key == NULL)
        return WEFT_ERR_NOMEM;
    wf_random_secret(rng, key, sizeof key);
    wf_aead_key_init(v->key, WF_AEAD_XCHACHA20_POLY1305, key, prefix);
    wf_wipe(key, sizeof key);
    return WEFT_OK;
}

weft_err wf_vault_new(struct wf_vault **out, const struct wf_vault_config *config)
{
    WEFT_ASSERT(config->record_len > 0);
    WEFT_ASSERT(config->slots_max > 0);
    WEFT_ASSERT(config->slots_max <= WF_VAULT_SLOTS_MAX);
    struct wf_vault *v = (struct wf_vault *)wf_alloc(config->mem, sizeof *v);
    weft_err err = WEFT_OK;

    if (v == NULL)
        return WEFT_ERR_NOMEM;
    v->mem = config->mem;
    v->aead = config->aead;
    v->with_room = NO_SLAB;
    v->missing = NO_SLAB;
    v->record_len = config->record_len;
    v->clear_len = (config->clear_len + 7) / 8 * 8;
    v->stride = (v->clear_len + NUMBER_LEN + v->record_len + WF_AEAD_TAG_LEN + 7) / 8 * 8;
    v->slots_max = config->slots_max;
    err = make_key(v, config->rng);
    if (err != WEFT_OK) {
        wf_vault_free(v);
        return err;
    }
    *out = v;
    return WEFT_OK;
}

static size_t slab_size(const struct wf_vault *v)
{
    return v->stride * WF_VAULT_SLAB;
}

static void free_slab(struct wf_vault *v, uint8_t *base)
{
    if (base == NULL)
        return;
    wf_wipe(base, slab_size(v));
    wf_free(v->mem, base, slab_size(v));
}

void wf_vault_free(struct wf_vault *v)
{
    if (v == NULL)
        return;
    for (uint32_t i = 0; i < v->slab_end; i++)
        free_slab(v, v->slabs[i].base);
    wf_free(v->mem, v->slabs, v->slab_room * sizeof *v->slabs);
    if (v->key != NULL)
        wf_secret_put(v->arena, v->key);
    wf_secret_arena_free(v->arena);
    wf_free(v->mem, v, sizeof *v);
}

/* --- slabs --- */

static void room_add(struct wf_vault *v, uint32_t i)
{
    v->slabs[i].prev = NO_SLAB;
    v->slabs[i].next = v->with_room;
    if (v->with_room != NO_SLAB)
        v->slabs[v->with_room].prev = i;
    v->with_room = i;
}

static void room_remove(struct wf_vault *v, uint32_t i)
{
    const struct slab *s = &v->slabs[i];

    if (s->prev == NO_SLAB)
        v->with_room = s->next;
    else
        v->slabs[s->prev].next = s->next;
    if (s->next != NO_SLAB)
        v->slabs[s->next].prev = s->prev;
}

static weft_err more_slabs(struct wf_vault *v)
{
    const uint32_t room = v->slab_room == 0 ? SLABS_FIRST : v->slab_room * 2;
    struct slab *slabs = NULL;

    if (v->slab_end < v->slab_room)
        return WEFT_OK;
    slabs = (struct slab *)wf_alloc_array(v->mem, room, sizeof *slabs);
    if (slabs == NULL)
        return WEFT_ERR_NOMEM;
    if (v->slab_room > 0)
        memcpy(slabs, v->slabs, v->slab_room * sizeof *slabs);
    wf_free(v->mem, v->slabs, v->slab_room * sizeof *slabs);
    v->slabs = slabs;
    v->slab_room = room;
    return WEFT_OK;
}

static weft_err add_slab(struct wf_vault *v)
{
    uint32_t i = v->missing;
    uint8_t *base = NULL;

    if (i == NO_SLAB && more_slabs(v) != WEFT_OK)
        return WEFT_ERR_NOMEM;
    base = (uint8_t *)wf_alloc(v->mem, slab_size(v));
    if (base == NULL)
        return WEFT_ERR_NOMEM;
    if (i == NO_SLAB)
        i = v->slab_end++;
    else
        v->missing = v->slabs[i].next;
    v->slabs[i] = (struct slab){.base = base};
    v->empty++;
    room_add(v, i);
    return WEFT_OK;
}

static void drop_slab(struct wf_vault *v, uint32_t i)
{
    room_remove(v, i);
    free_slab(v, v->slabs[i].base);
    v->slabs[i] = (struct slab){.next = v->missing};
    v->missing = i;
    v->empty--;
}

/* --- slots --- */

static uint8_t *slot_at(const struct wf_vault *v, uint32_t slot)
{
    return v->slabs[slot / WF_VAULT_SLAB].base + slot % WF_VAULT_SLAB * v->stride;
}

bool wf_vault_has(const struct wf_vault *v, uint32_t slot)
{
    return slot / WF_VAULT_SLAB < v->slab_end &&
           (v->slabs[slot / WF_VAULT_SLAB].used >> slot % WF_VAULT_SLAB & 1) != 0;
}

static uint32_t take_slot(struct wf_vault *v)
{
    const uint32_t i = v->with_room;
    struct slab *s = &v->slabs[i];
    uint32_t bit = 0;

    while ((s->used >> bit & 1) != 0)
        bit++;
    if (s->used == 0)
        v->empty--;
    s->used |= (uint64_t)1 << bit;
    if (s->used == UINT64_MAX)
        room_remove(v, i);
    v->count++;
    return i * WF_VAULT_SLAB + bit;
}

/* Slots have 4 bytes of associated data, what is outside has 8: none is taken for the other. */
static void seal(struct wf_vault *v, weft_span place, const uint8_t *record, uint8_t *out)
{
    struct wf_aead_op op = {.number = ++v->sealed,
                            .ad = place,
                            .in = record,
                            .in_len = v->record_len,
                            .out = out + NUMBER_LEN};

    wf_store_u64(out, op.number);
    wf_aead_seal(v->aead, v->key, &op, 1);
}

static bool unseal(struct wf_vault *v, weft_span place, const uint8_t *sealed, uint8_t *record)
{
    struct wf_aead_op op = {.number = wf_load_u64(sealed),
                            .ad = place,
                            .in = sealed + NUMBER_LEN,
                            .in_len = v->record_len + WF_AEAD_TAG_LEN,
                            .out = record};

    return wf_aead_open(v->aead, v->key, &op, 1) == 1;
}

weft_err wf_vault_put(struct wf_vault *v, const uint8_t *record, uint32_t *slot)
{
    uint8_t place[4] = {0};

    if (v->count >= v->slots_max)
        return WEFT_ERR_LIMIT;
    if (v->with_room == NO_SLAB && add_slab(v) != WEFT_OK)
        return WEFT_ERR_NOMEM;
    *slot = take_slot(v);
    wf_store_u32(place, *slot);
    seal(v, wf_span(place, sizeof place), record, slot_at(v, *slot) + v->clear_len);
    return WEFT_OK;
}

bool wf_vault_get(struct wf_vault *v, uint32_t slot, uint8_t *record)
{
    WEFT_ASSERT(wf_vault_has(v, slot));
    uint8_t place[4] = {0};

    wf_store_u32(place, slot);
    return unseal(v, wf_span(place, sizeof place), slot_at(v, slot) + v->clear_len, record);
}

size_t wf_vault_outside_len(const struct wf_vault *v)
{
    return NUMBER_LEN + v->record_len + WF_AEAD_TAG_LEN;
}

void wf_vault_seal_outside(struct wf_vault *v, uint64_t id, const uint8_t *record, uint8_t *out)
{
    uint8_t place[8] = {0};

    wf_store_u64(place, id);
    seal(v, wf_span(place, sizeof place), record, out);
}

bool wf_vault_open_outside(struct wf_vault *v, uint64_t id, const uint8_t *sealed, uint8_t *record)
{
    uint8_t place[8] = {0};

    wf_store_u64(place, id);
    return unseal(v, wf_span(place, sizeof place), sealed, record);
}

void *wf_vault_clear(const struct wf_vault *v, uint32_t slot)
{
    WEFT_ASSERT(wf_vault_has(v, slot));
    return slot_at(v, slot);
}

void wf_vault_drop(struct wf_vault *v, uint32_t slot)
{
    WEFT_ASSERT(wf_vault_has(v, slot));
    const uint32_t i = slot / WF_VAULT_SLAB;
    struct slab *s = &v->slabs[i];

    wf_wipe(slot_at(v, slot), v->stride);
    if (s->used == UINT64_MAX)
        room_add(v, i);
    s->used &= ~((uint64_t)1 << slot % WF_VAULT_SLAB);
    v->count--;
    if (s->used != 0)
        return;
    v->empty++;
    if (v->empty > 1) /* one is kept: a peer that comes and goes costs no slab each time */
        drop_slab(v, i);
}

size_t wf_vault_count(const struct wf_vault *v)
{
    return v->count;
}

size_t wf_vault_slot_size(const struct wf_vault *v)
{
    return v->stride;
}
