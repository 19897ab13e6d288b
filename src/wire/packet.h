/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h - the outside of a session packet (docs/spec/2-packets.md): header layout and windowed
 * numbers. Pure; masking and sealing are the session's.
 */
#ifndef WF_WIRE_PACKET_H
#define WF_WIRE_PACKET_H

#include "base/reader.h"
#include "base/writer.h"

#define WF_PACKET_MIN 26
#define WF_PACKET_TAG 16
#define WF_PACKET_HEADER_MAX (1 + 8 + 9)
#define WF_PACKET_FIXED_BIT 0x80
#define WF_PACKET_PHASE_BIT 0x10
#define WF_PACKET_MODE_SHIFT 5
#define WF_WINDOW_BYTES_MAX 9

/* Bytes of the window number for n when `acked` is the largest acknowledged number (0: none),
 * spec 2.2-1: 1..9. */
size_t wf_window_width(uint64_t n, uint64_t acked);

/* Writes the low 7 * width bits of n, width bytes. */
void wf_window_put(uint8_t *out, uint64_t n, size_t width);

/* Reads an unmasked window number that begins at in: its low bits to *w. Returns its width; 0 when
 * it does not end within len or 9 bytes (spec 2.2-3), *w is untouched then. */
size_t wf_window_get(const uint8_t *in, size_t len, uint64_t *w);

/* n from the low bits w of width bytes, given the highest authenticated number (spec 2.2-2). */
uint64_t wf_window_decode(uint64_t w, size_t width, uint64_t highest);

/* Writes first byte, connection id and window number, unmasked. Returns the header's length. */
size_t wf_packet_put_header(uint8_t *out, uint8_t first, const uint8_t cid[8], uint64_t n,
                            size_t width);

/* What can be read without keys: false when it is too short or no session packet. cid points into
 * the packet. */
bool wf_packet_peek(weft_span packet, const uint8_t **cid, const uint8_t **tag);

#endif
