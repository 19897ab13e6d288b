/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_addr_fuzz.c - an address that was understood prints as text that means the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct wf_addr *a, const struct wf_addr *b)
{
    if (!wf_addr_equal(a, b))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weft_span in = {data, size};
    struct wf_addr a = {0};
    struct wf_addr again = {0};
    char text[WF_ADDR_TEXT_MAX];

    if (wf_addr_parse(&a, in) == WEFT_OK) {
        size_t len = wf_addr_format(text, &a);
        if (wf_addr_parse(&again, (weft_span){(const uint8_t *)text, len}) != WEFT_OK)
            abort();
        same(&a, &again);
        struct wf_addr normal = wf_addr_normalise(&a);
        same(&a, &normal);
    }
    if (wf_addr_parse_ip(&a, in) == WEFT_OK) {
        size_t len = wf_addr_format_ip(text, &a);
        if (wf_addr_parse_ip(&again, (weft_span){(const uint8_t *)text, len}) != WEFT_OK)
            abort();
        same(&a, &again);
        (void)wf_addr_class(&a);
    }
    return 0;
}
