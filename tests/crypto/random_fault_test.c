/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random_fault_test.c - a system that gives no random bytes, or too few, or gives them to a copy of
 * this process: nothing may go on with bytes that somebody could know. Each case is a child of its
 * own, with a filter on the system call.
 */
#include "test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/crypto.h"

/* From now on getrandom fails with this error; 0: it says that it gave no byte. */
static bool make_getrandom_return(unsigned error)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = WF_ARRAY_LEN(program), .filter = program};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

#define CHILD_DREW 10
#define CHILD_DREW_ZEROS 11
#define CHILD_NO_FILTER 12
#define CHILD_NO_START 13

static int draw(void)
{
    uint8_t bytes[64] = {0};

    wf_random(&wf_rng_system, bytes, sizeof bytes);
    return wf_is_zero_ct(bytes, 32) || wf_is_zero_ct(bytes + 32, 32) ? CHILD_DREW_ZEROS
                                                                     : CHILD_DREW;
}

/* How a child ends that draws while getrandom fails so, from its start on or later. */
static int end_of_child(unsigned error, bool from_the_start)
{
    const pid_t child = fork();
    int status = 0;

    CHECK(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        if (!from_the_start && wf_crypto_init() != WEFT_OK)
            _exit(CHILD_NO_START);
        if (!make_getrandom_return(error))
            _exit(CHILD_NO_FILTER);
        if (from_the_start && wf_crypto_init() != WEFT_OK)
            _exit(CHILD_NO_START);
        _exit(draw());
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

/* These come first: the parent has not started the library yet. */
TEST(where_the_system_call_is_missing_its_device_gives_the_bytes)
{
    int status = end_of_child(ENOSYS, true);

    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), CHILD_DREW);
}

TEST(a_call_that_fails_or_gives_nothing_ends_the_process)
{
    static const unsigned errors[] = {EIO, EPERM, ENOSYS, 0};

    for (size_t i = 0; i < WF_ARRAY_LEN(errors); i++) {
        int status = end_of_child(errors[i], false);
        test_note("error %u, status %x", errors[i], (unsigned)status);
        CHECK(WIFSIGNALED(status));
        CHECK_EQ(WTERMSIG(status), SIGABRT);
    }
}

TEST(a_copy_of_this_process_draws_other_bytes)
{
    uint8_t theirs[32], ours[32];
    int ends[2];

    CHECK_OK(wf_crypto_init());
    CHECK_EQ(draw(), CHILD_DREW); /* whatever is kept is there before the copy is made */
    CHECK_EQ(pipe(ends), 0);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        wf_random(&wf_rng_system, ours, sizeof ours);
        _exit(write(ends[1], ours, sizeof ours) == (ssize_t)sizeof ours ? 0 : 1);
    }
    CHECK_EQ(read(ends[0], theirs, sizeof theirs), (ssize_t)sizeof theirs);
    wf_random(&wf_rng_system, ours, sizeof ours);
    CHECK(memcmp(ours, theirs, sizeof ours) != 0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    (void)close(ends[1]);
}
