/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin.h - servers known by a name, whose keys may be replaced.
 *
 * An *owner* is a key that is kept apart from the server, and answers for the server's name. It
 * signs *statements*: from then until then, the server of this name has this key. The server holds
 * the newest and tells it to whoever finds another key than expected. A client keeps a *pin*: name,
 * owner, key, and the version that the key is from. It follows its owner to newer versions and
 * nobody to anything else.
 *
 * Threads  Every function but weft_node_pin may be called from any thread.
 * Errors   On an error nothing is written through pointers.
 */
#ifndef WEFT_PIN_H
#define WEFT_PIN_H

#include "weft/node.h"

WEFT_BEGIN_DECLS

/* A name has 1 to 64 printed ASCII characters without blanks, '#' and '@', and does not begin with
 * "weft1". */
#define WEFT_NAME_MAX 64

struct weft_statement {
    size_t size; /* sizeof(weft_statement); set by WEFT_STATEMENT */
    char name[WEFT_NAME_MAX + 1];
    uint64_t version; /* from 1 on; a later statement about the same name has a higher one */
    weft_key owner;
    weft_key key;                       /* of the server */
    uint64_t not_before_s, not_after_s; /* seconds since 1970 */
    uint8_t signature[64];
};

#define WEFT_STATEMENT ((weft_statement){.size = sizeof(weft_statement)})

/* Puts in the owner's key and signature. WEFT_ERR_USAGE: no good name, version 0, or an end before
 * the beginning. */
WEFT_API WEFT_NODISCARD weft_err weft_statement_sign(weft_statement *statement,
                                                     const weft_identity *owner);

/* WEFT_ERR_MALFORMED: it breaks a rule of names, versions or times; WEFT_ERR_CRYPTO: its owner did
 * not sign it; WEFT_ERR_STATE: it does not count yet, or no more, at now_s (seconds since 1970, 0:
 * at any time). */
WEFT_API WEFT_NODISCARD weft_err weft_statement_check(const weft_statement *statement,
                                                      uint64_t now_s);

/* Bytes of the text of a statement, the final NUL included. */
#define WEFT_STATEMENT_TEXT_MAX 640

/* A few lines of text, for a file. WEFT_ERR_MALFORMED: it breaks a rule. */
WEFT_API WEFT_NODISCARD weft_err weft_statement_text(char out[WEFT_STATEMENT_TEXT_MAX],
                                                     const weft_statement *statement);

/* Reads that text, the whole of it. WEFT_ERR_MALFORMED. Whether it is signed is not looked at. */
WEFT_API WEFT_NODISCARD weft_err weft_statement_parse(weft_statement *out, const char *text);

typedef struct weft_pin {
    size_t size; /* sizeof(weft_pin); set by WEFT_PIN */
    char name[WEFT_NAME_MAX + 1];
    weft_key owner;
    weft_key key;     /* of the server; nobody's: not known, the owner is asked */
    uint64_t version; /* of the statement that the key is from; 0: a person said so */
} weft_pin;

#define WEFT_PIN ((weft_pin){.size = sizeof(weft_pin)})

/* Bytes of a pin as text, the final NUL included. */
#define WEFT_PIN_TEXT_MAX 256

/* "NAME OWNER KEY VERSION", for a line of a file; "-" stands for a key that is not known.
 * WEFT_ERR_MALFORMED: no good name. */
WEFT_API WEFT_NODISCARD weft_err weft_pin_text(char out[WEFT_PIN_TEXT_MAX], const weft_pin *pin);

/* WEFT_ERR_MALFORMED. */
WEFT_API WEFT_NODISCARD weft_err weft_pin_parse(weft_pin *out, const char *text);

/* The server of the pin's name showed that it has another key than `before`, and the owner says so:
 * keep the new pin. */
typedef void (*weft_pin_fn)(const weft_pin *pin, const weft_key *before, void *user);

/* From now on `NAME@host:port` is a peer of this node: whoever is the name's owner's server. What
 * it shows there is the key for the owner, which outlives the server's. The pin is copied; one of
 * the same name takes the place of the one before. fn NULL: nobody is told. At most 4096.
 * WEFT_ERR_MALFORMED: no good name; WEFT_ERR_LIMIT; WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_node_pin(weft_node *node, const weft_pin *pin, weft_pin_fn fn,
                                               void *user);

WEFT_END_DECLS

#endif
