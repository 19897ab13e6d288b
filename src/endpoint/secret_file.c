/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_file.c - see secret_file.h. SPEC 1.10-12
 */
#include "endpoint/secret_file.h"

#include <limits.h>
#include <string.h>

#include "base/bytes.h"
#include "net/files.h"
#include "net/mem_system.h"

/* The folder of a file is made if need be, for its owner alone. */
static weft_err make_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    struct wf_folder f;
    weft_err err = WEFT_OK;

    if (len == 0)
        return WEFT_OK;
    if (len >= sizeof folder)
        return WEFT_ERR_LIMIT;
    memcpy(folder, path, len);
    folder[len] = '\0';
    err = wf_folder_make(&f, folder, 0700);
    if (err == WEFT_OK)
        wf_folder_close(&f);
    return err;
}

weft_err secret_file_create(const char *path, const char *text)
{
    weft_err err = make_folder(path);

    return err == WEFT_OK ? wf_file_create(path, wf_span_of(text), 0600) : err;
}

weft_err secret_file_read(const char *path, char text[SECRET_FILE_MAX])
{
    struct wf_mem mem;
    struct wf_file_rules rules = {.len_max = SECRET_FILE_MAX - 1, .owner_only = true, .mem = &mem};
    uint8_t *data = NULL;
    size_t len = 0;
    weft_err err = WEFT_OK;

    memset(text, 0, SECRET_FILE_MAX);
    wf_mem_system(&mem, 0);
    err = wf_file_read(path, &rules, &data, &len);
    if (err != WEFT_OK)
        return err == WEFT_ERR_LIMIT ? WEFT_ERR_KEY_FILE : err;
    if (len > 0)
        memcpy(text, data, len);
    if (data != NULL)
        wf_wipe(data, len);
    wf_free(&mem, data, len);
    return strlen(text) == len ? WEFT_OK : WEFT_ERR_KEY_FILE;
}
