/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_bbr_test.c - real endpoints under the controller with a model of the path, in the laboratory.
 */
#include "sim/lab.h"

#include "test.h"

/* SPEC 4.2-7, 4.3-11: neither controller nor credit nor buffers hold it back. */
TEST(a_gigabit_over_100_ms_that_loses_one_of_a_hundred_is_filled_after_three_seconds)
{
    struct lab_scenario s = {.name = "fat", .about = "", .end_us = LAB_S(5), .flow_count = 1};
    struct lab_figures f;

    s.up = lab_line(LAB_MBIT(1000), LAB_MS(100), 100);
    s.down = s.up;
    s.up.loss_ppm = 10000;
    s.flows[0] = (struct lab_flow){.bbr = true};
    lab_run(&s, &f);
    CHECK_LE(850000000, lab_goodput(&f, 0, LAB_S(3), LAB_S(5)));
    CHECK(f.flows[0].broken == NULL);
    lab_figures_free(&f);
}

/* Where ACKs are lost too. Five hundred gaps are open at a time. */
TEST(where_one_packet_of_twenty_is_lost_gaps_hold_nothing_up)
{
    struct lab_scenario s = {.name = "holes", .about = "", .end_us = LAB_S(4), .flow_count = 1};
    struct lab_figures f;

    s.up = lab_line(LAB_MBIT(1000), LAB_MS(100), 100);
    s.down = s.up;
    s.up.loss_ppm = 50000;
    s.down.loss_ppm = 50000;
    s.flows[0] = (struct lab_flow){.bbr = true};
    lab_run(&s, &f);
    CHECK_LE(500000000, lab_goodput(&f, 0, LAB_S(2), LAB_S(4)));
    /* What arrives is taken: nothing is sent again but what the line lost, or had not told yet. */
    CHECK_LE(f.flows[0].packets_lost, f.up.lost + f.up.queue_full + f.up.lost / 5);
    CHECK(f.flows[0].broken == NULL);
    lab_figures_free(&f);
}

/* Machines that look at their sockets and timers late, and losses: what is missing at the receiver
 * has room, a hiccup is no queue, and what was missed is sent. SPEC 4.2-1, 4.2-8 */
TEST(five_of_a_hundred_lost_between_busy_machines_leave_most_of_a_path_in_use)
{
    static const struct {
        uint64_t rate, late_us, least;
    } rows[] = {{100, LAB_MS(5), 70}, {1000, 1500, 600}};

    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        struct lab_scenario s = {.name = "busy", .about = "", .end_us = LAB_S(6), .flow_count = 1};
        struct lab_figures f;

        test_note("row %zu", i);
        s.up = lab_line(LAB_MBIT(rows[i].rate), LAB_MS(100), 100);
        s.down = s.up;
        s.up.loss_ppm = 50000;
        s.flows[0] =
            (struct lab_flow){.bbr = true, .wake_us = rows[i].late_us, .late_us = rows[i].late_us};
        lab_run(&s, &f);
        CHECK_LE(rows[i].least * 1000000, lab_goodput(&f, 0, LAB_S(4), LAB_S(6)));
        CHECK(f.flows[0].broken == NULL);
        lab_figures_free(&f);
    }
}

static uint64_t share_beside(enum lab_kind other, uint32_t loss_ppm)
{
    struct lab_scenario s = {.name = "pair", .about = "", .end_us = LAB_S(40), .flow_count = 2};
    struct lab_figures f;

    s.up = lab_line(LAB_MBIT(10), LAB_MS(40), 100);
    s.down = s.up;
    s.up.loss_ppm = loss_ppm;
    s.flows[0] = (struct lab_flow){.bbr = true};
    s.flows[1] = (struct lab_flow){.kind = other};
    lab_run(&s, &f);
    const uint64_t share = lab_share_ppm(&f, 0, LAB_S(10), LAB_S(40));

    CHECK_LE(9000000,
             lab_goodput(&f, 0, LAB_S(10), LAB_S(40)) + lab_goodput(&f, 1, LAB_S(10), LAB_S(40)));
    lab_figures_free(&f);
    return share;
}

TEST(beside_tcp_and_beside_our_cubic_it_has_its_share)
{
    const uint64_t tcp = share_beside(LAB_CUBIC, 0);
    const uint64_t ours = share_beside(LAB_BULK, 0);

    CHECK_LE(350000, tcp);
    CHECK_LE(tcp, 650000);
    CHECK_LE(300000, ours);
    CHECK_LE(ours, 700000);
}
