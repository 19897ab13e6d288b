/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - what fuzz targets share: the input taken byte by byte as a program, and an account over
 * the C library's heap, where the sanitizers watch.
 */
#ifndef WF_FUZZ_FEED_H
#define WF_FUZZ_FEED_H

#include <stdlib.h>

#include "base/mem.h"

struct feed {
    const uint8_t *data;
    size_t left;
};

/* Zeros when all is read. */
static inline uint8_t next(struct feed *f)
{
    if (f->left == 0)
        return 0;
    f->left--;
    return *f->data++;
}

static inline void *feed_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static inline void feed_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

#define FEED_HEAP                                    \
    {                                                \
        .alloc = feed_alloc, .release = feed_release \
    }

#endif
