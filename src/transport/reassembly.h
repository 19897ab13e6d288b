/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reassembly.h - puts the bytes of one incoming message in order. What came first stays: a later
 * copy of a byte is never looked at, so that two ends cannot be made to see different bytes. Knows
 * no credit; the owner bounds offsets by it before.
 */
#ifndef WF_TRANSPORT_REASSEMBLY_H
#define WF_TRANSPORT_REASSEMBLY_H

#include "transport/blocks.h"
#include "transport/growset.h"

/* Pieces of one message that may wait for the bytes before them: about twice the gaps of what is in
 * flight at 1 Gb/s over 100 ms where one packet of twenty is lost. */
#define WF_REASSEMBLY_RANGES_MAX 1024u
/* The same of all messages of a session, which share what is in flight. Counted is the room for
 * them, so that it bounds memory: 128 KiB. */
#define WF_REASSEMBLY_ROOM_MAX 8192u

struct wf_reassembly {
    struct wf_blocks blocks;
    struct wf_growset islands; /* what arrived above ready */
    uint64_t ready;            /* all bytes below are there */
    uint64_t consumed;         /* below: gone to the application; at most ready */
    uint64_t highest;          /* highest offset that anything claimed, exclusive */
    uint64_t final;            /* where the message ends; UINT64_MAX: not known */
};

/* A piece of a message, as a frame brought it. */
struct wf_piece {
    uint64_t offset;
    weft_span data;
    bool end;
};

/* Its end is not known yet. Must not move after this. */
void wf_reassembly_init(struct wf_reassembly *r);
void wf_reassembly_deinit(struct wf_reassembly *r, struct wf_block_pool *pool);

/* True when the piece touches nothing that is there: it would wait by itself. */
bool wf_reassembly_is_apart(const struct wf_reassembly *r, const struct wf_piece *p);

/* Changes nothing. WEFT_ERR_PROTOCOL: contradicts the end (spec 3.3-1). WEFT_ERR_LIMIT: it would
 * wait by itself, and with `pending` more like it there would be more than are kept. */
weft_err wf_reassembly_check(const struct wf_reassembly *r, const struct wf_piece *p,
                             size_t pending);

/* Takes a checked piece. WEFT_ERR_NOMEM, WEFT_ERR_LIMIT (too many pieces wait, in this message or
 * in all of them): nothing has changed but spare memory. */
WEFT_NODISCARD weft_err wf_reassembly_put(struct wf_reassembly *r, struct wf_block_pool *pool,
                                          const struct wf_piece *p);

/* The message ends at length, as OPEN said. WEFT_ERR_PROTOCOL: bytes are there above it, or it was
 * another. */
WEFT_NODISCARD weft_err wf_reassembly_set_length(struct wf_reassembly *r, uint64_t length);

/* Gives the memory back; nothing may be put in or peeked after it. */
void wf_reassembly_drop(struct wf_reassembly *r, struct wf_block_pool *pool);

/* The next bytes in one block, and whether the message ends right after them. */
weft_span wf_reassembly_peek(const struct wf_reassembly *r, bool *at_end);

/* Bytes peeked and done with; more than are there count as all. Returns how many went. */
size_t wf_reassembly_consume(struct wf_reassembly *r, struct wf_block_pool *pool, size_t len);

/* Everything arrived; everything was consumed. */
bool wf_reassembly_is_whole(const struct wf_reassembly *r);
bool wf_reassembly_is_done(const struct wf_reassembly *r);

#endif
