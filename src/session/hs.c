/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs.c - life of a client's handshake: states, repetition, giving up. See hs.h.
 */
#include "session/hs.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "session/hs_priv.h"

/* SPEC 1.14-1 */
static const uint8_t legal[WF_HS_STATES] = {
    [WF_HS_HELLO] = 1u << WF_HS_NEED_DATA | 1u << WF_HS_FAILED,
    [WF_HS_NEED_DATA] = 1u << WF_HS_WORKING | 1u << WF_HS_FAILED,
    [WF_HS_WORKING] = 1u << WF_HS_SOLVE | 1u << WF_HS_FAILED,
    [WF_HS_SOLVE] = 1u << WF_HS_WORKING | 1u << WF_HS_DONE | 1u << WF_HS_FAILED,
};

void wf_hs_enter(struct wf_hs *hs, enum wf_hs_state next)
{
    WEFT_ASSERT(hs->state < WF_HS_STATES);
    WEFT_ASSERT((legal[hs->state] >> next & 1u) != 0);
    hs->state = (uint8_t)next;
}

void wf_hs_fail(struct wf_hs *hs, weft_err err)
{
    wf_hs_enter(hs, WF_HS_FAILED);
    hs->error = err;
    wf_wipe(hs->e_c_secret, sizeof hs->e_c_secret);
    wf_wipe(&hs->schedule, sizeof hs->schedule);
    wf_identity_wipe(&hs->derived);
}

static void send_from(struct wf_hs *hs, weft_time now)
{
    hs->send_at = now;
    hs->interval = WF_HS_INTERVAL_FIRST_US;
    hs->sent = 0;
}

void wf_hs_make_hello(struct wf_hs *hs, weft_time now)
{
    struct wf_hello h = {.version = WF_VERSION, .suite = WF_SUITE, .lists = hs->lists};

    wf_cid_make(&hs->cids, hs->rng, hs->n_c); /* SPEC 1.13-5 */
    wf_random(hs->rng, hs->n_c + WF_CID_LEN, sizeof hs->n_c - WF_CID_LEN);
    memcpy(h.prefix, hs->prefix, sizeof h.prefix); /* SPEC 1.1-4 */
    memcpy(h.n_c, hs->n_c, sizeof h.n_c);
    size_t len = wf_hello_put(&h, hs->hello, sizeof hs->hello);
    WEFT_ASSERT(len == WF_HELLO_LEN);
    send_from(hs, now);
}

/* SPEC 1.10-1 and 1.10-2: the prefix stays 0. */
static void take_invitation(struct wf_hs *hs, const struct wf_invitation *in)
{
    hs->is_limited = true;
    hs->server = in->server;
    memcpy(hs->server_key, in->server.key, sizeof hs->server_key);
    wf_group_init(&hs->group, &hs->server, in->group_key);
}

/* SPEC 1.3-6, 1.11-4: we must not call ourselves, in whatever encoding. */
weft_err wf_hs_check_key(const uint8_t key[32], const struct wf_identity *own)
{
    uint8_t mapped[WF_DH_LEN];
    weft_err err = wf_dh_public_of_sign(mapped, key);

    if (err != WEFT_OK || own == NULL)
        return err;
    bool is_own =
        memcmp(key, own->public_key, 32) == 0 || memcmp(mapped, own->client_public, 32) == 0;
    return is_own ? WEFT_ERR_USAGE : WEFT_OK;
}

/* SPEC 1.12-8: an owner without a good key could have said anything. */
static weft_err check_pin(const struct wf_hs_config *c)
{
    uint8_t mapped[WF_DH_LEN];

    if (c->invitation != NULL || !wf_name_valid(wf_span(c->pin->name, c->pin->name_len)))
        return WEFT_ERR_USAGE;
    return wf_dh_public_of_sign(mapped, c->pin->owner);
}

static weft_err check_server_key(const struct wf_hs_config *c)
{
    const uint8_t *key = c->invitation != NULL ? c->invitation->server.key : c->server_key;
    weft_err err = c->pin == NULL ? WEFT_OK : check_pin(c);

    if (err == WEFT_OK && c->identity == NULL && c->invitation != NULL)
        return WEFT_ERR_USAGE; /* SPEC 1.10-3 */
    if (err != WEFT_OK || (c->pin != NULL && wf_is_zero_ct(key, 32)))
        return err;
    return wf_hs_check_key(key, c->identity);
}

/* SPEC 1.11-1, 1.11-3: made once, in hs, which is secret memory. */
static weft_err choose_identity(struct wf_hs *hs, const struct wf_hs_config *c)
{
    hs->own = c->identity;
    hs->identity = c->identity;
    if (c->identity == NULL || c->owner == NULL)
        return WEFT_OK;
    hs->identity = &hs->derived;
    return wf_identity_for(&hs->derived, c->identity, c->owner);
}

/* SPEC 1.12-9: without a clock no statement can be judged. */
static void take_pin(struct wf_hs *hs, const struct wf_hs_config *c)
{
    if (c->pin == NULL || c->wall_ms == 0)
        return;
    hs->ask.pin = *c->pin;
    hs->ask.state = WF_HS_ASK_READY;
}

static void configure(struct wf_hs *hs, const struct wf_hs_config *c, weft_time now)
{
    hs->rng = c->rng;
    hs->cids = c->cids;
    hs->aead = c->aead;
    if (c->invitation != NULL) {
        take_invitation(hs, c->invitation);
    } else {
        memcpy(hs->server_key, c->server_key, sizeof hs->server_key);
        if (!wf_is_zero_ct(hs->server_key, sizeof hs->server_key)) {
            wf_key_prefix(hs->prefix, hs->server_key);
        }
    }
    take_pin(hs, c);
    if (c->lists.len > 0) {
        memcpy(hs->lists_bytes, c->lists.data, c->lists.len);
    }
    hs->lists = wf_span(hs->lists_bytes, c->lists.len);
    hs->wall_ms = c->wall_ms;
    hs->effort_max = c->effort_max;
    hs->work_time_us = c->work_time_us;
    memcpy(hs->work_rate, c->work_rate, sizeof hs->work_rate);
    hs->overdue_at = WEFT_TIME_NEVER;
    hs->started = now;
    hs->give_up_at = c->timeout_us < WEFT_TIME_NEVER - now ? now + c->timeout_us : WEFT_TIME_NEVER;
}

static weft_err allocate(struct wf_hs **out, struct wf_mem *mem)
{
    struct wf_secret_arena *arena = NULL;
    weft_err err = wf_secret_arena_new(&arena, mem, sizeof(struct wf_hs), 1);

    if (err != WEFT_OK)
        return err;
    struct wf_hs *hs = (struct wf_hs *)wf_secret_get(arena);
    if (hs == NULL) {
        wf_secret_arena_free(arena);
        return WEFT_ERR_NOMEM;
    }
    hs->arena = arena;
    *out = hs;
    return WEFT_OK;
}

weft_err wf_hs_new(struct wf_hs **out, const struct wf_hs_config *c, weft_time now)
{
    struct wf_hs *hs = NULL;

    if (!wf_lists_valid(c->lists))
        return WEFT_ERR_USAGE;
    weft_err err = check_server_key(c);
    if (err == WEFT_OK) {
        err = allocate(&hs, c->mem);
    }
    if (err != WEFT_OK)
        return err;
    err = choose_identity(hs, c);
    if (err != WEFT_OK) {
        wf_hs_free(hs);
        return err;
    }
    configure(hs, c, now);
    wf_hs_make_hello(hs, now);
    *out = hs;
    return WEFT_OK;
}

/* What the next attempt has from the one before: everything that was configured. */
static void inherit(struct wf_hs *hs, const struct wf_hs *before)
{
    hs->rng = before->rng;
    hs->cids = before->cids;
    hs->aead = before->aead;
    hs->own = before->own;
    hs->derived = before->derived;
    hs->identity = before->identity == &before->derived ? &hs->derived : before->identity;
    memcpy(hs->server_key, before->server_key, sizeof hs->server_key);
    hs->is_limited = before->is_limited;
    hs->server = before->server;
    hs->group = before->group;
    memcpy(hs->lists_bytes, before->lists_bytes, sizeof hs->lists_bytes);
    hs->lists = wf_span(hs->lists_bytes, before->lists.len);
    hs->effort_max = before->effort_max;
    memcpy(hs->work_rate, before->work_rate, sizeof hs->work_rate);
    memcpy(hs->prefix, before->prefix, sizeof hs->prefix);
    hs->was_true = before->was_true;
    hs->result.learned = before->result.learned;
    hs->result.learned_version = before->result.learned_version;
    hs->overdue_at = WEFT_TIME_NEVER;
}

weft_err wf_hs_again(struct wf_hs **out, const struct wf_hs *before, struct wf_mem *mem,
                     weft_time now)
{
    struct wf_hs *hs = NULL;
    weft_err err = allocate(&hs, mem);

    if (err != WEFT_OK)
        return err;
    inherit(hs, before);
    hs->attempt = before->attempt + 1;
    hs->work_time_us = wf_hs_work_left(before, now);
    hs->wall_ms = before->wall_ms == 0 ? 0 : before->wall_ms + (now - before->started) / 1000;
    hs->started = now;
    hs->give_up_at = now + wf_hs_time_left(before, now);
    wf_hs_make_hello(hs, now); /* SPEC 1.9-3: with a nonce of its own */
    *out = hs;
    return WEFT_OK;
}

void wf_hs_free(struct wf_hs *hs)
{
    if (hs == NULL)
        return;
    struct wf_secret_arena *arena = hs->arena;
    wf_secret_put(arena, hs);
    wf_secret_arena_free(arena);
}

enum wf_hs_state wf_hs_state(const struct wf_hs *hs)
{
    return (enum wf_hs_state)hs->state;
}

weft_err wf_hs_error(const struct wf_hs *hs)
{
    return hs->error;
}

/* SPEC 1.14-2 */
void wf_hs_recv(struct wf_hs *hs, weft_time now, weft_span datagram)
{
    if (datagram.len == 0)
        return;
    if (datagram.data[0] == WF_TYPE_CHALLENGE && hs->state == WF_HS_HELLO) {
        wf_hs_on_challenge(hs, now, datagram);
    } else if (datagram.data[0] == WF_TYPE_STATEMENT && hs->state == WF_HS_HELLO) {
        wf_hs_on_statement(hs, now, datagram);
    } else if (datagram.data[0] == WF_TYPE_CHALLENGE && hs->state == WF_HS_SOLVE) {
        wf_hs_on_another(hs, now, datagram);
    } else if (datagram.data[0] == WF_TYPE_CONFIRM && hs->state == WF_HS_SOLVE) {
        wf_hs_on_confirm(hs, now, datagram);
    }
}

weft_time wf_hs_interval_after(weft_time interval, unsigned sent)
{
    const weft_time most =
        sent <= WF_HS_EAGER_MAX ? WF_HS_INTERVAL_EAGER_US : WF_HS_INTERVAL_MAX_US;

    return 2 * interval < most ? 2 * interval : most;
}

static void note_sent(struct wf_hs *hs, weft_time now)
{
    if (hs->sent++ > 0) {
        hs->result.solve_repeated = hs->state == WF_HS_SOLVE;
    } else if (hs->state == WF_HS_HELLO) {
        hs->result.hello_sent = now;
    } else {
        hs->result.solve_sent = now;
        hs->result.solve_repeated = false;
    }
    hs->send_at = now + hs->interval;
    hs->interval = wf_hs_interval_after(hs->interval, hs->sent);
}

void wf_hs_send(struct wf_hs *hs, weft_time now, uint8_t *buf, size_t cap, size_t *len)
{
    bool is_hello = hs->state == WF_HS_HELLO;

    WEFT_ASSERT(cap >= WF_SOLVE_MAX);
    *len = 0;
    if (is_hello && wf_hs_ask_send(hs, now, buf, len))
        return;
    if ((!is_hello && hs->state != WF_HS_SOLVE) || now < hs->send_at)
        return;
    *len = is_hello ? sizeof hs->hello : sizeof hs->solve;
    memcpy(buf, is_hello ? hs->hello : hs->solve, *len);
    note_sent(hs, now);
}

static weft_err why_given_up(const struct wf_hs *hs)
{
    if (hs->was_true)
        return WEFT_ERR_TIMEOUT;
    if (hs->was_false)
        return WEFT_ERR_WRONG_KEY; /* SPEC 1.2-3 */
    return hs->was_stale ? WEFT_ERR_CRYPTO : WEFT_ERR_UNREACHABLE;
}

static bool is_over(const struct wf_hs *hs)
{
    return hs->state == WF_HS_DONE || hs->state == WF_HS_FAILED;
}

void wf_hs_tick(struct wf_hs *hs, weft_time now)
{
    if (is_over(hs))
        return;
    if (hs->state == WF_HS_WORKING) {
        if (now >= wf_hs_work_until(hs)) {
            weft_err err = hs->work_time_us == 0 ? why_given_up(hs) : WEFT_ERR_LIMIT;

            wf_hs_end_work(hs, now);
            wf_hs_fail(hs, err); /* SPEC 1.9-1 */
        }
    } else if (now >= hs->give_up_at) {
        wf_hs_fail(hs, why_given_up(hs));
    } else if (hs->state == WF_HS_SOLVE && now >= hs->cookie_until) {
        /* SOLVE may have been accepted, and its data delivered: they must not go again under
         * another cookie. */
        wf_hs_fail(hs, WEFT_ERR_TIMEOUT);
    } else if (hs->state == WF_HS_SOLVE && hs->another_len > 0 && now >= hs->anew_at) {
        wf_hs_anew(hs, now);
    }
}

static weft_time earlier(weft_time a, weft_time b)
{
    return a < b ? a : b;
}

weft_time wf_hs_deadline(const struct wf_hs *hs)
{
    weft_time at = hs->give_up_at;

    if (is_over(hs))
        return WEFT_TIME_NEVER;
    if (hs->state == WF_HS_WORKING)
        return earlier(wf_hs_work_until(hs), hs->cookie_until);
    if (hs->state != WF_HS_HELLO && hs->state != WF_HS_SOLVE)
        return at;
    at = earlier(at, hs->send_at);
    if (hs->state == WF_HS_HELLO) {
        at = earlier(at, wf_hs_ask_deadline(hs));
    } else {
        at = earlier(earlier(at, hs->cookie_until), hs->overdue_at);
    }
    if (hs->state == WF_HS_SOLVE && hs->another_len > 0 && hs->anew_at < at) {
        at = hs->anew_at;
    }
    return at;
}

weft_err wf_hs_result(struct wf_hs *hs, struct wf_hs_result *out)
{
    if (hs->state != WF_HS_DONE || hs->was_taken)
        return WEFT_ERR_STATE;
    memcpy(hs->result.server_key, hs->server_key, sizeof hs->server_key);
    *out = hs->result;
    if (out->body.frames.len > 0) {
        out->body.frames.data = out->plain + (hs->result.body.frames.data - hs->result.plain);
    }
    hs->was_taken = true;
    wf_wipe(&hs->result, sizeof hs->result);
    return WEFT_OK;
}
