/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors_test.c - the golden vectors in vectors/ (layout: vectors/README.md) equal what the code
 * makes today, byte for byte. With WEFT_WRITE_VECTORS=1 in the environment they are written anew
 * instead: a change of wire format or key schedule, to be meant and said so.
 */
#include "test.h"

#include <stdarg.h>
#include <stdio.h>

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"
#include "wire/frame.h"
#include "wire/packet.h"

#define TEXT_MAX 65536

/* A vector on its way to being text. */
struct maker {
    struct pair p;
    struct wf_rng_seeded rng;
    struct wf_keys client, server;
    struct wf_replay rx_client, rx_server;
    char text[TEXT_MAX];
    size_t len;
    bool is_first; /* of a list */
};

static void say(struct maker *m, const char *fmt, ...) WEFT_PRINTF(2, 3);

static void say(struct maker *m, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(m->text + m->len, sizeof m->text - m->len, fmt, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < sizeof m->text - m->len);
    m->len += (size_t)n;
}

static void say_hex(struct maker *m, const char *name, const void *data, size_t len)
{
    CHECK(sizeof m->text - m->len > 2 * len + 100);
    say(m, "  \"%s\": \"", name);
    wf_hex(m->text + m->len, data, len);
    m->len += 2 * len;
    say(m, "\",\n");
}

/* The same inside a line of a list. */
static void say_field(struct maker *m, const char *name, const void *data, size_t len)
{
    CHECK(sizeof m->text - m->len > 2 * len + 100);
    say(m, ", \"%s\": \"", name);
    wf_hex(m->text + m->len, data, len);
    m->len += 2 * len;
    say(m, "\"");
}

/* --- frames --- */

static size_t put(uint8_t *out, size_t cap, const struct wf_frame *frames, size_t count)
{
    struct wf_writer w = wf_writer_of(out, cap);

    for (size_t i = 0; i < count; i++)
        wf_frame_put(&w, &frames[i]);
    CHECK(wf_writer_ok(&w));
    return w.len;
}

/* A whole message: opened and ended. */
static size_t put_message(uint8_t *out, size_t cap, uint64_t reply_to, const char *text)
{
    struct wf_frame frames[2] = {{.type = WF_FRAME_MESSAGE_OPEN}, {.type = WF_FRAME_MESSAGE_DATA}};

    frames[0].u.open = (struct wf_frame_open){.number = 1,
                                              .has_service = reply_to == 0,
                                              .length = strlen(text),
                                              .service = wf_span_of("echo"),
                                              .reply_to = reply_to};
    if (reply_to != 0)
        frames[0].u.open.service = (weft_span){0};
    frames[1].u.data = (struct wf_frame_data){.number = 1, .end = true, .data = wf_span_of(text)};
    return put(out, cap, frames, 2);
}

static size_t put_ping(uint8_t *out, size_t cap)
{
    const struct wf_frame ping = {.type = WF_FRAME_PING};

    return put(out, cap, &ping, 1);
}

static size_t put_rekey(uint8_t *out, size_t cap, uint64_t generation, const uint8_t key[32])
{
    struct wf_frame rekey = {.type = WF_FRAME_REKEY};

    rekey.u.rekey.generation = generation;
    memcpy(rekey.u.rekey.key, key, 32);
    return put(out, cap, &rekey, 1);
}

/* --- the handshake --- */

static void shake(struct maker *m)
{
    struct pair *p = &m->p;
    uint8_t frames[256];
    struct wf_solve_body body = pair_body();
    struct wf_adm_confirm c = {.params = wf_params_default};
    struct wf_adm_confirm_out out = {.datagram = p->confirm};

    pair_say_hello(p);
    pair_get_challenge(p);
    pair_to_client(p, p->challenge, p->challenge_len);
    body.frames = wf_span(frames, put_message(frames, sizeof frames, 0, "hello, server"));
    CHECK_OK(wf_hs_solve(p->hs, p->now, &body));
    wf_hs_work(p->hs, p->now, UINT64_MAX);
    pair_send_solve(p);
    say_hex(m, "ec_secret", p->hs->e_c_secret, 32);
    say_hex(m, "e2_secret", p->adm->pool[p->adm->pool_count - 1]->secret, 32);
    CHECK_EQ(pair_to_server(p, p->solve, p->solve_len), WF_ADM_ACCEPT);
    memcpy(c.cid, pair_server_cid, WF_CID_LEN);
    c.params.message_count = 100;
    c.frames = wf_span(frames, put_message(frames, sizeof frames, 1, "hello, client"));
    CHECK_OK(wf_adm_confirm(p->adm, p->now, p->result.ticket, &c, &out));
    p->confirm_len = out.len;
    p->server_secrets = out.secrets;
    pair_finish(p);
    CHECK(pair_agrees(p));
}

static void say_flights(struct maker *m)
{
    const struct pair *p = &m->p;
    const struct wf_solve_body *body = &p->result.body;

    say_hex(m, "hello", p->hello, sizeof p->hello);
    say_hex(m, "challenge", p->challenge, p->challenge_len);
    say_hex(m, "solve", p->solve, p->solve_len);
    say_hex(m, "confirm", p->confirm, p->confirm_len);
    say_hex(m, "solve_frames", body->frames.data, body->frames.len);
    say_hex(m, "confirm_frames", p->client.body.frames.data, p->client.body.frames.len);
    say_hex(m, "root_c2s", p->server_secrets.root_c2s, 32);
    say_hex(m, "root_s2c", p->server_secrets.root_s2c, 32);
}

static void begin(struct maker *m, uint64_t seed, bool one_way, uint32_t effort)
{
    struct pair *p = &m->p;

    memset(m, 0, sizeof *m);
    wf_rng_seed(&m->rng, seed);
    pair_init(p, test_mem(), &m->rng.rng);
    p->adm_config.effort = effort;
    pair_server(p);
    p->now += 1234567; /* some way into the epoch */
    wf_adm_tick(p->adm, p->now);
    pair_client(p, one_way);
    say(m, "{\n  \"mode\": \"%s\",\n", one_way ? "one-way" : "two-way");
    say_hex(m, "seed_server", p->server_id.seed, 32);
    say_hex(m, "seed_client", p->client_id.seed, one_way ? 0 : 32);
    say_hex(m, "ts_secret", p->adm->secrets->ts[0], 32);
    shake(m);
    say_flights(m);
    wf_keys_init(&m->client, WF_ROLE_CLIENT, WF_AEAD_XCHACHA20_POLY1305, &p->client.secrets);
    wf_keys_init(&m->server, WF_ROLE_SERVER, WF_AEAD_XCHACHA20_POLY1305, &p->server_secrets);
    wf_replay_init(&m->rx_client, NULL);
    wf_replay_init(&m->rx_server, NULL);
    say(m, "  \"packets\": [");
    m->is_first = true;
}

/* --- packets --- */

struct sealed {
    bool from_client;
    uint64_t number, generation;
    uint8_t bytes[512], frames[256];
    size_t len, frames_len;
};

/* width 0: what the spec wants for nothing acknowledged. */
static struct sealed seal(struct maker *m, bool from_client, uint64_t number, size_t width,
                          weft_span frames)
{
    struct wf_keys *k = from_client ? &m->client : &m->server;
    struct sealed s = {.from_client = from_client, .number = number, .generation = k->generation};
    const uint8_t *cid = from_client ? m->p.client.body.cid : m->p.result.body.cid;
    size_t header_len = wf_packet_put_header(s.bytes, wf_keys_first_byte(k), cid, number,
                                             width != 0 ? width : wf_window_width(number, 0));
    struct wf_seal packet = {s.bytes, header_len, frames.len, number};

    memcpy(s.bytes + header_len, frames.data, frames.len);
    memcpy(s.frames, frames.data, frames.len);
    s.frames_len = frames.len;
    s.len = header_len + frames.len + WF_PACKET_TAG;
    wf_keys_seal(k, m->p.aead, &packet, 1);
    return s;
}

/* Writes the packet down and opens it, as its receiver does. */
static void deliver(struct maker *m, const struct sealed *s)
{
    struct wf_keys *k = s->from_client ? &m->server : &m->client;
    struct wf_replay *rx = s->from_client ? &m->rx_server : &m->rx_client;
    uint8_t copy[512];
    struct wf_open o = {.packet = copy, .len = s->len};

    say(m,
        "%s\n    {\"direction\": \"%s\", \"number\": %llu, \"highest_before\": %llu, \"phase\": "
        "%llu",
        m->is_first ? "" : ",", s->from_client ? "c2s" : "s2c", (unsigned long long)s->number,
        (unsigned long long)rx->highest, (unsigned long long)s->generation);
    say_field(m, "packet", s->bytes, s->len);
    say_field(m, "frames", s->frames, s->frames_len);
    say(m, "}");
    m->is_first = false;
    memcpy(copy, s->bytes, s->len);
    CHECK_EQ(wf_keys_open(k, rx, m->p.aead, &o, 1), 1);
    CHECK_EQ(o.number, s->number);
    CHECK_MEM_EQ(o.frames.data, s->frames, s->frames_len);
}

static void send(struct maker *m, bool from_client, uint64_t number, size_t width, weft_span frames)
{
    struct sealed s = seal(m, from_client, number, width, frames);

    deliver(m, &s);
}

/* Numbers near and far, narrow and wide, late ones included. */
static void some_packets(struct maker *m)
{
    uint8_t buf[128];
    weft_span ping = wf_span(buf, put_ping(buf, sizeof buf));
    weft_span nothing = wf_span(buf, 0);

    send(m, true, 1, 0, ping);
    send(m, false, 1, 0, ping);
    struct sealed late = seal(m, true, 2, 1, ping);
    send(m, true, 3, 1, nothing);
    send(m, true, 40, 2, ping);
    deliver(m, &late);
    send(m, true, 129, 2, ping);
    send(m, true, 16500, 3, ping);
    send(m, true, 20000000, 5, ping);
    send(m, false, 2, 9, ping);
    send(m, false, (uint64_t)1 << 40, 9, ping);
}

static void end_packets(struct maker *m)
{
    say(m, "\n  ]");
}

/* One key change, with a packet that comes late; returns what the list of key changes says of it.
 */
static size_t change_key(struct maker *m, uint64_t number, char *out, size_t cap)
{
    uint8_t client_secret[32], server_secret[32], e_c[32], e_s[32], dh[32], buf[128];
    uint64_t g = m->client.generation + 1;
    char hex[4][65];

    wf_random(&m->rng.rng, client_secret, 32);
    wf_random(&m->rng.rng, server_secret, 32);
    wf_dh_public(e_c, client_secret);
    wf_dh_public(e_s, server_secret);
    CHECK_OK(wf_dh(dh, client_secret, e_s));
    send(m, true, number, 0, wf_span(buf, put_rekey(buf, sizeof buf, g, e_c)));
    wf_keys_rekey(&m->server, dh, e_c, e_s);
    send(m, false, number, 0, wf_span(buf, put_rekey(buf, sizeof buf, g, e_s)));
    weft_span ping = wf_span(buf, put_ping(buf, sizeof buf));
    struct sealed late = seal(m, true, number + 1, 0, ping);
    wf_keys_rekey(&m->client, dh, e_c, e_s);
    send(m, false, number + 1, 0, ping); /* the server still in the old generation */
    send(m, true, number + 2, 0, ping);
    deliver(m, &late);
    send(m, false, number + 2, 0, ping);
    wf_keys_forget_old(&m->client);
    wf_keys_forget_old(&m->server);

    wf_hex(hex[0], client_secret, 32);
    wf_hex(hex[1], server_secret, 32);
    wf_hex(hex[2], m->client.root_tx, 32);
    wf_hex(hex[3], m->client.root_rx, 32);
    int n = snprintf(out, cap,
                     "%s\n    {\"generation\": %llu, \"client_secret\": \"%s\", "
                     "\"server_secret\": \"%s\", \"root_c2s\": \"%s\", \"root_s2c\": \"%s\"}",
                     g == 1 ? "" : ",", (unsigned long long)g, hex[0], hex[1], hex[2], hex[3]);
    CHECK(n > 0 && (size_t)n < cap);
    return (size_t)n;
}

/* Compares with the file, or writes it. */
static void finish(struct maker *m, const char *name)
{
    char path[200];

    say(m, "\n}\n");
    pair_free(&m->p);
    (void)snprintf(path, sizeof path, "vectors/%s", name);
    if (getenv("WEFT_WRITE_VECTORS") != NULL) {
        char whole[1000];
        (void)snprintf(whole, sizeof whole, "%s/%s", WEFT_SOURCE_DIR, path);
        FILE *f = fopen(whole, "wb");
        CHECK(f != NULL);
        CHECK_EQ(fwrite(m->text, 1, m->len, f), m->len);
        CHECK_EQ(fclose(f), 0);
    }
    size_t len = 0;
    char *want = test_file(path, &len);
    bool is_same = len == m->len && memcmp(want, m->text, len) == 0;
    free(want);
    if (!is_same)
        FAIL("%s is not what the code makes today", path);
}

static struct maker maker;

TEST(the_vector_of_a_two_way_handshake_equals_what_the_code_makes_today)
{
    begin(&maker, 1, false, 64);
    some_packets(&maker);
    end_packets(&maker);
    finish(&maker, "handshake_two_way.json");
}

TEST(the_vector_of_a_one_way_handshake_equals_what_the_code_makes_today)
{
    begin(&maker, 2, true, 0);
    some_packets(&maker);
    end_packets(&maker);
    finish(&maker, "handshake_one_way.json");
}

TEST(the_vector_of_key_changes_equals_what_the_code_makes_today)
{
    char changes[3 * 512];
    size_t len = 0;

    begin(&maker, 3, false, 0);
    for (uint64_t i = 0; i < 3; i++)
        len += change_key(&maker, 1 + 10 * i, changes + len, sizeof changes - len);
    end_packets(&maker);
    say(&maker, ",\n  \"rekeys\": [%s\n  ]", changes);
    finish(&maker, "handshake_key_change.json");
}
