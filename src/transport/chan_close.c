/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_close.c - the ways a channel ends: by its owner or a broken rule (CLOSE is sent, and again
 * for packets that still come, for three PTOs), by the peer's CLOSE, or without a word.
 */
#include <string.h>

#include "base/assert.h"
#include "transport/chan_priv.h"

#define CLOSING_PTOS 3u

static void remember(struct wf_chan *c, weft_err err, uint64_t code, weft_span text)
{
    size_t len = text.len < CHAN_TEXT_MAX ? text.len : CHAN_TEXT_MAX;

    c->close.err = err;
    c->close.code = code > WF_FRAME_NUMBER_MAX ? WF_CODE_INTERNAL : code;
    WEFT_ASSERT(c->close.text == NULL);
    if (len > 0)
        c->close.text = wf_alloc(c->mem, len);
    if (c->close.text == NULL)
        return;
    memcpy(c->close.text, text.data, len);
    c->close.text_len = len;
}

/* Closed at once; nothing is sent any more. */
void chan_end(struct wf_chan *c, weft_err err, uint64_t code, weft_span text)
{
    if (c->state == CHAN_CLOSED)
        return;
    if (c->state != CHAN_CLOSING)
        remember(c, err, code, text);
    chan_enter(c, CHAN_CLOSED);
}

/* SPEC 4.5-1 */
static void close_with(struct wf_chan *c, weft_time now, weft_err err, uint64_t code,
                       weft_span text)
{
    if (c->state >= CHAN_CLOSING)
        return;
    remember(c, err, code, text);
    if (c->keys == NULL) {
        chan_enter(c, CHAN_CLOSED); /* nothing can be said without keys */
        return;
    }
    chan_enter(c, CHAN_CLOSING);
    c->close.is_due = true;
    c->close.next_at = now;
    c->close.until = now + CLOSING_PTOS * wf_pto_base_us(&c->rtt);
}

void chan_fail(struct wf_chan *c, weft_time now, weft_err err, uint64_t code)
{
    close_with(c, now, err, code, (weft_span){NULL, 0});
}

void wf_chan_close(struct wf_chan *c, weft_time now, uint64_t code, weft_span text)
{
    close_with(c, now, WEFT_OK, code, text);
}

/* A packet came although we closed: at most one CLOSE a PTO answers. */
void chan_close_on_packet(struct wf_chan *c, weft_time now)
{
    if (c->state == CHAN_CLOSING && now >= c->close.next_at)
        c->close.is_due = true;
}
