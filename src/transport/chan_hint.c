/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_hint.c - what a client needs to judge a HINT (docs/spec/1-handshake.md, 1.6): the tags of
 * its last packets, and whether the peer was heard since. A HINT is signed by nobody: nothing here
 * may change the session.
 */
#include <string.h>

#include "transport/chan_priv.h"

#define PATIENCE_PTOS 8u /* SPEC 1.6-7: enough for three rounds of probes */

static const uint8_t *tag_of(const struct wf_seal *s)
{
    return s->buf + s->header_len + s->frames_len;
}

/* After sealing: of a long train only the last ones count. */
void chan_tags_note(struct wf_chan *c, const struct wf_seal *seals, size_t count)
{
    struct chan_tags *t = c->tags;

    if (c->config.role != WF_ROLE_CLIENT)
        return;
    if (t == NULL)
        t = c->tags = wf_alloc(c->mem, sizeof *t);
    if (t == NULL)
        return; /* no HINT will be believed */
    for (size_t i = count > CHAN_TAGS ? count - CHAN_TAGS : 0; i < count; i++)
        memcpy(t->tags[t->count++ % CHAN_TAGS], tag_of(&seals[i]), WF_PACKET_TAG);
}

/* SPEC 1.6-2, 1.6-4 */
bool wf_chan_is_hint(const struct wf_chan *c, const struct wf_addr *from, const uint8_t tag[16])
{
    const struct chan_tags *t = c->tags;

    if (c->state != CHAN_OPEN || t == NULL || !wf_addr_equal(wf_chan_remote(c), from))
        return false;
    for (size_t i = 0; i < CHAN_TAGS && i < t->count; i++) {
        if (memcmp(t->tags[i], tag, WF_PACKET_TAG) == 0)
            return true;
    }
    return false;
}

weft_time wf_chan_heard_at(const struct wf_chan *c)
{
    return c->heard_at;
}

uint64_t wf_chan_patience_us(const struct wf_chan *c)
{
    return PATIENCE_PTOS * wf_pto_base_us(&c->rtt);
}

/* SPEC 1.6-6: what was under way when the peer lost the session may still arrive after the HINT,
 * but hardly by half a round trip. */
bool wf_chan_was_heard(const struct wf_chan *c, weft_time since)
{
    return c->heard_at > since && c->heard_at - since > wf_rtt_min(&c->rtt) / 2;
}

const struct wf_addr *wf_chan_remote(const struct wf_chan *c)
{
    return &c->paths.items[0].remote;
}
