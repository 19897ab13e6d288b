/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_liar_test.c - a peer that breaks the rules: it is closed with the right code or bounded, and
 * memory and answers stay within their caps whatever it sends.
 */
#include "base/bytes.h"
#include "crypto/dh.h"
#include "support/chan_liar.h"
#include "support/small_points.h"
#include "transport/reassembly.h"
#include "transport/sent.h"

#define PIECES WF_REASSEMBLY_RANGES_MAX

static struct liar l;
static const uint8_t zeros[1200];

static const struct wf_params params = {.node_credit = 10000,
                                        .message_credit = 5000,
                                        .message_count = 10,
                                        .ack_delay_us = 25000,
                                        .datagram_max = 65507};

static weft_span bytes(size_t len)
{
    return (weft_span){zeros, len};
}

static void put_open(uint64_t number, bool open_ended, uint64_t length)
{
    struct wf_frame f = liar_open(number, open_ended, length);

    liar_put(&l, &f);
}

static void put_data(uint64_t number, uint64_t offset, size_t len, bool end)
{
    struct wf_frame f = liar_data(number, offset, bytes(len), end);

    liar_put(&l, &f);
}

static void put_number(uint8_t type, uint64_t number, uint64_t code, uint64_t size)
{
    struct wf_frame f = {.type = type};

    f.u.cancel.number = number;
    f.u.cancel.code = code;
    f.u.cancel.size = size;
    liar_put(&l, &f);
}

static void put_ping(void)
{
    struct wf_frame f = {.type = WF_FRAME_PING};

    liar_put(&l, &f);
}

static void put_credit(uint8_t scope, uint64_t number, uint64_t limit)
{
    struct wf_frame f = {.type = WF_FRAME_CREDIT};

    f.u.credit.scope = scope;
    f.u.credit.number = number;
    f.u.credit.limit = limit;
    liar_put(&l, &f);
}

static void begin(enum wf_role role)
{
    liar_new(&l, role, &params);
    liar_listen(&l);
    put_ping();
    liar_send(&l);
}

static void expect_closed(uint64_t code)
{
    CHECK_EQ(l.seen[WF_FRAME_CLOSE], 1);
    CHECK_EQ(l.close_code, code);
    liar_wait(&l, 10000000);
    CHECK_EQ(l.events[WF_CHAN_CLOSED], 1);
    CHECK_EQ(l.closed.err, WEFT_ERR_PROTOCOL);
    CHECK_EQ(l.closed.code, code);
    liar_free(&l);
}

static void expect_open(void)
{
    CHECK_EQ(l.seen[WF_FRAME_CLOSE], 0);
    CHECK_EQ(l.events[WF_CHAN_CLOSED], 0);
}

TEST(bytes_up_to_each_limit_are_taken_and_one_more_closes) /* SPEC 3.4-1 */
{
    for (uint64_t extra = 0; extra < 2; extra++) {
        l.reads = false;
        begin(WF_ROLE_SERVER);
        l.reads = false;
        put_open(1, true, 0);
        for (uint64_t at = 0; at < 5000; at += 1000)
            put_data(1, at, 1000, false);
        liar_send(&l);
        expect_open();
        put_data(1, 4999 + extra, 1, false);
        liar_send(&l);
        if (extra == 0) {
            expect_open();
            liar_free(&l);
        } else {
            expect_closed(WF_CODE_LIMIT);
        }
    }
}

TEST(the_credit_of_the_node_pair_counts_highest_offsets_of_all_messages) /* SPEC 4.3-1 */
{
    for (uint64_t extra = 0; extra < 2; extra++) {
        begin(WF_ROLE_SERVER);
        l.reads = false;
        for (uint64_t n = 1; n <= 3; n++)
            put_data(n, n < 3 ? 4000 - 1 : 2000 - 1 + extra, 1, false); /* gaps count too */
        liar_send(&l);
        if (extra == 0) {
            expect_open();
            liar_free(&l);
        } else {
            expect_closed(WF_CODE_LIMIT);
        }
    }
}

TEST(a_message_number_beyond_the_limit_closes)
{
    begin(WF_ROLE_SERVER);
    put_open(10, true, 0);
    liar_send(&l);
    expect_open();
    put_open(11, true, 0);
    liar_send(&l);
    expect_closed(WF_CODE_LIMIT);
    begin(WF_ROLE_SERVER);
    put_number(WF_FRAME_CANCEL, 11, 0, 0);
    liar_send(&l);
    expect_closed(WF_CODE_LIMIT);
}

TEST(contradictory_ends_close) /* SPEC 3.3-1 */
{
    for (int i = 0; i < 6; i++) {
        test_note("case %d", i);
        begin(WF_ROLE_SERVER);
        l.reads = false;
        put_open(1, i >= 4, 100);
        put_data(1, 0, 50, i == 5);
        if (i == 0)
            put_data(1, 50, 51, false);
        if (i == 1)
            put_data(1, 50, 40, true);
        if (i == 2)
            put_data(1, 100, 1, false);
        if (i == 3)
            put_number(WF_FRAME_CANCEL, 1, 3, 49);
        if (i == 4)
            put_data(1, 0, 40, true);
        if (i == 5)
            put_data(1, 50, 1, false);
        liar_send(&l);
        expect_closed(WF_CODE_PROTOCOL);
    }
}

TEST(frames_about_messages_that_never_were_close)
{
    for (int i = 0; i < 4; i++) {
        test_note("case %d", i);
        begin(WF_ROLE_SERVER);
        if (i == 0)
            put_number(WF_FRAME_STOP, 1, 3, 0);
        if (i == 1)
            put_credit(WF_CREDIT_MESSAGE, 1, 100);
        if (i == 2) {
            struct wf_frame f = liar_open(1, true, 0);
            f.u.open.reply_to = 1; /* SPEC 3.2-1 */
            liar_put(&l, &f);
        }
        if (i == 3) {
            struct wf_frame f = {.type = WF_FRAME_ERROR};
            f.u.error.regards = 1;
            liar_put(&l, &f);
        }
        liar_send(&l);
        expect_closed(WF_CODE_PROTOCOL);
    }
}

TEST(an_ack_of_what_was_never_sent_closes) /* SPEC 3.1-2 */
{
    begin(WF_ROLE_SERVER);
    struct wf_chan_stats before, after;
    wf_chan_stats(l.chan, &before);
    liar_ack(&l, l.newest + 10, l.newest + 10);
    liar_send(&l);
    wf_chan_stats(l.chan, &after);
    CHECK(after.cwnd <= before.cwnd);
    expect_closed(WF_CODE_PROTOCOL);
}

/* Sends nothing but ACKs of everything that may have been sent, received or not: a skipped number
 * gives it away. */
TEST(an_optimistic_acker_is_caught_by_a_skipped_number) /* SPEC 4.1-4 */
{
    struct wf_params generous = params;
    generous.node_credit = 1u << 30;
    generous.message_credit = 1u << 30;
    liar_new(&l, WF_ROLE_SERVER, &generous);
    put_ping();
    liar_send(&l);
    struct wf_message_params mp = {.open_ended = true};
    uint64_t number = 0;
    CHECK_OK(wf_chan_open(l.chan, &mp, &number));
    for (int i = 0; i < 20000 && l.seen[WF_FRAME_CLOSE] == 0; i++) {
        size_t taken = 0;
        CHECK_OK(wf_chan_write(l.chan, number, bytes(1200), false, &taken));
        l.now += 1000;
        liar_listen(&l);
        if (l.newest > 0) {
            liar_ack(&l, l.newest, 1);
            liar_send(&l);
        }
    }
    CHECK_EQ(l.close_code, WF_CODE_PROTOCOL);
    CHECK_LE(l.packets, 3000);
    liar_wait(&l, 10000000);
    liar_free(&l);
}

TEST(pieces_at_every_other_offset_stay_within_credit_and_are_not_acknowledged_beyond_the_cap)
{
    begin(WF_ROLE_SERVER);
    size_t before = l.mem->held;
    /* The bytes, what says where they are, and records of the ACKs, one for each that was taken. */
    size_t most = 2 * 5000 + PIECES * sizeof(struct wf_range) +
                  2 * PIECES * (sizeof(struct wf_sent_packet) + sizeof(struct wf_sent_frame));
    put_open(1, true, 0);
    liar_send(&l);
    for (uint64_t at = 1; at < 5000; at += 2) {
        put_data(1, at, 1, false);
        liar_send(&l);
        CHECK_LE(l.mem->held, before + most);
    }
    expect_open();
    struct wf_chan_stats s;
    wf_chan_stats(l.chan, &s);
    CHECK_EQ(s.packets_dropped, 2500 - PIECES);
    put_data(1, 0, 600, false); /* and it still takes what fills the gaps */
    liar_send(&l);
    CHECK_EQ(l.events[WF_CHAN_READABLE], 1);
    liar_free(&l);
}

TEST(a_packet_that_fills_many_gaps_is_taken_however_many_pieces_wait)
{
    begin(WF_ROLE_SERVER);
    put_open(1, true, 0);
    for (uint64_t at = 1; at < 2 * PIECES; at += 2)
        put_data(1, at, 1, false);
    liar_send(&l);
    for (uint64_t at = 2; at < 2 * PIECES; at += 2)
        put_data(1, at, 1, false);
    put_data(1, 0, 1, false);
    liar_send(&l);
    struct wf_chan_stats s;
    wf_chan_stats(l.chan, &s);
    CHECK_EQ(s.packets_dropped, 0);
    CHECK_EQ(l.events[WF_CHAN_READABLE], 1);
    expect_open();
    liar_free(&l);
}

TEST(a_packet_with_too_many_pieces_changes_nothing)
{
    begin(WF_ROLE_SERVER);
    l.reads = false;
    put_open(1, true, 0);
    for (uint64_t at = 1; at < 2 * PIECES + 3; at += 2)
        put_data(1, at, 1, false);
    put_ping();
    uint64_t acks = l.seen[WF_FRAME_ACK];
    liar_send(&l);
    liar_wait(&l, 100000);
    CHECK_EQ(l.seen[WF_FRAME_ACK], acks); /* as if it was lost */
    CHECK_EQ(l.events[WF_CHAN_OPENED], 0);
    expect_open();
    liar_free(&l);
}

TEST(a_flood_of_challenges_is_answered_within_the_cap_of_control_frames) /* SPEC 4.4-4 */
{
    struct wf_frame f = {.type = WF_FRAME_PATH_CHALLENGE};

    begin(WF_ROLE_SERVER);
    size_t before = l.mem->held;
    for (int i = 0; i < 3000; i++) {
        f.u.token[0] = (uint8_t)i;
        for (int k = 0; k < 100; k++)
            liar_put(&l, &f);
        liar_send_only(&l);
        struct wf_chan_stats s;
        wf_chan_stats(l.chan, &s);
        CHECK_LE(s.control_bytes, 8192);
        CHECK_LE(l.mem->held, before + 8192 + 4096);
    }
    liar_listen(&l);
    CHECK_LE(l.seen[WF_FRAME_PATH_RESPONSE], 8192 / 9);
    CHECK(l.seen[WF_FRAME_PATH_RESPONSE] > 0);
    expect_open();
    liar_free(&l);
}

TEST(a_flood_of_ids_to_retire_without_acks_ends_the_session_within_the_cap)
{
    struct wf_frame f = {.type = WF_FRAME_NEW_ID};

    begin(WF_ROLE_SERVER);
    for (uint64_t i = 1; i < 2000 && l.seen[WF_FRAME_CLOSE] == 0; i++) {
        f.u.new_id.sequence = i;
        f.u.new_id.retire_below = i;
        f.u.new_id.cid[0] = (uint8_t)i;
        liar_put(&l, &f);
        liar_send(&l);
        struct wf_chan_stats s;
        wf_chan_stats(l.chan, &s);
        CHECK_LE(s.control_bytes, 8192);
    }
    expect_closed(WF_CODE_LIMIT);
}

TEST(ids_that_contradict_each_other_close)
{
    for (int i = 0; i < 3; i++) {
        struct wf_frame f = {.type = WF_FRAME_NEW_ID};
        test_note("case %d", i);
        begin(WF_ROLE_SERVER);
        f.u.new_id.sequence = 1;
        if (i == 0)
            f.u.new_id.retire_below = 2;
        liar_put(&l, &f);
        f.u.new_id.cid[0] = 1;
        if (i == 1)
            liar_put(&l, &f);
        if (i == 2)
            put_number(WF_FRAME_RETIRE_ID, 100, 0, 0);
        liar_send(&l);
        expect_closed(WF_CODE_PROTOCOL);
    }
}

TEST(retiring_our_ids_makes_new_ones_at_a_bounded_rate)
{
    struct wf_frame f = {.type = WF_FRAME_RETIRE_ID};

    begin(WF_ROLE_SERVER);
    CHECK_EQ(l.events[WF_CHAN_NEW_CID], 2);
    for (uint64_t i = 0; i < 100; i++) {
        f.u.new_id.sequence = i;
        liar_put(&l, &f);
        liar_put(&l, &f);
        memcpy(l.cid, l.last[WF_FRAME_NEW_ID].u.new_id.cid, 8);
        liar_ack(&l, l.newest, l.newest);
        liar_send(&l);
        liar_wait(&l, 100000);
        expect_open();
    }
    CHECK_EQ(l.events[WF_CHAN_OLD_CID], 100);
    CHECK_EQ(l.events[WF_CHAN_NEW_CID], 102);
    liar_free(&l);
}

TEST(opening_and_cancelling_counts_until_it_was_dealt_with)
{
    begin(WF_ROLE_SERVER);
    size_t before = l.mem->held;
    uint64_t limit = 10;
    for (uint64_t n = 1; n <= 20000; n++) {
        put_open(n, true, 0);
        put_data(n, 0, 1, false);
        put_number(WF_FRAME_CANCEL, n, 3, 1);
        if (n % 5 == 0 || n == limit) {
            liar_ack(&l, l.newest, l.newest);
            liar_send(&l);
            liar_wait(&l, 1000);
            limit = l.last[WF_FRAME_CREDIT].u.credit.scope == WF_CREDIT_COUNT
                        ? l.last[WF_FRAME_CREDIT].u.credit.limit
                        : limit + 5;
        }
        CHECK_LE(l.mem->held, before + 65536);
    }
    expect_open();
    CHECK_EQ(l.events[WF_CHAN_OPENED], 20000);
    CHECK_EQ(l.events[WF_CHAN_CANCELLED], 20000);
    liar_free(&l);
}

TEST(an_open_may_come_after_its_data_and_again) /* SPEC 3.2-2 */
{
    begin(WF_ROLE_SERVER);
    put_data(1, 0, 10, false);
    liar_send(&l);
    CHECK_EQ(l.events[WF_CHAN_OPENED], 0);
    CHECK_EQ(l.events[WF_CHAN_READABLE], 0);
    put_open(1, true, 0);
    put_open(1, true, 0);
    liar_send(&l);
    put_open(1, true, 0);
    liar_send(&l);
    CHECK_EQ(l.events[WF_CHAN_OPENED], 1);
    CHECK_EQ(l.events[WF_CHAN_READABLE], 1);
    expect_open();
    liar_free(&l);
}

TEST(late_frames_of_finished_messages_are_ignored)
{
    begin(WF_ROLE_SERVER);
    put_open(1, false, 10);
    put_data(1, 0, 10, false);
    liar_send(&l);
    CHECK_EQ(l.events[WF_CHAN_READABLE], 1);
    put_open(1, false, 10);
    put_data(1, 0, 10, false);
    put_number(WF_FRAME_CANCEL, 1, 3, 10);
    liar_send(&l);
    expect_open();
    CHECK_EQ(l.events[WF_CHAN_OPENED], 1);
    CHECK_EQ(l.events[WF_CHAN_READABLE], 1);
    liar_free(&l);
}

TEST(unknown_frames_and_frames_cut_short_close)
{
    for (unsigned type = 0; type < 256; type++) {
        bool is_known = type <= WF_FRAME_CLOSE;
        if (is_known)
            continue;
        begin(WF_ROLE_SERVER);
        wf_write_u8(&l.w, (uint8_t)type);
        liar_send(&l);
        expect_closed(WF_CODE_PROTOCOL);
    }
}

TEST(a_malformed_frame_behind_good_ones_undoes_them)
{
    begin(WF_ROLE_SERVER);
    put_open(1, true, 0);
    put_data(1, 0, 10, false);
    wf_write_u8(&l.w, 0x77);
    liar_send(&l);
    CHECK_EQ(l.events[WF_CHAN_OPENED], 0);
    expect_closed(WF_CODE_PROTOCOL);
}

TEST(credit_that_shrinks_or_overflows_does_no_harm)
{
    begin(WF_ROLE_SERVER);
    put_credit(WF_CREDIT_NODE, 0, 1ull << 62);
    put_credit(WF_CREDIT_NODE, 0, 0);
    put_credit(WF_CREDIT_COUNT, 0, 1ull << 62);
    put_credit(WF_CREDIT_COUNT, 0, 1);
    liar_send(&l);
    expect_open();
    struct wf_chan_stats s;
    wf_chan_stats(l.chan, &s);
    CHECK_EQ(s.credit_left, 1ull << 62);
    liar_free(&l);
}

TEST(a_rekey_of_the_wrong_generation_closes)
{
    for (uint64_t g = 0; g < 4; g++) {
        struct wf_frame f = {.type = WF_FRAME_REKEY};
        begin(WF_ROLE_SERVER);
        f.u.rekey.generation = g;
        memset(f.u.rekey.key, 9, 32);
        liar_put(&l, &f);
        liar_send(&l);
        if (g <= 1) {
            expect_open();
            CHECK_EQ(l.seen[WF_FRAME_REKEY], g);
            liar_free(&l);
        } else {
            expect_closed(WF_CODE_PROTOCOL);
        }
    }
}

TEST(a_rekey_with_a_key_of_small_order_closes)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(small_points); i++) {
        struct wf_frame f = {.type = WF_FRAME_REKEY};
        begin(WF_ROLE_SERVER);
        f.u.rekey.generation = 1;
        CHECK(wf_unhex(f.u.rekey.key, sizeof f.u.rekey.key, small_points[i]));
        liar_put(&l, &f);
        liar_send(&l);
        expect_closed(WF_CODE_PROTOCOL);
    }
}

static uint64_t rekeys(void)
{
    struct wf_chan_stats s;

    wf_chan_stats(l.chan, &s);
    return s.rekeys;
}

/* A whole change of keys, as far as the honest server goes along. */
static void change_keys(uint64_t generation)
{
    static const uint8_t secret[WF_DH_LEN] = {8};
    struct wf_frame f = {.type = WF_FRAME_REKEY};
    uint8_t dh[WF_DH_LEN];
    uint64_t answers = l.seen[WF_FRAME_REKEY];

    wf_dh_public(f.u.rekey.key, secret);
    f.u.rekey.generation = generation;
    liar_put(&l, &f);
    liar_send(&l);
    if (l.seen[WF_FRAME_REKEY] == answers)
        return;
    CHECK_OK(wf_dh(dh, secret, l.last[WF_FRAME_REKEY].u.rekey.key));
    wf_keys_rekey(l.keys, dh, f.u.rekey.key, l.last[WF_FRAME_REKEY].u.rekey.key);
    put_ping();
    liar_ack(&l, l.newest, l.newest);
    liar_send(&l);
    liar_wait(&l, 1000000);
}

TEST(keys_that_change_too_often_close_and_nothing_is_computed_for_the_last) /* SPEC 2.5-5 */
{
    begin(WF_ROLE_SERVER);
    change_keys(1);
    change_keys(2);
    expect_open();
    CHECK_EQ(rekeys(), 2);
    change_keys(3);
    CHECK_EQ(rekeys(), 2);
    CHECK_EQ(l.seen[WF_FRAME_REKEY], 2);
    expect_closed(WF_CODE_PROTOCOL);
}

TEST(keys_may_change_for_ever_once_a_minute) /* SPEC 2.5-5 */
{
    begin(WF_ROLE_SERVER);
    for (uint64_t g = 1; g <= 12; g++) {
        for (unsigned i = 0; i < (g % 3 == 0 ? 12u : 1u); i++) { /* two of three are too early */
            liar_wait(&l, 5000000);
            put_ping();
            liar_ack(&l, l.newest, l.newest);
            liar_send(&l);
        }
        change_keys(g);
        expect_open();
        CHECK_EQ(rekeys(), g);
    }
    liar_free(&l);
}

TEST(a_server_that_starts_a_rekey_closes) /* SPEC 2.5-1 */
{
    struct wf_frame f = {.type = WF_FRAME_REKEY};

    begin(WF_ROLE_CLIENT);
    f.u.rekey.generation = 1;
    memset(f.u.rekey.key, 9, 32);
    liar_put(&l, &f);
    liar_send(&l);
    expect_closed(WF_CODE_PROTOCOL);
}

TEST(packets_that_are_replayed_forged_or_too_short_are_counted_and_dropped) /* SPEC 2.1-3 */
{
    begin(WF_ROLE_SERVER);
    struct wf_chan_stats before, after;
    wf_chan_stats(l.chan, &before);
    size_t header = wf_packet_put_header(l.packet, wf_keys_first_byte(l.keys), l.cid, l.next, 2);
    l.packet[header] = WF_FRAME_PING;
    struct wf_seal seal = {l.packet, header, 1, l.next};
    wf_keys_seal(l.keys, l.aead, &seal, 1);
    for (size_t len = 0; len <= header + 17; len++) {
        for (int copy = 0; copy < 2; copy++) {
            struct wf_chan_packet k = {test_copy(l.packet, len), len};
            struct wf_chan_arrival a = {
                .from = l.addr, .to = l.honest_addr, .packets = &k, .count = 1};
            wf_chan_recv(l.chan, l.now, &a);
            free(k.data);
        }
    }
    wf_chan_stats(l.chan, &after);
    CHECK_EQ(after.packets_received - before.packets_received, 1);
    expect_open();
    liar_free(&l);
}

/* SPEC 4.5-2, 4.4-9 */
TEST(a_silent_peer_gets_at_most_12_probes_with_data_and_then_a_question_a_second)
{
    liar_new(&l, WF_ROLE_SERVER, &params);
    put_ping();
    liar_send(&l);
    liar_wait(&l, 1000000);
    struct wf_message_params mp = {.length = 100};
    uint64_t number = 0, packets = l.packets;
    size_t taken = 0;
    CHECK_OK(wf_chan_open(l.chan, &mp, &number));
    CHECK_OK(wf_chan_write(l.chan, number, bytes(100), false, &taken));
    liar_listen(&l);
    liar_wait(&l, 3600000000u);
    CHECK_EQ(l.events[WF_CHAN_CLOSED], 1);
    CHECK_EQ(l.closed.err, WEFT_ERR_TIMEOUT);
    CHECK_LE(l.seen[WF_FRAME_MESSAGE_DATA], 13);
    CHECK_LE(l.packets - packets, 13 + 60);
    CHECK_EQ(l.seen[WF_FRAME_CLOSE], 0); /* without a word */
    liar_free(&l);
}

TEST(ack_only_packets_are_never_acknowledged) /* SPEC 4.1-2 */
{
    begin(WF_ROLE_SERVER);
    liar_wait(&l, 100000);
    uint64_t packets = l.packets;
    for (int i = 0; i < 50; i++) {
        liar_ack(&l, l.newest, l.newest);
        liar_send(&l);
    }
    uint64_t probes = l.packets - packets;
    CHECK_LE(probes, 1);
    liar_free(&l);
}
