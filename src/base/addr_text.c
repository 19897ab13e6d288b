/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr_text.c - numeric addresses to and from text. Strict on purpose: "010.1.1.1" is octal to some
 * and decimal to others, so it is refused, and so is every other form that two programs could read
 * differently.
 */
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"

#define NO_GAP SIZE_MAX

/* What is left of the text. A failed take leaves the cursor anywhere: the caller gives up. */
struct text {
    const uint8_t *pos;
    size_t left;
};

static bool next_is(const struct text *t, char c)
{
    return t->left > 0 && t->pos[0] == (uint8_t)c;
}

static bool take_char(struct text *t, char c)
{
    if (!next_is(t, c))
        return false;
    t->pos++;
    t->left--;
    return true;
}

static bool take_gap(struct text *t)
{
    if (t->left < 2 || t->pos[0] != ':' || t->pos[1] != ':')
        return false;
    t->pos += 2;
    t->left -= 2;
    return true;
}

/* A decimal number up to max, in its shortest form. */
static bool take_number(struct text *t, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    size_t digits = 0;

    while (t->left > 0 && t->pos[0] >= '0' && t->pos[0] <= '9') {
        if (digits > 0 && v == 0)
            return false; /* a leading zero */
        v = v * 10 + (uint64_t)(t->pos[0] - '0');
        if (v > max)
            return false;
        t->pos++;
        t->left--;
        digits++;
    }
    *out = (uint32_t)v;
    return digits > 0;
}

static bool take_v4(struct text *t, uint8_t *ip)
{
    for (size_t i = 0; i < 4; i++) {
        uint32_t part = 0;
        if (i > 0 && !take_char(t, '.'))
            return false;
        if (!take_number(t, 255, &part))
            return false;
        ip[i] = (uint8_t)part;
    }
    return true;
}

/* One group of an IPv6 address: one to four hex digits, 2 bytes. */
static bool take_group(struct text *t, uint8_t *out)
{
    uint32_t v = 0;
    size_t digits = 0;

    while (t->left > 0 && wf_hex_digit((char)t->pos[0]) >= 0) {
        if (digits == 4)
            return false;
        v = v << 4 | (uint32_t)wf_hex_digit((char)t->pos[0]);
        t->pos++;
        t->left--;
        digits++;
    }
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
    return digits > 0;
}

/* True when the text goes on with an IPv4 address, as the last 4 bytes of an IPv6 one may. */
static bool v4_ahead(const struct text *t)
{
    for (size_t i = 0; i < t->left && i < 4; i++) {
        if (t->pos[i] == '.')
            return i > 0;
        if (t->pos[i] < '0' || t->pos[i] > '9')
            return false;
    }
    return false;
}

static bool take_part(struct text *t, uint8_t ip[16], size_t *len)
{
    if (v4_ahead(t)) {
        if (*len > 12 || !take_v4(t, ip + *len))
            return false;
        *len += 4;
        return !next_is(t, ':'); /* nothing may follow it */
    }
    if (!take_group(t, ip + *len))
        return false;
    *len += 2;
    return true;
}

/* Moves what stands behind the "::" to the end. It stands for at least one group. */
static bool spread(uint8_t ip[16], size_t len, size_t gap)
{
    if (gap == NO_GAP)
        return len == 16;
    if (len > 14)
        return false;
    size_t tail = len - gap;
    memmove(ip + 16 - tail, ip + gap, tail);
    memset(ip + gap, 0, 16 - len);
    return true;
}

static bool take_v6(struct text *t, uint8_t ip[16])
{
    size_t len = 0;
    size_t gap = take_gap(t) ? 0 : NO_GAP;
    bool may_end = gap == 0; /* only directly behind "::" may a group be missing */

    while (len < 16) {
        if (may_end && (t->left == 0 || wf_hex_digit((char)t->pos[0]) < 0))
            break;
        if (!take_part(t, ip, &len))
            return false;
        may_end = false;
        if (take_gap(t)) {
            if (gap != NO_GAP)
                return false;
            gap = len;
            may_end = true;
        } else if (len == 16 || !take_char(t, ':')) {
            break;
        }
    }
    return spread(ip, len, gap);
}

static bool take_host_v6(struct text *t, struct wf_addr *a)
{
    a->family = WF_ADDR_V6;
    if (!take_v6(t, a->ip))
        return false;
    if (!take_char(t, '%'))
        return true;
    /* A scope that means nothing would be dropped silently by wf_addr_normalise: refuse it instead.
     */
    bool ok = take_number(t, UINT32_MAX, &a->scope) && a->scope != 0;
    return ok && wf_addr_normalise(a).scope == a->scope;
}

static bool take_host(struct text *t, struct wf_addr *a)
{
    if (v4_ahead(t)) {
        a->family = WF_ADDR_V4;
        return take_v4(t, a->ip);
    }
    return take_host_v6(t, a);
}

weft_err wf_addr_parse_ip(struct wf_addr *out, weft_span text)
{
    struct text t = {text.data, text.len};
    struct wf_addr a = {0};

    if (!take_host(&t, &a) || t.left != 0)
        return WEFT_ERR_ADDRESS;
    *out = wf_addr_normalise(&a);
    return WEFT_OK;
}

weft_err wf_addr_parse_port(uint16_t *out, weft_span text)
{
    struct text t = {text.data, text.len};
    uint32_t port = 0;

    if (!take_number(&t, UINT16_MAX, &port) || t.left != 0)
        return WEFT_ERR_ADDRESS;
    *out = (uint16_t)port;
    return WEFT_OK;
}

static bool take_bracketed(struct text *t, struct wf_addr *a)
{
    return take_char(t, '[') && take_host_v6(t, a) && take_char(t, ']');
}

weft_err wf_addr_parse(struct wf_addr *out, weft_span text)
{
    struct text t = {text.data, text.len};
    struct wf_addr a = {0};
    uint32_t port = 0;
    bool ok = false;

    if (next_is(&t, '[')) {
        ok = take_bracketed(&t, &a);
    } else {
        a.family = WF_ADDR_V4;
        ok = take_v4(&t, a.ip);
    }
    ok = ok && take_char(&t, ':') && take_number(&t, UINT16_MAX, &port) && t.left == 0;
    if (!ok)
        return WEFT_ERR_ADDRESS;

    a.port = (uint16_t)port;
    *out = wf_addr_normalise(&a);
    return WEFT_OK;
}

/* ---- to text; WF_ADDR_TEXT_MAX holds the longest, so nothing here can run over ---- */

static char *put_number(char *p, uint32_t v)
{
    char digits[10];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (n > 0) {
        *p++ = digits[--n];
    }
    return p;
}

static char *put_v4(char *p, const uint8_t *ip)
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0) {
            *p++ = '.';
        }
        p = put_number(p, ip[i]);
    }
    return p;
}

static uint16_t group_at(const uint8_t ip[16], size_t i)
{
    return (uint16_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
}

static char *put_group(char *p, uint16_t v)
{
    static const char hex[] = "0123456789abcdef";
    bool started = false;

    for (unsigned shift = 16; shift > 0; shift -= 4) {
        unsigned digit = v >> (shift - 4) & 15u;
        started = started || digit != 0 || shift == 4;
        if (started) {
            *p++ = hex[digit];
        }
    }
    return p;
}

/* The longest run of zero groups, the first of equals, at least two long: RFC 5952. */
static size_t longest_gap(const uint8_t ip[16], size_t *len)
{
    size_t best = NO_GAP;

    *len = 1;
    for (size_t i = 0; i < 8; i++) {
        size_t run = 0;
        while (i + run < 8 && group_at(ip, i + run) == 0) {
            run++;
        }
        if (run > *len) {
            best = i;
            *len = run;
        }
    }
    return best;
}

static char *put_v6(char *p, const uint8_t ip[16])
{
    size_t gap_len = 0;
    size_t gap = longest_gap(ip, &gap_len);

    for (size_t i = 0; i < 8; i++) {
        if (i == gap) {
            *p++ = ':';
            *p++ = ':';
            i += gap_len - 1;
            continue;
        }
        if (i > 0 && p[-1] != ':') {
            *p++ = ':';
        }
        p = put_group(p, group_at(ip, i));
    }
    return p;
}

static char *put_host(char *p, const struct wf_addr *a)
{
    if (a->family == WF_ADDR_V4)
        return put_v4(p, a->ip);
    p = put_v6(p, a->ip);
    if (a->scope != 0) {
        *p++ = '%';
        p = put_number(p, a->scope);
    }
    return p;
}

size_t wf_addr_format_ip(char out[WF_ADDR_TEXT_MAX], const struct wf_addr *a)
{
    char *p = out;

    if (a->family == WF_ADDR_NONE) {
        *p++ = '-';
    } else {
        p = put_host(p, a);
    }
    *p = '\0';
    return (size_t)(p - out);
}

size_t wf_addr_format(char out[WF_ADDR_TEXT_MAX], const struct wf_addr *a)
{
    char *p = out;

    if (a->family == WF_ADDR_NONE)
        return wf_addr_format_ip(out, a);
    if (a->family == WF_ADDR_V6) {
        *p++ = '[';
    }
    p = put_host(p, a);
    if (a->family == WF_ADDR_V6) {
        *p++ = ']';
    }
    *p++ = ':';
    p = put_number(p, a->port);
    *p = '\0';
    return (size_t)(p - out);
}
