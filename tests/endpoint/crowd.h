/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.h - one serving core and any number of clients that are nothing but a handshake: each has
 * an address of its own, and stops wherever the test wants it to.
 */
#ifndef WEFT_TESTS_ENDPOINT_CROWD_H
#define WEFT_TESTS_ENDPOINT_CROWD_H

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "endpoint/core.h"
#include "session/hs.h"

#define CROWD_TRAIN 65536u
#define CROWD_SECOND ((weft_time)1000000)

struct crowd {
    struct wf_mem *mem, *client_mem;
    struct wf_rng_seeded rng, client_rng;
    struct wf_aead *aead;
    struct wf_core_config config;
    struct wf_core *core;
    weft_time now;
    uint8_t *buf;
    uint64_t bytes_in, bytes_out, datagrams_out;
    /* The latest datagram that the core sent to whom something came from last. */
    struct wf_addr asker;
    uint8_t answer[WF_SOLVE_MAX];
    size_t answer_len;
};

static inline void crowd_init(struct crowd *w, struct wf_mem *mem, struct wf_mem *client_mem)
{
    memset(w, 0, sizeof *w);
    w->mem = mem;
    w->client_mem = client_mem;
    w->now = 1000 * CROWD_SECOND;
    wf_rng_seed(&w->rng, 1);
    wf_rng_seed(&w->client_rng, 2);
    w->config = (struct wf_core_config){
        .mem = mem, .rng = &w->rng.rng, .serve = true, .cookies_max = 65536, .solves_max = 256};
    w->config.seed[0] = 1;
    w->buf = malloc(CROWD_TRAIN);
    CHECK(w->buf != NULL);
    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&w->aead, WF_AEAD_BEST, client_mem));
}

static inline void crowd_boot(struct crowd *w)
{
    CHECK_OK(wf_core_new(&w->core, &w->config, w->now));
}

static inline void crowd_free(struct crowd *w)
{
    wf_core_free(w->core);
    wf_aead_free(w->aead);
    free(w->buf);
}

static inline struct wf_core_stats crowd_stats(const struct crowd *w)
{
    struct wf_core_stats stats;

    wf_core_stats(w->core, &stats);
    return stats;
}

static inline void crowd_keep(struct crowd *w, const struct wf_send *out)
{
    if (!wf_addr_equal(&out->to, &w->asker))
        return;
    w->answer_len = out->len < sizeof w->answer ? out->len : sizeof w->answer;
    memcpy(w->answer, w->buf, w->answer_len);
}

/* Takes what the core has to say; who is told of a message lets it go. */
static inline void crowd_drain(struct crowd *w)
{
    struct wf_core_event e;
    struct wf_send out;
    bool goes_on = true;

    while (goes_on) {
        while (wf_core_next_event(w->core, &e)) {
            if (e.kind == WF_CORE_MESSAGE)
                wf_core_release(w->core, e.id, WF_CODE_NONE);
        }
        goes_on = wf_core_send(w->core, w->now, w->buf, CROWD_TRAIN, &out);
        if (goes_on) {
            w->bytes_out += out.len;
            w->datagrams_out++;
            crowd_keep(w, &out);
        }
        goes_on = goes_on || wf_core_has_events(w->core);
    }
    CHECK(wf_core_check(w->core) == NULL);
}

/* Hands one datagram in, as an exact copy. */
static inline void crowd_arrive(struct crowd *w, const struct wf_addr *from, const uint8_t *data,
                                size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    struct wf_datagram d = {.from = *from, .data = copy, .len = len};

    CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, data, len);
    w->bytes_in += len;
    w->asker = *from;
    wf_core_recv(w->core, w->now, &d, 1);
    free(copy);
}

static inline void crowd_tick(struct crowd *w)
{
    if (wf_core_deadline(w->core) <= w->now)
        wf_core_tick(w->core, w->now);
    crowd_drain(w);
}

/* Time goes by, deadline after deadline. */
static inline void crowd_run(struct crowd *w, uint64_t us)
{
    weft_time until = w->now + us;

    for (weft_time at = wf_core_deadline(w->core); at <= until; at = wf_core_deadline(w->core)) {
        w->now = at > w->now ? at : w->now;
        crowd_tick(w);
    }
    w->now = until;
}

/* One client's handshake, by the book. */
static inline struct wf_hs *crowd_client(struct crowd *w)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_hs_config c = {.mem = w->client_mem,
                             .rng = &w->client_rng.rng,
                             .aead = w->aead,
                             .lists = {lists, sizeof lists},
                             .timeout_us = 100 * CROWD_SECOND,
                             .effort_max = UINT32_MAX};
    struct wf_hs *hs = NULL;

    memcpy(c.server_key, wf_core_key(w->core), 32);
    CHECK_OK(wf_hs_new(&hs, &c, w->now));
    return hs;
}

/* Says HELLO and takes in the CHALLENGE. */
static inline void crowd_meet(struct crowd *w, struct wf_hs *hs, const struct wf_addr *from)
{
    uint8_t hello[WF_SOLVE_MAX];
    size_t len = 0;

    wf_hs_send(hs, w->now, hello, sizeof hello, &len);
    CHECK_EQ(len, WF_HELLO_LEN);
    crowd_arrive(w, from, hello, len);
    w->answer_len = 0;
    crowd_drain(w);
    CHECK_EQ(w->answer[0], WF_TYPE_CHALLENGE);
    wf_hs_recv(hs, w->now, wf_span(w->answer, w->answer_len));
    CHECK_EQ(wf_hs_state(hs), WF_HS_NEED_DATA);
}

/* The SOLVE that follows, with these first frames. */
static inline void crowd_solve(struct crowd *w, struct wf_hs *hs, weft_span frames,
                               uint8_t out[WF_SOLVE_MAX])
{
    struct wf_solve_body body = {.params = wf_params_default, .frames = frames};
    size_t len = 0;

    wf_random(&w->client_rng.rng, body.cid, sizeof body.cid);
    CHECK_OK(wf_hs_solve(hs, w->now, &body));
    wf_hs_work(hs, w->now, UINT64_MAX);
    wf_hs_send(hs, w->now, out, WF_SOLVE_MAX, &len);
    CHECK_EQ(len, WF_SOLVE_MAX);
}

/* A handshake up to the server's CONFIRM, which is in w->answer then; nothing follows. */
static inline void crowd_half_open(struct crowd *w, const struct wf_addr *from, weft_span frames)
{
    struct wf_hs *hs = crowd_client(w);
    uint8_t solve[WF_SOLVE_MAX];

    crowd_meet(w, hs, from);
    crowd_solve(w, hs, frames, solve);
    crowd_arrive(w, from, solve, sizeof solve);
    crowd_drain(w);
    wf_hs_free(hs);
}

/* The n-th client's address: all different, and in different networks. */
static inline struct wf_addr crowd_addr(uint32_t n)
{
    return wf_addr_v4((uint8_t)(11 + n % 89), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n,
                      4242);
}

#endif
