/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_cookie.c - the cookie: a MAC over everything that CHALLENGE and HELLO said and the address
 * they went between, so that the server need not remember any of it
 * (docs/spec/1-handshake.md, 1.2).
 */
#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/adm_priv.h"

#define INPUT_MAX 160

void wf_adm_cookie(const struct wf_adm *a, uint8_t cookie[WF_COOKIE_LEN],
                   const struct wf_adm_cookie_input *in)
{
    uint8_t buf[INPUT_MAX];
    struct wf_writer w = wf_writer_of(buf, sizeof buf);

    wf_challenge_head_put(&w, in->head);
    wf_write_bytes(&w, in->prefix, 4);
    wf_write_bytes(&w, in->n_c, WF_NONCE_LEN);
    wf_write_u8(&w, in->from->family);
    wf_write_bytes(&w, in->from->ip, in->from->family == WF_ADDR_V4 ? 4 : 16);
    wf_write_u16(&w, in->from->port);
    wf_write_u8(&w, (uint8_t)in->lists.len);
    wf_write_span(&w, in->lists);
    WEFT_ASSERT(wf_writer_ok(&w));
    wf_siphash128(cookie, a->secrets->cookie[in->head->epoch % WF_ADM_EPOCHS], wf_span(buf, w.len));
}
