/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.c - what a server asks of us before it lets us in, shown on a terminal while it lasts.
 */
#include <stdlib.h>
#include <unistd.h>

#include "common/app.h"

#define WORK_SECONDS_MAX 86400u
#define SECOND_US 1000000u

/* "0.4 s", "3 s", "2 min": nobody can rely on more. */
static const char *time_text(char out[32], uint64_t us)
{
    if (us < 2 * (uint64_t)SECOND_US)
        (void)snprintf(out, 32, "%.1f s", (double)us / SECOND_US);
    else if (us < 120 * (uint64_t)SECOND_US)
        (void)snprintf(out, 32, "%.0f s", (double)us / SECOND_US);
    else
        (void)snprintf(out, 32, "%.0f min", (double)us / SECOND_US / 60);
    return out;
}

static void clear(struct app *a)
{
    if (a->work_shown)
        (void)fputs("\r\033[K", stderr);
    a->work_shown = false;
}

static void show(struct app *a, const weft_work *w)
{
    char expected[32];

    if (a->json || a->quiet || isatty(STDERR_FILENO) == 0 || w->expected_us == 0)
        return;
    (void)fprintf(stderr, "\r\033[Kthe server asks for work: %.0f %% of about %s",
                  100.0 * (double)w->tries / (double)w->expected,
                  time_text(expected, w->expected_us));
    (void)fflush(stderr);
    a->work_shown = true;
}

static void note_refused(struct app *a, const weft_work *w)
{
    char expected[32];
    char budget[32];

    (void)time_text(budget, w->budget_us);
    if (w->expected_us == 0)
        (void)snprintf(a->work_text, sizeof a->work_text,
                       "The server asks for work that takes longer than %s; --work-time gives it "
                       "more.",
                       budget);
    else
        (void)snprintf(a->work_text, sizeof a->work_text,
                       "The server asks for about %s of work, and %s are set aside; --work-time "
                       "gives it more.",
                       time_text(expected, w->expected_us), budget);
}

static void on_work(const weft_work *w, void *user)
{
    struct app *a = user;

    switch (w->state) {
    case WEFT_WORK_GOES_ON:
        show(a, w);
        return;
    case WEFT_WORK_REFUSED:
        note_refused(a, w);
        clear(a);
        return;
    case WEFT_WORK_OVER:
        clear(a);
        return;
    }
}

int app_work_option(struct app *a, weft_node_params *p)
{
    char *end = NULL;
    unsigned long long seconds = 0;

    if (a->work_time == NULL)
        return 0;
    if (a->work_time[0] >= '0' && a->work_time[0] <= '9')
        seconds = strtoull(a->work_time, &end, 10);
    if (end == NULL || *end != '\0' || seconds < 1 || seconds > WORK_SECONDS_MAX)
        return app_fail(a, "\"%.40s\" is no time for work: whole seconds, 1 to %u.", a->work_time,
                        WORK_SECONDS_MAX);
    p->work_ms = (uint32_t)seconds * 1000;
    return 0;
}

void app_work_show(struct app *a, weft_node *node)
{
    weft_node_on_work(node, on_work, a);
}
