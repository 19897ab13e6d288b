/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h - what has to be known of an IP packet, of either version, to mark it, to damage it so
 * that the damage arrives, and to say that it is too big.
 */
#ifndef NETEM_PACKET_H
#define NETEM_PACKET_H

#include "base/compiler.h"

/* The largest answer of netem_ip_too_big. */
#define NETEM_TOO_BIG_MAX 1280u

struct netem_ip {
    uint8_t version;  /* 4 or 6 */
    uint8_t protocol; /* of what follows the header; 0 when that is a fragment */
    uint8_t ecn;
    bool may_not_split; /* IPv6, or IPv4 that says so */
    bool is_local;      /* the link's own talk: multicast, or link-local IPv6 */
    size_t header;      /* bytes */
    size_t len;         /* bytes of all, by the packet's own account */
};

/* False: not an IP packet, or cut short. */
bool netem_ip_parse(struct netem_ip *out, weft_span packet);

/* The packet is one that netem_ip_parse took; ecn is 0..3. */
void netem_ip_set_ecn(uint8_t *packet, size_t len, uint8_t ecn);

/*
 * Flips one bit, chosen by `bit`. Of UDP it is a bit of the payload, and the UDP checksum is made
 * right again, so that the program gets the damage: what gets past a checksum is what a protocol
 * must see by itself. Of anything else it is any bit behind the IP header, and the receiving
 * kernel's checksum finds it. Nothing happens to a packet without such bytes.
 */
void netem_ip_flip(uint8_t *packet, size_t len, uint64_t bit);

/* Flips a bit of bytes without any format. */
void netem_flip(uint8_t *data, size_t len, uint64_t bit);

/* Writes the ICMP message that a router would send back for a packet above mtu; returns its length,
 * 0 where none is sent: fragments, ICMP other than echo requests, IPv4 that may be split. */
size_t netem_ip_too_big(uint8_t out[NETEM_TOO_BIG_MAX], weft_span packet, size_t mtu);

#endif
