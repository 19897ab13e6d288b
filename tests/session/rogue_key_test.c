/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rogue_key_test.c - the attack that this key schedule must not have. With keys that are "a sum of
 * secrets times a sum of points", the ephemeral E = xG - C lets anybody pose as the client C, and
 * T = xG - S as the server S: the unknown secrets cancel out. The same attacker first wins against
 * such sums, so that the test shows it can win, and then tries everything it has on ours.
 */
#include "test.h"

#include <sodium.h>

#define PAIR_MUST(cond) CHECK(cond)
#include "pair.h"

#define TRIES 1000

static void start(struct pair *p)
{
    pair_init(p, test_mem(), test_rng(test_seed()));
    p->adm_config.table_max = 2 * TRIES;
    pair_server(p);
}

/* Edwards points throughout; X25519 sees their u. */
struct rogue {
    uint8_t x[32];      /* what the attacker knows */
    uint8_t e[32];      /* xG - victim */
    uint8_t e_mont[32]; /* the same as an X25519 key */
};

static void make_rogue(struct rogue *r, const struct wf_rng *rng, const uint8_t victim[32])
{
    uint8_t wide[64];
    uint8_t xg[32];

    wf_random(rng, wide, sizeof wide);
    crypto_core_ed25519_scalar_reduce(r->x, wide);
    CHECK_EQ(crypto_scalarmult_ed25519_base_noclamp(xg, r->x), 0);
    CHECK_EQ(crypto_core_ed25519_sub(r->e, xg, victim), 0);
    CHECK_EQ(crypto_sign_ed25519_pk_to_curve25519(r->e_mont, r->e), 0);
}

/* out = the u of x * point (Edwards): what the attacker can compute with its x. */
static void times_x(uint8_t out[32], const struct rogue *r, const uint8_t point[32])
{
    uint8_t product[32];

    CHECK_EQ(crypto_scalarmult_ed25519_noclamp(product, r->x, point), 0);
    CHECK_EQ(crypto_sign_ed25519_pk_to_curve25519(out, product), 0);
}

/* The scalar of a clamped X25519 or Ed25519 secret, reduced. */
static void scalar_of(uint8_t out[32], const uint8_t secret[32])
{
    uint8_t wide[64] = {0};

    memcpy(wide, secret, 32);
    wide[0] &= 0xf8;
    wide[31] = (uint8_t)((wide[31] & 0x7f) | 0x40);
    crypto_core_ed25519_scalar_reduce(out, wide);
}

/* An Edwards key whose u is that of an X25519 secret's public key. */
static void edwards_of(uint8_t out[32], const uint8_t secret[32])
{
    uint8_t scalar[32];

    scalar_of(scalar, secret);
    CHECK_EQ(crypto_scalarmult_ed25519_base_noclamp(out, scalar), 0);
}

TEST(against_a_sum_of_secrets_and_points_the_same_attacker_wins)
{
    struct pair p;
    struct rogue r;
    uint8_t s[32], t[32], sum_secret[32], big_s[32], big_t[32], sum_point[32];
    uint8_t servers[32], attackers[32];

    start(&p);
    scalar_of(s, p.server_id.server_secret);
    scalar_of(t, p.adm->secrets->ts[0]);
    edwards_of(big_s, p.server_id.server_secret);
    edwards_of(big_t, p.adm->secrets->ts[0]);
    make_rogue(&r, p.rng, p.client_id.public_key);

    /* The server's key in the bad design: (s + t)(C + E). */
    crypto_core_ed25519_scalar_add(sum_secret, s, t);
    CHECK_EQ(crypto_core_ed25519_add(sum_point, p.client_id.public_key, r.e), 0);
    CHECK_EQ(crypto_scalarmult_ed25519_noclamp(servers, sum_secret, sum_point), 0);

    /* The attacker's: x(S + T), from public keys alone. */
    CHECK_EQ(crypto_core_ed25519_add(sum_point, big_s, big_t), 0);
    CHECK_EQ(crypto_scalarmult_ed25519_noclamp(attackers, r.x, sum_point), 0);
    CHECK_MEM_EQ(attackers, servers, 32);
    pair_free(&p);
}

TEST(the_points_that_the_attacker_sends_are_what_they_claim)
{
    struct pair p;
    struct rogue r;
    uint8_t sum[32], xg[32];

    start(&p);
    make_rogue(&r, p.rng, p.client_id.public_key);
    CHECK_EQ(crypto_core_ed25519_add(sum, r.e, p.client_id.public_key), 0);
    CHECK_EQ(crypto_scalarmult_ed25519_base_noclamp(xg, r.x), 0);
    CHECK_MEM_EQ(sum, xg, 32);
    pair_free(&p);
}

/* Guesses for each of ee, es, se, ss out of what x gives: xT, xS, nothing but zeros. */
static void rogue_client(struct pair *p, struct forge *f, const struct rogue *r, unsigned n)
{
    static uint8_t x_t[32], x_s[32], zeros[32];
    const uint8_t *const guesses[] = {x_t, x_s, zeros, r->x};
    uint8_t big_s[32], big_t[32];

    /* Test only: the Edwards forms, of which a real attacker has to guess a sign. */
    edwards_of(big_s, p->server_id.server_secret);
    edwards_of(big_t, p->adm->secrets->ts[p->adm->ts_now]);
    times_x(x_t, r, big_t);
    times_x(x_s, r, big_s);
    memcpy(f->solve.e_c, r->e_mont, 32);
    f->ee_raw = guesses[n % 4];
    f->es_raw = guesses[n / 4 % 4];
    f->se_raw = guesses[n / 16 % 4];
    f->ss_raw = guesses[n / 64 % 4];
}

TEST(a_client_with_the_ephemeral_xG_minus_C_gets_no_session_in_a_thousand_tries)
{
    struct pair p;
    struct rogue r;
    static const uint8_t secret[32] = {1};

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    for (unsigned n = 0; n < TRIES; n++) {
        struct forge f;
        wf_store_u32(p.hello + 8, n); /* a nonce, and so a cookie, of its own */
        pair_get_challenge(&p);
        forge_init(&f, &p, secret);
        make_rogue(&r, p.rng, p.client_id.public_key);
        rogue_client(&p, &f, &r, n);
        test_note("try %u", n);
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
    }
    CHECK_EQ(pair_stats(&p).accepted, 0);
    CHECK_EQ(pair_stats(&p).solve_bad_box, TRIES);
    pair_free(&p);
}

/* Even if the attacker were handed ee and es, it would not have se and ss. */
TEST(a_rogue_client_that_is_given_ee_and_es_still_cannot_be_C)
{
    struct pair p;
    struct rogue r;
    static const uint8_t secret[32] = {1};
    uint8_t ee[32], es[32];

    start(&p);
    pair_client(&p, false);
    pair_say_hello(&p);
    for (unsigned n = 0; n < TRIES; n++) {
        struct forge f;
        wf_store_u32(p.hello + 8, n);
        pair_get_challenge(&p);
        forge_init(&f, &p, secret);
        make_rogue(&r, p.rng, p.client_id.public_key);
        rogue_client(&p, &f, &r, n);
        CHECK_OK(wf_dh(ee, p.adm->secrets->ts[p.adm->ts_now], r.e_mont));
        CHECK_OK(wf_dh(es, p.server_id.server_secret, r.e_mont));
        f.ee_raw = ee;
        f.es_raw = es;
        CHECK_EQ(forge_send(&p, &f), WF_ADM_DROP);
    }
    CHECK_EQ(pair_stats(&p).accepted, 0);
    pair_free(&p);
}

TEST(the_same_client_with_honest_keys_gets_in)
{
    struct pair p;
    struct forge f;
    static const uint8_t secret[32] = {1};
    uint8_t ee[32], es[32], se[32], ss[32];

    start(&p);
    pair_meet(&p);
    forge_init(&f, &p, secret);
    CHECK_OK(wf_dh(ee, secret, f.challenge.ts));
    CHECK_OK(wf_dh(es, secret, f.challenge.server_dh));
    CHECK_OK(wf_dh(se, p.client_id.client_secret, f.challenge.ts));
    CHECK_OK(wf_dh(ss, p.client_id.client_secret, f.challenge.server_dh));
    f.ee_raw = ee;
    f.es_raw = es;
    f.se_raw = se;
    f.ss_raw = ss;
    CHECK_EQ(forge_send(&p, &f), WF_ADM_ACCEPT);
    pair_free(&p);
}

/* --- the other direction: a false server with t_s = xG - S --- */

/* What the false server can make of the client's SOLVE: a CONFIRM under guessed ee, es, se, ss. */
static size_t false_confirm(struct pair *p, const struct rogue *r, unsigned n, uint8_t *out)
{
    static uint8_t x_e[32], x_c[32], zeros[32];
    const uint8_t *const guesses[] = {x_e, x_c, zeros, r->x};
    struct wf_schedule s = p->hs->schedule; /* h is public; the chain is not */
    struct wf_confirm clear = {0};
    struct wf_confirm_body body = {.params = wf_params_default};
    uint8_t e_c[32], plain[64], e2_secret[32] = {7}, hashed[32], shared[32];
    struct wf_writer w = wf_writer_of(plain, sizeof plain);

    edwards_of(e_c, p->hs->e_c_secret);
    times_x(x_e, r, e_c);
    times_x(x_c, r, p->client_id.public_key);
    /* ck = h0, as everybody knows it */
    wf_schedule_start(&s, p->server_id.public_key, wf_span(p->hello, sizeof p->hello),
                      wf_span(p->challenge, p->challenge_len),
                      wf_span(p->solve, WF_SOLVE_FIXED + sizeof pair_lists));
    memcpy(s.h, p->hs->schedule.h, 32);
    wf_kdf_chain(s.ck, s.key, "ee", wf_span(guesses[n % 4], 32));
    wf_kdf_chain(s.ck, s.key, "es", wf_span(guesses[n / 4 % 4], 32));
    wf_kdf_chain(s.ck, s.key, "se", wf_span(guesses[n / 16 % 4], 32));
    const weft_span parts[] = {wf_span(guesses[n / 64 % 4], 32), wf_span(r->e_mont, 32)};
    wf_hash(hashed, parts, 2);
    wf_kdf_chain(s.ck, s.key, "ss", wf_span(hashed, 32));
    memcpy(clear.cid, pair_client_cid, WF_CID_LEN);
    wf_dh_public(clear.e2, e2_secret);
    size_t len = wf_confirm_put_clear(&clear, out, WF_SOLVE_MAX);
    wf_schedule_mix(&s, wf_span(out, len));
    CHECK_OK(wf_dh(shared, e2_secret, p->solve + 64));
    wf_kdf_chain(s.ck, s.key, "e2", wf_span(shared, 32));
    CHECK_OK(wf_dh(shared, e2_secret, p->client_id.client_public));
    wf_kdf_chain(s.ck, s.key, "ce", wf_span(shared, 32));
    wf_confirm_body_put(&w, &body);
    wf_schedule_seal(&s, p->aead, wf_span(plain, w.len), out + len);
    return len + w.len + WF_AEAD_TAG_LEN;
}

/* A CHALLENGE with a rogue t_s. The signature is true only if the attacker is given a signer. */
static void rogue_challenge(struct pair *p, const struct rogue *r, bool is_signed)
{
    struct wf_challenge c;
    uint8_t copy[WF_CHALLENGE_MAX];
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];

    memcpy(copy, p->challenge, sizeof copy);
    CHECK_OK(wf_challenge_get(wf_span(copy, p->challenge_len), &c));
    memcpy(c.ts, r->e_mont, 32);
    if (is_signed) {
        size_t len = wf_challenge_message(message, p->server_id.public_key, &c);
        wf_sign(c.signature, p->server_id.sign_secret, wf_span(message, len));
    }
    pair_lay_challenge(p, &c);
}

TEST(a_false_server_with_the_transient_xG_minus_S_is_not_even_heard)
{
    struct pair p;
    struct rogue r;
    uint8_t big_s[32];

    start(&p);
    edwards_of(big_s, p.server_id.server_secret);
    pair_meet(&p);
    for (unsigned n = 0; n < TRIES; n++) {
        make_rogue(&r, p.rng, big_s);
        rogue_challenge(&p, &r, false);
        pair_to_client(&p, p.challenge, p.challenge_len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_HELLO);
    }
    p.now += p.hs_config.timeout_us;
    wf_hs_tick(p.hs, p.now);
    CHECK_EQ(wf_hs_error(p.hs), WEFT_ERR_WRONG_KEY);
    pair_free(&p);
}

TEST(even_with_a_signature_over_it_xG_minus_S_makes_no_session_in_a_thousand_tries)
{
    struct pair p;
    struct rogue r;
    uint8_t big_s[32];
    uint8_t out[WF_SOLVE_MAX];

    start(&p);
    edwards_of(big_s, p.server_id.server_secret);
    for (unsigned n = 0; n < TRIES; n++) {
        if (n % 50 == 0) { /* a handshake is dear, a CONFIRM is cheap */
            pair_meet(&p);
            make_rogue(&r, p.rng, big_s);
            rogue_challenge(&p, &r, true);
            pair_to_client(&p, p.challenge, p.challenge_len);
            pair_make_solve(&p);
        }
        size_t len = false_confirm(&p, &r, n, out);
        pair_to_client(&p, out, len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    }
    pair_free(&p);
}
