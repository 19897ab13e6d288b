/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - see table.h. It must never move more entries in one call than those of two buckets.
 *
 * Linear hashing: with b buckets, 2^n <= b < 2^(n+1), an entry is in bucket hash mod 2^(n+1), or,
 * where that bucket is not there yet, in hash mod 2^n. Adding bucket b therefore splits bucket b -
 * 2^n, and taking it away joins the two again. Buckets are in segments that double in size, so no
 * bucket ever moves.
 */
#include "base/table.h"

#include <sodium.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#define BUCKETS_MIN ((size_t)8)

_Static_assert(crypto_shorthash_siphash24_KEYBYTES == WF_TABLE_SIP_KEY_LEN, "SipHash's key");
_Static_assert(WF_TABLE_CAP_MAX <= BUCKETS_MIN << (WF_TABLE_SEGMENTS - 1), "a bucket an entry");

struct wf_table_entry {
    struct wf_table_entry *chain; /* in the bucket */
    struct wf_table_entry *older;
    struct wf_table_entry *younger;
    uint64_t serial; /* grows with each entry ever added, from 1 */
    uint64_t hash;
    void *value;
    uint8_t key_len;
    uint8_t key[];
};

void wf_table_init(struct wf_table *t, struct wf_mem *mem,
                   const uint8_t sip_key[WF_TABLE_SIP_KEY_LEN], size_t cap)
{
    WEFT_ASSERT(cap > 0);
    WEFT_ASSERT(cap <= WF_TABLE_CAP_MAX);
    memset(t, 0, sizeof *t);
    t->mem = mem;
    t->cap = cap;
    memcpy(t->sip_key, sip_key, sizeof t->sip_key);
}

static size_t entry_size(size_t key_len)
{
    return offsetof(struct wf_table_entry, key) + key_len;
}

static size_t segment_size(size_t segment)
{
    return segment == 0 ? BUCKETS_MIN : BUCKETS_MIN << (segment - 1);
}

static size_t segment_of(size_t bucket)
{
    return bucket < BUCKETS_MIN ? 0 : (size_t)WF_LOG2_U64(bucket / BUCKETS_MIN) + 1;
}

static struct wf_table_entry **bucket_at(const struct wf_table *t, size_t bucket)
{
    const size_t segment = segment_of(bucket);
    const size_t first = segment == 0 ? 0 : segment_size(segment);

    return &t->segments[segment][bucket - first];
}

void wf_table_deinit(struct wf_table *t)
{
    struct wf_table_entry *next = NULL;

    for (struct wf_table_entry *e = t->first; e != NULL; e = next) {
        next = e->younger;
        wf_free(t->mem, e, entry_size(e->key_len));
    }
    for (size_t i = 0; i < WF_TABLE_SEGMENTS; i++) {
        wf_free(t->mem, t->segments[i], segment_size(i) * sizeof(struct wf_table_entry *));
    }
    wf_wipe(t, sizeof *t);
}

static uint64_t hash_of(const struct wf_table *t, weft_span key)
{
    static const uint8_t nothing[1];
    uint8_t out[crypto_shorthash_siphash24_BYTES] = {0};

    crypto_shorthash_siphash24(out, key.len > 0 ? key.data : nothing, key.len, t->sip_key);
    return wf_load_u64(out);
}

static struct wf_table_entry **bucket_of(const struct wf_table *t, uint64_t hash)
{
    const size_t power = (size_t)1 << WF_LOG2_U64(t->buckets);
    const size_t index = (size_t)hash & (2 * power - 1);

    return bucket_at(t, index < t->buckets ? index : index & (power - 1));
}

/* Where the pointer to the entry is, or the end of its chain. There must be buckets. */
static struct wf_table_entry **find(const struct wf_table *t, uint64_t hash, weft_span key)
{
    struct wf_table_entry **at = bucket_of(t, hash);

    while (*at != NULL) {
        const struct wf_table_entry *e = *at;

        if (e->hash == hash && e->key_len == key.len &&
            (key.len == 0 || memcmp(e->key, key.data, key.len) == 0))
            break;
        at = &(*at)->chain;
    }
    return at;
}

/* Moves each entry of a bucket to where it belongs with the present number of buckets. */
static void spread(struct wf_table *t, struct wf_table_entry **bucket)
{
    struct wf_table_entry *e = *bucket;

    *bucket = NULL;
    while (e != NULL) {
        struct wf_table_entry *next = e->chain;
        struct wf_table_entry **to = bucket_of(t, e->hash);

        e->chain = *to;
        *to = e;
        e = next;
    }
}

/* One bucket more; the first time BUCKETS_MIN of them. */
static bool grow(struct wf_table *t)
{
    const size_t segment = segment_of(t->buckets);

    if (t->segments[segment] == NULL) {
        t->segments[segment] = (struct wf_table_entry **)wf_alloc_array(
            t->mem, segment_size(segment), sizeof(struct wf_table_entry *));
        if (t->segments[segment] == NULL)
            return false;
    }
    if (t->buckets == 0) {
        t->buckets = BUCKETS_MIN;
        return true;
    }

    const size_t split = t->buckets - ((size_t)1 << WF_LOG2_U64(t->buckets));

    t->buckets++;
    spread(t, bucket_at(t, split));
    return true;
}

/* One bucket less, and its segment when it was the first of it. */
static void shrink(struct wf_table *t)
{
    t->buckets--;
    spread(t, bucket_at(t, t->buckets));

    const size_t segment = segment_of(t->buckets);

    if (t->buckets == segment_size(segment)) {
        wf_free(t->mem, t->segments[segment],
                segment_size(segment) * sizeof(struct wf_table_entry *));
        t->segments[segment] = NULL;
    }
}

static void link_last(struct wf_table *t, struct wf_table_entry *e)
{
    t->serial++;
    e->serial = t->serial;
    e->older = t->last;
    *(t->last != NULL ? &t->last->younger : &t->first) = e;
    t->last = e;
    if (t->hand == NULL) {
        t->hand = e;
    }
}

static void unlink_entry(struct wf_table *t, const struct wf_table_entry *e)
{
    *(e->older != NULL ? &e->older->younger : &t->first) = e->younger;
    *(e->younger != NULL ? &e->younger->older : &t->last) = e->older;
    if (t->hand == e) {
        t->hand = e->younger;
    }
}

weft_err wf_table_put(struct wf_table *t, weft_span key, void *value)
{
    WEFT_ASSERT(key.len <= WF_TABLE_KEY_MAX);
    WEFT_ASSERT(value != NULL);

    const uint64_t hash = hash_of(t, key);

    if (t->buckets != 0 && *find(t, hash, key) != NULL)
        return WEFT_ERR_EXISTS;
    if (t->count >= t->cap)
        return WEFT_ERR_LIMIT;
    if (t->count >= t->buckets && !grow(t))
        return WEFT_ERR_NOMEM;

    struct wf_table_entry *e = (struct wf_table_entry *)wf_alloc(t->mem, entry_size(key.len));

    if (e == NULL)
        return WEFT_ERR_NOMEM;

    struct wf_table_entry **bucket = bucket_of(t, hash);

    e->hash = hash;
    e->value = value;
    e->key_len = (uint8_t)key.len;
    if (key.len > 0) {
        memcpy(e->key, key.data, key.len);
    }
    e->chain = *bucket;
    *bucket = e;
    link_last(t, e);
    t->count++;
    return WEFT_OK;
}

void *wf_table_get(const struct wf_table *t, weft_span key)
{
    if (t->count == 0 || key.len > WF_TABLE_KEY_MAX)
        return NULL;

    const struct wf_table_entry *e = *find(t, hash_of(t, key), key);

    return e != NULL ? e->value : NULL;
}

void *wf_table_remove(struct wf_table *t, weft_span key)
{
    if (t->count == 0 || key.len > WF_TABLE_KEY_MAX)
        return NULL;

    struct wf_table_entry **at = find(t, hash_of(t, key), key);
    struct wf_table_entry *e = *at;

    if (e == NULL)
        return NULL;

    void *value = e->value;

    *at = e->chain;
    unlink_entry(t, e);
    wf_free(t->mem, e, entry_size(e->key_len));
    t->count--;
    /* Two at a time, so that an emptied table has few buckets left. Growing starts only at twice
     * this many entries: no sequence of calls makes the table grow and shrink in turns. */
    for (int i = 0; i < 2 && t->buckets > BUCKETS_MIN && t->count < t->buckets / 2; i++) {
        shrink(t);
    }
    return value;
}

weft_err wf_table_put_u64(struct wf_table *t, uint64_t key, void *value)
{
    uint8_t bytes[8];

    wf_store_u64(bytes, key);
    return wf_table_put(t, wf_span(bytes, sizeof bytes), value);
}

void *wf_table_get_u64(const struct wf_table *t, uint64_t key)
{
    uint8_t bytes[8];

    wf_store_u64(bytes, key);
    return wf_table_get(t, wf_span(bytes, sizeof bytes));
}

void *wf_table_remove_u64(struct wf_table *t, uint64_t key)
{
    uint8_t bytes[8];

    wf_store_u64(bytes, key);
    return wf_table_remove(t, wf_span(bytes, sizeof bytes));
}

size_t wf_table_count(const struct wf_table *t)
{
    return t->count;
}

/* The first entry that is younger than serial. */
static struct wf_table_entry *after(const struct wf_table *t, uint64_t serial)
{
    struct wf_table_entry *e = t->first;

    while (e != NULL && e->serial <= serial) {
        e = e->younger;
    }
    return e;
}

void *wf_table_next(struct wf_table *t, uint64_t *cursor)
{
    struct wf_table_entry *e = *cursor == t->hand_serial ? t->hand : after(t, *cursor);

    if (e == NULL)
        return NULL;
    *cursor = e->serial;
    t->hand_serial = e->serial;
    t->hand = e->younger;
    return e->value;
}
