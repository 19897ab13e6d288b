/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wycheproof_test.c - the vectors of the Wycheproof project against every back end.
 *
 * Cases that our interfaces cannot express (nonces of other lengths, AES keys that are not 256
 * bits) are counted, so that a file whose form has changed does not pass by doing nothing.
 */
#include "support/wycheproof.h"

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "test.h"

struct tally {
    struct wf_aead *aead;
    enum wf_aead_alg alg;
    size_t nonce_len; /* of the cases that can be tried */
    size_t tried;
    size_t skipped;
    size_t refused; /* of those tried: rightly refused */
};

struct aead_case {
    uint8_t *key, *iv, *ad, *msg, *ct, *tag;
    size_t key_len, iv_len, ad_len, msg_len, ct_len, tag_len;
};

static struct aead_case read_aead(const struct wycheproof_case *c)
{
    struct aead_case v = {0};

    v.key = wycheproof_bytes(c, "key", &v.key_len);
    v.iv = wycheproof_bytes(c, "iv", &v.iv_len);
    v.ad = wycheproof_bytes(c, "aad", &v.ad_len);
    v.msg = wycheproof_bytes(c, "msg", &v.msg_len);
    v.ct = wycheproof_bytes(c, "ct", &v.ct_len);
    v.tag = wycheproof_bytes(c, "tag", &v.tag_len);
    return v;
}

static void free_aead(struct aead_case *v)
{
    free(v->key);
    free(v->iv);
    free(v->ad);
    free(v->msg);
    free(v->ct);
    free(v->tag);
}

/* Our key for the case: with a nonce of 24 bytes through key_init, with one of 12 as it is. */
static struct wf_aead_key key_of(const struct tally *t, const struct aead_case *v)
{
    struct wf_aead_key k = {.alg = (uint8_t)t->alg};

    if (v->iv_len == 24) {
        wf_aead_key_init(&k, t->alg, v->key, v->iv);
    } else {
        memcpy(k.key, v->key, sizeof k.key);
        memcpy(k.salt, v->iv, sizeof k.salt);
    }
    return k;
}

static void try_aead(const struct wycheproof_case *c, void *ctx)
{
    struct tally *t = (struct tally *)ctx;
    struct aead_case v = read_aead(c);

    if (v.iv_len != t->nonce_len || v.key_len != WF_AEAD_KEY_LEN) {
        t->skipped++;
        free_aead(&v);
        return;
    }
    CHECK_EQ(v.tag_len, WF_AEAD_TAG_LEN);

    const struct wf_aead_key k = key_of(t, &v);
    const size_t sealed_len = v.msg_len + WF_AEAD_TAG_LEN;
    uint8_t *sealed = test_copy_padded(v.ct, v.ct_len, sealed_len);
    uint8_t *made = test_copy_padded(NULL, 0, sealed_len);
    uint8_t *opened = test_copy_padded(NULL, 0, v.msg_len);
    struct wf_aead_op op = {.number = wf_load_u64(v.iv + v.iv_len - 8),
                            .ad = wf_span(v.ad, v.ad_len),
                            .in = sealed,
                            .in_len = sealed_len,
                            .out = opened};

    memcpy(sealed + v.msg_len, v.tag, v.tag_len);
    CHECK_EQ(wf_aead_open(t->aead, &k, &op, 1), c->valid ? 1 : 0);
    CHECK_EQ(op.ok, c->valid);
    if (c->valid) {
        CHECK_MEM_EQ(opened, v.msg, v.msg_len);
        op.in = v.msg;
        op.in_len = v.msg_len;
        op.out = made;
        wf_aead_seal(t->aead, &k, &op, 1);
        CHECK_MEM_EQ(made, sealed, sealed_len);
    } else {
        CHECK(wf_is_zero_ct(opened, v.msg_len));
        t->refused++;
    }
    t->tried++;
    free(sealed);
    free(made);
    free(opened);
    free_aead(&v);
}

static struct tally try_file(const char *file, enum wf_aead_backend backend, enum wf_aead_alg alg,
                             size_t nonce_len)
{
    struct tally t = {.alg = alg, .nonce_len = nonce_len};

    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&t.aead, backend, test_mem()));
    if (wf_aead_has(t.aead, alg)) {
        const size_t count = wycheproof_each(file, try_aead, &t);

        CHECK_EQ(count, t.tried + t.skipped);
        CHECK(t.tried > 50);
        CHECK(t.refused > 10);
        CHECK(t.skipped > 0);
    }
    wf_aead_free(t.aead);
    return t;
}

TEST(chacha20_poly1305_agrees_in_libsodium)
{
    CHECK(try_file("wycheproof_chacha20_poly1305.json", WF_AEAD_SODIUM, WF_AEAD_XCHACHA20_POLY1305,
                   12)
              .tried > 200);
}

TEST(chacha20_poly1305_agrees_in_openssl)
{
    CHECK(try_file("wycheproof_chacha20_poly1305.json", WF_AEAD_OPENSSL, WF_AEAD_XCHACHA20_POLY1305,
                   12)
              .tried > 200);
}

TEST(xchacha20_poly1305_agrees_in_libsodium)
{
    CHECK(try_file("wycheproof_xchacha20_poly1305.json", WF_AEAD_SODIUM, WF_AEAD_XCHACHA20_POLY1305,
                   24)
              .tried > 200);
}

TEST(xchacha20_poly1305_agrees_in_openssl)
{
    CHECK(try_file("wycheproof_xchacha20_poly1305.json", WF_AEAD_OPENSSL,
                   WF_AEAD_XCHACHA20_POLY1305, 24)
              .tried > 200);
}

/* Not every processor has it there; OpenSSL's is portable. */
TEST(aes_256_gcm_agrees_in_libsodium_where_it_is_there)
{
    (void)try_file("wycheproof_aes_gcm.json", WF_AEAD_SODIUM, WF_AEAD_AES256_GCM, 12);
}

TEST(aes_256_gcm_agrees_in_openssl)
{
    CHECK(try_file("wycheproof_aes_gcm.json", WF_AEAD_OPENSSL, WF_AEAD_AES256_GCM, 12).tried > 50);
}

static void try_dh(const struct wycheproof_case *c, void *ctx)
{
    struct tally *t = (struct tally *)ctx;
    size_t pk_len = 0;
    size_t sk_len = 0;
    size_t shared_len = 0;
    uint8_t *pk = wycheproof_bytes(c, "public", &pk_len);
    uint8_t *sk = wycheproof_bytes(c, "private", &sk_len);
    uint8_t *shared = wycheproof_bytes(c, "shared", &shared_len);
    uint8_t out[WF_DH_LEN];

    CHECK_EQ(pk_len, WF_DH_LEN);
    CHECK_EQ(sk_len, WF_DH_LEN);
    CHECK_EQ(shared_len, WF_DH_LEN);
    memset(out, 0xee, sizeof out);

    const bool zero = wf_is_zero_ct(shared, WF_DH_LEN);

    CHECK_EQ(wf_dh(out, sk, pk), zero ? WEFT_ERR_CRYPTO : WEFT_OK);
    CHECK_MEM_EQ(out, shared, WF_DH_LEN);
    t->tried++;
    t->refused += zero;
    free(pk);
    free(sk);
    free(shared);
}

TEST(x25519_agrees_and_refuses_every_all_zero_result)
{
    struct tally t = {0};

    CHECK_OK(wf_crypto_init());
    const size_t count = wycheproof_each("wycheproof_x25519.json", try_dh, &t);
    CHECK_EQ(count, t.tried);
    CHECK(t.tried > 500);
    CHECK(t.refused > 20);
}

static void try_signature(const struct wycheproof_case *c, void *ctx)
{
    struct tally *t = (struct tally *)ctx;
    size_t pk_len = 0;
    size_t msg_len = 0;
    size_t sig_len = 0;
    uint8_t *pk = wycheproof_group_bytes(c, "publicKey", "pk", &pk_len);
    uint8_t *msg = wycheproof_bytes(c, "msg", &msg_len);
    uint8_t *sig = wycheproof_bytes(c, "sig", &sig_len);

    CHECK_EQ(pk_len, WF_SIGN_PUBLIC_LEN);
    if (sig_len != WF_SIGNATURE_LEN) { /* has no place in our type */
        CHECK(!c->valid);
        t->skipped++;
    } else {
        CHECK_EQ(wf_verify(pk, sig, wf_span(msg, msg_len)), c->valid ? WEFT_OK : WEFT_ERR_CRYPTO);
        t->tried++;
        t->refused += !c->valid;
    }
    free(pk);
    free(msg);
    free(sig);
}

TEST(ed25519_agrees)
{
    struct tally t = {0};

    CHECK_OK(wf_crypto_init());
    const size_t count = wycheproof_each("wycheproof_ed25519.json", try_signature, &t);
    CHECK_EQ(count, t.tried + t.skipped);
    CHECK(t.tried > 120);
    CHECK(t.refused > 30);
}

static void try_siphash(const struct wycheproof_case *c, void *ctx)
{
    struct tally *t = (struct tally *)ctx;
    size_t key_len = 0;
    size_t msg_len = 0;
    size_t tag_len = 0;
    uint8_t *key = wycheproof_bytes(c, "key", &key_len);
    uint8_t *msg = wycheproof_bytes(c, "msg", &msg_len);
    uint8_t *tag = wycheproof_bytes(c, "tag", &tag_len);

    CHECK(c->valid);
    CHECK_EQ(key_len, WF_SIPHASH_KEY_LEN);
    if (tag_len == 16) {
        uint8_t out[16];

        wf_siphash128(out, key, wf_span(msg, msg_len));
        CHECK_MEM_EQ(out, tag, 16);
    } else {
        uint64_t expected = 0;

        CHECK_EQ(tag_len, 8);
        for (size_t i = 8; i > 0; i--) {
            expected = expected << 8 | tag[i - 1];
        }
        CHECK_EQ(wf_siphash64(key, wf_span(msg, msg_len)), expected);
    }
    t->tried++;
    free(key);
    free(msg);
    free(tag);
}

TEST(siphash_agrees_with_64_and_128_bits)
{
    struct tally t = {0};

    CHECK_EQ(wycheproof_each("wycheproof_siphash_2_4.json", try_siphash, &t), 40);
    CHECK_EQ(wycheproof_each("wycheproof_siphashx_2_4.json", try_siphash, &t), 40);
    CHECK_EQ(t.tried, 80);
}
