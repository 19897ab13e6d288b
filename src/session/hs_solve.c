/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs_solve.c - SOLVE and its work. A SOLVE is made once and sent byte for byte again: e_c is fresh
 * in each, so no key ever seals two texts.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"
#include "session/hs_priv.h"

#define BODY_FIXED_MAX 512 /* all of box2 but the frames, generously */

static size_t body_fixed_len(const struct wf_solve_body *body)
{
    uint8_t buf[BODY_FIXED_MAX];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    wf_solve_body_put(&w, body);
    WEFT_ASSERT(wf_writer_ok(&w));
    return w.len;
}

static size_t box2_offset(const struct wf_hs *hs)
{
    return WF_SOLVE_FIXED + hs->lists.len + WF_BOX0_LEN + WF_BOX1_LEN;
}

static void put_choices(const struct wf_hs *hs, struct wf_solve_body *body)
{
    body->choice_count = (uint8_t)hs->result.choice_count;
    memcpy(body->choices, hs->result.choices, sizeof body->choices);
}

size_t wf_hs_room(const struct wf_hs *hs, const struct wf_params *params)
{
    struct wf_solve_body body = {.params = *params};

    put_choices(hs, &body);
    return WF_SOLVE_MAX - box2_offset(hs) - body_fixed_len(&body) - WF_AEAD_TAG_LEN;
}

/* The clear part at the front of hs->solve, and the keys behind it. */
static size_t put_clear(struct wf_hs *hs)
{
    struct wf_solve s = {.head = hs->challenge.head, .lists = hs->lists};

    wf_random_secret(hs->rng, hs->e_c_secret, sizeof hs->e_c_secret);
    wf_dh_public(s.e_c, hs->e_c_secret);
    memcpy(s.prefix, hs->prefix, sizeof s.prefix);
    memcpy(s.n_c, hs->n_c, sizeof s.n_c);
    memcpy(s.cookie, hs->challenge.cookie, sizeof s.cookie);
    s.bid = hs->work.bid;
    memcpy(hs->work.cookie, s.cookie, sizeof s.cookie);
    memcpy(hs->work.n_c, s.n_c, sizeof s.n_c);
    memcpy(hs->work.e_c, s.e_c, sizeof s.e_c);
    return wf_solve_put_clear(&s, hs->solve, sizeof hs->solve);
}

/* S: that of CHALLENGE, which is signed, or of the invitation. */
static const uint8_t *server_dh(const struct wf_hs *hs)
{
    return hs->is_limited ? hs->server.dh : hs->challenge.server_dh;
}

static weft_err put_box0_limited(struct wf_hs *hs, uint8_t *box)
{
    const struct wf_pair ee = {hs->e_c_secret, hs->challenge.ts};

    wf_limited_box0(box, &hs->group, &hs->schedule);
    wf_ct_public(box, WF_BOX0_LEN);
    wf_limited_enter(&hs->schedule, &hs->group, box);
    return wf_schedule_dh(&hs->schedule, "ee", ee);
}

/* MODEL ee box0 */
static weft_err seal_box0(struct wf_hs *hs, uint8_t *box)
{
    uint8_t mode = hs->identity != NULL ? WF_MODE_TWO_WAY : WF_MODE_ONE_WAY;
    const struct wf_pair ee = {hs->e_c_secret, hs->challenge.ts};
    uint8_t plain[1 + 32];
    weft_err err = wf_schedule_dh(&hs->schedule, "ee", ee);

    if (err != WEFT_OK)
        return err;
    plain[0] = mode;
    memcpy(plain + 1, hs->server_key, 32);
    wf_schedule_seal(&hs->schedule, hs->aead, wf_span(plain, sizeof plain), box);
    wf_schedule_mix(&hs->schedule, wf_span(&mode, 1));
    return WEFT_OK;
}

/* MODEL es box1 */
static weft_err seal_box1(struct wf_hs *hs, uint8_t *box)
{
    const struct wf_pair es = {hs->e_c_secret, server_dh(hs)};
    uint8_t plain[32];
    weft_err err = wf_schedule_dh(&hs->schedule, "es", es);

    if (err != WEFT_OK)
        return err;
    if (hs->identity != NULL) {
        memcpy(plain, hs->identity->public_key, sizeof plain);
    } else {
        wf_random(hs->rng, plain, sizeof plain);
    }
    wf_schedule_seal(&hs->schedule, hs->aead, wf_span(plain, sizeof plain), box);
    return WEFT_OK;
}

/* Everything up to the end of the datagram: what is left behind the frames is zeros, PAD frames.
 * MODEL box2 */
static weft_err seal_box2(struct wf_hs *hs, uint8_t *box)
{
    const struct wf_identity *id = hs->identity;
    struct wf_schedule_client client = {.ts = hs->challenge.ts};
    size_t len = (size_t)(hs->solve + sizeof hs->solve - box) - WF_AEAD_TAG_LEN;
    struct wf_writer w = wf_writer_of(box, len);

    if (id != NULL) {
        client.client_key = id->public_key;
        client.se = (struct wf_pair){id->client_secret, hs->challenge.ts};
        client.ss = (struct wf_pair){id->client_secret, server_dh(hs)};
    }
    weft_err err = wf_schedule_identify(&hs->schedule, &client);
    if (err != WEFT_OK)
        return err;
    wf_solve_body_put(&w, &hs->body);
    wf_write_span(&w, hs->body.frames);
    wf_write_zeros(&w, len - w.len);
    WEFT_ASSERT(wf_writer_ok(&w));
    wf_schedule_seal(&hs->schedule, hs->aead, wf_span(box, len), box);
    return WEFT_OK;
}

static weft_err put_solve(struct wf_hs *hs)
{
    size_t clear_len = put_clear(hs);
    uint8_t *box0 = hs->solve + clear_len;
    uint8_t *box1 = box0 + WF_BOX0_LEN;

    const struct wf_schedule_opening o = {wf_span(hs->hello, sizeof hs->hello),
                                          wf_span(hs->challenge_bytes, hs->challenge_len),
                                          wf_span(hs->solve, clear_len)};

    if (hs->is_limited) {
        wf_limited_start(&hs->schedule, &hs->server, &o);
    } else {
        wf_schedule_start(&hs->schedule, hs->server_key, o.hello, o.challenge, o.clear);
    }
    weft_err err = hs->is_limited ? put_box0_limited(hs, box0) : seal_box0(hs, box0);
    if (err == WEFT_OK) {
        err = seal_box1(hs, box1);
    }
    if (err == WEFT_OK) {
        err = seal_box2(hs, box1 + WF_BOX1_LEN);
    }
    weft_span boxes = wf_span(box0, sizeof hs->solve - clear_len);
    wf_hash(hs->work.boxes_hash, &boxes, 1);
    return err;
}

/* Enters SOLVE. */
void wf_hs_send_solve(struct wf_hs *hs, weft_time now)
{
    wf_store_u64(hs->solve + WF_SOLVE_WORK_OFFSET, hs->work_nonce);
    wf_hs_enter(hs, WF_HS_SOLVE);
    hs->send_at = now;
    hs->interval = WF_HS_INTERVAL_FIRST_US;
    hs->sent = 0;
}

void wf_hs_make_solve(struct wf_hs *hs, weft_time now)
{
    put_choices(hs, &hs->body);
    weft_err err = put_solve(hs);

    if (err != WEFT_OK) {
        wf_hs_fail(hs, err); /* SPEC 1.3-7 */
        return;
    }
    hs->work_nonce = 0;
    wf_hs_enter(hs, WF_HS_WORKING);
    if (hs->work.bid == 0) {
        hs->work_nonce = wf_work_unpaid(&hs->work);
        wf_hs_send_solve(hs, now);
    } else {
        wf_hs_begin_work(hs, now);
    }
}

weft_err wf_hs_solve(struct wf_hs *hs, weft_time now, const struct wf_solve_body *body)
{
    if (hs->state != WF_HS_NEED_DATA)
        return WEFT_ERR_STATE;
    if (body->frames.len > wf_hs_room(hs, &body->params))
        return WEFT_ERR_USAGE;
    hs->body = *body;
    hs->has_data = body->frames.len > 0;
    wf_hs_make_solve(hs, now);
    hs->body.frames = (weft_span){0};
    return WEFT_OK;
}
