/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.c - see schedule.h. No call walks over messages that cannot send.
 */
#include "transport/schedule.h"

#include "base/assert.h"

#define BACKGROUND (WF_SCHEDULE_CLASSES - 1)

static struct wf_message_out *message_of(struct wf_link *link)
{
    return WF_CONTAINER_OF(link, struct wf_message_out, turn);
}

static size_t class_of(const struct wf_message_out *m)
{
    static const uint8_t order[] = {
        [WF_PRIORITY_URGENT] = 0,
        [WF_PRIORITY_NORMAL] = 1,
        [WF_PRIORITY_BACKGROUND] = 2,
    };

    return order[m->open.priority];
}

void wf_schedule_init(struct wf_turns *s)
{
    *s = (struct wf_turns){0};
}

/* Numbers mostly come in order, so the place is found from the end. */
static void insert_waiting(struct wf_turns *s, struct wf_message_out *m)
{
    struct wf_link *after = s->waiting.last;

    while (after != NULL && message_of(after)->link.number > m->link.number)
        after = after->prev;
    wf_list_insert_before(&s->waiting, after == NULL ? s->waiting.first : after->next, &m->turn);
}

void wf_schedule_move(struct wf_turns *s, struct wf_message_out *m, enum wf_schedule_queue queue)
{
    if (m->queue == queue)
        return;
    wf_list_remove(&m->turn);
    m->queue = (uint8_t)queue;
    if (queue == WF_QUEUE_READY) {
        m->deficit = 1; /* a newcomer is not passed over in its first round */
        wf_list_push_back(&s->ready[class_of(m)], &m->turn);
    } else if (queue == WF_QUEUE_PARKED) {
        wf_list_push_back(&s->parked, &m->turn);
    } else if (queue == WF_QUEUE_WAITING) {
        insert_waiting(s, m);
    }
}

static bool is_due(const struct wf_turns *s, size_t class, size_t quantum)
{
    return s->passed_over[class] >= WF_SCHEDULE_SHARE * (uint64_t)quantum;
}

/* The class to serve of first..last: the most urgent, unless a lower one was passed over often
 * enough. */
static size_t pick_class(const struct wf_turns *s, size_t quantum, size_t first, size_t last)
{
    size_t best = WF_SCHEDULE_CLASSES;

    for (size_t i = last + 1; i-- > first;) {
        if (s->ready[i].count == 0)
            continue;
        if (best < WF_SCHEDULE_CLASSES && is_due(s, best, quantum))
            return best;
        best = i;
    }
    return best;
}

static struct wf_message_out *next_in(struct wf_turns *s, size_t class)
{
    return class == WF_SCHEDULE_CLASSES ? NULL : message_of(s->ready[class].first);
}

struct wf_message_out *wf_schedule_next(struct wf_turns *s, size_t quantum)
{
    return next_in(s, pick_class(s, quantum, 0, BACKGROUND));
}

struct wf_message_out *wf_schedule_next_of(struct wf_turns *s, size_t quantum, bool background)
{
    return next_in(s, background ? pick_class(s, quantum, BACKGROUND, BACKGROUND)
                                 : pick_class(s, quantum, 0, BACKGROUND - 1));
}

/* The turn ends when a message has used up more than its quanta; debts are paid in later rounds. */
static void rotate(struct wf_list *ring, size_t quantum)
{
    struct wf_message_out *m = message_of(ring->first);

    if (ring->count == 1) {
        m->deficit = 0;
        return;
    }
    while (m->deficit <= 0) {
        m->deficit += (int64_t)quantum;
        wf_list_remove(&m->turn);
        wf_list_push_back(ring, &m->turn);
        m = message_of(ring->first);
    }
}

void wf_schedule_charge(struct wf_turns *s, struct wf_message_out *m, size_t bytes, size_t quantum)
{
    size_t class = class_of(m);

    s->passed_over[class] = 0;
    for (size_t i = class + 1; i < WF_SCHEDULE_CLASSES; i++)
        s->passed_over[i] = s->ready[i].count > 0 ? s->passed_over[i] + bytes : 0;
    if (m->queue != WF_QUEUE_READY || s->ready[class].first != &m->turn)
        return;
    m->deficit -= (int64_t)bytes;
    if (m->deficit <= 0)
        rotate(&s->ready[class], quantum);
}

void wf_schedule_unpark(struct wf_turns *s)
{
    while (s->parked.first != NULL)
        wf_schedule_move(s, message_of(s->parked.first), WF_QUEUE_READY);
}

void wf_schedule_admit(struct wf_turns *s, uint64_t limit)
{
    while (s->waiting.first != NULL && message_of(s->waiting.first)->link.number <= limit)
        wf_schedule_move(s, message_of(s->waiting.first), WF_QUEUE_READY);
}

bool wf_schedule_has_ready(const struct wf_turns *s)
{
    return pick_class(s, 1, 0, BACKGROUND) != WF_SCHEDULE_CLASSES;
}

bool wf_schedule_has_ready_of(const struct wf_turns *s, bool background)
{
    if (background)
        return s->ready[BACKGROUND].count > 0;
    return pick_class(s, 1, 0, BACKGROUND - 1) != WF_SCHEDULE_CLASSES;
}

bool wf_schedule_has_urgent(const struct wf_turns *s)
{
    return s->ready[0].count > 0;
}
