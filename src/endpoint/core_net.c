/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_net.c - datagrams and time: what arrives is led to admission, a handshake or a channel by
 * its first bytes; what is to go is asked of each in turn.
 */
#include <string.h>

#include "base/bytes.h"
#include "crypto/dh.h"
#include "endpoint/core_priv.h"
#include "wire/packet.h"

/* To an address, from one of ours. */
void core_answer(struct wf_core *c, const struct wf_addr *to, const struct wf_addr *from,
                 weft_span bytes)
{
    struct reply *r = NULL;

    if (c->reply_count == CORE_REPLIES_MAX)
        return; /* as if the network had lost it */
    r = &c->replies[(c->reply_first + c->reply_count++) % CORE_REPLIES_MAX];
    r->to = *to;
    r->from = *from;
    r->len = bytes.len;
    memcpy(r->data, bytes.data, r->len);
}

static void put_reply(struct wf_core *c)
{
    const struct wf_adm_result *r = c->result;

    core_answer(c, &r->path.from, &r->path.to, wf_span(r->reply, r->reply_len));
}

static void recv_stranger(struct wf_core *c, weft_time now, const struct wf_datagram *d,
                          weft_span packet)
{
    const struct wf_adm_path path = {d->from, d->to};

    if (c->adm == NULL || c->shut || !wf_addr_is_unicast_peer(&d->from)) {
        c->stats.dropped_unknown++;
        return;
    }
    wf_adm_recv(c->adm, now, &path, packet, c->result);
    if (c->result->kind == WF_ADM_REPLY)
        put_reply(c);
    else if (c->result->kind == WF_ADM_FORWARD)
        shard_forward(c, c->result->shard, d, packet);
}

static bool has_solves(const struct wf_core *c)
{
    return c->adm != NULL && !c->shut && wf_adm_has_work(c->adm);
}

/* The curves of a few SOLVEs; the others wait until the sessions had their turn. */
static void do_solves(struct wf_core *c, weft_time now)
{
    for (unsigned i = 0; i < CORE_SOLVES_AT_ONCE && has_solves(c); i++) {
        if (!wf_adm_next(c->adm, now, c->result))
            return;
        if (c->result->kind == WF_ADM_REPLY)
            put_reply(c);
        else if (c->result->kind == WF_ADM_ACCEPT)
            accept_solve(c, now);
    }
}

/* A CHALLENGE or STATEMENT names no session: every call to that address may look at it. */
static void recv_challenge(struct wf_core *c, weft_time now, const struct wf_datagram *d,
                           weft_span packet)
{
    struct wf_link *next = NULL;

    if (!shard_takes_echo(c, d, packet))
        return;
    for (struct wf_link *l = c->calling.first; l != NULL; l = next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, calling_link);
        enum wf_hs_state state = wf_hs_state(s->hs);

        next = l->next;
        if (!wf_addr_equal(&s->remote, &d->from) || (state != WF_HS_HELLO && state != WF_HS_SOLVE))
            continue;
        if (state == WF_HS_HELLO)
            s->local = d->to;
        s->handshake_packets++;
        wf_hs_recv(s->hs, now, packet);
        hs_progress(s, now);
        session_touch(s);
    }
}

static void recv_confirm(struct wf_core *c, weft_time now, const struct wf_datagram *d,
                         weft_span packet)
{
    struct session *s = NULL;

    if (packet.len >= WF_CONFIRM_MIN)
        s = wf_table_get(&c->sessions, (weft_span){packet.data + 1, WF_CID_LEN});
    if (s == NULL && packet.len >= WF_CONFIRM_MIN && !shard_takes_id(c, d, packet, packet.data + 1))
        return;
    if (s == NULL || s->hs == NULL) {
        c->stats.dropped_unknown++;
        return;
    }
    s->handshake_packets++;
    hs_confirm(s, now, packet);
    session_touch(s);
}

static void recv_other(struct wf_core *c, weft_time now, const struct wf_datagram *d,
                       weft_span packet)
{
    uint8_t type = packet.len == 0 ? 0 : packet.data[0];

    switch (type) {
    case WF_TYPE_HELLO:
    case WF_TYPE_SOLVE:
    case WF_TYPE_ASK:
        recv_stranger(c, now, d, packet);
        return;
    case WF_TYPE_CHALLENGE:
    case WF_TYPE_STATEMENT:
        recv_challenge(c, now, d, packet);
        return;
    case WF_TYPE_CONFIRM:
        recv_confirm(c, now, d, packet);
        return;
    case WF_TYPE_HINT:
        hint_recv(c, now, d, packet);
        return;
    default:
        c->stats.dropped_malformed++;
    }
}

/* A run of packets of one session, handed over in one call. */
struct run {
    struct session *session;
    struct wf_chan_packet packets[CORE_RUN_MAX];
    size_t count;
};

static void flush_run(weft_time now, const struct wf_datagram *d, struct run *run)
{
    struct session *s = run->session;

    if (s != NULL) {
        const struct wf_chan_arrival a = {.from = d->from,
                                          .to = d->to,
                                          .ecn = d->ecn,
                                          .packets = run->packets,
                                          .count = run->count};

        wf_chan_recv(s->chan, now, &a);
        hint_heard(s);
        session_touch(s);
    }
    run->session = NULL;
    run->count = 0;
}

/* cid: of no session here; NULL: the session has no keys. */
static void recv_unknown(struct wf_core *c, weft_time now, const struct wf_datagram *d,
                         weft_span packet, const uint8_t *cid)
{
    if (cid != NULL && !shard_takes_id(c, d, packet, cid))
        return;
    c->stats.dropped_unknown++;
    if (cid != NULL)
        hint_answer(c, now, d, packet);
}

static void recv_one(struct wf_core *c, weft_time now, const struct wf_datagram *d,
                     struct wf_chan_packet p, struct run *run)
{
    const uint8_t *cid = NULL;
    const uint8_t *tag = NULL;
    struct session *s = NULL;

    c->stats.datagrams_in++;
    c->stats.bytes_in += p.len;
    if (!wf_packet_peek((weft_span){p.data, p.len}, &cid, &tag)) {
        flush_run(now, d, run);
        recv_other(c, now, d, (weft_span){p.data, p.len});
        return;
    }
    s = wf_table_get(&c->sessions, (weft_span){cid, WF_CID_LEN});
    if (s == NULL && (presences_count(c) > 0 || c->rest.file.count > 0)) {
        flush_run(now, d, run); /* waking may fold the session of that run */
        if (presence_recv(c, now, cid, &p, &s) == PRESENCE_SLEEPS)
            return;
    }
    if (s == NULL || s->state != SESSION_OPEN) {
        recv_unknown(c, now, d, (weft_span){p.data, p.len}, s == NULL ? cid : NULL);
        return;
    }
    if (run->session != s || run->count == CORE_RUN_MAX)
        flush_run(now, d, run);
    run->session = s;
    run->packets[run->count++] = p;
}

static void recv_datagram(struct wf_core *c, weft_time now, const struct wf_datagram *d)
{
    size_t step = d->segment == 0 || d->segment > d->len ? d->len : d->segment;
    struct run run;

    if (d->len == 0)
        return;
    run.session = NULL; /* clearing the packets too would cost more than a stranger's datagram */
    run.count = 0;
    for (size_t at = 0; at < d->len; at += step) {
        size_t len = d->len - at < step ? d->len - at : step;

        recv_one(c, now, d, (struct wf_chan_packet){d->data + at, len}, &run);
    }
    flush_run(now, d, &run);
}

void wf_core_recv(struct wf_core *c, weft_time now, const struct wf_datagram *d, size_t count)
{
    core_release_taken(c);
    now = core_time(c, now);
    c->now = now;
    for (size_t i = 0; i < count; i++)
        recv_datagram(c, now, &d[i]);
    do_solves(c, now);
    evict_for_memory(c, now);
}

static bool send_reply(struct wf_core *c, uint8_t *buf, struct wf_send *out)
{
    struct reply *r = &c->replies[c->reply_first];

    if (c->reply_count == 0)
        return false;
    memcpy(buf, r->data, r->len);
    *out = (struct wf_send){.to = r->to, .from = r->from, .len = r->len};
    c->reply_count--;
    /* From the front again when it is empty, where the cache is warm. */
    c->reply_first = c->reply_count == 0 ? 0 : (c->reply_first + 1) % CORE_REPLIES_MAX;
    return true;
}

static bool send_hs(struct session *s, weft_time now, uint8_t *buf, size_t cap, struct wf_send *out)
{
    size_t len = 0;

    hs_progress(s, now);
    if (s->hs == NULL)
        return false;
    wf_hs_send(s->hs, now, buf, cap, &len);
    *out = (struct wf_send){.to = s->remote, .from = s->local, .len = len, .segment = len};
    s->handshake_packets += len > 0;
    return len > 0;
}

static bool send_session(struct session *s, weft_time now, uint8_t *buf, size_t cap,
                         struct wf_send *out)
{
    bool sent = false;

    if (s->hs != NULL && send_hs(s, now, buf, cap, out))
        return true;
    if (confirm_is_due(s, now))
        return confirm_send(s, now, buf, out);
    if (s->state != SESSION_OPEN)
        return false;
    s->maybe_sent = true;
    refusals_go_on(s);
    sent = wf_chan_send(s->chan, now, buf, cap, out);
    hint_ask(s, now);
    return sent;
}

static void count_out(struct wf_core *c, const struct wf_send *out)
{
    bool is_one = out->segment == 0 || out->segment >= out->len;

    c->stats.datagrams_out += is_one ? 1 : (out->len + out->segment - 1) / out->segment;
    c->stats.bytes_out += out->len;
}

/* Sessions whose turn it is in the pipe that they share with others. */
static void touch_woken(struct wf_core *c)
{
    struct session *s = NULL;

    for (s = wf_pipes_next_woken(&c->pipes); s != NULL; s = wf_pipes_next_woken(&c->pipes))
        session_touch(s);
}

/* Who has something urgent waits for one train of somebody else at most, and lets that one go.
 * SPEC 4.2-5 */
static struct session *next_in_line(struct wf_core *c)
{
    struct wf_link *link = NULL;

    if (c->urgent.first != NULL && (!c->urgent_went || c->dirty.first == NULL))
        link = wf_list_pop_front(&c->urgent);
    c->urgent_went = link != NULL;
    if (link == NULL)
        link = wf_list_pop_front(&c->dirty);
    return link == NULL ? NULL : WF_CONTAINER_OF(link, struct session, dirty_link);
}

bool wf_core_send(struct wf_core *c, weft_time now, uint8_t *buf, size_t cap, struct wf_send *out)
{
    bool sent = send_reply(c, buf, out);

    core_release_taken(c);
    now = core_time(c, now);
    touch_woken(c);
    for (struct session *s = NULL; !sent && (s = next_in_line(c)) != NULL;) {
        sent = send_session(s, now, buf, cap, out);
        if (s->state == SESSION_ENDED)
            continue;
        session_touch(s); /* to the end of the list: one train a session in turn */
        if (!sent)
            wf_list_remove(&s->dirty_link);
        touch_woken(c);
    }
    if (sent)
        count_out(c, out);
    else
        wf_aead_forget(c->aead); /* a node that waits keeps no key outside of locked memory */
    return sent;
}

void wf_core_too_big(struct wf_core *c, weft_time now, const struct wf_addr *to,
                     size_t datagram_len)
{
    now = core_time(c, now);
    for (struct wf_link *l = c->all.first; l != NULL; l = l->next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, all_link);

        if (s->state == SESSION_OPEN && wf_addr_equal(&s->remote, to)) {
            wf_chan_too_big(s->chan, now, datagram_len);
            session_touch(s);
        }
    }
}

static weft_time earlier(weft_time a, weft_time b)
{
    return a < b ? a : b;
}

/* What was left lying, because somebody stopped taking it, is due at once. */
static bool has_leftovers(const struct wf_core *c)
{
    return c->notes.first != NULL || c->dirty.first != NULL || c->urgent.first != NULL ||
           c->reply_count > 0 || wf_pipes_has_woken(&c->pipes) || has_solves(c);
}

weft_time wf_core_deadline(const struct wf_core *c)
{
    weft_time at = has_leftovers(c)
                       ? 0
                       : earlier(wf_heap_deadline(&c->timers), wf_heap_deadline(&c->expiries));

    at = earlier(at, wf_heap_deadline(&c->ping_timers));
    at = earlier(at, presences_deadline(c));
    at = earlier(at, stall_deadline(c));
    at = c->adm == NULL ? at : earlier(at, wf_adm_deadline(c->adm));
    return core_time_outside(c, at);
}

/* Each session that is due once: a new deadline may be due already (proof of work is), and must not
 * keep the others from theirs. */
static void collect_due(struct wf_core *c, weft_time now, struct wf_list *due)
{
    struct wf_heap_node *n = NULL;

    for (n = wf_heap_pop_due(&c->timers, now); n != NULL; n = wf_heap_pop_due(&c->timers, now))
        wf_list_push_back(due, &WF_CONTAINER_OF(n, struct session, timer)->due_link);
}

static void tick_session(struct session *s, weft_time now)
{
    if (s->hs != NULL) {
        wf_hs_tick(s->hs, now);
        hs_progress(s, now);
    }
    if (s->state != SESSION_ENDED) {
        wf_chan_tick(s->chan, now);
        hint_tick(s, now);
    }
    if (presence_tick_session(s, now))
        return;
    if (s->state != SESSION_ENDED)
        session_touch(s);
}

static void expire_ping(struct ping *p)
{
    struct session *s = p->session;

    ping_done(p, WEFT_ERR_TIMEOUT, 0);
    work_end_if_idle(s);
}

void wf_core_tick(struct wf_core *c, weft_time now)
{
    struct wf_heap_node *n = NULL;
    struct wf_list due = {0};

    core_release_taken(c);
    now = core_time(c, now);
    presences_tick(c, now);
    if (c->adm != NULL && now >= wf_adm_deadline(c->adm))
        wf_adm_tick(c->adm, now);
    do_solves(c, now);
    collect_due(c, now, &due);
    for (struct wf_link *l = wf_list_pop_front(&due); l != NULL; l = wf_list_pop_front(&due))
        tick_session(WF_CONTAINER_OF(l, struct session, due_link), now);
    for (n = wf_heap_pop_due(&c->expiries, now); n != NULL; n = wf_heap_pop_due(&c->expiries, now))
        message_expire(c, WF_CONTAINER_OF(n, struct message, timer));
    for (n = wf_heap_pop_due(&c->ping_timers, now); n != NULL;
         n = wf_heap_pop_due(&c->ping_timers, now))
        expire_ping(WF_CONTAINER_OF(n, struct ping, timer));
    stall_tick(c, now);
}
