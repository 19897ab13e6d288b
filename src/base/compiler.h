/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler.h - the only place where compiler extensions are named.
 */
#ifndef WF_BASE_COMPILER_H
#define WF_BASE_COMPILER_H

#include "weft/base.h"

#if defined(__GNUC__)
#define WF_LIKELY(x) __builtin_expect(!!(x), 1)
#define WF_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WF_NORETURN __attribute__((noreturn))
#define WF_UNUSED __attribute__((unused))
/* For a measured hot path whose arguments are constants at each call. */
#define WF_ALWAYS_INLINE static inline __attribute__((always_inline))
/* Index of the highest set bit; v > 0. */
#define WF_LOG2_U64(v) (63u - (unsigned)__builtin_clzll(v))
#else
#define WF_LIKELY(x) (x)
#define WF_UNLIKELY(x) (x)
#define WF_NORETURN _Noreturn
#define WF_UNUSED
#define WF_ALWAYS_INLINE static inline
static inline unsigned wf_log2_u64(uint64_t v)
{
    unsigned bits = 0;

    while (v > 1) {
        v >>= 1;
        bits++;
    }
    return bits;
}
#define WF_LOG2_U64(v) wf_log2_u64(v)
#endif

/* The upper half of the product of 64 bits each. */
#if defined(__SIZEOF_INT128__)
static inline uint64_t wf_mulhi_u64(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b >> 64);
}
#else
static inline uint64_t wf_mulhi_u64(uint64_t a, uint64_t b)
{
    uint64_t low = (uint64_t)(uint32_t)a * (uint32_t)b;
    uint64_t mid = (a >> 32) * (uint32_t)b + (low >> 32);
    uint64_t more = (uint32_t)a * (b >> 32) + (uint32_t)mid;

    return (a >> 32) * (b >> 32) + (mid >> 32) + (more >> 32);
}
#endif

#define WF_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define WF_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
