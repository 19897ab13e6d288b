/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.c - the keys of a session and how they change (docs/spec/2-packets.md, 2.4 and 2.5). What is
 * replaced is wiped at once.
 */
#include "session/keys_priv.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/hash.h"
#include "wire/packet.h"

/* SPEC 2.4: XChaCha20's fixed prefix is zeros, AES takes its salt from the root. */
void wf_keys_packet_key(struct wf_aead_key *out, enum wf_aead_alg alg, const uint8_t root[32])
{
    uint8_t key[WF_AEAD_KEY_LEN];
    uint8_t prefix[16] = {0};

    wf_kdf(key, sizeof key, root, "weft packet key", (weft_span){0});
    if (alg == WF_AEAD_AES256_GCM) {
        wf_kdf(prefix, WF_AEAD_SALT_LEN, root, "weft packet salt", (weft_span){0});
    }
    wf_aead_key_init(out, alg, key, prefix);
    wf_wipe(key, sizeof key);
    wf_wipe(prefix, sizeof prefix);
}

void wf_keys_init(struct wf_keys *k, enum wf_role role, enum wf_aead_alg alg,
                  const struct wf_session_secrets *s)
{
    bool is_client = role == WF_ROLE_CLIENT;

    memset(k, 0, sizeof *k);
    k->role = (uint8_t)role;
    k->alg = (uint8_t)alg;
    memcpy(k->root_tx, is_client ? s->root_c2s : s->root_s2c, 32);
    memcpy(k->root_rx, is_client ? s->root_s2c : s->root_c2s, 32);
    memcpy(k->transcript, s->transcript, 32);
    wf_kdf(k->header_tx, sizeof k->header_tx, k->root_tx, "weft header key", (weft_span){0});
    wf_kdf(k->header_rx, sizeof k->header_rx, k->root_rx, "weft header key", (weft_span){0});
    wf_keys_packet_key(&k->tx, alg, k->root_tx);
    wf_keys_packet_key(&k->rx, alg, k->root_rx);
}

/* SPEC 2.5: transcript' = H(transcript | g+1 | E_c | E_s) */
static void grow_transcript(struct wf_keys *k, const uint8_t e_c[32], const uint8_t e_s[32])
{
    uint8_t generation[8];

    wf_store_u64(generation, k->generation + 1);
    const weft_span parts[] = {wf_span(k->transcript, 32), wf_span(generation, 8), wf_span(e_c, 32),
                               wf_span(e_s, 32)};
    wf_hash(k->transcript, parts, WF_ARRAY_LEN(parts));
}

/* root' = D(32, root, "weft rekey", X25519 | transcript'); out may be root. */
static void next_root(uint8_t out[32], const uint8_t root[32], const uint8_t input[64])
{
    uint8_t made[32];

    wf_kdf(made, sizeof made, root, "weft rekey", wf_span(input, 64));
    memcpy(out, made, sizeof made);
    wf_wipe(made, sizeof made);
}

static void keep_old_rx(struct wf_keys *k, const struct wf_aead_key *next)
{
    k->rx_old = k->rx;
    k->has_old_rx = true;
    k->rx = *next;
    k->generation_rx++;
}

/* Moves to the next generation of tx, whose root and key are in root_tx_next and tx_next. */
static void switch_tx(struct wf_keys *k)
{
    memcpy(k->root_tx, k->root_tx_next, sizeof k->root_tx);
    k->tx = k->tx_next;
    k->generation++;
    k->has_next_tx = false;
    wf_wipe(k->root_tx_next, sizeof k->root_tx_next);
    wf_wipe(&k->tx_next, sizeof k->tx_next);
}

static void switch_rx(struct wf_keys *k)
{
    keep_old_rx(k, &k->rx_next);
    k->has_next_rx = false;
    wf_wipe(&k->rx_next, sizeof k->rx_next);
}

void wf_keys_rekey(struct wf_keys *k, const uint8_t dh[32], const uint8_t e_c[32],
                   const uint8_t e_s[32])
{
    WEFT_ASSERT(!k->has_next_rx);
    uint8_t input[64];
    enum wf_aead_alg alg = (enum wf_aead_alg)k->alg;

    grow_transcript(k, e_c, e_s);
    memcpy(input, dh, 32);
    memcpy(input + 32, k->transcript, 32);
    next_root(k->root_tx_next, k->root_tx, input);
    next_root(k->root_rx, k->root_rx, input);
    wf_wipe(input, sizeof input);
    wf_keys_packet_key(&k->tx_next, alg, k->root_tx_next);
    wf_keys_packet_key(&k->rx_next, alg, k->root_rx);
    k->has_next_tx = true;
    k->has_next_rx = true;
    if (k->role == WF_ROLE_CLIENT) { /* SPEC 2.5-2 */
        switch_tx(k);
        switch_rx(k);
        k->rx_unused = true;
    }
}

/* SPEC 2.5-3 */
void wf_keys_forget_old(struct wf_keys *k)
{
    k->has_old_rx = false;
    wf_wipe(&k->rx_old, sizeof k->rx_old);
}

void wf_keys_log(const struct wf_keys *k, const struct wf_keylog *log, const uint8_t cid_tx[8],
                 const uint8_t cid_rx[8])
{
    bool is_client = k->role == WF_ROLE_CLIENT;
    const uint8_t *root_tx = k->has_next_tx ? k->root_tx_next : k->root_tx;
    unsigned phase = (unsigned)(k->generation + (k->has_next_tx ? 1u : 0u));

    if (log == NULL)
        return;
    if (is_client) {
        log->line(log->ctx, cid_tx, phase, "c2s", root_tx);
        log->line(log->ctx, cid_rx, phase, "s2c", k->root_rx);
    } else {
        log->line(log->ctx, cid_rx, phase, "c2s", k->root_rx);
        log->line(log->ctx, cid_tx, phase, "s2c", root_tx);
    }
}

/* SPEC 2.5-4 */
bool wf_keys_spent(const struct wf_keys *k)
{
    return k->sealed_last >= WF_KEYS_PACKETS_MAX || k->forged >= WF_KEYS_FORGERIES_MAX;
}

/* The first packet that opened under the newest receive key: called once a generation. */
void wf_keys_entered(struct wf_keys *k)
{
    if (k->has_next_rx) {
        switch_rx(k);
        switch_tx(k);
    }
    k->rx_unused = false;
}
