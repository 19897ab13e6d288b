/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_part.c - a file on its way in. It never bears its real name before all of it is there and
 * right.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "endpoint/file_priv.h"

#define REREAD_BYTES 65536u
#define REREAD_MAX (1u << 20) /* in one go, before others get their turn */

/* ".weft-" and 32 hex digits that stand for sender, name, size and time. */
static void part_name(char out[FILE_NAME_BYTES], const struct file_id *id)
{
    uint8_t numbers[16];
    uint8_t hash[WF_HASH_LEN];
    char hex[33];
    weft_span parts[3];

    wf_store_u64(numbers, id->size);
    wf_store_u64(numbers + 8, id->modified_ns);
    parts[0] = wf_span(id->peer.bytes, WEFT_KEY_LEN);
    parts[1] = wf_span(numbers, sizeof numbers);
    parts[2] = wf_span_of(id->name);
    wf_hash(hash, parts, WF_ARRAY_LEN(parts));
    wf_hex(hex, hash, 16);
    (void)snprintf(out, FILE_NAME_BYTES, "%s%s.part", WF_FILE_OWN_PREFIX, hex);
}

weft_err file_part_open(struct file_part *p, const struct wf_folder *folder,
                        const struct file_id *id)
{
    char name[FILE_NAME_BYTES];
    weft_err err = WEFT_OK;

    *p = (struct file_part){.id = *id};
    part_name(name, id);
    err = wf_sha256_new(&p->sha);
    if (err == WEFT_OK)
        err = wf_part_open(&p->part, folder, wf_span_of(name));
    p->is_open = err == WEFT_OK;
    if (err != WEFT_OK) {
        wf_sha256_free(p->sha);
        p->sha = NULL;
    }
    return err;
}

uint64_t file_part_have(const struct file_part *p)
{
    return p->part.len <= p->id.size ? p->part.len : 0;
}

weft_err file_part_begin(struct file_part *p, uint64_t offset)
{
    if (offset > file_part_have(p))
        return WEFT_ERR_MALFORMED;
    p->start = offset;
    return wf_part_truncate(&p->part, offset);
}

bool file_part_catch_up(struct file_part *p, weft_err *err)
{
    uint8_t buf[REREAD_BYTES];
    uint64_t until = p->start - p->at < REREAD_MAX ? p->start : p->at + REREAD_MAX;

    if (p->at >= p->start)
        return false;
    while (*err == WEFT_OK && p->at < until) {
        size_t want = until - p->at < sizeof buf ? (size_t)(until - p->at) : sizeof buf;
        size_t got = 0;

        *err = wf_part_read(&p->part, p->at, buf, want, &got);
        if (*err == WEFT_OK && got == 0)
            *err = WEFT_ERR_IO;
        wf_sha256_add(p->sha, (weft_span){buf, got});
        p->at += got;
    }
    return *err == WEFT_OK && p->at < p->start;
}

uint64_t file_part_moved(const struct file_part *p)
{
    return p->at < p->start ? 0 : p->at - p->start;
}

weft_err file_part_add(struct file_part *p, weft_span data)
{
    uint64_t left = p->id.size - p->at;
    size_t len = data.len < left ? data.len : (size_t)left;
    weft_err err = WEFT_OK;

    if (len > 0) {
        err = wf_part_write(&p->part, p->at, (weft_span){data.data, len});
        if (err != WEFT_OK)
            return err;
        wf_sha256_add(p->sha, (weft_span){data.data, len});
        p->at += len;
    }
    if (data.len - len > sizeof p->digest - p->digest_len)
        return WEFT_ERR_MALFORMED;
    if (data.len > len)
        memcpy(p->digest + p->digest_len, data.data + len, data.len - len);
    p->digest_len += data.len - len;
    return WEFT_OK;
}

/* The name itself, else name.1, name.2, … (SPEC 5.3-2). */
static weft_err finish(struct file_part *p)
{
    weft_err err = wf_part_finish(&p->part, wf_span_of(p->id.name), false);

    memcpy(p->stored, p->id.name, sizeof p->stored);
    for (unsigned i = 1; err == WEFT_ERR_EXISTS && i <= FILE_TRIES_MAX; i++) {
        char name[FILE_NAME_BYTES + 8];
        int len = snprintf(name, sizeof name, "%s.%u", p->id.name, i);

        if (len < 0 || (size_t)len >= sizeof p->stored)
            return err;
        memcpy(p->stored, name, (size_t)len + 1);
        err = wf_part_finish(&p->part, wf_span_of(p->stored), false);
    }
    return err;
}

weft_err file_part_end(struct file_part *p)
{
    uint8_t digest[WF_SHA256_LEN];
    weft_err err = WEFT_OK;

    if (p->at != p->id.size || p->digest_len != sizeof p->digest)
        return WEFT_ERR_STATE;
    wf_sha256_end(p->sha, digest);
    if (memcmp(digest, p->digest, sizeof digest) != 0) {
        wf_part_discard(&p->part); /* SPEC 5.3-4 */
        p->is_open = false;
        return WEFT_ERR_CRYPTO;
    }
    err = finish(p);
    p->is_open = err != WEFT_OK;
    return err;
}

void file_part_close(struct file_part *p)
{
    wf_sha256_free(p->sha);
    p->sha = NULL;
    if (p->is_open && p->part.len == 0)
        wf_part_discard(&p->part);
    else if (p->is_open)
        wf_part_close(&p->part);
    p->is_open = false;
}
