/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs.h - the client's side of the handshake (docs/spec/1-handshake.md), one object per attempt.
 *
 *   new -> HELLO -(CHALLENGE)-> NEED_DATA -(wf_hs_solve)-> WORKING -(wf_hs_work)-> SOLVE
 *       -(CONFIRM)-> DONE; any state -> FAILED; SOLVE -> WORKING, when a server that was started
 *       again does not know the cookie and SOLVE carries no data
 *
 * The owner sends what wf_hs_send yields, hands in what arrives, and calls wf_hs_solve with the
 * first frames when asked. HELLO and SOLVE are repeated with doubling intervals (first 300 ms, at
 * most 0.8 s for 16 times and then 5 s, byte-identical). When the cookie has grown too old for a
 * SOLVE that was not answered, it fails: the SOLVE may have been accepted, and its data must not go
 * again under another cookie.
 *
 * Where work is asked SOLVE should carry no frames. Then the owner may begin anew with another
 * object (wf_hs_again) when wf_hs_is_overdue says so, and still hand CONFIRMs to this one.
 */
#ifndef WF_SESSION_HS_H
#define WF_SESSION_HS_H

#include "base/mem.h"
#include "session/cid.h"
#include "session/identity.h"
#include "session/keys.h"
#include "session/limited.h"
#include "session/statement.h"
#include "session/work.h"
#include "wire/handshake.h"

struct wf_hs;

enum wf_hs_state {
    WF_HS_HELLO = 0, /* HELLO sent or to be sent, waiting for CHALLENGE */
    WF_HS_NEED_DATA, /* CHALLENGE verified: call wf_hs_solve */
    WF_HS_WORKING,   /* call wf_hs_work until it is done */
    WF_HS_SOLVE,     /* SOLVE sent or to be sent, waiting for CONFIRM */
    WF_HS_DONE,      /* wf_hs_result is there */
    WF_HS_FAILED,    /* wf_hs_error says why */
    WF_HS_STATES,
};

struct wf_hs_config {
    struct wf_mem *mem;
    const struct wf_rng *rng;
    struct wf_aead *aead;
    const struct wf_identity *identity; /* NULL: one-way */
    const struct wf_pin *pin; /* copied: who may say that another key is there now (1.12); then
                                 server_key may be zeros, and none is expected. NULL: nobody */
    const uint8_t *owner; /* 32 bytes: its key for this owner is shown (1.11). NULL: the durable */
    uint8_t server_key[32]; /* the Ed25519 key that must be there */
    /* Limited circulation (spec 1.10): a call inside this group, to the server that it names (and
     * server_key is not looked at); copied. NULL: none. Since CHALLENGE is not signed then, whoever
     * sees HELLO can make the call fail. */
    const struct wf_invitation *invitation;
    weft_span lists;                  /* copied */
    struct wf_cids cids;              /* of n_c, where there are shards */
    uint64_t wall_ms;                 /* wall clock at `now`; 0: none that can be trusted */
    uint64_t timeout_us;              /* for the whole handshake */
    uint64_t effort_max;              /* never do more work than this (tries expected) */
    uint64_t work_time_us;            /* that may go into work; 0: as long as it takes */
    uint64_t work_rate[WF_WORK_ALGS]; /* tries a second, by algorithm; 0: not known */
};

struct wf_hs_result {
    struct wf_session_secrets secrets;
    struct wf_confirm_body body; /* frames borrow from plain */
    uint64_t choices[WF_GROUPS_MAX];
    size_t choice_count;
    weft_time hello_sent, challenge_at, solve_sent, confirm_at; /* for round-trip samples */
    bool solve_repeated;
    bool learned; /* the pin's owner said which key is there, not the caller: */
    uint64_t learned_version;
    uint8_t server_key[32]; /* the one that the handshake was with */
    uint8_t plain[WF_SOLVE_MAX];
};

/* WEFT_ERR_USAGE: the server's key is our own (spec 1.3-6), or an invitation without an identity.
 * WEFT_ERR_CRYPTO: it is no valid key. */
WEFT_NODISCARD weft_err wf_hs_new(struct wf_hs **out, const struct wf_hs_config *c, weft_time now);
void wf_hs_free(struct wf_hs *hs);
enum wf_hs_state wf_hs_state(const struct wf_hs *hs);

/* Why it failed: WEFT_ERR_UNREACHABLE (nothing answered), WEFT_ERR_WRONG_KEY (answers, none under
 * the expected key), WEFT_ERR_TIMEOUT (no CONFIRM: refused or lost; with an invitation nobody there
 * may know the group), WEFT_ERR_NO_PROTOCOL, WEFT_ERR_LIMIT (too much work asked, or its time is
 * up), WEFT_ERR_CRYPTO (the key's not-after is past, so our clock or theirs is wrong; or a key of
 * small order), WEFT_ERR_PROTOCOL (a CONFIRM that opens and is malformed). WEFT_OK before it
 * failed. */
weft_err wf_hs_error(const struct wf_hs *hs);

/* Takes in a CHALLENGE or CONFIRM. What does not verify is dropped. */
void wf_hs_recv(struct wf_hs *hs, weft_time now, weft_span datagram);

/* State NEED_DATA: our connection id, wall clock, parameters and first frames (at most wf_hs_room
 * bytes); the choices are filled in here. SOLVE is padded to 1200 bytes with PAD frames, so a DATA
 * frame that runs to the end of the packet must fill the room. WEFT_ERR_STATE; WEFT_ERR_USAGE: too
 * many frames. */
size_t wf_hs_room(const struct wf_hs *hs, const struct wf_params *params);
WEFT_NODISCARD weft_err wf_hs_solve(struct wf_hs *hs, weft_time now,
                                    const struct wf_solve_body *body);

/* State WORKING: does at most `tries` of the work; enters SOLVE when solved. */
bool wf_hs_has_work(const struct wf_hs *hs); /* of a SOLVE or an ASK */
void wf_hs_work(struct wf_hs *hs, weft_time now, uint64_t tries);

/* The same by somebody else: what there is to do, valid in this state, and what he found. A nonce
 * that solves nothing is ignored. */
const struct wf_work *wf_hs_job(const struct wf_hs *hs);
void wf_hs_solved(struct wf_hs *hs, weft_time now, uint64_t nonce);

/* How fast we are, turned out while the work goes on: may fail with WEFT_ERR_LIMIT. */
void wf_hs_rate(struct wf_hs *hs, weft_time now, unsigned alg, uint64_t tries_per_s);

/* After CHALLENGE: no work is asked, so SOLVE is sent for good and should carry the first frames.
 */
bool wf_hs_carries_data(const struct wf_hs *hs);

/* Work was asked and there is no CONFIRM in time: the price has risen, or the cookie has grown too
 * old. wf_hs_again makes the next attempt, which has what is left of the times and bids more. */
bool wf_hs_is_overdue(const struct wf_hs *hs, weft_time now);
WEFT_NODISCARD weft_err wf_hs_again(struct wf_hs **out, const struct wf_hs *hs, struct wf_mem *mem,
                                    weft_time now);

/* What was asked and what is bid; zeros before CHALLENGE. */
struct wf_hs_price {
    uint8_t alg;
    uint32_t effort, bid;
};
struct wf_hs_price wf_hs_price(const struct wf_hs *hs);

/* Writes the datagram that is due (at most one), or nothing (*len = 0). cap >= 1200. */
void wf_hs_send(struct wf_hs *hs, weft_time now, uint8_t *buf, size_t cap, size_t *len);

void wf_hs_tick(struct wf_hs *hs, weft_time now);
weft_time wf_hs_deadline(const struct wf_hs *hs);

/* State DONE: moves the result out (once; WEFT_ERR_STATE otherwise). The caller wipes secrets. */
WEFT_NODISCARD weft_err wf_hs_result(struct wf_hs *hs, struct wf_hs_result *out);

#endif
