/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work_program.c - proof of work, algorithm 2. See docs/decisions/0013-work-algorithm-2.md for why
 * it is as it is.
 *
 * Nothing here is secret: what is branched on and indexed with is known to everybody. Every step is
 * one to one, (register, word) before to (register, word) after, so that nothing can collapse.
 */
#include "session/work_program.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"

#define FOLD_FACTOR 0x9e3779b97f4a7c15u /* 2^64 / golden ratio, odd */
#define RESULT_LABEL "weft work 2 result"

enum op { OP_ADD, OP_SUB, OP_XOR, OP_MUL, OP_MULHI, OP_ROTATE, OP_SCALE, OP_BRANCH };

/* The fields of an instruction. Its upper half turns the addresses; all of it is the constant of
 * SCALE. */
static enum op op_of(uint64_t code)
{
    return (enum op)(code & 7u);
}

static unsigned skipped_of(uint64_t code)
{
    return 1u + (unsigned)(code >> 3 & 7u);
}

WF_ALWAYS_INLINE uint64_t rotate(uint64_t v, unsigned by)
{
    return v >> (by & 63u) | v << (-by & 63u);
}

/* The new value of a register: v is the word it met, x its neighbour, c the instruction. */
WF_ALWAYS_INLINE uint64_t mix(enum op op, uint64_t r, uint64_t v, uint64_t x, uint64_t c)
{
    switch (op) {
    case OP_ADD:
        return r + v + x;
    case OP_SUB:
        return v - r - x;
    case OP_MUL:
        return (r + v) * (x | 1u);
    case OP_MULHI:
        return r + wf_mulhi_u64(v, x);
    case OP_ROTATE:
        return rotate(r ^ v, (unsigned)(x >> 58));
    case OP_SCALE:
        return (r ^ v) * (c | 1u) + x;
    case OP_XOR:
    case OP_BRANCH:
        break;
    }
    return r ^ v ^ x;
}

/* One register meets a word that it chooses itself, and both change. */
WF_ALWAYS_INLINE void meet(uint64_t *words, uint64_t r[WF_WORK_REGISTERS], unsigned i,
                           uint64_t code, enum op op)
{
    uint64_t *word = &words[(r[i] ^ code) >> 32 & (WF_WORK_WORDS - 1)];
    uint64_t v = *word;

    r[i] = mix(op, r[i], v, r[(i + 1u + op % 4u) % WF_WORK_REGISTERS], code);
    *word = v ^ rotate(r[i], 23);
}

/* SPEC 1.8-4: one after the other; what one has stored the next may load. Written out, and the
 * operation a constant at every call, so that the compiler keeps registers in registers. */
WF_ALWAYS_INLINE void step(uint64_t *words, uint64_t r[WF_WORK_REGISTERS], uint64_t code,
                           enum op op)
{
    for (unsigned round = 0; round < WF_WORK_ROUNDS; round++) {
        meet(words, r, 0, code, op);
        meet(words, r, 1, code, op);
        meet(words, r, 2, code, op);
        meet(words, r, 3, code, op);
        meet(words, r, 4, code, op);
        meet(words, r, 5, code, op);
        meet(words, r, 6, code, op);
        meet(words, r, 7, code, op);
    }
}

WF_ALWAYS_INLINE void carry_out(uint64_t *words, uint64_t r[WF_WORK_REGISTERS], uint64_t code)
{
    switch (op_of(code)) {
    case OP_ADD:
        step(words, r, code, OP_ADD);
        return;
    case OP_SUB:
        step(words, r, code, OP_SUB);
        return;
    case OP_XOR:
        step(words, r, code, OP_XOR);
        return;
    case OP_MUL:
        step(words, r, code, OP_MUL);
        return;
    case OP_MULHI:
        step(words, r, code, OP_MULHI);
        return;
    case OP_ROTATE:
        step(words, r, code, OP_ROTATE);
        return;
    case OP_SCALE:
        step(words, r, code, OP_SCALE);
        return;
    case OP_BRANCH:
        step(words, r, code, OP_BRANCH);
        return;
    }
}

/* SPEC 1.8-5 */
void wf_work_run(struct wf_work_pad *pad)
{
    uint64_t r[WF_WORK_REGISTERS];
    unsigned at = 0;

    memcpy(r, pad->registers, sizeof r);
    for (unsigned done = 0; done < WF_WORK_STEPS; done++) {
        uint64_t code = pad->code[at];

        carry_out(pad->words, r, code);
        at++;
        if (op_of(code) == OP_BRANCH && r[0] >> 62 == 0) {
            at += skipped_of(code);
        }
        at %= WF_WORK_CODE;
    }
    memcpy(pad->registers, r, sizeof r);
}

/* Numbers of this algorithm are little-endian, as most processors have them: nothing to do there.
 */
static uint64_t load_le(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static void store_le(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* SPEC 1.8-3 */
void wf_work_load(struct wf_work_pad *pad, const uint8_t seed[WF_WORK_SEED_LEN])
{
    uint64_t *all[] = {pad->registers, pad->code, pad->words};
    static const size_t counts[] = {WF_WORK_REGISTERS, WF_WORK_CODE, WF_WORK_WORDS};

    wf_expand((uint8_t *)pad, sizeof *pad, seed);
    for (size_t part = 0; part < WF_ARRAY_LEN(all); part++) {
        for (size_t i = 0; i < counts[part]; i++)
            all[part][i] = load_le((const uint8_t *)&all[part][i]);
    }
}

/* SPEC 1.8-6: every word of the scratchpad counts. */
static void fold(uint64_t out[WF_WORK_REGISTERS], const struct wf_work_pad *pad)
{
    memcpy(out, pad->registers, sizeof pad->registers);
    for (size_t i = 0; i < WF_WORK_WORDS; i += WF_WORK_REGISTERS) {
        for (size_t lane = 0; lane < WF_WORK_REGISTERS; lane++)
            out[lane] = rotate(out[lane] ^ pad->words[i + lane], 29) * FOLD_FACTOR;
    }
}

void wf_work_program(uint8_t out[32], struct wf_work_pad *pad, const uint8_t seed[WF_WORK_SEED_LEN])
{
    uint64_t r[WF_WORK_REGISTERS];
    uint8_t folded[8 * WF_WORK_REGISTERS];

    wf_work_load(pad, seed);
    wf_work_run(pad);
    fold(r, pad);
    for (size_t i = 0; i < WF_WORK_REGISTERS; i++)
        store_le(folded + 8 * i, r[i]);
    const weft_span parts[] = {wf_span_of(RESULT_LABEL), wf_span(seed, WF_WORK_SEED_LEN),
                               wf_span(folded, sizeof folded)};
    wf_hash(out, parts, WF_ARRAY_LEN(parts));
}
