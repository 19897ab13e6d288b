/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.h - signals as events of a loop, so that no handler ever runs in the middle of our code.
 *
 * Threads  The loop's thread, before any other thread is started: threads inherit what is blocked.
 */
#ifndef WF_NET_SIGNALS_H
#define WF_NET_SIGNALS_H

#include <signal.h>

#include "net/loop.h"

struct wf_signals {
    void (*fn)(void *ctx, int signal_number);
    void *ctx;
    struct wf_loop *loop;
    struct wf_watch watch;
    sigset_t blocked;
    sigset_t before;
};

/* Blocks the signals of a list that ends with 0, and has fn called for each that comes. fn and ctx
 * are set by the caller. WEFT_ERR_IO: the system refused; nothing has changed. */
WEFT_NODISCARD weft_err wf_signals_open(struct wf_signals *s, struct wf_loop *loop,
                                        const int *numbers);

/* Drops what is pending and unblocks what was not blocked before. Harmless when it is not open. */
void wf_signals_close(struct wf_signals *s);

#endif
