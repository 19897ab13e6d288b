/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_acks_fuzz.c - a receiver under a peer that chooses packet numbers and confirms ACKs as
 * it likes: what an ACK says was received, and stays within its caps.
 *
 *   input: a byte of shift for the numbers (highest bit: little memory), then steps; kind, then
 * what the kind needs
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "feed.h"
#include "transport/acks.h"

#define NUMBERS 4096u
#define TOLD_MAX 16u
#define STEPS_MAX 600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct world {
    struct wf_reader in;
    struct wf_acks acks;
    uint64_t base; /* number 0 of the model */
    bool got[NUMBERS];
    struct wf_acks_told told[TOLD_MAX];
    size_t told_count;
    weft_time now;
};

static bool has(const struct world *w, uint64_t number)
{
    return number >= w->base && number - w->base < NUMBERS && w->got[number - w->base];
}

/* Both ends of every range that the ACK names were received. */
static void check_ack(const struct world *w, weft_span bytes)
{
    struct wf_reader r = wf_reader_of(bytes);
    struct wf_frame f;
    struct wf_ack_run run;

    must(wf_frame_get(&r, &f) == WEFT_OK);
    must(wf_reader_done(&r));
    must(has(w, f.u.ack.newest) && has(w, f.u.ack.floor));
    struct wf_ack_iter it = wf_ack_runs_of(&f.u.ack);

    while (wf_ack_next_run(&it, &run)) {
        must(has(w, run.last + 1) && has(w, run.first - 1));
    }
}

static void put(struct world *w, size_t room)
{
    uint8_t *buf = (uint8_t *)malloc(room > 0 ? room : 1);
    struct wf_writer out = wf_writer_of(buf, room);
    struct wf_acks_told told;

    must(buf != NULL);
    if (wf_acks_put(&w->acks, w->now, &out, &told)) {
        check_ack(w, (weft_span){buf, out.len});
        must(!wf_acks_is_waiting(&w->acks));
        w->told[w->told_count++ % TOLD_MAX] = told;
    } else {
        must(out.len == 0);
    }
    free(buf);
}

static void receive(struct world *w, uint64_t index, uint8_t kind)
{
    const struct wf_acks_packet p = {
        .number = w->base + index % NUMBERS,
        .needs_ack = (kind & 8) != 0,
        .ecn = kind >> 4 & 3,
    };

    if (has(w, p.number))
        return; /* the replay window lets nothing through twice */
    w->got[p.number - w->base] = true;
    wf_acks_on_packet(&w->acks, w->now, &p);
    must(wf_acks_is_waiting(&w->acks) || !p.needs_ack);
    must(wf_acks_deadline(&w->acks) != WEFT_TIME_NEVER || !p.needs_ack);
}

static void step(struct world *w)
{
    const uint8_t kind = wf_read_u8(&w->in);
    const uint64_t value = wf_read_u16(&w->in);

    w->now += value % 7;
    switch (kind % 8) {
    case 0:
        put(w, value % 2048);
        break;
    case 1:
        if (w->told_count > 0) {
            wf_acks_on_told(
                &w->acks, &w->told[value % (w->told_count < TOLD_MAX ? w->told_count : TOLD_MAX)]);
        }
        break;
    case 2:
        wf_acks_set_rtt(&w->acks, value * value);
        break;
    default:
        receive(w, value, kind);
    }
    must(wf_ranges_count(&w->acks.received.r) <= WF_ACKS_RANGES_MAX);
    must(w->acks.every >= WF_ACKS_EVERY_MIN && w->acks.every <= WF_ACKS_EVERY_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;

    static struct wf_mem mem = FEED_HEAP;

    memset(&w, 0, sizeof w);
    w.in = wf_reader_of(wf_span(data, size));
    const uint8_t first = wf_read_u8(&w.in);
    w.base = 1ull << first % 62;
    mem.cap = (first & 0x80) != 0 ? 512 : 0;
    wf_acks_init(&w.acks, &mem, 25000);
    for (int i = 0; i < STEPS_MAX && wf_reader_ok(&w.in) && w.in.left > 0; i++) {
        step(&w);
    }
    wf_acks_deinit(&w.acks);
    must(mem.held == 0);
    return 0;
}
