/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_test.c - virtual time goes forward only, and events of one time keep their order.
 */
#include "sim/queue.h"
#include "test.h"

#define COUNT 5000

TEST(events_come_out_by_time_and_then_in_the_order_they_went_in)
{
    uint64_t state = test_seed();
    struct sim_queue q;
    struct sim_event ev;
    struct sim_event last = {0};

    sim_queue_init(&q, 10);
    for (uint64_t i = 0; i < COUNT; i++) {
        sim_queue_push(&q, (struct sim_event){.at = 10 + test_next(&state) % 100, .arg = i});
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK(sim_queue_pop(&q, &ev));
        CHECK_LE(last.at, ev.at);
        if (i > 0 && last.at == ev.at) {
            CHECK_LE(last.arg + 1, ev.arg);
        }
        CHECK_EQ(q.now, ev.at);
        last = ev;
    }
    CHECK(!sim_queue_pop(&q, &ev));
    sim_queue_deinit(&q);
}

TEST(an_event_in_the_past_happens_now_after_those_that_were_there)
{
    struct sim_queue q;
    struct sim_event ev;

    sim_queue_init(&q, 100);
    sim_queue_push(&q, (struct sim_event){.at = 100, .arg = 1});
    sim_queue_push(&q, (struct sim_event){.at = 5, .arg = 2});
    CHECK(sim_queue_pop(&q, &ev));
    CHECK_EQ(ev.arg, 1);
    CHECK(sim_queue_pop(&q, &ev));
    CHECK_EQ(ev.arg, 2);
    CHECK_EQ(ev.at, 100);
    sim_queue_deinit(&q);
}

TEST(events_pushed_while_others_are_taken_keep_the_order)
{
    uint64_t state = test_seed();
    struct sim_queue q;
    struct sim_event ev;
    weft_time last = 0;
    uint64_t taken = 0;

    sim_queue_init(&q, 0);
    sim_queue_push(&q, (struct sim_event){.at = 1});
    while (sim_queue_pop(&q, &ev)) {
        CHECK_LE(last, ev.at);
        last = ev.at;
        taken++;
        for (uint64_t i = 0; i < 2 && taken + q.count < COUNT; i++) {
            sim_queue_push(&q, (struct sim_event){.at = ev.at + test_next(&state) % 50});
        }
    }
    CHECK_EQ(taken, COUNT);
    sim_queue_deinit(&q);
}
