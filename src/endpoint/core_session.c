/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_session.c - sessions: made by a call or an accepted SOLVE, found by key or connection id,
 * ended once.
 */
#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "endpoint/core_priv.h"

/* Which state may follow which. SPEC 1.14-3, 1.14-4 */
static const uint8_t legal[SESSION_STATES] = {
    [SESSION_CALLING] = 1u << SESSION_OPEN | 1u << SESSION_ENDED,
    [SESSION_CONFIRMING] = 1u << SESSION_OPEN | 1u << SESSION_ENDED,
    [SESSION_OPEN] = 1u << SESSION_ENDED,
};

/* The only writer of s->state after session_new. */
void session_enter(struct session *s, enum session_state next)
{
    WEFT_ASSERT((legal[s->state] & 1u << next) != 0);
    s->state = next;
}

struct wf_chan_config session_chan_config(struct session *s)
{
    struct wf_core *c = s->core;
    struct wf_chan_config config = {
        .mem = &s->mem,
        .rng = c->rng,
        .aead = c->aead,
        .secrets = c->secrets,
        .role = s->role,
        .cids = c->config.shards.ids,
        .pipes = &c->pipes,
        .owner = s,
        .params = core_params(c),
        .congestion = c->config.congestion,
        .keylog = c->config.keylog,
        .trace = c->config.trace,
    };

    memcpy(config.cid_rx, s->cids[0], WF_CID_LEN);
    return config;
}

struct session *session_blank(struct wf_core *c, weft_time now, enum wf_role role)
{
    struct session *s = NULL;

    if (c->shut || c->all.count >= c->config.sessions_max)
        return NULL;
    s = wf_alloc(c->mem, sizeof *s);
    if (s == NULL)
        return NULL;
    s->core = c;
    s->role = role;
    s->state = role == WF_ROLE_CLIENT ? SESSION_CALLING : SESSION_CONFIRMING;
    s->created = now;
    s->doubt_until = WEFT_TIME_NEVER;
    wf_mem_child(&s->mem, c->mem, c->config.peer_memory_max);
    wf_list_push_back(&c->all, &s->all_link);
    return s;
}

static weft_err make_chan(struct session *s, weft_time now)
{
    struct wf_chan_config config;
    uint8_t cid[WF_CID_LEN];
    weft_err err = WEFT_OK;

    wf_cid_make(&s->core->config.shards.ids, s->core->rng, cid);
    err = session_add_cid(s, cid);
    if (err != WEFT_OK)
        return err;
    config = session_chan_config(s);
    return wf_chan_new(&s->chan, &config, now);
}

struct session *session_new(struct wf_core *c, weft_time now, enum wf_role role)
{
    struct session *s = session_blank(c, now, role);

    if (s == NULL)
        return NULL;
    s->id = c->next_session++;
    if (make_chan(s, now) != WEFT_OK) {
        session_free(s);
        return NULL;
    }
    c->stats.sessions_total++;
    return s;
}

weft_err session_add_cid(struct session *s, const uint8_t cid[WF_CID_LEN])
{
    weft_err err = WEFT_OK;

    if (s->cid_count == CORE_CIDS_MAX)
        return WEFT_ERR_LIMIT;
    err = wf_table_put(&s->core->sessions, wf_span(cid, WF_CID_LEN), s);
    if (err == WEFT_OK)
        memcpy(s->cids[s->cid_count++], cid, WF_CID_LEN);
    return err;
}

void session_drop_cid(struct session *s, const uint8_t cid[WF_CID_LEN])
{
    for (size_t i = 0; i < s->cid_count; i++) {
        if (memcmp(s->cids[i], cid, WF_CID_LEN) == 0) {
            wf_table_remove(&s->core->sessions, wf_span(cid, WF_CID_LEN));
            memmove(s->cids[i], s->cids[s->cid_count - 1], WF_CID_LEN);
            s->cid_count--;
            return;
        }
    }
}

static void drop_all_cids(struct session *s)
{
    while (s->cid_count > 0) {
        uint8_t cid[WF_CID_LEN];

        memcpy(cid, s->cids[s->cid_count - 1], WF_CID_LEN);
        session_drop_cid(s, cid);
    }
}

static void unbind_peer(struct session *s)
{
    struct peer *p = s->peer;

    if (p == NULL)
        return;
    s->peer = NULL;
    wf_list_remove(&s->peer_link);
    if (p->sessions.count > 0)
        return;
    wf_table_remove(&s->core->peers, wf_span(p->name, sizeof p->name));
    wf_free(s->core->mem, p, sizeof *p);
}

/* Who is called by a name is shown another key than who is called by the same key alone, and one
 * name may have no key yet: they are peers of their own. */
static void name_peer(uint8_t name[PEER_NAME_LEN], const uint8_t key[32], unsigned shown,
                      const struct wf_pin *pin)
{
    memcpy(name, key, 32);
    name[32] = (uint8_t)shown;
    if (pin != NULL) {
        const weft_span parts[] = {wf_span(pin->owner, 32), wf_span(key, 32),
                                   wf_span(pin->name, pin->name_len)};

        wf_hash(name, parts, WF_ARRAY_LEN(parts));
    }
}

weft_err session_bind_peer(struct session *s, const uint8_t key[32], unsigned shown)
{
    struct wf_core *c = s->core;
    uint8_t name[PEER_NAME_LEN];
    struct peer *p = NULL;

    memcpy(s->key, key, 32);
    name_peer(name, key, shown, s->has_pin ? &s->pin : NULL);
    p = wf_table_get(&c->peers, wf_span(name, sizeof name));
    if (p == NULL) {
        p = wf_alloc(c->mem, sizeof *p);
        if (p == NULL)
            return WEFT_ERR_NOMEM;
        memcpy(p->name, name, sizeof name);
        if (wf_table_put(&c->peers, wf_span(name, sizeof name), p) != WEFT_OK) {
            wf_free(c->mem, p, sizeof *p);
            return WEFT_ERR_NOMEM;
        }
    }
    s->peer = p;
    wf_list_push_front(&p->sessions, &s->peer_link);
    return WEFT_OK;
}

/* SPEC 1.12-12: only now, when who has the key was seen to have it. */
weft_err session_learn(struct session *s, const uint8_t key[32], uint64_t version)
{
    unsigned shown = s->peer->name[32];

    WEFT_ASSERT(s->has_pin);
    s->learned = true;
    s->pin.version = version;
    unbind_peer(s);
    return session_bind_peer(s, key, shown);
}

/* A call under way to another address than this one may never succeed. */
static bool calls_elsewhere(const struct session *s, const struct wf_core_send_params *p)
{
    struct wf_addr to = wf_addr_normalise(&p->address);

    return s->state == SESSION_CALLING && wf_addr_is_set(&to) && !wf_addr_equal(&s->remote, &to);
}

/* With SHOWN_IN_GROUP where the peer is called inside a group. */
static unsigned what_is_shown(const struct wf_core *c, const struct wf_core_send_params *p)
{
    unsigned where = group_call_of(c, p->to) == NULL ? 0 : SHOWN_IN_GROUP;

    if (p->one_way)
        return where + SHOWN_NOBODY;
    return where + (p->show_own_key ? SHOWN_OWN : SHOWN_FOR_PEER); /* SPEC 1.11-1 */
}

/* One that the peer began, silent for long: where we can call him, that is surer. A session of ours
 * asks instead (SPEC 4.6-9). */
static bool is_stale(const struct session *s, weft_time now)
{
    return s->role == WF_ROLE_SERVER && wf_chan_is_silent(s->chan, now);
}

/* The newest session that stands, also one at rest, else one of which the client has not shown that
 * it has it, else one that is being made, else one that the peer may have lost, else NULL. */
static struct session *find_showing(struct wf_core *c, weft_time now,
                                    const struct wf_core_send_params *to, unsigned shown)
{
    bool can_call = wf_addr_is_set(&to->address);
    uint8_t name[PEER_NAME_LEN];
    struct peer *p = NULL;
    struct session *unheard = NULL;
    struct session *making = NULL;
    struct session *doubted = NULL;
    struct session *woken = NULL;

    name_peer(name, to->to, shown, to->pin);
    p = wf_table_get(&c->peers, wf_span(name, sizeof name));
    for (struct wf_link *l = p == NULL ? NULL : p->sessions.first; l != NULL; l = l->next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, peer_link);

        if (s->state == SESSION_OPEN && s->doubted_at != 0)
            doubted = doubted == NULL ? s : doubted; /* SPEC 1.6-5 */
        else if (s->state == SESSION_OPEN && !wf_chan_is_confirmed(s->chan))
            unheard = unheard == NULL ? s : unheard;
        else if (s->state == SESSION_OPEN && !(can_call && is_stale(s, now)))
            return s;
        if (s->state != SESSION_OPEN && s->state != SESSION_ENDED && making == NULL &&
            !calls_elsewhere(s, to))
            making = s;
    }
    if (doubted == NULL)
        woken = presence_call(c, now, name, can_call);
    if (woken != NULL || unheard != NULL)
        return woken != NULL ? woken : unheard;
    return making == NULL ? doubted : making;
}

/* Who called us knows us by our own key: where the peer cannot be called, that session is what was
 * meant. */
static struct session *session_find(struct wf_core *c, weft_time now,
                                    const struct wf_core_send_params *to)
{
    unsigned shown = what_is_shown(c, to);
    struct session *s = find_showing(c, now, to, shown);

    if (s == NULL && shown == SHOWN_FOR_PEER && !wf_addr_is_set(&to->address))
        s = find_showing(c, now, to, SHOWN_OWN);
    if (s != NULL && s->peer != NULL && wf_addr_is_set(&to->address))
        s->peer->said_at = to->address;
    return s;
}

static void put_in_line(struct session *s)
{
    struct wf_core *c = s->core;
    bool is_urgent = s->state == SESSION_OPEN && wf_chan_is_urgent(s->chan);

    if (is_urgent && s->dirty_link.list == &c->dirty)
        wf_list_remove(&s->dirty_link);
    if (s->dirty_link.list == NULL)
        wf_list_push_back(is_urgent ? &c->urgent : &c->dirty, &s->dirty_link);
}

/* Puts it where it is looked after: it may have events, packets and another deadline now. */
void session_touch(struct session *s)
{
    struct wf_core *c = s->core;
    weft_time at = WEFT_TIME_NEVER;

    session_rank(s);
    put_in_line(s);
    if (s->noisy_link.list == NULL)
        wf_list_push_back(&c->noisy, &s->noisy_link);
    if (s->state != SESSION_ENDED)
        at = wf_chan_deadline(s->chan);
    if (s->hs != NULL && wf_hs_deadline(s->hs) < at)
        at = wf_hs_deadline(s->hs);
    if (s->hs != NULL && wf_hs_has_work(s->hs) && work_is_ours(s))
        at = 0; /* the next piece of work waits for nothing */
    if (s->state == SESSION_CONFIRMING && s->confirm_at < at)
        at = s->confirm_at;
    if (s->doubt_until < at)
        at = s->doubt_until;
    if (s->rank_link.list == &c->idle && s->fold_at < at)
        at = s->fold_at;
    /* Cannot fail: room for sessions_max nodes was reserved. */
    WEFT_ASSERT(wf_heap_set(&c->timers, &s->timer, at) == WEFT_OK);
}

void session_begun(struct session *s, weft_time now)
{
    s->handshake_us = now - s->created;
    s->told = true;
    note_put(s->core, &s->begun, NOTE_SESSION);
    session_start_pings(s);
    hint_place(s);
    hint_review(s);
}

static void end_pings(struct session *s, weft_err err)
{
    while (s->pings.first != NULL)
        ping_done(WF_CONTAINER_OF(s->pings.first, struct ping, link), err, 0);
}

/* The session is over: no packet comes or goes any more. Every message out gets its outcome;
 * messages in stay readable if they are whole. */
void session_end(struct session *s, weft_err err, uint64_t code)
{
    struct wf_core *c = s->core;
    struct wf_link *next = NULL;

    if (s->state == SESSION_ENDED)
        return;
    session_enter(s, SESSION_ENDED);
    s->end_err = err == WEFT_OK ? WEFT_ERR_CLOSED : err;
    s->end_code = code;
    if (s->has_ticket)
        refuse_solve(c, s->ticket, &s->remote, &s->local);
    s->has_ticket = false;
    session_rank(s);
    call_end(s);
    wf_list_remove(&s->calling_link);
    wf_list_remove(&s->dirty_link);
    wf_heap_remove(&c->timers, &s->timer);
    drop_all_cids(s);
    wf_chan_detach(s->chan);
    wf_list_remove(&s->place_link);
    hint_review(s);
    unbind_peer(s);
    refusals_drop(s);
    end_pings(s, s->end_err);
    for (struct wf_link *l = s->messages.first; l != NULL; l = next) {
        next = l->next;
        message_session_lost(c, WF_CONTAINER_OF(l, struct message, link), s->end_err, code);
    }
    if (!s->told)
        c->stats.handshakes_failed++;
    note_put(c, &s->ended, NOTE_SESSION_ENDED);
}

/* An ended session goes when its end was told and nobody reads from it any more. */
void session_release_if_done(struct session *s)
{
    if (s->state != SESSION_ENDED || s->begun.link.list != NULL || s->ended.link.list != NULL)
        return;
    if (s->messages.count == 0 && s->core->taken_session != s)
        session_free(s);
}

void session_free(struct session *s)
{
    struct wf_core *c = s->core;

    core_count(&c->stats, s);
    while (s->messages.first != NULL)
        message_free(c, WF_CONTAINER_OF(s->messages.first, struct message, link));
    while (s->pings.first != NULL)
        ping_free(c, WF_CONTAINER_OF(s->pings.first, struct ping, link));
    refusals_drop(s);
    call_free(s);
    wf_chan_free(s->chan);
    drop_all_cids(s);
    unbind_peer(s);
    wf_heap_remove(&c->timers, &s->timer);
    wf_list_remove(&s->begun.link);
    wf_list_remove(&s->ended.link);
    wf_list_remove(&s->calling_link);
    wf_list_remove(&s->place_link);
    wf_list_remove(&s->dirty_link);
    wf_list_remove(&s->noisy_link);
    wf_list_remove(&s->rank_link);
    wf_list_remove(&s->due_link);
    wf_list_remove(&s->all_link);
    WEFT_ASSERT(s->mem.held == 0);
    wf_free(c->mem, s, sizeof *s);
}

static weft_err make_hs(struct session *s, weft_time now, const struct wf_core_send_params *p)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_core *c = s->core;
    struct wf_hs_config config = {
        .mem = &s->mem,
        .rng = c->rng,
        .aead = c->aead,
        .cids = c->config.shards.ids,
        .identity = p->one_way ? NULL : c->identity,
        .pin = p->pin,
        .lists = {lists, sizeof lists},
        .wall_ms = core_wall_ms(c, now),
        .timeout_us = p->reach_within_us > 0 ? p->reach_within_us : c->config.handshake_timeout_us,
        .effort_max = c->config.effort_max,
        .work_time_us = c->config.work_time_us,
    };
    const struct group_call *call = group_call_of(c, p->to);

    memcpy(config.work_rate, c->work_rate, sizeof config.work_rate);
    if (!p->show_own_key)
        config.owner = p->pin == NULL ? p->to : p->pin->owner;
    memcpy(config.server_key, p->to, 32);
    if (call != NULL) {
        config.invitation = &call->invitation;
        config.pin = NULL; /* the invitation says which server */
        s->limited = true;
        s->holds_data = !call->first_data;
    }
    return wf_hs_new(&s->hs, &config, now);
}

/* A call, whatever sessions with that peer there are. */
weft_err session_call_new(struct wf_core *c, weft_time now, const struct wf_core_send_params *p,
                          struct session **out)
{
    struct session *s = session_new(c, now, WF_ROLE_CLIENT);
    weft_err err = WEFT_OK;

    if (s == NULL)
        return WEFT_ERR_LIMIT;
    s->remote = wf_addr_normalise(&p->address);
    s->has_pin = p->pin != NULL;
    if (s->has_pin)
        s->pin = *p->pin;
    err = session_bind_peer(s, p->to, what_is_shown(c, p));
    if (err == WEFT_OK)
        err = call_new(s);
    if (err == WEFT_OK)
        err = make_hs(s, now, p);
    if (err != WEFT_OK) {
        session_free(s);
        return err;
    }
    wf_list_push_back(&c->calling, &s->calling_link);
    c->stats.handshakes_started++;
    session_touch(s);
    *out = s;
    return WEFT_OK;
}

/* The session to a peer: one that is there, or a call. */
weft_err session_call(struct wf_core *c, weft_time now, const struct wf_core_send_params *p,
                      struct session **out)
{
    struct session *s = session_find(c, now, p);

    if (s != NULL) {
        *out = s;
        return WEFT_OK;
    }
    if (c->shut)
        return WEFT_ERR_CLOSED;
    if (!wf_addr_is_set(&p->address))
        return WEFT_ERR_ADDRESS;
    if (memcmp(p->to, c->identity->public_key, 32) == 0)
        return WEFT_ERR_USAGE; /* SPEC 1.3-6, 1.11-4 */
    return session_call_new(c, now, p, out);
}
