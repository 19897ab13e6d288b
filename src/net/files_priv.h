/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files_priv.h - steps that reading, writing and partial files have in common.
 */
#ifndef WF_NET_FILES_PRIV_H
#define WF_NET_FILES_PRIV_H

#include "net/files.h"

#define FILES_MODE_MAX 0777u

/* openat of one component that never leaves dir and never follows a symbolic link. */
int wf_open_beneath(int dir, const char *name, int flags, mode_t mode);

/* All of data, at an offset; *done counts what went in even on an error. */
weft_err wf_write_all(int fd, uint64_t at, weft_span data, size_t *done);

/* Moves a name within one folder; EEXIST when replace is false and there is such a name. */
weft_err wf_rename_in(int dir, const char *from, const char *to, bool replace);

#endif
