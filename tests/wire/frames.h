/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.h - golden bytes of every frame, written by hand from docs/spec/3-frames.md, and what they
 * mean. fuzz/wire_corpus.py takes its first inputs from here. Never change them to make a test
 * pass: a difference is a change of the wire format.
 */
#ifndef WEFT_TESTS_WIRE_FRAMES_H
#define WEFT_TESTS_WIRE_FRAMES_H

#include "wire/frame.h"

#define BYTES(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

struct golden_frame {
    const char *hex;
    struct wf_frame frame;
};

/* ACKs have tests of their own. */
/* clang-format off */
static const struct golden_frame golden_frames[] = {
    {"00", {.type = WF_FRAME_PAD}},
    {"01", {.type = WF_FRAME_PING}},
    {"04 01 22 8148 04 6563686f",
     {.type = WF_FRAME_MESSAGE_OPEN,
      .u.open = {.number = 1, .has_service = true, .priority = 1, .length = 200, .service = BYTES("echo")}}},
    {"04 822c 5d 81ffffffffffffffff7f 07 09 a708",
     {.type = WF_FRAME_MESSAGE_OPEN,
      .u.open = {.number = 300, .open_ended = true, .priority = 2, .handler = UINT64_MAX,
                 .reply_to = 7, .regards_to = 9, .lifetime_ms = 5000}}},
    {"04 02 04 00 00 03",
     {.type = WF_FRAME_MESSAGE_OPEN, .u.open = {.number = 2, .reply_to = 3}}},
    {"05 01 03 8f7f 03 616263",
     {.type = WF_FRAME_MESSAGE_DATA,
      .u.data = {.number = 1, .offset = 2047, .end = true, .data = BYTES("abc")}}},
    {"05 02 02 00 00",
     {.type = WF_FRAME_MESSAGE_DATA, .u.data = {.number = 2, .data = BYTES("")}}},
    {"06 00 c08080808080808000",
     {.type = WF_FRAME_CREDIT, .u.credit = {.scope = 0, .limit = WF_FRAME_NUMBER_MAX}}},
    {"06 01 05 8800",
     {.type = WF_FRAME_CREDIT, .u.credit = {.scope = 1, .number = 5, .limit = 1024}}},
    {"06 02 64", {.type = WF_FRAME_CREDIT, .u.credit = {.scope = 2, .limit = 100}}},
    {"07 04 03 bd8440",
     {.type = WF_FRAME_CANCEL, .u.cancel = {.number = 4, .code = 3, .size = 1000000}}},
    {"08 04 8200", {.type = WF_FRAME_STOP, .u.cancel = {.number = 4, .code = 256}}},
    {"09 02 beef", {.type = WF_FRAME_DATAGRAM, .u.bytes = {BYTES("\xbe\xef")}}},
    {"09 00", {.type = WF_FRAME_DATAGRAM}},
    {"0a 0001020304050607",
     {.type = WF_FRAME_PATH_CHALLENGE, .u.token = {0, 1, 2, 3, 4, 5, 6, 7}}},
    {"0b 0706050403020100",
     {.type = WF_FRAME_PATH_RESPONSE, .u.token = {7, 6, 5, 4, 3, 2, 1, 0}}},
    {"0c 03 02 a1a2a3a4a5a6a7a8",
     {.type = WF_FRAME_NEW_ID,
      .u.new_id = {.sequence = 3, .retire_below = 2,
                   .cid = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8}}}},
    {"0d 02", {.type = WF_FRAME_RETIRE_ID, .u.new_id = {.sequence = 2}}},
    {"0e 01 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     {.type = WF_FRAME_REKEY,
      .u.rekey = {.generation = 1,
                  .key = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                          22, 23, 24, 25, 26, 27, 28, 29, 30, 31}}}},
    {"0f 03 746b74", {.type = WF_FRAME_TICKET, .u.bytes = {BYTES("tkt")}}},
    {"10 0000018bcfe56800", {.type = WF_FRAME_TIME, .u.wall_ms = 1700000000000}},
    {"11 09 06 07 65787069726564",
     {.type = WF_FRAME_ERROR, .u.error = {.regards = 9, .code = 6, .text = BYTES("expired")}}},
    {"12 08 03 627965", {.type = WF_FRAME_CLOSE, .u.error = {.code = 8, .text = BYTES("bye")}}},
    {"12 00 00", {.type = WF_FRAME_CLOSE}},
    {"20 01 00 a000 03 612e62",
     {.type = WF_FRAME_CIRCUIT_OPEN, .u.circuit = {.circuit = 1, .value = 4096, .data = BYTES("a.b")}}},
    {"21 01 a000", {.type = WF_FRAME_CIRCUIT_ACCEPT, .u.circuit = {.circuit = 1, .value = 4096}}},
    {"22 01 02 cafe",
     {.type = WF_FRAME_CIRCUIT_DATA, .u.circuit = {.circuit = 1, .data = BYTES("\xca\xfe")}}},
    {"23 01 c000", {.type = WF_FRAME_CIRCUIT_CREDIT, .u.circuit = {.circuit = 1, .value = 8192}}},
    {"24 01 0a", {.type = WF_FRAME_CIRCUIT_RESET, .u.circuit = {.circuit = 1, .value = 10}}},
};

/* Runs to the end of the packet, so it can only be the last of a sequence. */
static const struct golden_frame golden_last = {
    "05 02 00 00 78797a",
    {.type = WF_FRAME_MESSAGE_DATA,
     .u.data = {.number = 2, .to_packet_end = true, .data = BYTES("xyz")}}};

/* newest 1000, 25 us, floor 990; 999 received, 998 and 997 missing, 996 received, 995 to 993 missing. */
#define GOLDEN_ACK "02 8768 19 0a 02 0102 0003"
/* newest 5 and nothing else; ECT0 7, ECT1 0, CE 128. */
#define GOLDEN_ACK_ECN "03 05 00 00 00 07 00 8100"
/* clang-format on */

#endif
