/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.c - slots in locked slabs. It must never keep its own book-keeping among the secrets, nor
 * give a slab back before the arena ends: a slab costs locked pages once, and sessions come and go.
 *
 * A slab lies at the end of its pages, right before libsodium's guard page, and slots follow each
 * other without gaps, so running over the last one faults at once. Slabs are sorted by address,
 * which finds the slab of a slot in few steps.
 */
#include "crypto/secret.h"

#include <sodium.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#define SLAB_BYTES ((size_t)64 << 10)
#define SLOT_ALIGN 16
#define SLOTS_MAX ((size_t)1 << 24)
#define NO_SLOT UINT32_MAX
#define IN_USE (UINT32_MAX - 1)

struct slab {
    uint8_t *base;
    struct slab *next_with_room; /* meaningful while a slot is free */
    uint32_t first_free;         /* NO_SLOT: none */
    uint32_t next[];             /* for a free slot the one after it, else IN_USE */
};

struct wf_secret_arena {
    struct wf_mem *mem;
    struct slab **slabs; /* sorted by base */
    struct slab *with_room;
    size_t slab_count;
    size_t slab_room;
    size_t per_slab;
    size_t stride;
    size_t held;
    size_t slots_max;
};

static size_t slab_size(const struct wf_secret_arena *a)
{
    return sizeof(struct slab) + a->per_slab * sizeof(uint32_t);
}

weft_err wf_secret_arena_new(struct wf_secret_arena **out, struct wf_mem *mem, size_t slot_size,
                             size_t slots_max)
{
    WEFT_ASSERT(slot_size > 0);
    WEFT_ASSERT(slot_size <= SLAB_BYTES);
    WEFT_ASSERT(slots_max > 0);
    WEFT_ASSERT(slots_max <= SLOTS_MAX);

    struct wf_secret_arena *a = (struct wf_secret_arena *)wf_alloc(mem, sizeof *a);

    if (a == NULL)
        return WEFT_ERR_NOMEM;
    a->mem = mem;
    a->stride = (slot_size + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    a->per_slab = SLAB_BYTES / a->stride;
    if (a->per_slab > slots_max) {
        a->per_slab = slots_max;
    }
    a->slots_max = slots_max;
    a->slab_room = (slots_max + a->per_slab - 1) / a->per_slab;
    a->slabs = (struct slab **)wf_alloc_array(mem, a->slab_room, sizeof(struct slab *));
    if (a->slabs == NULL) {
        wf_free(mem, a, sizeof *a);
        return WEFT_ERR_NOMEM;
    }
    *out = a;
    return WEFT_OK;
}

void wf_secret_arena_free(struct wf_secret_arena *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->slab_count; i++) {
        sodium_free(a->slabs[i]->base); /* wipes and unlocks */
        wf_free(a->mem, a->slabs[i], slab_size(a));
    }
    wf_free(a->mem, a->slabs, a->slab_room * sizeof(struct slab *));
    wf_free(a->mem, a, sizeof *a);
}

static struct slab *slab_new(struct wf_secret_arena *a)
{
    struct slab *s = (struct slab *)wf_alloc(a->mem, slab_size(a));

    if (s == NULL)
        return NULL;
    s->base = (uint8_t *)sodium_malloc(a->per_slab * a->stride);
    if (s->base == NULL) {
        wf_free(a->mem, s, slab_size(a));
        return NULL;
    }
    for (size_t i = 0; i < a->per_slab; i++) {
        s->next[i] = i + 1 < a->per_slab ? (uint32_t)(i + 1) : NO_SLOT;
    }
    return s;
}

/* How many slabs begin at or below p. */
static size_t slabs_up_to(const struct wf_secret_arena *a, const void *p)
{
    size_t low = 0;
    size_t high = a->slab_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if ((uintptr_t)a->slabs[middle]->base <= (uintptr_t)p) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool add_slab(struct wf_secret_arena *a)
{
    WEFT_ASSERT(a->slab_count < a->slab_room);

    struct slab *s = slab_new(a);

    if (s == NULL)
        return false;

    const size_t at = slabs_up_to(a, s->base);

    memmove(a->slabs + at + 1, a->slabs + at, (a->slab_count - at) * sizeof(struct slab *));
    a->slabs[at] = s;
    a->slab_count++;
    s->next_with_room = a->with_room;
    a->with_room = s;
    return true;
}

void *wf_secret_get(struct wf_secret_arena *a)
{
    if (a->held == a->slots_max)
        return NULL;
    if (a->with_room == NULL && !add_slab(a))
        return NULL;

    struct slab *s = a->with_room;
    const uint32_t index = s->first_free;
    uint8_t *slot = s->base + index * a->stride;

    s->first_free = s->next[index];
    s->next[index] = IN_USE;
    if (s->first_free == NO_SLOT) {
        a->with_room = s->next_with_room;
    }
    a->held++;
    memset(slot, 0, a->stride); /* a fresh slab is filled with libsodium's pattern */
    return slot;
}

void wf_secret_put(struct wf_secret_arena *a, void *slot)
{
    if (slot == NULL)
        return;

    const size_t upto = slabs_up_to(a, slot);
    WEFT_ASSERT(upto > 0);

    struct slab *s = a->slabs[upto - 1];
    const size_t offset = (size_t)((uint8_t *)slot - s->base);
    const size_t index = offset / a->stride;

    WEFT_ASSERT(index < a->per_slab);
    WEFT_ASSERT(offset % a->stride == 0);
    WEFT_ASSERT(s->next[index] == IN_USE);
    wf_wipe(slot, a->stride);
    if (s->first_free == NO_SLOT) {
        s->next_with_room = a->with_room;
        a->with_room = s;
    }
    s->next[index] = s->first_free;
    s->first_free = (uint32_t)index;
    a->held--;
}

size_t wf_secret_held(const struct wf_secret_arena *a)
{
    return a->held;
}
