/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_test.c - attackers against price and queue in a small case: what docs/load/ says of big
 * ones.
 */
#include "sim/load.h"

#include "test.h"

/* Six seconds of work for each second of the server's. */
static struct load_config small(enum load_attack attack)
{
    struct load_config c;

    load_defaults(&c);
    c.seed = test_seed();
    c.attack = attack;
    c.capacity = 800;
    c.honest = 100;
    c.cores = 100;
    c.from = 5;
    c.until = 65;
    c.end = 126;
    return c;
}

static struct load_result run(const struct load_config *c)
{
    struct load_result r;

    load_run(c, &r);
    return r;
}

/* SPEC 1.7-2, SPEC 1.7-3 */
TEST(the_price_is_within_half_of_what_clears_the_market_and_ends_with_the_attack)
{
    static const enum load_attack attacks[] = {LOAD_PAY, LOAD_OVERBID, LOAD_SNEAK, LOAD_BURST};

    for (size_t i = 0; i < WF_ARRAY_LEN(attacks); i++) {
        const struct load_config c = small(attacks[i]);
        struct load_result r = run(&c);

        test_note("attack %s", load_attack_name(c.attack));
        CHECK(r.price_mean <= 1.5 * r.clearing);
        CHECK(r.price_p95 <= 1.5 * r.clearing);
        CHECK(r.price_mean >= r.clearing / 3); /* and there is one */
        CHECK(r.zero_after > 0);
        CHECK(r.zero_after <= 60);
        CHECK(r.honest[LOAD_ALL].served >= 0.999);
        CHECK(r.honest[LOAD_ALL].p95 < 2);
        load_result_free(&r);
    }
}

/* SPEC 1.7-4, SPEC 1.7-13 */
TEST(who_hoards_is_not_served_better_than_who_pays)
{
    struct load_config c = small(LOAD_PAY);

    c.until = 160;
    c.end = 221;
    struct load_result paid = run(&c);
    c.attack = LOAD_HOARD;
    struct load_result hoarded = run(&c);
    CHECK(hoarded.attackers_served > 0);
    CHECK(hoarded.attackers_cost >= 2 * paid.attackers_cost);
    CHECK(hoarded.honest[LOAD_ALL].p95 <= paid.honest[LOAD_ALL].p95);
    load_result_free(&hoarded);
    c.attack = LOAD_HOARD_LOW; /* at what was asked while nobody attacked: nothing */
    hoarded = run(&c);
    CHECK(hoarded.price_max <= paid.price_max / 4);
    CHECK(hoarded.honest[LOAD_ALL].served >= 0.999);
    load_result_free(&hoarded);
    load_result_free(&paid);
}

/* SPEC 1.7-9 */
TEST(who_attacks_from_one_prefix_makes_it_cheaper_for_the_others)
{
    struct load_config c = small(LOAD_PAY);
    struct load_result many = run(&c);

    c.attack = LOAD_PREFIX;
    struct load_result one = run(&c);
    CHECK(one.price_mean <= many.price_mean / 4);
    CHECK(one.honest[LOAD_ALL].p95 <= many.honest[LOAD_ALL].p95);
    load_result_free(&one);
    load_result_free(&many);
}

TEST(a_seed_decides_everything)
{
    const struct load_config c = small(LOAD_SNEAK);
    struct load_result a = run(&c), b = run(&c);

    CHECK_EQ(a.tick_count, b.tick_count);
    for (size_t i = 0; i < a.tick_count; i++) {
        CHECK(a.ticks[i].price == b.ticks[i].price);
        CHECK_EQ(a.ticks[i].queue, b.ticks[i].queue);
    }
    CHECK(a.honest[LOAD_ALL].p95 == b.honest[LOAD_ALL].p95);
    load_result_free(&a);
    load_result_free(&b);
}
