/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_note.c - control frames whose content cannot be made again from state (answers to
 * challenges, connection ids, errors), and datagrams that wait. Bounded: an answer gives way to
 * what comes after it, anything else says no.
 */
#include <string.h>

#include "transport/chan_priv.h"

struct note {
    struct wf_link link;
    uint64_t id;
    size_t size;       /* of this block */
    struct wf_addr to; /* answers: where the question came from; else unset */
    struct wf_frame frame;
    uint8_t text[];
};

struct datagram {
    struct wf_link link;
    size_t len;
    uint8_t data[];
};

static struct note *note_of(struct wf_link *link)
{
    return WF_CONTAINER_OF(link, struct note, link);
}

static void note_free(struct wf_chan *c, struct note *n)
{
    wf_list_remove(&n->link);
    c->control_bytes -= n->size;
    wf_free(c->mem, n, n->size);
}

/* SPEC 4.4-4: the oldest answer is dropped. */
static bool make_room(struct wf_chan *c, size_t size)
{
    for (struct wf_link *l = c->notes.first, *next; l != NULL; l = next) {
        next = l->next;
        if (size <= CHAN_CONTROL_MAX - c->control_bytes)
            return true;
        if (note_of(l)->frame.type == WF_FRAME_PATH_RESPONSE)
            note_free(c, note_of(l));
    }
    return size <= CHAN_CONTROL_MAX - c->control_bytes;
}

bool chan_note_put(struct wf_chan *c, const struct wf_frame *f, const struct wf_addr *to)
{
    weft_span text = f->type == WF_FRAME_ERROR ? f->u.error.text : (weft_span){NULL, 0};
    size_t size = sizeof(struct note) + text.len;

    if (!make_room(c, size))
        return false;
    struct note *n = wf_alloc(c->mem, size);
    if (n == NULL)
        return false;
    n->id = c->note_next++;
    n->size = size;
    n->frame = *f;
    if (to != NULL)
        n->to = *to;
    if (text.len > 0) {
        memcpy(n->text, text.data, text.len);
        n->frame.u.error.text.data = n->text;
    }
    c->control_bytes += size;
    wf_list_push_back(&c->notes, &n->link);
    return true;
}

static void free_all(struct wf_chan *c, struct wf_list *list)
{
    while (list->first != NULL)
        note_free(c, note_of(list->first));
}

void chan_notes_deinit(struct wf_chan *c)
{
    free_all(c, &c->notes);
    free_all(c, &c->notes_flying);
    while (c->datagrams.first != NULL)
        chan_datagram_sent(c);
}

/* The oldest note that can go to that path: those without an address go to the one in use. */
const struct wf_frame *chan_note_first(const struct wf_chan *c, const struct wf_addr *to,
                                       uint64_t *id)
{
    bool is_active = wf_addr_equal(to, &c->paths.items[0].remote);

    for (struct wf_link *l = c->notes.first; l != NULL; l = l->next) {
        const struct note *n = note_of(l);
        if (wf_addr_is_set(&n->to) ? wf_addr_equal(&n->to, to) : is_active) {
            *id = n->id;
            return &n->frame;
        }
    }
    return NULL;
}

/* An answer to a challenge and where it has to go. It waits for no window, on the path in use
 * either: the peer may be sending everything to where we no longer are until it has the answer.
 * Those to forgotten paths are dropped. */
const struct wf_frame *chan_note_answer(struct wf_chan *c, const struct wf_addr **to, uint64_t *id)
{
    for (struct wf_link *l = c->notes.first, *next; l != NULL; l = next) {
        struct note *n = note_of(l);
        next = l->next;
        if (!wf_addr_is_set(&n->to))
            continue;
        if (wf_paths_find(&c->paths, &n->to) != NULL) {
            *to = &n->to;
            *id = n->id;
            return &n->frame;
        }
        note_free(c, n);
    }
    return NULL;
}

static struct note *find(struct wf_list *list, uint64_t id)
{
    for (struct wf_link *l = list->first; l != NULL; l = l->next) {
        if (note_of(l)->id == id)
            return note_of(l);
    }
    return NULL;
}

void chan_note_sent(struct wf_chan *c, uint64_t id)
{
    struct note *n = find(&c->notes, id);

    if (n == NULL)
        return;
    if (n->frame.type == WF_FRAME_PATH_RESPONSE) {
        note_free(c, n); /* never sent again */
        return;
    }
    wf_list_remove(&n->link);
    wf_list_push_back(&c->notes_flying, &n->link);
}

void chan_note_fate(struct wf_chan *c, uint64_t id, bool is_acked)
{
    struct note *n = find(&c->notes_flying, id);

    if (n == NULL && is_acked)
        n = find(&c->notes, id); /* it was taken for lost */
    if (n == NULL)
        return;
    if (is_acked) {
        note_free(c, n);
        return;
    }
    wf_list_remove(&n->link);
    wf_list_push_back(&c->notes, &n->link);
}

bool wf_chan_error(struct wf_chan *c, uint64_t regards, uint64_t code, weft_span text)
{
    struct wf_frame f = {.type = WF_FRAME_ERROR};

    if (c->state >= CHAN_CLOSING)
        return true; /* CLOSE says it all */
    f.u.error.regards = regards;
    f.u.error.code = code;
    f.u.error.text = (weft_span){text.data, text.len < CHAN_TEXT_MAX ? text.len : CHAN_TEXT_MAX};
    return chan_note_put(c, &f, NULL);
}

weft_err wf_chan_datagram(struct wf_chan *c, weft_span data)
{
    size_t overhead = WF_PACKET_HEADER_MAX + WF_PACKET_TAG + 1 + WF_VARINT_MAX;
    size_t size = sizeof(struct datagram) + data.len;

    if (c->state >= CHAN_CLOSING)
        return WEFT_ERR_CLOSED;
    if (data.len > wf_mtu_size(&c->mtu) - overhead || size > CHAN_DATAGRAMS_MAX - c->datagram_bytes)
        return WEFT_ERR_LIMIT;
    struct datagram *d = wf_alloc(c->mem, size);
    if (d == NULL)
        return WEFT_ERR_NOMEM;
    d->len = data.len;
    if (data.len > 0)
        memcpy(d->data, data.data, data.len);
    c->datagram_bytes += size;
    wf_list_push_back(&c->datagrams, &d->link);
    return WEFT_OK;
}

weft_span chan_datagram_first(const struct wf_chan *c)
{
    const struct datagram *d = WF_CONTAINER_OF(c->datagrams.first, struct datagram, link);

    return (weft_span){d->data, d->len};
}

void chan_datagram_sent(struct wf_chan *c)
{
    struct datagram *d = WF_CONTAINER_OF(wf_list_pop_front(&c->datagrams), struct datagram, link);
    size_t size = sizeof *d + d->len;

    c->datagram_bytes -= size;
    wf_free(c->mem, d, size);
}
