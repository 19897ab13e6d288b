/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cid_test.c - ids that name their shard to whoever has the key, and look like nothing to others.
 */
#include "session/cid.h"

#include "crypto/crypto.h"
#include "test.h"

static struct wf_cids scheme(uint8_t shard, uint8_t count)
{
    struct wf_cids c = {.shard = shard, .count = count};

    for (size_t i = 0; i < sizeof c.key; i++)
        c.key[i] = (uint8_t)(i + 1);
    return c;
}

/* SPEC 1.13-5 */
TEST(every_shard_reads_whose_an_id_is)
{
    struct wf_rng_seeded rng;
    uint8_t cid[WF_CID_LEN];

    wf_rng_seed(&rng, 1);
    for (unsigned count = 2; count <= 255; count += count < 10 ? 1 : 49) {
        for (unsigned shard = 0; shard < count; shard++) {
            const struct wf_cids maker = scheme((uint8_t)shard, (uint8_t)count);
            const struct wf_cids reader = scheme((uint8_t)(count - 1 - shard), (uint8_t)count);

            for (int i = 0; i < 20; i++) {
                wf_cid_make(&maker, &rng.rng, cid);
                CHECK_EQ(wf_cid_shard(&maker, cid), shard);
                CHECK_EQ(wf_cid_shard(&reader, cid), shard);
            }
        }
    }
}

TEST(with_one_shard_ids_are_random_and_ours)
{
    struct wf_rng_seeded rng;
    struct wf_rng_seeded same;
    uint8_t cid[WF_CID_LEN];
    uint8_t bytes[WF_CID_LEN];

    for (uint8_t count = 0; count < 2; count++) {
        const struct wf_cids c = scheme(0, count);

        wf_rng_seed(&rng, 7);
        wf_rng_seed(&same, 7);
        wf_cid_make(&c, &rng.rng, cid);
        wf_random(&same.rng, bytes, sizeof bytes);
        CHECK_MEM_EQ(cid, bytes, sizeof cid);
        CHECK_EQ(wf_cid_shard(&c, cid), 0);
    }
}

TEST(an_id_that_no_shard_made_is_ours)
{
    const struct wf_cids c = scheme(1, 3);
    uint64_t state = test_seed();
    unsigned of[3] = {0};

    for (int i = 0; i < 25600; i++) {
        uint64_t r = test_next(&state);
        uint8_t cid[WF_CID_LEN];
        uint8_t shard = 0;

        memcpy(cid, &r, sizeof cid);
        shard = wf_cid_shard(&c, cid);
        CHECK(shard < 3);
        of[shard]++;
    }
    CHECK(of[0] > 30); /* about 1 of 256 */
    CHECK(of[0] < 300);
    CHECK(of[2] < 300);
}

/* Without the key: no bit of an id tells of its shard, and one bit of it changes half of them. */
TEST(who_has_not_the_key_sees_no_pattern)
{
    const struct wf_cids a = scheme(0, 2);
    const struct wf_cids b = scheme(1, 2);
    struct wf_rng_seeded rng;
    struct wf_rng_seeded same;
    unsigned set[2][64] = {{0}};
    unsigned changed = 0;

    wf_rng_seed(&rng, 3);
    wf_rng_seed(&same, 3);
    for (int i = 0; i < 4000; i++) {
        uint8_t ids[2][WF_CID_LEN];

        wf_cid_make(&a, &rng.rng, ids[0]);
        wf_cid_make(&b, &same.rng, ids[1]); /* differs by one bit before the permutation */
        for (unsigned bit = 0; bit < 64; bit++) {
            unsigned of_a = ids[0][bit / 8] >> bit % 8 & 1u;
            unsigned of_b = ids[1][bit / 8] >> bit % 8 & 1u;

            set[0][bit] += of_a;
            set[1][bit] += of_b;
            changed += of_a != of_b;
        }
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        for (unsigned k = 0; k < 2; k++) {
            CHECK(set[k][bit] > 1800);
            CHECK(set[k][bit] < 2200);
        }
    }
    CHECK(changed > 64u * 4000u * 49 / 100);
    CHECK(changed < 64u * 4000u * 51 / 100);
}

TEST(another_key_reads_something_else)
{
    const struct wf_cids maker = scheme(1, 2);
    struct wf_cids other = scheme(0, 2);
    struct wf_rng_seeded rng;
    unsigned right = 0;

    other.key[15] ^= 1;
    wf_rng_seed(&rng, 5);
    for (int i = 0; i < 2560; i++) {
        uint8_t cid[WF_CID_LEN];

        wf_cid_make(&maker, &rng.rng, cid);
        right += wf_cid_shard(&other, cid) == 1;
    }
    CHECK(right < 50);
}
