/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_share_test.c - what goes in the background takes what others leave, over queues of several
 * sizes and paths of several lengths.
 */
#include "sim/lab.h"
#include "test.h"

static struct lab_scenario named(const char *name, uint64_t seed)
{
    const struct lab_scenario *s = lab_scenario_find(name);
    struct lab_scenario copy;

    CHECK(s != NULL);
    copy = *s;
    copy.seed = seed;
    test_note("%s, seed %u", name, (unsigned)seed);
    return copy;
}

TEST(in_the_background_a_transfer_fills_an_empty_line_and_leaves_it_to_tcp)
{
    struct lab_scenario s = named("background-beside-tcp", test_seed());
    struct lab_figures r;

    lab_run(&s, &r);
    CHECK(r.flows[0].broken == NULL);
    CHECK_LE(8000000, lab_goodput(&r, 0, LAB_S(2), LAB_S(5)));
    CHECK_LE(lab_share_ppm(&r, 0, LAB_S(10), LAB_S(60)), 200000);
    CHECK_LE(8000000, lab_goodput(&r, 1, LAB_S(10), LAB_S(60)));
    lab_figures_free(&r);
}

TEST(in_the_background_a_transfer_yields_whatever_the_queue_and_the_path)
{
    static const struct {
        uint64_t rate, rtt_us;
        unsigned queue_percent;
    } lines[] = {
        {LAB_MBIT(10), LAB_MS(30), 400},
        {LAB_MBIT(10), LAB_MS(100), 50},
        {LAB_MBIT(50), LAB_MS(20), 100},
        {LAB_MBIT(20), LAB_MS(60), 200},
    };
    struct lab_figures r;

    for (size_t i = 0; i < WF_ARRAY_LEN(lines); i++) {
        struct lab_scenario s = named("background-beside-tcp", test_seed());

        test_note("line %zu", i);
        s.end_us = LAB_S(40);
        s.down = lab_line(lines[i].rate, lines[i].rtt_us, lines[i].queue_percent);
        s.up = s.down;
        lab_run(&s, &r);
        CHECK_LE(lab_share_ppm(&r, 0, LAB_S(10), LAB_S(40)), 200000);
        lab_figures_free(&r);
    }
}

TEST(in_the_background_a_transfer_yields_to_ours_and_takes_the_line_again)
{
    struct lab_scenario s = named("background-beside-normal", test_seed());
    struct lab_figures r;

    lab_run(&s, &r);
    CHECK_LE(lab_share_ppm(&r, 0, LAB_S(15), LAB_S(40)), 200000);
    CHECK_LE(7000000, lab_goodput(&r, 0, LAB_S(45), LAB_S(60)));
    lab_figures_free(&r);
}
