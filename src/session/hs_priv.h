/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs_priv.h - what the files of hs.h share among themselves. Nobody else includes it but tests.
 *
 * Memory   The whole of struct wf_hs is a secret and lives in a secret arena of its own.
 */
#ifndef WF_SESSION_HS_PRIV_H
#define WF_SESSION_HS_PRIV_H

#include "crypto/secret.h"
#include "session/hs.h"
#include "session/schedule.h"

#define WF_HS_SECOND_US ((weft_time)1000000)
#define WF_HS_INTERVAL_FIRST_US ((weft_time)300000)
/* HELLO and SOLVE go again after the first interval, then after twice as long, up to the eager most
 * for so many datagrams: where a third of them is lost, a handshake needs many tries within its 10
 * s. A server that is not there is asked less often after that. */
#define WF_HS_INTERVAL_EAGER_US ((weft_time)800000)
#define WF_HS_EAGER_MAX 16u
#define WF_HS_INTERVAL_MAX_US (5 * WF_HS_SECOND_US)
/* A cookie is given up this long before the server refuses it: SOLVE needs time to get there. */
#define WF_HS_COOKIE_MARGIN_US (1 * WF_HS_SECOND_US)
#define WF_HS_COOKIE_EPOCHS 4u   /* the one it was made in and three more */
#define WF_HS_CLOCK_SLACK_S 300u /* spec 1.2-5 */
/* SPEC 1.7-12: how long a SOLVE with work waits for CONFIRM, at least. */
#define WF_HS_OVERDUE_MIN_US ((weft_time)800000)
#define WF_HS_BID_LEAST_US ((weft_time)300000) /* spec 1.7-11 */

/* What an unsigned CHALLENGE may make a client try, per algorithm (spec 1.12-7). */
#define WF_HS_ASK_EFFORT_MAX (1u << 20)
#define WF_HS_ASK_PROGRAM_MAX (1u << 14)

enum wf_hs_ask_state {
    WF_HS_ASK_NEVER = 0, /* nobody to ask about, or no clock to judge the answer by */
    WF_HS_ASK_READY,
    WF_HS_ASK_WORKING,
    WF_HS_ASK_SENDING,
    WF_HS_ASK_OVER, /* answered */
};

/* One ASK beside the HELLO, which goes on. */
struct wf_hs_ask {
    uint8_t state; /* enum wf_hs_ask_state */
    struct wf_pin pin;
    struct wf_work work;
    uint64_t nonce;
    uint8_t bytes[WF_ASK_LEN];
    weft_time send_at, interval;
    unsigned sent;
};

#define WF_HS_ANEW_MAX 3u /* spec 1.13-8 */

struct wf_hs {
    struct wf_secret_arena *arena; /* whose only slot this is */
    const struct wf_rng *rng;
    struct wf_cids cids;
    struct wf_aead *aead;
    const struct wf_identity *identity; /* whose key is shown; NULL: one-way */
    const struct wf_identity *own;      /* the durable one; NULL: one-way */
    struct wf_identity derived;         /* for the server's owner; `identity` points here then */
    uint8_t server_key[32];
    bool is_limited;
    struct wf_limited_server server; /* with is_limited, of the invitation */
    struct wf_group group;           /* with is_limited */
    uint8_t lists_bytes[WF_LISTS_MAX];
    weft_span lists;
    uint64_t wall_ms;
    uint64_t effort_max;
    uint64_t work_time_us;
    uint64_t work_rate[WF_WORK_ALGS];
    unsigned attempt; /* handshakes begun before this one for the same session */
    weft_time started, give_up_at;

    uint8_t state; /* enum wf_hs_state; written by wf_hs_enter alone */
    weft_err error;
    bool was_false; /* a CHALLENGE came that no key we expect has signed */
    bool was_stale; /* one came whose not-after is past */
    bool was_true;  /* one verified */

    struct wf_hs_ask ask;

    uint8_t prefix[4];
    uint8_t n_c[WF_NONCE_LEN];
    uint8_t hello[WF_HELLO_LEN];
    uint8_t challenge_bytes[WF_CHALLENGE_MAX];
    size_t challenge_len;
    struct wf_challenge challenge; /* borrows from challenge_bytes */
    weft_time cookie_until;

    uint8_t another[WF_CHALLENGE_MAX]; /* that came in state SOLVE and verified */
    size_t another_len;                /* 0: none did */
    weft_time anew_at;                 /* it is acted on then */
    unsigned begun_anew;
    bool has_data; /* SOLVE carries frames */

    struct wf_solve_body body; /* its frames are gone once SOLVE is made */
    uint8_t e_c_secret[32];
    struct wf_schedule schedule; /* after box2 */
    struct wf_work work;
    uint64_t work_nonce;
    weft_time work_began;
    uint64_t worked_us; /* once it is over */
    bool is_judged;     /* the time that the work will take was held against what there is */
    weft_time overdue_at;
    uint8_t solve[WF_SOLVE_MAX];

    weft_time send_at, interval;
    unsigned sent; /* how often what is being sent was sent */
    bool was_taken;
    struct wf_hs_result result;
};

/* The only writer of hs->state. */
void wf_hs_enter(struct wf_hs *hs, enum wf_hs_state next);
void wf_hs_fail(struct wf_hs *hs, weft_err err);

/* HELLO with a fresh nonce, to be sent at once. */
void wf_hs_make_hello(struct wf_hs *hs, weft_time now);

void wf_hs_on_challenge(struct wf_hs *hs, weft_time now, weft_span datagram);
/* hs_ask.c: a CHALLENGE that answers our HELLO and does not verify; all but the first are ignored.
 */
void wf_hs_ask_about(struct wf_hs *hs, weft_time now, const struct wf_challenge *c);
void wf_hs_ask_work(struct wf_hs *hs, weft_time now, uint64_t tries);
/* Writes the ASK when it is due. */
bool wf_hs_ask_send(struct wf_hs *hs, weft_time now, uint8_t *buf, size_t *len);
weft_time wf_hs_ask_deadline(const struct wf_hs *hs);
void wf_hs_on_statement(struct wf_hs *hs, weft_time now, weft_span datagram);

/* hs.c: what must be true of a key that is called. */
WEFT_NODISCARD weft_err wf_hs_check_key(const uint8_t key[32], const struct wf_identity *own);

/* Enters SOLVE. */
void wf_hs_send_solve(struct wf_hs *hs, weft_time now);

/* --- hs_work.c --- */

/* What we bid for this effort; false: it costs more time than there is (SPEC 1.9-1). */
bool wf_hs_choose_bid(struct wf_hs *hs, const struct wf_challenge_head *h);
void wf_hs_begin_work(struct wf_hs *hs, weft_time now);
void wf_hs_end_work(struct wf_hs *hs, weft_time now);
weft_time wf_hs_work_until(const struct wf_hs *hs);

/* What the next attempt has. */
uint64_t wf_hs_time_left(const struct wf_hs *hs, weft_time now);
uint64_t wf_hs_work_left(const struct wf_hs *hs, weft_time now);

/* False when it is to be dropped. */
bool wf_hs_verify(struct wf_hs *hs, weft_time now, weft_span datagram,
                  const struct wf_challenge *c);
/* Takes a CHALLENGE that was verified. False: the handshake has failed. */
bool wf_hs_answer(struct wf_hs *hs, weft_time now, weft_span datagram);
/* Enters WORKING, and SOLVE when there is no work. */
void wf_hs_make_solve(struct wf_hs *hs, weft_time now);
/* hs_anew.c: a CHALLENGE in state SOLVE, and what it leads to when anew_at has come. */
void wf_hs_on_another(struct wf_hs *hs, weft_time now, weft_span datagram);
void wf_hs_anew(struct wf_hs *hs, weft_time now);
void wf_hs_on_confirm(struct wf_hs *hs, weft_time now, weft_span datagram);

/* The interval after this one, when so many datagrams of the kind have gone out. */
weft_time wf_hs_interval_after(weft_time interval, unsigned sent);

#endif
