/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passphrase.c - a key from a passphrase. It must never be cheap.
 */
#include <sodium.h>

#include "base/bytes.h"
#include "crypto/crypto.h"

#define KEY_LEN 32
#define PASSES 3
#define MEMORY_BYTES ((size_t)64 << 20)

weft_err wf_passphrase_key(uint8_t key[32], weft_span passphrase,
                           const uint8_t salt[WF_PASSPHRASE_SALT_LEN])
{
    /* libsodium's type is char; a char pointer may look at any bytes. */
    const char *text = passphrase.len > 0 ? (const char *)passphrase.data : "";
    uint8_t made[KEY_LEN];
    weft_err err = WEFT_OK;

    if (crypto_pwhash(made, sizeof made, text, passphrase.len, salt, PASSES, MEMORY_BYTES,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        err = WEFT_ERR_NOMEM;
    } else {
        for (size_t i = 0; i < sizeof made; i++) {
            key[i] = made[i];
        }
    }
    wf_wipe(made, sizeof made);
    return err;
}
