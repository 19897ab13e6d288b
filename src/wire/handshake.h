/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.h - codecs of HELLO, CHALLENGE, SOLVE, CONFIRM and HINT (docs/spec/1-handshake.md).
 * Pure: a get turns bytes into a struct or refuses and changes nothing; a put fills a buffer. What
 * the values mean is decided elsewhere.
 *
 * Memory   Spans in the structs borrow from the input.
 */
#ifndef WF_WIRE_HANDSHAKE_H
#define WF_WIRE_HANDSHAKE_H

#include "base/reader.h"
#include "base/writer.h"

#define WF_TYPE_HELLO 0x01
#define WF_TYPE_CHALLENGE 0x02
#define WF_TYPE_SOLVE 0x03
#define WF_TYPE_CONFIRM 0x04
#define WF_TYPE_HINT 0x05
#define WF_TYPE_ASK 0x06
#define WF_TYPE_STATEMENT 0x07

#define WF_VERSION 1
#define WF_SUITE 1
#define WF_PROTOCOL_V1 1

#define WF_HELLO_LEN 256
#define WF_CHALLENGE_MAX 256
#define WF_CHALLENGE_FIXED 197
#define WF_CHALLENGE_HEAD_OFFSET 1
#define WF_CHALLENGE_HEAD_LEN 27
#define WF_CHALLENGE_COOKIE_OFFSET 164
#define WF_CHALLENGE_TS_OFFSET 28
#define WF_CHALLENGE_ECHO_OFFSET 180
#define WF_CHALLENGE_CHECK_OFFSET 188
#define WF_CHALLENGE_LISTS_OFFSET 196 /* their length, then they */
#define WF_SOLVE_MIN 240
#define WF_SOLVE_MAX 1200
#define WF_SOLVE_FIXED 109
#define WF_CONFIRM_FIXED 57
#define WF_CONFIRM_MIN (WF_CONFIRM_FIXED + 8 + 1 + 16)
#define WF_HINT_LEN 17
#define WF_ASK_LEN 256
#define WF_ASK_FIXED 77
#define WF_LISTS_MAX 59
#define WF_ECHO_LEN 8
#define WF_CHECK_LEN 8
#define WF_BOX0_LEN 49
#define WF_BOX1_LEN 48
#define WF_CID_LEN 8
#define WF_NONCE_LEN 16
#define WF_COOKIE_LEN 16
#define WF_EPOCH_MS 30000
#define WF_EFFORT_LOG2_MAX 32

enum wf_mode { WF_MODE_TWO_WAY = 1, WF_MODE_ONE_WAY = 2 };
enum wf_work_alg { WF_WORK_NONE = 0, WF_WORK_BLAKE2B = 1, WF_WORK_PROGRAM = 2, WF_WORK_ALGS };

struct wf_hello {
    uint8_t version, suite;
    uint8_t prefix[4];
    uint8_t n_c[WF_NONCE_LEN];
    weft_span lists; /* well-formed */
};

/* The part of CHALLENGE that SOLVE repeats (bytes 1..27 of CHALLENGE). */
struct wf_challenge_head {
    uint8_t version, suite, shard;
    uint64_t instance;
    uint32_t epoch;
    uint16_t offset_ms;
    uint8_t work_alg;
    uint8_t ceiling_log2;
    uint32_t effort;
    uint32_t ts_id;
};

struct wf_challenge {
    struct wf_challenge_head head;
    uint8_t ts[32];
    uint64_t not_after_s;
    uint8_t server_dh[32]; /* S */
    uint8_t signature[64];
    uint8_t cookie[WF_COOKIE_LEN];
    uint8_t echo[WF_ECHO_LEN];   /* the first bytes of HELLO's n_c */
    uint8_t check[WF_CHECK_LEN]; /* session/challenge.h */
    weft_span lists;
};

struct wf_solve {
    struct wf_challenge_head head;
    uint8_t prefix[4];
    uint8_t n_c[WF_NONCE_LEN];
    uint8_t cookie[WF_COOKIE_LEN];
    uint8_t e_c[32];
    uint32_t bid;
    uint64_t work_nonce;
    weft_span lists;
    weft_span clear; /* get only: the clear part as it stood on the wire */
    weft_span box0, box1, box2;
};

struct wf_confirm {
    uint8_t cid[WF_CID_LEN];
    uint8_t e2[32];
    uint8_t random[16];
    weft_span clear; /* get only */
    weft_span box3;
};

struct wf_ask {
    struct wf_challenge_head head;
    uint8_t prefix[4];
    uint8_t n_c[WF_NONCE_LEN];
    uint8_t cookie[WF_COOKIE_LEN];
    uint32_t bid;
    uint64_t work_nonce;
    weft_span lists;
};

weft_err wf_ask_get(weft_span in, struct wf_ask *out);
weft_err wf_hello_get(weft_span in, struct wf_hello *out);
weft_err wf_challenge_get(weft_span in, struct wf_challenge *out);
weft_err wf_solve_get(weft_span in, struct wf_solve *out);
weft_err wf_confirm_get(weft_span in, struct wf_confirm *out);
weft_err wf_hint_get(weft_span in, uint8_t tag[16]);

/* Its 27 bytes as they stand in CHALLENGE and SOLVE; the cookie covers them too. */
void wf_challenge_head_put(struct wf_writer *w, const struct wf_challenge_head *h);
void wf_challenge_head_store(uint8_t out[WF_CHALLENGE_HEAD_LEN], const struct wf_challenge_head *h);

/* Each returns the bytes written, 0 when cap is too small. HELLO is always 256 bytes. */
size_t wf_hello_put(const struct wf_hello *h, uint8_t *buf, size_t cap);
size_t wf_challenge_put(const struct wf_challenge *c, uint8_t *buf, size_t cap);
/* The clear part alone (109 + n bytes), to which the caller appends the boxes as it seals them. */
size_t wf_solve_put_clear(const struct wf_solve *s, uint8_t *buf, size_t cap);
size_t wf_confirm_put_clear(const struct wf_confirm *c, uint8_t *buf, size_t cap);
/* Always 256 bytes. */
size_t wf_ask_put(const struct wf_ask *a, uint8_t *buf, size_t cap);
size_t wf_hint_put(const uint8_t tag[16], uint8_t *buf, size_t cap);

/* Offsets inside SOLVE's clear part of what is known only after the boxes are sealed. */
#define WF_SOLVE_BID_OFFSET 96
#define WF_SOLVE_WORK_OFFSET 100
#define WF_ASK_WORK_OFFSET 68

/* Parameters of a session (spec 1.3). */
struct wf_params {
    uint64_t node_credit;
    uint64_t message_credit;
    uint64_t message_count;
    uint64_t ack_delay_us;
    uint64_t idle_ms;
    uint64_t datagram_max;
};

extern const struct wf_params wf_params_default; /* the defaults of the table in the spec */

void wf_params_put(struct wf_writer *w, const struct wf_params *p);
/* Starts from the defaults; fails the reader on a broken rule. */
void wf_params_get(struct wf_reader *r, struct wf_params *out);

/* What box2 and box3 hold. */
#define WF_GROUPS_MAX 8
struct wf_solve_body {
    uint8_t cid[WF_CID_LEN];
    uint64_t wall_ms;
    uint8_t choice_count;
    uint64_t choices[WF_GROUPS_MAX];
    struct wf_params params;
    weft_span frames;
};
struct wf_confirm_body {
    uint8_t cid[WF_CID_LEN];
    struct wf_params params;
    weft_span frames;
};
weft_err wf_solve_body_get(weft_span in, struct wf_solve_body *out);
weft_err wf_confirm_body_get(weft_span in, struct wf_confirm_body *out);
/* Writes all but the frames, which the caller appends. */
void wf_solve_body_put(struct wf_writer *w, const struct wf_solve_body *b);
void wf_confirm_body_put(struct wf_writer *w, const struct wf_confirm_body *b);

/* Protocol lists (spec 1.1): well-formed? */
bool wf_lists_valid(weft_span lists);
/* For each of the client's groups the choice, 0 where there is none. Returns the number of groups.
 * Both must be valid. */
size_t wf_lists_choose(weft_span client, weft_span server, uint64_t choices[WF_GROUPS_MAX]);

#endif
