/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - a hash table from byte strings to pointers that a peer cannot make slow: it is keyed
 * (SipHash-2-4) and grows and shrinks by one or two buckets at a time (linear hashing), so there is
 * no pause while a big table is moved. What remains is one zeroed block of four bytes an entry
 * whenever the number of entries has doubled.
 *
 * Walking it gives the order of insertion, which depends on neither key nor addresses: a simulation
 * stays the same when both change.
 *
 * Memory   Keys are copied; each entry is one block of the account. Values belong to the caller.
 */
#ifndef WF_BASE_TABLE_H
#define WF_BASE_TABLE_H

#include "base/mem.h"

#define WF_TABLE_KEY_MAX 64
#define WF_TABLE_SIP_KEY_LEN 16
#define WF_TABLE_CAP_MAX ((size_t)1 << 28)
/* Segment 0 has 8 buckets, segment s > 0 has 8 << (s - 1): room for one bucket an entry. */
#define WF_TABLE_SEGMENTS 27

struct wf_table_entry;

/* Written by these functions only. */
struct wf_table {
    struct wf_mem *mem;
    struct wf_table_entry **segments[WF_TABLE_SEGMENTS];
    struct wf_table_entry *first; /* in the order of insertion */
    struct wf_table_entry *last;
    struct wf_table_entry *hand; /* what a walk at hand_serial gets next */
    uint64_t hand_serial;
    uint64_t serial; /* of the youngest entry */
    size_t count;
    size_t buckets;
    size_t cap;
    uint8_t sip_key[WF_TABLE_SIP_KEY_LEN];
};

/* sip_key: random, and secret from whoever chooses the keys. cap: the most entries, at least 1 and
 * at most WF_TABLE_CAP_MAX. Nothing is allocated yet. */
void wf_table_init(struct wf_table *t, struct wf_mem *mem,
                   const uint8_t sip_key[WF_TABLE_SIP_KEY_LEN], size_t cap);

/* Gives everything back but the values. */
void wf_table_deinit(struct wf_table *t);

/* Adds an entry. key: at most WF_TABLE_KEY_MAX bytes; value: not NULL (both asserted).
 * WEFT_ERR_EXISTS: the key is there, its value stays. WEFT_ERR_LIMIT: cap entries are there.
 * WEFT_ERR_NOMEM. On error nothing has changed. */
WEFT_NODISCARD weft_err wf_table_put(struct wf_table *t, weft_span key, void *value);

/* The value, or NULL. A key that is too long for the table is in none. */
void *wf_table_get(const struct wf_table *t, weft_span key);

/* Takes the entry out and returns its value; NULL when there is none. */
void *wf_table_remove(struct wf_table *t, weft_span key);

/* The same for numbers; they share the table with byte strings of 8 bytes. */
WEFT_NODISCARD weft_err wf_table_put_u64(struct wf_table *t, uint64_t key, void *value);
void *wf_table_get_u64(const struct wf_table *t, uint64_t key);
void *wf_table_remove_u64(struct wf_table *t, uint64_t key);

size_t wf_table_count(const struct wf_table *t);

/* Walks all entries, oldest first: start with *cursor 0; NULL at the end. Entries may be added
 * (they come last) and removed between two calls. A step takes constant time for the walk that
 * moved last; another walk that goes on at the same time has to find its place again. */
void *wf_table_next(struct wf_table *t, uint64_t *cursor);

#endif
