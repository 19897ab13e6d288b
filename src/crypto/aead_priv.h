/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead_priv.h - what aead.c and its back ends share; nobody else includes it.
 */
#ifndef WF_CRYPTO_AEAD_PRIV_H
#define WF_CRYPTO_AEAD_PRIV_H

#include "crypto/aead.h"

#define WF_AEAD_NONCE_LEN 12

/* A back end is this table and what it keeps behind state. Lengths are checked before it is called.
 */
struct wf_aead_ops {
    const char *name;
    /* On failure nothing is kept. */
    weft_err (*setup)(struct wf_aead *a);
    void (*teardown)(struct wf_aead *a);
    void (*forget)(struct wf_aead *a);
    void (*seal)(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                 size_t count);
    /* Sets ok in each; aead.c zeroes the output of those that are not. */
    void (*open)(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                 size_t count);
};

struct wf_aead {
    const struct wf_aead_ops *ops;
    struct wf_mem *mem;
    unsigned algs; /* bit n: enum wf_aead_alg n is there; set by setup */
    void *state;   /* the back end's own */
};

extern const struct wf_aead_ops wf_aead_sodium;
extern const struct wf_aead_ops wf_aead_openssl;

void wf_aead_nonce(uint8_t nonce[WF_AEAD_NONCE_LEN], const struct wf_aead_key *k, uint64_t number);

#endif
