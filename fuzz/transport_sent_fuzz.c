/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_sent_fuzz.c - a sender under a peer that acknowledges whatever it likes: the record of
 * packets, the round trip, losses, the window, ECN and the datagram size. Their sums and bounds
 * hold after each step.
 *
 *   input: which controller; steps: kind, then what the kind needs. Kind 4 is an ACK frame as it
 *   stands.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "transport/cc.h"
#include "transport/ecn.h"
#include "transport/loss.h"
#include "transport/mtu.h"
#include "transport/pto.h"

#define STEPS_MAX 400
#define FLIGHT_MAX (1u << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct world {
    struct wf_reader in;
    struct wf_mem mem;
    struct wf_rng rng;
    uint64_t seed;
    weft_time now;
    struct wf_sent sent;
    struct wf_rtt rtt;
    struct wf_loss loss;
    struct wf_pto pto;
    struct wf_cc cc;
    struct wf_rate rate;
    struct wf_ecn ecn;
    struct wf_mtu mtu;
};

static void *take(void *ctx, size_t size)
{
    (void)ctx;
    return calloc(1, size);
}

static void give(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
    uint64_t *seed = (uint64_t *)ctx;

    for (size_t i = 0; i < len; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*seed >> 56);
    }
}

static void check(const struct world *w)
{
    must(wf_sent_check(&w->sent) == NULL);
    must(w->cc.window >= wf_cc_min_window(&w->cc));
    must(w->cc.window <= WF_CC_WINDOW_MAX);
    must(!w->rtt.has_sample || wf_cc_pacing_rate(&w->cc, &w->rtt) > 0);
    must(wf_pto_us(&w->pto, &w->rtt) >= WF_PTO_MIN_US);
    must(wf_pto_us(&w->pto, &w->rtt) <= WF_PTO_MAX_US);
    must(w->mtu.size >= WF_MTU_BASE && w->mtu.size <= WF_MTU_MAX);
    must(w->loss.packets <= WF_LOSS_PACKETS_MAX);
    must(w->loss.eighths <= WF_LOSS_EIGHTHS_MAX);
}

static void send(struct world *w, uint8_t flags, uint64_t bytes)
{
    struct wf_sent_packet p = {.at = w->now, .bytes = (uint32_t)(bytes % 65536)};
    const struct wf_sent_frame f = {.type = WF_FRAME_PING};

    if (wf_sent_reserve(&w->sent) != WEFT_OK || w->sent.in_flight > FLIGHT_MAX)
        return;
    (void)wf_sent_number(&w->sent, &w->rng, w->cc.window / w->cc.datagram_len);
    p.flags = flags & (WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT);
    if ((flags & WF_SENT_MTU_PROBE) != 0 && wf_mtu_probe(&w->mtu, w->now) != 0) {
        p.bytes = (uint32_t)wf_mtu_probe(&w->mtu, w->now);
        p.flags = WF_SENT_NEEDS_ACK | WF_SENT_IN_FLIGHT | WF_SENT_MTU_PROBE;
        wf_mtu_on_probe_sent(&w->mtu, p.bytes);
    }
    p.flags |= wf_ecn_mark(&w->ecn) == WF_ECN_ECT0 ? WF_SENT_ECT : 0;
    wf_ecn_on_sent(&w->ecn, wf_ecn_mark(&w->ecn));
    if ((p.flags & WF_SENT_IN_FLIGHT) != 0)
        p.rate = wf_rate_on_sent(&w->rate, w->now, w->sent.in_flight, p.bytes);
    must(wf_sent_frame_add(&w->sent, &p.frames, &f) == WEFT_OK);
    wf_sent_put(&w->sent, &p);
    wf_cc_on_sent(&w->cc, &(struct wf_cc_sent){.now = w->now,
                                               .bytes = p.bytes,
                                               .in_flight = w->sent.in_flight,
                                               .is_app_limited = p.rate.is_app_limited});
}

static void set_datagram(struct world *w)
{
    wf_cc_set_datagram(&w->cc, wf_mtu_size(&w->mtu));
}

static void on_lost(struct world *w, struct wf_fates *lost)
{
    const struct wf_rate_stamp *stamp = &lost->share[WF_CLASS_MAIN].rate;

    wf_rate_on_lost(&w->rate, lost->bytes);
    const struct wf_cc_lost l = {
        .now = w->now,
        .newest_at = lost->newest_at,
        .packets = lost->packets,
        .bytes = lost->bytes,
        .in_flight = w->sent.in_flight,
        .sent_in_flight = stamp->in_flight,
        .lost_since = wf_rate_lost_since(&w->rate, stamp),
        .is_app_limited = stamp->is_app_limited,
        .is_persistent = wf_pto_is_persistent(&w->rtt, lost->run_us),
    };

    wf_cc_on_lost(&w->cc, &l);
    wf_ecn_on_lost(&w->ecn, lost);
    if (lost->mtu_probe > 0) {
        wf_mtu_on_probe_lost(&w->mtu, w->now, lost->mtu_probe);
    }
    (void)wf_mtu_on_lost(&w->mtu, lost->largest);
    set_datagram(w);
    wf_sent_frames_free(&w->sent, &lost->frames);
}

static void detect(struct world *w)
{
    struct wf_fates lost;

    wf_loss_detect(&w->loss, &w->sent, &w->rtt, w->now, &lost);
    on_lost(w, &lost);
}

static void marked(struct world *w, const struct wf_fates *acked, uint64_t marks)
{
    const struct wf_cc_lost l = {
        .now = w->now,
        .newest_at = acked->newest_at,
        .marks = marks,
        .in_flight = w->sent.in_flight,
        .sent_in_flight = acked->share[WF_CLASS_MAIN].rate.in_flight,
        .is_ce = true,
    };

    if (marks > 0)
        wf_cc_on_lost(&w->cc, &l);
}

static void grow(struct world *w, const struct wf_fates *acked)
{
    const struct wf_fate_share *share = &acked->share[WF_CLASS_MAIN];
    const struct wf_rate_acked r = {
        .now = w->now, .sent_at = share->newest_at, .bytes = share->bytes, .stamp = share->rate};
    struct wf_cc_ack a = {
        .now = w->now,
        .newest_at = acked->newest_at,
        .newest = acked->newest,
        .next = w->sent.next,
        .bytes = acked->bytes,
        .rtt_us = acked->is_sample ? w->rtt.latest_us : 0,
        .srtt_us = wf_rtt_smoothed(&w->rtt),
        .in_flight = w->sent.in_flight,
    };

    wf_rate_on_ack(&w->rate, &r, &a.rate);
    wf_cc_on_spurious(&w->cc, acked->spurious, acked->spurious_at);
    wf_cc_on_ack(&w->cc, &a);
}

static void on_ack(struct world *w, const struct wf_frame_ack *ack)
{
    const uint64_t in_flight = w->sent.in_flight;
    struct wf_fates acked;

    if (wf_sent_on_ack(&w->sent, ack, &acked) != WEFT_OK) {
        must(w->sent.in_flight == in_flight);
        return;
    }
    must(acked.bytes + w->sent.in_flight == in_flight);
    if (acked.is_sample) {
        wf_rtt_sample(&w->rtt, w->now, w->now - acked.sample_at, ack->delay_us);
    }
    const uint64_t marks = wf_ecn_on_ack(&w->ecn, ack, &acked);

    must(marks <= w->ecn.sent);
    wf_loss_on_acked(&w->loss, &acked);
    detect(w);
    marked(w, &acked, marks);
    grow(w, &acked);
    if (acked.mtu_probe > 0) {
        (void)wf_mtu_on_probe_acked(&w->mtu, w->now, acked.mtu_probe);
    }
    wf_mtu_on_acked(&w->mtu, acked.largest);
    set_datagram(w);
    if (acked.needed_ack) {
        wf_pto_on_ack(&w->pto);
    }
    wf_sent_frames_free(&w->sent, &acked.frames);
}

/* An ACK of some of the last packets, as a peer would send it. */
static void near_ack(struct world *w, uint64_t back, uint64_t len)
{
    const uint64_t top = w->sent.next - 1;
    const uint64_t newest = back % 300 < top ? top - back % 300 : top;
    const uint64_t floor = len % 300 < newest ? newest - len % 300 : newest;
    const struct wf_frame_ack ack = {.newest = newest, .floor = floor, .delay_us = len};

    on_ack(w, &ack);
}

static void timeout(struct world *w)
{
    struct wf_sent_list list = {0};

    (void)!wf_pto_on_timeout(&w->pto, w->now);
    wf_ecn_on_pto(&w->ecn, w->pto.count);
    (void)wf_mtu_on_pto(&w->mtu, w->pto.count);
    set_datagram(w);
    (void)wf_sent_take_oldest(&w->sent, &list);
    wf_sent_frames_free(&w->sent, &list);
}

static void step(struct world *w)
{
    const uint8_t kind = wf_read_u8(&w->in);
    struct wf_frame f;

    switch (kind % 8) {
    case 4:
        if (w->in.left > 0 && wf_frame_get(&w->in, &f) == WEFT_OK &&
            (f.type == WF_FRAME_ACK || f.type == WF_FRAME_ACK_ECN)) {
            on_ack(w, &f.u.ack);
        }
        break;
    case 5:
        near_ack(w, wf_read_u8(&w->in), wf_read_u8(&w->in));
        break;
    case 6:
        if (kind > 240)
            wf_rate_app_limited(&w->rate, w->sent.in_flight);
        w->now += wf_read_varint(&w->in) % (1u << 26);
        detect(w);
        break;
    case 7:
        if (kind > 240) {
            wf_sent_new_path(&w->sent);
            wf_ecn_new_path(&w->ecn);
            wf_mtu_reset(&w->mtu);
        } else {
            timeout(w);
        }
        break;
    default:
        send(w, (uint8_t)(kind >> 3), wf_read_varint(&w->in));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum wf_cc_kind kinds[] = {WF_CC_CUBIC, WF_CC_LEDBAT, WF_CC_BBR};
    struct world w = {.in = wf_reader_of(wf_span(data, size)), .now = 1000};

    w.mem = (struct wf_mem){.alloc = take, .release = give};
    w.rng = (struct wf_rng){.fill = fill, .ctx = &w.seed};
    wf_sent_init(&w.sent, &w.mem, 1, 4096);
    wf_rtt_init(&w.rtt, 25000);
    wf_loss_init(&w.loss);
    wf_pto_init(&w.pto);
    wf_cc_init(&w.cc, kinds[wf_read_u8(&w.in) % WF_ARRAY_LEN(kinds)], WF_MTU_BASE);
    wf_rate_init(&w.rate);
    wf_ecn_init(&w.ecn, true);
    wf_mtu_init(&w.mtu, 65507);
    for (int i = 0; i < STEPS_MAX && wf_reader_ok(&w.in) && w.in.left > 0; i++) {
        step(&w);
        check(&w);
    }
    wf_sent_deinit(&w.sent);
    must(w.mem.held == 0);
    return 0;
}
