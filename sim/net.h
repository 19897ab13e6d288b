/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h - the network between hosts: one link for each direction of each pair, an address for each
 * host, and a NAT in front of some. It carries datagrams and knows nothing of what is in them.
 *
 * Memory   A packet is one block; whoever takes it from an event frees it.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "base/datagram.h"
#include "sim/link.h"
#include "sim/log.h"
#include "sim/queue.h"

#define SIM_HOSTS_MAX 6u
/* The attacker's place: it has links of its own and may write any source address. */
#define SIM_ATTACKER SIM_HOSTS_MAX
#define SIM_PORTS (SIM_HOSTS_MAX + 1u)
#define SIM_CONTACTS_MAX 16u
#define SIM_FORMER_MAX 8u
#define SIM_NOBODY UINT32_MAX

/* Where a datagram's bytes and addresses come from; the checks ask. */
enum sim_made {
    SIM_GENUINE, /* sent by a core, source address and all */
    SIM_COPIED,  /* an exact copy made by the attacker, from the true source address */
    SIM_MOVED,   /* an exact copy from another source address */
    SIM_CHANGED, /* a copy with other bytes */
    SIM_MADE_UP, /* never sent by any core */
};

struct sim_packet {
    struct wf_addr from, to; /* as seen on the way: outside of a NAT */
    uint8_t ecn;
    uint32_t origin; /* the host that sent it, or SIM_ATTACKER */
    enum sim_made made;
    bool flipped;            /* the link changed a bit */
    struct sim_packet *next; /* for whoever holds it */
    size_t len;
    uint8_t data[];
};

struct sim_packet *sim_packet_new(const void *data, size_t len);
struct sim_packet *sim_packet_copy(const struct sim_packet *p);

struct sim_port {
    struct wf_addr inside;  /* what the host takes for its address */
    struct wf_addr outside; /* what everybody else sees; the same without a NAT */
    bool filters;           /* the NAT lets in only what comes from where something went */
    struct wf_addr contacts[SIM_CONTACTS_MAX];
    size_t contact_next;
    struct wf_addr former[SIM_FORMER_MAX]; /* insides of a host that moved */
    size_t former_next;
};

struct sim_net {
    struct sim_queue *queue;
    struct sim_log *log;
    struct sim_port ports[SIM_HOSTS_MAX];
    struct sim_link links[SIM_PORTS][SIM_PORTS]; /* [from][to] */
    uint64_t sent, arrived, to_nobody, filtered;
};

void sim_net_init(struct sim_net *net, struct sim_queue *queue, struct sim_log *log);

/* The host that is reached at this address now, or SIM_NOBODY. */
uint32_t sim_net_find(const struct sim_net *net, const struct wf_addr *to);

/* Gives a packet of this host the source address that others will see, and opens the NAT for
 * answers. */
void sim_net_leave(struct sim_net *net, uint32_t host, struct sim_packet *p);

/* Carries a packet, which is the network's from now on. SIM_TOO_BIG: the sender is told; every
 * other fate is silent. Copies come back as SIM_ARRIVE events of the host that then has the
 * address. */
enum sim_fate sim_net_carry(struct sim_net *net, struct sim_packet *p);

/* At a SIM_ARRIVE event: true when the packet gets in; it then has the inside address in to. The
 * address may have moved on, or the NAT may refuse it: then it is freed. */
bool sim_net_enter(struct sim_net *net, uint32_t host, struct sim_packet *p);

/* Is it an address that the host once had and has no more? Nothing can be sent from it. */
bool sim_net_is_former(const struct sim_net *net, uint32_t host, const struct wf_addr *inside);

/* The NAT forgets what it knew and gives the host another port, or another address and port. A host
 * without a NAT moves itself. */
void sim_net_rebind(struct sim_net *net, uint32_t host, const struct wf_addr *outside);

#endif
