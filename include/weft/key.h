/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - durable identities: making one, keeping it in a file, writing it down, and naming a peer.
 *
 * An identity is an Ed25519 key (RFC 8032). Its public half is written `weft1…` (bech32m, BIP-350),
 * so that a typo is noticed. Its secret half stays in a file of mode 0600, under a passphrase if
 * one is given (Argon2id, RFC 9106).
 *
 * Threads  Every function may be called from any thread.
 * Errors   On an error nothing is written through pointers.
 */
#ifndef WEFT_KEY_H
#define WEFT_KEY_H

#include "weft/base.h"

WEFT_BEGIN_DECLS

#define WEFT_KEY_LEN 32

/* Bytes of the text of a key, the final NUL included. */
#define WEFT_KEY_TEXT_MAX 72

/* A public key: who somebody is. All zeros is nobody. */
typedef struct weft_key {
    uint8_t bytes[WEFT_KEY_LEN];
} weft_key;

/* Writes `weft1…` and a NUL. */
WEFT_API void weft_key_text(char out[WEFT_KEY_TEXT_MAX], const weft_key *key);

/* WEFT_ERR_MALFORMED: no key, or one with a typo in it. */
WEFT_API WEFT_NODISCARD weft_err weft_key_parse(weft_key *out, const char *text);

/* True for the key of all zeros, which stands for somebody who did not show a key. */
WEFT_API bool weft_key_is_nobody(const weft_key *key);

/* An identity with its secret half, in locked memory. */
typedef struct weft_identity weft_identity;

/* A new one from the system's generator. Free it with weft_identity_free. WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_identity_new(weft_identity **out);

/* Wipes and frees. NULL is allowed. */
WEFT_API void weft_identity_free(weft_identity *identity);
WEFT_API weft_key weft_identity_key(const weft_identity *identity);

/* The key this identity shows to the servers of an owner: one for each, so that servers that put
 * their heads together do not see that it is the same visitor. The owner of a server that is known
 * by its key alone is that key. Give it to those who run the server, for their rules.
 * WEFT_ERR_CRYPTO, not met with keys that weft_identity_key gave. */
WEFT_API WEFT_NODISCARD weft_err weft_identity_key_for(weft_key *out, const weft_identity *identity,
                                                       const weft_key *owner);

/* Writes a key file of mode 0600, whole or not at all. passphrase NULL: none.
 * WEFT_ERR_EXISTS: there is a file already (it is left alone); WEFT_ERR_DENIED, WEFT_ERR_NO_SPACE,
 * WEFT_ERR_IO. */
WEFT_API WEFT_NODISCARD weft_err weft_identity_save(const weft_identity *identity, const char *path,
                                                    const char *passphrase);

/* Reads a key file. WEFT_ERR_NOT_FOUND; WEFT_ERR_KEY_EXPOSED: others can read it;
 * WEFT_ERR_KEY_FILE: truncated, corrupt or no key file; WEFT_ERR_PASSPHRASE: it needs one, or
 * another one; WEFT_ERR_DENIED; WEFT_ERR_IO. */
WEFT_API WEFT_NODISCARD weft_err weft_identity_load(weft_identity **out, const char *path,
                                                    const char *passphrase);

/* Where this user's key is kept: $WEFT_HOME/key, else $XDG_CONFIG_HOME/weft/key, else
 * ~/.config/weft/key. Writes a NUL-terminated path. WEFT_ERR_LIMIT: cap is too small;
 * WEFT_ERR_NOT_FOUND: no home folder. */
WEFT_API WEFT_NODISCARD weft_err weft_identity_path(char *out, size_t cap);

#define WEFT_HOST_MAX 255
#define WEFT_PORT_DEFAULT 4870

/* A peer as people write it: `weft1…@host:port`. The port may be left out (4870), and the whole
 * address too, where it is known already. */
typedef struct weft_peer {
    weft_key key;
    char host[WEFT_HOST_MAX + 1]; /* "" when there is no address; IPv6 without brackets */
    uint16_t port;
} weft_peer;

/* WEFT_ERR_MALFORMED: the key; WEFT_ERR_ADDRESS: host or port. */
WEFT_API WEFT_NODISCARD weft_err weft_peer_parse(weft_peer *out, const char *text);

WEFT_END_DECLS

#endif
