/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_ack.c - ACK and ACK_ECN. Each set of received numbers between floor and newest has exactly
 * one encoding, and what was read once can be iterated without further checks.
 *
 *   field           value
 *   type            0x02 or 0x03
 *   newest          the highest number received
 *   delay           µs since it was received
 *   newest - floor  floor was received too; below it nothing is said
 *   run count       0..256
 *   runs            (skip, length) each, going down from newest - 1: skip received, length >= 1
 * missing, and then one that was received and is not counted in the next skip ECT0, ECT1, CE
 * ACK_ECN only
 */
#include "base/assert.h"
#include "wire/frame_part.h"

/* room: how many numbers lie strictly between floor and the number that the run is counted from,
 * that one included. Returns the room of the next run. */
static uint64_t get_run(struct wf_reader *r, uint64_t room)
{
    const uint64_t skip = wf_read_varint(r);
    const uint64_t length = wf_read_varint(r);

    if (length == 0 || skip > room || length > room - skip) { /* SPEC 3.1-1 */
        wf_reader_fail(r);
        return 0;
    }
    room -= skip + length;
    return room > 0 ? room - 1 : 0; /* without the one that was received; it may be floor itself */
}

static void get_runs(struct wf_reader *r, struct wf_frame_ack *a)
{
    const uint64_t span = a->newest - a->floor;
    uint64_t room = span > 0 ? span - 1 : 0;

    a->run_count = wf_read_len(r, 0, WF_ACK_RUNS_MAX);
    a->runs = wf_read_span(r, 0);
    const size_t before = r->left;

    for (size_t i = 0; i < a->run_count && wf_reader_ok(r); i++) {
        room = get_run(r, room);
    }
    a->runs.len = before - r->left;
}

void wf_part_get_ack(struct wf_reader *r, struct wf_frame *f)
{
    struct wf_frame_ack *a = &f->u.ack;

    a->newest = wf_part_get_amount(r);
    a->delay_us = wf_part_get_amount(r);
    a->floor = a->newest - wf_read_varint_max(r, a->newest);
    get_runs(r, a);
    a->has_ecn = f->type == WF_FRAME_ACK_ECN;
    if (a->has_ecn) {
        a->ect0 = wf_part_get_amount(r);
        a->ect1 = wf_part_get_amount(r);
        a->ce = wf_part_get_amount(r);
    }
}

struct wf_ack_iter wf_ack_runs_of(const struct wf_frame_ack *ack)
{
    return (struct wf_ack_iter){
        .r = wf_reader_of(ack->runs),
        .left = ack->run_count,
        .next = ack->newest - 1, /* wraps for newest 0, which has no runs */
    };
}

bool wf_ack_next_run(struct wf_ack_iter *it, struct wf_ack_run *run)
{
    if (it->left == 0)
        return false;
    it->left--;

    const uint64_t skip = wf_read_varint(&it->r);
    const uint64_t length = wf_read_varint(&it->r);

    run->last = it->next - skip;
    run->first = run->last - (length - 1);
    it->next = run->first - 2; /* may wrap after the last run, which nobody looks at */
    return true;
}

/* Two received ranges that follow each other have one missing run between them. */
static uint64_t skip_before(const struct wf_ack_put *a, size_t i)
{
    const struct wf_ack_run *above = &a->received[i - 1];

    return above->last - above->first;
}

static uint64_t missing_before(const struct wf_ack_put *a, size_t i)
{
    return a->received[i - 1].first - a->received[i].last - 1;
}

static size_t len_of(const struct wf_ack_put *a, size_t ranges, size_t runs_len)
{
    const uint64_t newest = a->received[0].last;
    size_t len = 1 + wf_varint_len(newest) + wf_varint_len(a->delay_us);

    len += wf_varint_len(newest - a->received[ranges - 1].first);
    len += wf_varint_len(ranges - 1) + runs_len;
    if (a->has_ecn) {
        len += wf_varint_len(a->ect0) + wf_varint_len(a->ect1) + wf_varint_len(a->ce);
    }
    return len;
}

/* How many ranges fit into room; 0 when not even one does. Each further range makes the frame
 * longer. */
static size_t ranges_that_fit(const struct wf_ack_put *a, size_t room)
{
    size_t runs_len = 0;
    size_t count = 0;

    while (count < a->received_count && count <= WF_ACK_RUNS_MAX) {
        if (count > 0) {
            WEFT_DEBUG_ASSERT(a->received[count].last + 1 < a->received[count - 1].first);
            runs_len += wf_varint_len(skip_before(a, count));
            runs_len += wf_varint_len(missing_before(a, count));
        }
        if (len_of(a, count + 1, runs_len) > room)
            break;
        count++;
    }
    return count;
}

bool wf_ack_put(struct wf_writer *w, const struct wf_ack_put *a)
{
    const size_t count = ranges_that_fit(a, wf_writer_left(w));

    if (count == 0)
        return false;
    const uint64_t newest = a->received[0].last;

    wf_write_u8(w, a->has_ecn ? WF_FRAME_ACK_ECN : WF_FRAME_ACK);
    wf_write_varint(w, newest);
    wf_write_varint(w, a->delay_us);
    wf_write_varint(w, newest - a->received[count - 1].first);
    wf_write_varint(w, count - 1);
    for (size_t i = 1; i < count; i++) {
        wf_write_varint(w, skip_before(a, i));
        wf_write_varint(w, missing_before(a, i));
    }
    if (a->has_ecn) {
        wf_write_varint(w, a->ect0);
        wf_write_varint(w, a->ect1);
        wf_write_varint(w, a->ce);
    }
    return true;
}
