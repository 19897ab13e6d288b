/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_priv.h - statements and pins between their public form and the one of the protocol.
 */
#ifndef WF_ENDPOINT_PIN_PRIV_H
#define WF_ENDPOINT_PIN_PRIV_H

#include "endpoint/identity_priv.h"
#include "session/statement.h"
#include "weft/pin.h"

/* False when it breaks a rule of names, versions or times. */
bool statement_to_wire(struct wf_statement *out, const weft_statement *s);

/* A decimal number in its shortest form; a good name. False: untouched. */
bool pin_read_number(const char *text, uint64_t *out);
bool pin_read_name(const char *text, char out[WEFT_NAME_MAX + 1]);

#endif
