/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os_error.c - errno to weft_err, for sockets and for files.
 */
#include "net/os_error.h"

#include <errno.h>

/* What means the same for sockets and for files. */
static weft_err shortage(int code)
{
    switch (code) {
    case ENOMEM:
        return WEFT_ERR_NOMEM;
    case EMFILE:
    case ENFILE:
        return WEFT_ERR_LIMIT;
    default:
        return WEFT_ERR_IO;
    }
}

weft_err wf_socket_error(int code)
{
    switch (code) {
    case EADDRINUSE:
        return WEFT_ERR_IN_USE;
    case EACCES:
    case EPERM:
        return WEFT_ERR_DENIED;
    default:
        return shortage(code);
    }
}

weft_err wf_file_error(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return WEFT_ERR_NOT_FOUND;
    case EEXIST:
        return WEFT_ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: /* a symbolic link where none may be */
    case EXDEV: /* a path that leaves its folder */
        return WEFT_ERR_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* the owner's limit on file sizes: the same to whoever waits for the file */
        return WEFT_ERR_NO_SPACE;
    default:
        return shortage(code);
    }
}
