/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_hs.c - from strangers to a session: the client's handshake pushed on, and SOLVEs accepted
 * and confirmed.
 *
 * The first message rides in SOLVE and its reply in CONFIRM, so a session's channel exists before
 * its keys do.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/core_priv.h"

/* --- client --- */

/* SPEC 1.9-2, 1.10-11 */
static bool carries_data(const struct session *s)
{
    return !s->holds_data && wf_hs_carries_data(s->hs);
}

static void give_data(struct session *s, weft_time now)
{
    uint8_t frames[WF_SOLVE_MAX];
    struct wf_solve_body body = {.wall_ms = core_wall_ms(s->core, now),
                                 .params = core_params(s->core)};
    size_t room = wf_hs_room(s->hs, &body.params);
    size_t len = 0;
    weft_err err = WEFT_OK;

    if (carries_data(s))
        len =
            wf_chan_early_write(s->chan, now, frames, room < sizeof frames ? room : sizeof frames);
    memcpy(body.cid, s->cids[0], WF_CID_LEN);
    body.frames = (weft_span){frames, len};
    err = wf_hs_solve(s->hs, now, &body);
    if (err != WEFT_OK)
        session_end(s, err, 0);
}

static weft_err start_client(struct session *s, weft_time now, const struct wf_hs_result *r)
{
    struct wf_chan_peer peer = {.params = r->body.params, .remote = s->remote, .local = s->local};
    uint64_t rtt_us =
        r->solve_repeated ? r->challenge_at - r->hello_sent : r->confirm_at - r->solve_sent;
    weft_err err = WEFT_OK;

    if (r->learned)
        err = session_learn(s, r->server_key, r->learned_version);
    if (err != WEFT_OK)
        return err;
    memcpy(peer.cid, r->body.cid, WF_CID_LEN);
    wf_chan_set_peer(s->chan, now, &peer);
    err = wf_chan_start(s->chan, now, &r->secrets, rtt_us);
    if (err != WEFT_OK)
        return err;
    session_enter(s, SESSION_OPEN); /* SPEC 1.14-5 */
    session_begun(s, now);
    wf_chan_early_recv(s->chan, now, r->body.frames);
    return WEFT_OK;
}

static void finish(struct session *s, weft_time now)
{
    struct wf_hs_result r;
    weft_err err = wf_hs_result(s->hs, &r);

    wf_list_remove(&s->calling_link);
    call_end(s);
    if (err == WEFT_OK)
        err = start_client(s, now, &r);
    wf_wipe(&r, sizeof r);
    if (err != WEFT_OK)
        session_end(s, err, 0);
}

/* Who is of no such group, or of none, cannot be told from nobody. */
static weft_err why_failed(const struct session *s)
{
    weft_err err = wf_hs_error(s->hs);

    return s->limited && err == WEFT_ERR_TIMEOUT ? WEFT_ERR_UNREACHABLE : err;
}

/* Does what the handshake's state asks for. Proof of work goes on a piece at a time. */
void hs_progress(struct session *s, weft_time now)
{
    if (s->hs != NULL && wf_hs_is_overdue(s->hs, now))
        call_again(s, now);
    if (s->hs != NULL && wf_hs_state(s->hs) == WF_HS_NEED_DATA)
        give_data(s, now);
    if (s->hs != NULL && wf_hs_has_work(s->hs) && work_is_ours(s))
        wf_hs_work(s->hs, now, CORE_WORK_TRIES);
    work_review(s);
    if (s->hs != NULL && wf_hs_state(s->hs) == WF_HS_SOLVE && carries_data(s))
        s->maybe_sent = true;
    if (s->hs != NULL && wf_hs_state(s->hs) == WF_HS_DONE)
        finish(s, now);
    else if (s->hs != NULL && wf_hs_state(s->hs) == WF_HS_FAILED)
        session_end(s, why_failed(s), 0);
}

/* SPEC 1.9-5: that of the attempt before is as good. */
void hs_confirm(struct session *s, weft_time now, weft_span packet)
{
    struct wf_hs *before = s->call->before;

    wf_hs_recv(s->hs, now, packet);
    if (before != NULL && wf_hs_state(s->hs) != WF_HS_DONE)
        wf_hs_recv(before, now, packet);
    if (before != NULL && wf_hs_state(before) == WF_HS_DONE) {
        wf_hs_free(s->hs);
        s->hs = before;
        s->call->before = NULL;
    }
    hs_progress(s, now);
}

/* --- server --- */

static weft_err take_session(struct session *s, weft_time now)
{
    const struct wf_adm_result *r = s->core->result;
    struct wf_chan_peer peer = {
        .params = r->body.params, .remote = r->path.from, .local = r->path.to};

    memcpy(peer.cid, r->body.cid, WF_CID_LEN);
    s->remote = peer.remote;
    s->local = peer.local;
    s->nobody = r->one_way;
    s->limited = r->limited;
    s->group = r->group;
    s->ticket = r->ticket;
    s->has_ticket = true;
    s->maybe_sent = true;
    if (!s->nobody) {
        weft_err err = session_bind_peer(s, r->peer, SHOWN_OWN);

        if (err != WEFT_OK)
            return err;
    }
    wf_chan_set_peer(s->chan, now, &peer);
    wf_chan_early_recv(s->chan, now, r->body.frames);
    return WEFT_OK;
}

/* A group's SOLVE gets an answer all the same. SPEC 1.10-8 */
void refuse_solve(struct wf_core *c, uint64_t ticket, const struct wf_addr *to,
                  const struct wf_addr *from)
{
    const struct wf_adm_result *r = c->result;

    wf_adm_decline(c->adm, ticket, c->result);
    if (r->kind == WF_ADM_REPLY)
        core_answer(c, to, from, wf_span(r->reply, r->reply_len));
}

/* core->result holds an accepted SOLVE. */
void accept_solve(struct wf_core *c, weft_time now)
{
    struct session *s = session_new(c, now, WF_ROLE_SERVER);
    const struct wf_adm_path path = c->result->path;

    if (s == NULL) {
        refuse_solve(c, c->result->ticket, &path.from, &path.to);
        return;
    }
    if (take_session(s, now) != WEFT_OK) {
        refuse_solve(c, c->result->ticket, &path.from, &path.to);
        session_free(s);
        return;
    }
    s->confirm_at = now + CORE_CONFIRM_DELAY_US;
    session_touch(s);
    evict_for_room(c, now, s);
}

/* SPEC 1.4-2: it waits at most 5 ms, and only for replies to messages that SOLVE carried whole; not
 * inside a group, where failures are not answered later either (SPEC 1.10-7). */
bool confirm_is_due(const struct session *s, weft_time now)
{
    return s->state == SESSION_CONFIRMING &&
           (s->limited || s->unanswered == 0 || now >= s->confirm_at);
}

bool confirm_send(struct session *s, weft_time now, uint8_t *buf, struct wf_send *out)
{
    struct wf_core *c = s->core;
    struct wf_adm_confirm confirm = {.params = core_params(c)};
    struct wf_adm_confirm_out made = {.datagram = buf};
    uint8_t frames[WF_SOLVE_MAX];
    size_t room = wf_adm_confirm_room(c->adm, s->ticket, &confirm.params);
    size_t len =
        wf_chan_early_write(s->chan, now, frames, room < sizeof frames ? room : sizeof frames);
    weft_err err = WEFT_OK;

    memcpy(confirm.cid, s->cids[0], WF_CID_LEN);
    confirm.frames = (weft_span){frames, len};
    err = wf_adm_confirm(c->adm, now, s->ticket, &confirm, &made);
    if (err == WEFT_OK)
        err = wf_chan_start(s->chan, now, &made.secrets, 0);
    *out = (struct wf_send){.to = s->remote, .from = s->local, .len = made.len};
    wf_wipe(&made.secrets, sizeof made.secrets);
    if (err != WEFT_OK) {
        session_end(s, err, 0);
        return false;
    }
    session_enter(s, SESSION_OPEN);
    session_begun(s, now);
    return true;
}
