/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs_challenge.c - what a client thinks of a CHALLENGE. Anybody may have sent it: what does not
 * verify must change nothing but the error that is reported in the end.
 */
#include <string.h>

#include "base/bytes.h"
#include "session/challenge.h"
#include "session/hs_priv.h"

/* SPEC 1.2-3 */
static bool is_signed(const struct wf_hs *hs, const struct wf_challenge *c)
{
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];

    if (wf_is_zero_ct(hs->server_key, sizeof hs->server_key))
        return false; /* none is expected before the owner named one */
    size_t len = wf_challenge_message(message, hs->server_key, c);
    return wf_verify(hs->server_key, c->signature, wf_span(message, len)) == WEFT_OK;
}

/* SPEC 1.2-5 */
static bool is_stale(const struct wf_hs *hs, weft_time now, const struct wf_challenge *c)
{
    if (hs->wall_ms == 0)
        return false;
    uint64_t wall_s = (hs->wall_ms + (now - hs->started) / 1000) / 1000;
    return wall_s > WF_HS_CLOCK_SLACK_S && wall_s - WF_HS_CLOCK_SLACK_S > c->not_after_s;
}

/* What the signature does not cover, so that a server who signed would never say it. */
static bool is_sensible(const struct wf_challenge *c)
{
    const struct wf_challenge_head *h = &c->head;

    return h->version == WF_VERSION && h->suite == WF_SUITE && h->offset_ms < WF_EPOCH_MS &&
           h->ceiling_log2 <= WF_EFFORT_LOG2_MAX &&
           h->effort <= (uint64_t)1 << h->ceiling_log2 &&   /* SPEC 1.2-4 */
           (h->effort == 0 || h->work_alg != WF_WORK_NONE); /* SPEC 1.8-2 */
}

/* It answers our HELLO, and both arrived as they were sent. SPEC 1.2-8, 1.2-9 */
static bool is_answer(const struct wf_hs *hs, weft_span datagram, const struct wf_challenge *c)
{
    struct wf_hello h = {.lists = hs->lists};

    if (memcmp(c->echo, hs->n_c, sizeof c->echo) != 0)
        return false;
    memcpy(h.prefix, hs->prefix, sizeof h.prefix);
    memcpy(h.n_c, hs->n_c, sizeof h.n_c);
    return wf_challenge_is_whole(datagram, &h);
}

bool wf_hs_verify(struct wf_hs *hs, weft_time now, weft_span datagram, const struct wf_challenge *c)
{
    if (!is_answer(hs, datagram, c) || !is_sensible(c))
        return false;
    /* SPEC 1.10-1: who made the signature is nobody we know, and S is not used. */
    if (!hs->is_limited && !is_signed(hs, c)) {
        hs->was_false = true;
        wf_hs_ask_about(hs, now, c);
        return false;
    }
    if (is_stale(hs, now, c)) {
        hs->was_stale = true;
        return false;
    }
    return true;
}

/* SPEC 1.1-5: false without a common version of the protocol. */
static bool choose(struct wf_hs *hs, const struct wf_challenge *c)
{
    struct wf_hs_result *r = &hs->result;

    r->choice_count = wf_lists_choose(hs->lists, c->lists, r->choices);
    return r->choice_count > 0 && r->choices[0] != 0;
}

static void take(struct wf_hs *hs, weft_time now, weft_span datagram, const struct wf_challenge *c)
{
    weft_time age = (weft_time)c->head.offset_ms * 1000;
    weft_time life = (weft_time)WF_HS_COOKIE_EPOCHS * WF_EPOCH_MS * 1000 - WF_HS_COOKIE_MARGIN_US;

    memcpy(hs->challenge_bytes, datagram.data, datagram.len);
    hs->challenge_len = datagram.len;
    hs->challenge = *c;
    hs->challenge.lists.data = hs->challenge_bytes + (c->lists.data - datagram.data);
    hs->cookie_until = now + life - age;
    hs->result.challenge_at = now;
    hs->was_true = true;
}

bool wf_hs_answer(struct wf_hs *hs, weft_time now, weft_span datagram)
{
    struct wf_challenge c;

    if (wf_challenge_get(datagram, &c) != WEFT_OK)
        return false;
    take(hs, now, datagram, &c);
    if (!choose(hs, &hs->challenge)) {
        wf_hs_fail(hs, WEFT_ERR_NO_PROTOCOL);
        return false;
    }
    if (!wf_hs_choose_bid(hs, &c.head)) {
        wf_hs_fail(hs, WEFT_ERR_LIMIT); /* SPEC 1.2-4 */
        return false;
    }
    return true;
}

void wf_hs_on_challenge(struct wf_hs *hs, weft_time now, weft_span datagram)
{
    struct wf_challenge c;

    if (datagram.len > sizeof hs->challenge_bytes || wf_challenge_get(datagram, &c) != WEFT_OK ||
        !wf_hs_verify(hs, now, datagram, &c))
        return;
    if (wf_hs_answer(hs, now, datagram)) {
        wf_hs_enter(hs, WF_HS_NEED_DATA);
    }
}
