/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_jitter_test.c - round trips of one mean, steady or not: where they are not, ours keeps its
 * window near what the path carries, and is not starved for it.
 */
#include "sim/lab.h"
#include "test.h"

/* 20 Mbit/s and a queue of 280 ms. Unsteady: 20 ms, but for 50 ms of each 200 it is 120, and what
 * follows waits behind that, so that the mean is about 70. */
static struct lab_scenario line(bool is_steady)
{
    struct lab_scenario s = {.name = "test",
                             .about = "",
                             .seed = test_seed(),
                             .end_us = LAB_S(60),
                             .up = lab_line(LAB_MBIT(20), LAB_MS(70), 400),
                             .down = lab_line(LAB_MBIT(20), LAB_MS(70), 400),
                             .flow_count = 1,
                             .flows = {{.down = true}}};

    s.down.keeps_order = true;
    if (is_steady)
        return s;
    s.up.delay_us = LAB_MS(10);
    s.down.delay_us = LAB_MS(10);
    s.event_count = 1;
    s.events[0] = (struct lab_event){.kind = LAB_DELAY,
                                     .side = LAB_DOWN,
                                     .at_us = LAB_MS(50),
                                     .for_us = LAB_MS(50),
                                     .every_us = LAB_MS(200),
                                     .value = LAB_MS(110)};
    return s;
}

TEST(where_round_trips_are_unsteady_the_queue_is_not_filled) /* SPEC 4.2-6 */
{
    const struct lab_scenario even = line(true);
    const struct lab_scenario uneven = line(false);
    struct lab_figures a;
    struct lab_figures b;

    lab_run(&even, &a);
    lab_run(&uneven, &b);
    test_note("queue: steady %u us, unsteady %u us; goodput %u and %u kbit/s",
              (unsigned)a.down.queue_us.mean, (unsigned)b.down.queue_us.mean,
              (unsigned)(lab_goodput(&a, 0, LAB_S(10), LAB_S(60)) / 1000),
              (unsigned)(lab_goodput(&b, 0, LAB_S(10), LAB_S(60)) / 1000));
    CHECK_LE(b.down.queue_us.mean * 5, a.down.queue_us.mean * 4);
    CHECK_LE(18000000, lab_goodput(&b, 0, LAB_S(10), LAB_S(60)));
    lab_figures_free(&b);
    lab_figures_free(&a);
}

TEST(on_an_unsteady_path_nobody_starves_beside_tcp) /* SPEC 4.2-6 */
{
    for (unsigned queue = 50; queue <= 400; queue *= 2) {
        struct lab_scenario s = line(false);
        struct lab_figures r;

        s.down.queue_max = lab_line(LAB_MBIT(20), LAB_MS(70), queue).queue_max;
        s.flows[s.flow_count++] =
            (struct lab_flow){.kind = LAB_CUBIC, .down = true, .start_us = LAB_MS(500)};
        lab_run(&s, &r);
        const uint64_t share = lab_share_ppm(&r, 0, LAB_S(10), LAB_S(60));

        test_note("queue %u %%: %u ppm", queue, (unsigned)share);
        CHECK_LE(200000, share);
        lab_figures_free(&r);
    }
}
