/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_message.c - messages of both directions and their outcomes: exactly one for each that goes
 * out.
 *
 * A message out is delivered when the peer has acknowledged all of it. One that expects a reply is
 * done when it was delivered and the reply was consumed to its end. Whatever ends earlier says why,
 * and "unknown" where it may have arrived.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/core_priv.h"

#define NUMBER_KEY_LEN 17

static void number_key(uint8_t key[NUMBER_KEY_LEN], const struct session *s, bool incoming,
                       uint64_t number)
{
    wf_store_u64(key, s->id);
    wf_store_u64(key + 8, number);
    key[16] = incoming;
}

struct message *message_by_number(const struct session *s, bool incoming, uint64_t number)
{
    uint8_t key[NUMBER_KEY_LEN];

    number_key(key, s, incoming, number);
    return wf_table_get(&s->core->numbers, wf_span(key, sizeof key));
}

struct message *message_get(const struct wf_core *c, uint64_t id, bool incoming)
{
    struct message *m = wf_table_get_u64(&c->messages, id);

    return m != NULL && m->incoming == incoming ? m : NULL;
}

struct message *message_new(struct session *s, bool incoming, uint64_t number)
{
    struct wf_core *c = s->core;
    struct message *m = wf_alloc(c->mem, sizeof *m);
    uint8_t key[NUMBER_KEY_LEN];

    if (m == NULL)
        return NULL;
    m->session = s;
    m->id = c->next_message++;
    m->incoming = incoming;
    m->number = number;
    number_key(key, s, incoming, number);
    if (wf_table_put_u64(&c->messages, m->id, m) != WEFT_OK) {
        wf_free(c->mem, m, sizeof *m);
        return NULL;
    }
    if (wf_table_put(&c->numbers, wf_span(key, sizeof key), m) != WEFT_OK) {
        wf_table_remove_u64(&c->messages, m->id);
        wf_free(c->mem, m, sizeof *m);
        return NULL;
    }
    wf_list_push_back(&s->messages, &m->link);
    stall_watch(m);
    session_rank(s);
    return m;
}

/* A CONFIRM may have waited for this message's reply. */
static void settle_early(struct message *m)
{
    if (m->early && m->session != NULL)
        m->session->unanswered--;
    m->early = false;
}

/* The session and the channel know it no longer. */
static void detach(struct wf_core *c, struct message *m)
{
    uint8_t key[NUMBER_KEY_LEN];

    if (m->session == NULL)
        return;
    settle_early(m);
    number_key(key, m->session, m->incoming, m->number);
    wf_table_remove(&c->numbers, wf_span(key, sizeof key));
    wf_list_remove(&m->link);
    wf_list_remove(&m->watch_link);
    m->session->charged -= m->charged;
    session_rank(m->session);
    m->session = NULL;
}

void message_free(struct wf_core *c, struct message *m)
{
    detach(c, m);
    wf_heap_remove(&c->expiries, &m->timer);
    wf_list_remove(&m->note.link);
    wf_table_remove_u64(&c->messages, m->id);
    m->is_gone = true;
    if (m->refusal.link.list == NULL)
        wf_free(c->mem, m, sizeof *m);
}

weft_err code_to_err(uint64_t code)
{
    switch (code) {
    case WF_CODE_PROTOCOL:
        return WEFT_ERR_PROTOCOL;
    case WF_CODE_LIMIT:
        return WEFT_ERR_LIMIT;
    case WF_CODE_CANCELLED:
        return WEFT_ERR_CANCELLED;
    case WF_CODE_NO_SERVICE:
        return WEFT_ERR_REFUSED;
    case WF_CODE_DENIED:
        return WEFT_ERR_DENIED;
    case WF_CODE_EXPIRED:
    case WF_CODE_IDLE:
        return WEFT_ERR_TIMEOUT;
    case WF_CODE_NOMEM:
        return WEFT_ERR_NOMEM;
    case WF_CODE_UNREAD:
        return WEFT_ERR_UNREAD;
    default:
        if (code > WF_CODE_APPLICATION && code - WF_CODE_APPLICATION <= WEFT_ERR_UNREAD)
            return (weft_err)(code - WF_CODE_APPLICATION); /* a refusal with its reason */
        return code >= WF_CODE_APPLICATION ? WEFT_ERR_REFUSED : WEFT_ERR_CLOSED;
    }
}

/* What the session had cost until now. */
static void note_cost(struct message *m)
{
    struct wf_chan_stats stats;

    if (m->session == NULL)
        return;
    wf_chan_stats(m->session->chan, &stats);
    m->packets = m->session->handshake_packets + stats.packets_sent + stats.packets_received;
    m->resent = stats.frames_resent;
    m->handshake_us = m->called ? m->session->handshake_us : 0;
}

/* The one place where an outcome is decided. The message leaves its session; the note hands it to
 * the application. */
void message_outcome(struct wf_core *c, struct message *m, enum wf_core_outcome outcome,
                     weft_err err, uint64_t code)
{
    struct message *reply = NULL;

    if (m->has_outcome)
        return;
    m->has_outcome = true;
    m->outcome = outcome;
    m->err = err;
    m->code = code;
    note_cost(m);
    wf_heap_remove(&c->expiries, &m->timer);
    if (m->session != NULL && m->session->state != SESSION_ENDED && !m->delivered)
        wf_chan_cancel(m->session->chan, m->number,
                       code == WF_CODE_NONE ? WF_CODE_CANCELLED : code);
    detach(c, m);
    note_put(c, &m->note, NOTE_OUTCOME);
    reply = outcome == WF_OUTCOME_REPLIED ? NULL : message_get(c, m->reply_id, true);
    if (reply != NULL)
        message_broken(c, reply, err == WEFT_OK ? WEFT_ERR_CANCELLED : err, code);
}

/* An incoming message will never be whole. Its id stays until it is released. */
void message_broken(struct wf_core *c, struct message *m, weft_err err, uint64_t code)
{
    struct message *request = message_get(c, m->reply_to_id, false);

    if (m->broken || m->whole)
        return;
    m->broken = true;
    m->err = err;
    m->code = code;
    settle_early(m);
    note_put(c, &m->note, NOTE_BROKEN);
    if (request != NULL)
        message_outcome(c, request,
                        err == WEFT_ERR_TIMEOUT || err == WEFT_ERR_CLOSED ? WF_OUTCOME_UNKNOWN
                                                                          : WF_OUTCOME_FAILED,
                        err, code);
}

/* The reply that is here whole, read or not; NULL when there is none. */
static const struct message *whole_reply(const struct wf_core *c, const struct message *m)
{
    const struct message *reply = message_get(c, m->reply_id, true);
    bool is_here = reply != NULL && reply->session != NULL &&
                   wf_chan_is_whole(reply->session->chan, reply->number);

    return is_here ? reply : NULL;
}

/* The session of a message ended. Nobody answers what he has not got, except where a message is
 * open-ended: then its reply says nothing of its own end. */
void message_session_lost(struct wf_core *c, struct message *m, weft_err err, uint64_t code)
{
    bool maybe = m->session->maybe_sent && wf_chan_was_sent(m->session->chan, m->number);
    const struct message *reply = NULL;

    if (m->incoming) {
        if (!wf_chan_is_whole(m->session->chan, m->number))
            message_broken(c, m, err, code);
        return;
    }
    if (m->expect_reply && (m->delivered || !m->open_ended))
        reply = whole_reply(c, m);
    if (reply == NULL) {
        message_outcome(c, m, maybe ? WF_OUTCOME_UNKNOWN : WF_OUTCOME_FAILED, err, code);
        return;
    }
    m->delivered = true;
    if (reply->whole)
        message_outcome(c, m, WF_OUTCOME_REPLIED, WEFT_OK, 0);
}

/* Another session carries it on, if it can. SPEC 1.6-8 */
void message_move(struct message *m, struct session *to)
{
    struct session *s = m->session;
    struct wf_core *c = s->core;
    uint8_t key[NUMBER_KEY_LEN];
    uint64_t number = 0;

    if (m->incoming || m->regards != 0 || m->has_outcome ||
        wf_chan_adopt(to->chan, s->chan, m->number, &number) != WEFT_OK)
        return;
    number_key(key, to, false, number);
    if (wf_table_put(&c->numbers, wf_span(key, sizeof key), m) != WEFT_OK) {
        wf_chan_cancel(to->chan, number, WF_CODE_NOMEM);
        session_touch(to);
        return;
    }
    number_key(key, s, false, m->number);
    wf_table_remove(&c->numbers, wf_span(key, sizeof key));
    wf_list_remove(&m->link);
    m->session = to;
    m->number = number;
    wf_list_push_back(&to->messages, &m->link);
    session_rank(s);
    session_rank(to);
    session_touch(to);
}

/* SPEC 4.3-7: its sender has given it up, or will not wait for it. What is whole was in time. */
static void expire_in(struct wf_core *c, struct message *m)
{
    struct session *s = m->session;

    if (s == NULL || s->state == SESSION_ENDED || m->broken || m->whole ||
        wf_chan_is_whole(s->chan, m->number))
        return;
    refusal_put(s, m,
                &(struct refusal){.number = m->number, .code = WF_CODE_EXPIRED, .stops = true});
    message_broken(c, m, WEFT_ERR_TIMEOUT, WF_CODE_EXPIRED);
    if (s->state != SESSION_ENDED)
        session_touch(s);
}

static void expire_out(struct wf_core *c, struct message *m)
{
    struct session *s = m->session;
    bool maybe = s != NULL && s->maybe_sent;
    bool was_there = maybe || (s != NULL && s->hs != NULL && wf_hs_price(s->hs).bid > 0);

    message_outcome(c, m, maybe ? WF_OUTCOME_EXPIRED : WF_OUTCOME_FAILED,
                    was_there ? WEFT_ERR_TIMEOUT : WEFT_ERR_UNREACHABLE, WF_CODE_EXPIRED);
    if (s != NULL)
        work_end_if_idle(s);
    if (s != NULL && s->state != SESSION_ENDED)
        session_touch(s);
}

void message_expire(struct wf_core *c, struct message *m)
{
    if (m->incoming)
        expire_in(c, m);
    else
        expire_out(c, m);
}

/* SPEC 4.3-7: the receiver need not keep what nobody waits for. */
static uint64_t lifetime_ms(uint64_t within_us)
{
    uint64_t ms = within_us / 1000 + (within_us % 1000 != 0);

    return ms > WF_FRAME_NUMBER_MAX ? 0 : ms;
}

weft_err wf_core_message(struct wf_core *c, weft_time now, const struct wf_core_send_params *p,
                         uint64_t *id)
{
    struct wf_message_params mp = {.service = p->service,
                                   .priority = p->priority,
                                   .open_ended = p->open_ended,
                                   .length = p->length,
                                   .lifetime_ms = lifetime_ms(p->outcome_within_us)};
    struct session *s = NULL;
    struct message *m = NULL;
    uint64_t number = 0;
    weft_err err = WEFT_OK;

    core_release_taken(c);
    now = core_time(c, now);
    c->now = now;
    err = session_call(c, now, p, &s);
    if (err == WEFT_OK)
        err = wf_chan_open(s->chan, &mp, &number);
    if (err != WEFT_OK)
        return err;
    m = message_new(s, false, number);
    if (m != NULL && p->outcome_within_us > 0)
        err = wf_heap_set(&c->expiries, &m->timer, now + p->outcome_within_us);
    if (m == NULL || err != WEFT_OK) {
        wf_chan_cancel(s->chan, number, WF_CODE_CANCELLED);
        if (m != NULL)
            message_free(c, m);
        session_touch(s);
        return WEFT_ERR_NOMEM;
    }
    m->expect_reply = p->expect_reply;
    m->open_ended = p->open_ended;
    m->called = s->state == SESSION_CALLING;
    m->user = p->user;
    c->stats.messages_out++;
    session_touch(s);
    *id = m->id;
    return WEFT_OK;
}

weft_err wf_core_write(struct wf_core *c, uint64_t id, weft_span data, bool end, size_t *taken)
{
    struct message *m = NULL;
    weft_err err = WEFT_OK;

    core_release_taken(c);
    m = message_get(c, id, false);
    if (m == NULL)
        return WEFT_ERR_NOT_FOUND;
    if (m->session == NULL || m->session->state == SESSION_ENDED)
        return WEFT_ERR_CLOSED;
    err = wf_chan_write(m->session->chan, m->number, data, end, taken);
    if (err == WEFT_OK && (end || *taken < data.len))
        settle_early(m);
    session_touch(m->session);
    return err;
}

void wf_core_cancel(struct wf_core *c, uint64_t id, uint64_t code)
{
    struct message *m = NULL;
    struct session *s = NULL;

    core_release_taken(c);
    m = message_get(c, id, false);
    if (m == NULL || m->has_outcome)
        return;
    s = m->session;
    message_outcome(c, m, WF_OUTCOME_FAILED, WEFT_ERR_CANCELLED, code);
    if (s != NULL)
        work_end_if_idle(s);
    if (s == NULL || s->state == SESSION_ENDED)
        return;
    /* Who waits for this reply may never have heard of it. */
    if (m->regards != 0)
        refusal_put(s, m, &(struct refusal){.number = m->regards, .code = code});
    session_touch(s);
}

weft_err wf_core_reply(struct wf_core *c, uint64_t id, const struct wf_core_reply_params *p,
                       uint64_t *reply_id)
{
    struct wf_message_params mp = {
        .priority = p->priority, .open_ended = p->open_ended, .length = p->length};
    struct message *in = NULL;
    struct message *m = NULL;
    uint64_t number = 0;
    weft_err err = WEFT_OK;

    core_release_taken(c);
    in = message_get(c, id, true);
    if (in == NULL)
        return WEFT_ERR_NOT_FOUND;
    if (in->session == NULL || in->session->state == SESSION_ENDED)
        return WEFT_ERR_CLOSED;
    mp.reply_to = in->number;
    err = wf_chan_open(in->session->chan, &mp, &number);
    if (err != WEFT_OK)
        return err;
    m = message_new(in->session, false, number);
    if (m == NULL) {
        wf_chan_cancel(in->session->chan, number, WF_CODE_NOMEM);
        session_touch(in->session);
        return WEFT_ERR_NOMEM;
    }
    m->user = p->user;
    m->regards = in->number;
    m->early = in->early; /* the CONFIRM now waits for the reply's bytes */
    in->early = false;
    c->stats.messages_out++;
    session_touch(in->session);
    *reply_id = m->id;
    return WEFT_OK;
}

weft_span wf_core_peek(struct wf_core *c, uint64_t id, bool *at_end)
{
    const struct message *m = message_get(c, id, true);

    *at_end = false;
    if (m == NULL || m->session == NULL || m->broken)
        return (weft_span){NULL, 0};
    return wf_chan_peek(m->session->chan, m->number, at_end);
}

void wf_core_set_user(struct wf_core *c, uint64_t id, void *user)
{
    struct message *m = message_get(c, id, true);

    if (m != NULL)
        m->user = user;
}

/* The application has seen the end of a message. */
static void take_end(struct wf_core *c, struct message *m)
{
    struct message *request = message_get(c, m->reply_to_id, false);

    m->whole = true;
    if (request != NULL && request->delivered)
        message_outcome(c, request, WF_OUTCOME_REPLIED, WEFT_OK, 0);
}

void wf_core_consume(struct wf_core *c, uint64_t id, size_t len)
{
    struct message *m = NULL;
    bool at_end = false;

    core_release_taken(c);
    m = message_get(c, id, true);
    if (m == NULL || m->session == NULL || m->broken || m->whole)
        return;
    wf_chan_consume(m->session->chan, m->number, len);
    if (wf_chan_peek(m->session->chan, m->number, &at_end).len == 0 && at_end)
        take_end(c, m);
    if (m->session->state != SESSION_ENDED)
        session_touch(m->session);
}

void wf_core_release(struct wf_core *c, uint64_t id, uint64_t code)
{
    struct message *m = NULL;
    struct session *s = NULL;

    core_release_taken(c);
    m = message_get(c, id, true);
    if (m == NULL)
        return;
    s = m->session;
    if (s != NULL && s->state != SESSION_ENDED) {
        if (code == WF_CODE_NONE)
            wf_chan_stop(s->chan, m->number, code);
        else
            refusal_put(s, m, &(struct refusal){.number = m->number, .code = code, .stops = true});
        session_touch(s);
    }
    if (!m->whole && !m->broken && m->reply_to_id != 0)
        wf_core_cancel(c, m->reply_to_id, WF_CODE_CANCELLED);
    message_free(c, m);
    if (s != NULL)
        session_release_if_done(s);
}
