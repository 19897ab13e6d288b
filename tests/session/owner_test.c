/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_test.c - the key that a client shows to one owner's servers: the same again and again,
 * another for everybody else, and nothing left of it when the handshake is over.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static struct wf_identity made(uint8_t first)
{
    struct wf_identity id;
    uint8_t seed[32] = {first};

    CHECK_OK(wf_identity_init(&id, seed));
    return id;
}

/* SPEC 1.11-2 */
TEST(the_same_owner_gets_the_same_key_and_every_other_owner_another)
{
    struct wf_identity self = made(1), other = made(2);
    uint8_t keys[34][32], again[32], owner[32] = {0};

    memcpy(keys[0], self.public_key, 32);
    for (size_t i = 0; i < 32; i++) {
        memset(owner, 0, sizeof owner);
        owner[i] = 1;
        CHECK_OK(wf_identity_key_for(keys[i + 1], &self, owner));
        CHECK_OK(wf_identity_key_for(again, &self, owner));
        CHECK_MEM_EQ(again, keys[i + 1], 32);
    }
    CHECK_OK(wf_identity_key_for(keys[33], &other, owner));
    for (size_t i = 0; i < 34; i++) {
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(keys[i], keys[j], 32) != 0);
    }
}

/* SPEC 1.11-2: written down, so that a change of it is seen. */
TEST(the_seed_for_an_owner_is_the_one_of_the_spec)
{
    struct wf_identity self = made(3), derived, expected;
    uint8_t owner[32] = {7}, seed[32];

    wf_kdf(seed, sizeof seed, self.seed, "weft client identity 1", wf_span(owner, 32));
    CHECK_OK(wf_identity_init(&expected, seed));
    CHECK_OK(wf_identity_for(&derived, &self, owner));
    CHECK_MEM_EQ(&derived, &expected, sizeof expected);
}

static void start(struct pair *p, const uint8_t *owner)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    p->hs_config.owner = owner;
    pair_server(p);
    pair_client(p, false);
}

/* SPEC 1.11-1 */
TEST(a_server_sees_the_key_for_its_owner_and_not_the_durable_one)
{
    uint8_t owner[32] = {9}, expected[32];
    struct pair p;

    start(&p, owner);
    CHECK_OK(wf_identity_key_for(expected, &p.client_id, owner));
    pair_to_confirm(&p);
    CHECK(!p.result.one_way);
    CHECK_MEM_EQ(p.result.peer, expected, 32);
    CHECK(memcmp(p.result.peer, p.client_id.public_key, 32) != 0);
    pair_finish(&p);
    CHECK(pair_agrees(&p));
    pair_free(&p);
}

/* SPEC 1.11-3 */
TEST(nothing_of_the_derived_identity_is_left_after_the_handshake)
{
    uint8_t owner[32] = {9};
    struct pair p;

    start(&p, owner);
    CHECK(!wf_is_zero_ct(&p.hs->derived, sizeof p.hs->derived));
    pair_to_confirm(&p);
    pair_finish(&p);
    CHECK(wf_is_zero_ct(&p.hs->derived, sizeof p.hs->derived));

    pair_client(&p, false);
    p.now += p.hs_config.timeout_us;
    wf_hs_tick(p.hs, p.now);
    CHECK_EQ(wf_hs_state(p.hs), WF_HS_FAILED);
    CHECK(wf_is_zero_ct(&p.hs->derived, sizeof p.hs->derived));
    pair_free(&p);
}

/* SPEC 1.11-3: two key pairs and their maps for a handshake, none for what goes on in it. */
TEST(the_identity_is_derived_once_for_a_handshake)
{
    uint8_t owner[32] = {9}, buf[WF_SOLVE_MAX];
    struct pair p;
    size_t len = 0;

    start(&p, owner);
    uint64_t before = wf_curve_operations();
    for (int i = 0; i < 10; i++) {
        p.now = wf_hs_deadline(p.hs);
        wf_hs_send(p.hs, p.now, buf, sizeof buf, &len);
        wf_hs_tick(p.hs, p.now);
    }
    CHECK_EQ(wf_curve_operations(), before);
    pair_free(&p);
}

/* SPEC 1.11-4 */
TEST(calling_our_own_key_is_refused_whatever_would_be_shown_there)
{
    uint8_t owner[32] = {9};
    struct wf_hs *hs = NULL;
    struct pair p;

    start(&p, owner);
    memcpy(p.hs_config.server_key, p.client_id.public_key, 32);
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_USAGE);
    p.hs_config.server_key[31] ^= 0x80; /* the other point that maps to the same */
    CHECK_EQ(wf_hs_new(&hs, &p.hs_config, p.now), WEFT_ERR_USAGE);
    pair_free(&p);
}
