/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_swarm_test.c - random work over a random link: messages of all kinds, cancel, stop, pings,
 * datagrams, key changes, new addresses and blackouts. Then the link heals, and everything must
 * come to its one outcome, with credit and memory whole. One seed decides all; a failure names it.
 */
#include "support/chan_pair.h"

#define SOURCES 60u

struct swarm {
    struct pair p;
    struct pair_source sources[SOURCES];
    bool is_open[SOURCES], is_written[SOURCES];
    size_t count;
    uint64_t seed;
};

static struct swarm s;

static uint64_t dice(uint64_t bound)
{
    return wf_prng_below(&s.p.prng, bound);
}

static struct wf_params random_params(uint64_t *state)
{
    struct wf_params params = pair_params();

    params.node_credit = 2000 + test_next(state) % 200000;
    params.message_credit = 500 + test_next(state) % 100000;
    params.message_count = 1 + test_next(state) % 20;
    params.ack_delay_us = test_next(state) % 50000;
    params.datagram_max = test_next(state) % 2 == 0 ? 1200 : 1200 + test_next(state) % 64000;
    return params;
}

static void begin(uint64_t seed)
{
    uint64_t state = seed * 77;
    struct pair_options o = {.seed = seed};

    for (int i = 0; i < 2; i++) {
        o.config[i].params = random_params(&state);
        o.config[i].send_buffer = 1000 + test_next(&state) % 100000;
    }
    o.config[0].rekey_after_packets = test_next(&state) % 2 == 0 ? 0 : 10 + test_next(&state) % 200;
    o.config[1].rekey_after_packets = o.config[0].rekey_after_packets;
    o.link.delay_us = 10 + test_next(&state) % 100000;
    o.link.jitter_us = test_next(&state) % 2 == 0 ? 0 : test_next(&state) % 50000;
    o.link.loss = test_next(&state) % 3 == 0 ? 0 : test_next(&state) % 300;
    o.link.duplicate = test_next(&state) % 100;
    o.link.reorder = test_next(&state) % 200;
    o.link.mtu[0] = 1200 + test_next(&state) % 3000;
    o.link.mtu[1] = 1200 + test_next(&state) % 3000;
    memset(&s, 0, sizeof s);
    s.seed = seed;
    pair_new(&s.p, &o);
    for (int i = 0; i < 2; i++)
        s.p.end[i].read_max = test_next(&state) % 2 == 0 ? 0 : 1 + test_next(&state) % 3000;
    pair_start(&s.p, test_next(&state) % 2 == 0);
}

static void open_one(void)
{
    static const uint64_t sizes[] = {0, 1, 50, 1000, 1024, 5000, 70000, 200000};

    if (s.count == SOURCES)
        return;
    struct pair_source *source = &s.sources[s.count];
    *source = (struct pair_source){
        .who = (int)dice(2), .length = sizes[dice(8)] + dice(2), .open_ended = dice(2) == 0};
    pair_open(&s.p, source, (uint8_t)dice(3));
    s.is_open[s.count++] = true;
}

static void push_all(void)
{
    for (size_t i = 0; i < s.count; i++) {
        if (s.is_open[i] && !s.is_written[i])
            s.is_written[i] = pair_push(&s.p, &s.sources[i]);
    }
}

static void cancel_one(void)
{
    if (s.count == 0)
        return;
    size_t i = dice(s.count);
    struct pair_message *m = pair_message(&s.p, s.sources[i].who, false, s.sources[i].number);
    if (m->delivered + m->stopped > 0)
        return;
    wf_chan_cancel(s.p.end[s.sources[i].who].chan, s.sources[i].number, 3);
    m->is_given_up = true;
    s.is_open[i] = false;
}

static void stop_one(void)
{
    struct pair_end *e = &s.p.end[dice(2)];

    if (e->message_count == 0)
        return;
    struct pair_message *m = &e->messages[dice(e->message_count)];
    if (!m->is_incoming || m->at_end || m->cancelled > 0 || m->opened == 0)
        return;
    wf_chan_stop(e->chan, m->number, 300);
    m->is_given_up = true;
}

static void disturb(void)
{
    uint64_t what = dice(100);

    if (what < 40) {
        open_one();
    } else if (what < 48) {
        cancel_one();
    } else if (what < 56) {
        stop_one();
    } else if (what < 60) {
        wf_chan_ping(s.p.end[dice(2)].chan);
    } else if (what < 64) {
        weft_span data = {(const uint8_t *)"datagram", dice(9)};
        CHECK_OK(wf_chan_datagram(s.p.end[dice(2)].chan, data));
    } else if (what < 67) {
        s.p.end[0].addr.port++;
        wf_chan_ping(s.p.end[0].chan);
    } else if (what < 69) {
        s.p.end[0].addr.ip[3]++;
        wf_chan_ping(s.p.end[0].chan);
    } else if (what < 71) {
        s.p.link.is_dead[dice(2)] = true;
    } else if (what < 80) {
        s.p.link.is_dead[0] = false;
        s.p.link.is_dead[1] = false;
    }
}

static void go_on(uint64_t us)
{
    push_all();
    (void)pair_run(&s.p, s.p.now + us);
    pair_read_all(&s.p, 0);
    pair_read_all(&s.p, 1);
}

static bool has_outcome(size_t i)
{
    const struct pair_message *m = pair_message(&s.p, s.sources[i].who, false, s.sources[i].number);

    return m->is_given_up || m->delivered + m->stopped > 0;
}

static void heal_and_finish(void)
{
    bool all = false;

    s.p.link.loss = 0;
    s.p.link.is_dead[0] = false;
    s.p.link.is_dead[1] = false;
    wf_chan_ping(s.p.end[0].chan);
    for (int i = 0; i < 20000 && !all; i++) {
        go_on(200000);
        all = true;
        for (size_t k = 0; k < s.count; k++)
            all = all && has_outcome(k);
    }
    for (int i = 0; i < 20; i++) {
        s.p.end[0].read_max = 0;
        s.p.end[1].read_max = 0;
        go_on(200000);
    }
}

static void check_ends(void)
{
    for (int who = 0; who < 2; who++) {
        CHECK_EQ(s.p.end[who].closed, 0);
        for (size_t i = 0; i < s.p.end[who].message_count; i++) {
            const struct pair_message *m = &s.p.end[who].messages[i];
            test_note("seed %llu, end %d, %s message %llu", (unsigned long long)s.seed, who,
                      m->is_incoming ? "incoming" : "outgoing", (unsigned long long)m->number);
            CHECK(m->is_right);
            if (m->is_incoming)
                CHECK(m->at_end || m->cancelled == 1 || m->is_given_up);
            else
                CHECK_EQ(m->delivered + m->stopped + m->is_given_up, 1);
        }
        CHECK(wf_chan_is_idle(s.p.end[who].chan));
    }
}

TEST(whatever_happens_everything_comes_to_its_one_outcome)
{
    uint64_t first = test_seed();

    for (uint64_t seed = first; seed < first + 20; seed++) {
        test_note("seed %llu", (unsigned long long)seed);
        begin(seed);
        for (int i = 0; i < 150; i++) {
            disturb();
            go_on(dice(60000));
        }
        heal_and_finish();
        test_note("seed %llu", (unsigned long long)seed);
        check_ends();
        pair_free(&s.p);
    }
}
