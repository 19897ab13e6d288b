/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_recv.c - packets on their way in: opened in batches, then each taken as a whole: checked,
 * applied, and only then marked as received.
 */
#include "transport/chan_priv.h"

#define BATCH 64u
/* No probe came through and nothing was heard for so long: it was dark, and is no more. */
#define DARK_TIMEOUTS 2u
#define DARK_PTOS 3u

/* The peer got our CONFIRM: it counts as acknowledged (SPEC 4.1-5). */
static void confirm(struct wf_chan *c, weft_time now)
{
    c->is_confirmed = true;
    c->events |= CHAN_EVENT_CONFIRMED;
    chan_fates_acked(c, now, &c->early);
    wf_sent_frames_free(&c->sent, &c->early);
}

static void look_at_path(struct wf_chan *c, weft_time now, const struct wf_chan_arrival *a,
                         const struct wf_open *o)
{
    struct wf_path_packet k = {
        .from = a->from, .to = a->to, .bytes = o->len, .is_newest = o->number > c->rx.highest};

    if (k.is_newest)
        c->rx.highest = o->number;
    chan_path_event(c, now, wf_paths_on_packet(&c->paths, now, &k, c->config.rng));
    if (k.is_newest)
        chan_path_here(c, now, &k);
}

static void note_heard(struct wf_chan *c, weft_time now)
{
    if (c->pto.count >= DARK_TIMEOUTS && now - c->heard_at >= DARK_PTOS * wf_pto_base_us(&c->rtt))
        c->was_dark = true;
    c->heard_before = c->heard_at;
    c->heard_at = now;
    if (c->pto.count > 0)
        wf_pto_on_heard(&c->pto); /* SPEC 4.4-9: the way may be open again */
}

static void take(struct wf_chan *c, weft_time now, const struct wf_chan_arrival *a,
                 const struct wf_open *o)
{
    struct chan_incoming in = {.now = now, .number = o->number, .from = a->from};

    note_heard(c, now);
    c->is_asking = false;
    look_at_path(c, now, a, o);
    if (o->new_phase)
        chan_keys_new_phase(c, now);
    if (!c->is_confirmed)
        confirm(c, now);
    enum chan_verdict v = chan_frames_check(c, &in, o->frames);
    if (v == CHAN_OK)
        v = chan_frames_apply(c, &in, o->frames);
    if (v == CHAN_LOST) {
        c->stats.packets_dropped++;
        return; /* never acknowledged, so it comes again */
    }
    chan_act_on(c, now, v);
    if (c->state != CHAN_OPEN)
        return;
    struct wf_acks_packet p = {.number = o->number, .needs_ack = in.needs_ack, .ecn = a->ecn};
    wf_acks_on_packet(&c->acks, now, &p);
    if (in.is_urgent)
        wf_acks_hurry(&c->acks);
}

/* A packet after we closed: only CLOSE matters. */
static void take_closing(struct wf_chan *c, weft_time now, weft_span frames)
{
    struct wf_reader r = wf_reader_of(frames);
    struct wf_frame f;

    chan_close_on_packet(c, now);
    while (r.left > 0 && wf_frame_get(&r, &f) == WEFT_OK) {
        if (f.type == WF_FRAME_CLOSE)
            chan_end(c, c->close.err, c->close.code, (weft_span){NULL, 0});
    }
}

static void take_one(struct wf_chan *c, weft_time now, const struct wf_chan_arrival *a,
                     const struct wf_open *o)
{
    if (!o->ok) { /* SPEC 2.1-3, 1.14-6 */
        c->stats.packets_forged += o->tag_failed;
        c->stats.packets_replayed += o->repeated;
        c->stats.packets_dropped += !o->tag_failed && !o->repeated;
        return;
    }
    c->stats.packets_received++;
    wf_trace(c->config.trace, now, WF_TRACE_PACKET_RECEIVED, o->number, o->len);
    if (c->state == CHAN_OPEN) {
        take(c, now, a, o);
    } else if (c->state == CHAN_CLOSING) {
        take_closing(c, now, o->frames);
    }
}

void wf_chan_recv(struct wf_chan *c, weft_time now, const struct wf_chan_arrival *a)
{
    struct wf_open open[BATCH];

    chan_wake(c, now);
    for (size_t done = 0; done < a->count; done += BATCH) {
        size_t n = a->count - done < BATCH ? a->count - done : BATCH;
        for (size_t i = 0; i < n; i++) {
            open[i] = (struct wf_open){.packet = a->packets[done + i].data,
                                       .len = a->packets[done + i].len};
            c->stats.bytes_received += a->packets[done + i].len;
        }
        if (c->keys == NULL || c->state == CHAN_CLOSED) {
            c->stats.packets_dropped += n;
            continue;
        }
        (void)wf_keys_open(c->keys, &c->replay, c->config.aead, open, n);
        for (size_t i = 0; i < n; i++)
            take_one(c, now, a, &open[i]);
        if (wf_keys_spent(c->keys))
            chan_end(c, WEFT_ERR_LIMIT, WF_CODE_LIMIT, (weft_span){NULL, 0}); /* SPEC 2.5-4 */
    }
}
