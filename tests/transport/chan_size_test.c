/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_size_test.c - what a channel costs, in bytes: before anything happened, once it stands, and
 * after a short exchange. It grows by what it has to do, and not before.
 */
#include "support/chan_pair.h"

#define FRESH_BYTES_MAX 3840u
#define QUIET_BYTES_MAX 7168u

TEST(a_channel_that_did_nothing_costs_less_than_four_kibibytes)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair p;
    struct wf_mem mem;

    wf_mem_child(&mem, test_mem(), 0);
    o.config[1].mem = &mem;
    pair_new(&p, &o);
    test_note("%zu bytes", mem.held);
    CHECK_LE(mem.held, FRESH_BYTES_MAX);
    pair_start(&p, false);
    CHECK_LE(mem.held, FRESH_BYTES_MAX); /* nothing came, nothing went */
    pair_free(&p);
}

TEST(one_that_exchanged_a_message_and_is_quiet_costs_at_most_seven)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair p;
    struct wf_mem mem[2];

    for (int i = 0; i < 2; i++) {
        wf_mem_child(&mem[i], test_mem(), 0);
        o.config[i].mem = &mem[i];
    }
    pair_new(&p, &o);
    pair_start(&p, false);
    for (int i = 0; i < 2; i++) {
        struct pair_source s = {.who = i, .length = 1000};
        pair_transfer(&p, &s, 1000000);
    }
    (void)pair_run(&p, p.now + 1000000);
    for (int i = 0; i < 2; i++) {
        test_note("end %d: %zu bytes", i, mem[i].held);
        CHECK_LE(mem[i].held, QUIET_BYTES_MAX);
    }
    pair_free(&p);
}

TEST(before_anything_is_sent_figures_name_the_controller_and_its_first_window)
{
    static const char *const names[] = {[WF_CC_CUBIC] = "cubic", [WF_CC_BBR] = "bbr"};

    for (int bbr = 0; bbr < 2; bbr++) {
        struct pair_options o = {.seed = test_seed()};
        struct pair p;
        struct wf_chan_stats s;

        o.config[0].congestion = bbr == 1 ? WF_CC_BBR : WF_CC_CUBIC;
        pair_new(&p, &o);
        wf_chan_stats(p.end[0].chan, &s);
        CHECK_EQ(s.cwnd, WF_CC_INITIAL_DATAGRAMS * s.datagram_len);
        CHECK(strcmp(s.congestion, names[o.config[0].congestion]) == 0);
        CHECK_EQ(s.packets_sent, 0);
        CHECK_EQ(s.bandwidth, 0);
        pair_start(&p, false);
        wf_chan_close(p.end[0].chan, p.now, 0, (weft_span){NULL, 0});
        wf_chan_stats(p.end[0].chan, &s);
        CHECK_EQ(s.cwnd, 0); /* nothing more will be sent */
        pair_free(&p);
    }
}
