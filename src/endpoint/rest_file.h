/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest_file.h - where peers that have been at rest for long are kept instead of memory: sealed
 * records by number, as rows of a SQLite file. It is scratch: their key dies with the process, so
 * what an earlier one left there is worth nothing and goes.
 *
 * Threads  One at a time; calls write to a file that waits for no disk.
 */
#ifndef WF_ENDPOINT_REST_FILE_H
#define WF_ENDPOINT_REST_FILE_H

#include "endpoint/core.h"
#include "store/store.h"

struct wf_rest_file;

/* As wf_store_open_sqlite. */
WEFT_NODISCARD weft_err wf_rest_file_open(struct wf_rest_file **out, const char *path,
                                          struct wf_mem *mem, struct wf_store_report *report);
/* NULL is allowed. */
void wf_rest_file_close(struct wf_rest_file *f);

/* What a core asks for. */
struct wf_core_rest wf_rest_file_ops(struct wf_rest_file *f);

#endif
