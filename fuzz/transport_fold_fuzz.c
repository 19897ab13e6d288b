/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_fold_fuzz.c - two channels that talk, rest and wake under a program of bytes; records
 * and packets that somebody changed. A record unfolds to what folds to the same bytes, whatever it
 * says; a packet wakes one time at most, and only as it was sent.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "feed.h"
#include "transport/chan.h"

#define STEPS_MAX 60
#define RECORD_MAX 320u
#define ROUNDS_MAX 200

struct end {
    struct wf_chan *chan;
    struct wf_chan_config config;
    struct wf_addr addr;
};

static struct wf_mem mem;
static struct wf_rng_seeded rng;
static struct wf_aead *aead;
static struct wf_secret_arena *secrets;
static struct wf_keys *scratch;
static struct end ends[2]; /* 0: the client */
static weft_time now;
static uint8_t train[65536];

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void make_end(int who)
{
    static const struct wf_session_secrets secret = {{1}, {2}, {3}};
    const struct wf_params params = {.node_credit = 50000,
                                     .message_credit = 20000,
                                     .message_count = 8,
                                     .ack_delay_us = 25000,
                                     .idle_ms = 30000,
                                     .datagram_max = 1500};
    struct end *e = &ends[who];
    struct wf_chan_peer peer = {
        .params = params, .remote = ends[1 - who].addr, .local = e->addr, .cid = {(uint8_t)who}};

    e->config = (struct wf_chan_config){.mem = &mem,
                                        .rng = &rng.rng,
                                        .aead = aead,
                                        .secrets = secrets,
                                        .role = who == 0 ? WF_ROLE_CLIENT : WF_ROLE_SERVER,
                                        .rekey_after_packets = 40,
                                        .params = params,
                                        .cid_rx = {(uint8_t)(1 - who)}};
    must(wf_chan_new(&e->chan, &e->config, now) == WEFT_OK);
    wf_chan_set_peer(e->chan, now, &peer);
    must(wf_chan_start(e->chan, now, &secret, 20000) == WEFT_OK);
}

static void set_up(void)
{
    mem = (struct wf_mem)FEED_HEAP;
    must(wf_crypto_init() == WEFT_OK);
    wf_rng_seed(&rng, 1);
    must(wf_aead_new(&aead, WF_AEAD_BEST, &mem) == WEFT_OK);
    must(wf_secret_arena_new(&secrets, &mem, sizeof(struct wf_keys), 8) == WEFT_OK);
    scratch = wf_secret_get(secrets);
    now = 1000000;
    ends[0].addr = wf_addr_v4(10, 0, 0, 1, 1);
    ends[1].addr = wf_addr_v4(10, 0, 0, 2, 2);
    make_end(0);
    make_end(1);
}

static void tear_down(void)
{
    wf_chan_free(ends[0].chan);
    wf_chan_free(ends[1].chan);
    wf_secret_put(secrets, scratch);
    must(wf_secret_held(secrets) == 0);
    wf_secret_arena_free(secrets);
    wf_aead_free(aead);
    must(mem.held == 0);
}

static void read_all(struct wf_chan *c, uint64_t number)
{
    bool at_end = false;

    for (int i = 0; i < ROUNDS_MAX && !at_end; i++) {
        const weft_span s = wf_chan_peek(c, number, &at_end);

        if (s.len == 0 && !at_end)
            return;
        wf_chan_consume(c, number, s.len);
    }
    wf_chan_stop(c, number, 0);
}

static void drain(int who)
{
    struct wf_chan_event e;

    while (wf_chan_next_event(ends[who].chan, &e)) {
        must(e.kind != WF_CHAN_CLOSED);
        if (e.kind == WF_CHAN_READABLE)
            read_all(ends[who].chan, e.number);
    }
    must(wf_chan_check(ends[who].chan) == NULL);
}

static void arrive(int who, uint8_t *data, size_t len)
{
    struct wf_chan_packet k = {data, len};
    const struct wf_chan_arrival a = {
        .from = ends[1 - who].addr, .to = ends[who].addr, .packets = &k, .count = 1};

    wf_chan_recv(ends[who].chan, now, &a);
    drain(who);
}

static bool pass(int from)
{
    struct wf_send s;

    wf_chan_tick(ends[from].chan, now);
    drain(from);
    if (!wf_chan_send(ends[from].chan, now, train, sizeof train, &s))
        return false;
    const size_t segment = s.segment == 0 ? s.len : s.segment;
    for (size_t at = 0; at < s.len; at += segment)
        arrive(1 - from, train + at, s.len - at < segment ? s.len - at : segment);
    return true;
}

/* Until nothing is under way. */
static void settle(void)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        while (pass(0) || pass(1))
            continue;
        now += 100000;
        if (wf_chan_can_fold(ends[0].chan) && wf_chan_can_fold(ends[1].chan))
            return;
    }
    must(false);
}

static void say(struct feed *f)
{
    static const uint8_t bytes[4096];
    const int who = next(f) % 2;
    const struct wf_message_params p = {.length = next(f) * 16u};
    uint64_t number = 0;
    size_t taken = 0;

    if (wf_chan_open(ends[who].chan, &p, &number) == WEFT_OK)
        must(wf_chan_write(ends[who].chan, number, wf_span(bytes, p.length), true, &taken) ==
             WEFT_OK);
    settle();
}

static size_t write_record(const struct wf_chan *c, uint8_t *record, struct wf_chan_ids *ids)
{
    struct wf_writer w = wf_writer_of(record, RECORD_MAX);

    must(wf_chan_fold(c, &w, ids));
    return w.len;
}

/* What came of a record folds to one that unfolds, and to the same again. */
static struct wf_chan *fold_again(const struct end *e, struct wf_chan *c)
{
    uint8_t record[RECORD_MAX], again[RECORD_MAX];
    struct wf_chan_folded f = {0};
    struct wf_chan_ids ids;
    struct wf_chan *made = NULL;

    must(wf_chan_check(c) == NULL);
    f.bytes = (weft_span){record, write_record(c, record, &f.ours)};
    wf_chan_free(c);
    must(wf_chan_unfold(&made, &e->config, now, &f) == WEFT_OK);
    must(write_record(made, again, &ids) == f.bytes.len);
    must(memcmp(record, again, f.bytes.len) == 0);
    return made;
}

static void fold(int who)
{
    ends[who].chan = fold_again(&ends[who], ends[who].chan);
}

/* Such a channel may be nonsense, but not a danger. */
static void unfold_changed(struct feed *f)
{
    uint8_t record[RECORD_MAX];
    const struct end *e = &ends[next(f) % 2];
    struct wf_chan_folded folded = {0};
    struct wf_chan *c = NULL;
    struct wf_send s;
    size_t len = write_record(e->chan, record, &folded.ours);

    for (uint8_t n = next(f) % 8; n > 0; n--) {
        const size_t at = ((size_t)next(f) * 2 + next(f) % 2) % len;
        record[at] = next(f);
    }
    len -= next(f) % 8 == 0 ? next(f) % len : 0;
    folded.bytes = (weft_span){record, len};
    folded.ours.count = next(f) % 8 == 0 ? next(f) % 6 : folded.ours.count;
    if (wf_chan_unfold(&c, &e->config, now, &folded) != WEFT_OK)
        return;
    if (wf_chan_can_fold(c))
        c = fold_again(e, c);
    wf_chan_ping(c);
    for (int i = 0; i < 4; i++) {
        (void)wf_chan_send(c, now, train, sizeof train, &s);
        wf_chan_tick(c, now + (uint64_t)i * 1000000);
    }
    must(wf_chan_check(c) == NULL);
    wf_chan_free(c);
}

/* One packet to an end at rest: changed, as it is, and once more. */
static void wake(struct feed *f)
{
    const int who = next(f) % 2;
    struct wf_chan_folded folded = {0};
    const struct wf_chan_trial trial = {scratch, aead};
    struct wf_chan_stats stats;
    uint8_t record[RECORD_MAX], packet[2048], copy[2048];
    struct wf_send s;

    folded.bytes = (weft_span){record, write_record(ends[who].chan, record, &folded.ours)};
    wf_chan_ping(ends[1 - who].chan);
    must(wf_chan_send(ends[1 - who].chan, now, train, sizeof train, &s));
    must(s.len <= sizeof packet);
    memcpy(packet, train, s.len);
    memcpy(copy, packet, s.len);
    struct wf_open o = {.packet = copy, .len = s.len};
    const uint8_t change = next(f);
    copy[next(f) % s.len] ^= change;
    must(wf_chan_would_open(&folded, &trial, &o) == (change == 0));
    fold(who);
    for (int i = 0; i < 2; i++) {
        memcpy(copy, packet, s.len);
        arrive(who, copy, s.len);
        wf_chan_stats(ends[who].chan, &stats);
        must(stats.packets_received == 1);
    }
    settle();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};

    set_up();
    settle();
    for (int i = 0; i < STEPS_MAX && f.left > 0; i++) {
        switch (next(&f) % 5) {
        case 0:
            say(&f);
            break;
        case 1:
            now += (uint64_t)next(&f) * next(&f) * 10000;
            break;
        case 2:
            fold(next(&f) % 2);
            break;
        case 3:
            unfold_changed(&f);
            break;
        default:
            wake(&f);
            break;
        }
    }
    tear_down();
    return 0;
}
