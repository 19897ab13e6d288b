/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - memory for keys: locked, not dumped, guarded, wiped when given back (libsodium's
 * sodium_malloc), handed out in slots so that thousands of sessions do not need thousands of pages.
 *
 * Threads  An arena belongs to one thread.
 */
#ifndef WF_CRYPTO_SECRET_H
#define WF_CRYPTO_SECRET_H

#include "base/mem.h"

struct wf_secret_arena;

/* slot_size: bytes of one slot; slots come in locked slabs of about 64 KiB, at most slots_max in
 * all. mem pays for the book-keeping. */
WEFT_NODISCARD weft_err wf_secret_arena_new(struct wf_secret_arena **out, struct wf_mem *mem,
                                            size_t slot_size, size_t slots_max);
void wf_secret_arena_free(struct wf_secret_arena *a);

/* A zeroed slot, or NULL when slots_max is reached or memory cannot be had. */
void *wf_secret_get(struct wf_secret_arena *a);

/* Wipes and gives back. slot may be NULL. */
void wf_secret_put(struct wf_secret_arena *a, void *slot);

size_t wf_secret_held(const struct wf_secret_arena *a);

#endif
