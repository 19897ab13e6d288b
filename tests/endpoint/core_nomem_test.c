/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_nomem_test.c - every allocation of a core fails in turn, at either end, while a session is
 * made, messages and replies go to and fro, and everything ends. No crash, no leak (the account
 * says), tables that agree, and exactly one outcome for each message that was taken.
 */
#include "core_pair.h"
#include "test.h"

#define SECOND 1000000u
#define FAILURES_MAX 2000u

static struct core_pair pair;

static void talk(void)
{
    struct wf_core_send_params p = cp_params(&pair, 0, 30000);
    struct wf_core_send_params back;

    pair.side[0].replies = pair.side[1].replies = true;
    pair.side[0].reply_len = pair.side[1].reply_len = 5000;
    (void)cp_send(&pair, 0, &p);
    weft_err err = wf_core_ping(pair.side[0].core, pair.now, &p);
    CHECK(err == WEFT_OK || err == WEFT_ERR_NOMEM);
    cp_run(&pair, SECOND / 20);
    p.outcome_within_us = SECOND;
    (void)cp_send(&pair, 0, &p);
    back = cp_params(&pair, 1, 2000);
    back.address = (struct wf_addr){0}; /* over the session that stands, if one does */
    (void)cp_send(&pair, 1, &back);
    cp_run(&pair, 5 * SECOND);
}

/* False when the core could not even be made. */
static bool boot(int i, uint64_t fail_at)
{
    struct wf_mem *mem = pair.side[i].mem;

    mem->fail_at = fail_at == 0 ? 0 : mem->attempts + fail_at;
    if (cp_boot(&pair, i) == WEFT_OK)
        return true;
    CHECK_EQ(mem->held, 0);
    return false;
}

/* False when there was no such allocation. */
static bool run(struct wf_mem *mems[2], int who, uint64_t fail_at)
{
    struct wf_mem *mem = mems[who];
    bool made = false;

    test_note("allocation %llu of end %d", (unsigned long long)fail_at, who);
    cp_init(&pair, mems[0], mems[1]);
    mems[1 - who]->fail_at = 0;
    made = boot(1 - who, 0) && boot(who, fail_at);
    if (made) {
        talk();
        wf_core_shut(pair.side[0].core, pair.now);
        cp_run(&pair, 100 * SECOND);
        wf_core_shut(pair.side[1].core, pair.now);
        cp_run(&pair, 100 * SECOND);
        cp_check_outcomes(&pair.side[0]);
        cp_check_outcomes(&pair.side[1]);
        CHECK(wf_core_is_quiet(pair.side[0].core));
        CHECK(wf_core_is_quiet(pair.side[1].core));
    }
    made = mem->fail_at <= mem->attempts;
    mem->fail_at = 0;
    cp_close(&pair);
    CHECK_EQ(mems[0]->held, 0);
    CHECK_EQ(mems[1]->held, 0);
    return made;
}

TEST(each_failing_allocation_of_the_calling_core_is_survived)
{
    struct wf_mem *mems[2] = {test_mem(), test_mem()};
    uint64_t n = 1;

    while (run(mems, 0, n))
        CHECK_LE(n++, FAILURES_MAX);
    CHECK(n > 50);
}

TEST(each_failing_allocation_of_the_serving_core_is_survived)
{
    struct wf_mem *mems[2] = {test_mem(), test_mem()};
    uint64_t n = 1;

    while (run(mems, 1, n))
        CHECK_LE(n++, FAILURES_MAX);
    CHECK(n > 50);
}
