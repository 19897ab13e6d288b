/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists.c - the protocol lists of HELLO, CHALLENGE and SOLVE: groups of numbers, each
 * `varint count (1..32) | count varints`, until the bytes are used up.
 *
 * At most 59 bytes come in, so comparing every number with every other one costs no more than that
 * allows.
 */
#include "base/assert.h"
#include "wire/handshake.h"

#define GROUP_COUNT_MAX 32

struct group {
    size_t count;
    uint64_t numbers[GROUP_COUNT_MAX];
};

static bool group_has(const struct group *g, uint64_t number)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->numbers[i] == number)
            return true;
    }
    return false;
}

/* 0 cannot be a protocol, since a choice of 0 says "none". SPEC 1.1-6 */
static void get_group(struct wf_reader *r, struct group *g)
{
    const size_t count = wf_read_len(r, 1, GROUP_COUNT_MAX);

    g->count = 0;
    while (g->count < count && wf_reader_ok(r)) {
        const uint64_t number = wf_read_varint(r);

        if (number == 0 || group_has(g, number)) {
            wf_reader_fail(r);
        }
        g->numbers[g->count++] = number;
    }
}

bool wf_lists_valid(weft_span lists)
{
    struct wf_reader r = wf_reader_of(lists);
    struct group g;

    if (lists.len > WF_LISTS_MAX)
        return false;
    for (size_t groups = 0; groups < WF_GROUPS_MAX && r.left > 0; groups++) {
        get_group(&r, &g);
    }
    return wf_reader_done(&r);
}

static uint64_t choose(const struct group *client, const struct group *server)
{
    for (size_t i = 0; i < client->count; i++) {
        if (group_has(server, client->numbers[i]))
            return client->numbers[i];
    }
    return 0;
}

size_t wf_lists_choose(weft_span client, weft_span server, uint64_t choices[WF_GROUPS_MAX])
{
    struct wf_reader ours = wf_reader_of(client);
    struct wf_reader theirs = wf_reader_of(server);
    size_t count = 0;

    while (ours.left > 0) {
        struct group a = {0};
        struct group b = {0};

        WEFT_ASSERT(count < WF_GROUPS_MAX);
        get_group(&ours, &a);
        if (theirs.left > 0) {
            get_group(&theirs, &b);
        }
        choices[count++] = choose(&a, &b);
    }
    return count;
}
