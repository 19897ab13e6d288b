/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acks_test.c - when an ACK is due, what it says, and that what it says is the truth.
 */
#include "transport/acks.h"

#include "base/datagram.h"
#include "test.h"

#define DELAY_US 25000u

static struct wf_acks acks;
static struct wf_mem *mem;

static void begin(void)
{
    mem = test_mem();
    wf_acks_init(&acks, mem, DELAY_US);
}

static void end(void)
{
    wf_acks_deinit(&acks);
    CHECK_EQ(mem->held, 0);
}

static void receive(weft_time now, uint64_t number)
{
    const struct wf_acks_packet p = {.number = number, .needs_ack = true};

    wf_acks_on_packet(&acks, now, &p);
}

static void receive_ack_only(weft_time now, uint64_t number)
{
    const struct wf_acks_packet p = {.number = number};

    wf_acks_on_packet(&acks, now, &p);
}

static uint8_t out[8192];
static struct wf_frame frame;

static struct wf_acks_told put(weft_time now)
{
    struct wf_writer w = wf_writer_of(out, sizeof out);
    struct wf_acks_told told = {0};

    CHECK(wf_acks_put(&acks, now, &w, &told));
    struct wf_reader r = wf_reader_of((weft_span){out, w.len});

    CHECK_OK(wf_frame_get(&r, &frame));
    CHECK(wf_reader_done(&r));
    CHECK_EQ(frame.u.ack.newest, told.newest);
    CHECK_EQ(frame.u.ack.floor, told.floor);
    return told;
}

/* Whether the frame written last acknowledges a number. */
static bool says(uint64_t number)
{
    struct wf_ack_iter it = wf_ack_runs_of(&frame.u.ack);
    struct wf_ack_run run;

    if (number > frame.u.ack.newest || number < frame.u.ack.floor)
        return false;
    while (wf_ack_next_run(&it, &run)) {
        if (number >= run.first && number <= run.last)
            return false;
    }
    return true;
}

TEST(nothing_is_due_and_nothing_written_before_the_first_packet)
{
    struct wf_writer w = wf_writer_of(out, sizeof out);
    struct wf_acks_told told;

    begin();
    CHECK(!wf_acks_is_waiting(&acks));
    CHECK(!wf_acks_is_due(&acks, 1u << 30));
    CHECK_EQ(wf_acks_deadline(&acks), WEFT_TIME_NEVER);
    CHECK(!wf_acks_put(&acks, 5, &w, &told));
    CHECK_EQ(w.len, 0);
}

/* SPEC 4.1-1 */
TEST(one_packet_is_acknowledged_after_the_delay_and_two_at_once)
{
    begin();
    receive(1000, 1);
    CHECK(wf_acks_is_waiting(&acks));
    CHECK_EQ(wf_acks_deadline(&acks), 1000 + DELAY_US);
    CHECK(!wf_acks_is_due(&acks, 1000 + DELAY_US - 1));
    CHECK(wf_acks_is_due(&acks, 1000 + DELAY_US));
    receive(1001, 2);
    CHECK(wf_acks_is_due(&acks, 1001));
    CHECK_EQ(wf_acks_deadline(&acks), 0);
    put(1501);
    CHECK_EQ(frame.u.ack.newest, 2);
    CHECK_EQ(frame.u.ack.floor, 1);
    CHECK_EQ(frame.u.ack.delay_us, 500);
    CHECK_EQ(frame.type, WF_FRAME_ACK);
    CHECK(!wf_acks_is_waiting(&acks));
    CHECK_EQ(wf_acks_deadline(&acks), WEFT_TIME_NEVER);
}

TEST(the_delay_is_a_quarter_of_the_round_trip_but_one_millisecond_at_least)
{
    static const struct {
        uint64_t srtt, delay;
    } rows[] = {{50, 1000},
                {4000, 1000},
                {4004, 1001},
                {40000, 10000},
                {4 * DELAY_US, 25000},
                {4 * DELAY_US - 4, 24999},
                {9000000, 25000},
                {0, 25000}};

    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        begin();
        wf_acks_set_rtt(&acks, rows[i].srtt);
        receive(7, 1);
        CHECK_EQ(wf_acks_deadline(&acks), 7 + rows[i].delay);
    }
}

/* SPEC 4.1-1 */
TEST(a_gap_is_told_at_once_and_so_are_the_two_packets_after_it)
{
    begin();
    receive(1, 1);
    put(1);
    receive(2, 3);
    CHECK(wf_acks_is_due(&acks, 2));
    put(2);
    CHECK(!says(2));
    CHECK(says(3));
    receive(3, 4);
    CHECK(wf_acks_is_due(&acks, 3));
    put(3);
    receive(4, 5);
    CHECK(wf_acks_is_due(&acks, 4));
    put(4);
    receive(5, 6);
    CHECK(!wf_acks_is_due(&acks, 5));
}

TEST(hurry_makes_only_what_waits_due)
{
    begin();
    wf_acks_hurry(&acks);
    CHECK(!wf_acks_is_due(&acks, 1));
    CHECK_EQ(wf_acks_deadline(&acks), WEFT_TIME_NEVER);
    receive(1, 1);
    CHECK(!wf_acks_is_due(&acks, 1));
    wf_acks_hurry(&acks);
    CHECK(wf_acks_is_due(&acks, 1));
}

TEST(a_gap_seen_by_an_ack_only_packet_makes_the_next_one_urgent)
{
    begin();
    receive(1, 1);
    put(1);
    receive_ack_only(2, 4);
    CHECK(!wf_acks_is_waiting(&acks));
    receive(3, 5);
    CHECK(wf_acks_is_due(&acks, 3));
}

/* SPEC 4.1-1 */
TEST(a_late_packet_is_acknowledged_at_once)
{
    begin();
    receive(1, 1);
    receive(1, 3);
    put(1);
    receive(2, 2);
    CHECK(wf_acks_is_due(&acks, 2));
    put(2);
    CHECK_EQ(frame.u.ack.newest, 3);
    CHECK_EQ(frame.u.ack.run_count, 0);
}

/* SPEC 4.1-1 */
TEST(a_congestion_mark_is_told_at_once_with_the_counts)
{
    const struct wf_acks_packet marked = {.number = 2, .needs_ack = true, .ecn = WF_ECN_CE};
    const struct wf_acks_packet ect = {.number = 1, .needs_ack = true, .ecn = WF_ECN_ECT0};

    begin();
    wf_acks_on_packet(&acks, 1, &ect);
    CHECK(!wf_acks_is_due(&acks, 1));
    put(1);
    wf_acks_on_packet(&acks, 2, &marked);
    CHECK(wf_acks_is_due(&acks, 2));
    put(2);
    CHECK_EQ(frame.type, WF_FRAME_ACK_ECN);
    CHECK_EQ(frame.u.ack.ect0, 1);
    CHECK_EQ(frame.u.ack.ect1, 0);
    CHECK_EQ(frame.u.ack.ce, 1);
}

/* SPEC 4.1-2 */
TEST(packets_that_need_no_ack_are_told_but_never_make_an_ack_due)
{
    begin();
    for (uint64_t n = 1; n < 2000; n += 2) {
        receive_ack_only(n, n);
        CHECK(!wf_acks_is_waiting(&acks));
        CHECK_EQ(wf_acks_deadline(&acks), WEFT_TIME_NEVER);
    }
    receive(2000, 2001);
    put(2000);
    CHECK(says(1999));
    CHECK(!says(2000));
    end();
}

/* Packets at a steady distance; the number of ACKs in the last of some round trips. */
static uint64_t acks_in_a_round(uint64_t srtt, uint64_t packets_per_round)
{
    uint64_t number = 1;
    uint64_t count = 0;

    begin();
    wf_acks_set_rtt(&acks, srtt);
    for (uint64_t round = 0; round < 6; round++) {
        count = 0;
        for (uint64_t i = 0; i < packets_per_round; i++) {
            const weft_time now = 1000000 + round * srtt + i * srtt / packets_per_round;

            receive(now, number++);
            if (wf_acks_is_due(&acks, now)) {
                put(now);
                count++;
            }
        }
    }
    return count;
}

/* SPEC 4.1-1 */
TEST(there_are_four_acks_a_window_and_far_fewer_than_packets_on_a_good_path)
{
    for (uint64_t window = 8; window <= 4096; window *= 2) {
        const uint64_t count = acks_in_a_round(40000, window);
        const uint64_t least = window / WF_ACKS_EVERY_MAX > 4 ? window / WF_ACKS_EVERY_MAX : 4;

        test_note("window %u", (unsigned)window);
        CHECK_LE(least, count);
        CHECK_LE(count, window <= 16 ? window / 2 : (least > 8 ? least : 8) + 1);
        CHECK_LE(acks.every, WF_ACKS_EVERY_MAX);
    }
}

TEST(after_a_pause_acks_come_often_again)
{
    CHECK_LE(acks_in_a_round(40000, 4096), 65);
    CHECK_EQ(acks.every, WF_ACKS_EVERY_MAX);
    receive(100000000, acks.newest + 1);
    CHECK_EQ(acks.every, WF_ACKS_EVERY_MIN);
}

TEST(only_the_newest_256_ranges_are_kept_and_an_ack_holds_them_all)
{
    begin();
    for (uint64_t n = 2; n <= 2 * 300; n += 2) {
        receive(n, n);
        CHECK_LE(wf_ranges_count(&acks.received.r), WF_ACKS_RANGES_MAX);
    }
    put(1000);
    CHECK_EQ(frame.u.ack.run_count, 255);
    CHECK_EQ(frame.u.ack.floor, 600 - 2 * 255);
    receive(1001, 4); /* lower than all: forgotten, and nothing else with it */
    put(1001);
    CHECK(!says(4));
    CHECK_EQ(frame.u.ack.floor, 600 - 2 * 255);
    CHECK_EQ(mem->held, 256 * sizeof(struct wf_range));
    end();
}

TEST(packets_in_order_cost_no_memory_and_gaps_as_much_as_there_are)
{
    begin();
    for (uint64_t n = 1; n <= 1000; n++)
        receive(n, n);
    receive(2000, 1002);
    CHECK_EQ(mem->allocations, 0);
    receive(2000, 1004);
    CHECK_EQ(mem->held, 4 * sizeof(struct wf_range));
    put(3000);
    CHECK_EQ(frame.u.ack.run_count, 2);
    end();
}

TEST(without_memory_the_newest_ranges_are_told_and_the_lowest_is_forgotten)
{
    begin();
    mem->cap = 4 * sizeof(struct wf_range);
    for (uint64_t n = 2; n <= 20; n += 2) {
        receive(n, n);
        put(n);
        CHECK(says(n));
        CHECK(!says(n - 1));
    }
    CHECK_EQ(frame.u.ack.run_count, 3);
    CHECK_EQ(frame.u.ack.floor, 14);
    mem->cap = 0;
    receive(22, 22);
    put(22);
    CHECK_EQ(frame.u.ack.run_count, 4);
    end();
}

TEST(an_ack_that_is_cut_by_the_room_raises_its_floor_and_drops_nothing_below_it)
{
    struct wf_acks_told told;

    begin();
    for (uint64_t n = 2; n <= 200; n += 2) {
        receive(n, n);
    }
    for (size_t room = 0; room < 240; room++) {
        struct wf_writer w = wf_writer_of(out, room);

        if (!wf_acks_put(&acks, 300, &w, &told)) {
            CHECK_EQ(w.len, 0);
            CHECK_LE(room, 7);
            continue;
        }
        CHECK_EQ(told.newest, 200);
        if (told.floor > 2) {
            wf_acks_on_told(&acks, &told);
            CHECK_EQ(wf_ranges_count(&acks.received.r), 100);
        }
    }
    CHECK_EQ(told.floor, 2);
    wf_acks_on_told(&acks, &told);
    CHECK_EQ(wf_ranges_count(&acks.received.r), 1);
    end();
}

TEST(what_came_late_is_told_although_an_older_ack_was_confirmed)
{
    begin();
    receive(1, 1);
    receive(1, 4);
    const struct wf_acks_told before = put(1);

    receive(2, 2);
    const struct wf_acks_told after = put(2);

    wf_acks_on_told(&acks, &before);
    put(3);
    CHECK(says(2));
    wf_acks_on_told(&acks, &after);
    put(4);
    CHECK(!says(2));
    CHECK(says(4)); /* the newest always stays */
}

TEST(a_ping_is_wanted_only_when_acks_and_gaps_pile_up_unconfirmed)
{
    struct wf_acks_told told = {0};

    begin();
    for (uint64_t n = 1; n <= 100; n++) {
        receive(n, n);
        told = put(n);
    }
    CHECK(!wf_acks_wants_ping(&acks)); /* no gaps */
    for (uint64_t n = 102; n <= 200; n += 2) {
        receive(n, n);
        told = put(n);
    }
    CHECK(wf_acks_wants_ping(&acks));
    wf_acks_on_told(&acks, &told);
    CHECK(!wf_acks_wants_ping(&acks));
    end();
}

#define MODEL_NUMBERS 65536u

static bool model_got[MODEL_NUMBERS];
static bool model_confirmed[MODEL_NUMBERS];

static void check_against_model(uint64_t low)
{
    for (uint64_t n = low; n < MODEL_NUMBERS; n++) {
        if (says(n)) {
            CHECK(model_got[n]);
        } else if (model_got[n] && n >= frame.u.ack.floor) {
            CHECK(model_confirmed[n]);
        }
    }
}

/* Numbers come forwards with jumps, late ones too; some ACKs are confirmed, in order or not. */
TEST(a_hundred_thousand_random_steps_agree_with_a_bitmap)
{
    uint64_t state = test_seed();
    struct wf_acks_told pending = {0};
    bool has_pending = false;
    uint64_t top = 0;

    begin();
    memset(model_got, 0, sizeof model_got);
    memset(model_confirmed, 0, sizeof model_confirmed);
    for (uint64_t step = 0; step < 100000 && top + 8 < MODEL_NUMBERS; step++) {
        const uint64_t dice = test_next(&state);
        uint64_t n = top + 1 + (dice % 16 == 0 ? dice / 16 % 4 : 0);

        test_note("seed %u step %u", (unsigned)test_seed(), (unsigned)step);
        if (dice / 64 % 8 == 0 && top > 64) {
            n = top - dice / 512 % 64;
        }
        if (!model_got[n]) {
            receive(step, n);
            model_got[n] = true;
            top = n > top ? n : top;
        }
        if (dice >> 32 & 1) {
            CHECK(acks.late_min == UINT64_MAX || acks.late_min <= top);
        }
        if (step % 64 != 0)
            continue;
        if (has_pending && (dice >> 33 & 1)) {
            wf_acks_on_told(&acks, &pending);
            has_pending = false;
        }
        const struct wf_acks_told told = put(step);

        check_against_model(top > 4096 ? top - 4096 : 0);
        if (!has_pending) {
            /* Everything said now counts as confirmed from when the pending ACK is. */
            for (uint64_t k = told.floor; k <= told.newest; k++) {
                model_confirmed[k] = model_confirmed[k] || says(k);
            }
            pending = told;
            has_pending = true;
        }
    }
    CHECK_LE(20000, top);
    end();
}
