/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256.c - SHA-256 through OpenSSL, which has the processor's own instructions for it.
 */
#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/assert.h"

struct wf_sha256 {
    EVP_MD_CTX *ctx;
};

weft_err wf_sha256_new(struct wf_sha256 **out)
{
    struct wf_sha256 *h = calloc(1, sizeof *h);

    if (h == NULL)
        return WEFT_ERR_NOMEM;
    h->ctx = EVP_MD_CTX_new();
    if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
        wf_sha256_free(h);
        return WEFT_ERR_NOMEM;
    }
    *out = h;
    return WEFT_OK;
}

void wf_sha256_free(struct wf_sha256 *h)
{
    if (h == NULL)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void wf_sha256_add(struct wf_sha256 *h, weft_span data)
{
    WEFT_ASSERT(EVP_DigestUpdate(h->ctx, data.data, data.len) == 1);
}

void wf_sha256_end(struct wf_sha256 *h, uint8_t out[WF_SHA256_LEN])
{
    unsigned len = WF_SHA256_LEN;

    WEFT_ASSERT(EVP_DigestFinal_ex(h->ctx, out, &len) == 1);
}
