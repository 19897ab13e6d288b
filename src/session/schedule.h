/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - the key schedule of the handshake (docs/spec/1-handshake.md, 1.5), one code for both
 * roles: each step takes a pair of keys, of which either role has another half in secret.
 *
 * The results of the Diffie-Hellman steps are hashed one after the other and never added: with a
 * sum of secrets times a sum of points, the ephemeral xG - C would let anybody pose as C.
 *
 * Memory   struct wf_schedule is a secret: wf_wipe it on every path.
 */
#ifndef WF_SESSION_SCHEDULE_H
#define WF_SESSION_SCHEDULE_H

#include "crypto/aead.h"
#include "session/keys.h"

struct wf_schedule {
    uint8_t h[32];   /* the transcript */
    uint8_t ck[32];  /* the chain */
    uint8_t key[32]; /* of the next box */
};

/* Our secret and their public key. */
struct wf_pair {
    const uint8_t *secret;
    const uint8_t *public_key;
};

/* What was said before the boxes. clear: SOLVE's clear part with whatever work nonce; zeros are
 * hashed in its place. */
struct wf_schedule_opening {
    weft_span hello, challenge, clear;
};

/* Steps 0 to 3. */
void wf_schedule_start(struct wf_schedule *s, const uint8_t server_key[32], weft_span hello,
                       weft_span challenge, weft_span clear);

/* Steps 1 to 3. */
void wf_schedule_open_with(struct wf_schedule *s, const struct wf_schedule_opening *o);

/* h = H(h | part) */
void wf_schedule_mix(struct wf_schedule *s, weft_span part);

/* KDF(ck, label, X25519(pair)) -> the next box's key: steps 4 and 6. WEFT_ERR_CRYPTO: all zero
 * (spec 1.3-7). */
WEFT_NODISCARD weft_err wf_schedule_dh(struct wf_schedule *s, const char *label,
                                       struct wf_pair pair);

/* Who the client is, steps 7 (its second half) to 9. client_key NULL: one-way, pairs unused. */
struct wf_schedule_client {
    const uint8_t *client_key; /* Ed25519 */
    struct wf_pair se, ss;
    const uint8_t *ts; /* public */
};
WEFT_NODISCARD weft_err wf_schedule_identify(struct wf_schedule *s,
                                             const struct wf_schedule_client *c);

/* Steps 11 to 13; clear: CONFIRM's clear part; ce NULL: one-way. */
WEFT_NODISCARD weft_err wf_schedule_reply(struct wf_schedule *s, weft_span clear, struct wf_pair e2,
                                          const struct wf_pair *ce);

/* Seals (opens) one box with the present key and h, then mixes it into h. box has plain.len + 16
 * bytes; both may begin at the same place. What does not open changes nothing. */
void wf_schedule_seal(struct wf_schedule *s, struct wf_aead *aead, weft_span plain, uint8_t *box);
WEFT_NODISCARD bool wf_schedule_open(struct wf_schedule *s, struct wf_aead *aead, weft_span box,
                                     uint8_t *plain);

/* Step 15. */
void wf_schedule_split(const struct wf_schedule *s, struct wf_session_secrets *out);

#endif
