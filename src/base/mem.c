/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.c - accounts of memory. It must never hand out a byte that is not counted in every account up
 * to the root.
 */
#include "base/mem.h"

#include <string.h>

#include "base/assert.h"

/* Counts the attempt here and in the accounts above, up to the first that refuses. */
static bool may_have(struct wf_mem *mem, size_t size)
{
    for (struct wf_mem *m = mem; m != NULL; m = m->parent) {
        m->attempts++;
        if (m->attempts == m->fail_at)
            return false;
        if (m->cap != 0 && (m->held > m->cap || size > m->cap - m->held))
            return false;
    }
    return true;
}

void *wf_alloc(struct wf_mem *mem, size_t size)
{
    WEFT_ASSERT(size > 0);
    if (!may_have(mem, size))
        return NULL;

    void *ptr =
        mem->alloc_zeroed != NULL ? mem->alloc_zeroed(mem->ctx, size) : mem->alloc(mem->ctx, size);

    if (ptr == NULL)
        return NULL;
    for (struct wf_mem *m = mem; m != NULL; m = m->parent) {
        m->allocations++;
        m->held += size;
        if (m->held > m->held_max) {
            m->held_max = m->held;
        }
    }
    if (mem->alloc_zeroed == NULL) {
        memset(ptr, 0, size);
    }
    return ptr;
}

void *wf_alloc_array(struct wf_mem *mem, size_t count, size_t size)
{
    WEFT_ASSERT(count > 0);
    WEFT_ASSERT(size > 0);
    if (count > SIZE_MAX / size)
        return NULL;
    return wf_alloc(mem, count * size);
}

void wf_free(struct wf_mem *mem, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    WEFT_ASSERT(mem != NULL);
    for (struct wf_mem *m = mem; m != NULL; m = m->parent) {
        WEFT_ASSERT(m->held >= size);
        m->held -= size;
    }
    mem->release(mem->ctx, ptr, size);
}

bool wf_mem_is_easy(const struct wf_mem *mem)
{
    for (const struct wf_mem *m = mem; m != NULL; m = m->parent) {
        if (m->cap != 0 && m->held > m->cap / 4 * 3)
            return false;
    }
    return true;
}

void wf_mem_child(struct wf_mem *child, struct wf_mem *parent, size_t cap)
{
    *child = (struct wf_mem){
        .alloc = parent->alloc,
        .release = parent->release,
        .alloc_zeroed = parent->alloc_zeroed,
        .ctx = parent->ctx,
        .cap = cap,
        .parent = parent,
    };
}
