/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_queue.c - the work queue: SOLVEs that have shown their cookie and their work, and wait for
 * the time to compute curves. All its memory is there from the start.
 */
#include <string.h>

#include "base/assert.h"
#include "session/adm_priv.h"

weft_err wf_adm_queue_init(struct wf_adm *a, size_t max)
{
    struct wf_adm_queue *q = &a->queue;

    q->max = max;
    q->slots = (struct wf_adm_waiting *)wf_alloc_array(a->mem, max, sizeof *q->slots);
    return q->slots != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
}

void wf_adm_queue_deinit(struct wf_adm *a)
{
    wf_free(a->mem, a->queue.slots, a->queue.max * sizeof *a->queue.slots);
}

static struct wf_adm_waiting *slot_at(const struct wf_adm_queue *q, size_t index)
{
    return &q->slots[(q->first + index) % q->max];
}

bool wf_adm_queue_has(const struct wf_adm *a, const uint8_t cookie[WF_COOKIE_LEN], uint64_t mark)
{
    unsigned others = 0;

    for (size_t i = 0; i < a->queue.count; i++) {
        const struct wf_adm_waiting *w = slot_at(&a->queue, i);

        if (memcmp(w->cookie, cookie, WF_COOKIE_LEN) != 0)
            continue;
        if (w->mark == mark)
            return true;
        others++;
    }
    return others >= WF_ADM_TRIES;
}

struct wf_adm_waiting *wf_adm_queue_add(struct wf_adm *a)
{
    struct wf_adm_queue *q = &a->queue;

    return q->count < q->max ? slot_at(q, q->count++) : NULL;
}

struct wf_adm_waiting *wf_adm_queue_first(const struct wf_adm *a)
{
    return a->queue.count > 0 ? slot_at(&a->queue, 0) : NULL;
}

void wf_adm_queue_drop_first(struct wf_adm *a)
{
    struct wf_adm_queue *q = &a->queue;

    WEFT_ASSERT(q->count > 0);
    q->first = (q->first + 1) % q->max;
    q->count--;
}
