/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_handshake_fuzz.c - any bytes as each packet of the handshake, and as what box2 and box3
 * hold. What is taken must be written again as it was.
 */
#include "tests/wire/help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_packets(weft_span in)
{
    static const help_again_fn codecs[] = {
        help_hello_again, help_challenge_again, help_solve_again,     help_confirm_again,
        help_hint_again,  help_ask_again,       help_statement_again, help_statement_packet_again};
    static uint8_t out[HELP_BYTES_MAX];

    for (size_t i = 0; i < WF_ARRAY_LEN(codecs); i++) {
        size_t len = 0;

        if (codecs[i](in, out, &len) && (len != in.len || memcmp(out, in.data, len) != 0))
            abort();
    }
}

/* Parameters have several encodings; the one we write must mean the same and be no longer. */
static void check_solve_body(weft_span in)
{
    uint8_t out[HELP_BYTES_MAX];
    struct wf_writer w = wf_writer_of(out, sizeof out);
    struct wf_solve_body a;
    struct wf_solve_body b;

    if (wf_solve_body_get(in, &a) != WEFT_OK)
        return;
    wf_solve_body_put(&w, &a);
    if (!wf_writer_ok(&w) || w.len > in.len - a.frames.len)
        abort();
    if (wf_solve_body_get((weft_span){out, w.len}, &b) != WEFT_OK)
        abort();
    if (memcmp(&a.params, &b.params, sizeof a.params) != 0 || a.wall_ms != b.wall_ms)
        abort();
    if (memcmp(a.choices, b.choices, sizeof a.choices) != 0 || b.frames.len != 0)
        abort();
}

static void check_confirm_body(weft_span in)
{
    uint8_t out[HELP_BYTES_MAX];
    struct wf_writer w = wf_writer_of(out, sizeof out);
    struct wf_confirm_body a;
    struct wf_confirm_body b;

    if (wf_confirm_body_get(in, &a) != WEFT_OK)
        return;
    wf_confirm_body_put(&w, &a);
    if (!wf_writer_ok(&w) || w.len > in.len - a.frames.len)
        abort();
    if (wf_confirm_body_get((weft_span){out, w.len}, &b) != WEFT_OK)
        abort();
    if (memcmp(&a.params, &b.params, sizeof a.params) != 0 || b.frames.len != 0)
        abort();
}

/* Half of the input against the other half, as two ends would compare their lists. */
static void check_lists(weft_span in)
{
    const weft_span client = {in.data, in.len / 2};
    const weft_span server = {in.data + in.len / 2, in.len - in.len / 2};
    uint64_t choices[WF_GROUPS_MAX];

    if (in.len == 0 || !wf_lists_valid(client) || !wf_lists_valid(server))
        return;
    if (wf_lists_choose(client, server, choices) > WF_GROUPS_MAX)
        abort();
    if (wf_lists_choose(client, client, choices) > 0 && choices[0] == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const weft_span in = {data, size};

    if (size > HELP_BYTES_MAX / 2)
        return 0;
    check_packets(in);
    check_solve_body(in);
    check_confirm_body(in);
    check_lists(in);
    return 0;
}
