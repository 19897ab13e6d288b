/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_test.c - published vectors, refusal of every changed bit, batches, limits, failures.
 * aead_equal_test.c compares the back ends, wycheproof_test.c has the long list of cases.
 */
#include "crypto/aead.h"

#include <openssl/err.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "support/aborts.h"
#include "test.h"

static const enum wf_aead_backend backends[] = {WF_AEAD_BEST, WF_AEAD_SODIUM, WF_AEAD_OPENSSL};
static const enum wf_aead_alg algs[] = {WF_AEAD_XCHACHA20_POLY1305, WF_AEAD_AES256_GCM};

static struct wf_aead *new_aead(enum wf_aead_backend backend)
{
    struct wf_aead *a = NULL;

    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&a, backend, test_mem()));
    return a;
}

static void unhex(uint8_t *out, size_t len, const char *hex)
{
    CHECK(wf_unhex(out, len, hex));
}

static const char sunscreen[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only "
    "one tip for the future, sunscreen would be it.";
#define SUNSCREEN_LEN (sizeof sunscreen - 1)

/* Seals the text of both documents with associated data 50..c7 and compares; opens it again. */
static void check_sunscreen(const struct wf_aead_key *k, uint64_t number, const char *ct_and_tag)
{
    for (size_t b = 0; b < WF_ARRAY_LEN(backends); b++) {
        struct wf_aead *a = new_aead(backends[b]);
        uint8_t ad[12];
        uint8_t want[SUNSCREEN_LEN + WF_AEAD_TAG_LEN];
        uint8_t sealed[sizeof want];
        uint8_t opened[SUNSCREEN_LEN];
        struct wf_aead_op op = {.number = number,
                                .ad = wf_span(ad, sizeof ad),
                                .in = (const uint8_t *)sunscreen,
                                .in_len = SUNSCREEN_LEN,
                                .out = sealed};

        unhex(ad, sizeof ad, "50515253c0c1c2c3c4c5c6c7");
        unhex(want, sizeof want, ct_and_tag);
        wf_aead_seal(a, k, &op, 1);
        CHECK_MEM_EQ(sealed, want, sizeof want);
        op.in = sealed;
        op.in_len = sizeof sealed;
        op.out = opened;
        CHECK_EQ(wf_aead_open(a, k, &op, 1), 1);
        CHECK(op.ok);
        CHECK_MEM_EQ(opened, sunscreen, SUNSCREEN_LEN);
        wf_aead_free(a);
    }
}

TEST(chacha20_poly1305_gives_the_result_of_rfc_8439)
{
    struct wf_aead_key k = {.alg = WF_AEAD_XCHACHA20_POLY1305, .salt = {7}};

    unhex(k.key, 32, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    check_sunscreen(&k, 0x4041424344454647u,
                    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
                    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
                    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
                    "0691");
}

TEST(xchacha20_poly1305_gives_the_result_of_its_draft)
{
    uint8_t key[WF_AEAD_KEY_LEN];
    uint8_t prefix[16];
    struct wf_aead_key k;

    unhex(key, 32, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    unhex(prefix, 16, "404142434445464748494a4b4c4d4e4f");
    wf_aead_key_init(&k, WF_AEAD_XCHACHA20_POLY1305, key, prefix);
    check_sunscreen(&k, 0x5051525354555657u,
                    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                    "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780a"
                    "cf49");
}

TEST(the_subkey_is_hchacha20_of_its_draft)
{
    uint8_t key[WF_AEAD_KEY_LEN];
    uint8_t prefix[16];
    uint8_t want[WF_AEAD_KEY_LEN];
    struct wf_aead_key k;

    unhex(key, 32, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    unhex(prefix, 16, "000000090000004a0000000031415927");
    unhex(want, 32, "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc");
    wf_aead_key_init(&k, WF_AEAD_XCHACHA20_POLY1305, key, prefix);
    CHECK_MEM_EQ(k.key, want, sizeof want);
    CHECK(wf_is_zero_ct(k.salt, sizeof k.salt));
    CHECK_EQ(k.alg, WF_AEAD_XCHACHA20_POLY1305);
}

TEST(an_aes_key_is_kept_as_it_is_with_four_bytes_of_salt)
{
    uint8_t key[WF_AEAD_KEY_LEN] = {1, 2, 3};
    const uint8_t prefix[16] = {4, 5, 6, 7, 8};
    struct wf_aead_key k;

    wf_aead_key_init(&k, WF_AEAD_AES256_GCM, key, prefix);
    CHECK_MEM_EQ(k.key, key, sizeof key);
    CHECK_MEM_EQ(k.salt, prefix, 4);
    CHECK_EQ(k.alg, WF_AEAD_AES256_GCM);
}

TEST(back_ends_have_what_they_say)
{
    for (size_t b = 0; b < WF_ARRAY_LEN(backends); b++) {
        struct wf_aead *a = new_aead(backends[b]);

        CHECK(wf_aead_has(a, WF_AEAD_XCHACHA20_POLY1305));
        CHECK(!wf_aead_has(a, (enum wf_aead_alg)0));
        CHECK(!wf_aead_has(a, (enum wf_aead_alg)3));
        CHECK(!wf_aead_has(a, (enum wf_aead_alg)65));
        CHECK_STR_EQ(wf_aead_backend_name(a),
                     backends[b] == WF_AEAD_SODIUM ? "libsodium" : "OpenSSL");
        wf_aead_free(a);
    }
    wf_aead_free(NULL);
}

TEST(a_back_end_that_is_not_built_is_not_found)
{
    struct wf_aead *a = NULL;
    struct wf_mem *mem = test_mem();

    CHECK_EQ(wf_aead_new(&a, (enum wf_aead_backend)99, mem), WEFT_ERR_NOT_FOUND);
    CHECK(a == NULL);
    CHECK_EQ(mem->held, 0);
}

/* A short packet, sealed, with everything an attacker could change beside it. */
struct packet {
    struct wf_aead_key key;
    uint8_t ad[9];
    uint8_t sealed[21 + WF_AEAD_TAG_LEN];
    uint64_t number;
};

static struct packet seal_packet(struct wf_aead *a, enum wf_aead_alg alg)
{
    const uint8_t key[WF_AEAD_KEY_LEN] = {1};
    const uint8_t prefix[16] = {2};
    struct packet p = {.ad = "header", .number = 0x0123456789abcdefu};
    struct wf_aead_op op = {.number = p.number,
                            .ad = wf_span(p.ad, sizeof p.ad),
                            .in = (const uint8_t *)"twenty-one byte text.",
                            .in_len = 21,
                            .out = p.sealed};

    wf_aead_key_init(&p.key, alg, key, prefix);
    wf_aead_seal(a, &p.key, &op, 1);
    return p;
}

static bool opens(struct wf_aead *a, const struct packet *p)
{
    uint8_t opened[21];
    struct wf_aead_op op = {.number = p->number,
                            .ad = wf_span(p->ad, sizeof p->ad),
                            .in = p->sealed,
                            .in_len = sizeof p->sealed,
                            .out = opened};

    memset(opened, 0xee, sizeof opened);
    const size_t count = wf_aead_open(a, &p->key, &op, 1);
    CHECK_EQ(count, op.ok ? 1 : 0);
    if (op.ok) {
        CHECK_MEM_EQ(opened, "twenty-one byte text.", 21);
    } else {
        CHECK(wf_is_zero_ct(opened, sizeof opened));
    }
    return op.ok;
}

static void check_flips(struct wf_aead *a, struct packet *p, uint8_t *part, size_t len)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        part[bit / 8] ^= (uint8_t)(1u << bit % 8);
        test_note("bit %zu of %zu bytes", bit, len);
        CHECK(!opens(a, p));
        part[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(opens(a, p));
}

TEST(a_bit_changed_anywhere_is_refused_and_nothing_comes_out)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(backends) * WF_ARRAY_LEN(algs); i++) {
        struct wf_aead *a = new_aead(backends[i / 2]);

        if (wf_aead_has(a, algs[i % 2])) {
            struct packet p = seal_packet(a, algs[i % 2]);

            CHECK(opens(a, &p));
            check_flips(a, &p, p.sealed, sizeof p.sealed);
            check_flips(a, &p, p.ad, sizeof p.ad);
            check_flips(a, &p, p.key.key, sizeof p.key.key);
            check_flips(a, &p, p.key.salt, sizeof p.key.salt);
            check_flips(a, &p, (uint8_t *)&p.number, sizeof p.number);
        }
        wf_aead_free(a);
    }
}

TEST(what_did_not_open_leaves_no_error_behind_in_openssl)
{
    struct wf_aead *a = new_aead(WF_AEAD_OPENSSL);

    for (size_t i = 0; i < WF_ARRAY_LEN(algs); i++) {
        struct packet p = seal_packet(a, algs[i]);

        ERR_clear_error();
        p.sealed[0] ^= 1;
        CHECK(!opens(a, &p));
        CHECK_EQ(ERR_peek_error(), 0);
    }
    wf_aead_free(a);
}

TEST(every_prefix_of_a_packet_is_refused)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(backends) * WF_ARRAY_LEN(algs); i++) {
        struct wf_aead *a = new_aead(backends[i / 2]);
        const bool has = wf_aead_has(a, algs[i % 2]);
        struct packet p = has ? seal_packet(a, algs[i % 2]) : (struct packet){0};

        for (size_t len = 0; has && len < sizeof p.sealed; len++) {
            uint8_t *in = test_copy(p.sealed, len);
            uint8_t *out = test_copy_padded(NULL, 0, len < 16 ? 0 : len - 16);
            struct wf_aead_op op = {.number = p.number,
                                    .ad = wf_span(p.ad, sizeof p.ad),
                                    .in = in,
                                    .in_len = len,
                                    .out = out,
                                    .ok = true};

            CHECK_EQ(wf_aead_open(a, &p.key, &op, 1), 0);
            CHECK(!op.ok);
            free(in);
            free(out);
        }
        wf_aead_free(a);
    }
}

#define BATCH 17

/* Plaintext byte j of packet i, whose length is 97 * i. */
static uint8_t byte_of(size_t i, size_t j)
{
    return (uint8_t)(31 * i + 7 * j);
}

/* A batch sealed in place, in exactly sized blocks. */
static void make_batch(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops)
{
    static const uint8_t ad[BATCH];

    for (size_t i = 0; i < BATCH; i++) {
        const size_t len = 97 * i;
        uint8_t *buf = test_copy_padded(NULL, 0, len + WF_AEAD_TAG_LEN);

        for (size_t j = 0; j < len; j++) {
            buf[j] = byte_of(i, j);
        }
        ops[i] = (struct wf_aead_op){
            .number = 1000 + i, .ad = {ad, i}, .in = buf, .in_len = len, .out = buf};
    }
    wf_aead_seal(a, k, ops, BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        ops[i].in_len += WF_AEAD_TAG_LEN;
    }
}

static void check_batch(struct wf_aead *a, enum wf_aead_alg alg)
{
    const uint8_t key[WF_AEAD_KEY_LEN] = {3};
    const uint8_t prefix[16] = {0};
    struct wf_aead_op ops[BATCH];
    struct wf_aead_key k;

    wf_aead_key_init(&k, alg, key, prefix);
    for (size_t bad = 0; bad <= BATCH; bad++) {
        make_batch(a, &k, ops);
        if (bad < BATCH) {
            ops[bad].out[ops[bad].in_len - 1] ^= 0x80;
        }
        CHECK_EQ(wf_aead_open(a, &k, ops, BATCH), bad < BATCH ? BATCH - 1 : BATCH);
        for (size_t i = 0; i < BATCH; i++) {
            CHECK_EQ(ops[i].ok, i != bad);
            for (size_t j = 0; j < 97 * i; j++) {
                CHECK_EQ(ops[i].out[j], i != bad ? byte_of(i, j) : 0);
            }
            free(ops[i].out);
        }
    }
}

TEST(one_bad_packet_in_a_batch_does_not_touch_the_others)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(backends) * WF_ARRAY_LEN(algs); i++) {
        struct wf_aead *a = new_aead(backends[i / 2]);

        if (wf_aead_has(a, algs[i % 2])) {
            check_batch(a, algs[i % 2]);
        }
        wf_aead_free(a);
    }
}

TEST(a_batch_of_nothing_does_nothing)
{
    struct wf_aead *a = new_aead(WF_AEAD_BEST);
    const struct wf_aead_key k = {.alg = WF_AEAD_XCHACHA20_POLY1305};

    wf_aead_seal(a, &k, NULL, 0);
    CHECK_EQ(wf_aead_open(a, &k, NULL, 0), 0);
    wf_aead_free(a);
}

/* Keys alternate from call to call, as those of many sessions do, with failures in between. */
TEST(a_key_does_not_outlive_its_batch)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(backends) * WF_ARRAY_LEN(algs); i++) {
        struct wf_aead *a = new_aead(backends[i / 2]);

        if (wf_aead_has(a, algs[i % 2])) {
            struct packet p = seal_packet(a, algs[i % 2]);
            struct packet other = p;

            other.key.key[5] ^= 1;
            CHECK(opens(a, &p));
            CHECK(!opens(a, &other));
            CHECK(opens(a, &p));
            wf_aead_forget(a);
            CHECK(opens(a, &p));
            CHECK(!opens(a, &other));
        }
        wf_aead_free(a);
    }
}

TEST(every_allocation_that_fails_is_reported_and_leaks_nothing)
{
    CHECK_OK(wf_crypto_init());
    for (size_t b = 0; b < WF_ARRAY_LEN(backends); b++) {
        weft_err err = WEFT_ERR_NOMEM;
        uint64_t n = 0;

        while (err != WEFT_OK) {
            struct wf_mem *mem = test_mem();
            struct wf_aead *a = NULL;

            n++;
            mem->fail_at = n;
            err = wf_aead_new(&a, backends[b], mem);
            CHECK(err == WEFT_OK || err == WEFT_ERR_NOMEM);
            CHECK_EQ(a != NULL, err == WEFT_OK);
            wf_aead_free(a);
            CHECK_EQ(mem->held, 0);
        }
        CHECK_EQ(n, backends[b] == WF_AEAD_SODIUM ? 2 : 3);
    }
}

static void seal_too_much(void *ctx)
{
    const struct wf_aead_key k = {.alg = WF_AEAD_XCHACHA20_POLY1305};
    struct wf_aead_op op = {.in_len = WF_AEAD_LEN_MAX + 1};

    wf_aead_seal((struct wf_aead *)ctx, &k, &op, 1);
}

static void seal_with_no_algorithm(void *ctx)
{
    const struct wf_aead_key k = {0};

    wf_aead_seal((struct wf_aead *)ctx, &k, NULL, 0);
}

TEST(broken_contracts_abort)
{
    struct wf_aead *a = new_aead(WF_AEAD_BEST);

    CHECK(test_aborts(seal_too_much, a));
    CHECK(test_aborts(seal_with_no_algorithm, a));
    wf_aead_free(a);
}

TEST(a_length_beyond_the_limit_does_not_open)
{
    struct wf_aead *a = new_aead(WF_AEAD_BEST);
    const struct wf_aead_key k = {.alg = WF_AEAD_XCHACHA20_POLY1305};
    struct wf_aead_op ops[] = {{.in_len = WF_AEAD_LEN_MAX + WF_AEAD_TAG_LEN + 1, .ok = true},
                               {.in_len = SIZE_MAX, .ok = true},
                               {.in_len = 16, .ad = {NULL, WF_AEAD_LEN_MAX + 1}, .ok = true}};

    CHECK_EQ(wf_aead_open(a, &k, ops, WF_ARRAY_LEN(ops)), 0);
    for (size_t i = 0; i < WF_ARRAY_LEN(ops); i++) {
        CHECK(!ops[i].ok);
    }
    wf_aead_free(a);
}
