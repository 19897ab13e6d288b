/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_bech32_fuzz.c - text that is accepted is what its payload is written as; any payload comes
 * back.
 *
 *   input: the text of a key, or any bytes as a payload
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bech32.h"
#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(weft_span text)
{
    struct wf_bech32 b;
    uint8_t payload[WF_BECH32_TEXT_MAX];
    char again[WF_BECH32_TEXT_MAX + 1];

    if (wf_bech32_parse(&b, text) != WEFT_OK)
        return;

    const size_t len = b.count * 5 / 8;

    if (wf_bech32_decode(payload, len, b.prefix, text) != WEFT_OK)
        return; /* padding */
    must(wf_bech32_encode(again, sizeof again, b.prefix, wf_span(payload, len)) == WEFT_OK);
    must(strlen(again) == text.len);
    for (size_t i = 0; i < text.len; i++) {
        must(again[i] == tolower(text.data[i]));
    }
}

static void check_payload(weft_span payload)
{
    char text[WF_BECH32_TEXT_MAX + 1];
    uint8_t back[WF_BECH32_TEXT_MAX];

    if (wf_bech32_encode(text, sizeof text, "weft", payload) != WEFT_OK) {
        must(payload.len > 49); /* 4 + 1 + 79 + 6 characters */
        return;
    }
    must(wf_bech32_decode(back, payload.len, "weft", wf_span_of(text)) == WEFT_OK);
    must(wf_span_equal(wf_span(back, payload.len), payload));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text(wf_span(data, size));
    check_payload(wf_span(data, size));
    return 0;
}
