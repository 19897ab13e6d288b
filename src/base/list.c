/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.c - see list.h. A link must never be in two lists: each knows its own.
 */
#include "base/list.h"

#include "base/assert.h"

void wf_list_insert_before(struct wf_list *list, struct wf_link *at, struct wf_link *link)
{
    WEFT_ASSERT(link->list == NULL);
    WEFT_ASSERT(at == NULL || at->list == list);

    link->next = at;
    link->prev = at != NULL ? at->prev : list->last;
    link->list = list;
    *(link->prev != NULL ? &link->prev->next : &list->first) = link;
    *(at != NULL ? &at->prev : &list->last) = link;
    list->count++;
}

void wf_list_push_front(struct wf_list *list, struct wf_link *link)
{
    wf_list_insert_before(list, list->first, link);
}

void wf_list_push_back(struct wf_list *list, struct wf_link *link)
{
    wf_list_insert_before(list, NULL, link);
}

void wf_list_remove(struct wf_link *link)
{
    struct wf_list *list = link->list;

    if (list == NULL)
        return;
    *(link->prev != NULL ? &link->prev->next : &list->first) = link->next;
    *(link->next != NULL ? &link->next->prev : &list->last) = link->prev;
    list->count--;
    *link = (struct wf_link){0};
}

struct wf_link *wf_list_pop_front(struct wf_list *list)
{
    struct wf_link *link = list->first;

    if (link != NULL) {
        wf_list_remove(link);
    }
    return link;
}

bool wf_list_has(const struct wf_list *list, const struct wf_link *link)
{
    return link->list == list;
}
