/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.c - see loss.h.
 */
#include "transport/loss.h"

void wf_loss_init(struct wf_loss *l)
{
    *l = (struct wf_loss){
        .packets = WF_LOSS_PACKETS, .eighths = WF_LOSS_EIGHTHS, .deadline = WEFT_TIME_NEVER};
}

/* RFC 9002 section 6.1 allows for it. A peer that makes its acks look reordered slows down nothing
 * but the repair of its own losses. */
void wf_loss_on_acked(struct wf_loss *l, const struct wf_fates *acked)
{
    if (acked->spurious == 0)
        return;
    if (acked->spurious_gap >= l->packets) {
        l->packets = acked->spurious_gap < WF_LOSS_PACKETS_MAX ? acked->spurious_gap + 1
                                                               : WF_LOSS_PACKETS_MAX;
    }
    if (l->eighths < WF_LOSS_EIGHTHS_MAX) {
        l->eighths++;
    }
    l->has_run = false;
}

static uint64_t delay_of(const struct wf_loss *l, const struct wf_rtt *rtt)
{
    const uint64_t smoothed = wf_rtt_smoothed(rtt);
    const uint64_t base = smoothed > rtt->latest_us ? smoothed : rtt->latest_us;
    const uint64_t us = base * l->eighths / 8;

    return us > WF_RTT_GRANULARITY_US ? us : WF_RTT_GRANULARITY_US;
}

/* True when nothing between the run and this number was acknowledged. A number that was skipped
 * could not be. */
static bool goes_on(const struct wf_loss *l, const struct wf_sent *s, uint64_t number)
{
    uint64_t before = number - 1;

    if (!l->has_run || number <= s->low)
        return false;
    if (wf_sent_at(s, before)->state == WF_SENT_SKIPPED) {
        before--;
    }
    return before == l->run_newest;
}

/* RFC 9002 section 7.6.2: both ends of the run need an ack, and there was a round trip to compare
 * with. */
static uint64_t run_length(struct wf_loss *l, const struct wf_sent *s, const struct wf_rtt *rtt,
                           uint64_t number)
{
    const struct wf_sent_packet *p = wf_sent_at(s, number);
    const bool counts = (p->flags & WF_SENT_NEEDS_ACK) != 0 &&
                        (p->flags & WF_SENT_MTU_PROBE) == 0 && number >= s->counted_from &&
                        rtt->has_sample && p->at > rtt->first_at;

    if (!goes_on(l, s, number)) {
        l->has_run = counts;
        l->run_at = p->at;
    }
    l->run_newest = number;
    return counts && l->has_run ? p->at - l->run_at : 0;
}

void wf_loss_detect(struct wf_loss *l, struct wf_sent *s, const struct wf_rtt *rtt, weft_time now,
                    struct wf_fates *lost)
{
    const uint64_t delay = delay_of(l, rtt);
    uint64_t n;

    *lost = (struct wf_fates){0};
    l->deadline = WEFT_TIME_NEVER;
    if (!s->has_acked)
        return;
    for (uint64_t from = s->low; wf_sent_oldest(s, from, &n) && n < s->newest_acked; from = n + 1) {
        const weft_time at = wf_sent_at(s, n)->at;

        if (s->newest_acked - n < l->packets && (now < at || now - at < delay)) {
            l->deadline = at + delay; /* those behind it were sent later */
            return;
        }
        const uint64_t run = run_length(l, s, rtt, n);

        lost->run_us = run > lost->run_us ? run : lost->run_us;
        wf_sent_lose(s, n, lost);
    }
}
