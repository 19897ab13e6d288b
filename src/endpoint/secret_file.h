/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_file.h - small files of text that only their owner can read: keys, groups, invitations.
 */
#ifndef WF_ENDPOINT_SECRET_FILE_H
#define WF_ENDPOINT_SECRET_FILE_H

#include "base/compiler.h"

#define SECRET_FILE_MAX 1024u /* bytes of text, with a NUL behind it */

/* Mode 0600, whole or not at all; the folder is made if need be, for its owner alone.
 * WEFT_ERR_EXISTS and the other errors of net/files.h. */
WEFT_NODISCARD weft_err secret_file_create(const char *path, const char *text);

/* The text, NUL-terminated; the caller wipes it, after an error too. WEFT_ERR_KEY_EXPOSED: others
 * can read the file; WEFT_ERR_KEY_FILE: too long, or with a NUL in it. */
WEFT_NODISCARD weft_err secret_file_read(const char *path, char text[SECRET_FILE_MAX]);

#endif
