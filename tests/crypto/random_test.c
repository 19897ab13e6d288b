/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random_test.c - start-up, the two generators, keys from passphrases.
 */
#include <pthread.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "test.h"

static void *start_up(void *ctx)
{
    weft_err *err = (weft_err *)ctx;

    *err = wf_crypto_init();
    return NULL;
}

TEST(start_up_may_be_repeated_and_concurrent)
{
    pthread_t threads[8];
    weft_err errors[8];

    for (size_t i = 0; i < WF_ARRAY_LEN(threads); i++) {
        errors[i] = WEFT_ERR_STATE;
        CHECK_EQ(pthread_create(&threads[i], NULL, start_up, &errors[i]), 0);
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(threads); i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_OK(errors[i]);
    }
    CHECK_OK(wf_crypto_init());
}

TEST(the_systems_generator_fills_every_byte)
{
    uint8_t seen[32] = {0};

    CHECK_OK(wf_crypto_init());
    for (int round = 0; round < 64; round++) {
        uint8_t out[34] = {0};

        wf_random(&wf_rng_system, out + 1, 32);
        for (size_t i = 0; i < 32; i++) {
            seen[i] |= out[i + 1];
        }
        CHECK_EQ(out[0] | out[33], 0);
    }
    for (size_t i = 0; i < 32; i++) {
        CHECK(seen[i] != 0); /* wrong once in 2^512 runs */
    }
    CHECK_NE(wf_random_u64(&wf_rng_system), wf_random_u64(&wf_rng_system));
}

/* The key stream of ChaCha20 for a key and nonce of zeros, as published by its author. */
TEST(a_seed_gives_the_same_bytes_everywhere)
{
    static const char first_block[] =
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586";
    struct wf_rng_seeded s;
    uint8_t out[64];
    uint8_t want[64];

    CHECK_OK(wf_crypto_init());
    CHECK(wf_unhex(want, sizeof want, first_block));
    wf_rng_seed(&s, 0);
    wf_random(&s.rng, out, sizeof out);
    CHECK_MEM_EQ(out, want, sizeof out);
}

TEST(the_bytes_do_not_depend_on_how_they_are_asked_for)
{
    uint64_t state = test_seed();
    uint8_t whole[1000];
    uint8_t parts[1000];
    struct wf_rng_seeded s;

    CHECK_OK(wf_crypto_init());
    for (int round = 0; round < 100; round++) {
        wf_rng_seed(&s, 42);
        wf_random(&s.rng, whole, sizeof whole);
        CHECK_EQ(s.counter, sizeof whole);
        wf_rng_seed(&s, 42);
        for (size_t at = 0; at < sizeof parts;) {
            size_t n = test_next(&state) % 150;

            n = n < sizeof parts - at ? n : sizeof parts - at;
            wf_random(&s.rng, parts + at, n);
            at += n;
        }
        CHECK_MEM_EQ(parts, whole, sizeof whole);
    }
}

TEST(seeds_give_different_bytes)
{
    struct wf_rng_seeded a;
    struct wf_rng_seeded b;

    CHECK_OK(wf_crypto_init());
    wf_rng_seed(&a, 1);
    wf_rng_seed(&b, 2);
    CHECK_NE(wf_random_u64(&a.rng), wf_random_u64(&b.rng));
}

/* Made with PyNaCl: argon2id, 3 passes, 64 MiB. */
TEST(a_passphrase_gives_its_argon2id_key)
{
    uint8_t salt[WF_PASSPHRASE_SALT_LEN];
    uint8_t key[32];
    uint8_t want[32];

    CHECK_OK(wf_crypto_init());
    for (size_t i = 0; i < sizeof salt; i++) {
        salt[i] = (uint8_t)i;
    }
    CHECK(wf_unhex(want, 32, "e3c889ca40ed01e6b6771fc8a5bf16e35ad60b41c9bd5d7e6d63adf51e50b0fd"));
    CHECK_OK(wf_passphrase_key(key, wf_span_of("correct horse"), salt));
    CHECK_MEM_EQ(key, want, sizeof key);
    CHECK_OK(wf_passphrase_key(key, (weft_span){NULL, 0}, salt));
    CHECK(!wf_equal_ct(key, want, sizeof key));
}
