/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_serve.c - incoming messages: who may send them, which function gets them, whole or in
 * pieces.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/node_priv.h"

/* --- services and rules --- */

static struct service *service_find(weft_node *n, weft_span name)
{
    for (size_t i = 0; i < n->service_count; i++) {
        if (wf_span_equal(wf_span_of(n->services[i].name), name))
            return &n->services[i];
    }
    return NULL;
}

static bool name_ok(const char *name)
{
    size_t len = name == NULL ? 0 : strlen(name);

    return len >= 1 && len <= WF_SERVICE_MAX;
}

static weft_err service_add(weft_node *n, const char *name, struct service **out)
{
    weft_err err = WEFT_OK;

    if (!name_ok(name))
        return WEFT_ERR_USAGE;
    if (service_find(n, wf_span_of(name)) != NULL)
        return WEFT_ERR_EXISTS;
    if (n->service_count == NODE_SERVICES_MAX)
        return WEFT_ERR_LIMIT;
    err = wf_core_serve(n->core, wf_loop_now(n->loop));
    if (err != WEFT_OK)
        return err;
    *out = &n->services[n->service_count++];
    **out = (struct service){.fn = NULL};
    memcpy((*out)->name, name, strlen(name) + 1);
    return WEFT_OK;
}

weft_err weft_node_serve(weft_node *n, const char *service, weft_serve_fn fn, void *user)
{
    struct service *s = NULL;
    weft_err err = service_add(n, service, &s);

    if (err != WEFT_OK)
        return err;
    s->fn = fn;
    s->user = user;
    return WEFT_OK;
}

weft_err weft_node_serve_stream(weft_node *n, const char *service,
                                const weft_stream_handler *handler, void *user)
{
    struct service *s = NULL;
    weft_err err = WEFT_OK;

    if (handler == NULL || handler->size < sizeof *handler)
        return WEFT_ERR_USAGE;
    if (handler->on_open == NULL || handler->on_data == NULL || handler->on_end == NULL)
        return WEFT_ERR_USAGE;
    err = service_add(n, service, &s);
    if (err != WEFT_OK)
        return err;
    s->is_stream = true;
    s->handler = *handler;
    s->user = user;
    return WEFT_OK;
}

static weft_err grow_rules(weft_node *n)
{
    size_t cap = n->rule_cap == 0 ? 8 : n->rule_cap * 2;
    struct rule *grown = NULL;

    if (n->rule_count == NODE_RULES_MAX)
        return WEFT_ERR_LIMIT;
    if (n->rule_count < n->rule_cap)
        return WEFT_OK;
    grown = wf_alloc_array(&n->mem, cap, sizeof *grown);
    if (grown == NULL)
        return WEFT_ERR_NOMEM;
    if (n->rule_count > 0)
        memcpy(grown, n->rules, n->rule_count * sizeof *grown);
    wf_free(&n->mem, n->rules, n->rule_cap * sizeof *grown);
    n->rules = grown;
    n->rule_cap = cap;
    return WEFT_OK;
}

weft_err weft_node_allow(weft_node *n, const weft_key *key, const char *service)
{
    struct rule *r = NULL;
    weft_err err = WEFT_OK;

    if (!name_ok(service))
        return WEFT_ERR_USAGE;
    err = grow_rules(n);
    if (err != WEFT_OK)
        return err;
    r = &n->rules[n->rule_count++];
    *r = (struct rule){.anybody = key == NULL};
    if (key != NULL)
        r->key = *key;
    memcpy(r->service, service, strlen(service) + 1);
    return WEFT_OK;
}

static bool is_allowed(const weft_node *n, const struct wf_core_event *e, const char *service)
{
    for (size_t i = 0; i < n->rule_count; i++) {
        const struct rule *r = &n->rules[i];
        bool who = r->anybody || (!e->nobody && memcmp(r->key.bytes, e->peer, WEFT_KEY_LEN) == 0);

        if (who && (strcmp(r->service, "*") == 0 || strcmp(r->service, service) == 0))
            return true;
    }
    return false;
}

/* --- exchanges --- */

void exchange_kill(weft_exchange *x)
{
    if (x->is_dead)
        return;
    x->is_dead = true;
    wf_list_remove(&x->resume_link);
    wf_list_push_back(x->is_listed ? &x->node->taken_exchanges : &x->node->dead_exchanges,
                      &x->end_link);
}

static void end_stream(weft_exchange *x, weft_err err)
{
    if (!x->is_open || x->is_over)
        return;
    x->is_over = true;
    x->service->handler.on_end(x, err, x->state);
}

/* The node closes: it is too late for an answer. */
void exchange_end(weft_exchange *x, weft_err err)
{
    x->is_answered = true;
    end_stream(x, err);
    outflow_close(x->node, &x->reply);
}

void exchange_free(weft_exchange *x)
{
    weft_node *n = x->node;

    wf_list_remove(&x->link);
    wf_list_remove(&x->end_link);
    wf_list_remove(&x->resume_link);
    inflow_free(n, &x->body);
    outflow_close(n, &x->reply);
    wf_free(&n->mem, x, sizeof *x);
}

static bool has_message(const weft_exchange *x)
{
    return x->id != 0 && !x->is_let_go;
}

/* The core need not keep the message any longer, once nobody looks at its bytes. */
static void let_go(weft_exchange *x, uint64_t code)
{
    if (!has_message(x))
        return;
    if (x->is_pulling) {
        x->is_let_go = true;
        x->let_go_code = code;
        return;
    }
    wf_core_release(x->node->core, x->id, code);
    x->id = 0;
}

/* Over when it was answered, or nobody will, and no reply is on its way. */
static void settle(weft_exchange *x)
{
    bool served = x->is_dispatched || x->is_over;

    if (!served || x->is_replying)
        return;
    if (x->is_kept && !x->is_answered)
        return;
    let_go(x, x->is_answered ? WF_CODE_NONE : reason_code(x->failed));
    exchange_kill(x);
}

/* A reply that was begun already is given up, and ends as any other. */
static void reject(weft_exchange *x, uint64_t code)
{
    let_go(x, code);
    x->is_dispatched = true;
    x->is_answered = true;
    if (x->is_replying && x->reply_id != 0)
        wf_core_cancel(x->node->core, x->reply_id, code);
    settle(x);
}

static weft_exchange *exchange_new(weft_node *n, const struct wf_core_event *e,
                                   const struct service *service)
{
    weft_exchange *x = wf_alloc(&n->mem, sizeof *x);

    if (x == NULL)
        return NULL;
    x->owner.is_exchange = true;
    x->node = n;
    x->id = e->id;
    x->service = service;
    x->reply.fd = -1;
    x->body.max = (size_t)n->message_max;
    x->body.charged_to = e->id;
    memcpy(x->service_name, service->name, sizeof x->service_name);
    x->message = (weft_message){
        .service = x->service_name,
        .length = e->open.open_ended ? UINT64_MAX : e->open.length,
        .grade = grade_of(e),
        .group = e->limited ? e->group + 1u : 0,
    };
    memcpy(x->message.from.bytes, e->peer, WEFT_KEY_LEN);
    wf_list_push_back(&n->exchanges, &x->link);
    wf_core_set_user(n->core, e->id, x);
    return x;
}

static void open_stream(weft_exchange *x)
{
    weft_err err = x->service->handler.on_open(x, &x->message, x->service->user, &x->state);

    if (err != WEFT_OK) {
        reject(x, reason_code(err));
        return;
    }
    x->is_open = true;
    if (has_message(x))
        return;
    end_stream(x, x->refused); /* it was refused meanwhile */
    settle(x);
}

/* A message begins. */
void exchange_event(weft_node *n, const struct wf_core_event *e)
{
    const struct service *service = e->open.has_service ? service_find(n, e->open.service) : NULL;
    weft_exchange *x = NULL;

    if (service == NULL || !is_allowed(n, e, service->name)) {
        wf_core_release(n->core, e->id, service == NULL ? WF_CODE_NO_SERVICE : WF_CODE_DENIED);
        return;
    }
    x = exchange_new(n, e, service);
    if (x == NULL)
        wf_core_release(n->core, e->id, WF_CODE_NOMEM);
    else if (service->is_stream)
        open_stream(x);
    else if (x->message.length != UINT64_MAX && x->message.length > x->body.max)
        reject(x, WF_CODE_LIMIT);
}

static void list_message(weft_exchange *x)
{
    weft_event e = {.kind = WEFT_EVENT_MESSAGE, .exchange = x, .message = &x->message};

    x->is_kept = true;
    x->is_listed = node_list_event(x->node, &e);
    if (!x->is_listed)
        reject(x, WF_CODE_LIMIT);
}

static void dispatch(weft_exchange *x)
{
    x->is_dispatched = true;
    x->message.body = x->body.data;
    x->message.len = x->body.len;
    if (x->service->fn == NULL)
        list_message(x);
    else
        x->service->fn(x, &x->message, x->service->user);
    if (!x->is_dead)
        settle(x);
}

/* Takes some bytes; how many. */
static size_t take(weft_exchange *x, weft_span data)
{
    weft_err err = WEFT_OK;

    if (x->service->is_stream) {
        size_t len =
            data.len == 0 ? 0 : x->service->handler.on_data(x, data.data, data.len, x->state);

        x->is_paused = len < data.len;
        return len < data.len ? len : data.len;
    }
    err = inflow_add(x->node, &x->body, data);
    if (err != WEFT_OK) {
        reject(x, reason_code(err));
        return 0;
    }
    return data.len;
}

static void end_message(weft_exchange *x)
{
    if (!x->service->is_stream) {
        dispatch(x);
        return;
    }
    end_stream(x, WEFT_OK);
    if (!x->is_dead)
        settle(x);
}

/* Hands over what is there now; false when there is no more to look at. */
static bool pull_piece(weft_exchange *x)
{
    bool at_end = false;
    weft_span data = wf_core_peek(x->node->core, x->id, &at_end);
    size_t taken = take(x, data);

    if (x->is_dead || !has_message(x))
        return false;
    wf_core_consume(x->node->core, x->id, taken);
    if (at_end && taken == data.len)
        end_message(x);
    return data.len > 0;
}

static void pull(weft_exchange *x)
{
    bool more = true;

    x->is_pulling = true;
    while (more && !x->is_dead && !x->is_paused && has_message(x) && !x->is_over &&
           !x->is_dispatched)
        more = pull_piece(x);
    x->is_pulling = false;
    if (x->is_let_go) {
        x->is_let_go = false;
        let_go(x, x->let_go_code);
    }
}

static void on_reply_outcome(weft_exchange *x)
{
    x->is_replying = false;
    x->reply_id = 0;
    outflow_close(x->node, &x->reply);
    settle(x);
}

void exchange_on_event(weft_exchange *x, const struct wf_core_event *e)
{
    switch (e->kind) {
    case WF_CORE_READABLE:
        pull(x);
        return;
    case WF_CORE_BROKEN:
        let_go(x, WF_CODE_NONE);
        end_stream(x, e->err);
        x->is_dispatched = true; /* nobody will be told of a message that is not whole */
        x->is_kept = x->is_kept && x->is_open;
        settle(x);
        return;
    case WF_CORE_WRITABLE:
        x->reply.blocked = false;
        exchange_feed(x);
        return;
    case WF_CORE_OUTCOME:
        on_reply_outcome(x);
        return;
    default:
        return;
    }
}

void exchange_feed(weft_exchange *x)
{
    x->reply.starved = false;
    if (x->is_replying && x->reply_id != 0)
        outflow_feed(x->node, &x->reply, x->reply_id, &x->owner);
}

void exchange_go_on(weft_exchange *x)
{
    x->is_paused = false;
    pull(x);
}

/* Later: its function may be the one that calls, and the bytes it has are not taken yet. */
void weft_exchange_resume(weft_exchange *x)
{
    if (x->is_dead || x->resume_link.list != NULL)
        return;
    wf_list_push_back(&x->node->resumed, &x->resume_link);
    node_kick(x->node);
}

/* --- answering --- */

/* The body is open: into the core. */
static weft_err start_reply(weft_exchange *x)
{
    struct wf_core_reply_params p = {.user = x, .open_ended = x->reply.length == UINT64_MAX};
    weft_err err = WEFT_OK;

    p.length = p.open_ended ? 0 : x->reply.length;
    err = wf_core_reply(x->node->core, x->id, &p, &x->reply_id);
    x->is_answered = true;
    if (err != WEFT_OK) {
        outflow_close(x->node, &x->reply);
        let_go(x, reason_code(err)); /* or the sender would wait for ever */
        settle(x);
        return err;
    }
    x->is_replying = true;
    exchange_feed(x);
    return WEFT_OK;
}

static weft_err reply_body(weft_exchange *x, const weft_body *body)
{
    weft_err err = WEFT_OK;

    if (x->is_answered || !has_message(x)) {
        err = x->is_answered ? WEFT_ERR_STATE : WEFT_ERR_CLOSED;
        body_drop(body);
        x->is_answered = true;
        settle(x);
        return err;
    }
    if (wf_core_charge(x->node->core, x->id, outflow_size(body))) {
        err = outflow_open(x->node, &x->reply, body);
    } else {
        err = WEFT_ERR_LIMIT; /* he asks for more than he reads */
        body_drop(body);
    }
    x->failed = err;
    return err == WEFT_OK ? start_reply(x) : err;
}

weft_err weft_reply_body(weft_exchange *x, const weft_body *body)
{
    weft_node *n = x->node;
    weft_err err = WEFT_OK;

    n->busy++;
    err = reply_body(x, body);
    n->busy--;
    node_kick(n);
    return err;
}

weft_err weft_reply(weft_exchange *x, const void *data, size_t len)
{
    weft_body body = weft_body_span(data, len);

    return weft_reply_body(x, &body);
}

weft_err weft_refuse(weft_exchange *x, weft_err reason)
{
    weft_node *n = x->node;

    if (x->is_answered)
        return WEFT_ERR_STATE;
    x->is_answered = true;
    x->refused = reason;
    let_go(x, reason_code(reason));
    n->busy++;
    end_stream(x, reason); /* no more of it comes */
    n->busy--;
    settle(x);
    node_kick(n);
    return WEFT_OK;
}

void weft_exchange_keep(weft_exchange *x)
{
    x->is_kept = true;
}

void weft_exchange_drop(weft_exchange *x)
{
    node_kick(x->node);
    x->is_kept = false;
    settle(x);
}
