/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h - the few types every other weft header uses: errors, spans and time.
 *
 * Threads  Everything here is plain data or a pure function.
 * Memory   A span borrows: it never owns the bytes it points to.
 */
#ifndef WEFT_BASE_H
#define WEFT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define WEFT_BEGIN_DECLS extern "C" {
#define WEFT_END_DECLS }
#else
#define WEFT_BEGIN_DECLS
#define WEFT_END_DECLS
#endif

#if defined(__GNUC__)
#define WEFT_API __attribute__((visibility("default")))
#define WEFT_NODISCARD __attribute__((warn_unused_result))
#define WEFT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define WEFT_API
#define WEFT_NODISCARD
#define WEFT_PRINTF(fmt, args)
#endif

WEFT_BEGIN_DECLS

/* Every function that can fail returns one of these. Values never change their number; new ones are
 * added at the end, so treat an unknown value as a failure and print weft_strerror of it. */
typedef enum weft_err {
    WEFT_OK = 0,
    WEFT_ERR_NOMEM = 1,        /* no memory, or a configured memory limit was reached */
    WEFT_ERR_USAGE = 2,        /* the caller broke a rule of the function's contract */
    WEFT_ERR_STATE = 3,        /* not possible now: closed, already done, not yet open */
    WEFT_ERR_LIMIT = 4,        /* a named limit was reached; try again when work has drained */
    WEFT_ERR_MALFORMED = 5,    /* bytes that do not follow the format */
    WEFT_ERR_CRYPTO = 6,       /* a tag, signature or key did not verify */
    WEFT_ERR_IO = 7,           /* the operating system refused; errno has the reason */
    WEFT_ERR_NOT_FOUND = 8,    /* no such thing: file, row, service, message */
    WEFT_ERR_EXISTS = 9,       /* there already is such a thing */
    WEFT_ERR_DENIED = 10,      /* not permitted: by policy, by file mode, by the peer */
    WEFT_ERR_TIMEOUT = 11,     /* the time given ran out */
    WEFT_ERR_UNREACHABLE = 12, /* nothing answered at that address */
    WEFT_ERR_WRONG_KEY = 13,   /* somebody answered, but not the key that was asked for */
    WEFT_ERR_CANCELLED = 14,   /* given up by this side */
    WEFT_ERR_CLOSED = 15,      /* the peer closed, or the node did */
    WEFT_ERR_ADDRESS = 16,     /* an address or peer text that cannot be understood */
    WEFT_ERR_IN_USE = 17,      /* the port is in use */
    WEFT_ERR_NO_SPACE = 18,    /* the disk is full */
    WEFT_ERR_KEY_FILE = 19,    /* a key file that is truncated, corrupt or of an unknown kind */
    WEFT_ERR_KEY_EXPOSED = 20, /* a key file that others can read */
    WEFT_ERR_PASSPHRASE = 21,  /* the key file needs a passphrase, or another one */
    WEFT_ERR_PROTOCOL = 22,    /* an authenticated peer broke the protocol */
    WEFT_ERR_NO_PROTOCOL = 23, /* the two ends speak no common protocol */
    WEFT_ERR_REFUSED = 24,     /* the peer has no such service, or does not offer it to us */
    WEFT_ERR_UNREAD = 25,      /* nobody reads it at the other end, or here: cut off */
} weft_err;

/* One clear sentence for an error, in English, with no full stop. Never NULL; static memory. */
WEFT_API const char *weft_strerror(weft_err err);

/* Bytes that somebody else owns. {NULL, 0} is the empty span. */
typedef struct weft_span {
    const uint8_t *data;
    size_t len;
} weft_span;

/* Microseconds of a clock that never steps back. */
typedef uint64_t weft_time;

#define WEFT_TIME_NEVER UINT64_MAX

/* The library's version, "major.minor.patch". Static memory. */
WEFT_API const char *weft_version(void);

WEFT_END_DECLS

#endif
