/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_sodium.c - the reference back end. It must never be tuned: the others are compared with it.
 */
#include <sodium.h>

#include "base/assert.h"
#include "crypto/aead_priv.h"

static weft_err setup(struct wf_aead *a)
{
    a->algs = 1u << WF_AEAD_XCHACHA20_POLY1305;
    if (crypto_aead_aes256gcm_is_available() != 0) {
        a->algs |= 1u << WF_AEAD_AES256_GCM;
    }
    return WEFT_OK;
}

/* Keys live on the stack during a batch only, so there is nothing to tear down or to forget. */
static void nothing(struct wf_aead *a)
{
    (void)a;
}

static void seal_chacha(const struct wf_aead_key *k, struct wf_aead_op *op)
{
    uint8_t nonce[WF_AEAD_NONCE_LEN];

    wf_aead_nonce(nonce, k, op->number);
    const int rc = crypto_aead_chacha20poly1305_ietf_encrypt(
        op->out, NULL, op->in, op->in_len, op->ad.data, op->ad.len, NULL, nonce, k->key);
    WEFT_ASSERT(rc == 0);
}

static void open_chacha(const struct wf_aead_key *k, struct wf_aead_op *op)
{
    uint8_t nonce[WF_AEAD_NONCE_LEN];

    wf_aead_nonce(nonce, k, op->number);
    op->ok = crypto_aead_chacha20poly1305_ietf_decrypt(op->out, NULL, NULL, op->in, op->in_len,
                                                       op->ad.data, op->ad.len, nonce, k->key) == 0;
}

static void seal_aes(const struct wf_aead_key *k, struct wf_aead_op *op,
                     const crypto_aead_aes256gcm_state *state)
{
    uint8_t nonce[WF_AEAD_NONCE_LEN];

    wf_aead_nonce(nonce, k, op->number);
    const int rc = crypto_aead_aes256gcm_encrypt_afternm(
        op->out, NULL, op->in, op->in_len, op->ad.data, op->ad.len, NULL, nonce, state);
    WEFT_ASSERT(rc == 0);
}

static void open_aes(const struct wf_aead_key *k, struct wf_aead_op *op,
                     const crypto_aead_aes256gcm_state *state)
{
    uint8_t nonce[WF_AEAD_NONCE_LEN];

    wf_aead_nonce(nonce, k, op->number);
    op->ok = crypto_aead_aes256gcm_decrypt_afternm(op->out, NULL, NULL, op->in, op->in_len,
                                                   op->ad.data, op->ad.len, nonce, state) == 0;
}

static void seal(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                 size_t count)
{
    (void)a;
    if (k->alg == WF_AEAD_XCHACHA20_POLY1305) {
        for (size_t i = 0; i < count; i++) {
            seal_chacha(k, &ops[i]);
        }
        return;
    }

    crypto_aead_aes256gcm_state state;

    crypto_aead_aes256gcm_beforenm(&state, k->key);
    for (size_t i = 0; i < count; i++) {
        seal_aes(k, &ops[i], &state);
    }
    sodium_memzero(&state, sizeof state);
}

static void open_each(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                      size_t count)
{
    (void)a;
    if (k->alg == WF_AEAD_XCHACHA20_POLY1305) {
        for (size_t i = 0; i < count; i++) {
            if (ops[i].ok) {
                open_chacha(k, &ops[i]);
            }
        }
        return;
    }

    crypto_aead_aes256gcm_state state;

    crypto_aead_aes256gcm_beforenm(&state, k->key);
    for (size_t i = 0; i < count; i++) {
        if (ops[i].ok) {
            open_aes(k, &ops[i], &state);
        }
    }
    sodium_memzero(&state, sizeof state);
}

const struct wf_aead_ops wf_aead_sodium = {
    .name = "libsodium",
    .setup = setup,
    .teardown = nothing,
    .forget = nothing,
    .seal = seal,
    .open = open_each,
};
