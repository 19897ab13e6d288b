/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path_test.c - candidates, challenges, and addresses that belong to somebody else.
 */
#include "transport/path.h"

#include "test.h"

static struct wf_paths paths;
static struct wf_rng *rng;
static struct wf_addr here, home;

static void begin(void)
{
    rng = test_rng(test_seed());
    here = wf_addr_v4(8, 8, 4, 4, 4870);
    home = wf_addr_v4(1, 2, 3, 4, 50000);
    wf_paths_init(&paths, &home, &here);
}

static enum wf_path_event packet(weft_time now, struct wf_addr from, uint64_t bytes, bool is_newest)
{
    const struct wf_path_packet k = {from, here, bytes, is_newest};

    return wf_paths_on_packet(&paths, now, &k, rng);
}

static struct wf_addr port(uint16_t p)
{
    return wf_addr_v4(1, 2, 3, 4, p);
}

/* Sends a challenge of 60 bytes to whoever is due; its path or NULL. */
static struct wf_path *challenge(weft_time now)
{
    struct wf_path *path = wf_paths_challenge(&paths, now, 60);

    if (path != NULL) {
        wf_paths_on_challenge(path, now, 100000);
        wf_path_on_sent(path, 60);
    }
    return path;
}

static enum wf_path_event answer(struct wf_addr from, const struct wf_path *path)
{
    uint8_t token[WF_PATH_TOKEN_LEN];

    memcpy(token, path->token, sizeof token);
    return wf_paths_on_response(&paths, &from, token);
}

TEST(packets_on_the_path_in_use_change_nothing)
{
    begin();
    CHECK_EQ(packet(1, home, 1200, true), WF_PATH_SAME);
    CHECK_EQ(packet(1, home, 1200, false), WF_PATH_SAME);
    CHECK_EQ(paths.count, 1);
    CHECK_EQ(wf_path_room(wf_paths_active(&paths)), UINT64_MAX);
    CHECK_EQ(wf_paths_deadline(&paths), WEFT_TIME_NEVER);
}

/* SPEC 4.4-2 */
TEST(a_new_port_takes_over_once_it_answered_and_not_before)
{
    begin();
    CHECK_EQ(packet(5, port(60000), 100, true), WF_PATH_CANDIDATE);
    CHECK(wf_addr_equal(&wf_paths_active(&paths)->remote, &home));
    CHECK_EQ(wf_paths_deadline(&paths), 5);
    struct wf_path *path = challenge(5);

    CHECK(path != NULL);
    CHECK_EQ(path->remote.port, 60000);
    CHECK_EQ(wf_paths_deadline(&paths), 100005);
    CHECK_EQ(answer(port(60000), path), WF_PATH_REBOUND);
    CHECK_EQ(wf_paths_active(&paths)->remote.port, 60000);
    CHECK_EQ(wf_path_room(wf_paths_active(&paths)), UINT64_MAX);
    CHECK_EQ(wf_paths_deadline(&paths), WEFT_TIME_NEVER);
}

/* SPEC 4.4-2 */
TEST(another_host_is_told_from_another_port)
{
    const struct wf_addr other = wf_addr_v4(9, 9, 9, 9, 50000);

    begin();
    CHECK_EQ(packet(5, other, 100, true), WF_PATH_CANDIDATE);
    CHECK_EQ(answer(other, challenge(5)), WF_PATH_MOVED);
}

TEST(only_the_newest_packet_makes_a_candidate)
{
    begin();
    CHECK_EQ(packet(5, port(1), 100, false), WF_PATH_SAME);
    CHECK_EQ(paths.count, 1);
}

TEST(an_answer_with_another_token_or_from_elsewhere_is_none)
{
    uint8_t token[WF_PATH_TOKEN_LEN];

    begin();
    packet(5, port(60000), 1000, true);
    packet(5, port(60001), 1000, true);
    struct wf_path *path = challenge(5);
    const struct wf_addr from = path->remote;

    for (unsigned bit = 0; bit < 64; bit++) {
        memcpy(token, path->token, sizeof token);
        token[bit / 8] = (uint8_t)(token[bit / 8] ^ 1u << bit % 8);
        CHECK_EQ(wf_paths_on_response(&paths, &from, token), WF_PATH_SAME);
    }
    CHECK_EQ(answer(port(60001), path), WF_PATH_SAME);
    CHECK_EQ(answer(home, path), WF_PATH_SAME);
    CHECK_EQ(answer(port(1), path), WF_PATH_SAME);
    CHECK_EQ(answer(from, path), WF_PATH_REBOUND);
    CHECK_EQ(answer(from, wf_paths_active(&paths)), WF_PATH_SAME); /* twice */
}

TEST(a_guess_before_the_challenge_was_sent_proves_nothing)
{
    begin();
    packet(5, port(60000), 100, true);
    CHECK_EQ(answer(port(60000), wf_paths_find(&paths, &(struct wf_addr[]){port(60000)}[0])),
             WF_PATH_SAME);
}

/* SPEC 4.4-2 */
TEST(a_candidate_never_gets_more_bytes_than_it_sent)
{
    uint64_t state = test_seed();
    uint64_t in = 0;
    uint64_t sent = 0;

    begin();
    for (weft_time now = 0; now < 20000000; now += test_next(&state) % 5000) {
        const uint64_t bytes = 26 + test_next(&state) % 50;

        packet(now, port(60000), bytes, test_next(&state) % 2 == 0);
        const struct wf_path *path = wf_paths_find(&paths, &(struct wf_addr[]){port(60000)}[0]);

        if (path == NULL) {
            in = 0;
            sent = 0;
            continue;
        }
        in += bytes;
        const uint64_t len = 26 + test_next(&state) % 60;
        struct wf_path *due = wf_paths_challenge(&paths, now, len);

        if (due != NULL) {
            wf_paths_on_challenge(due, now, 100000);
            wf_path_on_sent(due, len);
            sent += len;
            CHECK_LE(sent, in);
        }
        CHECK_LE(wf_path_room(path), in - sent);
        wf_paths_tick(&paths, now);
    }
}

TEST(a_candidate_too_poor_for_a_challenge_waits_without_a_deadline_until_it_sends_more)
{
    begin();
    packet(5, port(60000), 59, true);
    CHECK(challenge(5) == NULL);
    CHECK_EQ(wf_paths_deadline(&paths), WEFT_TIME_NEVER);
    CHECK_EQ(packet(6, port(60000), 1, true), WF_PATH_CANDIDATE);
    CHECK(challenge(6) != NULL);
}

TEST(who_does_not_answer_three_challenges_is_dropped)
{
    weft_time now = 5;

    begin();
    packet(now, port(60000), 1000, true);
    for (int k = 0; k < 3; k++) {
        CHECK(challenge(now) != NULL);
        CHECK(challenge(now) == NULL);
        wf_paths_tick(&paths, now);
        CHECK_EQ(paths.count, 2);
        now = wf_paths_deadline(&paths);
    }
    CHECK(challenge(now) == NULL);
    wf_paths_tick(&paths, now);
    CHECK_EQ(paths.count, 1);
    CHECK_EQ(wf_paths_deadline(&paths), WEFT_TIME_NEVER);
}

/* SPEC 4.4-3 */
TEST(four_paths_are_kept_and_the_oldest_candidate_gives_way)
{
    begin();
    for (uint16_t p = 1; p <= 5; p++) {
        CHECK_EQ(packet(5, port(p), 100, true), WF_PATH_CANDIDATE);
        CHECK_LE(paths.count, WF_PATHS_MAX);
    }
    CHECK(wf_paths_find(&paths, &home) == wf_paths_active(&paths));
    for (uint16_t p = 1; p <= 5; p++) {
        const struct wf_addr a = port(p);

        CHECK_EQ(wf_paths_find(&paths, &a) != NULL, p > 2);
    }
}

/* SPEC 4.4-3 */
TEST(a_candidate_that_goes_on_sending_does_not_give_way_to_copies_from_everywhere)
{
    const struct wf_addr moved = port(60000);

    begin();
    packet(5, moved, 100, true);
    packet(6, moved, 100, true);
    for (uint16_t p = 1; p < WF_PATH_NEW_MAX; p++) {
        packet(7, port(p), 100, true);
    }
    CHECK(wf_paths_find(&paths, &moved) != NULL);
}

/* SPEC 4.4-6 */
TEST(the_leader_is_where_the_newest_packet_came_from)
{
    const struct wf_addr there = port(60000);

    begin();
    CHECK(wf_paths_leader(&paths) == NULL);
    packet(5, there, 100, true);
    CHECK(wf_paths_leader(&paths) == wf_paths_find(&paths, &there));
    packet(6, home, 100, false);
    CHECK(wf_paths_leader(&paths) != NULL);
    packet(7, home, 100, true);
    CHECK(wf_paths_leader(&paths) == NULL);
    packet(8, there, 100, true);
    CHECK(wf_paths_leader(&paths) != NULL);
    CHECK_EQ(answer(there, challenge(8)), WF_PATH_REBOUND);
    CHECK(wf_paths_leader(&paths) == NULL);
}

TEST(who_did_not_answer_and_is_heard_again_is_challenged_anew)
{
    weft_time now = 5;
    uint8_t old[WF_PATH_TOKEN_LEN];

    begin();
    packet(now, port(60000), 1000, true);
    for (int k = 0; k < 3; k++) {
        CHECK(challenge(now) != NULL);
        now = wf_paths_deadline(&paths);
    }
    memcpy(old, paths.items[1].token, sizeof old);
    CHECK_EQ(packet(now - 1, port(60000), 50, false), WF_PATH_SAME);
    CHECK(challenge(now - 1) == NULL);
    CHECK_EQ(packet(now - 1, port(60000), 50, true), WF_PATH_CANDIDATE);
    CHECK(challenge(now - 1) != NULL);
    CHECK(memcmp(old, paths.items[1].token, sizeof old) != 0);
    CHECK_EQ(answer(port(60000), &paths.items[1]), WF_PATH_REBOUND);
}

TEST(the_round_trip_of_a_challenge_is_known_when_there_was_but_one)
{
    begin();
    packet(5, port(60000), 1000, true);
    CHECK(challenge(5) != NULL);
    CHECK_EQ(wf_path_round_trip(&paths.items[1], 45), 40);
    CHECK(challenge(wf_paths_deadline(&paths)) != NULL);
    CHECK_EQ(wf_path_round_trip(&paths.items[1], 200000), 0);
}

/* SPEC 4.4-5 */
TEST(challenges_come_at_doubling_intervals)
{
    begin();
    packet(5, port(60000), 1000, true);
    CHECK(challenge(5) != NULL);
    CHECK_EQ(wf_paths_deadline(&paths), 100005);
    CHECK(challenge(100005) != NULL);
    CHECK_EQ(wf_paths_deadline(&paths), 300005);
    CHECK(challenge(300005) != NULL);
    CHECK_EQ(wf_paths_deadline(&paths), 700005);
}

/* SPEC 4.4-5 */
TEST(a_path_that_stood_still_for_a_minute_does_not_make_challenges_last)
{
    begin();
    packet(5, port(60000), 1000, true);
    struct wf_path *path = wf_paths_challenge(&paths, 5, 60);

    CHECK(path != NULL);
    wf_paths_on_challenge(path, 5, WF_PATH_PTO_MAX_US + 1);
    CHECK_EQ(wf_paths_deadline(&paths), 5 + WF_PATH_PTO_MAX_US);
    wf_paths_on_challenge(path, 5, UINT64_MAX);
    CHECK_EQ(wf_paths_deadline(&paths), 5 + 2 * WF_PATH_PTO_MAX_US);
}

/* SPEC 4.4-8 */
TEST(a_peer_at_a_public_address_does_not_lead_us_into_our_own_network)
{
    static const struct {
        struct wf_addr from;
        bool of_public, of_private;
    } rows[] = {
        {{WF_ADDR_V4, WF_CARRIER_UDP, {127, 0, 0, 1}, 53, 0}, false, false},
        {{WF_ADDR_V6, WF_CARRIER_UDP, {[15] = 1}, 53, 0}, false, false},
        {{WF_ADDR_V4, WF_CARRIER_UDP, {10, 0, 0, 7}, 53, 0}, false, true},
        {{WF_ADDR_V4, WF_CARRIER_UDP, {172, 16, 0, 7}, 53, 0}, false, true},
        {{WF_ADDR_V4, WF_CARRIER_UDP, {192, 168, 0, 7}, 53, 0}, false, true},
        {{WF_ADDR_V4, WF_CARRIER_UDP, {100, 64, 0, 7}, 53, 0}, false, true},
        {{WF_ADDR_V4, WF_CARRIER_UDP, {169, 254, 169, 254}, 53, 0}, false, true},
        {{WF_ADDR_V6, WF_CARRIER_UDP, {0xfc}, 53, 0}, false, true},
        {{WF_ADDR_V6, WF_CARRIER_UDP, {0xfe, 0x80, [15] = 1}, 53, 2}, false, true},
        {{WF_ADDR_V4, WF_CARRIER_UDP, {9, 9, 9, 9}, 53, 0}, true, true},
    };

    begin();
    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        home = wf_addr_v4(1, 2, 3, 4, 50000);
        wf_paths_init(&paths, &home, &here);
        CHECK_EQ(packet(5, rows[i].from, 100, true),
                 rows[i].of_public ? WF_PATH_CANDIDATE : WF_PATH_SAME);
        home = wf_addr_v4(192, 168, 1, 4, 50000);
        wf_paths_init(&paths, &home, &here);
        CHECK_EQ(packet(5, rows[i].from, 100, true),
                 rows[i].of_private ? WF_PATH_CANDIDATE : WF_PATH_SAME);
    }
}

TEST(a_flood_of_addresses_begins_few_challenges_a_second)
{
    unsigned begun = 0;

    begin();
    for (uint32_t k = 0; k < 1000000; k++) {
        const struct wf_addr from =
            wf_addr_v4((uint8_t)(1 + (k >> 16)), (uint8_t)(k >> 8), (uint8_t)k, 7, 4000);

        begun += packet(10 * k, from, 100, true) == WF_PATH_CANDIDATE ? 1 : 0;
        CHECK_LE(paths.count, WF_PATHS_MAX);
    }
    CHECK_EQ(begun, 10 * WF_PATH_NEW_MAX);
    CHECK(wf_addr_equal(&wf_paths_active(&paths)->remote, &home));
}

TEST(a_path_that_was_left_has_to_prove_itself_again)
{
    uint8_t old[WF_PATH_TOKEN_LEN];

    begin();
    packet(5, port(60000), 100, true);
    answer(port(60000), challenge(5));
    const struct wf_path *left = wf_paths_find(&paths, &home);

    CHECK(left != NULL);
    CHECK_EQ(wf_path_room(left), 0);
    CHECK(challenge(6) == NULL);
    memcpy(old, left->token, sizeof old);
    CHECK_EQ(packet(7, home, 500, false), WF_PATH_SAME);
    CHECK_EQ(packet(7, home, 500, true), WF_PATH_CANDIDATE);
    CHECK(memcmp(left->token, old, sizeof old) != 0);
    CHECK_EQ(wf_path_room(left), 1000);
    CHECK_EQ(answer(home, challenge(7)), WF_PATH_REBOUND);
    CHECK(wf_addr_equal(&wf_paths_active(&paths)->remote, &home));
}

TEST(places_that_no_peer_can_be_at_are_no_candidates)
{
    begin();
    CHECK_EQ(packet(5, wf_addr_v4(127, 0, 0, 1, 53), 100, true), WF_PATH_SAME);
    CHECK_EQ(packet(5, wf_addr_v4(224, 0, 0, 1, 53), 100, true), WF_PATH_SAME);
    CHECK_EQ(packet(5, wf_addr_v4(255, 255, 255, 255, 53), 100, true), WF_PATH_SAME);
    CHECK_EQ(packet(5, wf_addr_v4(5, 5, 5, 5, 0), 100, true), WF_PATH_SAME);
    CHECK_EQ(paths.count, 1);
    home = wf_addr_v4(127, 0, 0, 1, 40000);
    wf_paths_init(&paths, &home, &here);
    CHECK_EQ(packet(5, wf_addr_v4(127, 0, 0, 1, 40001), 100, true), WF_PATH_CANDIDATE);
}
