/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_fold.h - what core_fold.c, core_presence.c and core_dormant.c share about a session at rest.
 */
#ifndef WF_ENDPOINT_CORE_FOLD_H
#define WF_ENDPOINT_CORE_FOLD_H

#include <string.h>

#include "endpoint/core_priv.h"

/* Index entries of one at rest: its connection ids, then its peer's name. */
#define PRESENCE_NAME_AT (PRESENCE_IDS - 1u)
#define PRESENCE_PACKET_MAX 65536u

/* In locked memory, while a record is made or read. */
struct presence_scratch {
    uint8_t record[PRESENCE_LEN];
    struct wf_keys keys;
};

/* What must be known without opening the record. */
struct presence {
    uint8_t cids[PRESENCE_CIDS][WF_CID_LEN];
    uint64_t name; /* hash of the peer's name */
    weft_time folded_at;
    uint32_t older, newer; /* in the order of folding; WF_VAULT_NONE */
    uint32_t forged;       /* packets that did not open since */
    uint16_t len;          /* of the record */
    uint8_t cid_count;
    bool has_name;
};

/* Which of its entries leads to one at rest: id is of the index, p what it belongs to. */
static inline bool presence_has_cid(const struct presence *p, uint32_t id,
                                    const uint8_t cid[WF_CID_LEN])
{
    const uint32_t i = id % PRESENCE_IDS;

    return i != PRESENCE_NAME_AT && memcmp(p->cids[i], cid, WF_CID_LEN) == 0;
}

/* core_presence.c */
struct presence *presence_at(const struct wf_core *c, uint32_t slot);
void presence_drop(struct wf_core *c, uint32_t slot);
/* False: there is none. It takes the scratch. */
bool presence_drop_oldest(struct wf_core *c, weft_time now);
/* WEFT_TIME_NEVER where the sum is later. */
weft_time presence_after(weft_time from, uint64_t us);
uint64_t presence_rest_us(const struct wf_core *c);

/* Enters all of it, as slot, or nothing. WEFT_ERR_NOMEM. */
weft_err presence_enter_index(struct wf_core *c, struct wf_index *x, uint32_t slot,
                              const struct presence *p);
void presence_leave_index(struct wf_index *x, uint32_t slot, const struct presence *p);

uint64_t presence_hash(const struct wf_core *c, const void *data, size_t len);

/* Where the places are all taken the oldest goes. It takes the scratch. */
void presence_make_place(struct wf_core *c, weft_time now);
/* The record in the scratch becomes a presence, the newest. WEFT_ERR_LIMIT, WEFT_ERR_NOMEM. */
weft_err presence_keep(struct wf_core *c, const struct presence *like);

/* Scratch and vault are there. WEFT_ERR_NOMEM. */
weft_err presence_make_parts(struct wf_core *c);

/* core_dormant.c: those that have been at rest for long, in a file.
 *
 * Takes over the presence in this slot, whose record stays where it is too; false: there is no
 * file, or it does not take it. */
bool dormant_put(struct wf_core *c, weft_time now, uint32_t slot);
/* Makes presences of those with this connection id or this name. */
void dormant_recall_cid(struct wf_core *c, weft_time now, const uint8_t cid[WF_CID_LEN]);
void dormant_recall_name(struct wf_core *c, weft_time now, uint64_t name);
/* When one at rest goes to the file, counted from folding; UINT64_MAX: there is none. */
uint64_t dormant_after_us(const struct wf_core *c);
weft_time dormant_deadline(const struct wf_core *c);
void dormant_tick(struct wf_core *c, weft_time now);
void dormant_clear(struct wf_core *c);
struct presence *dormant_at(const struct wf_core *c, uint32_t row);
const char *dormant_check(const struct wf_core *c);

#endif
