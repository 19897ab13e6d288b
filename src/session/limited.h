/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limited.h - variant 1 of the key schedule, for groups that are nobody else's business
 * (docs/spec/1-handshake.md, 1.10): the group key goes into the chain first, box0 is a MAC under
 * what follows from it, and the server's S is the one that the client knew beforehand.
 *
 * Memory   A group key and struct wf_group are secrets.
 */
#ifndef WF_SESSION_LIMITED_H
#define WF_SESSION_LIMITED_H

#include "session/schedule.h"
#include "wire/handshake.h"

#define WF_GROUP_KEY_LEN 32

/* The server as the invitation names it; S in CHALLENGE is never used as a key. SPEC 1.10-1 */
struct wf_limited_server {
    uint8_t key[32]; /* Ed25519 */
    uint8_t dh[32];  /* S */
};

/* What a client was given, and must not show to anybody. */
struct wf_invitation {
    uint8_t group_key[WF_GROUP_KEY_LEN];
    struct wf_limited_server server;
};

/* Characters of an invitation as text, without the final NUL: `weftgrp1…`, a secret too. */
#define WF_INVITATION_TEXT_LEN 170

void wf_invitation_text(char out[WF_INVITATION_TEXT_LEN + 1], const struct wf_invitation *in);
/* WEFT_ERR_MALFORMED: none, one with a typo, or of a version that is not ours; *out is untouched.
 */
WEFT_NODISCARD weft_err wf_invitation_parse(struct wf_invitation *out, weft_span text);

/* What follows from one group key for one server, the same for every handshake. */
struct wf_group {
    uint8_t ck[32];  /* the chain, the group key already in it */
    uint8_t mac[32]; /* makes box0 */
};

/* Step 0, its second column. */
void wf_group_init(struct wf_group *g, const struct wf_limited_server *server,
                   const uint8_t group_key[WF_GROUP_KEY_LEN]);

/* Steps 0 to 3 but for the chain, which wf_limited_enter sets: nothing of a group is in h, so one h
 * serves for all of them. */
void wf_limited_start(struct wf_schedule *s, const struct wf_limited_server *server,
                      const struct wf_schedule_opening *o);

/* Step 4. */
void wf_limited_box0(uint8_t box0[WF_BOX0_LEN], const struct wf_group *g,
                     const struct wf_schedule *s);
void wf_limited_enter(struct wf_schedule *s, const struct wf_group *g,
                      const uint8_t box0[WF_BOX0_LEN]);

#endif
