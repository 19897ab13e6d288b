/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefixes.h - which networks had how much of the CPU lately, and what effort those that had more
 * than their share owe (docs/spec/1-handshake.md, 1.7).
 *
 * Only an address that a cookie has proved may be charged: else anybody could make a victim pay.
 * What is forgotten is forgotten in everybody's favour: who is not in the table pays once.
 *
 * Threads  One thread at a time.
 * Memory   All of it when the tables are made.
 */
#ifndef WF_SESSION_PREFIXES_H
#define WF_SESSION_PREFIXES_H

#include "base/addr.h"
#include "base/mem.h"
#include "session/queue.h"

/* IPv4 /32 /24 /24 /16, IPv6 /64 /56 /48 /32. */
#define WF_PREFIXES_LEVELS 4u
#define WF_PREFIXES_WAYS 8u
#define WF_PREFIXES_SETS_MAX ((size_t)1 << 20)
#define WF_PREFIXES_STEP_US ((weft_time)625000)
#define WF_PREFIXES_HALF_LIFE_STEPS 16u /* 10 s */
#define WF_PREFIXES_LIVE_STEPS 64u      /* 40 s after its last charge a prefix counts no more */
/* Up to this part of all CPU time nobody is deranked, however many others there are. */
#define WF_PREFIXES_SHARE_FREE 64u
#define WF_PREFIXES_COST_MAX ((uint32_t)1000000)

struct wf_prefixes_entry {
    uint64_t tag;   /* keyed hash of the prefix; 0: free */
    uint64_t score; /* µs of CPU time, decayed up to `step` */
    uint64_t step;  /* of its last charge */
};

struct wf_prefixes_level {
    struct wf_prefixes_entry *entries;        /* sets * WF_PREFIXES_WAYS */
    uint32_t charged[WF_PREFIXES_LIVE_STEPS]; /* prefixes, by the step of their last charge */
    uint32_t live;                            /* sum of charged[] */
};

/* Written by these functions only. */
struct wf_prefixes {
    struct wf_mem *mem;
    size_t sets; /* a power of two */
    struct wf_prefixes_level levels[WF_PREFIXES_LEVELS];
    uint64_t step;  /* the present one */
    uint64_t total; /* decayed up to `step` */
    uint8_t sip_key[16];
};

/* sets: 1..WF_PREFIXES_SETS_MAX, a power of two; each of the 4 tables holds 8 prefixes a set.
 * WEFT_ERR_NOMEM: nothing is held. */
WEFT_NODISCARD weft_err wf_prefixes_init(struct wf_prefixes *p, struct wf_mem *mem, size_t sets,
                                         const uint8_t sip_key[16]);
void wf_prefixes_deinit(struct wf_prefixes *p);

/* Puts CPU time on the account of a proved address; more than a second counts as one. */
void wf_prefixes_charge(struct wf_prefixes *p, weft_time now, const struct wf_addr *addr,
                        uint32_t cost_us);

/* How many times the price an address owes, in sixteenths (WF_MULTIPLIER_ONE..WF_MULTIPLIER_MAX).
 * Changes nothing but the decay, so it may be asked for any address. */
uint32_t wf_prefixes_multiplier(struct wf_prefixes *p, weft_time now, const struct wf_addr *addr);

#endif
