/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limited.c - see limited.h.
 */
#include "session/limited.h"

#include <string.h>

#include "base/assert.h"
#include "base/bech32.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"

#define VARIANT 1
#define INVITATION_VERSION 1
#define INVITATION_PREFIX "weftgrp"
#define INVITATION_LEN (1 + WF_GROUP_KEY_LEN + 32 + 32)

/* SPEC 1.10-1: h0 holds the S that was known beforehand. */
static void start_h(uint8_t h[32], const struct wf_limited_server *server)
{
    static const uint8_t suite_and_variant[2] = {WF_SUITE, VARIANT};
    const weft_span parts[] = {wf_span_of("weft handshake 1"), wf_span(suite_and_variant, 2),
                               wf_span(server->key, 32), wf_span(server->dh, 32)};

    wf_hash(h, parts, WF_ARRAY_LEN(parts));
}

void wf_group_init(struct wf_group *g, const struct wf_limited_server *server,
                   const uint8_t group_key[WF_GROUP_KEY_LEN])
{
    start_h(g->ck, server);
    wf_kdf_chain(g->ck, g->mac, "psk", wf_span(group_key, WF_GROUP_KEY_LEN));
    wf_ct_secret(g, sizeof *g);
}

void wf_limited_start(struct wf_schedule *s, const struct wf_limited_server *server,
                      const struct wf_schedule_opening *o)
{
    memset(s, 0, sizeof *s);
    start_h(s->h, server);
    wf_schedule_open_with(s, o);
}

/* SPEC 1.10-5 */
void wf_limited_box0(uint8_t box0[WF_BOX0_LEN], const struct wf_group *g,
                     const struct wf_schedule *s)
{
    wf_kdf(box0, WF_BOX0_LEN, g->mac, "weft group box0", wf_span(s->h, sizeof s->h));
}

void wf_limited_enter(struct wf_schedule *s, const struct wf_group *g,
                      const uint8_t box0[WF_BOX0_LEN])
{
    static const uint8_t mode = WF_MODE_TWO_WAY; /* SPEC 1.10-3: there is no other */

    memcpy(s->ck, g->ck, sizeof s->ck);
    wf_schedule_mix(s, wf_span(box0, WF_BOX0_LEN));
    wf_schedule_mix(s, wf_span(&mode, 1));
}

void wf_invitation_text(char out[WF_INVITATION_TEXT_LEN + 1], const struct wf_invitation *in)
{
    uint8_t bytes[INVITATION_LEN] = {INVITATION_VERSION};
    weft_err err = WEFT_OK;

    memcpy(bytes + 1, in->group_key, WF_GROUP_KEY_LEN);
    memcpy(bytes + 33, in->server.key, 32);
    memcpy(bytes + 65, in->server.dh, 32);
    err = wf_bech32_encode_long(out, WF_INVITATION_TEXT_LEN + 1, INVITATION_PREFIX,
                                wf_span(bytes, sizeof bytes));
    WEFT_ASSERT(err == WEFT_OK); /* the length is right by construction */
    wf_wipe(bytes, sizeof bytes);
}

weft_err wf_invitation_parse(struct wf_invitation *out, weft_span text)
{
    uint8_t bytes[INVITATION_LEN];
    weft_err err = wf_bech32_decode_long(bytes, sizeof bytes, INVITATION_PREFIX, text);

    if (err == WEFT_OK && bytes[0] != INVITATION_VERSION) {
        err = WEFT_ERR_MALFORMED;
    }
    if (err == WEFT_OK) {
        memcpy(out->group_key, bytes + 1, WF_GROUP_KEY_LEN);
        memcpy(out->server.key, bytes + 33, 32);
        memcpy(out->server.dh, bytes + 65, 32);
    }
    wf_wipe(bytes, sizeof bytes);
    return err;
}
