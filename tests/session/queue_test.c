/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_test.c - the queue of requests against a plain list that is searched, its limits and its
 * failures.
 */
#include "session/queue.h"

#include "test.h"

static const uint8_t sip_key[16] = {1, 2, 3};

static void init(struct wf_queue *q, size_t max)
{
    const struct wf_queue_config c = {.max = max, .payload_size = 24, .sip_key = sip_key};

    CHECK_OK(wf_queue_init(q, test_mem(), &c));
}

static struct wf_queue_ticket ticket(uint8_t cookie, uint64_t mark, uint32_t paid)
{
    return (struct wf_queue_ticket){
        .cookie = {cookie}, .mark = mark, .paid = paid, .multiplier = WF_MULTIPLIER_ONE};
}

static weft_err put(struct wf_queue *q, const struct wf_queue_ticket *t)
{
    void *payload = NULL;
    const weft_err err = wf_queue_put(q, 7, t, &payload);

    CHECK_EQ(err == WEFT_OK, payload != NULL);
    if (err == WEFT_OK) {
        memcpy(payload, &t->mark, sizeof t->mark);
    }
    return err;
}

static weft_err put_paid(struct wf_queue *q, uint8_t cookie, uint32_t paid)
{
    const struct wf_queue_ticket t = ticket(cookie, paid, paid);

    return put(q, &t);
}

static uint32_t take(struct wf_queue *q)
{
    const struct wf_queue_entry *e = wf_queue_first(q);

    CHECK(e != NULL);
    CHECK_MEM_EQ(e->payload, &e->ticket.mark, sizeof e->ticket.mark);
    const uint32_t paid = e->ticket.paid;
    wf_queue_drop_first(q);
    return paid;
}

TEST(an_empty_queue_gives_nothing)
{
    struct wf_queue q;

    init(&q, 1);
    CHECK(wf_queue_first(&q) == NULL);
    wf_queue_drop_first(&q);
    CHECK_EQ(wf_queue_count(&q), 0);
    CHECK_EQ(wf_queue_backlog(&q, 0), 0);
    CHECK_EQ(wf_queue_expire(&q, WEFT_TIME_NEVER), 0);
    wf_queue_deinit(&q);
}

/* SPEC 1.7-5 */
TEST(who_pays_most_is_served_first)
{
    static const uint32_t paid[] = {5, 0, UINT32_MAX, 17, 5000, 16};
    static const uint32_t order[] = {UINT32_MAX, 5000, 17, 16, 5, 0};
    struct wf_queue q;

    init(&q, 6);
    for (size_t i = 0; i < WF_ARRAY_LEN(paid); i++) {
        CHECK_OK(put_paid(&q, (uint8_t)i, paid[i]));
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(order); i++) {
        CHECK_EQ(take(&q), order[i]);
    }
    wf_queue_deinit(&q);
}

/* SPEC 1.7-5 */
TEST(of_those_who_pay_the_same_the_oldest_is_first)
{
    struct wf_queue q;

    init(&q, 50);
    for (uint8_t i = 0; i < 50; i++) {
        const struct wf_queue_ticket t = ticket(i, i, 9);
        CHECK_OK(put(&q, &t));
    }
    for (uint8_t i = 0; i < 50; i++) {
        CHECK_EQ(wf_queue_first(&q)->ticket.mark, i);
        wf_queue_drop_first(&q);
    }
    wf_queue_deinit(&q);
}

/* SPEC 1.7-5 */
TEST(a_multiplier_divides_what_was_paid)
{
    struct wf_queue q;
    struct wf_queue_ticket a = ticket(1, 1, 799), b = ticket(2, 2, 100), c = ticket(3, 3, 99);

    a.multiplier = 8 * WF_MULTIPLIER_ONE;
    init(&q, 3);
    CHECK_OK(put(&q, &a)); /* 800 / 8 = 100, as c, and older */
    CHECK_OK(put(&q, &c));
    CHECK_OK(put(&q, &b));
    CHECK_EQ(take(&q), 100);
    CHECK_EQ(take(&q), 799);
    CHECK_EQ(take(&q), 99);
    wf_queue_deinit(&q);
}

/* SPEC 1.7-5 */
TEST(a_multiplier_counts_among_those_who_pay_nothing)
{
    struct wf_queue q;
    struct wf_queue_ticket a = ticket(1, 1, 0), b = ticket(2, 2, 0);

    a.multiplier = WF_MULTIPLIER_ONE + 1;
    init(&q, 2);
    CHECK_OK(put(&q, &a));
    CHECK_OK(put(&q, &b));
    CHECK_EQ(wf_queue_first(&q)->ticket.mark, 2);
    wf_queue_deinit(&q);
}

/* SPEC 1.7-5 */
TEST(a_full_queue_gives_up_the_lowest_and_refuses_what_is_lower)
{
    struct wf_queue q;

    init(&q, 3);
    CHECK_OK(put_paid(&q, 1, 10));
    CHECK_OK(put_paid(&q, 2, 20));
    CHECK_OK(put_paid(&q, 3, 30));
    CHECK_EQ(put_paid(&q, 4, 9), WEFT_ERR_REFUSED);
    CHECK_EQ(put_paid(&q, 5, 10), WEFT_ERR_REFUSED); /* the younger of two */
    CHECK_OK(put_paid(&q, 6, 11));
    CHECK_EQ(wf_queue_count(&q), 3);
    CHECK_EQ(take(&q), 30);
    CHECK_EQ(take(&q), 20);
    CHECK_EQ(take(&q), 11);
    wf_queue_deinit(&q);
}

/* SPEC 1.7-6 */
TEST(a_cookie_waits_at_most_four_times_and_a_mark_once)
{
    struct wf_queue q;

    init(&q, 10);
    for (uint64_t mark = 0; mark < 4; mark++) {
        const struct wf_queue_ticket t = ticket(1, mark, 5);
        CHECK_OK(put(&q, &t));
        CHECK_EQ(put(&q, &t), WEFT_ERR_EXISTS);
    }
    const struct wf_queue_ticket fifth = ticket(1, 4, 5000), other = ticket(2, 4, 1);
    CHECK_EQ(put(&q, &fifth), WEFT_ERR_LIMIT);
    CHECK_OK(put(&q, &other));
    wf_queue_drop_first(&q);
    CHECK_OK(put(&q, &fifth));
    wf_queue_deinit(&q);
}

TEST(cookies_that_share_a_bucket_are_told_apart)
{
    struct wf_queue q;

    init(&q, 1); /* one bucket */
    CHECK_OK(put_paid(&q, 1, 1));
    CHECK_OK(put_paid(&q, 2, 2));
    CHECK_OK(put_paid(&q, 3, 3));
    CHECK_EQ(take(&q), 3);
    wf_queue_deinit(&q);
}

/* SPEC 1.7-2 */
TEST(the_backlog_counts_what_pays_the_price)
{
    struct wf_queue q;
    struct wf_queue_ticket t = ticket(9, 9, 199);

    init(&q, 10);
    CHECK_OK(put_paid(&q, 1, 99));
    CHECK_OK(put_paid(&q, 2, 100));
    CHECK_OK(put_paid(&q, 3, 101));
    CHECK_OK(put_paid(&q, 4, UINT32_MAX));
    t.multiplier = 2 * WF_MULTIPLIER_ONE;
    CHECK_OK(put(&q, &t));
    CHECK_EQ(wf_queue_backlog(&q, 0), 5);
    CHECK_EQ(wf_queue_backlog(&q, 99), 5);
    CHECK_EQ(wf_queue_backlog(&q, 100), 3);
    CHECK_EQ(wf_queue_backlog(&q, 101), 2);
    CHECK_EQ(wf_queue_backlog(&q, UINT32_MAX), 1);
    wf_queue_deinit(&q);
}

TEST(what_is_stale_goes_and_the_rest_stays_in_order)
{
    struct wf_queue q;
    void *payload = NULL;

    init(&q, 100);
    for (uint8_t i = 0; i < 100; i++) {
        const struct wf_queue_ticket t = ticket(i, i, i * 37u % 100u);
        CHECK_OK(wf_queue_put(&q, i, &t, &payload));
    }
    CHECK_EQ(wf_queue_expire(&q, 0), 0);
    CHECK_EQ(wf_queue_expire(&q, 40), 40);
    CHECK_EQ(wf_queue_expire(&q, 40), 0);
    CHECK_EQ(wf_queue_count(&q), 60);
    uint32_t before = UINT32_MAX;
    for (size_t left = 60; left > 0; left--) {
        const struct wf_queue_entry *e = wf_queue_first(&q);

        CHECK(e->arrived >= 40);
        CHECK(e->ticket.paid < before);
        before = e->ticket.paid;
        wf_queue_drop_first(&q);
    }
    CHECK(wf_queue_first(&q) == NULL);
    wf_queue_deinit(&q);
}

TEST(it_says_whether_it_ran_empty)
{
    struct wf_queue q;

    init(&q, 3);
    CHECK(wf_queue_ran_empty(&q));
    CHECK(wf_queue_ran_empty(&q));
    CHECK_OK(put_paid(&q, 1, 1));
    CHECK(wf_queue_ran_empty(&q)); /* it was at first */
    CHECK(!wf_queue_ran_empty(&q));
    CHECK_OK(put_paid(&q, 2, 2));
    wf_queue_drop_first(&q);
    CHECK(!wf_queue_ran_empty(&q));
    wf_queue_drop_first(&q);
    CHECK_OK(put_paid(&q, 3, 3));
    CHECK(wf_queue_ran_empty(&q));
    CHECK(!wf_queue_ran_empty(&q));
    wf_queue_deinit(&q);
}

/* SPEC 1.7-7 */
TEST(nothing_is_allocated_after_the_start_and_the_size_is_known)
{
    struct wf_mem *mem = test_mem();
    const struct wf_queue_config c = {.max = 64, .payload_size = 100, .sip_key = sip_key};
    struct wf_queue q;

    CHECK_OK(wf_queue_init(&q, mem, &c));
    const uint64_t allocations = mem->allocations;
    CHECK_LE(mem->held, 64 * (sizeof(struct wf_queue_entry) + 112 + 12));
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK_OK(put_paid(&q, (uint8_t)i, i));
    }
    CHECK_EQ(mem->allocations, allocations);
    CHECK_EQ(wf_queue_count(&q), 64);
    wf_queue_deinit(&q);
}

TEST(every_allocation_that_fails_leaves_nothing_behind)
{
    for (uint64_t n = 1; n <= 5; n++) {
        struct wf_mem *mem = test_mem();
        const struct wf_queue_config c = {.max = 4, .payload_size = 8, .sip_key = sip_key};
        struct wf_queue q;

        mem->fail_at = mem->attempts + n;
        CHECK_EQ(wf_queue_init(&q, mem, &c), WEFT_ERR_NOMEM);
        mem->fail_at = 0;
        CHECK_EQ(mem->held, 0);
    }
}

/* --- the model: a list that is searched --- */

#define MODEL_MAX 40

struct model {
    struct wf_queue_ticket tickets[MODEL_MAX];
    weft_time arrived[MODEL_MAX];
    size_t count, max; /* oldest first */
};

static void model_remove(struct model *m, size_t at)
{
    for (size_t i = at; i + 1 < m->count; i++) {
        m->tickets[i] = m->tickets[i + 1];
        m->arrived[i] = m->arrived[i + 1];
    }
    m->count--;
}

/* (a.paid + 1) / a.multiplier > (b.paid + 1) / b.multiplier, exactly. */
static bool is_higher(const struct wf_queue_ticket *a, const struct wf_queue_ticket *b)
{
    return ((uint64_t)a->paid + 1) * b->multiplier > ((uint64_t)b->paid + 1) * a->multiplier;
}

static size_t model_best(const struct model *m)
{
    size_t best = 0;

    for (size_t i = 1; i < m->count; i++) {
        if (is_higher(&m->tickets[i], &m->tickets[best])) {
            best = i;
        }
    }
    return best;
}

static size_t model_worst(const struct model *m)
{
    size_t worst = 0;

    for (size_t i = 1; i < m->count; i++) {
        if (!is_higher(&m->tickets[i], &m->tickets[worst])) {
            worst = i;
        }
    }
    return worst;
}

static weft_err model_put(struct model *m, weft_time now, const struct wf_queue_ticket *t)
{
    size_t same = 0;

    for (size_t i = 0; i < m->count; i++) {
        if (memcmp(m->tickets[i].cookie, t->cookie, sizeof t->cookie) != 0)
            continue;
        if (m->tickets[i].mark == t->mark)
            return WEFT_ERR_EXISTS;
        same++;
    }
    if (same >= 4)
        return WEFT_ERR_LIMIT;
    if (m->count == m->max) {
        const size_t worst = model_worst(m);
        if (!is_higher(t, &m->tickets[worst]))
            return WEFT_ERR_REFUSED;
        model_remove(m, worst);
    }
    m->tickets[m->count] = *t;
    m->arrived[m->count++] = now;
    return WEFT_OK;
}

static size_t model_expire(struct model *m, weft_time before)
{
    const size_t count = m->count;

    for (size_t i = m->count; i-- > 0;) {
        if (m->arrived[i] < before) {
            model_remove(m, i);
        }
    }
    return count - m->count;
}

static void check_same(const struct wf_queue *q, const struct model *m)
{
    CHECK_EQ(wf_queue_count(q), m->count);
    const struct wf_queue_entry *e = wf_queue_first(q);
    CHECK_EQ(e != NULL, m->count > 0);
    if (e == NULL)
        return;
    const size_t best = model_best(m);
    CHECK_MEM_EQ(&e->ticket, &m->tickets[best], sizeof e->ticket);
    CHECK_EQ(e->arrived, m->arrived[best]);
    CHECK_MEM_EQ(e->payload, &e->ticket.mark, sizeof e->ticket.mark);
}

static void one_step(struct wf_queue *q, struct model *m, uint64_t *seed, weft_time now)
{
    static const uint32_t multipliers[] = {16, 16, 16, 17, 32, 128};
    const uint64_t what = test_next(seed) % 16;

    if (what < 10) {
        struct wf_queue_ticket t = ticket((uint8_t)(test_next(seed) % 12), test_next(seed) % 6,
                                          (uint32_t)(test_next(seed) % 30));
        t.multiplier = multipliers[test_next(seed) % WF_ARRAY_LEN(multipliers)];
        void *payload = NULL;
        const weft_err err = wf_queue_put(q, now, &t, &payload);
        CHECK_EQ(err, model_put(m, now, &t));
        if (err == WEFT_OK) {
            memcpy(payload, &t.mark, sizeof t.mark);
        }
    } else if (what < 15) {
        wf_queue_drop_first(q);
        if (m->count > 0) {
            model_remove(m, model_best(m));
        }
    } else {
        const weft_time before = now > 30 ? now - 30 : 0;
        CHECK_EQ(wf_queue_expire(q, before), model_expire(m, before));
    }
}

TEST(it_does_what_a_list_does_that_is_searched)
{
    for (uint64_t seed = test_seed(); seed < test_seed() + 60; seed++) {
        struct wf_queue q;
        struct model m = {.max = 1 + seed % MODEL_MAX};
        uint64_t state = seed;

        test_note("seed %llu", (unsigned long long)seed);
        init(&q, m.max);
        for (weft_time now = 0; now < 600; now++) {
            one_step(&q, &m, &state, now);
            check_same(&q, &m);
        }
        wf_queue_deinit(&q);
    }
}
