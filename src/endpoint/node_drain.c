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

static void feed_all(weft_node *n)
{
    struct wf_link *next = NULL;

    for (struct wf_link *l = n->sendings.first; l != NULL; l = next) {
        next = l->next;
        sending_feed(WF_CONTAINER_OF(l, struct sending, link));
    }
    for (struct wf_link *l = n->exchanges.first; l != NULL; l = next) {
        next = l->next;
        exchange_feed(WF_CONTAINER_OF(l, struct weft_exchange, link));
    }
}

/* Frees what is over, when no function of the user's can look at it. */
void node_sweep(weft_node *n)
{
    while (n->dead_sendings.first != NULL)
        sending_free(WF_CONTAINER_OF(n->dead_sendings.first, struct sending, link));
    while (n->dead_exchanges.first != NULL)
        exchange_free(WF_CONTAINER_OF(n->dead_exchanges.first, struct weft_exchange, link));
}

void node_drain(weft_node *n)
{
    struct wf_core_event e;

    if (n->draining)
        return; /* called from a user's function: the outer call goes on */
    n->draining = true;
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

bool node_list_event(weft_node *n, const weft_event *e)
{
    if (n->event_count == NODE_EVENTS_MAX)
        return false;
    if (n->events == NULL) {
        n->events = wf_alloc_array(&n->mem, NODE_EVENTS_MAX, sizeof *n->events);
        if (n->events == NULL)
            return false;
    }
    n->events[(n->event_first + n->event_count++) % NODE_EVENTS_MAX] = *e;
    return true;
}

/* Outcomes handed out at the last call are over now. */
static void forget_taken(weft_node *n)
{
    while (n->taken.first != NULL)
        sending_kill(WF_CONTAINER_OF(n->taken.first, struct sending, link));
    if (!n->draining)
        node_sweep(n);
}

static void mark_taken(weft_node *n, const weft_outcome *outcome)
{
    struct sending *s = (struct sending *)((uintptr_t)outcome - offsetof(struct sending, outcome));

    wf_list_remove(&s->link);
    wf_list_push_back(&n->taken, &s->link);
}

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
