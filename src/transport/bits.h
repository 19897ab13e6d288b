/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits.h - a set of small numbers as a bitmap with bitmaps above it that say where it is not empty:
 * the next member is found in four steps, however far away it is.
 */
#ifndef WF_TRANSPORT_BITS_H
#define WF_TRANSPORT_BITS_H

#include "base/mem.h"

#define WF_BITS_LEVELS 4u
#define WF_BITS_ROOM_MAX (1u << 24) /* 64^4 */

/* Zeroed: room 0. */
struct wf_bits {
    uint64_t
        *level[WF_BITS_LEVELS]; /* bit i of a level above 0: word i of the level below is not 0 */
    size_t words[WF_BITS_LEVELS];
    size_t room;
};

/* Members are 0..room-1; room is 1..WF_BITS_ROOM_MAX. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_bits_init(struct wf_bits *b, struct wf_mem *mem, size_t room);
void wf_bits_deinit(struct wf_bits *b, struct wf_mem *mem);

void wf_bits_set(struct wf_bits *b, size_t i);
void wf_bits_clear(struct wf_bits *b, size_t i);
bool wf_bits_has(const struct wf_bits *b, size_t i);

/* The lowest member at or above from; room when there is none. */
size_t wf_bits_next(const struct wf_bits *b, size_t from);

#endif
