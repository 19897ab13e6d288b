/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs_ask.c - a client that found another key than its pin says: it asks once what the owner says
 * (docs/spec/1-handshake.md, 1.12). Whatever comes may be from anybody, so HELLO goes on beside it,
 * and a CHALLENGE under the expected key ends it all.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "session/hs_priv.h"

/* SPEC 1.12-7 */
static bool is_affordable(const struct wf_hs *hs, const struct wf_challenge_head *h)
{
    uint64_t most = h->work_alg == WF_WORK_PROGRAM ? WF_HS_ASK_PROGRAM_MAX : WF_HS_ASK_EFFORT_MAX;

    return h->effort <= most && h->effort <= hs->effort_max;
}

static void start_sending(struct wf_hs_ask *k, weft_time now)
{
    wf_store_u64(k->bytes + WF_ASK_WORK_OFFSET, k->nonce);
    k->state = WF_HS_ASK_SENDING;
    k->send_at = now;
    k->interval = WF_HS_INTERVAL_FIRST_US;
    k->sent = 0;
}

/* SPEC 1.12-4: nothing of e_c or boxes, which an ASK has not. */
static void set_work(struct wf_hs_ask *k, const struct wf_ask *a)
{
    k->work = (struct wf_work){.alg = a->head.work_alg, .bid = a->bid};
    memcpy(k->work.cookie, a->cookie, sizeof k->work.cookie);
    memcpy(k->work.n_c, a->n_c, sizeof k->work.n_c);
    k->nonce = 0;
}

/* SPEC 1.12-6 */
void wf_hs_ask_about(struct wf_hs *hs, weft_time now, const struct wf_challenge *c)
{
    struct wf_ask a = {.head = c->head, .bid = c->head.effort, .lists = hs->lists};
    struct wf_hs_ask *k = &hs->ask;

    if (k->state != WF_HS_ASK_READY || !is_affordable(hs, &c->head))
        return;
    memcpy(a.prefix, hs->prefix, sizeof a.prefix);
    memcpy(a.n_c, hs->n_c, sizeof a.n_c);
    memcpy(a.cookie, c->cookie, sizeof a.cookie);
    size_t len = wf_ask_put(&a, k->bytes, sizeof k->bytes);
    WEFT_ASSERT(len == WF_ASK_LEN);
    set_work(k, &a);
    k->state = WF_HS_ASK_WORKING;
    if (a.head.effort == 0) {
        start_sending(k, now);
    }
}

void wf_hs_ask_work(struct wf_hs *hs, weft_time now, uint64_t tries)
{
    struct wf_hs_ask *k = &hs->ask;

    if (k->state != WF_HS_ASK_WORKING)
        return;
    if (wf_work_solve(&k->work, &k->nonce, tries)) {
        start_sending(k, now);
    }
}

bool wf_hs_ask_send(struct wf_hs *hs, weft_time now, uint8_t *buf, size_t *len)
{
    struct wf_hs_ask *k = &hs->ask;

    if (k->state != WF_HS_ASK_SENDING || now < k->send_at)
        return false;
    memcpy(buf, k->bytes, sizeof k->bytes);
    *len = sizeof k->bytes;
    k->send_at = now + k->interval;
    k->interval = wf_hs_interval_after(k->interval, ++k->sent);
    return true;
}

weft_time wf_hs_ask_deadline(const struct wf_hs *hs)
{
    return hs->ask.state == WF_HS_ASK_SENDING ? hs->ask.send_at : WEFT_TIME_NEVER;
}

/* SPEC 1.12-11 */
static void start_anew(struct wf_hs *hs, weft_time now, const struct wf_statement *s)
{
    hs->ask.state = WF_HS_ASK_OVER;
    memcpy(hs->server_key, s->key, sizeof hs->server_key);
    wf_key_prefix(hs->prefix, hs->server_key);
    hs->result.learned = true;
    hs->result.learned_version = s->version;
    wf_hs_make_hello(hs, now);
}

void wf_hs_on_statement(struct wf_hs *hs, weft_time now, weft_span datagram)
{
    uint64_t wall_s = (hs->wall_ms + (now - hs->started) / 1000) / 1000;
    uint8_t echo[WF_ECHO_LEN];
    struct wf_statement s;

    if (hs->ask.state == WF_HS_ASK_SENDING &&
        wf_statement_packet_get(datagram, echo, &s) == WEFT_OK &&
        memcmp(echo, hs->n_c, sizeof echo) == 0 &&
        wf_statement_is_news(&s, &hs->ask.pin, hs->server_key, wall_s) &&
        wf_hs_check_key(s.key, hs->own) == WEFT_OK) {
        start_anew(hs, now, &s);
    }
}
