/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_hint.c - sessions that one end has lost (docs/spec/1-handshake.md, 1.6): a server says that
 * it knows none, a client takes it for what it is, a word without proof.
 *
 * A HINT costs the client a look at the sessions with that address. Only one that echoes what was
 * just sent has an effect: the session is doubted. A handshake goes on beside it, and it is asked
 * whether it lives. What it says decides; when it says nothing it ends as soon as the new one
 * stands.
 */
#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "endpoint/core_priv.h"
#include "wire/packet.h"

/* SPEC 1.6-1: so many at once and one in so long, so at most 100 in any second. */
#define HINT_BURST 20u
#define HINT_EVERY_US 12500u
#define HINT_AGAIN_US ((weft_time)60000000) /* SPEC 1.6-2 */
#define HINT_PROVED_US ((uint64_t)1000000)  /* SPEC 1.6-9 */

/* One token in HINT_EVERY_US, at most HINT_BURST of them: the time at which the bucket will be full
 * says how many there are. */
static bool may_hint(struct wf_core *c, weft_time now)
{
    weft_time full_at = c->hint_free_at > now ? c->hint_free_at : now;

    if (full_at - now > (weft_time)(HINT_BURST - 1) * HINT_EVERY_US)
        return false;
    c->hint_free_at = full_at + HINT_EVERY_US;
    return true;
}

static struct wf_list *place_of(struct wf_core *c, const struct wf_addr *a)
{
    uint8_t bytes[sizeof a->ip + 2];

    memcpy(bytes, a->ip, sizeof a->ip);
    bytes[sizeof a->ip] = (uint8_t)(a->port >> 8);
    bytes[sizeof a->ip + 1] = (uint8_t)a->port;
    return &c->places[wf_siphash64(c->place_key, wf_span(bytes, sizeof bytes)) % CORE_PLACES];
}

/* Puts a client's session where a HINT from its peer's address finds it. */
void hint_place(struct session *s)
{
    wf_list_remove(&s->place_link);
    if (s->role == WF_ROLE_CLIENT && s->state == SESSION_OPEN)
        wf_list_push_back(place_of(s->core, wf_chan_remote(s->chan)), &s->place_link);
}

static struct session *find(struct wf_core *c, const struct wf_addr *from, const uint8_t tag[16])
{
    for (struct wf_link *l = place_of(c, from)->first; l != NULL; l = l->next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, place_link);

        if (wf_chan_is_hint(s->chan, from, tag))
            return s;
    }
    return NULL;
}

/* SPEC 1.6-1, 1.6-3 */
void hint_answer(struct wf_core *c, weft_time now, const struct wf_datagram *d, weft_span packet)
{
    uint8_t bytes[WF_HINT_LEN];
    const uint8_t *cid = NULL;
    const uint8_t *tag = NULL;

    if (c->adm == NULL || c->shut || !wf_addr_is_unicast_peer(&d->from))
        return;
    if (packet.len <= WF_HINT_LEN || !wf_packet_peek(packet, &cid, &tag))
        return;
    if (find(c, &d->from, tag) != NULL || !may_hint(c, now)) /* our own packet came back */
        return;
    core_answer(c, &d->from, &d->to, wf_span(bytes, wf_hint_put(tag, bytes, sizeof bytes)));
    c->stats.hints_sent++;
}

static void doubt(struct session *s, weft_time now)
{
    s->asks = false;
    s->doubted_at = now;
    s->doubt_until = now + wf_chan_patience_us(s->chan);
    wf_chan_ping(s->chan); /* SPEC 1.6-6 */
    session_touch(s);
}

static void trust(struct session *s)
{
    s->asks = false;
    s->doubted_at = 0;
    s->doubt_until = WEFT_TIME_NEVER;
}

/* A peer that lost one session has lost them all: each is asked. */
static void doubt_all(const struct session *first, const struct session *made, weft_time now)
{
    for (struct wf_link *l = first->peer->sessions.first; l != NULL; l = l->next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, peer_link);

        if (s != made && s->role == WF_ROLE_CLIENT && s->state == SESSION_OPEN &&
            wf_addr_equal(wf_chan_remote(s->chan), wf_chan_remote(first->chan)))
            doubt(s, now);
    }
}

static void count_taken(struct peer *p, weft_time now)
{
    if (now >= p->hint_next + HINT_AGAIN_US)
        p->hint_wait_us = 0;
    p->hint_at = now;
    p->hint_next = now + HINT_AGAIN_US;
}

/* The peer had lost the session. Who loses them again and again is called ever less often.
 * SPEC 1.6-9 */
static void count_proved(struct peer *p)
{
    const uint64_t wait_us = p->hint_wait_us == 0 ? HINT_PROVED_US : 2 * p->hint_wait_us;

    if (p->hint_next != p->hint_at + HINT_AGAIN_US || wait_us > HINT_AGAIN_US)
        return; /* counted with another session */
    p->hint_wait_us = wait_us;
    p->hint_next = p->hint_at + wait_us;
}

/* A handshake beside a session that the peer seems to have lost. False: not now. */
static bool begin_anew(struct session *s, weft_time now, const struct wf_addr *at)
{
    struct wf_core *c = s->core;
    struct wf_core_send_params again = {.address = *at};
    struct session *made = NULL;

    if (c->shut || now < s->peer->hint_next)
        return false;
    memcpy(again.to, s->key, sizeof again.to);
    again.one_way = (s->peer->name[32] & ~SHOWN_IN_GROUP) == SHOWN_NOBODY;
    again.show_own_key = (s->peer->name[32] & ~SHOWN_IN_GROUP) == SHOWN_OWN;
    again.pin = s->has_pin ? &s->pin : NULL;
    if (session_call_new(c, now, &again, &made) != WEFT_OK)
        return false;
    count_taken(s->peer, now);
    doubt_all(s, made, now);
    return true;
}

/* SPEC 1.6-2, 1.6-4, 1.6-5 */
void hint_recv(struct wf_core *c, weft_time now, const struct wf_datagram *d, weft_span packet)
{
    struct session *s = NULL;
    uint8_t tag[WF_PACKET_TAG];

    if (wf_hint_get(packet, tag) != WEFT_OK) {
        c->stats.dropped_malformed++;
        return;
    }
    s = c->shut ? NULL : find(c, &d->from, tag);
    if (s == NULL || (s->doubted_at != 0 && !s->asks) || now < s->peer->hint_next) {
        c->stats.dropped_unknown++;
        return;
    }
    if (begin_anew(s, now, &d->from))
        c->stats.hints_taken++;
}

/* A session that was silent for long asks whether it lives. SPEC 4.6-9 */
void hint_ask(struct session *s, weft_time now)
{
    if (s->state != SESSION_OPEN || s->doubted_at != 0 || !wf_chan_is_asking(s->chan))
        return;
    s->asks = true;
    s->doubted_at = now;
    s->doubt_until = now + wf_chan_patience_us(s->chan);
}

/* Packets of the session arrived. SPEC 1.6-6 */
void hint_heard(struct session *s)
{
    if (s->doubted_at == 0 || s->state != SESSION_OPEN)
        return;
    if (s->asks ? !wf_chan_is_asking(s->chan) : wf_chan_was_heard(s->chan, s->doubted_at))
        trust(s);
}

/* A handshake that began with the doubt or later: one that has succeeded, else one that goes on. */
static struct session *successor_of(const struct session *s)
{
    struct session *best = NULL;

    for (struct wf_link *l = s->peer->sessions.first; l != NULL; l = l->next) {
        struct session *other = WF_CONTAINER_OF(l, struct session, peer_link);

        if (other == s || other->doubted_at != 0 || other->created < s->doubted_at)
            continue;
        if (other->state == SESSION_OPEN)
            return other;
        if (other->state == SESSION_CALLING)
            best = other;
    }
    return best;
}

static void replace(struct session *s, struct session *by)
{
    struct wf_link *next = NULL;

    count_proved(s->peer);
    for (struct wf_link *l = s->messages.first; l != NULL; l = next) {
        next = l->next;
        message_move(WF_CONTAINER_OF(l, struct message, link), by);
    }
    session_end(s, WEFT_ERR_CLOSED, 0);
}

/* No answer is an answer too: the peer is called where it was last said to be. SPEC 4.6-9 */
static void call_the_silent(struct session *s, weft_time now)
{
    const struct wf_addr *said = &s->peer->said_at;

    if (begin_anew(s, now, wf_addr_is_set(said) ? said : wf_chan_remote(s->chan)))
        return;
    if (now < s->peer->hint_next)
        s->doubt_until = s->peer->hint_next;
    else
        trust(s);
}

/* The time of doubt is over. SPEC 1.6-7 */
void hint_tick(struct session *s, weft_time now)
{
    struct session *successor = NULL;

    if (s->state != SESSION_OPEN || s->doubted_at == 0 || now < s->doubt_until)
        return;
    s->doubt_until = WEFT_TIME_NEVER;
    successor = successor_of(s);
    if (successor == NULL && s->asks)
        call_the_silent(s, now);
    else if (successor == NULL)
        trust(s);
    else if (successor->state == SESSION_OPEN)
        replace(s, successor); /* else hint_review comes back to it */
}

/* The session stands now, or has ended: those that wait for it are due. */
void hint_review(struct session *s)
{
    for (struct wf_link *l = s->peer == NULL ? NULL : s->peer->sessions.first; l != NULL;
         l = l->next) {
        struct session *old = WF_CONTAINER_OF(l, struct session, peer_link);

        if (old->state != SESSION_OPEN || old->doubted_at == 0 ||
            old->doubt_until != WEFT_TIME_NEVER)
            continue;
        old->doubt_until = 0;
        session_touch(old);
    }
}
