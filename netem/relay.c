/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c - UDP datagrams between clients and one server. Each client has a socket of its own
 * toward the server, as behind a NAT; rebinding gives it another port, and what comes to the former
 * one is lost without a word, as with a NAT that forgot.
 */
#include <stdio.h>
#include <string.h>

#include "net/udp.h"
#include "netem/packet.h"
#include "netem/run.h"

#define CLIENTS_MAX 64u
#define BATCH 32u
/* IP and UDP headers, so that rates and sizes mean the same as in tun mode. */
#define OVERHEAD_V4 28u
#define OVERHEAD_V6 48u

struct relay;

struct client {
    struct relay *relay;
    struct wf_addr addr; /* unset: free */
    struct wf_udp *now, *former;
    struct wf_watch watch, former_watch;
    uint64_t name;  /* of this client, never given twice */
    uint64_t epoch; /* times it was rebound */
    uint64_t numbers[NETEM_DIRECTIONS];
    weft_time used;
};

struct relay {
    struct netem *n;
    struct wf_udp *front;
    struct wf_watch watch;
    struct wf_timer rebind;
    struct wf_udp_batch batch;
    struct client clients[CLIENTS_MAX];
    size_t last; /* the client that was found last */
    uint64_t next_name;
    size_t next_source;
};

/* A packet's flow: the client's place, its name, and how often it had been rebound. */
#define EPOCH_BITS 24u
#define PLACE_BITS 8u

static uint64_t flow_of(const struct relay *r, const struct client *c)
{
    const uint64_t place = (uint64_t)(c - r->clients);

    return c->name << (EPOCH_BITS + PLACE_BITS) |
           (c->epoch & ((1u << EPOCH_BITS) - 1)) << PLACE_BITS | place;
}

/* --- clients --- */

static void forget(struct client *c)
{
    wf_loop_unwatch(c->relay->n->loop, &c->watch);
    wf_loop_unwatch(c->relay->n->loop, &c->former_watch);
    wf_udp_close(c->now);
    wf_udp_close(c->former);
    memset(c, 0, sizeof *c);
}

static void on_server(void *ctx, unsigned events);
static void on_former(void *ctx, unsigned events);

/* A socket toward the server, from the next of the addresses to rebind among. */
static bool open_socket(struct client *c)
{
    struct relay *r = c->relay;
    struct netem *n = r->n;
    const struct netem_options *o = &n->options;
    struct wf_udp_config config = {.bind = wf_addr_any(o->to.family, 0)};

    if (o->source_count > 0) {
        config.bind = o->sources[r->next_source % o->source_count];
    }
    c->watch.fn = on_server;
    c->watch.ctx = c;
    if (wf_udp_open(&c->now, &config, &n->mem) != WEFT_OK)
        return false;
    return wf_loop_watch(n->loop, &c->watch, wf_udp_fd(c->now), WF_READABLE) == WEFT_OK;
}

static struct client *oldest(struct relay *r)
{
    struct client *found = &r->clients[0];

    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &r->clients[i];

        if (!wf_addr_is_set(&c->addr))
            return c;
        if (c->used < found->used) {
            found = c;
        }
    }
    r->n->clients_forgotten++;
    forget(found);
    return found;
}

static struct client *find(struct relay *r, const struct wf_addr *from)
{
    struct client *c = &r->clients[r->last];

    if (wf_addr_equal(&c->addr, from))
        return c;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (wf_addr_equal(&r->clients[i].addr, from)) {
            r->last = i;
            return &r->clients[i];
        }
    }
    c = oldest(r);
    *c = (struct client){.relay = r, .addr = *from, .name = ++r->next_name};
    if (!open_socket(c)) {
        forget(c);
        return NULL;
    }
    r->n->clients++;
    r->last = (size_t)(c - r->clients);
    return c;
}

/* --- in --- */

static void take_in(struct client *c, enum netem_direction d, const struct wf_datagram *in)
{
    struct netem *n = c->relay->n;
    const bool is_v4 = wf_addr_is_v4(&n->options.to);
    const size_t step = in->segment == 0 ? in->len : in->segment;

    c->used = n->now;
    for (size_t at = 0; at < in->len; at += step) {
        const struct netem_meta meta = {
            .flow = flow_of(c->relay, c),
            .number = ++c->numbers[d],
            .ecn = in->ecn,
            .overhead = is_v4 ? OVERHEAD_V4 : OVERHEAD_V6,
        };
        const size_t left = in->len - at;

        (void)netem_way_put(&n->ways[d], n->now, &meta,
                            (weft_span){in->data + at, left < step ? left : step});
    }
}

static void on_client(void *ctx, unsigned events)
{
    struct relay *r = ctx;

    (void)events;
    (void)netem_look(r->n);
    (void)wf_udp_recv(r->front, &r->batch);
    for (size_t i = 0; i < r->batch.count; i++) {
        struct client *c = find(r, &r->batch.items[i].from);

        if (c == NULL) {
            r->n->extra[NETEM_UP].unsent++;
        } else {
            take_in(c, NETEM_UP, &r->batch.items[i]);
        }
    }
    netem_flush(r->n);
}

static void on_server(void *ctx, unsigned events)
{
    struct client *c = ctx;
    struct relay *r = c->relay;

    (void)events;
    (void)netem_look(r->n);
    (void)wf_udp_recv(c->now, &r->batch);
    for (size_t i = 0; i < r->batch.count; i++) {
        if (wf_addr_equal(&r->batch.items[i].from, &r->n->options.to)) {
            take_in(c, NETEM_DOWN, &r->batch.items[i]);
        } else {
            r->n->extra[NETEM_DOWN].ignored++;
        }
    }
    netem_flush(r->n);
}

static void on_former(void *ctx, unsigned events)
{
    struct client *c = ctx;
    struct relay *r = c->relay;

    (void)events;
    (void)wf_udp_recv(c->former, &r->batch);
    for (size_t i = 0; i < r->batch.count; i++) {
        const struct wf_datagram *in = &r->batch.items[i];

        r->n->extra[NETEM_DOWN].stale +=
            in->segment == 0 ? 1 : (in->len + in->segment - 1) / in->segment;
    }
}

/* --- out --- */

static void send_out(struct netem *n, enum netem_direction d, struct wf_udp *from,
                     const struct wf_addr *to, struct netem_packet *p)
{
    struct wf_udp_out out = {.send = {.to = *to, .ecn = p->ecn, .len = p->len}, .data = p->data};

    if (wf_udp_send(from, &out, 1) != 1 || out.fate != WF_UDP_SENT) {
        n->extra[d].unsent++;
    }
}

/* What left through a former address still comes from it; what goes to one is lost. */
static void deliver(struct netem *n, enum netem_direction d, struct netem_packet *p)
{
    struct relay *r = n->mode;
    struct client *c = &r->clients[p->flow & ((1u << PLACE_BITS) - 1)];
    const uint64_t past = flow_of(r, c) - p->flow;
    const bool is_now = wf_addr_is_set(&c->addr) && past == 0;
    const bool is_former = wf_addr_is_set(&c->addr) && past == 1u << PLACE_BITS;

    if (p->corrupt) {
        netem_flip(p->data, p->len, p->bit);
    }
    if (d == NETEM_DOWN && is_now) {
        send_out(n, d, r->front, &c->addr, p);
    } else if (d == NETEM_UP && is_now) {
        send_out(n, d, c->now, &n->options.to, p);
    } else if (d == NETEM_UP && is_former && c->former != NULL) {
        send_out(n, d, c->former, &n->options.to, p);
    } else {
        n->extra[d].stale++;
    }
}

/* --- rebinding --- */

static void rebind_client(struct client *c)
{
    struct netem *n = c->relay->n;

    wf_loop_unwatch(n->loop, &c->watch);
    wf_loop_unwatch(n->loop, &c->former_watch);
    wf_udp_close(c->former);
    c->former = c->now;
    c->now = NULL;
    c->epoch++;
    c->former_watch.fn = on_former;
    c->former_watch.ctx = c;
    if (!open_socket(c) ||
        wf_loop_watch(n->loop, &c->former_watch, wf_udp_fd(c->former), WF_READABLE) != WEFT_OK) {
        forget(c); /* it comes back with its next packet */
    }
}

static void on_rebind(void *ctx)
{
    struct relay *r = ctx;
    struct netem *n = r->n;

    r->next_source++;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (wf_addr_is_set(&r->clients[i].addr)) {
            n->rebinds++;
            rebind_client(&r->clients[i]);
        }
    }
    netem_set_timer(n, &r->rebind, wf_clock_now() + n->options.rebind_us);
}

/* --- the whole --- */

static void count(struct netem *n)
{
    struct relay *r = n->mode;

    n->extra[NETEM_UP].kernel_dropped = wf_udp_stats(r->front)->recv_kernel_drops;
}

static bool open_front(struct relay *r)
{
    struct netem *n = r->n;
    const struct wf_udp_config config = {.bind = n->options.listen};
    char text[WF_ADDR_TEXT_MAX];
    const weft_err err = wf_udp_open(&r->front, &config, &n->mem);

    (void)wf_addr_format(text, &n->options.listen);
    if (err != WEFT_OK)
        return netem_refuse("%s cannot be listened at: %s; take another address, or port 0.", text,
                            weft_strerror(err));
    if (wf_udp_batch_init(&r->batch, BATCH, &n->mem) != WEFT_OK ||
        wf_loop_watch(n->loop, &r->watch, wf_udp_fd(r->front), WF_READABLE) != WEFT_OK)
        return netem_refuse("there is no memory for a batch of datagrams; close some programs.");
    return true;
}

bool netem_udp(struct netem *n)
{
    static struct relay r;
    char text[WF_ADDR_TEXT_MAX];
    bool good = false;

    r.n = n;
    r.watch.fn = on_client;
    r.rebind.fn = on_rebind;
    r.watch.ctx = r.rebind.ctx = &r;
    n->mode = &r;
    n->deliver = deliver;
    n->count = count;
    good = open_front(&r);
    if (good && n->options.rebind_us > 0) {
        netem_set_timer(n, &r.rebind, wf_clock_now() + n->options.rebind_us);
    }
    if (good) {
        struct wf_addr at = wf_udp_local(r.front);

        at.scope = 0;
        (void)wf_addr_format(text, &at);
        netem_say_ready(n, text);
        good = netem_run(n);
    }
    wf_timer_clear(n->loop, &r.rebind);
    wf_loop_unwatch(n->loop, &r.watch);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (r.clients[i].relay != NULL) {
            forget(&r.clients[i]);
        }
    }
    wf_udp_batch_deinit(&r.batch);
    wf_udp_close(r.front);
    return good;
}
