/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c - accounts over the C library's heap. A block must never be given back under another
 * size without the simulator saying so.
 */
#include "sim/memory.h"

#include <stdlib.h>
#include <string.h>

/* In front of each block; as long as the alignment malloc promises. */
#define HEADER_LEN 16

void *sim_calloc(size_t count, size_t size)
{
    void *ptr = calloc(count, size);

    if (ptr == NULL) {
        fputs("weft-sim: out of memory\n", stderr);
        abort();
    }
    return ptr;
}

/* Any content is allowed, so blocks come filled with something that is not zero. */
static void *account_alloc(void *ctx, size_t size)
{
    (void)ctx;
    if (size > SIZE_MAX - HEADER_LEN)
        return NULL;

    uint8_t *block = (uint8_t *)malloc(HEADER_LEN + size);

    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    block[HEADER_LEN] = 0xa5;
    return block + HEADER_LEN;
}

static void account_release(void *ctx, void *ptr, size_t size)
{
    struct sim_log *log = (struct sim_log *)ctx;
    uint8_t *block = (uint8_t *)ptr - HEADER_LEN;
    size_t was = 0;

    memcpy(&was, block, sizeof was);
    if (was != size) {
        sim_fail(log, "a block of %zu bytes was given back as one of %zu", was, size);
    }
    free(block);
}

void sim_mem_init(struct wf_mem *mem, size_t cap, struct sim_log *log)
{
    *mem =
        (struct wf_mem){.alloc = account_alloc, .release = account_release, .ctx = log, .cap = cap};
}
