/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_pair.h - two cores joined by a link in memory, with a little application on each: it sends
 * patterns, reads what comes, answers, and counts the outcomes. Time is a number; nothing waits.
 * For tests and for the fuzz target, so a broken promise ends the program.
 */
#ifndef WEFT_TESTS_ENDPOINT_CORE_PAIR_H
#define WEFT_TESTS_ENDPOINT_CORE_PAIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "endpoint/core.h"

#define CP_OUTS_MAX 512
#define CP_INS_MAX 1024
#define CP_DELAY_US 5000u
#define CP_STEPS_MAX 200000u

#define CP_MUST(holds)                                                                \
    do {                                                                              \
        if (!(holds)) {                                                               \
            (void)fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                                  \
        }                                                                             \
    } while (0)

struct cp_side;

/* What an application keeps for a message; `user` of the core points to one. */
struct cp_message {
    struct cp_side *side;
    bool is_out, is_used;
    uint64_t id; /* 0: it has ended */
    uint64_t number;
    /* out */
    uint64_t left; /* bytes to be written */
    uint64_t written;
    bool open_ended, ended; /* ended: all was written */
    bool is_starved;        /* the test writes nothing now */
    unsigned outcomes;
    enum wf_core_outcome outcome;
    weft_err err;
    uint64_t code;
    uint64_t reply_got;
    /* in */
    uint64_t got;
    bool is_reply, is_whole, is_broken;
    struct cp_message *request; /* of a reply */
};

struct cp_datagram {
    struct cp_datagram *next;
    weft_time at;
    struct wf_addr from, to;
    uint8_t ecn;
    size_t len;
    uint8_t data[];
};

struct core_pair;

struct cp_side {
    struct core_pair *pair;
    struct wf_core *core;
    struct wf_mem *mem;
    struct wf_rng_seeded rng;
    struct wf_addr addr;
    struct wf_core_config config;
    struct cp_message outs[CP_OUTS_MAX], ins[CP_INS_MAX];
    size_t out_count;
    /* the application's ways */
    bool holds;         /* reads nothing */
    bool replies;       /* to each whole message, with reply_len bytes */
    bool replies_early; /* as soon as it opens */
    uint64_t reply_len; /* UINT64_MAX: open-ended, and never ended */
    uint64_t refuse;    /* code with which each message is released as it opens; 0: none */
    bool keeps;         /* does not release what was read */
    bool cuts_all;      /* nothing that it sends arrives */
    unsigned sessions, sessions_ended, pongs, pings_failed, messages, broken, refused;
    struct wf_core_event newest; /* that opened a message; its spans are gone */
};

struct core_pair {
    struct cp_side side[2]; /* 0 calls, 1 serves */
    weft_time now;
    struct cp_datagram *first, *last;
    size_t flying;
    uint64_t delivered;
    /* Looks at each datagram that is sent; false: it is lost. NULL: all arrive. */
    bool (*filter)(struct core_pair *p, struct cp_datagram *d);
    bool may_lie; /* bodies are not what was sent: somebody with the keys has changed them */
    uint8_t *buf;
};

/* --- messages out --- */

static inline struct cp_message *cp_new_out(struct cp_side *s)
{
    CP_MUST(s->out_count < CP_OUTS_MAX);
    struct cp_message *m = &s->outs[s->out_count++];

    *m = (struct cp_message){.side = s, .is_out = true, .is_used = true};
    return m;
}

static inline void cp_feed(struct cp_message *m)
{
    static const uint8_t pattern[16384];

    while (m->id != 0 && !m->ended && !m->is_starved) {
        size_t len = m->left < sizeof pattern ? (size_t)m->left : sizeof pattern;
        size_t taken = 0;
        weft_err err =
            wf_core_write(m->side->core, m->id, wf_span(pattern, len), len == m->left, &taken);

        if (err != WEFT_OK) {
            m->ended = true;
            if (err == WEFT_ERR_NOMEM)
                wf_core_cancel(m->side->core, m->id, WF_CODE_NOMEM);
            return;
        }
        CP_MUST(taken <= len);
        m->left -= taken;
        m->written += taken;
        m->ended = taken == len && m->left == 0;
        if (taken < len)
            return;
    }
}

static inline struct wf_core_send_params cp_params(struct core_pair *p, int from, uint64_t len)
{
    struct wf_core_send_params sp = {
        .address = p->side[1 - from].addr,
        .service = wf_span_of("s"),
        .length = len,
        .expect_reply = true,
        .show_own_key = true, /* both ends call each other, by the keys they know */
    };

    memcpy(sp.to, wf_core_key(p->side[1 - from].core), sizeof sp.to);
    return sp;
}

/* NULL when the core took it not. */
static inline struct cp_message *cp_send(struct core_pair *p, int from,
                                         const struct wf_core_send_params *params)
{
    struct cp_side *s = &p->side[from];
    struct wf_core_send_params sp = *params;
    struct cp_message *m = cp_new_out(s);

    m->left = sp.length;
    m->open_ended = sp.open_ended;
    sp.user = m;
    m->err = wf_core_message(s->core, p->now, &sp, &m->id);
    if (m->err != WEFT_OK) {
        s->out_count--;
        return NULL;
    }
    cp_feed(m);
    return m;
}

/* --- messages in --- */

static inline struct cp_message *cp_new_in(struct cp_side *s)
{
    for (size_t i = 0; i < CP_INS_MAX; i++) {
        struct cp_message *m = &s->ins[i];

        if (m->is_used)
            continue;
        *m = (struct cp_message){.side = s, .is_used = true};
        return m;
    }
    return NULL;
}

static inline void cp_release(struct cp_message *m, uint64_t code)
{
    if (m->id != 0)
        wf_core_release(m->side->core, m->id, code);
    m->id = 0;
    m->is_used = false;
}

static inline void cp_reply(struct cp_message *m, uint64_t len)
{
    struct cp_side *s = m->side;
    struct cp_message *r = cp_new_out(s);
    struct wf_core_reply_params rp = {.user = r, .open_ended = len == UINT64_MAX, .length = len};

    r->open_ended = rp.open_ended;
    r->is_starved = rp.open_ended;
    r->left = rp.open_ended ? 0 : len;
    if (rp.open_ended)
        rp.length = 0;
    r->err = wf_core_reply(s->core, m->id, &rp, &r->id);
    if (r->err != WEFT_OK) {
        s->out_count--;
        cp_release(m, WF_CODE_NOMEM);
        return;
    }
    cp_feed(r);
}

static inline void cp_read(struct cp_message *m)
{
    while (m->id != 0 && !m->is_whole && !m->is_broken) {
        bool at_end = false;
        weft_span data = wf_core_peek(m->side->core, m->id, &at_end);

        if (data.len == 0 && !at_end)
            return;
        for (size_t i = 0; i < data.len; i++)
            CP_MUST(data.data[i] == 0 || m->side->pair->may_lie);
        m->got += data.len;
        if (m->request != NULL)
            m->request->reply_got += data.len;
        m->is_whole = at_end;
        wf_core_consume(m->side->core, m->id, data.len);
    }
    if (!m->is_whole || m->id == 0)
        return;
    if (m->side->replies && !m->is_reply && !m->side->replies_early)
        cp_reply(m, m->side->reply_len);
    if (!m->side->keeps)
        cp_release(m, WF_CODE_NONE);
}

static inline void cp_on_message(struct cp_side *s, const struct wf_core_event *e)
{
    s->newest = *e;
    struct cp_message *m = cp_new_in(s);

    s->messages++;
    if (m == NULL) {
        wf_core_release(s->core, e->id, WF_CODE_LIMIT);
        return;
    }
    m->id = e->id;
    m->number = e->open.number;
    m->is_reply = e->reply_to_id != 0;
    m->request = e->user;
    wf_core_set_user(s->core, e->id, m);
    if (s->refuse != 0 && !m->is_reply)
        cp_release(m, s->refuse);
    else if (s->replies_early && !m->is_reply)
        cp_reply(m, s->reply_len);
}

static inline void cp_on_event(struct cp_side *s, const struct wf_core_event *e)
{
    struct cp_message *m = e->user;

    switch (e->kind) {
    case WF_CORE_MESSAGE:
        cp_on_message(s, e);
        return;
    case WF_CORE_READABLE:
        CP_MUST(m != NULL && m->is_used && m->id == e->id);
        if (!s->holds)
            cp_read(m);
        return;
    case WF_CORE_BROKEN:
        CP_MUST(m != NULL && m->is_used && m->id == e->id);
        s->broken++;
        m->is_broken = true;
        cp_release(m, WF_CODE_NONE);
        return;
    case WF_CORE_WRITABLE:
        CP_MUST(m != NULL && m->id == e->id);
        cp_feed(m);
        return;
    case WF_CORE_OUTCOME:
        CP_MUST(m != NULL && m->is_out && m->id == e->id);
        m->outcomes++;
        CP_MUST(m->outcomes == 1);
        m->outcome = e->outcome;
        m->err = e->err;
        m->code = e->code;
        m->id = 0;
        return;
    case WF_CORE_PONG:
        s->pongs++;
        return;
    case WF_CORE_PING_FAILED:
        s->pings_failed++;
        return;
    case WF_CORE_WORK_REFUSED:
        CP_MUST(e->bid > 0 && e->err == WEFT_ERR_LIMIT);
        s->refused++;
        return;
    case WF_CORE_SESSION:
        s->sessions++;
        return;
    case WF_CORE_SESSION_ENDED:
        s->sessions_ended++;
        return;
    }
}

/* --- the link --- */

static inline void cp_fly(struct core_pair *p, const struct wf_addr *from, const struct wf_addr *to,
                          weft_span data)
{
    struct cp_datagram *d = malloc(sizeof *d + data.len);

    CP_MUST(d != NULL);
    *d = (struct cp_datagram){.at = p->now + CP_DELAY_US, .from = *from, .to = *to};
    d->len = data.len;
    if (data.len > 0)
        memcpy(d->data, data.data, data.len);
    if (p->filter != NULL && !p->filter(p, d)) {
        free(d);
        return;
    }
    if (p->last == NULL)
        p->first = d;
    else
        p->last->next = d;
    p->last = d;
    p->flying++;
}

static inline struct cp_datagram *cp_land(struct core_pair *p)
{
    struct cp_datagram *d = p->first;

    if (d == NULL)
        return NULL;
    p->first = d->next;
    if (p->first == NULL)
        p->last = NULL;
    p->flying--;
    return d;
}

static inline void cp_check(struct cp_side *s)
{
    const char *broken = s->core == NULL ? NULL : wf_core_check(s->core);

    if (broken != NULL)
        (void)fprintf(stderr, "invariant: %s\n", broken);
    CP_MUST(broken == NULL);
}

/* Events, packets, until nothing more comes. */
static inline void cp_pump(struct core_pair *p, int i)
{
    struct cp_side *s = &p->side[i];
    struct wf_core_event e;
    struct wf_send out = {.len = 0};
    unsigned rounds = 0;

    if (s->core == NULL)
        return;
    do {
        CP_MUST(rounds++ < 100000);
        while (wf_core_next_event(s->core, &e))
            cp_on_event(s, &e);
        if (wf_core_send(s->core, p->now, p->buf, 65536, &out)) {
            size_t step = out.segment == 0 || out.segment > out.len ? out.len : out.segment;

            CP_MUST(out.len > 0 && out.len <= 65536);
            for (size_t at = 0; at < out.len && !s->cuts_all; at += step)
                cp_fly(p, &s->addr, &out.to,
                       wf_span(p->buf + at, out.len - at < step ? out.len - at : step));
            continue;
        }
        if (!wf_core_has_events(s->core))
            break;
    } while (true);
    cp_check(s);
}

/* So that one datagram can be sent again and again. */
static inline struct cp_datagram *cp_copy(const struct cp_datagram *d)
{
    struct cp_datagram *c = malloc(sizeof *c + d->len);

    CP_MUST(c != NULL);
    memcpy(c, d, sizeof *c + d->len);
    c->next = NULL;
    return c;
}

static inline void cp_deliver(struct core_pair *p, struct cp_datagram *d)
{
    for (int i = 0; i < 2; i++) {
        struct wf_datagram in = {.from = d->from, .to = d->to, .ecn = d->ecn, .len = d->len};

        if (p->side[i].core == NULL || !wf_addr_equal(&p->side[i].addr, &d->to))
            continue;
        in.data = d->data;
        wf_core_recv(p->side[i].core, p->now, &in, 1);
        p->delivered++;
        cp_pump(p, i);
    }
    free(d);
}

static inline weft_time cp_deadline(const struct core_pair *p)
{
    weft_time at = p->first == NULL ? WEFT_TIME_NEVER : p->first->at;

    for (int i = 0; i < 2; i++) {
        weft_time own =
            p->side[i].core == NULL ? WEFT_TIME_NEVER : wf_core_deadline(p->side[i].core);

        at = own < at ? own : at;
    }
    return at;
}

static inline void cp_tick(struct core_pair *p)
{
    for (int i = 0; i < 2; i++) {
        if (p->side[i].core == NULL || wf_core_deadline(p->side[i].core) > p->now)
            continue;
        wf_core_tick(p->side[i].core, p->now);
        cp_pump(p, i);
    }
}

/* What happens within so long, and then the time. */
static inline void cp_run(struct core_pair *p, uint64_t us)
{
    weft_time until = p->now + us;
    unsigned steps = 0;

    cp_pump(p, 0);
    cp_pump(p, 1);
    for (weft_time at = cp_deadline(p); at <= until; at = cp_deadline(p)) {
        CP_MUST(steps++ < CP_STEPS_MAX);
        if (at > p->now)
            p->now = at;
        if (p->first != NULL && p->first->at <= p->now)
            cp_deliver(p, cp_land(p));
        else
            cp_tick(p);
    }
    p->now = until;
}

/* --- life --- */

static inline weft_err cp_boot(struct core_pair *p, int i)
{
    struct cp_side *s = &p->side[i];
    struct wf_core_config c = s->config;

    c.mem = s->mem;
    c.rng = &s->rng.rng;
    memset(c.seed, 1 + i, sizeof c.seed);
    return wf_core_new(&s->core, &c, p->now);
}

static inline void cp_init(struct core_pair *p, struct wf_mem *a, struct wf_mem *b)
{
    struct wf_mem *mems[2] = {a, b};

    memset(p, 0, sizeof *p);
    p->now = 1000000;
    p->buf = malloc(65536);
    CP_MUST(p->buf != NULL);
    for (int i = 0; i < 2; i++) {
        struct cp_side *s = &p->side[i];

        s->pair = p;
        s->mem = mems[i];
        s->addr = wf_addr_v4(10, 0, 0, (uint8_t)(1 + i), (uint16_t)(1000 + i));
        wf_rng_seed(&s->rng, (uint64_t)(77 + i));
        s->config = (struct wf_core_config){
            .serve = i == 1, .sessions_max = 8, .cookies_max = 4096, .solves_max = 256};
    }
}

static inline void cp_open(struct core_pair *p, struct wf_mem *a, struct wf_mem *b)
{
    cp_init(p, a, b);
    CP_MUST(cp_boot(p, 0) == WEFT_OK);
    CP_MUST(cp_boot(p, 1) == WEFT_OK);
}

/* The core goes without a word; what it had under way is lost. */
static inline void cp_kill(struct core_pair *p, int i)
{
    struct cp_side *s = &p->side[i];

    wf_core_free(s->core);
    s->core = NULL;
    memset(s->ins, 0, sizeof s->ins);
    memset(s->outs, 0, sizeof s->outs);
    s->out_count = 0;
}

static inline void cp_forget(struct core_pair *p)
{
    for (struct cp_datagram *d = cp_land(p); d != NULL; d = cp_land(p))
        free(d);
}

static inline void cp_close(struct core_pair *p)
{
    cp_kill(p, 0);
    cp_kill(p, 1);
    cp_forget(p);
    free(p->buf);
}

/* Each message that was taken has had exactly one outcome. */
static inline void cp_check_outcomes(const struct cp_side *s)
{
    for (size_t i = 0; i < s->out_count; i++)
        CP_MUST(s->outs[i].outcomes == 1);
}

#endif
