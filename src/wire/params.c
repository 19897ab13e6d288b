/* SPDX-License-Identifier: Apache-2.0 */
/*
 * params.c - the parameters of a session inside box2 and box3: `varint count (0..32) | count times
 * (varint id, varint value)`, ids ascending. Unknown ids are skipped, so that later versions can
 * add some.
 */
#include "base/assert.h"
#include "wire/handshake.h"

#define PARAMS_COUNT_MAX 32
#define PARAM_LAST 6
#define CREDIT_MAX (1ull << 62)

/* The table of the spec, one row a parameter. Index 0 is no parameter. */
static const struct param {
    size_t at; /* where its value stands in struct wf_params */
    uint64_t usual, least, most;
} params[PARAM_LAST + 1] = {
    [1] = {offsetof(struct wf_params, node_credit), 0, 0, CREDIT_MAX},
    [2] = {offsetof(struct wf_params, message_credit), 0, 0, CREDIT_MAX},
    [3] = {offsetof(struct wf_params, message_count), 0, 0, CREDIT_MAX},
    [4] = {offsetof(struct wf_params, ack_delay_us), 25000, 0, 1000000},
    [5] = {offsetof(struct wf_params, idle_ms), 0, 0, 1ull << 32},
    [6] = {offsetof(struct wf_params, datagram_max), 1200, 1200, 65527},
};

const struct wf_params wf_params_default = {
    .ack_delay_us = 25000,
    .datagram_max = 1200,
};

static uint64_t value_of(const struct wf_params *p, size_t id)
{
    const void *at = (const uint8_t *)p + params[id].at;

    return *(const uint64_t *)at;
}

static void set_value(struct wf_params *p, size_t id, uint64_t value)
{
    void *at = (uint8_t *)p + params[id].at;

    *(uint64_t *)at = value;
}

static bool is_usual(const struct wf_params *p, size_t id)
{
    return value_of(p, id) == params[id].usual;
}

/* What has its default value is left out. */
void wf_params_put(struct wf_writer *w, const struct wf_params *p)
{
    size_t count = 0;

    for (size_t id = 1; id <= PARAM_LAST; id++) {
        count += is_usual(p, id) ? 0 : 1;
    }
    wf_write_varint(w, count);
    for (size_t id = 1; id <= PARAM_LAST; id++) {
        if (is_usual(p, id))
            continue;
        WEFT_ASSERT(value_of(p, id) >= params[id].least);
        WEFT_ASSERT(value_of(p, id) <= params[id].most);
        wf_write_varint(w, id);
        wf_write_varint(w, value_of(p, id));
    }
}

static void get_known(struct wf_reader *r, uint64_t id, uint64_t value, struct wf_params *out)
{
    if (value < params[id].least || value > params[id].most) {
        wf_reader_fail(r);
        return;
    }
    set_value(out, (size_t)id, value);
}

void wf_params_get(struct wf_reader *r, struct wf_params *out)
{
    size_t left = wf_read_len(r, 0, PARAMS_COUNT_MAX);
    bool is_first = true;
    uint64_t last = 0;

    *out = wf_params_default;
    for (; left > 0 && wf_reader_ok(r); left--) {
        const uint64_t id = wf_read_varint(r);
        const uint64_t value = wf_read_varint(r);

        if (!is_first && id <= last) {
            wf_reader_fail(r);
        }
        if (wf_reader_ok(r) && id >= 1 && id <= PARAM_LAST) {
            get_known(r, id, value, out);
        }
        is_first = false;
        last = id;
    }
}
