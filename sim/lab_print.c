/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_print.c - the figures of a run for people, and as JSON for programs.
 */
#include <inttypes.h>

#include "sim/lab.h"

static const char *kind_name(enum lab_kind kind)
{
    static const char *const names[] = {
        [LAB_BULK] = "bulk", [LAB_REQUESTS] = "requests", [LAB_CUBIC] = "tcp"};

    return names[kind];
}

/* Goodput while the flow ran. */
static uint64_t rate_of(const struct lab_flow_figures *r, uint64_t run_us)
{
    const uint64_t us = r->ended_us > 0 ? r->ended_us : run_us - r->began_us;

    return us == 0 ? 0 : r->bytes * 8 * 1000 / us; /* kbit/s */
}

static void print_flow(FILE *f, const struct lab_scenario *s, const struct lab_figures *r, size_t i)
{
    const struct lab_flow_figures *x = &r->flows[i];
    const uint64_t kbit = rate_of(x, r->ended_us);

    fprintf(f,
            "%4zu  %-8s %-10s %7" PRIu64 ".%03" PRIu64 " %6.1f %11" PRIu64 " %7.1f %8.1f %9.1f"
            " %8" PRIu64 " %6" PRIu64 " %6" PRIu64 "%s%s\n",
            i + 1, kind_name(s->flows[i].kind),
            x->done         ? "done"
            : x->failed > 0 ? "FAILED"
                            : "goes on",
            kbit / 1000, kbit % 1000, (double)x->share_ppm / 10000, x->bytes,
            (double)x->handshake_us / 1000, (double)x->first_byte_us / 1000,
            (double)x->ended_us / 1000, x->packets_sent, x->packets_lost, x->frames_resent,
            x->broken == NULL ? "" : "  BROKEN: ", x->broken == NULL ? "" : x->broken);
}

static void print_latency(FILE *f, const struct lab_scenario *s, const struct lab_figures *r)
{
    for (size_t i = 0; i < r->flow_count; i++) {
        const struct lab_spread *l = &r->flows[i].latency_us;

        if (s->flows[i].kind != LAB_REQUESTS)
            continue;
        fprintf(f,
                "flow %zu: %" PRIu64 " messages of %" PRIu64 ", %" PRIu64
                " failed; latency ms p50 %.1f, p95 %.1f, p99 %.1f, max %.1f\n",
                i + 1, l->count, r->flows[i].messages, r->flows[i].failed, (double)l->p50 / 1000,
                (double)l->p95 / 1000, (double)l->p99 / 1000, (double)l->max / 1000);
    }
}

static void print_link(FILE *f, const char *name, const struct lab_link_figures *l)
{
    fprintf(f,
            "%s: %" PRIu64 " bytes in %" PRIu64 " packets; lost %" PRIu64 ", queue full %" PRIu64
            ", marked %" PRIu64 ", too big %" PRIu64 ", cut %" PRIu64
            "; queue ms p50 %.1f, p95 %.1f, p99 %.1f, max %.1f\n",
            name, l->bytes, l->passed, l->lost, l->queue_full, l->marked, l->too_big, l->cut,
            (double)l->queue_us.p50 / 1000, (double)l->queue_us.p95 / 1000,
            (double)l->queue_us.p99 / 1000, (double)l->queue_us.max / 1000);
}

void lab_print(FILE *f, const struct lab_scenario *s, const struct lab_figures *r)
{
    fprintf(f, "%s: %s\n", s->name, s->about);
    fprintf(f, "%.3f s, %" PRIu64 " turns, Jain %.3f\n\n", (double)r->ended_us / 1e6, r->events,
            (double)r->jain_ppm / 1e6);
    fprintf(f, "flow  kind     state          Mbit/s  share       bytes  shake    first      ended"
               "     sent   lost resent\n");
    fprintf(
        f, "                                           %%                ms       ms         ms\n");
    for (size_t i = 0; i < r->flow_count; i++) {
        print_flow(f, s, r, i);
    }
    fputc('\n', f);
    print_latency(f, s, r);
    print_link(f, "up", &r->up);
    print_link(f, "down", &r->down);
}

/* --- JSON --- */

static void json_spread(FILE *f, const char *name, const struct lab_spread *s)
{
    fprintf(f,
            "\"%s\": {\"count\": %" PRIu64 ", \"mean\": %" PRIu64 ", \"p50\": %" PRIu64
            ", \"p95\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64 "}",
            name, s->count, s->mean, s->p50, s->p95, s->p99, s->max);
}

static void json_link(FILE *f, const char *name, const struct lab_link_figures *l)
{
    fprintf(f,
            ", \"%s\": {\"bytes\": %" PRIu64 ", \"passed\": %" PRIu64 ", \"lost\": %" PRIu64
            ", \"queue_full\": %" PRIu64 ", \"marked\": %" PRIu64 ", \"too_big\": %" PRIu64
            ", \"cut\": %" PRIu64 ", ",
            name, l->bytes, l->passed, l->lost, l->queue_full, l->marked, l->too_big, l->cut);
    json_spread(f, "queue_us", &l->queue_us);
    fputc('}', f);
}

static void json_flow(FILE *f, const struct lab_scenario *s, const struct lab_figures *r, size_t i)
{
    const struct lab_flow_figures *x = &r->flows[i];

    fprintf(f,
            "%s{\"kind\": \"%s\", \"done\": %s, \"failed\": %" PRIu64 ", \"bytes\": %" PRIu64
            ", \"share_ppm\": %" PRIu64 ", \"began_us\": %" PRIu64 ", \"handshake_us\": %" PRIu64
            ", \"first_byte_us\": %" PRIu64 ", \"ended_us\": %" PRIu64 ", \"messages\": %" PRIu64
            ", \"packets_sent\": %" PRIu64 ", \"packets_lost\": %" PRIu64
            ", \"frames_resent\": %" PRIu64 ", \"unproved_out\": %" PRIu64
            ", \"unproved_worst_ppm\": %" PRIu64 ", ",
            i == 0 ? "" : ", ", kind_name(s->flows[i].kind), x->done ? "true" : "false", x->failed,
            x->bytes, x->share_ppm, x->began_us, x->handshake_us, x->first_byte_us, x->ended_us,
            x->messages, x->packets_sent, x->packets_lost, x->frames_resent, x->unproved_out,
            x->unproved_worst_ppm);
    json_spread(f, "latency_us", &x->latency_us);
    fputs(", \"buckets\": [", f);
    for (size_t b = 0; b < r->bucket_count; b++) {
        fprintf(f, "%s%" PRIu32, b == 0 ? "" : ", ", x->buckets[b]);
    }
    fputs("]}", f);
}

void lab_print_json(FILE *f, const struct lab_scenario *s, const struct lab_figures *r)
{
    fprintf(f,
            "{\"name\": \"%s\", \"seed\": %" PRIu64 ", \"ended_us\": %" PRIu64
            ", \"bucket_us\": %u, \"jain_ppm\": %" PRIu64 ", \"flows\": [",
            s->name, s->seed == 0 ? 1 : s->seed, r->ended_us, LAB_BUCKET_US, r->jain_ppm);
    for (size_t i = 0; i < r->flow_count; i++) {
        json_flow(f, s, r, i);
    }
    fputc(']', f);
    json_link(f, "up", &r->up);
    json_link(f, "down", &r->down);
    fputs("}\n", f);
}
