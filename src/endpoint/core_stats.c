/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_stats.c - what a core holds and what happened to it, its invariants, and its orderly end.
 */
#include <string.h>

#include "crypto/dh.h"
#include "endpoint/core_fold.h"

static struct session *session_at(const struct wf_core *c, size_t index)
{
    const struct wf_link *l = c->all.first;

    while (l != NULL && index-- > 0)
        l = l->next;
    return l == NULL ? NULL : (struct session *)((uintptr_t)l - offsetof(struct session, all_link));
}

void core_count(struct wf_core_stats *to, const struct session *s)
{
    struct wf_chan_stats chan;

    if (s->chan == NULL)
        return;
    wf_chan_stats(s->chan, &chan);
    to->packets_lost += chan.packets_lost;
    to->frames_resent += chan.frames_resent;
    to->packets_forged += chan.packets_forged;
    to->packets_replayed += chan.packets_replayed;
    to->pushed_back += chan.pushed_back;
}

static void count_held(struct wf_core_stats *to, const struct session *s)
{
    struct wf_chan_account a;

    to->bytes_application += s->charged;
    if (s->chan == NULL)
        return;
    wf_chan_account(s->chan, &a);
    to->bytes_unread += a.unread;
    to->bytes_waiting += a.waiting;
    to->bytes_unacknowledged += a.unacknowledged;
    to->bytes_control += a.control + a.datagrams;
    to->messages_held_back += a.messages_held_back;
    for (const struct wf_link *l = s->messages.first; l != NULL; l = l->next) {
        const struct message *m =
            (const struct message *)((uintptr_t)l - offsetof(struct message, link));

        to->messages_open_in += m->incoming;
        to->messages_open_out += !m->incoming;
    }
}

void wf_core_stats(const struct wf_core *c, struct wf_core_stats *out)
{
    *out = c->stats;
    if (c->adm != NULL)
        wf_adm_stats(c->adm, &out->adm);
    for (const struct wf_link *l = c->all.first; l != NULL; l = l->next) {
        const struct session *s =
            (const struct session *)((uintptr_t)l - offsetof(struct session, all_link));

        core_count(out, s);
        count_held(out, s);
    }
    out->sessions = c->all.count;
    out->presences = presences_count(c);
    out->presence_bytes = presences_bytes(c);
    out->dormant = c->rest.file.count;
    out->sessions_coming = c->coming.count;
    out->messages_open = wf_table_count(&c->messages);
    out->memory_held = c->mem->held;
    out->memory_max = c->mem->held_max;
    out->allocations = c->mem->allocations;
    out->secret_held = wf_secret_held(c->secrets) + wf_secret_held(c->identity_arena);
    out->curve_operations = wf_curve_operations();
}

bool wf_core_peer_stats(const struct wf_core *c, size_t index, struct wf_core_peer_stats *out)
{
    const struct session *s = session_at(c, index);

    if (s == NULL)
        return false;
    *out = (struct wf_core_peer_stats){
        .nobody = s->nobody,
        .started = s->state == SESSION_OPEN,
        .address = s->remote,
        .bytes_held = s->mem.held + sizeof *s,
        .bytes_cap = c->config.peer_memory_max,
        .bytes_application = s->charged,
        .messages_cut_off = s->cut_off,
        .handshake_us = s->handshake_us,
    };
    memcpy(out->peer, s->key, sizeof out->peer);
    wf_chan_stats(s->chan, &out->chan);
    wf_chan_account(s->chan, &out->account);
    return true;
}

void wf_core_shut(struct wf_core *c, weft_time now)
{
    static const char text[] = "going away";
    struct wf_link *next = NULL;

    core_release_taken(c);
    now = core_time(c, now);
    c->shut = true;
    presences_clear(c); /* their peers get a HINT when they call */
    for (struct wf_link *l = c->all.first; l != NULL; l = next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, all_link);

        next = l->next;
        if (s->state == SESSION_OPEN) {
            wf_chan_close(s->chan, now, WF_CODE_GOING_AWAY,
                          (weft_span){(const uint8_t *)text, sizeof text - 1});
            session_touch(s);
        } else {
            session_end(s, WEFT_ERR_CLOSED, WF_CODE_GOING_AWAY);
        }
    }
}

bool wf_core_is_quiet(const struct wf_core *c)
{
    if (c->reply_count > 0 || c->dirty.first != NULL || c->urgent.first != NULL ||
        c->notes.first != NULL)
        return false;
    for (const struct wf_link *l = c->all.first; l != NULL; l = l->next) {
        const struct session *s =
            (const struct session *)((uintptr_t)l - offsetof(struct session, all_link));

        if (s->state != SESSION_ENDED)
            return false;
    }
    return true;
}

static const char *check_session(const struct session *s)
{
    if (s->mem.held > s->mem.cap)
        return "a peer's memory is above its cap";
    if (s->state == SESSION_CALLING && s->hs == NULL)
        return "a calling session has no handshake";
    if (s->state == SESSION_OPEN && !wf_chan_is_started(s->chan))
        return "an open session has no keys";
    if (s->state == SESSION_ENDED && s->cid_count > 0)
        return "an ended session can still be called";
    if (!session_is_ranked(s))
        return "a session is not in the list it belongs to";
    return wf_chan_check(s->chan);
}

const char *wf_core_check(const struct wf_core *c)
{
    const char *wrong = presences_check(c);

    if (wrong == NULL)
        wrong = dormant_check(c);
    if (wrong != NULL)
        return wrong;
    if (c->mem->cap > 0 && c->mem->held > c->mem->cap)
        return "the node's memory is above its cap";
    if (c->all.count > c->config.sessions_max)
        return "there are more sessions than allowed";
    for (const struct wf_link *l = c->all.first; l != NULL; l = l->next) {
        const char *broken = check_session(
            (const struct session *)((uintptr_t)l - offsetof(struct session, all_link)));

        if (broken != NULL)
            return broken;
    }
    return wf_pipes_check(&c->pipes);
}
