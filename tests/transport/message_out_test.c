/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_out_test.c - an outgoing message: every byte is offered until it is acknowledged, credit
 * bounds fresh ones, the end is said once, memory failures only cost repetition.
 */
#include "transport/message_out.h"

#include "test.h"

static struct wf_block_pool pool;
static struct wf_message_out m;

static void begin(bool open_ended, uint64_t length)
{
    struct wf_frame_open open = {.open_ended = open_ended, .length = length};

    wf_block_pool_init(&pool, test_mem());
    wf_message_out_init(&m, 1, &open);
    m.open_once = WF_ONCE_ACKED;
    m.credit = UINT64_MAX;
}

static void finish(void)
{
    wf_message_out_deinit(&m, &pool);
    wf_block_pool_trim(&pool);
    CHECK_EQ(pool.mem->held, 0);
}

static void write_bytes(size_t len)
{
    uint8_t *bytes = malloc(len);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)((m.written + i) * 3);
    CHECK_OK(wf_message_out_write(&m, &pool, (weft_span){bytes, len}));
    free(bytes);
}

static struct wf_out_piece take(size_t len_max)
{
    struct wf_out_piece p = {0};

    CHECK(wf_message_out_piece(&m, len_max, UINT64_MAX, &p));
    wf_message_out_sent(&m, &p);
    return p;
}

static bool has_piece(uint64_t node_left)
{
    struct wf_out_piece p;

    return wf_message_out_piece(&m, 1000, node_left, &p);
}

TEST(fresh_bytes_go_in_order_up_to_what_was_written)
{
    begin(true, 0);
    CHECK(!has_piece(1000));
    write_bytes(2500);
    CHECK_EQ(take(1000).len, 1000);
    CHECK_EQ(take(1000).offset, 1000);
    struct wf_out_piece last = take(1000);
    CHECK_EQ(last.len, 500);
    CHECK(!last.end);
    CHECK(!has_piece(1000));
    finish();
}

TEST(credit_of_message_and_node_bound_fresh_bytes_and_not_lost_ones)
{
    begin(true, 0);
    write_bytes(100);
    m.credit = 60;
    CHECK(!has_piece(0));
    struct wf_out_piece p;
    CHECK(wf_message_out_piece(&m, 1000, 30, &p));
    CHECK_EQ(p.len, 30);
    struct wf_out_piece a = take(1000);
    CHECK_EQ(a.len, 60);
    CHECK(!wf_message_out_has_fresh(&m));
    wf_message_out_lost(&m, &pool, &a);
    CHECK(wf_message_out_has_due(&m));
    CHECK(wf_message_out_piece(&m, 1000, 0, &p));
    CHECK(!p.is_fresh);
    CHECK_EQ(p.len, 60);
    finish();
}

TEST(lost_bytes_go_again_lowest_first_and_without_what_was_acknowledged_since)
{
    begin(true, 0);
    write_bytes(1000);
    struct wf_out_piece p[10];
    for (size_t i = 0; i < 10; i++)
        p[i] = take(100);
    wf_message_out_lost(&m, &pool, &p[7]);
    wf_message_out_lost(&m, &pool, &p[2]);
    wf_message_out_lost(&m, &pool, &p[3]);
    wf_message_out_acked(&m, &pool, &p[2]); /* late, after it was called lost */
    struct wf_out_piece again = take(1000);
    CHECK_EQ(again.offset, 300);
    CHECK_EQ(again.len, 100);
    CHECK_EQ(take(1000).offset, 700);
    CHECK(!has_piece(1000));
    finish();
}

TEST(an_open_ended_message_says_its_end_once_and_again_when_that_was_lost)
{
    begin(true, 0);
    write_bytes(10);
    struct wf_out_piece a = take(1000);
    CHECK(!a.end);
    wf_message_out_end(&m);
    struct wf_out_piece b = take(1000);
    CHECK(b.end);
    CHECK_EQ(b.len, 0);
    CHECK(!has_piece(1000));
    wf_message_out_lost(&m, &pool, &b);
    b = take(1000);
    CHECK(b.end);
    wf_message_out_acked(&m, &pool, &b);
    CHECK(!wf_message_out_is_done(&m));
    wf_message_out_acked(&m, &pool, &a);
    CHECK(wf_message_out_is_done(&m));
    finish();
}

TEST(a_declared_length_needs_no_end)
{
    begin(false, 10);
    write_bytes(10);
    CHECK(m.ended);
    struct wf_out_piece a = take(1000);
    CHECK(!a.end);
    wf_message_out_acked(&m, &pool, &a);
    CHECK(wf_message_out_is_done(&m));
    finish();
    begin(false, 0);
    CHECK(wf_message_out_is_done(&m));
    finish();
}

TEST(acknowledged_blocks_are_given_back)
{
    begin(true, 0);
    write_bytes(300000);
    struct wf_out_piece a = take(150000);
    struct wf_out_piece b = take(150000);
    size_t held = m.data.held;
    wf_message_out_acked(&m, &pool, &b);
    CHECK_EQ(m.data.held, held); /* in order only */
    wf_message_out_acked(&m, &pool, &a);
    CHECK_EQ(m.acked, 300000);
    CHECK_LE(m.data.held, WF_BLOCK_MAX);
    finish();
}

TEST(a_cancelled_message_sends_nothing_but_cancel)
{
    begin(true, 0);
    write_bytes(300);
    struct wf_out_piece a = take(100);
    wf_message_out_cancel(&m, &pool, 3);
    CHECK_EQ(m.data.held, 0);
    CHECK(!has_piece(1000));
    CHECK(wf_message_out_has_due(&m));
    CHECK_EQ(m.sent, 100);
    wf_message_out_lost(&m, &pool, &a);
    wf_message_out_acked(&m, &pool, &a);
    CHECK(!wf_message_out_is_done(&m));
    m.cancel_once = WF_ONCE_ACKED;
    CHECK(wf_message_out_is_done(&m));
    finish();
}

/* Pieces are lost and acknowledged in any order, with allocations failing now and then: in the end
 * all is acknowledged. */
TEST(whatever_is_lost_and_without_memory_everything_arrives_in_the_end)
{
    for (uint64_t seed = test_seed(); seed < test_seed() + 100; seed++) {
        uint64_t state = seed;
        struct wf_out_piece flying[64];
        size_t count = 0;

        test_note("seed %llu", (unsigned long long)seed);
        begin(true, 0);
        write_bytes(20000);
        wf_message_out_end(&m);
        for (int step = 0; step < 100000 && !wf_message_out_is_done(&m); step++) {
            pool.mem->fail_at = test_next(&state) % 4 == 0 ? pool.mem->attempts + 1 : 0;
            struct wf_out_piece p;
            if (count < 64 &&
                wf_message_out_piece(&m, 1 + test_next(&state) % 90, UINT64_MAX, &p)) {
                wf_message_out_sent(&m, &p);
                flying[count++] = p;
                continue;
            }
            CHECK(count > 0);
            size_t i = test_next(&state) % count;
            p = flying[i];
            flying[i] = flying[--count];
            if (test_next(&state) % 2 == 0) {
                wf_message_out_lost(&m, &pool, &p);
            } else {
                wf_message_out_acked(&m, &pool, &p);
            }
            CHECK_LE(m.acks.r.count, WF_OUT_RANGES_MAX);
            CHECK_LE(m.lost.r.count, WF_OUT_RANGES_MAX);
        }
        pool.mem->fail_at = 0;
        CHECK(wf_message_out_is_done(&m));
        finish();
    }
}
