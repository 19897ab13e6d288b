/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_pipe_test.c - sessions and priorities that share a path, in virtual time: what is urgent does
 * not wait for what is not, and nobody is starved.
 */
#include "sim/lab.h"
#include "test.h"
#include "wire/frame.h"

/* 1 Gb/s, 10 ms, and a queue that could hold 80 ms. */
static struct lab_scenario fast(void)
{
    return (struct lab_scenario){
        .name = "test",
        .about = "",
        .seed = test_seed(),
        .end_us = LAB_S(3),
        .up = lab_line(LAB_MBIT(1000), LAB_MS(10), 800),
        .down = lab_line(LAB_MBIT(1000), LAB_MS(10), 800),
        .flow_count = 1,
        .flows = {{.kind = LAB_REQUESTS,
                   .priority = WF_PRIORITY_URGENT,
                   .request_bytes = 200,
                   .every_us = LAB_MS(10),
                   .start_us = LAB_S(1),
                   .stop_us = LAB_MS(2900)}},
    };
}

static void add(struct lab_scenario *s, struct lab_flow f)
{
    s->flows[s->flow_count++] = f;
}

static uint64_t p99_of_urgent(const struct lab_scenario *s, struct lab_figures *r)
{
    lab_run(s, r);
    CHECK(r->flows[0].broken == NULL);
    CHECK_EQ(r->flows[0].failed, 0);
    return r->flows[0].latency_us.p99;
}

TEST(beside_an_endless_background_message_the_urgent_is_at_most_2_ms_later) /* SPEC 4.2-5 */
{
    struct lab_scenario s = fast();
    struct lab_figures r;
    const uint64_t alone = p99_of_urgent(&s, &r);

    lab_figures_free(&r);
    for (unsigned one_way = 0; one_way < 2; one_way++) {
        s = fast();
        add(&s, (struct lab_flow){.kind = LAB_BULK,
                                  .shares = 1,
                                  .one_way = one_way == 1,
                                  .priority = WF_PRIORITY_BACKGROUND});
        test_note("session of its own: %u; alone p99 %u us", one_way, (unsigned)alone);
        CHECK_LE(p99_of_urgent(&s, &r), alone + LAB_MS(2));
        CHECK_LE(500000000, lab_goodput(&r, 1, LAB_S(2), LAB_S(3)));
        lab_figures_free(&r);
    }
}
