/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_ack_fuzz.c - ACKs from both sides: any bytes as an ACK, whose runs must lie within its
 * bounds and in order; and any set of received numbers into any room, which must be read again as
 * it was.
 *
 *   input: a byte of room (times 4), then the fields of an ACK behind its type, or gaps between
 * ranges
 */
#include "tests/wire/help.h"

#define RANGES_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Runs go down, never touch each other and stay strictly between floor and newest. */
static void check_order(const struct wf_frame_ack *a)
{
    struct wf_ack_iter it = wf_ack_runs_of(a);
    struct wf_ack_run run;
    uint64_t bound = a->newest;
    size_t count = 0;

    while (wf_ack_next_run(&it, &run)) {
        must(run.first <= run.last);
        must(run.last < bound);
        must(run.first > a->floor);
        bound = run.first - 1; /* received, so the next run lies below it */
        count++;
    }
    must(count == a->run_count);
    must(count <= WF_ACK_RUNS_MAX);
}

/* What an ACK says must hold for the ranges it was made from, all of them down to its floor. */
static void check_put(const struct wf_ack_put *p, size_t room)
{
    struct wf_ack_run back[WF_ACK_RUNS_MAX + 1];
    uint8_t out[4 * 255];
    struct wf_writer w = wf_writer_of(out, room);
    struct wf_frame f;

    if (!wf_ack_put(&w, p))
        return;
    must(wf_writer_ok(&w));
    struct wf_reader r = wf_reader_of((weft_span){out, w.len});

    must(wf_frame_get(&r, &f) == WEFT_OK);
    must(wf_reader_done(&r));
    check_order(&f.u.ack);
    const size_t count = help_ack_ranges(&f.u.ack, back);

    must(count <= p->received_count);
    must(memcmp(back, p->received, count * sizeof back[0]) == 0);
}

static void check_get(uint8_t type, weft_span fields, size_t room)
{
    uint8_t in[HELP_BYTES_MAX];
    struct wf_ack_run ranges[WF_ACK_RUNS_MAX + 1];
    struct wf_frame f;

    in[0] = type;
    if (fields.len > 0) {
        memcpy(in + 1, fields.data, fields.len);
    }
    struct wf_reader r = wf_reader_of((weft_span){in, fields.len + 1});

    if (wf_frame_get(&r, &f) != WEFT_OK)
        return;
    check_order(&f.u.ack);
    const struct wf_ack_put p = {.delay_us = f.u.ack.delay_us,
                                 .has_ecn = f.u.ack.has_ecn,
                                 .ect0 = f.u.ack.ect0,
                                 .ect1 = f.u.ack.ect1,
                                 .ce = f.u.ack.ce,
                                 .received = ranges,
                                 .received_count = help_ack_ranges(&f.u.ack, ranges)};

    check_put(&p, room);
}

/* Two bytes a range: how long it is, and how far below it the next one ends. */
static void check_gaps(weft_span gaps, size_t room)
{
    static struct wf_ack_run ranges[RANGES_MAX];
    uint64_t top = 1ull << 40;
    size_t count = 0;

    for (size_t i = 0; i + 1 < gaps.len && count < RANGES_MAX; i += 2) {
        ranges[count].last = top;
        ranges[count].first = top - gaps.data[i];
        top = ranges[count].first - 2 - gaps.data[i + 1] * 97ull;
        count++;
    }
    const struct wf_ack_put p = {.received = ranges, .received_count = count};

    check_put(&p, room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > HELP_BYTES_MAX / 2)
        return 0;
    const weft_span rest = {data + 1, size - 1};
    const size_t room = 4 * (size_t)data[0];

    check_get(WF_FRAME_ACK, rest, room);
    check_get(WF_FRAME_ACK_ECN, rest, room);
    check_gaps(rest, room);
    return 0;
}
