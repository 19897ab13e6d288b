/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_filename_fuzz.c - names that a peer gives to files: what is accepted is one component of a
 * path, printable, and none of ours.
 */
#include <stdlib.h>
#include <string.h>

#include "net/filename.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Bytes that may stand nowhere in UTF-8. */
static bool is_no_utf8(uint8_t b)
{
    return b == 0xc0 || b == 0xc1 || b >= 0xf5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weft_span name = {data, size};
    bool ok = wf_file_name_ok(name);

    must(!ok || wf_file_name_own_ok(name));
    if (!wf_file_name_own_ok(name))
        return 0;
    must(size > 0 && size <= WF_FILE_NAME_MAX);
    for (size_t i = 0; i < size; i++)
        must(data[i] >= 0x20 && data[i] != '/' && data[i] != 0x7f && !is_no_utf8(data[i]));
    must(!(size == 1 && data[0] == '.') && !(size == 2 && memcmp(data, "..", 2) == 0));
    size_t own = strlen(WF_FILE_OWN_PREFIX);
    must(!ok || size < own || memcmp(data, WF_FILE_OWN_PREFIX, own) != 0);
    return 0;
}
