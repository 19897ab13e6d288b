/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filename.h - whether a name that a peer chose may become a file here.
 */
#ifndef WF_NET_FILENAME_H
#define WF_NET_FILENAME_H

#include "base/compiler.h"

#define WF_FILE_NAME_MAX 255u

/* Names that begin so are ours: partial and temporary files. No peer can name one. */
#define WF_FILE_OWN_PREFIX ".weft-"

/* True for one path component that is safe to create, to print and to read aloud: 1..255 bytes of
 * valid UTF-8, no '/', no control character, none that turns the direction of writing, not "." or
 * "..", not one of our own. */
bool wf_file_name_ok(weft_span name);

/* The same, but one of our own is allowed; for names that we have made. */
bool wf_file_name_own_ok(weft_span name);

#endif
