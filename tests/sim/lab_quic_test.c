/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_quic_test.c - the scenarios of the QUIC interop runner, with the figures that must come out.
 */
#include "sim/lab.h"
#include "test.h"

#define CONNECTIONS 50u

static struct lab_scenario named(const char *name)
{
    const struct lab_scenario *s = lab_scenario_find(name);

    CHECK(s != NULL);
    return *s;
}

/* Everything arrived, no invariant broke, and no address that had proved nothing got more than it
 * had sent. */
static void run_whole(const struct lab_scenario *s, struct lab_figures *r)
{
    lab_run(s, r);
    for (size_t i = 0; i < r->flow_count; i++) {
        CHECK(r->flows[i].broken == NULL);
        CHECK(r->flows[i].done || s->flows[i].bytes == 0);
        CHECK_LE(r->flows[i].unproved_worst_ppm, SIM_PPM);
    }
}

/* How long the first flow took, in ms. */
static uint64_t time_of(const char *name)
{
    const struct lab_scenario s = named(name);
    struct lab_figures r;
    uint64_t ms = 0;

    run_whole(&s, &r);
    ms = r.flows[0].ended_us / 1000;
    lab_figures_free(&r);
    return ms;
}

static void connect_fifty(struct lab_scenario *s)
{
    struct lab_figures r;

    for (unsigned i = 0; i < CONNECTIONS; i++) {
        s->seed = test_seed() + i;
        test_note("seed %u", (unsigned)s->seed);
        run_whole(s, &r);
        lab_figures_free(&r);
    }
}

TEST(fifty_connections_of_fifty_are_made_while_a_third_of_all_packets_is_lost)
{
    struct lab_scenario s = named("quic-handshake-loss");

    connect_fifty(&s);
}

/* With UDP's checksum, which finds almost all of it, and without: HELLO, CHALLENGE and SOLVE are
 * checked (SPEC 1.2-9, 1.3-12), all else is sealed. */
TEST(fifty_connections_of_fifty_are_made_while_a_third_of_all_packets_is_damaged)
{
    struct lab_scenario s = named("quic-handshake-corruption");

    connect_fifty(&s);
    s.no_checksums = !s.no_checksums;
    connect_fifty(&s);
}

TEST(a_transfer_ends_while_packets_are_lost_or_damaged)
{
    CHECK_LE(time_of("quic-transfer-loss"), 40000);
    CHECK_LE(time_of("quic-transfer-corruption"), 40000);
}

/* 1 MB: two round trips of handshake, then windows of 10, 20, 40, ... datagrams. */
TEST(a_round_trip_of_one_and_a_half_seconds_is_no_obstacle)
{
    const struct lab_scenario s = named("quic-long-rtt");
    struct lab_figures r;

    run_whole(&s, &r);
    CHECK_LE(r.flows[0].handshake_us, LAB_MS(3100));
    CHECK_LE(r.flows[0].ended_us, LAB_S(14));
    CHECK_LE(r.flows[0].frames_resent, 20); /* and nothing is taken for lost too soon */
    lab_figures_free(&r);
}

TEST(after_a_black_hole_of_two_seconds_the_transfer_goes_on_at_once)
{
    CHECK_LE(time_of("quic-blackhole"), time_of("quic-goodput") + 2500);
}

TEST(a_nat_that_rebinds_costs_at_most_a_fifth_of_the_goodput)
{
    const uint64_t undisturbed = time_of("quic-goodput");

    CHECK_LE(time_of("quic-rebind-port") * 4, undisturbed * 5);
    CHECK_LE(time_of("quic-rebind-address") * 4, undisturbed * 5);
}

/* run_whole asks for at most 1.0 times what came from there; QUIC allows three times. */
TEST(a_client_whose_datagrams_two_to_seven_are_lost_still_gets_its_file)
{
    CHECK_LE(time_of("quic-amplification"), 8000);
}

TEST(nine_tenths_of_a_line_are_goodput)
{
    const struct lab_scenario s = named("quic-goodput");
    struct lab_figures r;

    run_whole(&s, &r);
    CHECK_LE(9000000, lab_goodput(&r, 0, 0, r.ended_us));
    lab_figures_free(&r);
}

TEST(beside_a_kernels_tcp_a_transfer_gets_its_share_and_no_more)
{
    struct lab_scenario s = named("quic-cross-traffic");
    struct lab_figures r;

    for (unsigned i = 0; i < 3; i++) {
        s.seed = test_seed() + i;
        run_whole(&s, &r);
        CHECK_LE(350000, lab_share_ppm(&r, 0, 0, r.ended_us));
        CHECK_LE(lab_share_ppm(&r, 0, 0, r.ended_us), 650000);
        lab_figures_free(&r);
    }
}
