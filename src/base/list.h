/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - a doubly linked list whose links lie inside the elements, so that nothing is allocated.
 *
 * A zeroed wf_link is in no list; WF_CONTAINER_OF leads from a link to its element. Walking, with
 * the present element allowed to go:
 *
 *   for (struct wf_link *l = list.first, *next; l != NULL; l = next) {
 *       next = l->next;
 *       ...
 *   }
 */
#ifndef WF_BASE_LIST_H
#define WF_BASE_LIST_H

#include "base/compiler.h"

struct wf_list;

struct wf_link {
    struct wf_link *next;
    struct wf_link *prev;
    struct wf_list *list; /* which list it is in; NULL: none */
};

/* Zeroed: empty. Read by everybody, written by these functions only. */
struct wf_list {
    struct wf_link *first;
    struct wf_link *last;
    size_t count;
};

/* The link must be in no list (asserted). */
void wf_list_push_front(struct wf_list *list, struct wf_link *link);
void wf_list_push_back(struct wf_list *list, struct wf_link *link);

/* Puts link right before at, which is in the list; at NULL: at the end. */
void wf_list_insert_before(struct wf_list *list, struct wf_link *at, struct wf_link *link);

/* Takes link out of whatever list it is in; harmless when it is in none. */
void wf_list_remove(struct wf_link *link);

/* Takes the first one out; NULL when there is none. */
struct wf_link *wf_list_pop_front(struct wf_list *list);

bool wf_list_has(const struct wf_list *list, const struct wf_link *link);

#endif
