/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_refuse.c - telling a sender that it gets no reply. A channel keeps few ERROR frames at once;
 * what it has no room for waits here and goes when others were acknowledged. None is ever dropped
 * while the session lives, for its sender may wait for nothing else.
 *
 * A refused message keeps its place in the channel until then, so what waits is bounded by the
 * messages that the peer may have open. The message may be freed meanwhile: then only its struct
 * stays.
 */
#include "endpoint/core_priv.h"

static bool say(struct session *s, const struct refusal *r)
{
    if (!wf_chan_error(s->chan, r->number, r->code, (weft_span){NULL, 0}))
        return false;
    if (r->stops)
        wf_chan_stop(s->chan, r->number, r->code);
    return true;
}

void refusal_put(struct session *s, struct message *m, const struct refusal *r)
{
    if (m->refusal.link.list != NULL || (s->refusals.first == NULL && say(s, r)))
        return;
    m->refusal = *r;
    wf_list_push_back(&s->refusals, &m->refusal.link);
}

static void done(struct wf_core *c, struct message *m)
{
    wf_list_remove(&m->refusal.link);
    if (m->is_gone)
        wf_free(c->mem, m, sizeof *m);
}

void refusals_go_on(struct session *s)
{
    while (s->refusals.first != NULL) {
        struct message *m = WF_CONTAINER_OF(s->refusals.first, struct message, refusal.link);

        if (!say(s, &m->refusal))
            return;
        done(s->core, m);
    }
}

void refusals_drop(struct session *s)
{
    while (s->refusals.first != NULL)
        done(s->core, WF_CONTAINER_OF(s->refusals.first, struct message, refusal.link));
}
