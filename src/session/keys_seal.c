/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_seal.c - packets on their way out: sealed in batches, then masked, in place. It must never
 * seal two packets under one number.
 */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"
#include "session/keys_priv.h"
#include "wire/packet.h"

uint8_t wf_keys_first_byte(const struct wf_keys *k)
{
    return (uint8_t)(WF_PACKET_FIXED_BIT | ((k->generation & 1) != 0 ? WF_PACKET_PHASE_BIT : 0u));
}

void wf_keys_mask(uint8_t mask[16], const uint8_t header_key[16], const uint8_t *tag)
{
    wf_siphash128(mask, header_key, wf_span(tag, WF_PACKET_TAG));
    wf_ct_public(mask, 16); /* number and phase have to be known before anything is opened */
    mask[0] &= 0x7f;
}

static void mask_header(const struct wf_keys *k, const struct wf_seal *p)
{
    uint8_t mask[16];

    wf_keys_mask(mask, k->header_tx, p->buf + p->header_len + p->frames_len);
    p->buf[0] ^= mask[0];
    for (size_t i = 9; i < p->header_len; i++)
        p->buf[i] ^= mask[i - 8];
}

static void prepare(struct wf_keys *k, const struct wf_seal *p, struct wf_aead_op *op)
{
    WEFT_ASSERT(p->number > k->sealed_last);
    WEFT_ASSERT(p->number <= WF_KEYS_PACKETS_MAX); /* SPEC 2.5-4 */
    WEFT_ASSERT(p->header_len > 9);
    WEFT_ASSERT(p->header_len <= WF_PACKET_HEADER_MAX);
    k->sealed_last = p->number;
    *op = (struct wf_aead_op){.number = p->number, /* SPEC 2.1-1 */
                              .ad = wf_span(p->buf, p->header_len),
                              .in = p->buf + p->header_len,
                              .in_len = p->frames_len,
                              .out = p->buf + p->header_len};
}

void wf_keys_seal(struct wf_keys *k, struct wf_aead *aead, struct wf_seal *packets, size_t count)
{
    struct wf_aead_op ops[WF_KEYS_BATCH];

    while (count > 0) {
        size_t n = count < WF_KEYS_BATCH ? count : WF_KEYS_BATCH;
        for (size_t i = 0; i < n; i++)
            prepare(k, &packets[i], &ops[i]);
        wf_aead_seal(aead, &k->tx, ops, n);
        for (size_t i = 0; i < n; i++)
            mask_header(k, &packets[i]);
        packets += n;
        count -= n;
    }
}
