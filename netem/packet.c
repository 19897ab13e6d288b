/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.c - IPv4 and IPv6 headers by their bytes. It must never read behind what it was given.
 */
#include "netem/packet.h"

#include <string.h>

#define V4_HEADER 20u
#define V6_HEADER 40u
#define ICMP_HEADER 8u
#define UDP_HEADER 8u
#define UDP_SUM 6u /* place of its checksum */

#define PROTO_ICMP 1u
#define PROTO_UDP 17u
#define PROTO_ICMP6 58u
#define PROTO_FRAGMENT 44u
#define ECHO_REQUEST 8u
#define ECHO_REQUEST6 128u
#define HOPS 64u

/* What a router quotes of an IPv4 packet (RFC 1812). */
#define V4_QUOTE_MAX (576u - V4_HEADER - ICMP_HEADER)
#define V6_QUOTE_MAX (NETEM_TOO_BIG_MAX - V6_HEADER - ICMP_HEADER)

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* --- parsing --- */

static bool parse_v4(struct netem_ip *ip, const uint8_t *p, size_t len)
{
    const size_t header = (size_t)(p[0] & 15u) * 4;
    const uint16_t fragment = get16(p + 6);

    if (header < V4_HEADER || header > len)
        return false;
    ip->version = 4;
    ip->header = header;
    ip->len = get16(p + 2);
    ip->ecn = p[1] & 3u;
    ip->may_not_split = (fragment & 0x4000u) != 0;
    ip->protocol = (fragment & 0x3fffu) != 0 ? 0 : p[9];
    ip->is_local = (p[16] & 0xf0u) == 0xe0u;
    return ip->len >= header && ip->len <= len;
}

static bool parse_v6(struct netem_ip *ip, const uint8_t *p, size_t len)
{
    if (len < V6_HEADER)
        return false;
    ip->version = 6;
    ip->header = V6_HEADER;
    ip->len = V6_HEADER + (size_t)get16(p + 4);
    ip->ecn = p[1] >> 4 & 3u;
    ip->may_not_split = true;
    ip->protocol = p[6] == PROTO_FRAGMENT ? 0 : p[6];
    ip->is_local = p[24] == 0xff || (p[24] == 0xfe && (p[25] & 0xc0u) == 0x80u);
    return ip->len <= len;
}

bool netem_ip_parse(struct netem_ip *out, weft_span packet)
{
    struct netem_ip ip = {0};
    const uint8_t *p = packet.data;
    bool good = false;

    if (packet.len < V4_HEADER)
        return false;
    if (p[0] >> 4 == 4) {
        good = parse_v4(&ip, p, packet.len);
    } else if (p[0] >> 4 == 6) {
        good = parse_v6(&ip, p, packet.len);
    }
    if (good) {
        *out = ip;
    }
    return good;
}

/* --- checksums --- */

static uint32_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += get16(p + i);
    }
    return len % 2 == 0 ? sum : sum + ((uint32_t)p[len - 1] << 8);
}

static uint16_t fold(uint32_t sum)
{
    while (sum > 0xffffu) {
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* The checksum at `sum` after a word it covers went from `before` to `now` (RFC 1624). */
static void mend(uint8_t *sum, uint16_t before, uint16_t now)
{
    const uint32_t was = 0xffffu - get16(sum);
    const uint32_t less = 0xffffu - before;

    put16(sum, fold(was + less + now));
}

/* --- changes --- */

void netem_ip_set_ecn(uint8_t *packet, size_t len, uint8_t ecn)
{
    if (len < V4_HEADER)
        return;
    if (packet[0] >> 4 == 4) {
        const uint16_t before = get16(packet);

        packet[1] = (uint8_t)((packet[1] & 0xfcu) | ecn);
        mend(packet + 10, before, get16(packet));
    } else {
        packet[1] = (uint8_t)((packet[1] & 0xcfu) | (unsigned)ecn << 4);
    }
}

void netem_flip(uint8_t *data, size_t len, uint64_t bit)
{
    if (len == 0)
        return;
    bit %= 8 * (uint64_t)len;
    data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* The word that covers a byte; the last one of an odd length is filled up with a zero. */
static uint16_t word_at(const uint8_t *data, size_t len, size_t at)
{
    at -= at % 2;
    return at + 1 < len ? get16(data + at) : (uint16_t)(data[at] << 8);
}

static void flip_udp(uint8_t *udp, size_t len, uint64_t bit)
{
    const size_t payload = len - UDP_HEADER;
    const bool has_sum = get16(udp + UDP_SUM) != 0;

    if (payload == 0)
        return;
    bit %= 8 * (uint64_t)payload;

    const size_t at = UDP_HEADER + (size_t)(bit / 8);
    const uint16_t before = word_at(udp, len, at);

    udp[at] ^= (uint8_t)(1u << bit % 8);
    if (!has_sum)
        return;
    mend(udp + UDP_SUM, before, word_at(udp, len, at));
    if (get16(udp + UDP_SUM) == 0) {
        put16(udp + UDP_SUM, 0xffff); /* 0 would say that there is none */
    }
}

void netem_ip_flip(uint8_t *packet, size_t len, uint64_t bit)
{
    struct netem_ip ip = {0};

    if (!netem_ip_parse(&ip, (weft_span){packet, len}))
        return;

    uint8_t *body = packet + ip.header;
    const size_t body_len = ip.len - ip.header;

    if (ip.protocol == PROTO_UDP && body_len >= UDP_HEADER && get16(body + 4) == body_len) {
        flip_udp(body, body_len, bit);
    } else {
        netem_flip(body, body_len, bit);
    }
}

/* --- too big --- */

static size_t too_big_v4(uint8_t *out, const uint8_t *packet, size_t len, size_t mtu)
{
    const size_t quote = len < V4_QUOTE_MAX ? len : V4_QUOTE_MAX;
    const size_t total = V4_HEADER + ICMP_HEADER + quote;
    uint8_t *icmp = out + V4_HEADER;

    memset(out, 0, V4_HEADER + ICMP_HEADER);
    out[0] = 0x45;
    put16(out + 2, total);
    out[8] = HOPS;
    out[9] = PROTO_ICMP;
    memcpy(out + 12, packet + 16, 4);
    memcpy(out + 16, packet + 12, 4);
    put16(out + 10, fold(sum_of(out, V4_HEADER, 0)));
    icmp[0] = 3;
    icmp[1] = 4;
    put16(icmp + 6, mtu);
    memcpy(icmp + ICMP_HEADER, packet, quote);
    put16(icmp + 2, fold(sum_of(icmp, ICMP_HEADER + quote, 0)));
    return total;
}

static size_t too_big_v6(uint8_t *out, const uint8_t *packet, size_t len, size_t mtu)
{
    const size_t quote = len < V6_QUOTE_MAX ? len : V6_QUOTE_MAX;
    const size_t body = ICMP_HEADER + quote;
    uint8_t *icmp = out + V6_HEADER;

    memset(out, 0, V6_HEADER + ICMP_HEADER);
    out[0] = 0x60;
    put16(out + 4, body);
    out[6] = PROTO_ICMP6;
    out[7] = HOPS;
    memcpy(out + 8, packet + 24, 16);
    memcpy(out + 24, packet + 8, 16);
    icmp[0] = 2;
    put16(icmp + 6, mtu);
    memcpy(icmp + ICMP_HEADER, packet, quote);

    /* The pseudo header: both addresses, the length, the protocol. */
    const uint32_t pseudo = sum_of(out + 8, 32, 0) + (uint32_t)body + PROTO_ICMP6;

    put16(icmp + 2, fold(sum_of(icmp, body, pseudo)));
    return V6_HEADER + body;
}

size_t netem_ip_too_big(uint8_t out[NETEM_TOO_BIG_MAX], weft_span packet, size_t mtu)
{
    struct netem_ip ip = {0};

    if (!netem_ip_parse(&ip, packet) || !ip.may_not_split || ip.protocol == 0 || ip.is_local)
        return 0;

    const uint8_t kind = ip.len > ip.header ? packet.data[ip.header] : 0;

    if (mtu > UINT16_MAX) {
        mtu = UINT16_MAX;
    }
    if (ip.version == 4) {
        const bool mute = ip.protocol == PROTO_ICMP && kind != ECHO_REQUEST;

        return mute ? 0 : too_big_v4(out, packet.data, ip.len, mtu);
    }
    const bool mute = ip.protocol == PROTO_ICMP6 && kind != ECHO_REQUEST6;

    return mute ? 0 : too_big_v6(out, packet.data, ip.len, mtu);
}
