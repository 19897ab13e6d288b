/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assert.c - what happens when a condition on our own state does not hold. It must not allocate,
 * print or return: writing the text somewhere is the hook's work, and a debugger finds it in
 * last_words.
 */
#include "base/assert.h"

#include <stdatomic.h>
#include <stdlib.h>

static _Atomic(wf_last_words_fn) hook;

/* Volatile, so that it is in the core dump although nothing here reads it. */
static struct {
    const char *volatile file;
    const char *volatile what;
    volatile int line;
} last_words;

void wf_set_last_words(wf_last_words_fn fn)
{
    atomic_store(&hook, fn);
}

void wf_assert_failed(const char *file, int line, const char *what)
{
    /* Taken out before it is called: an assertion inside the hook, or in another thread meanwhile,
     * just aborts. */
    const wf_last_words_fn fn = atomic_exchange(&hook, (wf_last_words_fn)NULL);

    last_words.file = file;
    last_words.what = what;
    last_words.line = line;
    if (fn != NULL) {
        fn(file, line, what);
    }
    abort();
}
