/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_pipe_test.c - whole channels between the same two addresses: one that gets no acks holds up
 * nobody else, and what it holds comes back.
 */
#include "support/chan_pair.h"
#include "transport/chan_priv.h"
#include "transport/pipe.h"

#define PAIRS 2u

static struct pair pairs[PAIRS];
static struct wf_pipes pipes;

static void begin(void)
{
    memset(pairs, 0, sizeof pairs);
    wf_pipes_init(&pipes, test_mem(), test_rng(test_seed()), 10, 0);
    for (size_t i = 0; i < PAIRS; i++) {
        struct pair_options o = {.seed = test_seed() + i};

        o.config[0].pipes = &pipes;
        o.config[0].owner = &pairs[i];
        o.link.rate[0] = 1000000;
        o.link.queue = 50000;
        pair_new(&pairs[i], &o);
        pair_start(&pairs[i], false);
    }
}

static void end(void)
{
    for (size_t i = 0; i < PAIRS; i++)
        pair_free(&pairs[i]);
    wf_pipes_deinit(&pipes);
}

static void serve_woken(void)
{
    struct pair *p = wf_pipes_next_woken(&pipes);

    for (int i = 0; p != NULL; i++) {
        CHECK(i < 1000);
        pair_flush(p, 0);
        p = wf_pipes_next_woken(&pipes);
    }
    const char *broken = wf_pipes_check(&pipes);
    if (broken != NULL)
        FAIL("%s", broken);
}

/* Both go on for so long, in small steps. */
static void go_on(struct pair_source sources[PAIRS], uint64_t us)
{
    for (uint64_t t = 0; t < us; t += 1000) {
        for (size_t i = 0; i < PAIRS; i++) {
            (void)pair_push(&pairs[i], &sources[i]);
            (void)pair_run(&pairs[i], pairs[i].now + 1000);
            serve_woken();
        }
        weft_time now = pairs[0].now > pairs[1].now ? pairs[0].now : pairs[1].now;
        pairs[0].now = now;
        pairs[1].now = now;
    }
}

TEST(who_gets_no_acks_holds_up_nobody_else) /* SPEC 4.2-4 */
{
    struct pair_source sources[PAIRS] = {{.length = 1u << 30}, {.length = 1u << 30}};
    struct wf_chan_stats before, after, silent;

    begin();
    for (size_t i = 0; i < PAIRS; i++)
        pair_open(&pairs[i], &sources[i], WF_PRIORITY_NORMAL);
    go_on(sources, 1000000);
    wf_chan_stats(pairs[1].end[0].chan, &before);
    CHECK(before.bytes_sent > 200000);
    pairs[0].link.is_dead[1] = true; /* its acks never come again */
    go_on(sources, 2000000);
    wf_chan_stats(pairs[0].end[0].chan, &silent);
    CHECK_LE(silent.in_flight, 20000); /* probes */
    wf_chan_stats(pairs[1].end[0].chan, &after);
    CHECK(after.bytes_sent - before.bytes_sent > 1000000); /* it has the path for itself */
    pairs[0].link.is_dead[1] = false;
    go_on(sources, 4000000);
    wf_chan_stats(pairs[0].end[0].chan, &after);
    CHECK(after.bytes_sent - silent.bytes_sent > 500000);
    end();
}

/* One of them alone would learn it by itself. Before the first ACK comes back everything was given
 * back to the other, twice over. SPEC 4.2-4 */
TEST(a_round_trip_that_becomes_a_second_is_learned_beside_another_session)
{
    struct pair_source sources[PAIRS] = {{.length = 1u << 30}, {.length = 1u << 30}};
    struct wf_chan_stats before[PAIRS], after[PAIRS];

    begin();
    for (size_t i = 0; i < PAIRS; i++)
        pair_open(&pairs[i], &sources[i], WF_PRIORITY_NORMAL);
    go_on(sources, 1000000);
    for (size_t i = 0; i < PAIRS; i++) {
        wf_chan_stats(pairs[i].end[0].chan, &before[i]);
        CHECK_LE(before[i].srtt_us, 200000);
        pairs[i].link.delay_us = 700000;
    }
    go_on(sources, 6000000);
    for (size_t i = 0; i < PAIRS; i++) {
        wf_chan_stats(pairs[i].end[0].chan, &after[i]);
        CHECK(after[i].srtt_us > 1200000);
        CHECK_LE(after[i].frames_resent - before[i].frames_resent, 400);
    }
    end();
}

/* An acknowledgement of acknowledgements alone may show that everything that was given back is
 * lost: then no probe goes, for there is nothing to ask about. SPEC 4.2-4 */
TEST(who_lost_all_that_was_given_back_goes_on)
{
    struct pair_source sources[PAIRS] = {{.length = 1u << 30}, {.length = 1u << 30}};
    struct wf_chan *c = NULL;
    struct wf_fates lost = {0};
    struct wf_chan_stats before, after;
    uint64_t n = 0;

    begin();
    for (size_t i = 0; i < PAIRS; i++)
        pair_open(&pairs[i], &sources[i], WF_PRIORITY_NORMAL);
    go_on(sources, 1000000);
    pairs[0].link.is_dead[0] = true;
    go_on(sources, 1000000);
    c = pairs[0].end[0].chan;
    CHECK(c->is_muted);
    while (wf_sent_oldest(&c->sent, 0, &n))
        wf_sent_lose(&c->sent, n, &lost);
    chan_on_lost(c, pairs[0].now, &lost);
    CHECK_EQ(c->sent.need_ack, 0);
    pairs[0].link.is_dead[0] = false;
    wf_chan_stats(c, &before);
    go_on(sources, 2000000);
    wf_chan_stats(c, &after);
    CHECK(after.bytes_sent - before.bytes_sent > 500000);
    end();
}
