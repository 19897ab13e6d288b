/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_invitation_fuzz.c - a text that is taken for an invitation is what this invitation is
 * written as; any invitation comes back from its text.
 *
 *   input: a text, or any bytes as an invitation
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "session/limited.h"

#define MUST(cond) ((cond) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(weft_span text)
{
    struct wf_invitation in;
    char again[WF_INVITATION_TEXT_LEN + 1];

    if (wf_invitation_parse(&in, text) != WEFT_OK)
        return;
    wf_invitation_text(again, &in);
    MUST(strlen(again) == text.len);
    for (size_t i = 0; i < text.len; i++) {
        MUST(again[i] == tolower(text.data[i]));
    }
}

static void check_bytes(const uint8_t *data, size_t size)
{
    struct wf_invitation in;
    struct wf_invitation back;
    char text[WF_INVITATION_TEXT_LEN + 1];

    memset(&in, 0, sizeof in);
    memcpy(&in, data, size < sizeof in ? size : sizeof in);
    wf_invitation_text(text, &in);
    MUST(wf_invitation_parse(&back, wf_span_of(text)) == WEFT_OK);
    MUST(memcmp(&in, &back, sizeof in) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text(wf_span(data, size));
    if (size > 0) {
        check_bytes(data, size);
    }
    return 0;
}
