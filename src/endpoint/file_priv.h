/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_priv.h - what the file services share: a part that is being received, a file that is being
 * sent.
 */
#ifndef WF_ENDPOINT_FILE_PRIV_H
#define WF_ENDPOINT_FILE_PRIV_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/sha256.h"
#include "endpoint/node_priv.h"
#include "net/files.h"
#include "weft/file.h"

#define FILE_OFFERS_MAX 1024u
#define FILE_HEAD_MAX (1 + WF_FILE_NAME_MAX + 8 + 8 + 8)
#define FILE_TRIES_MAX 1000u /* name.1, name.2, … before giving up */
#define FILE_NAME_BYTES (WF_FILE_NAME_MAX + 1)

/* Which file it is: a part belongs to exactly one of these. */
struct file_id {
    weft_key peer;
    char name[FILE_NAME_BYTES];
    uint64_t size, modified_ns;
};

/* A file that is being received. */
struct file_part {
    struct wf_part part;
    struct wf_sha256 *sha;
    struct file_id id;
    /* Where it was resumed; where the next byte goes. Below start: what is there already is being
     * read again for the digest. */
    uint64_t start, at;
    uint8_t digest[WF_SHA256_LEN];
    size_t digest_len;
    bool is_open;
    char stored[FILE_NAME_BYTES]; /* the name it got in the end */
};

weft_err file_part_open(struct file_part *p, const struct wf_folder *folder,
                        const struct file_id *id);
/* Bytes that are there and of use. */
uint64_t file_part_have(const struct file_part *p);
/* Goes on at offset, which is at most what is there; what follows is dropped. */
weft_err file_part_begin(struct file_part *p, uint64_t offset);
/* Reads some of what is there for the digest; true: not all of it yet, and nothing can be added. A
 * large file takes long, and a node has others to look after. */
bool file_part_catch_up(struct file_part *p, weft_err *err);
/* Bytes that came this time. */
uint64_t file_part_moved(const struct file_part *p);
/* Bytes of the file, then of its digest. WEFT_ERR_MALFORMED: more than that. */
weft_err file_part_add(struct file_part *p, weft_span data);
/* Whole and right: under its real name now. WEFT_ERR_CRYPTO: the digest is wrong, the part is gone.
 * WEFT_ERR_STATE: not whole. */
weft_err file_part_end(struct file_part *p);
/* Closes; what is there is kept for the next time, an empty part goes. */
void file_part_close(struct file_part *p);

/* A file that is being sent: head, bytes from offset on, digest. Its reader is a weft_read_fn. */
struct file_source {
    weft_node *node;
    int fd;
    uint64_t size, modified_ns, at, offset;
    struct wf_sha256 *sha;
    uint8_t head[FILE_HEAD_MAX];
    size_t head_len, head_at;
    uint8_t digest[WF_SHA256_LEN];
    size_t digest_at;
    bool has_digest;
    void (*on_digest)(const uint8_t digest[WF_SHA256_LEN], void *user); /* NULL: none */
    void *on_digest_user;
};

/* Opens a regular file. WEFT_ERR_NOT_FOUND, WEFT_ERR_DENIED, WEFT_ERR_USAGE: no regular file. */
weft_err file_source_open(struct file_source **out, weft_node *node, const char *path);
void file_source_free(struct file_source *f);
/* Begins at offset; what is skipped is digested as the body is read, a piece at a time.
 * WEFT_ERR_MALFORMED: there is less. */
weft_err file_source_begin(struct file_source *f, uint64_t offset);
/* The body that reads it; it frees the source when done. head was written by the caller before. It
 * fails with WEFT_ERR_STATE instead of sending a digest when the file changed meanwhile. */
weft_body file_source_body(struct file_source *f);

/* The rows of docs/spec/5-application.md. */
void file_write_id(struct wf_writer *w, const struct file_id *id);
bool file_read_id(struct wf_reader *r, struct file_id *id);

/* The last component of a path; NULL when that is no name a file can have. */
const char *file_base_name(const char *path);

/* Why an outcome is no success; WEFT_OK when a reply is there. */
weft_err file_outcome_err(const weft_outcome *o);

struct node_files *node_files_get(weft_node *n);

struct file_offer {
    char name[FILE_NAME_BYTES];
    char *path;
    size_t path_size;
};

struct node_files {
    struct file_offer *offers;
    size_t offer_count, offer_cap;
    bool is_offering, is_receiving;
    struct wf_folder folder;
    struct wf_list receipts; /* files that are being received */
    weft_file_params receive_params;
};

#endif
