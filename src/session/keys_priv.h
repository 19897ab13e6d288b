/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_priv.h - what the files of keys.h share among themselves.
 */
#ifndef WF_SESSION_KEYS_PRIV_H
#define WF_SESSION_KEYS_PRIV_H

#include "session/keys.h"

/* Packets handed to the AEAD at a time; bounds what lies on the stack. */
#define WF_KEYS_BATCH 32u

/* SPEC 2.4: the key of packets under a root. */
void wf_keys_packet_key(struct wf_aead_key *out, enum wf_aead_alg alg, const uint8_t root[32]);

/* The first packet of the newest generation was opened: at the server both directions change. */
void wf_keys_entered(struct wf_keys *k);

/* SPEC 2.1-2: XORs the window number and the low seven bits of the first byte of a header with the
 * mask that the packet's tag gives. Masking and unmasking are the same. */
void wf_keys_mask(uint8_t mask[16], const uint8_t header_key[16], const uint8_t *tag);

#endif
