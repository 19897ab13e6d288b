/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canon.h - claims that hold for every format with one encoding for one meaning, checked on a good
 * sample.
 */
#ifndef WEFT_TESTS_WIRE_CANON_H
#define WEFT_TESTS_WIRE_CANON_H

#include "help.h"
#include "test.h"

/* Reads an exactly sized copy; what is not refused must be written again as it was. True when it
 * was taken. */
static inline bool canon_check(help_again_fn again, const uint8_t *data, size_t len)
{
    static uint8_t out[HELP_BYTES_MAX];
    uint8_t *copy = test_copy(data, len);
    size_t out_len = 0;
    const bool taken = again((weft_span){copy, len}, out, &out_len);

    if (taken) {
        CHECK_EQ(out_len, len);
        CHECK_MEM_EQ(out, data, len);
    }
    free(copy);
    return taken;
}

/* Whether a copy of the sample with one byte set to `value` is still taken. */
static inline bool canon_taken_with(help_again_fn again, weft_span sample, size_t at, uint8_t value)
{
    uint8_t *copy = test_copy(sample.data, sample.len);
    copy[at] = value;
    const bool taken = canon_check(again, copy, sample.len);

    free(copy);
    return taken;
}

/* The sample itself is taken; with any one bit flipped it is refused or means what it says. Returns
 * how many flips were refused, so that a caller can tell a strict format from one that takes
 * everything. */
static inline size_t canon_flips(help_again_fn again, weft_span sample)
{
    uint8_t *copy = test_copy(sample.data, sample.len);
    size_t refused = 0;

    CHECK(canon_check(again, sample.data, sample.len));
    for (size_t bit = 0; bit < 8 * sample.len; bit++) {
        test_note("bit %zu", bit);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused += canon_check(again, copy, sample.len) ? 0 : 1;
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(copy);
    return refused;
}

/* Any one byte set to any value, likewise. */
static inline void canon_bytes(help_again_fn again, weft_span sample)
{
    uint8_t *copy = test_copy(sample.data, sample.len);

    for (size_t i = 0; i < sample.len; i++) {
        for (unsigned v = 0; v < 256; v++) {
            test_note("byte %zu is 0x%02x", i, v);
            copy[i] = (uint8_t)v;
            (void)canon_check(again, copy, sample.len);
        }
        copy[i] = sample.data[i];
    }
    free(copy);
}

/* Cut to min..max - 1 bytes or followed by one: refused, unless within least..most. */
static inline void canon_lengths(help_again_fn again, weft_span sample, size_t least, size_t most)
{
    for (size_t len = 0; len <= sample.len + 1; len++) {
        uint8_t *copy = test_copy_padded(sample.data, sample.len, len);

        test_note("length %zu", len);
        CHECK_EQ(canon_check(again, copy, len), len >= least && len <= most);
        free(copy);
    }
}

/* A put function must fail with 0 at every capacity below what it needs. */
#define CANON_ROOM(put, value, need)                                          \
    do {                                                                      \
        for (size_t cap = 0; cap <= (need) + 1; cap++) {                      \
            uint8_t *room = malloc(cap);                                      \
            test_note("room %zu", cap);                                       \
            CHECK_EQ((put)((value), room, cap), cap >= (need) ? (need) : 0u); \
            free(room);                                                       \
        }                                                                     \
    } while (0)

#endif
