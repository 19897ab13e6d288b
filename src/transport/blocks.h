/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks.h - the bytes of one message by offset, kept in blocks from a pool. Serves both
 * directions: what was written and is not acknowledged yet, and what arrived and was not consumed
 * yet. Knows no ranges: which bytes are there is the owner's knowledge.
 *
 * Blocks double in size from 1 KiB until they are 64 KiB and are cut at the message's declared
 * length, so that what is held follows the bytes that are really there (at most twice their highest
 * offset, or 64 KiB more than it) and never a length that was only announced. A message of 100
 * bytes costs one block of 100 bytes.
 *
 *   block   0        1        2        …  7            8
 *   bytes   0..1023  1K..2K-1 2K..4K-1    64K..128K-1  128K..192K-1 …
 */
#ifndef WF_TRANSPORT_BLOCKS_H
#define WF_TRANSPORT_BLOCKS_H

#include "base/mem.h"

#define WF_BLOCK_FIRST 1024u
#define WF_BLOCK_MAX 65536u

/* Most blocks from the first one kept to the last: 64 GiB of a message. */
#define WF_BLOCKS_AHEAD_MAX ((uint64_t)1 << 20)

/* Full blocks that are kept for the next user, so that a steady transfer allocates nothing. */
#define WF_BLOCK_POOL_MAX 32u

struct wf_block_pool {
    struct wf_mem *mem;
    uint8_t *spare; /* of WF_BLOCK_MAX bytes; begins with a pointer to the next */
    size_t count;
    size_t pieces; /* room that reassembly.c has for pieces, of all messages */
};

void wf_block_pool_init(struct wf_block_pool *pool, struct wf_mem *mem);

/* Gives the spare blocks back; the pool stays usable. */
void wf_block_pool_trim(struct wf_block_pool *pool);

struct wf_blocks {
    uint64_t limit;    /* no byte at or above it: the declared length, or UINT64_MAX */
    uint64_t first;    /* index of the first block that may be there; those below were dropped */
    uint8_t **slots;   /* ring of room pointers by index; NULL where there is no block */
    uint8_t *slot_one; /* the ring of a message that needs only one */
    size_t room;       /* a power of two; 1: slot_one is used */
    size_t held;       /* bytes in blocks, the ring not counted */
};

void wf_blocks_init(struct wf_blocks *b, uint64_t limit);
void wf_blocks_deinit(struct wf_blocks *b, struct wf_block_pool *pool);

/* Makes sure that all blocks for from..to-1 are there; from must not lie below what was dropped, to
 * not above the limit. WEFT_ERR_NOMEM: some may be there. */
WEFT_NODISCARD weft_err wf_blocks_reserve(struct wf_blocks *b, struct wf_block_pool *pool,
                                          uint64_t from, uint64_t to);

/* Copies data to offset; the blocks are there. */
void wf_blocks_write(struct wf_blocks *b, uint64_t offset, weft_span data);

/* Copies len bytes from offset; the blocks are there. */
void wf_blocks_read(const struct wf_blocks *b, uint64_t offset, uint8_t *out, size_t len);

/* The bytes from offset to `to` at most, as far as they lie in one block. Empty when the block is
 * not there. */
weft_span wf_blocks_at(const struct wf_blocks *b, uint64_t offset, uint64_t to);

/* Frees all blocks whose bytes all lie below offset. */
void wf_blocks_drop(struct wf_blocks *b, struct wf_block_pool *pool, uint64_t offset);

#endif
