/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_path_test.c - paths that change, stop and come back, and flows that share one: figures that
 * must come out of the named scenarios.
 */
#include <stdlib.h>

#include "sim/lab.h"
#include "test.h"
#include "wire/frame.h"

/* Of each scenario that chance moves. */
static unsigned seeds(void)
{
    return getenv("WEFT_LONG") != NULL ? 2 : 1;
}

static struct lab_scenario named(const char *name)
{
    const struct lab_scenario *s = lab_scenario_find(name);

    CHECK(s != NULL);
    return *s;
}

static void run(struct lab_scenario *s, unsigned i, struct lab_figures *r)
{
    s->seed = test_seed() + i;
    test_note("seed %u", (unsigned)s->seed);
    lab_run(s, r);
    for (size_t k = 0; k < r->flow_count; k++) {
        CHECK(r->flows[k].broken == NULL);
        CHECK_LE(r->flows[k].unproved_worst_ppm, SIM_PPM);
    }
}

TEST(three_seconds_after_a_blackout_four_fifths_of_the_rate_are_back)
{
    struct lab_scenario s = named("blackout");
    struct lab_figures r;

    for (unsigned i = 0; i < seeds(); i++) {
        run(&s, i, &r);

        const uint64_t before = lab_goodput(&r, 0, LAB_S(3), LAB_S(5));

        CHECK_LE(40000000, before);
        CHECK_LE(before * 8 / 10, lab_goodput(&r, 0, LAB_S(10), LAB_S(12)));
        lab_figures_free(&r);
    }
}

TEST(a_transfer_that_meets_an_mtu_black_hole_goes_on_within_five_seconds)
{
    struct lab_scenario s = named("mtu-black-hole");
    struct lab_figures r;

    for (unsigned i = 0; i < seeds(); i++) {
        run(&s, i, &r);
        CHECK(r.flows[0].done);
        CHECK_LE(8000000, lab_goodput(&r, 0, LAB_S(5), LAB_S(8)));
        lab_figures_free(&r);
    }
}

TEST(a_path_that_answers_nothing_is_given_up_and_costs_little)
{
    struct lab_scenario s = named("one-way-path");
    struct lab_figures r;

    run(&s, 0, &r);
    CHECK_EQ(r.flows[0].failed, 1);
    CHECK_LE(r.flows[0].ended_us, LAB_MS(10100));
    CHECK_LE(r.up.bytes, 8000);
    CHECK_LE(r.flows[0].unproved_out, r.up.bytes);
    lab_figures_free(&r);
}

TEST(after_three_seconds_without_an_answer_it_takes_no_longer_than_that_to_go_on)
{
    struct lab_scenario s = named("one-way-loss");
    struct lab_figures r;

    for (unsigned i = 0; i < seeds(); i++) {
        run(&s, i, &r);
        CHECK(r.flows[0].done);
        CHECK_LE(7000000, lab_goodput(&r, 0, LAB_S(9), LAB_S(10)));
        lab_figures_free(&r);
    }
}

TEST(after_idling_a_transfer_is_fast_again_within_half_a_second)
{
    struct lab_scenario s = named("idle-then-burst");
    struct lab_figures r;

    run(&s, 0, &r);
    CHECK_EQ(lab_goodput(&r, 0, LAB_S(5), LAB_S(10)), 0);
    CHECK_LE(80000000, lab_goodput(&r, 0, LAB_MS(10500), LAB_MS(13000)));
    lab_figures_free(&r);
}

TEST(four_transfers_share_a_line_evenly)
{
    struct lab_scenario s = named("four-flows");
    struct lab_figures r;

    for (unsigned i = 0; i < seeds(); i++) {
        run(&s, i, &r);
        CHECK_LE(950000, lab_jain_ppm(&r, LAB_S(5), r.ended_us));
        lab_figures_free(&r);
    }
    s = named("four-flows-in-turn");
    run(&s, 0, &r);
    CHECK_LE(950000, lab_jain_ppm(&r, LAB_S(20), r.ended_us));
    lab_figures_free(&r);
}

TEST(a_client_that_moves_or_sleeps_or_whose_clock_jumps_gets_its_file)
{
    static const char *const names[] = {"move", "suspend", "clock-jump"};
    struct lab_figures r;

    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        struct lab_scenario s = named(names[i]);

        run(&s, 0, &r);
        test_note("%s", names[i]);
        CHECK(r.flows[0].done);
        CHECK_LE(r.flows[0].ended_us, LAB_S(20));
        lab_figures_free(&r);
    }
}

/* Jumps of the sender's clock once made round trips of ten seconds out of those of 30 ms: in the
 * background nothing went for as long again. */
TEST(no_controller_is_fooled_by_time_in_which_it_did_not_run)
{
    static const struct lab_event events[] = {
        {.kind = LAB_CLOCK, .flow = 1, .at_us = LAB_S(3), .value = LAB_S(10)},
        {.kind = LAB_SUSPEND, .flow = 1, .at_us = LAB_S(3), .for_us = LAB_S(3)},
    };
    struct lab_figures r;

    for (unsigned i = 0; i < 6; i++) {
        struct lab_scenario s = named("clock-jump");

        s.end_us = LAB_S(13);
        s.events[0] = events[i / 3];
        s.flows[0] = (struct lab_flow){.bbr = i % 3 == 1};
        if (i % 3 == 2) {
            s.flows[0].priority = WF_PRIORITY_BACKGROUND;
        }
        test_note("case %u", i);
        lab_run(&s, &r);
        CHECK(r.flows[0].broken == NULL);
        CHECK_LE(7000000, lab_goodput(&r, 0, LAB_S(10), LAB_S(13)));
        lab_figures_free(&r);
    }
}

TEST(after_steps_of_rate_and_delay_the_line_is_used_again)
{
    static const char *const names[] = {"rate-step", "delay-step"};
    struct lab_figures r;

    for (size_t i = 0; i < WF_ARRAY_LEN(names); i++) {
        struct lab_scenario s = named(names[i]);

        run(&s, 0, &r);
        test_note("%s", names[i]);
        CHECK_LE(40000000, lab_goodput(&r, 0, LAB_S(15), LAB_S(20)));
        lab_figures_free(&r);
    }
}

TEST(marks_keep_the_queue_short)
{
    struct lab_scenario s = named("ecn");
    struct lab_figures r;

    run(&s, 0, &r);
    CHECK_LE(1, r.down.marked);
    CHECK_LE(r.down.queue_us.p95, LAB_MS(15)); /* of 30 */
    CHECK_LE(9000000, lab_goodput(&r, 0, LAB_S(2), LAB_S(20)));
    lab_figures_free(&r);
}
