/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_dead_readers_test.c - one serving core with a cap on its memory, many clients that ask for
 * large replies and never read them, and a few that go on as if nothing was. The dead ones ask for
 * many times what there is; the cap holds, and the others hardly notice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "endpoint/core.h"
#include "test.h"

#define SECOND ((uint64_t)1000000)
#define STEP_US 20000u
#define DEAD_MAX 10000u
#define LIVE 10u
#define BIG ((uint64_t)8 << 20)
#define SMALL 1000u
#define ASK_EVERY 20u /* steps */
#define STEPS 3500u

/* What is asked of a node is to bear ten thousand; that takes minutes, and is a long check. */
static const struct crowd {
    size_t dead, cap, sessions;
} few = {300, (size_t)40 << 20, 4096}, many = {DEAD_MAX, (size_t)512 << 20, 16384};

struct packet {
    struct packet *next;
    struct wf_addr from, to;
    size_t len;
    uint8_t data[];
};

struct answer {
    uint64_t id, left;
};

struct client {
    struct wf_core *core;
    struct wf_addr addr;
    struct wf_rng_seeded rng;
    bool is_dead;
    unsigned waits; /* requests without an outcome */
};

static struct {
    struct wf_mem *mem, *client_mem;
    struct wf_core *core;
    struct wf_rng_seeded rng;
    struct wf_addr addr;
    struct client clients[LIVE + DEAD_MAX];
    size_t client_count, cap;
    struct packet *first, **last;
    weft_time now;
    uint8_t buf[65536];
    uint64_t asked, replied;
} hub;

static void put_out(const struct wf_addr *from, const struct wf_send *s)
{
    size_t step = s->segment == 0 || s->segment > s->len ? s->len : s->segment;

    for (size_t at = 0; at < s->len; at += step) {
        size_t len = s->len - at < step ? s->len - at : step;
        struct packet *p = malloc(sizeof *p + len);

        CHECK(p != NULL);
        *p = (struct packet){.from = *from, .to = s->to, .len = len};
        memcpy(p->data, hub.buf + at, len);
        *hub.last = p;
        hub.last = &p->next;
    }
}

/* --- the server's application --- */

static void go_on(struct answer *a)
{
    static const uint8_t zeros[65536];

    while (a->left > 0) {
        size_t len = a->left < sizeof zeros ? (size_t)a->left : sizeof zeros;
        size_t taken = 0;
        weft_err err = wf_core_write(hub.core, a->id, wf_span(zeros, len), len == a->left, &taken);

        if (err != WEFT_OK) {
            wf_core_cancel(hub.core, a->id, WF_CODE_NOMEM);
            return;
        }
        a->left -= taken;
        if (taken < len)
            return;
    }
}

static void answer(const struct wf_core_event *e)
{
    struct answer *a = malloc(sizeof *a);
    bool is_big = e->open.service.len == 3;
    struct wf_core_reply_params p = {.user = a, .length = is_big ? BIG : SMALL};

    CHECK(a != NULL);
    a->left = p.length;
    if (wf_core_reply(hub.core, e->id, &p, &a->id) == WEFT_OK) {
        wf_core_release(hub.core, e->id, WF_CODE_NONE);
        go_on(a);
    } else {
        wf_core_release(hub.core, e->id, WF_CODE_NOMEM);
        free(a);
    }
}

static void serve(void)
{
    struct wf_core_event e;
    struct wf_send out;
    bool goes_on = true;

    while (goes_on) {
        while (wf_core_next_event(hub.core, &e)) {
            if (e.kind == WF_CORE_MESSAGE)
                answer(&e);
            else if (e.kind == WF_CORE_WRITABLE)
                go_on(e.user);
            else if (e.kind == WF_CORE_OUTCOME)
                free(e.user);
            else if (e.kind == WF_CORE_BROKEN)
                wf_core_release(hub.core, e.id, WF_CODE_NONE);
        }
        goes_on = wf_core_send(hub.core, hub.now, hub.buf, sizeof hub.buf, &out);
        if (goes_on)
            put_out(&hub.addr, &out);
        goes_on = goes_on || wf_core_has_events(hub.core);
    }
}

/* --- the clients' --- */

static void ask(struct client *c)
{
    struct wf_core_send_params p = {.address = hub.addr,
                                    .service = wf_span_of(c->is_dead ? "big" : "small"),
                                    .expect_reply = true};
    uint64_t id = 0;

    memcpy(p.to, wf_core_key(hub.core), sizeof p.to);
    if (wf_core_message(c->core, hub.now, &p, &id) != WEFT_OK)
        return;
    c->waits++;
    hub.asked += !c->is_dead;
}

static void read_all(struct client *c, uint64_t id)
{
    bool at_end = false;
    weft_span s = wf_core_peek(c->core, id, &at_end);

    while (s.len > 0 && !at_end) {
        wf_core_consume(c->core, id, s.len);
        s = wf_core_peek(c->core, id, &at_end);
    }
    wf_core_consume(c->core, id, s.len);
    if (at_end)
        wf_core_release(c->core, id, WF_CODE_NONE);
}

static void on_event(struct client *c, const struct wf_core_event *e)
{
    if (e->kind == WF_CORE_OUTCOME) {
        c->waits--;
        hub.replied += !c->is_dead && e->outcome == WF_OUTCOME_REPLIED;
    } else if (e->kind == WF_CORE_BROKEN) {
        wf_core_release(c->core, e->id, WF_CODE_NONE);
    } else if (e->kind == WF_CORE_READABLE && !c->is_dead) {
        read_all(c, e->id);
    }
}

static void pump(struct client *c)
{
    struct wf_core_event e;
    struct wf_send out;
    bool goes_on = true;

    while (goes_on) {
        while (wf_core_next_event(c->core, &e))
            on_event(c, &e);
        goes_on = wf_core_send(c->core, hub.now, hub.buf, sizeof hub.buf, &out);
        if (goes_on)
            put_out(&c->addr, &out);
        goes_on = goes_on || wf_core_has_events(c->core);
    }
}

/* --- the run --- */

static void boot(const struct crowd *crowd, size_t dead)
{
    struct wf_core_config config = {
        .mem = hub.mem, .rng = &hub.rng.rng, .serve = true, .seed = {1}};

    CHECK_OK(wf_crypto_init());
    hub.now = 1000 * SECOND;
    hub.last = &hub.first;
    hub.addr = wf_addr_v4(10, 0, 0, 1, 4870);
    hub.asked = 0;
    hub.replied = 0;
    hub.mem = test_mem();
    hub.client_mem = test_mem();
    hub.mem->cap = hub.cap = crowd->cap;
    hub.client_count = LIVE + dead;
    config.mem = hub.mem;
    config.sessions_max = (uint32_t)crowd->sessions;
    wf_rng_seed(&hub.rng, 7);
    CHECK_OK(wf_core_new(&hub.core, &config, hub.now));
    for (size_t i = 0; i < hub.client_count; i++) {
        struct client *c = &hub.clients[i];
        struct wf_core_config cc = {.mem = hub.client_mem,
                                    .rng = &c->rng.rng,
                                    .seed = {2, (uint8_t)i, (uint8_t)(i >> 8)},
                                    .sessions_max = 2,
                                    .node_credit = 65536,
                                    .message_credit = 65536};

        *c = (struct client){.addr = wf_addr_v4(11, 0, (uint8_t)(i >> 8), (uint8_t)i, 1),
                             .is_dead = i >= LIVE};
        wf_rng_seed(&c->rng, i);
        CHECK_OK(wf_core_new(&c->core, &cc, hub.now));
    }
}

static void shut(void)
{
    for (size_t i = 0; i < hub.client_count; i++)
        wf_core_free(hub.clients[i].core);
    wf_core_shut(hub.core, hub.now);
    serve();
    hub.now += 100 * SECOND;
    wf_core_tick(hub.core, hub.now);
    serve();
    wf_core_free(hub.core);
    while (hub.first != NULL) {
        struct packet *p = hub.first;

        hub.first = p->next;
        free(p);
    }
    CHECK_EQ(hub.mem->held, 0);
    CHECK_EQ(hub.client_mem->held, 0);
}

static struct client *client_at(const struct wf_addr *a)
{
    return &hub.clients[(size_t)a->ip[3] + ((size_t)a->ip[2] << 8)];
}

static void deliver(struct packet *p)
{
    struct wf_datagram d = {.from = p->from, .to = p->to, .data = p->data, .len = p->len};
    struct client *c = client_at(&p->to);

    if (wf_addr_equal(&p->to, &hub.addr)) {
        wf_core_recv(hub.core, hub.now, &d, 1);
        serve();
    } else {
        wf_core_recv(c->core, hub.now, &d, 1);
        pump(c);
    }
    free(p);
}

static void step(unsigned n)
{
    struct packet *p = hub.first;

    hub.now += STEP_US;
    hub.first = NULL;
    hub.last = &hub.first;
    while (p != NULL) {
        struct packet *next = p->next;

        deliver(p);
        p = next;
    }
    if (wf_core_deadline(hub.core) <= hub.now) {
        wf_core_tick(hub.core, hub.now);
        serve();
    }
    for (size_t i = 0; i < hub.client_count; i++) {
        struct client *c = &hub.clients[i];

        if (c->is_dead ? c->waits == 0 && (n + i) % 500 == 0 : n % ASK_EVERY == 0)
            ask(c);
        if (wf_core_deadline(c->core) <= hub.now)
            wf_core_tick(c->core, hub.now);
        pump(c);
    }
}

static uint64_t run(const struct crowd *crowd, size_t dead, struct wf_core_stats *stats)
{
    boot(crowd, dead);
    for (unsigned n = 0; n < STEPS; n++) {
        step(n);
        CHECK_LE(hub.mem->held, hub.cap);
        if (n % 500 == 0)
            CHECK(wf_core_check(hub.core) == NULL);
    }
    wf_core_stats(hub.core, stats);
    test_note("asked %llu, replied %llu", (unsigned long long)hub.asked,
              (unsigned long long)hub.replied);
    CHECK_LE(hub.asked, hub.replied + LIVE * 2);
    shut();
    return hub.replied;
}

static void check(const struct crowd *crowd)
{
    struct wf_core_stats stats;
    uint64_t alone = run(crowd, 0, &stats);
    uint64_t among = run(crowd, crowd->dead, &stats);

    test_note("%llu alone, %llu among dead ones; %llu sessions evicted, %llu messages cut off",
              (unsigned long long)alone, (unsigned long long)among,
              (unsigned long long)stats.sessions_evicted,
              (unsigned long long)stats.messages_cut_off);
    CHECK_LE(LIVE * (STEPS / ASK_EVERY - 2), alone);
    CHECK_LE(alone * 9 / 10, among);
    CHECK_LE(1, stats.sessions_evicted + stats.messages_cut_off);
    CHECK_LE(stats.memory_max, crowd->cap);
}

TEST(many_dead_readers_take_neither_the_memory_nor_the_replies_of_those_who_read)
{
    check(&few);
    if (getenv("WEFT_LONG") != NULL)
        check(&many);
}
