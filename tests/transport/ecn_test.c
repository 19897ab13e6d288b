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

TEST(a_path_that_drops_marked_packets_gets_unmarked_ones)
{
    const struct wf_fates lost = {.ect = 10};

    begin();
    wf_ecn_on_lost(&ecn, &lost);
    CHECK_EQ(ecn.state, WF_ECN_FAILED);
    wf_ecn_init(&ecn, true);
    send_marked(1);
    wf_ecn_on_pto(&ecn, 1);
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
    begin();
    (void)ack(1, 1, 1, 0);
    wf_ecn_on_pto(&ecn, 1); /* also one that began to drop them later */
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_NOT_ECT);
    (void)ack(2, 1, 2, 0); /* a marked one got through after all */
    CHECK_EQ(wf_ecn_mark(&ecn), WF_ECN_ECT0);
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
