/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - counters as JSON. Times are in microseconds, sizes in bytes.
 */
#include "netem/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LEN 4096

static const char *const fate_names[SIM_FATES] = {
    [SIM_PASSED] = "passed",         [SIM_CUT] = "cut",   [SIM_TOO_BIG] = "too_big",
    [SIM_BLACK_HOLE] = "black_hole", [SIM_LOST] = "lost", [SIM_QUEUE_FULL] = "queue_full",
};

struct figure {
    const char *name;
    uint64_t value;
};

static void print_figures(FILE *out, const struct figure *figures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", figures[i].name,
                      figures[i].value);
    }
}

static uint64_t mean(uint64_t sum, uint64_t count)
{
    return count == 0 ? 0 : sum / count;
}

static void print_way(FILE *out, const struct netem_way *w, const struct netem_extra *e)
{
    const struct netem_counts *c = &w->counts;
    const struct figure counts[] = {
        {"packets_in", c->packets_in},
        {"bytes_in", c->bytes_in},
        {"packets_out", c->packets_out},
        {"bytes_out", c->bytes_out},
        {"duplicated", w->link.duplicated},
        {"corrupted", w->link.corrupted},
        {"marked", w->link.marked},
        {"no_room", c->no_room},
        {"ignored", e->ignored},
        {"too_big_told", e->too_big_told},
        {"unsent", e->unsent},
        {"stale", e->stale},
        {"kernel_dropped", e->kernel_dropped},
        {"delay_min_us", c->packets_out == 0 ? 0 : c->delay_min},
        {"delay_mean_us", mean(c->delay_sum, c->packets_out)},
        {"delay_max_us", c->delay_max},
        {"late_mean_us", mean(c->late_sum, c->packets_out)},
        {"late_max_us", c->late_max},
        {"queue_max", c->queue_max},
        {"held_max", c->held_max},
    };
    struct figure fates[SIM_FATES];

    for (size_t i = 0; i < SIM_FATES; i++) {
        fates[i] = (struct figure){fate_names[i], w->link.fates[i]};
    }
    (void)fputc('{', out);
    print_figures(out, counts, WF_ARRAY_LEN(counts));
    (void)fputs(",\"fates\":{", out);
    print_figures(out, fates, SIM_FATES);
    (void)fputs("}}", out);
}

void netem_report_print(FILE *out, const struct netem *n, bool is_last)
{
    const struct figure all[] = {
        {"duration_us", n->now},
        {"seed", n->options.seed},
        {"rebinds", n->rebinds},
        {"clients", n->clients},
        {"clients_forgotten", n->clients_forgotten},
    };

    (void)fprintf(out, "{\"event\":\"%s\",\"mode\":\"%s\",", is_last ? "end" : "report",
                  n->options.mode == NETEM_TUN ? "tun" : "udp");
    print_figures(out, all, WF_ARRAY_LEN(all));
    (void)fputs(",\"up\":", out);
    print_way(out, &n->ways[NETEM_UP], &n->extra[NETEM_UP]);
    (void)fputs(",\"down\":", out);
    print_way(out, &n->ways[NETEM_DOWN], &n->extra[NETEM_DOWN]);
    (void)fputs("}\n", out);
}

/* Readers never see half of it: it is written beside the file and then takes its place. */
static bool write_file(const struct netem *n, bool is_last)
{
    char path[PATH_MAX_LEN];
    FILE *out = NULL;
    bool good = false;

    if (snprintf(path, sizeof path, "%s.new", n->options.json) >= (int)sizeof path)
        return false;
    out = fopen(path, "w");
    if (out == NULL)
        return false;
    netem_report_print(out, n, is_last);
    good = ferror(out) == 0;
    good = fclose(out) == 0 && good;
    good = good && rename(path, n->options.json) == 0;
    if (!good) {
        (void)remove(path);
    }
    return good;
}

bool netem_report_write(const struct netem *n, bool is_last)
{
    if (strcmp(n->options.json, "-") != 0)
        return write_file(n, is_last);
    netem_report_print(stdout, n, is_last);
    return fflush(stdout) == 0;
}
