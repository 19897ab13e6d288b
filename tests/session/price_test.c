/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price_test.c - the price: how far a tick may move it, what may move it at all, and its end.
 */
#include "session/price.h"

#include "test.h"

#define TICK WF_PRICE_TICK_US
#define ONE WF_MULTIPLIER_ONE
#define FLOOR 1000u
#define CEILING 1000000u
#define QUEUE_MAX 8192u

struct rig {
    struct wf_price price;
    struct wf_queue queue;
    weft_time now;
    uint64_t serial;
};

static void init(struct rig *r)
{
    static const uint8_t sip_key[16] = {1};
    static const struct wf_price_config pc = {FLOOR, CEILING};
    const struct wf_queue_config qc = {QUEUE_MAX, 8, sip_key};

    memset(r, 0, sizeof *r);
    wf_price_init(&r->price, &pc, 0);
    CHECK_OK(wf_queue_init(&r->queue, test_mem(), &qc));
}

static void deinit(struct rig *r)
{
    wf_queue_deinit(&r->queue);
}

static void put(struct rig *r, uint32_t paid, size_t count)
{
    void *payload = NULL;

    for (size_t i = 0; i < count; i++) {
        struct wf_queue_ticket t = {.paid = paid, .multiplier = ONE};
        r->serial++;
        memcpy(t.cookie, &r->serial, sizeof r->serial);
        const weft_err err = wf_queue_put(&r->queue, r->now, &t, &payload);
        CHECK(err == WEFT_OK || err == WEFT_ERR_REFUSED);
    }
}

static void serve(struct rig *r, size_t count)
{
    for (size_t i = 0; i < count && wf_queue_count(&r->queue) > 0; i++) {
        const struct wf_queue_entry *e = wf_queue_first(&r->queue);
        wf_price_served(&r->price, e->ticket.paid, e->ticket.multiplier);
        wf_queue_drop_first(&r->queue);
    }
}

static uint32_t tick(struct rig *r)
{
    r->now += TICK;
    wf_price_tick(&r->price, r->now, &r->queue);
    return wf_price_asked(&r->price, ONE);
}

/* Until the price is no more than twice what is paid, everything is overload. */
static void drive_to(struct rig *r, uint32_t at_least)
{
    for (size_t i = 0; wf_price_asked(&r->price, ONE) < at_least; i++) {
        CHECK(i < 100);
        put(r, UINT32_MAX, 2000);
        tick(r);
    }
}

/* SPEC 1.7-1 */
TEST(there_is_no_price_while_the_server_keeps_up)
{
    struct rig r;

    init(&r);
    CHECK_EQ(wf_price_deadline(&r.price, &r.queue), WEFT_TIME_NEVER);
    for (size_t i = 0; i < 100; i++) {
        put(&r, 0, 200);
        CHECK_EQ(wf_price_deadline(&r.price, &r.queue), r.now + TICK);
        serve(&r, 200);
        CHECK_EQ(tick(&r), 0);
    }
    deinit(&r);
}

/* SPEC 1.7-1 */
TEST(the_first_price_is_the_floor_and_no_tick_more_than_doubles_it)
{
    struct rig r;
    uint32_t before = FLOOR;

    init(&r);
    put(&r, CEILING, 6000);
    CHECK_EQ(tick(&r), FLOOR);
    while (before < CEILING) {
        const uint32_t now = tick(&r);
        CHECK(now > before);
        CHECK_LE(now, 2 * before);
        before = now;
    }
    CHECK_EQ(before, CEILING);
    CHECK_EQ(tick(&r), CEILING);
    deinit(&r);
}

/* SPEC 1.7-1 */
TEST(the_price_moves_once_a_tick)
{
    struct rig r;

    init(&r);
    drive_to(&r, FLOOR * 4);
    const uint32_t price = wf_price_asked(&r.price, ONE);
    wf_price_tick(&r.price, r.now, &r.queue);
    wf_price_tick(&r.price, r.now + TICK - 1, &r.queue);
    wf_price_tick(&r.price, 0, &r.queue);
    CHECK_EQ(wf_price_asked(&r.price, ONE), price);
    wf_price_tick(&r.price, r.now + TICK, &r.queue);
    CHECK(wf_price_asked(&r.price, ONE) > price);
    deinit(&r);
}

/* SPEC 1.7-2 */
TEST(what_pays_less_than_the_price_does_not_raise_it)
{
    struct rig r;

    init(&r);
    drive_to(&r, FLOOR * 16);
    while (wf_queue_count(&r.queue) > 0) {
        wf_queue_drop_first(&r.queue);
    }
    uint32_t before = wf_price_asked(&r.price, ONE);
    for (size_t i = 0; i < 20; i++) {
        put(&r, before - 1, 8000);
        const uint32_t now = tick(&r);
        CHECK(now < before);
        while (wf_queue_count(&r.queue) > 0) {
            wf_queue_drop_first(&r.queue);
        }
        before = now;
    }
    deinit(&r);
}

/* SPEC 1.7-2 */
TEST(few_who_pay_very_much_do_not_raise_it)
{
    struct rig r;

    init(&r);
    put(&r, UINT32_MAX, 300);
    CHECK_EQ(tick(&r), 0);
    deinit(&r);
}

/* SPEC 1.7-2 */
TEST(it_rises_to_what_every_turn_of_a_tick_was_worth)
{
    struct rig r;

    init(&r);
    drive_to(&r, FLOOR * 4);
    r.price.capacity = 1000;
    wf_queue_drop_first(&r.queue);
    while (wf_queue_count(&r.queue) > 0) {
        wf_queue_drop_first(&r.queue);
    }
    tick(&r);
    const uint32_t price = wf_price_asked(&r.price, ONE);
    put(&r, price * 2, 1000);
    (void)wf_queue_ran_empty(&r.queue);
    serve(&r, 900); /* nobody came that pays less: 100 wait, which is little */
    const uint32_t now = tick(&r);
    CHECK_EQ(now, price * 2);
    put(&r, now * 2, 1000);
    serve(&r, 1099);
    put(&r, now, 100);
    serve(&r, 2); /* one turn went for less */
    CHECK_LE(tick(&r), now);
    put(&r, CEILING, 1000);
    serve(&r, 5000); /* it ran empty: whoever came had a turn */
    CHECK_LE(tick(&r), now);
    deinit(&r);
}

/* SPEC 1.7-3 */
TEST(it_falls_by_three_percent_while_there_is_a_queue)
{
    struct rig r;

    init(&r);
    drive_to(&r, FLOOR * 100);
    while (wf_queue_count(&r.queue) > 0) {
        wf_queue_drop_first(&r.queue);
    }
    put(&r, FLOOR, 4000); /* nobody pays the price, but there is work for more than a tick */
    const uint32_t before = wf_price_asked(&r.price, ONE);
    const uint32_t now = tick(&r);
    CHECK_LE(before - now, before * 31 / 1000);
    CHECK_LE(before * 29 / 1000, before - now);
    deinit(&r);
}

/* SPEC 1.7-3 */
TEST(it_is_zero_within_sixty_seconds_from_any_height)
{
    struct rig r;
    static const struct wf_price_config wide = {1, UINT32_MAX};
    size_t ticks = 0;

    init(&r);
    wf_price_init(&r.price, &wide, 0);
    drive_to(&r, UINT32_MAX);
    while (wf_queue_count(&r.queue) > 0) {
        wf_queue_drop_first(&r.queue);
    }
    for (; wf_price_asked(&r.price, ONE) > 0; ticks++) {
        const uint32_t before = wf_price_asked(&r.price, ONE);
        const uint32_t now = tick(&r);
        CHECK(now < before);
        CHECK_LE(before - now, (uint64_t)before * 26 / 100 + 1);
    }
    CHECK_LE(ticks, 240);
    CHECK_EQ(wf_price_deadline(&r.price, &r.queue), WEFT_TIME_NEVER);
    deinit(&r);
}

/* SPEC 1.7-3 */
TEST(ticks_that_were_missed_are_made_up_for)
{
    struct rig r;

    init(&r);
    drive_to(&r, FLOOR * 100);
    while (wf_queue_count(&r.queue) > 0) {
        wf_queue_drop_first(&r.queue);
    }
    wf_price_tick(&r.price, r.now + 60000000, &r.queue);
    CHECK_EQ(wf_price_asked(&r.price, ONE), 0);
    deinit(&r);
}

/* SPEC 1.7-4 */
TEST(what_pays_less_than_half_is_not_taken)
{
    struct rig r;

    init(&r);
    CHECK(wf_price_takes(&r.price, 0, ONE));
    CHECK(wf_price_takes(&r.price, 0, WF_MULTIPLIER_MAX));
    drive_to(&r, FLOOR * 4);
    const uint32_t price = wf_price_asked(&r.price, ONE);
    CHECK(!wf_price_takes(&r.price, 0, ONE));
    CHECK(!wf_price_takes(&r.price, price / 2 - 1, ONE));
    CHECK(wf_price_takes(&r.price, price / 2, ONE));
    CHECK(!wf_price_takes(&r.price, price, 4 * ONE));
    CHECK(wf_price_takes(&r.price, price * 2, 4 * ONE));
    deinit(&r);
}

/* SPEC 1.7-1, SPEC 1.7-9 */
TEST(a_multiplier_raises_what_is_asked_up_to_the_ceiling)
{
    struct rig r;

    init(&r);
    CHECK_EQ(wf_price_asked(&r.price, WF_MULTIPLIER_MAX), 0);
    drive_to(&r, FLOOR);
    const uint32_t price = wf_price_asked(&r.price, ONE);
    CHECK_EQ(wf_price_asked(&r.price, 8 * ONE), 8 * price);
    CHECK_EQ(wf_price_asked(&r.price, ONE + 1), price + (price + 15) / 16);
    drive_to(&r, CEILING);
    CHECK_EQ(wf_price_asked(&r.price, 8 * ONE), CEILING);
    CHECK(wf_price_takes(&r.price, CEILING / 2, 8 * ONE));
    deinit(&r);
}

/* SPEC 1.7-1 */
TEST(capacity_is_what_was_served_while_requests_waited)
{
    struct rig r;

    init(&r);
    for (size_t i = 0; i < 30; i++) {
        put(&r, CEILING, QUEUE_MAX);
        serve(&r, 600);
        tick(&r);
    }
    CHECK_EQ(r.price.capacity, 600);
    for (size_t i = 0; i < 40; i++) { /* slower, since something else wants the CPU */
        put(&r, CEILING, QUEUE_MAX);
        serve(&r, 100);
        tick(&r);
    }
    CHECK_LE(r.price.capacity, 104);
    while (wf_queue_count(&r.queue) > 0) {
        wf_queue_drop_first(&r.queue);
    }
    for (size_t i = 0; i < 40; i++) { /* idle ticks say nothing */
        put(&r, CEILING, 3);
        serve(&r, 3);
        tick(&r);
    }
    CHECK_LE(96, r.price.capacity);
    deinit(&r);
}

/* SPEC 1.7-1 */
TEST(a_small_queue_can_still_drive_the_price)
{
    static const uint8_t sip_key[16] = {1};
    const struct wf_queue_config qc = {8, 8, sip_key};
    struct rig r;

    init(&r);
    wf_queue_deinit(&r.queue);
    CHECK_OK(wf_queue_init(&r.queue, test_mem(), &qc));
    put(&r, CEILING, 100);
    CHECK_EQ(tick(&r), FLOOR);
    CHECK(tick(&r) > FLOOR);
    deinit(&r);
}
