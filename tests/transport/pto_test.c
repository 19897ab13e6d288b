/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pto_test.c - the probe timeout: its base, back-off, bounds and end.
 */
#include "transport/pto.h"

#include "test.h"

static struct wf_pto pto;
static struct wf_rtt rtt;

static void begin(uint64_t sample)
{
    wf_pto_init(&pto);
    wf_rtt_init(&rtt, 25000);
    if (sample > 0) {
        wf_rtt_sample(&rtt, 1, sample, 0);
    }
}

TEST(the_first_timeout_is_about_a_second_and_doubles)
{
    begin(0);
    CHECK_EQ(wf_pto_us(&pto, &rtt), 333000 + 666000 + 25000);
    CHECK_EQ(wf_pto_deadline(&pto, &rtt, 500), 500 + 1024000);
    for (unsigned k = 1; k <= 5; k++) {
        CHECK_OK(wf_pto_on_timeout(&pto, 0));
        CHECK_EQ(wf_pto_us(&pto, &rtt), 1024000u << k);
    }
    CHECK_OK(wf_pto_on_timeout(&pto, 0));
    CHECK_EQ(wf_pto_us(&pto, &rtt), WF_PTO_MAX_US);
    CHECK_EQ(wf_pto_base_us(&rtt), 1024000);
}

/* SPEC 4.5-2 */
TEST(the_twelfth_timeout_without_an_ack_is_the_end_when_they_took_a_minute)
{
    begin(100);
    for (int k = 1; k <= 40; k++) {
        CHECK_OK(wf_pto_on_timeout(&pto, 1000));
    }
    CHECK_OK(wf_pto_on_timeout(&pto, 1000 + WF_PTO_DEAD_US - 1));
    CHECK_EQ(wf_pto_on_timeout(&pto, 1000 + WF_PTO_DEAD_US), WEFT_ERR_TIMEOUT);
    wf_pto_on_ack(&pto);
    for (weft_time k = 1; k <= 11; k++) {
        CHECK_OK(wf_pto_on_timeout(&pto, k * WF_PTO_DEAD_US));
    }
    CHECK_EQ(wf_pto_on_timeout(&pto, 12ull * WF_PTO_DEAD_US), WEFT_ERR_TIMEOUT);
    CHECK_EQ(wf_pto_on_timeout(&pto, 13ull * WF_PTO_DEAD_US), WEFT_ERR_TIMEOUT);
}

/* SPEC 4.4-9 */
TEST(who_waits_for_messages_asks_every_second_and_with_data_twelve_times)
{
    begin(40000);
    pto.is_asking = true;
    for (int k = 0; k < 30; k++) {
        const uint64_t us = 145000ull << (k < 10 ? k : 10);

        CHECK_EQ(wf_pto_us(&pto, &rtt), us < WF_PTO_ASK_US ? us : WF_PTO_ASK_US);
        CHECK_EQ(wf_pto_carries_data(&pto), k <= 12);
        CHECK_OK(wf_pto_on_timeout(&pto, 0));
    }
    begin(2000000); /* a round trip above a second is waited for all the same */
    pto.is_asking = true;
    CHECK_OK(wf_pto_on_timeout(&pto, 0));
    CHECK_EQ(wf_pto_us(&pto, &rtt), wf_pto_base_us(&rtt));
}

/* SPEC 4.4-9 */
TEST(whatever_is_heard_ends_the_back_off_but_not_the_count)
{
    begin(40000);
    for (int k = 0; k < 5; k++) {
        CHECK_OK(wf_pto_on_timeout(&pto, 0));
    }
    wf_pto_on_heard(&pto);
    CHECK_EQ(wf_pto_us(&pto, &rtt), wf_pto_base_us(&rtt));
    CHECK_EQ(pto.count, 5);
}

TEST(an_ack_ends_the_back_off)
{
    begin(40000);
    const uint64_t base = wf_pto_us(&pto, &rtt);

    CHECK_EQ(base, 40000 + 80000 + 25000);
    CHECK_OK(wf_pto_on_timeout(&pto, 0));
    CHECK_EQ(wf_pto_us(&pto, &rtt), 2 * base);
    wf_pto_on_ack(&pto);
    CHECK_EQ(wf_pto_us(&pto, &rtt), base);
}

TEST(whatever_the_peer_pretends_the_timeout_stays_within_its_bounds)
{
    uint64_t state = test_seed();

    for (int round = 0; round < 200; round++) {
        wf_pto_init(&pto);
        wf_rtt_init(&rtt, test_next(&state) % 1000001);
        for (int k = 0; k < 20; k++) {
            wf_rtt_sample(&rtt, 1, test_next(&state) >> test_next(&state) % 64, test_next(&state));
            (void)!wf_pto_on_timeout(&pto, 0);
            CHECK_LE(WF_PTO_MIN_US, wf_pto_us(&pto, &rtt));
            CHECK_LE(wf_pto_us(&pto, &rtt), WF_PTO_MAX_US);
        }
    }
    wf_rtt_init(&rtt, 0);
    wf_rtt_sample(&rtt, 1, 0, 0);
    wf_pto_init(&pto);
    CHECK_LE(WF_PTO_MIN_US, wf_pto_us(&pto, &rtt));
    CHECK_EQ(wf_pto_deadline(&pto, &rtt, WEFT_TIME_NEVER - 1), WEFT_TIME_NEVER);
}

/* RFC 9002 section 7.6.1: (srtt + max(4 rttvar, granularity) + ack delay) * 3. */
TEST(congestion_is_persistent_from_three_base_timeouts_on)
{
    begin(1000000);
    const uint64_t duration = (1000000 + 2000000 + 25000) * 3;

    CHECK(!wf_pto_is_persistent(&rtt, duration - 1));
    CHECK(wf_pto_is_persistent(&rtt, duration));
    begin(0);
    CHECK(!wf_pto_is_persistent(&rtt, 1ull << 40)); /* nothing to compare with */
}
