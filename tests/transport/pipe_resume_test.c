/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe_resume_test.c - what is known of a path, what it is worth later, and what a sender that was
 * silent makes of it.
 */
#include <string.h>

#include "base/prng.h"
#include "test.h"
#include "transport/pipe.h"

#define SIZE 1200u
#define RTT_US 50000u
#define RATE 10000000u /* bytes a second */
#define PRODUCT (RATE / 1000000u * RTT_US)
#define MINUTE 60000000u

static struct wf_mem *mem;
static struct wf_pipes pipes;
static struct wf_pipe_member member;
static weft_time now;
static struct wf_rtt rtt;
static struct wf_addr remote, local;

static void join(void)
{
    const struct wf_pipe_place at = {
        .pipes = &pipes, .mem = mem, .remote = &remote, .local = &local, .datagram_len = SIZE};

    CHECK_OK(wf_pipe_join(&member, now, &at, &member));
    wf_pipe_on_rtt(&member, now, &rtt);
}

static void begin(void)
{
    struct wf_prng prng;
    struct wf_rng rng = wf_prng_rng(&prng);

    wf_prng_seed(&prng, 1);
    mem = test_mem();
    now = 1000000;
    remote = wf_addr_v4(192, 0, 2, 1, 4433);
    local = wf_addr_v4(192, 0, 2, 2, 5000);
    wf_pipes_init(&pipes, mem, &rng, 100, 2);
    member = (struct wf_pipe_member){0};
    wf_rtt_init(&rtt, 0);
    for (int i = 0; i < 300; i++, now += RTT_US)
        wf_rtt_sample(&rtt, now, RTT_US, 0);
    join();
}

static void end(void)
{
    wf_pipe_leave(&member);
    wf_pipes_deinit(&pipes);
}

static struct wf_cc *cc(void)
{
    return &member.pipe->lanes[WF_CLASS_MAIN].cc;
}

/* One round trip later something that was sent now is acknowledged. */
static void round_trip(uint64_t rate, bool is_app_limited)
{
    struct wf_cc_ack a = {.newest_at = now, .bytes = SIZE};

    now += RTT_US;
    a.now = now;
    a.rate = (struct wf_rate_sample){.bw = rate, .is_app_limited = is_app_limited};
    wf_pipe_learn(&member, WF_CLASS_MAIN, &a, wf_cc_window(cc()));
}

static void learn_path(void)
{
    for (int i = 0; i < 50; i++)
        round_trip(RATE, false);
}

static uint64_t ask(void)
{
    weft_time wait_at = WEFT_TIME_NEVER;

    wf_pipe_want(&member, WF_CLASS_MAIN, true);
    uint64_t n = wf_pipe_budget(&member, WF_CLASS_MAIN, now, SIZE, &wait_at);
    wf_pipe_end_turn(&member);
    return n;
}

TEST(a_path_is_as_long_as_its_least_round_trip_and_as_wide_as_it_delivers) /* SPEC 4.2-6 */
{
    begin();
    const struct wf_pipe_estimate *e = &member.pipe->estimate;

    learn_path();
    CHECK_EQ(e->min_rtt_us, RTT_US);
    CHECK_EQ(e->rate, RATE);
    CHECK_EQ(wf_pipe_estimate_product(e), PRODUCT);
    CHECK_EQ(wf_pipe_estimate_trust(e, now), WF_TRUST_FULL);
    round_trip(RATE / 2, true); /* the application had no more */
    CHECK_EQ(e->rate, RATE);
    round_trip(RATE / 2, false);
    CHECK_EQ(e->rate, RATE - RATE / 16);
    round_trip(2 * RATE, true);
    CHECK_EQ(e->rate, 2 * RATE);
    end();
}

TEST(half_of_the_trust_is_gone_each_minute) /* SPEC 4.2-6 */
{
    const struct wf_pipe_estimate e = {.trust = WF_TRUST_FULL, .at = 7};

    CHECK_EQ(wf_pipe_estimate_trust(&e, 7), 1024);
    CHECK_EQ(wf_pipe_estimate_trust(&e, 0), 1024);
    CHECK_EQ(wf_pipe_estimate_trust(&e, 7 + MINUTE / 2), 768);
    CHECK_EQ(wf_pipe_estimate_trust(&e, 7 + MINUTE), 512);
    CHECK_EQ(wf_pipe_estimate_trust(&e, 7 + 9ull * MINUTE), 2);
    CHECK_EQ(wf_pipe_estimate_trust(&e, 7 + 10ull * MINUTE), 0);
    CHECK_EQ(wf_pipe_estimate_trust(&e, WEFT_TIME_NEVER), 0);
}

TEST(unsteady_round_trips_cost_trust) /* SPEC 4.2-6 */
{
    begin();
    learn_path();
    for (int i = 0; i < 20; i++)
        wf_rtt_sample(&rtt, now, i % 2 == 0 ? RTT_US : 9 * RTT_US, 0);
    CHECK(!wf_rtt_is_even(&rtt));
    CHECK(wf_rtt_is_unsteady(&rtt));
    wf_pipe_on_rtt(&member, now, &rtt);
    for (int i = 0; i < 10; i++)
        round_trip(RATE, false);
    CHECK_LE(wf_pipe_estimate_trust(&member.pipe->estimate, now), WF_TRUST_FULL / 10);
    end();
}

TEST(of_a_path_that_is_trusted_as_much_is_taken_as_it_is_steady) /* SPEC 4.2-6 */
{
    struct wf_pipe_estimate e = {.trust = WF_TRUST_FULL / 2, .rate = RATE, .min_rtt_us = RTT_US};

    CHECK_EQ(wf_pipe_estimate_trusted(&e, 0), 0);
    e.steadiness = WF_RTT_STEADY / 2;
    CHECK_EQ(wf_pipe_estimate_trusted(&e, 0), PRODUCT / 4);
    e.steadiness = WF_RTT_STEADY;
    CHECK_EQ(wf_pipe_estimate_trusted(&e, 0), PRODUCT / 2);
    begin();
    learn_path();
    CHECK_EQ(member.pipe->estimate.steadiness, WF_RTT_STEADY);
    member.pipe->rtt.swing8 = member.pipe->rtt.wide8 / 2;
    round_trip(RATE, false);
    CHECK_EQ(member.pipe->estimate.steadiness, WF_RTT_STEADY / 2);
    end();
}

TEST(where_round_trips_are_unsteady_the_window_stays_near_what_the_path_holds) /* SPEC 4.2-6 */
{
    struct wf_cc_ack a = {.bytes = SIZE};

    begin();
    learn_path();
    wf_cc_set_window(cc(), 5 * PRODUCT);
    const uint64_t steady = wf_pipe_rate(member.pipe, WF_CLASS_MAIN);
    a.now = a.newest_at = now;
    wf_pipe_learn(&member, WF_CLASS_MAIN, &a, PRODUCT);
    CHECK_EQ(wf_cc_window(cc()), 5 * PRODUCT);
    member.pipe->rtt.rttvar8 = member.pipe->rtt.srtt8; /* from one to three round trips */
    wf_pipe_learn(&member, WF_CLASS_MAIN, &a, 4 * PRODUCT);
    CHECK_EQ(wf_cc_window(cc()), 4 * PRODUCT); /* what it had just grown */
    wf_cc_set_window(cc(), 5 * PRODUCT);
    CHECK_EQ(wf_pipe_rate(member.pipe, WF_CLASS_MAIN), steady / 5 * 4);
    wf_cc_set_window(cc(), 3 * PRODUCT + PRODUCT / 4 * 3);
    wf_pipe_learn(&member, WF_CLASS_MAIN, &a, PRODUCT);
    CHECK_EQ(wf_cc_window(cc()), 3 * PRODUCT + PRODUCT / 4 * 3); /* so far it may grow */
    end();
}

TEST(after_silence_a_sender_begins_with_half_of_what_is_known) /* SPEC 4.2-6 */
{
    begin();
    CHECK(ask() > 0);
    learn_path();
    wf_cc_set_window(cc(), 2 * PRODUCT);
    now += WF_PIPE_IDLE_US - 1;
    (void)ask();
    CHECK_EQ(wf_cc_window(cc()), 2 * PRODUCT);
    now++;
    (void)ask();
    CHECK_LE(wf_cc_window(cc()), PRODUCT / 2);
    CHECK_LE(PRODUCT / 2 - PRODUCT / 50, wf_cc_window(cc()));
    CHECK(wf_cc_in_slow_start(cc()));
    end();
}

TEST(after_minutes_of_silence_it_begins_as_a_stranger_does) /* SPEC 4.2-6 */
{
    begin();
    CHECK(ask() > 0);
    learn_path();
    wf_cc_set_window(cc(), 2 * PRODUCT);
    now += 10ull * MINUTE;
    (void)ask();
    CHECK_EQ(wf_cc_window(cc()), 10 * SIZE);
    CHECK(!member.pipe->lanes[WF_CLASS_MAIN].resume.is_on);
    end();
}

/* A window that came from what was known of the path; something was sent with it. */
static void resume(void)
{
    begin();
    learn_path();
    wf_pipe_leave(&member);
    now += 1000;
    join();
    CHECK_EQ(wf_cc_window(cc()), 10 * SIZE);
    (void)ask();
    CHECK_LE(PRODUCT / 2 - PRODUCT / 50, wf_cc_window(cc()));
    CHECK_LE(wf_cc_window(cc()), PRODUCT / 2);
    CHECK_LE(cc()->ssthresh, PRODUCT);
    (void)wf_pipe_on_sent(&member, WF_CLASS_MAIN, now, SIZE);
}

TEST(a_new_session_on_a_known_path_begins_with_half_of_what_is_known) /* SPEC 4.2-6 */
{
    resume();
    CHECK_EQ(pipes.kept_list.count, 0);
    end();
}

TEST(what_is_lost_of_a_window_that_was_taken_takes_it_away) /* SPEC 4.2-6 */
{
    for (int answers = 0; answers < 3; answers++) {
        resume();
        const uint64_t window = wf_cc_window(cc());
        weft_time sent_at = now;

        for (int i = 0; i < answers; i++) {
            sent_at = now;
            round_trip(RATE, false);
        }
        wf_pipe_on_lost(&member, WF_CLASS_MAIN, 0); /* it was sent before */
        CHECK_EQ(wf_cc_window(cc()), window);
        wf_pipe_on_lost(&member, WF_CLASS_MAIN, sent_at);
        CHECK_EQ(wf_cc_window(cc()), answers < 2 ? 10 * SIZE : window);
        end();
    }
}

TEST(paths_that_nobody_uses_are_forgotten_oldest_first)
{
    begin();
    for (int i = 0; i < 5; i++) {
        learn_path();
        wf_pipe_leave(&member);
        CHECK_EQ(pipes.kept_list.count, i < 1 ? 1 : 2);
        remote.port++;
        join();
        CHECK_EQ(member.pipe->estimate.trust, 0);
    }
    wf_pipe_leave(&member);
    remote.port -= 1;
    join();
    CHECK(member.pipe->estimate.trust > 0);
    wf_pipe_leave(&member);
    remote.port -= 4;
    join();
    CHECK_EQ(member.pipe->estimate.trust, 0);
    end();
}

TEST(without_memory_a_path_is_forgotten)
{
    begin();
    learn_path();
    mem->fail_at = mem->attempts + 1;
    wf_pipe_leave(&member);
    CHECK_EQ(pipes.kept_list.count, 0);
    mem->fail_at = 0;
    join();
    learn_path();
    mem->fail_at = mem->attempts + 2;
    wf_pipe_leave(&member);
    CHECK_EQ(pipes.kept_list.count, 0);
    mem->fail_at = 0;
    end();
}
