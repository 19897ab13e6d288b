/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_solve.c - the checks on SOLVE, in the order of docs/spec/1-handshake.md, 1.3-1: what costs
 * nothing first, curves last. The first that fails is counted and ends it; nothing is answered.
 *
 * Between the two stands the work queue, so that no flood of SOLVEs takes all the time there is.
 * What may have changed while a SOLVE waited is looked at again.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "session/adm_priv.h"
#include "session/challenge.h"
#include "session/work.h"

#define DH_COST_US 50u
#define MAP_COST_US 75u
#define WHOLE_COST_US 400u /* CONFIRM included */

/* One SOLVE on its way through the checks. Secret from `schedule` on. */
struct attempt {
    struct wf_adm *a;
    weft_time now;
    weft_span datagram;
    struct wf_adm_result *out;
    struct wf_solve s;
    unsigned ts; /* index */
    struct wf_adm_entry *entry;
    uint8_t boxes_hash[32];
    uint64_t mark; /* of the boxes */
    uint8_t mode;
    uint8_t client_dh[32]; /* C */
    struct wf_adm_curves spent;
    bool at_curves; /* from here on a failure costs what a success does */
    struct wf_schedule schedule;
};

static bool epoch_lives(struct attempt *t)
{
    return wf_adm_epoch_lives(t->a, t->s.head.epoch);
}

static bool cookie_is_ours(struct attempt *t)
{
    const struct wf_adm_cookie_input in = {.head = &t->s.head,
                                           .prefix = t->s.prefix,
                                           .n_c = t->s.n_c,
                                           .from = &t->out->path.from,
                                           .lists = t->s.lists};
    uint8_t cookie[WF_COOKIE_LEN];

    wf_adm_cookie(t->a, cookie, &in);
    const bool is_ours = wf_equal_ct(cookie, t->s.cookie, sizeof cookie);
    wf_ct_public(&is_ours, sizeof is_ours);
    return is_ours;
}

static bool prefix_is_ours(struct attempt *t)
{
    if (wf_is_zero_ct(t->s.prefix, 4))
        return true;
    /* SPEC 1.10-4 */
    return !t->a->only_groups && memcmp(t->s.prefix, t->a->identity->prefix, 4) == 0;
}

static bool ts_lives(struct attempt *t)
{
    t->ts = wf_adm_ts_find(t->a, t->s.head.ts_id, t->now);
    return t->ts != WF_ADM_TS_LIVES;
}

/* Nothing, where no group can be meant. */
static void answer_with_decoy(struct attempt *t)
{
    struct wf_adm_decoy d = {.epoch = t->s.head.epoch, .len = t->datagram.len};

    if (wf_adm_is_limited(t->a, &t->s)) {
        wf_hash(d.solve_hash, &t->datagram, 1);
        wf_adm_decoy(t->a, t->entry, &d, t->out);
    }
}

static bool work_is_done(struct attempt *t);

/* An answer costs more than all that is looked at before it. Limited circulation answers always,
 * for whoever is not in the group is answered too. */
static bool may_resend(const struct attempt *t, struct wf_adm_kept *k)
{
    weft_time full_at = k->full_at > t->now ? k->full_at : t->now;

    if (wf_adm_is_limited(t->a, &t->s))
        return true;
    if (full_at - t->now > (WF_ADM_RESEND_BURST - 1) * WF_ADM_RESEND_EVERY_US)
        return false;
    k->full_at = full_at + WF_ADM_RESEND_EVERY_US;
    return true;
}

/* SPEC 1.3-4; never more bytes out than in */
static void answer_duplicate(struct attempt *t)
{
    if (t->entry->state == WF_ADM_ENTRY_DONE && wf_adm_is_limited(t->a, &t->s) && work_is_done(t)) {
        answer_with_decoy(t); /* SPEC 1.10-9 */
    }
    if (t->entry->state != WF_ADM_ENTRY_KEPT)
        return;
    struct wf_adm_kept *k = t->entry->of.kept;
    if (k->len > t->datagram.len || !may_resend(t, k))
        return;
    memcpy(t->out->reply, k->bytes, k->len);
    t->out->reply_len = k->len;
    t->out->kind = WF_ADM_REPLY;
    t->a->stats.confirm_resent++;
}

static bool is_first(struct attempt *t)
{
    t->entry = wf_adm_table_find(t->a, t->s.cookie);
    if (t->entry == NULL || t->entry->state == WF_ADM_ENTRY_TRIED)
        return true;
    answer_duplicate(t);
    return false;
}

/* What is said to be paid; that it is true costs more to find out. */
static uint32_t paid_by(const struct attempt *t)
{
    return t->s.head.effort == 0 ? 0 : t->s.bid;
}

/* How long ago its CHALLENGE was made. The cookie holds: epoch and offset are what we said. */
static weft_time age_of(const struct attempt *t)
{
    const weft_time epochs = t->a->epoch - t->s.head.epoch;
    const weft_time age = t->now - t->a->epoch_began + epochs * WF_ADM_EPOCH_US;
    const weft_time offset = (weft_time)t->s.head.offset_ms * 1000;

    return age > offset ? age - offset : 0;
}

static bool pays_enough(struct attempt *t)
{
    const struct wf_adm_offer offer = {.paid = paid_by(t), .age_us = age_of(t)};

    return wf_adm_takes(t->a, t->now, &t->out->path.from, &offer);
}

static bool work_is_done(struct attempt *t)
{
    const struct wf_solve *s = &t->s;
    const weft_span boxes =
        wf_span(s->box0.data, s->box0.len + s->box1.len + s->box2.len); /* they follow each other */

    wf_hash(t->boxes_hash, &boxes, 1);
    if (s->bid < s->head.effort)
        return false;
    struct wf_work work = {.alg = s->head.work_alg, .bid = s->bid};
    memcpy(work.cookie, s->cookie, sizeof work.cookie);
    memcpy(work.n_c, s->n_c, sizeof work.n_c);
    memcpy(work.e_c, s->e_c, sizeof work.e_c);
    memcpy(work.boxes_hash, t->boxes_hash, sizeof work.boxes_hash);
    if (s->head.effort == 0)
        return s->work_nonce == wf_work_unpaid(&work); /* SPEC 1.3-12 */
    return wf_work_check(&work, s->work_nonce);
}

/* SPEC 1.3-3: counted as a duplicate, since nothing new is tried. */
static bool boxes_may_be_tried(struct attempt *t)
{
    t->mark = wf_adm_mark(t->a, t->boxes_hash);
    if (t->entry == NULL || wf_adm_table_may_try(t->entry, t->mark))
        return true;
    answer_with_decoy(t);
    return false;
}

/* SPEC 1.3-11: whoever knows a cookie that somebody solved, and the same boxes, is a client whose
 * address changed meanwhile, or has seen its SOLVE: he gets what a copy of it gets. */
static void answer_who_moved(struct attempt *t)
{
    t->entry = wf_adm_table_find(t->a, t->s.cookie);
    if (t->entry == NULL || !work_is_done(t))
        return;
    t->mark = wf_adm_mark(t->a, t->boxes_hash);
    if (!wf_adm_table_has_tried(t->entry, t->mark))
        return;
    if (t->entry->state == WF_ADM_ENTRY_TRIED) {
        answer_with_decoy(t);
    } else {
        answer_duplicate(t);
    }
}

static bool cookie_is_of_this_address(struct attempt *t)
{
    if (cookie_is_ours(t))
        return true;
    answer_who_moved(t);
    return false;
}

/* Who goes for it counts as who finds no place. */
static bool queue_takes_it(struct attempt *t)
{
    struct wf_adm *a = t->a;
    struct wf_adm_waiting *w = NULL;
    void *payload = NULL;
    struct wf_queue_ticket ticket = {
        .mark = t->mark,
        .paid = paid_by(t),
        .multiplier = wf_prefixes_multiplier(&a->prefixes, t->now, &t->out->path.from),
    };
    const size_t count = wf_queue_count(&a->queue);

    memcpy(ticket.cookie, t->s.cookie, sizeof ticket.cookie);
    weft_err err = wf_queue_put(&a->queue, t->now, &ticket, &payload);
    if (err == WEFT_ERR_EXISTS || err == WEFT_ERR_LIMIT) { /* SPEC 1.3-3 */
        a->stats.solve_duplicate++;
        return true;
    }
    if (err != WEFT_OK)
        return false;
    a->stats.solve_queue_full += wf_queue_count(&a->queue) == count;
    a->stats.solve_deranked += ticket.multiplier > WF_MULTIPLIER_ONE;
    w = (struct wf_adm_waiting *)payload;
    w->path = t->out->path;
    w->len = t->datagram.len;
    memcpy(w->bytes, t->datagram.data, t->datagram.len);
    return true;
}

static bool there_is_room(struct attempt *t)
{
    if (t->entry == NULL) {
        t->entry = wf_adm_table_add(t->a, t->s.cookie, t->s.head.epoch);
    }
    return t->entry != NULL;
}

static bool boxes_are_new(struct attempt *t)
{
    if (wf_adm_table_try(t->entry, t->mark))
        return true;
    answer_with_decoy(t);
    return false;
}

/* What was said so far: room for its bytes, and the spans. */
struct opening {
    uint8_t hello[WF_HELLO_LEN];
    uint8_t challenge[WF_CHALLENGE_MAX];
    struct wf_schedule_opening spans;
};

/* HELLO and CHALLENGE as they must have been: nothing else of them was kept. */
static void rebuild(const struct attempt *t, struct opening *o)
{
    const struct wf_solve *s = &t->s;
    struct wf_challenge c = t->a->ts[t->ts].challenge;
    struct wf_hello h = {.version = s->head.version, .suite = s->head.suite, .lists = s->lists};

    memcpy(h.prefix, s->prefix, sizeof h.prefix);
    memcpy(h.n_c, s->n_c, sizeof h.n_c);
    c.head = s->head;
    memcpy(c.cookie, s->cookie, sizeof c.cookie);
    memcpy(c.echo, s->n_c, sizeof c.echo);
    o->spans.hello = wf_span(o->hello, wf_hello_put(&h, o->hello, sizeof o->hello));
    o->spans.challenge =
        wf_span(o->challenge, wf_challenge_put(&c, o->challenge, sizeof o->challenge));
    wf_challenge_stamp(o->challenge, t->a->ts[t->ts].digest, &h);
    o->spans.clear = s->clear;
}

static bool mix_ee(struct attempt *t)
{
    const struct wf_pair ee = {t->a->secrets->ts[t->ts], t->s.e_c};

    t->spent.dh++;
    return wf_schedule_dh(&t->schedule, "ee", ee) == WEFT_OK;
}

/* box0 of variant 1: a MAC, and the mode is known. */
static bool is_of_a_group(struct attempt *t, const struct wf_schedule_opening *o)
{
    struct wf_limited_server own;
    struct wf_group group;

    memcpy(own.key, t->a->identity->public_key, sizeof own.key);
    memcpy(own.dh, t->a->identity->server_public, sizeof own.dh);
    wf_limited_start(&t->schedule, &own, o);
    t->out->limited = wf_adm_group_find(t->a, &t->schedule, t->s.box0, &group, &t->out->group);
    wf_limited_enter(&t->schedule, &group, t->s.box0.data);
    t->mode = WF_MODE_TWO_WAY; /* SPEC 1.10-3 */
    wf_wipe(&group, sizeof group);
    return t->out->limited;
}

/* ee and box0: the mode, and that the client means us (SPEC 1.3-9). MODEL ee box0 */
static bool box0_opens(struct attempt *t)
{
    uint8_t plain[WF_BOX0_LEN - WF_AEAD_TAG_LEN];
    struct opening o;

    t->at_curves = true;
    t->out->limited = false;
    rebuild(t, &o);
    if (wf_adm_is_limited(t->a, &t->s) && is_of_a_group(t, &o.spans))
        return mix_ee(t);
    if (t->a->only_groups)
        return false;
    wf_schedule_start(&t->schedule, t->a->identity->public_key, o.spans.hello, o.spans.challenge,
                      o.spans.clear);
    if (!mix_ee(t) || !wf_schedule_open(&t->schedule, t->a->aead, t->s.box0, plain))
        return false;
    t->mode = plain[0];
    wf_schedule_mix(&t->schedule, wf_span(&t->mode, 1));
    return (t->mode == WF_MODE_TWO_WAY || t->mode == WF_MODE_ONE_WAY) &&
           memcmp(plain + 1, t->a->identity->public_key, 32) == 0;
}

/* es and box1: who the client says it is. MODEL es box1 */
static bool box1_opens(struct attempt *t)
{
    const struct wf_pair es = {t->a->identity->server_secret, t->s.e_c};

    t->spent.dh++;
    return wf_schedule_dh(&t->schedule, "es", es) == WEFT_OK &&
           wf_schedule_open(&t->schedule, t->a->aead, t->s.box1, t->out->peer);
}

/* SPEC 1.3-6 */
static bool client_is_somebody_else(struct attempt *t)
{
    const struct wf_identity *own = t->a->identity;
    struct wf_adm_result *out = t->out;

    out->one_way = t->mode == WF_MODE_ONE_WAY;
    if (out->one_way) {
        memset(out->peer, 0, sizeof out->peer);
        return true;
    }
    if (memcmp(out->peer, own->public_key, 32) == 0)
        return false;
    t->spent.map++;
    return wf_dh_public_of_sign(t->client_dh, out->peer) == WEFT_OK &&
           memcmp(t->client_dh, own->client_public, 32) != 0;
}

/* se, ss and box2: that it is who it says. MODEL box2 */
static bool box2_opens(struct attempt *t)
{
    struct wf_adm *a = t->a;
    const struct wf_schedule_client client = {
        .client_key = t->out->one_way ? NULL : t->out->peer,
        .se = {a->secrets->ts[t->ts], t->client_dh},
        .ss = {a->identity->server_secret, t->client_dh},
        .ts = a->ts[t->ts].challenge.ts,
    };
    size_t len = t->s.box2.len - WF_AEAD_TAG_LEN;

    t->spent.dh += t->out->one_way ? 0 : 2;
    return wf_schedule_identify(&t->schedule, &client) == WEFT_OK &&
           wf_schedule_open(&t->schedule, a->aead, t->s.box2, t->out->plain) &&
           wf_solve_body_get(wf_span(t->out->plain, len), &t->out->body) == WEFT_OK;
}

/* SPEC 1.3-10, 1.1-5 */
static bool choices_are_right(struct attempt *t)
{
    const struct wf_solve_body *body = &t->out->body;
    uint64_t *choices = t->out->choices;
    size_t count = wf_lists_choose(t->s.lists, t->a->lists, choices);

    t->out->choice_count = count;
    return count > 0 && choices[0] != 0 && body->choice_count == count &&
           memcmp(body->choices, choices, count * sizeof choices[0]) == 0;
}

struct check {
    bool (*holds)(struct attempt *t);
    size_t counter; /* in struct wf_adm_stats */
};

/* On arrival. */
static const struct check cheap[] = {
    {epoch_lives, offsetof(struct wf_adm_stats, solve_bad_epoch)},
    {cookie_is_of_this_address, offsetof(struct wf_adm_stats, solve_bad_cookie)},
    {prefix_is_ours, offsetof(struct wf_adm_stats, solve_bad_prefix)},
    {ts_lives, offsetof(struct wf_adm_stats, solve_bad_ts)},
    {is_first, offsetof(struct wf_adm_stats, solve_duplicate)},
    {pays_enough, offsetof(struct wf_adm_stats, solve_underpaid)},
    {work_is_done, offsetof(struct wf_adm_stats, solve_bad_work)},
    {boxes_may_be_tried, offsetof(struct wf_adm_stats, solve_duplicate)},
    {queue_takes_it, offsetof(struct wf_adm_stats, solve_queue_full)},
};

/* When its turn has come. Keys may have died and a twin may have made the session by then. */
static const struct check dear[] = {
    {epoch_lives, offsetof(struct wf_adm_stats, solve_bad_epoch)},
    {ts_lives, offsetof(struct wf_adm_stats, solve_bad_ts)},
    {is_first, offsetof(struct wf_adm_stats, solve_duplicate)},
    {there_is_room, offsetof(struct wf_adm_stats, solve_table_full)},
    {boxes_are_new, offsetof(struct wf_adm_stats, solve_duplicate)},
    {box0_opens, offsetof(struct wf_adm_stats, solve_bad_box)},
    {box1_opens, offsetof(struct wf_adm_stats, solve_bad_box)},
    {client_is_somebody_else, offsetof(struct wf_adm_stats, solve_bad_key)},
    {box2_opens, offsetof(struct wf_adm_stats, solve_bad_box)},
    {choices_are_right, offsetof(struct wf_adm_stats, solve_bad_choice)},
};

/* True when all hold; else the first that does not is counted. */
static bool all_hold(struct attempt *t, const struct check *checks, size_t count)
{
    size_t passed = 0;

    while (passed < count && checks[passed].holds(t))
        passed++;
    if (passed == count)
        return true;
    void *at = (uint8_t *)&t->a->stats + checks[passed].counter;
    (*(uint64_t *)at)++;
    return false;
}

/* SPEC 1.10-6: neither how many groups there are nor what came of it shows in the time. */
static void spend_up_to(struct attempt *t, struct wf_adm_curves all)
{
    WEFT_ASSERT(t->spent.dh <= all.dh);
    WEFT_ASSERT(t->spent.map <= all.map);
    wf_adm_spend(t->a, (struct wf_adm_curves){.dh = all.dh - t->spent.dh,
                                              .map = all.map - t->spent.map,
                                              .base = all.base - t->spent.base});
}

static void fail(struct attempt *t)
{
    if (!t->at_curves || !wf_adm_is_limited(t->a, &t->s))
        return;
    t->spent.base = wf_adm_decoy_need(t->a, t->entry);
    spend_up_to(t, WF_ADM_CURVES_ALL);
    answer_with_decoy(t); /* SPEC 1.10-8 */
}

static void accept(struct attempt *t)
{
    struct wf_adm *a = t->a;
    struct wf_adm_entry *e = t->entry;
    struct wf_adm_pending *p = (struct wf_adm_pending *)wf_secret_get(a->pending_arena);
    WEFT_ASSERT(p != NULL); /* wf_adm_has_work saw to it */

    p->until = t->now + WF_ADM_KEEP_US;
    p->entry = (uint32_t)(e - a->table.entries);
    p->solve_len = t->datagram.len;
    p->one_way = t->out->one_way;
    p->is_limited = wf_adm_is_limited(a, &t->s);
    if (p->is_limited) {
        spend_up_to(t, WF_ADM_CURVES_ACCEPT);
        p->epoch = t->s.head.epoch;
        wf_hash(p->solve_hash, &t->datagram, 1);
    }
    memcpy(p->cid, t->out->body.cid, sizeof p->cid);
    memcpy(p->e_c, t->s.e_c, sizeof p->e_c);
    memcpy(p->client_dh, t->client_dh, sizeof p->client_dh);
    p->schedule = t->schedule;
    wf_list_push_back(&a->pending, &p->link);
    e->of.pending = p;
    e->serial = ++a->serial != 0 ? a->serial : ++a->serial;
    wf_adm_enter(e, WF_ADM_ENTRY_PENDING);

    t->out->ticket = wf_adm_ticket(a, e);
    t->out->solve_len = t->datagram.len;
    t->out->kind = WF_ADM_ACCEPT;
    a->stats.accepted++;
    a->stats.accepted_limited += t->out->limited;
}

void wf_adm_solve(struct wf_adm *a, weft_time now, weft_span datagram, struct wf_adm_result *out)
{
    struct attempt t = {.a = a, .now = now, .datagram = datagram, .out = out};

    a->stats.solve++;
    if (wf_solve_get(datagram, &t.s) != WEFT_OK) {
        a->stats.solve_bad_length++;
        return;
    }
    if (wf_adm_shard_takes(a, now, &t.s, datagram.len, out)) {
        (void)all_hold(&t, cheap, WF_ARRAY_LEN(cheap));
    }
}

/* Accepted SOLVEs that wait for wf_adm_confirm do so for a few milliseconds: while there are too
 * many of them, the others keep their places. */
bool wf_adm_has_work(const struct wf_adm *a)
{
    return wf_queue_count(&a->queue) > 0 && wf_secret_held(a->pending_arena) < WF_ADM_PENDING_MAX;
}

/* What the curves cost, all that an accepted one still costs with them. Nominal, so that a slow
 * moment is nobody's fault. */
static uint32_t cost_of(const struct attempt *t)
{
    if (!t->at_curves)
        return 0;
    if (t->out->kind == WF_ADM_ACCEPT || wf_adm_is_limited(t->a, &t->s))
        return WHOLE_COST_US;
    return t->spent.dh * DH_COST_US + t->spent.map * MAP_COST_US;
}

static void serve(struct attempt *t, const struct wf_queue_ticket *ticket)
{
    weft_err err = wf_solve_get(t->datagram, &t->s);

    WEFT_ASSERT(err == WEFT_OK); /* it was read before */
    if (all_hold(t, dear, WF_ARRAY_LEN(dear))) {
        accept(t);
    } else {
        fail(t);
    }
    if (cost_of(t) > 0) {
        wf_adm_charge(t->a, t->now, &t->out->path.from, cost_of(t)); /* SPEC 1.7-8 */
        wf_price_served(&t->a->price, ticket->paid, ticket->multiplier);
    }
    wf_wipe(&t->schedule, sizeof t->schedule);
}

bool wf_adm_next(struct wf_adm *a, weft_time now, struct wf_adm_result *out)
{
    struct attempt t = {.a = a, .now = now, .out = out};

    if (!wf_adm_has_work(a))
        return false;
    const struct wf_queue_entry *e = wf_queue_first(&a->queue);
    const struct wf_adm_waiting *w = (const struct wf_adm_waiting *)e->payload;
    t.datagram = wf_span(w->bytes, w->len);
    t.mark = e->ticket.mark;
    out->kind = WF_ADM_DROP;
    out->reply_len = 0;
    out->path = w->path;
    wf_adm_rotate_epoch(a, now);
    serve(&t, &e->ticket);
    wf_queue_drop_first(&a->queue);
    return true;
}
