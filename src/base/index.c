/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.c - see index.h. It must never move more entries in one call than those of two buckets.
 *
 * Buckets are those of table.c: with b buckets, 2^n <= b < 2^(n+1), an id is in bucket hash mod
 * 2^(n+1), or, where that bucket is not there yet, in hash mod 2^n.
 */
#include "base/index.h"

#include <string.h>

#include "base/assert.h"

#define BUCKETS_MIN ((size_t)8)
#define PAGE_IDS 256u
#define PAGES_FIRST ((size_t)16)

struct node {
    uint32_t next; /* in the chain, plus 1; 0: the last */
    uint32_t hash;
};

struct wf_index_page {
    uint32_t used;
    struct node nodes[PAGE_IDS];
};

void wf_index_init(struct wf_index *x, struct wf_mem *mem, uint32_t ids_max)
{
    WEFT_ASSERT(ids_max > 0);
    WEFT_ASSERT(ids_max <= WF_INDEX_IDS_MAX);
    *x = (struct wf_index){.mem = mem, .ids_max = ids_max};
}

static size_t segment_size(size_t segment)
{
    return segment == 0 ? BUCKETS_MIN : BUCKETS_MIN << (segment - 1);
}

static size_t segment_of(size_t bucket)
{
    return bucket < BUCKETS_MIN ? 0 : (size_t)WF_LOG2_U64(bucket / BUCKETS_MIN) + 1;
}

void wf_index_deinit(struct wf_index *x)
{
    for (size_t i = 0; i < x->page_room; i++)
        wf_free(x->mem, x->pages[i], sizeof *x->pages[i]);
    wf_free(x->mem, x->pages, x->page_room * sizeof(struct wf_index_page *));
    for (size_t i = 0; i < WF_INDEX_SEGMENTS; i++)
        wf_free(x->mem, x->segments[i], segment_size(i) * sizeof(uint32_t));
    wf_index_init(x, x->mem, x->ids_max);
}

static struct node *node_of(const struct wf_index *x, uint32_t id)
{
    return &x->pages[id / PAGE_IDS]->nodes[id % PAGE_IDS];
}

static uint32_t *bucket_at(const struct wf_index *x, size_t bucket)
{
    const size_t segment = segment_of(bucket);

    return &x->segments[segment][bucket - (segment == 0 ? 0 : segment_size(segment))];
}

static uint32_t *bucket_of(const struct wf_index *x, uint32_t hash)
{
    const size_t power = (size_t)1 << WF_LOG2_U64(x->buckets);
    const size_t index = (size_t)hash & (2 * power - 1);

    return bucket_at(x, index < x->buckets ? index : index & (power - 1));
}

static weft_err more_pages(struct wf_index *x, size_t count)
{
    size_t room = x->page_room == 0 ? PAGES_FIRST : x->page_room;

    if (count <= x->page_room)
        return WEFT_OK;
    while (room < count) {
        room *= 2;
    }
    struct wf_index_page **pages =
        (struct wf_index_page **)wf_alloc_array(x->mem, room, sizeof(struct wf_index_page *));
    if (pages == NULL)
        return WEFT_ERR_NOMEM;
    if (x->page_room > 0)
        memcpy(pages, x->pages, x->page_room * sizeof(struct wf_index_page *));
    wf_free(x->mem, x->pages, x->page_room * sizeof(struct wf_index_page *));
    x->pages = pages;
    x->page_room = room;
    return WEFT_OK;
}

static struct wf_index_page *page_for(struct wf_index *x, uint32_t id)
{
    const size_t at = id / PAGE_IDS;

    if (more_pages(x, at + 1) != WEFT_OK)
        return NULL;
    if (x->pages[at] == NULL)
        x->pages[at] = (struct wf_index_page *)wf_alloc(x->mem, sizeof(struct wf_index_page));
    return x->pages[at];
}

static void drop_page_if_unused(struct wf_index *x, uint32_t id)
{
    struct wf_index_page **page = &x->pages[id / PAGE_IDS];

    if ((*page)->used > 0)
        return;
    wf_free(x->mem, *page, sizeof **page);
    *page = NULL;
}

/* Moves each entry of a bucket to where it belongs with the present number of buckets. */
static void spread(struct wf_index *x, uint32_t *bucket)
{
    uint32_t link = *bucket;
    uint32_t last = 0; /* chains keep their order: the newest first */

    *bucket = 0;
    while (link != 0) { /* turned round first */
        struct node *n = node_of(x, link - 1);
        const uint32_t next = n->next;

        n->next = last;
        last = link;
        link = next;
    }
    while (last != 0) {
        struct node *n = node_of(x, last - 1);
        const uint32_t next = n->next;
        uint32_t *to = bucket_of(x, n->hash);

        n->next = *to;
        *to = last;
        last = next;
    }
}

/* One bucket more; the first time BUCKETS_MIN of them. */
static bool grow(struct wf_index *x)
{
    const size_t segment = segment_of(x->buckets);

    if (x->segments[segment] == NULL)
        x->segments[segment] =
            (uint32_t *)wf_alloc_array(x->mem, segment_size(segment), sizeof(uint32_t));
    if (x->segments[segment] == NULL)
        return false;
    if (x->buckets == 0) {
        x->buckets = BUCKETS_MIN;
        return true;
    }

    const size_t split = x->buckets - ((size_t)1 << WF_LOG2_U64(x->buckets));

    x->buckets++;
    spread(x, bucket_at(x, split));
    return true;
}

/* One bucket less, and its segment when it was the first of it. */
static void shrink(struct wf_index *x)
{
    x->buckets--;
    spread(x, bucket_at(x, x->buckets));

    const size_t segment = segment_of(x->buckets);

    if (x->buckets == segment_size(segment)) {
        wf_free(x->mem, x->segments[segment], segment_size(segment) * sizeof(uint32_t));
        x->segments[segment] = NULL;
    }
}

weft_err wf_index_put(struct wf_index *x, uint32_t id, uint64_t hash)
{
    WEFT_ASSERT(id < x->ids_max);
    struct wf_index_page *page = page_for(x, id);

    if (page == NULL)
        return WEFT_ERR_NOMEM;
    if (x->count >= x->buckets && !grow(x)) {
        drop_page_if_unused(x, id);
        return WEFT_ERR_NOMEM;
    }

    struct node *n = &page->nodes[id % PAGE_IDS];

    n->hash = (uint32_t)hash;
    uint32_t *bucket = bucket_of(x, n->hash);
    n->next = *bucket;
    *bucket = id + 1;
    page->used++;
    x->count++;
    return WEFT_OK;
}

void wf_index_remove(struct wf_index *x, uint32_t id)
{
    struct node *n = node_of(x, id);
    uint32_t *at = bucket_of(x, n->hash);

    while (*at != id + 1) {
        WEFT_ASSERT(*at != 0);
        at = &node_of(x, *at - 1)->next;
    }
    *at = n->next;
    x->pages[id / PAGE_IDS]->used--;
    drop_page_if_unused(x, id);
    x->count--;
    /* As in table.c: two at a time, and growing starts only at twice this many entries. */
    for (int i = 0; i < 2 && x->buckets > BUCKETS_MIN && x->count < x->buckets / 2; i++)
        shrink(x);
}

/* From a link on, the first with this hash. */
static uint32_t same_from(const struct wf_index *x, uint32_t link, uint32_t hash)
{
    while (link != 0 && node_of(x, link - 1)->hash != hash)
        link = node_of(x, link - 1)->next;
    return link == 0 ? WF_INDEX_NONE : link - 1;
}

uint32_t wf_index_first(const struct wf_index *x, uint64_t hash)
{
    if (x->count == 0)
        return WF_INDEX_NONE;
    return same_from(x, *bucket_of(x, (uint32_t)hash), (uint32_t)hash);
}

uint32_t wf_index_next(const struct wf_index *x, uint32_t id)
{
    const struct node *n = node_of(x, id);

    return same_from(x, n->next, n->hash);
}

size_t wf_index_count(const struct wf_index *x)
{
    return x->count;
}
