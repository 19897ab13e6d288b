/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - the loop around both directions. Packets leave when they are due, or within the grain
 * below when the machine keeps up; what it did not keep up with is in the report.
 */
#include "netem/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "net/mem_system.h"
#include "netem/report.h"

/* It is not woken more often than this for packets that fall due: at 1 Gb/s one does each 12 us. */
#define GRAIN_US 40u
#define TIMER_SLACK_NS 1000u

bool netem_refuse(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fputs("weft-netem: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return false;
}

weft_time netem_look(struct netem *n)
{
    n->now = wf_clock_now() - n->start;
    return n->now;
}

/* There is memory for the few timers there are, or nothing goes. */
void netem_set_timer(struct netem *n, struct wf_timer *timer, weft_time at)
{
    if (wf_timer_set(n->loop, timer, at) != WEFT_OK) {
        wf_loop_stop(n->loop);
    }
}

static void set_due(struct netem *n)
{
    weft_time next = WEFT_TIME_NEVER;

    for (size_t d = 0; d < NETEM_DIRECTIONS; d++) {
        const weft_time at = netem_way_deadline(&n->ways[d]);

        next = at < next ? at : next;
    }
    if (next != WEFT_TIME_NEVER) {
        next = next < n->now + GRAIN_US ? n->now + GRAIN_US : next;
        next += n->start;
    }
    netem_set_timer(n, &n->due, next);
}

void netem_flush(struct netem *n)
{
    (void)netem_look(n);
    for (unsigned d = 0; d < NETEM_DIRECTIONS; d++) {
        struct netem_packet *p = netem_way_take(&n->ways[d], n->now);

        for (; p != NULL; p = netem_way_take(&n->ways[d], n->now)) {
            n->deliver(n, (enum netem_direction)d, p);
            free(p);
        }
    }
    set_due(n);
}

static void on_due(void *ctx)
{
    netem_flush(ctx);
}

static void on_end(void *ctx)
{
    wf_loop_stop(((struct netem *)ctx)->loop);
}

static void on_signal(void *ctx, int number)
{
    (void)number;
    on_end(ctx);
}

static bool tells_to_stdout(const struct netem *n)
{
    return n->options.json != NULL && strcmp(n->options.json, "-") == 0;
}

static bool write_report(struct netem *n, bool is_last)
{
    if (n->options.json == NULL)
        return true;
    (void)netem_look(n);
    if (n->count != NULL) {
        n->count(n);
    }
    if (netem_report_write(n, is_last))
        return true;
    return netem_refuse("%.200s could not be written: %s; name another file with --json.",
                        n->options.json, strerror(errno));
}

static void on_report(void *ctx)
{
    struct netem *n = ctx;

    (void)write_report(n, false);
    netem_set_timer(n, &n->report, wf_clock_now() + n->options.every_us);
}

bool netem_open(struct netem *n)
{
    static const int signals[] = {SIGINT, SIGTERM, 0};

    wf_mem_system(&n->mem, 0);
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    n->signals.fn = on_signal;
    n->signals.ctx = n;
    n->due.fn = on_due;
    n->report.fn = on_report;
    n->end.fn = on_end;
    n->due.ctx = n->report.ctx = n->end.ctx = n;
    if (wf_loop_new(&n->loop, &n->mem) != WEFT_OK ||
        wf_signals_open(&n->signals, n->loop, signals) != WEFT_OK)
        return netem_refuse("the system gives no more file descriptors; close some programs.");
    for (unsigned d = 0; d < NETEM_DIRECTIONS; d++) {
        netem_way_init(&n->ways[d], &n->options.plan, (enum netem_direction)d, n->options.seed,
                       (size_t)n->options.held_max / NETEM_DIRECTIONS);
    }
    n->start = wf_clock_now();
    /* A file that cannot be written is told now and not when all is over. */
    return n->options.json == NULL || tells_to_stdout(n) || write_report(n, false);
}

void netem_close(struct netem *n)
{
    if (n->loop == NULL)
        return;
    wf_timer_clear(n->loop, &n->due);
    wf_timer_clear(n->loop, &n->report);
    wf_timer_clear(n->loop, &n->end);
    wf_signals_close(&n->signals);
    wf_loop_free(n->loop);
    for (size_t d = 0; d < NETEM_DIRECTIONS; d++) {
        netem_way_deinit(&n->ways[d]);
    }
}

void netem_say_ready(const struct netem *n, const char *at)
{
    (void)printf(tells_to_stdout(n) ? "{\"event\":\"ready\",\"at\":\"%s\"}\n" : "ready %s\n", at);
    (void)fflush(stdout);
}

bool netem_run(struct netem *n)
{
    const struct netem_options *o = &n->options;

    /* The plan's times count from here. */
    n->start = wf_clock_now();
    if (o->for_us > 0) {
        netem_set_timer(n, &n->end, n->start + o->for_us);
    }
    if (o->every_us > 0) {
        netem_set_timer(n, &n->report, n->start + o->every_us);
    }
    if (wf_loop_run(n->loop) != WEFT_OK)
        return netem_refuse("waiting for packets failed: %s; start it again.", strerror(errno));
    return write_report(n, true);
}
