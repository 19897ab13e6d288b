/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - requests whose cookie and work were verified and whose curves are still to be done:
 * ordered by effort paid over multiplier, then oldest first. When it is full the lowest goes
 * (docs/spec/1-handshake.md, 1.7).
 *
 * What a request carries is a payload of fixed size that the owner fills and reads; it lies here so
 * that nothing is allocated for a stranger.
 *
 * Threads  One thread at a time.
 * Memory   All of it when the queue is made.
 */
#ifndef WF_SESSION_QUEUE_H
#define WF_SESSION_QUEUE_H

#include "base/mem.h"

#define WF_QUEUE_COOKIE_LEN 16
#define WF_QUEUE_SAME_COOKIE_MAX 4u
#define WF_QUEUE_MAX ((size_t)1 << 24)
#define WF_QUEUE_PAYLOAD_MAX ((size_t)1 << 16)

/* Multipliers of the effort asked are in sixteenths. */
#define WF_MULTIPLIER_ONE 16u
#define WF_MULTIPLIER_MAX (8u * WF_MULTIPLIER_ONE)

struct wf_queue_config {
    size_t max; /* requests, 1..WF_QUEUE_MAX */
    size_t payload_size;
    const uint8_t *sip_key; /* 16 bytes, random, copied */
};

struct wf_queue_ticket {
    uint8_t cookie[WF_QUEUE_COOKIE_LEN];
    uint64_t mark;       /* keyed hash of the boxes */
    uint32_t paid;       /* effort proved; 0: none */
    uint32_t multiplier; /* what the prefix of the sender owes, in sixteenths, at least 1 */
};

struct wf_queue_entry {
    struct wf_queue_ticket ticket;
    weft_time arrived;
    void *payload;
    /* The rest is written by queue.c alone. */
    uint64_t rank;
    uint64_t serial;
    uint32_t place[2];    /* in both heaps */
    uint32_t bucket_next; /* index + 1, 0: none; the list of free ones uses it too */
};

/* Written by these functions only. */
struct wf_queue {
    struct wf_mem *mem;
    struct wf_queue_entry *entries;
    uint8_t *payloads;
    uint32_t *heaps[2]; /* indices of entries: best first, worst first */
    uint32_t *buckets;  /* index + 1, by cookie */
    size_t max, count, payload_size, bucket_count;
    uint64_t serial;
    uint32_t first_free; /* index + 1 */
    uint8_t sip_key[16];
    bool ran_empty; /* since wf_queue_ran_empty was asked */
};

/* WEFT_ERR_NOMEM: nothing is held. */
WEFT_NODISCARD weft_err wf_queue_init(struct wf_queue *q, struct wf_mem *mem,
                                      const struct wf_queue_config *c);
void wf_queue_deinit(struct wf_queue *q);

/* Takes a request in; *payload is where the owner puts what it carries. A lower one may go for it.
 * WEFT_ERR_EXISTS: same cookie and mark are waiting. WEFT_ERR_LIMIT: so are 4 of this cookie.
 * WEFT_ERR_REFUSED: full, and no entry is lower. On error nothing has changed. */
WEFT_NODISCARD weft_err wf_queue_put(struct wf_queue *q, weft_time now,
                                     const struct wf_queue_ticket *ticket, void **payload);

/* The one to be served next, or NULL. Valid until the next put, drop or expiry. */
const struct wf_queue_entry *wf_queue_first(const struct wf_queue *q);
void wf_queue_drop_first(struct wf_queue *q);

/* Drops what arrived before `before`; returns how many. Takes time in proportion to the count. */
size_t wf_queue_expire(struct wf_queue *q, weft_time before);

size_t wf_queue_count(const struct wf_queue *q);

/* How many pay at least this price. Takes time in proportion to the count. */
size_t wf_queue_backlog(const struct wf_queue *q, uint32_t price);

/* Whether it was empty at any moment since this was last asked. */
bool wf_queue_ran_empty(struct wf_queue *q);

/* Whether an effort paid reaches a price, given what the sender's prefix owes. */
bool wf_queue_pays(uint32_t paid, uint32_t multiplier, uint32_t price);

#endif
