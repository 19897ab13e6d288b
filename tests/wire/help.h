/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.h - what the tests and fuzz targets of wire share: bytes written as hex, and for every
 * format a function that reads it and writes it again. A format with one encoding for one meaning
 * (all but the parameters) must give back the bytes that were read.
 */
#ifndef WEFT_TESTS_WIRE_HELP_H
#define WEFT_TESTS_WIRE_HELP_H

#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/handshake.h"
#include "wire/packet.h"
#include "wire/statement.h"

#define HELP_BYTES_MAX 4096

/* A codec under test: false when it refuses; else what it wrote again is in out, *len bytes. */
typedef bool (*help_again_fn)(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len);

static inline unsigned help_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c < 'a' || c > 'f')
        abort(); /* not hex: the sample itself is wrong */
    return (unsigned)(c - 'a' + 10);
}

/* Hex to a heap block of exactly its size; blanks between bytes are skipped. help_free it. */
static inline weft_span help_unhex(const char *text)
{
    size_t len = 0;

    for (const char *p = text; *p != '\0'; p++) {
        len += *p != ' ' ? 1 : 0;
    }
    uint8_t *data = malloc(len / 2);

    if (data == NULL && len > 0)
        abort();
    for (size_t i = 0; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        data[i++] = (uint8_t)(help_digit(text[0]) << 4 | help_digit(text[1]));
        text++;
    }
    return (weft_span){data, len / 2};
}

static inline void help_free(weft_span s)
{
    union {
        const uint8_t *in;
        void *out;
    } p = {.in = s.data};

    free(p.out);
}

static inline void help_append(uint8_t out[HELP_BYTES_MAX], size_t *len, weft_span s)
{
    memcpy(out + *len, s.data, s.len);
    *len += s.len;
}

static inline bool help_hello_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    struct wf_hello h;

    if (wf_hello_get(in, &h) != WEFT_OK)
        return false;
    *len = wf_hello_put(&h, out, HELP_BYTES_MAX);
    return true;
}

static inline bool help_challenge_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    struct wf_challenge c;

    if (wf_challenge_get(in, &c) != WEFT_OK)
        return false;
    *len = wf_challenge_put(&c, out, HELP_BYTES_MAX);
    return true;
}

static inline bool help_solve_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    struct wf_solve s;

    if (wf_solve_get(in, &s) != WEFT_OK)
        return false;
    *len = wf_solve_put_clear(&s, out, HELP_BYTES_MAX);
    if (*len != s.clear.len || memcmp(out, s.clear.data, *len) != 0)
        *len = 0; /* what it calls the clear part is not what it read */
    help_append(out, len, s.box0);
    help_append(out, len, s.box1);
    help_append(out, len, s.box2);
    return true;
}

static inline bool help_confirm_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    struct wf_confirm c;

    if (wf_confirm_get(in, &c) != WEFT_OK)
        return false;
    *len = wf_confirm_put_clear(&c, out, HELP_BYTES_MAX);
    if (*len != c.clear.len || memcmp(out, c.clear.data, *len) != 0)
        *len = 0;
    help_append(out, len, c.box3);
    return true;
}

static inline bool help_ask_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    struct wf_ask a;

    if (wf_ask_get(in, &a) != WEFT_OK)
        return false;
    *len = wf_ask_put(&a, out, HELP_BYTES_MAX);
    return true;
}

static inline bool help_statement_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    struct wf_statement s;

    if (wf_statement_get(in, &s) != WEFT_OK)
        return false;
    *len = wf_statement_put(&s, out, HELP_BYTES_MAX);
    return true;
}

static inline bool help_statement_packet_again(weft_span in, uint8_t out[HELP_BYTES_MAX],
                                               size_t *len)
{
    uint8_t bytes[WF_STATEMENT_MAX];
    uint8_t echo[WF_ECHO_LEN];
    struct wf_statement s;

    if (wf_statement_packet_get(in, echo, &s) != WEFT_OK)
        return false;
    weft_span statement = {bytes, wf_statement_put(&s, bytes, sizeof bytes)};
    *len = wf_statement_packet_put(echo, statement, out, HELP_BYTES_MAX);
    return true;
}

static inline bool help_hint_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    uint8_t tag[16];

    if (wf_hint_get(in, tag) != WEFT_OK)
        return false;
    *len = wf_hint_put(tag, out, HELP_BYTES_MAX);
    return true;
}

/* The received ranges that an ACK speaks of, newest first. */
static inline size_t help_ack_ranges(const struct wf_frame_ack *a,
                                     struct wf_ack_run ranges[WF_ACK_RUNS_MAX + 1])
{
    struct wf_ack_iter it = wf_ack_runs_of(a);
    struct wf_ack_run run;
    uint64_t top = a->newest;
    size_t count = 0;

    while (wf_ack_next_run(&it, &run)) {
        ranges[count++] = (struct wf_ack_run){run.last + 1, top};
        top = run.first - 1;
    }
    ranges[count++] = (struct wf_ack_run){a->floor, top};
    return count;
}

static inline void help_put_frame(struct wf_writer *w, const struct wf_frame *f)
{
    struct wf_ack_run ranges[WF_ACK_RUNS_MAX + 1];
    const struct wf_frame_ack *a = &f->u.ack;

    if (f->type != WF_FRAME_ACK && f->type != WF_FRAME_ACK_ECN) {
        const size_t before = w->len;

        wf_frame_put(w, f);
        w->failed |= w->len - before != wf_frame_len(f);
        return;
    }
    const struct wf_ack_put p = {.delay_us = a->delay_us,
                                 .has_ecn = a->has_ecn,
                                 .ect0 = a->ect0,
                                 .ect1 = a->ect1,
                                 .ce = a->ce,
                                 .received = ranges,
                                 .received_count = help_ack_ranges(a, ranges)};

    w->failed |= !wf_ack_put(w, &p);
}

/* Frames until the end, as a packet holds them. */
static inline bool help_frames_again(weft_span in, uint8_t out[HELP_BYTES_MAX], size_t *len)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_writer w = wf_writer_of(out, HELP_BYTES_MAX);
    struct wf_frame f;

    while (r.left > 0) {
        if (wf_frame_get(&r, &f) != WEFT_OK)
            return false;
        help_put_frame(&w, &f);
    }
    *len = wf_writer_ok(&w) ? w.len : SIZE_MAX;
    return true;
}

#endif
