/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nomem_test.c - every allocation of a handshake fails once: nothing is lost, nothing stays behind,
 * and what could be had without it works.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
}

TEST(a_server_that_cannot_get_all_its_memory_is_not_made_and_leaves_nothing)
{
    struct pair p;
    struct wf_adm *adm = NULL;
    uint64_t n = 1;
    weft_err err = WEFT_ERR_NOMEM;

    start(&p);
    for (; err != WEFT_OK; n++) {
        size_t held = p.mem->held;
        p.mem->fail_at = p.mem->attempts + n;
        err = wf_adm_new(&adm, &p.adm_config, p.now);
        p.mem->fail_at = 0;
        test_note("allocation %u", (unsigned)n);
        CHECK(err == WEFT_OK || err == WEFT_ERR_NOMEM);
        CHECK(err == WEFT_OK || p.mem->held == held);
        CHECK(n < 100);
    }
    CHECK(n > 8); /* it did allocate that often */
    wf_adm_free(adm);
    pair_free(&p);
}

TEST(a_client_that_cannot_get_all_its_memory_is_not_made_and_leaves_nothing)
{
    struct pair p;
    struct wf_hs *hs = NULL;
    uint64_t n = 1;
    weft_err err = WEFT_ERR_NOMEM;

    start(&p);
    for (; err != WEFT_OK; n++) {
        size_t held = p.mem->held;
        p.mem->fail_at = p.mem->attempts + n;
        err = wf_hs_new(&hs, &p.hs_config, p.now);
        p.mem->fail_at = 0;
        CHECK(err == WEFT_OK || (err == WEFT_ERR_NOMEM && p.mem->held == held));
        CHECK(n < 100);
    }
    CHECK(n > 2);
    wf_hs_free(hs);
    pair_free(&p);
}

TEST(a_cap_on_memory_is_an_error_and_no_crash)
{
    struct pair p;
    struct wf_adm *adm = NULL;

    start(&p);
    p.adm_config.table_max = 0; /* the default: megabytes */
    p.mem->cap = p.mem->held + 1000000;
    CHECK_EQ(wf_adm_new(&adm, &p.adm_config, p.now), WEFT_ERR_NOMEM);
    p.mem->cap = 0;
    CHECK_OK(wf_adm_new(&adm, &p.adm_config, p.now));
    CHECK_LE(p.mem->held, 40u << 20);
    wf_adm_free(adm);
    pair_free(&p);
}

TEST(a_handshake_between_objects_that_stand_needs_one_allocation_and_survives_its_failure)
{
    for (uint64_t n = 1; n <= 3; n++) {
        struct pair p;
        start(&p);
        pair_server(&p);
        pair_client(&p, false);
        uint64_t before = p.mem->attempts;
        p.mem->fail_at = before + n;
        pair_to_confirm(&p);
        pair_finish(&p);
        CHECK(pair_agrees(&p));
        CHECK_EQ(p.mem->attempts - before, 1); /* the kept CONFIRM */
        CHECK_EQ(pair_stats(&p).confirm_bytes == 0, n == 1);
        p.mem->fail_at = 0;
        pair_free(&p);
    }
}
