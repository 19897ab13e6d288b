/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_priv.h - what the files of adm.h share among themselves. Nobody else includes it but tests.
 *
 * Everything that a stranger can make us keep is allocated in wf_adm_new: the table of solved
 * cookies, the slots of accepted SOLVEs, the keys made ahead. Only the CONFIRMs of admitted clients
 * are allocated later, within a cap.
 */
#ifndef WF_SESSION_ADM_PRIV_H
#define WF_SESSION_ADM_PRIV_H

#include "base/list.h"
#include "crypto/secret.h"
#include "session/adm.h"
#include "session/limited.h"
#include "session/prefixes.h"
#include "session/price.h"
#include "session/queue.h"
#include "wire/statement.h"

#define WF_ADM_SECOND_US ((weft_time)1000000)
#define WF_ADM_EPOCH_US ((weft_time)WF_EPOCH_MS * 1000)
#define WF_ADM_EPOCHS 4u /* the present one and the three before it */
#define WF_ADM_TS_LIFE_US (120 * WF_ADM_SECOND_US)
#define WF_ADM_TS_GRACE_US (120 * WF_ADM_SECOND_US)
#define WF_ADM_TS_LIVES 2u
#define WF_ADM_TRIES 4u         /* different boxes tried per cookie */
#define WF_ADM_PENDING_MAX 256u /* accepted SOLVEs that wait for wf_adm_confirm */
/* Answers to duplicates of one SOLVE: so many at once and one in so long. Its client asks every 300
 * ms. */
#define WF_ADM_RESEND_BURST 8u
#define WF_ADM_RESEND_EVERY_US ((weft_time)10000)
#define WF_ADM_KEEP_US (10 * WF_ADM_SECOND_US) /* a CONFIRM, and an accepted SOLVE, at most */
#define WF_ADM_POOL_STEP_US ((weft_time)1000)  /* between two keys made ahead by an idle node */
#define WF_ADM_TABLE_DEFAULT ((size_t)1 << 19) /* 4,000 a second, for four epochs */
#define WF_ADM_TABLE_MAX ((size_t)1 << 28)
#define WF_ADM_KEPT_DEFAULT ((size_t)8 << 20)
#define WF_ADM_POOL_DEFAULT ((size_t)64)
#define WF_ADM_POOL_MAX ((size_t)65536)
#define WF_ADM_QUEUE_DEFAULT ((size_t)2048)
#define WF_ADM_QUEUE_MAX ((size_t)65536)
#define WF_ADM_GROUPS_MAX 64u /* SPEC 1.10-5 */

/* --- solved cookies (adm_table.c) --- */

enum wf_adm_entry_state {
    WF_ADM_ENTRY_FREE = 0,
    WF_ADM_ENTRY_TRIED,   /* boxes were tried, none opened yet */
    WF_ADM_ENTRY_PENDING, /* accepted; its secrets wait for CONFIRM */
    WF_ADM_ENTRY_KEPT,    /* CONFIRM was sent and is kept for duplicates */
    WF_ADM_ENTRY_DONE,    /* made its session, or was refused: duplicates get nothing */
    WF_ADM_ENTRY_STATES,
};

struct wf_adm_entry {
    uint8_t cookie[WF_COOKIE_LEN];
    uint32_t boxes[WF_ADM_TRIES]; /* halves of keyed hashes of the boxes that were tried */
    union {
        struct wf_adm_pending *pending; /* PENDING */
        struct wf_adm_kept *kept;       /* KEPT */
    } of;
    uint32_t bucket_next; /* index + 1, 0: none; the list of free ones uses it too */
    uint32_t epoch_next;
    uint32_t epoch;  /* until when it lives; the list it is in may be an older one's */
    uint32_t serial; /* of its ticket, from the moment it is accepted */
    uint8_t state;   /* enum wf_adm_entry_state; written by wf_adm_enter alone */
    uint8_t tries;
};

struct wf_adm_table {
    struct wf_adm_entry *entries;
    uint32_t *buckets;
    size_t max;
    size_t bucket_count; /* a power of two */
    size_t used;
    size_t touched;      /* entries from here on were never used */
    uint32_t first_free; /* index + 1 */
    uint32_t by_epoch[WF_ADM_EPOCHS];
    uint32_t dying[WF_ADM_EPOCHS]; /* lists of dead epochs, not swept to their end yet */
    size_t hand;                   /* where an entry to be given up is looked for next */
};

/* What is left of a handshake between ACCEPT and CONFIRM. A secret, in its arena. */
struct wf_adm_pending {
    struct wf_link link; /* in a->pending, oldest first */
    weft_time until;
    uint32_t entry; /* index */
    size_t solve_len;
    uint8_t cid[WF_CID_LEN];
    uint8_t e_c[32];
    uint8_t client_dh[32]; /* C */
    bool one_way;
    bool is_limited; /* SOLVE had prefix 0 and we have groups */
    uint32_t epoch;  /* of its cookie */
    uint8_t solve_hash[32];
    struct wf_schedule schedule; /* after box2 */
};

struct wf_adm_kept {
    struct wf_link link; /* in a->kept, oldest first */
    weft_time until;
    weft_time full_at; /* when all WF_ADM_RESEND_BURST answers to duplicates may go again */
    uint32_t entry;
    size_t len;
    uint8_t bytes[];
};

/* --- load (adm_load.c) --- */

/* What the queue carries: a SOLVE whose cookie and work are good and whose curves are not computed
 * yet. */
struct wf_adm_waiting {
    struct wf_adm_path path;
    size_t len;
    uint8_t bytes[WF_SOLVE_MAX];
};

/* --- secrets --- */

struct wf_adm_secrets {
    uint8_t cookie[WF_ADM_EPOCHS][16]; /* by epoch % 4 */
    uint8_t ts[WF_ADM_TS_LIVES][32];
    uint8_t table_key[16];
};

struct wf_adm_pair {
    uint8_t secret[32], public_key[32];
};

/* What limited circulation needs (adm_limited.c). */
struct wf_adm_limited {
    struct wf_group groups[WF_ADM_GROUPS_MAX]; /* unused ones are random */
    uint8_t decoy_key[WF_ADM_EPOCHS][32];      /* by epoch % 4 */
    struct wf_identity throwaway;              /* used with only_groups */
};

/* A transient key and the CHALLENGE made with it, but for epoch, offset and cookie. */
struct wf_adm_ts {
    bool is_live;
    weft_time until; /* erased then; of the present one: replaced then */
    struct wf_challenge challenge;
    uint8_t
        bytes[WF_CHALLENGE_MAX]; /* of it; what changes from client to client is put over them */
    size_t len;
    uint8_t digest[WF_CHECK_LEN]; /* of them, for the check */
};

struct wf_adm {
    struct wf_mem *mem;
    const struct wf_rng *rng;
    struct wf_aead *aead;
    const struct wf_identity *identity;
    const struct wf_identity *shown; /* in CHALLENGE: identity, or a throwaway one */
    uint8_t lists_bytes[WF_LISTS_MAX];
    weft_span lists;
    uint32_t effort;
    uint8_t work_alg;
    uint8_t ceiling_log2;
    uint8_t statement[WF_STATEMENT_MAX]; /* of the owner about our key */
    size_t statement_len;                /* 0: there is none */
    uint64_t wall_ms;                    /* at `started`; 0: unknown */
    weft_time started;

    uint64_t instance;
    uint8_t shard, shard_count;
    uint32_t epoch;
    weft_time epoch_began;
    struct wf_adm_ts ts[WF_ADM_TS_LIVES];
    unsigned ts_now; /* index of the present one */
    uint32_t ts_last_id;

    struct wf_secret_arena *secret_arena;
    struct wf_adm_secrets *secrets;

    struct wf_secret_arena *limited_arena;
    struct wf_adm_limited *limited; /* NULL: variant 0 alone */
    size_t group_count;
    bool only_groups;
    uint8_t (*decoys)[32]; /* e2 of the decoys, by entry; zeros: none was needed yet */

    struct wf_secret_arena *pool_arena;
    struct wf_adm_pair **pool; /* keys made ahead, a stack */
    size_t pool_count, pool_max;
    weft_time pool_next;

    struct wf_queue queue;
    struct wf_price price;
    struct wf_prefixes prefixes;
    struct wf_adm_table table;
    uint32_t serial;
    struct wf_secret_arena *pending_arena;
    struct wf_list pending;
    struct wf_list kept;
    size_t kept_bytes, kept_max;

    struct wf_adm_stats stats;
};

/* --- adm_cookie.c --- */

/* What the cookie covers, but for the secret. */
struct wf_adm_cookie_input {
    const struct wf_challenge_head *head;
    const uint8_t *prefix; /* 4 */
    const uint8_t *n_c;    /* 16 */
    const struct wf_addr *from;
    weft_span lists;
};
void wf_adm_cookie(const struct wf_adm *a, uint8_t cookie[WF_COOKIE_LEN],
                   const struct wf_adm_cookie_input *in);

bool wf_adm_epoch_lives(const struct wf_adm *a, uint32_t epoch);

/* --- adm_ask.c --- */

WEFT_NODISCARD weft_err wf_adm_hold_statement(struct wf_adm *a, weft_span bytes);
void wf_adm_ask(struct wf_adm *a, weft_span datagram, struct wf_adm_result *out);

/* --- adm_rotate.c --- */

/* Draws the secrets of a new instance; the first t_s. */
void wf_adm_rotate_init(struct wf_adm *a, weft_time now);

/* Brings the epoch up to now, kills what is too old. Cheap when nothing is due; no curves. */
void wf_adm_rotate_epoch(struct wf_adm *a, weft_time now);

/* Replaces t_s and erases the one before, when due. */
void wf_adm_rotate_ts(struct wf_adm *a, weft_time now);
weft_time wf_adm_rotate_deadline(const struct wf_adm *a);

/* The index of the t_s with this id that still lives, or WF_ADM_TS_LIVES. */
unsigned wf_adm_ts_find(const struct wf_adm *a, uint32_t id, weft_time now);

/* Makes one key ahead when there is room. */
void wf_adm_pool_fill(struct wf_adm *a, weft_time now);

/* Signs the CHALLENGEs again, with a->shown. */
void wf_adm_show_again(struct wf_adm *a);

/* A fresh pair, as the pool has them. The caller wipes it. */
void wf_adm_pair_new(const struct wf_adm *a, struct wf_adm_pair *out);

/* Moves a fresh pair to *out; the pool's copy is wiped. */
void wf_adm_pool_take(struct wf_adm *a, struct wf_adm_pair *out);

/* --- adm_table.c --- */

WEFT_NODISCARD weft_err wf_adm_table_init(struct wf_adm *a, size_t max);
void wf_adm_table_deinit(struct wf_adm *a);

/* The only writer of entry->state. */
void wf_adm_enter(struct wf_adm_entry *e, enum wf_adm_entry_state next);
struct wf_adm_entry *wf_adm_table_find(struct wf_adm *a, const uint8_t cookie[WF_COOKIE_LEN]);

/* A new entry in state TRIED; NULL when the table is full. One that opened nothing may go for it.
 */
struct wf_adm_entry *wf_adm_table_add(struct wf_adm *a, const uint8_t cookie[WF_COOKIE_LEN],
                                      uint32_t epoch);

/* Empties the slot of a dead epoch, from which on `epoch` uses it. What is pending lives on. A long
 * list is left for wf_adm_table_sweep. */
void wf_adm_table_expire(struct wf_adm *a, uint32_t epoch);
bool wf_adm_table_is_dying(const struct wf_adm *a);

/* Removes some entries of dead epochs: about half a millisecond's worth. */
void wf_adm_table_sweep(struct wf_adm *a);

/* By what boxes are told apart. */
uint64_t wf_adm_mark(const struct wf_adm *a, const uint8_t boxes_hash[32]);

bool wf_adm_table_has_tried(const struct wf_adm_entry *e, uint64_t mark);
/* These boxes may be tried: they were not before, nor WF_ADM_TRIES others. */
bool wf_adm_table_may_try(const struct wf_adm_entry *e, uint64_t mark);

/* Notes one more try; false when it may not be. */
bool wf_adm_table_try(struct wf_adm_entry *e, uint64_t mark);

uint64_t wf_adm_ticket(const struct wf_adm *a, const struct wf_adm_entry *e);
struct wf_adm_entry *wf_adm_ticket_find(const struct wf_adm *a, uint64_t ticket);

/* --- adm_load.c --- */

WEFT_NODISCARD weft_err wf_adm_load_init(struct wf_adm *a, size_t queue_max, weft_time now);
void wf_adm_load_deinit(struct wf_adm *a);

/* The effort that CHALLENGE asks of this address. */
uint32_t wf_adm_asked(struct wf_adm *a, weft_time now, const struct wf_addr *from);

struct wf_adm_offer {
    uint32_t paid;
    weft_time age_us; /* of its CHALLENGE */
};

/* Under overload, that a SOLVE pays enough to be looked at, and is not of old. */
bool wf_adm_takes(struct wf_adm *a, weft_time now, const struct wf_addr *from,
                  const struct wf_adm_offer *offer);

/* Curves were computed for an address that its cookie has proved. */
void wf_adm_charge(struct wf_adm *a, weft_time now, const struct wf_addr *from, uint32_t cost_us);
void wf_adm_load_tick(struct wf_adm *a, weft_time now);
weft_time wf_adm_load_deadline(const struct wf_adm *a);

/* --- adm_keep.c --- */

/* Keeps a CONFIRM for duplicates: the oldest ones go when room is short, and without memory it is
 * not kept. The entry moves on from PENDING. */
void wf_adm_keep(struct wf_adm *a, weft_time now, struct wf_adm_entry *e, weft_span confirm);

/* Gives up what the entry holds: its pending secrets or its kept CONFIRM. */
void wf_adm_give_up(struct wf_adm *a, struct wf_adm_entry *e);
void wf_adm_keep_expire(struct wf_adm *a, weft_time now);
weft_time wf_adm_keep_deadline(const struct wf_adm *a);
void wf_adm_keep_deinit(struct wf_adm *a);

/* --- adm_limited.c --- */

void wf_adm_limited_deinit(struct wf_adm *a);

/* New secrets for decoys of an epoch that begins. */
void wf_adm_limited_epoch(struct wf_adm *a, uint32_t epoch);

/* This SOLVE is treated as one that may belong to a group. */
bool wf_adm_is_limited(const struct wf_adm *a, const struct wf_solve *s);

/* Compares box0 with that of every group, in a time that tells nothing. *found: its chain alone;
 * wipe it. */
bool wf_adm_group_find(const struct wf_adm *a, const struct wf_schedule *s, weft_span box0,
                       struct wf_group *found, uint8_t *index);

/* Curve operations: X25519 with a point, maps of an Ed25519 key, public keys made. */
struct wf_adm_curves {
    unsigned dh, map, base;
};

/* What every SOLVE that may belong to a group costs, until CONFIRM is made and in all. */
#define WF_ADM_CURVES_ACCEPT ((struct wf_adm_curves){4, 1, 0})
#define WF_ADM_CURVES_ALL ((struct wf_adm_curves){6, 1, 1})

void wf_adm_spend(const struct wf_adm *a, struct wf_adm_curves left);

/* What a decoy is made from. */
struct wf_adm_decoy {
    uint32_t epoch; /* of SOLVE's cookie */
    uint8_t solve_hash[32];
    size_t len; /* of SOLVE */
};
void wf_adm_decoy(struct wf_adm *a, const struct wf_adm_entry *e, const struct wf_adm_decoy *d,
                  struct wf_adm_result *out);

/* Sees to it that the entry has an e2 for decoys; how many curve operations that took. */
unsigned wf_adm_decoy_need(const struct wf_adm *a, const struct wf_adm_entry *e);
void wf_adm_decoy_set(const struct wf_adm *a, const struct wf_adm_entry *e, const uint8_t e2[32]);
void wf_adm_decoy_forget(const struct wf_adm *a, const struct wf_adm_entry *e);

/* --- adm_shard.c --- */

/* Answers with a CHALLENGE, which is never longer than a HELLO. */
void wf_adm_challenge(struct wf_adm *a, weft_time now, const struct wf_hello *h,
                      struct wf_adm_result *out);

/* What this head came back in is another shard's. */
bool wf_adm_is_elsewhere(const struct wf_adm *a, const struct wf_challenge_head *h);

/* False when somebody else made this SOLVE's cookie, or too long ago: *out says what is to be done,
 * and it is counted. len: of the datagram. */
bool wf_adm_shard_takes(struct wf_adm *a, weft_time now, const struct wf_solve *s, size_t len,
                        struct wf_adm_result *out);

/* --- adm_solve.c --- */

/* What costs no curves; a SOLVE that passes is put into the work queue. */
void wf_adm_solve(struct wf_adm *a, weft_time now, weft_span datagram, struct wf_adm_result *out);

#endif
