/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - BLAKE2b (RFC 7693) as hash, keyed hash and key derivation, and SipHash-2-4 (64 and 128
 * bits).
 */
#ifndef WF_CRYPTO_HASH_H
#define WF_CRYPTO_HASH_H

#include "base/compiler.h"

#define WF_HASH_LEN 32
#define WF_SIPHASH_KEY_LEN 16
#define WF_KDF_LABEL_MAX 64

/* out = BLAKE2b-256 of all parts, one after the other. */
void wf_hash(uint8_t out[WF_HASH_LEN], const weft_span *parts, size_t count);

/* The same with 64 bytes: BLAKE2b-512. */
#define WF_HASH64_LEN 64
void wf_hash64(uint8_t out[WF_HASH64_LEN], const weft_span *parts, size_t count);

/* The key stream of ChaCha20 (the original: nonce 0 of 8 bytes, block number from 0 on) under a
 * public key: many even bytes out of few. */
void wf_expand(uint8_t *out, size_t len, const uint8_t key[32]);

/* h = BLAKE2b-256(h | part): how a transcript grows. */
void wf_hash_mix(uint8_t h[WF_HASH_LEN], weft_span part);

/*
 * One step of a key chain:
 *   t (64 bytes) = BLAKE2b-512(key = ck, byte(len(label)) | label | input)
 *   ck = t[0..31], key = t[32..63]
 * label is a C string of at most 64 bytes. key may be NULL. t is wiped.
 */
void wf_kdf_chain(uint8_t ck[32], uint8_t key[32], const char *label, weft_span input);

/* out = BLAKE2b(key = secret, digest length = len, byte(len(label)) | label | input); len 1..64. */
void wf_kdf(uint8_t *out, size_t len, const uint8_t secret[32], const char *label, weft_span input);

uint64_t wf_siphash64(const uint8_t key[WF_SIPHASH_KEY_LEN], weft_span in);
void wf_siphash128(uint8_t out[16], const uint8_t key[WF_SIPHASH_KEY_LEN], weft_span in);

#endif
