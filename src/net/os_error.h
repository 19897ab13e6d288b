/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os_error.h - what an errno means to the rest of the library. errno itself is left as it is.
 */
#ifndef WF_NET_OS_ERROR_H
#define WF_NET_OS_ERROR_H

#include "base/compiler.h"

/* For sockets: EADDRINUSE is WEFT_ERR_IN_USE, EACCES and EPERM are WEFT_ERR_DENIED. Never WEFT_OK.
 */
weft_err wf_socket_error(int code);

/* For files and folders: not found, exists, denied (a refused symbolic link too), no space. Never
 * WEFT_OK. */
weft_err wf_file_error(int code);

#endif
