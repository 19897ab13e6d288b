/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ack_help.h - ACK frames for tests, made from received ranges through the real codec.
 */
#ifndef TESTS_TRANSPORT_ACK_HELP_H
#define TESTS_TRANSPORT_ACK_HELP_H

#include "test.h"
#include "wire/frame.h"

struct ack_help {
    uint8_t bytes[8192];
    struct wf_frame frame; /* borrows from bytes */
};

/* ranges: newest first. */
static inline const struct wf_frame_ack *ack_of_ranges(struct ack_help *h,
                                                       const struct wf_ack_run *ranges,
                                                       size_t count)
{
    struct wf_writer w = wf_writer_of(h->bytes, sizeof h->bytes);
    const struct wf_ack_put put = {.received = ranges, .received_count = count};

    CHECK(wf_ack_put(&w, &put));
    struct wf_reader r = wf_reader_of((weft_span){h->bytes, w.len});

    CHECK_OK(wf_frame_get(&r, &h->frame));
    return &h->frame.u.ack;
}

static inline const struct wf_frame_ack *ack_of(struct ack_help *h, uint64_t first, uint64_t last)
{
    return ack_of_ranges(h, &(struct wf_ack_run){first, last}, 1);
}

#endif
