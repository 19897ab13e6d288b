/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netem_options_fuzz.c - any scenario is understood or refused in one sentence, and whatever plan
 * comes of it can carry packets.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netem/options.h"
#include "netem/way.h"

#define PACKETS 64u
#define STEP_US 100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void carry(const struct netem_plan *plan)
{
    static const uint8_t packet[100];
    const struct netem_meta meta = {.ecn = 2};
    struct netem_way way;

    netem_way_init(&way, plan, NETEM_UP, 1, 1u << 16);
    for (weft_time t = 0; t < PACKETS * STEP_US; t += STEP_US) {
        (void)netem_way_put(&way, t, &meta, (weft_span){packet, sizeof packet});
        free(netem_way_take(&way, t));
    }
    if (way.held > 1u << 16)
        abort();
    netem_way_deinit(&way);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct netem_options o;

    netem_options_init(&o);
    if (!netem_options_text(&o, (weft_span){data, size})) {
        const size_t len = strnlen(o.error, sizeof o.error);

        if (len == 0 || len == sizeof o.error || o.error[len - 1] != '.')
            abort();
        return 0;
    }
    netem_plan_finish(&o.plan);
    carry(&o.plan);
    return 0;
}
