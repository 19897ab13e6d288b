/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_keep.c - what an accepted SOLVE leaves behind for a while: its secrets until CONFIRM is made,
 * then the CONFIRM itself, byte for byte, until the client has it
 * (docs/spec/1-handshake.md, 1.3-4).
 */
#include <string.h>

#include "base/bytes.h"
#include "session/adm_priv.h"

static struct wf_adm_kept *kept_of(struct wf_link *link)
{
    return WF_CONTAINER_OF(link, struct wf_adm_kept, link);
}

static struct wf_adm_pending *pending_of(struct wf_link *link)
{
    return WF_CONTAINER_OF(link, struct wf_adm_pending, link);
}

static void drop_kept(struct wf_adm *a, struct wf_adm_kept *k)
{
    size_t size = sizeof *k + k->len;

    wf_list_remove(&k->link);
    a->kept_bytes -= size;
    wf_free(a->mem, k, size);
}

static void drop_pending(struct wf_adm *a, struct wf_adm_pending *p)
{
    wf_list_remove(&p->link);
    wf_secret_put(a->pending_arena, p);
}

void wf_adm_give_up(struct wf_adm *a, struct wf_adm_entry *e)
{
    if (e->state == WF_ADM_ENTRY_PENDING) {
        drop_pending(a, e->of.pending);
    } else if (e->state == WF_ADM_ENTRY_KEPT) {
        drop_kept(a, e->of.kept);
    } else {
        return;
    }
    e->of.pending = NULL;
    wf_adm_enter(e, WF_ADM_ENTRY_DONE);
}

/* Within the cap, whatever has to go for it. NULL: it cannot be kept. */
static struct wf_adm_kept *new_kept(struct wf_adm *a, size_t size)
{
    if (size > a->kept_max)
        return NULL;
    while (a->kept_bytes + size > a->kept_max)
        wf_adm_give_up(a, &a->table.entries[kept_of(a->kept.first)->entry]);
    return (struct wf_adm_kept *)wf_alloc(a->mem, size);
}

void wf_adm_keep(struct wf_adm *a, weft_time now, struct wf_adm_entry *e, weft_span confirm)
{
    size_t size = sizeof(struct wf_adm_kept) + confirm.len;
    struct wf_adm_kept *k = new_kept(a, size);

    if (k == NULL) {
        wf_adm_give_up(a, e);
        return;
    }
    drop_pending(a, e->of.pending);
    k->until = now + WF_ADM_KEEP_US;
    k->full_at = now;
    k->entry = (uint32_t)(e - a->table.entries);
    k->len = confirm.len;
    memcpy(k->bytes, confirm.data, confirm.len);
    a->kept_bytes += size;
    wf_list_push_back(&a->kept, &k->link);
    e->of.kept = k;
    wf_adm_enter(e, WF_ADM_ENTRY_KEPT);
}

void wf_adm_keep_expire(struct wf_adm *a, weft_time now)
{
    while (a->kept.first != NULL && kept_of(a->kept.first)->until <= now)
        wf_adm_give_up(a, &a->table.entries[kept_of(a->kept.first)->entry]);
    while (a->pending.first != NULL && pending_of(a->pending.first)->until <= now)
        wf_adm_give_up(a, &a->table.entries[pending_of(a->pending.first)->entry]);
}

weft_time wf_adm_keep_deadline(const struct wf_adm *a)
{
    weft_time at = WEFT_TIME_NEVER;

    if (a->kept.first != NULL) {
        at = kept_of(a->kept.first)->until;
    }
    if (a->pending.first != NULL && pending_of(a->pending.first)->until < at) {
        at = pending_of(a->pending.first)->until;
    }
    return at;
}

void wf_adm_keep_deinit(struct wf_adm *a)
{
    wf_adm_keep_expire(a, WEFT_TIME_NEVER);
}
