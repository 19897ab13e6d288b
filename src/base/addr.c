/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr.c - addresses as plain data: comparison, classes, text. Never calls a resolver.
 */
#include "base/addr.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct wf_addr wf_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
    return (struct wf_addr){.family = WF_ADDR_V4, .ip = {a, b, c, d}, .port = port};
}

struct wf_addr wf_addr_v6(const uint8_t ip[16], uint16_t port, uint32_t scope)
{
    struct wf_addr a = {.family = WF_ADDR_V6, .port = port, .scope = scope};

    memcpy(a.ip, ip, sizeof a.ip);
    return a;
}

struct wf_addr wf_addr_any(uint8_t family, uint16_t port)
{
    return (struct wf_addr){.family = family, .port = port};
}

bool wf_addr_is_set(const struct wf_addr *a)
{
    return a->family != WF_ADDR_NONE;
}

bool wf_addr_is_v4(const struct wf_addr *a)
{
    return a->family == WF_ADDR_V4;
}

bool wf_addr_same_host(const struct wf_addr *a, const struct wf_addr *b)
{
    return a->family == b->family && a->carrier == b->carrier && a->scope == b->scope &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool wf_addr_equal(const struct wf_addr *a, const struct wf_addr *b)
{
    return a->port == b->port && wf_addr_same_host(a, b);
}

static bool v6_link_local(const uint8_t ip[16])
{
    bool unicast = ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
    bool multicast = ip[0] == 0xff && ((ip[1] & 0x0f) == 1 || (ip[1] & 0x0f) == 2);

    return unicast || multicast;
}

static struct wf_addr normal_form(const struct wf_addr *a)
{
    if (a->family == WF_ADDR_V4)
        return wf_addr_v4(a->ip[0], a->ip[1], a->ip[2], a->ip[3], a->port);
    if (memcmp(a->ip, mapped_prefix, sizeof mapped_prefix) == 0)
        return wf_addr_v4(a->ip[12], a->ip[13], a->ip[14], a->ip[15], a->port);
    return wf_addr_v6(a->ip, a->port, v6_link_local(a->ip) ? a->scope : 0);
}

struct wf_addr wf_addr_normalise(const struct wf_addr *a)
{
    if (a->family == WF_ADDR_NONE)
        return (struct wf_addr){0};

    struct wf_addr n = normal_form(a);
    n.carrier = a->carrier;
    return n;
}

struct wf_addr wf_addr_to_v6(const struct wf_addr *a)
{
    if (a->family != WF_ADDR_V4)
        return *a;

    struct wf_addr mapped = {.family = WF_ADDR_V6, .port = a->port};
    memcpy(mapped.ip, mapped_prefix, sizeof mapped_prefix);
    memcpy(mapped.ip + sizeof mapped_prefix, a->ip, 4);
    return mapped;
}

/* ---- classes ---- */

#define NET(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct net_row {
    uint32_t prefix;
    uint8_t bits;
    uint8_t class;
};

/* The first row that fits decides. */
static const struct net_row v4_nets[] = {
    {NET(0, 0, 0, 0), 8, WF_ADDR_CLASS_ANY},
    {NET(127, 0, 0, 0), 8, WF_ADDR_CLASS_LOOPBACK},
    {NET(169, 254, 0, 0), 16, WF_ADDR_CLASS_LINK_LOCAL},
    {NET(10, 0, 0, 0), 8, WF_ADDR_CLASS_PRIVATE},
    {NET(172, 16, 0, 0), 12, WF_ADDR_CLASS_PRIVATE},
    {NET(192, 168, 0, 0), 16, WF_ADDR_CLASS_PRIVATE},
    {NET(100, 64, 0, 0), 10, WF_ADDR_CLASS_PRIVATE},
    {NET(192, 0, 0, 0), 24, WF_ADDR_CLASS_RESERVED},
    {NET(192, 0, 2, 0), 24, WF_ADDR_CLASS_RESERVED},
    {NET(198, 18, 0, 0), 15, WF_ADDR_CLASS_RESERVED},
    {NET(198, 51, 100, 0), 24, WF_ADDR_CLASS_RESERVED},
    {NET(203, 0, 113, 0), 24, WF_ADDR_CLASS_RESERVED},
    {NET(224, 0, 0, 0), 4, WF_ADDR_CLASS_MULTICAST},
    {NET(240, 0, 0, 0), 4, WF_ADDR_CLASS_RESERVED},
};

/* Of IPv6 only 2000::/3 is handed out to the world; inside it 2001:db8::/32 is for documentation.
 */
static const struct net_row v6_nets[] = {
    {NET(0xff, 0, 0, 0), 8, WF_ADDR_CLASS_MULTICAST},
    {NET(0xfe, 0x80, 0, 0), 10, WF_ADDR_CLASS_LINK_LOCAL},
    {NET(0xfc, 0, 0, 0), 7, WF_ADDR_CLASS_PRIVATE},
    {NET(0x20, 0x01, 0x0d, 0xb8), 32, WF_ADDR_CLASS_RESERVED},
    {NET(0x00, 0x64, 0xff, 0x9b), 32,
     WF_ADDR_CLASS_GLOBAL}, /* the NAT64 prefix leads to the IPv4 world */
    {NET(0x20, 0, 0, 0), 3, WF_ADDR_CLASS_GLOBAL},
};

static enum wf_addr_class look_up(const struct net_row *rows, size_t count, const uint8_t *ip,
                                  enum wf_addr_class otherwise)
{
    uint32_t host = wf_load_u32(ip);

    for (size_t i = 0; i < count; i++) {
        uint32_t mask = UINT32_MAX << (32u - rows[i].bits);
        if ((host & mask) == rows[i].prefix)
            return (enum wf_addr_class)rows[i].class;
    }
    return otherwise;
}

static enum wf_addr_class class_of_v6(const struct wf_addr *a)
{
    static const uint8_t zeros[15] = {0};

    if (memcmp(a->ip, zeros, sizeof zeros) == 0 && a->ip[15] <= 1)
        return a->ip[15] == 0 ? WF_ADDR_CLASS_ANY : WF_ADDR_CLASS_LOOPBACK;
    return look_up(v6_nets, WF_ARRAY_LEN(v6_nets), a->ip, WF_ADDR_CLASS_RESERVED);
}

enum wf_addr_class wf_addr_class(const struct wf_addr *a)
{
    struct wf_addr n = *a;

    if (a->family == WF_ADDR_V6) /* asked for each stranger's datagram: IPv4 is normal already */
        n = wf_addr_normalise(a);
    if (n.family == WF_ADDR_NONE)
        return WF_ADDR_CLASS_NONE;
    if (n.family == WF_ADDR_V4)
        return look_up(v4_nets, WF_ARRAY_LEN(v4_nets), n.ip, WF_ADDR_CLASS_GLOBAL);
    return class_of_v6(&n);
}

static bool is_broadcast(const struct wf_addr *a)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    struct wf_addr n = wf_addr_normalise(a);

    return wf_addr_is_v4(&n) && memcmp(n.ip, broadcast, sizeof broadcast) == 0;
}

bool wf_addr_is_unicast_peer(const struct wf_addr *a)
{
    if (a->port == 0)
        return false;
    switch (wf_addr_class(a)) {
    case WF_ADDR_CLASS_NONE:
    case WF_ADDR_CLASS_ANY:
    case WF_ADDR_CLASS_MULTICAST:
        return false;
    case WF_ADDR_CLASS_RESERVED: /* test networks use these; the broadcast address is among them */
        return !is_broadcast(a);
    case WF_ADDR_CLASS_LOOPBACK:
    case WF_ADDR_CLASS_LINK_LOCAL:
    case WF_ADDR_CLASS_PRIVATE:
    case WF_ADDR_CLASS_GLOBAL:
        return true;
    }
    WEFT_UNREACHABLE();
}

void wf_addr_key(uint8_t out[WF_ADDR_KEY_LEN], const struct wf_addr *a)
{
    out[0] = (uint8_t)(a->family | a->carrier << 4);
    memcpy(out + 1, a->ip, sizeof a->ip);
    out[17] = (uint8_t)(a->port >> 8);
    out[18] = (uint8_t)a->port;
    wf_store_u32(out + 19, a->scope);
}
