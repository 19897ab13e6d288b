/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - the sliding bitmap behind the replay window, one bit a number. Numbers that come into
 * the window are cleared as it slides; a jump of any length costs at most one pass over the words,
 * and growing happens a few times in a session: an authenticated peer cannot make it expensive.
 */
#include "session/replay.h"

#include <string.h>

#include "base/assert.h"

void wf_replay_init(struct wf_replay *w, struct wf_mem *mem)
{
    *w = (struct wf_replay){.bits = WF_REPLAY_FIRST, .mem = mem};
    w->words = w->first;
}

void wf_replay_deinit(struct wf_replay *w)
{
    if (w->words != w->first)
        wf_free(w->mem, w->words, w->bits / 8);
    wf_replay_init(w, w->mem);
}

static uint64_t *word_of(const struct wf_replay *w, uint64_t n)
{
    return &w->words[(n & (w->bits - 1)) / 64];
}

/* SPEC 2.3-1 */
bool wf_replay_fresh(const struct wf_replay *w, uint64_t n)
{
    if (n == 0)
        return false; /* numbers start at 1 */
    if (n > w->highest)
        return true;
    if (w->highest - n >= w->bits)
        return false;
    return (*word_of(w, n) >> (n % 64) & 1) == 0;
}

static uint64_t lowest_ones(uint64_t count)
{
    return count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
}

/* The numbers above the highest come into the window: none of them was seen. n is about to be. */
static void slide_to(struct wf_replay *w, uint64_t n)
{
    const uint64_t count = n - w->highest - 1;

    if (count >= w->bits) {
        memset(w->words, 0, w->bits / 8);
        w->highest = n;
        return;
    }
    for (uint64_t at = w->highest + 1, left = count; left > 0;) {
        const uint64_t skip = at % 64;
        const uint64_t take = left < 64 - skip ? left : 64 - skip;

        *word_of(w, at) &= ~(lowest_ones(take) << skip);
        at += take;
        left -= take;
    }
    w->highest = n;
}

/* Words of 64 numbers move as a whole. The highest number's word holds the lowest numbers of the
 * window behind it. SPEC 2.3-3: whatever had left the old one counts as seen. */
static void move_words(struct wf_replay *w, const uint64_t *old, uint64_t old_bits)
{
    const uint64_t top = w->highest / 64;
    const uint64_t count = old_bits / 64;
    const uint64_t highest_ones = UINT64_MAX >> (63 - w->highest % 64);
    const uint64_t shared = old[top % count];

    memset(w->words, 0xff, w->bits / 8);
    for (uint64_t i = 1; i < count && i <= top; i++)
        *word_of(w, (top - i) * 64) = old[(top - i) % count];
    *word_of(w, top * 64) = shared | ~highest_ones;
    if (top >= count)
        *word_of(w, (top - count) * 64) = shared | highest_ones;
}

/* SPEC 2.3-2: numbers lie apart by so much, and the packet opened. Where they lie further apart
 * than the largest window is long, no window helps. */
static void cover(struct wf_replay *w, uint64_t apart)
{
    uint64_t bits = w->bits;

    if (apart >= WF_REPLAY_MAX)
        return;

    while (bits < WF_REPLAY_MAX && apart > bits / WF_REPLAY_HEADROOM)
        bits *= 2;
    if (bits == w->bits || w->mem == NULL)
        return;

    uint64_t *old = w->words;
    const uint64_t old_bits = w->bits;
    uint64_t *words = wf_alloc(w->mem, bits / 8);

    if (words == NULL)
        return;
    w->words = words;
    w->bits = bits;
    move_words(w, old, old_bits);
    if (old != w->first)
        wf_free(w->mem, old, old_bits / 8);
}

bool wf_replay_mark(struct wf_replay *w, uint64_t n)
{
    if (!wf_replay_fresh(w, n))
        return false;
    const uint64_t apart = n > w->highest ? n - w->highest : w->highest - n;

    if (apart > w->bits / WF_REPLAY_HEADROOM && w->highest > 0)
        cover(w, apart);
    if (n > w->highest)
        slide_to(w, n);
    *word_of(w, n) |= (uint64_t)1 << (n % 64);
    return true;
}

uint64_t wf_replay_missing(const struct wf_replay *w)
{
    uint64_t missing = 0;

    for (uint64_t i = 0; i < 64 && i < w->highest; i++) {
        if (wf_replay_fresh(w, w->highest - i))
            missing |= (uint64_t)1 << i;
    }
    return missing;
}

/* SPEC 4.6-4 */
void wf_replay_restore(struct wf_replay *w, uint64_t highest, uint64_t missing)
{
    WEFT_ASSERT(w->words == w->first);
    memset(w->first, 0xff, sizeof w->first);
    w->highest = highest;
    for (uint64_t i = 0; i < 64 && i < highest; i++) {
        uint64_t n = highest - i;

        if ((missing >> i & 1) != 0)
            *word_of(w, n) &= ~((uint64_t)1 << (n % 64));
    }
}
