/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aborts.c - see aborts.h. The child leaves no core file and no text behind.
 */
#include "support/aborts.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

bool test_aborts(void (*body)(void *ctx), void *ctx)
{
    const pid_t child = fork();
    int status = 0;

    if (child < 0)
        return false;
    if (child == 0) {
        const struct rlimit none = {0, 0};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        body(ctx);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0) {
    }
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
