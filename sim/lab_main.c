/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_main.c - weft-lab: runs a named scenario of the laboratory and prints what came of it.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab.h"

#define SECONDS_MAX 86400u

static const char usage[] =
    "weft-lab: flows over shared bottlenecks in virtual time\n"
    "\n"
    "  weft-lab list              the scenarios\n"
    "  weft-lab run NAME...       runs them and prints a table (all: every one)\n"
    "\n"
    "  --seed N      everything follows from it (1)\n"
    "  --for SECONDS another end of the run\n"
    "  --bbr         every weft flow with that controller\n"
    "  --json        one object a run\n"
    "  --plot FILE   goodput over time of the last run, as SVG\n";

struct arguments {
    bool json, bbr, bad, help;
    uint64_t seed, seconds;
    const char *plot;
    char **names;
    int count;
};

/* Plain digits that are no more than most; else it says so. */
static bool read_number(const char *name, const char *text, uint64_t most, uint64_t *out)
{
    char *end = NULL;

    errno = 0;
    const uint64_t n = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || n > most) {
        fprintf(stderr, "weft-lab: %s takes a number from 0 to %" PRIu64 "\n", name, most);
        return false;
    }
    *out = n;
    return true;
}

static void read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"for", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"plot", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {"bbr", no_argument, NULL, 'b'},
        {NULL, 0, NULL, 0},
    };

    for (int o = 0; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 's') {
            a->bad |= !read_number("--seed", optarg, UINT64_MAX, &a->seed);
        } else if (o == 'f') {
            a->bad |= !read_number("--for", optarg, SECONDS_MAX, &a->seconds);
        } else if (o == 'j') {
            a->json = true;
        } else if (o == 'b') {
            a->bbr = true;
        } else if (o == 'p') {
            a->plot = optarg;
        } else if (o == 'h') {
            a->help = true;
        } else {
            a->bad = true;
        }
    }
    a->names = argv + optind;
    a->count = argc - optind;
}

static int list(void)
{
    const struct lab_scenario *s = NULL;

    for (size_t i = 0; (s = lab_scenario_at(i)) != NULL; i++) {
        printf("%-24s %s\n", s->name, s->about);
    }
    return 0;
}

static bool write_plot(const char *path, const struct lab_scenario *s, const struct lab_figures *r)
{
    FILE *f = fopen(path, "w");

    if (f == NULL) {
        perror(path);
        return false;
    }
    lab_plot(f, s, r);
    return fclose(f) == 0;
}

static bool run_one(const struct arguments *a, const struct lab_scenario *named)
{
    struct lab_scenario s = *named;
    struct lab_figures r;
    bool done = true;

    s.seed = a->seed != 0 ? a->seed : s.seed;
    s.end_us = a->seconds != 0 ? LAB_S(a->seconds) : s.end_us;
    for (size_t i = 0; i < s.flow_count; i++) {
        s.flows[i].bbr |= a->bbr;
    }
    lab_run(&s, &r);
    if (a->json) {
        lab_print_json(stdout, &s, &r);
    } else {
        lab_print(stdout, &s, &r);
        putchar('\n');
    }
    if (a->plot != NULL) {
        done = write_plot(a->plot, &s, &r);
    }
    lab_figures_free(&r);
    return done;
}

static int run(const struct arguments *a)
{
    const struct lab_scenario *s = NULL;
    bool done = true;

    for (int i = 1; i < a->count && done; i++) {
        const bool all = strcmp(a->names[i], "all") == 0;

        for (size_t k = 0; all && done && (s = lab_scenario_at(k)) != NULL; k++) {
            done = run_one(a, s);
        }
        if (all)
            continue;
        s = lab_scenario_find(a->names[i]);
        if (s == NULL) {
            fprintf(stderr, "weft-lab: no scenario %s; see weft-lab list\n", a->names[i]);
            return 2;
        }
        done = run_one(a, s);
    }
    return done ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};

    read_arguments(&a, argc, argv);
    if (a.help) {
        fputs(usage, stdout);
        return 0;
    }
    if (!a.bad && a.count == 1 && strcmp(a.names[0], "list") == 0)
        return list();
    if (!a.bad && a.count > 1 && strcmp(a.names[0], "run") == 0)
        return run(&a);
    fputs(usage, stderr);
    return 2;
}
