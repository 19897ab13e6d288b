/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.c - see schedule.h. Every temporary that held a secret is wiped before its function
 * ends.
 */
#include "session/schedule.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "wire/handshake.h"

#define WORK_NONCE_LEN 8u

void wf_schedule_mix(struct wf_schedule *s, weft_span part)
{
    wf_hash_mix(s->h, part);
}

/* Work covers the boxes and the boxes seal the transcript, so the nonce cannot stand in it. */
static void mix_solve(struct wf_schedule *s, weft_span clear)
{
    static const uint8_t zeros[WORK_NONCE_LEN];
    size_t after = WF_SOLVE_WORK_OFFSET + WORK_NONCE_LEN;
    WEFT_ASSERT(clear.len >= after);
    const weft_span parts[] = {
        wf_span(s->h, sizeof s->h), wf_span(clear.data, WF_SOLVE_WORK_OFFSET),
        wf_span(zeros, sizeof zeros), wf_span(clear.data + after, clear.len - after)};
    uint8_t h[32];

    wf_hash(h, parts, WF_ARRAY_LEN(parts));
    memcpy(s->h, h, sizeof h);
}

void wf_schedule_open_with(struct wf_schedule *s, const struct wf_schedule_opening *o)
{
    wf_schedule_mix(s, o->hello);
    wf_schedule_mix(s, o->challenge);
    mix_solve(s, o->clear);
}

/* MODEL start */
void wf_schedule_start(struct wf_schedule *s, const uint8_t server_key[32], weft_span hello,
                       weft_span challenge, weft_span clear)
{
    const struct wf_schedule_opening o = {hello, challenge, clear};
    static const uint8_t suite_and_variant[2] = {WF_SUITE, 0};
    const weft_span parts[] = {wf_span_of("weft handshake 1"), wf_span(suite_and_variant, 2),
                               wf_span(server_key, 32)};

    memset(s, 0, sizeof *s);
    wf_hash(s->h, parts, WF_ARRAY_LEN(parts));
    memcpy(s->ck, s->h, sizeof s->ck);
    wf_schedule_open_with(s, &o);
}

/* SPEC 1.3-7 */
weft_err wf_schedule_dh(struct wf_schedule *s, const char *label, struct wf_pair pair)
{
    uint8_t shared[WF_DH_LEN];
    weft_err err = wf_dh(shared, pair.secret, pair.public_key);

    if (err == WEFT_OK) {
        wf_kdf_chain(s->ck, s->key, label, wf_span(shared, sizeof shared));
    }
    wf_wipe(shared, sizeof shared);
    return err;
}

/* H(X25519(C, S) | t_s) goes in, so that what it makes dies with t_s. */
static weft_err chain_ss(struct wf_schedule *s, struct wf_pair pair, const uint8_t ts[32])
{
    uint8_t shared[WF_DH_LEN];
    uint8_t hashed[WF_HASH_LEN];
    weft_err err = wf_dh(shared, pair.secret, pair.public_key);

    if (err == WEFT_OK) {
        const weft_span parts[] = {wf_span(shared, sizeof shared), wf_span(ts, 32)};
        wf_hash(hashed, parts, WF_ARRAY_LEN(parts));
        wf_kdf_chain(s->ck, s->key, "ss", wf_span(hashed, sizeof hashed));
        wf_wipe(hashed, sizeof hashed);
    }
    wf_wipe(shared, sizeof shared);
    return err;
}

/* MODEL se ss */
weft_err wf_schedule_identify(struct wf_schedule *s, const struct wf_schedule_client *c)
{
    static const uint8_t nobody[32];

    if (c->client_key == NULL) {
        wf_schedule_mix(s, wf_span(nobody, sizeof nobody));
        wf_kdf_chain(s->ck, s->key, "one-way", (weft_span){0});
        return WEFT_OK;
    }
    wf_schedule_mix(s, wf_span(c->client_key, 32));
    weft_err err = wf_schedule_dh(s, "se", c->se);
    return err == WEFT_OK ? chain_ss(s, c->ss, c->ts) : err;
}

/* MODEL e2 ce */
weft_err wf_schedule_reply(struct wf_schedule *s, weft_span clear, struct wf_pair e2,
                           const struct wf_pair *ce)
{
    wf_schedule_mix(s, clear);
    weft_err err = wf_schedule_dh(s, "e2", e2);
    if (err != WEFT_OK)
        return err;
    if (ce != NULL)
        return wf_schedule_dh(s, "ce", *ce);
    wf_kdf_chain(s->ck, s->key, "one-way reply", (weft_span){0});
    return WEFT_OK;
}

/* Every box has a key of its own, so its number is 0. */
static void box_key(struct wf_aead_key *k, const struct wf_schedule *s)
{
    static const uint8_t prefix[16];

    wf_aead_key_init(k, WF_AEAD_XCHACHA20_POLY1305, s->key, prefix);
}

void wf_schedule_seal(struct wf_schedule *s, struct wf_aead *aead, weft_span plain, uint8_t *box)
{
    struct wf_aead_key key;
    struct wf_aead_op op = {
        .ad = wf_span(s->h, sizeof s->h), .in = plain.data, .in_len = plain.len, .out = box};

    box_key(&key, s);
    wf_aead_seal(aead, &key, &op, 1);
    wf_schedule_mix(s, wf_span(box, plain.len + WF_AEAD_TAG_LEN));
    wf_wipe(&key, sizeof key);
}

bool wf_schedule_open(struct wf_schedule *s, struct wf_aead *aead, weft_span box, uint8_t *plain)
{
    struct wf_aead_key key;
    uint8_t mixed[32];
    struct wf_aead_op op = {
        .ad = wf_span(s->h, sizeof s->h), .in = box.data, .in_len = box.len, .out = plain};
    const weft_span parts[] = {op.ad, box};

    wf_hash(mixed, parts, WF_ARRAY_LEN(parts)); /* before box is overwritten */
    box_key(&key, s);
    (void)wf_aead_open(aead, &key, &op, 1);
    wf_wipe(&key, sizeof key);
    if (op.ok) {
        memcpy(s->h, mixed, sizeof mixed);
    }
    return op.ok;
}

/* SPEC 1.5 step 15 */
void wf_schedule_split(const struct wf_schedule *s, struct wf_session_secrets *out)
{
    wf_kdf(out->root_c2s, 32, s->ck, "weft root c2s", wf_span(s->h, sizeof s->h));
    wf_kdf(out->root_s2c, 32, s->ck, "weft root s2c", wf_span(s->h, sizeof s->h));
    memcpy(out->transcript, s->h, sizeof s->h);
}
