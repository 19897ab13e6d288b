/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest_file.c - see rest_file.h.
 */
#include "endpoint/rest_file.h"

#include "base/bytes.h"

#define KIND_PEER 1u
#define ROWS_MAX ((uint64_t)1 << 26)
#define BYTES_MAX ((uint64_t)1 << 36)
#define ID_LEN 4u

struct wf_rest_file {
    struct wf_store *store;
    struct wf_mem *mem;
};

weft_err wf_rest_file_open(struct wf_rest_file **out, const char *path, struct wf_mem *mem,
                           struct wf_store_report *report)
{
    const struct wf_store_limits limits = {
        .rows_max = ROWS_MAX, .bytes_max = BYTES_MAX, .is_scratch = true};
    struct wf_rest_file *f = wf_alloc(mem, sizeof *f);
    weft_err err = WEFT_ERR_NOMEM;

    if (f == NULL)
        return err;
    f->mem = mem;
    err = wf_store_open_sqlite(&f->store, path, &limits, mem, report);
    if (err != WEFT_OK) {
        wf_free(mem, f, sizeof *f);
        return err;
    }
    *out = f;
    return WEFT_OK;
}

void wf_rest_file_close(struct wf_rest_file *f)
{
    if (f == NULL)
        return;
    wf_store_close(f->store);
    wf_free(f->mem, f, sizeof *f);
}

static weft_err put(void *user, uint32_t id, weft_span sealed)
{
    struct wf_rest_file *f = user;
    uint8_t key[ID_LEN];

    wf_store_u32(key, id);
    return wf_store_put(f->store, KIND_PEER, wf_span(key, sizeof key), sealed);
}

static weft_err get(void *user, uint32_t id, uint8_t *sealed, size_t len)
{
    struct wf_rest_file *f = user;
    struct wf_store_value value = {.buf = sealed, .cap = len};
    uint8_t key[ID_LEN];
    weft_err err = WEFT_OK;

    wf_store_u32(key, id);
    err = wf_store_get(f->store, KIND_PEER, wf_span(key, sizeof key), &value);
    if (err != WEFT_OK)
        return err;
    return value.len == len ? WEFT_OK : WEFT_ERR_MALFORMED;
}

static void drop(void *user, uint32_t id)
{
    struct wf_rest_file *f = user;
    uint8_t key[ID_LEN];
    weft_err err = WEFT_OK;

    wf_store_u32(key, id);
    err = wf_store_delete(f->store, KIND_PEER, wf_span(key, sizeof key));
    (void)err; /* a row that stays is overwritten when its number comes again */
}

struct wf_core_rest wf_rest_file_ops(struct wf_rest_file *f)
{
    return (struct wf_core_rest){.put = put, .get = get, .drop = drop, .user = f};
}
