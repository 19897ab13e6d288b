/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mtu_test.c - the search for the datagram size on paths of many sizes, with loss, black holes and
 * false refusals.
 */
#include "transport/mtu.h"

#include "test.h"

static struct wf_mtu mtu;
static weft_time now;
static unsigned probes;

/* Carries probes up to a size; the kernel refuses those above local. Until the search rests. */
static void search(uint64_t path, uint64_t local)
{
    uint64_t size;

    for (size = wf_mtu_probe(&mtu, now); size != 0; size = wf_mtu_probe(&mtu, now)) {
        now += 50000;
        probes++;
        CHECK_LE(probes, 200);
        CHECK_LE(wf_mtu_size(&mtu) + 1, size);
        CHECK_LE(size, mtu.max);
        if (size > local) {
            CHECK(!wf_mtu_on_too_big(&mtu, now, size));
            continue;
        }
        wf_mtu_on_probe_sent(&mtu, size);
        CHECK_EQ(wf_mtu_probe(&mtu, now), 0); /* one at a time */
        if (size <= path) {
            CHECK(wf_mtu_on_probe_acked(&mtu, now, size));
            CHECK_EQ(wf_mtu_size(&mtu), size);
        } else {
            wf_mtu_on_probe_lost(&mtu, now, size);
        }
    }
}

static void begin(uint64_t max)
{
    wf_mtu_init(&mtu, max);
    now = 1000000;
    probes = 0;
}

/* SPEC 4.4-1 */
TEST(it_begins_at_1200_and_never_looks_beyond_what_both_ends_take)
{
    begin(1200);
    CHECK_EQ(wf_mtu_size(&mtu), 1200);
    CHECK_EQ(wf_mtu_probe(&mtu, now), 0);
    CHECK_EQ(wf_mtu_deadline(&mtu), WEFT_TIME_NEVER);
    begin(0);
    CHECK_EQ(mtu.max, 1200);
    begin(65527);
    CHECK_EQ(mtu.max, WF_MTU_MAX);
    begin(1201);
    CHECK_EQ(wf_mtu_probe(&mtu, now), 1201);
}

TEST(a_path_that_carries_everything_is_found_with_one_probe)
{
    begin(65507);
    search(65507, 65507);
    CHECK_EQ(wf_mtu_size(&mtu), 65507);
    CHECK_EQ(probes, 1);
    CHECK_EQ(wf_mtu_deadline(&mtu), WEFT_TIME_NEVER);
}

TEST(ethernet_behind_a_kernel_that_says_so_is_found_with_few_probes)
{
    begin(65507);
    search(1472, 1472);
    CHECK_LE(1472, wf_mtu_size(&mtu));
    CHECK_EQ(wf_mtu_size(&mtu), 1472);
    CHECK_LE(probes, 20);
    begin(1472);
    search(1472, 1472);
    CHECK_EQ(probes, 1);
}

/* SPEC 4.4-1: whatever the path carries is found, exact to a step. */
TEST(every_path_is_found_exact_to_a_step)
{
    for (uint64_t path = 1200; path <= 65507; path += path < 2000 ? 1 : 641) {
        test_note("path of %u bytes", (unsigned)path);
        begin(65507);
        search(path, 65507);
        CHECK_LE(wf_mtu_size(&mtu), path);
        CHECK_LE(path, wf_mtu_size(&mtu) + WF_MTU_STEP);
        CHECK_LE(probes, 40);
        CHECK_EQ(wf_mtu_deadline(&mtu),
                 path + WF_MTU_STEP < 65507 ? now + WF_MTU_RAISE_US : wf_mtu_deadline(&mtu));
    }
}

TEST(a_common_size_survives_two_lost_probes)
{
    begin(1472);
    wf_mtu_on_probe_sent(&mtu, 1472);
    wf_mtu_on_probe_lost(&mtu, now, 1472); /* the jump, by bad luck */
    for (uint64_t size = wf_mtu_probe(&mtu, now); size != 0; size = wf_mtu_probe(&mtu, now)) {
        for (unsigned k = 0; k < WF_MTU_PROBES_MAX - 1; k++) {
            CHECK_EQ(wf_mtu_probe(&mtu, now), size);
            wf_mtu_on_probe_sent(&mtu, size);
            wf_mtu_on_probe_lost(&mtu, now, size);
        }
        wf_mtu_on_probe_sent(&mtu, size);
        CHECK(wf_mtu_on_probe_acked(&mtu, now, size));
    }
    CHECK_EQ(wf_mtu_size(&mtu), 1472);
}

TEST(a_finished_search_is_repeated_after_ten_minutes)
{
    begin(9000);
    search(1472, 9000);
    const weft_time again = wf_mtu_deadline(&mtu);

    CHECK_EQ(again, now + WF_MTU_RAISE_US);
    CHECK_EQ(wf_mtu_probe(&mtu, again - 1), 0);
    now = again;
    probes = 0;
    search(8972, 9000);
    CHECK_LE(8972 - WF_MTU_STEP, wf_mtu_size(&mtu));
}

/* SPEC 4.4-1 */
TEST(three_timeouts_in_a_row_fall_back_to_1200_and_the_search_waits_for_an_ack)
{
    begin(65507);
    search(65507, 65507);
    CHECK(!wf_mtu_on_pto(&mtu, 1));
    CHECK(!wf_mtu_on_pto(&mtu, 2));
    CHECK_EQ(wf_mtu_size(&mtu), 65507);
    CHECK(wf_mtu_on_pto(&mtu, 3));
    CHECK_EQ(wf_mtu_size(&mtu), 1200);
    CHECK(!wf_mtu_on_pto(&mtu, 4));
    CHECK_EQ(wf_mtu_probe(&mtu, now), 0);
    wf_mtu_on_acked(&mtu, 1200);
    search(1400, 65507);
    CHECK_LE(1400 - WF_MTU_STEP, wf_mtu_size(&mtu));
    CHECK_LE(wf_mtu_size(&mtu), 1400);
}

TEST(a_black_hole_for_large_packets_alone_is_seen_although_small_ones_pass)
{
    begin(1472);
    search(1472, 1472);
    for (int k = 0; k < 2; k++) {
        CHECK(!wf_mtu_on_lost(&mtu, 1472));
        wf_mtu_on_acked(&mtu, 60);
        CHECK(!wf_mtu_on_lost(&mtu, 1100));
    }
    CHECK(wf_mtu_on_lost(&mtu, 1472));
    CHECK_EQ(wf_mtu_size(&mtu), 1200);
    CHECK(!wf_mtu_on_lost(&mtu, 1472)); /* stragglers */
}

TEST(plain_loss_is_no_black_hole)
{
    begin(1472);
    search(1472, 1472);
    for (int k = 0; k < 1000; k++) {
        CHECK(!wf_mtu_on_lost(&mtu, 1472));
        CHECK(!wf_mtu_on_lost(&mtu, 1472));
        wf_mtu_on_acked(&mtu, 1472);
    }
    CHECK_EQ(wf_mtu_size(&mtu), 1472);
}

TEST(a_refusal_by_the_kernel_lowers_to_1200_at_the_least)
{
    begin(9000);
    search(9000, 9000);
    CHECK(!wf_mtu_on_too_big(&mtu, now, 1200));
    CHECK(!wf_mtu_on_too_big(&mtu, now, 0));
    CHECK(!wf_mtu_on_too_big(&mtu, now, 9001));
    CHECK_EQ(wf_mtu_size(&mtu), 9000);
    CHECK(wf_mtu_on_too_big(&mtu, now, 1201));
    CHECK_EQ(wf_mtu_size(&mtu), 1200);
    CHECK_EQ(wf_mtu_probe(&mtu, now), 0); /* nothing fits in between */
    now = wf_mtu_deadline(&mtu);
    probes = 0;
    search(9000, 9000); /* it was forged: the size comes back */
    CHECK_EQ(wf_mtu_size(&mtu), 9000);
}

TEST(late_and_strange_news_of_probes_do_no_harm)
{
    begin(9000);
    CHECK(!wf_mtu_on_probe_acked(&mtu, now, 1000));
    CHECK(!wf_mtu_on_probe_acked(&mtu, now, 9001));
    wf_mtu_on_probe_lost(&mtu, now, 9000); /* was never sent */
    CHECK_EQ(wf_mtu_probe(&mtu, now), 9000);
    wf_mtu_on_probe_sent(&mtu, 9000);
    wf_mtu_on_probe_lost(&mtu, now, 9000);
    CHECK_EQ(wf_mtu_probe(&mtu, now), 1232);
    CHECK(wf_mtu_on_probe_acked(&mtu, now, 9000)); /* it had only been late */
    CHECK_EQ(wf_mtu_size(&mtu), 9000);
    CHECK_EQ(wf_mtu_probe(&mtu, now), 0);
}

TEST(another_path_starts_anew)
{
    begin(9000);
    search(9000, 9000);
    wf_mtu_reset(&mtu);
    CHECK_EQ(wf_mtu_size(&mtu), 1200);
    CHECK_EQ(wf_mtu_probe(&mtu, now), 9000);
}

TEST(with_random_loss_the_size_is_never_above_the_path_and_mostly_at_it)
{
    uint64_t state = test_seed();
    unsigned good = 0;

    for (int run = 0; run < 500; run++) {
        begin(65507);
        for (uint64_t size = wf_mtu_probe(&mtu, now); size != 0; size = wf_mtu_probe(&mtu, now)) {
            wf_mtu_on_probe_sent(&mtu, size);
            if (size <= 1472 && test_next(&state) % 10 != 0) {
                CHECK(wf_mtu_on_probe_acked(&mtu, now, size));
            } else {
                wf_mtu_on_probe_lost(&mtu, now, size);
            }
        }
        CHECK_LE(wf_mtu_size(&mtu), 1472);
        good += wf_mtu_size(&mtu) == 1472 ? 1 : 0;
    }
    CHECK_LE(470, good);
}
