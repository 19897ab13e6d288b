/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tun.c - IP packets between two TUN devices. A packet read from one is written to the other,
 * unless the link says otherwise.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "netem/device.h"
#include "netem/packet.h"
#include "netem/run.h"

#define PACKET_MAX 65536u
/* Read from one side before the other has its turn. */
#define TURN_PACKETS 64u

struct side {
    struct netem *n;
    struct netem_device device;
    struct wf_watch watch;
    enum netem_direction out; /* the direction of what is read here */
};

struct tun {
    struct side sides[2];
    uint8_t buffer[PACKET_MAX];
};

static struct side *side_towards(struct netem *n, enum netem_direction d)
{
    return &((struct tun *)n->mode)->sides[d == NETEM_UP ? 1 : 0];
}

static void send_to(struct netem *n, enum netem_direction d, const uint8_t *data, size_t len)
{
    if (write(side_towards(n, d)->device.fd, data, len) != (ssize_t)len) {
        n->extra[d].unsent++;
    }
}

static void deliver(struct netem *n, enum netem_direction d, struct netem_packet *p)
{
    if (p->marked) {
        netem_ip_set_ecn(p->data, p->len, p->ecn);
    }
    if (p->corrupt) {
        netem_ip_flip(p->data, p->len, p->bit);
    }
    send_to(n, d, p->data, p->len);
}

/* Back to where it came from. */
static void tell_too_big(struct netem *n, enum netem_direction d, weft_span packet)
{
    uint8_t icmp[NETEM_TOO_BIG_MAX];
    const size_t len = netem_ip_too_big(icmp, packet, n->ways[d].link.config.mtu);

    if (len > 0) {
        n->extra[d].too_big_told++;
        send_to(n, d == NETEM_UP ? NETEM_DOWN : NETEM_UP, icmp, len);
    }
}

static void take_in(struct netem *n, enum netem_direction d, weft_span packet)
{
    struct netem_ip ip = {0};

    if (!netem_ip_parse(&ip, packet) || ip.is_local) {
        n->extra[d].ignored++;
        return;
    }

    const struct netem_meta meta = {.ecn = ip.ecn};

    packet.len = ip.len;
    if (netem_way_put(&n->ways[d], n->now, &meta, packet) == SIM_TOO_BIG) {
        tell_too_big(n, d, packet);
    }
}

static void on_readable(void *ctx, unsigned events)
{
    struct side *side = ctx;
    struct netem *n = side->n;
    uint8_t *buffer = ((struct tun *)n->mode)->buffer;

    (void)events;
    (void)netem_look(n);
    for (unsigned i = 0; i < TURN_PACKETS; i++) {
        const ssize_t len = read(side->device.fd, buffer, PACKET_MAX);

        if (len <= 0)
            break;
        take_in(n, side->out, (weft_span){buffer, (size_t)len});
    }
    netem_flush(n);
}

static void count(struct netem *n)
{
    struct tun *t = n->mode;

    for (size_t i = 0; i < 2; i++) {
        n->extra[t->sides[i].out].kernel_dropped = netem_device_dropped(&t->sides[i].device);
    }
}

static bool open_side(struct netem *n, size_t which)
{
    struct side *side = &((struct tun *)n->mode)->sides[which];

    side->n = n;
    side->out = which == 0 ? NETEM_UP : NETEM_DOWN;
    side->watch.fn = on_readable;
    side->watch.ctx = side;
    if (!netem_device_open(&side->device, &n->options.ends[which], n->options.device_mtu))
        return false;
    return wf_loop_watch(n->loop, &side->watch, side->device.fd, WF_READABLE) == WEFT_OK ||
           netem_refuse("the device %s cannot be watched; start it again.", side->device.name);
}

bool netem_tun(struct netem *n)
{
    static struct tun t;
    char at[2 * NETEM_DEVICE_MAX + 2];
    bool good = true;

    n->mode = &t;
    n->deliver = deliver;
    n->count = count;
    t.sides[0].device.fd = t.sides[1].device.fd = -1;
    t.sides[0].device.stats_fd = t.sides[1].device.stats_fd = -1;
    good = open_side(n, 0) && open_side(n, 1);
    if (good) {
        (void)snprintf(at, sizeof at, "%s-%s", t.sides[0].device.name, t.sides[1].device.name);
        netem_say_ready(n, at);
        good = netem_run(n);
    }
    for (size_t i = 0; i < 2; i++) {
        wf_loop_unwatch(n->loop, &t.sides[i].watch);
        netem_device_close(&t.sides[i].device);
    }
    return good;
}
