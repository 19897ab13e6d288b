/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.c - what box2 of SOLVE and box3 of CONFIRM hold once they are opened. The frames at the end
 * are handed on unread.
 */
#include "base/assert.h"
#include "wire/handshake.h"

static void get_choices(struct wf_reader *r, struct wf_solve_body *b)
{
    b->choice_count = wf_read_u8_max(r, WF_GROUPS_MAX);
    for (size_t i = 0; i < b->choice_count && wf_reader_ok(r); i++) {
        b->choices[i] = wf_read_varint(r);
    }
}

weft_err wf_solve_body_get(weft_span in, struct wf_solve_body *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_solve_body b = {0};

    wf_read_bytes(&r, b.cid, sizeof b.cid);
    b.wall_ms = wf_read_u64(&r);
    get_choices(&r, &b);
    wf_params_get(&r, &b.params);
    b.frames = wf_read_rest(&r);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    *out = b;
    return WEFT_OK;
}

void wf_solve_body_put(struct wf_writer *w, const struct wf_solve_body *b)
{
    WEFT_ASSERT(b->choice_count <= WF_GROUPS_MAX);
    wf_write_bytes(w, b->cid, sizeof b->cid);
    wf_write_u64(w, b->wall_ms);
    wf_write_u8(w, b->choice_count);
    for (size_t i = 0; i < b->choice_count; i++) {
        wf_write_varint(w, b->choices[i]);
    }
    wf_params_put(w, &b->params);
}

weft_err wf_confirm_body_get(weft_span in, struct wf_confirm_body *out)
{
    struct wf_reader r = wf_reader_of(in);
    struct wf_confirm_body b = {0};

    wf_read_bytes(&r, b.cid, sizeof b.cid);
    wf_params_get(&r, &b.params);
    b.frames = wf_read_rest(&r);
    if (!wf_reader_done(&r))
        return WEFT_ERR_MALFORMED;

    *out = b;
    return WEFT_OK;
}

void wf_confirm_body_put(struct wf_writer *w, const struct wf_confirm_body *b)
{
    wf_write_bytes(w, b->cid, sizeof b->cid);
    wf_params_put(w, &b->params);
}
