/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_basic_test.c - two channels and a good link: messages of all sizes arrive whole, once, with
 * one outcome.
 */
#include "support/chan_pair.h"

TEST(messages_of_every_size_arrive_whole_and_are_delivered_once)
{
    static const uint64_t sizes[] = {0,    1,     2,     1023,  1024,   1025,   1200,
                                     4096, 65535, 65536, 65537, 200000, 1048576};
    struct pair_options o = {.seed = test_seed()};

    for (int open_ended = 0; open_ended < 2; open_ended++) {
        struct pair p;
        pair_new(&p, &o);
        pair_start(&p, false);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct pair_source s = {
                .who = (int)(i % 2), .length = sizes[i], .open_ended = open_ended == 1};
            test_note("size %llu open %d", (unsigned long long)sizes[i], open_ended);
            pair_transfer(&p, &s, 10000000);
        }
        CHECK_EQ(p.end[1].confirmed, 1);
        pair_free(&p);
    }
}

TEST(ten_megabytes_cross_a_path_with_loss_reordering_and_copies) /* SPEC 4.1-3 */
{
    struct pair_options o = {
        .seed = test_seed(),
        .link = {.loss = 20, .reorder = 20, .duplicate = 10, .mtu = {1500, 1500}}};
    struct pair p;
    struct pair_source s = {.who = 0, .length = 10u << 20};

    pair_new(&p, &o);
    p.unchecked = true;
    pair_start(&p, false);
    pair_transfer(&p, &s, 200000000);
    pair_free(&p);
}

TEST(an_idle_pair_falls_silent)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair p;
    struct pair_source s = {.who = 0, .length = 100};

    pair_new(&p, &o);
    pair_start(&p, false);
    pair_transfer(&p, &s, 1000000);
    (void)pair_run(&p, p.now + 1000000);
    uint64_t before = p.end[0].datagrams_out + p.end[1].datagrams_out;
    CHECK_LE(before, 12);
    CHECK(!pair_run(&p, p.now + 3600000000u));
    CHECK_EQ(p.end[0].datagrams_out + p.end[1].datagrams_out, before);
    CHECK(wf_chan_is_idle(p.end[0].chan));
    CHECK(wf_chan_is_idle(p.end[1].chan));
    pair_free(&p);
}
