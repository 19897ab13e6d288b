/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_fair_test.c - what flows get of a full line: ours beside a kernel's TCP, and four of ours.
 * Hosts answer up to half a millisecond late, as real ones do; without that the flows of a
 * laboratory fall into step with its queue.
 */
#include <stdlib.h>

#include "sim/lab.h"
#include "test.h"

#define JITTER_US 500u

/* 10 Mbit/s. */
static struct lab_scenario line(uint64_t rtt_us, unsigned queue_percent, uint64_t seconds)
{
    return (struct lab_scenario){.name = "test",
                                 .about = "",
                                 .seed = 1,
                                 .end_us = LAB_S(seconds),
                                 .up = lab_line(LAB_MBIT(10), rtt_us, queue_percent),
                                 .down = lab_line(LAB_MBIT(10), rtt_us, queue_percent)};
}

static struct lab_flow *add(struct lab_scenario *s, enum lab_kind kind, uint64_t start_us)
{
    struct lab_flow *f = &s->flows[s->flow_count++];
    const struct sim_link_config access = {.jitter_us = JITTER_US, .keeps_order = true};

    *f = (struct lab_flow){.kind = kind, .down = true, .start_us = start_us};
    f->access_up = access;
    f->access_down = access;
    return f;
}

static uint64_t share_of_ours(uint64_t rtt_us, unsigned queue_percent, uint64_t ours_at,
                              uint64_t tcp_at)
{
    const uint64_t from = queue_percent > 200 ? 60 : 10; /* deep queues take their time */
    struct lab_scenario s = line(rtt_us, queue_percent, from + 60);
    struct lab_figures r;

    (void)add(&s, LAB_BULK, ours_at);
    (void)add(&s, LAB_CUBIC, tcp_at);
    lab_run(&s, &r);
    const uint64_t share = lab_share_ppm(&r, 0, LAB_S(from), LAB_S(from + 60));

    lab_figures_free(&r);
    return share;
}

/* Every setting, or those that tell most. */
static bool is_long(void)
{
    return getenv("WEFT_LONG") != NULL;
}

/* In a minute there are a few dozen losses, so that one run is moved by chance by some percent. */
TEST(beside_tcp_cubic_our_flow_gets_between_35_and_65_percent)
{
    for (uint64_t rtt = LAB_MS(20); rtt <= LAB_MS(50); rtt += LAB_MS(30)) {
        for (unsigned queue = 50; queue <= 400; queue *= 2) {
            if (!is_long() && (rtt == LAB_MS(20) ? queue != 100 : queue != 50))
                continue;
            const uint64_t first = share_of_ours(rtt, queue, 0, LAB_MS(700));
            const uint64_t last = share_of_ours(rtt, queue, LAB_S(5), 0);

            test_note("%u us, queue %u %%: first %u ppm, last %u ppm", (unsigned)rtt, queue,
                      (unsigned)first, (unsigned)last);
            CHECK_LE(350000, (first + last) / 2);
            CHECK_LE((first + last) / 2, 650000);
            CHECK_LE(first, 700000);
            CHECK_LE(300000, last);
        }
    }
}

static void check_jain(unsigned queue_percent, uint64_t gap_us, uint64_t more_us)
{
    struct lab_scenario s = line(LAB_MS(20), queue_percent, 80);
    struct lab_figures r;

    for (uint64_t k = 0; k < 4; k++) {
        struct lab_flow *f = add(&s, LAB_BULK, k * gap_us);

        f->access_up.delay_us = k * more_us / 2;
        f->access_down.delay_us = k * more_us / 2;
    }
    lab_run(&s, &r);
    const uint64_t jain = lab_jain_ppm(&r, LAB_S(20), LAB_S(80));

    test_note("queue %u %%, every %u us, %u us more each: %u ppm", queue_percent, (unsigned)gap_us,
              (unsigned)more_us, (unsigned)jain);
    CHECK_LE(950000, jain);
    lab_figures_free(&r);
}

TEST(four_of_ours_share_alike_also_when_some_come_later_or_from_farther_away)
{
    for (unsigned queue = is_long() ? 50 : 100; queue <= (is_long() ? 200 : 100); queue *= 2) {
        if (is_long())
            check_jain(queue, 0, 0);
        check_jain(queue, LAB_S(5), 0);
        check_jain(queue, LAB_S(1), LAB_MS(3));
    }
}
