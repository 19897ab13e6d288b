/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_limited.c - limited circulation at the server (docs/spec/1-handshake.md, 1.10): which group a
 * SOLVE belongs to, what those get that belong to none, and the identity that stands in CHALLENGE
 * when nobody is to know who lives here.
 *
 * Nothing here may depend on which group it was, but for what the group itself is told.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"
#include "session/adm_priv.h"

/* What is there from the first group, or the first wish for nothing else, on. */
static weft_err begin(struct wf_adm *a)
{
    if (a->limited != NULL)
        return WEFT_OK;
    if (a->limited_arena == NULL &&
        wf_secret_arena_new(&a->limited_arena, a->mem, sizeof *a->limited, 1) != WEFT_OK)
        return WEFT_ERR_NOMEM;
    if (a->decoys == NULL) {
        a->decoys = wf_alloc_array(a->mem, a->table.max, sizeof *a->decoys);
    }
    if (a->decoys == NULL)
        return WEFT_ERR_NOMEM;
    a->limited = (struct wf_adm_limited *)wf_secret_get(a->limited_arena);
    if (a->limited == NULL)
        return WEFT_ERR_NOMEM;
    wf_random_secret(a->rng, (uint8_t *)a->limited->groups, sizeof a->limited->groups);
    wf_random_secret(a->rng, a->limited->decoy_key[0], sizeof a->limited->decoy_key);
    return WEFT_OK;
}

void wf_adm_limited_deinit(struct wf_adm *a)
{
    wf_free(a->mem, a->decoys, a->table.max * sizeof *a->decoys);
    wf_secret_put(a->limited_arena, a->limited);
    wf_secret_arena_free(a->limited_arena);
}

static struct wf_limited_server own_server(const struct wf_adm *a)
{
    struct wf_limited_server own;

    memcpy(own.key, a->identity->public_key, sizeof own.key);
    memcpy(own.dh, a->identity->server_public, sizeof own.dh);
    return own;
}

weft_err wf_adm_group_add(struct wf_adm *a, const uint8_t key[WF_GROUP_KEY_LEN])
{
    const struct wf_limited_server own = own_server(a);
    struct wf_group g;
    weft_err err = begin(a);

    if (err != WEFT_OK)
        return err;
    wf_group_init(&g, &own, key);
    for (size_t i = 0; i < a->group_count && err == WEFT_OK; i++) {
        if (wf_equal_ct(a->limited->groups[i].mac, g.mac, sizeof g.mac)) {
            err = WEFT_ERR_EXISTS;
        }
    }
    if (err == WEFT_OK && a->group_count == WF_ADM_GROUPS_MAX) {
        err = WEFT_ERR_LIMIT;
    }
    if (err == WEFT_OK) {
        a->limited->groups[a->group_count++] = g;
    }
    wf_wipe(&g, sizeof g);
    return err;
}

/* SPEC 1.10-4: always the same one for an identity, so that a restart tells nothing. */
weft_err wf_adm_only_groups(struct wf_adm *a)
{
    uint8_t seed[32];
    weft_err err = begin(a);

    if (err != WEFT_OK)
        return err;
    wf_kdf(seed, sizeof seed, a->identity->seed, "weft throwaway identity", (weft_span){0});
    err = wf_identity_init(&a->limited->throwaway, seed);
    wf_wipe(seed, sizeof seed);
    if (err != WEFT_OK)
        return err;
    a->only_groups = true;
    a->statement_len = 0; /* it would tell strangers who lives here */
    a->shown = &a->limited->throwaway;
    wf_adm_show_again(a);
    return WEFT_OK;
}

void wf_adm_limited_epoch(struct wf_adm *a, uint32_t epoch)
{
    if (a->limited != NULL) {
        wf_random_secret(a->rng, a->limited->decoy_key[epoch % WF_ADM_EPOCHS], 32);
    }
}

bool wf_adm_is_limited(const struct wf_adm *a, const struct wf_solve *s)
{
    return a->limited != NULL && wf_is_zero_ct(s->prefix, sizeof s->prefix);
}

/* All ones when it is right, else zero. */
static uint8_t mask_of(const struct wf_group *g, const struct wf_schedule *s, weft_span box0)
{
    uint8_t want[WF_BOX0_LEN];

    wf_limited_box0(want, g, s);
    const unsigned is_right = wf_equal_ct(want, box0.data, sizeof want);
    return (uint8_t)(0 - is_right);
}

/* SPEC 1.10-5: unused places hold random keys, so that every try looks at all of them. */
bool wf_adm_group_find(const struct wf_adm *a, const struct wf_schedule *s, weft_span box0,
                       struct wf_group *found, uint8_t *index)
{
    uint8_t any = 0;

    memset(found, 0, sizeof *found);
    *index = 0;
    for (uint8_t i = 0; i < WF_ADM_GROUPS_MAX; i++) {
        const struct wf_group *g = &a->limited->groups[i];
        const uint8_t mask = mask_of(g, s, box0);

        any |= mask;
        *index |= (uint8_t)(i & mask);
        for (size_t k = 0; k < sizeof found->ck; k++) {
            found->ck[k] |= (uint8_t)(g->ck[k] & mask);
        }
    }
    wf_ct_public(&any, sizeof any);
    wf_ct_public(index, sizeof *index);
    return any != 0;
}

/* SPEC 1.10-6: on dummy input, of which none can fail. */
void wf_adm_spend(const struct wf_adm *a, struct wf_adm_curves left)
{
    uint8_t out[WF_DH_LEN];
    const uint8_t *secret = a->secrets->ts[a->ts_now];
    weft_err err = WEFT_OK;

    for (unsigned i = 0; i < left.dh && err == WEFT_OK; i++) {
        err = wf_dh(out, secret, a->identity->server_public);
    }
    for (unsigned i = 0; i < left.map && err == WEFT_OK; i++) {
        err = wf_dh_public_of_sign(out, a->identity->public_key);
    }
    for (unsigned i = 0; i < left.base; i++) {
        wf_dh_public(out, secret);
    }
    WEFT_ASSERT(err == WEFT_OK);
    wf_wipe(out, sizeof out);
}

static uint8_t *decoy_e2(const struct wf_adm *a, const struct wf_adm_entry *e)
{
    return a->decoys[e - a->table.entries];
}

void wf_adm_decoy_forget(const struct wf_adm *a, const struct wf_adm_entry *e)
{
    if (a->decoys != NULL) {
        memset(decoy_e2(a, e), 0, sizeof *a->decoys);
    }
}

void wf_adm_decoy_set(const struct wf_adm *a, const struct wf_adm_entry *e, const uint8_t e2[32])
{
    if (a->decoys != NULL) {
        memcpy(decoy_e2(a, e), e2, sizeof *a->decoys);
    }
}

unsigned wf_adm_decoy_need(const struct wf_adm *a, const struct wf_adm_entry *e)
{
    struct wf_adm_pair pair;

    if (!wf_is_zero_ct(decoy_e2(a, e), sizeof *a->decoys))
        return 0;
    wf_adm_pair_new(a, &pair);
    wf_adm_decoy_set(a, e, pair.public_key);
    wf_wipe(&pair, sizeof pair);
    return 1;
}

/* The PRF of a SOLVE: what an outsider cannot tell from the sealed part of a CONFIRM. */
static void fill(const struct wf_adm *a, const struct wf_adm_decoy *d, uint8_t *out)
{
    const uint8_t *key = a->limited->decoy_key[d->epoch % WF_ADM_EPOCHS];
    uint8_t input[4 + WF_HASH_LEN];
    uint8_t block[64];

    memcpy(input + 4, d->solve_hash, WF_HASH_LEN);
    for (size_t at = 0; at < d->len; at += sizeof block) {
        const size_t left = d->len - at;

        wf_store_u32(input, (uint32_t)(at / sizeof block));
        wf_kdf(block, sizeof block, key, "weft decoy", wf_span(input, sizeof input));
        memcpy(out + at, block, left < sizeof block ? left : sizeof block);
    }
}

/* SPEC 1.10-8, 1.10-9 and 1.10-10 */
void wf_adm_decoy(struct wf_adm *a, const struct wf_adm_entry *e, const struct wf_adm_decoy *d,
                  struct wf_adm_result *out)
{
    (void)wf_adm_decoy_need(a, e);
    fill(a, d, out->reply);
    out->reply[0] = WF_TYPE_CONFIRM;
    memcpy(out->reply + 1 + WF_CID_LEN, decoy_e2(a, e), sizeof *a->decoys);
    out->reply_len = d->len;
    wf_ct_public(out->reply, out->reply_len);
    out->kind = WF_ADM_REPLY;
    a->stats.decoys++;
}
