/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dh.c - curve operations, each of them counted. It must never hand out an all-zero shared secret.
 *
 * All are libsodium's. OpenSSL's X25519 takes as long when its keys are raw bytes (45.8 us
 * against 45.2 us on one machine, 97 us through its raw-key call, which computes the public key as
 * well), but allocates at each call, leaves copies of the secret in its heap, and can fail for want
 * of memory.
 */
#include "crypto/dh.h"

#include <sodium.h>
#include <stdatomic.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"

static atomic_uint_fast64_t operations;

static void count_one(void)
{
    atomic_fetch_add_explicit(&operations, 1, memory_order_relaxed);
}

uint64_t wf_curve_operations(void)
{
    return atomic_load_explicit(&operations, memory_order_relaxed);
}

void wf_dh_public(uint8_t pk[WF_DH_LEN], const uint8_t sk[WF_DH_LEN])
{
    count_one();
    const int rc = crypto_scalarmult_base(pk, sk);
    WEFT_ASSERT(rc == 0);
    wf_ct_public(pk, WF_DH_LEN);
}

weft_err wf_dh(uint8_t out[WF_DH_LEN], const uint8_t sk[WF_DH_LEN], const uint8_t pk[WF_DH_LEN])
{
    count_one();
    const int rc = crypto_scalarmult(out, sk, pk);
    const bool is_zero = wf_is_zero_ct(out, WF_DH_LEN);

    wf_ct_public(&rc, sizeof rc);
    wf_ct_public(&is_zero, sizeof is_zero);
    if (rc != 0 || is_zero) {
        wf_wipe(out, WF_DH_LEN);
        return WEFT_ERR_CRYPTO;
    }
    return WEFT_OK;
}

void wf_sign_keypair(uint8_t pk[WF_SIGN_PUBLIC_LEN], uint8_t sk[WF_SIGN_SECRET_LEN],
                     const uint8_t seed[WF_SIGN_SEED_LEN])
{
    count_one();
    const int rc = crypto_sign_seed_keypair(pk, sk, seed);
    WEFT_ASSERT(rc == 0);
    wf_ct_public(pk, WF_SIGN_PUBLIC_LEN);
    wf_ct_public(sk + WF_SIGN_SEED_LEN, WF_SIGN_PUBLIC_LEN); /* the same again */
}

void wf_sign(uint8_t sig[WF_SIGNATURE_LEN], const uint8_t sk[WF_SIGN_SECRET_LEN], weft_span message)
{
    count_one();
    const int rc = crypto_sign_detached(sig, NULL, message.data, message.len, sk);
    WEFT_ASSERT(rc == 0);
    wf_ct_public(sig, WF_SIGNATURE_LEN);
}

weft_err wf_verify(const uint8_t pk[WF_SIGN_PUBLIC_LEN], const uint8_t sig[WF_SIGNATURE_LEN],
                   weft_span message)
{
    count_one();
    if (crypto_sign_verify_detached(sig, message.data, message.len, pk) != 0)
        return WEFT_ERR_CRYPTO;
    return WEFT_OK;
}

/* libsodium's map reduces y modulo p = 2^255 - 19 first, so two encodings would lead to one key. */
static bool is_canonical(const uint8_t sign_pk[WF_SIGN_PUBLIC_LEN])
{
    if ((sign_pk[31] & 0x7f) != 0x7f || sign_pk[0] < 0xed)
        return true;
    for (size_t i = 1; i < 31; i++) {
        if (sign_pk[i] != 0xff)
            return true;
    }
    return false;
}

weft_err wf_dh_public_of_sign(uint8_t pk[WF_DH_LEN], const uint8_t sign_pk[WF_SIGN_PUBLIC_LEN])
{
    uint8_t mapped[WF_DH_LEN];

    count_one();
    if (!is_canonical(sign_pk) || crypto_sign_ed25519_pk_to_curve25519(mapped, sign_pk) != 0)
        return WEFT_ERR_CRYPTO;
    for (size_t i = 0; i < WF_DH_LEN; i++) {
        pk[i] = mapped[i];
    }
    return WEFT_OK;
}

void wf_dh_secret_of_sign(uint8_t sk[WF_DH_LEN], const uint8_t sign_sk[WF_SIGN_SECRET_LEN])
{
    count_one();
    const int rc = crypto_sign_ed25519_sk_to_curve25519(sk, sign_sk);
    WEFT_ASSERT(rc == 0);
}
