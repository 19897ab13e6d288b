/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_work_test.c - work that a server asks for, as a program sees it: done beside everything else,
 * told while it lasts, refused when it would take too long, given up at once.
 */
#include "test.h"

#include "api_pair.h"

struct told {
    unsigned all, goes_on, over, refused, replies;
    weft_work last; /* that goes on, or was refused */
};

static void on_work(const weft_work *w, void *user)
{
    struct told *t = user;

    t->all++;
    t->goes_on += w->state == WEFT_WORK_GOES_ON;
    t->over += w->state == WEFT_WORK_OVER;
    t->refused += w->state == WEFT_WORK_REFUSED;
    if (w->state != WEFT_WORK_OVER)
        t->last = *w;
}

static void on_echo_back(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    CHECK_OK(weft_reply(x, m->body, m->len));
}

struct end {
    unsigned outcomes;
    weft_outcome_kind kind;
    weft_err err;
};

static void on_end(const weft_outcome *o, void *user)
{
    struct end *e = user;

    e->outcomes++;
    e->kind = o->kind;
    e->err = o->err;
}

static void start(struct pair *p, struct told *t, uint32_t algorithm, uint32_t effort,
                  uint32_t work_ms)
{
    weft_node_params server = WEFT_NODE_PARAMS;
    weft_node_params client = WEFT_NODE_PARAMS;

    *t = (struct told){.all = 0};
    server.work_effort = effort;
    server.work_algorithm = algorithm;
    client.work_ms = work_ms;
    pair_open_with(p, &server, &client);
    CHECK_OK(weft_node_allow(p->server, NULL, "*"));
    CHECK_OK(weft_node_serve(p->server, "echo", on_echo_back, NULL));
    weft_node_on_work(p->client, on_work, t);
}

static uint64_t send(struct pair *p, struct end *e)
{
    weft_send_params sp = WEFT_SEND_PARAMS;
    uint64_t id = 0;

    *e = (struct end){.outcomes = 0};
    sp.to = p->to;
    sp.service = "echo";
    sp.body = weft_body_span("hello", 5);
    sp.expect_reply = true;
    sp.on_outcome = on_end;
    sp.user = e;
    CHECK_OK(weft_node_send(p->client, &sp, &id));
    return id;
}

TEST(work_of_either_algorithm_is_done_and_the_message_arrives)
{
    static const uint32_t efforts[] = {0, 5000, 100};

    for (uint32_t algorithm = WEFT_WORK_HASH; algorithm <= WEFT_WORK_PROGRAM; algorithm++) {
        struct pair p;
        struct told t;
        struct end e;

        start(&p, &t, algorithm, efforts[algorithm], 600000);
        (void)send(&p, &e);
        pair_until(&p, &e.outcomes, 1);
        CHECK_EQ(e.kind, WEFT_REPLIED);
        CHECK_EQ(t.refused, 0);
        CHECK_LE(t.over, 1);
        pair_close(&p);
    }
}

TEST(an_algorithm_that_is_none_is_a_usage_error)
{
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_node *node = NULL;

    params.work_algorithm = WEFT_WORK_PROGRAM + 1;
    CHECK_EQ(weft_node_open(&node, &params), WEFT_ERR_USAGE);
}

TEST(work_that_lasts_is_told_and_ends_when_its_message_is_cancelled)
{
    struct pair p;
    struct told t;
    struct end e;
    uint64_t id = 0;

    start(&p, &t, WEFT_WORK_HASH, 1u << 30, UINT32_MAX);
    id = send(&p, &e);
    pair_until(&p, &t.goes_on, 3);
    CHECK_EQ(t.last.expected, 1u << 30);
    CHECK(t.last.tries > 0);
    CHECK(t.last.spent_us > 0);
    CHECK(t.last.expected_us > 0);
    CHECK_EQ(t.last.budget_us, (uint64_t)UINT32_MAX * 1000);
    CHECK_EQ(t.over, 0);
    weft_node_cancel(p.client, id);
    pair_until(&p, &e.outcomes, 1);
    CHECK_EQ(e.kind, WEFT_FAILED);
    CHECK_EQ(e.err, WEFT_ERR_CANCELLED);
    CHECK_EQ(t.over, 1);
    pair_close(&p);
    CHECK_EQ(t.over, 1);
}

TEST(work_that_would_take_longer_than_its_time_is_refused_and_told_so)
{
    struct pair p;
    struct told t;
    struct end e;

    start(&p, &t, WEFT_WORK_PROGRAM, 1u << 30, 1000);
    for (int again = 0; again <= 1; again++) { /* the second time it is known at once */
        (void)send(&p, &e);
        pair_until(&p, &e.outcomes, 1);
        CHECK_EQ(e.kind, WEFT_FAILED);
        CHECK_EQ(e.err, WEFT_ERR_LIMIT);
        CHECK_EQ(t.refused, 1 + again);
        CHECK_EQ(t.last.expected, 1u << 30);
        CHECK(t.last.expected_us > 1000000);
    }
    CHECK_EQ(t.over, t.goes_on > 0);
    pair_close(&p);
}

TEST(a_node_that_works_answers_and_sends_all_the_same)
{
    struct pair p, other;
    struct told t;
    struct end e, f;

    start(&p, &t, WEFT_WORK_HASH, 1u << 30, UINT32_MAX);
    pair_open(&other);
    CHECK_OK(weft_node_serve(other.server, "echo", on_echo_back, NULL));
    (void)send(&p, &e);
    pair_until(&p, &t.goes_on, 1);
    weft_node_close(other.client);
    other.client = p.client; /* it calls a second server while it works for the first */
    (void)send(&other, &f);
    pair_until(&other, &f.outcomes, 1);
    CHECK_EQ(f.kind, WEFT_REPLIED);
    CHECK_EQ(e.outcomes, 0);
    other.client = NULL;
    pair_close(&other);
    weft_node_on_work(p.client, NULL, NULL); /* nobody is told any more */
    pair_close(&p);
    CHECK_EQ(e.outcomes, 1);
}
