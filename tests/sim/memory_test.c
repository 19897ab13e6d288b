/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_test.c - the accounts of the simulator notice a wrong size, and the trace hash notices
 * everything.
 */
#include "sim/memory.h"
#include "test.h"

TEST(a_block_given_back_with_its_size_is_in_order)
{
    struct sim_log log;
    struct wf_mem mem;
    void *block = NULL;

    sim_log_init(&log, 1, NULL);
    sim_mem_init(&mem, 1000, &log);
    block = wf_alloc(&mem, 100);
    CHECK(block != NULL);
    CHECK(wf_alloc(&mem, 901) == NULL);
    wf_free(&mem, block, 100);
    CHECK_EQ(mem.held, 0);
    CHECK(!log.failed);
}

TEST(a_block_given_back_with_another_size_is_reported)
{
    struct sim_log log;
    struct wf_mem mem;

    sim_log_init(&log, 1, NULL);
    sim_mem_init(&mem, 0, &log);
    wf_free(&mem, wf_alloc(&mem, 100), 99);
    CHECK(log.failed);
    CHECK_STR_EQ(log.failure, "a block of 100 bytes was given back as one of 99");
}

TEST(the_first_failure_counts)
{
    struct sim_log log;

    sim_log_init(&log, 1, NULL);
    log.now = 5;
    sim_fail(&log, "first %d", 1);
    log.now = 6;
    sim_fail(&log, "second");
    CHECK_STR_EQ(log.failure, "first 1");
    CHECK_EQ(log.failed_at, 5);
}

static uint64_t hash_of(weft_time now, const struct sim_log_line *line)
{
    struct sim_log log;

    sim_log_init(&log, 1, NULL);
    log.now = now;
    sim_log_add(&log, line);
    return log.hash;
}

TEST(the_trace_hash_sees_time_kind_host_numbers_and_every_byte)
{
    uint8_t bytes[20] = {0};
    const struct sim_log_line line = {
        .what = "send", .host = 1, .a = 2, .b = 3, .bytes = {bytes, sizeof bytes}};
    struct sim_log_line other = line;
    const uint64_t want = hash_of(7, &line);

    CHECK_EQ(hash_of(7, &other), want);
    CHECK_NE(hash_of(8, &other), want);
    other.what = "recv";
    CHECK_NE(hash_of(7, &other), want);
    other = line;
    other.host = 2;
    CHECK_NE(hash_of(7, &other), want);
    other = line;
    other.a = 3;
    CHECK_NE(hash_of(7, &other), want);
    other = line;
    other.b = 2;
    CHECK_NE(hash_of(7, &other), want);
    for (size_t len = 0; len < sizeof bytes; len++) {
        other = line;
        other.bytes.len = len;
        CHECK_NE(hash_of(7, &other), want);
        bytes[len] ^= 1;
        CHECK_NE(hash_of(7, &line), want);
        bytes[len] ^= 1;
    }
}

TEST(the_trace_hash_is_the_same_number_everywhere)
{
    const uint8_t bytes[] = "the quick brown fox";

    CHECK_EQ(sim_hash(1, bytes, sizeof bytes - 1), 0x99a7c01b086e03e9u);
}
