/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files from node to node: received into a folder, offered, sent and fetched; resumed
 * where they broke off.
 *
 * A file that is being received stays under a name of its own and gets its real name only when it
 * is whole and its SHA-256 digest is right. Nothing that exists is ever replaced: a second "a.txt"
 * becomes "a.txt.1".
 *
 * Threads  As the node's: one. Bytes are read and written in the node's thread.
 * Source   docs/spec/5-application.md
 */
#ifndef WEFT_FILE_H
#define WEFT_FILE_H

#include "weft/node.h"

WEFT_BEGIN_DECLS

#define WEFT_DIGEST_LEN 32

/* What became of a file. */
typedef struct weft_file_result {
    weft_err err; /* WEFT_OK: whole and verified. Otherwise what was received is kept and resumed
                     the next time */
    const char *name;                /* here or, when sent, there */
    uint64_t size;                   /* of the whole file, bytes */
    uint64_t moved;                  /* bytes that were carried now */
    uint64_t resumed_at;             /* bytes that were there already */
    uint8_t digest[WEFT_DIGEST_LEN]; /* SHA-256 of the whole */
    weft_key peer;
    uint64_t took_us;        /* from the call to the end */
    uint64_t first_reply_us; /* from the call to the first reply of the peer; sending only */
    uint64_t first_packets;  /* datagrams until then, both ways */
    uint64_t handshake_us;   /* 0: the session stood already */
    uint64_t resent;         /* frames that went again */
} weft_file_result;

typedef void (*weft_file_fn)(const weft_file_result *result, void *user);
typedef void (*weft_file_progress_fn)(const char *name, uint64_t done, uint64_t size, void *user);

typedef struct weft_file_params {
    size_t size;                       /* sizeof(weft_file_params); set by WEFT_FILE_PARAMS */
    weft_file_fn on_done;              /* once for each file */
    weft_file_progress_fn on_progress; /* now and then; NULL: none */
    uint32_t reach_within_ms;          /* 0: 10 s */
    void *user;
    weft_priority priority; /* weft_file_send: of the file beside other messages */
} weft_file_params;

#define WEFT_FILE_PARAMS ((weft_file_params){.size = sizeof(weft_file_params)})

/* Receives files from everybody who may use "file.put" and "file.offer" (weft_node_allow) into this
 * folder, which is made if need be. params (may be NULL) tells of each one. Files are made with
 * mode 0600. Once for each node: WEFT_ERR_EXISTS. */
WEFT_API WEFT_NODISCARD weft_err weft_file_receive(weft_node *node, const char *folder,
                                                   const weft_file_params *params);

/* Offers a regular file under its own name to everybody who may use "file.get" and "file.list". At
 * most 1024 files. WEFT_ERR_NOT_FOUND, WEFT_ERR_DENIED, WEFT_ERR_EXISTS: one of that name is
 * offered already. */
WEFT_API WEFT_NODISCARD weft_err weft_file_offer(weft_node *node, const char *path);

/* Sends a file; on_done tells how it ended. Errors before anything was sent are returned:
 * WEFT_ERR_NOT_FOUND, WEFT_ERR_DENIED, WEFT_ERR_USAGE (no regular file), those of weft_node_send.
 */
WEFT_API WEFT_NODISCARD weft_err weft_file_send(weft_node *node, const char *to, const char *path,
                                                const weft_file_params *params);

/* Fetches a file that the peer offers into a folder, under its name there. */
WEFT_API WEFT_NODISCARD weft_err weft_file_fetch(weft_node *node, const char *from,
                                                 const char *name, const char *folder,
                                                 const weft_file_params *params);

/* Each file that the peer offers, then NULL (with the error, if any). */
typedef void (*weft_file_list_fn)(weft_err err, const char *name, uint64_t size, void *user);
WEFT_API WEFT_NODISCARD weft_err weft_file_list(weft_node *node, const char *from,
                                                weft_file_list_fn fn, void *user);

WEFT_END_DECLS

#endif
