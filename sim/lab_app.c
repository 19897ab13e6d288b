/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_app.c - what flows send and read. Bodies are a pattern that the reader compares, so that a
 * figure never counts a byte that is not the right one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "sim/lab_priv.h"

#define PERIOD 251u
#define CHUNK 65536u
#define REQUEST_LEN_DEFAULT 1u
#define SERVICE_LEN 12u

static const uint8_t *pattern(uint64_t offset)
{
    static uint8_t bytes[CHUNK + PERIOD];

    if (bytes[1] == 0) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(i % PERIOD);
        }
    }
    return bytes + offset % PERIOD;
}

/* --- what a flow wants --- */

static bool has_reply(const struct lab_flow *p)
{
    return p->kind == LAB_BULK ? p->down : p->reply_bytes > 0;
}

/* Which halves carry what is measured? A request that only asks for a transfer does not. */
static bool counts(const struct lab_flow *p, unsigned half)
{
    return p->kind == LAB_REQUESTS || half == (unsigned)p->down;
}

/* UINT64_MAX: without an end. */
static uint64_t length_of(const struct lab_flow *p, unsigned half)
{
    if (p->kind == LAB_REQUESTS)
        return half == 0 ? p->request_bytes : p->reply_bytes;
    if (half != (unsigned)p->down)
        return REQUEST_LEN_DEFAULT;
    return p->bytes == 0 ? UINT64_MAX : p->bytes;
}

static bool may_write(const struct lab_world *w, const struct lab_running *f)
{
    const uint64_t since = w->queue.now - LAB_START_AT - f->plan->start_us;

    return f->plan->busy_us == 0 ||
           since % (f->plan->busy_us + f->plan->idle_us) < f->plan->busy_us;
}

static struct lab_host *host_of(const struct lab_running *f, unsigned index)
{
    return &f->pair->hosts[index];
}

/* --- writing --- */

static void write_half(struct lab_world *w, struct lab_message *m, unsigned half)
{
    struct lab_running *f = m->flow;
    struct lab_half *out = &m->halves[half];
    struct lab_host *h = host_of(f, half);
    const uint64_t length = length_of(f->plan, half);

    while (out->open && !out->ended && may_write(w, f)) {
        const bool ends = length == UINT64_MAX && f->stopped;
        const uint64_t left = ends ? 0 : length - out->written;
        const size_t len = left < CHUNK ? (size_t)left : CHUNK;
        const bool is_last = ends || (length != UINT64_MAX && len == left);
        size_t taken = 0;

        if (wf_core_write(h->core, out->out_id, wf_span(pattern(out->written), len), is_last,
                          &taken) != WEFT_OK) {
            out->open = false; /* its outcome follows */
            return;
        }
        out->written += taken;
        out->ended = is_last && taken == len;
        if (taken < len)
            return; /* WRITABLE comes */
    }
}

/* --- messages --- */

static struct lab_message *new_message(struct lab_world *w, struct lab_running *f)
{
    struct lab_message *m = (struct lab_message *)sim_calloc(1, sizeof *m);

    if (f->message_count == f->message_room) {
        const size_t room = f->message_room == 0 ? 16 : 2 * f->message_room;
        struct lab_message **grown = (struct lab_message **)sim_calloc(room, sizeof(void *));

        if (f->message_count > 0) {
            memcpy(grown, f->messages, f->message_count * sizeof(void *));
        }
        free(f->messages);
        f->messages = grown;
        f->message_room = room;
    }
    *m =
        (struct lab_message){.flow = f, .index = (uint32_t)f->message_count, .began = w->queue.now};
    f->messages[f->message_count++] = m;
    f->open_count++;
    f->figures->messages++;
    return m;
}

/* The flow's last message has ended, and no other will come. */
static bool is_through(const struct lab_running *f)
{
    const struct lab_flow *p = f->plan;

    if (f->open_count > 0)
        return false;
    return p->kind == LAB_BULK || f->stopped ||
           (p->count_max > 0 && f->message_count >= p->count_max);
}

static void end_message(struct lab_world *w, struct lab_message *m, bool well)
{
    struct lab_running *f = m->flow;

    if (m->over)
        return;
    m->over = true;
    f->open_count--;
    if (well) {
        lab_sample(&f->latency, w->queue.now - m->began);
    } else {
        f->figures->failed++;
    }
    if (is_through(f)) {
        f->figures->done = f->figures->failed == 0;
        lab_ended(w, f);
    }
}

static void send_message(struct lab_world *w, struct lab_running *f)
{
    struct lab_host *h = host_of(f, 0);
    struct lab_message *m = new_message(w, f);
    const uint64_t length = length_of(f->plan, 0);
    uint8_t service[SERVICE_LEN] = {'l', 'a', 'b', '.'};
    struct wf_core_send_params p = {.one_way = f->plan->one_way,
                                    .show_own_key = true,
                                    .priority = f->plan->priority,
                                    .open_ended = length == UINT64_MAX,
                                    .expect_reply = has_reply(f->plan),
                                    .reach_within_us = f->plan->reach_us,
                                    .address = host_of(f, 1)->outside,
                                    .service = {service, sizeof service},
                                    .user = m};
    uint8_t secret[WF_SIGN_SECRET_LEN];

    wf_store_u32(service + 4, f->index);
    wf_store_u32(service + 8, m->index);
    p.length = p.open_ended ? 0 : length;
    wf_sign_keypair(p.to, secret, host_of(f, 1)->seed);
    if (wf_core_message(h->core, lab_host_now(w, h), &p, &m->halves[0].out_id) != WEFT_OK) {
        end_message(w, m, false);
        return;
    }
    m->halves[0].open = true;
    write_half(w, m, 0);
}

/* Writes on where nothing wakes it, and then again at the beginning of each busy time. */
static void write_on(struct lab_world *w, struct lab_running *f)
{
    struct lab_message *m = f->messages[0];

    write_half(w, m, f->plan->down);
    if (f->plan->busy_us > 0 && !m->over) {
        const uint64_t period = f->plan->busy_us + f->plan->idle_us;
        const uint64_t since = w->queue.now - LAB_START_AT - f->plan->start_us;

        lab_push(w, w->queue.now + period - since % period, LAB_TURN_NEXT, f->index);
    }
    if (lab_host_runs(host_of(f, f->plan->down))) {
        lab_host_pump(w, host_of(f, f->plan->down));
    }
}

void lab_app_next(struct lab_world *w, struct lab_running *f)
{
    const struct lab_flow *p = f->plan;

    if (p->kind == LAB_BULK) {
        write_on(w, f);
        return;
    }
    if (f->stopped || (p->count_max > 0 && f->message_count >= p->count_max))
        return;
    if (lab_host_runs(host_of(f, 0))) {
        send_message(w, f);
        lab_host_pump(w, host_of(f, 0));
    }
    lab_push(w, w->queue.now + p->every_us, LAB_TURN_NEXT, f->index);
}

void lab_app_begin(struct lab_world *w, struct lab_running *f)
{
    if (f->plan->kind == LAB_REQUESTS) {
        lab_app_next(w, f);
        return;
    }
    send_message(w, f);
    write_on(w, f);
    lab_host_pump(w, host_of(f, 0));
}

void lab_app_stop(struct lab_world *w, struct lab_running *f)
{
    if (f->plan->kind == LAB_BULK) {
        write_on(w, f);
    } else if (is_through(f)) {
        f->figures->done = f->figures->failed == 0;
        lab_ended(w, f);
    }
}

/* --- reading --- */

static void reply_to(struct lab_world *w, struct lab_message *m)
{
    const uint64_t length = length_of(m->flow->plan, 1);
    const struct wf_core_reply_params p = {.open_ended = length == UINT64_MAX,
                                           .length = length == UINT64_MAX ? 0 : length,
                                           .priority = m->flow->plan->priority,
                                           .user = m};
    struct lab_half *out = &m->halves[1];

    if (wf_core_reply(host_of(m->flow, 1)->core, m->halves[0].in_id, &p, &out->out_id) != WEFT_OK)
        return; /* the client's outcome tells */
    out->open = true;
    write_half(w, m, 1);
}

static void read_half(struct lab_world *w, struct lab_message *m, unsigned half)
{
    struct lab_half *in = &m->halves[half];
    struct lab_host *h = host_of(m->flow, !half);
    bool at_end = false;

    while (!in->complete) {
        const weft_span data = wf_core_peek(h->core, in->in_id, &at_end);

        for (size_t at = 0; at < data.len; at += CHUNK) {
            const size_t len = data.len - at < CHUNK ? data.len - at : CHUNK;

            if (memcmp(data.data + at, pattern(in->read + at), len) != 0) {
                sim_fail(&w->log, "a byte that nobody sent");
            }
        }
        in->read += data.len;
        if (counts(m->flow->plan, half)) {
            lab_received(w, m->flow, data.len);
        }
        wf_core_consume(h->core, in->in_id, data.len);
        in->complete = at_end;
        if (data.len == 0 && !at_end)
            return; /* READABLE comes */
    }
    if (half == 0 && has_reply(m->flow->plan)) {
        reply_to(w, m);
    } else {
        end_message(w, m, true);
    }
    wf_core_release(h->core, in->in_id, WF_CODE_NONE);
    in->in_id = 0;
}

/* --- events --- */

/* A reply names our request, any other its flow and place in the service. */
static struct lab_message *identify(struct lab_world *w, const struct lab_host *h,
                                    const struct wf_core_event *ev)
{
    for (size_t i = 0; i < w->plan.flow_count && ev->reply_to_id != 0; i++) {
        struct lab_running *f = &w->flows[i];

        for (size_t m = f->message_count; m > 0 && f->pair == &w->pairs[h->index / 2]; m--) {
            if (f->messages[m - 1]->halves[0].out_id == ev->reply_to_id)
                return f->messages[m - 1];
        }
    }
    if (ev->reply_to_id != 0 || ev->open.service.len != SERVICE_LEN)
        return NULL;

    const uint32_t flow = wf_load_u32(ev->open.service.data + 4);
    const uint32_t index = wf_load_u32(ev->open.service.data + 8);

    WEFT_ASSERT(flow < w->plan.flow_count);
    WEFT_ASSERT(index < w->flows[flow].message_count);
    return w->flows[flow].messages[index];
}

static void on_message(struct lab_world *w, struct lab_host *h, const struct wf_core_event *ev)
{
    struct lab_message *m = identify(w, h, ev);
    const unsigned half = h->index % 2 == 0;

    if (m == NULL || m->over) {
        wf_core_release(h->core, ev->id, WF_CODE_CANCELLED);
        return;
    }
    m->halves[half].in_id = ev->id;
    wf_core_set_user(h->core, ev->id, m);
    read_half(w, m, half);
}

static void on_outcome(struct lab_world *w, const struct lab_host *h,
                       const struct wf_core_event *ev)
{
    struct lab_message *m = (struct lab_message *)ev->user;

    m->halves[h->index % 2].open = false;
    if (ev->outcome != WF_OUTCOME_DELIVERED && ev->outcome != WF_OUTCOME_REPLIED) {
        end_message(w, m, false);
    }
}

static void on_session(struct lab_world *w, const struct lab_host *h,
                       const struct wf_core_event *ev)
{
    struct lab_pair *pair = &w->pairs[h->index / 2];
    struct lab_flow_figures *figures = w->flows[pair->flow].figures;

    if (h->index % 2 == 0 && figures->handshake_us == 0) {
        figures->handshake_us = ev->handshake_us;
    }
}

void lab_app_event(struct lab_world *w, struct lab_host *h, const struct wf_core_event *ev)
{
    struct lab_message *m = (struct lab_message *)ev->user;
    const unsigned in = h->index % 2 == 0;

    switch (ev->kind) {
    case WF_CORE_MESSAGE:
        on_message(w, h, ev);
        return;
    case WF_CORE_READABLE:
        if (m != NULL && m->halves[in].in_id == ev->id) {
            read_half(w, m, in);
        }
        return;
    case WF_CORE_BROKEN:
        wf_core_release(h->core, ev->id, WF_CODE_NONE);
        if (m != NULL) {
            m->halves[in].in_id = 0;
            end_message(w, m, false);
        }
        return;
    case WF_CORE_WRITABLE:
        write_half(w, m, !in);
        return;
    case WF_CORE_OUTCOME:
        on_outcome(w, h, ev);
        return;
    case WF_CORE_SESSION:
        on_session(w, h, ev);
        return;
    default:
        return;
    }
}
