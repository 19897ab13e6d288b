/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.h - start-up, the operating system's generator, and keys from passphrases.
 */
#ifndef WF_CRYPTO_CRYPTO_H
#define WF_CRYPTO_CRYPTO_H

#include "base/rng.h"

/* Must succeed once before anything else in this folder; repeated and concurrent calls are
 * harmless. */
WEFT_NODISCARD weft_err wf_crypto_init(void);

/* The system's generator (libsodium randombytes); a failure to get entropy aborts. */
extern const struct wf_rng wf_rng_system;

/* A seeded generator for simulators and vectors (ChaCha20 key stream); the same seed gives the same
 * bytes everywhere. */
struct wf_rng_seeded {
    struct wf_rng rng; /* hand this one out */
    uint8_t key[32];
    uint64_t counter;
};
void wf_rng_seed(struct wf_rng_seeded *s, uint64_t seed);

/* Argon2id (RFC 9106), 64 MiB, 3 passes. WEFT_ERR_NOMEM when the memory cannot be had. */
#define WF_PASSPHRASE_SALT_LEN 16
WEFT_NODISCARD weft_err wf_passphrase_key(uint8_t key[32], weft_span passphrase,
                                          const uint8_t salt[WF_PASSPHRASE_SALT_LEN]);

#endif
