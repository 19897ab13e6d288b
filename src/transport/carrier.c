/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrier.c - see carrier.h.
 */
#include "transport/carrier.h"

static const struct wf_carrier rows[] = {
    [WF_CARRIER_UDP] = {.has_ecn = true, .has_trains = true},
    [WF_CARRIER_STREAM] = {.datagram_len = WF_CARRIER_STREAM_DATAGRAM, .hides_loss = true},
};

const struct wf_carrier *wf_carrier_of(const struct wf_addr *a)
{
    return &rows[a->carrier < WF_ARRAY_LEN(rows) ? a->carrier : WF_CARRIER_UDP];
}
