/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_event.c - what a channel has to tell its owner. Messages carry flags of their own news and
 * stand in a list, so that however much happens between two visits, what is kept is bounded by the
 * messages there are; only the bytes of datagrams and errors are queued, within a cap.
 *
 * Order: of one message OPENED, READABLE, CANCELLED or WRITABLE, DELIVERED, STOPPED; CLOSED after
 * everything.
 */
#include <string.h>

#include "base/assert.h"
#include "transport/chan_priv.h"

#define NOTICE_BYTES_MAX ((size_t)256 << 10)
#define NOTICE_COUNT_MAX 1024u

/* Bytes that came and belong to no message. */
struct notice {
    struct wf_link link;
    enum wf_chan_event_kind kind;
    uint64_t number, code;
    size_t len;
    uint8_t data[];
};

void chan_out_tell(struct wf_chan *c, struct wf_message_out *m, uint8_t event)
{
    m->events |= event;
    if (!wf_list_has(&c->news_out, &m->news))
        wf_list_push_back(&c->news_out, &m->news);
}

void chan_in_tell(struct wf_chan *c, struct wf_message_in *m, uint8_t event)
{
    m->events |= event;
    if (!wf_list_has(&c->news_in, &m->news))
        wf_list_push_back(&c->news_in, &m->news);
}

static void notice_free(struct wf_chan *c, struct notice *n)
{
    if (n == NULL)
        return;
    c->notice_bytes -= sizeof *n + n->len;
    wf_free(c->mem, n, sizeof *n + n->len);
}

bool chan_notice(struct wf_chan *c, const struct wf_chan_event *e)
{
    size_t size = sizeof(struct notice) + e->data.len;

    if (c->notices.count >= NOTICE_COUNT_MAX || size > NOTICE_BYTES_MAX - c->notice_bytes)
        return false;
    struct notice *n = wf_alloc(c->mem, size);
    if (n == NULL)
        return false;
    n->kind = e->kind;
    n->number = e->number;
    n->code = e->code;
    n->len = e->data.len;
    if (n->len > 0)
        memcpy(n->data, e->data.data, n->len);
    c->notice_bytes += size;
    wf_list_push_back(&c->notices, &n->link);
    return true;
}

void chan_events_deinit(struct wf_chan *c)
{
    notice_free(c, c->notice_taken);
    c->notice_taken = NULL;
    for (struct wf_link *l = wf_list_pop_front(&c->notices); l != NULL;
         l = wf_list_pop_front(&c->notices))
        notice_free(c, WF_CONTAINER_OF(l, struct notice, link));
}

/* Takes the lowest bit out of *events and returns it. */
static uint8_t take_lowest(uint8_t *events)
{
    uint8_t bit = (uint8_t)(*events & -*events);

    *events = (uint8_t)(*events & ~bit);
    return bit;
}

static bool next_notice(struct wf_chan *c, struct wf_chan_event *out)
{
    struct wf_link *l = wf_list_pop_front(&c->notices);

    if (l == NULL)
        return false;
    struct notice *n = WF_CONTAINER_OF(l, struct notice, link);
    *out = (struct wf_chan_event){
        .kind = n->kind, .number = n->number, .code = n->code, .data = {n->data, n->len}};
    c->notice_taken = n;
    return true;
}

static bool next_in(struct wf_chan *c, struct wf_chan_event *out)
{
    struct wf_link *l = c->news_in.first;

    if (l == NULL)
        return false;
    struct wf_message_in *m = WF_CONTAINER_OF(l, struct wf_message_in, news);
    uint8_t event = take_lowest(&m->events);
    *out = (struct wf_chan_event){.number = m->link.number};
    if (m->events == 0)
        wf_list_remove(&m->news);
    if (event == CHAN_IN_OPENED) {
        out->kind = WF_CHAN_OPENED;
        out->open = m->open;
        out->open.number = m->link.number;
    } else if (event == CHAN_IN_READABLE) {
        out->kind = WF_CHAN_READABLE;
    } else {
        out->kind = WF_CHAN_CANCELLED;
        out->code = m->code;
        chan_in_let_go(c, m);
    }
    return true;
}

static bool next_out(struct wf_chan *c, struct wf_chan_event *out)
{
    struct wf_link *l = c->news_out.first;

    if (l == NULL)
        return false;
    struct wf_message_out *m = WF_CONTAINER_OF(l, struct wf_message_out, news);
    uint8_t event = take_lowest(&m->events);
    *out = (struct wf_chan_event){.number = m->link.number};
    if (m->events == 0)
        wf_list_remove(&m->news);
    if (event == CHAN_OUT_WRITABLE) {
        out->kind = WF_CHAN_WRITABLE;
        return true;
    }
    out->kind = event == CHAN_OUT_DELIVERED ? WF_CHAN_DELIVERED : WF_CHAN_STOPPED;
    out->code = m->code;
    if (wf_message_out_is_done(m) && m->events == 0)
        chan_out_free(c, m);
    return true;
}

static bool next_of_channel(struct wf_chan *c, struct wf_chan_event *out)
{
    uint8_t event = take_lowest(&c->events);

    *out = (struct wf_chan_event){0};
    if (event == CHAN_EVENT_CONFIRMED) {
        out->kind = WF_CHAN_CONFIRMED;
    } else if (event == CHAN_EVENT_PATH) {
        out->kind = WF_CHAN_PATH;
    } else if (event == CHAN_EVENT_PONG) {
        out->kind = WF_CHAN_PONG;
        out->rtt_us = c->pong_rtt_us;
    } else {
        return chan_cid_event(c, out);
    }
    return true;
}

static bool next_closed(struct wf_chan *c, struct wf_chan_event *out)
{
    if (c->state != CHAN_CLOSED || c->is_closed_told)
        return false;
    c->is_closed_told = true;
    *out = (struct wf_chan_event){.kind = WF_CHAN_CLOSED,
                                  .err = c->close.err,
                                  .code = c->close.code,
                                  .data = {c->close.text, c->close.text_len}};
    return true;
}

bool wf_chan_next_event(struct wf_chan *c, struct wf_chan_event *out)
{
    notice_free(c, c->notice_taken);
    c->notice_taken = NULL;
    return next_of_channel(c, out) || next_in(c, out) || next_out(c, out) || next_notice(c, out) ||
           next_closed(c, out);
}
