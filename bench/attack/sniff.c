/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sniff.c - who talks to the target: the address and the connection id of a client whose packets
 * pass by in this network namespace.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "base/bytes.h"

#define IP_MIN 20u
#define UDP_LEN 8u
#define SESSION_BIT 0x80u
#define LOOK_MS 5000u

/* A packet of a session that goes to the target, from its IP header on. */
static bool take(struct attack *a, const uint8_t *ip, size_t len)
{
    size_t head = len > 0 ? (size_t)(ip[0] & 15u) * 4 : 0;
    const uint8_t *udp = ip + head;
    const uint8_t *data = udp + UDP_LEN;

    if (head < IP_MIN || len < head + UDP_LEN + 1 + WF_CID_LEN || ip[9] != IPPROTO_UDP)
        return false;
    if (memcmp(ip + 16, a->target.ip, 4) != 0 || (udp[2] << 8 | udp[3]) != a->target.port ||
        (data[0] & SESSION_BIT) == 0)
        return false;
    a->from = wf_addr_v4(ip[12], ip[13], ip[14], ip[15], (uint16_t)(udp[0] << 8 | udp[1]));
    memcpy(a->cid, data + 1, WF_CID_LEN);
    a->has_cid = true;
    return true;
}

bool attack_sniff(struct attack *a)
{
    uint8_t packet[128];
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t until = attack_now_ns() + LOOK_MS * 1000000u;
    bool found = false;

    while (fd >= 0 && !found && attack_now_ns() < until) {
        ssize_t got = poll(&p, 1, (int)LOOK_MS) > 0 ? recv(fd, packet, sizeof packet, 0) : 0;

        found = got > 0 && take(a, packet, (size_t)got);
    }
    if (fd >= 0)
        (void)close(fd);
    return found;
}
