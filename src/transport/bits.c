/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits.c - see bits.h.
 */
#include "transport/bits.h"

#include "base/assert.h"

static size_t total_words(const struct wf_bits *b)
{
    size_t sum = 0;

    for (size_t l = 0; l < WF_BITS_LEVELS; l++) {
        sum += b->words[l];
    }
    return sum;
}

weft_err wf_bits_init(struct wf_bits *b, struct wf_mem *mem, size_t room)
{
    struct wf_bits made = {.room = room};
    size_t count = room;

    WEFT_ASSERT(room > 0);
    WEFT_ASSERT(room <= WF_BITS_ROOM_MAX);
    for (size_t l = 0; l < WF_BITS_LEVELS; l++) {
        count = (count + 63) / 64;
        made.words[l] = count;
    }

    uint64_t *block = wf_alloc_array(mem, total_words(&made), sizeof *block);

    if (block == NULL)
        return WEFT_ERR_NOMEM;
    for (size_t l = 0; l < WF_BITS_LEVELS; l++) {
        made.level[l] = block;
        block += made.words[l];
    }
    *b = made;
    return WEFT_OK;
}

void wf_bits_deinit(struct wf_bits *b, struct wf_mem *mem)
{
    if (b->room > 0) {
        wf_free(mem, b->level[0], total_words(b) * sizeof(uint64_t));
    }
    *b = (struct wf_bits){0};
}

void wf_bits_set(struct wf_bits *b, size_t i)
{
    WEFT_DEBUG_ASSERT(i < b->room);
    for (size_t l = 0; l < WF_BITS_LEVELS; l++) {
        b->level[l][i / 64] |= 1ull << i % 64;
        i /= 64;
    }
}

void wf_bits_clear(struct wf_bits *b, size_t i)
{
    WEFT_DEBUG_ASSERT(i < b->room);
    for (size_t l = 0; l < WF_BITS_LEVELS; l++) {
        b->level[l][i / 64] &= ~(1ull << i % 64);
        if (b->level[l][i / 64] != 0)
            return;
        i /= 64;
    }
}

bool wf_bits_has(const struct wf_bits *b, size_t i)
{
    return (b->level[0][i / 64] >> i % 64 & 1) != 0;
}

static size_t lowest(uint64_t word)
{
    return WF_LOG2_U64(word & (~word + 1));
}

size_t wf_bits_next(const struct wf_bits *b, size_t from)
{
    size_t l = 0;

    /* Up, until a level has a member at or above from … */
    for (;; l++) {
        if (l == WF_BITS_LEVELS || from / 64 >= b->words[l])
            return b->room;
        const uint64_t word = b->level[l][from / 64] >> from % 64;

        if (word != 0) {
            from += lowest(word);
            break;
        }
        from = from / 64 + 1;
    }
    /* … and down again to the lowest below it. */
    for (; l > 0; l--) {
        from = from * 64 + lowest(b->level[l - 1][from]);
    }
    return from;
}
