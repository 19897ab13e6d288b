/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_pipe.c - what a channel tells the pipe that it shares with others, and hears of it.
 */
#include "transport/chan_priv.h"

#define STALE_PTOS 3u

static struct wf_pipe_place place_of(struct wf_chan *c)
{
    const struct wf_path *path = wf_paths_active(&c->paths);

    return (struct wf_pipe_place){
        .pipes = c->config.pipes,
        .mem = c->mem,
        .remote = &path->remote,
        .local = &path->local,
        .datagram_len = wf_mtu_size(&c->mtu),
        .congestion = c->config.congestion,
    };
}

/* Only when there is something to send: who was let in and never comes back holds no pipe. False:
 * no memory now. */
bool chan_pipe_join(struct wf_chan *c, weft_time now)
{
    struct wf_pipe_place place = place_of(c);

    if (c->pipe.pipe != NULL)
        return true;
    if (wf_pipe_join(&c->pipe, now, &place, c->config.owner) != WEFT_OK) {
        c->retry_at = now + CHAN_RETRY_US;
        return false;
    }
    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    if (c->rtt.has_sample)
        wf_pipe_on_rtt(&c->pipe, now, &c->rtt);
    return true;
}

void wf_chan_detach(struct wf_chan *c)
{
    wf_pipe_leave(&c->pipe);
}

/* The path in use is another one. Without memory the pipe is found when something is to be sent. */
void chan_pipe_move(struct wf_chan *c, weft_time now, bool keeps)
{
    struct wf_pipe_place place = place_of(c);

    if (c->pipe.pipe == NULL)
        return;
    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    if (wf_pipe_move(&c->pipe, now, &place, keeps) != WEFT_OK)
        wf_pipe_leave(&c->pipe);
    if (c->rtt.has_sample)
        wf_pipe_on_rtt(&c->pipe, now, &c->rtt);
    wf_pipe_update(&c->pipe, now);
}

void chan_mtu_changed(struct wf_chan *c, weft_time now)
{
    wf_pipe_set_datagram(&c->pipe, now, wf_mtu_size(&c->mtu));
}

/* After everything that changed windows, round trips or what is in flight. */
void chan_pipe_update(struct wf_chan *c, weft_time now)
{
    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    wf_pipe_update(&c->pipe, now);
}

/* Nothing came through for a while; nor did anything of the others, or they would know better. */
void chan_pipe_restart(struct wf_chan *c, weft_time now)
{
    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    if (!wf_pipe_is_silent(&c->pipe, now, wf_rtt_pto(&c->rtt)))
        return;
    for (enum wf_class k = WF_CLASS_MAIN; k < WF_CLASSES; k++) {
        struct wf_pipe_lane *lane = wf_pipe_lane(&c->pipe, k);

        if (lane != NULL)
            wf_cc_restart(&lane->cc);
    }
}

/* When the oldest packet that counts was sent; WEFT_TIME_NEVER: nothing is in flight. */
static weft_time oldest_at(const struct wf_chan *c)
{
    uint64_t n = 0;

    for (uint64_t from = c->sent.counted_from; wf_sent_oldest(&c->sent, from, &n); from = n + 1) {
        const struct wf_sent_packet *p = wf_sent_at(&c->sent, n);

        if ((p->flags & WF_SENT_IN_FLIGHT) != 0)
            return p->at;
    }
    return WEFT_TIME_NEVER;
}

/* What a peer leaves unacknowledged for three probe timeouts is on no path any more. Where others
 * use the path too it is given back to them, and until an ACK comes nothing but probes follows it:
 * who withholds acks holds up nobody but itself. SPEC 4.2-4 */
void chan_pipe_release(struct wf_chan *c, weft_time now)
{
    uint64_t patience = STALE_PTOS * wf_pto_base_us(&c->rtt);

    if (c->sent.in_flight == 0 || now < c->stale_at || !wf_pipe_is_shared(&c->pipe))
        return;
    weft_time at = oldest_at(c);

    if (at == WEFT_TIME_NEVER || now - at < patience) {
        c->stale_at = at == WEFT_TIME_NEVER ? now : at + patience;
        return;
    }
    wf_sent_release(&c->sent);
    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    c->is_muted = true;
}

/* What one session lost for long is no sign of persistent congestion while others get through. */
static bool is_persistent(const struct wf_chan *c, weft_time now, const struct wf_fates *lost)
{
    return wf_pto_is_persistent(&c->rtt, lost->run_us) &&
           wf_pipe_is_silent(&c->pipe, now, lost->run_us);
}

/* Of a loss or, with bytes and packets 0, of marks. */
static struct wf_cc_lost lost_of(const struct wf_pipe_lane *lane, weft_time now,
                                 const struct wf_fate_share *share)
{
    return (struct wf_cc_lost){.now = now,
                               .newest_at = share->newest_at,
                               .in_flight = lane->in_flight,
                               .sent_in_flight = share->rate.in_flight,
                               .lost_since = wf_rate_lost_since(&lane->rate, &share->rate),
                               .is_app_limited = share->rate.is_app_limited};
}

void chan_pipe_lost(struct wf_chan *c, weft_time now, const struct wf_fates *lost)
{
    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    for (enum wf_class k = WF_CLASS_MAIN; k < WF_CLASSES; k++) {
        const struct wf_fate_share *share = &lost->share[k];
        struct wf_pipe_lane *lane = wf_pipe_lane(&c->pipe, k);

        if (lane == NULL || share->packets == 0)
            continue;
        wf_rate_on_lost(&lane->rate, share->bytes);
        if (share->bytes > 0)
            wf_pipe_on_lost(&c->pipe, k, share->newest_at);
        struct wf_cc_lost l = lost_of(lane, now, share);

        l.packets = share->packets;
        l.bytes = share->bytes;
        l.is_persistent = is_persistent(c, now, lost);
        wf_cc_on_lost(&lane->cc, &l);
    }
}

void chan_pipe_spurious(struct wf_chan *c, const struct wf_fates *acked)
{
    for (enum wf_class k = WF_CLASS_MAIN; k < WF_CLASSES; k++) {
        const struct wf_fate_share *share = &acked->share[k];
        struct wf_pipe_lane *lane = wf_pipe_lane(&c->pipe, k);

        if (lane != NULL && share->spurious > 0)
            wf_cc_on_spurious(&lane->cc, share->spurious, share->spurious_at);
    }
}

static void tell_marks(struct wf_chan *c, enum wf_class class, weft_time now,
                       const struct wf_fates *acked, uint64_t marks)
{
    struct wf_pipe_lane *lane = wf_pipe_lane(&c->pipe, class);
    const struct wf_fate_share *share = &acked->share[class];
    struct wf_cc_lost l = lost_of(lane, now, share);

    if (marks == 0 || share->bytes == 0)
        return;
    l.marks = marks;
    l.is_ce = true;
    wf_pipe_on_lost(&c->pipe, class, share->newest_at);
    wf_cc_on_lost(&lane->cc, &l);
}

/* Rounds are told by the time at which packets were sent: their numbers are those of one session
 * only. a: what holds of all of them. */
static void tell_acked(struct wf_chan *c, enum wf_class class, struct wf_cc_ack a,
                       const struct wf_fate_share *share)
{
    struct wf_pipe_lane *lane = wf_pipe_lane(&c->pipe, class);
    const uint64_t before = wf_cc_window(&lane->cc);
    const struct wf_rate_acked r = {
        .now = a.now, .sent_at = share->newest_at, .bytes = share->bytes, .stamp = share->rate};

    a.newest_at = share->newest_at;
    a.newest = share->newest_at;
    a.next = a.now;
    a.bytes = share->bytes;
    a.in_flight = lane->in_flight;
    wf_rate_on_ack(&lane->rate, &r, &a.rate);
    wf_cc_on_ack(&lane->cc, &a);
    wf_pipe_learn(&c->pipe, class, &a, before);
}

/* lost: what the same ACK showed to be lost. marks: packets that came with CE since the last one;
 * whose they were it does not say. */
void chan_pipe_acked(struct wf_chan *c, weft_time now, const struct wf_fates *acked,
                     const struct wf_fates *lost, uint64_t marks)
{
    struct wf_cc_ack a = {.now = now,
                          .rtt_us = acked->is_sample ? c->rtt.latest_us : 0,
                          .srtt_us = wf_rtt_smoothed(&c->rtt)};

    wf_pipe_settle(&c->pipe, c->sent.class_in_flight);
    if (acked->bytes > 0)
        wf_pipe_on_acked(&c->pipe, now);
    if (acked->needed_ack)
        c->is_muted = false;
    for (enum wf_class k = WF_CLASS_MAIN; k < WF_CLASSES; k++) {
        if (c->pipe.pipe == NULL || acked->share[k].packets == 0)
            continue;
        a.lost = lost->share[k].bytes;
        tell_marks(c, k, now, acked, marks);
        tell_acked(c, k, a, &acked->share[k]);
    }
}
