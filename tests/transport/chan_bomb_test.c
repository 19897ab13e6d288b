/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_bomb_test.c - a peer with keys that sends a million of something: what each one costs is
 * counted in bytes held and in allocations, and stays what the bound says. Time is measured
 * elsewhere.
 */
#include "support/chan_liar.h"
#include "transport/sent.h"

#define MILLION 1000000u
#define CREDIT (1u << 20)
#define BLOCK 65536u
#define GAPS ((uint64_t)20000)
/* Of one message that is open and holds a byte, in the channel. */
#define OPEN_MESSAGE_MAX 2048u

static struct liar l;
static const uint8_t zeros[1200];
static const struct wf_params params = {.node_credit = 4 * CREDIT,
                                        .message_credit = CREDIT,
                                        .message_count = 256,
                                        .ack_delay_us = 25000,
                                        .datagram_max = 65507};

static void put_open(uint64_t number, uint64_t length)
{
    struct wf_frame f = liar_open(number, length == 0, length);

    liar_put(&l, &f);
}

static void put_data(uint64_t number, uint64_t offset, size_t len)
{
    struct wf_frame f = liar_data(number, offset, (weft_span){zeros, len}, false);

    liar_put(&l, &f);
}

static void put_cancel(uint64_t number, uint64_t size)
{
    struct wf_frame f = {.type = WF_FRAME_CANCEL};

    f.u.cancel.number = number;
    f.u.cancel.code = 3;
    f.u.cancel.size = size;
    liar_put(&l, &f);
}

static void put_ping(void)
{
    struct wf_frame f = {.type = WF_FRAME_PING};

    liar_put(&l, &f);
}

static void begin(bool reads)
{
    liar_new(&l, WF_ROLE_SERVER, &params);
    put_ping();
    liar_send(&l);
    l.reads = reads;
    l.unchecked = true;
}

static void end(void)
{
    l.unchecked = false;
    liar_listen(&l);
    CHECK_EQ(l.seen[WF_FRAME_CLOSE], 0);
    CHECK_EQ(l.events[WF_CHAN_CLOSED], 0);
    liar_free(&l);
}

TEST(a_million_bytes_at_every_other_place_cost_no_more_than_their_window)
{
    begin(false);
    put_open(1, 0);
    liar_send(&l);
    size_t before = l.mem->held;
    uint64_t allocations = l.mem->allocations;

    for (uint64_t i = 0; i < MILLION; i++) {
        put_data(1, (2 * i + 1) % CREDIT, 1);
        if (i % 2000 == 1999)
            liar_send_only(&l);
    }
    CHECK_LE(l.mem->held, before + CREDIT + CREDIT / 10);
    CHECK_LE(l.mem->allocations - allocations, 64);
    liar_wait(&l, 1000000);
    end();
}

TEST(a_byte_in_each_block_of_a_window_holds_the_window_and_a_tenth_at_most)
{
    begin(false);
    put_open(1, 0);
    liar_send(&l);
    size_t before = l.mem->held;

    for (uint64_t at = CREDIT - 1; at > 0 && at<CREDIT; at -= at> BLOCK ? BLOCK : at / 2 + 1) {
        put_data(1, at, 1);
        liar_send(&l);
    }
    CHECK_LE(CREDIT / 2, l.mem->held - before);
    CHECK_LE(l.mem->held, before + CREDIT + CREDIT / 10);
    end();
}

/* All messages that may be open share the credit of the node pair: so do their gaps. */
TEST(a_byte_at_every_other_place_of_all_messages_costs_their_credit_and_a_tenth)
{
    const uint64_t each = params.node_credit / params.message_count;

    begin(false);
    for (uint64_t n = 1; n <= params.message_count; n++) {
        put_open(n, 0);
        put_data(n, 0, 1);
        if (n % 64 == 0)
            liar_send(&l);
    }
    size_t before = l.mem->held;

    for (uint64_t n = 1; n <= params.message_count; n++) {
        for (uint64_t i = 1; i < each / 2; i++) {
            put_data(n, 2 * i, 1);
            if (i % 512 == 0 || i == each / 2 - 1)
                liar_send_only(&l);
        }
        CHECK_LE(l.mem->held, before + params.node_credit + params.node_credit / 10);
    }
    CHECK_LE(params.node_credit / 64, l.mem->held - before);
    end();
}

TEST(a_declared_length_holds_nothing)
{
    begin(false);
    size_t before = l.mem->held;

    put_open(1, (uint64_t)1 << 40);
    put_data(1, 0, 1);
    liar_send(&l);
    CHECK_LE(l.mem->held, before + 4096);
    put_open(2, (uint64_t)1 << 62);
    put_data(2, 0, 1);
    liar_send(&l);
    CHECK_LE(l.mem->held, before + 8192);
    end();
}

TEST(all_messages_that_may_be_open_with_a_byte_each_hold_little_and_one_more_closes)
{
    begin(false);
    size_t before = l.mem->held;

    for (uint64_t n = 1; n <= params.message_count; n++) {
        put_open(n, 0);
        put_data(n, 0, 1);
        if (n % 64 == 0)
            liar_send(&l);
    }
    CHECK_LE(l.mem->held, before + params.message_count * OPEN_MESSAGE_MAX);
    CHECK_EQ(l.seen[WF_FRAME_CLOSE], 0);
    put_open(params.message_count + 1, 0);
    liar_send(&l);
    CHECK_EQ(l.close_code, WF_CODE_LIMIT);
    liar_wait(&l, 10000000);
    liar_free(&l);
}

TEST(a_million_messages_opened_and_cancelled_leave_nothing_and_cost_two_allocations_each)
{
    begin(true);
    size_t before = l.mem->held;
    uint64_t allocations = l.mem->allocations, packets = l.packets;

    for (uint64_t n = 1; n <= MILLION; n++) {
        put_open(n, 0);
        put_data(n, 0, 1);
        put_cancel(n, 1);
        if (n % 64 != 0)
            continue;
        liar_send(&l);
        liar_ack(&l, l.newest, l.newest);
        liar_send(&l);
        CHECK_LE(l.mem->held, before + 262144);
    }
    CHECK_EQ(l.events[WF_CHAN_OPENED], MILLION);
    CHECK_EQ(l.events[WF_CHAN_CANCELLED], MILLION);
    CHECK_LE(l.mem->allocations - allocations, (uint64_t)5 * MILLION / 2);
    CHECK_LE(l.packets - packets, MILLION / 16);
    end();
}

TEST(a_million_challenges_wait_within_8_kib)
{
    struct wf_frame f = {.type = WF_FRAME_PATH_CHALLENGE};

    begin(true);
    size_t before = l.mem->held;
    for (uint64_t i = 0; i < MILLION; i++) {
        f.u.token[i % 8] = (uint8_t)i;
        liar_put(&l, &f);
        if (i % 5000 != 4999)
            continue;
        liar_send_only(&l);
        struct wf_chan_stats s;
        wf_chan_stats(l.chan, &s);
        CHECK_LE(s.control_bytes, 8192);
        CHECK_LE(l.mem->held, before + 8192 + 4096);
    }
    liar_listen(&l);
    CHECK_LE(l.seen[WF_FRAME_PATH_RESPONSE], 8192 / 9);
    end();
}

/* Every other number is missing: what is known of them is bounded, and so is each ACK. */
TEST(twenty_thousand_gaps_between_packets_cost_no_memory_but_for_our_own_acks)
{
    begin(true);
    put_ping();
    l.next++;
    liar_send(&l);
    size_t before = l.mem->held;
    uint64_t acks = l.seen[WF_FRAME_ACK], bytes = l.bytes;

    for (uint64_t i = 0; i < GAPS; i++) {
        l.next++;
        put_ping();
        liar_send(&l);
        CHECK_LE(l.last[WF_FRAME_ACK].u.ack.run_count, WF_ACK_RUNS_MAX);
    }
    /* What it remembers are its own ACKs, of which nobody acknowledges any. */
    CHECK_LE(l.mem->held - before,
             2 * GAPS * (sizeof(struct wf_sent_packet) + sizeof(struct wf_sent_frame)));
    CHECK_LE(l.seen[WF_FRAME_ACK] - acks, GAPS);
    CHECK_LE(l.bytes - bytes, GAPS * 1200);
    end();
}

TEST(a_jump_far_ahead_in_numbers_costs_nothing_and_what_follows_goes_on) /* SPEC 2.2-2 */
{
    begin(true);
    size_t before = l.mem->held;
    for (int i = 0; i < 40; i++) {
        put_ping();
        l.next += (uint64_t)1 << (i < 38 ? i : 38);
        liar_send(&l);
        liar_ack(&l, l.newest, l.newest);
        liar_send(&l);
        CHECK_LE(l.mem->held, before + 4096 + WF_REPLAY_MAX / 8);
        CHECK_EQ(l.last[WF_FRAME_ACK].u.ack.newest, l.next - 2);
    }
    end();
}

TEST(ten_thousand_copies_of_a_packet_are_never_answered_and_heard_once)
{
    begin(true);
    put_open(1, 0);
    put_data(1, 0, 10);
    liar_send(&l);
    liar_wait(&l, 1000000);
    uint64_t packets = l.packets, allocations = l.mem->allocations;
    size_t header = wf_packet_put_header(l.packet, wf_keys_first_byte(l.keys), l.cid, l.next, 9);
    l.packet[header] = WF_FRAME_PING;
    struct wf_seal seal = {l.packet, header, 1, l.next++};
    wf_keys_seal(l.keys, l.aead, &seal, 1);

    for (int i = 0; i <= 10000; i++) {
        struct wf_chan_packet k = {test_copy(l.packet, header + 17), header + 17};
        struct wf_chan_arrival a = {.from = l.addr, .to = l.honest_addr, .packets = &k, .count = 1};
        wf_chan_recv(l.chan, l.now, &a);
        liar_listen(&l);
        free(k.data);
    }
    struct wf_chan_stats s;
    wf_chan_stats(l.chan, &s);
    CHECK_EQ(s.packets_replayed, 10000);
    CHECK_LE(l.packets - packets, 1);
    CHECK_LE(l.mem->allocations - allocations, 20002); /* the copies, and an ACK */
    CHECK_EQ(l.events[WF_CHAN_OPENED], 1);
    end();
}

TEST(bytes_that_came_first_are_the_ones_that_are_read)
{
    uint8_t first[100], second[200];
    bool at_end = false;

    memset(first, 1, sizeof first);
    memset(second, 2, sizeof second);
    begin(false);
    put_open(1, 0);
    struct wf_frame f = liar_data(1, 50, (weft_span){first, sizeof first}, false);
    liar_put(&l, &f);
    f = liar_data(1, 0, (weft_span){second, sizeof second}, false);
    liar_put(&l, &f);
    liar_send(&l);
    weft_span s = wf_chan_peek(l.chan, 1, &at_end);
    CHECK_EQ(s.len, 200);
    for (size_t i = 0; i < s.len; i++)
        CHECK_EQ(s.data[i], i >= 50 && i < 150 ? 1 : 2);
    end();
}

TEST(a_gap_that_is_never_filled_is_no_progress_and_one_that_is_filled_is) /* SPEC 4.3-3 */
{
    begin(false);
    put_open(1, 0);
    put_data(1, 100, 50);
    liar_send(&l);
    struct wf_chan_held h = wf_chan_held(l.chan, 1, true);
    CHECK_EQ(h.bytes, 150);
    put_data(1, 300, 50);
    liar_send(&l);
    CHECK_EQ(wf_chan_held(l.chan, 1, true).progress, h.progress);
    struct wf_chan_account a;
    wf_chan_account(l.chan, &a);
    CHECK_EQ(a.waiting, 100);
    CHECK_EQ(a.unread, 0);
    put_data(1, 0, 100);
    liar_send(&l);
    wf_chan_account(l.chan, &a);
    CHECK_EQ(a.unread, 150);
    CHECK_EQ(a.waiting, 50);
    h = wf_chan_held(l.chan, 1, true);
    put_data(1, 150, 100); /* more to read is not read */
    liar_send(&l);
    CHECK_EQ(wf_chan_held(l.chan, 1, true).progress, h.progress);
    wf_chan_consume(l.chan, 1, 10);
    CHECK(wf_chan_held(l.chan, 1, true).progress != h.progress);
    CHECK_EQ(wf_chan_held(l.chan, 2, true).bytes, 0);
    end();
}
