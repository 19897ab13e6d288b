/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_test.c - properties of the link by name and by direction, and what holds when.
 */
#include "netem/plan.h"
#include "test.h"

static struct netem_plan plan;

static enum netem_set set(const char *name, const char *value)
{
    const char *wanted = NULL;
    const enum netem_set done = netem_plan_set(&plan, name, value, &wanted);

    CHECK((wanted != NULL) == (done == NETEM_BAD_VALUE));
    return done;
}

static const struct sim_link_config *link_of(size_t stage, enum netem_direction d)
{
    return &plan.stages[stage].legs[d].link;
}

TEST(a_new_plan_does_nothing_and_keeps_the_order)
{
    static const struct sim_link_config still = {.keeps_order = true};

    netem_plan_init(&plan);
    CHECK_EQ(plan.count, 1);
    CHECK_MEM_EQ(link_of(0, NETEM_UP), &still, sizeof still);
    CHECK_MEM_EQ(link_of(0, NETEM_DOWN), &still, sizeof still);
}

TEST(a_property_holds_for_both_directions_or_for_the_named_one)
{
    netem_plan_init(&plan);
    CHECK_EQ(set("delay", "10ms"), NETEM_SET);
    CHECK_EQ(set("up-loss", "2%"), NETEM_SET);
    CHECK_EQ(set("down-delay", "30ms"), NETEM_SET);
    CHECK_EQ(link_of(0, NETEM_UP)->delay_us, 10000);
    CHECK_EQ(link_of(0, NETEM_DOWN)->delay_us, 30000);
    CHECK_EQ(link_of(0, NETEM_UP)->loss_ppm, 20000);
    CHECK_EQ(link_of(0, NETEM_DOWN)->loss_ppm, 0);
}

TEST(each_property_reaches_its_own_field)
{
    static const struct sim_link_config want = {
        .delay_us = 1,
        .jitter_us = 2,
        .keeps_order = false,
        .loss_ppm = 30000,
        .burst_enter_ppm = 40000,
        .burst_leave_ppm = 50000,
        .burst_loss_ppm = 60000,
        .reorder_ppm = 70000,
        .reorder_us = 8,
        .duplicate_ppm = 90000,
        .corrupt_ppm = 100000,
        .mtu = 1100,
        .mtu_silent = true,
        .rate = 125000,
        .queue_max = 13,
        .ecn_mark = 14,
        .ecn_bleach = true,
        .cut = true,
        .blackout_at = 15,
        .blackout_us = 16,
        .blackout_every_us = 17,
        .drop_from = 18,
        .drop_to = 19,
        .fault_count = 20,
    };
    static const char *const pairs[][2] = {
        {"delay", "1us"},        {"jitter", "2us"},     {"keep-order", "no"},
        {"loss", "3%"},          {"burst", "4%,5%,6%"}, {"reorder", "7%"},
        {"reorder-by", "8us"},   {"duplicate", "9%"},   {"corrupt", "10%"},
        {"mtu", "1100"},         {"mtu-silent", "yes"}, {"rate", "1mbit"},
        {"queue", "13"},         {"ecn-mark", "14"},    {"ecn-bleach", "yes"},
        {"cut", "yes"},          {"drop", "18-19"},     {"blackout", "15us+16us/17us"},
        {"fault-packets", "20"},
    };

    netem_plan_init(&plan);
    for (size_t i = 0; i < WF_ARRAY_LEN(pairs); i++) {
        CHECK_EQ(set(pairs[i][0], pairs[i][1]), NETEM_SET);
    }
    netem_plan_finish(&plan);
    /* Static: what lies between the fields is zero in both. */
    CHECK_MEM_EQ(link_of(0, NETEM_UP), &want, sizeof want);
    CHECK_MEM_EQ(link_of(0, NETEM_DOWN), &want, sizeof want);
}

TEST(what_a_property_cannot_be_is_refused)
{
    static const char *const pairs[][2] = {
        {"delay", "20"},          {"delay", "61min"},
        {"loss", "101%"},         {"burst", "1%,2%"},
        {"burst", "1%,2%,3%,4%"}, {"keep-order", "1"},
        {"rate", "999gbit0"},     {"rate", "0.1kbit"},
        {"rate", "1001gbit"},     {"queue", "2000m"},
        {"blackout", "5s"},       {"blackout", "5s+1s/0s"},
        {"blackout", "5s+"},      {"drop", "0"},
        {"drop", "5-4"},          {"drop", "-"},
        {"mtu", "1.5s"},          {"fault-packets", "1.5"},
    };

    netem_plan_init(&plan);
    for (size_t i = 0; i < WF_ARRAY_LEN(pairs); i++) {
        test_note("%s %s", pairs[i][0], pairs[i][1]);
        CHECK_EQ(set(pairs[i][0], pairs[i][1]), NETEM_BAD_VALUE);
    }
    CHECK_EQ(set("speed", "1"), NETEM_UNKNOWN);
    CHECK_EQ(set("up-down-delay", "1ms"), NETEM_UNKNOWN);
    CHECK_EQ(set("", "1ms"), NETEM_UNKNOWN);
}

TEST(a_queue_given_as_a_time_is_bytes_at_the_rate)
{
    netem_plan_init(&plan);
    CHECK_EQ(set("rate", "10mbit"), NETEM_SET);
    CHECK_EQ(set("up-queue", "50ms"), NETEM_SET);
    CHECK_EQ(set("ecn-mark", "5ms"), NETEM_SET);
    netem_plan_finish(&plan);
    CHECK_EQ(link_of(0, NETEM_UP)->queue_max, 62500);
    CHECK_EQ(link_of(0, NETEM_DOWN)->queue_max, 125000); /* 100 ms when nothing is said */
    CHECK_EQ(link_of(0, NETEM_UP)->ecn_mark, 6250);
}

TEST(the_longest_queue_at_the_highest_rate_stays_within_its_limit)
{
    netem_plan_init(&plan);
    CHECK_EQ(set("rate", "1000gbit"), NETEM_SET);
    CHECK_EQ(set("queue", "60min"), NETEM_SET);
    netem_plan_finish(&plan);
    CHECK_EQ(link_of(0, NETEM_UP)->queue_max, 1u << 30);
}

TEST(stages_copy_the_one_before_and_hold_from_their_time_on)
{
    netem_plan_init(&plan);
    CHECK_EQ(set("delay", "10ms"), NETEM_SET);
    CHECK(!netem_plan_add(&plan, 0));
    CHECK(netem_plan_add(&plan, 5000));
    CHECK(!netem_plan_add(&plan, 5000));
    CHECK_EQ(set("up-loss", "1%"), NETEM_SET);
    CHECK(netem_plan_add(&plan, 9000));
    CHECK_EQ(set("delay", "50ms"), NETEM_SET);
    CHECK_EQ(link_of(0, NETEM_UP)->loss_ppm, 0);
    CHECK_EQ(link_of(1, NETEM_UP)->delay_us, 10000);
    CHECK_EQ(link_of(2, NETEM_UP)->loss_ppm, 10000);
    CHECK_EQ(netem_plan_stage(&plan, 0, 4999), 0);
    CHECK_EQ(netem_plan_stage(&plan, 0, 5000), 1);
    CHECK_EQ(netem_plan_stage(&plan, 1, 8999), 1);
    CHECK_EQ(netem_plan_stage(&plan, 0, WEFT_TIME_NEVER), 2);
}

TEST(there_are_as_many_stages_as_the_limit_says)
{
    netem_plan_init(&plan);
    for (size_t i = 1; i < NETEM_STAGES_MAX; i++) {
        CHECK(netem_plan_add(&plan, i));
    }
    CHECK(!netem_plan_add(&plan, NETEM_STAGES_MAX));
    CHECK_EQ(plan.count, NETEM_STAGES_MAX);
}
