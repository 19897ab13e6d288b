/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint_text_fuzz.c - what people copy from mails and files: keys, peers, statements, pins and
 * invitations. Whatever is read as one comes back as the same text, and reads the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "weft/group.h"
#include "weft/key.h"
#include "weft/pin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void try_key(const char *in)
{
    weft_key key, again;
    char text[WEFT_KEY_TEXT_MAX];

    if (weft_key_parse(&key, in) != WEFT_OK)
        return;
    weft_key_text(text, &key);
    must(weft_key_parse(&again, text) == WEFT_OK);
    must(memcmp(&key, &again, sizeof key) == 0);
}

static void try_peer(const char *in)
{
    weft_peer peer;

    if (weft_peer_parse(&peer, in) != WEFT_OK)
        return;
    must(strlen(peer.host) <= WEFT_HOST_MAX);
}

static void try_statement(const char *in)
{
    weft_statement statement = WEFT_STATEMENT;
    weft_statement again = WEFT_STATEMENT;
    char text[WEFT_STATEMENT_TEXT_MAX], second[WEFT_STATEMENT_TEXT_MAX];

    if (weft_statement_parse(&statement, in) != WEFT_OK ||
        weft_statement_text(text, &statement) != WEFT_OK)
        return;
    must(weft_statement_parse(&again, text) == WEFT_OK);
    must(weft_statement_text(second, &again) == WEFT_OK);
    must(strcmp(text, second) == 0);
    weft_err err = weft_statement_check(&statement, 0);
    must(err == weft_statement_check(&again, 0));
}

static void try_pin(const char *in)
{
    weft_pin pin = WEFT_PIN, again = WEFT_PIN;
    char text[WEFT_PIN_TEXT_MAX], second[WEFT_PIN_TEXT_MAX];

    if (weft_pin_parse(&pin, in) != WEFT_OK || weft_pin_text(text, &pin) != WEFT_OK)
        return;
    must(weft_pin_parse(&again, text) == WEFT_OK);
    must(weft_pin_text(second, &again) == WEFT_OK);
    must(strcmp(text, second) == 0);
}

static void try_invitation(const char *in)
{
    weft_invitation *invitation = NULL, *again = NULL;
    char text[WEFT_INVITATION_TEXT_MAX];

    if (weft_invitation_parse(&invitation, in) != WEFT_OK)
        return;
    weft_invitation_text(text, invitation);
    must(weft_invitation_parse(&again, text) == WEFT_OK);
    weft_invitation_free(again);
    weft_invitation_free(invitation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *in = malloc(size + 1);

    must(in != NULL);
    if (size > 0)
        memcpy(in, data, size);
    in[size] = '\0';
    try_key(in);
    try_peer(in);
    try_statement(in);
    try_pin(in);
    try_invitation(in);
    free(in);
    return 0;
}
