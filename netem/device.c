/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.c - TUN devices by the calls that `ip` would make. It must never leave the process in a
 * namespace that is not its own.
 */
#include "netem/device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netem/run.h"

/* Packets that the kernel keeps for us: 40 ms of 1 Gb/s. */
#define QUEUE_PACKETS 4000
#define STATS_MAX 16384

/* As the kernel wants it; its header and the C library's cannot be included together. */
struct in6_request {
    struct in6_addr addr;
    uint32_t prefix;
    int index;
};

static bool set_v4(int fd, struct ifreq *req, const struct netem_net *net)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};

    memcpy(&sa.sin_addr, net->addr.ip, 4);
    memcpy(&req->ifr_addr, &sa, sizeof sa);
    if (ioctl(fd, SIOCSIFADDR, req) != 0)
        return false;
    sa.sin_addr.s_addr = htonl(net->prefix == 0 ? 0 : UINT32_MAX << (32 - net->prefix));
    memcpy(&req->ifr_netmask, &sa, sizeof sa);
    return ioctl(fd, SIOCSIFNETMASK, req) == 0;
}

static bool set_v6(struct ifreq *req, const struct netem_net *net)
{
    struct in6_request in6 = {.prefix = net->prefix};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && ioctl(fd, SIOCGIFINDEX, req) == 0;

    in6.index = req->ifr_ifindex;
    memcpy(&in6.addr, net->addr.ip, sizeof in6.addr);
    good = good && ioctl(fd, SIOCSIFADDR, &in6) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

static void name_request(struct ifreq *req, const char *name)
{
    memset(req, 0, sizeof *req);
    memcpy(req->ifr_name, name, strnlen(name, IFNAMSIZ - 1));
}

/* In the device's namespace. Labels of further IPv4 addresses are NAME:1 and so on. */
static bool configure(const struct netem_end *end, uint64_t mtu)
{
    struct ifreq req;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0;

    name_request(&req, end->device);
    req.ifr_mtu = (int)mtu;
    good = good && ioctl(fd, SIOCSIFMTU, &req) == 0;
    req.ifr_qlen = QUEUE_PACKETS;
    good = good && ioctl(fd, SIOCSIFTXQLEN, &req) == 0;
    name_request(&req, end->device);
    good = good && ioctl(fd, SIOCGIFFLAGS, &req) == 0;
    req.ifr_flags = (short)(req.ifr_flags | IFF_UP);
    good = good && ioctl(fd, SIOCSIFFLAGS, &req) == 0;
    for (size_t i = 0; i < end->net_count && good; i++) {
        name_request(&req, end->device);
        good = wf_addr_is_v4(&end->nets[i].addr) ? set_v4(fd, &req, &end->nets[i])
                                                 : set_v6(&req, &end->nets[i]);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

static bool make(struct netem_device *d, const struct netem_end *end, uint64_t mtu)
{
    struct ifreq req;

    d->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (d->fd < 0)
        return netem_refuse("/dev/net/tun cannot be opened: %s; tun mode needs root and a kernel "
                            "with TUN devices.",
                            strerror(errno));
    name_request(&req, end->device);
    req.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (ioctl(d->fd, TUNSETIFF, &req) != 0)
        return netem_refuse("the device %s cannot be made: %s; be root, and take a name that is "
                            "free there.",
                            end->device, strerror(errno));
    if (!configure(end, mtu))
        return netem_refuse("the device %s does not take its addresses: %s; give it others.",
                            end->device, strerror(errno));
    d->stats_fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
    return true;
}

/* Enters the namespace, and returns a descriptor of the former one; -1: standard error says why. */
static int enter(const struct netem_end *end)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int there = -1;

    if (home < 0) {
        (void)netem_refuse("the present network namespace cannot be named: %s; mount /proc.",
                           strerror(errno));
        return -1;
    }
    if (end->space[0] == '\0')
        return home;
    there = open(end->space, O_RDONLY | O_CLOEXEC);
    if (there < 0 || setns(there, CLONE_NEWNET) != 0) {
        (void)netem_refuse("the network namespace %s cannot be entered: %s; be root, and make it "
                           "with `ip netns add`.",
                           end->space, strerror(errno));
        (void)close(home);
        home = -1;
    }
    if (there >= 0) {
        (void)close(there);
    }
    return home;
}

bool netem_device_open(struct netem_device *d, const struct netem_end *end, uint64_t mtu)
{
    bool good = false;
    int home = -1;

    *d = (struct netem_device){.fd = -1, .stats_fd = -1};
    memcpy(d->name, end->device, sizeof d->name);
    home = enter(end);
    if (home < 0)
        return false;
    good = make(d, end, mtu);
    if (setns(home, CLONE_NEWNET) != 0 && end->space[0] != '\0') {
        good = netem_refuse("there is no way back into the own network namespace: %s; be root.",
                            strerror(errno));
    }
    (void)close(home);
    return good;
}

void netem_device_close(struct netem_device *d)
{
    if (d->fd >= 0) {
        (void)close(d->fd);
    }
    if (d->stats_fd >= 0) {
        (void)close(d->stats_fd);
    }
    d->fd = d->stats_fd = -1;
}

/* "NAME: " and 16 numbers a line; the twelfth is what was dropped on its way out, to us. */
static uint64_t dropped_in(const char *text, const char *name)
{
    const size_t len = strlen(name);
    const char *at = strstr(text, name);

    while (at != NULL && at[len] != ':') {
        at = strstr(at + len, name);
    }
    if (at == NULL)
        return 0;

    char *next = NULL;
    const char *number = at + len + 1;
    uint64_t v = 0;

    for (unsigned i = 0; i < 12; i++) {
        v = strtoull(number, &next, 10);
        if (next == number)
            return 0;
        number = next;
    }
    return v;
}

uint64_t netem_device_dropped(const struct netem_device *d)
{
    static char text[STATS_MAX];
    ssize_t len = d->stats_fd < 0 ? -1 : pread(d->stats_fd, text, sizeof text - 1, 0);

    if (len <= 0)
        return 0;
    text[len] = '\0';
    return dropped_in(text, d->name);
}
