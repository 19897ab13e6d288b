/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ct.h - says which bytes are secret, to a tool that watches whether a branch or an address depends
 * on them: in the preset ctgrind a secret counts as uninitialised memory, of which memcheck follows
 * every copy and result. Everywhere else nothing is done.
 *
 * Secret is what is drawn or handed in as such. What a secret makes stays secret until it is said
 * to be public: a key that is shown, a sealed box, a verdict that everybody sees.
 */
#ifndef WF_BASE_CT_H
#define WF_BASE_CT_H

#include <stddef.h>

#ifdef WEFT_CTGRIND

#include <valgrind/memcheck.h>

static inline void wf_ct_secret(const void *data, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(data, len);
}

static inline void wf_ct_public(const void *data, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(data, len);
}

#else

static inline void wf_ct_secret(const void *data, size_t len)
{
    (void)data;
    (void)len;
}

static inline void wf_ct_public(const void *data, size_t len)
{
    (void)data;
    (void)len;
}

#endif

#endif
