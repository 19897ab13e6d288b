/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c - the sentences behind weft_err, and the version. It must never return NULL or need
 * memory.
 */
#include "base/compiler.h"

#ifndef WEFT_VERSION_STRING
#define WEFT_VERSION_STRING "0.1.0"
#endif

static const char *const sentences[] = {
    [WEFT_OK] = "it worked",
    [WEFT_ERR_NOMEM] = "there is no memory left, or a configured memory limit was reached",
    [WEFT_ERR_USAGE] = "the call breaks a rule of the function's contract",
    [WEFT_ERR_STATE] = "this is not possible now: closed, already done or not yet open",
    [WEFT_ERR_LIMIT] = "a limit was reached; try again when some work has drained",
    [WEFT_ERR_MALFORMED] = "the bytes do not follow the format",
    [WEFT_ERR_CRYPTO] = "a tag, signature or key did not verify",
    [WEFT_ERR_IO] = "the operating system refused the operation",
    [WEFT_ERR_NOT_FOUND] = "there is no such thing",
    [WEFT_ERR_EXISTS] = "there already is such a thing",
    [WEFT_ERR_DENIED] = "this is not permitted",
    [WEFT_ERR_TIMEOUT] = "the time allowed ran out",
    [WEFT_ERR_UNREACHABLE] = "nothing answered at that address",
    [WEFT_ERR_WRONG_KEY] = "somebody answered, but with another key than was asked for",
    [WEFT_ERR_CANCELLED] = "it was cancelled by this side",
    [WEFT_ERR_CLOSED] = "the connection was closed",
    [WEFT_ERR_ADDRESS] = "the address or peer text cannot be understood",
    [WEFT_ERR_IN_USE] = "the port is already in use",
    [WEFT_ERR_NO_SPACE] = "the disk is full",
    [WEFT_ERR_KEY_FILE] = "the key file is truncated, corrupt or of an unknown kind",
    [WEFT_ERR_KEY_EXPOSED] = "other users can read the key file",
    [WEFT_ERR_PASSPHRASE] = "the key file needs a passphrase, or another one",
    [WEFT_ERR_PROTOCOL] = "the peer broke the protocol",
    [WEFT_ERR_NO_PROTOCOL] = "the two ends speak no common protocol",
    [WEFT_ERR_REFUSED] = "the peer has no such service, or does not offer it to us",
    [WEFT_ERR_UNREAD] = "nobody reads it, so it was cut off",
};

const char *weft_strerror(weft_err err)
{
    const size_t index = (size_t)err;

    if (index >= WF_ARRAY_LEN(sentences) || sentences[index] == NULL)
        return "an error that this version does not know";
    return sentences[index];
}

const char *weft_version(void)
{
    return WEFT_VERSION_STRING;
}
