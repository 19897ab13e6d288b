/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.c - the contents of messages follow from the seed, the message and the offset, so that any
 * piece of any message can be checked by itself. Every eighth word is the canary, which must never
 * be seen in a datagram.
 */
#include <string.h>

#include "sim/world.h"

#define WORD 8u
#define CANARY_EVERY 8u
#define PIECE 512u

static void word_at(uint64_t seed, uint32_t index, uint64_t word, uint8_t out[WORD])
{
    uint64_t v = sim_mix(sim_mix(seed ^ index) + word);

    if (word % CANARY_EVERY == 0) {
        memcpy(out, SIM_CANARY, WORD);
        return;
    }
    for (unsigned i = 0; i < WORD; i++, v >>= 8) {
        out[i] = (uint8_t)v;
    }
}

void sim_body_fill(uint64_t seed, uint32_t index, uint64_t offset, uint8_t *out, size_t len)
{
    while (len > 0) {
        const size_t skip = (size_t)(offset % WORD);
        const size_t n = len < WORD - skip ? len : WORD - skip;
        uint8_t word[WORD];

        word_at(seed, index, offset / WORD, word);
        memcpy(out, word + skip, n);
        out += n;
        offset += n;
        len -= n;
    }
}

size_t sim_body_compare(uint64_t seed, uint32_t index, uint64_t offset, weft_span data)
{
    size_t at = 0;

    while (at < data.len) {
        const size_t n = data.len - at < PIECE ? data.len - at : PIECE;
        uint8_t want[PIECE];

        sim_body_fill(seed, index, offset + at, want, n);
        for (size_t i = 0; i < n && memcmp(want, data.data + at, n) != 0; i++) {
            if (want[i] != data.data[at + i])
                return at + i;
        }
        at += n;
    }
    return data.len;
}

void sim_service_name(uint32_t index, uint8_t out[SIM_SERVICE_LEN])
{
    static const char digits[] = "0123456789abcdef";

    memcpy(out, SIM_CANARY, SIM_CANARY_LEN);
    out[SIM_CANARY_LEN] = '/';
    for (unsigned i = 0; i < 8; i++) {
        out[SIM_CANARY_LEN + 1 + i] = (uint8_t)digits[index >> (28 - 4 * i) & 15u];
    }
}

uint32_t sim_service_index(weft_span service)
{
    for (uint32_t i = 0; i < SIM_MESSAGES_MAX; i++) {
        uint8_t name[SIM_SERVICE_LEN];

        sim_service_name(i, name);
        if (service.len == sizeof name && memcmp(name, service.data, sizeof name) == 0)
            return i;
    }
    return UINT32_MAX;
}
