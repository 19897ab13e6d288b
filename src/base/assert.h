/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assert.h - assertions about our own state. On in release builds; what a peer sends never reaches
 * one.
 *
 * A failed assertion calls the last-words hook (to write out what is known) and then aborts.
 */
#ifndef WF_BASE_ASSERT_H
#define WF_BASE_ASSERT_H

#include "base/compiler.h"

/* Called once, before abort, with the place and the text of what did not hold. It has to cope with
 * its own errors. */
typedef void (*wf_last_words_fn)(const char *file, int line, const char *what);
void wf_set_last_words(wf_last_words_fn fn);

WF_NORETURN void wf_assert_failed(const char *file, int line, const char *what);

#define WEFT_ASSERT(cond)                                \
    do {                                                 \
        if (WF_UNLIKELY(!(cond)))                        \
            wf_assert_failed(__FILE__, __LINE__, #cond); \
    } while (0)

#define WEFT_UNREACHABLE() wf_assert_failed(__FILE__, __LINE__, "unreachable")

/* For hot paths that were measured: on in every build but release. */
#ifdef WEFT_DEBUG
#define WEFT_DEBUG_ASSERT(cond) WEFT_ASSERT(cond)
#else
#define WEFT_DEBUG_ASSERT(cond) ((void)0)
#endif

#endif
