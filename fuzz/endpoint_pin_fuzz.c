/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint_pin_fuzz.c - any text as a pin and as a statement. What is taken must be written again
 * as the same, and a statement that nobody signed must not check.
 */
#include <stdlib.h>
#include <string.h>

#include "weft/weft.h"

#define TEXT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_pin(const char *text)
{
    char again[WEFT_PIN_TEXT_MAX];
    weft_pin a;
    weft_pin b;

    if (weft_pin_parse(&a, text) != WEFT_OK)
        return;
    must(weft_pin_text(again, &a) == WEFT_OK);
    must(weft_pin_parse(&b, again) == WEFT_OK && memcmp(&a, &b, sizeof a) == 0);
}

static void check_statement(const char *text)
{
    char again[WEFT_STATEMENT_TEXT_MAX];
    weft_statement a;
    weft_statement b;

    if (weft_statement_parse(&a, text) != WEFT_OK)
        return;
    must(weft_statement_text(again, &a) == WEFT_OK);
    must(weft_statement_parse(&b, again) == WEFT_OK && memcmp(&a, &b, sizeof a) == 0);
    must(weft_statement_check(&a, 1) != WEFT_ERR_MALFORMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = NULL;

    if (size > TEXT_MAX)
        return 0;
    text = calloc(1, size + 1);
    must(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    check_pin(text);
    check_statement(text);
    free(text);
    return 0;
}
