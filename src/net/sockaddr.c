/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockaddr.c - the only place where an address changes between our form and the system's.
 */
#include "net/sockaddr.h"

#include <arpa/inet.h>
#include <string.h>

socklen_t wf_sockaddr_of(union wf_sockaddr *out, const struct wf_addr *a, sa_family_t family)
{
    memset(out, 0, sizeof *out);
    if (!wf_addr_is_set(a))
        return 0;
    if (family == AF_INET) {
        if (!wf_addr_is_v4(a))
            return 0;
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(a->port);
        memcpy(&out->v4.sin_addr, a->ip, 4);
        return sizeof out->v4;
    }
    struct wf_addr v6 = wf_addr_to_v6(a);
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(v6.port);
    out->v6.sin6_scope_id = v6.scope;
    memcpy(&out->v6.sin6_addr, v6.ip, 16);
    return sizeof out->v6;
}

struct wf_addr wf_addr_of_sockaddr(const union wf_sockaddr *sa)
{
    struct wf_addr a = {0};

    if (sa->any.sa_family == AF_INET) {
        a.family = WF_ADDR_V4;
        a.port = ntohs(sa->v4.sin_port);
        memcpy(a.ip, &sa->v4.sin_addr, 4);
        return a; /* normal already */
    }
    if (sa->any.sa_family == AF_INET6) {
        a.family = WF_ADDR_V6;
        a.port = ntohs(sa->v6.sin6_port);
        a.scope = sa->v6.sin6_scope_id;
        memcpy(a.ip, &sa->v6.sin6_addr, 16);
    }
    return wf_addr_normalise(&a);
}
