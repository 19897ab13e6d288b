/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crash_test.c - a process that writes is killed again and again. What it acknowledged must be
 * there afterwards, and of a transaction all or nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "store/store.h"
#include "test.h"

#define PATH_LEN 512
#define KILLS 40
/* Each transaction writes its number under both kinds. */
#define LEFT 1
#define RIGHT 2

static char path[PATH_LEN];

static struct wf_store *open_store(void)
{
    struct wf_store *s = NULL;
    struct wf_store_report report = {0};
    weft_err err = wf_store_open_sqlite(&s, path, NULL, test_mem(), &report);

    test_note("%s", report.text);
    CHECK_OK(err);
    return s;
}

static weft_err write_number(struct wf_store *s, uint32_t number)
{
    uint8_t key[4];
    weft_err err = wf_store_begin(s);

    wf_store_u32(key, number);
    if (err == WEFT_OK)
        err = wf_store_put(s, LEFT, wf_span(key, 4), wf_span(key, 4));
    if (err == WEFT_OK)
        err = wf_store_put(s, RIGHT, wf_span(key, 4), wf_span(key, 4));
    return err == WEFT_OK ? wf_store_commit(s) : err;
}

/* The child: writes numbers from `next` on, and tells each once it is committed. Never returns. */
static void write_until_killed(uint32_t next, int fd)
{
    struct wf_store *s = NULL;

    if (wf_store_open_sqlite(&s, path, NULL, test_mem(), NULL) != WEFT_OK)
        _exit(1);
    for (;; next++) {
        if (write_number(s, next) != WEFT_OK)
            _exit(2);
        if (write(fd, &next, sizeof next) != (ssize_t)sizeof next)
            _exit(3);
    }
}

/* Lets a child write until it has acknowledged `wanted` numbers, and kills it somewhere behind
 * that. Returns the first number that was not acknowledged. */
static uint32_t write_and_kill(uint32_t next, unsigned wanted, uint64_t spin)
{
    int fds[2];
    uint32_t told = 0;
    int status = 0;

    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        (void)close(fds[0]);
        write_until_killed(next, fds[1]);
    }
    (void)close(fds[1]);
    for (unsigned i = 0; i < wanted; i++) {
        CHECK_EQ(read(fds[0], &told, sizeof told), sizeof told);
        CHECK_EQ(told, next);
        next++;
    }
    for (volatile uint64_t i = 0; i < spin; i++)
        continue;
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    while (read(fds[0], &told, sizeof told) == (ssize_t)sizeof told)
        next = told + 1;
    (void)close(fds[0]);
    return next;
}

/* All numbers below `next` are there under both kinds; one more may be, but then under both. */
static uint32_t check_numbers(uint32_t next)
{
    struct wf_store *s = open_store();
    uint64_t left = 0;
    uint64_t right = 0;

    CHECK_OK(wf_store_count(s, LEFT, &left));
    CHECK_OK(wf_store_count(s, RIGHT, &right));
    CHECK_EQ(left, right);
    CHECK(left == next || left == next + 1u);
    for (uint8_t kind = LEFT; kind <= RIGHT; kind++) {
        struct wf_store_cursor c = {.kind = kind};
        uint8_t buf[4];
        struct wf_store_value value = {.buf = buf, .cap = sizeof buf};
        for (uint32_t i = 0; i < left; i++) {
            CHECK_OK(wf_store_next(s, &c, &value));
            CHECK_EQ(wf_load_u32(c.key), i);
            CHECK_EQ(wf_load_u32(buf), i);
        }
    }
    wf_store_close(s);
    return (uint32_t)left;
}

TEST(what_was_acknowledged_survives_being_killed)
{
    uint64_t state = test_seed();
    uint32_t next = 0;

    (void)snprintf(path, sizeof path, "%s/store", test_folder());
    for (int i = 0; i < KILLS; i++) {
        unsigned wanted = (unsigned)(test_next(&state) % 6);
        uint64_t spin = test_next(&state) % 2000000;
        next = write_and_kill(next, wanted, spin);
        test_note("kill %d, %u acknowledged", i, (unsigned)next);
        next = check_numbers(next);
    }
    CHECK(next > 0);
}
