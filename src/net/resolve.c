/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - one look-up through getaddrinfo.
 */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "net/os_error.h"
#include "net/sockaddr.h"

static weft_err error_of(int code)
{
    switch (code) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return WEFT_ERR_NOT_FOUND;
    case EAI_AGAIN:
        return WEFT_ERR_TIMEOUT;
    case EAI_MEMORY:
        return WEFT_ERR_NOMEM;
    default:
        return WEFT_ERR_IO;
    }
}

static bool has(const struct wf_resolved *r, const struct wf_addr *a)
{
    for (size_t i = 0; i < r->count; i++) {
        if (wf_addr_equal(&r->addrs[i], a))
            return true;
    }
    return false;
}

static void take(struct wf_resolved *r, const struct addrinfo *info, uint16_t port)
{
    union wf_sockaddr name = {0};

    if (info->ai_addrlen > sizeof name || r->count == WF_RESOLVE_ADDRS_MAX)
        return;
    memcpy(&name, info->ai_addr, info->ai_addrlen);
    struct wf_addr a = wf_addr_of_sockaddr(&name);
    a.port = port;
    if (wf_addr_is_set(&a) && !has(r, &a)) {
        r->addrs[r->count++] = a;
    }
}

/* The system's resolver is handed nothing that a log or a terminal could trip over. */
bool wf_resolve_host_ok(const char *host)
{
    size_t len = strnlen(host, WF_RESOLVE_HOST_MAX + 1);

    for (size_t i = 0; i < len; i++) {
        if (host[i] <= ' ' || host[i] > '~')
            return false;
    }
    return len > 0 && len <= WF_RESOLVE_HOST_MAX;
}

weft_err wf_resolve_blocking(struct wf_resolved *out, const char *host, uint16_t port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *list = NULL;
    struct wf_resolved found = {0};

    if (!wf_resolve_host_ok(host))
        return WEFT_ERR_ADDRESS;
    if (wf_addr_parse_ip(&found.addrs[0], (weft_span){(const uint8_t *)host, strlen(host)}) ==
        WEFT_OK) {
        found.addrs[0].port = port;
        found.count = 1;
        *out = found;
        return WEFT_OK;
    }
    int code = getaddrinfo(host, NULL, &hints, &list);
    if (code == EAI_SYSTEM)
        return wf_socket_error(errno);
    if (code != 0)
        return error_of(code);
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        take(&found, info, port);
    }
    freeaddrinfo(list);
    if (found.count == 0)
        return WEFT_ERR_NOT_FOUND;
    *out = found;
    return WEFT_OK;
}
