/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_test.c - the list against an array that is kept beside it.
 */
#include "base/list.h"

#include "support/aborts.h"
#include "test.h"

#define ELEMENTS 12

struct element {
    int number;
    struct wf_link link;
};

static int number_of(const struct wf_link *link)
{
    return ((const struct element *)(const void *)((const char *)link -
                                                   offsetof(struct element, link)))
        ->number;
}

/* Checks both directions against the numbers expected. */
static void check_is(const struct wf_list *list, const int *numbers, size_t count)
{
    const struct wf_link *l = list->first;
    size_t i = 0;

    CHECK_EQ(list->count, count);
    for (; l != NULL && i < count; l = l->next, i++) {
        CHECK_EQ(number_of(l), numbers[i]);
        CHECK(wf_list_has(list, l));
    }
    CHECK(l == NULL);
    CHECK_EQ(i, count);
    for (l = list->last; l != NULL && i > 0; l = l->prev, i--) {
        CHECK_EQ(number_of(l), numbers[i - 1]);
    }
    CHECK(l == NULL);
    CHECK_EQ(i, 0);
}

TEST(a_zeroed_list_is_empty_and_a_zeroed_link_in_no_list)
{
    struct wf_list list = {0};
    struct element e = {0};

    check_is(&list, NULL, 0);
    CHECK(wf_list_pop_front(&list) == NULL);
    CHECK(!wf_list_has(&list, &e.link));
    wf_list_remove(&e.link);
    check_is(&list, NULL, 0);
}

TEST(elements_keep_the_order_they_were_put_in)
{
    struct wf_list list = {0};
    struct element e[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};

    wf_list_push_back(&list, &e[1].link);
    wf_list_push_back(&list, &e[2].link);
    wf_list_push_front(&list, &e[0].link);
    check_is(&list, (const int[]){0, 1, 2}, 3);
    wf_list_insert_before(&list, &e[1].link, &e[3].link);
    check_is(&list, (const int[]){0, 3, 1, 2}, 4);
    wf_list_remove(&e[2].link);
    check_is(&list, (const int[]){0, 3, 1}, 3);
    CHECK(wf_list_pop_front(&list) == &e[0].link);
    check_is(&list, (const int[]){3, 1}, 2);
    CHECK(!wf_list_has(&list, &e[0].link));
}

TEST(a_walk_may_remove_where_it_stands)
{
    struct wf_list list = {0};
    struct element e[6];

    for (int i = 0; i < 6; i++) {
        e[i] = (struct element){.number = i};
        wf_list_push_back(&list, &e[i].link);
    }
    for (struct wf_link *l = list.first, *next = NULL; l != NULL; l = next) {
        next = l->next;
        if (number_of(l) % 2 == 0) {
            wf_list_remove(l);
        }
    }
    check_is(&list, (const int[]){1, 3, 5}, 3);
}

static size_t index_of(const int *numbers, size_t count, int number)
{
    size_t i = 0;

    while (i < count && numbers[i] != number) {
        i++;
    }
    return i;
}

TEST(random_operations_do_what_they_do_to_an_array)
{
    uint64_t state = test_seed();
    struct wf_list list = {0};
    struct element e[ELEMENTS];
    int model[ELEMENTS];
    size_t count = 0;

    for (int i = 0; i < ELEMENTS; i++) {
        e[i] = (struct element){.number = i};
    }
    for (int step = 0; step < 5000; step++) {
        const int n = (int)(test_next(&state) % ELEMENTS);
        const size_t at = index_of(model, count, n);

        if (at < count) {
            wf_list_remove(&e[n].link);
            count--;
            memmove(model + at, model + at + 1, (count - at) * sizeof *model);
        } else {
            const size_t to = test_next(&state) % (count + 1);

            wf_list_insert_before(&list, to < count ? &e[model[to]].link : NULL, &e[n].link);
            memmove(model + to + 1, model + to, (count - to) * sizeof *model);
            model[to] = n;
            count++;
        }
        check_is(&list, model, count);
    }
}

static void put_twice(void *ctx)
{
    struct wf_list other = {0};

    wf_list_push_back(&other, (struct wf_link *)ctx);
}

TEST(a_link_cannot_be_in_two_lists)
{
    struct wf_list list = {0};
    struct element e = {0};

    wf_list_push_back(&list, &e.link);
    CHECK(test_aborts(put_twice, &e.link));
}
