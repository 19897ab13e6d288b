/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.h - what the owner of a server's name says about the server's key, and STATEMENT, the
 * packet that carries it (docs/spec/1-handshake.md, 1.12). Whether it is signed and believed is
 * decided elsewhere.
 */
#ifndef WF_WIRE_STATEMENT_H
#define WF_WIRE_STATEMENT_H

#include "wire/handshake.h"

#define WF_NAME_MAX 64
#define WF_STATEMENT_FIXED 153 /* all but the name */
#define WF_STATEMENT_MAX (WF_STATEMENT_FIXED + WF_NAME_MAX)
#define WF_STATEMENT_PACKET_MAX (1 + WF_ECHO_LEN + WF_STATEMENT_MAX)

struct wf_statement {
    uint8_t name[WF_NAME_MAX];
    uint8_t name_len; /* 1..64 */
    uint64_t version; /* at least 1 */
    uint8_t owner[32], key[32];
    uint64_t not_before_s, not_after_s;
    uint8_t signature[64];
};

/* Is this a name that statements can speak of? */
bool wf_name_valid(weft_span name);

weft_err wf_statement_get(weft_span in, struct wf_statement *out);
size_t wf_statement_put(const struct wf_statement *s, uint8_t *buf, size_t cap);

/* What the owner signs: a label, then the statement without its signature. */
#define WF_STATEMENT_MESSAGE_MAX (16 + WF_STATEMENT_MAX - 64)
size_t wf_statement_message(const struct wf_statement *s, uint8_t out[WF_STATEMENT_MESSAGE_MAX]);

/* STATEMENT, the packet. put takes the statement as bytes: a server does not look into it. */
weft_err wf_statement_packet_get(weft_span in, uint8_t echo[WF_ECHO_LEN], struct wf_statement *out);
size_t wf_statement_packet_put(const uint8_t echo[WF_ECHO_LEN], weft_span statement, uint8_t *buf,
                               size_t cap);

#endif
