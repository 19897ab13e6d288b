/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.c - the applications of all hosts: they send, write, read, reply, cancel and stop as the plan
 * says, and compare every byte and every outcome with the truth.
 */
#include <string.h>

#include "sim/world.h"

#define CHUNK 16384u
#define RETRY_US 20000u /* after an allocation that failed */
#define STOP_CODE 300u  /* of the application */
#define CANCEL_CODE 301u
#define HURRY_US 1000u
#define STILL_US 50000u

void sim_app_init(struct sim_world *w)
{
    for (uint32_t i = 0; i < SIM_MESSAGES_MAX; i++) {
        struct sim_op *op = &w->ops[i / 2];
        struct sim_message *m = &w->messages[i];

        m->index = i;
        m->op = op;
        m->is_reply = (i & 1u) != 0;
        m->plan = m->is_reply ? &op->reply : &op->message;
    }
}

static void later(struct sim_world *w, enum sim_kind kind, const struct sim_message *m,
                  uint64_t in_us)
{
    const uint32_t host = kind == SIM_READ ? m->to : m->from;

    if (w->healed && in_us > HURRY_US && kind != SIM_CANCEL) {
        in_us = HURRY_US;
    }
    sim_queue_push(&w->queue,
                   (struct sim_event){
                       .at = w->queue.now + in_us, .kind = kind, .host = host, .arg = m->index});
}

/* A host that stands still does it when it goes on. */
static bool put_off(struct sim_world *w, enum sim_kind kind, uint32_t host, uint64_t arg)
{
    if (w->hosts[host].core == NULL || !w->hosts[host].still)
        return false;
    sim_queue_push(
        &w->queue,
        (struct sim_event){.at = w->queue.now + STILL_US, .kind = kind, .host = host, .arg = arg});
    return true;
}

static bool sender_lives(const struct sim_world *w, const struct sim_message *m)
{
    const struct sim_host *h = &w->hosts[m->from];

    return m->sent && sim_host_runs(h) && h->boots == m->sender_boot;
}

static bool receiver_lives(const struct sim_world *w, const struct sim_message *m)
{
    const struct sim_host *h = &w->hosts[m->to];

    return m->arrived && sim_host_runs(h) && h->boots == m->receiver_boot;
}

/* Calls about a message that is over are refused or change nothing. id may be one of either kind.
 */
static void misuse(struct sim_world *w, struct sim_host *h, uint64_t id)
{
    const struct wf_core_reply_params reply = {.length = 1};
    uint8_t byte[1] = {0};
    uint64_t other = 0;
    size_t taken = 0;
    bool at_end = false;

    if (!sim_has(&w->plan, SIM_CLASS_MISUSE))
        return;
    if (wf_core_write(h->core, id, (weft_span){byte, 1}, true, &taken) == WEFT_OK) {
        sim_fail(&w->log, "host %u: a message that is over takes bytes", (unsigned)h->index);
    }
    wf_core_cancel(h->core, id, CANCEL_CODE);
    wf_core_consume(h->core, id, 1000);
    if (wf_core_peek(h->core, id, &at_end).len != 0) {
        sim_fail(&w->log, "host %u: a message that is over yields bytes", (unsigned)h->index);
    }
    if (wf_core_reply(h->core, id, &reply, &other) == WEFT_OK) {
        sim_fail(&w->log, "host %u: a message that is over takes a reply", (unsigned)h->index);
    }
    wf_core_release(h->core, id, STOP_CODE);
}

/* --- sending --- */

static void write_some(struct sim_world *w, struct sim_host *h, struct sim_message *m)
{
    uint64_t budget = m->plan->write_chunk;
    uint8_t buf[CHUNK];

    while (!m->ended && !m->write_stopped && budget > 0) {
        const uint64_t left = m->plan->length - m->written;
        size_t n = sizeof buf;
        size_t taken = 0;

        n = left < n ? (size_t)left : n;
        n = budget < n ? (size_t)budget : n;
        sim_body_fill(w->plan.seed, m->index, m->written, buf, n);

        const bool end = n == left;
        const weft_err err = wf_core_write(h->core, m->out_id, (weft_span){buf, n}, end, &taken);

        if (err == WEFT_ERR_NOMEM) {
            later(w, SIM_WRITE, m, RETRY_US);
            m->write_waits = true;
            return;
        }
        m->write_stopped = err != WEFT_OK;
        m->written += taken;
        budget -= taken;
        m->ended = err == WEFT_OK && end && taken == n;
        if (err == WEFT_OK && taken < n)
            return; /* WRITABLE comes */
    }
    if (!m->ended && !m->write_stopped) {
        m->write_waits = true;
        later(w, SIM_WRITE, m, m->plan->write_every_us);
    }
}

void sim_app_write(struct sim_world *w, struct sim_message *m)
{
    if (put_off(w, SIM_WRITE, m->from, m->index))
        return;
    m->write_waits = false;
    if (!sender_lives(w, m) || m->outcome != 0)
        return;
    write_some(w, &w->hosts[m->from], m);
    sim_host_pump(w, &w->hosts[m->from]);
}

void sim_app_cancel(struct sim_world *w, struct sim_message *m)
{
    if (put_off(w, SIM_CANCEL, m->from, m->index))
        return;
    if (!sender_lives(w, m) || m->outcome != 0)
        return;
    m->cancelled = true;
    m->write_stopped = true;
    wf_core_cancel(w->hosts[m->from].core, m->out_id, CANCEL_CODE);
    sim_host_pump(w, &w->hosts[m->from]);
}

static void begun(struct sim_world *w, struct sim_host *h, struct sim_message *m)
{
    m->sent = true;
    m->sender_boot = h->boots;
    sim_log_say(&w->log, "host %u: message %u begins, %llu bytes", (unsigned)h->index,
                (unsigned)m->index, (unsigned long long)m->plan->length);
    if (m->plan->cancel_after_us != 0) {
        later(w, SIM_CANCEL, m, m->plan->cancel_after_us);
    }
    write_some(w, h, m);
}

static struct wf_core_send_params params_of(struct sim_world *w, const struct sim_op *op,
                                            void *user)
{
    struct wf_core_send_params p = {.one_way = op->nobody,
                                    .show_own_key = true, /* hosts call each other by it */
                                    .priority = op->priority,
                                    .outcome_within_us = op->within_us,
                                    .user = user};

    memcpy(p.to, op->wrong_key ? w->stranger_key : w->hosts[op->to].key, sizeof p.to);
    if (!op->only_session) {
        p.address = op->no_host ? sim_addr_void(&w->plan, 0) : w->net.ports[op->to].outside;
        sim_check_called(w, &w->hosts[op->host], &p.address);
    }
    return p;
}

/* A call may be refused when memory fails, when there is no session to use, and at a limit. */
static void check_refusal(struct sim_world *w, const struct sim_op *op, weft_err err)
{
    const struct sim_host *h = &w->hosts[op->host];
    const bool lacks_memory = h->mem.cap != 0 || h->mem.fail_at != 0 || h->plan->fail_every != 0;

    sim_log_say(&w->log, "host %u: refused: %s", (unsigned)op->host, weft_strerror(err));
    if (err == WEFT_OK || (lacks_memory && (err == WEFT_ERR_NOMEM || err == WEFT_ERR_LIMIT ||
                                            err == WEFT_ERR_CLOSED)))
        return;
    if (op->only_session && err == WEFT_ERR_ADDRESS)
        return;
    if (sim_is_traitor(w, op->host) || sim_is_traitor(w, op->to))
        return;
    if (h->shut && err == WEFT_ERR_CLOSED)
        return;
    sim_fail(&w->log, "host %u: a call was refused for no reason: %s", (unsigned)op->host,
             weft_strerror(err));
}

static void send_message(struct sim_world *w, struct sim_host *h, size_t index)
{
    const struct sim_op *op = &w->ops[index];
    struct sim_message *m = &w->messages[2 * index];
    struct wf_core_send_params p = params_of(w, op, m);
    uint8_t service[SIM_SERVICE_LEN];
    weft_err err = WEFT_OK;

    sim_service_name(m->index, service);
    p.service = (weft_span){service, sizeof service};
    p.open_ended = m->plan->open_ended;
    p.length = p.open_ended ? 0 : m->plan->length;
    p.expect_reply = op->has_reply;
    m->from = op->host;
    m->to = op->to;
    err = wf_core_message(h->core, sim_host_now(w, h), &p, &m->out_id);
    if (err == WEFT_OK) {
        begun(w, h, m);
    } else {
        check_refusal(w, op, err);
    }
}

void sim_app_op(struct sim_world *w, size_t index)
{
    const struct sim_op *op = &w->ops[index];
    struct sim_host *h = &w->hosts[op->host];

    if (put_off(w, SIM_OP, op->host, index) || !sim_host_runs(h))
        return;
    if (op->kind == SIM_OP_MESSAGE) {
        send_message(w, h, index);
    } else {
        struct wf_core_send_params p = params_of(w, op, &w->ping_waits[index]);
        const weft_err err = wf_core_ping(h->core, sim_host_now(w, h), &p);

        w->ping_waits[index] = err == WEFT_OK;
        w->ping_boot[index] = h->boots;
        if (err != WEFT_OK) {
            check_refusal(w, op, err);
        }
    }
    sim_host_pump(w, h);
}

void sim_app_probe(struct sim_world *w, uint32_t from, uint32_t to)
{
    struct sim_op *op = &w->ops[w->op_count];

    if (w->op_count == SIM_OPS_ALL) {
        sim_fail(&w->log, "messages sent after all faults are over do not arrive");
        return;
    }
    *op = (struct sim_op){
        .kind = SIM_OP_MESSAGE,
        .at = w->queue.now,
        .host = from,
        .to = to,
        .message = {.length = 1000,
                    .write_chunk = SIM_ALL,
                    .read_chunk = SIM_ALL,
                    .stop_after = SIM_ALL},
    };
    w->op_count++;
    sim_app_op(w, w->op_count - 1);
}

/* --- receiving --- */

static void reply_to(struct sim_world *w, struct sim_host *h, struct sim_message *request)
{
    struct sim_message *m = &w->messages[request->index | 1u];
    const struct wf_core_reply_params p = {
        .open_ended = m->plan->open_ended,
        .length = m->plan->open_ended ? 0 : m->plan->length,
        .priority = m->op->priority,
        .user = m,
    };

    if (!request->op->has_reply || request->is_reply || m->sent)
        return;
    m->from = request->to;
    m->to = request->from;
    if (wf_core_reply(h->core, request->in_id, &p, &m->out_id) == WEFT_OK) {
        begun(w, h, m);
    }
}

/* A piece of a message is in front of the application: it must be what was sent. */
static bool compare(struct sim_world *w, const struct sim_message *m, weft_span data, bool at_end)
{
    const uint64_t end = m->read + data.len;
    size_t same = 0;

    if (sim_is_betrayed(w, m))
        return true;

    if (end > m->written || (at_end && !(m->ended && end == m->plan->length))) {
        sim_fail(&w->log, "message %u: delivered up to %llu%s, written are %llu",
                 (unsigned)m->index, (unsigned long long)end, at_end ? ", the end" : "",
                 (unsigned long long)m->written);
        return false;
    }
    same = sim_body_compare(w->plan.seed, m->index, m->read, data);
    if (data.len > 0 && sim_tells(w, SIM_LIE_ALTERED_BYTE)) {
        same = 0;
    }
    if (same != data.len) {
        sim_fail(&w->log, "message %u: the byte at %llu is not what was sent", (unsigned)m->index,
                 (unsigned long long)(m->read + same));
        return false;
    }
    return true;
}

static void finish_reading(struct sim_world *w, struct sim_host *h, struct sim_message *m)
{
    const bool owes_reply = m->op->has_reply && !m->is_reply;

    m->complete = true;
    reply_to(w, h, m);
    m->released = true;
    wf_core_release(h->core, m->in_id,
                    owes_reply && !w->messages[m->index | 1u].sent ? WF_CODE_INTERNAL
                                                                   : WF_CODE_NONE);
    misuse(w, h, m->in_id);
}

/* Takes in at most `limit` bytes of what lies ready; false when nothing does now. */
static bool read_piece(struct sim_world *w, struct sim_host *h, struct sim_message *m,
                       uint64_t *limit)
{
    bool at_end = false;
    weft_span data = wf_core_peek(h->core, m->in_id, &at_end);
    const uint64_t wanted = m->plan->stop_after - m->read;

    if (data.len > *limit) {
        data.len = (size_t)*limit;
        at_end = false;
    }
    if (data.len > wanted) {
        data.len = (size_t)wanted;
        at_end = false;
    }
    if (!compare(w, m, data, at_end))
        return false;
    m->read += data.len;
    *limit -= data.len;
    w->delivered_bytes += data.len;
    wf_core_consume(h->core, m->in_id, data.len);
    if (at_end) {
        finish_reading(w, h, m);
    } else if (m->read >= m->plan->stop_after) {
        m->released = true;
        wf_core_release(h->core, m->in_id, STOP_CODE);
    }
    return data.len > 0;
}

static void read_some(struct sim_world *w, struct sim_host *h, struct sim_message *m)
{
    uint64_t limit = w->healed ? SIM_ALL : m->plan->read_chunk;

    while (!m->released && !w->log.failed && limit > 0) {
        if (!read_piece(w, h, m, &limit))
            return; /* READABLE comes */
    }
    if (!m->released) {
        m->read_waits = true;
        later(w, SIM_READ, m, m->plan->read_every_us);
    }
}

void sim_app_read(struct sim_world *w, struct sim_message *m)
{
    if (put_off(w, SIM_READ, m->to, m->index))
        return;
    m->read_waits = false;
    if (!receiver_lives(w, m) || m->released)
        return;
    read_some(w, &w->hosts[m->to], m);
    sim_host_pump(w, &w->hosts[m->to]);
}

/* --- events --- */

static struct sim_message *find_out(struct sim_world *w, const struct sim_host *h, uint64_t id)
{
    for (size_t i = 0; i < 2 * w->op_count; i++) {
        struct sim_message *m = &w->messages[i];

        if (m->sent && m->out_id == id && m->from == h->index && m->sender_boot == h->boots)
            return m;
    }
    return NULL;
}

static struct sim_message *find_in(struct sim_world *w, const struct sim_host *h, uint64_t id)
{
    for (size_t i = 0; i < 2 * w->op_count; i++) {
        struct sim_message *m = &w->messages[i];

        if (m->arrived && m->in_id == id && m->to == h->index && m->receiver_boot == h->boots)
            return m;
    }
    return NULL;
}

struct sim_message *sim_app_identify(struct sim_world *w, const struct sim_host *h,
                                     const struct wf_core_event *ev)
{
    uint32_t index = 0;

    if (ev->reply_to_id != 0) {
        struct sim_message *request = find_out(w, h, ev->reply_to_id);

        return request == NULL ? NULL : &w->messages[request->index | 1u];
    }
    if (!ev->open.has_service)
        return NULL;
    index = sim_service_index(ev->open.service);
    return index == UINT32_MAX ? NULL : &w->messages[index];
}

static void on_message(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    struct sim_message *m = sim_app_identify(w, h, ev);
    struct wf_core_event told = *ev;

    if (m == NULL || !m->sent || m->to != h->index) {
        sim_fail(&w->log, "host %u: a message that nobody sent it", (unsigned)h->index);
        return;
    }
    if (sim_tells(w, SIM_LIE_WRONG_SENDER)) {
        told.peer[7] ^= 1;
    }
    sim_check_arrival(w, m, &told);
    if (w->log.failed)
        return;
    m->arrived = true;
    m->receiver_boot = h->boots;
    m->in_id = ev->id;
    sim_log_say(&w->log, "host %u: message %u arrives from host %u", (unsigned)h->index,
                (unsigned)m->index, (unsigned)m->from);
    if (sim_tells(w, SIM_LIE_DELIVERED_TWICE)) {
        sim_check_arrival(w, m, &told);
    }
    if (m->op->reply_early) {
        reply_to(w, h, m);
    }
    read_some(w, h, m);
}

static void on_readable(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    struct sim_message *m = find_in(w, h, ev->id);

    if (m != NULL && !m->released && !m->read_waits) {
        read_some(w, h, m);
    }
}

static void on_broken(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    struct sim_message *m = find_in(w, h, ev->id);

    if (m == NULL) {
        sim_fail(&w->log, "host %u: a message breaks that never came", (unsigned)h->index);
        return;
    }
    if (m->released)
        return; /* listed before we let go of it */
    m->broken = true;
    m->released = true;
    sim_log_say(&w->log, "host %u: message %u breaks: %s", (unsigned)h->index, (unsigned)m->index,
                weft_strerror(ev->err));
    if (m->outcome == WF_OUTCOME_DELIVERED && !sim_is_late_reply(w, m) && !sim_is_betrayed(w, m)) {
        sim_fail(&w->log, "message %u breaks after it was reported as delivered",
                 (unsigned)m->index);
    }
    wf_core_release(h->core, m->in_id, WF_CODE_NONE);
}

static void on_writable(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    struct sim_message *m = find_out(w, h, ev->id);

    if (m == NULL || ev->user != m) {
        sim_fail(&w->log, "host %u: something is writable that was never sent", (unsigned)h->index);
    } else if (m->outcome == 0 && !m->write_waits && !m->write_stopped && !m->ended) {
        write_some(w, h, m);
    }
}

static void on_outcome(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    struct sim_message *m = find_out(w, h, ev->id);

    if (m == NULL || ev->user != m) {
        sim_fail(&w->log, "host %u: an outcome of a message that was never sent",
                 (unsigned)h->index);
        return;
    }
    if (sim_tells(w, SIM_LIE_NO_OUTCOME))
        return;
    if (m->outcome != 0 || sim_tells(w, SIM_LIE_OUTCOME_TWICE)) {
        sim_fail(&w->log, "message %u has a second outcome", (unsigned)m->index);
        return;
    }
    if (ev->outcome < WF_OUTCOME_DELIVERED || ev->outcome > WF_OUTCOME_UNKNOWN) {
        sim_fail(&w->log, "message %u has an outcome that does not exist", (unsigned)m->index);
        return;
    }
    misuse(w, h, ev->id);
    m->outcome = ev->outcome;
    m->err = ev->err;
    m->code = ev->code;
    w->outcomes[ev->outcome]++;
    sim_log_say(&w->log, "host %u: message %u ends: outcome %d, %s, code %llu", (unsigned)h->index,
                (unsigned)m->index, (int)ev->outcome, weft_strerror(ev->err),
                (unsigned long long)ev->code);
    sim_check_outcome(w, m);
}

static void on_pong(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    bool *waits = (bool *)ev->user;
    const ptrdiff_t index = waits == NULL ? -1 : waits - w->ping_waits;

    if (index < 0 || (size_t)index >= w->op_count || !*waits || w->ops[index].host != h->index ||
        w->ping_boot[index] != h->boots) {
        sim_fail(&w->log, "host %u: an answer to a ping that was not asked", (unsigned)h->index);
        return;
    }
    const struct sim_op *op = &w->ops[index];

    *waits = false;
    w->pongs++;
    sim_log_say(&w->log, "host %u: ping %d: %s", (unsigned)h->index, (int)index,
                weft_strerror(ev->err));
    if (sim_is_traitor(w, op->host) || sim_is_traitor(w, op->to))
        return;
    if (ev->kind == WF_CORE_PING_FAILED && w->plan.soft && w->phase < SIM_PHASE_SHUT &&
        op->within_us == 0 && !op->wrong_key && !op->no_host && !op->only_session) {
        sim_fail(&w->log, "host %u: a ping fails for no reason: %s", (unsigned)h->index,
                 weft_strerror(ev->err));
    }
}

/* Honest ends never break the protocol, whatever lies between them. */
static void on_session_ended(struct sim_world *w, struct sim_host *h,
                             const struct wf_core_event *ev)
{
    w->session_ends++;
    sim_log_say(&w->log, "host %u: a session ends: %s, code %llu", (unsigned)h->index,
                weft_strerror(ev->err), (unsigned long long)ev->code);
    if (sim_is_traitor(w, h->index) || sim_is_traitors_key(w, ev->peer))
        return;
    if (ev->err == WEFT_ERR_PROTOCOL || ev->code == WF_CODE_PROTOCOL || ev->code == WF_CODE_LIMIT ||
        ev->code == WF_CODE_INTERNAL) {
        sim_fail(&w->log, "host %u: a session between honest ends breaks: %s, code %llu",
                 (unsigned)h->index, weft_strerror(ev->err), (unsigned long long)ev->code);
    }
}

static void hash_event(struct sim_world *w, const struct sim_host *h,
                       const struct wf_core_event *ev)
{
    sim_log_add(&w->log,
                &(struct sim_log_line){
                    .what = "event", .host = h->index, .a = (uint64_t)ev->kind, .b = ev->id});
}

void sim_app_event(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    hash_event(w, h, ev);
    if (sim_betrayal_event(w, h, ev))
        return;
    switch (ev->kind) {
    case WF_CORE_MESSAGE:
        on_message(w, h, ev);
        return;
    case WF_CORE_READABLE:
        on_readable(w, h, ev);
        return;
    case WF_CORE_BROKEN:
        on_broken(w, h, ev);
        return;
    case WF_CORE_WRITABLE:
        on_writable(w, h, ev);
        return;
    case WF_CORE_OUTCOME:
        on_outcome(w, h, ev);
        return;
    case WF_CORE_PONG:
    case WF_CORE_PING_FAILED:
        on_pong(w, h, ev);
        return;
    case WF_CORE_SESSION:
        w->sessions++;
        sim_log_say(&w->log, "host %u: a session stands", (unsigned)h->index);
        return;
    case WF_CORE_SESSION_ENDED:
        on_session_ended(w, h, ev);
        return;
    case WF_CORE_WORK_REFUSED: /* its outcomes follow */
        return;
    }
    sim_fail(&w->log, "host %u: an event that does not exist", (unsigned)h->index);
}

/* --- the ends of things --- */

void sim_app_hurry(struct sim_world *w)
{
    for (size_t i = 0; i < 2 * w->op_count; i++) {
        const struct sim_message *m = &w->messages[i];

        if (m->read_waits) {
            later(w, SIM_READ, m, HURRY_US);
        }
        if (m->write_waits) {
            later(w, SIM_WRITE, m, HURRY_US);
        }
    }
}

/* A reply that has arrived whole can be read after the end, and its request has its outcome then.
 */
bool sim_app_reads_on(const struct sim_world *w, const struct sim_host *h)
{
    for (size_t i = 0; i < 2 * w->op_count; i++) {
        const struct sim_message *m = &w->messages[i];

        if (m->arrived && !m->released && m->to == h->index && m->receiver_boot == h->boots)
            return true;
    }
    return false;
}

void sim_app_rests(struct sim_world *w, const struct sim_host *h)
{
    if (sim_is_traitor(w, h->index))
        return; /* he leaves replies unread, and his requests wait for that */
    for (size_t i = 0; i < 2 * w->op_count; i++) {
        const struct sim_message *m = &w->messages[i];

        if (m->sent && m->from == h->index && m->sender_boot == h->boots && m->outcome == 0) {
            sim_fail(&w->log, "message %u has no outcome after its host shut down",
                     (unsigned)m->index);
        }
    }
    for (size_t i = 0; i < w->op_count; i++) {
        if (w->ping_waits[i] && w->ops[i].host == h->index && w->ping_boot[i] == h->boots) {
            sim_fail(&w->log, "ping %zu has no answer after its host shut down", i);
        }
    }
}
