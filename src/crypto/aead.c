/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead.c - keys, the choice of a back end, and the checks that all of them share. It must never let
 * plaintext out whose tag was wrong.
 */
#include "crypto/aead.h"

#include <sodium.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/aead_priv.h"

void wf_aead_key_init(struct wf_aead_key *k, enum wf_aead_alg alg,
                      const uint8_t key[WF_AEAD_KEY_LEN], const uint8_t prefix[16])
{
    memset(k, 0, sizeof *k);
    k->alg = (uint8_t)alg;
    switch (alg) {
    case WF_AEAD_XCHACHA20_POLY1305:
        crypto_core_hchacha20(k->key, prefix, key, NULL);
        return;
    case WF_AEAD_AES256_GCM:
        memcpy(k->key, key, sizeof k->key);
        memcpy(k->salt, prefix, sizeof k->salt);
        return;
    }
    WEFT_UNREACHABLE();
}

void wf_aead_nonce(uint8_t nonce[WF_AEAD_NONCE_LEN], const struct wf_aead_key *k, uint64_t number)
{
    memcpy(nonce, k->salt, WF_AEAD_SALT_LEN);
    wf_store_u64(nonce + WF_AEAD_SALT_LEN, number);
}

static weft_err set_up(struct wf_aead *a, const struct wf_aead_ops *ops)
{
    a->ops = ops;
    a->algs = 0;
    return ops->setup(a);
}

static weft_err choose(struct wf_aead *a, enum wf_aead_backend backend)
{
    switch (backend) {
    case WF_AEAD_BEST: {
        const weft_err err = set_up(a, &wf_aead_openssl);

        return err == WEFT_ERR_NOT_FOUND ? set_up(a, &wf_aead_sodium) : err;
    }
    case WF_AEAD_OPENSSL:
        return set_up(a, &wf_aead_openssl);
    case WF_AEAD_SODIUM:
        return set_up(a, &wf_aead_sodium);
    }
    return WEFT_ERR_NOT_FOUND;
}

weft_err wf_aead_new(struct wf_aead **out, enum wf_aead_backend backend, struct wf_mem *mem)
{
    struct wf_aead *a = (struct wf_aead *)wf_alloc(mem, sizeof *a);

    if (a == NULL)
        return WEFT_ERR_NOMEM;
    a->mem = mem;

    const weft_err err = choose(a, backend);

    if (err != WEFT_OK) {
        wf_free(mem, a, sizeof *a);
        return err;
    }
    *out = a;
    return WEFT_OK;
}

void wf_aead_free(struct wf_aead *a)
{
    if (a == NULL)
        return;
    a->ops->teardown(a);
    wf_free(a->mem, a, sizeof *a);
}

void wf_aead_forget(struct wf_aead *a)
{
    a->ops->forget(a);
}

const char *wf_aead_backend_name(const struct wf_aead *a)
{
    return a->ops->name;
}

bool wf_aead_has(const struct wf_aead *a, enum wf_aead_alg alg)
{
    return (unsigned)alg < 32 && (a->algs >> alg & 1u) != 0;
}

void wf_aead_seal(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                  size_t count)
{
    WEFT_ASSERT(wf_aead_has(a, (enum wf_aead_alg)k->alg));
    for (size_t i = 0; i < count; i++) {
        WEFT_ASSERT(ops[i].in_len <= WF_AEAD_LEN_MAX);
        WEFT_ASSERT(ops[i].ad.len <= WF_AEAD_LEN_MAX);
    }
    a->ops->seal(a, k, ops, count);
    for (size_t i = 0; i < count; i++)
        wf_ct_public(ops[i].out, ops[i].in_len + WF_AEAD_TAG_LEN);
}

/* What a peer sends decides in_len, so a wrong one is no more than a packet that does not open. */
static bool may_open(const struct wf_aead_op *op)
{
    return op->in_len >= WF_AEAD_TAG_LEN && op->in_len - WF_AEAD_TAG_LEN <= WF_AEAD_LEN_MAX &&
           op->ad.len <= WF_AEAD_LEN_MAX;
}

size_t wf_aead_open(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                    size_t count)
{
    size_t opened = 0;

    WEFT_ASSERT(wf_aead_has(a, (enum wf_aead_alg)k->alg));
    for (size_t i = 0; i < count; i++) {
        ops[i].ok = may_open(&ops[i]);
    }
    a->ops->open(a, k, ops, count);
    for (size_t i = 0; i < count; i++) {
        wf_ct_public(&ops[i].ok, sizeof ops[i].ok);
        if (ops[i].ok) {
            wf_ct_public(ops[i].out, ops[i].in_len - WF_AEAD_TAG_LEN); /* is parsed now */
            opened++;
        } else if (may_open(&ops[i])) {
            wf_wipe(ops[i].out, ops[i].in_len - WF_AEAD_TAG_LEN);
        }
    }
    return opened;
}
