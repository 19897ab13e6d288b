/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_clock.c - time in which this end did not run: the machine slept, the process stood still, or
 * the clock was set. What was not listened for was not silence, and no round trip is measured
 * across it.
 */
#include "transport/chan_priv.h"

#define LATE_US 1000000u /* later than this is no matter of a busy machine */

/* Everything is sent and nothing is due before then. */
void chan_rest(struct wf_chan *c, weft_time now)
{
    weft_time at = wf_chan_deadline(c);

    c->due_at = at > now ? at : now;
}

/* Before anything else is done with a new time. SPEC 4.4-11 */
void chan_wake(struct wf_chan *c, weft_time now)
{
    uint64_t gap = 0;

    if (c->state != CHAN_OPEN || c->due_at == WEFT_TIME_NEVER || now < c->due_at ||
        now - c->due_at < LATE_US)
        return;
    gap = now - c->due_at;
    c->due_at = now;
    c->heard_at += gap;
    c->heard_before += gap;
    c->busy_at += c->busy_at == WEFT_TIME_NEVER ? 0 : gap;
    c->started_at += gap;
    wf_sent_new_path(&c->sent);
    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    wf_pto_on_heard(&c->pto);
    c->was_dark = true;
    wf_chan_ping(c); /* is the peer still there? */
}
