/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp.c - opening a UDP socket and setting its options. Options that only make things faster may
 * fail.
 */
#include "net/udp_priv.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/os_error.h"

static bool set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* FORCE is for the privileged and ignores the machine's cap. */
static size_t raise_buffer(int fd, int force, int plain, size_t wanted)
{
    int size = wanted > INT32_MAX / 2 ? INT32_MAX / 2 : (int)wanted;
    socklen_t len = sizeof size;

    if (!set_int(fd, SOL_SOCKET, force, size)) {
        (void)set_int(fd, SOL_SOCKET, plain, size);
    }
    if (getsockopt(fd, SOL_SOCKET, plain, &size, &len) != 0 || size < 0)
        return 0;
    return (size_t)size;
}

/* An IPv6 socket also carries IPv4, so it needs the options of both. */
static bool set_needed(const struct wf_udp *u, const struct wf_udp_config *config)
{
    int fd = u->fd;
    bool ok = true;

    if (u->family == AF_INET6) {
        ok = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, u->v6_only) &&
             set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
             set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    } else {
        ok = set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
    }
    if (u->family == AF_INET || !u->v6_only) {
        ok = ok && set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    }
    if (config->reuse_port) {
        ok = ok && set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    return ok;
}

static size_t or_default(size_t wanted)
{
    return wanted == 0 ? WF_UDP_BUFFER_WANTED : wanted;
}

/* What makes things better where it is there. */
static void set_welcome(struct wf_udp *u, const struct wf_udp_config *config)
{
    int segment = 0;
    socklen_t len = sizeof segment;

    (void)set_int(u->fd, IPPROTO_IP, IP_RECVTOS, 1);
    if (u->family == AF_INET6) {
        (void)set_int(u->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    }
    (void)set_int(u->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    u->gro = !config->no_gro && set_int(u->fd, SOL_UDP, UDP_GRO, 1);
    u->gso = !config->no_gso && getsockopt(u->fd, SOL_UDP, UDP_SEGMENT, &segment, &len) == 0;
    u->recv_buffer =
        raise_buffer(u->fd, SO_RCVBUFFORCE, SO_RCVBUF, or_default(config->recv_buffer_wanted));
    u->send_buffer =
        raise_buffer(u->fd, SO_SNDBUFFORCE, SO_SNDBUF, or_default(config->send_buffer_wanted));
}

static weft_err open_family(struct wf_udp *u, const struct wf_udp_config *config,
                            const struct wf_addr *bind_to)
{
    union wf_sockaddr name;
    socklen_t len = wf_sockaddr_of(&name, bind_to, u->family);

    u->fd = socket(u->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (u->fd < 0)
        return wf_socket_error(errno);
    if (!set_needed(u, config) || bind(u->fd, &name.any, len) != 0) {
        weft_err err = wf_socket_error(errno);
        int code = errno;
        (void)close(u->fd);
        u->fd = -1;
        errno = code;
        return err;
    }
    set_welcome(u, config);
    return WEFT_OK;
}

/* A machine without IPv6 refuses the family, or has it and no [::]. */
static bool lacks_v6(weft_err err)
{
    return err == WEFT_ERR_IO && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

static weft_err open_socket(struct wf_udp *u, const struct wf_udp_config *config)
{
    struct wf_addr bind_to = wf_addr_normalise(&config->bind);
    if (bind_to.family == WF_ADDR_NONE) {
        bind_to = wf_addr_any(WF_ADDR_V6, config->bind.port);
    }
    bool either = !config->v6_only && bind_to.family == WF_ADDR_V6 &&
                  wf_addr_class(&bind_to) == WF_ADDR_CLASS_ANY;
    u->family = wf_addr_is_v4(&bind_to) ? AF_INET : AF_INET6;
    u->v6_only = u->family == AF_INET6 && !either;
    weft_err err = open_family(u, config, &bind_to);
    if (either && lacks_v6(err)) {
        bind_to = wf_addr_any(WF_ADDR_V4, config->bind.port);
        u->family = AF_INET;
        err = open_family(u, config, &bind_to);
    }
    return err;
}

weft_err wf_udp_open(struct wf_udp **out, const struct wf_udp_config *config, struct wf_mem *mem)
{
    struct wf_udp *u = wf_alloc(mem, sizeof *u);

    if (u == NULL)
        return WEFT_ERR_NOMEM;
    u->mem = mem;
    weft_err err = open_socket(u, config);
    if (err != WEFT_OK) {
        wf_free(mem, u, sizeof *u);
        return err;
    }
    u->bound = wf_udp_local(u);
    u->port = u->bound.port;
    *out = u;
    return WEFT_OK;
}

void wf_udp_close(struct wf_udp *u)
{
    if (u == NULL)
        return;
    (void)close(u->fd);
    wf_free(u->mem, u, sizeof *u);
}

int wf_udp_fd(const struct wf_udp *u)
{
    return u->fd;
}

struct wf_addr wf_udp_local(const struct wf_udp *u)
{
    union wf_sockaddr name = {0};
    socklen_t len = sizeof name;

    if (getsockname(u->fd, &name.any, &len) != 0)
        return (struct wf_addr){0};
    return wf_addr_of_sockaddr(&name);
}

bool wf_udp_speaks(const struct wf_udp *u, uint8_t family)
{
    if (family == WF_ADDR_V6)
        return u->family == AF_INET6;
    return family == WF_ADDR_V4 && (u->family == AF_INET || !u->v6_only);
}

size_t wf_udp_recv_buffer(const struct wf_udp *u)
{
    return u->recv_buffer;
}

size_t wf_udp_send_buffer(const struct wf_udp *u)
{
    return u->send_buffer;
}

bool wf_udp_has_gro(const struct wf_udp *u)
{
    return u->gro;
}

const struct wf_udp_stats *wf_udp_stats(const struct wf_udp *u)
{
    return &u->stats;
}
