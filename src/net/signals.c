/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.c - signalfd in a loop.
 */
#include "net/signals.h"

#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/assert.h"

static int take(const struct wf_signals *s)
{
    struct signalfd_siginfo info;

    if (read(s->watch.fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

/* One a round: the callback may close. */
static void on_signal(void *ctx, unsigned events)
{
    struct wf_signals *s = ctx;
    int number = (events & WF_READABLE) != 0 ? take(s) : 0;

    if (number != 0) {
        s->fn(s->ctx, number);
    }
}

static weft_err open_blocked(struct wf_signals *s, struct wf_loop *loop)
{
    int fd = signalfd(-1, &s->blocked, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0)
        return WEFT_ERR_IO;
    s->loop = loop;
    s->watch = (struct wf_watch){.fn = on_signal, .ctx = s};
    weft_err err = wf_loop_watch(loop, &s->watch, fd, WF_READABLE);
    if (err != WEFT_OK) {
        (void)close(fd);
    }
    return err;
}

weft_err wf_signals_open(struct wf_signals *s, struct wf_loop *loop, const int *numbers)
{
    WEFT_ASSERT(!s->watch.is_in);
    (void)sigemptyset(&s->blocked);
    for (; *numbers != 0; numbers++) {
        (void)sigaddset(&s->blocked, *numbers);
    }
    if (pthread_sigmask(SIG_BLOCK, &s->blocked, &s->before) != 0)
        return WEFT_ERR_IO;
    weft_err err = open_blocked(s, loop);
    if (err != WEFT_OK) {
        (void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    }
    return err;
}

void wf_signals_close(struct wf_signals *s)
{
    if (!s->watch.is_in)
        return;
    while (take(s) != 0) {
        continue;
    }
    wf_loop_unwatch(s->loop, &s->watch);
    (void)close(s->watch.fd);
    (void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}
