/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c - the sentences behind weft_err, and the version. It must never return NULL or need memory.
 */
#include "weft/base.h"

#ifndef WEFT_VERSION_STRING
#define WEFT_VERSION_STRING "0.1.0"
#endif

/* A switch without default, so that the compiler names an error that has no sentence yet. */
const char *weft_strerror(weft_err err)
{
    switch (err) {
    case WEFT_OK: return "it worked";
    case WEFT_ERR_NOMEM: return "there is no memory left, or a configured memory limit was reached";
    case WEFT_ERR_USAGE: return "the call breaks a rule of the function's contract";
    case WEFT_ERR_STATE: return "this is not possible now: closed, already done or not yet open";
    case WEFT_ERR_LIMIT: return "a limit was reached; try again when some work has drained";
    case WEFT_ERR_MALFORMED: return "the bytes do not follow the format";
    case WEFT_ERR_CRYPTO: return "a tag, signature or key did not verify";
    case WEFT_ERR_IO: return "the operating system refused the operation";
    case WEFT_ERR_NOT_FOUND: return "there is no such thing";
    case WEFT_ERR_EXISTS: return "there already is such a thing";
    case WEFT_ERR_DENIED: return "this is not permitted";
    case WEFT_ERR_TIMEOUT: return "the time allowed ran out";
    case WEFT_ERR_UNREACHABLE: return "nothing answered at that address";
    case WEFT_ERR_WRONG_KEY: return "somebody answered, but with another key than was asked for";
    case WEFT_ERR_CANCELLED: return "it was cancelled by this side";
    case WEFT_ERR_CLOSED: return "the connection was closed";
    case WEFT_ERR_ADDRESS: return "the address or peer text cannot be understood";
    case WEFT_ERR_IN_USE: return "the port is already in use";
    case WEFT_ERR_NO_SPACE: return "the disk is full";
    case WEFT_ERR_KEY_FILE: return "the key file is truncated, corrupt or of an unknown kind";
    case WEFT_ERR_KEY_EXPOSED: return "other users can read the key file";
    case WEFT_ERR_PASSPHRASE: return "the key file needs a passphrase, or another one";
    case WEFT_ERR_PROTOCOL: return "the peer broke the protocol";
    case WEFT_ERR_NO_PROTOCOL: return "the two ends speak no common protocol";
    case WEFT_ERR_REFUSED: return "the peer has no such service, or does not offer it to us";
    }
    return "an error this version does not know";
}

const char *weft_version(void)
{
    return WEFT_VERSION_STRING;
}
