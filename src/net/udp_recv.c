/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp_recv.c - recvmmsg into buffers that were allocated once, and the control data that comes with
 * each message.
 */
#include "net/udp_priv.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"

weft_err wf_udp_batch_init(struct wf_udp_batch *b, size_t messages, struct wf_mem *mem)
{
    WEFT_ASSERT(messages > 0);
    WEFT_ASSERT(messages <= WF_UDP_BATCH_MAX);

    struct wf_udp_slots *slots = wf_alloc(mem, sizeof *slots);
    if (slots == NULL)
        return WEFT_ERR_NOMEM;
    slots->buffers = wf_alloc_array(mem, messages, WF_UDP_RECV_BYTES);
    if (slots->buffers == NULL) {
        wf_free(mem, slots, sizeof *slots);
        return WEFT_ERR_NOMEM;
    }
    slots->used = messages; /* so that the first receive prepares them all */
    *b = (struct wf_udp_batch){
        .items = slots->items, .slots = slots, .cap = messages, .limit = messages, .mem = mem};
    return WEFT_OK;
}

void wf_udp_batch_deinit(struct wf_udp_batch *b)
{
    if (b->slots == NULL)
        return;
    wf_free(b->mem, b->slots->buffers, b->cap * WF_UDP_RECV_BYTES);
    wf_free(b->mem, b->slots, sizeof *b->slots);
    *b = (struct wf_udp_batch){0};
}

/* The kernel writes lengths into the headers it used; only those need to be set again. */
static void prepare(struct wf_udp_slots *s)
{
    for (size_t i = 0; i < s->used; i++) {
        struct msghdr *h = &s->msgs[i].msg_hdr;
        s->iov[i].iov_base = s->buffers + i * WF_UDP_RECV_BYTES;
        s->iov[i].iov_len = WF_UDP_RECV_BYTES;
        h->msg_iov = &s->iov[i];
        h->msg_iovlen = 1;
        h->msg_name = &s->names[i];
        h->msg_namelen = sizeof s->names[i];
        h->msg_control = s->control[i].bytes;
        h->msg_controllen = sizeof s->control[i].bytes;
        h->msg_flags = 0;
    }
    s->used = 0;
}

static void take_drops(struct wf_udp *u, uint32_t total)
{
    u->stats.recv_kernel_drops += total - u->kernel_drops; /* modulo 2^32, as the kernel counts */
    u->kernel_drops = total;
}

static int int_of(const struct cmsghdr *c)
{
    int value = 0;

    memcpy(&value, CMSG_DATA(c), sizeof value);
    return value;
}

static void take_v4_option(struct wf_datagram *d, const struct cmsghdr *c)
{
    if (c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        d->to.family = WF_ADDR_V4;
        memcpy(d->to.ip, &info.ipi_addr, 4);
    } else if (c->cmsg_type == IP_TOS) {
        d->ecn = *CMSG_DATA(c) & 3u;
    }
}

static void take_v6_option(struct wf_datagram *d, const struct cmsghdr *c)
{
    if (c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        d->to.family = WF_ADDR_V6;
        d->to.scope = info.ipi6_ifindex;
        memcpy(d->to.ip, &info.ipi6_addr, 16);
        d->to = wf_addr_normalise(&d->to);
    } else if (c->cmsg_type == IPV6_TCLASS) {
        d->ecn = (uint8_t)(int_of(c) & 3);
    }
}

static void take_options(struct wf_udp *u, struct wf_datagram *d, struct msghdr *h)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_IP) {
            take_v4_option(d, c);
        } else if (c->cmsg_level == IPPROTO_IPV6) {
            take_v6_option(d, c);
        } else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            d->segment = (size_t)int_of(c);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            take_drops(u, (uint32_t)int_of(c));
        }
    }
}

/* False for what no protocol can use. */
static bool take_message(struct wf_udp *u, struct wf_udp_slots *s, size_t i, struct wf_datagram *d)
{
    struct msghdr *h = &s->msgs[i].msg_hdr;

    *d = (struct wf_datagram){.data = s->iov[i].iov_base, .len = s->msgs[i].msg_len};
    d->from = wf_addr_of_sockaddr(&s->names[i]);
    take_options(u, d, h);
    if (d->segment >= d->len) {
        d->segment = 0;
    }
    if (wf_addr_is_set(&d->to)) {
        d->to.port = u->port;
    }
    return d->len > 0 && (h->msg_flags & MSG_TRUNC) == 0 && wf_addr_is_set(&d->from);
}

static void count_message(struct wf_udp_stats *stats, const struct wf_datagram *d)
{
    stats->recv_messages++;
    stats->recv_bytes += d->len;
    stats->recv_datagrams += d->segment == 0 ? 1 : (d->len + d->segment - 1) / d->segment;
}

/* An error that an earlier datagram brought back stands in front of the data once; bounded, since
 * it could be fed. */
static size_t receive(struct wf_udp *u, struct wf_udp_batch *b)
{
    for (size_t errors = 0; errors < UDP_ERRORS_MAX; errors++) {
        int n = recvmmsg(u->fd, b->slots->msgs, (unsigned)b->limit, MSG_DONTWAIT, NULL);
        u->stats.recv_calls++;
        if (n >= 0)
            return (size_t)n;
        if (errno == EAGAIN)
            return 0;
        u->stats.network_errors += errno != EINTR;
    }
    return 0;
}

size_t wf_udp_recv(struct wf_udp *u, struct wf_udp_batch *b)
{
    prepare(b->slots);
    size_t got = receive(u, b);

    b->slots->used = got;
    b->count = 0;
    b->more = got == b->limit;
    for (size_t i = 0; i < got; i++) {
        if (take_message(u, b->slots, i, &b->items[b->count])) {
            count_message(&u->stats, &b->items[b->count]);
            b->count++;
        } else {
            u->stats.recv_discarded++;
        }
    }
    return b->count;
}
