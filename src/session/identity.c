/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c - the keys of an identity, all from one seed. No Diffie-Hellman key may serve both
 * roles of the handshake: C comes from the Ed25519 key itself, S from the seed under a label of its
 * own.
 */
#include "session/identity.h"

#include <string.h>

#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"

void wf_key_prefix(uint8_t prefix[4], const uint8_t public_key[32])
{
    uint8_t h[WF_HASH_LEN];
    weft_span key = wf_span(public_key, 32);

    wf_hash(h, &key, 1);
    memcpy(prefix, h, 4);
}

weft_err wf_identity_init(struct wf_identity *id, const uint8_t seed[32])
{
    struct wf_identity made = {0};

    memcpy(made.seed, seed, sizeof made.seed);
    wf_ct_secret(made.seed, sizeof made.seed);
    wf_sign_keypair(made.public_key, made.sign_secret, made.seed);
    wf_dh_secret_of_sign(made.client_secret, made.sign_secret);
    weft_err err = wf_dh_public_of_sign(made.client_public, made.public_key);
    wf_kdf(made.server_secret, sizeof made.server_secret, made.seed, "weft server role S",
           (weft_span){0});
    wf_dh_public(made.server_public, made.server_secret);
    wf_key_prefix(made.prefix, made.public_key);

    if (err == WEFT_OK)
        *id = made;
    wf_wipe(&made, sizeof made);
    return err;
}

/* SPEC 1.11-2 */
weft_err wf_identity_for(struct wf_identity *id, const struct wf_identity *of,
                         const uint8_t owner[32])
{
    uint8_t seed[32];

    wf_kdf(seed, sizeof seed, of->seed, "weft client identity 1", wf_span(owner, 32));
    weft_err err = wf_identity_init(id, seed);
    wf_wipe(seed, sizeof seed);
    return err;
}

weft_err wf_identity_key_for(uint8_t public_key[32], const struct wf_identity *of,
                             const uint8_t owner[32])
{
    struct wf_identity id;
    weft_err err = wf_identity_for(&id, of, owner);

    if (err == WEFT_OK) {
        memcpy(public_key, id.public_key, sizeof id.public_key);
        wf_identity_wipe(&id); /* SPEC 1.11-3 */
    }
    return err;
}

void wf_identity_wipe(struct wf_identity *id)
{
    wf_wipe(id, sizeof *id);
}
