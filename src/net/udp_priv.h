/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp_priv.h - what the three files of the UDP socket share. Nobody else includes it.
 */
#ifndef WF_NET_UDP_PRIV_H
#define WF_NET_UDP_PRIV_H

#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/sockaddr.h"
#include "net/udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Kernel messages of one send call. */
#define UDP_SEND_SLOTS 64u
/* Hosts remembered as refusing GSO (their route leads through a device that cannot). */
#define UDP_REFUSED_HOSTS 64u
/* Errors of earlier datagrams that one call swallows before it gives up. */
#define UDP_ERRORS_MAX 16u
/* Sending: address 40, traffic class 24, segment 24. Receiving: address 40, class 24, GRO 24,
 * drops 24. */
#define UDP_CONTROL_LEN 160u

struct wf_udp_control {
    _Alignas(struct cmsghdr) uint8_t bytes[UDP_CONTROL_LEN];
};

/* Arrays for one recvmmsg or sendmmsg. */
struct wf_udp_slots {
    struct mmsghdr msgs[UDP_SEND_SLOTS];
    struct iovec iov[UDP_SEND_SLOTS];
    union wf_sockaddr names[UDP_SEND_SLOTS];
    struct wf_udp_control control[UDP_SEND_SLOTS];
    size_t owner[UDP_SEND_SLOTS]; /* sending: which message of the caller's batch */
    struct wf_datagram items[UDP_SEND_SLOTS];
    uint8_t *buffers; /* receiving: cap * WF_UDP_RECV_BYTES */
    size_t used;
};

struct wf_udp {
    int fd;
    sa_family_t family;
    bool v6_only;
    bool gso;
    bool gro;
    uint16_t port;
    struct wf_addr bound;  /* [::] or 0.0.0.0: to all of ours */
    uint32_t kernel_drops; /* the kernel's counter as last seen; it wraps */
    size_t recv_buffer;
    size_t send_buffer;
    struct wf_udp_stats stats;
    struct wf_mem *mem;
    size_t refused_count; /* slots of refused[] in use */
    struct wf_addr refused[UDP_REFUSED_HOSTS];
    struct wf_udp_slots out;
};

#endif
