/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h - what the signature in CHALLENGE covers (docs/spec/1-handshake.md, 1.2-2): made by
 * the server once per t_s, verified by the client.
 */
#ifndef WF_SESSION_CHALLENGE_H
#define WF_SESSION_CHALLENGE_H

#include "wire/handshake.h"

#define WF_CHALLENGE_MESSAGE_MAX (16 + 32 + 1 + 8 + 32 + 4 + 32 + 8 + 1 + 1 + WF_LISTS_MAX)

/* Lays out the signed message; returns its length. server_key: Ed25519. */
size_t wf_challenge_message(uint8_t out[WF_CHALLENGE_MESSAGE_MAX], const uint8_t server_key[32],
                            const struct wf_challenge *c);

#endif
