/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_io.c - the core joined to a UDP socket, a timer and the clock.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/node_priv.h"
#include "net/clock.h"

#define TRAIN_BYTES 65536u
#define CACHE_LINE 64u
#define BLOCKED_US 1000u /* before timers are looked at again while the socket is full */

static void on_udp(void *ctx, unsigned events);
static void on_timer(void *ctx);

static weft_err bind_address(const char *listen, struct wf_addr *out)
{
    if (listen == NULL) {
        *out = (struct wf_addr){0};
        return WEFT_OK;
    }
    return wf_addr_parse(out, wf_span_of(listen));
}

weft_err node_open_io(weft_node *n, const char *listen)
{
    struct wf_udp_config config = {0};
    weft_err err = bind_address(listen, &config.bind);

    if (err == WEFT_OK)
        err = wf_udp_open(&n->udp, &config, &n->mem);
    if (err == WEFT_OK)
        err = wf_udp_batch_init(&n->batch, NODE_BATCH_SMALL, &n->mem);
    if (err != WEFT_OK)
        return err;
    n->trains = wf_alloc_array(&n->mem, NODE_TRAINS, TRAIN_BYTES);
    if (n->trains == NULL)
        return WEFT_ERR_NOMEM;
    n->udp_watch = (struct wf_watch){.fn = on_udp, .ctx = n};
    n->timer = (struct wf_timer){.fn = on_timer, .ctx = n};
    return wf_loop_watch(n->loop, &n->udp_watch, wf_udp_fd(n->udp), WF_READABLE);
}

void node_close_io(weft_node *n)
{
    if (n->loop != NULL) {
        wf_loop_unwatch(n->loop, &n->udp_watch);
        wf_timer_clear(n->loop, &n->timer);
    }
    wf_udp_batch_deinit(&n->batch);
    wf_udp_close(n->udp);
    n->udp = NULL;
    wf_free(&n->mem, n->trains, (size_t)NODE_TRAINS * TRAIN_BYTES);
    n->trains = NULL;
}

/* What the kernel would not take at once stays in outs; nothing new is asked of the core until it
 * is gone. */
static bool flush_outs(weft_node *n)
{
    while (n->out_done < n->out_count) {
        size_t done = wf_udp_send(n->udp, n->outs + n->out_done, n->out_count - n->out_done);

        for (size_t i = 0; i < done; i++) {
            const struct wf_udp_out *o = &n->outs[n->out_done + i];

            if (o->fate == WF_UDP_TOO_BIG)
                wf_core_too_big(n->core, wf_clock_now(), &o->send.to,
                                o->send.segment == 0 ? o->send.len : o->send.segment);
        }
        n->out_done += done;
        if (done == 0)
            return false;
    }
    n->out_done = 0;
    n->out_count = 0;
    n->out_bytes = 0;
    return true;
}

/* One behind the other, each in a cache line of its own, while there is room for a long one. */
static void fill_outs(weft_node *n, weft_time now)
{
    while (n->out_count < NODE_OUTS && n->out_bytes <= (NODE_TRAINS - 1) * TRAIN_BYTES) {
        struct wf_udp_out *o = &n->outs[n->out_count];
        uint8_t *buf = n->trains + n->out_bytes;

        *o = (struct wf_udp_out){.data = buf};
        if (!wf_core_send(n->core, now, buf, TRAIN_BYTES, &o->send))
            return;
        n->out_count++;
        n->out_bytes += (o->send.len + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    }
}

/* A function of the API changed something: look at it in the next round of the loop. */
void node_kick(weft_node *n)
{
    if (!n->draining && wf_timer_set(n->loop, &n->timer, 0) != WEFT_OK)
        wf_loop_stop(n->loop);
}

static bool has_more(const weft_node *n)
{
    return n->resume_all || n->resumed.count > 0 || n->unfed.count > 0 || n->failed.count > 0;
}

/* What is due while the socket takes nothing cannot be sent; looking again at once would only burn
 * the processor. */
static void set_timer(weft_node *n, bool writable)
{
    weft_time at = has_more(n) ? 0 : wf_core_deadline(n->core);
    weft_time soon = wf_clock_now() + BLOCKED_US;

    if (!writable && at < soon)
        at = soon;
    /* Cannot fail for want of room: the timer is one of a node's few. */
    if (wf_timer_set(n->loop, &n->timer, at) != WEFT_OK)
        wf_loop_stop(n->loop);
}

/* Events, then packets, then the next deadline: what the contract of the core asks for after every
 * call. */
void node_pump(weft_node *n)
{
    bool writable = true;

    for (size_t round = 0; round < NODE_ROUNDS_MAX && writable; round++) {
        node_drain(n);
        writable = flush_outs(n);
        if (!writable)
            break;
        fill_outs(n, wf_clock_now());
        if (n->out_count == 0 && !wf_core_has_events(n->core))
            break;
        writable = flush_outs(n);
    }
    node_work_review(n);
    if (wf_loop_rewatch(n->loop, &n->udp_watch,
                        writable ? WF_READABLE : WF_READABLE | WF_WRITABLE) != WEFT_OK)
        wf_loop_stop(n->loop);
    set_timer(n, writable);
}

/* Long messages are better worked off while they are in the cache. */
static size_t next_batch(const struct wf_udp_batch *b)
{
    size_t bytes = 0;

    for (size_t i = 0; i < b->count; i++)
        bytes += b->items[i].len;
    return bytes <= b->count * NODE_SMALL_BYTES ? NODE_BATCH_SMALL : NODE_BATCH;
}

static void on_udp(void *ctx, unsigned events)
{
    weft_node *n = ctx;

    (void)events;
    for (size_t round = 0; round < NODE_ROUNDS_MAX; round++) {
        if (wf_udp_recv(n->udp, &n->batch) == 0)
            break;
        wf_core_recv(n->core, wf_clock_now(), n->batch.items, n->batch.count);
        node_pump(n);
        if (!n->batch.more)
            break;
        n->batch.limit = next_batch(&n->batch);
    }
    node_pump(n);
}

static void on_timer(void *ctx)
{
    weft_node *n = ctx;

    wf_core_tick(n->core, wf_clock_now());
    node_pump(n);
}
