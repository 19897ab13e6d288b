/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault.h - many small records of one size, each sealed where it lies, under one key that is made
 * with the vault, lies in locked memory and is never stored: secrets of peers that are at rest, in
 * ordinary memory. A record that somebody changed, or moved to another slot, does not open.
 *
 * A slot has a clear part too, for what must be found without opening it. Slots come in slabs that
 * are given back when nothing is left in them.
 *
 * Threads  A vault belongs to one thread.
 */
#ifndef WF_CRYPTO_VAULT_H
#define WF_CRYPTO_VAULT_H

#include "base/rng.h"
#include "crypto/aead.h"
#include "crypto/secret.h"

#define WF_VAULT_NONE UINT32_MAX
#define WF_VAULT_SLOTS_MAX ((uint32_t)1 << 26)
/* Slots whose memory comes and goes together: those with the same slot / 64. */
#define WF_VAULT_SLAB 64u

struct wf_vault;

struct wf_vault_config {
    struct wf_mem *mem;
    const struct wf_rng *rng; /* for the key */
    struct wf_aead *aead;     /* outlives the vault */
    size_t record_len, clear_len;
    uint32_t slots_max;
};

/* WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_vault_new(struct wf_vault **out, const struct wf_vault_config *config);
void wf_vault_free(struct wf_vault *v);

/* Seals a copy of the record into a fresh slot, whose clear part is zeroed. WEFT_ERR_LIMIT: all
 * slots are in use; WEFT_ERR_NOMEM. The caller wipes his record. */
WEFT_NODISCARD weft_err wf_vault_put(struct wf_vault *v, const uint8_t *record, uint32_t *slot);

/* Opens a slot in use into record, which should be secret memory. False: it is not what was put
 * there; record is zeroed then. */
WEFT_NODISCARD bool wf_vault_get(struct wf_vault *v, uint32_t slot, uint8_t *record);

/* The clear part of a slot in use, aligned for any field. */
void *wf_vault_clear(const struct wf_vault *v, uint32_t slot);

/* Wipes the slot and gives it back. */
void wf_vault_drop(struct wf_vault *v, uint32_t slot);

/* A record for keeping elsewhere, sealed under the vault's key for this id: wf_vault_outside_len
 * bytes. What is brought back later under another id, or changed, does not open; but what was kept
 * from an earlier time does, so the keeper has to be one that forgets what is taken back. */
size_t wf_vault_outside_len(const struct wf_vault *v);
void wf_vault_seal_outside(struct wf_vault *v, uint64_t id, const uint8_t *record, uint8_t *out);
WEFT_NODISCARD bool wf_vault_open_outside(struct wf_vault *v, uint64_t id, const uint8_t *sealed,
                                          uint8_t *record);

bool wf_vault_has(const struct wf_vault *v, uint32_t slot);
size_t wf_vault_count(const struct wf_vault *v);
size_t wf_vault_slot_size(const struct wf_vault *v); /* bytes of one slot, everything in it */

#endif
