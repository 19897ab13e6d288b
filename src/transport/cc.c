/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc.c - see cc.h. What a peer says reaches this as bytes that really were in flight, so a lie
 * costs the liar its own window and nobody else's.
 */
#include "transport/cc.h"

#include "base/assert.h"

static const struct wf_cc_ops *const kinds[] = {
    [WF_CC_CUBIC] = &wf_cc_cubic,
    [WF_CC_LEDBAT] = &wf_cc_ledbat,
    [WF_CC_BBR] = &wf_cc_bbr,
};

void wf_cc_init(struct wf_cc *cc, enum wf_cc_kind kind, uint64_t datagram_len)
{
    WEFT_ASSERT((size_t)kind < WF_ARRAY_LEN(kinds));
    WEFT_ASSERT(datagram_len > 0);
    *cc = (struct wf_cc){
        .ops = kinds[kind],
        .window = WF_CC_INITIAL_DATAGRAMS * datagram_len, /* SPEC 4.2-1 */
        .ssthresh = UINT64_MAX,
        .datagram_len = datagram_len,
    };
    wf_hystart_init(&cc->hystart);
    cc->ops->init(cc);
}

uint64_t wf_cc_min_window(const struct wf_cc *cc)
{
    return WF_CC_MIN_DATAGRAMS * cc->datagram_len;
}

void wf_cc_set_window(struct wf_cc *cc, uint64_t bytes)
{
    const uint64_t least = wf_cc_min_window(cc);

    cc->window = bytes < least ? least : bytes;
    if (cc->window > WF_CC_WINDOW_MAX) {
        cc->window = WF_CC_WINDOW_MAX;
    }
}

void wf_cc_set_datagram(struct wf_cc *cc, uint64_t datagram_len)
{
    WEFT_ASSERT(datagram_len > 0);
    cc->datagram_len = datagram_len;
    wf_cc_set_window(cc, cc->window);
}

void wf_cc_on_sent(struct wf_cc *cc, const struct wf_cc_sent *s)
{
    if (s->in_flight > cc->flight_max) {
        cc->flight_max = s->in_flight;
    }
    if (cc->ops->model != NULL) {
        cc->ops->model->on_sent(cc, s);
    }
}

const char *wf_cc_name(const struct wf_cc *cc)
{
    return cc->ops->name;
}

uint64_t wf_cc_bandwidth(const struct wf_cc *cc)
{
    return cc->ops->model != NULL ? cc->ops->model->bandwidth(cc) : 0;
}

bool wf_cc_in_slow_start(const struct wf_cc *cc)
{
    return cc->window < cc->ssthresh;
}

/* RFC 9002 section 7.8: a window that was not used has proved nothing. Slow start may double it
 * once beyond what was used, because the last flight may have ended in the middle of a train. */
static bool is_used(const struct wf_cc *cc)
{
    const uint64_t flight =
        cc->flight_max > cc->flight_max_before ? cc->flight_max : cc->flight_max_before;
    const uint64_t slack = 3 * cc->datagram_len;

    if (wf_cc_in_slow_start(cc))
        return flight * 2 > cc->window;
    return flight + (slack > cc->window / 8 ? slack : cc->window / 8) >= cc->window;
}

static void count_round(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    if (a->newest < cc->round_end)
        return;
    cc->round_end = a->next;
    cc->flight_max_before = cc->flight_max;
    cc->flight_max = 0;
}

/* HyStart++ */
static void slow_start(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    const bool is_first = cc->ssthresh == UINT64_MAX; /* RFC 9406: only the first slow start */

    if (is_first && wf_hystart_on_ack(&cc->hystart, a->newest, a->next, a->rtt_us)) {
        cc->ssthresh = cc->window;
        return;
    }
    wf_cc_set_window(cc, cc->window + wf_hystart_growth(&cc->hystart, a->bytes));
}

static void grow(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    if (a->bytes == 0 || (cc->has_recovery && a->newest_at <= cc->recovery_at))
        return;
    if (!is_used(cc)) {
        if (cc->ops->on_unused != NULL) {
            cc->ops->on_unused(cc, a);
        }
    } else if (!wf_cc_in_slow_start(cc)) {
        cc->ops->on_ack(cc, a);
    } else if (cc->ops->slow_start != NULL) {
        cc->ops->slow_start(cc, a);
    } else {
        slow_start(cc, a);
    }
}

void wf_cc_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    count_round(cc, a);
    if (cc->ops->model != NULL) {
        cc->ops->model->on_ack(cc, a);
        return;
    }
    if (cc->ops->on_rtt != NULL && a->rtt_us > 0) {
        cc->ops->on_rtt(cc, a);
    }
    grow(cc, a);
}

static void begin_recovery(struct wf_cc *cc, const struct wf_cc_lost *l)
{
    cc->undo = (struct wf_cc_undo){
        .is_set = !l->is_ce, /* a mark is a fact: nothing can show it to be none */
        .window = cc->window,
        .ssthresh = cc->ssthresh,
        .packets = l->packets,
    };
    cc->recovery_at = l->now;
    cc->has_recovery = true;
    cc->reductions++;
    cc->ops->reduce(cc, l->now);
    wf_hystart_init(&cc->hystart);
}

static void collapse(struct wf_cc *cc)
{
    wf_cc_set_window(cc, 0);
    cc->has_recovery = false;
    cc->undo.is_set = false;
    if (cc->ops->collapse != NULL) {
        cc->ops->collapse(cc);
    }
}

void wf_cc_on_lost(struct wf_cc *cc, const struct wf_cc_lost *l)
{
    if (l->bytes == 0 && !l->is_ce)
        return;
    if (cc->ops->model != NULL) {
        cc->ops->model->on_lost(cc, l);
        return;
    }
    if (cc->has_recovery && l->newest_at <= cc->recovery_at) {
        /* The round trip was answered already; it takes all of its losses to be spurious to undo
         * that. */
        cc->undo.packets += l->packets;
        cc->undo.is_set = cc->undo.is_set && !l->is_ce;
    } else {
        begin_recovery(cc, l);
    }
    if (l->is_persistent) {
        collapse(cc);
    }
}

void wf_cc_restart(struct wf_cc *cc)
{
    const uint64_t initial = WF_CC_INITIAL_DATAGRAMS * cc->datagram_len;

    if (cc->ops->model != NULL)
        return; /* it knows what the path carried, and no loss of the dark is told to it */
    if (cc->ssthresh < cc->window) {
        cc->ssthresh = cc->window;
    }
    if (cc->window > initial) {
        wf_cc_set_window(cc, initial);
    }
    cc->has_recovery = false;
    cc->undo.is_set = false;
    wf_hystart_init(&cc->hystart);
    if (cc->ops->collapse != NULL) {
        cc->ops->collapse(cc);
    }
}

void wf_cc_on_spurious(struct wf_cc *cc, uint64_t packets, weft_time newest_at)
{
    struct wf_cc_undo *u = &cc->undo;

    if (cc->ops->model != NULL) {
        cc->ops->model->on_spurious(cc, packets);
        return;
    }
    if (packets == 0 || !u->is_set || newest_at > cc->recovery_at)
        return;
    if (packets < u->packets) {
        u->packets -= packets;
        return;
    }
    u->is_set = false;
    cc->has_recovery = false;
    cc->ssthresh = u->ssthresh;
    wf_cc_set_window(cc, u->window > cc->window ? u->window : cc->window);
    if (cc->ops->restore != NULL) {
        cc->ops->restore(cc);
    }
}

uint64_t wf_cc_window(const struct wf_cc *cc)
{
    return cc->window;
}

uint64_t wf_cc_room(const struct wf_cc *cc, uint64_t in_flight)
{
    return in_flight < cc->window ? cc->window - in_flight : 0;
}

uint64_t wf_cc_pacing_rate(const struct wf_cc *cc, const struct wf_rtt *rtt)
{
    if (!rtt->has_sample)
        return 0;
    if (cc->ops->pacing_rate != NULL)
        return cc->ops->pacing_rate(cc, rtt);
    const uint64_t srtt8 = rtt->srtt8 > 0 ? rtt->srtt8 : 1;
    const uint64_t per_trip = cc->window * 8 * 1000000 / srtt8; /* below 2^53 */

    return wf_cc_in_slow_start(cc) ? per_trip * 2 : per_trip / 4 * 5;
}
