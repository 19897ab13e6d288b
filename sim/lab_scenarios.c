/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_scenarios.c - the named scenarios: weft-lab runs them, and tests copy them and change what
 * they ask about. The "quic-" ones are those of the QUIC interop runner.
 */
#include <string.h>

#include "sim/lab.h"
#include "wire/frame.h"

#define MEGABYTE 1000000u
#define RATE LAB_MBIT(10)
#define RTT LAB_MS(30)
#define QUEUE 37500u /* one round trip of 30 ms at 10 Mbit/s: 25 packets */

#define LINE_QUEUE(rate_, rtt_, queue_)                                                            \
    .rate = (rate_), .delay_us = (rtt_) / 2, .keeps_order = true, .mtu = 1500, .mtu_silent = true, \
    .queue_max = (queue_)
/* A queue of one round trip. */
#define LINE(rate_, rtt_) LINE_QUEUE(rate_, rtt_, (rate_) / 1000 * (rtt_) / 1000)
#define GET(bytes_) .down = true, .bytes = (bytes_)

static const struct lab_scenario scenarios[] = {
    {
        .name = "quic-handshake-loss",
        .about = "one connection for 1 kB while 30 % are lost",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT), .loss_ppm = 300000},
        .down = {LINE(RATE, RTT), .loss_ppm = 300000},
        .flow_count = 1,
        .flows = {{GET(1024)}},
    },
    {
        .name = "quic-handshake-corruption",
        .about = "one connection for 1 kB while a bit flips in 30 %",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT), .corrupt_ppm = 300000},
        .down = {LINE(RATE, RTT), .corrupt_ppm = 300000},
        .no_checksums = true,
        .flow_count = 1,
        .flows = {{GET(1024)}},
    },
    {
        .name = "quic-transfer-loss",
        .about = "10 MB while 2 % are lost",
        .end_us = LAB_S(120),
        .up = {LINE(RATE, RTT), .loss_ppm = 20000},
        .down = {LINE(RATE, RTT), .loss_ppm = 20000},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
    },
    {
        .name = "quic-transfer-corruption",
        .about = "10 MB while a bit flips in 2 %",
        .end_us = LAB_S(120),
        .up = {LINE(RATE, RTT), .corrupt_ppm = 20000},
        .down = {LINE(RATE, RTT), .corrupt_ppm = 20000},
        .no_checksums = true,
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
    },
    {
        .name = "quic-long-rtt",
        .about = "1 MB over a path of 750 ms each way",
        .end_us = LAB_S(60),
        .up = {LINE_QUEUE(RATE, LAB_MS(1500), QUEUE)},
        .down = {LINE_QUEUE(RATE, LAB_MS(1500), QUEUE)},
        .flow_count = 1,
        .flows = {{GET(MEGABYTE)}},
    },
    {
        .name = "quic-blackhole",
        .about = "10 MB; nothing passes for 2 s, 5 s after the beginning",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events = {{.kind = LAB_CUT, .at_us = LAB_S(5), .for_us = LAB_S(2)}},
    },
    {
        .name = "quic-rebind-port",
        .about = "10 MB; another port after 1 s and then each 5 s",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events = {{.kind = LAB_REBIND_PORT, .flow = 1, .at_us = LAB_S(1), .every_us = LAB_S(5)}},
    },
    {
        .name = "quic-rebind-address",
        .about = "10 MB; another address after 1 s and then each 5 s",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events =
            {{.kind = LAB_REBIND_ADDRESS, .flow = 1, .at_us = LAB_S(1), .every_us = LAB_S(5)}},
    },
    {
        .name = "quic-amplification",
        .about = "1 MB; the client's datagrams 2 to 7 vanish",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(MEGABYTE), .drop_first = 2, .drop_last = 7}},
    },
    {
        .name = "quic-goodput",
        .about = "10 MB at 10 Mbit/s and 30 ms: how much of the line is goodput",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
    },
    {
        .name = "quic-cross-traffic",
        .about = "25 MB beside the model of a kernel's TCP",
        .end_us = LAB_S(90),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 2,
        .flows = {{GET(25 * MEGABYTE)}, {.kind = LAB_CUBIC, .down = true}},
    },
    {
        .name = "tcp",
        .about = "the model of a kernel's TCP alone: 10 MB",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{.kind = LAB_CUBIC, .down = true, .bytes = 10 * MEGABYTE}},
    },
    {
        .name = "two-tcp",
        .about = "two of the model, the second 5 s later",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 2,
        .flows = {{.kind = LAB_CUBIC, .down = true},
                  {.kind = LAB_CUBIC, .down = true, .start_us = LAB_S(5)}},
    },
    {
        .name = "four-flows",
        .about = "four transfers that begin at once",
        .end_us = LAB_S(30),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 4,
        .flows = {{.down = true}, {.down = true}, {.down = true}, {.down = true}},
    },
    {
        .name = "four-flows-in-turn",
        .about = "four transfers, each 5 s after the one before",
        .end_us = LAB_S(45),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 4,
        .flows = {{.down = true, .start_us = LAB_S(0)},
                  {.down = true, .start_us = LAB_S(5)},
                  {.down = true, .start_us = LAB_S(10)},
                  {.down = true, .start_us = LAB_S(15)}},
    },
    {
        .name = "background-beside-tcp",
        .about = "a background transfer beside the model of a kernel's TCP",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 2,
        .flows = {{.down = true, .priority = WF_PRIORITY_BACKGROUND},
                  {.kind = LAB_CUBIC, .down = true, .start_us = LAB_S(5)}},
    },
    {
        .name = "background-beside-normal",
        .about = "a background transfer beside a normal one of other hosts",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 2,
        .flows = {{.down = true, .priority = WF_PRIORITY_BACKGROUND},
                  {.down = true, .start_us = LAB_S(10), .stop_us = LAB_S(40)}},
    },
    {
        .name = "urgent-beside-background",
        .about = "urgent messages of 1 kB while 10 GB go in the background, 1 Gbit/s",
        .end_us = LAB_S(3),
        .up = {LINE_QUEUE(LAB_MBIT(1000), LAB_MS(2), 2 * MEGABYTE)},
        .down = {LINE_QUEUE(LAB_MBIT(1000), LAB_MS(2), 2 * MEGABYTE)},
        .flow_count = 2,
        .flows = {{.bytes = 10000ull * MEGABYTE, .priority = WF_PRIORITY_BACKGROUND},
                  {.kind = LAB_REQUESTS,
                   .shares = 1,
                   .priority = WF_PRIORITY_URGENT,
                   .start_us = LAB_MS(500),
                   .request_bytes = 1000,
                   .every_us = LAB_MS(5)}},
    },
    {
        .name = "one-way-path",
        .about = "nothing comes back from the server",
        .end_us = LAB_S(30),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT), .cut = true},
        .flow_count = 1,
        .flows = {{GET(1024)}},
    },
    {
        .name = "one-way-loss",
        .about = "10 MB; nothing passes on the way up for 3 s, 3 s after the beginning",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events = {{.kind = LAB_CUT, .side = LAB_UP, .at_us = LAB_S(3), .for_us = LAB_S(3)}},
    },
    {
        .name = "idle-then-burst",
        .about = "4 s of sending, 6 s of rest, and again, at 100 Mbit/s and 50 ms",
        .end_us = LAB_S(24),
        .up = {LINE(LAB_MBIT(100), LAB_MS(50))},
        .down = {LINE(LAB_MBIT(100), LAB_MS(50))},
        .flow_count = 1,
        .flows = {{.busy_us = LAB_S(4), .idle_us = LAB_S(6), .stop_us = LAB_S(22)}},
    },
    {
        .name = "blackout",
        .about = "nothing passes for 2 s, 5 s after the beginning, at 50 Mbit/s and 40 ms",
        .end_us = LAB_S(15),
        .up = {LINE(LAB_MBIT(50), LAB_MS(40))},
        .down = {LINE(LAB_MBIT(50), LAB_MS(40))},
        .flow_count = 1,
        .flows = {{.down = true}},
        .event_count = 1,
        .events = {{.kind = LAB_CUT, .at_us = LAB_S(5), .for_us = LAB_S(2)}},
    },
    {
        .name = "mtu-black-hole",
        .about = "packets above 1300 bytes vanish, 3 s after the beginning",
        .end_us = LAB_S(20),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events = {{.kind = LAB_MTU, .at_us = LAB_S(3), .value = 1300}},
    },
    {
        .name = "rate-step",
        .about = "the rate falls from 50 to 5 Mbit/s for 5 s",
        .end_us = LAB_S(20),
        .up = {LINE(LAB_MBIT(50), LAB_MS(40))},
        .down = {LINE(LAB_MBIT(50), LAB_MS(40))},
        .flow_count = 1,
        .flows = {{.down = true}},
        .event_count = 1,
        .events = {{.kind = LAB_RATE, .at_us = LAB_S(5), .for_us = LAB_S(5), .value = LAB_MBIT(5)}},
    },
    {
        .name = "delay-step",
        .about = "the round trip grows from 40 to 240 ms for 5 s",
        .end_us = LAB_S(20),
        .up = {LINE(LAB_MBIT(50), LAB_MS(40))},
        .down = {LINE(LAB_MBIT(50), LAB_MS(40))},
        .flow_count = 1,
        .flows = {{.down = true}},
        .event_count = 1,
        .events =
            {{.kind = LAB_DELAY, .at_us = LAB_S(5), .for_us = LAB_S(5), .value = LAB_MS(120)}},
    },
    {
        .name = "move",
        .about = "the client itself has another address 3 s after the beginning",
        .end_us = LAB_S(30),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events = {{.kind = LAB_MOVE, .flow = 1, .at_us = LAB_S(3)}},
    },
    {
        .name = "clock-jump",
        .about = "the client's clock jumps 20 s ahead",
        .end_us = LAB_S(30),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events = {{.kind = LAB_CLOCK, .flow = 1, .at_us = LAB_S(3), .value = LAB_S(20)}},
    },
    {
        .name = "suspend",
        .about = "the client sleeps for 10 s, its clock too",
        .end_us = LAB_S(60),
        .up = {LINE(RATE, RTT)},
        .down = {LINE(RATE, RTT)},
        .flow_count = 1,
        .flows = {{GET(10 * MEGABYTE)}},
        .event_count = 1,
        .events =
            {{.kind = LAB_SUSPEND, .flow = 1, .at_us = LAB_S(3), .for_us = LAB_S(10), .value = 1}},
    },
    {
        .name = "ecn",
        .about = "a transfer over a queue that marks from a third on",
        .end_us = LAB_S(20),
        .up = {LINE(RATE, RTT), .ecn_mark = QUEUE / 3},
        .down = {LINE(RATE, RTT), .ecn_mark = QUEUE / 3},
        .flow_count = 1,
        .flows = {{.down = true}},
    },
    {
        .name = "fast-lossy",
        .about = "1 Gbit/s, 100 ms, 1 % lost",
        .end_us = LAB_S(5),
        .up = {LINE_QUEUE(LAB_MBIT(1000), LAB_MS(100), 12 * MEGABYTE), .loss_ppm = 10000},
        .down = {LINE_QUEUE(LAB_MBIT(1000), LAB_MS(100), 12 * MEGABYTE)},
        .flow_count = 1,
        .flows = {{.bytes = 0}},
    },
    {
        .name = "wifi",
        .about = "10 % reordered by 10 ms, jitter of 5 ms, bursts of loss, at 50 Mbit/s",
        .end_us = LAB_S(20),
        .up = {LINE(LAB_MBIT(50), LAB_MS(40)), .jitter_us = LAB_MS(5), .reorder_ppm = 100000,
               .reorder_us = LAB_MS(10), .burst_enter_ppm = 500, .burst_leave_ppm = 100000,
               .burst_loss_ppm = 500000},
        .down = {LINE(LAB_MBIT(50), LAB_MS(40)), .jitter_us = LAB_MS(5), .reorder_ppm = 100000,
                 .reorder_us = LAB_MS(10), .burst_enter_ppm = 500, .burst_leave_ppm = 100000,
                 .burst_loss_ppm = 500000},
        .flow_count = 1,
        .flows = {{.down = true}},
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
