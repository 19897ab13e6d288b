/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_event.c - what the application is told: notes of the core first, then what the channels have
 * to say, one at a time.
 */
#include <string.h>

#include "endpoint/core_priv.h"

void note_put(struct wf_core *c, struct note *n, enum note_kind kind)
{
    n->kind = kind;
    if (n->link.list != NULL)
        wf_list_remove(
            &n->link); /* a message in may break after it was listed for something else */
    wf_list_push_back(&c->notes, &n->link);
}

/* What the last event pointed to may go now. */
void core_release_taken(struct wf_core *c)
{
    struct session *s = c->taken_session;

    if (c->taken != NULL)
        message_free(c, c->taken);
    if (c->taken_ping != NULL)
        ping_free(c, c->taken_ping);
    c->taken = NULL;
    c->taken_ping = NULL;
    c->taken_session = NULL;
    if (s != NULL)
        session_release_if_done(s);
}

static void tell_session(const struct session *s, struct wf_core_event *out)
{
    memcpy(out->peer, s->key, sizeof out->peer);
    out->nobody = s->nobody;
    out->limited = s->limited;
    out->group = s->group;
    out->address = s->remote;
    out->learned = s->learned;
    out->pin = s->pin;
    out->handshake_us = s->handshake_us;
    out->packets = s->handshake_packets;
    out->err = s->end_err;
    out->code = s->end_code;
}

static void tell_outcome(struct wf_core *c, struct message *m, struct wf_core_event *out)
{
    *out = (struct wf_core_event){.kind = WF_CORE_OUTCOME,
                                  .id = m->id,
                                  .user = m->user,
                                  .outcome = m->outcome,
                                  .err = m->err,
                                  .code = m->code,
                                  .packets = m->packets,
                                  .resent = m->resent,
                                  .handshake_us = m->handshake_us,
                                  .reply_to_id = m->reply_id};
    c->taken = m;
}

static void tell_note(struct wf_core *c, struct note *n, struct wf_core_event *out)
{
    *out = (struct wf_core_event){.kind = WF_CORE_OUTCOME};
    switch (n->kind) {
    case NOTE_OUTCOME:
        tell_outcome(c, WF_CONTAINER_OF(n, struct message, note), out);
        return;
    case NOTE_BROKEN: {
        const struct message *m = WF_CONTAINER_OF(n, struct message, note);

        out->kind = WF_CORE_BROKEN;
        out->id = m->id;
        out->user = m->user;
        out->err = m->err;
        out->code = m->code;
        return;
    }
    case NOTE_SESSION:
        out->kind = WF_CORE_SESSION;
        tell_session(WF_CONTAINER_OF(n, struct session, begun), out);
        out->err = WEFT_OK;
        c->taken_session = WF_CONTAINER_OF(n, struct session, begun);
        return;
    case NOTE_SESSION_ENDED:
        out->kind = WF_CORE_SESSION_ENDED;
        tell_session(WF_CONTAINER_OF(n, struct session, ended), out);
        c->taken_session = WF_CONTAINER_OF(n, struct session, ended);
        return;
    case NOTE_WORK_REFUSED:
        work_tell_refused(WF_CONTAINER_OF(n, struct call, refused), out);
        return;
    case NOTE_PING:
        c->taken_ping = WF_CONTAINER_OF(n, struct ping, note);
        out->kind = c->taken_ping->err == WEFT_OK ? WF_CORE_PONG : WF_CORE_PING_FAILED;
        out->user = c->taken_ping->user;
        out->err = c->taken_ping->err;
        out->rtt_us = c->taken_ping->rtt_us;
        out->handshake_us = c->taken_ping->handshake_us;
        return;
    }
    WEFT_UNREACHABLE();
}

/* --- what channels say --- */

/* A reply belongs to a message of ours that waits for one and has none yet. */
static bool match_reply(struct session *s, struct message *m, uint64_t reply_to)
{
    struct message *request = NULL;

    if (reply_to == 0)
        return true;
    request = message_by_number(s, false, reply_to);
    if (request == NULL || !request->expect_reply || request->reply_id != 0)
        return false;
    request->reply_id = m->id;
    m->reply_to_id = request->id;
    return true;
}

static void *request_user(const struct wf_core *c, const struct message *reply)
{
    const struct message *request = message_get(c, reply->reply_to_id, false);

    return request == NULL ? NULL : request->user;
}

/* An announced lifetime. It counts from now, so it ends after the sender's own. */
static void set_expiry(struct wf_core *c, struct message *m, uint64_t lifetime_ms)
{
    if (lifetime_ms == 0 || lifetime_ms > CORE_LIFETIME_MS_MAX)
        return;
    if (wf_heap_set(&c->expiries, &m->timer, c->now + lifetime_ms * 1000) != WEFT_OK)
        return; /* no memory: it is kept, as one without a lifetime is */
}

static bool on_opened(struct session *s, const struct wf_chan_event *e, struct wf_core_event *out)
{
    struct wf_core *c = s->core;
    struct message *m = message_new(s, true, e->number);
    bool at_end = false;

    if (m == NULL) {
        if (!wf_chan_error(s->chan, e->number, WF_CODE_NOMEM, (weft_span){NULL, 0}))
            session_end(s, WEFT_ERR_NOMEM, WF_CODE_NOMEM); /* its sender would never know */
        else
            wf_chan_stop(s->chan, e->number, WF_CODE_NOMEM);
        return false;
    }
    if (!match_reply(s, m, e->open.reply_to)) {
        wf_chan_stop(s->chan, e->number, WF_CODE_CANCELLED);
        message_free(c, m);
        return false;
    }
    if (s->state == SESSION_CONFIRMING) {
        (void)wf_chan_peek(s->chan, e->number, &at_end);
        m->early = at_end;
        s->unanswered += at_end;
    }
    set_expiry(c, m, e->open.lifetime_ms);
    c->stats.messages_in++;
    *out = (struct wf_core_event){
        .kind = WF_CORE_MESSAGE, .id = m->id, .open = e->open, .reply_to_id = m->reply_to_id};
    tell_session(s, out);
    out->err = WEFT_OK;
    out->early = s->state == SESSION_CONFIRMING;
    out->user = request_user(c, m);
    return true;
}

/* The peer does not want the rest of a message, or will not answer it. */
static enum wf_core_outcome outcome_of(uint64_t code)
{
    return code == WF_CODE_EXPIRED ? WF_OUTCOME_EXPIRED : WF_OUTCOME_FAILED;
}

static bool on_stopped(struct session *s, const struct wf_chan_event *e)
{
    struct message *m = message_by_number(s, false, e->number);
    struct message *reply = NULL;

    if (m == NULL)
        return false;
    m->delivered = m->reply_id != 0; /* the peer has read what it wanted of it and is answering */
    reply = message_get(s->core, m->reply_id, true);
    if (!m->delivered)
        message_outcome(s->core, m, outcome_of(e->code), code_to_err(e->code), e->code);
    else if (reply == NULL || reply->whole)
        message_outcome(s->core, m, WF_OUTCOME_REPLIED, WEFT_OK, 0);
    return false;
}

static bool on_delivered(struct session *s, const struct wf_chan_event *e)
{
    struct message *m = message_by_number(s, false, e->number);
    const struct message *reply = NULL;

    if (m == NULL)
        return false;
    m->delivered = true;
    reply = message_get(s->core, m->reply_id, true);
    if (!m->expect_reply)
        message_outcome(s->core, m, WF_OUTCOME_DELIVERED, WEFT_OK, 0);
    else if (m->reply_id != 0 && (reply == NULL || reply->whole))
        message_outcome(s->core, m, WF_OUTCOME_REPLIED, WEFT_OK, 0);
    return false;
}

static bool on_error(struct session *s, const struct wf_chan_event *e)
{
    struct message *m = message_by_number(s, false, e->number);

    if (m != NULL && m->reply_id == 0)
        message_outcome(s->core, m, outcome_of(e->code), code_to_err(e->code), e->code);
    return false;
}

static bool on_cancelled(struct session *s, const struct wf_chan_event *e)
{
    struct message *m = message_by_number(s, true, e->number);

    if (m != NULL)
        message_broken(s->core, m, code_to_err(e->code), e->code);
    return false;
}

static bool on_flow(struct session *s, const struct wf_chan_event *e, struct wf_core_event *out)
{
    bool incoming = e->kind == WF_CHAN_READABLE;
    const struct message *m = message_by_number(s, incoming, e->number);

    if (m == NULL || m->broken)
        return false;
    *out = (struct wf_core_event){
        .kind = incoming ? WF_CORE_READABLE : WF_CORE_WRITABLE, .id = m->id, .user = m->user};
    return true;
}

static void on_confirmed(struct session *s)
{
    if (s->has_ticket)
        wf_adm_confirmed(s->core->adm, s->ticket);
    s->has_ticket = false;
    session_rank(s);
}

/* True when *out was filled; what concerns only the core is done here. */
static bool translate(struct session *s, const struct wf_chan_event *e, struct wf_core_event *out)
{
    switch (e->kind) {
    case WF_CHAN_CONFIRMED:
        on_confirmed(s);
        return false;
    case WF_CHAN_OPENED:
        return on_opened(s, e, out);
    case WF_CHAN_READABLE:
    case WF_CHAN_WRITABLE:
        return on_flow(s, e, out);
    case WF_CHAN_CANCELLED:
        return on_cancelled(s, e);
    case WF_CHAN_DELIVERED:
        return on_delivered(s, e);
    case WF_CHAN_STOPPED:
        return on_stopped(s, e);
    case WF_CHAN_ERROR:
        return on_error(s, e);
    case WF_CHAN_PONG:
        session_pong(s, e->rtt_us);
        return false;
    case WF_CHAN_NEW_CID:
        if (session_add_cid(s, e->cid) != WEFT_OK)
            session_end(s, WEFT_ERR_NOMEM, WF_CODE_NOMEM);
        return false;
    case WF_CHAN_OLD_CID:
        session_drop_cid(s, e->cid);
        return false;
    case WF_CHAN_CLOSED:
        session_end(s, e->err, e->code);
        return false;
    case WF_CHAN_PATH:
        hint_place(s);
        return false;
    case WF_CHAN_DATAGRAM: /* no application asks for them yet */
        return false;
    }
    return false;
}

static bool pull_session(struct session *s, struct wf_core_event *out)
{
    struct wf_chan_event e;

    while (s->core->notes.first == NULL && s->state != SESSION_ENDED &&
           wf_chan_next_event(s->chan, &e)) {
        bool is_told = translate(s, &e, out);

        session_rank(s);
        if (is_told)
            return true;
    }
    if (s->core->notes.first == NULL)
        wf_list_remove(&s->noisy_link);
    return false;
}

bool wf_core_has_events(const struct wf_core *c)
{
    return c->notes.first != NULL || c->noisy.first != NULL;
}

bool wf_core_next_event(struct wf_core *c, struct wf_core_event *out)
{
    core_release_taken(c);
    for (;;) {
        struct wf_link *link = wf_list_pop_front(&c->notes);

        if (link != NULL) {
            tell_note(c, WF_CONTAINER_OF(link, struct note, link), out);
            return true;
        }
        if (c->noisy.first == NULL)
            return false;
        if (pull_session(WF_CONTAINER_OF(c->noisy.first, struct session, noisy_link), out))
            return true;
    }
}
