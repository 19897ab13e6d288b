/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_hs_fuzz.c - the client's side of the handshake under a program of bytes: CHALLENGEs that
 * are changed and signed again or not, CONFIRMs that are changed or sealed anew over any body, the
 * owner's calls in any order, time, and plain garbage.
 *
 * What must hold: no call makes a state that is not in the table (an assertion), the handshake ends
 * by its time, and secrets come out at most once and only when both ends agree.
 */
#include "feed.h"
#include "tests/session/pair.h"

#define STEPS_MAX 48

static struct wf_mem mem = FEED_HEAP;
static struct wf_rng_seeded rng;
static struct pair pair;
static bool is_genuine;  /* the server made the latest CONFIRM */
static bool is_believed; /* and it was that one that the client took */

static void set_up(void)
{
    wf_rng_seed(&rng, 1);
    pair_init(&pair, &mem, &rng.rng);
    pair.adm_config.table_max = 8;
    pair.adm_config.pool_max = 1;
    pair.hs_config.effort_max = 64;
    pair_server(&pair);
}

static void say(struct feed *f)
{
    uint8_t buf[WF_SOLVE_MAX];
    size_t len = 0;

    (void)f;
    wf_hs_send(pair.hs, pair.now, buf, sizeof buf, &len);
    PAIR_MUST(len == 0 || len == WF_HELLO_LEN || len == WF_SOLVE_MAX);
}

static void sign(struct wf_challenge *c)
{
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];
    size_t len = wf_challenge_message(message, pair.server_id.public_key, c);

    wf_sign(c->signature, pair.server_id.sign_secret, wf_span(message, len));
    pair_lay_challenge(&pair, c);
}

static void challenge(struct feed *f)
{
    uint8_t how = next(f);
    struct wf_challenge c;
    uint8_t copy[WF_CHALLENGE_MAX];

    memcpy(pair.hello, pair.hs->hello, sizeof pair.hello);
    pair_get_challenge(&pair);
    for (int i = how % 4; i > 0; i--)
        pair.challenge[next(f) % pair.challenge_len] ^= next(f);
    memcpy(copy, pair.challenge, sizeof copy);
    if ((how & 4) != 0 && wf_challenge_get(wf_span(copy, pair.challenge_len), &c) == WEFT_OK) {
        sign(&c);
    }
    if ((how & 8) != 0) {
        pair.challenge_len = next(f) < pair.challenge_len ? pair.challenge_len - 1 : 0;
    }
    pair_to_client(&pair, pair.challenge, pair.challenge_len);
}

static void solve(struct feed *f)
{
    struct wf_solve_body body = pair_body();
    uint8_t frames[WF_SOLVE_MAX] = {1};

    if (wf_hs_state(pair.hs) != WF_HS_NEED_DATA)
        return;
    body.frames = wf_span(frames, next(f) * 5u);
    weft_err err = wf_hs_solve(pair.hs, pair.now, &body);
    PAIR_MUST((err == WEFT_ERR_USAGE) == (body.frames.len > wf_hs_room(pair.hs, &body.params)));
}

/* The server's own, if it accepts what the client would send. */
static void true_confirm(void)
{
    enum wf_adm_kind kind = pair_to_server(&pair, pair.hs->solve, sizeof pair.hs->solve);

    if (kind == WF_ADM_ACCEPT) {
        is_genuine = pair_make_confirm(&pair) == WEFT_OK;
    }
}

/* A body of any bytes, sealed as somebody with all secrets would. */
static void sealed_confirm(struct feed *f)
{
    struct wf_schedule s = pair.hs->schedule;
    struct wf_confirm clear = {0};
    const uint8_t secret[32] = {next(f)};
    uint8_t e_c[32];
    size_t len = next(f) % 64;
    const struct wf_pair e2 = {secret, e_c};
    const struct wf_pair ce = {secret, pair.client_id.client_public};

    if (wf_hs_state(pair.hs) != WF_HS_SOLVE)
        return;
    memcpy(e_c, pair.hs->solve + 64, 32);
    memcpy(clear.cid, pair.hs->body.cid, sizeof clear.cid);
    wf_dh_public(clear.e2, secret);
    size_t at = wf_confirm_put_clear(&clear, pair.confirm, sizeof pair.confirm);
    len = len < f->left ? len : f->left;
    if (wf_schedule_reply(&s, wf_span(pair.confirm, at), e2, pair.one_way ? NULL : &ce) != WEFT_OK)
        return;
    wf_schedule_seal(&s, pair.aead, wf_span(f->data, len), pair.confirm + at);
    pair.confirm_len = at + len + WF_AEAD_TAG_LEN;
    is_genuine = false;
}

static void confirm(struct feed *f)
{
    uint8_t how = next(f);

    if (how % 2 == 0) {
        true_confirm();
    } else {
        sealed_confirm(f);
    }
    if (pair.confirm_len == 0)
        return;
    uint8_t mask = (how & 4) != 0 ? next(f) : 0;
    size_t at = next(f) % pair.confirm_len;
    bool was_open = wf_hs_state(pair.hs) == WF_HS_SOLVE;
    pair.confirm[at] ^= mask;
    pair_to_client(&pair, pair.confirm, pair.confirm_len);
    pair.confirm[at] ^= mask;
    if (was_open && wf_hs_state(pair.hs) == WF_HS_DONE) {
        PAIR_MUST(mask == 0);
        is_believed = is_genuine;
    }
}

static void garbage(struct feed *f)
{
    size_t len = next(f) * 5u;

    len = len < f->left ? len : f->left;
    pair_to_client(&pair, f->data, len);
    f->data += len;
    f->left -= len;
}

static void pass_time(struct feed *f)
{
    pair.now += (weft_time)next(f) * next(f) * 10000;
    wf_adm_tick(pair.adm, pair.now);
    wf_hs_tick(pair.hs, pair.now);
}

static void take(struct feed *f)
{
    (void)f;
    weft_err err = wf_hs_result(pair.hs, &pair.client);
    PAIR_MUST(err == WEFT_OK || err == WEFT_ERR_STATE);
    if (err == WEFT_OK) {
        PAIR_MUST(!is_believed || pair_agrees(&pair));
        PAIR_MUST(wf_hs_result(pair.hs, &pair.client) == WEFT_ERR_STATE);
    }
}

static void work(struct feed *f)
{
    wf_hs_work(pair.hs, pair.now, next(f));
}

static void (*const steps[])(struct feed *) = {say,     challenge, challenge, solve,     work,
                                               confirm, confirm,   garbage,   pass_time, take};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};

    if (pair.aead == NULL) {
        set_up();
    }
    wf_rng_seed(&rng, 2);
    pair.now = PAIR_START;
    pair.confirm_len = 0;
    is_genuine = false;
    is_believed = false;
    pair.adm_config.effort = next(&f) % 16;
    pair_server(&pair);
    pair_client(&pair, next(&f) % 2 == 0);
    for (int i = 0; i < STEPS_MAX && f.left > 0; i++)
        steps[next(&f) % WF_ARRAY_LEN(steps)](&f);
    pair.now += 31 * PAIR_SECOND;
    wf_hs_tick(pair.hs, pair.now);
    PAIR_MUST(wf_hs_state(pair.hs) == WF_HS_DONE || wf_hs_state(pair.hs) == WF_HS_FAILED);
    wf_hs_free(pair.hs);
    wf_adm_free(pair.adm);
    pair.hs = NULL;
    pair.adm = NULL;
    return 0;
}
