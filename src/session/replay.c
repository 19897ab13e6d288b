/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c - the sliding bitmap behind the replay window. One word more than the window has, so
 * that the word that is being filled never overlaps the oldest one still looked at (RFC 6479). A
 * jump of any length costs at most one pass over the words: an authenticated peer cannot make it
 * expensive.
 */
#include "session/replay.h"

#include <string.h>

#define WORDS (WF_REPLAY_BITS / 64 + 1)

void wf_replay_init(struct wf_replay *w)
{
    *w = (struct wf_replay){0};
}

static size_t word_of(uint64_t n)
{
    return (size_t)((n / 64) % WORDS);
}

/* SPEC 2.3-1 */
bool wf_replay_fresh(const struct wf_replay *w, uint64_t n)
{
    if (n == 0)
        return false; /* numbers start at 1 */
    if (n > w->highest)
        return true;
    if (w->highest - n >= WF_REPLAY_BITS)
        return false;
    return (w->words[word_of(n)] >> (n % 64) & 1) == 0;
}

static void slide_to(struct wf_replay *w, uint64_t n)
{
    uint64_t from = w->highest / 64;
    uint64_t steps = n / 64 - from;

    if (steps > WORDS)
        steps = WORDS;
    for (uint64_t i = 1; i <= steps; i++)
        w->words[(size_t)((from + i) % WORDS)] = 0;
    w->highest = n;
}

bool wf_replay_mark(struct wf_replay *w, uint64_t n)
{
    if (!wf_replay_fresh(w, n))
        return false;
    if (n > w->highest)
        slide_to(w, n);
    w->words[word_of(n)] |= (uint64_t)1 << (n % 64);
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
    memset(w, 0xff, sizeof *w);
    w->highest = highest;
    /* What lies above the highest number in its word was not seen. */
    w->words[word_of(highest)] &= UINT64_MAX >> (63 - highest % 64);
    for (uint64_t i = 0; i < 64 && i < highest; i++) {
        uint64_t n = highest - i;

        if ((missing >> i & 1) != 0)
            w->words[word_of(n)] &= ~((uint64_t)1 << (n % 64));
    }
}
