/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_test.c - a link does what its configuration says, measured over many datagrams with fixed
 * seeds. The bounds are wide enough for every seed that was tried and narrow enough to see a model
 * that does something else.
 */
#include "base/datagram.h"
#include "sim/link.h"
#include "test.h"

#define COUNT 100000u
#define SPACING_US 1000u
#define LEN 1000u

struct tally {
    uint64_t passed, lost, copies, overtaken, corrupt, marked;
    uint64_t bursts, burst_longest;
    weft_time first, last;
};

/* COUNT datagrams of LEN bytes, one each `spacing`. */
static struct tally run(const struct sim_link_config *config, uint64_t seed, uint64_t spacing)
{
    struct tally t = {.first = WEFT_TIME_NEVER};
    struct sim_link link;
    struct sim_passage p;
    weft_time highest = 0;
    uint64_t burst = 0;

    sim_link_init(&link, config, seed);
    for (uint64_t i = 0; i < COUNT; i++) {
        sim_link_pass(&link, i * spacing, LEN, WF_ECN_ECT0, &p);
        if (p.fate != SIM_PASSED) {
            CHECK_EQ(p.count, 0);
            t.lost++;
            t.bursts += burst == 0;
            burst++;
            t.burst_longest = burst > t.burst_longest ? burst : t.burst_longest;
            continue;
        }
        burst = 0;
        t.passed++;
        t.copies += p.count;
        t.corrupt += p.copies[0].corrupt;
        t.marked += p.ecn == WF_ECN_CE;
        t.overtaken += p.copies[0].at < highest;
        highest = p.copies[0].at > highest ? p.copies[0].at : highest;
        t.first = p.copies[0].at < t.first ? p.copies[0].at : t.first;
        t.last = highest;
    }
    return t;
}

static void check_between(uint64_t low, uint64_t v, uint64_t high)
{
    CHECK_LE(low, v);
    CHECK_LE(v, high);
}

TEST(a_link_without_faults_delays_and_does_nothing_else)
{
    const struct sim_link_config c = {.delay_us = 12345};
    const struct tally t = run(&c, test_seed(), SPACING_US);

    CHECK_EQ(t.passed, COUNT);
    CHECK_EQ(t.copies, COUNT);
    CHECK_EQ(t.overtaken + t.corrupt + t.marked, 0);
    CHECK_EQ(t.first, 12345);
    CHECK_EQ(t.last, 12345 + (COUNT - 1) * SPACING_US);
}

TEST(loss_is_as_frequent_as_asked)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        const struct sim_link_config c = {.loss_ppm = 50000};
        const struct tally t = run(&c, seed, SPACING_US);

        test_note("seed %llu", (unsigned long long)seed);
        check_between(COUNT * 47 / 1000, t.lost, COUNT * 53 / 1000);
        check_between(1, t.burst_longest, 6); /* one by one */
    }
}

TEST(bursts_are_as_long_as_the_state_lasts)
{
    /* In the bad state everything is lost; it ends with each datagram at one in ten: bursts of ten.
     */
    const struct sim_link_config c = {
        .burst_enter_ppm = 10000, .burst_leave_ppm = 100000, .burst_loss_ppm = SIM_PPM};
    const struct tally t = run(&c, test_seed(), SPACING_US);

    /* 1/(1+10) of the time bad */
    check_between(COUNT * 80 / 1000, t.lost, COUNT * 102 / 1000);
    check_between(90, 10 * t.lost / t.bursts, 110);
    check_between(30, t.burst_longest, 200);
}

TEST(jitter_spreads_arrivals_and_keeps_the_order_only_where_asked)
{
    struct sim_link_config c = {.delay_us = 1000, .jitter_us = 10000};
    struct tally t = run(&c, test_seed(), SPACING_US);

    check_between(COUNT / 4, t.overtaken, COUNT);
    c.keeps_order = true;
    t = run(&c, test_seed(), SPACING_US);
    CHECK_EQ(t.overtaken, 0);
    check_between(1000, t.first, 11000);
}

TEST(held_back_datagrams_are_overtaken_by_as_many_as_the_time_allows)
{
    const struct sim_link_config c = {
        .keeps_order = true, .reorder_ppm = 30000, .reorder_us = 5 * SPACING_US + 1};
    const struct tally t = run(&c, test_seed(), SPACING_US);

    /* Each held one makes those behind it arrive before the highest so far. */
    check_between(COUNT * 120 / 1000, t.overtaken, COUNT * 165 / 1000);
}

TEST(duplicates_and_flips_are_as_frequent_as_asked)
{
    const struct sim_link_config c = {.duplicate_ppm = 100000, .corrupt_ppm = 20000};
    const struct tally t = run(&c, test_seed(), SPACING_US);

    check_between(COUNT * 97 / 1000, t.copies - t.passed, COUNT * 103 / 1000);
    check_between(COUNT * 18 / 1000, t.corrupt, COUNT * 22 / 1000);
}

TEST(the_rate_spaces_datagrams_and_the_queue_drops_what_is_above_it)
{
    /* 1 MB/s offered to 500 kB/s: half is dropped, and what passes leaves every 2 ms. */
    const struct sim_link_config c = {.rate = 500000, .queue_max = 20 * LEN};
    const struct tally t = run(&c, test_seed(), SPACING_US);

    check_between(COUNT / 2, t.passed, COUNT / 2 + 25);
    CHECK_EQ(t.first, 2000);
    CHECK_EQ(t.last, t.passed * 2000);
}

TEST(the_queue_takes_exactly_its_bytes)
{
    const struct sim_link_config c = {.rate = 1000000, .queue_max = 5 * LEN};
    struct sim_link link;
    struct sim_passage p;

    sim_link_init(&link, &c, 1);
    for (unsigned i = 0; i < 5; i++) {
        sim_link_pass(&link, 0, LEN, 0, &p);
        CHECK_EQ(p.fate, SIM_PASSED);
        CHECK_EQ(p.copies[0].at, (i + 1) * 1000);
    }
    sim_link_pass(&link, 0, 1, 0, &p);
    CHECK_EQ(p.fate, SIM_QUEUE_FULL);
    sim_link_pass(&link, 1000, LEN, 0, &p);
    CHECK_EQ(p.fate, SIM_PASSED);
    sim_link_pass(&link, 1000, 1, 0, &p);
    CHECK_EQ(p.fate, SIM_QUEUE_FULL);
    CHECK_EQ(link.fates[SIM_PASSED], 6);
    CHECK_EQ(link.fates[SIM_QUEUE_FULL], 2);
}

TEST(a_datagram_larger_than_the_queue_passes_when_the_queue_is_empty)
{
    const struct sim_link_config c = {.rate = 1000000, .queue_max = 10};
    struct sim_link link;
    struct sim_passage p;

    sim_link_init(&link, &c, 1);
    sim_link_pass(&link, 0, LEN, 0, &p);
    CHECK_EQ(p.fate, SIM_PASSED);
    sim_link_pass(&link, 0, 1, 0, &p);
    CHECK_EQ(p.fate, SIM_QUEUE_FULL);
}

TEST(full_queues_mark_only_what_is_capable_of_it_and_bleaching_clears_the_bits)
{
    struct sim_link_config c = {.rate = 1000000, .queue_max = 100 * LEN, .ecn_mark = 2 * LEN};
    struct sim_link link;
    struct sim_passage p;

    sim_link_init(&link, &c, 1);
    for (unsigned i = 0; i < 4; i++) {
        sim_link_pass(&link, 0, LEN, WF_ECN_ECT0, &p);
        CHECK_EQ(p.ecn, i < 2 ? WF_ECN_ECT0 : WF_ECN_CE);
    }
    sim_link_pass(&link, 0, LEN, WF_ECN_NOT_ECT, &p);
    CHECK_EQ(p.ecn, WF_ECN_NOT_ECT);
    CHECK_EQ(link.marked, 2);
    c.ecn_bleach = true;
    sim_link_init(&link, &c, 1);
    for (unsigned i = 0; i < 4; i++) {
        sim_link_pass(&link, 0, LEN, WF_ECN_ECT0, &p);
        CHECK_EQ(p.ecn, WF_ECN_NOT_ECT);
    }
}

TEST(the_mtu_is_exact_and_either_told_or_silent)
{
    struct sim_link_config c = {.mtu = 1400};
    struct sim_link link;
    struct sim_passage p;

    sim_link_init(&link, &c, 1);
    sim_link_pass(&link, 0, 1400, 0, &p);
    CHECK_EQ(p.fate, SIM_PASSED);
    sim_link_pass(&link, 0, 1401, 0, &p);
    CHECK_EQ(p.fate, SIM_TOO_BIG);
    c.mtu_silent = true;
    sim_link_init(&link, &c, 1);
    sim_link_pass(&link, 0, 1401, 0, &p);
    CHECK_EQ(p.fate, SIM_BLACK_HOLE);
    CHECK_EQ(p.count, 0);
}

TEST(nothing_passes_a_cut_link)
{
    const struct sim_link_config c = {.cut = true, .duplicate_ppm = SIM_PPM};
    const struct tally t = run(&c, test_seed(), SPACING_US);

    CHECK_EQ(t.lost, COUNT);
}

TEST(the_same_seed_gives_the_same_fates_and_another_seed_others)
{
    const struct sim_link_config c = {.loss_ppm = 100000,
                                      .jitter_us = 1000,
                                      .duplicate_ppm = 100000,
                                      .reorder_ppm = 100000,
                                      .reorder_us = 100};
    const struct tally a = run(&c, 7, SPACING_US);
    const struct tally b = run(&c, 7, SPACING_US);
    const struct tally other = run(&c, 8, SPACING_US);

    CHECK_MEM_EQ(&a, &b, sizeof a);
    CHECK(memcmp(&a, &other, sizeof a) != 0);
}

TEST(a_blackout_has_a_beginning_an_end_and_a_period)
{
    const struct sim_link_config once = {.blackout_at = 1000, .blackout_us = 200};
    struct sim_link_config again = once;
    const struct {
        weft_time at;
        bool dark_once, dark_again;
    } moments[] = {
        {0, false, false},    {999, false, false}, {1000, true, true},  {1199, true, true},
        {1200, false, false}, {1500, false, true}, {1699, false, true}, {1700, false, false},
    };
    struct sim_link link;
    struct sim_passage p;

    again.blackout_every_us = 500;
    for (size_t i = 0; i < WF_ARRAY_LEN(moments); i++) {
        test_note("at %u", (unsigned)moments[i].at);
        sim_link_init(&link, &once, 1);
        sim_link_pass(&link, moments[i].at, LEN, 0, &p);
        CHECK_EQ(p.fate, moments[i].dark_once ? SIM_CUT : SIM_PASSED);
        sim_link_init(&link, &again, 1);
        sim_link_pass(&link, moments[i].at, LEN, 0, &p);
        CHECK_EQ(p.fate, moments[i].dark_again ? SIM_CUT : SIM_PASSED);
    }
}

TEST(datagrams_of_chosen_numbers_are_lost)
{
    const struct sim_link_config c = {.drop_from = 2, .drop_to = 7};
    struct sim_link link;
    struct sim_passage p;

    sim_link_init(&link, &c, 1);
    for (unsigned i = 1; i <= 10; i++) {
        sim_link_pass(&link, 0, LEN, 0, &p);
        CHECK_EQ(p.fate, i >= 2 && i <= 7 ? SIM_LOST : SIM_PASSED);
    }
}

TEST(faults_hit_only_the_first_so_many)
{
    struct sim_link_config c = {.loss_ppm = SIM_PPM, .fault_count = 3};
    struct sim_link link;
    struct sim_passage p;

    sim_link_init(&link, &c, 1);
    for (unsigned i = 1; i <= 6; i++) {
        sim_link_pass(&link, 0, LEN, 0, &p);
        CHECK_EQ(p.fate, i <= 3 ? SIM_LOST : SIM_PASSED);
    }
    c = (struct sim_link_config){.corrupt_ppm = SIM_PPM,
                                 .duplicate_ppm = SIM_PPM,
                                 .reorder_ppm = SIM_PPM,
                                 .reorder_us = 9,
                                 .fault_count = 3};
    sim_link_init(&link, &c, 1);
    for (unsigned i = 1; i <= 6; i++) {
        sim_link_pass(&link, 0, LEN, 0, &p);
        CHECK_EQ(p.count, i <= 3 ? 2 : 1);
        CHECK_EQ(p.copies[0].corrupt, i <= 3);
        CHECK_EQ(p.copies[0].at, i <= 3 ? 9 : 0);
    }
}

TEST(parts_of_a_microsecond_add_up_to_the_rate)
{
    /* 1 Gb/s: 1428 bytes take 11.424 us. */
    const struct sim_link_config c = {.rate = 125000000, .queue_max = 1u << 30};
    struct sim_link link;
    struct sim_passage p;

    sim_link_init(&link, &c, 1);
    for (unsigned i = 1; i <= 1000; i++) {
        sim_link_pass(&link, 0, 1428, 0, &p);
        CHECK_EQ(p.copies[0].at, (i * 11424u + 999) / 1000);
    }
    CHECK_EQ(sim_link_waiting(&link, 0), 1428000);
    CHECK_EQ(sim_link_waiting(&link, 11424), 0);
}
