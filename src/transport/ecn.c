/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecn.c - see ecn.h. Counts come from the peer; only their growth is looked at, and what does not
 * add up ends their use.
 */
#include "transport/ecn.h"

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void wf_ecn_init(struct wf_ecn *e, bool is_wanted)
{
    *e = (struct wf_ecn){.state = is_wanted ? WF_ECN_TESTING : WF_ECN_FAILED};
    e->is_wanted = is_wanted;
}

/* SPEC 4.2-14 */
void wf_ecn_new_path(struct wf_ecn *e)
{
    e->state = e->is_wanted ? WF_ECN_TESTING : WF_ECN_FAILED;
    e->tested = 0;
    e->tested_lost = 0;
    e->retests = 0;
    e->has_plain = false;
    e->is_moved = true;
    e->ce_run = 0;
    e->ce_rounds = 0;
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

/* The probes go unmarked: whatever holds marked packets up does not hold up these. */
void wf_ecn_on_pto(struct wf_ecn *e, uint32_t count)
{
    if (count == 0)
        return;
    if (e->state == WF_ECN_TESTING) {
        e->state = WF_ECN_WAITING;
    } else if (e->state == WF_ECN_CAPABLE) {
        e->state = WF_ECN_PAUSED;
    }
}

/* Packets whose fate is to be known until one is among them that was not sent yet: a round trip. */
static uint64_t round_of(const struct wf_ecn *e)
{
    const uint64_t known = e->ect0 + e->ce + e->lost; /* none exceeds what was ever sent */

    return e->sent > known ? e->sent - known + 1 : 1;
}

/* Packets whose fate is known bring a round trip of nothing but CE to its end. */
static void end_round(struct wf_ecn *e, uint64_t packets)
{
    if (e->ce_run == 0)
        return;
    if (packets < e->ce_left) {
        e->ce_left -= packets;
    } else {
        e->ce_rounds++;
        e->ce_left = round_of(e);
    }
}

void wf_ecn_on_lost(struct wf_ecn *e, const struct wf_fates *lost)
{
    e->lost += lost->ect;
    end_round(e, lost->ect);
    if (e->state != WF_ECN_TESTING && e->state != WF_ECN_WAITING)
        return;
    e->tested_lost += (uint32_t)lesser(lost->ect, WF_ECN_TESTING_PACKETS);
    if (e->state == WF_ECN_WAITING && e->tested_lost >= e->tested) {
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

/* The counts are those of now. False: the path marks whatever it carries, which tells nothing. */
static bool is_plausible(struct wf_ecn *e, uint64_t plain, uint64_t marked)
{
    if (plain > 0) {
        e->has_plain = true;
        e->ce_run = 0;
        e->ce_rounds = 0;
        return true;
    }
    if (marked == 0)
        return true;
    if (e->ce_run == 0) {
        e->ce_left = round_of(e);
    } else {
        end_round(e, marked);
    }
    e->ce_run += marked;
    return (e->has_plain || e->ce_run < WF_ECN_TESTING_PACKETS) &&
           e->ce_rounds < WF_ECN_CE_ROUNDS_MAX;
}

/* After an ACK that added up. */
static void trust(struct wf_ecn *e, const struct wf_fates *acked)
{
    if (acked->ect > 0) {
        e->state = WF_ECN_CAPABLE;
        e->tested_lost = 0;
        return;
    }
    if (e->state != WF_ECN_PAUSED || acked->packets == 0)
        return;
    e->state = e->retests < WF_ECN_RETESTS_MAX ? WF_ECN_TESTING : WF_ECN_FAILED;
    e->retests++;
    e->tested = 0;
    e->tested_lost = 0;
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

    const uint64_t most = e->is_moved ? acked->ect : UINT64_MAX;
    const uint64_t plain = lesser(ack->ect0 - e->ect0, most);
    const uint64_t marked = lesser(ack->ce - e->ce, most - plain);

    e->is_moved = false;
    e->ect0 = ack->ect0;
    e->ect1 = ack->ect1;
    e->ce = ack->ce;
    if (!is_plausible(e, plain, marked)) {
        e->state = WF_ECN_FAILED;
        return 0;
    }
    trust(e, acked);
    return marked;
}
