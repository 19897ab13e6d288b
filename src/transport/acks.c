/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acks.c - see acks.h.
 */
#include "transport/acks.h"

#include "base/assert.h"
#include "base/datagram.h"

/* After a gap so many packets are acknowledged at once: the sender takes the gap for lost at the
 * third. */
#define QUICK_PACKETS 3u

#define PING_AFTER_ACKS 32u
#define PING_AFTER_RANGES 16u

void wf_acks_init(struct wf_acks *a, struct wf_mem *mem, uint64_t delay_us)
{
    *a = (struct wf_acks){
        .mem = mem,
        .delay_us = delay_us,
        .due_at = WEFT_TIME_NEVER,
        .every = WF_ACKS_EVERY_MIN,
        .late_min = UINT64_MAX,
    };
    wf_growset_init(&a->received);
}

void wf_acks_deinit(struct wf_acks *a)
{
    wf_growset_deinit(&a->received, a->mem);
}

void wf_acks_set_rtt(struct wf_acks *a, uint64_t srtt_us)
{
    a->srtt_us = srtt_us;
}

static uint64_t delay_of(const struct wf_acks *a)
{
    const uint64_t quarter = a->srtt_us / 4;
    const uint64_t us = quarter > WF_ACKS_DELAY_MIN_US ? quarter : WF_ACKS_DELAY_MIN_US;

    return a->srtt_us > 0 && us < a->delay_us ? us : a->delay_us;
}

static void count_ecn(struct wf_acks *a, uint8_t ecn)
{
    a->ect0 += ecn == WF_ECN_ECT0 ? 1 : 0;
    a->ect1 += ecn == WF_ECN_ECT1 ? 1 : 0;
    a->ce += ecn == WF_ECN_CE ? 1 : 0;
}

/* Once a round trip: an eighth of what came in it is the number of packets per ACK. */
static void adapt(struct wf_acks *a, weft_time now)
{
    const uint64_t elapsed = now - a->round_at;

    a->round_count++;
    if (a->srtt_us == 0 || elapsed < a->srtt_us)
        return;
    const uint64_t eighth = a->round_count * a->srtt_us / elapsed / 8;

    a->every = WF_ACKS_EVERY_MIN;
    if (eighth > WF_ACKS_EVERY_MIN) {
        a->every = (uint32_t)(eighth < WF_ACKS_EVERY_MAX ? eighth : WF_ACKS_EVERY_MAX);
    }
    a->round_at = now;
    a->round_count = 0;
}

/* SPEC 4.1-1: whether a packet that needs an ack gets it at once. */
static bool is_urgent(struct wf_acks *a, const struct wf_acks_packet *p)
{
    if (p->ecn == WF_ECN_CE || (a->has_any && p->number < a->newest))
        return true;
    if (a->quick_left == 0)
        return false;
    a->quick_left--;
    return true;
}

static void wait_for_ack(struct wf_acks *a, weft_time now, const struct wf_acks_packet *p)
{
    adapt(a, now);
    a->is_urgent = is_urgent(a, p) || a->is_urgent;
    if (a->waiting == 0) {
        a->due_at = now + delay_of(a);
    }
    a->waiting++;
    a->is_urgent = a->is_urgent || a->waiting >= a->every;
}

void wf_acks_on_packet(struct wf_acks *a, weft_time now, const struct wf_acks_packet *p)
{
    count_ecn(a, p->ecn);
    if (a->has_any && p->number > a->newest && p->number - a->newest > 1) {
        a->quick_left = QUICK_PACKETS;
    }
    if (p->needs_ack) { /* SPEC 4.1-2 */
        wait_for_ack(a, now, p);
    }
    wf_growset_add_newest(&a->received, a->mem, WF_ACKS_RANGES_MAX,
                          (struct wf_range){p->number, p->number});
    if (!a->has_any || p->number > a->newest) {
        a->newest = p->number;
        a->newest_at = now;
        a->has_any = true;
        return;
    }
    a->late_min = p->number < a->late_min ? p->number : a->late_min;
    a->late_id = a->id;
}

void wf_acks_hurry(struct wf_acks *a)
{
    a->is_urgent = a->waiting > 0;
}

bool wf_acks_is_waiting(const struct wf_acks *a)
{
    return a->waiting > 0;
}

bool wf_acks_is_due(const struct wf_acks *a, weft_time now)
{
    return a->waiting > 0 && (a->is_urgent || now >= a->due_at);
}

weft_time wf_acks_deadline(const struct wf_acks *a)
{
    if (a->waiting == 0)
        return WEFT_TIME_NEVER;
    return a->is_urgent ? 0 : a->due_at;
}

static size_t runs_of(const struct wf_acks *a, struct wf_ack_run runs[WF_ACKS_RANGES_MAX])
{
    const size_t count = wf_ranges_count(&a->received.r);

    for (size_t i = 0; i < count; i++) {
        const struct wf_range *r = wf_ranges_newest(&a->received.r, i);

        runs[i] = (struct wf_ack_run){r->first, r->last};
    }
    return count;
}

/* Where the frame that was just written stopped. */
static uint64_t floor_of(const uint8_t *frame, size_t len)
{
    struct wf_reader r = wf_reader_of((weft_span){frame, len});
    struct wf_frame f = {0};
    const weft_err err = wf_frame_get(&r, &f);

    WEFT_ASSERT(err == WEFT_OK);
    return f.u.ack.floor;
}

static void told_all(struct wf_acks *a)
{
    a->id++;
    a->unconfirmed++;
    a->waiting = 0;
    a->is_urgent = false;
    a->due_at = WEFT_TIME_NEVER;
}

bool wf_acks_put(struct wf_acks *a, weft_time now, struct wf_writer *w, struct wf_acks_told *told)
{
    struct wf_ack_run runs[WF_ACKS_RANGES_MAX];
    const size_t before = w->len;
    const struct wf_ack_put put = {
        .delay_us = now > a->newest_at ? now - a->newest_at : 0,
        .has_ecn = a->ect0 + a->ect1 + a->ce > 0,
        .ect0 = a->ect0,
        .ect1 = a->ect1,
        .ce = a->ce,
        .received = runs,
        .received_count = runs_of(a, runs),
    };

    if (!a->has_any || !wf_ack_put(w, &put))
        return false;
    *told = (struct wf_acks_told){
        .newest = a->newest,
        .floor = floor_of(w->start + before, w->len - before),
        .id = a->id,
    };
    told_all(a);
    return true;
}

void wf_acks_again(struct wf_acks *a)
{
    if (!a->has_any)
        return;
    a->waiting = a->waiting > 0 ? a->waiting : 1;
    a->is_urgent = true;
}

/* The newest number always stays: an ACK begins with it, whatever comes late. What came late after
 * that ACK was written stays too, with all above it. */
void wf_acks_on_told(struct wf_acks *a, const struct wf_acks_told *told)
{
    const struct wf_range *lowest = &a->received.r.items[0];
    uint64_t keep = told->newest < UINT64_MAX ? told->newest + 1 : told->newest;

    a->unconfirmed = 0;
    if (wf_ranges_empty(&a->received.r) || told->floor > lowest->first)
        return; /* the lowest ones did not fit into it */
    keep = keep < a->newest ? keep : a->newest;
    if ((int32_t)(told->id - a->late_id) >= 0) {
        a->late_min = UINT64_MAX;
    }
    wf_ranges_remove_below(&a->received.r, keep < a->late_min ? keep : a->late_min);
}

bool wf_acks_wants_ping(const struct wf_acks *a)
{
    return a->unconfirmed >= PING_AFTER_ACKS &&
           wf_ranges_count(&a->received.r) >= PING_AFTER_RANGES;
}
