/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netem_packet_fuzz.c - whatever the kernel hands over as a packet is read, marked, damaged and
 * answered within its bounds. The first byte of the input decides which bit flips.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netem/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t answer[NETEM_TOO_BIG_MAX];
    struct netem_ip ip = {0};
    uint8_t *packet = NULL;

    if (size < 2)
        return 0;
    packet = malloc(size - 1);
    if (packet == NULL)
        return 0;
    memcpy(packet, data + 1, size - 1);
    if (netem_ip_too_big(answer, (weft_span){packet, size - 1}, 1280) > sizeof answer)
        abort();
    netem_ip_flip(packet, size - 1, (uint64_t)data[0] * 97);
    if (netem_ip_parse(&ip, (weft_span){packet, size - 1})) {
        netem_ip_set_ecn(packet, size - 1, 3);
        if (!netem_ip_parse(&ip, (weft_span){packet, size - 1}) || ip.ecn != 3)
            abort();
    }
    free(packet);
    return 0;
}
