/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_reader_fuzz.c - any sequence of reads over any bytes stays inside them; a varint that was
 * read is written again as the same bytes.
 *
 *   input: a byte, how many of the next are calls; the calls; what is read
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "base/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_varint(struct wf_reader *r)
{
    const struct wf_reader before = *r;
    const uint64_t v = wf_read_varint(r);
    uint8_t out[WF_VARINT_MAX];
    struct wf_writer w = wf_writer_of(out, sizeof out);

    if (!wf_reader_ok(r)) {
        must(v == 0);
        return;
    }
    wf_write_varint(&w, v);
    must(w.len == before.left - r->left);
    must(w.len == wf_varint_len(v));
    must(memcmp(out, before.pos, w.len) == 0);
}

static void read_one(struct wf_reader *r, uint8_t call)
{
    const size_t argument = call >> 4;
    uint8_t out[16] = {0};

    switch (call & 15) {
    case 0:
        (void)wf_read_u8(r);
        break;
    case 1:
        (void)wf_read_u16(r);
        break;
    case 2:
        (void)wf_read_u32(r);
        break;
    case 3:
        (void)wf_read_u64(r);
        break;
    case 4:
        must(wf_read_u8_max(r, call) <= call);
        break;
    case 5:
        must(wf_read_varint_max(r, argument) <= argument);
        break;
    case 6:
        must(wf_read_len8(r, argument, 200) <= 200);
        break;
    case 7:
        must(wf_read_len(r, argument, 300) <= 300);
        break;
    case 8:
        must(wf_read_span(r, argument).len <= argument);
        break;
    case 9:
        wf_read_bytes(r, out, argument);
        break;
    case 10:
        (void)wf_read_rest(r);
        break;
    case 11:
        wf_reader_fail(r);
        break;
    default:
        read_varint(r);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_reader input = wf_reader_of(wf_span(data, size));
    const weft_span calls = wf_read_span(&input, wf_read_u8(&input));
    const weft_span text = wf_read_rest(&input);
    struct wf_reader r = wf_reader_of(text);
    bool failed = false;

    for (size_t i = 0; i < calls.len; i++) {
        read_one(&r, calls.data[i]);
        must(r.left <= text.len);
        must(!failed || !wf_reader_ok(&r));
        failed = !wf_reader_ok(&r);
        must(!failed || r.left == 0);
    }
    return 0;
}
