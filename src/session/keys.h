/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h - protection of a session's packets: keys of both directions, masking, sealing, opening,
 * key change (docs/spec/2-packets.md). Knows no frames, timers or sockets; when a key changes is
 * the transport's decision.
 *
 * Memory   struct wf_keys is a secret and lives in a slot of a secret arena; struct wf_receive is
 * not.
 */
#ifndef WF_SESSION_KEYS_H
#define WF_SESSION_KEYS_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/aead.h"
#include "session/replay.h"

enum wf_role { WF_ROLE_CLIENT = 0, WF_ROLE_SERVER = 1 }; /* of the handshake */

/* What a handshake yields. A secret: wipe it after wf_keys_init. */
struct wf_session_secrets {
    uint8_t root_c2s[32], root_s2c[32], transcript[32];
};

/* The roots of both directions, generation after generation, can be shown to a key log (NULL:
 * none). */
struct wf_keylog {
    void (*line)(void *ctx, const uint8_t cid[8], unsigned phase, const char *direction,
                 const uint8_t root[32]);
    void *ctx;
};

/* Hard stops of a session (spec 2.5-4). */
#define WF_KEYS_PACKETS_MAX ((uint64_t)1 << 48)
#define WF_KEYS_FORGERIES_MAX ((uint64_t)1 << 36)

struct wf_keys {
    uint8_t root_tx[32], root_rx[32], transcript[32];
    uint8_t root_tx_next[32]; /* server: until the first packet of the new generation was opened */
    uint8_t header_tx[16], header_rx[16];
    struct wf_aead_key tx, rx;
    struct wf_aead_key tx_next, rx_next, rx_old;
    uint64_t generation; /* of tx */
    uint64_t generation_rx;
    uint64_t sealed_last; /* highest number sealed: none may come twice */
    uint64_t forged;      /* packets that failed to open */
    bool has_next_rx, has_old_rx, has_next_tx;
    bool rx_unused; /* client: nothing of generation_rx was opened yet */
    uint8_t role, alg;
};

void wf_keys_init(struct wf_keys *k, enum wf_role role, enum wf_aead_alg alg,
                  const struct wf_session_secrets *s);

/* Makes the keys of generation + 1 (spec 2.5). At the client both directions change at once: tx is
 * the new key, the old rx key is kept as rx_old. At the server rx_next can open from now on; tx and
 * rx change when wf_keys_open meets the first packet of it; until then (has_next_rx) there must be
 * no further call. */
void wf_keys_rekey(struct wf_keys *k, const uint8_t dh[32], const uint8_t e_c[32],
                   const uint8_t e_s[32]);

/* Wipes the old receive key (spec 2.5-3). */
void wf_keys_forget_old(struct wf_keys *k);

/* Shows the newest roots of both directions ("c2s", "s2c"), each with the connection id that stands
 * in the packets of that direction; phase is the generation. After wf_keys_init and each
 * wf_keys_rekey. log may be NULL. */
void wf_keys_log(const struct wf_keys *k, const struct wf_keylog *log, const uint8_t cid_tx[8],
                 const uint8_t cid_rx[8]);

/* A session at rest (spec 4.6): everything that cannot be derived again, as bytes. Not while a key
 * change is under way or the old key is kept. */
#define WF_KEYS_FOLDED_MAX (2u + 4 * 32 + 3 * WF_VARINT_MAX)
bool wf_keys_can_fold(const struct wf_keys *k);
void wf_keys_fold(const struct wf_keys *k, struct wf_writer *w);
/* The other way; k is overwritten. WEFT_ERR_MALFORMED: these are no such bytes. */
WEFT_NODISCARD weft_err wf_keys_unfold(struct wf_keys *k, struct wf_reader *r);

/* True when a hard stop was reached: nothing opens any more, nothing may be sealed, the session
 * must end. */
bool wf_keys_spent(const struct wf_keys *k);

/* One packet to seal: buf holds the unmasked header (header_len bytes, wf_packet_put_header with
 * wf_keys_first_byte) and then the frames (frames_len bytes); 16 bytes of room follow for the tag.
 * Sealed and masked in place. */
struct wf_seal {
    uint8_t *buf;
    size_t header_len, frames_len;
    uint64_t number; /* above all that were sealed before, at most WF_KEYS_PACKETS_MAX (asserted) */
};
uint8_t wf_keys_first_byte(const struct wf_keys *k);
void wf_keys_seal(struct wf_keys *k, struct wf_aead *aead, struct wf_seal *packets, size_t count);

/* One packet to open, in place. */
struct wf_open {
    uint8_t *packet;
    size_t len;
    /* out */
    bool ok;
    bool tag_failed; /* counted against the limit of forgeries; false for malformed, replayed or
                        stale ones */
    bool repeated;   /* its number was seen already, or is too old to be known */
    bool new_phase; /* the first packet of a new generation, at either role; the server's tx changed
                       with it */
    uint64_t number;
    weft_span frames; /* inside packet */
};

/* Opens a batch: looks at the replay window before, sets it after. At most one trial a packet: the
 * phase bit chooses the key. The header stays as it came, masked; what does not open is wiped but
 * for header and tag. Returns how many are ok. */
size_t wf_keys_open(struct wf_keys *k, struct wf_replay *rx, struct wf_aead *aead,
                    struct wf_open *packets, size_t count);

#endif
