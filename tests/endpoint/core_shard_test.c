/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_shard_test.c - several cores behind one address. The network brings each datagram to any of
 * them, loses and repeats some; what the cores hand on reaches the right one a moment later.
 * Everything arrives exactly once, whoever got it first.
 */
#include <stdlib.h>

#include "base/list.h"
#include "core_pair.h"
#include "test.h"
#include "wire/handshake.h"

#define SECOND 1000000u
#define SHARDS_MAX 3u
#define CLIENTS 3u
#define NODES_MAX (SHARDS_MAX + CLIENTS)
#define MESSAGES 8u
#define REPLY_LEN 3000u

/* What is on its way to a core. */
struct flight {
    struct wf_link link;
    weft_time at;
    unsigned node;
    bool handed_on;
    struct wf_addr from, to;
    size_t len;
    uint8_t data[];
};

struct sent_message {
    uint64_t id;
    uint8_t body[40];
    unsigned outcomes;
    enum wf_core_outcome outcome;
};

struct world {
    struct wf_core *nodes[NODES_MAX]; /* the shards, then the clients */
    struct wf_rng_seeded rngs[NODES_MAX];
    struct wf_addr front, addrs[CLIENTS];
    unsigned shard_count;
    struct wf_list flying; /* by time */
    weft_time now;
    uint64_t state; /* of the network's dice */
    unsigned loss, twice;
    struct sent_message sent[CLIENTS][MESSAGES];
    unsigned arrived[CLIENTS][MESSAGES];
    uint64_t handed_on, sprayed;
    unsigned in_call; /* of a core */
    uint8_t *buf;
};

static struct world w;

static void fly(unsigned node, weft_time at, const struct wf_datagram *d, bool handed_on)
{
    struct flight *f = malloc(sizeof *f + d->len);
    struct wf_link *l = w.flying.first;

    CP_MUST(f != NULL);
    *f = (struct flight){
        .at = at, .node = node, .handed_on = handed_on, .from = d->from, .to = d->to};
    f->len = d->len;
    if (d->len > 0)
        memcpy(f->data, d->data, d->len);
    while (l != NULL && WF_CONTAINER_OF(l, struct flight, link)->at <= at)
        l = l->next;
    wf_list_insert_before(&w.flying, l, &f->link);
}

static void on_forward(void *user, uint8_t shard, const struct wf_datagram *d)
{
    CP_MUST(user == &w);
    CP_MUST(shard < w.shard_count);
    CP_MUST(w.in_call < w.shard_count); /* clients have no shards */
    CP_MUST(shard != w.in_call);
    CP_MUST(d->segment == 0);
    w.handed_on++;
    fly(shard, w.now + 20, d, true);
}

static struct wf_core *boot(unsigned node, uint64_t instance)
{
    struct wf_core_config c = {.mem = test_mem(), .rng = &w.rngs[node].rng, .sessions_max = 16};
    struct wf_core *core = NULL;
    bool is_shard = node < SHARDS_MAX;

    memset(c.seed, is_shard ? 1 : (int)(2 + node), sizeof c.seed);
    c.serve = true;
    if (is_shard) {
        c.shards = (struct wf_core_shards){.instance = instance, .forward = on_forward, .user = &w};
        c.shards.ids.shard = (uint8_t)node;
        c.shards.ids.count = (uint8_t)w.shard_count;
        memset(c.shards.ids.key, 9, sizeof c.shards.ids.key);
    }
    CHECK_OK(wf_core_new(&core, &c, w.now));
    return core;
}

static void open_world(unsigned shards, uint64_t seed)
{
    memset(&w, 0, sizeof w);
    w.shard_count = shards;
    w.now = SECOND;
    w.state = seed;
    w.front = wf_addr_v4(10, 0, 0, 1, 4870);
    w.buf = malloc(65536);
    CP_MUST(w.buf != NULL);
    for (unsigned i = 0; i < NODES_MAX; i++) {
        wf_rng_seed(&w.rngs[i], seed * 100 + i);
        if (i < shards || i >= SHARDS_MAX)
            w.nodes[i] = boot(i, 4711);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        w.addrs[i] = wf_addr_v4(10, 0, 1, (uint8_t)(1 + i), 5000);
}

static void close_world(void)
{
    struct wf_link *l = NULL;

    for (unsigned i = 0; i < NODES_MAX; i++)
        wf_core_free(w.nodes[i]);
    while ((l = wf_list_pop_front(&w.flying)) != NULL)
        free(WF_CONTAINER_OF(l, struct flight, link));
    free(w.buf);
}

static bool chance(unsigned of_100)
{
    return test_next(&w.state) % 100 < of_100;
}

/* The network: whatever goes to the front comes to any shard. */
static void spray(const struct wf_datagram *d)
{
    unsigned copies = chance(w.loss) ? 0 : 1;

    copies += chance(w.twice);
    for (unsigned i = 0; i < copies; i++) {
        weft_time at = w.now + 5000 + test_next(&w.state) % 300;

        if (wf_addr_equal(&d->to, &w.front)) {
            w.sprayed++;
            fly((unsigned)(test_next(&w.state) % w.shard_count), at, d, false);
        }
        for (unsigned k = 0; k < CLIENTS; k++) {
            if (wf_addr_equal(&d->to, &w.addrs[k]))
                fly(SHARDS_MAX + k, at, d, false);
        }
    }
}

static void send_train(unsigned node, const struct wf_send *out)
{
    size_t step = out->segment == 0 || out->segment > out->len ? out->len : out->segment;

    for (size_t at = 0; at < out->len; at += step) {
        struct wf_datagram d = {.to = out->to, .data = w.buf + at};

        d.from = node < SHARDS_MAX ? w.front : w.addrs[node - SHARDS_MAX];
        d.len = out->len - at < step ? out->len - at : step;
        spray(&d);
    }
}

/* --- applications --- */

static void reply_to(unsigned node, uint64_t id)
{
    static const uint8_t body[REPLY_LEN];
    struct wf_core_reply_params rp = {.length = sizeof body};
    uint64_t reply = 0;
    size_t taken = 0;

    CHECK_OK(wf_core_reply(w.nodes[node], id, &rp, &reply));
    CHECK_OK(wf_core_write(w.nodes[node], reply, wf_span(body, sizeof body), true, &taken));
    CHECK_EQ(taken, sizeof body);
}

/* A request says whose it is, and which. It is read when all of it is there. */
static void read_request(unsigned node, uint64_t id)
{
    bool at_end = false;
    weft_span data = wf_core_peek(w.nodes[node], id, &at_end);

    if (!at_end)
        return;
    CHECK_EQ(data.len, 40);
    w.arrived[data.data[0]][data.data[1]]++;
    wf_core_consume(w.nodes[node], id, data.len);
    reply_to(node, id);
    wf_core_release(w.nodes[node], id, WF_CODE_NONE);
}

static void read_reply(unsigned node, uint64_t id)
{
    bool at_end = false;
    weft_span data = {NULL, 1};

    while (data.len > 0 && !at_end) {
        data = wf_core_peek(w.nodes[node], id, &at_end);
        wf_core_consume(w.nodes[node], id, data.len);
    }
    if (at_end)
        wf_core_release(w.nodes[node], id, WF_CODE_NONE);
}

static void on_event(unsigned node, const struct wf_core_event *e)
{
    struct sent_message *m = e->user;

    if (e->kind == WF_CORE_MESSAGE)
        wf_core_set_user(w.nodes[node], e->id, m); /* of the request, if it is a reply */
    if (e->kind == WF_CORE_READABLE && m == NULL)
        read_request(node, e->id);
    else if (e->kind == WF_CORE_READABLE)
        read_reply(node, e->id);
    if (e->kind == WF_CORE_OUTCOME && m != NULL) {
        m->outcomes++;
        m->outcome = e->outcome;
    }
    if (e->kind == WF_CORE_BROKEN)
        wf_core_release(w.nodes[node], e->id, WF_CODE_NONE);
}

static void pump(unsigned node)
{
    struct wf_core *c = w.nodes[node];
    struct wf_core_event e;
    struct wf_send out;
    bool goes_on = true;

    while (goes_on) {
        while (wf_core_next_event(c, &e))
            on_event(node, &e);
        goes_on = wf_core_send(c, w.now, w.buf, 65536, &out);
        if (goes_on)
            send_train(node, &out);
        goes_on = goes_on || wf_core_has_events(c);
    }
    CHECK(wf_core_check(c) == NULL);
}

static void land(struct flight *f)
{
    struct wf_datagram d = {.from = f->from, .to = f->to, .len = f->len};
    uint64_t before = w.handed_on;

    d.data = test_copy(f->data, f->len);
    w.in_call = f->node;
    if (w.nodes[f->node] != NULL) {
        wf_core_recv(w.nodes[f->node], w.now, &d, 1);
        CHECK(!f->handed_on || w.handed_on == before); /* never a third time */
        pump(f->node);
    }
    free(d.data);
    free(f);
}

static weft_time next_at(void)
{
    weft_time at = w.flying.first == NULL
                       ? WEFT_TIME_NEVER
                       : WF_CONTAINER_OF(w.flying.first, struct flight, link)->at;

    for (unsigned i = 0; i < NODES_MAX; i++) {
        weft_time own = w.nodes[i] == NULL ? WEFT_TIME_NEVER : wf_core_deadline(w.nodes[i]);

        at = own < at ? own : at;
    }
    return at;
}

static void tick_all(void)
{
    for (unsigned i = 0; i < NODES_MAX; i++) {
        if (w.nodes[i] == NULL || wf_core_deadline(w.nodes[i]) > w.now)
            continue;
        wf_core_tick(w.nodes[i], w.now);
        pump(i);
    }
}

static void run(uint64_t us)
{
    weft_time until = w.now + us;

    for (unsigned i = 0; i < NODES_MAX; i++) {
        if (w.nodes[i] != NULL)
            pump(i);
    }
    for (weft_time at = next_at(); at <= until; at = next_at()) {
        struct wf_link *l = w.flying.first;

        w.now = at > w.now ? at : w.now;
        if (l != NULL && WF_CONTAINER_OF(l, struct flight, link)->at <= w.now)
            land(WF_CONTAINER_OF(wf_list_pop_front(&w.flying), struct flight, link));
        else
            tick_all();
    }
    w.now = until;
}

/* Message i of this caller, from one node to another. */
static void call(unsigned caller, unsigned i, unsigned from, unsigned to)
{
    struct sent_message *m = &w.sent[caller][i];
    struct wf_core_send_params p = {.service = wf_span_of("s")};
    size_t taken = 0;

    m->body[0] = (uint8_t)caller;
    m->body[1] = (uint8_t)i;
    memcpy(p.to, wf_core_key(w.nodes[to]), sizeof p.to);
    p.address = to < SHARDS_MAX ? w.front : w.addrs[to - SHARDS_MAX];
    p.length = sizeof m->body;
    p.expect_reply = true;
    p.user = m;
    CHECK_OK(wf_core_message(w.nodes[from], w.now, &p, &m->id));
    CHECK_OK(wf_core_write(w.nodes[from], m->id, wf_span(m->body, sizeof m->body), true, &taken));
    CHECK_EQ(taken, sizeof m->body);
}

static void request(unsigned client, unsigned i)
{
    call(client, i, SHARDS_MAX + client, 0);
}

static void talk(void)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        for (unsigned k = 0; k < CLIENTS; k++)
            request(k, i);
        run(SECOND / 5);
    }
    run(20 * SECOND);
}

static struct wf_core_stats stats_of(unsigned node)
{
    struct wf_core_stats stats;

    wf_core_stats(w.nodes[node], &stats);
    return stats;
}

/* SPEC 1.13-1, 1.13-5 */
TEST(whatever_shard_a_datagram_comes_to_everything_arrives_once)
{
    for (unsigned shards = 1; shards <= SHARDS_MAX; shards++) {
        for (uint64_t seed = 1; seed <= 6; seed++) {
            uint64_t sessions = 0;
            uint64_t hints = 0;
            uint64_t in_all = 0;

            test_note("%u shards, seed %llu", shards, (unsigned long long)seed);
            open_world(shards, seed);
            w.loss = seed % 2 == 0 ? 3 : 0;
            w.twice = seed % 3 == 0 ? 20 : 0;
            talk();
            for (unsigned k = 0; k < CLIENTS; k++) {
                for (unsigned i = 0; i < MESSAGES; i++) {
                    CHECK_EQ(w.sent[k][i].outcomes, 1);
                    CHECK_EQ(w.sent[k][i].outcome, WF_OUTCOME_REPLIED);
                    CHECK_EQ(w.arrived[k][i], 1);
                }
            }
            for (unsigned i = 0; i < shards; i++) {
                sessions += stats_of(i).sessions_total;
                hints += stats_of(i).hints_sent;
                in_all += stats_of(i).forwarded;
            }
            CHECK_EQ(sessions, CLIENTS);
            CHECK_EQ(hints, 0);
            CHECK_EQ(in_all, w.handed_on);
            if (shards == 1)
                CHECK_EQ(w.handed_on, 0);
            else /* each datagram goes astray with (n-1)/n; CHALLENGEs are made where HELLO comes */
                CHECK(w.handed_on * 3 > w.sprayed);
            close_world();
        }
    }
}

/* SPEC 1.13-5: CHALLENGE, CONFIRM and packets find the shard that calls. */
TEST(a_shard_that_calls_gets_its_answers_whichever_shard_they_come_to)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        open_world(3, seed);
        for (unsigned i = 0; i < MESSAGES; i++) {
            for (unsigned k = 0; k < 3; k++)
                call(k, i, k, SHARDS_MAX + (unsigned)seed % CLIENTS);
            run(SECOND / 4);
        }
        for (unsigned k = 0; k < 3; k++) {
            for (unsigned i = 0; i < MESSAGES; i++) {
                CHECK_EQ(w.sent[k][i].outcome, WF_OUTCOME_REPLIED);
                CHECK_EQ(w.arrived[k][i], 1);
            }
            CHECK_EQ(stats_of(k).handshakes_started, 1);
        }
        CHECK(w.handed_on > 20);
        close_world();
    }
}

/* All of them start again: another instance. SPEC 1.13-2 */
TEST(after_a_restart_of_all_shards_clients_come_back_through_a_hint)
{
    open_world(3, 5);
    for (unsigned k = 0; k < CLIENTS; k++)
        request(k, 0);
    run(SECOND);
    for (unsigned i = 0; i < 3; i++) {
        wf_core_free(w.nodes[i]);
        w.nodes[i] = boot(i, 4712);
    }
    for (unsigned k = 0; k < CLIENTS; k++)
        request(k, 1);
    run(SECOND / 20);
    for (unsigned k = 0; k < CLIENTS; k++)
        request(k, 2);
    run(SECOND);
    for (unsigned k = 0; k < CLIENTS; k++) {
        CHECK_EQ(w.sent[k][0].outcome, WF_OUTCOME_REPLIED);
        CHECK_EQ(w.sent[k][1].outcome, WF_OUTCOME_UNKNOWN);
        CHECK_EQ(w.arrived[k][1], 0);
        CHECK_EQ(w.sent[k][2].outcome, WF_OUTCOME_REPLIED);
    }
    close_world();
}

TEST(shards_that_cannot_be_make_no_core)
{
    struct wf_rng_seeded rng;
    struct wf_core_config c = {.mem = test_mem(), .rng = &rng.rng};
    struct wf_core *core = NULL;

    wf_rng_seed(&rng, 1);
    c.shards.ids.shard = 1;
    for (uint8_t count = 0; count < 2; count++) {
        c.shards.ids.count = count;
        CHECK_EQ(wf_core_new(&core, &c, 1), WEFT_ERR_USAGE);
    }
    c.shards.ids.count = 2;
    CHECK_EQ(wf_core_new(&core, &c, 1), WEFT_ERR_USAGE); /* nobody to hand things to */
    c.shards.forward = on_forward;
    c.shards.ids.shard = 2;
    CHECK_EQ(wf_core_new(&core, &c, 1), WEFT_ERR_USAGE);
    c.shards.ids.shard = 1;
    CHECK_OK(wf_core_new(&core, &c, 1));
    wf_core_free(core);
}
