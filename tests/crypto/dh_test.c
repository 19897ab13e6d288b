/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dh_test.c - X25519 (RFC 7748), Ed25519 (RFC 8032), the map between them, points that must be
 * refused, and the count of operations.
 */
#include "crypto/dh.h"
#include "support/small_points.h"

#include <sodium.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "test.h"

static const uint8_t zeros[WF_DH_LEN];

static void unhex(uint8_t *out, size_t len, const char *hex)
{
    CHECK(wf_unhex(out, len, hex));
}

static void check_hex(const uint8_t *got, size_t len, const char *hex)
{
    uint8_t want[64];

    unhex(want, len, hex);
    CHECK_MEM_EQ(got, want, len);
}

static void check_dh(const char *scalar, const char *point, const char *expected)
{
    uint8_t sk[WF_DH_LEN];
    uint8_t pk[WF_DH_LEN];
    uint8_t out[WF_DH_LEN];

    unhex(sk, sizeof sk, scalar);
    unhex(pk, sizeof pk, point);
    CHECK_OK(wf_dh(out, sk, pk));
    check_hex(out, sizeof out, expected);
}

TEST(x25519_gives_the_results_of_rfc_7748)
{
    CHECK_OK(wf_crypto_init());
    check_dh("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
             "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
             "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    check_dh("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
             "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
             "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(a_thousand_rounds_give_the_result_of_rfc_7748)
{
    uint8_t k[WF_DH_LEN] = {9};
    uint8_t u[WF_DH_LEN] = {9};
    uint8_t out[WF_DH_LEN];

    CHECK_OK(wf_crypto_init());
    for (int i = 1; i <= 1000; i++) {
        CHECK_OK(wf_dh(out, k, u));
        memcpy(u, k, sizeof u);
        memcpy(k, out, sizeof k);
        if (i == 1) {
            check_hex(k, 32, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        }
    }
    check_hex(k, 32, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(both_sides_of_an_agreement_get_the_secret_of_rfc_7748)
{
    static const char alice_pk[] =
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    static const char bob_pk[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    static const char secret[] = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    static const char alice_sk[] =
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    static const char bob_sk[] = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    uint8_t sk[WF_DH_LEN];
    uint8_t pk[WF_DH_LEN];

    CHECK_OK(wf_crypto_init());
    unhex(sk, sizeof sk, alice_sk);
    wf_dh_public(pk, sk);
    check_hex(pk, sizeof pk, alice_pk);
    unhex(sk, sizeof sk, bob_sk);
    wf_dh_public(pk, sk);
    check_hex(pk, sizeof pk, bob_pk);
    check_dh(alice_sk, bob_pk, secret);
    check_dh(bob_sk, alice_pk, secret);
}

/* The seven numbers whose points have an order of 1, 2, 4 or 8 on the curve or its twist: 0, 1, the
 * two of order 8, and p - 1, p, p + 1. RFC 7748 ignores the highest bit, so each has two forms.
 * (Published lists also hold five numbers above 2^255 that are of small order only where that bit
 * counts.) */
TEST(points_of_small_order_are_refused_in_every_form_with_every_secret)
{
    uint64_t state = test_seed();

    CHECK_OK(wf_crypto_init());
    for (size_t i = 0; i < WF_ARRAY_LEN(small_points); i++) {
        uint8_t pk[WF_DH_LEN];

        unhex(pk, sizeof pk, small_points[i]);
        for (int round = 0; round < 4; round++) {
            uint8_t sk[WF_DH_LEN];
            uint8_t out[WF_DH_LEN];

            for (size_t j = 0; j < sizeof sk; j++) {
                sk[j] = (uint8_t)test_next(&state);
            }
            memset(out, 0xee, sizeof out);
            CHECK_EQ(wf_dh(out, sk, pk), WEFT_ERR_CRYPTO);
            CHECK_MEM_EQ(out, zeros, sizeof out);
        }
    }
}

/* The five of the published lists, where the ignored bit makes them other numbers. */
TEST(numbers_that_only_look_like_points_of_small_order_agree_as_rfc_7748_says)
{
    static const char *const others[] = {
        "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    const uint8_t sk[WF_DH_LEN] = {1, 2, 3};

    CHECK_OK(wf_crypto_init());
    for (size_t i = 0; i < WF_ARRAY_LEN(others); i++) {
        uint8_t pk[WF_DH_LEN];
        uint8_t out[WF_DH_LEN];
        uint8_t same[WF_DH_LEN];

        unhex(pk, sizeof pk, others[i]);
        CHECK_OK(wf_dh(out, sk, pk));
        pk[31] &= 0x7f;
        CHECK_OK(wf_dh(same, sk, pk));
        CHECK_MEM_EQ(out, same, sizeof out);
    }
}

static const struct {
    const char *seed;
    const char *pk;
    const char *message;
    const char *sig;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(ed25519_gives_the_signatures_of_rfc_8032)
{
    CHECK_OK(wf_crypto_init());
    for (size_t i = 0; i < WF_ARRAY_LEN(rfc8032); i++) {
        const size_t len = strlen(rfc8032[i].message) / 2;
        uint8_t *message = test_copy_padded(NULL, 0, len);
        uint8_t seed[WF_SIGN_SEED_LEN];
        uint8_t pk[WF_SIGN_PUBLIC_LEN];
        uint8_t sk[WF_SIGN_SECRET_LEN];
        uint8_t sig[WF_SIGNATURE_LEN];

        unhex(message, len, rfc8032[i].message);
        unhex(seed, sizeof seed, rfc8032[i].seed);
        wf_sign_keypair(pk, sk, seed);
        check_hex(pk, sizeof pk, rfc8032[i].pk);
        wf_sign(sig, sk, wf_span(message, len));
        check_hex(sig, sizeof sig, rfc8032[i].sig);
        CHECK_OK(wf_verify(pk, sig, wf_span(message, len)));
        free(message);
    }
}

TEST(a_bit_changed_in_key_signature_or_message_is_refused)
{
    const uint8_t seed[WF_SIGN_SEED_LEN] = {1};
    uint8_t message[8] = "message";
    uint8_t pk[WF_SIGN_PUBLIC_LEN];
    uint8_t sk[WF_SIGN_SECRET_LEN];
    uint8_t sig[WF_SIGNATURE_LEN];
    struct {
        uint8_t *bytes;
        size_t len;
    } const parts[] = {{pk, sizeof pk}, {sig, sizeof sig}, {message, sizeof message}};

    CHECK_OK(wf_crypto_init());
    wf_sign_keypair(pk, sk, seed);
    wf_sign(sig, sk, wf_span(message, sizeof message));
    for (size_t i = 0; i < WF_ARRAY_LEN(parts); i++) {
        for (size_t bit = 0; bit < 8 * parts[i].len; bit++) {
            parts[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK_EQ(wf_verify(pk, sig, wf_span(message, sizeof message)), WEFT_ERR_CRYPTO);
            parts[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    CHECK_OK(wf_verify(pk, sig, wf_span(message, sizeof message)));
    CHECK_EQ(wf_verify(pk, sig, wf_span(message, sizeof message - 1)), WEFT_ERR_CRYPTO);
}

TEST(mapped_keys_belong_together)
{
    CHECK_OK(wf_crypto_init());
    for (uint8_t i = 0; i < 20; i++) {
        const uint8_t seed[WF_SIGN_SEED_LEN] = {i};
        uint8_t sign_pk[WF_SIGN_PUBLIC_LEN];
        uint8_t sign_sk[WF_SIGN_SECRET_LEN];
        uint8_t pk[WF_DH_LEN];
        uint8_t sk[WF_DH_LEN];
        uint8_t of_secret[WF_DH_LEN];

        wf_sign_keypair(sign_pk, sign_sk, seed);
        CHECK_OK(wf_dh_public_of_sign(pk, sign_pk));
        wf_dh_secret_of_sign(sk, sign_sk);
        wf_dh_public(of_secret, sk);
        CHECK_MEM_EQ(of_secret, pk, sizeof pk);
    }
}

static void check_not_mapped(const uint8_t sign_pk[WF_SIGN_PUBLIC_LEN])
{
    uint8_t pk[WF_DH_LEN];

    memset(pk, 0xee, sizeof pk);
    CHECK_EQ(wf_dh_public_of_sign(pk, sign_pk), WEFT_ERR_CRYPTO);
    CHECK_EQ(pk[0], 0xee);
    CHECK_EQ(pk[31], 0xee);
}

TEST(signature_keys_of_small_order_are_not_mapped_and_verify_nothing)
{
    uint8_t sig[WF_SIGNATURE_LEN] = {1}; /* R is the neutral point and s is 0 */

    CHECK_OK(wf_crypto_init());
    for (size_t i = 0; i < WF_ARRAY_LEN(small_keys); i++) {
        uint8_t sign_pk[WF_SIGN_PUBLIC_LEN];

        unhex(sign_pk, sizeof sign_pk, small_keys[i]);
        check_not_mapped(sign_pk);
        CHECK_EQ(wf_verify(sign_pk, sig, wf_span_of("anything")), WEFT_ERR_CRYPTO);
    }
}

TEST(signature_keys_with_y_at_or_above_p_are_not_mapped)
{
    CHECK_OK(wf_crypto_init());
    for (unsigned i = 0; i < 2 * 19; i++) {
        uint8_t sign_pk[WF_SIGN_PUBLIC_LEN];

        memset(sign_pk, 0xff, sizeof sign_pk);
        sign_pk[0] = (uint8_t)(0xed + i / 2);
        sign_pk[31] = i % 2 != 0 ? 0xff : 0x7f;
        check_not_mapped(sign_pk);
    }
}

TEST(bytes_that_are_no_point_are_not_mapped)
{
    /* y = 2 has no x. */
    const uint8_t off[WF_SIGN_PUBLIC_LEN] = {2};

    CHECK_OK(wf_crypto_init());
    check_not_mapped(off);
}

/* A good key plus the point of order 2 maps to something the good key's owner could also agree
 * with: two encodings of one identity, which must not be. */
TEST(a_key_with_a_component_of_small_order_is_not_mapped)
{
    const uint8_t seed[WF_SIGN_SEED_LEN] = {5};
    uint8_t order_2[WF_SIGN_PUBLIC_LEN];
    uint8_t sign_pk[WF_SIGN_PUBLIC_LEN];
    uint8_t sign_sk[WF_SIGN_SECRET_LEN];
    uint8_t mixed[WF_SIGN_PUBLIC_LEN];

    CHECK_OK(wf_crypto_init());
    unhex(order_2, sizeof order_2,
          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    wf_sign_keypair(sign_pk, sign_sk, seed);
    CHECK_EQ(crypto_core_ed25519_add(mixed, sign_pk, order_2), 0);
    check_not_mapped(mixed);
}

TEST(every_curve_operation_is_counted_once)
{
    uint8_t seed[WF_SIGN_SEED_LEN] = {3};
    uint8_t sign_pk[WF_SIGN_PUBLIC_LEN];
    uint8_t sign_sk[WF_SIGN_SECRET_LEN];
    uint8_t sig[WF_SIGNATURE_LEN];
    uint8_t a[WF_DH_LEN];
    uint8_t b[WF_DH_LEN];

    CHECK_OK(wf_crypto_init());
    const uint64_t before = wf_curve_operations();
    wf_sign_keypair(sign_pk, sign_sk, seed);
    wf_sign(sig, sign_sk, wf_span_of("x"));
    CHECK_OK(wf_verify(sign_pk, sig, wf_span_of("x")));
    CHECK_EQ(wf_verify(sign_pk, sig, wf_span_of("y")), WEFT_ERR_CRYPTO);
    CHECK_EQ(wf_curve_operations() - before, 4);
    wf_dh_public(a, seed);
    CHECK_OK(wf_dh(b, seed, a));
    CHECK_EQ(wf_dh(b, seed, zeros), WEFT_ERR_CRYPTO);
    CHECK_OK(wf_dh_public_of_sign(a, sign_pk));
    CHECK_EQ(wf_dh_public_of_sign(a, zeros), WEFT_ERR_CRYPTO);
    wf_dh_secret_of_sign(a, sign_sk);
    CHECK_EQ(wf_curve_operations() - before, 10);
}
