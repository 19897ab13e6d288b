/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_test.c - one seed, one identity, two roles that share no key.
 */
#include "test.h"

#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/identity.h"

static struct wf_identity made(uint8_t first)
{
    struct wf_identity id;
    uint8_t seed[32] = {first};

    CHECK_OK(wf_identity_init(&id, seed));
    return id;
}

TEST(the_same_seed_gives_the_same_identity_and_another_seed_another)
{
    struct wf_identity a = made(1);
    struct wf_identity b = made(1);
    struct wf_identity c = made(2);

    CHECK_MEM_EQ(&a, &b, sizeof a);
    CHECK(memcmp(a.public_key, c.public_key, 32) != 0);
    CHECK(memcmp(a.server_public, c.server_public, 32) != 0);
}

TEST(public_keys_belong_to_their_secrets)
{
    struct wf_identity id = made(3);
    uint8_t pk[32], mapped[32], sign_pk[32], sign_sk[64];

    wf_dh_public(pk, id.client_secret);
    CHECK_MEM_EQ(pk, id.client_public, 32);
    CHECK_OK(wf_dh_public_of_sign(mapped, id.public_key));
    CHECK_MEM_EQ(mapped, id.client_public, 32);
    wf_dh_public(pk, id.server_secret);
    CHECK_MEM_EQ(pk, id.server_public, 32);
    wf_sign_keypair(sign_pk, sign_sk, id.seed);
    CHECK_MEM_EQ(sign_pk, id.public_key, 32);
    CHECK_MEM_EQ(sign_sk, id.sign_secret, 64);
}

TEST(no_key_serves_both_roles)
{
    struct wf_identity id = made(4);
    uint8_t derived[32];

    CHECK(memcmp(id.client_secret, id.server_secret, 32) != 0);
    CHECK(memcmp(id.client_public, id.server_public, 32) != 0);
    wf_kdf(derived, 32, id.seed, "weft server role S", (weft_span){0}); /* SPEC 1.5 */
    CHECK_MEM_EQ(derived, id.server_secret, 32);
}

TEST(the_prefix_is_the_beginning_of_the_keys_hash)
{
    struct wf_identity id = made(5);
    uint8_t h[32], prefix[4];
    weft_span key = wf_span(id.public_key, 32);

    wf_hash(h, &key, 1);
    CHECK_MEM_EQ(id.prefix, h, 4);
    wf_key_prefix(prefix, id.public_key);
    CHECK_MEM_EQ(prefix, h, 4);
}

TEST(a_wiped_identity_is_zeros)
{
    struct wf_identity id = made(6);

    wf_identity_wipe(&id);
    CHECK(wf_is_zero_ct(&id, sizeof id));
}
