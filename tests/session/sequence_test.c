/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequence_test.c - every sequence of messages and calls up to a small length, against both state
 * machines: no crash, no state that the written table does not allow, no second session.
 */
#include "test.h"

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    p->adm_config.table_max = 4;
    p->adm_config.effort = 2;
    p->hs_config.timeout_us = 900 * PAIR_SECOND;
}

/* Both ends as new; the identities stay, since making them is the dearest part. */
static void restart(struct pair *p, bool one_way)
{
    p->now = PAIR_START;
    p->confirm_len = 0;
    pair_server(p);
    pair_client(p, one_way);
}

/* --- the client --- */

enum client_letter {
    C_SEND,
    C_CHALLENGE,
    C_CHALLENGE_FORGED,
    C_SOLVE,
    C_WORK,
    C_CONFIRM,
    C_CONFIRM_FORGED,
    C_OLD_COOKIE,
    C_TIMEOUT,
    C_LETTERS,
};

/* What may follow what, written down once more. */
static const uint8_t client_steps[WF_HS_STATES] = {
    [WF_HS_HELLO] = 1u << WF_HS_NEED_DATA | 1u << WF_HS_FAILED,
    [WF_HS_NEED_DATA] = 1u << WF_HS_WORKING | 1u << WF_HS_FAILED,
    [WF_HS_WORKING] = 1u << WF_HS_SOLVE | 1u << WF_HS_FAILED,
    [WF_HS_SOLVE] = 1u << WF_HS_DONE | 1u << WF_HS_FAILED,
};

/* The only letter (or two) that moves a state on. */
static bool may_move(enum wf_hs_state s, enum client_letter c)
{
    return c == C_TIMEOUT || (s == WF_HS_HELLO && c == C_CHALLENGE) ||
           (s == WF_HS_NEED_DATA && c == C_SOLVE) || (s == WF_HS_WORKING && c == C_WORK) ||
           (s == WF_HS_SOLVE && (c == C_CONFIRM || c == C_OLD_COOKIE));
}

static void answer_challenge(struct pair *p, uint8_t flipped)
{
    memcpy(p->hello, p->hs->hello, sizeof p->hello);
    pair_get_challenge(p);
    p->challenge[150] ^= flipped; /* in the signature */
    pair_to_client(p, p->challenge, p->challenge_len);
}

/* CONFIRM as the server gives it; garbage before there is a SOLVE. */
static void answer_confirm(struct pair *p, uint8_t flipped)
{
    enum wf_adm_kind kind = pair_to_server(p, p->hs->solve, sizeof p->hs->solve);

    if (kind == WF_ADM_ACCEPT) {
        CHECK_OK(pair_make_confirm(p));
    } else if (kind == WF_ADM_REPLY) {
        memcpy(p->confirm, p->result.reply, p->result.reply_len);
        p->confirm_len = p->result.reply_len;
    }
    uint8_t copy[WF_SOLVE_MAX];
    size_t len = p->confirm_len > 0 ? p->confirm_len : 200;
    memcpy(copy, p->confirm, len);
    copy[0] = WF_TYPE_CONFIRM;
    copy[len - 1] ^= flipped;
    pair_to_client(p, copy, len);
}

static void client_step(struct pair *p, enum client_letter c)
{
    uint8_t buf[WF_SOLVE_MAX];
    struct wf_solve_body body = pair_body();
    enum wf_hs_state before = wf_hs_state(p->hs);
    size_t len = 0;

    switch (c) {
    case C_SEND:
        wf_hs_send(p->hs, p->now, buf, sizeof buf, &len);
        break;
    case C_CHALLENGE:
    case C_CHALLENGE_FORGED:
        answer_challenge(p, c == C_CHALLENGE_FORGED);
        break;
    case C_SOLVE:
        CHECK_EQ(wf_hs_solve(p->hs, p->now, &body),
                 before == WF_HS_NEED_DATA ? WEFT_OK : WEFT_ERR_STATE);
        break;
    case C_WORK:
        wf_hs_work(p->hs, p->now, 1000);
        break;
    case C_CONFIRM:
    case C_CONFIRM_FORGED:
        answer_confirm(p, c == C_CONFIRM_FORGED);
        break;
    case C_OLD_COOKIE:
        p->now += 125 * PAIR_SECOND;
        wf_hs_tick(p->hs, p->now);
        break;
    case C_TIMEOUT:
        p->now += 1000 * PAIR_SECOND;
        wf_hs_tick(p->hs, p->now);
        break;
    case C_LETTERS:
        break;
    }
}

static void check_client_step(struct pair *p, enum client_letter c)
{
    enum wf_hs_state before = wf_hs_state(p->hs);

    client_step(p, c);
    enum wf_hs_state after = wf_hs_state(p->hs);
    CHECK(after == before || (client_steps[before] >> after & 1u) != 0);
    CHECK(after == before || may_move(before, c));
    CHECK_EQ(after == WF_HS_FAILED, wf_hs_error(p->hs) != WEFT_OK);
    weft_time at = wf_hs_deadline(p->hs);
    CHECK_EQ(at == WEFT_TIME_NEVER, after == WF_HS_DONE || after == WF_HS_FAILED);
}

/* The n-th sequence of this many letters, after a handshake that went on as far as `warm`. */
static void run_client(struct pair *p, size_t n, unsigned length, unsigned warm)
{
    static const enum client_letter good[] = {C_SEND, C_CHALLENGE, C_SOLVE, C_WORK, C_SEND};

    restart(p, n % 2 == 0);
    for (unsigned i = 0; i < warm; i++)
        check_client_step(p, good[i]);
    test_note("client sequence %zu of %u letters after %u", n, length, warm);
    for (unsigned i = 0; i < length; i++) {
        check_client_step(p, (enum client_letter)(n % C_LETTERS));
        n /= C_LETTERS;
    }
}

TEST(a_client_survives_every_sequence_of_three_letters_from_each_state)
{
    struct pair p;

    start(&p);
    for (unsigned warm = 0; warm <= 5; warm++) {
        for (size_t n = 0; n < C_LETTERS * C_LETTERS * C_LETTERS; n++)
            run_client(&p, n, 3, warm);
    }
    pair_free(&p);
}

/* --- the server --- */

enum server_letter {
    S_HELLO,
    S_SOLVE,
    S_SOLVE_BAD,
    S_CONFIRM,
    S_REFUSE,
    S_CONFIRMED,
    S_TEN_SECONDS,
    S_EPOCH_DIES,
    S_LETTERS,
};

/* One cookie's fate, as the spec tells it. */
struct fate {
    uint64_t ticket;
    bool accepted, pending, kept, dead;
    unsigned bad;
};

static enum wf_adm_kind expected(const struct fate *f)
{
    if (f->dead)
        return WF_ADM_REPLY; /* a CHALLENGE: SPEC 1.13-3 */
    if (f->accepted)
        return f->kept ? WF_ADM_REPLY : WF_ADM_DROP;
    return f->bad < 4 ? WF_ADM_ACCEPT : WF_ADM_DROP;
}

static void send_good(struct pair *p, struct fate *f)
{
    enum wf_adm_kind want = expected(f);

    CHECK_EQ(pair_to_server(p, p->solve, p->solve_len), want);
    if (want == WF_ADM_ACCEPT) {
        f->ticket = p->result.ticket;
        f->accepted = true;
        f->pending = true;
    }
}

/* Another box each time, with its own work. */
static void send_bad(struct pair *p, struct fate *f)
{
    struct wf_work work = p->hs->work;
    uint8_t out[WF_SOLVE_MAX];
    size_t clear_len = WF_SOLVE_FIXED + sizeof pair_lists;
    weft_span boxes = wf_span(out + clear_len, sizeof out - clear_len);
    uint64_t nonce = 0;

    memcpy(out, p->solve, sizeof out);
    out[clear_len] ^= (uint8_t)(++f->bad);
    wf_hash(work.boxes_hash, &boxes, 1);
    CHECK(wf_work_solve(&work, &nonce, UINT64_MAX));
    wf_store_u64(out + WF_SOLVE_WORK_OFFSET, nonce);
    stamp_solve(out, sizeof out);
    bool gets_confirm = !f->dead && f->accepted && f->kept;
    CHECK_EQ(pair_to_server(p, out, sizeof out),
             gets_confirm || f->dead ? WF_ADM_REPLY : WF_ADM_DROP);
    if (f->accepted || f->dead)
        f->bad--;
}

static void send_confirm(struct pair *p, struct fate *f)
{
    p->result.ticket = f->ticket;
    CHECK_EQ(pair_make_confirm(p), f->pending ? WEFT_OK : WEFT_ERR_NOT_FOUND);
    f->kept = f->kept || (f->pending && !f->dead);
    f->pending = false;
}

static void pass(struct pair *p, struct fate *f, weft_time us)
{
    p->now += us;
    wf_adm_tick(p->adm, p->now);
    f->pending = false;
    f->kept = false;
    f->dead = f->dead || us > 30 * PAIR_SECOND;
}

static void server_step(struct pair *p, struct fate *f, enum server_letter c)
{
    switch (c) {
    case S_HELLO:
        CHECK_EQ(pair_to_server(p, p->hello, sizeof p->hello), WF_ADM_REPLY);
        break;
    case S_SOLVE:
        send_good(p, f);
        break;
    case S_SOLVE_BAD:
        send_bad(p, f);
        break;
    case S_CONFIRM:
        send_confirm(p, f);
        break;
    case S_REFUSE:
        wf_adm_refuse(p->adm, f->ticket);
        f->pending = false;
        break;
    case S_CONFIRMED:
        wf_adm_confirmed(p->adm, f->ticket);
        f->kept = false;
        break;
    case S_TEN_SECONDS:
        pass(p, f, 10 * PAIR_SECOND);
        break;
    case S_EPOCH_DIES:
        pass(p, f, 120 * PAIR_SECOND);
        break;
    case S_LETTERS:
        break;
    }
    CHECK_EQ(pair_stats(p).confirm_bytes > 0, f->kept);
    CHECK_EQ(wf_secret_held(p->adm->pending_arena), f->pending);
}

TEST(a_server_does_what_the_spec_says_after_every_sequence_of_four_letters)
{
    struct pair p;

    start(&p);
    for (size_t n = 0; n < S_LETTERS * S_LETTERS * S_LETTERS * S_LETTERS; n++) {
        struct fate f = {0};
        restart(&p, n % 3 == 0);
        pair_to_solve(&p);
        test_note("server sequence %zu", n);
        for (size_t i = 0, rest = n; i < 4; i++, rest /= S_LETTERS)
            server_step(&p, &f, (enum server_letter)(rest % S_LETTERS));
        CHECK_LE(pair_stats(&p).accepted, 1);
    }
    pair_free(&p);
}
