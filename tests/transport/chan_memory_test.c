/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_memory_test.c - every allocation of a small transfer fails once: nothing crashes or leaks,
 * and it works in the end or closes in order.
 */
#include "support/chan_pair.h"

/* Returns false when the n-th allocation was never reached. */
static bool with_failure(uint64_t n, bool early)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair p;
    struct pair_source s[6];
    struct wf_mem mem;

    test_note("allocation %llu early %d", (unsigned long long)n, early);
    wf_mem_child(&mem, test_mem(), 0);
    mem.fail_at = n;
    o.config[0].mem = &mem;
    o.config[1].mem = &mem;
    pair_new(&p, &o);
    bool is_made = p.end[0].chan != NULL && p.end[1].chan != NULL;
    if (is_made) {
        size_t opened = 0;
        for (size_t i = 0; i < 6; i++) {
            struct wf_message_params mp = {.length = 5000 * i};
            s[i] = (struct pair_source){.who = 0, .length = 5000 * i};
            if (wf_chan_open(p.end[0].chan, &mp, &s[i].number) != WEFT_OK)
                break;
            opened++;
            if (i == 0 && early)
                (void)pair_push(&p, &s[i]);
        }
        if (pair_try_start(&p, early)) {
            for (int round = 0; round < 400; round++) {
                for (size_t i = 0; i < opened; i++)
                    (void)pair_push(&p, &s[i]);
                (void)pair_run(&p, p.now + 50000);
            }
            bool is_closed = p.end[0].closed + p.end[1].closed > 0;
            for (size_t i = 0; i < opened && !is_closed; i++) {
                CHECK_EQ(pair_message(&p, 0, false, s[i].number)->delivered, 1);
                CHECK(pair_message(&p, 1, true, s[i].number)->at_end);
                CHECK(pair_message(&p, 1, true, s[i].number)->is_right);
            }
        }
    }
    bool was_reached = mem.attempts >= n;
    pair_free(&p);
    CHECK_EQ(mem.held, 0);
    return was_reached;
}

TEST(every_allocation_may_fail_once)
{
    for (int early = 0; early < 2; early++) {
        uint64_t n = 1;
        while (with_failure(n, early == 1))
            n++;
        CHECK(n > 20);
    }
}

TEST(a_cap_on_memory_is_kept_and_the_transfer_goes_on_slowly)
{
    struct pair_options o = {.seed = test_seed(), .link = {.mtu = {1500, 1500}}};
    struct pair p;
    struct pair_source s = {.who = 0, .length = 400000};
    struct wf_mem mem;

    wf_mem_child(&mem, test_mem(), 200000);
    o.config[1].mem = &mem;
    pair_new(&p, &o);
    CHECK(p.end[1].chan != NULL);
    pair_start(&p, false);
    pair_transfer(&p, &s, 300000000);
    CHECK_LE(mem.held_max, 200000);
    pair_free(&p);
    CHECK_EQ(mem.held, 0);
}
