/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.c - carries datagrams between hosts. It must never look at their bytes, but to flip one bit.
 */
#include "sim/net.h"

#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"

struct sim_packet *sim_packet_new(const void *data, size_t len)
{
    struct sim_packet *p = (struct sim_packet *)sim_calloc(1, sizeof *p + len);

    p->len = len;
    if (len > 0) {
        memcpy(p->data, data, len);
    }
    return p;
}

struct sim_packet *sim_packet_copy(const struct sim_packet *p)
{
    struct sim_packet *copy = sim_packet_new(p->data, p->len);

    copy->from = p->from;
    copy->to = p->to;
    copy->ecn = p->ecn;
    copy->origin = p->origin;
    copy->made = p->made;
    copy->flipped = p->flipped;
    return copy;
}

void sim_net_init(struct sim_net *net, struct sim_queue *queue, struct sim_log *log)
{
    memset(net, 0, sizeof *net);
    net->queue = queue;
    net->log = log;
}

uint32_t sim_net_find(const struct sim_net *net, const struct wf_addr *to)
{
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        if (wf_addr_is_set(&net->ports[i].outside) && wf_addr_equal(&net->ports[i].outside, to))
            return i;
    }
    return SIM_NOBODY;
}

static bool is_contact(const struct sim_port *port, const struct wf_addr *addr)
{
    for (size_t i = 0; i < SIM_CONTACTS_MAX; i++) {
        if (wf_addr_is_set(&port->contacts[i]) && wf_addr_equal(&port->contacts[i], addr))
            return true;
    }
    return false;
}

void sim_net_leave(struct sim_net *net, uint32_t host, struct sim_packet *p)
{
    struct sim_port *port = &net->ports[host];

    p->from = port->outside;
    p->origin = host;
    if (!is_contact(port, &p->to)) {
        port->contacts[port->contact_next++ % SIM_CONTACTS_MAX] = p->to;
    }
}

static void flip(struct sim_packet *p, uint64_t bit)
{
    if (p->len == 0)
        return;
    bit %= 8 * p->len;
    p->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    p->flipped = true;
}

static void schedule(struct sim_net *net, uint32_t to, const struct sim_copy *copy,
                     struct sim_packet *p)
{
    if (copy->corrupt) {
        flip(p, copy->bit);
    }
    sim_queue_push(net->queue,
                   (struct sim_event){.at = copy->at, .kind = SIM_ARRIVE, .host = to, .ptr = p});
}

enum sim_fate sim_net_carry(struct sim_net *net, struct sim_packet *p)
{
    const uint32_t to = sim_net_find(net, &p->to);
    struct sim_passage passage = {0};

    net->sent++;
    if (to == SIM_NOBODY) {
        net->to_nobody++;
        free(p);
        return SIM_LOST;
    }
    sim_link_pass(&net->links[p->origin][to], net->queue->now, p->len, p->ecn, &passage);
    if (passage.fate != SIM_PASSED) {
        sim_log_say(net->log, "  link %u>%u drops %zu bytes, fate %d", (unsigned)p->origin,
                    (unsigned)to, p->len, (int)passage.fate);
    }
    p->ecn = passage.ecn;
    for (size_t i = 0; i < passage.count; i++) {
        const bool is_last = i + 1 == passage.count;

        schedule(net, to, &passage.copies[i], is_last ? p : sim_packet_copy(p));
    }
    if (passage.count == 0) {
        free(p);
    }
    return passage.fate;
}

bool sim_net_enter(struct sim_net *net, uint32_t host, struct sim_packet *p)
{
    struct sim_port *port = &net->ports[host];

    if (!wf_addr_equal(&port->outside, &p->to)) {
        net->to_nobody++;
        free(p);
        return false;
    }
    if (port->filters && !is_contact(port, &p->from)) {
        net->filtered++;
        free(p);
        return false;
    }
    p->to = port->inside;
    net->arrived++;
    return true;
}

bool sim_net_is_former(const struct sim_net *net, uint32_t host, const struct wf_addr *inside)
{
    const struct sim_port *port = &net->ports[host];

    for (size_t i = 0; i < SIM_FORMER_MAX; i++) {
        if (wf_addr_is_set(&port->former[i]) && wf_addr_equal(&port->former[i], inside))
            return !wf_addr_equal(&port->inside, inside);
    }
    return false;
}

void sim_net_rebind(struct sim_net *net, uint32_t host, const struct wf_addr *outside)
{
    struct sim_port *port = &net->ports[host];

    if (wf_addr_equal(&port->inside, &port->outside)) {
        port->former[port->former_next++ % SIM_FORMER_MAX] = port->inside;
        port->inside = *outside;
    }
    port->outside = *outside;
    memset(port->contacts, 0, sizeof port->contacts);
    port->contact_next = 0;
}
