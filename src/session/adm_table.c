/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_table.c - the table of solved cookies: what makes one SOLVE at most one session (SPEC 1.3-5).
 * All its memory is there from the start; an entry lives until the epoch of its cookie is refused
 * anyway.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"
#include "session/adm_priv.h"

#define SWEEP_STEPS 4096u
#define RECYCLE_STEPS 64u

static const uint8_t legal[WF_ADM_ENTRY_STATES] = {
    [WF_ADM_ENTRY_FREE] = 1u << WF_ADM_ENTRY_TRIED,
    [WF_ADM_ENTRY_TRIED] = 1u << WF_ADM_ENTRY_PENDING | 1u << WF_ADM_ENTRY_FREE,
    [WF_ADM_ENTRY_PENDING] = 1u << WF_ADM_ENTRY_KEPT | 1u << WF_ADM_ENTRY_DONE,
    [WF_ADM_ENTRY_KEPT] = 1u << WF_ADM_ENTRY_DONE,
    [WF_ADM_ENTRY_DONE] = 1u << WF_ADM_ENTRY_FREE,
};

void wf_adm_enter(struct wf_adm_entry *e, enum wf_adm_entry_state next)
{
    WEFT_ASSERT(e->state < WF_ADM_ENTRY_STATES);
    WEFT_ASSERT((legal[e->state] >> next & 1u) != 0);
    e->state = (uint8_t)next;
}

/* At least one bucket an entry. */
static size_t bucket_count_for(size_t max)
{
    size_t count = 1;

    while (count < max)
        count *= 2;
    return count;
}

weft_err wf_adm_table_init(struct wf_adm *a, size_t max)
{
    struct wf_adm_table *t = &a->table;

    t->max = max;
    t->bucket_count = bucket_count_for(max);
    t->entries = (struct wf_adm_entry *)wf_alloc_array(a->mem, max, sizeof *t->entries);
    t->buckets = (uint32_t *)wf_alloc_array(a->mem, t->bucket_count, sizeof *t->buckets);
    return t->entries != NULL && t->buckets != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
}

void wf_adm_table_deinit(struct wf_adm *a)
{
    struct wf_adm_table *t = &a->table;

    wf_free(a->mem, t->entries, t->max * sizeof *t->entries);
    wf_free(a->mem, t->buckets, t->bucket_count * sizeof *t->buckets);
}

static uint32_t *bucket_of(const struct wf_adm *a, const uint8_t cookie[WF_COOKIE_LEN])
{
    uint64_t h = wf_siphash64(a->secrets->table_key, wf_span(cookie, WF_COOKIE_LEN));

    wf_ct_public(&h, sizeof h); /* a place in the table */
    return &a->table.buckets[(size_t)h & (a->table.bucket_count - 1)];
}

struct wf_adm_entry *wf_adm_table_find(struct wf_adm *a, const uint8_t cookie[WF_COOKIE_LEN])
{
    struct wf_adm_entry *entries = a->table.entries;

    for (uint32_t i = *bucket_of(a, cookie); i != 0; i = entries[i - 1].bucket_next) {
        if (wf_equal_ct(entries[i - 1].cookie, cookie, WF_COOKIE_LEN))
            return &entries[i - 1];
    }
    return NULL;
}

static void push_to_epoch(struct wf_adm_table *t, uint32_t i, uint32_t epoch)
{
    uint32_t *first = &t->by_epoch[epoch % WF_ADM_EPOCHS];

    t->entries[i - 1].epoch = epoch;
    t->entries[i - 1].epoch_next = *first;
    *first = i;
}

static void leave_bucket(struct wf_adm *a, uint32_t i)
{
    struct wf_adm_table *t = &a->table;
    const struct wf_adm_entry *e = &t->entries[i - 1];
    uint32_t *at = bucket_of(a, e->cookie);

    while (*at != i)
        at = &t->entries[*at - 1].bucket_next;
    *at = e->bucket_next;
}

static void remove_entry(struct wf_adm *a, uint32_t i)
{
    struct wf_adm_table *t = &a->table;
    struct wf_adm_entry *e = &t->entries[i - 1];

    leave_bucket(a, i);
    wf_adm_enter(e, WF_ADM_ENTRY_FREE);
    *e = (struct wf_adm_entry){.bucket_next = t->first_free};
    t->first_free = i;
    t->used--;
}

/* --- the death of epochs --- */

/* Takes one entry out of a dead epoch's list: it dies, or it lives on in its own epoch's. */
static void sweep_one(struct wf_adm *a, uint32_t *dying)
{
    struct wf_adm_table *t = &a->table;
    uint32_t i = *dying;
    struct wf_adm_entry *e = &t->entries[i - 1];

    *dying = e->epoch_next;
    if (e->state == WF_ADM_ENTRY_PENDING) {
        push_to_epoch(t, i, a->epoch);
    } else if (a->epoch - e->epoch < WF_ADM_EPOCHS) {
        push_to_epoch(t, i, e->epoch);
    } else {
        wf_adm_give_up(a, e);
        remove_entry(a, i);
    }
}

bool wf_adm_table_is_dying(const struct wf_adm *a)
{
    for (size_t slot = 0; slot < WF_ADM_EPOCHS; slot++) {
        if (a->table.dying[slot] != 0)
            return true;
    }
    return false;
}

void wf_adm_table_sweep(struct wf_adm *a)
{
    size_t left = SWEEP_STEPS;

    for (size_t slot = 0; slot < WF_ADM_EPOCHS; slot++) {
        for (; left > 0 && a->table.dying[slot] != 0; left--)
            sweep_one(a, &a->table.dying[slot]);
    }
}

void wf_adm_table_expire(struct wf_adm *a, uint32_t epoch)
{
    struct wf_adm_table *t = &a->table;
    size_t slot = epoch % WF_ADM_EPOCHS;

    while (t->dying[slot] != 0) /* nobody swept for two minutes */
        sweep_one(a, &t->dying[slot]);
    t->dying[slot] = t->by_epoch[slot];
    t->by_epoch[slot] = 0;
    wf_adm_table_sweep(a);
}

/* --- new entries --- */

/* One whose boxes did not open has kept nobody from anything but trying again: it goes when there
 * is no room. It stays in its epoch's list, from which sweep_one sends it on. */
static uint32_t recycle(struct wf_adm *a)
{
    struct wf_adm_table *t = &a->table;

    for (size_t step = 0; step < RECYCLE_STEPS && step < t->max; step++) {
        size_t at = t->hand;

        t->hand = (t->hand + 1) % t->max;
        if (t->entries[at].state == WF_ADM_ENTRY_TRIED) {
            leave_bucket(a, (uint32_t)at + 1);
            return (uint32_t)at + 1;
        }
    }
    return 0;
}

static void name_entry(struct wf_adm *a, uint32_t i, const uint8_t cookie[WF_COOKIE_LEN])
{
    struct wf_adm_entry *e = &a->table.entries[i - 1];
    uint32_t *bucket = bucket_of(a, cookie);

    memcpy(e->cookie, cookie, WF_COOKIE_LEN);
    wf_adm_decoy_forget(a, e);
    e->bucket_next = *bucket;
    *bucket = i;
}

/* Index + 1 of an entry that is in no list, 0 when there is none. */
static uint32_t take_free(struct wf_adm *a)
{
    struct wf_adm_table *t = &a->table;

    if (t->first_free == 0 && t->touched == t->max) {
        wf_adm_table_sweep(a);
    }
    uint32_t i = t->first_free;
    if (i != 0) {
        t->first_free = t->entries[i - 1].bucket_next;
        return i;
    }
    return t->touched < t->max ? (uint32_t)++t->touched : 0;
}

struct wf_adm_entry *wf_adm_table_add(struct wf_adm *a, const uint8_t cookie[WF_COOKIE_LEN],
                                      uint32_t epoch)
{
    struct wf_adm_table *t = &a->table;
    uint32_t i = take_free(a);

    if (i != 0) {
        t->entries[i - 1] = (struct wf_adm_entry){0};
        push_to_epoch(t, i, epoch);
        wf_adm_enter(&t->entries[i - 1], WF_ADM_ENTRY_TRIED);
        t->used++;
    } else {
        i = recycle(a);
        if (i == 0)
            return NULL;
        t->entries[i - 1].tries = 0;
        t->entries[i - 1].epoch = epoch;
    }
    name_entry(a, i, cookie);
    return &t->entries[i - 1];
}

/* --- boxes and tickets --- */

uint64_t wf_adm_mark(const struct wf_adm *a, const uint8_t boxes_hash[32])
{
    uint64_t mark = wf_siphash64(a->secrets->table_key, wf_span(boxes_hash, 32));

    wf_ct_public(&mark, sizeof mark); /* boxes are told apart by it */
    return mark;
}

bool wf_adm_table_has_tried(const struct wf_adm_entry *e, uint64_t mark)
{
    for (unsigned i = 0; i < e->tries; i++) {
        if (e->boxes[i] == (uint32_t)mark)
            return true;
    }
    return false;
}

/* SPEC 1.3-3 */
bool wf_adm_table_may_try(const struct wf_adm_entry *e, uint64_t mark)
{
    return e->tries < WF_ADM_TRIES && !wf_adm_table_has_tried(e, mark);
}

bool wf_adm_table_try(struct wf_adm_entry *e, uint64_t mark)
{
    if (!wf_adm_table_may_try(e, mark))
        return false;
    e->boxes[e->tries++] = (uint32_t)mark;
    return true;
}

uint64_t wf_adm_ticket(const struct wf_adm *a, const struct wf_adm_entry *e)
{
    return (uint64_t)e->serial << 32 | (uint64_t)(e - a->table.entries);
}

struct wf_adm_entry *wf_adm_ticket_find(const struct wf_adm *a, uint64_t ticket)
{
    size_t index = (size_t)(ticket & UINT32_MAX);
    uint32_t serial = (uint32_t)(ticket >> 32);

    if (index >= a->table.touched || a->table.entries[index].serial != serial)
        return NULL;
    return &a->table.entries[index];
}
