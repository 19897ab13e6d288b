/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp_send.c - sendmmsg with GSO, and what to do when the kernel takes less than it was given.
 */
#include "net/udp_priv.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"

/* ---- hosts that GSO does not reach: a small table that forgets when two hosts meet in one slot
 * ---- */

static struct wf_addr *refused_slot(struct wf_udp *u, const struct wf_addr *to)
{
    uint32_t mix = to->scope;

    for (size_t i = 0; i < sizeof to->ip; i++) {
        mix = (mix ^ to->ip[i]) * 16777619u;
    }
    return &u->refused[(mix >> 16) % UDP_REFUSED_HOSTS];
}

static bool may_segment(struct wf_udp *u, const struct wf_addr *to)
{
    if (!u->gso)
        return false;
    return u->refused_count == 0 || !wf_addr_same_host(refused_slot(u, to), to);
}

static void refuse_host(struct wf_udp *u, const struct wf_addr *to)
{
    struct wf_addr *slot = refused_slot(u, to);

    u->refused_count += !wf_addr_is_set(slot);
    *slot = *to;
    u->stats.gso_refused++;
}

/* Older kernels refuse GSO with the same code when a segment is larger than the path takes: then
 * the host was blamed wrongly. */
static void forgive_host(struct wf_udp *u, const struct wf_addr *to)
{
    struct wf_addr *slot = refused_slot(u, to);

    if (u->refused_count > 0 && wf_addr_same_host(slot, to)) {
        *slot = (struct wf_addr){0};
        u->refused_count--;
    }
}

/* ---- from the caller's messages to the kernel's ---- */

/* Bytes that the next kernel message carries, from offset at of m. */
static size_t piece_len(struct wf_udp *u, const struct wf_udp_out *m, size_t at)
{
    size_t left = m->send.len - at;
    size_t segment = m->send.segment;

    if (segment == 0 || segment >= left)
        return left;
    size_t fit = WF_DATAGRAM_BYTES_MAX / segment;
    if (fit > WF_DATAGRAM_SEGMENTS_MAX) {
        fit = WF_DATAGRAM_SEGMENTS_MAX;
    }
    if (fit <= 1 || !may_segment(u, &m->send.to))
        return segment;
    return left < fit * segment ? left : fit * segment;
}

static void put_control(struct msghdr *h, int level, int type, weft_span value)
{
    uint8_t *at = (uint8_t *)h->msg_control + h->msg_controllen;
    struct cmsghdr head = {.cmsg_len = CMSG_LEN(value.len), .cmsg_level = level, .cmsg_type = type};

    WEFT_ASSERT(h->msg_controllen + CMSG_SPACE(value.len) <= UDP_CONTROL_LEN);
    memset(at, 0, CMSG_SPACE(value.len));
    memcpy(at, &head, sizeof head);
    memcpy(at + CMSG_LEN(0), value.data, value.len);
    h->msg_controllen += CMSG_SPACE(value.len);
}

static void put_from(struct msghdr *h, const struct wf_addr *from)
{
    if (wf_addr_is_v4(from)) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, from->ip, 4);
        put_control(h, IPPROTO_IP, IP_PKTINFO, (weft_span){(const uint8_t *)&info, sizeof info});
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = from->scope};
        memcpy(&info.ipi6_addr, from->ip, 16);
        put_control(h, IPPROTO_IPV6, IPV6_PKTINFO,
                    (weft_span){(const uint8_t *)&info, sizeof info});
    }
}

static void put_ecn(struct msghdr *h, const struct wf_send *send)
{
    int ecn = send->ecn & 3;
    weft_span value = {(const uint8_t *)&ecn, sizeof ecn};

    if (wf_addr_is_v4(&send->to)) {
        put_control(h, IPPROTO_IP, IP_TOS, value);
    } else {
        put_control(h, IPPROTO_IPV6, IPV6_TCLASS, value);
    }
}

/* A group or the whole network cannot be a sender; and a socket that is bound to that very address
 * sends from it unasked, for less. */
static bool needs_source(const struct wf_udp *u, const struct wf_send *send)
{
    enum wf_addr_class class = WF_ADDR_CLASS_NONE;

    if (send->from.family != send->to.family || wf_addr_same_host(&send->from, &u->bound))
        return false;
    class = wf_addr_class(&send->from);
    return class != WF_ADDR_CLASS_ANY && class != WF_ADDR_CLASS_MULTICAST;
}

static void put_controls(const struct wf_udp *u, struct msghdr *h, const struct wf_send *send,
                         size_t len)
{
    uint16_t segment = (uint16_t)send->segment;

    h->msg_control = (void *)(uintptr_t)u->out.control[u->out.used].bytes;
    h->msg_controllen = 0;
    if (needs_source(u, send)) {
        put_from(h, &send->from);
    }
    if (send->ecn != WF_ECN_NOT_ECT) {
        put_ecn(h, send);
    }
    if (send->segment != 0 && send->segment < len) {
        put_control(h, SOL_UDP, UDP_SEGMENT,
                    (weft_span){(const uint8_t *)&segment, sizeof segment});
    }
    if (h->msg_controllen == 0) {
        h->msg_control = NULL;
    }
}

/* False when the socket cannot speak to that address at all. */
static bool put_slot(struct wf_udp *u, const struct wf_udp_out *m, size_t at, size_t len)
{
    struct wf_udp_slots *s = &u->out;
    struct msghdr *h = &s->msgs[s->used].msg_hdr;
    struct iovec *iov = &s->iov[s->used];

    /* sendmsg only reads, but its type does not say so. */
    iov->iov_base = (void *)(uintptr_t)(m->data + at);
    iov->iov_len = len;
    *h = (struct msghdr){.msg_iov = iov, .msg_iovlen = 1, .msg_name = &s->names[s->used]};
    h->msg_namelen = wf_sockaddr_of(&s->names[s->used], &m->send.to, u->family);
    if (h->msg_namelen == 0)
        return false;
    put_controls(u, h, &m->send, len);
    return true;
}

/* Fills the slots from message `index` on, with as many pieces as fit. */
static void fill(struct wf_udp *u, struct wf_udp_out *out, size_t index, size_t count)
{
    struct wf_udp_slots *s = &u->out;

    s->used = 0;
    for (; index < count && s->used < UDP_SEND_SLOTS; index++) {
        size_t at = out[index].done;
        while (at < out[index].send.len && s->used < UDP_SEND_SLOTS) {
            size_t len = piece_len(u, &out[index], at);
            if (!put_slot(u, &out[index], at, len))
                return; /* its turn will come as the first of a call */
            s->owner[s->used++] = index;
            at += len;
        }
    }
}

/* ---- what became of them ---- */

static void settle(struct wf_udp *u, struct wf_udp_out *m, enum wf_udp_fate fate)
{
    m->fate = fate;
    u->stats.send_too_big += fate == WF_UDP_TOO_BIG;
    u->stats.send_dropped += fate == WF_UDP_DROPPED;
    u->stats.send_unreachable += fate == WF_UDP_UNREACHABLE;
}

static void credit(struct wf_udp *u, struct wf_udp_out *out, size_t pieces)
{
    const struct wf_udp_slots *s = &u->out;

    for (size_t i = 0; i < pieces; i++) {
        struct wf_udp_out *m = &out[s->owner[i]];
        size_t len = s->iov[i].iov_len;
        size_t segment = m->send.segment;
        m->done += len;
        u->stats.sent_messages++;
        u->stats.sent_bytes += len;
        u->stats.sent_datagrams +=
            segment == 0 || segment >= len ? 1 : (len + segment - 1) / segment;
        if (m->done == m->send.len) {
            settle(u, m, WF_UDP_SENT);
        }
    }
}

/* The address of ours that was asked for is gone: this machine moved. Any other that leads there is
 * better than none; the peer finds us by what the packets say. */
static bool forget_source(struct wf_udp *u, struct wf_udp_out *m)
{
    if (!needs_source(u, &m->send))
        return false;
    m->send.from = (struct wf_addr){0};
    forgive_host(u, &m->send.to);
    return true;
}

/* The first piece was refused. False: stop and wait for the socket. */
static bool on_refusal(struct wf_udp *u, struct wf_udp_out *m, int code, size_t *errors)
{
    bool segmented = m->send.segment != 0 && u->out.iov[0].iov_len > m->send.segment;

    switch (code) {
    case EINTR:
        return true;
    case EAGAIN:
        u->stats.send_blocked++;
        return false;
    case EMSGSIZE:
        forgive_host(u, &m->send.to);
        settle(u, m, WF_UDP_TOO_BIG);
        return true;
    case ENOBUFS:
    case ENOMEM:
        settle(u, m, WF_UDP_DROPPED);
        return true;
    case EIO:
    case EINVAL:
        if (segmented) {
            refuse_host(u, &m->send.to);
            return true;
        }
        if (code == EINVAL && forget_source(u, m))
            return true;
        break;
    case EADDRNOTAVAIL:
    case ENETUNREACH:
        if (forget_source(u, m))
            return true;
        break;
    case ECONNREFUSED: /* about an earlier datagram: this one has not been tried */
        u->stats.network_errors++;
        if (++*errors < UDP_ERRORS_MAX)
            return true;
        break;
    default:
        break;
    }
    settle(u, m, WF_UDP_UNREACHABLE);
    return true;
}

size_t wf_udp_send(struct wf_udp *u, struct wf_udp_out *out, size_t count)
{
    size_t first = 0;
    size_t errors = 0;

    for (;;) {
        while (first < count && out[first].fate != WF_UDP_PENDING) {
            first++;
        }
        if (first == count)
            return count;
        WEFT_ASSERT(out[first].send.len > out[first].done);
        fill(u, out, first, count);
        if (u->out.used == 0) {
            settle(u, &out[first], WF_UDP_UNREACHABLE);
            continue;
        }
        int n = sendmmsg(u->fd, u->out.msgs, (unsigned)u->out.used, MSG_DONTWAIT);
        u->stats.send_calls++;
        if (n > 0) {
            credit(u, out, (size_t)n);
        } else if (!on_refusal(u, &out[first], errno, &errors)) {
            return first;
        }
    }
}
