/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs_anew.c - a CHALLENGE that comes after SOLVE was sent: the server was started again, or another
 * one behind its address answers (docs/spec/1-handshake.md, 1.13).
 *
 * SOLVE may have been accepted all the same, and CONFIRM be on its way: whoever sees our HELLO can
 * get such a CHALLENGE from a server and lead it here. So it is kept for a moment. Only when
 * nothing comes in that time is it answered, by a SOLVE with keys of its own; and when the first
 * SOLVE carried data the handshake fails, since these must not go twice.
 */
#include <string.h>

#include "base/bytes.h"
#include "session/hs_priv.h"

#define GRACE_US 300000u
#define GRACE_MAX_US ((uint64_t)2 * 1000000u)

/* By what is signed: epoch and cookie are not. SPEC 1.13-6 */
static bool is_another(const struct wf_hs *hs, const struct wf_challenge *c)
{
    const struct wf_challenge_head *old = &hs->challenge.head;

    if (c->head.instance != old->instance)
        return true;
    return c->head.shard == old->shard && c->head.ts_id > old->ts_id;
}

static uint64_t grace(const struct wf_hs *hs)
{
    uint64_t us = GRACE_US + 2 * (hs->result.challenge_at - hs->result.hello_sent);

    return us < GRACE_MAX_US ? us : GRACE_MAX_US;
}

/* SPEC 1.13-7: a limited CHALLENGE proves nothing, so it cannot make us doubt either. */
void wf_hs_on_another(struct wf_hs *hs, weft_time now, weft_span datagram)
{
    struct wf_challenge c;

    if (hs->is_limited || hs->another_len > 0 || hs->begun_anew >= WF_HS_ANEW_MAX)
        return;
    if (datagram.len > sizeof hs->another || wf_challenge_get(datagram, &c) != WEFT_OK ||
        !is_another(hs, &c) || !wf_hs_verify(hs, now, datagram, &c))
        return;
    memcpy(hs->another, datagram.data, datagram.len);
    hs->another_len = datagram.len;
    hs->anew_at = now + grace(hs);
}

/* SPEC 1.13-8 */
void wf_hs_anew(struct wf_hs *hs, weft_time now)
{
    weft_span datagram = wf_span(hs->another, hs->another_len);

    hs->another_len = 0;
    hs->anew_at = WEFT_TIME_NEVER;
    if (hs->has_data) {
        wf_hs_fail(hs, WEFT_ERR_TIMEOUT); /* it may have arrived */
        return;
    }
    hs->begun_anew++;
    hs->result.hello_sent = now; /* no round trip was measured */
    hs->overdue_at = WEFT_TIME_NEVER;
    hs->work_time_us = wf_hs_work_left(hs, now);
    if (wf_hs_answer(hs, now, datagram)) {
        wf_hs_make_solve(hs, now);
    }
}
