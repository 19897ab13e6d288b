/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_keys.c - when keys change (docs/spec/2-packets.md 2.5). The client of the handshake starts a
 * change, the server answers; session/keys.h does the rest. An ephemeral secret lives in the arena
 * while it is needed and on the stack of one call at the server, wiped in both.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/dh.h"
#include "transport/chan_priv.h"

#define REKEY_US_DEFAULT 120000000u
#define REKEY_PACKETS_DEFAULT ((uint64_t)1 << 32)
#define OLD_KEY_PTOS 3u
#define EARLY_MAX 2u /* in a row: clocks that stood still look like it */

weft_err chan_keys_start(struct wf_chan *c, weft_time now, const struct wf_session_secrets *s)
{
    c->keys = wf_secret_get(c->config.secrets);
    if (c->keys == NULL)
        return WEFT_ERR_NOMEM;
    wf_keys_init(c->keys, c->config.role, WF_AEAD_XCHACHA20_POLY1305, s);
    wf_keys_log(c->keys, c->config.keylog, chan_cid_tx(c), c->config.cid_rx);
    c->rekey.first = c->sent.next;
    c->rekey.since = now;
    return WEFT_OK;
}

void chan_keys_deinit(struct wf_chan *c)
{
    wf_secret_put(c->config.secrets, c->rekey.secret);
    wf_secret_put(c->config.secrets, c->keys);
    c->rekey.secret = NULL;
    c->keys = NULL;
}

/* Whether 1/part of the time or of the packets of a generation is over. */
static bool is_over(const struct wf_chan *c, weft_time now, uint64_t part)
{
    uint64_t after_us = c->config.rekey_after_us;
    uint64_t after_packets = c->config.rekey_after_packets;

    after_us = after_us > 0 ? after_us : REKEY_US_DEFAULT;
    after_packets = after_packets > 0 ? after_packets : REKEY_PACKETS_DEFAULT;
    return now - c->rekey.since >= after_us / part ||
           c->sent.next - c->rekey.first >= after_packets / part ||
           c->rx.highest - c->rekey.first_rx >= after_packets / part;
}

/* Called when a packet is about to go. SPEC 2.5-1 */
void chan_keys_maybe_change(struct wf_chan *c, weft_time now)
{
    if (c->config.role != WF_ROLE_CLIENT || c->rekey.secret != NULL || !is_over(c, now, 1))
        return;
    if (!c->sent.has_acked || c->sent.newest_acked < c->rekey.first) {
        /* One who only receives sends nothing that is acknowledged, unless it asks for it. */
        c->must_send = c->must_send || c->sent.need_ack == 0;
        return;
    }
    c->rekey.secret = wf_secret_get(c->config.secrets);
    if (c->rekey.secret == NULL)
        return;
    wf_random_secret(c->config.rng, c->rekey.secret, WF_DH_LEN);
    wf_dh_public(c->rekey.key, c->rekey.secret);
    c->rekey.generation = c->keys->generation + 1;
    c->rekey.once = WF_ONCE_WANTED;
}

static void changed(struct wf_chan *c, weft_time now)
{
    c->rekey.since = now;
    c->rekey.first_rx = c->rx.highest;
    c->stats.rekeys++;
    wf_keys_log(c->keys, c->config.keylog, chan_cid_tx(c), c->config.cid_rx);
    wf_trace(c->config.trace, now, WF_TRACE_REKEY, c->rekey.generation, c->config.role);
}

/* The answer to ours. */
static enum chan_verdict finish(struct wf_chan *c, weft_time now, const struct wf_frame *f)
{
    uint8_t dh[WF_DH_LEN];

    if (f->u.rekey.generation <= c->keys->generation)
        return CHAN_OK; /* a copy */
    if (c->rekey.secret == NULL || f->u.rekey.generation != c->rekey.generation)
        return CHAN_PROTOCOL;
    if (wf_dh(dh, c->rekey.secret, f->u.rekey.key) != WEFT_OK)
        return CHAN_PROTOCOL;
    wf_keys_rekey(c->keys, dh, c->rekey.key, f->u.rekey.key);
    wf_wipe(dh, sizeof dh);
    wf_secret_put(c->config.secrets, c->rekey.secret);
    c->rekey.secret = NULL;
    c->rekey.once = WF_ONCE_IDLE;
    c->rekey.first = c->sent.next;
    c->must_send =
        true; /* its ack is the first packet under the other key: the change is over soon */
    changed(c, now);
    return CHAN_OK;
}

/* A change costs the server two curve operations and the client but one, so how often is not left
 * to the client. SPEC 2.5-5 */
static bool is_too_often(struct wf_chan *c, weft_time now)
{
    if (is_over(c, now, 2)) {
        c->rekey.early = 0;
        return false;
    }
    return ++c->rekey.early > EARLY_MAX;
}

/* SPEC 2.5-2 */
static enum chan_verdict answer(struct wf_chan *c, weft_time now, const struct wf_frame *f)
{
    uint8_t secret[WF_DH_LEN], dh[WF_DH_LEN];
    uint64_t newest = c->keys->generation + (c->keys->has_next_tx ? 1u : 0u);

    if (f->u.rekey.generation <= newest)
        return CHAN_OK; /* a copy */
    /* A change before the last one was finished, or one that skips a generation. */
    if (c->keys->has_next_rx || f->u.rekey.generation != newest + 1)
        return CHAN_PROTOCOL;
    if (is_too_often(c, now))
        return CHAN_PROTOCOL;
    wf_random_secret(c->config.rng, secret, sizeof secret);
    weft_err err = wf_dh(dh, secret, f->u.rekey.key);
    if (err == WEFT_OK) {
        wf_dh_public(c->rekey.key, secret);
        wf_keys_rekey(c->keys, dh, f->u.rekey.key, c->rekey.key);
        c->rekey.generation = f->u.rekey.generation;
        c->rekey.once = WF_ONCE_WANTED;
        c->rekey.first = c->sent.next;
        changed(c, now);
    }
    wf_wipe(secret, sizeof secret);
    wf_wipe(dh, sizeof dh);
    return err == WEFT_OK ? CHAN_OK : CHAN_PROTOCOL;
}

enum chan_verdict chan_keys_on_rekey(struct wf_chan *c, weft_time now, const struct wf_frame *f)
{
    return c->config.role == WF_ROLE_CLIENT ? finish(c, now, f) : answer(c, now, f);
}

/* The first packet of a new generation opened. SPEC 2.5-3 */
void chan_keys_new_phase(struct wf_chan *c, weft_time now)
{
    c->rekey.forget_at = now + OLD_KEY_PTOS * wf_pto_base_us(&c->rtt);
}
