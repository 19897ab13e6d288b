/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_frames_fuzz.c - any bytes as the frames of a packet. What is taken must be written again as
 * it was, and every frame must be as long as wf_frame_len says.
 */
#include "tests/wire/help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[HELP_BYTES_MAX];
    const weft_span in = {data, size};
    size_t len = 0;

    if (size > HELP_BYTES_MAX)
        return 0;
    if (help_frames_again(in, out, &len) &&
        (len != size || (len > 0 && memcmp(out, data, len) != 0)))
        abort();
    return 0;
}
