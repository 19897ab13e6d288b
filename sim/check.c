/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c - the invariants. Each knows the whole truth of the run and must never report what an
 * honest implementation could do.
 */
#include <string.h>

#include "sim/world.h"

#define STATS_EVERY 64u

/* --- bytes on the wire --- */

static bool holds_canary(weft_span bytes)
{
    return memmem(bytes.data, bytes.len, SIM_CANARY, SIM_CANARY_LEN) != NULL;
}

static bool holds_key(const struct sim_world *w, weft_span bytes)
{
    for (uint32_t i = 0; i < w->plan.host_count; i++) {
        if (memmem(bytes.data, bytes.len, w->hosts[i].key, sizeof w->hosts[i].key) != NULL)
            return true;
    }
    return false;
}

static struct sim_flow *flow(struct sim_world *w, uint32_t host, const struct wf_addr *remote)
{
    for (size_t i = 0; i < w->flow_count; i++) {
        if (w->flows[i].host == host && wf_addr_equal(&w->flows[i].remote, remote))
            return &w->flows[i];
    }
    if (w->flow_count == SIM_FLOWS_MAX)
        return NULL;
    w->flows[w->flow_count] = (struct sim_flow){.host = host, .remote = *remote};
    return &w->flows[w->flow_count++];
}

/* The application itself asked for this address: nobody is being used against a third party. */
void sim_check_called(struct sim_world *w, const struct sim_host *h, const struct wf_addr *remote)
{
    struct sim_flow *f = flow(w, h->index, remote);

    if (f != NULL) {
        f->proved = true;
    }
}

/* A CONFIRM answers a SOLVE that carried a cookie from that address. */
static void count_out(struct sim_world *w, const struct sim_host *h, const struct sim_packet *p)
{
    struct sim_flow *f = flow(w, h->index, &p->to);

    if (f == NULL)
        return;
    f->out += p->len;
    f->answered = true;
    if (!f->proved && f->out > f->in) {
        sim_fail(&w->log, "host %u: an address that proved nothing gets %llu bytes for its %llu",
                 (unsigned)h->index, (unsigned long long)f->out, (unsigned long long)f->in);
    }
    if (p->len > 0 && p->data[0] == WF_TYPE_CONFIRM) {
        f->proved = true;
    }
}

void sim_check_sent(struct sim_world *w, const struct sim_host *h, const struct sim_packet *p)
{
    const weft_span bytes = {p->data, p->len};

    if (sim_tells(w, SIM_LIE_PLAINTEXT) || holds_canary(bytes)) {
        sim_fail(&w->log, "host %u: plaintext in a datagram", (unsigned)h->index);
    }
    if (p->len > 0 && p->data[0] < 0x80 && holds_key(w, bytes)) {
        sim_fail(&w->log, "host %u: an identity in the clear", (unsigned)h->index);
    }
    count_out(w, h, p);
}

/* An owner of keys that answers from an address has proved it: it saw what was sent there. */
void sim_check_received(struct sim_world *w, const struct sim_host *h, const struct sim_packet *p)
{
    struct sim_flow *f = flow(w, h->index, &p->from);

    if (f == NULL)
        return;
    f->in += p->len;
    if (f->answered && (p->made == SIM_GENUINE || p->made == SIM_COPIED)) {
        f->proved = true;
    }
    if (!f->proved && sim_tells(w, SIM_LIE_AMPLIFIES)) {
        f->out += f->in;
        f->in = 0;
    }
}

/* A new core knows nothing of whom the old one spoke with. */
void sim_check_crashed(struct sim_world *w, const struct sim_host *h)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->flow_count; i++) {
        if (w->flows[i].host != h->index) {
            w->flows[kept++] = w->flows[i];
        }
    }
    w->flow_count = kept;
}

/* --- the core --- */

/* What a core says of itself must agree with what its host knows; asked now and then. */
static void check_stats(struct sim_world *w, const struct sim_host *h)
{
    struct wf_core_stats stats;
    struct wf_core_peer_stats peer;
    uint64_t sessions = 0;

    wf_core_stats(h->core, &stats);
    while (wf_core_peer_stats(h->core, sessions, &peer)) {
        sessions++;
    }
    if (stats.memory_held != h->mem.held) {
        sim_fail(&w->log, "host %u: it says it holds %llu bytes and holds %zu", (unsigned)h->index,
                 (unsigned long long)stats.memory_held, h->mem.held);
    } else if (stats.sessions != sessions) {
        sim_fail(&w->log, "host %u: it says it has %llu sessions and lists %llu",
                 (unsigned)h->index, (unsigned long long)stats.sessions,
                 (unsigned long long)sessions);
    }
}

void sim_check_host(struct sim_world *w, struct sim_host *h)
{
    const char *broken = h->core == NULL ? NULL : wf_core_check(h->core);

    if (h->core != NULL && w->events % STATS_EVERY == 0) {
        check_stats(w, h);
    }
    if (broken != NULL) {
        sim_fail(&w->log, "host %u: %s", (unsigned)h->index, broken);
    }
    if (h->mem.cap != 0 && h->mem.held > h->mem.cap) {
        sim_fail(&w->log, "host %u: %zu bytes are held, above the cap of %zu", (unsigned)h->index,
                 h->mem.held, h->mem.cap);
    }
}

/* --- messages --- */

/* SPEC 1.10-11: early only where sim_host_first_data says so. */
static bool is_in_group(const struct sim_message *m, const struct wf_core_event *ev)
{
    return ev->limited && (!ev->early || sim_host_first_data(m->from, m->to));
}

void sim_check_arrival(struct sim_world *w, const struct sim_message *m,
                       const struct wf_core_event *ev)
{
    static const uint8_t nobody[32];
    const bool hidden = m->op->nobody && !m->is_reply;
    const uint8_t *key = hidden ? nobody : w->hosts[m->from].key;

    if (sim_is_betrayed(w, m) && m->sent && !m->arrived)
        return;
    if (!m->sent) {
        sim_fail(&w->log, "message %u is delivered and was never sent", (unsigned)m->index);
    } else if (m->op->wrong_key) {
        sim_fail(&w->log, "message %u is delivered to another key", (unsigned)m->index);
    } else if (m->arrived) {
        sim_fail(&w->log, "message %u is delivered twice", (unsigned)m->index);
    } else if (sim_has(&w->plan, SIM_CLASS_GROUP) && !is_in_group(m, ev)) {
        sim_fail(&w->log, "message %u went outside the group, or too early", (unsigned)m->index);
    } else if (ev->nobody != hidden || memcmp(ev->peer, key, sizeof ev->peer) != 0) {
        sim_fail(&w->log, "message %u is delivered as somebody else's", (unsigned)m->index);
    } else if (ev->open.open_ended != m->plan->open_ended ||
               (!m->plan->open_ended && ev->open.length != m->plan->length)) {
        sim_fail(&w->log, "message %u is delivered with another length", (unsigned)m->index);
    } else if (ev->open.priority != m->op->priority) {
        sim_fail(&w->log, "message %u is delivered with another priority", (unsigned)m->index);
    } else if (m->outcome == WF_OUTCOME_FAILED &&
               (m->err == WEFT_ERR_UNREACHABLE || m->err == WEFT_ERR_WRONG_KEY)) {
        sim_fail(&w->log, "message %u arrives after it was reported as never sent",
                 (unsigned)m->index);
    }
}

/* Does the plan itself explain that it did not simply succeed? */
static bool was_asked_for(const struct sim_world *w, const struct sim_message *m)
{
    const struct sim_op *op = m->op;
    const struct sim_message *request = &w->messages[m->index & ~1u];

    if (m->cancelled || request->cancelled || op->within_us != 0 || op->only_session)
        return true;
    if (op->wrong_key || op->no_host)
        return true;
    if (op->message.stop_after != SIM_ALL)
        return true;
    return op->has_reply && (op->reply.stop_after != SIM_ALL || op->reply.cancel_after_us != 0);
}

static bool succeeded(const struct sim_message *m)
{
    return m->outcome == WF_OUTCOME_DELIVERED || m->outcome == WF_OUTCOME_REPLIED;
}

/* A core without memory drops what it has acknowledged already, and says STOP. */
static bool lacks_memory(const struct sim_world *w, uint32_t host)
{
    const struct sim_host_plan *h = &w->plan.hosts[host];

    return h->fail_every != 0 || h->memory_cap != 0;
}

bool sim_is_late_reply(const struct sim_world *w, const struct sim_message *m)
{
    return m->is_reply && w->messages[m->index & ~1u].outcome != 0;
}

static void check_success(struct sim_world *w, const struct sim_message *m)
{
    const struct sim_message *reply = &w->messages[m->index | 1u];
    const bool wants_reply = m->op->has_reply && !m->is_reply;
    const bool replied = m->outcome == WF_OUTCOME_REPLIED;
    const bool late = sim_is_late_reply(w, m) || lacks_memory(w, m->to);

    if (replied != wants_reply) {
        sim_fail(&w->log, "message %u has an outcome of the wrong kind", (unsigned)m->index);
    } else if (m->op->wrong_key) {
        sim_fail(&w->log, "message %u to a key that nobody has is reported as delivered",
                 (unsigned)m->index);
    } else if (!m->arrived && !late) {
        sim_fail(&w->log, "message %u is reported as delivered and never came", (unsigned)m->index);
    } else if (!replied && !m->ended) {
        sim_fail(&w->log, "message %u is reported as delivered before it was written",
                 (unsigned)m->index);
    } else if (!replied && m->broken && !late) {
        sim_fail(&w->log, "message %u is reported as delivered and broke", (unsigned)m->index);
    } else if (replied && !reply->complete) {
        sim_fail(&w->log, "message %u is reported as replied to before the reply was read",
                 (unsigned)m->index);
    }
}

void sim_check_outcome(struct sim_world *w, struct sim_message *m)
{
    if (sim_is_betrayed(w, m))
        return;
    if (succeeded(m)) {
        check_success(w, m);
    } else if (w->plan.soft && !was_asked_for(w, m) && w->phase < SIM_PHASE_SHUT) {
        sim_fail(&w->log, "message %u ends as \"%s\" (outcome %d, code %llu) for no reason",
                 (unsigned)m->index, weft_strerror(m->err), (int)m->outcome,
                 (unsigned long long)m->code);
    }
    if (m->outcome == WF_OUTCOME_FAILED && m->arrived &&
        (m->err == WEFT_ERR_UNREACHABLE || m->err == WEFT_ERR_WRONG_KEY)) {
        sim_fail(&w->log, "message %u is reported as never sent and had arrived",
                 (unsigned)m->index);
    }
}
