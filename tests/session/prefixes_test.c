/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefixes_test.c - who owes more: shares, decay, the limits of each length of prefix, and what an
 * abuser does to forget himself or to blame others.
 */
#include "session/prefixes.h"

#include "test.h"

#define SECOND ((weft_time)1000000)
#define ONE WF_MULTIPLIER_ONE

static const uint8_t sip_key[16] = {3, 1, 4, 1, 5};

static void init(struct wf_prefixes *p, size_t sets)
{
    CHECK_OK(wf_prefixes_init(p, test_mem(), sets, sip_key));
}

/* Distinct in each of the first 16 bits. */
static struct wf_addr somebody(uint32_t i)
{
    return wf_addr_v4((uint8_t)(i >> 8), (uint8_t)i, 1, 1, 1000);
}

static struct wf_addr v6(uint16_t low32, uint8_t byte4, uint8_t byte6, uint8_t byte7, uint64_t host)
{
    uint8_t ip[16] = {0x20, 0x01, (uint8_t)(low32 >> 8), (uint8_t)low32, byte4, 0, byte6, byte7};

    for (size_t i = 0; i < 8; i++) {
        ip[15 - i] = (uint8_t)(host >> 8 * i);
    }
    return wf_addr_v6(ip, 1000, 0);
}

static void charge_many(struct wf_prefixes *p, weft_time now, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct wf_addr a = somebody(i);
        wf_prefixes_charge(p, now, &a, 100);
    }
}

static uint32_t multiplier(struct wf_prefixes *p, weft_time now, struct wf_addr a)
{
    return wf_prefixes_multiplier(p, now, &a);
}

static void charge(struct wf_prefixes *p, weft_time now, struct wf_addr a, uint32_t cost_us)
{
    wf_prefixes_charge(p, now, &a, cost_us);
}

/* SPEC 1.7-9 */
TEST(who_is_not_known_owes_the_price_once)
{
    const struct wf_addr none = {.family = WF_ADDR_NONE};
    struct wf_prefixes p;

    init(&p, 64);
    CHECK_EQ(multiplier(&p, 0, somebody(1)), ONE);
    charge(&p, 0, none, 1000);
    CHECK_EQ(multiplier(&p, 0, none), ONE);
    charge_many(&p, 0, 100);
    CHECK_EQ(multiplier(&p, 0, somebody(101)), ONE);
    CHECK_EQ(multiplier(&p, 0, none), ONE);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-9 */
TEST(a_busy_prefix_owes_nothing_more_while_nobody_else_is_there)
{
    struct wf_prefixes p;

    init(&p, 64);
    for (uint32_t i = 0; i < 10000; i++) {
        charge(&p, i * 1000, wf_addr_v4(9, 9, 9, 9, (uint16_t)i), 100);
    }
    CHECK_EQ(multiplier(&p, 10 * SECOND, wf_addr_v4(9, 9, 9, 9, 1)), ONE);
    charge(&p, 10 * SECOND, somebody(1), 100);
    CHECK_EQ(multiplier(&p, 10 * SECOND, wf_addr_v4(9, 9, 9, 9, 1)), ONE);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-9 */
TEST(who_takes_most_among_many_owes_eight_times_the_price)
{
    struct wf_prefixes p;

    init(&p, 1024);
    charge_many(&p, 0, 100);
    charge(&p, 0, wf_addr_v4(9, 9, 9, 9, 1), 100 * 100);
    CHECK_EQ(multiplier(&p, 0, wf_addr_v4(9, 9, 9, 9, 7)), 8 * ONE);
    CHECK_EQ(multiplier(&p, 0, wf_addr_v4(9, 9, 9, 1, 7)), 8 * ONE); /* his /24 */
    CHECK_EQ(multiplier(&p, 0, wf_addr_v4(9, 9, 1, 1, 7)), 2 * ONE); /* his /16 */
    CHECK_EQ(multiplier(&p, 0, wf_addr_v4(9, 1, 1, 1, 7)), ONE);
    CHECK_EQ(multiplier(&p, 0, somebody(1)), ONE);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-9 */
TEST(an_ipv6_abuser_takes_his_shorter_prefixes_with_him)
{
    struct wf_prefixes p;

    init(&p, 1024);
    charge_many(&p, 0, 100);
    charge(&p, 0, v6(7, 1, 1, 1, 5), 100 * 100);
    CHECK_EQ(multiplier(&p, 0, v6(7, 1, 1, 1, 6)), 8 * ONE); /* /64 */
    CHECK_EQ(multiplier(&p, 0, v6(7, 1, 1, 2, 5)), 8 * ONE); /* /56 */
    CHECK_EQ(multiplier(&p, 0, v6(7, 1, 2, 1, 5)), 8 * ONE); /* /48 */
    CHECK_EQ(multiplier(&p, 0, v6(7, 2, 1, 1, 5)), 2 * ONE); /* /32 */
    CHECK_EQ(multiplier(&p, 0, v6(8, 1, 1, 1, 5)), ONE);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-9 */
TEST(what_is_owed_grows_with_the_share)
{
    struct wf_prefixes p;
    uint32_t before = ONE;

    init(&p, 1024);
    charge_many(&p, 0, 200);
    for (uint32_t i = 0; i < 200; i++) {
        charge(&p, 0, wf_addr_v4(9, 9, 9, 9, 1), 100);
        const uint32_t now = multiplier(&p, 0, wf_addr_v4(9, 9, 9, 9, 1));
        CHECK_LE(before, now);
        CHECK_LE(now, 8 * ONE);
        before = now;
    }
    CHECK_EQ(before, 8 * ONE);
    wf_prefixes_deinit(&p);
}

/* A thirty-second of all CPU time is nobody's abuse, however many use little. SPEC 1.7-9 */
TEST(a_sea_of_small_prefixes_makes_no_big_one_owe)
{
    struct wf_prefixes p;

    init(&p, 4096);
    charge_many(&p, 0, 20000);
    charge(&p, 0, wf_addr_v4(250, 9, 9, 9, 1), 20000 * 100 / 33);
    CHECK_EQ(multiplier(&p, 0, wf_addr_v4(250, 9, 9, 9, 1)), ONE);
    charge(&p, 0, wf_addr_v4(250, 9, 9, 9, 1), 20000 * 100 / 33);
    CHECK(multiplier(&p, 0, wf_addr_v4(250, 9, 9, 9, 1)) > ONE);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-9 */
TEST(all_addresses_of_a_64_share_one_account)
{
    struct wf_prefixes p;

    init(&p, 1024);
    charge_many(&p, 0, 100);
    for (uint64_t host = 0; host < 65536; host++) {
        charge(&p, 0, v6(7, 1, 1, 1, host << 32 | host), 1);
    }
    CHECK_EQ(p.levels[0].live, 101);
    CHECK_EQ(multiplier(&p, 0, v6(7, 1, 1, 1, 1u << 31)), 8 * ONE);
    wf_prefixes_deinit(&p);
}

TEST(half_is_forgotten_in_ten_seconds)
{
    struct wf_prefixes p;

    init(&p, 64);
    charge(&p, 0, somebody(1), 1000000);
    const uint64_t total = p.total;
    charge(&p, 10 * SECOND, somebody(2), 0);
    CHECK_EQ(p.total, total / 2);
    charge(&p, 30 * SECOND, somebody(2), 0);
    CHECK_EQ(p.total, total / 8);
    charge(&p, 1000 * SECOND, somebody(2), 0);
    CHECK_EQ(p.total, 0);
    CHECK_EQ(multiplier(&p, 1000 * SECOND, somebody(1)), ONE);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-9 */
TEST(who_stops_owes_the_price_once_again)
{
    struct wf_prefixes p;

    init(&p, 1024);
    charge(&p, 0, wf_addr_v4(9, 9, 9, 9, 1), 100000);
    charge_many(&p, 0, 100);
    CHECK_EQ(multiplier(&p, 0, wf_addr_v4(9, 9, 9, 9, 1)), 8 * ONE);
    for (weft_time now = 0; now < 60 * SECOND; now += SECOND) {
        charge_many(&p, now, 100);
    }
    CHECK_EQ(multiplier(&p, 60 * SECOND, wf_addr_v4(9, 9, 9, 9, 1)), ONE);
    wf_prefixes_deinit(&p);
}

TEST(prefixes_count_until_forty_seconds_after_their_last_charge)
{
    struct wf_prefixes p;

    init(&p, 1024);
    charge_many(&p, 0, 100);
    CHECK_EQ(p.levels[0].live, 100);
    charge_many(&p, 39 * SECOND, 10);
    CHECK_EQ(p.levels[0].live, 100);
    charge_many(&p, 40 * SECOND, 10);
    CHECK_EQ(p.levels[0].live, 10);
    charge_many(&p, 4000 * SECOND, 1);
    CHECK_EQ(p.levels[0].live, 1);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-9 */
TEST(an_abuser_cannot_push_his_own_score_out)
{
    struct wf_prefixes p;

    init(&p, 8); /* 64 prefixes at each length */
    charge_many(&p, 0, 64);
    charge(&p, 0, wf_addr_v4(200, 9, 9, 9, 1), 100000);
    for (uint32_t i = 0; i < 100000; i++) {
        charge(&p, 0, somebody(i % 50000), 1);
    }
    CHECK_EQ(multiplier(&p, 0, wf_addr_v4(200, 9, 9, 9, 1)), 8 * ONE);
    CHECK_LE(p.levels[0].live, 64);
    wf_prefixes_deinit(&p);
}

/* SPEC 1.7-7 */
TEST(tables_have_one_size_whatever_is_charged)
{
    struct wf_mem *mem = test_mem();
    struct wf_prefixes p;

    CHECK_OK(wf_prefixes_init(&p, mem, 16, sip_key));
    const uint64_t allocations = mem->allocations;
    CHECK_EQ(mem->held, 4 * 16 * 8 * sizeof(struct wf_prefixes_entry));
    for (uint32_t i = 0; i < 10000; i++) {
        charge(&p, i * 1000, somebody(i), UINT32_MAX);
        charge(&p, i * 1000, v6((uint16_t)i, 1, 1, 1, i), UINT32_MAX);
    }
    CHECK_EQ(mem->allocations, allocations);
    for (size_t level = 0; level < WF_PREFIXES_LEVELS; level++) {
        CHECK_LE(p.levels[level].live, 16 * 8);
    }
    wf_prefixes_deinit(&p);
}

TEST(every_allocation_that_fails_leaves_nothing_behind)
{
    for (uint64_t n = 1; n <= WF_PREFIXES_LEVELS; n++) {
        struct wf_mem *mem = test_mem();
        struct wf_prefixes p;

        mem->fail_at = mem->attempts + n;
        CHECK_EQ(wf_prefixes_init(&p, mem, 4, sip_key), WEFT_ERR_NOMEM);
        mem->fail_at = 0;
        CHECK_EQ(mem->held, 0);
    }
}

TEST(a_clock_that_stands_or_a_time_before_changes_nothing)
{
    struct wf_prefixes p;

    init(&p, 64);
    charge(&p, 100 * SECOND, somebody(1), 500);
    charge(&p, 1, somebody(2), 500);
    CHECK_EQ(p.levels[0].live, 2);
    CHECK_EQ(multiplier(&p, 0, somebody(1)), ONE);
    wf_prefixes_deinit(&p);
}
