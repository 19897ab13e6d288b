/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm.h - the server's side of the handshake: HELLO and SOLVE in, CHALLENGE and CONFIRM out
 * (docs/spec/1-handshake.md).
 *
 * Nothing is allocated, stored or computed with curves for a stranger before cookie and work are
 * verified. The core does no I/O and draws random bytes and time only from what it is given.
 *
 * A SOLVE that opens is *accepted*: the owner makes a session from it, hands its frames to it,
 * waits a moment for a reply and calls wf_adm_confirm, which yields the CONFIRM to send. While an
 * accepted SOLVE waits for its CONFIRM its secrets are kept here.
 *
 * Threads  One thread at a time.
 * Memory   Everything through the wf_mem given; secrets in secret arenas.
 */
#ifndef WF_SESSION_ADM_H
#define WF_SESSION_ADM_H

#include "base/addr.h"
#include "base/mem.h"
#include "session/identity.h"
#include "session/keys.h"
#include "wire/handshake.h"

struct wf_adm;

struct wf_adm_config {
    struct wf_mem *mem;
    const struct wf_rng *rng;
    struct wf_aead *aead;
    const struct wf_identity *identity; /* outlives the adm; stays in secret memory */
    weft_span lists;                    /* protocol lists, copied */
    uint32_t effort;                    /* asked of everybody, at least; 0: none */
    uint8_t ceiling_log2;               /* effort <= 2^ceiling */
    uint8_t work_alg;                   /* enum wf_work_alg; 0: WF_WORK_BLAKE2B, the default */
    uint64_t wall_ms; /* wall clock at `now` of wf_adm_new; 0: unknown (not-after is then 2^63) */
    weft_span statement; /* of the owner about our key, for those who ask; copied. Empty: none */
    uint64_t instance;   /* of all shards behind one address, new at each start; 0: random */
    uint8_t shard;       /* of shard_count */
    uint8_t shard_count; /* 0: 1 */
    size_t table_max;    /* solved cookies kept; 0: 524288 */
    size_t confirm_pool; /* bytes of kept CONFIRMs; 0: 8 MiB */
    size_t pool_max;     /* ephemeral keys made ahead; 0: 64 */
    size_t queue_max;    /* SOLVEs that wait for their curves; 0: 2048 */
};

/* What came of a datagram. */
enum wf_adm_kind {
    WF_ADM_DROP = 0, /* nothing to do */
    WF_ADM_REPLY,    /* send `reply` (CHALLENGE, or the CONFIRM of a duplicate) to path.from */
    WF_ADM_FORWARD,  /* hand the datagram, unread, to the admission of `shard` */
    WF_ADM_ACCEPT,   /* a new session: see the fields below; wf_adm_confirm must follow, or
                        wf_adm_refuse */
};

#define WF_ADM_REPLY_MAX WF_SOLVE_MAX

/* Between which addresses a datagram went. */
struct wf_adm_path {
    struct wf_addr from; /* the client's */
    struct wf_addr to;   /* ours; unset when unknown */
};

struct wf_adm_result {
    enum wf_adm_kind kind;
    struct wf_adm_path path; /* of the datagram that this came of */
    uint8_t shard;           /* WF_ADM_FORWARD */
    size_t reply_len;
    uint8_t reply[WF_ADM_REPLY_MAX];
    /* WF_ADM_ACCEPT; frames borrow from `plain` here */
    uint64_t ticket;  /* names this accept in the calls below */
    bool one_way;     /* peer is zeros, to be reported as nobody */
    uint8_t peer[32]; /* the client's Ed25519 key */
    uint64_t choices[WF_GROUPS_MAX];
    size_t choice_count;
    struct wf_solve_body body; /* body.frames borrows from plain */
    size_t solve_len;          /* CONFIRM must not be longer */
    bool limited;              /* the client is a member of a group */
    uint8_t group;             /* of this one, in the order of wf_adm_group_add */
    uint8_t plain[WF_SOLVE_MAX];
};

/* Each SOLVE that is dropped counts once, at the check that dropped it. solve_queue_full: one that
 * paid more has its place; solve_expired: it waited too long; solve_table_full: no entry is free.
 * It may come again. solve_deranked: not dropped; its sender's network
 * owes more than the price. solve_anew: of another instance or too old, answered with a CHALLENGE.
 * price: the effort asked of a client without a history. */
struct wf_adm_stats {
    uint64_t ask, ask_bad; /* ask_bad: got no answer */
    uint64_t hello, hello_bad, challenge, solve, solve_bad_length, solve_bad_epoch,
        solve_bad_cookie, solve_bad_prefix, solve_bad_ts, solve_bad_work, solve_bad_box,
        solve_bad_key, solve_bad_choice, solve_duplicate, solve_underpaid, solve_queue_full,
        solve_expired, solve_table_full, solve_anew, solve_forwarded, accepted, confirmed,
        confirm_resent, accepted_limited, decoys;
    uint64_t solve_deranked, price, queued, table_entries, confirm_bytes, pool_keys;
};

WEFT_NODISCARD weft_err wf_adm_new(struct wf_adm **out, const struct wf_adm_config *c,
                                   weft_time now);
void wf_adm_free(struct wf_adm *a);

/* Takes in one datagram whose first byte is HELLO, SOLVE or ASK. Never fails: what is wrong is
 * counted and dropped. No curves: a SOLVE that costs some is put into the work queue. */
void wf_adm_recv(struct wf_adm *a, weft_time now, const struct wf_adm_path *path,
                 weft_span datagram, struct wf_adm_result *out);

/* Takes one SOLVE from the work queue and does what it costs (a quarter of a millisecond of curves
 * or so); *out says what came of it. False: nothing can be done now, and *out is untouched. */
bool wf_adm_next(struct wf_adm *a, weft_time now, struct wf_adm_result *out);

/* wf_adm_next would do something. */
bool wf_adm_has_work(const struct wf_adm *a);

/* Limited circulation (spec 1.10): members of this group are answered too. WEFT_ERR_EXISTS;
 * WEFT_ERR_LIMIT: 64 groups; WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_adm_group_add(struct wf_adm *a, const uint8_t key[32]);

/* From now on members of groups alone are answered, and CHALLENGE does not show who we are.
 * Handshakes that are under way fail. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_adm_only_groups(struct wf_adm *a);

/* What CONFIRM carries besides what adm knows. */
struct wf_adm_confirm {
    uint8_t cid[WF_CID_LEN]; /* by which the client shall call us */
    struct wf_params params;
    weft_span frames;
};

/* Where wf_adm_confirm puts what it makes. */
struct wf_adm_confirm_out {
    uint8_t *datagram; /* the caller's, WF_SOLVE_MAX bytes */
    size_t len;
    struct wf_session_secrets secrets; /* the caller wipes them */
};

/* Makes the CONFIRM of an accepted SOLVE and the session's secrets. The bytes are also kept for
 * duplicates. confirm_room says how many bytes of frames fit; 0 for a ticket that is gone.
 * WEFT_ERR_NOT_FOUND: the ticket is gone (used, refused, or 10 s old); WEFT_ERR_USAGE: too many
 * frames, nothing has changed; WEFT_ERR_CRYPTO: an all-zero result. The session must go then.
 *
 * Since e2 and the reply are mixed into the roots, the server has no session keys before this call.
 */
size_t wf_adm_confirm_room(const struct wf_adm *a, uint64_t ticket, const struct wf_params *params);
WEFT_NODISCARD weft_err wf_adm_confirm(struct wf_adm *a, weft_time now, uint64_t ticket,
                                       const struct wf_adm_confirm *c,
                                       struct wf_adm_confirm_out *out);

/* The owner does not want this session (policy, memory): duplicates are then answered with nothing.
 */
void wf_adm_refuse(struct wf_adm *a, uint64_t ticket);

/* The same, where out can be sent: a SOLVE that may belong to a group gets a decoy, so that nobody
 * sees it was refused. Only kind, reply and reply_len are written. */
void wf_adm_decline(struct wf_adm *a, uint64_t ticket, struct wf_adm_result *out);

/* The client's first packet arrived: the kept CONFIRM is given up. */
void wf_adm_confirmed(struct wf_adm *a, uint64_t ticket);

/* Epochs, rotation of t_s, expiry of kept CONFIRMs, keys made ahead (one per tick, while below
 * pool_max). */
void wf_adm_tick(struct wf_adm *a, weft_time now);
weft_time wf_adm_deadline(const struct wf_adm *a);
void wf_adm_stats(const struct wf_adm *a, struct wf_adm_stats *out);

#endif
