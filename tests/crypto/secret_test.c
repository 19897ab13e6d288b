/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_test.c - slots of secret memory: zeroed, apart, counted, wiped, guarded.
 */
#include "crypto/secret.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "support/aborts.h"
#include "test.h"

static struct wf_secret_arena *new_arena(size_t slot_size, size_t slots_max)
{
    struct wf_secret_arena *a = NULL;

    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_secret_arena_new(&a, test_mem(), slot_size, slots_max));
    return a;
}

TEST(slots_are_zeroed_aligned_and_apart)
{
    static const size_t sizes[] = {1, 15, 16, 17, 32, 100, 1000, 65535, 65536};

    for (size_t s = 0; s < WF_ARRAY_LEN(sizes); s++) {
        struct wf_secret_arena *a = new_arena(sizes[s], 20);
        uint8_t *slots[20];

        for (size_t i = 0; i < 20; i++) {
            slots[i] = (uint8_t *)wf_secret_get(a);
            CHECK(slots[i] != NULL);
            CHECK_EQ((uintptr_t)slots[i] % 16, 0);
            CHECK(wf_is_zero_ct(slots[i], sizes[s]));
            memset(slots[i], (int)i + 1, sizes[s]);
        }
        CHECK_EQ(wf_secret_held(a), 20);
        for (size_t i = 0; i < 20; i++) {
            for (size_t j = 0; j < sizes[s]; j++) {
                CHECK_EQ(slots[i][j], i + 1);
            }
            wf_secret_put(a, slots[i]);
        }
        CHECK_EQ(wf_secret_held(a), 0);
        wf_secret_arena_free(a);
    }
    wf_secret_arena_free(NULL);
}

TEST(a_slot_given_back_is_wiped_at_once_and_used_again)
{
    struct wf_secret_arena *a = new_arena(64, 2);
    uint8_t *slot = (uint8_t *)wf_secret_get(a);

    memset(slot, 0xaa, 64);
    wf_secret_put(a, slot);
    CHECK(wf_is_zero_ct(slot, 64)); /* the slab is still there */
    CHECK(wf_secret_get(a) == slot);
    wf_secret_put(a, slot);
    wf_secret_put(a, NULL);
    wf_secret_arena_free(a);
}

TEST(the_most_slots_can_be_reached_and_not_passed)
{
    static const size_t maxima[] = {1, 2, 63, 64, 65, 128, 129};

    for (size_t m = 0; m < WF_ARRAY_LEN(maxima); m++) {
        struct wf_secret_arena *a = new_arena(1024, maxima[m]); /* 64 in a slab */
        void *last = NULL;

        for (size_t i = 0; i < maxima[m]; i++) {
            last = wf_secret_get(a);
            CHECK(last != NULL);
        }
        CHECK(wf_secret_get(a) == NULL);
        CHECK_EQ(wf_secret_held(a), maxima[m]);
        wf_secret_put(a, last);
        CHECK(wf_secret_get(a) == last);
        wf_secret_arena_free(a);
    }
}

#define SLOTS 300

TEST(random_gets_and_puts_never_mix_slots)
{
    uint64_t state = test_seed();
    struct wf_secret_arena *a = new_arena(2000, SLOTS); /* ten slabs */
    uint8_t *slots[SLOTS] = {0};
    size_t held = 0;

    for (int step = 0; step < 20000; step++) {
        const size_t i = test_next(&state) % SLOTS;

        if (slots[i] == NULL) {
            slots[i] = (uint8_t *)wf_secret_get(a);
            CHECK(slots[i] != NULL);
            CHECK_EQ(slots[i][0] | slots[i][1999], 0);
            slots[i][0] = (uint8_t)i;
            slots[i][1999] = (uint8_t)(i >> 8);
            held++;
        } else {
            CHECK_EQ(slots[i][0], i & 0xff);
            CHECK_EQ(slots[i][1999], i >> 8);
            wf_secret_put(a, slots[i]);
            slots[i] = NULL;
            held--;
        }
        CHECK_EQ(wf_secret_held(a), held);
    }
    wf_secret_arena_free(a);
}

TEST(every_allocation_that_fails_is_a_missing_slot)
{
    CHECK_OK(wf_crypto_init());
    for (uint64_t n = 1; n <= 5; n++) {
        struct wf_mem *mem = test_mem();
        struct wf_secret_arena *a = NULL;
        size_t missing = 0;

        mem->fail_at = n;
        const weft_err err = wf_secret_arena_new(&a, mem, 32768, 6); /* two in a slab */
        CHECK_EQ(err, n <= 2 ? WEFT_ERR_NOMEM : WEFT_OK);
        for (size_t i = 0; err == WEFT_OK && i < 6; i++) {
            void *slot = wf_secret_get(a);

            missing += slot == NULL;
            CHECK(slot != NULL || wf_secret_get(a) != NULL);
        }
        CHECK_EQ(missing, n <= 2 ? 0 : 1);
        wf_secret_arena_free(a);
        CHECK_EQ(mem->held, 0);
    }
}

/* Ends by a fault when a byte outside of the slab can be written. */
static bool faults(uint8_t *at)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        *(volatile uint8_t *)at = 1;
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

TEST(running_over_the_last_slot_faults_at_once)
{
    struct wf_secret_arena *a = new_arena(1024, 3);
    uint8_t *end = NULL;

    for (size_t i = 0; i < 3; i++) {
        uint8_t *slot = (uint8_t *)wf_secret_get(a);

        end = end == NULL || slot + 1024 > end ? slot + 1024 : end;
    }
    CHECK(!faults(end - 1));
    CHECK(faults(end));
    wf_secret_arena_free(a);
}

struct misuse {
    struct wf_secret_arena *a;
    uint8_t *slot;
};

static void put(void *ctx)
{
    const struct misuse *m = (const struct misuse *)ctx;

    wf_secret_put(m->a, m->slot);
}

TEST(what_is_no_slot_in_use_cannot_be_given_back)
{
    struct wf_secret_arena *a = new_arena(64, 4);
    uint8_t *slot = (uint8_t *)wf_secret_get(a);
    uint8_t foreign[64];
    struct misuse cases[] = {{a, slot + 1},      {a, slot + 64}, {a, slot - 64},
                             {a, slot + 64 * 4}, {a, foreign},   {a, NULL}};

    for (size_t i = 0; i < WF_ARRAY_LEN(cases); i++) {
        test_note("case %zu", i);
        CHECK_EQ(test_aborts(put, &cases[i]), cases[i].slot != NULL);
    }
    wf_secret_put(a, slot);
    CHECK(test_aborts(put, &(struct misuse){a, slot}));
    wf_secret_arena_free(a);
}
