/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_fold.c - the keys of a session at rest, and back (docs/spec/4-transport.md 4.6). Packet keys
 * are derived again; header keys cannot be, for they come from the first roots, which are gone
 * after a key change. What is written is a secret.
 *
 *   size  field
 *      1  role
 *      1  algorithm
 *     32  root of what we send
 *     32  root of what we receive
 *     32  transcript
 *     16  header key of what we send
 *     16  header key of what we receive
 *  1..10  generation
 *  1..10  highest number sealed
 *  1..10  packets that failed to open
 */
#include <string.h>

#include "base/bytes.h"
#include "session/keys_priv.h"

bool wf_keys_can_fold(const struct wf_keys *k)
{
    return !k->has_next_rx && !k->has_old_rx && !k->has_next_tx && !k->rx_unused &&
           k->generation == k->generation_rx;
}

void wf_keys_fold(const struct wf_keys *k, struct wf_writer *w)
{
    wf_write_u8(w, k->role);
    wf_write_u8(w, k->alg);
    wf_write_bytes(w, k->root_tx, sizeof k->root_tx);
    wf_write_bytes(w, k->root_rx, sizeof k->root_rx);
    wf_write_bytes(w, k->transcript, sizeof k->transcript);
    wf_write_bytes(w, k->header_tx, sizeof k->header_tx);
    wf_write_bytes(w, k->header_rx, sizeof k->header_rx);
    wf_write_varint(w, k->generation);
    wf_write_varint(w, k->sealed_last);
    wf_write_varint(w, k->forged);
}

weft_err wf_keys_unfold(struct wf_keys *k, struct wf_reader *r)
{
    memset(k, 0, sizeof *k);
    k->role = wf_read_u8_max(r, WF_ROLE_SERVER);
    k->alg = wf_read_u8_max(r, WF_AEAD_AES256_GCM);
    wf_read_bytes(r, k->root_tx, sizeof k->root_tx);
    wf_read_bytes(r, k->root_rx, sizeof k->root_rx);
    wf_read_bytes(r, k->transcript, sizeof k->transcript);
    wf_read_bytes(r, k->header_tx, sizeof k->header_tx);
    wf_read_bytes(r, k->header_rx, sizeof k->header_rx);
    k->generation = wf_read_varint(r);
    k->generation_rx = k->generation;
    k->sealed_last = wf_read_varint_max(r, WF_KEYS_PACKETS_MAX);
    k->forged = wf_read_varint(r);
    if (!wf_reader_ok(r) || k->alg < WF_AEAD_XCHACHA20_POLY1305) {
        wf_wipe(k, sizeof *k);
        return WEFT_ERR_MALFORMED;
    }
    wf_keys_packet_key(&k->tx, (enum wf_aead_alg)k->alg, k->root_tx);
    wf_keys_packet_key(&k->rx, (enum wf_aead_alg)k->alg, k->root_rx);
    return WEFT_OK;
}
