/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecn.c - see ecn.h. Counts come from the peer; only their growth is looked at, and what does not
 * add up ends their use.
 */
#include "transport/ecn.h"

void wf_ecn_init(struct wf_ecn *e, bool is_wanted)
{
    *e = (struct wf_ecn){.state = is_wanted ? WF_ECN_TESTING : WF_ECN_FAILED};
    e->is_wanted = is_wanted;
}

void wf_ecn_new_path(struct wf_ecn *e)
{
    e->state = e->is_wanted ? WF_ECN_TESTING : WF_ECN_FAILED;
    e->tested = 0;
    e->tested_lost = 0;
}

uint8_t wf_ecn_mark(const struct wf_ecn *e)
{
    return e->state == WF_ECN_TESTING || e->state == WF_ECN_CAPABLE ? WF_ECN_ECT0 : WF_ECN_NOT_ECT;
}

void wf_ecn_on_sent(struct wf_ecn *e, uint8_t mark)
{
    if (mark != WF_ECN_ECT0)
        return;
    e->sent++;
    if (e->state == WF_ECN_TESTING && ++e->tested >= WF_ECN_TESTING_PACKETS) {
        e->state = WF_ECN_WAITING;
    }
}

/* Until an ACK proves it anew. */
void wf_ecn_on_pto(struct wf_ecn *e, uint32_t count)
{
    if (count > 0 && e->state != WF_ECN_FAILED) {
        e->state = WF_ECN_WAITING;
    }
}

void wf_ecn_on_lost(struct wf_ecn *e, const struct wf_fates *lost)
{
    if (e->state != WF_ECN_TESTING && e->state != WF_ECN_WAITING)
        return;
    e->tested_lost +=
        (uint32_t)(lost->ect < WF_ECN_TESTING_PACKETS ? lost->ect : WF_ECN_TESTING_PACKETS);
    if (e->tested_lost >= WF_ECN_TESTING_PACKETS) {
        e->state = WF_ECN_FAILED; /* all of them: the path drops what is marked */
    }
}

/* RFC 9000 section 13.4.2.1 */
static bool adds_up(const struct wf_ecn *e, const struct wf_frame_ack *ack, uint64_t ect)
{
    if (!ack->has_ecn)
        return ect == 0;
    if (ack->ect0 < e->ect0 || ack->ect1 < e->ect1 || ack->ce < e->ce)
        return false;
    if (ack->ect1 > 0) /* never sent */
        return false;
    if (ack->ect0 - e->ect0 + (ack->ce - e->ce) < ect)
        return false;
    return ack->ect0 <= e->sent && ack->ce <= e->sent - ack->ect0;
}

uint64_t wf_ecn_on_ack(struct wf_ecn *e, const struct wf_frame_ack *ack,
                       const struct wf_fates *acked)
{
    if (e->state == WF_ECN_FAILED)
        return 0;
    if (e->has_newest && ack->newest <= e->newest)
        return 0; /* older than what we know: its counts may be too */
    e->has_newest = true;
    e->newest = ack->newest;
    if (!adds_up(e, ack, acked->ect)) {
        e->state = WF_ECN_FAILED;
        return 0;
    }
    if (!ack->has_ecn)
        return 0;

    const uint64_t grown = ack->ce - e->ce;

    e->ect0 = ack->ect0;
    e->ect1 = ack->ect1;
    e->ce = ack->ce;
    if (acked->ect > 0) {
        e->state = WF_ECN_CAPABLE;
        e->tested_lost = 0;
    }
    return grown;
}
