/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.h - statements of owners (docs/spec/1-handshake.md, 1.12): made offline, judged by who
 * has a pin.
 */
#ifndef WF_SESSION_STATEMENT_H
#define WF_SESSION_STATEMENT_H

#include "session/identity.h"
#include "wire/statement.h"

#define WF_STATEMENT_SLACK_S 300u /* that two clocks may differ by */

/* Whom a client knows by name, but for the key. */
struct wf_pin {
    uint8_t name[WF_NAME_MAX];
    uint8_t name_len;
    uint8_t owner[32]; /* Ed25519 */
    uint64_t version;  /* of the statement that the key is from; 0: a person said so */
};

/* Puts in the owner's key and its signature. */
void wf_statement_sign(struct wf_statement *s, const struct wf_identity *owner);

/* By the owner that it names. One operation with curves. */
bool wf_statement_is_signed(const struct wf_statement *s);

/* Between its times, by a clock of seconds since 1970. */
bool wf_statement_is_timely(const struct wf_statement *s, uint64_t wall_s);

/* What it says is news to who expects `key` (zeros: none) at the pin's name, and to be believed. */
bool wf_statement_is_news(const struct wf_statement *s, const struct wf_pin *pin,
                          const uint8_t key[32], uint64_t wall_s);

#endif
