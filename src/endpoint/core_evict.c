/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_evict.c - who goes when there is no room: not whoever comes last, or one host could keep
 * everybody else out by holding all there is.
 *
 * Places   Some are kept free. Whoever can fold does, and keeps his session. Who should long have
 * shown that our CONFIRM reached him goes first; then whoever has nothing under way, longest first;
 * then the oldest of those who may still show it. Who has something under way stays. Both kinds
 * stand in lists, so that finding one takes no time, and those who have not shown themselves have
 * but a part of all places. Memory   When the node's account is nearly full, the session that holds
 * most goes.
 */
#include <string.h>

#include "endpoint/core_priv.h"

static void say_goodbye(struct session *s, weft_time now)
{
    struct wf_core *c = s->core;
    static const char text[] = "no room";
    struct reply *r = NULL;
    uint8_t *buf = NULL;
    struct wf_send out;

    if (s->state != SESSION_OPEN || c->reply_count == CORE_REPLIES_MAX)
        return;
    buf = wf_alloc(c->mem, CORE_TRAIN_MAX);
    if (buf == NULL)
        return; /* he finds out by himself */
    wf_chan_close(s->chan, now, WF_CODE_LIMIT, (weft_span){(const uint8_t *)text, sizeof text - 1});
    if (wf_chan_send(s->chan, now, buf, CORE_TRAIN_MAX, &out) && out.len <= sizeof r->data) {
        r = &c->replies[(c->reply_first + c->reply_count++) % CORE_REPLIES_MAX];
        *r = (struct reply){.to = out.to, .from = out.from, .len = out.len};
        memcpy(r->data, buf, out.len);
    }
    wf_free(c->mem, buf, CORE_TRAIN_MAX);
}

static void evict(struct session *s, weft_time now)
{
    if (presence_fold(s, now))
        return;
    s->core->stats.sessions_evicted++;
    say_goodbye(s, now);
    session_end(s, WEFT_ERR_LIMIT, WF_CODE_LIMIT);
}

static bool is_idle(const struct session *s)
{
    return s->state == SESSION_OPEN && s->messages.count == 0 && s->pings.count == 0 &&
           wf_chan_is_empty(s->chan);
}

/* NULL: it is needed, or what is left of it is the application's. */
static struct wf_list *rank_of(const struct session *s)
{
    if (s->state == SESSION_ENDED)
        return NULL;
    if (s->has_ticket)
        return &s->core->coming;
    return is_idle(s) ? &s->core->idle : NULL;
}

/* Puts it where it belongs, behind those that were there before. */
void session_rank(struct session *s)
{
    struct wf_list *to = rank_of(s);

    wf_chan_await(s->chan, s->messages.count > 0); /* a reply may be owed */
    if (s->rank_link.list == to)
        return;
    wf_list_remove(&s->rank_link);
    if (to != NULL)
        wf_list_push_back(to, &s->rank_link);
    if (to == &s->core->idle)
        s->fold_at = presence_fold_at(s);
}

bool session_is_ranked(const struct session *s)
{
    return s->rank_link.list == rank_of(s);
}

static struct session *first_of(const struct wf_list *list)
{
    return list->first == NULL ? NULL : WF_CONTAINER_OF(list->first, struct session, rank_link);
}

static struct session *least_missed(const struct wf_core *c, weft_time now)
{
    struct session *coming = first_of(&c->coming);
    struct session *idle = first_of(&c->idle);
    bool is_late = coming != NULL && now - coming->created > CORE_LATE_US;

    return is_late || idle == NULL ? coming : idle;
}

/* So many may wait for their first packet: others' idle sessions need not go for them. */
static size_t coming_max(const struct wf_core *c)
{
    size_t part = c->config.sessions_max / CORE_COMING_PART;

    return part < CORE_COMING_MIN ? CORE_COMING_MIN : part;
}

void evict_for_room(struct wf_core *c, weft_time now, const struct session *newest)
{
    size_t spare = c->config.sessions_max / CORE_SPARE_PART;
    struct session *victim = NULL;

    if (c->coming.count > coming_max(c))
        victim = first_of(&c->coming);
    else if (c->all.count + (spare == 0 ? 1 : spare) > c->config.sessions_max)
        victim = least_missed(c, now);
    if (victim != NULL && victim != newest)
        evict(victim, now);
}

static size_t weight(const struct session *s)
{
    return s->mem.held + s->charged;
}

void evict_for_memory(struct wf_core *c, weft_time now)
{
    struct session *victim = NULL;

    if (c->mem->cap == 0 || c->mem->held <= c->mem->cap - c->mem->cap / 8)
        return;
    for (struct wf_link *l = c->all.first; l != NULL; l = l->next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, all_link);

        if (s->state != SESSION_ENDED && (victim == NULL || weight(s) > weight(victim)))
            victim = s;
    }
    if (victim != NULL && weight(victim) >= CORE_EVICT_MIN)
        evict(victim, now);
    else
        presences_shed(c, now);
}

static size_t room_of(const struct session *s)
{
    size_t cap = s->core->config.peer_memory_max;

    return weight(s) < cap ? cap - weight(s) : 0;
}

bool wf_core_charge(struct wf_core *c, uint64_t id, size_t size)
{
    struct message *m = message_get(c, id, true);
    struct session *s = m == NULL ? NULL : m->session;

    if (s == NULL)
        return false;
    /* One message may be of any size that its service takes; many may not add up. */
    if (s->charged > m->charged && size > room_of(s))
        return false;
    m->charged += size;
    s->charged += size;
    return true;
}
