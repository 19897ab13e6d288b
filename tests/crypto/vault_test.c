/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault_test.c - records sealed where they lie: they come back, altered ones do not, no clear copy
 * stays, slabs go when they are empty.
 */
#include "crypto/vault.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "test.h"

#define LEN 100u
#define CLEAR 24u

struct fixture {
    struct wf_aead *aead;
    struct wf_vault *vault;
};

static struct fixture make(uint32_t slots_max)
{
    struct fixture f = {0};

    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&f.aead, WF_AEAD_BEST, test_mem()));
    const struct wf_vault_config c = {.mem = test_mem(),
                                      .rng = test_rng(1),
                                      .aead = f.aead,
                                      .record_len = LEN,
                                      .clear_len = CLEAR,
                                      .slots_max = slots_max};
    CHECK_OK(wf_vault_new(&f.vault, &c));
    return f;
}

static void done(struct fixture *f)
{
    wf_vault_free(f->vault);
    wf_aead_free(f->aead);
}

static uint32_t put(struct fixture *f, uint8_t what)
{
    uint8_t record[LEN];
    uint32_t slot = WF_VAULT_NONE;

    memset(record, what, sizeof record);
    CHECK_OK(wf_vault_put(f->vault, record, &slot));
    CHECK(wf_vault_has(f->vault, slot));
    return slot;
}

static bool is_there(struct fixture *f, uint32_t slot, uint8_t what)
{
    uint8_t record[LEN], want[LEN];

    memset(record, 0x77, sizeof record);
    memset(want, what, sizeof want);
    if (wf_vault_get(f->vault, slot, record))
        return memcmp(record, want, LEN) == 0;
    CHECK(wf_is_zero_ct(record, LEN));
    return false;
}

TEST(records_come_back_from_their_slots)
{
    struct fixture f = make(1000);
    uint32_t slots[300];

    for (unsigned i = 0; i < 300; i++) {
        slots[i] = put(&f, (uint8_t)i);
        CHECK(wf_is_zero_ct(wf_vault_clear(f.vault, slots[i]), CLEAR));
        memset(wf_vault_clear(f.vault, slots[i]), (int)i, CLEAR);
    }
    for (unsigned i = 0; i < 300; i += 3)
        wf_vault_drop(f.vault, slots[i]);
    CHECK_EQ(wf_vault_count(f.vault), 200);
    for (unsigned i = 0; i < 300; i++) {
        CHECK_EQ(wf_vault_has(f.vault, slots[i]), i % 3 != 0);
        if (i % 3 != 0) {
            CHECK(is_there(&f, slots[i], (uint8_t)i));
            CHECK_EQ(*(uint8_t *)wf_vault_clear(f.vault, slots[i]), (uint8_t)i);
        }
    }
    CHECK(!wf_vault_has(f.vault, WF_VAULT_NONE));
    done(&f);
    wf_vault_free(NULL);
}

/* SPEC 4.6-6 */
TEST(a_record_that_was_altered_or_moved_does_not_open)
{
    struct fixture f = make(10);
    uint32_t a = put(&f, 1);
    uint32_t b = put(&f, 2);
    const size_t size = wf_vault_slot_size(f.vault);
    uint8_t *at = (uint8_t *)wf_vault_clear(f.vault, a);
    uint8_t *other = (uint8_t *)wf_vault_clear(f.vault, b);

    CHECK_LE(size, CLEAR + 8 + LEN + 16 + 7);
    for (size_t i = CLEAR; i < CLEAR + 8 + LEN + 16; i++) {
        at[i] ^= 0x10;
        CHECK(!is_there(&f, a, 1));
        at[i] ^= 0x10;
    }
    CHECK(is_there(&f, a, 1));
    memcpy(at + CLEAR, other + CLEAR, size - CLEAR);
    CHECK(!is_there(&f, a, 2));
    CHECK(is_there(&f, b, 2));
    done(&f);
}

/* SPEC 4.6-6 */
TEST(what_lies_there_is_neither_the_record_nor_twice_the_same)
{
    struct fixture f = make(10);
    uint32_t a = put(&f, 0xab);
    uint8_t first[CLEAR + 8 + LEN + 16];
    uint8_t clear[8];

    memset(clear, 0xab, sizeof clear);
    memcpy(first, wf_vault_clear(f.vault, a), sizeof first);
    for (size_t i = 0; i + sizeof clear <= sizeof first; i++)
        CHECK(memcmp(first + i, clear, sizeof clear) != 0);
    wf_vault_drop(f.vault, a);
    CHECK_EQ(put(&f, 0xab), a); /* the same slot, another nonce */
    CHECK(memcmp((uint8_t *)wf_vault_clear(f.vault, a) + CLEAR, first + CLEAR, 8 + LEN + 16) != 0);
    wf_vault_drop(f.vault, a);
    uint32_t b = put(&f, 1);
    CHECK_EQ(b, a);
    done(&f);
}

TEST(the_limit_holds_and_slabs_go_when_they_are_empty)
{
    struct wf_mem *mem = test_mem();
    struct fixture f = make(200);
    size_t empty = mem->held;
    uint8_t record[LEN] = {0};
    uint32_t slot = WF_VAULT_NONE;

    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 200; i++)
            CHECK_EQ(put(&f, (uint8_t)i), i);
        CHECK_EQ(wf_vault_put(f.vault, record, &slot), WEFT_ERR_LIMIT);
        CHECK_EQ(slot, WF_VAULT_NONE);
        for (unsigned i = 0; i < 200; i++)
            wf_vault_drop(f.vault, round % 2 == 0 ? i : 199 - i);
        CHECK_LE(mem->held - empty, 64 * wf_vault_slot_size(f.vault) + 16 * 40);
        /* The numbers of slabs that went are used again. */
        wf_vault_drop(f.vault, put(&f, 1));
        slot = put(&f, 1);
        CHECK(slot < 256);
        wf_vault_drop(f.vault, slot);
        for (unsigned i = 0; i < 200; i++)
            slot = put(&f, 3);
        for (unsigned i = 0; i < 256; i++) {
            if (wf_vault_has(f.vault, i))
                wf_vault_drop(f.vault, i);
        }
        CHECK_EQ(wf_vault_count(f.vault), 0);
        slot = WF_VAULT_NONE;
        wf_vault_free(f.vault);
        wf_aead_free(f.aead);
        f = make(200);
    }
    done(&f);
}

TEST(without_memory_a_record_is_not_taken_and_nothing_else_changes)
{
    for (uint64_t fail = 1; fail < 12; fail++) {
        struct wf_mem *mem = test_mem();
        struct fixture f = {0};
        uint8_t record[LEN] = {5};
        uint32_t slot = 0;

        CHECK_OK(wf_crypto_init());
        CHECK_OK(wf_aead_new(&f.aead, WF_AEAD_BEST, mem));
        const struct wf_vault_config c = {
            .mem = mem, .rng = test_rng(1), .aead = f.aead, .record_len = LEN, .slots_max = 4000};
        mem->fail_at = mem->attempts + fail;
        if (wf_vault_new(&f.vault, &c) == WEFT_OK) {
            for (unsigned i = 0; i < 2000; i++) {
                weft_err err = wf_vault_put(f.vault, record, &slot);

                CHECK(err == WEFT_OK || mem->attempts == mem->fail_at);
                if (err != WEFT_OK)
                    CHECK_OK(wf_vault_put(f.vault, record, &slot));
            }
            CHECK_EQ(wf_vault_count(f.vault), 2000);
            wf_vault_free(f.vault);
        }
        mem->fail_at = 0;
        wf_aead_free(f.aead);
    }
}

#define OUTSIDE_MAX 160u

TEST(what_is_kept_outside_opens_under_its_id_alone)
{
    struct fixture f = make(4);
    uint8_t record[LEN], back[LEN], sealed[OUTSIDE_MAX], again[OUTSIDE_MAX];
    const size_t len = wf_vault_outside_len(f.vault);

    CHECK_LE(len, sizeof sealed);
    memset(record, 0x42, sizeof record);
    wf_vault_seal_outside(f.vault, 7, record, sealed);
    CHECK(wf_vault_open_outside(f.vault, 7, sealed, back));
    CHECK_MEM_EQ(back, record, LEN);
    CHECK(!wf_vault_open_outside(f.vault, 8, sealed, back));
    for (size_t i = 0; i < len; i++) {
        sealed[i] ^= 1;
        CHECK(!wf_vault_open_outside(f.vault, 7, sealed, back));
        sealed[i] ^= 1;
    }
    wf_vault_seal_outside(f.vault, 7, record, again);
    CHECK(memcmp(sealed, again, len) != 0); /* another number: the same bytes never twice */
    done(&f);
}

TEST(another_vault_opens_nothing_that_was_kept_outside)
{
    struct fixture f = make(4), other = {0};
    uint8_t record[LEN] = {1}, back[LEN], sealed[OUTSIDE_MAX];

    wf_vault_seal_outside(f.vault, 1, record, sealed);
    CHECK_OK(wf_aead_new(&other.aead, WF_AEAD_BEST, test_mem()));
    const struct wf_vault_config c = {.mem = test_mem(),
                                      .rng = test_rng(2),
                                      .aead = other.aead,
                                      .record_len = LEN,
                                      .clear_len = CLEAR,
                                      .slots_max = 4};
    CHECK_OK(wf_vault_new(&other.vault, &c));
    CHECK(!wf_vault_open_outside(other.vault, 1, sealed, back));
    done(&other);
    done(&f);
}
