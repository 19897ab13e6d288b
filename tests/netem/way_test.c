/* SPDX-License-Identifier: Apache-2.0 */
/*
 * way_test.c - packets come out whole, in time, in order, and never more of them than there is room
 * for.
 */
#include "base/bytes.h"
#include "base/datagram.h"
#include "netem/way.h"
#include "test.h"

#define ROOM (1u << 20)

static struct netem_plan plan;
static struct netem_way way;

static void begin(size_t room)
{
    netem_plan_finish(&plan);
    netem_way_init(&way, &plan, NETEM_UP, test_seed(), room);
}

static enum sim_fate put(weft_time now, const char *text)
{
    const struct netem_meta meta = {.ecn = WF_ECN_ECT0};
    uint8_t *in = test_copy(text, strlen(text));
    const enum sim_fate fate = netem_way_put(&way, now, &meta, (weft_span){in, strlen(text)});

    free(in);
    return fate;
}

/* The packet due at that time is this one. */
static void check_out(weft_time now, const char *text)
{
    struct netem_packet *p = netem_way_take(&way, now);

    if (p == NULL) {
        FAIL("nothing is due");
        return;
    }
    CHECK_EQ(p->len, strlen(text));
    CHECK_MEM_EQ(p->data, text, p->len);
    free(p);
}

TEST(a_packet_comes_out_after_its_delay_and_not_before)
{
    netem_plan_init(&plan);
    plan.stages[0].legs[NETEM_UP].link.delay_us = 1000;
    begin(ROOM);
    CHECK_EQ(netem_way_deadline(&way), WEFT_TIME_NEVER);
    CHECK_EQ(put(500, "one"), SIM_PASSED);
    CHECK_EQ(netem_way_deadline(&way), 1500);
    CHECK(netem_way_take(&way, 1499) == NULL);
    check_out(1500, "one");
    CHECK_EQ(netem_way_deadline(&way), WEFT_TIME_NEVER);
    CHECK_EQ(way.held, 0);
    netem_way_deinit(&way);
}

TEST(packets_of_one_moment_keep_their_order)
{
    netem_plan_init(&plan);
    begin(ROOM);
    for (int c = 'a'; c <= 'z'; c++) {
        CHECK_EQ(put(7, (char[]){(char)c, '\0'}), SIM_PASSED);
    }
    for (int c = 'a'; c <= 'z'; c++) {
        check_out(7, (char[]){(char)c, '\0'});
    }
    netem_way_deinit(&way);
}

TEST(a_stage_changes_the_link_from_its_time_on)
{
    netem_plan_init(&plan);
    CHECK(netem_plan_add(&plan, 1000));
    plan.stages[1].legs[NETEM_UP].link.cut = true;
    CHECK(netem_plan_add(&plan, 2000));
    plan.stages[2].legs[NETEM_UP].link.cut = false;
    plan.stages[2].legs[NETEM_UP].link.delay_us = 300;
    begin(ROOM);
    CHECK_EQ(put(999, "before"), SIM_PASSED);
    CHECK_EQ(put(1000, "in"), SIM_CUT);
    CHECK_EQ(put(2000, "behind"), SIM_PASSED);
    check_out(2000, "before");
    check_out(2300, "behind");
    netem_way_deinit(&way);
}

TEST(what_is_above_the_room_is_lost_and_counted)
{
    const size_t cost = NETEM_PACKET_COST + 4;

    netem_plan_init(&plan);
    begin(3 * cost);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(put(0, "four"), SIM_PASSED);
    }
    CHECK_EQ(way.counts.no_room, 2);
    CHECK_EQ(way.counts.held_max, 3 * cost);
    for (unsigned i = 0; i < 3; i++) {
        check_out(0, "four");
    }
    CHECK(netem_way_take(&way, 0) == NULL);
    CHECK_EQ(put(1, "four"), SIM_PASSED); /* there is room again */
    check_out(1, "four");
    netem_way_deinit(&way);
}

TEST(a_duplicate_is_a_packet_of_its_own)
{
    netem_plan_init(&plan);
    plan.stages[0].legs[NETEM_UP].link.duplicate_ppm = SIM_PPM;
    begin(ROOM);
    CHECK_EQ(put(0, "twin"), SIM_PASSED);
    check_out(0, "twin");
    check_out(0, "twin");
    CHECK(netem_way_take(&way, 0) == NULL);
    CHECK_EQ(way.counts.packets_in, 1);
    CHECK_EQ(way.counts.packets_out, 2);
    netem_way_deinit(&way);
}

TEST(numbers_of_a_flow_decide_what_is_dropped)
{
    const struct netem_meta meta[] = {{.flow = 1, .number = 1},
                                      {.flow = 2, .number = 2},
                                      {.flow = 1, .number = 2},
                                      {.flow = 2, .number = 3}};
    const enum sim_fate want[] = {SIM_PASSED, SIM_LOST, SIM_LOST, SIM_PASSED};

    netem_plan_init(&plan);
    plan.stages[0].legs[NETEM_UP].link.drop_from = 2;
    plan.stages[0].legs[NETEM_UP].link.drop_to = 2;
    begin(ROOM);
    for (size_t i = 0; i < WF_ARRAY_LEN(meta); i++) {
        CHECK_EQ(netem_way_put(&way, 0, &meta[i], (weft_span){NULL, 0}), want[i]);
    }
    netem_way_deinit(&way); /* with packets still inside */
}

TEST(marks_and_flips_are_told_and_not_made)
{
    netem_plan_init(&plan);
    plan.stages[0].legs[NETEM_UP].link.ecn_bleach = true;
    plan.stages[0].legs[NETEM_UP].link.corrupt_ppm = SIM_PPM;
    begin(ROOM);
    CHECK_EQ(put(0, "text"), SIM_PASSED);

    struct netem_packet *p = netem_way_take(&way, 0);

    if (p == NULL) {
        FAIL("nothing is due");
        return;
    }
    CHECK(p->corrupt);
    CHECK(p->marked);
    CHECK_EQ(p->ecn, WF_ECN_NOT_ECT);
    CHECK_MEM_EQ(p->data, "text", 4);
    free(p);
    netem_way_deinit(&way);
}

TEST(counts_tell_delays_lateness_and_the_queue)
{
    const struct netem_meta meta = {.overhead = 996};

    netem_plan_init(&plan);
    plan.stages[0].legs[NETEM_UP].link.rate = 1000000;
    begin(ROOM);
    CHECK_EQ(netem_way_put(&way, 0, &meta, wf_span_of("four")), SIM_PASSED);
    CHECK_EQ(netem_way_put(&way, 0, &meta, wf_span_of("more")), SIM_PASSED);
    check_out(1000, "four");
    check_out(2500, "more");
    CHECK_EQ(way.counts.queue_max, 2000);
    CHECK_EQ(way.counts.bytes_in, 2000);
    CHECK_EQ(way.counts.bytes_out, 2000);
    CHECK_EQ(way.counts.delay_min, 1000);
    CHECK_EQ(way.counts.delay_max, 2500);
    CHECK_EQ(way.counts.delay_sum, 3500);
    CHECK_EQ(way.counts.late_max, 500);
    CHECK_EQ(way.counts.late_sum, 500);
    netem_way_deinit(&way);
}

/* Fates and times of many packets, mixed. */
static uint64_t trace(uint64_t seed, enum netem_direction d)
{
    uint64_t mix = 0;

    netem_plan_init(&plan);
    for (size_t i = 0; i < NETEM_DIRECTIONS; i++) {
        plan.stages[0].legs[i].link.loss_ppm = 100000;
        plan.stages[0].legs[i].link.jitter_us = 1000;
    }
    netem_way_init(&way, &plan, d, seed, ROOM);
    for (weft_time t = 0; t < 1000; t++) {
        mix = mix * 31 + (uint64_t)put(t, "x") + netem_way_deadline(&way);
        free(netem_way_take(&way, t));
    }
    netem_way_deinit(&way);
    return mix;
}

TEST(one_seed_is_one_run_and_each_direction_has_its_own)
{
    CHECK_EQ(trace(5, NETEM_UP), trace(5, NETEM_UP));
    CHECK_NE(trace(5, NETEM_UP), trace(6, NETEM_UP));
    CHECK_NE(trace(5, NETEM_UP), trace(5, NETEM_DOWN));
}
