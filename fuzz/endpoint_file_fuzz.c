/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint_file_fuzz.c - what a peer says of a file, and the bytes it then sends: the row of
 * "file.offer" and "file.put" read and written again, and a body taken in pieces, dropped and
 * resumed. A file gets its name only with all its bytes and the right digest.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "endpoint/file_priv.h"
#include "feed.h"

#define BODY_MAX 96u /* of a file and its digest: more shows nothing else */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static char path[64];

static void forget_folder(void)
{
    (void)rmdir(path);
}

/* In memory where there is such a place; gone with the process. */
static const struct wf_folder *folder(void)
{
    static struct wf_folder f;

    if (path[0] == '\0') {
        (void)snprintf(path, sizeof path, "%s/weft-fuzz-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        must(mkdtemp(path) != NULL);
        must(atexit(forget_folder) == 0);
        must(wf_folder_open(&f, path) == WEFT_OK);
    }
    return &f;
}

/* True: *id was said in so many bytes, and says the same again. */
static bool read_id(weft_span in, struct file_id *id, size_t *len)
{
    struct wf_reader r = wf_reader_of(in);
    uint8_t again[FILE_HEAD_MAX];
    struct wf_writer w = wf_writer_of(again, sizeof again);

    if (!file_read_id(&r, id))
        return false;
    *len = in.len - r.left;
    file_write_id(&w, id);
    must(wf_writer_ok(&w));
    must(w.len == *len && memcmp(again, in.data, w.len) == 0);
    must(strlen(id->name) > 0 && strchr(id->name, '/') == NULL);
    return true;
}

/* Pieces of up to 15 bytes. */
static weft_err feed_body(struct file_part *p, struct feed *f)
{
    weft_err err = WEFT_OK;
    size_t total = 0;

    while (err == WEFT_OK && f->left > 0 && total < BODY_MAX) {
        size_t len = next(f) % 16u;
        size_t have = len < f->left ? len : f->left;

        err = file_part_add(p, wf_span(f->data, have));
        f->data += have;
        f->left -= have;
        total += have;
    }
    return err;
}

static void take_once(const struct file_id *id, struct feed *f)
{
    struct file_part p;
    weft_err err = file_part_open(&p, folder(), id);

    if (err != WEFT_OK)
        return;
    err = file_part_begin(&p, file_part_have(&p) == 0 ? 0 : next(f) % (file_part_have(&p) + 1));
    while (err == WEFT_OK && file_part_catch_up(&p, &err)) {
    }
    if (err == WEFT_OK)
        err = feed_body(&p, f);
    if (err == WEFT_OK && next(f) % 2 == 0) {
        bool is_whole = p.at == id->size && p.digest_len == sizeof p.digest;

        err = file_part_end(&p);
        must(err != WEFT_OK || is_whole);
        if (err == WEFT_OK)
            must(wf_folder_remove(folder(), wf_span_of(p.stored)) == WEFT_OK);
    }
    file_part_close(&p);
}

/* An empty part goes when it is closed. */
static void drop_part(const struct file_id *id)
{
    struct file_part p;

    if (file_part_open(&p, folder(), id) != WEFT_OK)
        return;
    must(file_part_begin(&p, 0) == WEFT_OK);
    file_part_close(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file_id id = {.peer = {{7}}};
    size_t len = 0;

    if (!read_id(wf_span(data, size), &id, &len) || id.size > BODY_MAX)
        return 0;
    struct feed f = {.data = data + len, .left = size - len};
    for (int i = 0; i < 4; i++)
        take_once(&id, &f);
    drop_part(&id);
    return 0;
}
