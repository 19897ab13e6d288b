/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_confirm.c - CONFIRM: the second half of an accepted SOLVE, from which the session's roots
 * follow.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "session/adm_priv.h"

#define BODY_FIXED_MAX 256 /* connection id and parameters, generously */

static struct wf_adm_entry *pending_entry(const struct wf_adm *a, uint64_t ticket)
{
    struct wf_adm_entry *e = wf_adm_ticket_find(a, ticket);

    return e != NULL && e->state == WF_ADM_ENTRY_PENDING ? e : NULL;
}

/* SIZE_MAX when it is absurd. */
static size_t confirm_len_of(const struct wf_params *params, size_t frames_len)
{
    uint8_t buf[BODY_FIXED_MAX];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);
    const struct wf_confirm_body body = {.params = *params};

    wf_confirm_body_put(&w, &body);
    WEFT_ASSERT(wf_writer_ok(&w));
    if (frames_len > WF_SOLVE_MAX)
        return SIZE_MAX;
    return WF_CONFIRM_FIXED + w.len + frames_len + WF_AEAD_TAG_LEN;
}

size_t wf_adm_confirm_room(const struct wf_adm *a, uint64_t ticket, const struct wf_params *params)
{
    const struct wf_adm_entry *e = pending_entry(a, ticket);
    size_t used = confirm_len_of(params, 0);

    if (e == NULL || e->of.pending->solve_len < used)
        return 0;
    return e->of.pending->solve_len - used;
}

/* Seals the body right behind the clear part. Returns CONFIRM's length. MODEL box3 */
static size_t seal_body(struct wf_adm *a, struct wf_adm_pending *p, const struct wf_adm_confirm *c,
                        uint8_t *out)
{
    struct wf_confirm_body body = {.params = c->params};
    struct wf_writer w =
        wf_writer_of(out + WF_CONFIRM_FIXED, p->solve_len - WF_CONFIRM_FIXED - WF_AEAD_TAG_LEN);

    memcpy(body.cid, c->cid, sizeof body.cid);
    wf_confirm_body_put(&w, &body);
    wf_write_span(&w, c->frames);
    if (p->is_limited) {
        wf_write_zeros(&w, w.cap - w.len); /* PAD frames. SPEC 1.10-7 */
    }
    WEFT_ASSERT(wf_writer_ok(&w));
    wf_schedule_seal(&p->schedule, a->aead, wf_span(w.start, w.len), w.start);
    return WF_CONFIRM_FIXED + w.len + WF_AEAD_TAG_LEN;
}

/* SPEC 1.10-6: a limited one is always made now, where a failure makes that of its decoy. */
static void take_e2(struct wf_adm *a, const struct wf_adm_pending *p, struct wf_adm_pair *out)
{
    if (!p->is_limited) {
        wf_adm_pool_take(a, out);
        return;
    }
    wf_adm_pair_new(a, out);
    wf_adm_decoy_set(a, &a->table.entries[p->entry], out->public_key); /* SPEC 1.10-10 */
    if (p->one_way) {
        wf_adm_spend(a, (struct wf_adm_curves){.dh = 1});
    }
}

/* The clear part with a fresh e2, mixed into the schedule. */
static weft_err reply(struct wf_adm *a, struct wf_adm_pending *p, uint8_t *out)
{
    struct wf_adm_pair e2;
    struct wf_confirm clear = {0};

    take_e2(a, p, &e2);
    memcpy(clear.cid, p->cid, sizeof clear.cid);
    memcpy(clear.e2, e2.public_key, sizeof clear.e2);
    wf_random(a->rng, clear.random, sizeof clear.random);
    size_t len = wf_confirm_put_clear(&clear, out, WF_SOLVE_MAX);
    const struct wf_pair ce = {e2.secret, p->client_dh};
    weft_err err = wf_schedule_reply(&p->schedule, wf_span(out, len),
                                     (struct wf_pair){e2.secret, p->e_c}, p->one_way ? NULL : &ce);
    wf_wipe(&e2, sizeof e2);
    return err;
}

weft_err wf_adm_confirm(struct wf_adm *a, weft_time now, uint64_t ticket,
                        const struct wf_adm_confirm *c, struct wf_adm_confirm_out *out)
{
    struct wf_adm_entry *e = pending_entry(a, ticket);

    if (e == NULL)
        return WEFT_ERR_NOT_FOUND;
    struct wf_adm_pending *p = e->of.pending;
    if (p->solve_len < confirm_len_of(&c->params, c->frames.len))
        return WEFT_ERR_USAGE;
    if (reply(a, p, out->datagram) != WEFT_OK) {
        wf_adm_give_up(a, e);
        return WEFT_ERR_CRYPTO;
    }
    out->len = seal_body(a, p, c, out->datagram);
    wf_schedule_split(&p->schedule, &out->secrets);
    a->stats.confirmed++;
    wf_adm_keep(a, now, e, wf_span(out->datagram, out->len));
    return WEFT_OK;
}

void wf_adm_refuse(struct wf_adm *a, uint64_t ticket)
{
    struct wf_adm_entry *e = pending_entry(a, ticket);

    if (e != NULL) {
        wf_adm_give_up(a, e);
    }
}

void wf_adm_decline(struct wf_adm *a, uint64_t ticket, struct wf_adm_result *out)
{
    struct wf_adm_entry *e = pending_entry(a, ticket);

    out->kind = WF_ADM_DROP;
    out->reply_len = 0;
    if (e == NULL)
        return;
    const struct wf_adm_pending *p = e->of.pending;
    if (p->is_limited) {
        struct wf_adm_decoy d = {.epoch = p->epoch, .len = p->solve_len};

        memcpy(d.solve_hash, p->solve_hash, sizeof d.solve_hash);
        wf_adm_spend(a, (struct wf_adm_curves){.dh = 2});
        wf_adm_decoy(a, e, &d, out);
    }
    wf_adm_give_up(a, e);
}

void wf_adm_confirmed(struct wf_adm *a, uint64_t ticket)
{
    struct wf_adm_entry *e = wf_adm_ticket_find(a, ticket);

    if (e != NULL && e->state == WF_ADM_ENTRY_KEPT) {
        wf_adm_give_up(a, e);
    }
}
