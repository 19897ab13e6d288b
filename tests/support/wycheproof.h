/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wycheproof.h - walks the test vectors of the Wycheproof project (test_vectors in test.h).
 */
#ifndef WEFT_TEST_WYCHEPROOF_H
#define WEFT_TEST_WYCHEPROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

struct wycheproof_case {
    const struct json_t *group;
    const struct json_t *test;
    bool valid; /* result is "valid" */
};

/* Calls each with every case of a file and returns how many there were. */
size_t wycheproof_each(const char *file, void (*each)(const struct wycheproof_case *c, void *ctx),
                       void *ctx);

/* The bytes written in hex in a field of the case or its group, in a block of exactly that size;
 * free() it. NULL when there is no such field. */
uint8_t *wycheproof_bytes(const struct wycheproof_case *c, const char *field, size_t *len);

/* The same for a field inside an object of the group. */
uint8_t *wycheproof_group_bytes(const struct wycheproof_case *c, const char *object,
                                const char *field, size_t *len);

#endif
