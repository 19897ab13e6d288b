/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_chan_fuzz.c - a whole channel under a program of bytes: its peer holds the keys and
 * sends any frames, sealed right; the owner calls anything; time passes; memory fails. What must
 * hold after every step is wf_chan_check.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "feed.h"
#include "transport/chan.h"
#include "wire/packet.h"

#define STEPS_MAX 200

static struct wf_mem mem;
static struct wf_rng_seeded rng;
static struct wf_aead *aead;
static struct wf_secret_arena *secrets;
static struct wf_keys *keys;
static struct wf_replay replay;
static struct wf_chan *chan;
static weft_time now;
static uint64_t next_number, newest;
static uint8_t cid[WF_CID_LEN];
static struct wf_addr peer_addr, own_addr;
static uint64_t opened[8]; /* numbers of outgoing messages */
static size_t opened_count;
static bool is_closed;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void set_up(uint8_t role)
{
    struct wf_params params = {.node_credit = 20000,
                               .message_credit = 8000,
                               .message_count = 8,
                               .ack_delay_us = 25000,
                               .idle_ms = 60000,
                               .datagram_max = 9000};
    struct wf_chan_config config = {
        .mem = &mem, .role = role % 2, .params = params, .send_buffer = 4000};
    struct wf_session_secrets s = {{1}, {2}, {3}};

    mem = (struct wf_mem)FEED_HEAP;
    must(wf_crypto_init() == WEFT_OK);
    wf_rng_seed(&rng, 1);
    must(wf_aead_new(&aead, WF_AEAD_BEST, &mem) == WEFT_OK);
    must(wf_secret_arena_new(&secrets, &mem, sizeof *keys, 8) == WEFT_OK);
    keys = wf_secret_get(secrets);
    wf_keys_init(keys, role % 2 == 0 ? WF_ROLE_SERVER : WF_ROLE_CLIENT, WF_AEAD_XCHACHA20_POLY1305,
                 &s);
    wf_replay_init(&replay, NULL);
    config.rng = &rng.rng;
    config.aead = aead;
    config.secrets = secrets;
    config.rekey_after_packets = 20;
    now = 1000000;
    next_number = 1;
    newest = 0;
    opened_count = 0;
    is_closed = false;
    peer_addr = wf_addr_v4(10, 0, 0, 1, 1);
    own_addr = wf_addr_v4(10, 0, 0, 2, 2);
    must(wf_chan_new(&chan, &config, now) == WEFT_OK);
    struct wf_chan_peer peer = {.params = params, .remote = peer_addr, .local = own_addr};
    wf_chan_set_peer(chan, now, &peer);
    must(wf_chan_start(chan, now, &s, 20000) == WEFT_OK);
}

static void tear_down(void)
{
    wf_chan_free(chan);
    wf_secret_put(secrets, keys);
    must(wf_secret_held(secrets) == 0);
    wf_secret_arena_free(secrets);
    wf_aead_free(aead);
    must(mem.held == 0);
}

static void drain(bool reads)
{
    struct wf_chan_event e;

    while (wf_chan_next_event(chan, &e)) {
        must(!is_closed);
        is_closed = e.kind == WF_CHAN_CLOSED;
        bool at_end = false;
        if (e.kind == WF_CHAN_READABLE && reads) {
            weft_span s = wf_chan_peek(chan, e.number, &at_end);
            wf_chan_consume(chan, e.number, s.len);
        }
    }
    must(wf_chan_check(chan) == NULL);
}

/* What the channel sends is opened, so that the peer's keys keep up; its frames are well-formed. */
static void listen(void)
{
    static uint8_t train[65536];
    struct wf_send s;

    for (int i = 0; i < 50 && wf_chan_send(chan, now, train, sizeof train, &s); i++) {
        size_t segment = s.segment == 0 ? s.len : s.segment;
        for (size_t at = 0; at < s.len; at += segment) {
            size_t len = s.len - at < segment ? s.len - at : segment;
            struct wf_open o = {.packet = train + at, .len = len};
            if (wf_keys_open(keys, &replay, aead, &o, 1) != 1)
                continue; /* of a generation that this peer never made */
            newest = o.number > newest ? o.number : newest;
            struct wf_reader r = wf_reader_of(o.frames);
            struct wf_frame f;
            while (r.left > 0)
                must(wf_frame_get(&r, &f) == WEFT_OK);
        }
    }
    drain(true);
}

/* Frames: those of the program as they stand, or an ACK of what came. */
static void send_packet(struct feed *f)
{
    uint8_t packet[2048];
    size_t header = wf_packet_put_header(packet, wf_keys_first_byte(keys), cid, next_number, 3);
    struct wf_writer w = wf_writer_of(packet + header, sizeof packet - header - WF_PACKET_TAG);
    uint8_t how = next(f);

    if (how % 2 == 0 && newest > 0) {
        uint64_t back = next(f) % newest;
        struct wf_ack_run run = {newest - back, newest};
        struct wf_ack_put a = {.received = &run, .received_count = 1};
        must(wf_ack_put(&w, &a));
    }
    size_t n = next(f) * (how % 4 < 2 ? 1u : 4u);
    n = n < f->left ? n : f->left;
    wf_write_bytes(&w, f->data, n);
    f->data += n;
    f->left -= n;
    if (w.len == 0)
        wf_write_u8(&w, WF_FRAME_PING);
    struct wf_seal seal = {packet, header, w.len, next_number++};
    wf_keys_seal(keys, aead, &seal, 1);
    struct wf_chan_packet k = {packet, header + w.len + WF_PACKET_TAG};
    struct wf_chan_arrival a = {
        .from = peer_addr, .to = own_addr, .ecn = how / 16 % 4, .packets = &k, .count = 1};
    a.from.port = (uint16_t)(1 + (how / 64));
    wf_chan_recv(chan, now, &a);
}

static void call(struct feed *f)
{
    static const uint8_t bytes[1024];
    uint8_t what = next(f);
    uint64_t number = opened_count > 0 ? opened[next(f) % opened_count] : 1;
    struct wf_message_params mp = {
        .length = next(f) * 16u, .open_ended = what % 2 == 0, .priority = what / 16 % 3};
    size_t taken = 0;
    bool at_end = false;

    switch (what % 10) {
    case 0:
    case 1:
        if (wf_chan_open(chan, &mp, &number) == WEFT_OK)
            opened[opened_count < 8 ? opened_count++ : number % 8] = number;
        break;
    case 2:
    case 3:
        (void)!wf_chan_write(chan, number, (weft_span){bytes, next(f) * 4u}, what / 16 % 4 == 0,
                             &taken);
        break;
    case 4:
        wf_chan_cancel(chan, number, next(f));
        break;
    case 5:
        wf_chan_stop(chan, next(f), next(f));
        break;
    case 6:
        wf_chan_consume(chan, 1 + next(f) % 8, wf_chan_peek(chan, 1 + next(f) % 8, &at_end).len);
        break;
    case 7:
        (void)!wf_chan_datagram(chan, (weft_span){bytes, next(f)});
        wf_chan_ping(chan);
        break;
    case 8:
        wf_chan_error(chan, next(f), next(f), (weft_span){bytes, next(f)});
        break;
    default:
        wf_chan_too_big(chan, now, 1000u + next(f) * 40u);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};

    set_up(next(&f));
    for (int i = 0; i < STEPS_MAX && f.left > 0; i++) {
        uint8_t what = next(&f);
        mem.fail_at = what >= 240 ? mem.attempts + 1 + next(&f) % 4 : 0;
        if (what % 8 < 3)
            send_packet(&f);
        else if (what % 8 < 5)
            call(&f);
        else if (what % 8 == 5)
            now += (uint64_t)next(&f) * next(&f) * 100;
        else if (what == 255)
            wf_chan_close(chan, now, next(&f), (weft_span){data, size < 300 ? size : 300});
        wf_chan_tick(chan, now);
        drain(what % 16 < 8);
        if (what % 2 == 0)
            listen();
        mem.fail_at = 0;
    }
    tear_down();
    return 0;
}
