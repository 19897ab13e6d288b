/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefixes.c - see prefixes.h. One table for each length of prefix, in sets of eight under a keyed
 * hash; in a full set the lowest score goes, so that who sprays addresses pushes out his own small
 * scores and not his big one.
 */
#include "session/prefixes.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "crypto/hash.h"

#define SCORE_BITS 8u /* below a µs, so that decay does not round small scores away */
#define SCORE_MAX ((uint64_t)1 << 46)
#define KEY_LEN 18

static const struct {
    uint8_t bits_v4, bits_v6;
    uint8_t multiplier_max; /* times the price */
} levels[WF_PREFIXES_LEVELS] = {{32, 64, 8}, {24, 56, 8}, {24, 48, 8}, {16, 32, 2}};

/* 2^(-i/16) as parts of 65536. */
static const uint32_t decay_table[WF_PREFIXES_HALF_LIFE_STEPS] = {
    65536, 62757, 60097, 57549, 55109, 52772, 50535, 48393,
    46341, 44376, 42495, 40693, 38968, 37316, 35734, 34219,
};

static uint64_t decayed(uint64_t score, uint64_t steps)
{
    const uint64_t halves = steps / WF_PREFIXES_HALF_LIFE_STEPS;

    if (halves >= 64)
        return 0;
    return (score >> halves) * decay_table[steps % WF_PREFIXES_HALF_LIFE_STEPS] >> 16;
}

static uint64_t capped_sum(uint64_t a, uint64_t b)
{
    return a + b < SCORE_MAX ? a + b : SCORE_MAX;
}

/* --- memory --- */

static size_t entries_of(const struct wf_prefixes *p)
{
    return p->sets * WF_PREFIXES_WAYS;
}

weft_err wf_prefixes_init(struct wf_prefixes *p, struct wf_mem *mem, size_t sets,
                          const uint8_t sip_key[16])
{
    WEFT_ASSERT(sets > 0);
    WEFT_ASSERT(sets <= WF_PREFIXES_SETS_MAX);
    WEFT_ASSERT((sets & (sets - 1)) == 0);
    memset(p, 0, sizeof *p);
    p->mem = mem;
    p->sets = sets;
    memcpy(p->sip_key, sip_key, sizeof p->sip_key);
    for (size_t i = 0; i < WF_PREFIXES_LEVELS; i++) {
        p->levels[i].entries = (struct wf_prefixes_entry *)wf_alloc_array(
            mem, entries_of(p), sizeof(struct wf_prefixes_entry));
        if (p->levels[i].entries == NULL) {
            wf_prefixes_deinit(p);
            return WEFT_ERR_NOMEM;
        }
    }
    return WEFT_OK;
}

void wf_prefixes_deinit(struct wf_prefixes *p)
{
    for (size_t i = 0; i < WF_PREFIXES_LEVELS; i++) {
        wf_free(p->mem, p->levels[i].entries, entries_of(p) * sizeof(struct wf_prefixes_entry));
    }
    wf_wipe(p, sizeof *p);
}

/* --- time --- */

static void forget_step(struct wf_prefixes *p, uint64_t step)
{
    for (size_t i = 0; i < WF_PREFIXES_LEVELS; i++) {
        struct wf_prefixes_level *l = &p->levels[i];

        l->live -= l->charged[step % WF_PREFIXES_LIVE_STEPS];
        l->charged[step % WF_PREFIXES_LIVE_STEPS] = 0;
    }
}

static void advance(struct wf_prefixes *p, weft_time now)
{
    const uint64_t step = now / WF_PREFIXES_STEP_US;

    if (step <= p->step)
        return;
    for (uint64_t i = 1; i <= WF_PREFIXES_LIVE_STEPS && i <= step - p->step; i++) {
        forget_step(p, p->step + i);
    }
    p->total = decayed(p->total, step - p->step);
    p->step = step;
}

/* --- entries --- */

/* The prefix of an address at a level, with what tells it from all others. */
static uint64_t tag_of(const struct wf_prefixes *p, size_t level, const struct wf_addr *addr)
{
    const bool is_v4 = addr->family == WF_ADDR_V4;
    const size_t len = (is_v4 ? levels[level].bits_v4 : levels[level].bits_v6) / 8u;
    uint8_t key[KEY_LEN] = {addr->family, (uint8_t)level};

    memcpy(key + 2, addr->ip, len);
    const uint64_t tag = wf_siphash64(p->sip_key, wf_span(key, sizeof key));

    wf_ct_public(&tag, sizeof tag); /* a place in the table */
    return tag != 0 ? tag : 1;
}

static struct wf_prefixes_entry *set_of(const struct wf_prefixes *p, size_t level, uint64_t tag)
{
    return &p->levels[level].entries[(tag & (p->sets - 1)) * WF_PREFIXES_WAYS];
}

static uint64_t score_now(const struct wf_prefixes *p, const struct wf_prefixes_entry *e)
{
    return decayed(e->score, p->step - e->step);
}

static struct wf_prefixes_entry *find(const struct wf_prefixes *p, size_t level, uint64_t tag)
{
    struct wf_prefixes_entry *set = set_of(p, level, tag);

    for (size_t i = 0; i < WF_PREFIXES_WAYS; i++) {
        if (set[i].tag == tag)
            return &set[i];
    }
    return NULL;
}

/* A free one has the score 0. */
static struct wf_prefixes_entry *lowest(const struct wf_prefixes *p, size_t level, uint64_t tag)
{
    struct wf_prefixes_entry *set = set_of(p, level, tag);
    struct wf_prefixes_entry *low = &set[0];

    for (size_t i = 1; i < WF_PREFIXES_WAYS; i++) {
        if (score_now(p, &set[i]) < score_now(p, low)) {
            low = &set[i];
        }
    }
    return low;
}

static void leave_count(struct wf_prefixes *p, size_t level, const struct wf_prefixes_entry *e)
{
    struct wf_prefixes_level *l = &p->levels[level];

    if (e->tag == 0 || p->step - e->step >= WF_PREFIXES_LIVE_STEPS)
        return;
    l->charged[e->step % WF_PREFIXES_LIVE_STEPS]--;
    l->live--;
}

static void charge_level(struct wf_prefixes *p, size_t level, const struct wf_addr *addr,
                         uint64_t cost)
{
    struct wf_prefixes_level *l = &p->levels[level];
    const uint64_t tag = tag_of(p, level, addr);
    struct wf_prefixes_entry *e = find(p, level, tag);

    if (e == NULL) {
        e = lowest(p, level, tag);
        leave_count(p, level, e);
        *e = (struct wf_prefixes_entry){.tag = tag};
    } else {
        leave_count(p, level, e);
        e->score = score_now(p, e);
    }
    e->score = capped_sum(e->score, cost);
    e->step = p->step;
    l->charged[p->step % WF_PREFIXES_LIVE_STEPS]++;
    l->live++;
}

void wf_prefixes_charge(struct wf_prefixes *p, weft_time now, const struct wf_addr *addr,
                        uint32_t cost_us)
{
    const uint64_t cost =
        (uint64_t)(cost_us < WF_PREFIXES_COST_MAX ? cost_us : WF_PREFIXES_COST_MAX) << SCORE_BITS;

    if (!wf_addr_is_set(addr))
        return;
    advance(p, now);
    p->total = capped_sum(p->total, cost);
    for (size_t level = 0; level < WF_PREFIXES_LEVELS; level++) {
        charge_level(p, level, addr, cost);
    }
}

/* SPEC 1.7-9: half of what the prefix had, measured in fair shares; in sixteenths. */
static uint64_t owed(const struct wf_prefixes *p, size_t level, const struct wf_addr *addr)
{
    const struct wf_prefixes_entry *e = find(p, level, tag_of(p, level, addr));
    uint64_t sharers = p->levels[level].live;

    if (e == NULL || p->total == 0)
        return WF_MULTIPLIER_ONE;
    if (sharers > WF_PREFIXES_SHARE_FREE) {
        sharers = WF_PREFIXES_SHARE_FREE;
    }
    const uint64_t limit = (uint64_t)levels[level].multiplier_max * WF_MULTIPLIER_ONE;
    const uint64_t ratio = score_now(p, e) * sharers * (WF_MULTIPLIER_ONE / 2) / p->total;
    return ratio < limit ? ratio : limit;
}

uint32_t wf_prefixes_multiplier(struct wf_prefixes *p, weft_time now, const struct wf_addr *addr)
{
    uint64_t most = WF_MULTIPLIER_ONE;

    if (!wf_addr_is_set(addr))
        return WF_MULTIPLIER_ONE;
    advance(p, now);
    for (size_t level = 0; level < WF_PREFIXES_LEVELS; level++) {
        const uint64_t multiplier = owed(p, level, addr);

        if (multiplier > most) {
            most = multiplier;
        }
    }
    return (uint32_t)most;
}
