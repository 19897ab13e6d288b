/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_main.c - the main function of every test program, and what tests/test.h promises.
 *
 * Usage: PROGRAM [--list | PATTERN], where PATTERN may hold * and ?. Output is cmocka's; with
 * CMOCKA_MESSAGE_OUTPUT=TAP it is TAP, which tools/run-tests.py counts.
 */
#include "test.h"

#include <ftw.h>
#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define TESTS_MAX 4096
#define NOTE_LEN_MAX 512
#define FOLDER_OPEN_MAX 16

/* What one test was handed and gives back at its end. */
struct lent {
    struct lent *next;
    struct wf_mem mem;
    struct wf_rng rng;
    uint64_t rng_state;
};

static struct test_entry *first_test;
static struct lent *first_lent;
static char note[NOTE_LEN_MAX];
static char folder[PATH_MAX];

/* Kept sorted by line: constructors of one file may run in any order. */
void test_register(struct test_entry *entry)
{
    struct test_entry **at = &first_test;
    while (*at != NULL && (*at)->line < entry->line)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
}

static void vfail(const char *file, int line, const char *fmt, va_list args) WEFT_PRINTF(3, 0);

static void vfail(const char *file, int line, const char *fmt, va_list args)
{
    char text[2 * NOTE_LEN_MAX];
    (void)vsnprintf(text, sizeof text, fmt, args);
    print_error("# %s:%d: %s%s%s\n", file, line, text, note[0] != '\0' ? "; note: " : "", note);
    _fail(file, line);
}

void test_fail_at(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vfail(file, line, fmt, args);
    va_end(args);
}

void test_note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(note, sizeof note, fmt, args);
    va_end(args);
}

void test_check(bool holds, const char *what, const char *file, int line)
{
    if (!holds)
        test_fail_at(file, line, "does not hold: %s", what);
}

static void print_pair(uint64_t a, uint64_t b, const char *what, const char *file, int line)
{
    test_fail_at(file, line, "does not hold: %s; left is %llu (0x%llx), right is %llu (0x%llx)",
                 what, (unsigned long long)a, (unsigned long long)a, (unsigned long long)b,
                 (unsigned long long)b);
}

void test_check_eq(uint64_t a, uint64_t b, const char *what, const char *file, int line)
{
    if (a != b)
        print_pair(a, b, what, file, line);
}

void test_check_ne(uint64_t a, uint64_t b, const char *what, const char *file, int line)
{
    if (a == b)
        print_pair(a, b, what, file, line);
}

void test_check_le(uint64_t a, uint64_t b, const char *what, const char *file, int line)
{
    if (a > b)
        print_pair(a, b, what, file, line);
}

void test_check_mem(const void *a, const void *b, size_t len, const char *file, int line)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    for (size_t i = 0; i < len; i++) {
        if (left[i] != right[i])
            test_fail_at(file, line, "byte %zu of %zu differs: left is 0x%02x, right is 0x%02x", i,
                         len, left[i], right[i]);
    }
}

void test_check_str(const char *a, const char *b, const char *file, int line)
{
    if (a == NULL || b == NULL || strcmp(a, b) != 0)
        test_fail_at(file, line, "left is \"%s\", right is \"%s\"", a != NULL ? a : "(null)",
                     b != NULL ? b : "(null)");
}

static void *must(void *ptr)
{
    if (ptr == NULL) {
        fprintf(stderr, "test: out of memory\n");
        abort();
    }
    return ptr;
}

uint8_t *test_copy(const void *data, size_t len)
{
    return test_copy_padded(data, len, len);
}

uint8_t *test_copy_padded(const void *data, size_t len, size_t want_len)
{
    uint8_t *copy = must(malloc(want_len));
    size_t kept = len < want_len ? len : want_len;
    if (kept != 0)
        memcpy(copy, data, kept);
    if (want_len > kept)
        memset(copy + kept, 0, want_len - kept);
    return copy;
}

static struct lent *lend(void)
{
    struct lent *l = must(calloc(1, sizeof *l));
    l->next = first_lent;
    first_lent = l;
    return l;
}

static void *mem_alloc(void *ctx, size_t size)
{
    (void)ctx;
    void *ptr = malloc(size);
    if (ptr != NULL)
        memset(ptr, 0xa5, size);
    return ptr;
}

/* malloc_usable_size is exact under AddressSanitizer and an upper bound elsewhere. */
static void mem_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    size_t usable = malloc_usable_size(ptr);
#if defined(__SANITIZE_ADDRESS__)
    bool fits = usable == size;
#else
    bool fits = usable >= size;
#endif
    if (!fits)
        test_fail_at(__FILE__, __LINE__, "a block of %zu bytes was released as %zu", usable, size);
    memset(ptr, 0x5a, size);
    free(ptr);
}

struct wf_mem *test_mem(void)
{
    struct lent *l = lend();
    l->mem.alloc = mem_alloc;
    l->mem.release = mem_release;
    return &l->mem;
}

uint64_t test_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void rng_fill(void *ctx, uint8_t *out, size_t len)
{
    uint64_t *state = ctx;
    for (size_t i = 0; i < len;) {
        uint64_t word = test_next(state);
        for (int n = 0; n < 8 && i < len; n++, i++)
            out[i] = (uint8_t)(word >> (8 * n));
    }
}

struct wf_rng *test_rng(uint64_t seed)
{
    struct lent *l = lend();
    l->rng_state = seed;
    l->rng.fill = rng_fill;
    l->rng.ctx = &l->rng_state;
    return &l->rng;
}

uint64_t test_seed(void)
{
    const char *text = getenv("WEFT_TEST_SEED");
    return text != NULL ? strtoull(text, NULL, 0) : 1;
}

/* NULL when it cannot be opened; any other trouble fails the test. */
static char *read_whole(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    size_t cap = 1u << 16;
    size_t used = 0;
    char *text = must(malloc(cap));
    for (;;) {
        used += fread(text + used, 1, cap - used - 1, f);
        if (used < cap - 1)
            break;
        cap *= 2;
        text = must(realloc(text, cap));
    }
    if (ferror(f))
        test_fail_at(__FILE__, __LINE__, "cannot read %s", path);
    fclose(f);
    text[used] = '\0';
    if (len != NULL)
        *len = used;
    return text;
}

char *test_file(const char *name, size_t *len)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", WEFT_SOURCE_DIR, name);
    char *text = read_whole(path, len);
    if (text == NULL)
        test_fail_at(__FILE__, __LINE__, "missing: %s", path);
    return text;
}

char *test_vectors(const char *name, size_t *len)
{
    char path[PATH_MAX];
    const char *dir = getenv("WEFT_VECTORS");
    const char *ci = getenv("CI");
    if (dir != NULL)
        (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    else
        (void)snprintf(path, sizeof path, "%s/../shared/vectors/%s", WEFT_SOURCE_DIR, name);
    char *text = read_whole(path, len);
    if (text != NULL)
        return text;
    if (ci != NULL && strcmp(ci, "true") == 0)
        test_fail_at(__FILE__, __LINE__, "missing test vectors: %s (set WEFT_VECTORS)", path);
    _skip(__FILE__, __LINE__);
    return NULL;
}

const char *test_folder(void)
{
    if (folder[0] != '\0')
        return folder;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/weft-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(folder) == NULL) {
        folder[0] = '\0';
        test_fail_at(__FILE__, __LINE__, "cannot make a folder below %s",
                     tmp != NULL ? tmp : "/tmp");
    }
    return folder;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

/* Also what a failed test left behind goes, so that the next one starts clean. */
static void drop_everything(void)
{
    if (folder[0] != '\0')
        (void)nftw(folder, remove_one, FOLDER_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
    folder[0] = '\0';
    note[0] = '\0';
    while (first_lent != NULL) {
        struct lent *next = first_lent->next;
        free(first_lent);
        first_lent = next;
    }
}

void test_begin(void)
{
    drop_everything();
}

void test_end(void)
{
    for (struct lent *l = first_lent; l != NULL; l = l->next) {
        if (l->mem.held != 0)
            test_fail_at(__FILE__, __LINE__, "%zu bytes are still held at the end of the test",
                         l->mem.held);
    }
    drop_everything();
}

static size_t collect(struct CMUnitTest *tests)
{
    size_t count = 0;
    for (struct test_entry *t = first_test; t != NULL && count < TESTS_MAX; t = t->next)
        tests[count++] = (struct CMUnitTest){.name = t->name, .test_func = t->run};
    return count;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[TESTS_MAX];
    /* By line, so that a program that dies has told how far it came. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    size_t count = collect(tests);
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++)
            printf("%s\n", tests[i].name);
        return 0;
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    int failed = _cmocka_run_group_tests(argv[0], tests, count, NULL, NULL);
    drop_everything();
    return count != 0 && failed == 0 ? 0 : 1;
}
