/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_table_fuzz.c - any sequence of calls, with any allocation failing, leaves the hash table
 * equal to a plain array.
 *
 *   input: a byte of SipHash key, a byte of cap, a byte: which allocation fails; then for each call
 * a byte of kind and a byte of key
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "base/table.h"

#define KEYS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void *take(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void give(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

struct model {
    bool has[KEYS];
    size_t count;
    size_t cap;
};

static char values[KEYS];

/* Key n has n % 65 bytes, and n last in all but the empty one, which stands for several n. */
static weft_span key_of(uint8_t buf[WF_TABLE_KEY_MAX], uint8_t *n)
{
    const size_t len = *n % (WF_TABLE_KEY_MAX + 1);

    *n = len == 0 ? 0 : *n;
    memset(buf, *n, WF_TABLE_KEY_MAX);
    return wf_span(buf, len);
}

static void do_put(struct wf_table *t, struct model *m, uint8_t n)
{
    uint8_t buf[WF_TABLE_KEY_MAX];
    const weft_span key = key_of(buf, &n);
    const weft_err err = wf_table_put(t, key, &values[n]);

    if (m->has[n]) {
        must(err == WEFT_ERR_EXISTS);
    } else if (m->count == m->cap) {
        must(err == WEFT_ERR_LIMIT);
    } else if (err == WEFT_OK) {
        m->has[n] = true;
        m->count++;
    } else {
        must(err == WEFT_ERR_NOMEM);
    }
}

static void do_remove(struct wf_table *t, struct model *m, uint8_t n)
{
    uint8_t buf[WF_TABLE_KEY_MAX];
    const weft_span key = key_of(buf, &n);

    must(wf_table_remove(t, key) == (m->has[n] ? &values[n] : NULL));
    m->count -= m->has[n];
    m->has[n] = false;
}

/* A few steps of a walk that goes on from call to call. */
static void do_walk(struct wf_table *t, const struct model *m, uint64_t *cursor, uint8_t steps)
{
    for (unsigned i = 0; i < steps; i++) {
        const char *v = (const char *)wf_table_next(t, cursor);

        if (v == NULL) {
            *cursor = 0;
            return;
        }
        must(m->has[v - values]);
    }
}

static void check_same(struct wf_table *t, const struct model *m)
{
    uint64_t cursor = 0;
    size_t walked = 0;

    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t buf[WF_TABLE_KEY_MAX];
        uint8_t n = (uint8_t)i;
        const weft_span key = key_of(buf, &n);

        must(wf_table_get(t, key) == (m->has[n] ? &values[n] : NULL));
    }
    while (wf_table_next(t, &cursor) != NULL) {
        walked++;
    }
    must(walked == m->count);
    must(wf_table_count(t) == m->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_reader in = wf_reader_of(wf_span(data, size));
    const uint8_t sip_key[WF_TABLE_SIP_KEY_LEN] = {wf_read_u8(&in)};
    struct model m = {.cap = (size_t)wf_read_u8(&in) + 1};
    struct wf_mem mem = {.alloc = take, .release = give, .fail_at = wf_read_u8(&in)};
    struct wf_table t;
    uint64_t cursor = 0;

    wf_table_init(&t, &mem, sip_key, m.cap);
    while (in.left >= 2) {
        const uint8_t kind = wf_read_u8(&in);
        const uint8_t n = wf_read_u8(&in);

        if (kind % 4 == 0) {
            do_remove(&t, &m, n);
        } else if (kind % 16 == 1) {
            do_walk(&t, &m, &cursor, n);
        } else {
            do_put(&t, &m, n);
        }
    }
    check_same(&t, &m);
    wf_table_deinit(&t);
    must(mem.held == 0);
    return 0;
}
