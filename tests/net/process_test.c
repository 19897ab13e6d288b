/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_test.c - what a program does with its own process, each in a child; and the system's
 * allocator.
 */
#include "net/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/mem_system.h"
#include "test.h"

static int in_child(int (*body)(void))
{
    int status = -1;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0)
        _exit(body());
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int harden(void)
{
    struct rlimit core = {1, 1};
    struct sigaction pipe_action;
    int fds[2];

    if (!wf_process_harden())
        return 1;
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return 2;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
        return 3;
    if (sigaction(SIGXFSZ, NULL, &pipe_action) != 0 || pipe_action.sa_handler != SIG_IGN)
        return 4;
    if (pipe(fds) != 0 || close(fds[0]) != 0)
        return 5;
    return write(fds[1], "x", 1) == -1 ? 0 : 6; /* a signal would end us */
}

TEST(a_hardened_process_leaves_no_dump_and_survives_a_broken_pipe)
{
    CHECK_EQ(in_child(harden), 0);
}

static int raise_files(void)
{
    struct rlimit limit = {64, 128};

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    if (wf_process_raise_files(32) != 64 || wf_process_raise_files(64) != 64)
        return 2;
    if (wf_process_raise_files(100) != 100)
        return 3;
    if (wf_process_raise_files(1000) != 128)
        return 4;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur != 128)
        return 5;
    return 0;
}

TEST(the_limit_on_files_is_raised_as_far_as_allowed)
{
    CHECK_EQ(in_child(raise_files), 0);
}

TEST(memory_and_processor_time_are_reported)
{
    size_t before = wf_process_resident_bytes();
    size_t len = 64u << 20;
    volatile uint8_t *block = malloc(len); /* or the compiler would write nothing */

    CHECK(before > 0);
    CHECK(block != NULL);
    for (size_t i = 0; i < len; i += 4096)
        block[i] = 1;
    CHECK(wf_process_resident_bytes() >= before + len / 2);
    free((void *)(uintptr_t)block);
    CHECK(wf_process_cpu_us() > 0);
}

TEST(the_systems_allocator_keeps_account_and_its_cap)
{
    struct wf_mem mem;

    wf_mem_system(&mem, 100);
    uint8_t *block = wf_alloc(&mem, 60);
    CHECK(block != NULL);
    CHECK_EQ(block[59], 0);
    CHECK_EQ(mem.held, 60);
    CHECK(wf_alloc(&mem, 41) == NULL);
    wf_free(&mem, block, 60);
    CHECK_EQ(mem.held, 0);
}
