/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair.h - a client and a server of the handshake face to face, by direct calls, and a forger that
 * builds SOLVEs with any field wrong that is wanted. For tests, fuzz targets and benchmarks; what
 * must hold is checked by PAIR_MUST, which its user may define first.
 */
#ifndef WEFT_TESTS_SESSION_PAIR_H
#define WEFT_TESTS_SESSION_PAIR_H

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "session/adm_priv.h"
#include "session/challenge.h"
#include "session/hs_priv.h"
#include "session/work.h"
#include "stamp.h"

#ifndef PAIR_MUST
#define PAIR_MUST(cond) ((cond) ? (void)0 : abort())
#endif

#define PAIR_SECOND ((weft_time)1000000)
#define PAIR_START (1000 * PAIR_SECOND)
#define PAIR_WALL_MS ((uint64_t)1700000000 * 1000)

struct pair {
    struct wf_mem *mem;
    struct wf_rng *rng;
    struct wf_aead *aead;
    struct wf_identity server_id, client_id;
    struct wf_adm_config adm_config;
    struct wf_hs_config hs_config;
    struct wf_adm *adm;
    struct wf_hs *hs;
    struct wf_addr from;
    weft_time now;
    bool one_way;

    /* The flights of the handshake that runs. */
    uint8_t hello[WF_HELLO_LEN];
    uint8_t challenge[WF_CHALLENGE_MAX];
    size_t challenge_len;
    uint8_t solve[WF_SOLVE_MAX];
    size_t solve_len;
    uint8_t confirm[WF_SOLVE_MAX];
    size_t confirm_len;
    struct wf_adm_result result;              /* of the server's latest wf_adm_recv */
    struct wf_session_secrets server_secrets; /* of the latest CONFIRM */
    struct wf_hs_result client;               /* once done */
};

static const uint8_t pair_lists[] = {2, 7, WF_PROTOCOL_V1, 1, 5};
static const uint8_t pair_client_cid[WF_CID_LEN] = {'c', 'l', 'i', 'e', 'n', 't', 0, 1};
static const uint8_t pair_server_cid[WF_CID_LEN] = {'s', 'e', 'r', 'v', 'e', 'r', 0, 2};
static const char pair_first[] = "first frames of the client";
static const char pair_reply[] = "first frames of the server";

static inline void pair_identities(struct pair *p)
{
    uint8_t seed[32];

    wf_random(p->rng, seed, sizeof seed);
    PAIR_MUST(wf_identity_init(&p->server_id, seed) == WEFT_OK);
    wf_random(p->rng, seed, sizeof seed);
    PAIR_MUST(wf_identity_init(&p->client_id, seed) == WEFT_OK);
}

/* Identities and configurations that work; change p->adm_config and p->hs_config before
 * pair_server and pair_client where something else is wanted. */
static inline void pair_init(struct pair *p, struct wf_mem *mem, struct wf_rng *rng)
{
    memset(p, 0, sizeof *p);
    p->mem = mem;
    p->rng = rng;
    p->now = PAIR_START;
    p->from = wf_addr_v4(192, 0, 2, 1, 40000);
    PAIR_MUST(wf_crypto_init() == WEFT_OK);
    PAIR_MUST(wf_aead_new(&p->aead, WF_AEAD_BEST, mem) == WEFT_OK);
    pair_identities(p);
    p->adm_config = (struct wf_adm_config){.mem = mem,
                                           .rng = rng,
                                           .aead = p->aead,
                                           .identity = &p->server_id,
                                           .lists = {pair_lists, sizeof pair_lists},
                                           .ceiling_log2 = 24,
                                           .wall_ms = PAIR_WALL_MS,
                                           .table_max = 64,
                                           .queue_max = 64,
                                           .pool_max = 4};
    p->hs_config = (struct wf_hs_config){.mem = mem,
                                         .rng = rng,
                                         .aead = p->aead,
                                         .lists = {pair_lists, sizeof pair_lists},
                                         .wall_ms = PAIR_WALL_MS,
                                         .timeout_us = 30 * PAIR_SECOND,
                                         .effort_max = 1u << 20};
    memcpy(p->hs_config.server_key, p->server_id.public_key, 32);
}

static inline void pair_server(struct pair *p)
{
    wf_adm_free(p->adm);
    p->adm = NULL;
    PAIR_MUST(wf_adm_new(&p->adm, &p->adm_config, p->now) == WEFT_OK);
}

static inline void pair_client(struct pair *p, bool one_way)
{
    wf_hs_free(p->hs);
    p->hs = NULL;
    p->one_way = one_way;
    p->hs_config.identity = one_way ? NULL : &p->client_id;
    PAIR_MUST(wf_hs_new(&p->hs, &p->hs_config, p->now) == WEFT_OK);
}

static inline void pair_free(struct pair *p)
{
    wf_hs_free(p->hs);
    wf_adm_free(p->adm);
    wf_aead_free(p->aead);
    p->hs = NULL;
    p->adm = NULL;
    p->aead = NULL;
}

static inline struct wf_adm_stats pair_stats(const struct pair *p)
{
    struct wf_adm_stats s;

    wf_adm_stats(p->adm, &s);
    return s;
}

/* Hands a datagram to the server, as an exact copy, and lets it do its work; the result is in
 * p->result. */
static inline enum wf_adm_kind pair_to_server(struct pair *p, const void *data, size_t len)
{
    const struct wf_adm_path path = {.from = p->from};
    uint8_t *copy = malloc(len > 0 ? len : 1);

    PAIR_MUST(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    wf_adm_recv(p->adm, p->now, &path, wf_span(copy, len), &p->result);
    free(copy);
    if (p->result.kind == WF_ADM_DROP) {
        (void)wf_adm_next(p->adm, p->now, &p->result);
    }
    return p->result.kind;
}

/* A SOLVE whose cookie another instance made, or too long ago, led to a CHALLENGE and nothing else.
 */
static inline bool pair_is_anew(const struct pair *p)
{
    return p->result.kind == WF_ADM_REPLY && p->result.reply[0] == WF_TYPE_CHALLENGE;
}

static inline void pair_to_client(struct pair *p, const void *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    PAIR_MUST(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    wf_hs_recv(p->hs, p->now, wf_span(copy, len));
    free(copy);
}

/* The client's HELLO goes out into p->hello. */
static inline void pair_say_hello(struct pair *p)
{
    uint8_t buf[WF_SOLVE_MAX];
    size_t len = 0;

    wf_hs_send(p->hs, p->now, buf, sizeof buf, &len);
    PAIR_MUST(len == WF_HELLO_LEN);
    memcpy(p->hello, buf, len);
}

static inline void pair_get_challenge(struct pair *p)
{
    PAIR_MUST(pair_to_server(p, p->hello, sizeof p->hello) == WF_ADM_REPLY);
    PAIR_MUST(p->result.reply_len <= sizeof p->challenge);
    memcpy(p->challenge, p->result.reply, p->result.reply_len);
    p->challenge_len = p->result.reply_len;
}

/* Lays *c out as p->challenge, as an attacker can who has seen HELLO. */
static inline void pair_lay_challenge(struct pair *p, const struct wf_challenge *c)
{
    p->challenge_len = wf_challenge_put(c, p->challenge, sizeof p->challenge);
    stamp_challenge(p->challenge, p->challenge_len, p->hs->hello);
}

static inline struct wf_solve_body pair_body(void)
{
    struct wf_solve_body body = {
        .wall_ms = PAIR_WALL_MS + 5, .params = wf_params_default, .frames = wf_span_of(pair_first)};

    memcpy(body.cid, pair_client_cid, sizeof body.cid);
    body.params.node_credit = 1u << 20;
    return body;
}

/* Takes whatever is due from the client as its SOLVE. */
static inline void pair_send_solve(struct pair *p)
{
    wf_hs_send(p->hs, p->now, p->solve, sizeof p->solve, &p->solve_len);
    PAIR_MUST(p->solve_len == WF_SOLVE_MAX);
}

/* From a client in NEED_DATA to its SOLVE in p->solve, work included. */
static inline void pair_make_solve(struct pair *p)
{
    struct wf_solve_body body = pair_body();

    PAIR_MUST(wf_hs_state(p->hs) == WF_HS_NEED_DATA);
    PAIR_MUST(wf_hs_solve(p->hs, p->now, &body) == WEFT_OK);
    wf_hs_work(p->hs, p->now, UINT64_MAX);
    PAIR_MUST(wf_hs_state(p->hs) == WF_HS_SOLVE);
    pair_send_solve(p);
}

static inline void pair_to_solve(struct pair *p)
{
    pair_say_hello(p);
    pair_get_challenge(p);
    pair_to_client(p, p->challenge, p->challenge_len);
    pair_make_solve(p);
}

/* The server's CONFIRM for the accept in p->result goes into p->confirm. */
static inline weft_err pair_make_confirm(struct pair *p)
{
    struct wf_adm_confirm c = {.params = wf_params_default, .frames = wf_span_of(pair_reply)};
    struct wf_adm_confirm_out out = {.datagram = p->confirm};

    memcpy(c.cid, pair_server_cid, sizeof c.cid);
    c.params.message_count = 9;
    weft_err err = wf_adm_confirm(p->adm, p->now, p->result.ticket, &c, &out);
    if (err == WEFT_OK) {
        p->confirm_len = out.len;
        p->server_secrets = out.secrets;
    }
    return err;
}

static inline void pair_to_confirm(struct pair *p)
{
    pair_to_solve(p);
    PAIR_MUST(pair_to_server(p, p->solve, p->solve_len) == WF_ADM_ACCEPT);
    PAIR_MUST(pair_make_confirm(p) == WEFT_OK);
}

/* Hands in the CONFIRM; p->client is valid then. */
static inline void pair_finish(struct pair *p)
{
    pair_to_client(p, p->confirm, p->confirm_len);
    PAIR_MUST(wf_hs_state(p->hs) == WF_HS_DONE);
    PAIR_MUST(wf_hs_result(p->hs, &p->client) == WEFT_OK);
}

static inline bool pair_agrees(const struct pair *p)
{
    return memcmp(&p->client.secrets, &p->server_secrets, sizeof p->server_secrets) == 0;
}

/* --- a forger: a client that follows no rule --- */

struct forge {
    struct wf_solve solve; /* head, prefix, n_c, cookie, e_c, bid, nonce, lists: as they go out */
    struct wf_challenge
        challenge;          /* what the schedule takes CHALLENGE for; head and cookie of it */
    uint8_t server_key[32]; /* of the schedule */
    uint8_t box0_key[32];   /* what box0 names */
    uint8_t mode;           /* what box0 says */
    uint8_t client_key[32]; /* what box1 says */
    bool hide_client;       /* steps 7 to 9 as in one-way */
    struct wf_pair ee, es, se, ss;  /* computed with these */
    const uint8_t *ee_raw, *es_raw; /* instead of X25519 results, unless NULL */
    const uint8_t *se_raw, *ss_raw;
    struct wf_solve_body body;
    weft_span raw_body; /* instead of it, unless empty */
    size_t len;         /* of the whole datagram */
    struct wf_schedule schedule;
};

/* Everything right, for the client p->client_id and the CHALLENGE in p->challenge (as an answer to
 * p->hello). e_c_secret stays the caller's. */
static inline void forge_init(struct forge *f, const struct pair *p, const uint8_t e_c_secret[32])
{
    struct wf_hello hello;

    memset(f, 0, sizeof *f);
    PAIR_MUST(wf_hello_get(wf_span(p->hello, sizeof p->hello), &hello) == WEFT_OK);
    PAIR_MUST(wf_challenge_get(wf_span(p->challenge, p->challenge_len), &f->challenge) == WEFT_OK);
    f->solve.head = f->challenge.head;
    memcpy(f->solve.prefix, hello.prefix, 4);
    memcpy(f->solve.n_c, hello.n_c, sizeof hello.n_c);
    memcpy(f->solve.cookie, f->challenge.cookie, sizeof f->challenge.cookie);
    f->solve.lists = hello.lists;
    wf_dh_public(f->solve.e_c, e_c_secret);
    memcpy(f->server_key, p->server_id.public_key, 32);
    memcpy(f->box0_key, p->server_id.public_key, 32);
    f->mode = WF_MODE_TWO_WAY;
    memcpy(f->client_key, p->client_id.public_key, 32);
    f->ee = (struct wf_pair){e_c_secret, f->challenge.ts};
    f->es = (struct wf_pair){e_c_secret, f->challenge.server_dh};
    f->se = (struct wf_pair){p->client_id.client_secret, f->challenge.ts};
    f->ss = (struct wf_pair){p->client_id.client_secret, f->challenge.server_dh};
    f->body = pair_body();
    f->body.choice_count =
        (uint8_t)wf_lists_choose(hello.lists, f->challenge.lists, f->body.choices);
    f->len = 400;
}

/* A step of the chain with a result that was not computed the honest way, if there is one. */
static inline void forge_step(struct forge *f, const char *label, struct wf_pair pair,
                              const uint8_t *raw)
{
    if (raw != NULL) {
        wf_kdf_chain(f->schedule.ck, f->schedule.key, label, wf_span(raw, 32));
    } else if (wf_schedule_dh(&f->schedule, label, pair) != WEFT_OK) {
        memset(f->schedule.key, 0, 32); /* a point of small order: whatever follows is as good */
    }
}

static inline void forge_identify(struct forge *f)
{
    static const uint8_t nobody[32];
    uint8_t hashed[32];
    uint8_t shared[32] = {0};

    if (f->hide_client) {
        wf_schedule_mix(&f->schedule, wf_span(nobody, 32));
        wf_kdf_chain(f->schedule.ck, f->schedule.key, "one-way", (weft_span){0});
        return;
    }
    wf_schedule_mix(&f->schedule, wf_span(f->client_key, 32));
    forge_step(f, "se", f->se, f->se_raw);
    if (f->ss_raw != NULL) {
        memcpy(shared, f->ss_raw, 32);
    } else if (wf_dh(shared, f->ss.secret, f->ss.public_key) != WEFT_OK) {
        memset(shared, 0, sizeof shared);
    }
    const weft_span parts[] = {wf_span(shared, 32), wf_span(f->challenge.ts, 32)};
    wf_hash(hashed, parts, 2);
    forge_step(f, "ss", f->ss, hashed);
}

/* A client whose HELLO was answered: forge_init works from here. */
static inline void pair_meet(struct pair *p)
{
    pair_client(p, false);
    pair_say_hello(p);
    pair_get_challenge(p);
}

/* Writes f->len bytes: the schedule of the spec, followed with what *f holds. */
static inline void forge_solve(struct forge *f, struct wf_aead *aead, uint8_t *out)
{
    struct wf_hello hello = {
        .version = f->solve.head.version, .suite = f->solve.head.suite, .lists = f->solve.lists};
    uint8_t hello_bytes[WF_HELLO_LEN];
    uint8_t challenge_bytes[WF_CHALLENGE_MAX];
    uint8_t plain[WF_SOLVE_MAX];
    size_t clear_len = wf_solve_put_clear(&f->solve, out, WF_SOLVE_MAX);
    uint8_t *box0 = out + clear_len, *box1 = box0 + WF_BOX0_LEN, *box2 = box1 + WF_BOX1_LEN;

    PAIR_MUST(clear_len > 0);
    memcpy(hello.prefix, f->solve.prefix, 4);
    memcpy(hello.n_c, f->solve.n_c, sizeof hello.n_c);
    PAIR_MUST(wf_hello_put(&hello, hello_bytes, sizeof hello_bytes) == WF_HELLO_LEN);
    f->challenge.head = f->solve.head;
    memcpy(f->challenge.cookie, f->solve.cookie, sizeof f->challenge.cookie);
    memcpy(f->challenge.echo, f->solve.n_c, sizeof f->challenge.echo);
    size_t challenge_len = wf_challenge_put(&f->challenge, challenge_bytes, sizeof challenge_bytes);
    stamp_challenge(challenge_bytes, challenge_len, hello_bytes);
    wf_schedule_start(&f->schedule, f->server_key, wf_span(hello_bytes, WF_HELLO_LEN),
                      wf_span(challenge_bytes, challenge_len), wf_span(out, clear_len));

    forge_step(f, "ee", f->ee, f->ee_raw);
    plain[0] = f->mode;
    memcpy(plain + 1, f->box0_key, 32);
    wf_schedule_seal(&f->schedule, aead, wf_span(plain, 33), box0);
    wf_schedule_mix(&f->schedule, wf_span(&f->mode, 1));
    forge_step(f, "es", f->es, f->es_raw);
    wf_schedule_seal(&f->schedule, aead, wf_span(f->client_key, 32), box1);
    forge_identify(f);

    struct wf_writer w = wf_writer_of(plain, f->len - (size_t)(box2 - out) - WF_AEAD_TAG_LEN);
    if (f->raw_body.len > 0) {
        wf_write_span(&w, f->raw_body);
    } else {
        wf_solve_body_put(&w, &f->body);
        wf_write_span(&w, f->body.frames);
    }
    wf_write_zeros(&w, wf_writer_left(&w));
    PAIR_MUST(wf_writer_ok(&w));
    wf_schedule_seal(&f->schedule, aead, wf_span(plain, w.len), box2);
    stamp_solve(out, f->len);
}

/* Looks for a work nonce for the SOLVE that was written and puts it in. */
static inline void forge_work(const struct forge *f, uint8_t *out)
{
    struct wf_work work = {.bid = f->solve.bid};
    size_t clear_len = WF_SOLVE_FIXED + f->solve.lists.len;
    weft_span boxes = wf_span(out + clear_len, f->len - clear_len);
    uint64_t nonce = 0;

    memcpy(work.cookie, f->solve.cookie, sizeof work.cookie);
    memcpy(work.n_c, f->solve.n_c, sizeof work.n_c);
    memcpy(work.e_c, f->solve.e_c, sizeof work.e_c);
    wf_hash(work.boxes_hash, &boxes, 1);
    PAIR_MUST(wf_work_solve(&work, &nonce, UINT64_MAX));
    wf_store_u64(out + WF_SOLVE_WORK_OFFSET, nonce);
}

static inline enum wf_adm_kind forge_send(struct pair *p, struct forge *f)
{
    uint8_t out[WF_SOLVE_MAX];

    forge_solve(f, p->aead, out);
    return pair_to_server(p, out, f->len);
}

/* The cookie that p->adm would make for this SOLVE, put into it. */
static inline void forge_cookie(struct forge *f, const struct pair *p)
{
    const struct wf_adm_cookie_input in = {.head = &f->solve.head,
                                           .prefix = f->solve.prefix,
                                           .n_c = f->solve.n_c,
                                           .from = &p->from,
                                           .lists = f->solve.lists};

    wf_adm_cookie(p->adm, f->solve.cookie, &in);
}

#endif
