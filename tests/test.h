/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test.h - what every unit test is written with. cmocka runs the tests; no test names it.
 *
 * TEST(claim) { ... } registers itself; tests run in the order of the file, each by itself. A
 * failed CHECK ends its test, never the program. Nothing here sleeps, reads a clock or draws a
 * random number that the seed does not decide.
 */
#ifndef WEFT_TEST_H
#define WEFT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

struct test_entry {
    const char *name;
    void (*run)(void **state);
    int line;
    struct test_entry *next;
};

void test_register(struct test_entry *entry);
void test_begin(void);
void test_end(void);

#define TEST(claim)                                                             \
    static void body_of_##claim(void);                                          \
    static void run_##claim(void **state)                                       \
    {                                                                           \
        (void)state;                                                            \
        test_begin();                                                           \
        body_of_##claim();                                                      \
        test_end();                                                             \
    }                                                                           \
    __attribute__((constructor)) static void register_##claim(void)             \
    {                                                                           \
        static struct test_entry entry = {#claim, run_##claim, __LINE__, NULL}; \
        test_register(&entry);                                                  \
    }                                                                           \
    static void body_of_##claim(void)

/* Checks. Integers of every kind compare by value as 64 bits; both sides are printed when they
 * differ. */
void test_check(bool holds, const char *what, const char *file, int line);
void test_check_eq(uint64_t a, uint64_t b, const char *what, const char *file, int line);
void test_check_ne(uint64_t a, uint64_t b, const char *what, const char *file, int line);
void test_check_le(uint64_t a, uint64_t b, const char *what, const char *file, int line);
void test_check_mem(const void *a, const void *b, size_t len, const char *file, int line);
void test_check_str(const char *a, const char *b, const char *file, int line);

#define CHECK(cond) test_check((cond), #cond, __FILE__, __LINE__)
#define CHECK_EQ(a, b) test_check_eq((uint64_t)(a), (uint64_t)(b), #a " == " #b, __FILE__, __LINE__)
#define CHECK_NE(a, b) test_check_ne((uint64_t)(a), (uint64_t)(b), #a " != " #b, __FILE__, __LINE__)
/* Unsigned: a <= b. */
#define CHECK_LE(a, b) test_check_le((uint64_t)(a), (uint64_t)(b), #a " <= " #b, __FILE__, __LINE__)
#define CHECK_OK(err) CHECK_EQ(err, WEFT_OK)
#define CHECK_MEM_EQ(a, b, len) test_check_mem((a), (b), (len), __FILE__, __LINE__)
#define CHECK_STR_EQ(a, b) test_check_str((a), (b), __FILE__, __LINE__)

/* Fails the test with a formatted message. */
void test_fail_at(const char *file, int line, const char *fmt, ...) WEFT_PRINTF(3, 4);
#define FAIL(...) test_fail_at(__FILE__, __LINE__, __VA_ARGS__)

/* A line printed only if the running test fails after it: the seed, the case, the offset. The
 * latest counts. */
void test_note(const char *fmt, ...) WEFT_PRINTF(1, 2);

/* A heap copy of exactly len bytes, so that AddressSanitizer sees one byte too many. free() it. */
uint8_t *test_copy(const void *data, size_t len);

/* The same with want_len bytes: cut short, or followed by zeros. */
uint8_t *test_copy_padded(const void *data, size_t len, size_t want_len);

/* An account over malloc. Blocks come filled with 0xa5; a size that differs at release fails the
 * test, and so does anything still held when the test ends. Lives until then. */
struct wf_mem *test_mem(void);

/* A generator decided by its seed alone. Lives until the test ends; copy it by value where needed.
 */
struct wf_rng *test_rng(uint64_t seed);

/* Seeds of one test are numbered from here: 1, or WEFT_TEST_SEED of the environment. */
uint64_t test_seed(void);

/* The next number of a little generator (splitmix64) for inputs that need no wf_rng. */
uint64_t test_next(uint64_t *state);

/* The whole file ../shared/vectors/NAME (or in WEFT_VECTORS), NUL-terminated; free() it. Where the
 * folder is absent the test is skipped, or failed if CI=true. */
char *test_vectors(const char *name, size_t *len);

/* The whole file NAME of the project, NUL-terminated, path from its root; a missing one fails the
 * test. */
char *test_file(const char *name, size_t *len);

/* A fresh folder below TMPDIR or /tmp, removed with its content when the test ends. Static memory.
 */
const char *test_folder(void);

#endif
