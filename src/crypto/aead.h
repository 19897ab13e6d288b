/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead.h - authenticated encryption of packets, in batches of one key.
 *
 * XChaCha20-Poly1305 with a nonce whose first 16 bytes are fixed for a key equals ChaCha20-Poly1305
 * (RFC 8439) under the subkey HChaCha20(key, first 16 bytes) and the nonce 0^4 | last 8 bytes. So
 * the subkey is made once, in wf_aead_key_init, and any fast ChaCha20-Poly1305 gives libsodium's
 * bytes. AES-256-GCM takes 4 bytes of salt from the key schedule. In both cases: nonce = salt (4) |
 * number (8, big-endian).
 *
 * Threads  A struct wf_aead is working memory of one thread. Keys may be shared while nobody
 *          changes them.
 * Memory   struct wf_aead_key is a secret: keep it in secret memory (secret.h) and wipe it. A back
 *          end may keep the last key it worked with until wf_aead_forget or wf_aead_free.
 */
#ifndef WF_CRYPTO_AEAD_H
#define WF_CRYPTO_AEAD_H

#include "base/mem.h"

#define WF_AEAD_KEY_LEN 32
#define WF_AEAD_TAG_LEN 16
#define WF_AEAD_SALT_LEN 4
/* The longest plaintext and the longest associated data: what OpenSSL's int can count. */
#define WF_AEAD_LEN_MAX ((size_t)1 << 30)

enum wf_aead_alg {
    WF_AEAD_XCHACHA20_POLY1305 = 1,
    WF_AEAD_AES256_GCM = 2,
};

struct wf_aead_key {
    uint8_t key[WF_AEAD_KEY_LEN]; /* the ChaCha20 subkey, or the AES key */
    uint8_t salt[WF_AEAD_SALT_LEN];
    uint8_t alg; /* enum wf_aead_alg */
};

/* One packet. in and out may be the same pointer, and may not overlap otherwise. */
struct wf_aead_op {
    uint64_t number; /* last 8 bytes of the nonce; never twice under one key when sealing */
    weft_span ad;
    const uint8_t *in;
    size_t in_len; /* sealing: plaintext; opening: ciphertext and tag */
    uint8_t *out;  /* sealing: in_len + 16 bytes; opening: in_len - 16 bytes */
    bool ok;       /* set by opening: true when the tag was right. out is zeroed when it was not */
};

/* prefix is the fixed first 16 bytes of the XChaCha nonce (packets use zeros); for AES its first 4
 * bytes are the salt. */
void wf_aead_key_init(struct wf_aead_key *k, enum wf_aead_alg alg,
                      const uint8_t key[WF_AEAD_KEY_LEN], const uint8_t prefix[16]);

enum wf_aead_backend {
    WF_AEAD_BEST = 0, /* the fastest one present */
    WF_AEAD_SODIUM,   /* the reference */
    WF_AEAD_OPENSSL,
};

struct wf_aead;

/* WEFT_ERR_NOMEM; WEFT_ERR_NOT_FOUND: no such back end in this build. */
WEFT_NODISCARD weft_err wf_aead_new(struct wf_aead **out, enum wf_aead_backend backend,
                                    struct wf_mem *mem);
void wf_aead_free(struct wf_aead *a);

/* Overwrites the last keys inside the back end, if there are any: the core calls it before it
 * waits. */
void wf_aead_forget(struct wf_aead *a);

const char *wf_aead_backend_name(const struct wf_aead *a);
bool wf_aead_has(const struct wf_aead *a, enum wf_aead_alg alg);

/* Seals count packets under one key. Cannot fail: lengths are the caller's duty (asserted). */
void wf_aead_seal(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                  size_t count);

/* Opens count packets under one key, sets ok in each, returns how many opened. */
size_t wf_aead_open(struct wf_aead *a, const struct wf_aead_key *k, struct wf_aead_op *ops,
                    size_t count);

#endif
