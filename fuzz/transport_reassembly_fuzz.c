/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_reassembly_fuzz.c - pieces of a message in any order, overlapping, contradicting, with
 * memory failing, against a plain array that remembers which byte came first.
 */
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "transport/reassembly.h"

#define LEN 4096u

struct model {
    uint8_t bytes[LEN + 256];
    bool has[LEN + 256];
    uint64_t final;
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void put(struct wf_reassembly *r, struct wf_block_pool *pool, struct model *m,
                const uint8_t op[5])
{
    uint8_t bytes[256];
    size_t len = op[2];
    uint64_t offset = ((uint64_t)op[0] << 8 | op[1]) % LEN;
    struct wf_piece p = {offset, {bytes, len}, op[3] % 8 == 0};

    memset(bytes, op[4], sizeof bytes);
    pool->mem->fail_at = op[3] % 16 == 1 ? pool->mem->attempts + 1 : 0;
    weft_err err = wf_reassembly_check(r, &p, 0);
    if (err == WEFT_OK)
        err = wf_reassembly_put(r, pool, &p);
    pool->mem->fail_at = 0;
    if (err == WEFT_ERR_PROTOCOL)
        must(offset + len > m->final || p.end);
    if (err != WEFT_OK)
        return;
    must(offset + len <= m->final);
    for (size_t i = 0; i < len; i++) {
        if (!m->has[offset + i])
            m->bytes[offset + i] = op[4];
        m->has[offset + i] = true;
    }
    if (p.end)
        m->final = offset + len;
}

static void read_some(struct wf_reassembly *r, struct wf_block_pool *pool, const struct model *m,
                      size_t max)
{
    bool at_end = false;
    weft_span s = wf_reassembly_peek(r, &at_end);

    for (size_t i = 0; i < s.len; i++) {
        must(m->has[r->consumed + i]);
        must(m->bytes[r->consumed + i] == s.data[i]);
    }
    must(s.len > 0 || !m->has[r->consumed]);
    must(at_end == (r->consumed + s.len == m->final));
    (void)wf_reassembly_consume(r, pool, max < s.len ? max : s.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;
    struct wf_mem mem = FEED_HEAP;
    struct wf_block_pool pool;
    struct wf_reassembly r;

    memset(&m, 0, sizeof m);
    m.final = UINT64_MAX;
    wf_block_pool_init(&pool, &mem);
    wf_reassembly_init(&r);
    if (size > 2 && data[0] % 2 == 0) {
        m.final = ((uint64_t)data[1] << 8 | data[2]) % LEN;
        must(wf_reassembly_set_length(&r, m.final) == WEFT_OK);
    }
    for (size_t at = 3; at + 6 <= size; at += 6) {
        if (data[at] % 4 == 0)
            read_some(&r, &pool, &m, data[at + 1] * 8u);
        else
            put(&r, &pool, &m, data + at + 1);
        must(r.consumed <= r.ready && r.ready <= r.highest && r.highest <= r.final);
        must(r.islands.r.count <= WF_REASSEMBLY_RANGES_MAX);
    }
    wf_reassembly_deinit(&r, &pool);
    wf_block_pool_trim(&pool);
    must(mem.held == 0);
    return 0;
}
