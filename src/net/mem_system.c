/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem_system.c - malloc, calloc and free behind struct wf_mem.
 */
#include "net/mem_system.h"

#include <stdlib.h>

static void *system_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void *system_alloc_zeroed(void *ctx, size_t size)
{
    (void)ctx;
    return calloc(1, size);
}

static void system_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

void wf_mem_system(struct wf_mem *mem, size_t cap)
{
    *mem = (struct wf_mem){.alloc = system_alloc,
                           .release = system_release,
                           .alloc_zeroed = system_alloc_zeroed,
                           .cap = cap};
}
