/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_send.c - messages on their way out: address, body, reply, and exactly one outcome each.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/node_priv.h"
#include "net/clock.h"

void sending_kill(struct sending *s)
{
    if (s->is_dead)
        return;
    s->is_dead = true;
    wf_list_remove(&s->end_link);
    wf_list_push_back(&s->node->dead_sendings, &s->end_link);
}

void sending_free(struct sending *s)
{
    weft_node *n = s->node;

    if (s->resolve_id != 0)
        wf_resolver_cancel(n->resolver, s->resolve_id);
    if (s->has_place)
        n->outcomes_due--;
    wf_list_remove(&s->link);
    wf_list_remove(&s->end_link);
    wf_list_remove(&s->fail_link);
    outflow_close(n, &s->body);
    inflow_free(n, &s->reply);
    wf_free(&n->mem, s, sizeof *s);
}

/* --- its end --- */

static void tell_ping(struct sending *s, weft_err err, uint64_t rtt_us, uint64_t handshake_us)
{
    s->has_outcome = true;
    if (s->on_pong != NULL)
        s->on_pong(err, rtt_us, handshake_us, s->params.user);
    sending_kill(s);
}

static void tell_outcome(struct sending *s)
{
    weft_event e = {.kind = WEFT_EVENT_OUTCOME, .outcome = &s->outcome};

    s->has_outcome = true;
    s->outcome.node = s->node;
    s->outcome.user = s->params.user;
    s->outcome.took_us = wf_clock_now() - s->started;
    if (s->params.on_outcome != NULL) {
        s->params.on_outcome(&s->outcome, s->params.user);
        sending_kill(s);
        return;
    }
    s->node->outcomes_due--; /* its place was kept for it */
    s->has_place = false;
    WEFT_ASSERT(node_list_event(s->node, &e));
}

/* It never reached the core. */
void sending_fail(struct sending *s, weft_err err)
{
    if (s->has_outcome)
        return;
    if (s->is_ping) {
        tell_ping(s, err, 0, 0);
        return;
    }
    s->outcome.kind = WEFT_FAILED;
    s->outcome.err = err;
    tell_outcome(s);
}

/* The node closes. What was handed to the core may have arrived. */
void sending_close(struct sending *s)
{
    if (s->has_outcome)
        return;
    if (s->is_ping || s->id == 0) {
        sending_fail(s, s->failed != WEFT_OK ? s->failed : WEFT_ERR_CLOSED);
        return;
    }
    s->outcome.kind = WEFT_UNKNOWN;
    s->outcome.err = WEFT_ERR_CLOSED;
    tell_outcome(s);
}

/* The same from a place where no function of the user's should run. */
void sending_fail_later(struct sending *s, weft_err err)
{
    if (s->has_outcome || s->fail_link.list != NULL)
        return;
    if (s->resolve_id != 0)
        wf_resolver_cancel(s->node->resolver, s->resolve_id);
    s->resolve_id = 0;
    s->failed = err;
    wf_list_push_back(&s->node->failed, &s->fail_link);
    node_kick(s->node);
}

/* Our own reasons say more than that the message was given up. */
static weft_err outcome_err(const struct sending *s, weft_err err)
{
    if (s->body.err != WEFT_OK)
        return s->body.err;
    return s->reply_err != WEFT_OK ? s->reply_err : err;
}

static void on_outcome(struct sending *s, const struct wf_core_event *e)
{
    static const weft_outcome_kind kinds[] = {
        [WF_OUTCOME_DELIVERED] = WEFT_DELIVERED, [WF_OUTCOME_REPLIED] = WEFT_REPLIED,
        [WF_OUTCOME_FAILED] = WEFT_FAILED,       [WF_OUTCOME_EXPIRED] = WEFT_EXPIRED,
        [WF_OUTCOME_UNKNOWN] = WEFT_UNKNOWN,
    };

    s->id = 0;
    s->outcome.kind = kinds[e->outcome];
    s->outcome.err = outcome_err(s, e->err);
    s->outcome.handshake_us = e->handshake_us;
    s->outcome.packets = e->packets;
    s->outcome.resent = e->resent;
    if (e->outcome == WF_OUTCOME_REPLIED) {
        s->message.body = s->params.on_reply_data == NULL ? s->reply.data : NULL;
        s->message.len = s->reply.len;
        s->outcome.message = &s->message;
        s->outcome.grade = s->message.grade;
    }
    if (s->reply_id != 0)
        wf_core_release(s->node->core, s->reply_id, WF_CODE_NONE);
    s->reply_id = 0;
    tell_outcome(s);
}

/* --- the reply --- */

static size_t take_reply(struct sending *s, weft_span data)
{
    weft_err err = WEFT_OK;

    if (s->params.on_reply_data != NULL) {
        size_t len =
            data.len == 0 ? 0 : s->params.on_reply_data(data.data, data.len, s->params.user);

        s->is_paused = len < data.len;
        return len < data.len ? len : data.len;
    }
    err = inflow_add(s->node, &s->reply, data);
    if (err == WEFT_OK)
        return data.len;
    s->reply_err = err;
    wf_core_cancel(s->node->core, s->id, reason_code(err));
    s->reply_over = true;
    return 0;
}

/* All of it was taken. A reader of pieces is told with an empty one. */
static void end_reply(struct sending *s)
{
    s->reply_over = true;
    if (s->params.on_reply_data != NULL)
        (void)s->params.on_reply_data(NULL, 0, s->params.user);
}

static void pull_reply(struct sending *s)
{
    bool more = true;

    while (more && !s->is_paused && !s->reply_over && s->reply_id != 0 && !s->has_outcome) {
        bool at_end = false;
        weft_span data = wf_core_peek(s->node->core, s->reply_id, &at_end);
        size_t taken = take_reply(s, data);

        more = data.len > 0 && taken == data.len;
        if (at_end && taken == data.len)
            end_reply(s);
        wf_core_consume(s->node->core, s->reply_id, taken);
    }
}

static void on_reply(struct sending *s, const struct wf_core_event *e)
{
    s->reply_id = e->id;
    wf_core_set_user(s->node->core, e->id, s);
    s->message = (weft_message){
        .service = "",
        .length = e->open.open_ended ? UINT64_MAX : e->open.length,
        .grade = e->limited ? WEFT_GRADE_GROUP : WEFT_GRADE_FULL,
    };
    memcpy(s->message.from.bytes, e->peer, WEFT_KEY_LEN);
}

void sending_on_event(struct sending *s, const struct wf_core_event *e)
{
    switch (e->kind) {
    case WF_CORE_MESSAGE:
        on_reply(s, e);
        return;
    case WF_CORE_READABLE:
        pull_reply(s);
        return;
    case WF_CORE_BROKEN:
        wf_core_release(s->node->core, e->id, WF_CODE_NONE);
        s->reply_id = 0;
        return;
    case WF_CORE_WRITABLE:
        s->body.blocked = false;
        sending_feed(s);
        return;
    case WF_CORE_OUTCOME:
        on_outcome(s, e);
        return;
    case WF_CORE_PONG:
    case WF_CORE_PING_FAILED:
        tell_ping(s, e->err, e->rtt_us, e->handshake_us);
        return;
    default:
        return;
    }
}

void sending_feed(struct sending *s)
{
    uint64_t before = s->body.sent;

    if (s->has_outcome || s->id == 0)
        return;
    s->body.starved = false;
    if (s->is_paused) {
        s->is_paused = false;
        pull_reply(s);
    }
    if (s->has_outcome || s->id == 0)
        return;
    outflow_feed(s->node, &s->body, s->id, &s->owner);
    if (s->params.on_progress != NULL && s->body.sent != before)
        s->params.on_progress(s->body.sent, s->body.length, s->params.user);
}

/* --- its beginning --- */

/* The address is known (or none was given): into the core. */
static weft_err launch(struct sending *s)
{
    weft_node *n = s->node;
    uint32_t within = s->params.reply_within_ms;
    struct wf_core_send_params p = {
        .address = s->addrs[0],
        .one_way = n->anonymous,
        .show_own_key = n->show_own_key,
        .service = wf_span_of(s->service),
        .priority = (uint8_t)s->params.priority,
        .open_ended = s->body.length == UINT64_MAX,
        .length = s->body.length == UINT64_MAX ? 0 : s->body.length,
        .expect_reply = s->params.expect_reply,
        .outcome_within_us = (uint64_t)within * 1000,
        .reach_within_us = (uint64_t)s->params.reach_within_ms * 1000,
        .user = s,
    };
    struct wf_pin pin;
    weft_err err = WEFT_OK;

    memcpy(p.to, s->peer.key.bytes, WEFT_KEY_LEN);
    if (s->pin != NULL) {
        node_pin_use(s->pin, &pin, p.to); /* it may have changed while the address was looked up */
        p.pin = &pin;
    }
    err = s->is_ping ? wf_core_ping(n->core, wf_clock_now(), &p)
                     : wf_core_message(n->core, wf_clock_now(), &p, &s->id);
    if (err == WEFT_OK)
        sending_feed(s);
    return err;
}

static void on_resolved(void *ctx, weft_err err, const struct wf_resolved *found)
{
    struct sending *s = ctx;
    weft_node *n = s->node;

    s->resolve_id = 0;
    if (err == WEFT_OK) {
        memcpy(s->addrs, found->addrs, found->count * sizeof *found->addrs);
        err = launch(s);
    }
    if (err != WEFT_OK)
        sending_fail_later(s,
                           err == WEFT_ERR_NOT_FOUND ? WEFT_ERR_ADDRESS : err); /* no such host */
    node_pump(n);
}

static weft_err start(struct sending *s)
{
    struct wf_resolve_want want = {
        .host = s->peer.host, .port = s->peer.port, .fn = on_resolved, .ctx = s};
    weft_err err = WEFT_OK;

    if (s->peer.host[0] == '\0')
        return launch(s);
    if (wf_addr_parse_ip(&s->addrs[0], wf_span_of(s->peer.host)) == WEFT_OK) {
        s->addrs[0].port = s->peer.port;
        return launch(s);
    }
    if (s->node->resolver == NULL)
        err = wf_resolver_new(&s->node->resolver, s->node->loop, NULL);
    return err != WEFT_OK ? err : wf_resolver_start(s->node->resolver, &want, &s->resolve_id);
}

static struct sending *sending_new(weft_node *n)
{
    struct sending *s = wf_alloc(&n->mem, sizeof *s);

    if (s == NULL)
        return NULL;
    s->node = n;
    s->handle = n->next_handle++;
    s->body.fd = -1;
    s->body.done = true;
    s->started = wf_clock_now();
    wf_list_push_back(&n->sendings, &s->link);
    return s;
}

/* *opened: the body is the sending's now. */
static weft_err fill(struct sending *s, const weft_send_params *p, bool *opened)
{
    size_t len = p->service == NULL ? 0 : strlen(p->service);
    weft_err err = WEFT_OK;

    if (len < 1 || len > WF_SERVICE_MAX || p->to == NULL || p->priority > WEFT_BACKGROUND)
        return WEFT_ERR_USAGE;
    s->params = *p;
    s->params.expect_reply = p->expect_reply || p->reply_within_ms > 0 || p->on_reply_data != NULL;
    s->params.reach_within_ms = p->reach_within_ms == 0 ? NODE_REACH_MS : p->reach_within_ms;
    s->reply.max = p->reply_max == 0 ? NODE_MESSAGE_MAX : (size_t)p->reply_max;
    memcpy(s->service, p->service, len + 1);
    err = node_peer_parse(s->node, p->to, &s->peer, &s->pin);
    *opened = err == WEFT_OK;
    s->params.to = NULL; /* the caller's */
    s->params.service = s->service;
    return err == WEFT_OK ? outflow_open(s->node, &s->body, &p->body) : err;
}

/* An outcome that is listed has its place from the start. */
static weft_err promise_place(struct sending *s)
{
    weft_node *n = s->node;

    if (s->params.on_outcome != NULL)
        return WEFT_OK;
    if (n->event_count + n->outcomes_due >= NODE_EVENTS_MAX)
        return WEFT_ERR_LIMIT;
    if (node_make_events(n) != WEFT_OK)
        return WEFT_ERR_NOMEM;
    n->outcomes_due++;
    s->has_place = true;
    return WEFT_OK;
}

weft_err weft_node_send(weft_node *n, const weft_send_params *p, uint64_t *id)
{
    struct sending *s = NULL;
    bool opened = false;
    weft_err err = WEFT_OK;

    if (p == NULL || p->size < sizeof *p)
        return WEFT_ERR_USAGE;
    n->busy++;
    s = n->closing ? NULL : sending_new(n);
    if (s == NULL)
        err = n->closing ? WEFT_ERR_CLOSED : WEFT_ERR_NOMEM;
    else
        err = fill(s, p, &opened);
    if (!opened)
        body_drop(&p->body);
    if (err == WEFT_OK)
        err = promise_place(s);
    if (err == WEFT_OK)
        err = start(s);
    if (err == WEFT_OK && id != NULL)
        *id = s->handle;
    if (err == WEFT_OK)
        node_kick(n);
    else if (s != NULL)
        sending_free(s);
    n->busy--;
    return err;
}

weft_err weft_node_ping(weft_node *n, const char *to, uint32_t within_ms, weft_pong_fn fn,
                        void *user)
{
    struct sending *s = n->closing ? NULL : sending_new(n);
    weft_err err = WEFT_OK;

    if (s == NULL)
        return n->closing ? WEFT_ERR_CLOSED : WEFT_ERR_NOMEM;
    s->is_ping = true;
    s->on_pong = fn;
    s->params.user = user;
    s->params.reply_within_ms = within_ms;
    s->params.reach_within_ms = within_ms;
    err = node_peer_parse(n, to, &s->peer, &s->pin);
    if (err == WEFT_OK)
        err = start(s);
    if (err != WEFT_OK)
        sending_free(s);
    else
        node_kick(n);
    return err;
}

void weft_node_cancel(weft_node *n, uint64_t id)
{
    for (struct wf_link *l = n->sendings.first; l != NULL; l = l->next) {
        struct sending *s = WF_CONTAINER_OF(l, struct sending, link);

        if (s->handle != id || s->has_outcome || s->is_ping)
            continue;
        if (s->id != 0)
            wf_core_cancel(n->core, s->id, WF_CODE_CANCELLED);
        else
            sending_fail_later(s, WEFT_ERR_CANCELLED);
        node_kick(n);
        return;
    }
}

void weft_node_resume(weft_node *n)
{
    n->resume_all = true;
    node_kick(n);
}
