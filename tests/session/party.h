/* SPDX-License-Identifier: Apache-2.0 */
/*
 * party.h - the handshake once more, as it looks to somebody who holds some of its secrets and not
 * the others: an end, a thief, an attacker in between. What a party cannot compute it takes for
 * zeros, and goes on; whatever opens all the same was not closed by what it lacks.
 *
 * A party may also follow a protocol that leaves something out. Two such parties agree with each
 * other, and an attacker who wins between them and not between ours shows that what was left out is
 * what stops him, and that the test could have failed.
 */
#ifndef WEFT_TESTS_SESSION_PARTY_H
#define WEFT_TESTS_SESSION_PARTY_H

#include "pair.h"

/* True: is left out. */
struct omit {
    /* of the chain; one_way: what a one-way client has in place of se, ss and ce */
    bool ee, es, se, ss, e2, ce, one_way;
    /* of the transcript */
    bool server_key;
    bool flights; /* HELLO, CHALLENGE and both clear parts */
    bool boxes;
    bool mode;
    bool client_key;
};

/* NULL: does not have it. e_c and e2 are ephemeral, ts transient, c and s durable. */
struct secrets {
    const uint8_t *e_c, *c, *ts, *s, *e2;
};

enum { BOX0 = 1, BOX1 = 2, BOX2 = 4, BOX3 = 8, BOXES_OF_SOLVE = 7 };

struct party {
    struct wf_aead *aead;
    struct omit omit;
    struct secrets has;
    /* Public keys, as this party sees them. */
    uint8_t server_key[32];
    uint8_t e_c[32], client_dh[32], ts[32], s[32], e2[32];
    weft_span hello, challenge;
    /* Read from the boxes that open; a guess before, and guesses are right. */
    uint8_t mode;
    uint8_t client_key[32];

    struct wf_schedule schedule;
    unsigned opened; /* BOX0 | ... */
    uint8_t plain[4][WF_SOLVE_MAX];
};

/* Everything that can be known without a secret of the handshake that p went through so far. */
static inline void party_init(struct party *t, const struct pair *p, struct secrets has)
{
    struct wf_challenge c;

    memset(t, 0, sizeof *t);
    t->aead = p->aead;
    t->has = has;
    t->hello = wf_span(p->hello, sizeof p->hello);
    t->challenge = wf_span(p->challenge, p->challenge_len);
    PAIR_MUST(wf_challenge_get(t->challenge, &c) == WEFT_OK);
    memcpy(t->ts, c.ts, 32);
    memcpy(t->s, c.server_dh, 32);
    memcpy(t->server_key, p->server_id.public_key, 32);
    memcpy(t->client_key, p->client_id.public_key, 32);
    memcpy(t->client_dh, p->client_id.client_public, 32);
    t->mode = p->one_way ? WF_MODE_ONE_WAY : WF_MODE_TWO_WAY;
}

/* --- the schedule --- */

/* The half of a and b that has a secret; both public keys are known to everybody. */
static inline struct wf_pair party_pair(const uint8_t *a, const uint8_t *b_public, const uint8_t *b,
                                        const uint8_t *a_public)
{
    return a != NULL ? (struct wf_pair){a, b_public} : (struct wf_pair){b, a_public};
}

static inline void party_dh(uint8_t out[32], struct wf_pair pair)
{
    if (pair.secret == NULL || wf_dh(out, pair.secret, pair.public_key) != WEFT_OK) {
        memset(out, 0, 32);
    }
}

static inline void party_chain(struct party *t, const char *label, bool omitted,
                               struct wf_pair pair)
{
    uint8_t shared[32];

    if (omitted)
        return;
    party_dh(shared, pair);
    wf_kdf_chain(t->schedule.ck, t->schedule.key, label, wf_span(shared, sizeof shared));
}

/* What stands in the chain for a client that shows no key. */
static inline void party_chain_nobody(struct party *t, const char *label)
{
    if (!t->omit.one_way) {
        wf_kdf_chain(t->schedule.ck, t->schedule.key, label, (weft_span){0});
    }
}

static inline void party_chain_ss(struct party *t)
{
    uint8_t shared[32], hashed[32];

    if (t->omit.ss)
        return;
    party_dh(shared, party_pair(t->has.c, t->s, t->has.s, t->client_dh));
    const weft_span parts[] = {wf_span(shared, 32), wf_span(t->ts, 32)};
    wf_hash(hashed, parts, 2);
    wf_kdf_chain(t->schedule.ck, t->schedule.key, "ss", wf_span(hashed, sizeof hashed));
}

static inline void party_identify(struct party *t)
{
    static const uint8_t nobody[32];
    bool one_way = t->mode == WF_MODE_ONE_WAY;

    if (!t->omit.client_key) {
        wf_schedule_mix(&t->schedule, wf_span(one_way ? nobody : t->client_key, 32));
    }
    if (one_way) {
        party_chain_nobody(t, "one-way");
        return;
    }
    party_chain(t, "se", t->omit.se, party_pair(t->has.c, t->ts, t->has.ts, t->client_dh));
    party_chain_ss(t);
}

static inline void party_reply(struct party *t)
{
    party_chain(t, "e2", t->omit.e2, party_pair(t->has.e_c, t->e2, t->has.e2, t->e_c));
    if (t->mode == WF_MODE_ONE_WAY) {
        party_chain_nobody(t, "one-way reply");
    } else {
        party_chain(t, "ce", t->omit.ce, party_pair(t->has.c, t->e2, t->has.e2, t->client_dh));
    }
}

/* All that stands between the box before and this one. */
static inline void party_advance(struct party *t, unsigned box)
{
    if (box == 0) {
        party_chain(t, "ee", t->omit.ee, party_pair(t->has.e_c, t->ts, t->has.ts, t->e_c));
    } else if (box == 1) {
        if (!t->omit.mode) {
            wf_schedule_mix(&t->schedule, wf_span(&t->mode, 1));
        }
        party_chain(t, "es", t->omit.es, party_pair(t->has.e_c, t->s, t->has.s, t->e_c));
    } else if (box == 2) {
        party_identify(t);
    } else {
        party_reply(t);
    }
}

static inline void party_start(struct party *t, weft_span clear)
{
    static const uint8_t zeros[WF_SOLVE_FIXED];
    weft_span nothing = {0};

    t->opened = 0;
    wf_schedule_start(&t->schedule, t->omit.server_key ? zeros : t->server_key,
                      t->omit.flights ? nothing : t->hello,
                      t->omit.flights ? nothing : t->challenge,
                      t->omit.flights ? wf_span(zeros, sizeof zeros) : clear);
}

/* --- boxes --- */

/* What a box says goes on being known: who is there, and in which mode. */
static inline void party_learn(struct party *t, unsigned box)
{
    t->opened |= 1u << box;
    if (box == 0) {
        t->mode = t->plain[0][0];
    } else if (box == 1 && t->mode == WF_MODE_TWO_WAY) {
        memcpy(t->client_key, t->plain[1], 32);
        if (wf_dh_public_of_sign(t->client_dh, t->client_key) != WEFT_OK) {
            memset(t->client_dh, 0, 32);
        }
    }
}

static inline void party_open(struct party *t, unsigned box, weft_span sealed)
{
    uint8_t copy[WF_SOLVE_MAX];
    struct wf_schedule s;

    party_advance(t, box);
    s = t->schedule;
    memcpy(copy, sealed.data, sealed.len);
    if (wf_schedule_open(&s, t->aead, wf_span(copy, sealed.len), t->plain[box])) {
        party_learn(t, box);
    }
    if (!t->omit.boxes) {
        wf_schedule_mix(&t->schedule, sealed);
    }
}

static inline void party_seal(struct party *t, unsigned box, weft_span plain, uint8_t *out)
{
    struct wf_schedule s;

    party_advance(t, box);
    s = t->schedule;
    wf_schedule_seal(&s, t->aead, plain, out);
    if (!t->omit.boxes) {
        t->schedule = s;
    }
}

/* Returns what opened. */
static inline unsigned party_read_solve(struct party *t, const uint8_t *data, size_t len)
{
    struct wf_solve s;

    PAIR_MUST(wf_solve_get(wf_span(data, len), &s) == WEFT_OK);
    memcpy(t->e_c, s.e_c, 32);
    party_start(t, s.clear);
    party_open(t, 0, s.box0);
    party_open(t, 1, s.box1);
    party_open(t, 2, s.box2);
    return t->opened;
}

static inline unsigned party_read_confirm(struct party *t, const uint8_t *data, size_t len)
{
    struct wf_confirm c;

    PAIR_MUST(wf_confirm_get(wf_span(data, len), &c) == WEFT_OK);
    memcpy(t->e2, c.e2, 32);
    if (!t->omit.flights) {
        wf_schedule_mix(&t->schedule, c.clear);
    }
    party_open(t, 3, c.box3);
    return t->opened;
}

/* --- flights of its own --- */

static inline struct wf_solve party_clear(struct party *t)
{
    struct wf_solve s = {0};
    struct wf_hello hello;
    struct wf_challenge challenge;

    PAIR_MUST(wf_hello_get(t->hello, &hello) == WEFT_OK);
    PAIR_MUST(wf_challenge_get(t->challenge, &challenge) == WEFT_OK);
    s.head = challenge.head;
    s.lists = hello.lists;
    memcpy(s.prefix, hello.prefix, sizeof s.prefix);
    memcpy(s.n_c, hello.n_c, sizeof s.n_c);
    memcpy(s.cookie, challenge.cookie, sizeof s.cookie);
    memcpy(s.e_c, t->e_c, sizeof s.e_c);
    return s;
}

static inline size_t party_body(struct party *t, uint8_t *out, size_t len)
{
    struct wf_solve_body body = pair_body();
    struct wf_writer w = wf_writer_of(out, len);
    struct wf_hello hello;
    struct wf_challenge challenge;

    PAIR_MUST(wf_hello_get(t->hello, &hello) == WEFT_OK);
    PAIR_MUST(wf_challenge_get(t->challenge, &challenge) == WEFT_OK);
    body.choice_count = (uint8_t)wf_lists_choose(hello.lists, challenge.lists, body.choices);
    wf_solve_body_put(&w, &body);
    wf_write_span(&w, body.frames);
    PAIR_MUST(wf_writer_ok(&w));
    return w.len;
}

/* A SOLVE by somebody who says that it is client_key. Without has.e_c, e_c is somebody else's.
 * Returns its length. */
static inline size_t party_write_solve(struct party *t, uint8_t *out)
{
    uint8_t plain[WF_SOLVE_MAX];

    if (t->has.e_c != NULL) {
        wf_dh_public(t->e_c, t->has.e_c);
    }
    struct wf_solve clear = party_clear(t);
    size_t len = wf_solve_put_clear(&clear, out, WF_SOLVE_MAX);
    party_start(t, wf_span(out, len));
    plain[0] = t->mode;
    memcpy(plain + 1, t->server_key, 32);
    party_seal(t, 0, wf_span(plain, 33), out + len);
    len += WF_BOX0_LEN;
    party_seal(t, 1, wf_span(t->client_key, 32), out + len);
    len += WF_BOX1_LEN;
    size_t body_len = party_body(t, plain, 200);
    party_seal(t, 2, wf_span(plain, body_len), out + len);
    len += body_len + WF_AEAD_TAG_LEN;
    stamp_solve(out, len);
    return len;
}

/* A CONFIRM by the holder of has.e2, to the SOLVE that it read. */
static inline size_t party_write_confirm(struct party *t, uint8_t *out)
{
    struct wf_confirm clear = {.random = {1, 2, 3}};
    struct wf_confirm_body body = {.params = wf_params_default};
    uint8_t plain[256];
    struct wf_writer w = wf_writer_of(plain, sizeof plain);

    PAIR_MUST(t->has.e2 != NULL);
    wf_dh_public(t->e2, t->has.e2);
    memcpy(clear.cid, pair_client_cid, sizeof clear.cid);
    memcpy(clear.e2, t->e2, sizeof clear.e2);
    memcpy(body.cid, pair_server_cid, sizeof body.cid);
    wf_confirm_body_put(&w, &body);
    size_t len = wf_confirm_put_clear(&clear, out, WF_SOLVE_MAX);
    if (!t->omit.flights) {
        wf_schedule_mix(&t->schedule, wf_span(out, len));
    }
    party_seal(t, 3, wf_span(plain, w.len), out + len);
    return len + w.len + WF_AEAD_TAG_LEN;
}

/* The same roots: what a session between both would be protected by. */
static inline bool party_agrees(const struct party *t, const struct wf_session_secrets *with)
{
    struct wf_session_secrets mine;

    wf_schedule_split(&t->schedule, &mine);
    return memcmp(&mine, with, sizeof mine) == 0;
}

#endif
