/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cid.h - connection ids that say to which of several shards behind one address they belong, so
 * that only who has the key can read it (docs/spec/1-handshake.md, 1.13).
 */
#ifndef WF_SESSION_CID_H
#define WF_SESSION_CID_H

#include "base/rng.h"
#include "wire/handshake.h"

#define WF_CIDS_KEY_LEN 16

/* Zeroed: there is one shard, and ids are nothing but random. All shards have the same key. */
struct wf_cids {
    uint8_t key[WF_CIDS_KEY_LEN];
    uint8_t shard; /* < count */
    uint8_t count; /* 0 as 1 */
};

/* A fresh id of this shard: 56 random bits, or 64 when there is but one. */
void wf_cid_make(const struct wf_cids *c, const struct wf_rng *rng, uint8_t cid[WF_CID_LEN]);

/* Whose it is; this shard's when no shard has made it. */
uint8_t wf_cid_shard(const struct wf_cids *c, const uint8_t cid[WF_CID_LEN]);

#endif
