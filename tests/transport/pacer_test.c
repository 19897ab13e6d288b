/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pacer_test.c - spacing: what leaves in any stretch of time is the rate times the stretch and one
 * burst.
 */
#include "transport/pacer.h"

#include "test.h"

static struct wf_pacer pacer;

/* Sends as much as is allowed in whole datagrams, at most a train of 64 KiB; bytes sent. */
static uint64_t send_train(weft_time now)
{
    uint64_t room = wf_pacer_room(&pacer, now);
    uint64_t sent = 0;

    while (room >= pacer.datagram_len && sent + pacer.datagram_len <= 65536) {
        room -= pacer.datagram_len;
        sent += pacer.datagram_len;
    }
    if (sent > 0) {
        wf_pacer_on_sent(&pacer, now, sent);
    }
    return sent;
}

/* A sender with endless data that is woken at the pacer's time plus late; bytes sent in a duration.
 */
static uint64_t run(uint64_t rate, uint64_t datagram_len, uint64_t late, uint64_t duration)
{
    const weft_time start = 5000000;
    weft_time now = start;
    uint64_t sum = 0;

    wf_pacer_init(&pacer, now, datagram_len);
    wf_pacer_set(&pacer, now, rate, datagram_len);
    while (now < start + duration) {
        const uint64_t sent = send_train(now);

        sum += sent;
        if (sent == 0) {
            const weft_time due = wf_pacer_wait(&pacer, now);

            CHECK_LE(now + 1, due);
            now = due + late;
        }
    }
    return sum;
}

TEST(without_a_rate_nothing_is_held_back)
{
    wf_pacer_init(&pacer, 5, 1200);
    CHECK_EQ(wf_pacer_room(&pacer, 5), UINT64_MAX);
    wf_pacer_on_sent(&pacer, 5, 1u << 30);
    CHECK_EQ(wf_pacer_room(&pacer, 5), UINT64_MAX);
    CHECK_EQ(wf_pacer_wait(&pacer, 5), 5);
}

/* SPEC 4.2-1 */
TEST(a_burst_is_a_millisecond_of_the_rate_within_two_datagrams_and_64_kib)
{
    static const struct {
        uint64_t rate, datagram, burst;
    } rows[] = {{1, 1200, 2400},         {2400000, 1200, 2400},    {2401000, 1200, 2401},
                {12500000, 1472, 12500}, {65536000, 1472, 65536},  {1000000000, 1472, 65536},
                {1000, 65507, 65536},    {5000000000, 9000, 65536}};

    for (size_t k = 0; k < WF_ARRAY_LEN(rows); k++) {
        wf_pacer_init(&pacer, 0, rows[k].datagram);
        wf_pacer_set(&pacer, 0, rows[k].rate, rows[k].datagram);
        CHECK_EQ(pacer.burst, rows[k].burst);
        wf_pacer_rest(&pacer);
        const uint64_t room = wf_pacer_room(&pacer, 1ull << 40);

        CHECK_EQ(room, rows[k].burst);
    }
}

TEST(the_rate_is_kept_within_one_percent_over_a_second_at_any_speed)
{
    static const uint64_t rates[] = {20000,     125000,     1250000,     12500000,
                                     125000000, 1250000000, 12500000000, 100000000000};
    static const uint64_t sizes[] = {1200, 1472, 9000, 65507};

    for (size_t k = 0; k < WF_ARRAY_LEN(rates); k++) {
        for (size_t i = 0; i < WF_ARRAY_LEN(sizes); i++) {
            const uint64_t duration = rates[k] > 1000000000 ? 20000 : 1000000;
            const uint64_t want = rates[k] / 1000000 * duration + rates[k] % 1000000;
            const uint64_t got = run(rates[k], sizes[i], 0, duration);
            /* One burst at the beginning, and what still misses for a datagram at the end. */
            const uint64_t slack = 2 * pacer.burst + 2 * sizes[i];

            test_note("%llu B/s, %u bytes", (unsigned long long)rates[k], (unsigned)sizes[i]);
            CHECK_LE(want - want / 100, got + slack);
            CHECK_LE(got, want + want / 100 + slack);
        }
    }
}

/* Loopback: gigabytes a second, a clock of one microsecond, wake-ups that come tens of them late.
 */
TEST(late_wake_ups_do_not_lower_the_rate)
{
    for (uint64_t late = 0; late <= 9900; late += 60) {
        const uint64_t rate = 5000000000;
        const uint64_t got = run(rate, 65507, late, 50000 + late);

        test_note("%u us late", (unsigned)late);
        CHECK_LE(rate / 20 * 98 / 100, got + 65536);
    }
}

/* SPEC 4.2-1 */
TEST(the_bytes_of_a_delay_end_at_ten_milliseconds)
{
    wf_pacer_init(&pacer, 0, 1472);
    wf_pacer_set(&pacer, 0, 1000000000, 1472);
    while (send_train(0) > 0) {
    }
    const weft_time due = wf_pacer_wait(&pacer, 0);

    CHECK_LE(wf_pacer_room(&pacer, due + 10000000), 65536 + 10000000);
    CHECK_LE(10000000, wf_pacer_room(&pacer, due + 10000000));
}

/* It was not waiting: the machine took the processor away while it had more to send. */
TEST(a_sender_that_is_held_up_at_work_gets_the_bytes_of_that_time)
{
    wf_pacer_init(&pacer, 0, 1200);
    wf_pacer_set(&pacer, 0, 12500000, 1200);
    wf_pacer_on_sent(&pacer, 0, 12500);
    CHECK_EQ(wf_pacer_room(&pacer, 6000), 75000);
}

TEST(an_idle_sender_earns_one_burst_and_no_more)
{
    wf_pacer_init(&pacer, 0, 1200);
    wf_pacer_set(&pacer, 0, 12500000, 1200);
    while (send_train(0) > 0) {
    }
    (void)wf_pacer_wait(&pacer, 0);
    wf_pacer_rest(&pacer);
    CHECK_EQ(wf_pacer_room(&pacer, 1ull << 45), 12500);
}

TEST(pairs_of_datagrams_are_spaced_when_the_rate_is_low)
{
    weft_time now = 0;
    weft_time last = 0;

    wf_pacer_init(&pacer, now, 1200);
    wf_pacer_set(&pacer, now, 120000, 1200); /* one in 10 ms */
    CHECK_EQ(send_train(now), 2400);
    for (int k = 0; k < 100; k++) {
        CHECK_EQ(wf_pacer_room(&pacer, now), 0);
        now = wf_pacer_wait(&pacer, now);
        CHECK_EQ(now - last, 20000);
        CHECK_EQ(wf_pacer_room(&pacer, now - 10001), 0);
        CHECK_EQ(send_train(now), 2400);
        last = now;
    }
}

TEST(room_is_nothing_or_a_datagram_at_least)
{
    uint64_t state = test_seed();
    weft_time now = 0;

    wf_pacer_init(&pacer, now, 1200);
    wf_pacer_set(&pacer, now, 3000000, 1200);
    for (int k = 0; k < 20000; k++) {
        const uint64_t dice = test_next(&state);

        now += dice % 700;
        const uint64_t room = wf_pacer_room(&pacer, now);

        CHECK(room == 0 || room >= pacer.datagram_len);
        if (dice % 3 == 0) {
            wf_pacer_on_sent(&pacer, now, dice % 5000); /* more than allowed too: a probe */
        }
        if (dice % 50 == 0) {
            wf_pacer_set(&pacer, now, dice >> dice % 64, 1200 + dice % 64000);
        }
        if (dice % 7 == 0) {
            (void)wf_pacer_wait(&pacer, now);
        }
    }
}

TEST(a_rate_that_changes_takes_effect_at_once)
{
    wf_pacer_init(&pacer, 0, 1200);
    wf_pacer_set(&pacer, 0, 120000, 1200);
    while (send_train(0) > 0) {
    }
    wf_pacer_set(&pacer, 0, 1200000, 1200);
    CHECK_EQ(wf_pacer_wait(&pacer, 0), 2000);
    CHECK_EQ(send_train(1000), 1200); /* whoever asks before gets what there is */
}
