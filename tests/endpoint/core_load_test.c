/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_load_test.c - a core under more clients than it has time or places for: those who never come
 * back after SOLVE, and those who all come at once.
 */
#include "test.h"

#include "endpoint/core_priv.h"
#include "tests/endpoint/crowd.h"

#define PLACES 512u
#define COMING_MAX (PLACES / CORE_COMING_PART)

/* What is written down in docs/ARCHITECTURE.md for one that never came back, without messages. */
#define HALF_OPEN_BYTES_MAX 5120u

static struct crowd crowd;

static void start(void)
{
    crowd_init(&crowd, test_mem(), test_mem());
    crowd.config.sessions_max = PLACES;
    crowd_boot(&crowd);
}

static void half_open(uint32_t n)
{
    struct wf_addr from = crowd_addr(n);

    crowd_half_open(&crowd, &from, (weft_span){NULL, 0});
}

TEST(a_client_that_never_comes_back_holds_little_and_is_gone_after_ten_seconds)
{
    uint64_t held = 0;

    start();
    half_open(0);
    crowd_run(&crowd, 20 * CROWD_SECOND); /* what the first one made to grow is there now */
    held = crowd.mem->held;
    for (uint32_t n = 1; n <= 50; n++)
        half_open(n);
    CHECK_EQ(crowd.answer[0], WF_TYPE_CONFIRM);
    CHECK_EQ(crowd_stats(&crowd).sessions_coming, 50);
    test_note("%llu bytes each", (unsigned long long)(crowd.mem->held - held) / 50);
    CHECK_LE((crowd.mem->held - held) / 50, HALF_OPEN_BYTES_MAX);
    crowd_run(&crowd, 10 * CROWD_SECOND - 1);
    CHECK_EQ(crowd_stats(&crowd).sessions, 50);
    crowd_run(&crowd, 1);
    CHECK_EQ(crowd_stats(&crowd).sessions, 0);
    CHECK_EQ(crowd_stats(&crowd).sessions_coming, 0);
    CHECK_EQ(crowd_stats(&crowd).adm.confirm_bytes, 0);
    crowd_free(&crowd);
}

TEST(those_who_never_come_back_have_a_part_of_the_places_and_not_one_more)
{
    start();
    for (uint32_t n = 0; n < COMING_MAX; n++)
        half_open(n);
    CHECK_EQ(crowd_stats(&crowd).sessions_coming, COMING_MAX);
    CHECK_EQ(crowd_stats(&crowd).sessions_evicted, 0);
    for (uint32_t n = 0; n < 2 * COMING_MAX; n++) {
        half_open(COMING_MAX + n);
        CHECK_EQ(crowd.answer[0], WF_TYPE_CONFIRM); /* whoever comes gets in */
        CHECK_EQ(crowd_stats(&crowd).sessions_coming, COMING_MAX);
        CHECK_EQ(crowd_stats(&crowd).sessions_evicted, n + 1);
    }
    crowd_free(&crowd);
}

/* --- many SOLVEs in one batch --- */

#define BATCH 20u

static uint8_t solves[BATCH][WF_SOLVE_MAX];
static struct wf_datagram batch[BATCH];

static void make_batch(void)
{
    for (uint32_t n = 0; n < BATCH; n++) {
        struct wf_addr from = crowd_addr(n);
        struct wf_hs *hs = crowd_client(&crowd);

        crowd_meet(&crowd, hs, &from);
        crowd_solve(&crowd, hs, (weft_span){NULL, 0}, solves[n]);
        batch[n] = (struct wf_datagram){.from = from, .data = solves[n], .len = WF_SOLVE_MAX};
        wf_hs_free(hs);
    }
}

TEST(the_curves_of_a_batch_are_computed_a_few_at_a_time_and_the_rest_at_once)
{
    uint64_t left = BATCH;

    start();
    make_batch();
    wf_core_recv(crowd.core, crowd.now, batch, BATCH);
    while (left > CORE_SOLVES_AT_ONCE) {
        left -= CORE_SOLVES_AT_ONCE;
        CHECK_EQ(crowd_stats(&crowd).adm.queued, left);
        CHECK_EQ(crowd_stats(&crowd).adm.accepted, BATCH - left);
        CHECK_EQ(wf_core_deadline(crowd.core), 0);
        crowd_drain(&crowd); /* CONFIRMs leave, before the next ones are looked at */
        CHECK_EQ(crowd_stats(&crowd).adm.confirmed, BATCH - left);
        wf_core_tick(crowd.core, crowd.now);
    }
    crowd_drain(&crowd);
    CHECK_EQ(crowd_stats(&crowd).adm.queued, 0);
    CHECK_EQ(crowd_stats(&crowd).adm.confirmed, BATCH);
    CHECK(wf_core_deadline(crowd.core) > 0);
    crowd_free(&crowd);
}

TEST(a_core_that_shuts_lets_its_queue_lie)
{
    start();
    make_batch();
    wf_core_recv(crowd.core, crowd.now, batch, BATCH);
    wf_core_shut(crowd.core, crowd.now);
    crowd_drain(&crowd);
    CHECK(crowd_stats(&crowd).adm.queued > 0);
    CHECK(wf_core_deadline(crowd.core) > 0);
    wf_core_tick(crowd.core, crowd.now);
    CHECK_EQ(crowd_stats(&crowd).adm.accepted, CORE_SOLVES_AT_ONCE);
    crowd_free(&crowd);
}
