/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_scenarios.c - the named scenarios: weft-lab runs them, and tests copy them and change what
 * they ask about. The "quic-" ones are those of the QUIC interop runner.
 */
#include <string.h>

#include "sim/lab.h"

#define MEGABYTE 1000000u
#define RATE LAB_MBIT(10)
#define RTT LAB_MS(30)
#define QUEUE 37500u /* one round trip of 30 ms at 10 Mbit/s */

/* 10 Mbit/s, 15 ms each way, 25 packets of queue. */
#define LINE                                                                                 \
    .rate = RATE, .delay_us = RTT / 2, .queue_max = QUEUE, .keeps_order = true, .mtu = 1500, \
    .mtu_silent = true

static const struct lab_scenario scenarios[] = {
    {
        .name = "goodput",
        .about = "10 MB at 10 Mbit/s and 30 ms: how much of the line is goodput",
        .end_us = LAB_S(60),
        .up = {LINE},
        .down = {LINE},
        .flow_count = 1,
        .flows = {{.down = true, .bytes = 10 * MEGABYTE}},
    },
    {
        .name = "cross-traffic",
        .about = "25 MB beside the model of a kernel's TCP",
        .end_us = LAB_S(90),
        .up = {LINE},
        .down = {LINE},
        .flow_count = 2,
        .flows = {{.down = true, .bytes = 25 * MEGABYTE}, {.kind = LAB_CUBIC, .down = true}},
    },
    {
        .name = "tcp",
        .about = "the model of a kernel's TCP alone: 10 MB",
        .end_us = LAB_S(60),
        .up = {LINE},
        .down = {LINE},
        .flow_count = 1,
        .flows = {{.kind = LAB_CUBIC, .down = true, .bytes = 10 * MEGABYTE}},
    },
};

const struct lab_scenario *lab_scenario_at(size_t index)
{
    return index < WF_ARRAY_LEN(scenarios) ? &scenarios[index] : NULL;
}

const struct lab_scenario *lab_scenario_find(const char *name)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(scenarios); i++) {
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    }
    return NULL;
}
