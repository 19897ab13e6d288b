/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traitor.c - the lies of a host with valid keys. Each packet that its core has packed is taken
 * apart and written anew, in the same length. It must never lie outside of packets of a session:
 * boxes of the handshake are sealed under number 0.
 */
#include "sim/traitor.h"

#include <string.h>

#include "base/assert.h"
#include "sim/scenario.h"
#include "wire/frame.h"
#include "wire/packet.h"

#define HEADER_FIXED 9u /* first byte and connection id */
#define PACKET_MAX 65536u
#define FILLER 0xa5u

enum lie_kind {
    LIE_MUTATE,   /* frames with other numbers, left out, said twice */
    LIE_ACK,      /* acknowledgements of what never came */
    LIE_WITHHOLD, /* no acknowledgement */
    LIE_STORM,    /* a packet full of one kind of frame */
    LIE_MIX,      /* and of all kinds */
    LIE_RAW,      /* no frames at all */
    LIE_NUMBER,   /* another packet number */
    LIE_KINDS,
};

static struct sim_traitor *speaker;
static uint8_t filler[PACKET_MAX];

void sim_traitor_draw(struct sim_traitor_plan *p, struct wf_prng *prng, uint32_t host)
{
    p->host = host;
    p->seed = wf_prng_next(prng);
    p->lie_ppm = (uint32_t)sim_scale(prng, 20000, SIM_PPM);
    p->kinds = (uint32_t)wf_prng_between(prng, 1, (1u << LIE_KINDS) - 1);
    p->is_subtle = wf_prng_chance(prng, 2, 3);
    if (p->is_subtle) {
        p->kinds = (p->kinds & ~(1u << LIE_RAW)) | 1u << LIE_ACK;
    }
}

void sim_traitor_init(struct sim_traitor *t, const struct sim_traitor_plan *p)
{
    *t = (struct sim_traitor){.plan = p};
    wf_prng_seed(&t->prng, p->seed);
    memset(filler, FILLER, sizeof filler);
}

void sim_traitor_speaks(struct sim_traitor *t)
{
    speaker = t;
}

/* --- what he makes up --- */

static uint64_t below(uint64_t bound)
{
    return wf_prng_below(&speaker->prng, bound);
}

/* A number near another one, a small one, or any. */
static uint64_t number_near(uint64_t truth)
{
    uint64_t v = truth;

    switch (below(speaker->plan->is_subtle ? 2 : 6)) {
    case 0:
        v = truth + below(16);
        break;
    case 1:
        v = truth - (truth < 16 ? truth : below(16));
        break;
    case 2:
        v = below(64);
        break;
    case 3:
        v = sim_scale(&speaker->prng, 1, WF_FRAME_NUMBER_MAX);
        break;
    case 4:
        v = WF_FRAME_NUMBER_MAX - below(2);
        break;
    default:
        break;
    }
    return v > WF_FRAME_NUMBER_MAX ? WF_FRAME_NUMBER_MAX : v;
}

static uint64_t message_near(uint64_t truth)
{
    const uint64_t v = number_near(truth);

    return v == 0 ? 1 : v;
}

static weft_span some_bytes(uint64_t max)
{
    return (weft_span){filler, (size_t)(1 + below(max))};
}

static struct wf_frame_open any_open(void)
{
    struct wf_frame_open o = {.number = message_near(1 + below(40)),
                              .open_ended = below(2) == 0,
                              .has_service = below(2) == 0,
                              .priority = (uint8_t)below(3)};

    if (speaker->plan->is_subtle) {
        o.open_ended = true;
    }
    o.length = o.open_ended ? 0 : number_near(below(5000));
    o.service = o.has_service ? some_bytes(WF_SERVICE_MAX) : (weft_span){NULL, 0};
    o.handler = o.has_service ? 0 : number_near(0);
    o.reply_to = below(3) == 0 && !speaker->plan->is_subtle ? message_near(1 + below(10)) : 0;
    o.regards_to = below(8) == 0 ? message_near(1) : 0;
    o.lifetime_ms = below(4) == 0 ? message_near(1 + below(1000)) : 0;
    return o;
}

static struct wf_frame_data any_data(void)
{
    struct wf_frame_data d = {.number = message_near(1 + below(20)),
                              .offset = number_near(below(3000)),
                              .end = below(8) == 0 && !speaker->plan->is_subtle,
                              .data = some_bytes(below(2) == 0 ? 1 : 200)};

    d.number = speaker->plan->is_subtle ? 1 + below(16) : d.number;
    if (d.offset > WF_FRAME_NUMBER_MAX - d.data.len) {
        d.offset = WF_FRAME_NUMBER_MAX - d.data.len;
    }
    return d;
}

static void fill_control(struct wf_frame *f)
{
    switch (f->type) {
    case WF_FRAME_CREDIT:
        f->u.credit.scope = (uint8_t)below(3);
        f->u.credit.number = f->u.credit.scope == WF_CREDIT_MESSAGE ? message_near(1) : 0;
        f->u.credit.limit = number_near(below(100000));
        return;
    case WF_FRAME_CANCEL:
    case WF_FRAME_STOP:
        f->u.cancel.number = message_near(1 + below(20));
        f->u.cancel.code = number_near(3);
        f->u.cancel.size = number_near(below(2000));
        return;
    case WF_FRAME_NEW_ID:
    case WF_FRAME_RETIRE_ID:
        f->u.new_id.sequence = number_near(below(8));
        f->u.new_id.retire_below = below(f->u.new_id.sequence + 1);
        f->u.new_id.cid[below(8)] = (uint8_t)below(256);
        return;
    case WF_FRAME_REKEY:
        f->u.rekey.generation = number_near(1);
        memset(f->u.rekey.key, (int)below(256), sizeof f->u.rekey.key);
        return;
    case WF_FRAME_ERROR:
        f->u.error.regards = number_near(below(20));
        f->u.error.code = number_near(4);
        f->u.error.text = some_bytes(255);
        return;
    default:
        f->u.token[0] = (uint8_t)below(256);
        return;
    }
}

static struct wf_frame made_up(uint8_t type)
{
    struct wf_frame f = {.type = type};

    if (type == WF_FRAME_MESSAGE_OPEN) {
        f.u.open = any_open();
    } else if (type == WF_FRAME_MESSAGE_DATA) {
        f.u.data = any_data();
    } else if (type == WF_FRAME_DATAGRAM || type == WF_FRAME_TICKET) {
        f.u.bytes.data = some_bytes(600);
    } else {
        fill_control(&f);
    }
    return f;
}

/* Those that break no rule by themselves stand first. */
static const uint8_t types[] = {
    WF_FRAME_PING,           WF_FRAME_MESSAGE_OPEN,  WF_FRAME_MESSAGE_DATA, WF_FRAME_CREDIT,
    WF_FRAME_PATH_CHALLENGE, WF_FRAME_PATH_RESPONSE, WF_FRAME_DATAGRAM,     WF_FRAME_TICKET,
    WF_FRAME_CANCEL,         WF_FRAME_STOP,          WF_FRAME_NEW_ID,       WF_FRAME_RETIRE_ID,
    WF_FRAME_REKEY,          WF_FRAME_ERROR,
};
#define TYPES_HARMLESS 8u

static uint8_t any_type(void)
{
    return types[below(speaker->plan->is_subtle ? TYPES_HARMLESS : WF_ARRAY_LEN(types))];
}

/* False: it does not fit any more. */
static bool put(struct wf_writer *w, const struct wf_frame *f)
{
    if (wf_frame_len(f) > wf_writer_left(w))
        return false;
    wf_frame_put(w, f);
    return true;
}

/* --- his lies --- */

/* Everything, also what never came; with holes as many as there is room for; or with a delay and
 * counts of marks that cannot be. Who is subtle speaks only of what came. */
static void put_false_ack(struct wf_writer *w, const struct wf_frame_ack *truth)
{
    const bool is_subtle = speaker->plan->is_subtle;
    struct wf_ack_run runs[WF_ACK_RUNS_MAX];
    const bool has_holes = below(2) == 0;
    struct wf_ack_put a = {.received = runs, .delay_us = number_near(below(100000))};
    uint64_t at = below(4) == 0 && !is_subtle ? number_near(truth->newest) : truth->newest;
    uint64_t floor = is_subtle || below(2) == 0 ? truth->floor : 0;

    a.has_ecn = below(3) == 0;
    a.ect0 = number_near(truth->newest);
    a.ect1 = below(3) == 0 ? number_near(1) : 0;
    a.ce = number_near(below(4));
    floor = is_subtle && truth->run_count > 0 ? at : floor;
    floor = floor < at ? floor : at;
    while (has_holes && a.received_count < WF_ACK_RUNS_MAX - 1 && at >= floor + 2) {
        runs[a.received_count++] = (struct wf_ack_run){at, at};
        at -= 2;
    }
    runs[a.received_count++] = (struct wf_ack_run){at - below(at - floor + 1), at};
    (void)wf_ack_put(w, &a);
}

static void put_true_ack(struct wf_writer *w, const uint8_t *from, const uint8_t *to)
{
    if ((size_t)(to - from) <= wf_writer_left(w)) {
        wf_write_bytes(w, from, (size_t)(to - from));
    }
}

static bool is_ack(const struct wf_frame *f)
{
    return f->type == WF_FRAME_ACK || f->type == WF_FRAME_ACK_ECN;
}

static void alter(struct wf_frame *f)
{
    if (speaker->plan->is_subtle && f->type != WF_FRAME_MESSAGE_DATA)
        return;
    switch (f->type) {
    case WF_FRAME_MESSAGE_OPEN:
        f->u.open.number = message_near(f->u.open.number);
        f->u.open.length = number_near(f->u.open.length);
        f->u.open.reply_to = below(3) == 0 ? message_near(f->u.open.reply_to) : f->u.open.reply_to;
        return;
    case WF_FRAME_MESSAGE_DATA:
        if (!speaker->plan->is_subtle) {
            f->u.data.offset = number_near(f->u.data.offset) / 2;
            f->u.data.end = below(4) == 0;
        } else if (f->u.data.offset > 0 && !f->u.data.end) {
            f->u.data.offset -= below(f->u.data.offset > 100 ? 100 : f->u.data.offset);
        }
        if (below(2) == 0) {
            f->u.data.data.data = filler;
        }
        return;
    case WF_FRAME_CREDIT:
        f->u.credit.limit = number_near(f->u.credit.limit);
        return;
    case WF_FRAME_CANCEL:
    case WF_FRAME_STOP:
        f->u.cancel.number = message_near(f->u.cancel.number);
        f->u.cancel.size = number_near(f->u.cancel.size);
        return;
    default:
        return;
    }
}

/* Takes the packet's frames apart and writes them into w with lies of one kind. */
static void retell(struct wf_writer *w, weft_span frames, enum lie_kind kind)
{
    struct wf_reader r = wf_reader_of(frames);
    struct wf_frame f;

    while (r.left > 0) {
        const uint8_t *from = frames.data + (frames.len - r.left);

        if (wf_frame_get(&r, &f) != WEFT_OK || f.type == WF_FRAME_PAD)
            return;
        if (is_ack(&f) && kind == LIE_ACK) {
            put_false_ack(w, &f.u.ack);
        } else if (is_ack(&f) && kind != LIE_WITHHOLD) {
            put_true_ack(w, from, frames.data + (frames.len - r.left));
        } else if (!is_ack(&f)) {
            for (uint64_t copies = kind == LIE_MUTATE ? below(3) : 1; copies > 0; copies--) {
                if (kind == LIE_MUTATE) {
                    alter(&f);
                }
                (void)put(w, &f);
            }
        }
    }
}

static void storm(struct wf_writer *w, bool is_mixed)
{
    uint8_t type = any_type();
    struct wf_frame f = made_up(type);

    while (put(w, &f)) {
        type = is_mixed ? any_type() : type;
        f = made_up(type);
    }
}

static void raw(struct wf_writer *w)
{
    while (wf_writer_left(w) > 0) {
        wf_write_u8(w, (uint8_t)below(below(2) == 0 ? 256 : 0x14));
    }
}

/* Another number in a header of the same length: one that was used, or that is yet to come. */
static void change_number(struct wf_aead_op *op, uint8_t *header)
{
    uint8_t cid[8];
    const uint64_t by = 1 + below(40);

    if (below(2) == 0 || op->number <= by) {
        op->number += by;
    } else {
        op->number -= by;
    }
    memcpy(cid, header + 1, sizeof cid);
    (void)wf_packet_put_header(header, header[0], cid, op->number, op->ad.len - HEADER_FIXED);
}

static enum lie_kind choose(void)
{
    uint32_t kind = (uint32_t)below(LIE_KINDS);

    while ((speaker->plan->kinds & 1u << kind) == 0) {
        kind = (kind + 1) % LIE_KINDS;
    }
    return (enum lie_kind)kind;
}

static void lie(struct wf_aead_op *op)
{
    static uint8_t said[PACKET_MAX];
    struct wf_writer w = wf_writer_of(said, op->in_len);
    const enum lie_kind kind = choose();

    speaker->lies++;
    if (kind == LIE_NUMBER) {
        change_number(op, op->out - op->ad.len);
        return;
    }
    if (kind == LIE_STORM || kind == LIE_MIX) {
        storm(&w, kind == LIE_MIX);
    } else if (kind == LIE_RAW) {
        raw(&w);
    } else {
        retell(&w, (weft_span){op->in, op->in_len}, kind);
    }
    wf_write_zeros(&w, wf_writer_left(&w));
    memcpy(op->out, said, op->in_len);
}

void sim_traitor_rewrite(struct wf_aead_op *ops, size_t count)
{
    for (size_t i = 0; speaker != NULL && i < count; i++) {
        const bool is_packet = ops[i].number > 0 && ops[i].in == ops[i].out;

        if (is_packet && ops[i].in_len <= PACKET_MAX &&
            wf_prng_chance(&speaker->prng, speaker->plan->lie_ppm, SIM_PPM)) {
            lie(&ops[i]);
        }
    }
}
