/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_equal_test.c - all back ends give the bytes of libsodium's XChaCha20-Poly1305 and of each
 * other's AES-256-GCM, at every length.
 */
#include <sodium.h>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "test.h"

#define LEN_MAX 65000
#define EVERY_LEN_MAX 2048

static const uint64_t numbers[] = {0, 1, 0xffffffffu, 0x100000000u, UINT64_MAX};
static const size_t long_lens[] = {4095, 4096, 4097, 8192, 16384, 65000};

static uint8_t plain[LEN_MAX];
static uint8_t want[LEN_MAX + WF_AEAD_TAG_LEN];
static uint8_t got[LEN_MAX + WF_AEAD_TAG_LEN];
static uint8_t back[LEN_MAX];
static uint8_t ad[64];

/* How the expected bytes are made: by libsodium's own call or by another back end. */
struct reference {
    const uint8_t *key;
    const uint8_t *prefix;
    struct wf_aead *other; /* NULL: libsodium's XChaCha20-Poly1305 */
    const struct wf_aead_key *k;
};

static void seal_reference(const struct reference *r, struct wf_aead_op op)
{
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];

    op.out = want;
    if (r->other != NULL) {
        wf_aead_seal(r->other, r->k, &op, 1);
        return;
    }
    memcpy(nonce, r->prefix, 16);
    wf_store_u64(nonce + 16, op.number);
    CHECK_EQ(crypto_aead_xchacha20poly1305_ietf_encrypt(want, NULL, op.in, op.in_len, op.ad.data,
                                                        op.ad.len, NULL, nonce, r->key),
             0);
}

static void check_one(const struct reference *r, struct wf_aead *a, struct wf_aead_op op)
{
    const size_t len = op.in_len;

    test_note("%s, %zu bytes, ad %zu, number %llu", wf_aead_backend_name(a), len, op.ad.len,
              (unsigned long long)op.number);
    seal_reference(r, op);
    op.out = got;
    wf_aead_seal(a, r->k, &op, 1);
    CHECK_MEM_EQ(got, want, len + WF_AEAD_TAG_LEN);
    op.in = want;
    op.in_len = len + WF_AEAD_TAG_LEN;
    op.out = back;
    CHECK_EQ(wf_aead_open(a, r->k, &op, 1), 1);
    CHECK_MEM_EQ(back, plain, len);
    want[len / 2] ^= 1;
    CHECK_EQ(wf_aead_open(a, r->k, &op, 1), 0);
}

static void check_all(const struct reference *r, struct wf_aead *a)
{
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 131 + (i >> 8));
    }
    for (size_t i = 0; i < sizeof ad; i++) {
        ad[i] = (uint8_t)(i + 1);
    }
    for (size_t c = 0; c < WF_ARRAY_LEN(numbers); c++) {
        struct wf_aead_op op = {.number = numbers[c], .in = plain};

        for (size_t len = 0; len <= EVERY_LEN_MAX; len++) {
            op.in_len = len;
            op.ad = wf_span(ad, (len + c) % (sizeof ad + 1));
            check_one(r, a, op);
        }
        for (size_t i = 0; i < WF_ARRAY_LEN(long_lens); i++) {
            op.in_len = long_lens[i];
            check_one(r, a, op);
        }
    }
}

static void check_backend(enum wf_aead_backend backend)
{
    static const uint8_t prefixes[][16] = {{0}, {1, 2, 3, 4, 5, 6, 7, 8, 9}};
    uint8_t key[WF_AEAD_KEY_LEN];
    struct wf_aead *a = NULL;

    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&a, backend, test_mem()));
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)(7 * i + 1);
    }
    for (size_t p = 0; p < WF_ARRAY_LEN(prefixes); p++) {
        struct wf_aead_key k;
        const struct reference r = {key, prefixes[p], NULL, &k};

        wf_aead_key_init(&k, WF_AEAD_XCHACHA20_POLY1305, key, prefixes[p]);
        check_all(&r, a);
    }
    wf_aead_free(a);
}

TEST(libsodium_with_a_cached_subkey_equals_xchacha20_poly1305)
{
    check_backend(WF_AEAD_SODIUM);
}

TEST(openssl_with_a_cached_subkey_equals_xchacha20_poly1305)
{
    check_backend(WF_AEAD_OPENSSL);
}

/* Where libsodium has none, OpenSSL's is compared with itself, and Wycheproof's vectors remain. */
TEST(aes_256_gcm_is_the_same_in_all_back_ends)
{
    static const uint8_t key[WF_AEAD_KEY_LEN] = {9, 8, 7};
    static const uint8_t prefix[16] = {1, 2, 3, 4};
    struct wf_aead *sodium = NULL;
    struct wf_aead *openssl = NULL;
    struct wf_aead_key k;

    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&sodium, WF_AEAD_SODIUM, test_mem()));
    CHECK_OK(wf_aead_new(&openssl, WF_AEAD_OPENSSL, test_mem()));
    wf_aead_key_init(&k, WF_AEAD_AES256_GCM, key, prefix);

    const bool has = wf_aead_has(sodium, WF_AEAD_AES256_GCM);
    const struct reference r = {key, prefix, has ? sodium : openssl, &k};

    CHECK(wf_aead_has(openssl, WF_AEAD_AES256_GCM));
    check_all(&r, openssl);
    wf_aead_free(sodium);
    wf_aead_free(openssl);
}
