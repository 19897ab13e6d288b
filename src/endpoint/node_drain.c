/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_drain.c - the core's events, led to the sending or exchange they belong to; and the list for
 * those who poll.
 */
#include "endpoint/node_priv.h"

static void on_event(weft_node *n, const struct wf_core_event *e)
{
    const struct owner *owner = NULL;

    switch (e->kind) {
    case WF_CORE_SESSION:
        n->handshake_us = e->handshake_us;
        if (e->learned)
            node_pin_learned(n, e);
        return;
    case WF_CORE_WORK_REFUSED:
        node_work_refused(n, e);
        return;
    case WF_CORE_SESSION_ENDED:
        return;
    case WF_CORE_MESSAGE:
        if (e->reply_to_id == 0) {
            exchange_event(n, e);
            return;
        }
        break;
    default:
        break;
    }
    owner = e->user;
    if (owner == NULL)
        return;
    if (owner->is_exchange)
        exchange_on_event(e->user, e);
    else
        sending_on_event(e->user, e);
}

/* Elements leave the lists only when they are swept, so they can be walked while functions of the
 * user's run. */
static void feed_all(weft_node *n)
{
    for (struct wf_link *l = n->sendings.first; l != NULL; l = l->next)
        sending_feed(WF_CONTAINER_OF(l, struct sending, link));
    for (struct wf_link *l = n->exchanges.first; l != NULL; l = l->next)
        exchange_feed(WF_CONTAINER_OF(l, struct weft_exchange, link));
}

/* Those that are resumed again meanwhile wait for the next time, so that this ends. */
static void feed_resumed(weft_node *n)
{
    for (size_t left = n->resumed.count; left > 0; left--) {
        struct wf_link *l = wf_list_pop_front(&n->resumed);

        exchange_go_on(WF_CONTAINER_OF(l, struct weft_exchange, resume_link));
    }
}

/* Each has one more go; what is left of it then waits for the next time. */
static void feed_unfed(weft_node *n)
{
    for (size_t left = n->unfed.count; left > 0 && n->unfed.first != NULL; left--) {
        struct wf_link *l = wf_list_pop_front(&n->unfed);
        struct owner *owner = WF_CONTAINER_OF(l, struct outflow, unfed_link)->owner;

        if (owner->is_exchange)
            exchange_feed(WF_CONTAINER_OF(owner, struct weft_exchange, owner));
        else
            sending_feed(WF_CONTAINER_OF(owner, struct sending, owner));
    }
}

static void tell_failed(weft_node *n)
{
    for (size_t left = n->failed.count; left > 0; left--) {
        struct wf_link *l = wf_list_pop_front(&n->failed);
        struct sending *s = WF_CONTAINER_OF(l, struct sending, fail_link);

        sending_fail(s, s->failed);
    }
}

/* Frees what is over, when no function of the user's can look at it. */
void node_sweep(weft_node *n)
{
    struct wf_link *l = NULL;

    for (l = wf_list_pop_front(&n->dead_sendings); l != NULL;
         l = wf_list_pop_front(&n->dead_sendings))
        sending_free(WF_CONTAINER_OF(l, struct sending, end_link));
    for (l = wf_list_pop_front(&n->dead_exchanges); l != NULL;
         l = wf_list_pop_front(&n->dead_exchanges))
        exchange_free(WF_CONTAINER_OF(l, struct weft_exchange, end_link));
}

void node_drain(weft_node *n)
{
    struct wf_core_event e;

    if (n->draining)
        return; /* called from a user's function: the outer call goes on */
    n->draining = true;
    tell_failed(n);
    feed_resumed(n);
    feed_unfed(n);
    if (n->resume_all) {
        n->resume_all = false;
        feed_all(n);
    }
    while (wf_core_next_event(n->core, &e))
        on_event(n, &e);
    n->draining = false;
    node_sweep(n);
}

/* --- for those who poll --- */

weft_err node_make_events(weft_node *n)
{
    if (n->events == NULL)
        n->events = wf_alloc_array(&n->mem, NODE_EVENTS_MAX, sizeof *n->events);
    return n->events == NULL ? WEFT_ERR_NOMEM : WEFT_OK;
}

/* An outcome has its place from the start, for it must be told. */
bool node_list_event(weft_node *n, const weft_event *e)
{
    if (n->event_count + n->outcomes_due >= NODE_EVENTS_MAX || node_make_events(n) != WEFT_OK)
        return false;
    n->events[(n->event_first + n->event_count++) % NODE_EVENTS_MAX] = *e;
    return true;
}

/* Outcomes handed out at the last call are over now. */
static void forget_taken(weft_node *n)
{
    struct wf_link *l = NULL;

    if (n->taken.first != NULL || n->taken_exchanges.first != NULL)
        node_kick(n); /* what is over is swept from the loop alone */
    while (n->taken.first != NULL)
        sending_kill(WF_CONTAINER_OF(n->taken.first, struct sending, end_link));
    for (l = wf_list_pop_front(&n->taken_exchanges); l != NULL;
         l = wf_list_pop_front(&n->taken_exchanges))
        wf_list_push_back(&n->dead_exchanges, l);
}

static void mark_taken(weft_node *n, const weft_outcome *outcome)
{
    struct sending *s = (struct sending *)((uintptr_t)outcome - offsetof(struct sending, outcome));

    wf_list_push_back(&n->taken, &s->end_link);
}

/* Outcomes stay until the next call, and so do the exchanges, though they were answered. */
size_t weft_node_events(weft_node *n, weft_event *events, size_t max)
{
    size_t count = 0;

    forget_taken(n);
    for (; count < max && n->event_count > 0; count++) {
        events[count] = n->events[n->event_first];
        n->event_first = (n->event_first + 1) % NODE_EVENTS_MAX;
        n->event_count--;
        if (events[count].kind == WEFT_EVENT_OUTCOME)
            mark_taken(n, events[count].outcome);
    }
    return count;
}
