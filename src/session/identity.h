/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h - a durable identity and the keys that follow from its seed
 * (docs/spec/1-handshake.md, 1.5).
 *
 * Memory   A struct wf_identity is a secret: keep it in secret memory and wipe it with
 * wf_identity_wipe.
 */
#ifndef WF_SESSION_IDENTITY_H
#define WF_SESSION_IDENTITY_H

#include "base/rng.h"
#include "crypto/dh.h"

struct wf_identity {
    uint8_t seed[32];
    uint8_t public_key[32]; /* Ed25519: what weft1… encodes */
    uint8_t sign_secret[64];
    uint8_t client_secret[32],
        client_public[32]; /* C: Ed25519 mapped, only for the client's role */
    uint8_t server_secret[32], server_public[32]; /* S: only for the server's role */
    uint8_t prefix[4];                            /* first 4 bytes of H(public_key) */
};

WEFT_NODISCARD weft_err wf_identity_init(struct wf_identity *id, const uint8_t seed[32]);

/* The identity that `of` shows to servers of this owner (1.11): of a seed of its own, from which
 * neither `of` nor what other owners are shown follows. A secret too. */
WEFT_NODISCARD weft_err wf_identity_for(struct wf_identity *id, const struct wf_identity *of,
                                        const uint8_t owner[32]);
/* Its public key alone. */
WEFT_NODISCARD weft_err wf_identity_key_for(uint8_t public_key[32], const struct wf_identity *of,
                                            const uint8_t owner[32]);
void wf_identity_wipe(struct wf_identity *id);
void wf_key_prefix(uint8_t prefix[4], const uint8_t public_key[32]);

#endif
