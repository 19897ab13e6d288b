/* SPDX-License-Identifier: Apache-2.0 */
/*
 * betrayal.c - what applications do about the traitor's messages, and he about theirs. What he says
 * is compared with nothing; it is read, kept or refused, so that every way of dealing with it is
 * met.
 */
#include <string.h>

#include "sim/world.h"

#define STOP_CODE 302u
#define REPLY_LEN 3000u

bool sim_is_traitor(const struct sim_world *w, uint32_t host)
{
    return w->plan.traitor.host == host;
}

bool sim_is_traitors_key(const struct sim_world *w, const uint8_t key[32])
{
    const uint32_t host = w->plan.traitor.host;

    return host != SIM_TRAITOR_NONE && memcmp(w->hosts[host].key, key, 32) == 0;
}

bool sim_is_betrayed(const struct sim_world *w, const struct sim_message *m)
{
    return sim_is_traitor(w, m->op->host) || sim_is_traitor(w, m->op->to);
}

/* --- at the others --- */

static struct sim_foreign *find(struct sim_world *w, const struct sim_host *h, uint64_t id)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(w->foreign); i++) {
        struct sim_foreign *f = &w->foreign[i];

        if (f->id == id && f->host == h->index && f->boot == h->boots)
            return f;
    }
    return NULL;
}

/* One that is free; those of cores that are gone are. */
static struct sim_foreign *place(struct sim_world *w)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(w->foreign); i++) {
        struct sim_foreign *f = &w->foreign[i];

        if (f->id == 0 || f->boot != w->hosts[f->host].boots)
            return f;
    }
    return NULL;
}

/* Reads what is there; true: to the end. */
static bool drain(struct sim_host *h, uint64_t id)
{
    bool at_end = false;
    weft_span s = wf_core_peek(h->core, id, &at_end);

    while (s.len > 0) {
        wf_core_consume(h->core, id, s.len);
        if (at_end)
            return true;
        s = wf_core_peek(h->core, id, &at_end);
    }
    return at_end;
}

static void read_foreign(struct sim_host *h, struct sim_foreign *f)
{
    if (drain(h, f->id)) {
        wf_core_release(h->core, f->id, WF_CODE_NONE);
        f->id = 0;
    }
}

static void take_foreign(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    struct sim_foreign *f = place(w);
    const uint64_t id = ev->id;

    if (f == NULL || id % 4 == 0) {
        wf_core_release(h->core, id, STOP_CODE);
        return;
    }
    *f = (struct sim_foreign){.host = h->index, .boot = h->boots, .id = id};
    /* The outcome of a request waits for its reply to be read. */
    if (id % 4 != 1 || ev->reply_to_id != 0) {
        read_foreign(h, f);
    }
}

static bool is_known(struct sim_world *w, const struct sim_host *h, const struct wf_core_event *ev)
{
    const struct sim_message *m = sim_app_identify(w, h, ev);

    return m != NULL && m->sent && !m->arrived && m->to == h->index && sim_is_traitor(w, m->from);
}

static bool at_other(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    struct sim_foreign *f = NULL;

    if (ev->kind == WF_CORE_MESSAGE) {
        if (ev->nobody || !sim_is_traitors_key(w, ev->peer) || is_known(w, h, ev))
            return false;
        take_foreign(w, h, ev);
        return true;
    }
    if (ev->kind != WF_CORE_READABLE && ev->kind != WF_CORE_BROKEN)
        return false;
    f = find(w, h, ev->id);
    if (f == NULL)
        return false;
    if (ev->kind == WF_CORE_BROKEN) {
        wf_core_release(h->core, f->id, WF_CODE_NONE);
        f->id = 0;
    } else {
        read_foreign(h, f);
    }
    return true;
}

/* --- at his own host --- */

static void answer(struct sim_host *h, uint64_t id)
{
    static const uint8_t bytes[REPLY_LEN];
    const struct wf_core_reply_params p = {.open_ended = true};
    uint64_t reply = 0;
    size_t taken = 0;

    if (wf_core_reply(h->core, id, &p, &reply) == WEFT_OK &&
        wf_core_write(h->core, reply, (weft_span){bytes, sizeof bytes}, id % 5 != 0, &taken) !=
            WEFT_OK) {
        wf_core_cancel(h->core, reply, STOP_CODE);
    }
}

/* Some of what he is told he never reads, some he does not want, some he answers. */
static void hear(struct sim_host *h, const struct wf_core_event *ev)
{
    const bool is_deaf = ev->id % 3 == 0;

    if (ev->kind == WF_CORE_BROKEN || (ev->kind == WF_CORE_MESSAGE && ev->id % 7 == 1)) {
        wf_core_release(h->core, ev->id, ev->kind == WF_CORE_BROKEN ? WF_CODE_NONE : STOP_CODE);
        return;
    }
    if (ev->kind == WF_CORE_MESSAGE && ev->id % 2 == 0) {
        answer(h, ev->id);
    }
    if (!is_deaf && drain(h, ev->id)) {
        wf_core_release(h->core, ev->id, WF_CODE_NONE);
    }
}

static bool at_traitor(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    if (w->healed)
        return false; /* he is an honest one now */
    switch (ev->kind) {
    case WF_CORE_MESSAGE:
    case WF_CORE_READABLE:
    case WF_CORE_BROKEN:
        hear(h, ev);
        return true;
    case WF_CORE_WRITABLE:
    case WF_CORE_OUTCOME:
        return ev->user == NULL; /* an answer of his */
    default:
        return false;
    }
}

bool sim_betrayal_event(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev)
{
    if (w->plan.traitor.host == SIM_TRAITOR_NONE)
        return false;
    return sim_is_traitor(w, h->index) ? at_traitor(w, h, ev) : at_other(w, h, ev);
}
