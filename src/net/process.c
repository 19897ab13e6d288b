/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c - limits and dump protection of the own process.
 */
#include "net/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

bool wf_process_harden(void)
{
    struct rlimit none = {0, 0};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    bool ok = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;

    ok = setrlimit(RLIMIT_CORE, &none) == 0 && ok;
    ok = sigaction(SIGPIPE, &ignore, NULL) == 0 && ok;
    return sigaction(SIGXFSZ, &ignore, NULL) == 0 && ok;
}

size_t wf_process_raise_files(size_t want)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur >= want)
        return (size_t)limit.rlim_cur;

    struct rlimit raised = limit;
    raised.rlim_cur = want < limit.rlim_max ? (rlim_t)want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) != 0)
        return (size_t)limit.rlim_cur;
    return (size_t)raised.rlim_cur;
}

/* The second number of /proc/self/statm, in pages. */
static size_t resident_pages(const char *text)
{
    size_t pages = 0;

    while (*text != '\0' && *text != ' ') {
        text++;
    }
    for (text += *text == ' '; *text >= '0' && *text <= '9'; text++) {
        pages = pages * 10 + (size_t)(*text - '0');
    }
    return pages;
}

size_t wf_process_resident_bytes(void)
{
    char text[128] = {0};
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t len = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return len > 0 ? resident_pages(text) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t wf_process_cpu_us(void)
{
    struct rusage used = {0};

    if (getrusage(RUSAGE_SELF, &used) != 0)
        return 0;
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}
