/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_test.c - hash, key derivation and SipHash against the publications and against Python's
 * hashlib, which shares no code with libsodium.
 */
#include "crypto/hash.h"

#include "base/bytes.h"
#include "support/aborts.h"
#include "test.h"

/* 00 01 02 ... */
static void count_up(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)i;
    }
}

static void check_hex(const uint8_t *got, size_t len, const char *hex)
{
    uint8_t want[64];

    CHECK(wf_unhex(want, len, hex));
    CHECK_MEM_EQ(got, want, len);
}

TEST(the_hash_is_blake2b_with_32_bytes)
{
    uint8_t big[1000];
    uint8_t out[WF_HASH_LEN];
    weft_span part = wf_span_of("abc");

    wf_hash(out, &part, 1);
    check_hex(out, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    wf_hash(out, NULL, 0);
    check_hex(out, 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    count_up(big, sizeof big);
    part = wf_span(big, sizeof big);
    wf_hash(out, &part, 1);
    check_hex(out, 32, "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec");
}

TEST(parts_are_hashed_as_if_they_were_one)
{
    uint8_t data[300] = {0};
    uint8_t whole[WF_HASH_LEN];
    uint8_t out[WF_HASH_LEN];
    const weft_span all = wf_span(data, sizeof data);

    count_up(data, sizeof data);
    wf_hash(whole, &all, 1);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        const weft_span parts[] = {{data, cut}, {NULL, 0}, {data + cut, sizeof data - cut}};

        wf_hash(out, parts, WF_ARRAY_LEN(parts));
        CHECK_MEM_EQ(out, whole, sizeof out);
    }
}

TEST(a_transcript_grows_by_hashing_itself_and_the_part)
{
    uint8_t h[WF_HASH_LEN];

    count_up(h, sizeof h);
    wf_hash_mix(h, wf_span_of("part"));
    check_hex(h, 32, "1c03544c98e8a29960f27ecc93afa761a75fc5e7b9c061211db735787f7eb865");
}

TEST(derived_keys_are_keyed_blake2b_of_label_and_input)
{
    static const struct {
        size_t len;
        const char *hex;
    } cases[] = {
        {1, "5f"},
        {16, "fe85ed0ce7d4cd503c04c1fe0148ff9a"},
        {32, "c884653212f9769cf4a94b17b620f999c777e64a9f69bbbedbf6c86f4067360c"},
        {64, "70d6dc3a9e84231094e10204401373d1a9051c5374c49d3d44c9f9ea55ce4d30"
             "55b5f1ba487f5b9752b3a19dee1d06b21c60f4d90a4dda634f750defaafcadce"},
    };
    uint8_t secret[32];

    count_up(secret, sizeof secret);
    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        uint8_t *out = test_copy_padded(NULL, 0, cases[i].len);

        wf_kdf(out, cases[i].len, secret, "weft test", wf_span_of("input"));
        check_hex(out, cases[i].len, cases[i].hex);
        free(out);
    }
}

TEST(labels_of_no_and_of_64_characters_work)
{
    uint8_t secret[32];
    uint8_t big[1000];
    uint8_t out[32];
    char label[WF_KDF_LABEL_MAX + 1] = {0};

    count_up(secret, sizeof secret);
    count_up(big, sizeof big);
    wf_kdf(out, sizeof out, secret, "", (weft_span){NULL, 0});
    check_hex(out, 32, "41ff93a4eaeebd3b78a93438a6f62a92ab5959c859e682b72c7def406197ca4d");
    memset(label, 'x', WF_KDF_LABEL_MAX);
    wf_kdf(out, sizeof out, secret, label, wf_span(big, sizeof big));
    check_hex(out, 32, "fecb483ed29c133d8ff58de8f3c6c0647e6e3d074ea837705ff626d947146640");
}

TEST(label_and_input_cannot_be_confused)
{
    uint8_t secret[32] = {1};
    uint8_t a[32];
    uint8_t b[32];

    wf_kdf(a, sizeof a, secret, "ab", wf_span_of("c"));
    wf_kdf(b, sizeof b, secret, "a", wf_span_of("bc"));
    CHECK(!wf_equal_ct(a, b, sizeof a));
}

TEST(a_step_of_the_chain_replaces_ck_and_yields_a_key)
{
    uint8_t ck[32];
    uint8_t again[32];
    uint8_t key[32];

    count_up(ck, sizeof ck);
    memcpy(again, ck, sizeof ck);
    wf_kdf_chain(ck, key, "weft ck", wf_span_of("dh"));
    check_hex(ck, 32, "75aad77180abe404f9a850498b7a2865f717d48f25869674fc23c1346e1b01f5");
    check_hex(key, 32, "10129658804699a08e15eac45db7f8a4c078f45763a025c9f98c8951a8a66119");
    wf_kdf_chain(again, NULL, "weft ck", wf_span_of("dh"));
    CHECK_MEM_EQ(again, ck, sizeof ck);
}

/* From the appendix of the SipHash paper, and the reference program's vectors for 128 bits. */
TEST(siphash_gives_its_authors_numbers)
{
    uint8_t key[WF_SIPHASH_KEY_LEN];
    uint8_t in[15];
    uint8_t out[16];

    count_up(key, sizeof key);
    count_up(in, sizeof in);
    CHECK_EQ(wf_siphash64(key, wf_span(in, sizeof in)), 0xa129ca6149be45e5u);
    CHECK_EQ(wf_siphash64(key, (weft_span){NULL, 0}), 0x726fdb47dd0e0e31u);
    wf_siphash128(out, key, (weft_span){NULL, 0});
    check_hex(out, 16, "a3817f04ba25a8e66df67214c7550293");
    wf_siphash128(out, key, wf_span(in, 1));
    check_hex(out, 16, "da87c1d86b99af44347659119b22fc45");
}

static void use_a_long_label(void *ctx)
{
    char label[WF_KDF_LABEL_MAX + 2] = {0};
    uint8_t out[32];

    memset(label, 'x', WF_KDF_LABEL_MAX + 1);
    wf_kdf(out, sizeof out, (const uint8_t *)ctx, label, (weft_span){NULL, 0});
}

static void derive_nothing(void *ctx)
{
    uint8_t out[1];

    wf_kdf(out, 0, (const uint8_t *)ctx, "x", (weft_span){NULL, 0});
}

static void derive_65(void *ctx)
{
    uint8_t out[65];

    wf_kdf(out, 65, (const uint8_t *)ctx, "x", (weft_span){NULL, 0});
}

TEST(broken_contracts_abort)
{
    uint8_t secret[32] = {0};

    CHECK(test_aborts(use_a_long_label, secret));
    CHECK(test_aborts(derive_nothing, secret));
    CHECK(test_aborts(derive_65, secret));
}
