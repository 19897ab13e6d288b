/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sent_test.c - the record of sent packets: sums, fates, and a peer that lies about what it
 * received.
 */
#include "transport/sent.h"

#include "ack_help.h"
#include "test.h"

static struct wf_sent sent;
static struct ack_help help;
static struct wf_fates fates;
static struct wf_mem *mem;

static void begin(uint64_t first, size_t packets_max)
{
    mem = test_mem();
    wf_sent_init(&sent, mem, first, packets_max);
}

static void end(void)
{
    wf_sent_frames_free(&sent, &fates.frames);
    CHECK(wf_sent_check(&sent) == NULL);
    wf_sent_deinit(&sent);
}

/* Sends one packet with one frame that carries its number, and returns that. */
static uint64_t send_with(weft_time at, uint32_t bytes, unsigned flags)
{
    struct wf_sent_packet p = {.at = at, .bytes = bytes, .flags = (uint8_t)flags};

    CHECK_OK(wf_sent_reserve(&sent));
    CHECK_OK(wf_sent_frame_add(
        &sent, &p.frames,
        &(struct wf_sent_frame){.type = WF_FRAME_MESSAGE_DATA, .number = sent.next}));
    wf_sent_put(&sent, &p);
    return sent.next - 1;
}

static uint64_t send(weft_time at)
{
    return send_with(at, 1000, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT);
}

static weft_err ack(uint64_t first, uint64_t last)
{
    wf_sent_frames_free(&sent, &fates.frames);
    return wf_sent_on_ack(&sent, ack_of(&help, first, last), &fates);
}

/* A skip, by asking until one happens. */
static uint64_t skip(void)
{
    struct wf_rng *rng = test_rng(test_seed());

    for (;;) {
        const uint64_t before = sent.next;

        CHECK_OK(wf_sent_reserve(&sent));
        if (wf_sent_number(&sent, rng, 16) != before)
            return before;
        send(before);
    }
}

TEST(what_was_sent_and_acknowledged_adds_up)
{
    begin(1, 0);
    for (uint64_t n = 1; n <= 10; n++) {
        CHECK_EQ(send(100 * n), n);
    }
    CHECK_EQ(sent.in_flight, 10000);
    CHECK_EQ(sent.need_ack, 10);
    CHECK_EQ(sent.last_need_ack_at, 1000);
    CHECK_OK(ack(3, 7));
    CHECK_EQ(fates.packets, 5);
    CHECK_EQ(fates.bytes, 5000);
    CHECK_EQ(fates.newest, 7);
    CHECK_EQ(fates.newest_at, 700);
    CHECK(fates.is_sample);
    CHECK_EQ(fates.sample_at, 700);
    CHECK_EQ(sent.in_flight, 5000);
    CHECK_EQ(sent.need_ack, 5);
    uint64_t want = 3;

    for (const struct wf_sent_frame *f = fates.frames.first; f != NULL; f = f->next) {
        CHECK_EQ(f->number, want);
        want++;
    }
    CHECK_EQ(want, 8);
    CHECK(wf_sent_check(&sent) == NULL);
    end();
}

TEST(the_same_ack_again_gives_nothing)
{
    begin(1, 0);
    send(1);
    send(2);
    CHECK_OK(ack(1, 2));
    CHECK_EQ(fates.packets, 2);
    CHECK_OK(ack(1, 2));
    CHECK_EQ(fates.packets, 0);
    CHECK_EQ(fates.bytes, 0);
    CHECK(!fates.is_sample);
    CHECK(fates.frames.first == NULL);
    CHECK_EQ(sent.low, sent.next);
    end();
}

TEST(an_older_newest_number_gives_no_sample)
{
    begin(1, 0);
    send(1);
    send(2);
    send(3);
    CHECK_OK(ack(3, 3));
    CHECK(fates.is_sample);
    CHECK_OK(wf_sent_on_ack(&sent, ack_of_ranges(&help, (struct wf_ack_run[]){{3, 3}, {1, 1}}, 2),
                            &fates));
    CHECK_EQ(fates.packets, 1);
    CHECK(!fates.is_sample);
    CHECK_EQ(sent.newest_acked, 3);
    end();
}

TEST(packets_that_need_no_ack_give_no_sample_and_hold_no_window)
{
    begin(1, 0);
    send_with(5, 60, 0);
    CHECK_EQ(sent.in_flight, 0);
    CHECK_EQ(sent.need_ack, 0);
    CHECK_OK(ack(1, 1));
    CHECK_EQ(fates.packets, 1);
    CHECK_EQ(fates.bytes, 0);
    CHECK(!fates.is_sample);
    CHECK(!fates.needed_ack);
    end();
}

/* SPEC 3.1-2 */
TEST(an_ack_of_a_number_that_was_never_sent_changes_nothing)
{
    begin(1, 0);
    CHECK_EQ(ack(0, 1), WEFT_ERR_PROTOCOL);
    send(1);
    send(2);
    const uint64_t in_flight = sent.in_flight;

    CHECK_EQ(ack(1, 3), WEFT_ERR_PROTOCOL);
    CHECK_EQ(ack(WF_FRAME_NUMBER_MAX, WF_FRAME_NUMBER_MAX), WEFT_ERR_PROTOCOL);
    CHECK_EQ(ack(0, WF_FRAME_NUMBER_MAX), WEFT_ERR_PROTOCOL);
    CHECK_EQ(sent.in_flight, in_flight);
    CHECK_EQ(fates.packets, 0);
    CHECK(!sent.has_acked);
    CHECK_OK(ack(0, 2)); /* the handshake's number, which is below the ring */
    CHECK_EQ(fates.packets, 2);
    end();
}

/* SPEC 4.1-4 */
TEST(an_ack_of_a_skipped_number_is_refused_wherever_it_stands)
{
    begin(1, 0);
    for (int round = 0; round < 20; round++) {
        const uint64_t s = skip();

        for (int k = 0; k < 4; k++) {
            send(s);
        }
        const uint64_t top = sent.next - 1;

        CHECK_EQ(ack(s, s), WEFT_ERR_PROTOCOL);
        CHECK_EQ(ack(1, top), WEFT_ERR_PROTOCOL);
        CHECK_EQ(ack(s, top), WEFT_ERR_PROTOCOL);
        CHECK_EQ(ack(s - 1, s), WEFT_ERR_PROTOCOL);
        const struct wf_ack_run around[] = {{s + 1, top}, {1, s - 1}};

        /* … and honest acks of both sides of it, with everything below: earlier skips are old news.
         */
        wf_sent_frames_free(&sent, &fates.frames);
        if (round == 0) {
            CHECK_OK(wf_sent_on_ack(&sent, ack_of_ranges(&help, around, 2), &fates));
            CHECK_EQ(ack(1, top), WEFT_ERR_PROTOCOL); /* still remembered */
        } else {
            CHECK_OK(ack(s + 1, top));
        }
        CHECK(wf_sent_check(&sent) == NULL);
    }
    end();
}

/* SPEC 4.1-4: an optimistic acker names what is outstanding without having received it. */
TEST(whoever_acks_everything_is_caught_at_the_second_skip_at_the_latest)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct wf_rng *rng = test_rng(seed);
        uint64_t skips = 0;
        bool is_caught = false;

        begin(1, 0);
        for (uint64_t k = 0; k < 3000 && !is_caught; k++) {
            CHECK_OK(wf_sent_reserve(&sent));
            const uint64_t before = sent.next;

            skips += wf_sent_number(&sent, rng, 1000) != before ? 1 : 0;
            send(k);
            if (k % 7 == 0) {
                is_caught = ack(1, sent.next - 1) == WEFT_ERR_PROTOCOL;
            }
            CHECK_LE(skips, 2);
        }
        CHECK(is_caught);
        end();
    }
}

/* SPEC 4.1-4 */
TEST(one_number_in_256_is_skipped_on_average_and_one_in_each_window_at_least)
{
    struct wf_rng *rng = test_rng(test_seed());
    uint64_t skips = 0;
    uint64_t since = 0;

    begin(1, 0);
    for (uint64_t k = 0; k < 200000; k++) {
        CHECK_OK(wf_sent_reserve(&sent));
        const uint64_t before = sent.next;

        since++;
        if (wf_sent_number(&sent, rng, k < 100000 ? 100000 : 40) != before) {
            skips += k < 100000 ? 1 : 0;
            since = 0;
        }
        CHECK_LE(since, k < 100600 ? 512 : 41);
        send(k);
        CHECK_OK(ack(sent.next - 1, sent.next - 1));
    }
    CHECK_LE(100000 / 300, skips);
    CHECK_LE(skips, 100000 / 220);
    CHECK_LE(sent.room, 1024);
    end();
}

TEST(a_lost_packet_leaves_the_flight_and_hands_its_frames_over)
{
    struct wf_fates lost = {0};

    begin(1, 0);
    for (uint64_t n = 1; n <= 5; n++) {
        send(n);
    }
    wf_sent_lose(&sent, 2, &lost);
    wf_sent_lose(&sent, 3, &lost);
    CHECK_EQ(lost.packets, 2);
    CHECK_EQ(lost.bytes, 2000);
    CHECK_EQ(lost.newest_at, 3);
    CHECK_EQ(lost.frames.first->number, 2);
    CHECK_EQ(lost.frames.last->number, 3);
    CHECK_EQ(sent.in_flight, 3000);
    wf_sent_frames_free(&sent, &lost.frames);
    CHECK_OK(ack(1, 5));
    CHECK_EQ(fates.packets, 3);
    CHECK_EQ(fates.spurious, 2);
    CHECK_EQ(fates.spurious_at, 3);
    CHECK_OK(ack(1, 5));
    CHECK_EQ(fates.spurious, 0);
    end();
}

/* SPEC 4.4-1 */
TEST(a_lost_probe_of_the_datagram_size_counts_no_bytes)
{
    struct wf_fates lost = {0};

    begin(1, 0);
    send_with(1, 9000, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT | WF_SENT_MTU_PROBE);
    send_with(2, 1100, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT | WF_SENT_ECT);
    wf_sent_lose(&sent, 1, &lost);
    CHECK_EQ(lost.bytes, 0);
    CHECK_EQ(lost.newest_at, 0);
    CHECK_EQ(lost.mtu_probe, 9000);
    CHECK_EQ(lost.largest, 0);
    CHECK_EQ(sent.in_flight, 1100);
    wf_sent_lose(&sent, 2, &lost);
    CHECK_EQ(lost.bytes, 1100);
    CHECK_EQ(lost.largest, 1100);
    CHECK_EQ(lost.ect, 1);
    wf_sent_frames_free(&sent, &lost.frames);
    end();
}

TEST(a_probe_takes_the_oldest_frames_along_and_leaves_the_packet_outstanding)
{
    struct wf_sent_list list = {0};

    begin(1, 0);
    send_with(1, 50, 0);
    send(2);
    send(3);
    CHECK(wf_sent_take_oldest(&sent, &list));
    CHECK_EQ(list.first->number, 2);
    CHECK(list.first->next == NULL);
    CHECK(wf_sent_take_oldest(&sent, &list));
    CHECK_EQ(list.last->number, 3);
    CHECK(!wf_sent_take_oldest(&sent, &list));
    CHECK_EQ(sent.need_ack, 2);
    wf_sent_frames_free(&sent, &list);
    CHECK_OK(ack(2, 3));
    CHECK_EQ(fates.packets, 2);
    CHECK(fates.frames.first == NULL);
    end();
}

TEST(sizes_that_another_path_carried_say_nothing)
{
    struct wf_fates lost = {0};

    begin(1, 0);
    send_with(1, 9000, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT | WF_SENT_MTU_PROBE);
    send_with(1, 1400, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT);
    send_with(1, 1400, WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT);
    wf_sent_new_path(&sent);
    wf_sent_lose(&sent, 3, &lost);
    CHECK_EQ(lost.largest, 0);
    CHECK_OK(ack(1, 2));
    CHECK_EQ(fates.packets, 2);
    CHECK_EQ(fates.mtu_probe, 0);
    CHECK_EQ(fates.largest, 0);
    wf_sent_frames_free(&sent, &lost.frames);
    end();
}

TEST(what_was_released_counts_no_more_and_still_tells_the_round_trip)
{
    begin(1, 0);
    send(1);
    send(2);
    wf_sent_release(&sent);
    CHECK_EQ(sent.in_flight, 0);
    CHECK_OK(ack(2, 2));
    CHECK_EQ(fates.bytes, 0);
    CHECK(fates.is_sample);
    end();
}

TEST(what_was_in_flight_on_another_path_counts_no_more)
{
    struct wf_fates lost = {0};

    begin(1, 0);
    send(1);
    send(2);
    wf_sent_new_path(&sent);
    CHECK_EQ(sent.in_flight, 0);
    send(3);
    CHECK_EQ(sent.in_flight, 1000);
    wf_sent_lose(&sent, 1, &lost);
    CHECK_EQ(lost.packets, 1);
    CHECK_EQ(lost.bytes, 0);
    CHECK_OK(ack(2, 2));
    CHECK_EQ(fates.bytes, 0);
    CHECK(!fates.is_sample);
    CHECK_EQ(sent.in_flight, 1000);
    CHECK_OK(ack(3, 3));
    CHECK(fates.is_sample);
    CHECK_EQ(sent.in_flight, 0);
    wf_sent_frames_free(&sent, &lost.frames);
    end();
}

TEST(the_ring_stops_at_its_cap_and_goes_on_when_acks_come)
{
    begin(1, 100); /* rounded up to 128 */
    for (uint64_t n = 1; n <= 127; n++) {
        send(n);
    }
    CHECK_EQ(wf_sent_reserve(&sent), WEFT_ERR_LIMIT);
    CHECK_EQ(sent.room, 128);
    CHECK_OK(ack(1, 2));
    CHECK_OK(wf_sent_reserve(&sent));
    end();
}

/* Who only receives sends nothing but acks, and nobody acknowledges those. */
TEST(packets_that_nobody_will_acknowledge_are_forgotten)
{
    struct wf_rng *rng = test_rng(test_seed());

    begin(1, 0);
    for (uint64_t n = 0; n < 20000; n++) {
        CHECK_OK(wf_sent_reserve(&sent));
        (void)wf_sent_number(&sent, rng, 100);
        send_with(n, 50, 0);
    }
    CHECK_LE(sent.room, 512);
    CHECK_LE(sent.frames_used, 512);
    end();
}

TEST(numbers_may_end_near_the_hard_stop)
{
    begin((1ull << 62) - 40, 0);
    for (int k = 0; k < 40; k++) {
        send(1);
    }
    CHECK_OK(ack((1ull << 62) - 40, (1ull << 62) - 1));
    CHECK_EQ(fates.packets, 40);
    CHECK_EQ(ack((1ull << 62) - 40, 1ull << 62), WEFT_ERR_PROTOCOL);
    end();
}

TEST(each_failing_allocation_leaves_the_record_usable)
{
    for (uint64_t nth = 1; nth < 12; nth++) {
        begin(1, 0);
        mem->fail_at = mem->attempts + nth;
        for (uint64_t n = 1; n <= 200; n++) {
            struct wf_sent_packet p = {.at = n, .bytes = 10, .flags = WF_SENT_IN_FLIGHT};
            const struct wf_sent_frame f = {.type = WF_FRAME_PING, .number = n};

            if (wf_sent_reserve(&sent) != WEFT_OK) {
                CHECK_OK(wf_sent_reserve(&sent));
            }
            if (wf_sent_frame_add(&sent, &p.frames, &f) != WEFT_OK) {
                CHECK_OK(wf_sent_frame_add(&sent, &p.frames, &f));
            }
            wf_sent_put(&sent, &p);
            CHECK_EQ(sent.next, n + 1);
        }
        CHECK_OK(ack(1, 200));
        CHECK_EQ(fates.packets, 200);
        end();
    }
}

/* An ACK of every other packet, in a flight of a million of which all of those are acknowledged
 * already: it costs its runs and not the flight. Counted in steps of the bitmap, not in time: what
 * it finds is nothing. */
TEST(an_ack_bomb_in_a_flight_of_a_million_finds_nothing_to_do)
{
    enum { FLIGHT = 1000000, RUNS = 256 };
    static struct wf_ack_run ranges[RUNS];

    begin(1, WF_SENT_PACKETS_MAX);
    for (uint64_t n = 1; n <= FLIGHT; n++) {
        CHECK_OK(wf_sent_reserve(&sent));
        wf_sent_put(&sent,
                    &(struct wf_sent_packet){.at = n, .bytes = 1, .flags = WF_SENT_IN_FLIGHT});
    }
    for (uint64_t i = 0; i < RUNS; i++) {
        ranges[i].last = FLIGHT - i * (FLIGHT / RUNS);
        ranges[i].first = ranges[i].last - (FLIGHT / RUNS - 2);
    }
    CHECK_OK(wf_sent_on_ack(&sent, ack_of_ranges(&help, ranges, RUNS), &fates));
    CHECK_LE(FLIGHT - 2 * RUNS, fates.packets + RUNS * 2);
    const uint64_t left = sent.in_flight;

    for (int again = 0; again < 500; again++) {
        CHECK_OK(wf_sent_on_ack(&sent, &help.frame.u.ack, &fates));
        CHECK_EQ(fates.packets, 0);
    }
    CHECK_EQ(sent.in_flight, left);
    end();
}

enum { MODEL = 40000 };
static uint8_t model[MODEL]; /* 0 unsent, 1 out, 2 acked, 3 lost */

/* Ranges of an honest or a careless ACK over the last numbers, in random pieces; skipped numbers
 * are left out. */
static size_t random_ranges(uint64_t *state, struct wf_ack_run *ranges, size_t room)
{
    uint64_t n = sent.next - 1;
    size_t count = 0;

    while (n > 0 && count < room && n + 3000 > sent.next) {
        uint64_t len = 1 + test_next(state) % 40;

        while (n > 0 && model[n] == 0) {
            n--;
        }
        if (n == 0)
            break;
        ranges[count].last = n;
        while (len > 1 && n > 1 && model[n - 1] != 0) {
            n--;
            len--;
        }
        ranges[count++].first = n;
        n -= n > 2 + test_next(state) % 5 ? 2 : n;
    }
    return count;
}

static void check_fates(const struct wf_ack_run *ranges, size_t count)
{
    uint64_t acked = 0;

    for (size_t i = 0; i < count; i++) {
        for (uint64_t n = ranges[i].first; n <= ranges[i].last; n++) {
            acked += model[n] == 1 ? 1 : 0;
            model[n] = model[n] == 1 ? 2 : model[n];
        }
    }
    CHECK_EQ(fates.packets, acked);
    CHECK_EQ(fates.bytes, acked * 1000);
}

TEST(random_packets_acks_and_losses_agree_with_an_array)
{
    static struct wf_ack_run ranges[WF_ACK_RUNS_MAX];
    uint64_t state = test_seed();
    struct wf_rng *rng = test_rng(test_seed());

    memset(model, 0, sizeof model);
    begin(1, 0);
    while (sent.next + 2 < MODEL) {
        const uint64_t dice = test_next(&state) % 64;
        uint64_t n;

        test_note("seed %u next %u", (unsigned)test_seed(), (unsigned)sent.next);
        if (dice > 2) {
            CHECK_OK(wf_sent_reserve(&sent));
            n = wf_sent_number(&sent, rng, 300);
            model[n] = 1;
            CHECK_EQ(send(n), n);
        } else if (dice > 0 && sent.next > 1) {
            const size_t count = random_ranges(&state, ranges, 1 + test_next(&state) % 100);

            wf_sent_frames_free(&sent, &fates.frames);
            CHECK_OK(wf_sent_on_ack(&sent, ack_of_ranges(&help, ranges, count), &fates));
            check_fates(ranges, count);
        } else if (wf_sent_oldest(&sent, 0, &n)) {
            struct wf_fates lost = {0};

            CHECK_EQ(model[n], 1);
            model[n] = 3;
            wf_sent_lose(&sent, n, &lost);
            CHECK_EQ(lost.frames.first->number, n);
            wf_sent_frames_free(&sent, &lost.frames);
        }
        if (dice == 7) {
            CHECK(wf_sent_check(&sent) == NULL);
        }
    }
    end();
}
