/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_main.c - weft-load-sim: attackers against the admission of a server, as a table, as JSON or
 * tick by tick.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/load.h"

static const char usage[] =
    "weft-load-sim: attackers with many times a server's CPU against honest clients; price, queue\n"
    "and prefixes are the library's. Times in seconds, CPU in cores of the server.\n"
    "\n"
    "  --attack NAME      pay (default), overbid, sneak, hoard, hoard-low, oscillate, one-prefix, "
    "all\n"
    "  --cores N          of the attacker (1000)\n"
    "  --capacity N       handshakes a second (4000)\n"
    "  --honest N         clients a second (500)\n"
    "  --slowest, --fastest SPEED   of clients, in cores (0.33, 3.3)\n"
    "  --seed N           everything follows from it (1)\n"
    "  --set NAME=VALUE   overbid, work-least, growth, retry, budget, patience, age,\n"
    "                     queue, until, end\n"
    "  --json             one object a run\n"
    "  --csv FILE         a line for each tick of the last run\n";

static const char *const class_names[LOAD_CLASSES] = {"slow", "middle", "fast", "all"};

static void print_table_head(void)
{
    puts("attack      cores  clearing |  mean   p95   max | served   p50   p95   p99 | slow: served"
         "   p95  work | attacker/s  cost | zero");
}

static void print_table(const struct load_config *c, const struct load_result *r)
{
    const struct load_class *all = &r->honest[LOAD_ALL];
    const struct load_class *slow = &r->honest[0];

    printf("%-10s %6.0f  %8.4f | %5.2f %5.2f %5.2f | %5.1f%% %5.2f %5.2f %5.2f |      %5.1f%% %5.2f"
           " %5.2f | %10.0f %5.2f | %4.1f\n",
           load_attack_name(c->attack), c->cores, r->clearing, r->price_mean / r->clearing,
           r->price_p95 / r->clearing, r->price_max / r->clearing, 100 * all->served, all->p50,
           all->p95, all->p99, 100 * slow->served, slow->p95, slow->work, r->attackers_served,
           r->attackers_cost / r->clearing, r->zero_after);
}

static void print_json(const struct load_config *c, const struct load_result *r)
{
    printf("{\"attack\": \"%s\", \"cores\": %.0f, \"capacity\": %.0f, \"honest\": %.0f, \"seed\": "
           "%" PRIu64 ", \"clearing\": %.6f, \"price_mean\": %.6f, \"price_p95\": %.6f, "
           "\"price_max\": %.6f",
           load_attack_name(c->attack), c->cores, c->capacity, c->honest, c->seed, r->clearing,
           r->price_mean, r->price_p95, r->price_max);
    for (size_t i = 0; i < LOAD_CLASSES; i++) {
        const struct load_class *k = &r->honest[i];
        printf(", \"%s\": {\"served\": %.5f, \"p50\": %.4f, \"p95\": %.4f, \"p99\": %.4f, "
               "\"work\": %.4f}",
               class_names[i], k->served, k->p50, k->p95, k->p99, k->work);
    }
    printf(", \"quiet_p95\": %.4f, \"attackers_served\": %.2f, \"zero_after\": %.2f}\n",
           r->quiet_p95, r->attackers_served, r->zero_after);
}

static bool write_csv(const char *path, const struct load_result *r)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        return false;
    fputs("at,price,clearing,queue,honest_served,attackers_served\n", f);
    for (size_t i = 0; i < r->tick_count; i++) {
        const struct load_tick *t = &r->ticks[i];
        fprintf(f, "%.2f,%.6f,%.6f,%zu,%zu,%zu\n", t->at, t->price, r->clearing, t->queue,
                t->honest_served, t->attackers_served);
    }
    return fclose(f) == 0;
}

static bool set(struct load_config *c, const char *text)
{
    const struct {
        const char *name;
        double *to;
    } fields[] = {
        {"overbid", &c->policy.overbid},
        {"work-least", &c->policy.work_least},
        {"growth", &c->policy.growth},
        {"retry", &c->policy.retry},

        {"budget", &c->policy.budget},
        {"patience", &c->policy.patience},
        {"age", &c->age_max},
        {"until", &c->until},
        {"end", &c->end},
    };
    const char *value = strchr(text, '=');

    if (value == NULL)
        return false;
    if (strncmp(text, "queue=", 6) == 0) {
        c->queue_max = (size_t)strtoul(value + 1, NULL, 10);
        return c->queue_max > 0;
    }
    for (size_t i = 0; i < WF_ARRAY_LEN(fields); i++) {
        if (strlen(fields[i].name) == (size_t)(value - text) &&
            strncmp(text, fields[i].name, (size_t)(value - text)) == 0) {
            *fields[i].to = strtod(value + 1, NULL);
            return true;
        }
    }
    return false;
}

struct arguments {
    struct load_config config;
    bool all, json, bad, help;
    const char *csv;
};

static void read_option(struct arguments *a, int option, const char *text)
{
    struct load_config *c = &a->config;

    switch (option) {
    case 'a':
        a->all = strcmp(text, "all") == 0;
        a->bad = a->bad || (!a->all && !load_attack_of(text, &c->attack));
        break;
    case 'c':
        c->cores = strtod(text, NULL);
        break;
    case 'C':
        c->capacity = strtod(text, NULL);
        break;
    case 'n':
        c->honest = strtod(text, NULL);
        break;
    case 'l':
        c->speed_min = strtod(text, NULL);
        break;
    case 'f':
        c->speed_max = strtod(text, NULL);
        break;
    case 's':
        c->seed = strtoull(text, NULL, 10);
        break;
    case 'S':
        a->bad = a->bad || !set(c, text);
        break;
    case 'j':
        a->json = true;
        break;
    case 'o':
        a->csv = text;
        break;
    case 'h':
        a->help = true;
        break;
    default:
        a->bad = true;
    }
}

static void read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"attack", required_argument, NULL, 'a'},   {"cores", required_argument, NULL, 'c'},
        {"capacity", required_argument, NULL, 'C'}, {"honest", required_argument, NULL, 'n'},
        {"slowest", required_argument, NULL, 'l'},  {"fastest", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},     {"set", required_argument, NULL, 'S'},
        {"json", no_argument, NULL, 'j'},           {"csv", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };

    load_defaults(&a->config);
    for (int o = 0; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
        read_option(a, o, optarg);
    const struct load_config *c = &a->config;
    a->bad = a->bad || optind != argc || !(c->cores >= 1) || !(c->honest > 0) ||
             !(c->capacity > c->honest) || !(c->speed_min > 0) || !(c->speed_max > c->speed_min);
}

static bool run_one(const struct arguments *a, const struct load_config *c)
{
    struct load_result r;
    bool done = true;

    load_run(c, &r);
    if (a->json) {
        print_json(c, &r);
    } else {
        print_table(c, &r);
    }
    if (a->csv != NULL) {
        done = write_csv(a->csv, &r);
    }
    load_result_free(&r);
    return done;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    bool done = true;

    read_arguments(&a, argc, argv);
    if (a.bad || a.help) {
        fputs(usage, a.help ? stdout : stderr);
        return a.help ? 0 : 2;
    }
    if (!a.json) {
        print_table_head();
    }
    if (!a.all)
        return run_one(&a, &a.config) ? 0 : 1;
    for (enum load_attack attack = LOAD_PAY; attack < LOAD_ATTACKS && done; attack++) {
        a.config.attack = attack;
        done = run_one(&a, &a.config);
    }
    return done ? 0 : 1;
}
