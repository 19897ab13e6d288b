/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_flood_test.c - floods of all that a stranger can send: what they cost, what is answered, and
 * that an honest client gets in meanwhile.
 *
 * WEFT_TEST_FLOOD=1000000 in the environment makes them as long as the attacks they stand for.
 */
#include "test.h"

#include "crypto/dh.h"
#include "endpoint/core_priv.h"
#include "tests/endpoint/crowd.h"
#include "tests/session/stamp.h"

static struct crowd crowd;

static uint32_t flood_count(uint32_t usual)
{
    const char *text = getenv("WEFT_TEST_FLOOD");

    return text == NULL ? usual : (uint32_t)strtoul(text, NULL, 10);
}

static void start(void)
{
    crowd_init(&crowd, test_mem(), test_mem());
    crowd.config.sessions_max = 256;
    crowd_boot(&crowd);
}

static void arrive(const struct wf_addr *from, const uint8_t *data, size_t len)
{
    uint64_t in = crowd.bytes_in;
    uint64_t out = crowd.bytes_out;

    crowd_arrive(&crowd, from, data, len);
    crowd_drain(&crowd);
    CHECK_LE(crowd.bytes_out - out, crowd.bytes_in - in); /* SPEC 1.2-1 */
}

/* Runs what waits, at so much time for each round of curves. */
static void work_off(weft_time round_us)
{
    while (wf_core_deadline(crowd.core) <= crowd.now) {
        crowd.now += round_us;
        crowd_tick(&crowd);
    }
}

/* --- strangers --- */

TEST(a_flood_of_hellos_from_everywhere_leaves_nothing_and_a_client_gets_in)
{
    uint8_t hello[WF_SOLVE_MAX];
    size_t len = 0;
    uint32_t count = flood_count(10000);
    struct wf_hs *hs = NULL;

    start();
    hs = crowd_client(&crowd);
    wf_hs_send(hs, crowd.now, hello, sizeof hello, &len);
    wf_hs_free(hs);
    uint64_t attempts = crowd.mem->attempts;
    uint64_t curves = wf_curve_operations();
    for (uint32_t n = 0; n < count; n++) {
        struct wf_addr from = crowd_addr(n);

        wf_store_u32(hello + 8, n);
        arrive(&from, hello, len);
    }
    CHECK_EQ(crowd.mem->attempts, attempts); /* SPEC 1.1-2 */
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(crowd_stats(&crowd).adm.challenge, count);
    CHECK_EQ(crowd_stats(&crowd).adm.table_entries, 0);
    CHECK_EQ(crowd_stats(&crowd).adm.price, 0);
    CHECK_EQ(crowd_stats(&crowd).sessions_total, 0);
    CHECK_EQ(crowd.datagrams_out, count);
    struct wf_addr honest = wf_addr_v4(192, 0, 2, 1, 9);
    crowd_half_open(&crowd, &honest, (weft_span){NULL, 0});
    CHECK_EQ(crowd.answer[0], WF_TYPE_CONFIRM);
    crowd_free(&crowd);
}

TEST(no_datagram_of_any_type_and_length_costs_memory_or_gets_more_bytes_than_it_has)
{
    uint8_t buf[1500];
    uint8_t hello[WF_SOLVE_MAX];
    struct wf_addr from = crowd_addr(1);
    struct wf_hs *hs = NULL;
    size_t len = 0;

    start();
    hs = crowd_client(&crowd);
    wf_hs_send(hs, crowd.now, hello, sizeof hello, &len);
    wf_hs_free(hs);
    uint64_t attempts = crowd.mem->attempts;
    uint64_t curves = wf_curve_operations();
    for (unsigned type = 0; type < 256; type++) {
        for (len = 0; len <= sizeof buf; len += type < 8 || type == 0x80 ? 1 : 113) {
            wf_random(&crowd.client_rng.rng, buf, sizeof buf);
            if (len % 2 == 0)
                memcpy(buf, hello, WF_HELLO_LEN);
            buf[0] = (uint8_t)type;
            arrive(&from, buf, len);
        }
    }
    CHECK_EQ(crowd.mem->attempts, attempts);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(crowd_stats(&crowd).sessions_total, 0);
    crowd_free(&crowd);
}

/* --- a solved cookie, again and again --- */

static void flip_a_box(uint8_t solve[WF_SOLVE_MAX], const uint8_t original[WF_SOLVE_MAX])
{
    uint64_t bit = wf_random_u64(&crowd.client_rng.rng) % (8 * (WF_SOLVE_MAX - 200));

    memcpy(solve, original, WF_SOLVE_MAX);
    solve[200 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    stamp_solve(solve, WF_SOLVE_MAX);
}

TEST(a_solved_cookie_repeated_and_varied_makes_one_session_and_four_sets_of_curves)
{
    uint8_t solve[WF_SOLVE_MAX];
    uint8_t varied[WF_SOLVE_MAX];
    struct wf_addr from = crowd_addr(7);
    uint32_t count = flood_count(5000);

    start();
    struct wf_hs *hs = crowd_client(&crowd);
    crowd_meet(&crowd, hs, &from);
    crowd_solve(&crowd, hs, (weft_span){NULL, 0}, solve);
    wf_hs_free(hs);
    crowd_run(&crowd, CROWD_SECOND); /* its keys are made ahead by now */
    uint64_t curves = wf_curve_operations();
    for (int i = 0; i < 2; i++) {
        flip_a_box(varied, solve);
        arrive(&from, varied, sizeof varied);
    }
    arrive(&from, solve, sizeof solve);
    CHECK_EQ(crowd.answer[0], WF_TYPE_CONFIRM);
    uint64_t attempts = crowd.mem->attempts;
    uint64_t spent = wf_curve_operations() - curves;
    CHECK_LE(spent, 4u * 9u);
    for (uint32_t n = 0; n < count; n++) {
        crowd.now += 130 * CROWD_SECOND / count; /* until its epoch is dead */
        flip_a_box(varied, solve);
        arrive(&from, n % 2 == 0 ? solve : varied, sizeof solve);
    }
    CHECK_EQ(wf_curve_operations(), curves + spent);
    CHECK_EQ(crowd.mem->attempts, attempts);
    CHECK_EQ(crowd_stats(&crowd).adm.accepted, 1); /* SPEC 1.3-5 */
    CHECK_EQ(crowd_stats(&crowd).sessions_total, 1);
    CHECK_EQ(crowd_stats(&crowd).adm.table_entries, 0);
    crowd_free(&crowd);
}

/* --- more than there is time for --- */

static bool has_session(const struct wf_addr *with)
{
    struct wf_core_peer_stats peer;

    for (size_t i = 0; wf_core_peer_stats(crowd.core, i, &peer); i++) {
        if (peer.started && wf_addr_equal(&peer.address, with))
            return true;
    }
    return false;
}

#define CROWDS 300u

static uint8_t solves[CROWDS][WF_SOLVE_MAX];
static struct wf_datagram batch[CROWDS];

/* So many clients from all over, all at once. */
static void come_all(void)
{
    for (uint32_t n = 0; n < CROWDS; n++) {
        struct wf_addr from = crowd_addr(1000 + n);
        struct wf_hs *hs = crowd_client(&crowd);

        crowd_meet(&crowd, hs, &from);
        crowd_solve(&crowd, hs, (weft_span){NULL, 0}, solves[n]);
        batch[n] = (struct wf_datagram){.from = from, .data = solves[n], .len = WF_SOLVE_MAX};
        wf_hs_free(hs);
    }
    crowd.now += CROWD_SECOND;
    wf_core_recv(crowd.core, crowd.now, batch, CROWDS);
    crowd_drain(&crowd);
}

TEST(a_flood_of_solves_raises_the_price_and_who_pays_it_is_served_before_all_others)
{
    struct wf_addr honest = wf_addr_v4(192, 0, 2, 1, 9);
    uint8_t solve[WF_SOLVE_MAX];

    start();
    struct wf_hs *late = crowd_client(&crowd);
    crowd_meet(&crowd, late, &honest); /* a cookie from before, that asks for nothing */
    come_all();
    CHECK_EQ(crowd_stats(&crowd).adm.queued, 256 - CORE_SOLVES_AT_ONCE);
    for (int i = 0; i < 2; i++) { /* the first tick still sees the quiet time before */
        crowd.now += 250000;
        wf_core_tick(crowd.core, crowd.now);
        crowd_drain(&crowd);
    }
    CHECK_EQ(crowd_stats(&crowd).adm.price, 1024);
    crowd_solve(&crowd, late, (weft_span){NULL, 0}, solve);
    arrive(&honest, solve, sizeof solve);
    CHECK_EQ(crowd_stats(&crowd).adm.solve_underpaid, 1);
    wf_hs_free(late);

    struct wf_hs *hs = crowd_client(&crowd);
    crowd_meet(&crowd, hs, &honest);
    uint64_t waiting = crowd_stats(&crowd).adm.queued;
    crowd_solve(&crowd, hs, (weft_span){NULL, 0}, solve);
    CHECK_LE(1024, wf_load_u32(solve + WF_SOLVE_BID_OFFSET));
    arrive(&honest, solve, sizeof solve);
    CHECK_EQ(crowd_stats(&crowd).adm.queued, waiting + 1 - CORE_SOLVES_AT_ONCE);
    CHECK(has_session(&honest));
    wf_hs_free(hs);

    work_off(1500);
    CHECK_EQ(crowd_stats(&crowd).adm.queued, 0);
    crowd_run(&crowd, 60 * CROWD_SECOND);
    CHECK_EQ(crowd_stats(&crowd).adm.price, 0);
    CHECK_EQ(crowd_stats(&crowd).sessions, 0);
    crowd_free(&crowd);
}
