/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr.h - an Internet address and port as plain data, for cores that never see a socket.
 *
 * One host has one form: an IPv4 address inside IPv6 (::ffff:1.2.3.4) becomes IPv4 wherever an
 * address enters the library (wf_addr_normalise), so that addresses can be compared and hashed as
 * they are.
 */
#ifndef WF_BASE_ADDR_H
#define WF_BASE_ADDR_H

#include "base/compiler.h"

#define WF_ADDR_NONE 0u
#define WF_ADDR_V4 4u
#define WF_ADDR_V6 6u

/* What carries datagrams there. The same place by another carrier is another address. */
enum wf_addr_carrier {
    WF_CARRIER_UDP = 0,
    WF_CARRIER_STREAM, /* datagrams with their lengths, in an ordered stream of bytes */
};

struct wf_addr {
    uint8_t family;  /* WF_ADDR_NONE, WF_ADDR_V4 or WF_ADDR_V6 */
    uint8_t carrier; /* enum wf_addr_carrier */
    uint8_t ip[16];  /* network order; IPv4 uses the first 4 and leaves zeros behind them */
    uint16_t port;   /* host order */
    uint32_t scope;  /* interface index of a link-local IPv6 address, else 0 */
};

/* What an address is good for. The order has no meaning. */
enum wf_addr_class {
    WF_ADDR_CLASS_NONE,       /* no address at all */
    WF_ADDR_CLASS_ANY,        /* 0.0.0.0/8, :: */
    WF_ADDR_CLASS_LOOPBACK,   /* 127/8, ::1 */
    WF_ADDR_CLASS_LINK_LOCAL, /* 169.254/16, fe80::/10 */
    WF_ADDR_CLASS_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 */
    WF_ADDR_CLASS_MULTICAST,  /* 224/4, ff00::/8 */
    WF_ADDR_CLASS_RESERVED,   /* 240/4 with the broadcast address, documentation and benchmark nets,
                                 the rest */
    WF_ADDR_CLASS_GLOBAL,
};

/* The longest text is "[" 39 characters "%4294967295]:65535" and a NUL. */
#define WF_ADDR_TEXT_MAX 64
/* Bytes of wf_addr_key. */
#define WF_ADDR_KEY_LEN 23

struct wf_addr wf_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);
struct wf_addr wf_addr_v6(const uint8_t ip[16], uint16_t port, uint32_t scope);

/* 0.0.0.0 or ::, with this port: "every address of this machine". */
struct wf_addr wf_addr_any(uint8_t family, uint16_t port);

bool wf_addr_is_set(const struct wf_addr *a);
bool wf_addr_is_v4(const struct wf_addr *a);

/* Same family, carrier, host, scope and port; the second leaves the port out. */
bool wf_addr_equal(const struct wf_addr *a, const struct wf_addr *b);
bool wf_addr_same_host(const struct wf_addr *a, const struct wf_addr *b);

/* The address with an IPv4-mapped IPv6 host turned into IPv4, and the scope dropped where it has no
 * meaning. */
struct wf_addr wf_addr_normalise(const struct wf_addr *a);

/* The IPv6 form of an address, for a socket that speaks only that: ::ffff:a.b.c.d for IPv4. */
struct wf_addr wf_addr_to_v6(const struct wf_addr *a);

enum wf_addr_class wf_addr_class(const struct wf_addr *a);

/* True when a datagram may be sent there on a stranger's word: one host, and a port that is not 0.
 */
bool wf_addr_is_unicast_peer(const struct wf_addr *a);

/* All fields in a fixed layout (family, ip, port, scope), for cookies and keyed hashes. */
void wf_addr_key(uint8_t out[WF_ADDR_KEY_LEN], const struct wf_addr *a);

/* "1.2.3.4:5" or "[::1]:5", with a numeric scope as in "[fe80::1%2]:5". No names, no leading zeros,
 * nothing around it; the result is normalised. WEFT_ERR_ADDRESS: anything else; *out is untouched.
 */
WEFT_NODISCARD weft_err wf_addr_parse(struct wf_addr *out, weft_span text);

/* The same without brackets and port: "1.2.3.4", "::1", "fe80::1%2". The port of *out is 0. */
WEFT_NODISCARD weft_err wf_addr_parse_ip(struct wf_addr *out, weft_span text);

/* 0..65535 in decimal without leading zeros. */
WEFT_NODISCARD weft_err wf_addr_parse_port(uint16_t *out, weft_span text);

/* The text that wf_addr_parse reads (shortest form, RFC 5952), NUL-terminated; returns its length.
 * "-" for none. */
size_t wf_addr_format(char out[WF_ADDR_TEXT_MAX], const struct wf_addr *a);
size_t wf_addr_format_ip(char out[WF_ADDR_TEXT_MAX], const struct wf_addr *a);

#endif
