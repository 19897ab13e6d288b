/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_openssl.c - the portable fast back end: EVP contexts that live as long as the back end, so
 * that no packet pays for a fetch or an allocation. The key is set with a batch's first packet,
 * then only nonces change. What OpenSSL allocates is not counted in our accounts; it is a fixed few
 * KiB for each back end.
 */
#include <openssl/evp.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/aead_priv.h"

enum cipher { CHACHA, AES, CIPHERS };

static const char *const cipher_names[CIPHERS] = {"ChaCha20-Poly1305", "AES-256-GCM"};
static const enum wf_aead_alg algs[CIPHERS] = {WF_AEAD_XCHACHA20_POLY1305, WF_AEAD_AES256_GCM};

struct state {
    EVP_CIPHER_CTX *seal[CIPHERS];
    EVP_CIPHER_CTX *open[CIPHERS];
    bool has_key[CIPHERS]; /* in either context, outside of locked memory */
};

static enum cipher cipher_of(const struct wf_aead_key *k)
{
    return k->alg == WF_AEAD_AES256_GCM ? AES : CHACHA;
}

static void free_contexts(struct state *s)
{
    for (size_t i = 0; i < CIPHERS; i++) {
        EVP_CIPHER_CTX_free(s->seal[i]); /* wipes the key */
        EVP_CIPHER_CTX_free(s->open[i]);
    }
}

/* NOT_FOUND: the configured providers have no such cipher. */
static weft_err set_up_cipher(struct state *s, enum cipher c)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_names[c], NULL);
    weft_err err = WEFT_ERR_NOT_FOUND;

    if (cipher == NULL)
        return err;
    s->seal[c] = EVP_CIPHER_CTX_new();
    s->open[c] = EVP_CIPHER_CTX_new();
    if (s->seal[c] == NULL || s->open[c] == NULL) {
        err = WEFT_ERR_NOMEM;
    } else if (EVP_EncryptInit_ex2(s->seal[c], cipher, NULL, NULL, NULL) == 1 &&
               EVP_DecryptInit_ex2(s->open[c], cipher, NULL, NULL, NULL) == 1) {
        err = WEFT_OK;
    }
    EVP_CIPHER_free(cipher); /* the contexts hold their own references */
    return err;
}

static void teardown(struct wf_aead *a)
{
    struct state *s = (struct state *)a->state;

    free_contexts(s);
    wf_free(a->mem, s, sizeof *s);
}

static weft_err setup(struct wf_aead *a)
{
    struct state *s = (struct state *)wf_alloc(a->mem, sizeof *s);

    if (s == NULL)
        return WEFT_ERR_NOMEM;
    a->state = s;
    for (size_t i = 0; i < CIPHERS; i++) {
        const weft_err err = set_up_cipher(s, (enum cipher)i);

        if (err == WEFT_OK) {
            a->algs |= 1u << algs[i];
        } else if (err != WEFT_ERR_NOT_FOUND || i == CHACHA) {
            teardown(a);
            return err;
        }
    }
    return WEFT_OK;
}

static void forget(struct wf_aead *a)
{
    static const uint8_t zeros[WF_AEAD_KEY_LEN];
    struct state *s = (struct state *)a->state;

    for (size_t i = 0; i < CIPHERS; i++) {
        if (!s->has_key[i])
            continue;
        s->has_key[i] = false;
        const int sealing = EVP_EncryptInit_ex2(s->seal[i], NULL, zeros, NULL, NULL);
        const int opening = EVP_DecryptInit_ex2(s->open[i], NULL, zeros, NULL, NULL);

        WEFT_ASSERT(sealing == 1);
        WEFT_ASSERT(opening == 1);
    }
}

/* key is NULL when the context has it already. */
static bool seal_one(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce,
                     const struct wf_aead_op *op)
{
    int len = 0;

    if (EVP_EncryptInit_ex2(ctx, NULL, key, nonce, NULL) != 1)
        return false;
    if (op->ad.len > 0 && EVP_EncryptUpdate(ctx, NULL, &len, op->ad.data, (int)op->ad.len) != 1)
        return false;
    if (op->in_len > 0 && EVP_EncryptUpdate(ctx, op->out, &len, op->in, (int)op->in_len) != 1)
        return false;
    if (EVP_EncryptFinal_ex(ctx, op->out + op->in_len, &len) != 1)
        return false;
    return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, WF_AEAD_TAG_LEN, op->out + op->in_len) ==
           1;
}

static bool open_one(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce,
                     const struct wf_aead_op *op)
{
    const size_t out_len = op->in_len - WF_AEAD_TAG_LEN;
    uint8_t tag[WF_AEAD_TAG_LEN]; /* a copy: OpenSSL wants to be able to write to it */
    int len = 0;

    memcpy(tag, op->in + out_len, sizeof tag);
    if (EVP_DecryptInit_ex2(ctx, NULL, key, nonce, NULL) != 1)
        return false;
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, WF_AEAD_TAG_LEN, tag) != 1)
        return false;
    if (op->ad.len > 0 && EVP_DecryptUpdate(ctx, NULL, &len, op->ad.data, (int)op->ad.len) != 1)
        return false;
    if (out_len > 0 && EVP_DecryptUpdate(ctx, op->out, &len, op->in, (int)out_len) != 1)
        return false;
    return EVP_DecryptFinal_ex(ctx, tag, &len) == 1;
}

static void seal(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                 size_t count)
{
    struct state *s = (struct state *)a->state;
    uint8_t nonce[WF_AEAD_NONCE_LEN];

    s->has_key[cipher_of(k)] = true;
    for (size_t i = 0; i < count; i++) {
        wf_aead_nonce(nonce, k, ops[i].number);
        const bool sealed = seal_one(s->seal[cipher_of(k)], i == 0 ? k->key : NULL, nonce, &ops[i]);
        WEFT_ASSERT(sealed);
    }
}

static void open_each(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                      size_t count)
{
    struct state *s = (struct state *)a->state;
    const uint8_t *key = k->key;
    uint8_t nonce[WF_AEAD_NONCE_LEN];

    s->has_key[cipher_of(k)] = true;
    for (size_t i = 0; i < count; i++) {
        if (!ops[i].ok)
            continue;
        wf_aead_nonce(nonce, k, ops[i].number);
        ops[i].ok = open_one(s->open[cipher_of(k)], key, nonce, &ops[i]);
        key = NULL;
    }
}

const struct wf_aead_ops wf_aead_openssl = {
    .name = "OpenSSL",
    .setup = setup,
    .teardown = teardown,
    .forget = forget,
    .seal = seal,
    .open = open_each,
};
