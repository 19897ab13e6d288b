/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h - what the signature in CHALLENGE covers (docs/spec/1-handshake.md, 1.2-2): made by
 * the server once per t_s, verified by the client. And its check (1.2-9), by which a client notices
 * that HELLO or CHALLENGE was damaged on the way, before it builds on a cookie that is worth
 * nothing. The check keeps nobody out who has seen HELLO.
 */
#ifndef WF_SESSION_CHALLENGE_H
#define WF_SESSION_CHALLENGE_H

#include "wire/handshake.h"

#define WF_CHALLENGE_MESSAGE_MAX (16 + 32 + 1 + 8 + 32 + 4 + 32 + 8 + 1 + 1 + WF_LISTS_MAX)

/* Lays out the signed message; returns its length. server_key: Ed25519. */
size_t wf_challenge_message(uint8_t out[WF_CHALLENGE_MESSAGE_MAX], const uint8_t server_key[32],
                            const struct wf_challenge *c);

/* Of what stays the same until t_s is replaced; of a whole CHALLENGE. */
void wf_challenge_digest(uint8_t digest[WF_CHECK_LEN], weft_span challenge);

/* Puts the check into a CHALLENGE that answers this HELLO; all else must stand in it already. */
void wf_challenge_stamp(uint8_t *challenge, const uint8_t digest[WF_CHECK_LEN],
                        const struct wf_hello *h);

/* Of a CHALLENGE that wf_challenge_get takes. */
bool wf_challenge_is_whole(weft_span challenge, const struct wf_hello *h);

#endif
