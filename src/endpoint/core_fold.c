/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_fold.c - sessions at rest (docs/spec/4-transport.md 4.6): one with nothing under way becomes
 * a record in the vault, found by connection id and by peer, and a session again with the first
 * packet that opens or the first message to the peer.
 *
 * It must never hold two copies of one session, nor change anything for a packet that did not open.
 *
 *   record:  size   field
 *            1..10  id of the session
 *               1   what is known of the peer: enum presence_flags
 *               1   what we show to it (enum shown), or 255
 *               1   group
 *            0, 32  its key, unless it is nobody
 *            rest   transport/chan_fold.c
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/core_fold.h"
#include "wire/packet.h"

enum presence_flags { PRESENCE_NOBODY = 1, PRESENCE_LIMITED = 2, PRESENCE_SERVER = 4 };

#define NO_NAME 255u
#define AGAIN_MIN_US ((uint64_t)100000)

/* What is read from a record. */
struct opened {
    uint64_t id;
    uint8_t flags, shown, group;
    uint8_t key[32];
    struct wf_chan_folded chan;
};

/* --- folding --- */

static bool is_told(const struct session *s)
{
    return s->told && s->begun.link.list == NULL && s->ended.link.list == NULL &&
           s->core->taken_session != s && (s->call == NULL || s->call->refused.link.list == NULL);
}

/* SPEC 4.6-1. Who was called by a name stays, for the record has no room for it. */
static bool may_fold(const struct session *s, weft_time now)
{
    if (s->state != SESSION_OPEN || s->rank_link.list != &s->core->idle || s->hs != NULL)
        return false;
    if (!is_told(s) || s->has_pin || s->doubted_at != 0 || s->refusals.count > 0 || s->charged > 0)
        return false;
    if (s->peer != NULL && now < s->peer->hint_next) /* SPEC 1.6-2 outlives it */
        return false;
    return s->cid_count > 0 && s->cid_count <= PRESENCE_CIDS && wf_chan_can_fold(s->chan);
}

static void put_session(const struct session *s, struct wf_writer *w)
{
    wf_write_varint(w, s->id);
    wf_write_u8(w, (uint8_t)((s->nobody ? PRESENCE_NOBODY : 0u) |
                             (s->limited ? PRESENCE_LIMITED : 0u) |
                             (s->role == WF_ROLE_SERVER ? PRESENCE_SERVER : 0u)));
    wf_write_u8(w, s->peer == NULL ? NO_NAME : s->peer->name[32]);
    wf_write_u8(w, s->group);
    if (!s->nobody)
        wf_write_bytes(w, s->key, sizeof s->key);
}

/* The whole record, zeros behind it; its length, 0: it does not fit. */
static size_t write_record(const struct session *s, uint8_t *record, struct wf_chan_ids *ids)
{
    struct wf_writer w = wf_writer_of(record, PRESENCE_LEN);

    memset(record, 0, PRESENCE_LEN);
    put_session(s, &w);
    return wf_chan_fold(s->chan, &w, ids) && ids->count == s->cid_count ? w.len : 0;
}

static weft_err try_keep(struct session *s, weft_time now)
{
    struct wf_core *c = s->core;
    struct wf_chan_ids ids;
    struct presence p = {.folded_at = now, .has_name = s->peer != NULL};
    weft_err err = WEFT_ERR_LIMIT;

    p.len = (uint16_t)write_record(s, c->rest.scratch->record, &ids);
    if (p.len > 0) {
        p.cid_count = (uint8_t)ids.count;
        memcpy(p.cids, ids.cids, ids.count * sizeof p.cids[0]);
        if (p.has_name)
            p.name = presence_hash(c, s->peer->name, PEER_NAME_LEN);
        err = presence_keep(c, &p);
    }
    wf_wipe(c->rest.scratch->record, PRESENCE_LEN); /* SPEC 4.6-6 */
    return err;
}

/* Who goes to make room takes the scratch too: the record is written after it. */
static weft_err keep(struct session *s, weft_time now)
{
    weft_err err = WEFT_OK;

    presence_make_place(s->core, now);
    err = try_keep(s, now);
    if (err == WEFT_ERR_NOMEM && presence_drop_oldest(s->core, now))
        err = try_keep(s, now);
    return err;
}

/* SPEC 4.6-1 */
bool presence_fold(struct session *s, weft_time now)
{
    struct wf_core *c = s->core;

    if (c->shut || c->config.fold_us == UINT64_MAX || !may_fold(s, now))
        return false;
    if (presence_make_parts(c) != WEFT_OK || keep(s, now) != WEFT_OK)
        return false;
    c->stats.folds++;
    session_free(s);
    return true;
}

/* --- looking --- */

static uint32_t find_cid(const struct wf_core *c, const uint8_t cid[WF_CID_LEN])
{
    const uint64_t hash = presence_hash(c, cid, WF_CID_LEN);

    for (uint32_t id = wf_index_first(&c->rest.index, hash); id != WF_INDEX_NONE;
         id = wf_index_next(&c->rest.index, id)) {
        if (presence_has_cid(presence_at(c, id / PRESENCE_IDS), id, cid))
            return id / PRESENCE_IDS;
    }
    return WF_VAULT_NONE;
}

/* Into the scratch, which the caller wipes. */
static bool open_record(struct wf_core *c, uint32_t slot, struct opened *out)
{
    const struct presence *p = presence_at(c, slot);
    const uint8_t *record = c->rest.scratch->record;
    struct wf_reader r = wf_reader_of((weft_span){record, p->len});

    *out = (struct opened){.chan.forged = p->forged};
    if (!wf_vault_get(c->rest.vault, slot, c->rest.scratch->record))
        return false;
    out->id = wf_read_varint(&r);
    out->flags = wf_read_u8(&r);
    out->shown = wf_read_u8(&r);
    out->group = wf_read_u8(&r);
    if ((out->flags & PRESENCE_NOBODY) == 0)
        wf_read_bytes(&r, out->key, sizeof out->key);
    out->chan.bytes = wf_read_rest(&r);
    out->chan.ours.count = p->cid_count;
    memcpy(out->chan.ours.cids, p->cids, p->cid_count * sizeof p->cids[0]);
    return wf_reader_ok(&r);
}

static void wipe_scratch(struct wf_core *c)
{
    wf_wipe(c->rest.scratch, sizeof *c->rest.scratch);
}

/* --- waking --- */

static weft_err fill(struct session *s, weft_time now, const struct opened *o)
{
    struct wf_chan_config config = session_chan_config(s);
    weft_err err = WEFT_OK;

    for (size_t i = 0; i < o->chan.ours.count && err == WEFT_OK; i++)
        err = session_add_cid(s, o->chan.ours.cids[i]);
    if (err == WEFT_OK)
        err = wf_chan_unfold(&s->chan, &config, now, &o->chan);
    if (err == WEFT_OK && o->shown != NO_NAME)
        err = session_bind_peer(s, o->key, o->shown);
    if (err != WEFT_OK)
        return err;
    s->id = o->id;
    memcpy(s->key, o->key, sizeof s->key);
    s->nobody = (o->flags & PRESENCE_NOBODY) != 0;
    s->limited = (o->flags & PRESENCE_LIMITED) != 0;
    s->group = o->group;
    s->remote = *wf_chan_remote(s->chan);
    s->maybe_sent = true;
    s->told = true; /* SPEC 4.6-10 */
    s->created = 0; /* it is nobody's successor */
    session_enter(s, SESSION_OPEN);
    return WEFT_OK;
}

static struct session *unfold(struct wf_core *c, weft_time now, const struct opened *o,
                              weft_err *err)
{
    const bool is_server = (o->flags & PRESENCE_SERVER) != 0;
    struct session *s = session_blank(c, now, is_server ? WF_ROLE_SERVER : WF_ROLE_CLIENT);

    *err = WEFT_ERR_NOMEM;
    if (s == NULL)
        return NULL;
    *err = fill(s, now, o);
    if (*err != WEFT_OK) {
        session_free(s);
        return NULL;
    }
    return s;
}

/* The record is open in the scratch. NULL: not now, or never when nobody knows what it says. */
static struct session *wake(struct wf_core *c, weft_time now, uint32_t slot, const struct opened *o)
{
    weft_err err = WEFT_OK;
    struct session *s = unfold(c, now, o, &err);

    if (s == NULL && err == WEFT_ERR_MALFORMED)
        presence_drop(c, slot);
    if (s == NULL)
        return NULL;
    presence_drop(c, slot);
    hint_place(s);
    session_touch(s);
    c->stats.wakes++;
    evict_for_room(c, now, s); /* SPEC 4.6-11 */
    return s;
}

/* Does it open? On a copy: the channel is to open it too. SPEC 4.6-5 */
static bool opens(struct wf_core *c, uint32_t slot, const struct opened *o,
                  const struct wf_chan_packet *packet)
{
    const struct wf_chan_trial trial = {&c->rest.scratch->keys, c->aead};
    struct wf_open copy = {.packet = c->rest.packet, .len = packet->len};
    struct presence *p = presence_at(c, slot);

    if (packet->len > PRESENCE_PACKET_MAX)
        return false;
    memcpy(c->rest.packet, packet->data, packet->len);
    if (wf_chan_would_open(&o->chan, &trial, &copy))
        return true;
    c->stats.packets_forged += copy.tag_failed;
    c->stats.packets_replayed += copy.repeated;
    p->forged += copy.tag_failed && p->forged < UINT32_MAX;
    return false;
}

/* As for a new session: it is not the idle who keep others asleep. SPEC 4.6-11 */
static bool make_room(struct wf_core *c, weft_time now)
{
    if (c->all.count >= c->config.sessions_max)
        evict_for_room(c, now, NULL);
    return c->all.count < c->config.sessions_max;
}

/* A packet that opens. Folding another session for it takes the scratch, and may drop this one. */
static struct session *wake_by_packet(struct wf_core *c, weft_time now,
                                      const uint8_t cid[WF_CID_LEN], struct opened *o)
{
    uint32_t slot = find_cid(c, cid);

    if (c->all.count >= c->config.sessions_max) {
        if (!make_room(c, now))
            return NULL;
        slot = find_cid(c, cid);
        if (slot == WF_VAULT_NONE || !open_record(c, slot, o))
            return NULL;
    }
    return wake(c, now, slot, o);
}

enum presence_found presence_recv(struct wf_core *c, weft_time now, const uint8_t cid[WF_CID_LEN],
                                  const struct wf_chan_packet *packet, struct session **out)
{
    uint32_t slot = WF_VAULT_NONE;
    struct session *s = NULL;
    struct opened o;

    dormant_recall_cid(c, now, cid);
    if (presences_count(c) > 0)
        slot = find_cid(c, cid);
    if (slot == WF_VAULT_NONE)
        return PRESENCE_UNKNOWN;
    if (!open_record(c, slot, &o))
        presence_drop(c, slot); /* somebody wrote into our memory */
    else if (opens(c, slot, &o, packet))
        s = wake_by_packet(c, now, cid, &o);
    wf_wipe(c->rest.packet, packet->len < PRESENCE_PACKET_MAX ? packet->len : PRESENCE_PACKET_MAX);
    wipe_scratch(c);
    if (s == NULL)
        return PRESENCE_SLEEPS;
    *out = s;
    return PRESENCE_AWAKE;
}

static bool is_named(const struct opened *o, const uint8_t name[PEER_NAME_LEN])
{
    return memcmp(o->key, name, sizeof o->key) == 0 && o->shown == name[32];
}

/* As is_stale of core_session.c. */
static bool is_stale(const struct wf_core *c, uint32_t slot, weft_time now, const struct opened *o)
{
    return (o->flags & PRESENCE_SERVER) != 0 &&
           now - presence_at(c, slot)->folded_at >= c->config.idle_ms * 1000;
}

struct session *presence_call(struct wf_core *c, weft_time now, const uint8_t name[PEER_NAME_LEN],
                              bool can_call)
{
    struct session *s = NULL;
    uint32_t id = WF_INDEX_NONE;
    struct opened o;

    dormant_recall_name(c, now, presence_hash(c, name, PEER_NAME_LEN));
    if (presences_count(c) == 0 || !make_room(c, now))
        return NULL;
    for (id = wf_index_first(&c->rest.index, presence_hash(c, name, PEER_NAME_LEN));
         id != WF_INDEX_NONE; id = wf_index_next(&c->rest.index, id)) {
        if (id % PRESENCE_IDS == PRESENCE_NAME_AT && open_record(c, id / PRESENCE_IDS, &o) &&
            is_named(&o, name) && !(can_call && is_stale(c, id / PRESENCE_IDS, now, &o)))
            break;
    }
    if (id != WF_INDEX_NONE)
        s = wake(c, now, id / PRESENCE_IDS, &o);
    wipe_scratch(c);
    return s;
}

/* --- time --- */

/* A whole session is much to keep for a day, and some peers could make theirs such that it never
 * folds. SPEC 4.6-12 */
static weft_time unfolded_until(const struct session *s)
{
    const struct wf_core *c = s->core;
    const bool is_bound = c->config.fold_us != UINT64_MAX && presence_rest_us(c) > CORE_UNFOLDED_US;

    return presence_after(wf_chan_heard_at(s->chan),
                          is_bound ? CORE_UNFOLDED_US : presence_rest_us(c));
}

/* When it has been looked at whether the session can fold. */
weft_time presence_fold_at(const struct session *s)
{
    const struct wf_core *c = s->core;

    if (c->config.fold_us == UINT64_MAX || s->has_pin)
        return unfolded_until(s);
    return presence_after(wf_chan_heard_at(s->chan), c->config.fold_us);
}

/* True when the session is a presence now, and no session any more. */
bool presence_tick_session(struct session *s, weft_time now)
{
    const weft_time first = presence_fold_at(s);
    const uint64_t again_us = now > first + AGAIN_MIN_US ? now - first : AGAIN_MIN_US;

    if (s->state != SESSION_OPEN || s->rank_link.list != &s->core->idle || now < s->fold_at)
        return false;
    s->fold_at = first;
    if (now < first)
        return false;
    if (presence_fold(s, now))
        return true;
    const weft_time end = unfolded_until(s);
    const weft_time again = presence_after(now, again_us); /* ever less often */

    if (now >= end)
        session_end(s, WEFT_ERR_TIMEOUT, WF_CODE_IDLE);
    s->fold_at = again < end ? again : end;
    return false;
}
