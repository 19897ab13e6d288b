/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.c - see queue.h. Two heaps over one array of entries: one gives what is served next, the
 * other what goes when there is no room. Chains by cookie, under a keyed hash, find what is there
 * of a cookie; a chain of one cookie is at most four long.
 */
#include "session/queue.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"

enum side { BEST, WORST, SIDES };

/* --- memory --- */

static size_t bucket_count_for(size_t max)
{
    size_t count = 1;

    while (count < max)
        count *= 2;
    return count;
}

/* SPEC 1.7-7: everything is there from the start. */
static void make_free(struct wf_queue *q)
{
    for (size_t i = q->max; i-- > 0;) {
        q->entries[i].payload = q->payloads + i * q->payload_size;
        q->entries[i].bucket_next = q->first_free;
        q->first_free = (uint32_t)i + 1;
    }
}

weft_err wf_queue_init(struct wf_queue *q, struct wf_mem *mem, const struct wf_queue_config *c)
{
    WEFT_ASSERT(c->max > 0);
    WEFT_ASSERT(c->max <= WF_QUEUE_MAX);
    WEFT_ASSERT(c->payload_size > 0);
    WEFT_ASSERT(c->payload_size <= WF_QUEUE_PAYLOAD_MAX);
    memset(q, 0, sizeof *q);
    q->mem = mem;
    q->max = c->max;
    q->bucket_count = bucket_count_for(c->max);
    /* Every payload is aligned for any type. */
    q->payload_size = (c->payload_size + 15) / 16 * 16;
    q->ran_empty = true;
    memcpy(q->sip_key, c->sip_key, sizeof q->sip_key);
    q->entries = (struct wf_queue_entry *)wf_alloc_array(mem, q->max, sizeof *q->entries);
    q->payloads = (uint8_t *)wf_alloc_array(mem, q->max, q->payload_size);
    q->heaps[BEST] = (uint32_t *)wf_alloc_array(mem, q->max, sizeof(uint32_t));
    q->heaps[WORST] = (uint32_t *)wf_alloc_array(mem, q->max, sizeof(uint32_t));
    q->buckets = (uint32_t *)wf_alloc_array(mem, q->bucket_count, sizeof(uint32_t));
    if (q->entries == NULL || q->payloads == NULL || q->heaps[BEST] == NULL ||
        q->heaps[WORST] == NULL || q->buckets == NULL) {
        wf_queue_deinit(q);
        return WEFT_ERR_NOMEM;
    }
    make_free(q);
    return WEFT_OK;
}

void wf_queue_deinit(struct wf_queue *q)
{
    wf_free(q->mem, q->entries, q->max * sizeof *q->entries);
    wf_free(q->mem, q->payloads, q->max * q->payload_size);
    wf_free(q->mem, q->heaps[BEST], q->max * sizeof(uint32_t));
    wf_free(q->mem, q->heaps[WORST], q->max * sizeof(uint32_t));
    wf_free(q->mem, q->buckets, q->bucket_count * sizeof(uint32_t));
    wf_wipe(q, sizeof *q);
}

/* --- the two heaps --- */

static bool comes_before(const struct wf_queue *q, enum side side, uint32_t a, uint32_t b)
{
    const struct wf_queue_entry *x = &q->entries[a];
    const struct wf_queue_entry *y = &q->entries[b];
    const bool better = x->rank != y->rank ? x->rank > y->rank : x->serial < y->serial;

    return better == (side == BEST);
}

static void set_place(struct wf_queue *q, enum side side, size_t at, uint32_t index)
{
    q->heaps[side][at] = index;
    q->entries[index].place[side] = (uint32_t)at;
}

static void sift_up(struct wf_queue *q, enum side side, size_t at)
{
    const uint32_t index = q->heaps[side][at];

    while (at > 0 && comes_before(q, side, index, q->heaps[side][(at - 1) / 2])) {
        set_place(q, side, at, q->heaps[side][(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    set_place(q, side, at, index);
}

static void sift_down(struct wf_queue *q, enum side side, size_t at)
{
    const uint32_t index = q->heaps[side][at];
    const uint32_t *heap = q->heaps[side];

    for (size_t child = 2 * at + 1; child < q->count; child = 2 * at + 1) {
        if (child + 1 < q->count && comes_before(q, side, heap[child + 1], heap[child])) {
            child++;
        }
        if (!comes_before(q, side, heap[child], index))
            break;
        set_place(q, side, at, heap[child]);
        at = child;
    }
    set_place(q, side, at, index);
}

/* --- entries --- */

static uint32_t *bucket_of(const struct wf_queue *q, const uint8_t cookie[WF_QUEUE_COOKIE_LEN])
{
    const uint64_t h = wf_siphash64(q->sip_key, wf_span(cookie, WF_QUEUE_COOKIE_LEN));

    wf_ct_public(&h, sizeof h); /* a place in the table */
    return &q->buckets[h & (q->bucket_count - 1)];
}

static void leave_bucket(struct wf_queue *q, uint32_t index)
{
    uint32_t *link = bucket_of(q, q->entries[index].ticket.cookie);

    while (*link != index + 1) {
        WEFT_ASSERT(*link != 0);
        link = &q->entries[*link - 1].bucket_next;
    }
    *link = q->entries[index].bucket_next;
}

static void drop(struct wf_queue *q, uint32_t index)
{
    struct wf_queue_entry *e = &q->entries[index];

    leave_bucket(q, index);
    q->count--;
    for (enum side side = BEST; side < SIDES; side++) {
        const size_t at = e->place[side];
        const uint32_t last = q->heaps[side][q->count];

        if (last == index)
            continue;
        set_place(q, side, at, last);
        sift_down(q, side, at);
        sift_up(q, side, q->entries[last].place[side]);
    }
    e->bucket_next = q->first_free;
    q->first_free = index + 1;
    q->ran_empty = q->ran_empty || q->count == 0;
}

static uint32_t add(struct wf_queue *q, weft_time now, const struct wf_queue_ticket *ticket)
{
    const uint32_t index = q->first_free - 1;
    struct wf_queue_entry *e = &q->entries[index];
    uint32_t *bucket = bucket_of(q, ticket->cookie);

    q->first_free = e->bucket_next;
    e->bucket_next = *bucket;
    *bucket = index + 1;
    e->ticket = *ticket;
    e->arrived = now;
    for (enum side side = BEST; side < SIDES; side++) {
        set_place(q, side, q->count, index);
    }
    return index;
}

/* 32 bits of effort and one, 31 bits that the division does not lose. */
static uint64_t rank_of(const struct wf_queue_ticket *t)
{
    return (((uint64_t)t->paid + 1) << 31) / t->multiplier;
}

/* SPEC 1.7-6 */
static weft_err look_for_cookie(const struct wf_queue *q, const struct wf_queue_ticket *ticket)
{
    unsigned same = 0;

    for (uint32_t i = *bucket_of(q, ticket->cookie); i != 0; i = q->entries[i - 1].bucket_next) {
        const struct wf_queue_ticket *other = &q->entries[i - 1].ticket;

        if (memcmp(other->cookie, ticket->cookie, sizeof other->cookie) != 0)
            continue;
        if (other->mark == ticket->mark)
            return WEFT_ERR_EXISTS;
        same++;
    }
    return same < WF_QUEUE_SAME_COOKIE_MAX ? WEFT_OK : WEFT_ERR_LIMIT;
}

weft_err wf_queue_put(struct wf_queue *q, weft_time now, const struct wf_queue_ticket *ticket,
                      void **payload)
{
    WEFT_ASSERT(ticket->multiplier > 0);
    const uint64_t rank = rank_of(ticket);
    const weft_err err = look_for_cookie(q, ticket);

    if (err != WEFT_OK)
        return err;
    if (q->count == q->max) { /* SPEC 1.7-5 */
        const uint32_t worst = q->heaps[WORST][0];

        if (q->entries[worst].rank >= rank) /* of two that pay the same, the younger is lower */
            return WEFT_ERR_REFUSED;
        drop(q, worst);
    }
    const uint32_t index = add(q, now, ticket);
    q->entries[index].rank = rank;
    q->entries[index].serial = ++q->serial;
    q->count++;
    sift_up(q, BEST, q->count - 1);
    sift_up(q, WORST, q->count - 1);
    *payload = q->entries[index].payload;
    return WEFT_OK;
}

const struct wf_queue_entry *wf_queue_first(const struct wf_queue *q)
{
    return q->count > 0 ? &q->entries[q->heaps[BEST][0]] : NULL;
}

void wf_queue_drop_first(struct wf_queue *q)
{
    if (q->count > 0) {
        drop(q, q->heaps[BEST][0]);
    }
}

size_t wf_queue_expire(struct wf_queue *q, weft_time before)
{
    const size_t count = q->count;

    /* Entries and not places: dropping one moves others between places. */
    for (uint32_t index = 0; index < q->max; index++) {
        const struct wf_queue_entry *e = &q->entries[index];

        if (e->place[BEST] < q->count && q->heaps[BEST][e->place[BEST]] == index &&
            e->arrived < before) {
            drop(q, index);
        }
    }
    return count - q->count;
}

size_t wf_queue_count(const struct wf_queue *q)
{
    return q->count;
}

bool wf_queue_pays(uint32_t paid, uint32_t multiplier, uint32_t price)
{
    return (uint64_t)paid * WF_MULTIPLIER_ONE >= (uint64_t)price * multiplier;
}

size_t wf_queue_backlog(const struct wf_queue *q, uint32_t price)
{
    size_t backlog = 0;

    for (size_t at = 0; at < q->count; at++) {
        const struct wf_queue_ticket *t = &q->entries[q->heaps[BEST][at]].ticket;

        backlog += wf_queue_pays(t->paid, t->multiplier, price);
    }
    return backlog;
}

bool wf_queue_ran_empty(struct wf_queue *q)
{
    const bool was = q->ran_empty;

    q->ran_empty = q->count == 0;
    return was;
}
