/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nonces.c - a set of (key, number) pairs, each as a 64-bit fingerprint. With the million pairs
 * that a run can have, two different ones share a fingerprint once in 2^24 runs; the runs that are
 * made are far smaller.
 */
#include "sim/nonces.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/aead.h"
#include "sim/memory.h"
#include "sim/traitor.h"

#define ROOM_FIRST 4096u

/* Names that the linker makes of wf_aead_seal. */
void __real_wf_aead_seal(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                         size_t count);
void __wrap_wf_aead_seal(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                         size_t count);

static struct sim_nonces *watching;

void sim_nonces_init(struct sim_nonces *n, struct sim_log *log)
{
    *n = (struct sim_nonces){.log = log, .room = ROOM_FIRST};
    n->slots = (uint64_t *)sim_calloc(n->room, sizeof *n->slots);
}

void sim_nonces_deinit(struct sim_nonces *n)
{
    free(n->slots);
    *n = (struct sim_nonces){0};
}

void sim_nonces_watch(struct sim_nonces *n)
{
    watching = n;
}

/* False when it was there. */
static bool put(uint64_t *slots, size_t room, uint64_t print)
{
    size_t i = (size_t)print & (room - 1);

    while (slots[i] != 0) {
        if (slots[i] == print)
            return false;
        i = (i + 1) & (room - 1);
    }
    slots[i] = print;
    return true;
}

static void grow(struct sim_nonces *n)
{
    const size_t room = 2 * n->room;
    uint64_t *slots = (uint64_t *)sim_calloc(room, sizeof *slots);

    for (size_t i = 0; i < n->room; i++) {
        if (n->slots[i] != 0) {
            (void)put(slots, room, n->slots[i]);
        }
    }
    free(n->slots);
    n->slots = slots;
    n->room = room;
}

static void note(struct sim_nonces *n, const struct wf_aead_key *k, uint64_t number)
{
    const uint64_t print = sim_mix(sim_hash(number, k->key, sizeof k->key) ^ k->salt[0]) | 1;

    if (2 * n->count >= n->room) {
        grow(n);
    }
    if (!put(n->slots, n->room, print)) {
        sim_fail(n->log, "a key has sealed twice under the number %llu",
                 (unsigned long long)number);
    }
    n->count++;
}

void __wrap_wf_aead_seal(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                         size_t count)
{
    for (size_t i = 0; watching != NULL && i < count; i++) {
        note(watching, k, ops[i].number);
    }
    sim_traitor_rewrite(ops, count);
    __real_wf_aead_seal(a, k, ops, count);
}
