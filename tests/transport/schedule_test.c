/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule_test.c - whose turn it is: equal shares in a class, urgent first, a little for those who
 * wait, and no step over messages that cannot send.
 */
#include "transport/schedule.h"

#include "test.h"

#define QUANTUM 1200u

static struct wf_turns s;
static struct wf_message_out m[8];

static void begin(void)
{
    wf_schedule_init(&s);
    for (size_t i = 0; i < 8; i++) {
        struct wf_frame_open open = {.open_ended = true};
        wf_message_out_init(&m[i], i + 1, &open);
    }
}

static size_t turn(size_t bytes)
{
    struct wf_message_out *next = wf_schedule_next(&s, QUANTUM);

    CHECK(next != NULL);
    wf_schedule_charge(&s, next, bytes, QUANTUM);
    return (size_t)(next - m);
}

TEST(messages_of_one_class_get_equal_bytes_whatever_their_turns_are_worth)
{
    uint64_t sent[3] = {0};

    begin();
    for (size_t i = 0; i < 3; i++)
        wf_schedule_move(&s, &m[i], WF_QUEUE_READY);
    for (int round = 0; round < 3000; round++) {
        struct wf_message_out *next = wf_schedule_next(&s, QUANTUM);
        size_t i = (size_t)(next - m);
        size_t bytes = i == 0 ? 1200 : i == 1 ? 300 : 60000;
        sent[i] += bytes;
        wf_schedule_charge(&s, next, bytes, QUANTUM);
    }
    for (size_t i = 0; i < 3; i++) {
        CHECK_LE(sent[i], sent[0] + 70000);
        CHECK_LE(sent[0], sent[i] + 70000);
    }
}

TEST(a_newcomer_gets_a_turn_before_those_before_it_get_a_second_one)
{
    begin();
    wf_schedule_move(&s, &m[0], WF_QUEUE_READY);
    wf_schedule_move(&s, &m[1], WF_QUEUE_READY);
    CHECK_EQ(turn(1200), 0);
    wf_schedule_move(&s, &m[2], WF_QUEUE_READY);
    CHECK_EQ(turn(1200), 1);
    size_t third = turn(1200), fourth = turn(1200);
    CHECK(third == 2 || fourth == 2);
}

TEST(urgent_goes_first_and_each_lower_class_gets_a_sixteenth)
{
    uint64_t sent[3] = {0};

    begin();
    m[0].open.priority = WF_PRIORITY_BACKGROUND;
    m[1].open.priority = WF_PRIORITY_NORMAL;
    m[2].open.priority = WF_PRIORITY_URGENT;
    for (size_t i = 0; i < 3; i++)
        wf_schedule_move(&s, &m[i], WF_QUEUE_READY);
    CHECK_EQ(turn(1200), 2);
    for (int round = 0; round < 10000; round++)
        sent[turn(1200)]++;
    CHECK(sent[2] > 8500);
    CHECK(sent[1] > 500);
    CHECK(sent[0] > 500);
}

TEST(parked_and_waiting_messages_are_not_looked_at_until_they_are_let_in)
{
    begin();
    wf_schedule_move(&s, &m[0], WF_QUEUE_PARKED);
    wf_schedule_move(&s, &m[3], WF_QUEUE_WAITING);
    wf_schedule_move(&s, &m[1], WF_QUEUE_WAITING);
    wf_schedule_move(&s, &m[2], WF_QUEUE_WAITING);
    CHECK(!wf_schedule_has_ready(&s));
    CHECK(wf_schedule_next(&s, QUANTUM) == NULL);
    wf_schedule_unpark(&s);
    CHECK_EQ(turn(1), 0);
    wf_schedule_move(&s, &m[0], WF_QUEUE_NONE);
    wf_schedule_admit(&s, 1);
    CHECK(!wf_schedule_has_ready(&s));
    wf_schedule_admit(&s, 3); /* numbers 2 and 3, in their order */
    CHECK_EQ(turn(2000), 1);
    CHECK_EQ(turn(2000), 2);
    CHECK_EQ(s.waiting.count, 1);
    wf_schedule_admit(&s, 4);
    CHECK_EQ(s.waiting.count, 0);
}
