/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_priv.h - what the node needs of an identity beyond key.h.
 */
#ifndef WF_ENDPOINT_IDENTITY_PRIV_H
#define WF_ENDPOINT_IDENTITY_PRIV_H

#include <stdio.h>

#include "session/identity.h"
#include "weft/key.h"

/* Its keys, in their locked memory. */
const struct wf_identity *identity_keys(const weft_identity *identity);

/* The secret seed; the caller wipes it. */
void identity_seed(const weft_identity *identity, uint8_t seed[32]);

/* Opens a file for appending that only its owner can read; NULL with errno set. An existing one is
 * made so. */
FILE *identity_open_private(const char *path);

#endif
