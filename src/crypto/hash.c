/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c - BLAKE2b, SipHash and ChaCha20's key stream as libsodium has them. It must never leave
 * half of a derived key behind.
 */
#include "crypto/hash.h"

#include <sodium.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#define KDF_KEY_LEN 32

typedef crypto_generichash_blake2b_state blake2b;

/* libsodium fails on lengths that its headers exclude, and every length here is ours. */
static void start(blake2b *st, const uint8_t *key, size_t out_len)
{
    const int rc = crypto_generichash_blake2b_init(st, key, key != NULL ? KDF_KEY_LEN : 0, out_len);
    WEFT_ASSERT(rc == 0);
}

static void feed(blake2b *st, weft_span part)
{
    if (part.len == 0)
        return;
    const int rc = crypto_generichash_blake2b_update(st, part.data, part.len);
    WEFT_ASSERT(rc == 0);
}

static void finish(blake2b *st, uint8_t *out, size_t out_len)
{
    const int rc = crypto_generichash_blake2b_final(st, out, out_len);
    WEFT_ASSERT(rc == 0);
}

void wf_hash(uint8_t out[WF_HASH_LEN], const weft_span *parts, size_t count)
{
    blake2b st;

    start(&st, NULL, WF_HASH_LEN);
    for (size_t i = 0; i < count; i++) {
        feed(&st, parts[i]);
    }
    finish(&st, out, WF_HASH_LEN);
}

void wf_hash64(uint8_t out[WF_HASH64_LEN], const weft_span *parts, size_t count)
{
    blake2b st;

    start(&st, NULL, WF_HASH64_LEN);
    for (size_t i = 0; i < count; i++) {
        feed(&st, parts[i]);
    }
    finish(&st, out, WF_HASH64_LEN);
}

void wf_expand(uint8_t *out, size_t len, const uint8_t key[32])
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

    (void)crypto_stream_chacha20(out, len, nonce, key); /* fails for no length a size_t can have */
}

void wf_hash_mix(uint8_t h[WF_HASH_LEN], weft_span part)
{
    const weft_span parts[] = {{h, WF_HASH_LEN}, part};

    wf_hash(h, parts, WF_ARRAY_LEN(parts));
}

void wf_kdf(uint8_t *out, size_t len, const uint8_t secret[32], const char *label, weft_span input)
{
    const size_t label_len = strlen(label);
    const uint8_t label_byte = (uint8_t)label_len;
    blake2b st;

    WEFT_ASSERT(label_len <= WF_KDF_LABEL_MAX);
    WEFT_ASSERT(len >= 1);
    WEFT_ASSERT(len <= crypto_generichash_blake2b_BYTES_MAX);
    start(&st, secret, len);
    feed(&st, wf_span(&label_byte, 1));
    feed(&st, wf_span(label, label_len));
    feed(&st, input);
    finish(&st, out, len);
    wf_wipe(&st, sizeof st);
}

void wf_kdf_chain(uint8_t ck[32], uint8_t key[32], const char *label, weft_span input)
{
    uint8_t t[64];

    wf_kdf(t, sizeof t, ck, label, input);
    memcpy(ck, t, 32);
    if (key != NULL) {
        memcpy(key, t + 32, 32);
    }
    wf_wipe(t, sizeof t);
}

/* SipHash writes its result in little-endian order. */
uint64_t wf_siphash64(const uint8_t key[WF_SIPHASH_KEY_LEN], weft_span in)
{
    uint8_t out[crypto_shorthash_siphash24_BYTES];
    uint64_t v = 0;

    crypto_shorthash_siphash24(out, in.data, in.len, key);
    for (size_t i = sizeof out; i > 0; i--) {
        v = v << 8 | out[i - 1];
    }
    return v;
}

void wf_siphash128(uint8_t out[16], const uint8_t key[WF_SIPHASH_KEY_LEN], weft_span in)
{
    crypto_shorthash_siphashx24(out, in.data, in.len, key);
}
