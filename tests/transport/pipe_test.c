/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe_test.c - members of one pipe: whose turn it is, who is woken, what they hold of each other.
 */
#include "base/prng.h"
#include "test.h"
#include "transport/pipe.h"

#define SIZE 1200u
#define COUNT 4u

static struct wf_mem *mem;
static struct wf_pipes pipes;
static struct wf_pipe_member members[COUNT];
static weft_time now;
static weft_time wait_at;
static struct wf_addr remote, local;

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
    memset(members, 0, sizeof members);
}

static struct wf_pipe_place place(void)
{
    return (struct wf_pipe_place){
        .pipes = &pipes, .mem = mem, .remote = &remote, .local = &local, .datagram_len = SIZE};
}

static void join(size_t i)
{
    struct wf_pipe_place at = place();

    CHECK_OK(wf_pipe_join(&members[i], now, &at, &members[i]));
}

static void end(void)
{
    for (size_t i = 0; i < COUNT; i++)
        wf_pipe_leave(&members[i]);
    wf_pipes_deinit(&pipes);
}

/* Asks as a session does, and sends up to `most` datagrams of what it may. */
static uint64_t send_some(size_t i, enum wf_class class, uint64_t most)
{
    struct wf_pipe_member *m = &members[i];

    wait_at = WEFT_TIME_NEVER;
    wf_pipe_want(m, class, most > 0);
    uint64_t n = most == 0 ? 0 : wf_pipe_budget(m, class, now, SIZE, &wait_at);

    n = n < most ? n : most;
    for (uint64_t k = 0; k < n; k++)
        wf_pipe_on_sent(m, class, now, SIZE);
    wf_pipe_end_turn(m);
    CHECK(wf_pipes_check(&pipes) == NULL);
    return n;
}

/* Everything but `left` bytes of the member is acknowledged. */
static void settle(size_t i, enum wf_class class, uint64_t left)
{
    uint64_t in_flight[WF_CLASSES];

    memcpy(in_flight, members[i].in_flight, sizeof in_flight);
    in_flight[class] = left;
    wf_pipe_settle(&members[i], in_flight);
    CHECK(wf_pipes_check(&pipes) == NULL);
}

TEST(sessions_between_the_same_addresses_share_one_window) /* SPEC 4.2-3 */
{
    begin();
    join(0);
    join(1);
    CHECK(members[0].pipe == members[1].pipe);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 7), 7);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 7), 3);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 7), 0);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_MAIN].in_flight, 10 * SIZE);
    remote.port++;
    join(2);
    CHECK(members[0].pipe != members[2].pipe);
    CHECK_EQ(send_some(2, WF_CLASS_MAIN, 20), 10);
    end();
}

TEST(background_has_a_window_of_its_own) /* SPEC 4.2-3 */
{
    begin();
    join(0);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 10), 10);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 0), 0);
    CHECK_EQ(send_some(0, WF_CLASS_BACKGROUND, 20), 10);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_MAIN].in_flight, 10 * SIZE);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_BACKGROUND].in_flight, 10 * SIZE);
    end();
}

TEST(while_others_wait_background_gets_one_datagram_in_sixteen) /* SPEC 4.2-3 */
{
    uint64_t sent[WF_CLASSES] = {0};

    begin();
    join(0);
    join(1);
    for (int i = 0; i < 100; i++) {
        sent[WF_CLASS_MAIN] += send_some(0, WF_CLASS_MAIN, 100);
        CHECK_EQ(send_some(0, WF_CLASS_MAIN, 100), 0); /* it waits for more */
        sent[WF_CLASS_BACKGROUND] += send_some(1, WF_CLASS_BACKGROUND, 100);
        CHECK_EQ(send_some(1, WF_CLASS_BACKGROUND, 100), 0);
        settle(0, WF_CLASS_MAIN, 0);
        settle(1, WF_CLASS_BACKGROUND, 0);
    }
    CHECK_EQ(sent[WF_CLASS_MAIN], 1000);
    CHECK(sent[WF_CLASS_BACKGROUND] >= 50 && sent[WF_CLASS_BACKGROUND] <= 63);
    CHECK(send_some(0, WF_CLASS_MAIN, 1) == 1);
    settle(0, WF_CLASS_MAIN, 0);
    CHECK_EQ(send_some(1, WF_CLASS_BACKGROUND, 100), 10); /* nobody waits any more */
    end();
}

TEST(an_ack_frees_its_own_bytes_and_wakes_who_waits) /* SPEC 4.2-4 */
{
    begin();
    join(0);
    join(1);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 10), 10);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 0);
    CHECK(!wf_pipes_has_woken(&pipes));
    settle(0, WF_CLASS_MAIN, 8 * SIZE);
    CHECK(wf_pipes_next_woken(&pipes) == &members[1]);
    CHECK(wf_pipes_next_woken(&pipes) == NULL);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 5), 0); /* it is not its turn */
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 2);
    CHECK_EQ(members[0].in_flight[WF_CLASS_MAIN], 8 * SIZE);
    CHECK_EQ(members[1].in_flight[WF_CLASS_MAIN], 2 * SIZE);
    end();
}

TEST(who_goes_gives_all_its_bytes_back_and_its_turn) /* SPEC 4.2-4 */
{
    begin();
    for (size_t i = 0; i < 3; i++)
        join(i);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 10), 10);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 0);
    CHECK_EQ(send_some(2, WF_CLASS_MAIN, 5), 0);
    wf_pipe_leave(&members[0]);
    CHECK(wf_pipes_next_woken(&pipes) == &members[1]);
    wf_pipe_leave(&members[1]);
    CHECK_EQ(send_some(2, WF_CLASS_MAIN, 5), 5);
    CHECK(wf_pipes_check(&pipes) == NULL);
    end();
}

TEST(who_lets_its_turn_pass_makes_nobody_wait) /* SPEC 4.2-4 */
{
    begin();
    for (size_t i = 0; i < 3; i++)
        join(i);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 10), 10);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 0);
    CHECK_EQ(send_some(2, WF_CLASS_MAIN, 5), 0);
    settle(0, WF_CLASS_MAIN, 5 * SIZE);
    CHECK(wf_pipes_next_woken(&pipes) == &members[1]);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 0), 0); /* it was cancelled */
    CHECK(wf_pipes_next_woken(&pipes) == &members[2]);
    CHECK_EQ(send_some(2, WF_CLASS_MAIN, 5), 3); /* one datagram is left to the others */
    end();
}

/* Calls whom the pipe wakes until nobody is; each greedy one sends all that it may. */
static void serve(uint64_t sent[COUNT])
{
    const struct wf_pipe_member *m = wf_pipes_next_woken(&pipes);

    for (int i = 0; m != NULL; i++) {
        size_t who = (size_t)(m - members);

        CHECK(i < 100);
        sent[who] += send_some(who, WF_CLASS_MAIN, 100);
        (void)send_some(who, WF_CLASS_MAIN, 100); /* it would like more */
        m = wf_pipes_next_woken(&pipes);
    }
}

TEST(the_greedy_take_turns) /* SPEC 4.2-4 */
{
    uint64_t sent[COUNT] = {0};

    begin();
    for (size_t i = 0; i < COUNT; i++)
        join(i);
    for (int round = 0; round < 400; round++) {
        for (size_t i = 0; i < COUNT; i++)
            sent[i] += send_some(i, WF_CLASS_MAIN, 100);
        serve(sent);
        settle((size_t)round % COUNT, WF_CLASS_MAIN, 0);
        serve(sent);
    }
    uint64_t all = sent[0] + sent[1] + sent[2] + sent[3];
    for (size_t i = 0; i < COUNT; i++)
        CHECK(sent[i] * 5 > all); /* a quarter, nearly */
    end();
}

TEST(who_gets_no_acks_leaves_something_to_others) /* SPEC 4.2-4 */
{
    uint64_t sent[COUNT] = {0};

    begin();
    join(0);
    join(1);
    for (int round = 0; round < 100; round++) {
        sent[0] += send_some(0, WF_CLASS_MAIN, 1);
        sent[1] += send_some(1, WF_CLASS_MAIN, 3);
        serve(sent);
        settle(1, WF_CLASS_MAIN, 0); /* those of the other one are never acknowledged */
        serve(sent);
        now += 1000;
    }
    CHECK_EQ(members[0].in_flight[WF_CLASS_MAIN], 8 * SIZE);
    CHECK(sent[1] >= 200);
    end();
}

TEST(while_others_wait_nobody_exceeds_its_share) /* SPEC 4.2-4 */
{
    begin();
    join(0);
    join(1);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 9), 9);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 1);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 5), 0); /* first in the row */
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 0);
    settle(0, WF_CLASS_MAIN, 7 * SIZE);
    CHECK(wf_pipes_next_woken(&pipes) == &members[1]);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 5), 0);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 2);
    end();
}

TEST(a_pipe_that_moves_takes_bytes_along_and_what_was_learned_if_told_so) /* SPEC 4.2-4 */
{
    struct wf_pipe_place at;

    begin();
    join(0);
    join(1);
    wf_cc_set_window(&members[0].pipe->lanes[WF_CLASS_MAIN].cc, 50 * SIZE);
    CHECK_EQ(send_some(0, WF_CLASS_MAIN, 20), 20);
    CHECK_EQ(send_some(1, WF_CLASS_MAIN, 5), 5);
    remote.port++;
    at = place();
    CHECK_OK(wf_pipe_move(&members[0], now, &at, true));
    CHECK(members[0].pipe != members[1].pipe);
    CHECK_EQ(wf_pipe_window(&members[0], WF_CLASS_MAIN), 50 * SIZE);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_MAIN].in_flight, 20 * SIZE);
    CHECK_EQ(members[1].pipe->lanes[WF_CLASS_MAIN].in_flight, 5 * SIZE);
    settle(0, WF_CLASS_MAIN, 0); /* wf_sent_new_path */
    remote.ip[3]++;
    at = place();
    CHECK_OK(wf_pipe_move(&members[0], now, &at, false));
    CHECK_EQ(wf_pipe_window(&members[0], WF_CLASS_MAIN), 10 * SIZE);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_MAIN].in_flight, 0);
    CHECK(wf_pipes_check(&pipes) == NULL);
    end();
}

TEST(without_memory_a_member_stays_where_it_was)
{
    struct wf_pipe_place at;
    const struct wf_pipe *before = NULL;

    begin();
    join(0);
    before = members[0].pipe;
    remote.port++;
    at = place();
    for (uint64_t n = 1; n <= 3; n++) {
        mem->fail_at = mem->attempts + n;
        weft_err err = wf_pipe_move(&members[0], now, &at, true);
        mem->fail_at = 0;
        CHECK(wf_pipes_check(&pipes) == NULL);
        if (err == WEFT_OK)
            break;
        CHECK_EQ(err, WEFT_ERR_NOMEM);
        CHECK(members[0].pipe == before);
    }
    CHECK(members[0].pipe != before);
    end();
}

TEST(windows_count_in_the_largest_datagrams_of_all)
{
    begin();
    join(0);
    join(1);
    wf_pipe_set_datagram(&members[1], now, 9000);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_MAIN].cc.datagram_len, 9000);
    wf_pipe_set_datagram(&members[0], now, 1400);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_MAIN].cc.datagram_len, 9000);
    wf_pipe_set_datagram(&members[1], now, SIZE);
    CHECK_EQ(members[0].pipe->lanes[WF_CLASS_BACKGROUND].cc.datagram_len, 1400);
    end();
}

TEST(the_shortest_round_trip_paces_and_a_longer_one_after_a_second)
{
    struct wf_rtt shorter, longer;

    begin();
    join(0);
    join(1);
    wf_rtt_init(&shorter, 0);
    wf_rtt_init(&longer, 0);
    wf_rtt_sample(&shorter, now, 10000, 0);
    wf_rtt_sample(&longer, now, 90000, 0);
    wf_pipe_on_rtt(&members[0], now, &shorter);
    wf_pipe_on_rtt(&members[1], now + 999999, &longer);
    CHECK_EQ(wf_rtt_smoothed(&members[0].pipe->rtt), 10000);
    wf_pipe_on_rtt(&members[1], now + 1000000, &longer);
    CHECK_EQ(wf_rtt_smoothed(&members[0].pipe->rtt), 90000);
    wf_pipe_on_rtt(&members[0], now + 1000000, &shorter);
    CHECK_EQ(wf_rtt_smoothed(&members[0].pipe->rtt), 10000);
    end();
}

TEST(one_that_loses_is_no_sign_while_another_gets_through)
{
    begin();
    join(0);
    CHECK(wf_pipe_is_silent(&members[0], now, 5));
    join(1);
    wf_pipe_on_acked(&members[1], now);
    CHECK(!wf_pipe_is_silent(&members[0], now + 5, 5));
    CHECK(wf_pipe_is_silent(&members[0], now + 6, 5));
    wf_pipe_on_acked(&members[0], now + 7);
    CHECK(!wf_pipe_is_silent(&members[0], now + 5, 5));
    CHECK(wf_pipe_is_silent(&members[0], now + 8, 5));
    CHECK(!wf_pipe_is_silent(&members[1], now + 8, 5));
    end();
}

TEST(who_belongs_to_no_pipe_sends_nothing)
{
    static const uint64_t nothing[WF_CLASSES];

    begin();
    CHECK_EQ(wf_pipe_budget(&members[0], WF_CLASS_MAIN, now, SIZE, &wait_at), 0);
    CHECK_EQ(wf_pipe_window(&members[0], WF_CLASS_MAIN), 0);
    wf_pipe_on_sent(&members[0], WF_CLASS_MAIN, now, 5);
    wf_pipe_settle(&members[0], nothing);
    wf_pipe_end_turn(&members[0]);
    wf_pipe_update(&members[0], now);
    CHECK_EQ(members[0].in_flight[WF_CLASS_MAIN], 0);
    end();
}
