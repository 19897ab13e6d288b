/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.c - a binary heap of events. Its order must never depend on anything but time and sequence.
 */
#include "sim/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sim/memory.h"

#define ROOM_FIRST 256

const char *sim_kind_name(enum sim_kind kind)
{
    static const char *const names[SIM_KINDS] = {
        [SIM_ARRIVE] = "arrive", [SIM_WAKE] = "wake",   [SIM_TIMER] = "timer",
        [SIM_OP] = "op",         [SIM_READ] = "read",   [SIM_WRITE] = "write",
        [SIM_CANCEL] = "cancel", [SIM_FAULT] = "fault", [SIM_ATTACK] = "attack",
        [SIM_END] = "end",       [SIM_PHASE] = "phase",
    };

    return names[kind];
}

void sim_queue_init(struct sim_queue *q, weft_time now)
{
    *q = (struct sim_queue){.now = now};
}

void sim_queue_deinit(struct sim_queue *q)
{
    free(q->heap);
    *q = (struct sim_queue){0};
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void grow(struct sim_queue *q)
{
    const size_t room = q->room == 0 ? ROOM_FIRST : 2 * q->room;
    struct sim_event *heap = (struct sim_event *)sim_calloc(room, sizeof *heap);

    if (q->count > 0) {
        memcpy(heap, q->heap, q->count * sizeof *heap);
    }
    free(q->heap);
    q->heap = heap;
    q->room = room;
}

void sim_queue_push(struct sim_queue *q, struct sim_event ev)
{
    if (q->count == q->room) {
        grow(q);
    }
    if (ev.at < q->now) {
        ev.at = q->now;
    }
    ev.seq = q->next_seq++;

    size_t i = q->count++;

    while (i > 0 && before(&ev, &q->heap[(i - 1) / 2])) {
        q->heap[i] = q->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    q->heap[i] = ev;
}

static void sink(struct sim_queue *q, struct sim_event ev)
{
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= q->count)
            break;
        if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child])) {
            child++;
        }
        if (before(&ev, &q->heap[child]))
            break;
        q->heap[i] = q->heap[child];
        i = child;
    }
    q->heap[i] = ev;
}

bool sim_queue_pop(struct sim_queue *q, struct sim_event *out)
{
    if (q->count == 0)
        return false;
    *out = q->heap[0];
    q->count--;
    if (q->count > 0) {
        sink(q, q->heap[q->count]);
    }
    WEFT_ASSERT(out->at >= q->now);
    q->now = out->at;
    return true;
}
