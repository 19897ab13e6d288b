/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dh.h - X25519 (RFC 7748) and Ed25519 (RFC 8032), and the map from the second to the first.
 *
 * Every curve operation is counted, so that "nothing is computed with curves for a stranger" can be
 * shown.
 */
#ifndef WF_CRYPTO_DH_H
#define WF_CRYPTO_DH_H

#include "base/compiler.h"

#define WF_DH_LEN 32
#define WF_SIGN_SEED_LEN 32
#define WF_SIGN_PUBLIC_LEN 32
#define WF_SIGN_SECRET_LEN 64
#define WF_SIGNATURE_LEN 64

/* The public key of a secret (any 32 bytes; clamped inside). */
void wf_dh_public(uint8_t pk[WF_DH_LEN], const uint8_t sk[WF_DH_LEN]);

/* WEFT_ERR_CRYPTO when the result is all zero (a point of small order); out is then zeroed. */
WEFT_NODISCARD weft_err wf_dh(uint8_t out[WF_DH_LEN], const uint8_t sk[WF_DH_LEN],
                              const uint8_t pk[WF_DH_LEN]);

void wf_sign_keypair(uint8_t pk[WF_SIGN_PUBLIC_LEN], uint8_t sk[WF_SIGN_SECRET_LEN],
                     const uint8_t seed[WF_SIGN_SEED_LEN]);
void wf_sign(uint8_t sig[WF_SIGNATURE_LEN], const uint8_t sk[WF_SIGN_SECRET_LEN],
             weft_span message);

/* WEFT_ERR_CRYPTO when it does not verify (non-canonical and small-order keys included). */
WEFT_NODISCARD weft_err wf_verify(const uint8_t pk[WF_SIGN_PUBLIC_LEN],
                                  const uint8_t sig[WF_SIGNATURE_LEN], weft_span message);

/* Ed25519 key to X25519 key. The public one fails with WEFT_ERR_CRYPTO for what is no valid point
 * of full order. */
WEFT_NODISCARD weft_err wf_dh_public_of_sign(uint8_t pk[WF_DH_LEN],
                                             const uint8_t sign_pk[WF_SIGN_PUBLIC_LEN]);
void wf_dh_secret_of_sign(uint8_t sk[WF_DH_LEN], const uint8_t sign_sk[WF_SIGN_SECRET_LEN]);

/* Curve operations done by this process since its start: every X25519 multiplication, key
 * generation, signature, verification and map counts as one. */
uint64_t wf_curve_operations(void);

#endif
