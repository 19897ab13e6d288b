/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.h - an index of small numbers by hash: 12 bytes an entry where a table (table.h) takes
 * about 90. It keeps no keys: who asks looks at each number with that hash and compares what
 * belongs to it.
 *
 * Growing and shrinking go by one or two buckets at a time (linear hashing), so there is no pause
 * while a large one is moved. The hash has to be keyed by the caller (SipHash), or who chooses the
 * keys makes it slow.
 */
#ifndef WF_BASE_INDEX_H
#define WF_BASE_INDEX_H

#include "base/mem.h"

#define WF_INDEX_NONE UINT32_MAX
#define WF_INDEX_IDS_MAX ((uint32_t)1 << 28)
/* Segment 0 has 8 buckets, segment s > 0 has 8 << (s - 1). */
#define WF_INDEX_SEGMENTS 27

struct wf_index_page;

/* Written by these functions only. */
struct wf_index {
    struct wf_mem *mem;
    uint32_t *segments[WF_INDEX_SEGMENTS]; /* first of each chain, plus 1 */
    struct wf_index_page **pages;          /* chains, by id */
    size_t page_room;
    size_t buckets, count;
    uint32_t ids_max;
};

/* Ids are 0..ids_max-1. Nothing is allocated yet. */
void wf_index_init(struct wf_index *x, struct wf_mem *mem, uint32_t ids_max);
void wf_index_deinit(struct wf_index *x);

/* Enters id, which is not in it, as the first of its hash. WEFT_ERR_NOMEM: nothing has changed. */
WEFT_NODISCARD weft_err wf_index_put(struct wf_index *x, uint32_t id, uint64_t hash);

/* Takes id out, which is in it. Memory that nothing uses any more is given back. */
void wf_index_remove(struct wf_index *x, uint32_t id);

/* Ids with this hash, the one entered last first; WF_INDEX_NONE: no more. Others may be among them:
 * compare. */
uint32_t wf_index_first(const struct wf_index *x, uint64_t hash);
uint32_t wf_index_next(const struct wf_index *x, uint32_t id);

size_t wf_index_count(const struct wf_index *x);

#endif
