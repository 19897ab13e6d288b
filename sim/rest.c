/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest.c - see rest.h.
 */
#include "sim/rest.h"

#include <string.h>

#define FAILS_ONE_IN 10u

void sim_rest_init(struct sim_rest *r, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    wf_prng_seed(&r->prng, seed);
}

static weft_err put(void *user, uint32_t id, weft_span sealed)
{
    struct sim_rest *r = user;

    if (id >= SIM_REST_ROWS || sealed.len > SIM_REST_LEN ||
        wf_prng_chance(&r->prng, 1, FAILS_ONE_IN))
        return WEFT_ERR_NO_SPACE;
    memcpy(r->rows[id].bytes, sealed.data, sealed.len);
    r->rows[id].len = sealed.len;
    return WEFT_OK;
}

static weft_err get(void *user, uint32_t id, uint8_t *sealed, size_t len)
{
    struct sim_rest *r = user;

    if (id >= SIM_REST_ROWS || r->rows[id].len == 0)
        return WEFT_ERR_NOT_FOUND;
    if (r->rows[id].len != len)
        return WEFT_ERR_MALFORMED;
    memcpy(sealed, r->rows[id].bytes, len);
    if (wf_prng_chance(&r->prng, 1, FAILS_ONE_IN))
        sealed[wf_prng_below(&r->prng, len)] ^= 1;
    return WEFT_OK;
}

static void drop(void *user, uint32_t id)
{
    struct sim_rest *r = user;

    if (id < SIM_REST_ROWS)
        r->rows[id].len = 0;
}

struct wf_core_rest sim_rest_ops(struct sim_rest *r)
{
    return (struct wf_core_rest){.put = put, .get = get, .drop = drop, .user = r};
}
