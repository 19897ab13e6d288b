/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_basic_test.c - the laboratory measures what its scenario says: figures that can be computed
 * by hand, and the same figures from the same seed.
 */
#include <stdio.h>
#include <string.h>

#include "sim/lab.h"
#include "test.h"

/* 8 Mbit/s, 40 ms. */
static struct lab_scenario plain(void)
{
    return (struct lab_scenario){
        .name = "test",
        .about = "",
        .seed = test_seed(),
        .end_us = LAB_S(20),
        .up = lab_line(LAB_MBIT(8), LAB_MS(40), 100),
        .down = lab_line(LAB_MBIT(8), LAB_MS(40), 100),
        .flow_count = 1,
        .flows = {{.down = true, .bytes = 4000000}},
    };
}

static void check_whole(const struct lab_figures *r)
{
    for (size_t i = 0; i < r->flow_count; i++) {
        CHECK(r->flows[i].broken == NULL);
        CHECK(r->flows[i].done);
        CHECK_EQ(r->flows[i].failed, 0);
    }
}

TEST(a_transfer_takes_as_long_as_the_line_says_and_every_byte_is_counted_once)
{
    const struct lab_scenario s = plain();
    struct lab_figures r;
    uint64_t sum = 0;

    lab_run(&s, &r);
    check_whole(&r);
    CHECK_EQ(r.flows[0].bytes, 4000000);
    CHECK_EQ(r.flows[0].share_ppm, 1000000);
    for (size_t i = 0; i < r.bucket_count; i++) {
        sum += r.flows[0].buckets[i];
        CHECK_LE(sum, (i + 1) * 100000); /* what the line can have carried by then */
    }
    CHECK_EQ(sum, 4000000);
    CHECK_LE(LAB_S(4), r.flows[0].ended_us);
    CHECK_LE(r.flows[0].ended_us, LAB_MS(4800));
    CHECK_LE(LAB_MS(80), r.flows[0].handshake_us); /* two round trips */
    CHECK_LE(r.flows[0].handshake_us, LAB_MS(90));
    CHECK_LE(r.down.queue_us.max, LAB_MS(42)); /* the queue is one round trip */
    CHECK_LE(LAB_MS(10), r.down.queue_us.p95);
    lab_figures_free(&r);
}

TEST(a_seed_decides_a_run)
{
    struct lab_scenario s = plain();
    struct lab_figures a;
    struct lab_figures b;

    s.down.loss_ppm = 10000;
    lab_run(&s, &a);
    lab_run(&s, &b);
    CHECK_EQ(a.events, b.events);
    CHECK_EQ(a.flows[0].ended_us, b.flows[0].ended_us);
    CHECK_EQ(a.flows[0].packets_lost, b.flows[0].packets_lost);
    CHECK_LE(1, a.flows[0].packets_lost);
    lab_figures_free(&b);
    s.seed++;
    lab_run(&s, &b);
    CHECK_NE(a.events, b.events);
    lab_figures_free(&b);
    lab_figures_free(&a);
}

TEST(requests_take_a_round_trip_each_on_an_empty_line)
{
    struct lab_scenario s = plain();
    struct lab_figures r;

    s.flows[0] = (struct lab_flow){.kind = LAB_REQUESTS,
                                   .request_bytes = 100,
                                   .reply_bytes = 1000,
                                   .every_us = LAB_MS(100),
                                   .count_max = 50};
    lab_run(&s, &r);
    check_whole(&r);
    CHECK_EQ(r.flows[0].messages, 50);
    CHECK_EQ(r.flows[0].latency_us.count, 50);
    CHECK_EQ(r.flows[0].bytes, 50 * 1100);
    CHECK_LE(LAB_MS(40), r.flows[0].latency_us.p50);
    CHECK_LE(r.flows[0].latency_us.p50, LAB_MS(44));
    lab_figures_free(&r);
}

TEST(events_come_when_they_are_due_and_end)
{
    struct lab_scenario s = plain();
    struct lab_figures r;

    s.event_count = 2;
    s.events[0] = (struct lab_event){.kind = LAB_CUT, .at_us = LAB_S(1), .for_us = LAB_MS(500)};
    s.events[1] = (struct lab_event){.kind = LAB_RATE,
                                     .side = LAB_DOWN,
                                     .at_us = LAB_S(4),
                                     .for_us = LAB_S(1),
                                     .value = LAB_MBIT(1)};
    lab_run(&s, &r);
    check_whole(&r);
    CHECK_EQ(lab_goodput(&r, 0, LAB_MS(1200), LAB_MS(1500)), 0);
    CHECK_LE(lab_goodput(&r, 0, LAB_MS(4200), LAB_MS(4900)), 1000000);
    CHECK_LE(6000000, lab_goodput(&r, 0, LAB_MS(2500), LAB_MS(4000)));
    CHECK_LE(1, r.down.cut);
    lab_figures_free(&r);
}

TEST(flows_on_one_pair_of_hosts_share_its_session_or_have_their_own)
{
    struct lab_scenario s = plain();
    struct lab_figures r;

    s.flow_count = 3;
    s.flows[1] = (struct lab_flow){.shares = 1, .bytes = 500000};
    s.flows[2] = (struct lab_flow){.shares = 1, .one_way = true, .bytes = 500000};
    lab_run(&s, &r);
    check_whole(&r);
    CHECK_EQ(r.flows[1].bytes, 500000);
    CHECK_EQ(r.flows[2].bytes, 500000);
    CHECK_EQ(r.flows[1].packets_sent, 0); /* counted at the owner of the hosts */
    lab_figures_free(&r);
}

TEST(idle_gaps_are_idle)
{
    struct lab_scenario s = plain();
    struct lab_figures r;

    s.flows[0].bytes = 0;
    s.flows[0].busy_us = LAB_S(2);
    s.flows[0].idle_us = LAB_S(4);
    s.flows[0].stop_us = LAB_S(9);
    lab_run(&s, &r);
    check_whole(&r);
    CHECK_LE(5000000, lab_goodput(&r, 0, LAB_S(1), LAB_S(2)));
    CHECK_EQ(lab_goodput(&r, 0, LAB_S(5), LAB_S(6)), 0);
    CHECK_LE(5000000, lab_goodput(&r, 0, LAB_S(7), LAB_S(8)));
    lab_figures_free(&r);
}

TEST(two_of_the_models_of_tcp_share_a_line_evenly_and_fill_it)
{
    struct lab_scenario s = plain();
    struct lab_figures r;

    s.end_us = LAB_S(40);
    s.flow_count = 2;
    s.flows[0] = (struct lab_flow){.kind = LAB_CUBIC, .down = true};
    s.flows[1] = (struct lab_flow){.kind = LAB_CUBIC, .down = true, .start_us = LAB_S(3)};
    lab_run(&s, &r);
    CHECK_LE(900000, lab_jain_ppm(&r, LAB_S(10), LAB_S(40)));
    CHECK_LE(7400000,
             lab_goodput(&r, 0, LAB_S(10), LAB_S(40)) + lab_goodput(&r, 1, LAB_S(10), LAB_S(40)));
    lab_figures_free(&r);
}

/* RFC 9438, 5.1: where one packet of 10,000 is lost and a round trip takes 0.1 s the window is 187
 * packets on average, which is 21.7 Mbit/s. */
TEST(the_model_of_tcp_reaches_the_window_that_its_rfc_computes)
{
    struct lab_scenario s = plain();
    struct lab_figures r;

    s.end_us = LAB_S(200);
    s.up = lab_line(LAB_MBIT(1000), LAB_MS(100), 100);
    s.down = lab_line(LAB_MBIT(1000), LAB_MS(100), 100);
    s.down.loss_ppm = 100;
    s.flows[0] = (struct lab_flow){.kind = LAB_CUBIC, .down = true};
    lab_run(&s, &r);
    CHECK_EQ(r.down.queue_full, 0);
    CHECK_LE(16000000, lab_goodput(&r, 0, LAB_S(20), LAB_S(200)));
    CHECK_LE(lab_goodput(&r, 0, LAB_S(20), LAB_S(200)), 28000000);
    lab_figures_free(&r);
}

/* A megabyte with the window clocked by ACKs: 10, 20, 40, ... packets, at 1448 bytes each. */
TEST(the_model_of_tcp_doubles_its_window_each_round_trip_at_first)
{
    struct lab_scenario s = plain();
    struct lab_figures r;

    s.up = lab_line(LAB_MBIT(1000), LAB_MS(100), 100);
    s.down = lab_line(LAB_MBIT(1000), LAB_MS(100), 100);
    s.flows[0] = (struct lab_flow){.kind = LAB_CUBIC, .down = true, .bytes = 1000000};
    lab_run(&s, &r);
    CHECK(r.flows[0].done);
    CHECK_LE(LAB_MS(650),
             r.flows[0].ended_us); /* 630 packets by the sixth round, and half of one */
    CHECK_LE(r.flows[0].ended_us, LAB_MS(760));
    lab_figures_free(&r);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

TEST(figures_are_told_as_a_table_as_json_and_as_a_picture)
{
    const struct lab_scenario s = plain();
    struct lab_figures r;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    lab_run(&s, &r);
    lab_print_json(f, &s, &r);
    CHECK_EQ(fflush(f), 0);
    CHECK_EQ(count_of(text, "\"bytes\": 4000000"), 1);
    CHECK_EQ(count_of(text, "{"), count_of(text, "}"));
    CHECK_EQ(count_of(text, "\n"), 1);
    lab_print(f, &s, &r);
    CHECK_EQ(fflush(f), 0);
    CHECK_EQ(count_of(text, "  bulk     done"), 1);
    lab_plot(f, &s, &r);
    CHECK_EQ(fclose(f), 0);
    CHECK_EQ(count_of(text, "<polyline"), 1);
    CHECK_EQ(count_of(text, "</svg>"), 1);
    free(text);
    lab_figures_free(&r);
}

TEST(every_named_scenario_is_found_by_its_name_alone)
{
    const struct lab_scenario *s = NULL;

    for (size_t i = 0; (s = lab_scenario_at(i)) != NULL; i++) {
        CHECK(lab_scenario_find(s->name) == s);
        CHECK(s->end_us > 0);
        CHECK(s->flow_count > 0);
    }
    CHECK(lab_scenario_find("none") == NULL);
}
