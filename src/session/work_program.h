/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work_program.h - proof of work, algorithm 2: a try runs a random program over memory of its own
 * (docs/spec/1-handshake.md, 1.8). Its inside, for work.c and tests.
 *
 * Memory   The caller's struct wf_work_pad: 18 KiB, so that it stays in the first cache of any
 *          processor. What it holds between two tries means nothing.
 */
#ifndef WF_SESSION_WORK_PROGRAM_H
#define WF_SESSION_WORK_PROGRAM_H

#include "base/compiler.h"

#define WF_WORK_REGISTERS 8u
#define WF_WORK_CODE 256u   /* instructions of a program */
#define WF_WORK_WORDS 2048u /* of the scratchpad */
#define WF_WORK_STEPS 512u  /* instructions that are carried out */
#define WF_WORK_ROUNDS 2u   /* in which all registers take part, for each */
#define WF_WORK_SEED_LEN 64

struct wf_work_pad {
    uint64_t registers[WF_WORK_REGISTERS], code[WF_WORK_CODE], words[WF_WORK_WORDS];
};

/* All as the seed makes it; then as the program leaves it. */
void wf_work_load(struct wf_work_pad *pad, const uint8_t seed[WF_WORK_SEED_LEN]);
void wf_work_run(struct wf_work_pad *pad);

/* The whole of it: out = 32 bytes that follow from the seed. */
void wf_work_program(uint8_t out[32], struct wf_work_pad *pad,
                     const uint8_t seed[WF_WORK_SEED_LEN]);

#endif
