/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sent_frame.c - the pool of frame records of sent.h: pages of them, taken when needed, given back
 * when nothing is in flight. The first page is a small one: most sessions never need another.
 */
#include "base/assert.h"
#include "transport/sent.h"

#define FIRST_FRAMES 15u
#define PAGE_FRAMES 63u

struct wf_sent_page {
    struct wf_sent_page *next;
    struct wf_sent_frame frames[]; /* the first page has FIRST_FRAMES, all others PAGE_FRAMES */
};

static size_t page_size(size_t frames)
{
    return sizeof(struct wf_sent_page) + frames * sizeof(struct wf_sent_frame);
}

static void free_pages(struct wf_sent *s)
{
    while (s->pages != NULL) {
        struct wf_sent_page *page = s->pages;

        s->pages = page->next;
        wf_free(s->mem, page, page_size(s->pages == NULL ? FIRST_FRAMES : PAGE_FRAMES));
    }
    s->spare = NULL;
}

void wf_sent_frames_deinit(struct wf_sent *s)
{
    free_pages(s);
}

static void to_spare(struct wf_sent *s, struct wf_sent_frame *f)
{
    f->next = s->spare;
    s->spare = f;
}

static weft_err add_page(struct wf_sent *s)
{
    const size_t frames = s->pages == NULL ? FIRST_FRAMES : PAGE_FRAMES;
    struct wf_sent_page *page = wf_alloc(s->mem, page_size(frames));

    if (page == NULL)
        return WEFT_ERR_NOMEM;
    page->next = s->pages;
    s->pages = page;
    for (size_t i = frames; i > 0; i--) {
        to_spare(s, &page->frames[i - 1]);
    }
    return WEFT_OK;
}

static void append(struct wf_sent_list *list, struct wf_sent_frame *f)
{
    f->next = NULL;
    if (list->last == NULL) {
        list->first = f;
    } else {
        list->last->next = f;
    }
    list->last = f;
}

void wf_sent_list_join(struct wf_sent_list *to, struct wf_sent_list *from)
{
    if (from->first == NULL)
        return;
    if (to->last == NULL) {
        to->first = from->first;
    } else {
        to->last->next = from->first;
    }
    to->last = from->last;
    *from = (struct wf_sent_list){0};
}

weft_err wf_sent_frame_add(struct wf_sent *s, struct wf_sent_list *list,
                           const struct wf_sent_frame *f)
{
    if (s->spare == NULL && add_page(s) != WEFT_OK)
        return WEFT_ERR_NOMEM;

    struct wf_sent_frame *mine = s->spare;

    s->spare = mine->next;
    s->frames_used++;
    *mine = *f;
    append(list, mine);
    return WEFT_OK;
}

void wf_sent_frames_free(struct wf_sent *s, struct wf_sent_list *list)
{
    while (list->first != NULL) {
        struct wf_sent_frame *f = list->first;

        list->first = f->next;
        to_spare(s, f);
        WEFT_ASSERT(s->frames_used > 0);
        s->frames_used--;
    }
    list->last = NULL;
    /* One page stays, so that a quiet exchange allocates nothing. */
    if (s->frames_used == 0 && s->pages != NULL && s->pages->next != NULL) {
        free_pages(s);
    }
}
