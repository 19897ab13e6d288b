/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aborts.h - checks that something ends in abort, in a child process.
 */
#ifndef WEFT_TEST_ABORTS_H
#define WEFT_TEST_ABORTS_H

#include <stdbool.h>

/* True when body(ctx) ends by SIGABRT; false when it returns or ends otherwise. */
bool test_aborts(void (*body)(void *ctx), void *ctx);

#endif
