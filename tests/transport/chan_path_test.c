/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_path_test.c - a peer whose address changes (docs/spec/4-transport.md 4.4), and datagram
 * sizes that grow, stop working or are refused.
 */
#include "support/chan_pair.h"
#include "transport/path.h"

static struct pair p;

static void begin(const struct pair_options *o)
{
    pair_new(&p, o);
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 1000000);
}

static struct wf_chan_stats stats(int who)
{
    struct wf_chan_stats s;

    wf_chan_stats(p.end[who].chan, &s);
    return s;
}

TEST(a_transfer_survives_a_new_port_or_address_every_half_second) /* SPEC 4.4-2 */
{
    for (int who = 0; who < 2; who++) {
        for (int host = 0; host < 2; host++) {
            struct pair_options o = {.seed = test_seed(),
                                     .link = {.loss = 10, .mtu = {1500, 1500}}};
            struct pair_source s = {.who = who, .length = 6000000};
            test_note("who %d host %d", who, host);
            begin(&o);
            p.unchecked = true;
            pair_open(&p, &s, WF_PRIORITY_NORMAL);
            for (int i = 0; i < 400 && pair_message(&p, who, false, s.number)->delivered == 0;
                 i++) {
                if (i % 5 == 4) {
                    p.end[0].addr.port++;
                    p.end[0].addr.ip[3] = (uint8_t)(p.end[0].addr.ip[3] + host);
                    wf_chan_ping(p.end[0].chan); /* so that the other side sees it */
                }
                (void)pair_push(&p, &s);
                (void)pair_run(&p, p.now + 100000);
            }
            CHECK_EQ(pair_message(&p, who, false, s.number)->delivered, 1);
            CHECK(pair_message(&p, !who, true, s.number)->is_right);
            CHECK(p.end[1].paths > 0);
            CHECK_EQ(p.end[0].paths, 0);
            CHECK_EQ(p.end[0].cid_count, 3); /* ids that were given up were replaced */
            pair_free(&p);
        }
    }
}

TEST(a_copy_of_a_packet_from_elsewhere_moves_nothing_for_long)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 0, .length = 10000};

    begin(&o);
    /* The copier's datagram arrives first; nobody is there to answer the challenge. */
    struct wf_addr honest = p.end[0].addr;
    p.end[0].addr = wf_addr_v4(66, 6, 6, 6, 666);
    wf_chan_ping(p.end[0].chan);
    pair_flush(&p, 0);
    p.end[0].addr = honest;
    (void)pair_run(&p, p.now + 5000000);
    CHECK_EQ(p.end[1].paths, 0);
    pair_transfer(&p, &s, 1000000);
    CHECK_EQ(p.end[1].paths, 0);
    CHECK_EQ(p.end[0].pongs, 1);
    pair_free(&p);
}

TEST(the_datagram_size_grows_to_what_the_path_carries) /* SPEC 4.4-1 */
{
    static const size_t sizes[] = {1200, 1280, 1400, 1452, 1500, 9000, 65507};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int refuses = 0; refuses < 2; refuses++) {
            struct pair_options o = {.seed = test_seed(),
                                     .link = {.mtu = {sizes[i], 65507}, .refuses = refuses == 1}};
            struct pair_source s = {.who = 0, .length = 6u << 20};
            test_note("path of %zu, refused %d", sizes[i], refuses);
            begin(&o);
            p.unchecked = true;
            CHECK_EQ(stats(0).datagram_len, 1200); /* nothing to gain without traffic */
            pair_transfer(&p, &s, 60000000);
            CHECK_LE(stats(0).datagram_len, sizes[i]);
            CHECK_LE(sizes[i] - 32, stats(0).datagram_len);
            pair_free(&p);
        }
    }
}

TEST(the_peer_decides_how_large_a_datagram_it_takes)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 0, .length = 3u << 20};

    o.config[1].params = pair_params();
    o.config[1].params.datagram_max = 1333;
    begin(&o);
    pair_transfer(&p, &s, 60000000);
    CHECK_EQ(stats(0).datagram_len, 1333);
    pair_free(&p);
}

TEST(a_size_that_stops_working_falls_back_and_the_transfer_goes_on) /* SPEC 4.4-1 */
{
    for (int refuses = 0; refuses < 2; refuses++) {
        struct pair_options o = {.seed = test_seed(),
                                 .link = {.mtu = {9000, 9000}, .refuses = refuses == 1}};
        struct pair_source a = {.who = 0, .length = 4u << 20}, b = {.who = 0, .length = 300000};
        begin(&o);
        p.unchecked = true;
        pair_transfer(&p, &a, 60000000);
        CHECK(stats(0).datagram_len > 8900);
        pair_open(&p, &b, WF_PRIORITY_NORMAL);
        (void)pair_push(&p, &b);
        pair_flush(&p, 0);
        p.link.mtu[0] = 1300;
        weft_time from = p.now;
        while (pair_message(&p, 0, false, b.number)->delivered == 0) {
            (void)pair_push(&p, &b);
            (void)pair_run(&p, p.now + 10000);
            CHECK(p.now - from < 5000000);
        }
        CHECK_LE(stats(0).datagram_len, 1300);
        pair_free(&p);
    }
}

/* A peer that holds the keys and sends each packet from another place. SPEC 4.4-3 */
TEST(a_peer_that_is_everywhere_gets_few_challenges_and_costs_no_memory)
{
    struct pair_options o = {.seed = test_seed()};

    begin(&o);
    p.unchecked = true;
    size_t held = 0;
    uint64_t sent = p.end[1].datagrams_out;
    weft_time from = p.now;
    for (uint32_t i = 0; i < 20000; i++) {
        p.end[0].addr = wf_addr_v4(66, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 666);
        wf_chan_ping(p.end[0].chan);
        pair_flush(&p, 0);
        (void)pair_run(&p, p.now + 500);
        p.end[0].addr = wf_addr_v4(67, 0, 0, 1, 1); /* nobody answers where it was */
        held = i == 2000 ? p.mem->held : held;
    }
    CHECK_LE(p.mem->held, held + held / 10);
    uint64_t seconds = (p.now - from) / 1000000 + 1;
    /* New candidates in a second, three challenges each, and acknowledgements. */
    CHECK_LE(p.end[1].datagrams_out - sent, seconds * WF_PATH_NEW_MAX * 3 + 40000);
    CHECK_LE(p.end[1].bytes_out, p.end[0].bytes_out + 4096);
    CHECK_EQ(p.end[1].paths, 0);
    CHECK_EQ(p.end[1].closed, 0);
    pair_free(&p);
}

TEST(a_path_that_carries_less_after_a_migration_goes_on_within_five_seconds)
{
    for (int host = 0; host < 2; host++) {
        for (int who = 0; who < 2; who++) {
            struct pair_options o = {.seed = test_seed(), .link = {.mtu = {9000, 9000}}};
            struct pair_source a = {.who = who, .length = 4u << 20};
            struct pair_source b = {.who = who, .length = 300000};

            begin(&o);
            p.unchecked = true;
            pair_transfer(&p, &a, 60000000);
            CHECK(stats(who).datagram_len > 8900);
            pair_open(&p, &b, WF_PRIORITY_NORMAL);
            (void)pair_push(&p, &b);
            pair_flush(&p, who);
            p.link.mtu[0] = 1250;
            p.link.mtu[1] = 1250;
            p.end[0].addr.port++;
            p.end[0].addr.ip[3] = (uint8_t)(p.end[0].addr.ip[3] + host);
            wf_chan_ping(p.end[0].chan);
            weft_time from = p.now;
            test_note("host %d who %d", host, who);
            while (pair_message(&p, who, false, b.number)->delivered == 0) {
                (void)pair_push(&p, &b);
                (void)pair_run(&p, p.now + 10000);
                CHECK(p.now - from < 5000000);
            }
            CHECK_LE(stats(who).datagram_len, 1250);
            pair_free(&p);
        }
    }
}

/* What the kernel is made to say by forged ICMP never goes below what every path carries. */
TEST(forged_refusals_of_any_size_leave_datagrams_of_1200_bytes_and_the_transfer_goes_on)
{
    struct pair_options o = {.seed = test_seed(), .link = {.mtu = {1500, 1500}}};
    struct pair_source s = {.who = 0, .length = 2u << 20};

    begin(&o);
    p.unchecked = true;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    for (size_t size = 0; pair_message(&p, 0, false, s.number)->delivered == 0; size += 7) {
        (void)pair_push(&p, &s);
        (void)pair_run(&p, p.now + 5000);
        wf_chan_too_big(p.end[0].chan, p.now, size % 70000);
        CHECK(stats(0).datagram_len >= 1200);
        CHECK(size < 7 * 4000);
    }
    CHECK(pair_message(&p, 1, true, s.number)->is_right);
    pair_free(&p);
}
