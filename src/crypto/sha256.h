/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256.h - SHA-256 (FIPS 180-4) of files, piece by piece: the digest that people can check with
 * sha256sum.
 */
#ifndef WF_CRYPTO_SHA256_H
#define WF_CRYPTO_SHA256_H

#include "base/compiler.h"

#define WF_SHA256_LEN 32

struct wf_sha256;

/* WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_sha256_new(struct wf_sha256 **out);
void wf_sha256_free(struct wf_sha256 *h);
void wf_sha256_add(struct wf_sha256 *h, weft_span data);

/* The digest of all that was added; nothing may be added afterwards. */
void wf_sha256_end(struct wf_sha256 *h, uint8_t out[WF_SHA256_LEN]);

#endif
