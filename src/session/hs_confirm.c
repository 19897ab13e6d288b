/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs_confirm.c - CONFIRM at the client. One that does not open must change nothing (SPEC 1.4-3), so
 * it is tried on a copy of the schedule.
 */
#include <string.h>

#include "base/bytes.h"
#include "session/hs_priv.h"

/* MODEL box3 */
static bool open_box3(struct wf_hs *hs, struct wf_schedule *s, const struct wf_confirm *c)
{
    struct wf_pair ce = {0};
    const struct wf_pair e2 = {hs->e_c_secret, c->e2};

    if (hs->identity != NULL) {
        ce = (struct wf_pair){hs->identity->client_secret, c->e2};
    }
    return wf_schedule_reply(s, c->clear, e2, hs->identity != NULL ? &ce : NULL) == WEFT_OK &&
           wf_schedule_open(s, hs->aead, c->box3, hs->result.plain);
}

static void finish(struct wf_hs *hs, weft_time now, const struct wf_schedule *s, size_t plain_len)
{
    struct wf_hs_result *r = &hs->result;

    if (wf_confirm_body_get(wf_span(r->plain, plain_len), &r->body) != WEFT_OK) {
        wf_hs_fail(hs, WEFT_ERR_PROTOCOL); /* the server itself said so */
        return;
    }
    wf_schedule_split(s, &r->secrets);
    r->confirm_at = now;
    wf_hs_enter(hs, WF_HS_DONE);
    wf_wipe(hs->e_c_secret, sizeof hs->e_c_secret);
    wf_wipe(&hs->schedule, sizeof hs->schedule);
    wf_identity_wipe(&hs->derived);
}

void wf_hs_on_confirm(struct wf_hs *hs, weft_time now, weft_span datagram)
{
    struct wf_schedule s = hs->schedule;
    struct wf_confirm c;

    if (datagram.len <= sizeof hs->solve && wf_confirm_get(datagram, &c) == WEFT_OK &&
        memcmp(c.cid, hs->body.cid, sizeof c.cid) == 0 && open_box3(hs, &s, &c)) {
        finish(hs, now, &s, c.box3.len - WF_AEAD_TAG_LEN);
    }
    wf_wipe(&s, sizeof s);
}
