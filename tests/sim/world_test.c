/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world_test.c - whole runs: a seed decides everything, honest code passes, and each invariant is
 * broken once on purpose to see that it is checked.
 */
#include "sim/world.h"
#include "test.h"

#define SEEDS 12

static struct sim_report run(uint64_t seed, enum sim_lie lie)
{
    const struct sim_options options = {.seed = seed, .lie = lie};
    struct sim_report r;

    test_note("seed %llu", (unsigned long long)seed);
    CHECK_OK(wf_crypto_init());
    sim_run(&options, &r);
    return r;
}

TEST(a_run_of_honest_code_breaks_no_invariant)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct sim_report r = run(seed, SIM_LIE_NONE);

        CHECK_STR_EQ(r.failure, "");
        CHECK(!r.failed);
    }
}

TEST(the_same_seed_twice_gives_the_same_trace)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct sim_report a = run(seed, SIM_LIE_NONE);
        const struct sim_report b = run(seed, SIM_LIE_NONE);

        CHECK_EQ(a.hash, b.hash);
        CHECK_EQ(a.events, b.events);
        CHECK_EQ(a.ended_at, b.ended_at);
    }
}

TEST(another_seed_gives_another_trace)
{
    CHECK_NE(run(1, SIM_LIE_NONE).hash, run(2, SIM_LIE_NONE).hash);
}

TEST(a_class_can_be_kept_off)
{
    const struct sim_options options = {.seed = 3, .without = UINT64_MAX};
    struct sim_report r;

    CHECK_OK(wf_crypto_init());
    sim_run(&options, &r);
    CHECK_EQ(r.classes, 0);
    CHECK(r.soft);
    CHECK_STR_EQ(r.failure, "");
}

/* Over a few seeds the lie is told, and then it is found, in the words given. */
static void check_lie(enum sim_lie lie, const char *words)
{
    unsigned found = 0;

    for (uint64_t seed = 1; seed <= 4 * SEEDS && found < 3; seed++) {
        const struct sim_report r = run(seed, lie);

        if (!r.failed)
            continue;
        found++;
        if (strstr(r.failure, words) == NULL) {
            FAIL("seed %llu says: %s", (unsigned long long)seed, r.failure);
        }
    }
    CHECK_EQ(found, 3);
}

TEST(an_altered_byte_is_found)
{
    check_lie(SIM_LIE_ALTERED_BYTE, "is not what was sent");
}

TEST(a_message_that_comes_twice_is_found)
{
    check_lie(SIM_LIE_DELIVERED_TWICE, "delivered twice");
}

TEST(a_message_from_the_wrong_sender_is_found)
{
    check_lie(SIM_LIE_WRONG_SENDER, "somebody else's");
}

TEST(a_second_outcome_is_found)
{
    check_lie(SIM_LIE_OUTCOME_TWICE, "second outcome");
}

TEST(a_missing_outcome_is_found)
{
    check_lie(SIM_LIE_NO_OUTCOME, "no outcome");
}

TEST(plaintext_in_a_datagram_is_found)
{
    check_lie(SIM_LIE_PLAINTEXT, "plaintext");
}

TEST(amplification_is_found)
{
    check_lie(SIM_LIE_AMPLIFIES, "proved nothing");
}

TEST(a_nonce_used_twice_is_found)
{
    check_lie(SIM_LIE_NONCE_TWICE, "sealed twice");
}

TEST(a_deadline_that_never_passes_is_found)
{
    check_lie(SIM_LIE_TIMER_STUCK, "stays in the past");
}

TEST(chatter_after_everything_was_said_is_found)
{
    check_lie(SIM_LIE_CHATTERS, "nothing to say");
}

TEST(leaked_memory_is_found)
{
    check_lie(SIM_LIE_LEAKS, "still held");
}

TEST(memory_taken_for_a_stranger_is_found)
{
    check_lie(SIM_LIE_ALLOCATES, "stranger's word");
}

/* Until all faults are over; then all that was begun must end. */
TEST(who_has_a_traitor_among_the_hosts_keeps_every_promise_to_the_others)
{
    unsigned with = 0;
    uint64_t lies = 0;

    for (uint64_t seed = 1; with < SEEDS; seed++) {
        static struct sim_scenario s;

        sim_scenario_draw(&s, seed, 0);
        if (!sim_has(&s, SIM_CLASS_TRAITOR))
            continue;
        const struct sim_report r = run(seed, SIM_LIE_NONE);

        with++;
        lies += r.lies;
        CHECK_STR_EQ(r.failure, "");
    }
    CHECK_LE(SEEDS * 4, lies);
}

TEST(a_third_of_the_seeds_is_mild_and_more_are_by_chance)
{
    enum { DRAWS = 1000 };
    static struct sim_scenario s;
    unsigned mild = 0;

    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        sim_scenario_draw(&s, seed, 0);
        mild += s.soft;
    }
    CHECK_LE(DRAWS / 3, mild + 40);
    CHECK_LE(mild, DRAWS / 2);
}

TEST(every_class_is_drawn_as_often_as_its_line_says)
{
    enum { DRAWS = 4000 };
    unsigned seen[SIM_CLASSES] = {0};
    static struct sim_scenario s;

    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        sim_scenario_draw(&s, seed, 0);
        for (unsigned i = 0; i < SIM_CLASSES; i++) {
            seen[i] += sim_has(&s, (enum sim_class)i);
        }
    }
    for (unsigned i = 0; i < SIM_CLASSES; i++) {
        const unsigned want = DRAWS / 100 * sim_class_texts[i].percent;

        /* The mild seeds, a third of all, do without those that nothing can be promised under. */
        test_note("class %s", sim_class_texts[i].word);
        CHECK_LE(want * 2 / 3, seen[i] + 120);
        CHECK_LE(seen[i], want + 120);
    }
}

TEST(a_class_that_is_off_leaves_what_the_others_draw)
{
    static struct sim_scenario with, without;
    const uint64_t off = (uint64_t)1 << SIM_CLASS_CANCEL | (uint64_t)1 << SIM_CLASS_OPEN_ENDED;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        sim_scenario_draw(&with, seed, 0);
        sim_scenario_draw(&without, seed, off);
        CHECK_EQ(with.host_count, without.host_count);
        CHECK_EQ(with.heal_at, without.heal_at);
        CHECK_EQ(with.op_count, without.op_count);
        CHECK_MEM_EQ(with.links, without.links, sizeof with.links);
        for (size_t i = 0; i < with.op_count; i++) {
            CHECK_EQ(with.ops[i].at, without.ops[i].at);
            CHECK_EQ(with.ops[i].message.length, without.ops[i].message.length);
        }
    }
}

TEST(bodies_follow_from_seed_message_and_offset)
{
    uint8_t whole[300], piece[300];

    sim_body_fill(9, 4, 0, whole, sizeof whole);
    for (size_t at = 0; at < sizeof whole; at += 7) {
        const size_t len = sizeof whole - at;

        sim_body_fill(9, 4, at, piece, len);
        CHECK_MEM_EQ(piece, whole + at, len);
        CHECK_EQ(sim_body_compare(9, 4, at, (weft_span){piece, len}), len);
        piece[len - 1] ^= 1;
        CHECK_EQ(sim_body_compare(9, 4, at, (weft_span){piece, len}), len - 1);
    }
    CHECK(memmem(whole, sizeof whole, SIM_CANARY, SIM_CANARY_LEN) != NULL);
    sim_body_fill(9, 5, 0, piece, sizeof piece);
    CHECK(memcmp(whole, piece, sizeof whole) != 0);
}

TEST(a_service_name_names_its_message)
{
    uint8_t name[SIM_SERVICE_LEN];

    for (uint32_t i = 0; i < SIM_MESSAGES_MAX; i++) {
        sim_service_name(i, name);
        CHECK_EQ(sim_service_index((weft_span){name, sizeof name}), i);
    }
    name[SIM_SERVICE_LEN - 1] = 'x';
    CHECK_EQ(sim_service_index((weft_span){name, sizeof name}), UINT32_MAX);
    CHECK_EQ(sim_service_index((weft_span){name, 0}), UINT32_MAX);
}
