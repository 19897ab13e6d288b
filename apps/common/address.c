/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.c - the peer text to hand out: where a node listens on every address, one that others can
 * reach stands in it.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/app.h"

/* How good an address is for others: 0 not at all. */
static int rank_of(const struct ifaddrs *i)
{
    bool is_up = (i->ifa_flags & (unsigned)IFF_UP) != 0;
    bool is_loopback = (i->ifa_flags & (unsigned)IFF_LOOPBACK) != 0;

    if (i->ifa_addr == NULL || !is_up)
        return 0;
    if (i->ifa_addr->sa_family == AF_INET)
        return is_loopback ? 1 : 3;
    return 0;
}

/* The first IPv4 address of a network, else that of the machine itself. */
static void best_host(char out[INET_ADDRSTRLEN])
{
    struct ifaddrs *all = NULL;
    int best = 0;

    (void)snprintf(out, INET_ADDRSTRLEN, "127.0.0.1");
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_in in;
        int rank = rank_of(i);

        if (rank <= best)
            continue;
        best = rank;
        memcpy(&in, i->ifa_addr, sizeof in);
        (void)inet_ntop(AF_INET, &in.sin_addr, out, INET_ADDRSTRLEN);
    }
    freeifaddrs(all);
}

void app_peer_text(const weft_node *node, char out[APP_PEER_MAX])
{
    weft_key key = weft_node_key(node);
    char text[WEFT_KEY_TEXT_MAX];
    char address[64];
    char host[INET_ADDRSTRLEN];
    const char *port = NULL;

    weft_key_text(text, &key);
    if (weft_node_address(node, address, sizeof address) != WEFT_OK)
        address[0] = '\0';
    port = strrchr(address, ':');
    if (strncmp(address, "[::]:", 5) == 0 || strncmp(address, "0.0.0.0:", 8) == 0) {
        best_host(host);
        (void)snprintf(out, APP_PEER_MAX, "%s@%s%s", text, host, port);
    } else {
        (void)snprintf(out, APP_PEER_MAX, "%s@%s", text, address);
    }
}
