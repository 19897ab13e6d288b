/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_rotate.c - what is replaced as time goes by: cookie secrets every 30 s, t_s every 120 s, one
 * ephemeral key after the other. Nothing here is ever stored or shared (SPEC 1.2-7): a restart
 * voids what was outstanding.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "session/adm_priv.h"
#include "session/challenge.h"

/* What not-after says when nobody knows the time. */
#define NOT_AFTER_NEVER ((uint64_t)1 << 63)

static void new_epoch_secret(struct wf_adm *a, uint32_t epoch)
{
    uint8_t *secret = a->secrets->cookie[epoch % WF_ADM_EPOCHS];

    wf_adm_table_expire(a, epoch);
    wf_random_secret(a->rng, secret, sizeof a->secrets->cookie[0]);
    wf_adm_limited_epoch(a, epoch);
}

void wf_adm_rotate_epoch(struct wf_adm *a, weft_time now)
{
    if (now < a->epoch_began + WF_ADM_EPOCH_US)
        return;
    uint64_t steps = (now - a->epoch_began) / WF_ADM_EPOCH_US;
    uint32_t fresh = steps < WF_ADM_EPOCHS ? (uint32_t)steps : WF_ADM_EPOCHS;

    a->epoch += (uint32_t)steps;
    a->epoch_began += steps * WF_ADM_EPOCH_US;
    for (uint32_t back = fresh; back > 0; back--)
        new_epoch_secret(a, a->epoch - (back - 1));
}

/* When t_s will be erased at the latest, on the wall clock. */
static uint64_t not_after(const struct wf_adm *a, weft_time now)
{
    if (a->wall_ms == 0)
        return NOT_AFTER_NEVER;
    weft_time life = WF_ADM_TS_LIFE_US + WF_ADM_TS_GRACE_US;
    return (a->wall_ms + (now - a->started + life) / 1000) / 1000 + 1;
}

/* S and the signature of whoever is shown, and all of it as it is sent. */
static void sign(const struct wf_adm *a, struct wf_adm_ts *ts)
{
    struct wf_challenge *c = &ts->challenge;
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];

    memcpy(c->server_dh, a->shown->server_public, sizeof c->server_dh);
    size_t len = wf_challenge_message(message, a->shown->public_key, c);
    wf_sign(c->signature, a->shown->sign_secret, wf_span(message, len));
    ts->len = wf_challenge_put(c, ts->bytes, sizeof ts->bytes);
    WEFT_ASSERT(ts->len > 0);
    wf_challenge_digest(ts->digest, wf_span(ts->bytes, ts->len));
}

void wf_adm_show_again(struct wf_adm *a)
{
    for (unsigned i = 0; i < WF_ADM_TS_LIVES; i++) {
        if (a->ts[i].is_live) {
            sign(a, &a->ts[i]);
        }
    }
}

static void new_ts(struct wf_adm *a, unsigned index, weft_time now)
{
    uint8_t *secret = a->secrets->ts[index];
    struct wf_adm_ts *ts = &a->ts[index];

    wf_random_secret(a->rng, secret, sizeof a->secrets->ts[0]);
    *ts = (struct wf_adm_ts){.is_live = true, .until = now + WF_ADM_TS_LIFE_US};
    ts->challenge.head = (struct wf_challenge_head){
        .version = WF_VERSION,
        .suite = WF_SUITE,
        .shard = a->shard,
        .instance = a->instance,
        .ceiling_log2 = a->ceiling_log2,
        .ts_id = ++a->ts_last_id,
    };
    wf_dh_public(ts->challenge.ts, secret);
    ts->challenge.not_after_s = not_after(a, now);
    ts->challenge.lists = a->lists;
    sign(a, ts);
}

static void erase_ts(struct wf_adm *a, unsigned index)
{
    wf_wipe(a->secrets->ts[index], sizeof a->secrets->ts[index]);
    a->ts[index].is_live = false;
}

void wf_adm_rotate_init(struct wf_adm *a, weft_time now)
{
    if (a->instance == 0) {
        a->instance = wf_random_u64(a->rng); /* SPEC 1.13-4 */
    }
    a->epoch_began = now;
    wf_random_secret(a->rng, a->secrets->cookie[0], sizeof a->secrets->cookie);
    wf_random_secret(a->rng, a->secrets->table_key, sizeof a->secrets->table_key);
    new_ts(a, 0, now);
}

/* SPEC 1.3-8 */
void wf_adm_rotate_ts(struct wf_adm *a, weft_time now)
{
    unsigned before = 1 - a->ts_now;

    if (a->ts[before].is_live && now >= a->ts[before].until) {
        erase_ts(a, before);
    }
    if (now < a->ts[a->ts_now].until)
        return;
    a->ts[a->ts_now].until = now + WF_ADM_TS_GRACE_US;
    erase_ts(a, before);
    new_ts(a, before, now);
    a->ts_now = before;
}

weft_time wf_adm_rotate_deadline(const struct wf_adm *a)
{
    const struct wf_adm_ts *before = &a->ts[1 - a->ts_now];
    weft_time at = a->epoch_began + WF_ADM_EPOCH_US;

    if (a->ts[a->ts_now].until < at) {
        at = a->ts[a->ts_now].until;
    }
    if (before->is_live && before->until < at) {
        at = before->until;
    }
    if (a->pool_count < a->pool_max && a->pool_next < at) {
        at = a->pool_next;
    }
    return at;
}

/* The one before is refused from its hour on, however late the tick that erases it. */
unsigned wf_adm_ts_find(const struct wf_adm *a, uint32_t id, weft_time now)
{
    for (unsigned i = 0; i < WF_ADM_TS_LIVES; i++) {
        const struct wf_adm_ts *ts = &a->ts[i];
        bool lives = ts->is_live && (i == a->ts_now || now < ts->until);
        if (lives && ts->challenge.head.ts_id == id)
            return i;
    }
    return WF_ADM_TS_LIVES;
}

void wf_adm_pair_new(const struct wf_adm *a, struct wf_adm_pair *out)
{
    wf_random_secret(a->rng, out->secret, sizeof out->secret);
    wf_dh_public(out->public_key, out->secret);
}

void wf_adm_pool_fill(struct wf_adm *a, weft_time now)
{
    if (a->pool_count >= a->pool_max)
        return;
    struct wf_adm_pair *pair = (struct wf_adm_pair *)wf_secret_get(a->pool_arena);
    WEFT_ASSERT(pair != NULL); /* all slots were made in wf_adm_new */
    wf_adm_pair_new(a, pair);
    a->pool[a->pool_count++] = pair;
    a->pool_next = now + WF_ADM_POOL_STEP_US;
}

/* SPEC 1.4-1 */
void wf_adm_pool_take(struct wf_adm *a, struct wf_adm_pair *out)
{
    if (a->pool_count == 0) {
        wf_adm_pair_new(a, out);
        return;
    }
    struct wf_adm_pair *pair = a->pool[--a->pool_count];
    *out = *pair;
    wf_secret_put(a->pool_arena, pair);
}
