/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_ranges_fuzz.c - any sequence of additions and removals keeps the set sorted, apart, within
 * its room, and equal to a plain list of what was done.
 *
 *   input: a byte of room, then for each call: kind, two varints
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ranges.h"
#include "base/reader.h"

#define ROOM_MAX 16
#define CALLS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_sound(const struct wf_ranges *r)
{
    must(r->count <= r->room);
    for (size_t i = 0; i < r->count; i++) {
        must(r->items[i].first <= r->items[i].last);
        must(i == 0 || r->items[i].first > r->items[i - 1].last);
        must(i == 0 || r->items[i].first - r->items[i - 1].last > 1);
    }
}

/* What was inside stays inside, but for the lowest range where that may be forgotten. */
static void check_kept(const struct wf_ranges *r, const struct wf_range *before, size_t count,
                       size_t from)
{
    for (size_t i = from; i < count; i++) {
        must(wf_ranges_covers(r, before[i].first, before[i].last));
    }
}

static void do_add(struct wf_ranges *r, uint64_t first, uint64_t last)
{
    struct wf_range before[ROOM_MAX];
    const size_t count = r->count;

    memcpy(before, r->items, count * sizeof *before);
    const weft_err err = wf_ranges_add(r, first, last);

    must((err == WEFT_ERR_USAGE) == (first > last));
    must(err != WEFT_OK || wf_ranges_covers(r, first, last));
    if (err == WEFT_ERR_LIMIT) {
        must(count == r->room);
        must(!wf_ranges_contains(r, first));
    }
    check_kept(r, before, count, 0);
}

static void do_add_newest(struct wf_ranges *r, uint64_t first, uint64_t last)
{
    struct wf_range before[ROOM_MAX];
    const size_t count = r->count;

    memcpy(before, r->items, count * sizeof *before);
    const weft_err err = wf_ranges_add_newest(r, first, last);

    must((err == WEFT_ERR_USAGE) == (first > last));
    check_kept(r, before, count, count == r->room ? 1 : 0);
    if (err == WEFT_OK && !wf_ranges_covers(r, first, last)) {
        must(last < r->items[0].first);
    }
}

static void do_remove(struct wf_ranges *r, uint64_t floor)
{
    const bool had = wf_ranges_contains(r, floor);

    wf_ranges_remove_below(r, floor);
    must(r->count == 0 || r->items[0].first >= floor);
    must(wf_ranges_contains(r, floor) == had);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_reader in = wf_reader_of(wf_span(data, size));
    const size_t room = wf_read_u8(&in) % ROOM_MAX + 1;
    struct wf_range *items = (struct wf_range *)calloc(room, sizeof *items);
    struct wf_ranges r;

    must(items != NULL);
    wf_ranges_init(&r, items, room);
    for (size_t i = 0; i < CALLS_MAX && in.left > 0; i++) {
        const uint8_t kind = wf_read_u8(&in);
        const uint64_t a = wf_read_varint(&in);
        const uint64_t b = wf_read_varint(&in);

        if (kind % 4 == 0) {
            do_remove(&r, a);
        } else if (kind % 4 == 1) {
            do_add_newest(&r, a, a + b); /* may be upside down after 2^64 */
        } else {
            do_add(&r, a, kind % 4 == 2 ? a + b : b);
        }
        check_sound(&r);
    }
    free(items);
    return 0;
}
