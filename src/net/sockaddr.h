/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockaddr.h - struct wf_addr to and from what the socket calls want.
 */
#ifndef WF_NET_SOCKADDR_H
#define WF_NET_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/addr.h"

union wf_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* For a socket of that family: IPv4 is mapped when the socket speaks IPv6. Returns the length, 0
 * when an IPv6 address is meant for an IPv4 socket or the address is unset. */
socklen_t wf_sockaddr_of(union wf_sockaddr *out, const struct wf_addr *a, sa_family_t family);

/* Normalised; unset for a family that is neither. */
struct wf_addr wf_addr_of_sockaddr(const union wf_sockaddr *sa);

#endif
