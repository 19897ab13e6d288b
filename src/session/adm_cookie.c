/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_cookie.c - the cookie: a MAC over everything that CHALLENGE and HELLO said and the address
 * they went between, so that the server need not remember any of it
 * (docs/spec/1-handshake.md, 1.2).
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/adm_priv.h"

#define PREFIX_LEN 4
#define INPUT_MAX \
    (WF_CHALLENGE_HEAD_LEN + PREFIX_LEN + WF_NONCE_LEN + 1 + 16 + 2 + 1 + WF_LISTS_MAX)

/* Plain copies: this is done for every HELLO that anybody sends. */
static uint8_t *put(uint8_t *at, const uint8_t *data, size_t len)
{
    if (len > 0) {
        memcpy(at, data, len);
    }
    return at + len;
}

/* SPEC 1.2-6 */
bool wf_adm_epoch_lives(const struct wf_adm *a, uint32_t epoch)
{
    return epoch <= a->epoch && a->epoch - epoch < WF_ADM_EPOCHS;
}

void wf_adm_cookie(const struct wf_adm *a, uint8_t cookie[WF_COOKIE_LEN],
                   const struct wf_adm_cookie_input *in)
{
    uint8_t buf[INPUT_MAX];
    uint8_t *at = buf;
    size_t ip_len = in->from->family == WF_ADDR_V4 ? 4 : 16;

    WEFT_ASSERT(in->lists.len <= WF_LISTS_MAX);
    wf_challenge_head_store(at, in->head);
    at = put(at + WF_CHALLENGE_HEAD_LEN, in->prefix, PREFIX_LEN);
    at = put(at, in->n_c, WF_NONCE_LEN);
    *at++ = in->from->family;
    at = put(at, in->from->ip, ip_len);
    *at++ = (uint8_t)(in->from->port >> 8);
    *at++ = (uint8_t)in->from->port;
    *at++ = (uint8_t)in->lists.len;
    at = put(at, in->lists.data, in->lists.len);
    wf_siphash128(cookie, a->secrets->cookie[in->head->epoch % WF_ADM_EPOCHS],
                  wf_span(buf, (size_t)(at - buf)));
}
