/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_carrier_test.c - a session whose datagrams go, each behind its length, through an ordered
 * stream of bytes, as they would inside TLS to a relay (docs/spec/4-transport.md 4.4).
 */
#include "support/chan_pair.h"
#include "transport/carrier.h"
#include "transport/mtu.h"

#define STEP_US 1000u
#define PIPE_CAP 131072u

/* One direction: what was written and has not arrived, and what arrived of an unfinished datagram.
 */
struct flow {
    uint8_t bytes[PIPE_CAP], part[65536 + 2];
    size_t len, part_len;
    uint64_t datagrams, trains, marked, largest;
};

static struct pair p;
static struct flow flows[2];
static size_t rate; /* bytes a step */

static void put(struct pair *pair, int who, const struct wf_send *s, weft_span datagram)
{
    struct flow *f = &flows[who];
    uint8_t head[2] = {(uint8_t)(datagram.len >> 8), (uint8_t)datagram.len};

    (void)pair;
    CHECK_LE(f->len + 2 + datagram.len, PIPE_CAP);
    memcpy(f->bytes + f->len, head, 2);
    memcpy(f->bytes + f->len + 2, datagram.data, datagram.len);
    f->len += 2 + datagram.len;
    f->datagrams++;
    f->trains += s->segment != 0 && s->segment < s->len;
    f->marked += s->ecn != WF_ECN_NOT_ECT;
    f->largest = datagram.len > f->largest ? datagram.len : f->largest;
    CHECK_EQ(s->to.carrier, WF_CARRIER_STREAM);
}

static bool is_full(struct pair *pair, int who)
{
    (void)pair;
    return PIPE_CAP - flows[who].len < 65536 + 2;
}

/* Bytes come in pieces that have nothing to do with datagrams. */
static void drain(int who, size_t count)
{
    struct flow *f = &flows[who];

    count = count < f->len ? count : f->len;
    for (size_t i = 0; i < count; i++) {
        f->part[f->part_len++] = f->bytes[i];
        size_t want = f->part_len < 2 ? 2 : 2u + ((size_t)f->part[0] << 8 | f->part[1]);
        if (f->part_len < 2 || f->part_len < want)
            continue;
        f->part_len = 0;
        memmove(f->bytes, f->bytes + i + 1, f->len - i - 1);
        f->len -= i + 1;
        pair_arrive(&p, !who, &p.end[who].addr, wf_span(f->part + 2, want - 2));
        drain(who, count - i - 1);
        return;
    }
    memmove(f->bytes, f->bytes + count, f->len - count);
    f->len -= count;
}

static void begin(void)
{
    struct pair_options o = {.seed = test_seed()};

    memset(flows, 0, sizeof flows);
    pair_new(&p, &o);
    p.unchecked = true;
    p.stream = put;
    p.is_full = is_full;
    p.end[0].addr.carrier = WF_CARRIER_STREAM;
    p.end[1].addr.carrier = WF_CARRIER_STREAM;
    rate = 5000;
    pair_start(&p, false);
}

static void step(struct pair_source *s)
{
    (void)pair_push(&p, s);
    (void)pair_run(&p, p.now + STEP_US);
    for (int who = 0; who < 2; who++) {
        drain(who, rate + p.steps % 7);
    }
}

static void finish(struct pair_source *s)
{
    for (int i = 0; i < 100000 && pair_message(&p, s->who, false, s->number)->delivered == 0; i++) {
        step(s);
    }
    CHECK_EQ(pair_message(&p, s->who, false, s->number)->delivered, 1);
    CHECK(pair_message(&p, !s->who, true, s->number)->is_right);
}

/* SPEC 4.4-12 */
TEST(a_session_over_a_stream_uses_whole_records_and_neither_probes_nor_marks_nor_trains)
{
    struct pair_source s = {.who = 0, .length = 4u << 20};

    begin();
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    finish(&s);
    CHECK_EQ(flows[0].largest, WF_CARRIER_STREAM_DATAGRAM);
    CHECK_EQ(flows[0].trains + flows[1].trains, 0);
    CHECK_EQ(flows[0].marked + flows[1].marked, 0);
    CHECK_EQ(p.end[0].probes_out + p.end[1].probes_out, 0);
    pair_free(&p);
}

/* SPEC 4.4-12 */
TEST(a_stream_that_stands_still_gets_questions_and_no_byte_of_a_message_twice)
{
    struct pair_source s = {.who = 0, .length = 2u << 20};
    struct wf_chan_stats stats;

    begin();
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    for (int i = 0; i < 100; i++) {
        step(&s);
    }
    size_t waits = flows[0].len;
    rate = 0; /* the transport below repairs a loss */
    uint64_t before = flows[0].datagrams;
    for (int i = 0; i < 3000; i++) {
        (void)pair_run(&p, p.now + STEP_US);
    }
    CHECK(waits > 0);
    CHECK_LE(flows[0].datagrams, before + 20);
    rate = 5000;
    finish(&s);
    wf_chan_stats(p.end[0].chan, &stats);
    CHECK(stats.pto_count > 0);
    CHECK_EQ(stats.frames_resent, 0);
    CHECK_EQ(stats.datagram_len, WF_CARRIER_STREAM_DATAGRAM);
    pair_free(&p);
}

/* SPEC 4.4-12 */
TEST(the_same_place_by_another_carrier_is_another_path)
{
    struct wf_addr udp = wf_addr_v4(9, 9, 9, 9, 443);
    struct wf_addr stream = udp;
    struct wf_addr mapped = {.family = WF_ADDR_V6,
                             .carrier = WF_CARRIER_STREAM,
                             .ip = {[10] = 0xff, 0xff, 9, 9, 9, 9},
                             .port = 443};
    uint8_t keys[2][WF_ADDR_KEY_LEN];

    stream.carrier = WF_CARRIER_STREAM;
    CHECK(!wf_addr_equal(&udp, &stream));
    CHECK(!wf_addr_same_host(&udp, &stream));
    mapped = wf_addr_normalise(&mapped);
    CHECK(wf_addr_equal(&mapped, &stream));
    wf_addr_key(keys[0], &udp);
    wf_addr_key(keys[1], &stream);
    CHECK(memcmp(keys[0], keys[1], sizeof keys[0]) != 0);
    CHECK_EQ(wf_carrier_of(&udp)->datagram_len, 0);
    udp.carrier = 200; /* never made; nothing breaks */
    CHECK(wf_carrier_of(&udp)->has_ecn);
}

/* SPEC 4.4-12 */
TEST(a_fixed_size_is_neither_searched_nor_lost_nor_above_what_both_take)
{
    struct wf_mtu m;

    wf_mtu_init(&m, 65507);
    wf_mtu_fix(&m, WF_CARRIER_STREAM_DATAGRAM);
    CHECK_EQ(wf_mtu_size(&m), WF_CARRIER_STREAM_DATAGRAM);
    CHECK_EQ(wf_mtu_probe(&m, 1ull << 50), 0);
    CHECK_EQ(wf_mtu_deadline(&m), WEFT_TIME_NEVER);
    CHECK(!wf_mtu_on_pto(&m, 100));
    for (int i = 0; i < 10; i++) {
        CHECK(!wf_mtu_on_lost(&m, WF_CARRIER_STREAM_DATAGRAM));
    }
    CHECK(!wf_mtu_on_too_big(&m, 5, WF_CARRIER_STREAM_DATAGRAM));
    CHECK_EQ(wf_mtu_size(&m), WF_CARRIER_STREAM_DATAGRAM);
    wf_mtu_reset(&m); /* back on UDP */
    CHECK_EQ(wf_mtu_size(&m), WF_MTU_BASE);
    CHECK(wf_mtu_probe(&m, 6) > 0);
    wf_mtu_init(&m, 1400);
    wf_mtu_fix(&m, WF_CARRIER_STREAM_DATAGRAM);
    CHECK_EQ(wf_mtu_size(&m), 1400);
}

/* SPEC 4.4-12 */
TEST(a_session_moves_from_udp_to_a_stream_and_back)
{
    struct pair_options o = {.seed = test_seed(), .link = {.mtu = {1500, 1500}}};
    struct pair_source s = {.who = 1, .length = 1u << 20};
    struct wf_chan_stats stats;

    pair_new(&p, &o);
    p.unchecked = true;
    pair_start(&p, false);
    pair_transfer(&p, &s, 60000000);
    for (int carrier = WF_CARRIER_STREAM; carrier >= WF_CARRIER_UDP; carrier--) {
        p.end[0].addr.carrier = (uint8_t)carrier;
        wf_chan_ping(p.end[0].chan);
        (void)pair_run(&p, p.now + 200000);
        wf_chan_stats(p.end[1].chan, &stats);
        CHECK_EQ(stats.datagram_len,
                 carrier == WF_CARRIER_STREAM ? WF_CARRIER_STREAM_DATAGRAM : WF_MTU_BASE);
        CHECK_EQ(p.end[1].paths, carrier == WF_CARRIER_STREAM ? 1 : 2);
        p.link.mtu[1] = carrier == WF_CARRIER_STREAM ? 65507 : 1500;
        s = (struct pair_source){.who = 1, .length = 1u << 20};
        pair_transfer(&p, &s, 60000000);
    }
    pair_free(&p);
}
