/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecn_test.c - marking, validation of the peer's counts (RFC 9000 section 13.4.2), and its lies.
 */
#include "transport/ecn.h"

#include "test.h"

static struct wf_ecn ecn;

static void send_marked(int count)
{
    for (int k = 0; k < count; k++) {
        wf_ecn_on_sent(&ecn, wf_ecn_mark(&ecn));
    }
}

static uint64_t ack(uint64_t newest, uint64_t newly, uint64_t ect0, uint64_t ce)
{
    const struct wf_frame_ack a = {.newest = newest, .has_ecn = true, .ect0 = ect0, .ce = ce};
    const struct wf_fates f = {.ect = newly};

    return wf_ecn_on_ack(&ecn, &a, &f);
}

static void begin(void)
{
    wf_ecn_init(&ecn, true);
    send_marked(10);
}

TEST(ten_packets_are_marked_until_one_is_acknowledged)
{
    wf_ecn_init(&ecn, true);
    for (int k = 0; k < 10; k++) {
        CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_ECT0);
        wf_ecn_on_sent(&ecn, WF_ECN_ECT0);
    }
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
    CHECK_EQ(ack(1, 1, 1, 0), 0);
    CHECK_EQ(ecn.state, WF_ECN_CAPABLE);
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_ECT0);
}

TEST(who_does_not_want_it_never_marks)
{
    wf_ecn_init(&ecn, false);
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
    wf_ecn_new_path(&ecn);
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
    CHECK_EQ(ack(1, 0, 0, 5), 0);
}

TEST(marks_by_the_path_are_counted_once)
{
    begin();
    CHECK_EQ(ack(1, 1, 1, 0), 0);
    CHECK_EQ(ack(4, 3, 2, 2), 2);
    CHECK_EQ(ack(4, 0, 2, 2), 0);
    CHECK_EQ(ack(3, 0, 2, 1), 0); /* an old ACK that came late */
    CHECK_EQ(ecn.state, WF_ECN_CAPABLE);
    CHECK_EQ(ack(5, 1, 2, 3), 1);
}

TEST(counts_that_do_not_add_up_end_marking)
{
    static const struct {
        bool has_ecn;
        uint64_t newly, ect0, ect1, ce;
    } lies[] = {
        {false, 1, 0, 0, 0},                  /* not echoed */
        {true, 2, 4, 0, 0},                   /* grew by less than was acknowledged */
        {true, 1, 2, 0, 0},                   /* decreasing */
        {true, 1, 4, 1, 0},                   /* never sent so */
        {true, 1, 9, 0, 2},                   /* more than was ever sent */
        {true, 1, 1ull << 62, 0, 1ull << 62}, /* absurd */
        {true, 1, UINT64_MAX, 0, UINT64_MAX},
    };

    for (size_t k = 0; k < WF_ARRAY_LEN(lies); k++) {
        const struct wf_frame_ack a = {.newest = 9,
                                       .has_ecn = lies[k].has_ecn,
                                       .ect0 = lies[k].ect0,
                                       .ect1 = lies[k].ect1,
                                       .ce = lies[k].ce};
        const struct wf_fates f = {.ect = lies[k].newly};

        begin();
        CHECK_EQ(ack(3, 3, 3, 0), 0);
        CHECK_EQ(wf_ecn_on_ack(&ecn, &a, &f), 0);
        test_note("lie %u", (unsigned)k);
        CHECK_EQ(ecn.state, WF_ECN_FAILED);
        CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
        CHECK_EQ(ack(10, 0, 3, 5), 0);
    }
}

static uint64_t ack_unmarked(uint64_t newest)
{
    const struct wf_frame_ack a = {
        .newest = newest, .has_ecn = true, .ect0 = ecn.ect0, .ce = ecn.ce};
    const struct wf_fates f = {.packets = 1};

    return wf_ecn_on_ack(&ecn, &a, &f);
}

static void lose(uint64_t marked)
{
    const struct wf_fates f = {.ect = marked};

    wf_ecn_on_lost(&ecn, &f);
}

TEST(a_path_that_drops_marked_packets_gets_unmarked_ones)
{
    begin();
    lose(9);
    CHECK_EQ(ecn.state, WF_ECN_WAITING);
    lose(1);
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
    wf_ecn_init(&ecn, true);
    send_marked(3);
    wf_ecn_on_pto(&ecn, 0);
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_ECT0);
    wf_ecn_on_pto(&ecn, 1); /* the first probe is unmarked already */
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
    const struct wf_frame_ack without = {.newest = 4};
    const struct wf_fates one = {.packets = 1};

    CHECK_EQ(wf_ecn_on_ack(&ecn, &without, &one), 0);
    CHECK_EQ(ecn.state, WF_ECN_WAITING);
    lose(3);
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
}

/* SPEC 4.2-14 */
TEST(a_path_that_begins_to_drop_marked_packets_is_tested_anew_twice_at_most)
{
    begin();
    (void)ack(1, 1, 1, 0);
    for (uint64_t k = 0; k < WF_ECN_RETESTS_MAX; k++) {
        wf_ecn_on_pto(&ecn, 1);
        CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
        lose(20); /* what a gap in the path took is no proof */
        CHECK_EQ(ecn.state, WF_ECN_PAUSED);
        (void)ack_unmarked(100 * k + 20);
        CHECK_EQ(ecn.state, WF_ECN_TESTING);
        send_marked(10);
        (void)ack(100 * k + 30, 10, ecn.ect0 + 10, 0); /* it had been but a gap */
        CHECK_EQ(ecn.state, WF_ECN_CAPABLE);
    }
    wf_ecn_on_pto(&ecn, 1);
    (void)ack_unmarked(1000);
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
    begin();
    (void)ack(1, 1, 1, 0);
    wf_ecn_on_pto(&ecn, 1);
    (void)ack(2, 1, 2, 0); /* a marked one got through after all */
    CHECK_EQ(ecn.state, WF_ECN_CAPABLE);
    wf_ecn_on_pto(&ecn, 1);
    (void)ack_unmarked(20);
    send_marked(10);
    lose(10);
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
}

TEST(a_path_that_marks_everything_tells_nothing)
{
    begin();
    CHECK_EQ(ack(3, 3, 0, 3), 3);
    CHECK_EQ(ack(9, 6, 0, 9), 6);
    CHECK_EQ(ack(10, 1, 0, 10), 0);
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
    begin();
    CHECK_EQ(ack(10, 10, 1, 9), 9); /* one came as it was sent */
    CHECK_EQ(ecn.state, WF_ECN_CAPABLE);
}

TEST(eight_round_trips_of_nothing_but_marks_are_believed_and_no_more)
{
    uint64_t newest = 10;

    begin();
    (void)ack(newest, 10, 10, 0);
    for (int round = 0; round < 9; round++) {
        send_marked(6);
        for (int k = 0; k < 3; k++) {
            newest += 2;
            test_note("round %d, ACK %d", round, k);
            CHECK_EQ(ack(newest, 2, 10, ecn.ce + 2), round < 8 ? 2 : 0);
            CHECK_EQ(ecn.state == WF_ECN_FAILED, round == 8);
        }
    }
    /* One without a mark, or packets that are lost, begin or end rounds as well. */
    begin();
    (void)ack(10, 10, 10, 0);
    newest = 10;
    for (int round = 0; round < 50; round++) {
        send_marked(6);
        newest += 6;
        CHECK_LE(1, ack(newest, 6, ecn.ect0 + (round % 6 == 5), ecn.ce + 6 - (round % 6 == 5)));
    }
    begin();
    (void)ack(10, 10, 10, 0);
    newest = 10;
    for (int round = 0; round < 12; round++) {
        send_marked(6);
        newest += 6;
        (void)ack(newest, 2, 10, ecn.ce + 2);
        lose(4);
    }
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
}

TEST(losses_on_a_proved_path_change_nothing)
{
    const struct wf_fates lost = {.ect = 1000};

    begin();
    (void)ack(1, 1, 1, 0);
    wf_ecn_on_lost(&ecn, &lost);
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_ECT0);
}

TEST(a_new_path_is_tested_anew_with_the_counts_going_on)
{
    begin();
    (void)ack(1, 1, 0, 0); /* fails: not echoed */
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
    begin();
    (void)ack(5, 5, 5, 0);
    wf_ecn_new_path(&ecn);
    CHECK_EQ(ecn.state, WF_ECN_TESTING);
    send_marked(10);
    CHECK_EQ(ack(20, 10, 14, 1), 1);
    CHECK_EQ(ecn.state, WF_ECN_CAPABLE);
}

TEST(what_another_path_marked_is_no_sign_of_this_one)
{
    begin();
    (void)ack(5, 5, 5, 0);
    send_marked(20);
    wf_ecn_new_path(&ecn);
    send_marked(10);
    CHECK_EQ(ack(20, 0, 10, 12), 0); /* all of packets that went elsewhere */
    CHECK_EQ(ack(24, 2, 10, 14), 2);
    CHECK_EQ(ecn.state, WF_ECN_CAPABLE);
}

/* Whatever a peer says, in whatever order: no crash, no marking after a failure, and never more
 * marks than were sent. */
TEST(random_counts_never_yield_more_marks_than_packets)
{
    uint64_t state = test_seed();

    for (int run = 0; run < 2000; run++) {
        uint64_t marks = 0;

        wf_ecn_init(&ecn, true);
        for (int k = 0; k < 200; k++) {
            const uint64_t dice = test_next(&state);
            const uint64_t wild = test_next(&state) >> dice % 64;
            const bool was_failed = ecn.state == WF_ECN_FAILED;
            const struct wf_fates f = {.ect = dice >> 8 & 3, .packets = 3};
            const struct wf_frame_ack a = {
                .newest = (uint64_t)k,
                .has_ecn = dice % 32 != 0,
                .ect0 = dice % 256 == 1 ? wild : ecn.ect0 + (dice >> 16 & 3),
                .ect1 = dice % 256 == 2 ? wild : 0,
                .ce = dice % 256 == 3 ? wild : ecn.ce + (dice >> 20 & 3)};

            send_marked((int)(dice >> 24 & 7));
            if (dice >> 60 == 0)
                wf_ecn_on_pto(&ecn, 1);
            if (dice >> 60 == 1)
                wf_ecn_on_lost(&ecn, &f);
            marks += wf_ecn_on_ack(&ecn, &a, &f);
            CHECK(!was_failed || ecn.state == WF_ECN_FAILED);
            CHECK_LE(marks, ecn.sent);
        }
    }
}
