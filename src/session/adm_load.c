/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_load.c - admission under load: what is asked of whom, and who waits how long for the curves
 * of his SOLVE (docs/spec/1-handshake.md, 1.7).
 */
#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/adm_priv.h"

/* A few hundred microseconds of a client's time, by either algorithm. */
#define FLOOR_BLAKE2B 1024u
#define FLOOR_PROGRAM 16u
#define PREFIX_SETS ((size_t)512)
#define AGE_MAX_US (30 * WF_ADM_SECOND_US)  /* of a CHALLENGE under overload */
#define WAIT_MAX_US (10 * WF_ADM_SECOND_US) /* the client has given up by then */

/* A table that nearly is full asks something, and four times as much for each sixteenth more. */
#define TABLE_PARTS 16u
#define TABLE_FREE_PARTS 12u
#define TABLE_PRICED_MIN ((size_t)4096) /* a small one is full by chance */

static uint32_t floor_of(const struct wf_adm *a)
{
    return a->work_alg == WF_WORK_PROGRAM ? FLOOR_PROGRAM : FLOOR_BLAKE2B;
}

static uint32_t ceiling_of(const struct wf_adm *a)
{
    return a->ceiling_log2 < 32 ? (uint32_t)1 << a->ceiling_log2 : UINT32_MAX;
}

static void init_price(struct wf_adm *a, weft_time now)
{
    const uint32_t ceiling = ceiling_of(a);
    const uint32_t least = floor_of(a);
    const struct wf_price_config config = {.floor = least < ceiling ? least : ceiling,
                                           .ceiling = ceiling};

    wf_price_init(&a->price, &config, now);
}

weft_err wf_adm_load_init(struct wf_adm *a, size_t queue_max, weft_time now)
{
    uint8_t key[16];
    const struct wf_queue_config config = {
        .max = queue_max, .payload_size = sizeof(struct wf_adm_waiting), .sip_key = key};

    init_price(a, now);
    wf_siphash128(key, a->secrets->table_key, wf_span_of("queue"));
    weft_err err = wf_queue_init(&a->queue, a->mem, &config);
    if (err == WEFT_OK) {
        wf_siphash128(key, a->secrets->table_key, wf_span_of("prefixes"));
        err = wf_prefixes_init(&a->prefixes, a->mem, PREFIX_SETS, key);
    }
    wf_wipe(key, sizeof key);
    return err;
}

void wf_adm_load_deinit(struct wf_adm *a)
{
    if (a->queue.mem != NULL) {
        wf_queue_deinit(&a->queue);
    }
    if (a->prefixes.mem != NULL) {
        wf_prefixes_deinit(&a->prefixes);
    }
}

/* Who has solved cookies enough to fill the table has time to work. */
static uint32_t price_of_table(const struct wf_adm *a)
{
    const struct wf_adm_table *t = &a->table;
    const size_t parts = t->used * TABLE_PARTS / t->max;

    if (t->max < TABLE_PRICED_MIN || parts < TABLE_FREE_PARTS)
        return 0;
    return floor_of(a) << 2 * (parts - TABLE_FREE_PARTS); /* SPEC 1.7-10 */
}

/* What is asked of an address without a history; 0: there is no overload. */
static uint32_t price_now(const struct wf_adm *a)
{
    const uint32_t table = price_of_table(a);

    return a->price.price > table ? a->price.price : table;
}

static uint32_t asked_above(struct wf_adm *a, weft_time now, const struct wf_addr *from,
                            uint32_t price)
{
    const uint32_t least = price > a->effort ? price : a->effort;

    if (least == 0)
        return 0;
    const uint64_t asked = ((uint64_t)least * wf_prefixes_multiplier(&a->prefixes, now, from) +
                            WF_MULTIPLIER_ONE - 1) /
                           WF_MULTIPLIER_ONE;
    return asked < ceiling_of(a) ? (uint32_t)asked : ceiling_of(a);
}

uint32_t wf_adm_asked(struct wf_adm *a, weft_time now, const struct wf_addr *from)
{
    return asked_above(a, now, from, price_now(a));
}

bool wf_adm_takes(struct wf_adm *a, weft_time now, const struct wf_addr *from,
                  const struct wf_adm_offer *offer)
{
    const uint32_t price = price_now(a);

    if (price == 0)
        return true;
    if (offer->age_us > AGE_MAX_US) /* SPEC 1.7-13 */
        return false;
    return offer->paid >= asked_above(a, now, from, price) / 2; /* SPEC 1.7-4 */
}

void wf_adm_charge(struct wf_adm *a, weft_time now, const struct wf_addr *from, uint32_t cost_us)
{
    wf_prefixes_charge(&a->prefixes, now, from, cost_us);
}

void wf_adm_load_tick(struct wf_adm *a, weft_time now)
{
    if (now < wf_adm_load_deadline(a))
        return;
    if (now >= WAIT_MAX_US) {
        a->stats.solve_expired += wf_queue_expire(&a->queue, now - WAIT_MAX_US);
    }
    wf_price_tick(&a->price, now, &a->queue);
}

weft_time wf_adm_load_deadline(const struct wf_adm *a)
{
    return wf_price_deadline(&a->price, &a->queue);
}
