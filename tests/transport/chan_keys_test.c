/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_keys_test.c - key change under traffic and loss: it happens when it is due and only then,
 * nothing is lost by it.
 */
#include "support/chan_pair.h"

static struct pair p;

static uint64_t rekeys(int who)
{
    struct wf_chan_stats s;

    wf_chan_stats(p.end[who].chan, &s);
    return s.rekeys;
}

TEST(keys_change_again_and_again_under_loss_and_every_byte_arrives) /* SPEC 2.5-2 */
{
    for (uint64_t seed = test_seed(); seed < test_seed() + 10; seed++) {
        struct pair_options o = {
            .seed = seed,
            .link = {.loss = 100, .reorder = 100, .duplicate = 50, .mtu = {1500, 1500}}};
        struct pair_source s = {.who = (int)(seed % 2), .length = 600000};
        test_note("seed %llu", (unsigned long long)seed);
        o.config[0].rekey_after_packets = o.config[1].rekey_after_packets = 20;
        pair_new(&p, &o);
        pair_start(&p, false);
        pair_transfer(&p, &s, 300000000);
        CHECK(rekeys(0) > 3);
        CHECK(rekeys(1) >= rekeys(0));
        CHECK(rekeys(1) - rekeys(0) <= 1);
        pair_free(&p);
    }
}

TEST(keys_change_by_time_but_only_with_traffic) /* SPEC 2.5-1 */
{
    struct pair_options o = {.seed = test_seed()};

    pair_new(&p, &o);
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 119000000);
    struct pair_source a = {.length = 100};
    pair_transfer(&p, &a, 500000);
    (void)pair_run(&p, p.now + 400000);
    CHECK_EQ(rekeys(0), 0);
    (void)pair_run(&p, p.now + 600000000);
    CHECK_EQ(rekeys(0), 0); /* silence changes nothing */
    struct pair_source b = {.length = 100};
    pair_transfer(&p, &b, 1000000);
    (void)pair_run(&p, p.now + 1000000);
    CHECK_EQ(rekeys(0), 1);
    CHECK_EQ(rekeys(1), 1);
    struct pair_source c = {.who = 1, .length = 100000};
    pair_transfer(&p, &c, 1000000);
    CHECK_EQ(rekeys(0), 1);
    pair_free(&p);
}

struct log {
    uint32_t lines;
    uint8_t roots[16][32];
    unsigned phases[16];
};

static void log_line(void *ctx, const uint8_t cid[8], unsigned phase, const char *direction,
                     const uint8_t root[32])
{
    struct log *log = ctx;

    (void)cid;
    (void)direction;
    if (log->lines < 16) {
        memcpy(log->roots[log->lines], root, 32);
        log->phases[log->lines] = phase;
    }
    log->lines++;
}

TEST(the_key_log_shows_both_directions_of_each_generation_and_both_ends_agree)
{
    struct log logs[2] = {{0}};
    struct wf_keylog hooks[2] = {{log_line, &logs[0]}, {log_line, &logs[1]}};
    struct pair_options o = {.seed = test_seed()};

    o.config[0].keylog = &hooks[0];
    o.config[1].keylog = &hooks[1];
    o.config[0].rekey_after_us = o.config[1].rekey_after_us = 1000;
    pair_new(&p, &o);
    pair_start(&p, false);
    (void)pair_run(&p, p.now + 100000);
    for (int i = 0; i < 3; i++) {
        struct pair_source s = {.length = 10};
        pair_transfer(&p, &s, 1000000);
        (void)pair_run(&p, p.now + 100000);
    }
    CHECK(logs[0].lines >= 4);
    CHECK_EQ(logs[0].lines, logs[1].lines);
    for (uint32_t i = 0; i < logs[0].lines && i < 16; i++) {
        CHECK_MEM_EQ(logs[0].roots[i], logs[1].roots[i], 32);
        CHECK_EQ(logs[0].phases[i], logs[1].phases[i]);
        CHECK_EQ(logs[0].phases[i], i / 2);
    }
    pair_free(&p);
}
